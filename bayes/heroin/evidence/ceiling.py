"""``ceiling.csv``: ranges for national totals of crime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bayes.errors import EvidenceError
from bayes.evidence import Row, Table, unfit
from bayes.records import number, word

__all__ = ["CEILING", "CeilingRow"]

_TOTAL = "drug_related_victim_crimes"


@dataclass(frozen=True, slots=True, kw_only=True)
class CeilingRow(Row):
    """A range for a total of crimes a year: ``lower`` to ``upper`` holds probability ``prob``."""

    quantity: str = word(_TOTAL, "victim_crimes", "drug_related_share")
    lower: float | None = number(0, needed=True)
    upper: float | None = number(0, needed=True)
    prob: float | None = number(0.01, 0.999, needed=True)


def _check(row: CeilingRow, path: Path) -> None:
    """A range above zero, of the total that the model has."""
    if not 0 < (row.lower or 0) < (row.upper or 0):
        raise unfit(row, path, "lower", "a range has a lower and a higher end above zero",
                    f"greater than 0 and less than upper, {row.upper:g}", "correct the ends")  # fmt: skip
    if row.quantity != _TOTAL:
        raise EvidenceError("only the drug-related total can enter the likelihood", file=path, table=row.row,
                            key="use", found=f"likelihood, with quantity {row.quantity}",
                            allowed=f"quantity {_TOTAL}", fix="set use = provenance")  # fmt: skip


CEILING = Table(row=CeilingRow, check=_check)
