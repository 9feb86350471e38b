r"""``ceiling.csv``: ranges for national totals of crime, which tell how many of them an offence amounts to.

National totals bound what users can commit: with :math:`C` the drug-related victim-counted crimes of a year,

.. math::
    \log C \sim N\big(\log(s \cdot m \cdot e^{o_{all}} \cdot N),\ \sigma_C\big),

:math:`s` ``countable_share``, :math:`m\, e^{o_{all}}` the mean self-reported offences of *all* users and :math:`N`
``population``. :math:`\log C` and :math:`\sigma_C` come from the published range, read as an interval of stated
probability. The mean of all users, not of arrestees or refractory patients, multiplies the population: using 432 there
is the error the totals expose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING

from bayes.errors import EvidenceError
from bayes.evidence import Row, unfit
from bayes.heroin.evidence.table import Evidence
from bayes.records import number, text, word

if TYPE_CHECKING:
    from bayes.declared import Declared, Part
    from bayes.heroin.model.structure import Structure
    from bayes.study import Study

__all__ = ["CEILING", "CeilingRow", "range_to_normal"]

_TOTAL = "drug_related_victim_crimes"


@dataclass(frozen=True, slots=True, kw_only=True)
class CeilingRow(Row):
    """A range for a total of crimes a year: ``lower`` to ``upper`` holds probability ``prob``."""

    quantity: str = word(_TOTAL, "victim_crimes", "drug_related_share", "england_share")
    lower: float | None = number(0, needed=True)
    upper: float | None = number(0, needed=True)
    prob: float | None = number(0.01, 0.999, needed=True)
    country: str = text(default="")

    @property
    def group(self) -> str:
        """The row itself: its country is that of the whole study."""
        return self.row


def _check(row: CeilingRow, path: Path) -> None:
    """Check that a national total is a range above zero, of the total that the model computes."""
    if not 0 < (row.lower or 0) < (row.upper or 0):
        raise unfit(row, path, "lower", "a range has a lower and a higher end above zero",
                    f"greater than 0 and less than upper, {row.upper:g}", "correct the ends")  # fmt: skip
    if row.quantity != _TOTAL:
        raise EvidenceError("only the drug-related total can enter the likelihood", file=path, table=row.row,
                            key="use", found=f"likelihood, with quantity {row.quantity}",
                            allowed=f"quantity {_TOTAL}", fix="set use = provenance")  # fmt: skip


def _part(study: Study, structure: Structure) -> Part | None:
    """National totals as normals on the log scale."""
    import numpy as np

    from bayes.declared import Part

    rows = study.rows("ceiling") if structure.ceiling else []
    if not rows:
        return None
    numbers = np.array([range_to_normal(row.lower or 0, row.upper or 0, row.prob or 0) for row in rows])
    data = {"ceiling__observed": numbers[:, 0], "ceiling__se": numbers[:, 1]}
    return Part(data, {"ceiling_row": [row.row for row in rows]}, {"rows": len(rows)})


def range_to_normal(lower: float, upper: float, prob: float) -> tuple[float, float]:
    """Return mean and sd of the log of a quantity whose central ``prob`` interval is lower to upper.

    >>> mean, sd = range_to_normal(3e6, 9e6, 0.9)
    >>> round(math.exp(mean) / 1e6, 2), round(sd, 3)
    (5.2, 0.334)
    """
    z = NormalDist().inv_cdf((1 + prob) / 2)
    return (math.log(lower) + math.log(upper)) / 2, (math.log(upper) - math.log(lower)) / (2 * z)


def _add(study: Study, structure: Structure, declared: Declared) -> None:
    """Add ``countable_share`` and, when the ceiling is on, the national totals that inform it."""
    import pymc as pm
    import pytensor.tensor as pt

    share, population = declared["countable_share"], declared["population"]
    model, part = pm.modelcontext(None), _part(study, structure)
    if part is None:
        return
    model.add_coord("ceiling_row", part.coords["ceiling_row"])
    per_user = declared["offences_per_user_year"] * pt.exp(model["offset"][3])
    expected = pt.log(share) + pt.log(per_user) + pt.log(population) + pt.zeros(part.layout["rows"])
    pm.Deterministic("ceiling_fitted", expected, dims="ceiling_row")
    observed, sd = (pm.Data(name, value, dims="ceiling_row") for name, value in part.data.items())
    pm.Normal("ceiling", expected, sd, observed=observed, dims="ceiling_row")


CEILING = Evidence(row=CeilingRow, check=_check, informs="offences_per_user_year", part=_part, add=_add, place=4)
