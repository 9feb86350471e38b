"""What a projection holds: its quantities, their units, and where they have no value."""

from __future__ import annotations

from collections.abc import Mapping

from bayes.heroin.projection.tail import LIGHT, TAILED

__all__ = ["UNDEFINED", "UNIT_OF", "attributes"]

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


def attributes(name: str, tail_shape: float | None = None) -> dict[str, str | float]:
    """Return the attributes of a projected quantity: its unit, where it is undefined, its tail where that is known."""
    found: dict[str, str | float] = {"unit": UNIT_OF[name]}
    if name in UNDEFINED:
        found["undefined"] = UNDEFINED[name]
    if name in TAILED | LIGHT and tail_shape is not None:
        found["tail_shape"] = tail_shape if name in TAILED else 0.0
    return found
