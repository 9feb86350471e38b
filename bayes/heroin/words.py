"""What is said of the shipped question: title, units, labels and sentences, as :class:`bayes.words.Words`."""

from __future__ import annotations

from collections.abc import Mapping

from bayes.heroin.quantities import DERIVED, INPUTS, NAMES, QUANTITIES, SCALES, UNDEFINED, UNIT_OF
from bayes.words import Words

__all__ = ["WORDS", "named"]

SENTENCES: Mapping[str, str] = {
    "given": "given that more patients come than are treated today",
    "zero": "exactly nothing is avoided where no more patients come than are treated today",
    "outcomes": "Offences are self-reported; victim-counted crimes are those a crime survey would count.",
    "reference": "Press sum: places × offences × reduction, as in the newspaper; it is for comparison only.",
    "heading.patient_years": "Patient-years a year",
    "heading.offences_avoided": "Offences avoided a year",
    "total.offences_avoided": "Offences avoided in all years",
    "heading.victim_crimes_avoided": "Victim-counted crimes a year",
    "heading.press_arithmetic": "Press sum a year",
}
"""Sentences of tables, terminal and report, by place."""

WORDS = Words(
    target="offences_avoided",
    title="Crimes avoided by prescribed heroin",
    population="people in England who use heroin or another opiate",
    period="the years of the horizon, from the start of the build-up",
    units={**QUANTITIES, **DERIVED, **{f"{name}_fitted": scale for name, scale in SCALES.items()}, **SCALES, **UNIT_OF},
    labels={**NAMES, "offences": "self-reported offences", "trials": "trial", "prepost": "before to after"},
    beside=("victim_crimes_avoided",),
    size="patient_years",
    reference=("press sum", "press_arithmetic"),
    cost="programme_cost",
    net_benefit="net_benefit",
    totals=("patient_years", "offences_avoided", "victim_crimes_avoided", "entrants", "programme_cost", "net_benefit",
            "press_arithmetic"),
    ratios={"offences_avoided_per_patient_year": ("offences_avoided", "patient_years"),
            "cost_per_offence_avoided": ("programme_cost", "offences_avoided")},
    sentences=SENTENCES,
    undefined=UNDEFINED,
    inputs=INPUTS,
    shown=("offences_per_user_year", "mu_theta", "rate_ratio", "fidelity", "drift", "coverage_new", "eligible_share",
           "shape_year", "targeting_strength", "offset_all_users", "tau_theta", "mu_gamma", "tau_gamma", "mu_coverage"),
)  # fmt: skip
"""What is said of the shipped question, whatever its study."""


def named(name: str) -> str:
    """Write the name of a variable in words; of ``"variable: alternative"`` the variable's part is.

    >>> named("mu_theta"), named("mu_theta: sceptical"), named("all_sceptical")
    ('mean effect of prescribed heroin', 'mean effect of prescribed heroin: sceptical', 'all sceptical')
    """
    first, colon, rest = name.partition(": ")
    return NAMES.get(first, first.replace("_", " ")) + colon + rest.replace("_", " ")
