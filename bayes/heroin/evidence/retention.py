"""``retention.csv``: how many stay in treatment."""

from __future__ import annotations

from dataclasses import dataclass

from bayes.evidence import Row, Table
from bayes.records import POSITIVE, count, number

__all__ = ["RETENTION", "RetentionRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRow(Row):
    """How many of those who entered were still in treatment after ``years``."""

    study: str
    years: float | None = number(POSITIVE, needed=True)
    retained: float | None = count(needed=True, part_of="entered")
    entered: float | None = count(needed=True)


RETENTION = Table(row=RetentionRow, least=2)
