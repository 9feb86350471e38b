"""How much gas kills half the beetles? A dose-response curve with declared priors.

Data: Bliss (1935), Annals of Applied Biology 22:134-167, adults of the flour beetle after five hours of carbon disulphide;
as printed in Dobson and Barnett, An Introduction to Generalized Linear Models, 3rd ed. (2008), Table 7.2.
"""

from pathlib import Path

import numpy as np
import pymc as pm

import bayes
from bayes.priors import read_priors

LOG10_DOSE = np.array([1.6907, 1.7242, 1.7552, 1.7842, 1.8113, 1.8369, 1.8610, 1.8839])
BEETLES = np.array([59, 60, 62, 56, 63, 59, 62, 60])
KILLED = np.array([6, 13, 18, 28, 52, 53, 61, 60])


def build() -> pm.Model:
    """Logistic regression on the centred log dose; the dose that kills half follows from its two parameters."""
    with pm.Model(coords={"dose": LOG10_DOSE}) as model:
        centre = LOG10_DOSE.mean()
        prior = bayes.add_priors(model, read_priors(Path(__file__).with_suffix(".toml")))
        beetles, killed = pm.Data("beetles", BEETLES, dims="dose"), pm.Data("killed", KILLED, dims="dose")
        pm.Binomial("deaths", n=beetles, logit_p=prior["log_odds"] + prior["slope"] * (LOG10_DOSE - centre),
                    observed=killed, dims="dose")
        pm.Deterministic("half_killed", centre - prior["log_odds"] / prior["slope"])
    return model


if __name__ == "__main__":
    fit = bayes.sample(build(), rng=1935)
    bayes.check(fit).require()
    columns = ["variable", "estimate", "lower", "upper", "prob", "kind", "mcse"]
    print(bayes.summarise(fit["posterior"].to_dataset(), prob=0.95)[columns].round(4).to_string(index=False))
    print(bayes.sensitivity.powerscale(fit, target="half_killed")[["component", "cjs", "d_median", "diagnosis"]]
          .round(3).to_string(index=False))
