"""How long does a remission last? A retention curve with people who are still in it.

Data: Freireich et al. (1963), Blood 21:699-716, weeks of remission of 42 children with leukaemia on 6-mercaptopurine or
placebo, as printed in Gehan (1965), Biometrika 52:203-223; a plus sign there means still in remission when last seen.
"""

import numpy as np
import pymc as pm

import bayes

TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+".split()
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23".split()
WEEKS = np.array([float(t.rstrip("+")) for t in TREATED + PLACEBO])
ENDED = np.array([not t.endswith("+") for t in TREATED + PLACEBO])
ON_DRUG = np.repeat([1, 0], [len(TREATED), len(PLACEBO)])


def build() -> pm.Model:
    """Weibull times with S(t) = exp(-(t/scale)^shape); a remission that has not ended counts as at least that long."""
    times = np.array([4.0, 12.0, 24.0])
    with pm.Model(coords={"child": np.arange(len(WEEKS)), "week": times, "arm": ["placebo", "drug"]}) as model:
        log_median = pm.Normal("log_median", np.log(12), 1)  # a median of 2 to 90 weeks on placebo
        log_longer = pm.Normal("log_longer", 0, 1)           # the drug makes it 1/7 to 7 times as long
        shape = pm.LogNormal("shape", 0, 0.5)                # at 1 the chance of a relapse stays the same
        scale = pm.math.exp(log_median + log_longer * np.array([0.0, 1.0])) / np.log(2) ** (1 / shape)
        remission = pm.Weibull.dist(alpha=shape, beta=scale[ON_DRUG])
        seen = np.where(ENDED, np.inf, WEEKS)                # a time above this is not seen, only that it is above
        pm.Censored("weeks", remission, lower=None, upper=seen, observed=WEEKS, dims="child")
        pm.Deterministic("still_in_remission", pm.math.exp(-((times[:, None] / scale) ** shape)), dims=("week", "arm"))
        pm.Deterministic("hazard_ratio", pm.math.exp(-shape * log_longer))
    return model


if __name__ == "__main__":
    fit = bayes.sample(build(), rng=1963)
    bayes.check(fit).require()
    columns = ["variable", "week", "arm", "estimate", "lower", "upper", "prob", "kind"]
    table = bayes.summarise(fit["posterior"].to_dataset(), prob=0.95, variables=["still_in_remission", "hazard_ratio"])
    print(table[columns].round(2).to_string(index=False))
    print(bayes.sensitivity.powerscale(fit, target="hazard_ratio")[["component", "cjs", "d_median", "diagnosis"]]
          .round(3).to_string(index=False))
