"""The closed list of units a number may carry, and what each unit permits.

A number never travels without its unit. The list is closed so that a misspelt unit is an
error and so that a quantile outside the unit's support is found when the file is read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["UNITS", "Unit"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement and the values it can take.

    Parameters
    ----------
    name
        As written in files and tables, for example ``"offences/person-year"``.
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
UNITS: dict[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit("offences/person-year", 0, _INF, "self-reported offences of one person in one year"),
        Unit("offences/year", 0, _INF, "self-reported offences of a group in one year"),
        Unit("offences", -_INF, _INF, "self-reported offences"),
        Unit("victim-counted crimes", -_INF, _INF, "crimes as victim surveys count them"),
        Unit("crimes/year", 0, _INF, "victim-counted crimes of a country in one year"),
        Unit("log ratio", -_INF, _INF, "natural logarithm of a ratio of rates"),
        Unit("log sd", 0, _INF, "standard deviation on the log scale"),
        Unit("logit", -_INF, _INF, "log odds of a share"),
        Unit("logit sd", 0, _INF, "standard deviation on the logit scale"),
        Unit("share", 0, 1, "a part of a whole"),
        Unit("shape", 0, _INF, "shape of a gamma or Weibull distribution"),
        Unit("persons", 0, _INF, "people"),
        Unit("persons/place-year", 0, _INF, "people entering treatment per place and year"),
        Unit("person-years", 0, _INF, "years in treatment, summed over people"),
        Unit("places", 0, _INF, "treatment places"),
        Unit("places/1,000 offences", -_INF, _INF, "places needed to avoid 1,000 offences a year"),
        Unit("years", 0, _INF, "years"),
        Unit("GBP/person-year", -_INF, _INF, "pounds sterling per person and year"),
        Unit("GBP/offence", -_INF, _INF, "pounds sterling per self-reported offence"),
        Unit("GBP", -_INF, _INF, "pounds sterling"),
        Unit("ratio", 0, _INF, "a ratio of two like quantities"),
        Unit("probability", 0, 1, "a probability"),
        Unit("number", -_INF, _INF, "a plain number"),
    )
}
