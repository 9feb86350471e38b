"""The quantities of the shipped question, each with its unit, and the units they are measured in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from bayes.units import UNITS as GENERAL
from bayes.units import Unit, listed

__all__ = ["QUANTITIES", "UNITS"]

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

QUANTITIES: Mapping[str, str] = MappingProxyType({
    "offences_per_user_year": "offences/person-year",
    "offset_entrants": "log ratio",
    "offset_arrestees": "log ratio",
    "offset_all_users": "log ratio",
    "sigma_study": "log sd",
    "shape_month": "shape",
    "shape_year": "shape",
    "mu_theta": "log ratio",
    "tau_theta": "log sd",
    "bias_prevalence": "log ratio",
    "bias_composite": "log ratio",
    "bias_completers": "log ratio",
    "bias_untreated": "log ratio",
    "mu_gamma": "log ratio",
    "tau_gamma": "log sd",
    "bias_change_prevalence": "log ratio",
    "bias_change_odds": "log ratio",
    "fidelity": "share",
    "mu_coverage": "logit",
    "tau_coverage": "logit sd",
    "opioid_clients": "persons",
    "occupancy": "share",
    "current_patients": "persons",
    "retention_scale": "years",
    "retention_shape": "shape",
    "eligible_share": "share",
    "targeting_strength": "share",
    "population": "persons",
    "opiate_users": "persons",
    "countable_share": "share",
    "programme_cost": "GBP/person-year",
    "cost_per_offence": "GBP/offence",
})  # fmt: skip
"""Every quantity the model needs, with its unit: the contract between the files and the model."""
