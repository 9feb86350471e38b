"""What parameters and inputs are called in print: one name each, in text, tables and figures."""

from __future__ import annotations

from collections.abc import Mapping

from bayes.heroin.projection.inputs import INPUTS

__all__ = ["ANSWERS", "COST", "NAMES", "TITLES", "named"]

ANSWERS = ("offences_avoided", "victim_crimes_avoided")
"""The quantities a projection is about, in order: in both units."""
COST = "programme_cost"

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


def named(name: str) -> str:
    """Write the name of a variable in words; of ``"variable: alternative"`` the variable's part is.

    >>> named("mu_theta"), named("mu_theta: sceptical"), named("all_sceptical")
    ('mean effect of prescribed heroin', 'mean effect of prescribed heroin: sceptical', 'all sceptical')
    """
    first, colon, rest = name.partition(": ")
    return NAMES.get(first, first.replace("_", " ")) + colon + rest.replace("_", " ")
