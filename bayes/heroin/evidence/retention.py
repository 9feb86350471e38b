r"""``retention.csv``: how many stay in treatment.

Time in treatment is Weibull, :math:`S(t) = \exp(-(t/\lambda_j)^\kappa)`, and the follow-up counts of setting :math:`j`
are binomial. Settings differ in the rate of leaving, by one factor at all times: the log of the hazard summed up to
one year is :math:`\eta_j = -\kappa \log \lambda_j \sim N(-\kappa \log \lambda, \sigma)`. A new programme draws its own;
the mean stay there is :math:`\lambda_{new}\, \Gamma(1 + 1/\kappa)` years. Sampled is :math:`x_j \sim N(w_j \eta,
\sigma^{w_j})` with :math:`\eta_j = \eta + \sigma^{1 - w_j} (x_j - w_j \eta)`: the same model, in the centred form where
a setting has many patients (:math:`w_j = n_j/(n_j + 100)`), in the other where few.
"""

from __future__ import annotations

from collections.abc import Sequence
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

__all__ = ["RETENTION", "RetentionRow", "retention_law"]


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
    labels: dict[str, Sequence[str]] = {"retention_row": [row.row for row in rows]}
    layout: dict[str, Any] = {"rows": len(rows)}
    if structure.retention_varies:
        labels["retention_study"] = list(dict.fromkeys(row.study for row in rows))
        layout["study"] = [labels["retention_study"].index(row.study) for row in rows]
        sizes = [sum(row.entered or 0 for row in rows if row.study == name) for name in labels["retention_study"]]
        layout["centred"] = [size / (size + 100) for size in sizes]
    return Part(data, labels, layout)


def _add(study: Study, structure: Structure, declared: Declared) -> None:
    """Add Weibull time in treatment with binomial follow-up, and ``mean_stay`` in years."""
    import numpy as np
    import pymc as pm
    import pytensor.tensor as pt

    scale, shape = declared["retention_scale"], declared["retention_shape"]
    part = _part(study, structure)
    data, of_rows, of_new = added(part, "retention_row"), scale, scale
    if structure.retention_varies:
        sigma = declared["sigma_retention"]
        w, centre = np.array(part.layout["centred"]), -shape * pt.log(scale)
        x = pm.Normal("retention_setting", w * centre, sigma**w, dims="retention_study")
        moved = centre + sigma ** (1 - w) * (x - w * centre)
        log_scale = pm.Deterministic("log_retention_scale", -moved / shape, dims="retention_study")
        of_rows = pt.exp(log_scale[np.array(part.layout["study"])])
        of_new = pt.exp(pm.Normal("log_retention_scale_new", pt.log(scale), sigma / shape))
    entered, survival = data["entered"], pt.exp(-((data["years"] / of_rows) ** shape))
    pm.Deterministic("retention_fitted", entered * survival, dims="retention_row")
    pm.Binomial("retention", n=entered, p=survival, observed=data["observed"], dims="retention_row")
    pm.Deterministic("mean_stay", of_new * pt.gamma(1 + 1 / shape))


def retention_law(row: Any, scale: Floats, shape: Floats) -> Law:
    """Return the law of a row given scale and shape of the time in treatment, (draw,) or (draw, node)."""
    import numpy as np

    from bayes.heroin.laws import binomial

    hazard = (row.years / scale) ** shape
    return binomial(row.retained, row.entered, -hazard - np.log(-np.expm1(-hazard)))


RETENTION = Evidence(row=RetentionRow, least=2, informs="retention_scale", part=_part, add=_add, place=3)
