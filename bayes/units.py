"""Units a number may carry, and what each permits.

A number never travels without its unit. A question whose list of units is closed has a misspelt unit and a quantile
outside a unit's support found when its files are read; elsewhere a unit is free text, and this list helps with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bayes.errors import closest

__all__ = ["UNITS", "Unit", "listed", "near_unit", "unit_of"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement and the values it can take.

    Parameters
    ----------
    name
        As written in files and tables, for example ``"cases/person-year"``.
    lower, upper
        Closed ends of the support.
    meaning
        One line for people.

    Examples
    --------
    >>> UNITS["share"].admits(1.2)
    False
    """

    name: str
    lower: float
    upper: float
    meaning: str

    def admits(self, value: float) -> bool:
        """Say whether ``value`` can be measured in this unit."""
        return self.lower <= value <= self.upper

    @property
    def support(self) -> str:
        """The support in words, for error messages."""
        if self.lower == -math.inf and self.upper == math.inf:
            return "any real number"
        if self.upper == math.inf:
            return f"{self.lower:g} or more"
        return f"{self.lower:g} to {self.upper:g}"


_INF = math.inf


def listed(*units: Unit) -> dict[str, Unit]:
    """Return units by name."""
    return {unit.name: unit for unit in units}


UNITS: Mapping[str, Unit] = listed(
    Unit("log ratio", -_INF, _INF, "natural logarithm of a ratio of rates"),
    Unit("log sd", 0, _INF, "standard deviation on the log scale"),
    Unit("logit", -_INF, _INF, "log odds of a share"),
    Unit("logit sd", 0, _INF, "standard deviation on the logit scale"),
    Unit("share", 0, 1, "a part of a whole"),
    Unit("shape", 0, _INF, "shape of a gamma or Weibull distribution"),
    Unit("persons", 0, _INF, "people"),
    Unit("person-years", 0, _INF, "years, summed over people"),
    Unit("years", 0, _INF, "years"),
    Unit("GBP", -_INF, _INF, "pounds sterling"),
    Unit("GBP/person-year", -_INF, _INF, "pounds sterling per person and year"),
    Unit("ratio", 0, _INF, "a ratio of two like quantities"),
    Unit("probability", 0, 1, "a probability"),
    Unit("number", -_INF, _INF, "a plain number"),
)
"""Units of any question; one with a closed list adds its own."""


def unit_of(name: str | Unit, units: Mapping[str, Unit] = UNITS) -> Unit:
    """Return a unit by name; one that is not listed takes any number.

    >>> unit_of("share").support, unit_of("burglaries/week").support
    ('0 to 1', 'any real number')
    """
    return name if isinstance(name, Unit) else units.get(name) or Unit(name, -_INF, _INF, "")


def near_unit(name: str, units: Mapping[str, Unit] = UNITS) -> str | None:
    """Suggest the listed unit that a name is nearly, if it is none itself.

    >>> near_unit("log ratios"), near_unit("share"), near_unit("burglaries/week")
    ("did you mean 'log ratio'?", None, None)
    """
    return None if name in units else closest(name, units, 0.8)
