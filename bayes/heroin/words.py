"""What is said of the shipped question: title, units, labels and sentences, as :class:`bayes.words.Words`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from bayes.heroin.quantities import DERIVED, INPUTS, NAMES, QUANTITIES, SCALES, UNDEFINED, UNIT_OF
from bayes.words import Words, spaced, study_words

if TYPE_CHECKING:
    from bayes.study import Study

__all__ = ["WORDS", "named", "words_of_study"]


def _sentences() -> Mapping[str, str]:
    """Sentences of tables, terminal and report, by place; the lines of a list are those of a text."""
    home = files("bayes.heroin")
    told = tomllib.loads(home.joinpath("sentences.toml").read_text("utf-8"))
    found = {place: "\n".join(text) if isinstance(text, list) else str(text) for place, text in told.items()}
    return {**found, "mathematics": home.joinpath("README.md").read_text("utf-8")}


_KINDS_OF_ROW = {
    "judgements": "rows whose value or standard error is our judgement",
    "press_figures": "rows read in the press or on news sites",
    "unverified": "rows that nobody has verified",
}

WORDS = Words(
    target="offences_avoided",
    title="Crimes avoided by prescribed heroin",
    population="people who depend on heroin or another opiate",
    period="the years after a build-up begins",
    units={**QUANTITIES, **DERIVED, **{f"{name}_fitted": scale for name, scale in SCALES.items()}, **SCALES, **UNIT_OF,
           "press_reduction": "share"},
    labels={**NAMES, **_KINDS_OF_ROW, "offences": "self-reported offences", "trials": "trial",
            "prepost": "before to after"},
    beside=("victim_crimes_avoided",),
    size="patient_years",
    reference=("press sum", "press_arithmetic"),
    cost="programme_cost",
    net_benefit="net_benefit",
    totals=("patient_years", "offences_avoided", "victim_crimes_avoided", "entrants", "programme_cost", "net_benefit",
            "press_arithmetic"),
    ratios={"offences_avoided_per_patient_year": ("offences_avoided", "patient_years"),
            "cost_per_offence_avoided": ("programme_cost", "offences_avoided")},
    sentences=_sentences(),
    undefined=UNDEFINED,
    inputs=INPUTS,
    shown=("offences_per_user_year", "mu_theta", "rate_ratio", "fidelity", "drift", "coverage_new", "eligible_share",
           "shape_year", "targeting_strength", "offset_all_users", "tau_theta", "mu_gamma", "tau_gamma", "mu_coverage"),
)  # fmt: skip
"""What is said of the shipped question, whatever its study."""


def words_of_study(study: Study, words: Words = WORDS) -> Words:
    """Return words with the scenarios of a study; those that are silent on where and when have its country and time."""
    where, when = getattr(study.settings, "country", ""), getattr(study.settings, "period", "")
    if where and words.population == WORDS.population:
        words = replace(words, population=f"people in {where} who depend on heroin or another opiate")
    if when and words.period == WORDS.period:
        words = replace(words, period=f"{WORDS.period}, as things stood in {when}")
    return study_words(words, study)


def named(name: str) -> str:
    """Write the name of a variable in words; of ``"variable: alternative"`` the variable's part is.

    >>> named("mu_theta"), named("mu_theta: sceptical"), named("all_sceptical")
    ('mean effect of prescribed heroin', 'mean effect of prescribed heroin: sceptical', 'all sceptical')
    """
    first, colon, rest = name.partition(": ")
    return NAMES.get(first, spaced(first)) + colon + spaced(rest)
