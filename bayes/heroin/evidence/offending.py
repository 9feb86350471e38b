"""``offending.csv``: how often people offend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from bayes.evidence import Row, Table, check_needed, check_part, check_somebody, unfit
from bayes.records import POSITIVE, count, number, word

__all__ = ["MEASURES", "OFFENDING", "POPULATIONS", "OffendingRow"]

POPULATIONS = ("refractory", "entrants", "arrestees", "all_users")
"""Whom a study is about; the others by what they differ from the first."""

MEASURES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "total": ("persons", "days", "value"),
    "any": ("persons", "days", "value"),
    "log_mean": ("value", "se"),
    "log_odds_any": ("value", "se", "days"),
})  # fmt: skip
"""How a row enters, with the numbers that it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffendingRow(Row):
    """A study of how often people offend.

    ``measure`` says how the row enters: ``total`` (offences of ``persons`` people in ``days`` days, a
    negative-binomial total), ``any`` (how many of ``persons`` offended at all in ``days`` days, binomial),
    ``log_mean`` (mean a year ``value`` with standard error ``se`` on the log scale), ``log_odds_any``
    (share ``value`` with any offence, standard error ``se`` of its log odds).
    """

    study: str
    population: str = word(*POPULATIONS)
    measure: str = word(*MEASURES)
    persons: float | None = count()
    days: float | None = number(POSITIVE)
    value: float | None = number(0)
    se: float | None = number(POSITIVE)


def _check(row: OffendingRow, path: Path) -> None:
    """The numbers of its measure and no others, counts that are counts, and means and shares that have a logarithm."""
    for key in MEASURES[row.measure]:
        check_needed(row, path, key)
    for key in ("persons", "days", "se"):
        if key not in MEASURES[row.measure] and getattr(row, key) is not None:
            raise unfit(row, path, key, f"a row of measure {row.measure} does not use this number", "an empty cell",
                        "empty the cell, or choose another measure")  # fmt: skip
    value = row.value or 0.0
    if row.measure in ("total", "any") and value % 1:
        raise unfit(row, path, "value", "a count is a whole number", "0, 1, 2, …", "correct the count")
    if row.measure == "total":
        check_somebody(row, path, "persons")
    if row.measure == "any":
        check_part(row, path, "value", "persons")
    if row.measure == "log_mean" and not value > 0:
        raise unfit(row, path, "value", "a mean of zero has no logarithm", "greater than 0", "correct it")
    if row.measure == "log_odds_any" and not 0 < value < 1:
        raise unfit(row, path, "value", "a share lies between 0 and 1", "greater than 0 and less than 1",
                    "write 81 % as 0.81")  # fmt: skip


OFFENDING = Table(row=OffendingRow, least=1, check=_check)
