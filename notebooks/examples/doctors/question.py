"""How many coronary deaths would 100,000 men who smoke avoid by stopping?

Evidence: ten years of British doctors (Doll and Hill 1966, as tabulated by Breslow 1985): deaths and person-years by age,
smokers and others. Deaths are Poisson with mean person-years times rate; with a = (age - 60) / 10, log rate = log(rate of
non-smokers at 60) + age_slope a + age_bend a^2, plus log_ratio + decline a for smokers. The structure "same" has one ratio
at every age (no decline). Deaths avoided a year: the excess of smokers, at the ages they have, for those who stop for
good, as far as it has faded: half of it in a half-life.
"""

from pathlib import Path

import numpy as np
import pymc as pm

import bayes
from bayes.question import Lever

YEARS = np.arange(1, 11)
MEN = 100_000


def build(study, structure="declining"):
    """The joint model: death rates by age and smoking, and what stopping would do."""
    seen = study.frame("deaths")
    smoking = seen[seen.smokers == 1]
    coords = {"row": seen.row, "age": smoking.age, "scenario": list(study.scenarios), "year": YEARS}
    with pm.Model(coords=coords) as model:
        used = {name: one for name, one in study.priors.items() if (name, structure) != ("decline", "same")}
        prior = bayes.add_priors(model, used)

        def column(name):
            return pm.Data(f"seen_{name}", seen[name].values, dims="row")

        def log_rate(age):
            a = (age - 60) / 10
            return pm.math.log(prior["rate"] / 1000) + prior["age_slope"] * a + prior["age_bend"] * a**2

        def log_ratio(age):
            return prior["log_ratio"] + (0 if structure == "same" else prior["decline"]) * (age - 60) / 10

        age, smokers, years = column("age"), column("smokers"), column("person_years")
        pm.Poisson("deaths", years * pm.math.exp(log_rate(age) + smokers * log_ratio(age)), dims="row",
                   observed=column("deaths"))

        stopping = pm.Data("stopping", [plan.stopping for plan in study.scenarios.values()], dims="scenario")
        at = smoking.age.values
        men = pm.Data("men", MEN * smoking.person_years.values / smoking.person_years.sum(), dims="age")
        ratio = pm.Deterministic("rate_ratio", pm.math.exp(log_ratio(at)), dims="age")
        excess = (men * pm.math.exp(log_rate(at)) * (ratio - 1)).sum()
        faded = 1 - pm.math.exp(-np.log(2) * (YEARS - 0.5) / prior["half_life"])
        avoided = pm.Deterministic("deaths_avoided", stopping[:, None] * prior["staying"] * excess * faded,
                                   dims=("scenario", "year"))
        expected = (men * pm.math.exp(log_rate(at)) * ratio).sum()
        pm.Deterministic("share_avoided", avoided / expected, dims=("scenario", "year"))

        whole = seen.groupby("smokers")[["deaths", "person_years"]].sum()
        crude = (whole.deaths / whole.person_years).diff().loc[1]  # smokers less others, whatever their age
        pm.Deterministic("crude_deaths", stopping[:, None] * MEN * crude * np.ones(len(YEARS)),
                         dims=("scenario", "year"))
    return model


question = bayes.Question(
    model=build,
    target="deaths_avoided",
    study="study",
    title="Coronary deaths avoided by men who stop smoking",
    population="100,000 men who smoke, aged as the smokers among British doctors",
    period="ten years from stopping, at the death rates of 1951 to 1961",
    units={"deaths_avoided": "deaths/year", "share_avoided": "share", "crude_deaths": "deaths/year",
           "rate_ratio": "ratio", "stopping": "share"},
    labels={"deaths_avoided": "deaths avoided", "share_avoided": "share of coronary deaths avoided",
            "crude_deaths": "difference of crude rates", "rate_ratio": "rate ratio", "rate": "rate of non-smokers at 60",
            "age_slope": "rise with age", "age_bend": "bend of that rise", "log_ratio": "effect of smoking at 60",
            "decline": "its change with age", "half_life": "half-life of the excess", "staying": "staying stopped"},
    beside=("share_avoided",),
    reference=("difference of crude rates", "crude_deaths"),
    headline="clinics",
    stress=("everyone",),
    structures={"one ratio at every age": "same"},
    levers=(Lever(name="log_ratio", low=-0.5, high=1.0, label="effect of smoking at 60", unit="log ratio"),
            Lever(name="staying", low=0.01, high=1.0, label="staying stopped", unit="share")),
    steps={"those who start again": ["staying"], "the excess that lingers": ["half_life"],
           "age of smokers": ["log_ratio", "decline"]},
)

if __name__ == "__main__":
    bayes.main(question)
