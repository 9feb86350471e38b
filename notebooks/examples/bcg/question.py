"""How many cases of tuberculosis would BCG vaccination of the newborn avert?

Evidence: the 13 trials of Colditz et al. (1994), JAMA 271:698-702. Of all cases of a trial, those among the vaccinated
are Binomial(cases, p), logit p = effect + log(vaccinated / not vaccinated): exact for counts of a rare disease, and free
of the trials' own risks. The log risk ratio of a setting, a trial or the country asked about, is Normal with mean
log_ratio + slope (latitude - 33) and standard deviation tau. Cases averted in a year are those among all who were
vaccinated since the start, whose protection wanes.
"""

from pathlib import Path

import numpy as np
import pymc as pm
from scipy.special import expit, logsumexp
from scipy.stats import binom, norm

import bayes
from bayes.question import Lever

YEARS = np.arange(1, 11)
NEWBORN = 23e6     # a year in India, 2022: "around 23 million", Straits Times, January 2023
CENTRE = 33        # the mean latitude of the trials
NAIVE = 0.5 * 195  # halve the incidence at all ages: Colditz' pooled effect, the same everywhere and for ever


def build(study, structure=None):
    """The joint model: effect by latitude, in the trials and in a new setting, and what vaccination would do there.

    With the structure "no latitude" the effect has no slope; with "common effect" settings of one latitude are alike.
    """
    coords = {"trial": study.column("trials", "row"), "latitude": np.arange(0, 61, 10),
              "scenario": list(study.scenarios), "year": YEARS}
    with pm.Model(coords=coords) as model:
        left_out = {"no latitude": "slope", "common effect": "tau"}.get(structure)
        prior = {left_out: 0.0, **bayes.add_priors(model, {k: v for k, v in study.priors.items() if k != left_out})}

        def seen(name):
            return pm.Data(f"trial_{name}", study.column("trials", name), dims="trial")

        def planned(name):
            return pm.Data(name, np.array([getattr(one, name) for one in study.scenarios.values()]), dims="scenario")

        def effect(latitude):
            return prior["log_ratio"] + prior["slope"] * (latitude - CENTRE)

        treated = seen("vaccinated_cases")
        cases = pm.Data("trial_cases", study.column("trials", "vaccinated_cases") + study.column("trials", "control_cases"),
                        dims="trial")
        exposed = pm.math.log(seen("vaccinated") / seen("control"))
        expected = effect(seen("latitude"))
        own = pm.Normal("trial_effect", expected, prior["tau"], dims="trial") if left_out != "tau" else expected
        pm.Binomial("cases_vaccinated", n=cases, logit_p=own + exposed, observed=treated, dims="trial")

        coverage, place = planned("coverage"), planned("degrees")
        new = pm.Normal("new_setting", 0, 1)
        pm.Deterministic("risk_ratio", pm.math.exp(effect(np.arange(0.0, 61, 10))), dims="latitude")
        ratio = pm.Deterministic("risk_ratio_here", pm.math.exp(effect(place) + prior["tau"] * new), dims="scenario")

        kept = (np.tri(len(YEARS)) * pm.math.exp(-(YEARS - 0.5) / prior["duration"])).sum(axis=1)
        vaccinated = pm.Deterministic("vaccinated", NEWBORN * coverage[:, None] * np.ones(len(YEARS)),
                                      dims=("scenario", "year"))
        rate = prior["incidence"] * prior["young"] / 1e5
        averted = pm.Deterministic("cases_averted", vaccinated * kept * rate * (1 - ratio)[:, None],
                                   dims=("scenario", "year"))
        pm.Deterministic("net_benefit", prior["worth"] * averted - prior["cost"] * vaccinated,
                         dims=("scenario", "year"))
        pm.Deterministic("naive_cases", vaccinated * YEARS * NAIVE / 1e5, dims=("scenario", "year"))
    return model


def marginals(fit, study):
    """Log likelihood of each trial with its own effect integrated out: leaving a trial out also takes its effect away."""
    draws, z = fit["posterior"], np.linspace(-6, 6, 121)
    found = {}
    for row in study.rows("trials"):
        mean = draws["log_ratio"] + draws["slope"] * (row.latitude - CENTRE) + np.log(row.vaccinated / row.control)
        p = expit(mean.values[..., None] + draws["tau"].values[..., None] * z)
        each = binom.logpmf(row.vaccinated_cases, row.vaccinated_cases + row.control_cases, p)
        found[row.row] = logsumexp(each, axis=-1, b=norm.pdf(z) / norm.pdf(z).sum())
    return found


question = bayes.Question(
    model=build,
    target="cases_averted",
    study="study",
    title="Cases of tuberculosis averted by BCG vaccination of the newborn",
    population="children of India, or of a country as large at another latitude",
    period="the first ten years of a programme, compared with none",
    units={"cases_averted": "cases/year", "net_benefit": "USD/year", "vaccinated": "persons/year",
           "naive_cases": "cases/year", "coverage": "share", "risk_ratio": "ratio", "risk_ratio_here": "ratio"},
    labels={"cases_averted": "cases averted", "net_benefit": "net benefit", "vaccinated": "newborn vaccinated",
            "risk_ratio": "risk ratio", "risk_ratio_here": "risk ratio in a new setting", "new_setting": "new setting",
            "log_ratio": "effect at latitude 33", "slope": "change with latitude", "tau": "differences between settings",
            "young": "risk of the young", "cost": "cost of a vaccination", "worth": "worth of a case averted"},
    beside=("vaccinated", "risk_ratio_here"),
    reference=("half of all cases", "naive_cases"),
    headline="most",
    net_benefit="net_benefit",
    structures={"no latitude": "no latitude", "common effect": "common effect"},
    levers=(Lever(name="log_ratio", low=-1.5, high=0.5, label="effect at latitude 33", unit="log ratio"),
            Lever(name="cost", low=0.5, high=40, label="cost of a vaccination", unit="USD/person")),
    marginals=marginals,
)

if __name__ == "__main__":
    bayes.main(question)
