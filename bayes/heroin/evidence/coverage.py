"""``coverage.csv``: what share of opioid-maintenance clients is on prescribed heroin, by country."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayes.evidence import Row, Table
from bayes.records import count

__all__ = ["COVERAGE", "CoverageRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow(Row):
    """How many of a country's opioid-maintenance clients are on prescribed heroin."""

    country: str
    patients: float | None = count(needed=True, part_of="clients")
    clients: float | None = count(needed=True)


def _once(row: CoverageRow) -> Mapping[str, str]:
    return {"coverage of a country": row.country}


COVERAGE = Table(row=CoverageRow, least=2, once=_once)
