"""The quantities of the shipped question: one line each, with unit, words, role, and who uses it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bayes.units import UNITS as GENERAL
from bayes.units import Unit, listed

__all__ = ["ALL", "BIASES", "DERIVED", "DRIVERS", "FORWARD", "INPUTS", "NAMES", "QUANTITIES",
           "SCALES", "SWITCHED", "UNDEFINED", "UNITS", "UNIT_OF", "Quantity"]  # fmt: skip

_INF = math.inf
UNITS: Mapping[str, Unit] = MappingProxyType({**listed(
    Unit("offences/person-year", 0, _INF, "self-reported offences of one person in one year"),
    Unit("offences/year", 0, _INF, "self-reported offences of a group in one year"),
    Unit("offences", -_INF, _INF, "self-reported offences"),
    Unit("victim-counted crimes", -_INF, _INF, "crimes as victim surveys count them"),
    Unit("crimes/year", 0, _INF, "victim-counted crimes of a country in one year"),
    Unit("persons/place-year", 0, _INF, "people entering treatment per place and year"),
    Unit("places", 0, _INF, "treatment places"),
    Unit("places/1,000 offences", -_INF, _INF, "places needed to avoid 1,000 offences a year"),
    Unit("GBP/offence", -_INF, _INF, "pounds sterling per self-reported offence"),
), **GENERAL})  # fmt: skip
"""The closed list of units of this question."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity of the question.

    Parameters
    ----------
    name, unit
        Its variable, and what it is measured in.
    words
        What it is called within a sentence; its name where empty.
    role
        ``prior`` (declared in the study), ``derived`` by the model, ``observed`` (the scale of rows of evidence), or
        ``outcome`` of a projection.
    when
        The part of the model that needs a prior: one that a structure can leave out (``effects``, ``drift``,
        ``biases``, …: switches of :class:`~bayes.heroin.model.structure.Structure`), or ``forward``, where no evidence
        informs it and it is drawn from its prior.
    undefined
        Where an outcome has no value (NaN).
    """

    name: str
    unit: str
    words: str = ""
    role: str = "prior"
    when: str = ""
    undefined: str = ""


_Q = Quantity
ALL: tuple[Quantity, ...] = (
    _Q("offences_per_user_year", "offences/person-year", "offences per person"),
    _Q("offset_entrants", "log ratio", "offending of people who enter"),
    _Q("offset_arrestees", "log ratio", "offending of arrestees"),
    _Q("offset_all_users", "log ratio", "offending of users in general"),
    _Q("sigma_study", "log sd", "spread between studies of offending"),
    _Q("shape_month", "shape", "spread between people in one month"),
    _Q("shape_year", "shape", "spread between people"),
    _Q("mu_theta", "log ratio", "mean effect of prescribed heroin"),
    _Q("tau_theta", "log sd", "spread of the effect between settings", when="effects"),
    _Q("mu_gamma", "log ratio", "mean change that comparators show", when="drift"),
    _Q("tau_gamma", "log sd", "spread of comparators' change between settings", when="drift"),
    _Q("bias_prevalence", "log ratio", "bias of prevalence outcomes", when="biases"),
    _Q("bias_composite", "log ratio", "bias of composite outcomes", when="biases"),
    _Q("bias_odds", "log ratio", "bias of odds in contrasts", when="biases"),
    _Q("bias_completers", "log ratio", "bias of completers' outcomes", when="biases"),
    _Q("bias_untreated", "log ratio", "bias of untreated comparators", when="biases"),
    _Q("bias_change_prevalence", "log ratio", "bias of prevalence in changes", when="biases"),
    _Q("bias_change_odds", "log ratio", "bias of odds in changes", when="biases"),
    _Q("slope_small_studies", "log ratio", "small-study slope of contrasts", when="small_studies"),
    _Q("fidelity", "share", "share of the effect kept at scale"),
    _Q("mu_coverage", "logit", "mean coverage of other countries"),
    _Q("tau_coverage", "logit sd", "spread of coverage between countries"),
    _Q("retention_scale", "years", "scale of time in treatment"),
    _Q("retention_shape", "shape", "shape of time in treatment"),
    _Q("sigma_retention", "log sd", "spread of the rate of leaving between settings", when="retention_varies"),
    _Q("countable_share", "share", "crimes a victim survey counts, per offence"),
    _Q("population", "persons", "opiate or crack users"),
    _Q("opioid_clients", "persons", "opioid clients", when="forward"),
    _Q("occupancy", "share", "occupancy", when="forward"),
    _Q("current_patients", "persons", "present patients", when="forward"),
    _Q("eligible_share", "share", "eligible share", when="forward"),
    _Q("opiate_users", "persons", "opiate users", when="forward"),
    _Q("programme_cost", "GBP/person-year", "cost of a patient-year", when="forward"),
    _Q("cost_per_offence", "GBP/offence", "cost of an offence", when="forward"),
    _Q("targeting_strength", "share", "targeting", when="targeting"),
    _Q("supply_limited", "share", "share of countries where places were the limit", when="unmet_demand"),
    _Q("unmet_demand", "logit", "demand beyond what places allowed", when="unmet_demand"),
    _Q("yearly_decline", "log ratio", "decline of offending a year without the programme", when="decline"),
    _Q("untreated_share", "share", "entrants who come from no treatment", when="untreated_entrants"),
    _Q("persistent_spread", "ratio", "persistent differences relative to those of a year", when="persistence"),
    # what the model derives from them
    _Q("log_study_mean", "log offences/person-year", "mean offending in each study", role="derived"),
    _Q("study_mean", "offences/person-year", role="derived"),
    _Q("offset", "log ratio", "offending of each group of people", role="derived"),
    _Q("effect", "log ratio", role="derived"),
    _Q("effect_gamma", "log ratio", role="derived"),
    _Q("effect_weight", "relative variance", role="derived"),
    _Q("theta_new", "log ratio", "effect in a new setting", role="derived"),
    _Q("gamma_new", "log ratio", "comparators' change in a new setting", role="derived"),
    _Q("rate_ratio", "ratio", "effect in a new programme", role="derived"),
    _Q("drift", "ratio", "change that comparators show too", role="derived"),
    _Q("logit_coverage", "logit", "coverage of each country", role="derived"),
    _Q("logit_coverage_new", "logit", "coverage of a new country", role="derived"),
    _Q("coverage", "share", role="derived"),
    _Q("coverage_new", "share", "demand (coverage)", role="derived"),
    _Q("mean_stay", "years", role="derived"),
    _Q("log_retention_scale", "log years", "log scale of time in treatment", role="derived"),
    _Q("retention_setting", "log ratio", "retention in each setting", role="derived"),
    _Q("log_retention_scale_new", "log years", "retention in a new setting", role="derived"),
    _Q("supply_limits", "probability", "places were the limit", role="derived"),
    _Q("demand_beyond_pool", "probability", role="derived"),
    # the scale of the observed values of each table of evidence, and of what is fitted to them
    _Q("offending_total", "offences", "published totals of offences", role="observed"),
    _Q("offending_any", "persons", "published counts of offenders", role="observed"),
    _Q("offending_log_mean", "log offences/person-year", "published mean offending", role="observed"),
    _Q("offending_log_odds_any", "log odds", "published odds of offending", role="observed"),
    _Q("log_ratio", "log ratio", "published effects", role="observed"),
    _Q("coverage_patients", "persons", "published counts of patients", role="observed"),
    _Q("retention", "persons", role="observed"),
    _Q("ceiling", "log crimes/year", role="observed"),
    # what a projection holds
    _Q("patient_years", "person-years", "patient-years", role="outcome"),
    _Q("offences_avoided", "offences", "offences avoided", role="outcome"),
    _Q("victim_crimes_avoided", "victim-counted crimes", "victim-counted crimes avoided", role="outcome"),
    _Q("offences_avoided_per_patient_year", "offences/person-year", "offences a patient-year", role="outcome",
       undefined="where no patient-years are added"),
    _Q("entrants", "persons", role="outcome"),
    _Q("programme_cost", "GBP", "cost of a patient-year", role="outcome"),
    _Q("net_benefit", "GBP", role="outcome"),
    _Q("cost_per_offence_avoided", "GBP/offence", role="outcome"),
    _Q("places_per_1000_offences", "places/1,000 offences", role="outcome"),
    _Q("press_arithmetic", "offences", "press sum", role="outcome"),
    _Q("demand_binds", "probability", "demand is the limit", role="outcome"),
    _Q("harm", "probability", "more crime", role="outcome"),
)  # fmt: skip
"""Every quantity; priors in the order in which the model holds them."""

DRIVERS = ("offences_per_user_year", "drift", "rate_ratio", "coverage_new", "opioid_clients", "occupancy",
           "eligible_share", "targeting_strength", "shape_year", "offset_all_users", "current_patients",
           "opiate_users", "yearly_decline", "untreated_share", "bias_untreated", "persistent_spread")  # fmt: skip
"""Variables that decide the offences avoided, whose shares of the variance are quoted."""


def _units(role: str) -> Mapping[str, str]:
    return MappingProxyType({q.name: q.unit for q in ALL if q.role == role})


QUANTITIES, DERIVED, SCALES, UNIT_OF = (_units(role) for role in ("prior", "derived", "observed", "outcome"))
"""Units by name: of declared priors (the contract between the files and the model), of what the model derives, of the
observed values of evidence, and of outcomes."""

NAMES: Mapping[str, str] = MappingProxyType({q.name: q.words for q in ALL if q.words})
"""Words by name."""

INPUTS: Mapping[str, str] = MappingProxyType({name: NAMES[name] for name in DRIVERS})
"""Words of :data:`DRIVERS`."""

UNDEFINED: Mapping[str, str] = MappingProxyType({q.name: q.undefined for q in ALL if q.undefined})
"""Where an outcome has no value (NaN), by name."""

FORWARD = tuple(q.name for q in ALL if q.when == "forward")
"""Quantities that no evidence informs."""

SWITCHED = {q.name: q.when for q in ALL
            if q.when in ("targeting", "decline", "untreated_entrants", "persistence")}  # fmt: skip
"""Quantities that no evidence informs and a structure can leave out, with their switch."""

BIASES = tuple(q.name.removeprefix("bias_") for q in ALL if q.when == "biases")
"""Bias terms: of contrasts, and of changes from before to after (``change_…``)."""
