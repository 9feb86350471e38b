"""What a projection holds: its quantities, their units, and where they have no value."""

from __future__ import annotations

from bayes.heroin.projection.tail import LIGHT, TAILED
from bayes.heroin.quantities import UNDEFINED, UNIT_OF

__all__ = ["UNDEFINED", "UNIT_OF", "attributes"]


def attributes(name: str, tail_shape: float | None = None) -> dict[str, str | float]:
    """Return the attributes of a projected quantity: its unit, where it is undefined, its tail where that is known."""
    found: dict[str, str | float] = {"unit": UNIT_OF[name]}
    if name in UNDEFINED:
        found["undefined"] = UNDEFINED[name]
    if name in TAILED | LIGHT and tail_shape is not None:
        found["tail_shape"] = tail_shape if name in TAILED else 0.0
    return found
