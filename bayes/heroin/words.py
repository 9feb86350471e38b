"""What is said of the shipped question: title, units, labels and sentences, as :class:`bayes.words.Words`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bayes.heroin.quantities import QUANTITIES
from bayes.scenarios import distinct_labels
from bayes.words import Words

if TYPE_CHECKING:
    from bayes.study import Study

__all__ = ["INPUTS", "NAMES", "TITLES", "UNDEFINED", "UNIT_OF", "WORDS", "named", "words_for"]

INPUTS: Mapping[str, str] = {
    "offences_per_user_year": "offences per person",
    "drift": "change that comparators show too",
    "rate_ratio": "effect in a new programme",
    "coverage_new": "demand (coverage)",
    "opioid_clients": "opioid clients",
    "occupancy": "occupancy",
    "eligible_share": "eligible share",
    "targeting_strength": "targeting",
    "shape_year": "spread between people",
    "offset_all_users": "offending of users in general",
    "current_patients": "present patients",
    "opiate_users": "opiate users",
}
"""Variables that decide the offences avoided, with the words used for them in print."""

TITLES: Mapping[str, str] = {
    "offences_per_user_year": "Offences of an eligible person",
    "mu_theta": "Effect of prescribed heroin",
    "tau_theta": "Spread of the effect between settings",
    "fidelity": "Share of the effect kept at scale",
    "mu_gamma": "Change that comparators show too",
    "mu_coverage": "Demand: coverage of other countries",
    "targeting_strength": "Targeting of the heaviest offenders",
    "countable_share": "Crimes a victim survey counts, per offence",
    "tau_gamma": "Spread of that change between settings",
    "tau_coverage": "Spread of coverage between countries",
    "shape_year": "Evenness of offending between people",
    "offset_all_users": "Offending of users in general",
    "eligible_share": "Eligible share of opioid clients",
    "opioid_clients": "Opioid clients",
    "occupancy": "Occupancy of places",
    "current_patients": "Patients today",
    "opiate_users": "Opiate users",
    "population": "Opiate or crack users",
    "programme_cost": "Cost of a patient-year",
    "cost_per_offence": "Cost of an offence",
}
"""Short names of quantities; others go by their name in the files."""

NAMES: Mapping[str, str] = {
    **{name: f"{title[0].lower()}{title[1:]}" for name, title in TITLES.items()},
    **INPUTS,
    "mu_theta": "mean effect of prescribed heroin",
    "mu_gamma": "mean change that comparators show",
    "mu_coverage": "mean coverage of other countries",
    "tau_gamma": "spread of comparators' change between settings",
    "sigma_study": "spread between studies of offending",
    "shape_month": "spread between people in one month",
    "offset_entrants": "offending of people who enter",
    "offset_arrestees": "offending of arrestees",
    "theta_new": "effect in a new setting",
    "gamma_new": "comparators' change in a new setting",
    "logit_coverage_new": "coverage of a new country",
    "bias_untreated": "bias of untreated comparators",
    "bias_prevalence": "bias of prevalence outcomes",
    "bias_composite": "bias of composite outcomes",
    "bias_completers": "bias of completers' outcomes",
    "bias_change_odds": "bias of odds in changes",
    "bias_change_prevalence": "bias of prevalence in changes",
}
"""Names by variable: those of the projection, those of the what-if, and means told from what is drawn around them."""


UNIT_OF: Mapping[str, str] = {
    "patient_years": "person-years",
    "offences_avoided": "offences",
    "victim_crimes_avoided": "victim-counted crimes",
    "offences_avoided_per_patient_year": "offences/person-year",
    "entrants": "persons",
    "programme_cost": "GBP",
    "net_benefit": "GBP",
    "cost_per_offence_avoided": "GBP/offence",
    "places_per_1000_offences": "places/1,000 offences",
    "press_arithmetic": "offences",
    "demand_binds": "probability",
    "harm": "probability",
}
"""Unit of each projected quantity."""

UNDEFINED: Mapping[str, str] = {"offences_avoided_per_patient_year": "where no patient-years are added"}
"""Where a quantity has no value (NaN), by name."""


DERIVED: Mapping[str, str] = {
    "log_study_mean": "log offences/person-year", "study_mean": "offences/person-year", "offset": "log ratio",
    "effect": "log ratio", "effect_gamma": "log ratio", "effect_weight": "relative variance", "theta_new": "log ratio",
    "gamma_new": "log ratio", "rate_ratio": "ratio", "drift": "ratio", "logit_coverage": "logit",
    "logit_coverage_new": "logit", "coverage": "share", "coverage_new": "share", "mean_stay": "years",
}  # fmt: skip
"""Units of what the model derives from them."""

SCALES: Mapping[str, str] = {
    "offending_total": "offences", "offending_any": "persons", "offending_log_mean": "log offences/person-year",
    "offending_log_odds_any": "log odds", "log_ratio": "log ratio", "coverage_patients": "persons",
    "retention": "persons", "ceiling": "log crimes/year",
}  # fmt: skip
"""Scale of the observed values of a table of evidence, by observed variable."""


SENTENCES: Mapping[str, str] = {
    "given": "given that more patients come than are treated today",
}
"""Sentences of tables, terminal and report, by place."""

WORDS = Words(
    target="offences_avoided",
    title="Crimes avoided by prescribed heroin",
    population="people in England who use heroin or another opiate",
    period="the years of the horizon, from the start of the build-up",
    units={**QUANTITIES, **DERIVED, **{f"{name}_fitted": scale for name, scale in SCALES.items()}, **SCALES, **UNIT_OF},
    labels={
        **NAMES,
        "offences_avoided": "offences avoided",
        "victim_crimes_avoided": "victim-counted crimes avoided",
        "patient_years": "patient-years",
        "offences_avoided_per_patient_year": "offences a patient-year",
        "demand_binds": "demand is the limit",
        "harm": "more crime",
        "press_arithmetic": "press sum",
    },
    beside=("victim_crimes_avoided",),
    size="patient_years",
    reference=("press sum", "press_arithmetic"),
    cost="programme_cost",
    net_benefit="net_benefit",
    ratios={"offences_avoided_per_patient_year": ("offences_avoided", "patient_years"),
            "cost_per_offence_avoided": ("programme_cost", "offences_avoided")},
    sentences=SENTENCES,
    undefined=UNDEFINED,
    inputs=INPUTS,
    shown=("offences_per_user_year", "mu_theta", "rate_ratio", "fidelity", "drift", "coverage_new", "eligible_share",
           "shape_year", "targeting_strength", "offset_all_users", "tau_theta", "mu_gamma", "tau_gamma", "mu_coverage"),
)  # fmt: skip
"""What is said of the shipped question, whatever its study."""


def words_for(study: Study) -> Words:
    """Return what is said of the shipped question with the scenarios of a study."""
    labels = distinct_labels({name: scenario.label for name, scenario in study.scenarios.items()})
    stress = tuple(name for name, scenario in study.scenarios.items() if scenario.stress)
    return replace(WORDS, labels={**WORDS.labels, **labels}, headline=study.settings.headline, stress=stress)


def named(name: str) -> str:
    """Write the name of a variable in words; of ``"variable: alternative"`` the variable's part is.

    >>> named("mu_theta"), named("mu_theta: sceptical"), named("all_sceptical")
    ('mean effect of prescribed heroin', 'mean effect of prescribed heroin: sceptical', 'all sceptical')
    """
    first, colon, rest = name.partition(": ")
    return NAMES.get(first, first.replace("_", " ")) + colon + rest.replace("_", " ")
