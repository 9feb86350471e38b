r"""``retention.csv``: how many stay in treatment.

Time in treatment is Weibull, :math:`S(t) = \exp(-(t/\lambda)^\kappa)`, and the follow-up counts are binomial; the mean
stay is :math:`\lambda\, \Gamma(1 + 1/\kappa)` years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayes.evidence import Row
from bayes.heroin.evidence.table import Evidence, added, counts
from bayes.records import POSITIVE, count, number

if TYPE_CHECKING:
    from bayes.declared import Declared, Part
    from bayes.heroin.laws import Floats, Law
    from bayes.heroin.model.structure import Structure
    from bayes.study import Study

__all__ = ["RETENTION", "RetentionRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRow(Row):
    """How many of those who entered were still in treatment after ``years``."""

    study: str
    years: float | None = number(POSITIVE, needed=True)
    retained: float | None = count(needed=True, part_of="entered")
    entered: float | None = count(needed=True)


def _part(study: Study, structure: Structure) -> Part:
    """People retained of those who entered, after some years."""
    import numpy as np

    from bayes.declared import Part

    rows = study.rows("retention")
    data = counts(rows, "retention", ("retained", "entered"))
    data["retention__years"] = np.array([row.years for row in rows], dtype=float)
    return Part(data, {"retention_row": [row.row for row in rows]}, {"rows": len(rows)})


def _add(study: Study, structure: Structure, declared: Declared) -> None:
    """Add Weibull time in treatment with binomial follow-up, and ``mean_stay`` in years."""
    import pymc as pm
    import pytensor.tensor as pt

    scale, shape = declared["retention_scale"], declared["retention_shape"]
    data = added(_part(study, structure), "retention_row")
    entered, survival = data["entered"], pt.exp(-((data["years"] / scale) ** shape))
    pm.Deterministic("retention_fitted", entered * survival, dims="retention_row")
    pm.Binomial("retention", n=entered, p=survival, observed=data["observed"], dims="retention_row")
    pm.Deterministic("mean_stay", scale * pt.gamma(1 + 1 / shape))


def _law(row: Any, draws: Mapping[str, Floats]) -> Law:
    import numpy as np

    from bayes.heroin.laws import binomial

    hazard = (row.years / draws["retention_scale"]) ** draws["retention_shape"]
    return binomial(row.retained, row.entered, -hazard - np.log(-np.expm1(-hazard)))


RETENTION = Evidence(row=RetentionRow, least=2, informs="retention_scale", part=_part, add=_add, law=_law,
                     place=3)  # fmt: skip
