"""The numbers, labels and layout of each part of the model, from rows and priors: no PyMC.

The functions that add variables to a ``pm.Model`` take everything from here: ``data`` enters as ``pm.Data``, ``coords``
as labels, and ``layout`` as constants of the graph. What is not data is layout, so two studies with the same layout
have the same graph, whatever their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from bayes.declared import Part
from bayes.heroin.evidence import CeilingRow, CoverageRow, OffendingRow, RetentionRow

__all__ = ["DAYS", "MEASURES", "MONTH", "POPULATIONS", "ceiling_part", "coverage_part",
           "offending_part", "range_to_normal", "retention_part"]  # fmt: skip

POPULATIONS = ("refractory", "entrants", "arrestees", "all_users")
MEASURES = ("total", "any", "log_mean", "log_odds_any")
DAYS = 365.25
MONTH = 100.0


def offending_part(rows: Sequence[OffendingRow]) -> Part:
    """Rows by measure; the layout is each study's population, and each row's study and shape (0 month, 1 year)."""
    studies = list(dict.fromkeys(row.study for row in rows))
    population = {row.study: row.population for row in rows}
    data: dict[str, np.ndarray] = {}
    coords: dict[str, Sequence[str]] = {"people": POPULATIONS, "offending_study": studies}
    layout: dict[str, Any] = {"population": [POPULATIONS.index(population[name]) for name in studies]}
    for measure in MEASURES:
        chosen = [row for row in rows if row.measure == measure]
        if chosen:
            coords[f"offending_{measure}_row"] = [row.row for row in chosen]
            data |= {f"offending_{measure}__{key}": value for key, value in _measured(measure, chosen).items()}
            layout[measure] = {"study": [studies.index(row.study) for row in chosen],
                               "shape": [int((row.days or DAYS) >= MONTH) for row in chosen]}  # fmt: skip
    return Part(data, coords, layout)


def _measured(measure: str, rows: Sequence[OffendingRow]) -> dict[str, np.ndarray]:
    years = np.array([(row.days or 0) / DAYS for row in rows], dtype=float)
    if measure in ("total", "any"):
        persons, observed = (np.array([getattr(row, k) for row in rows], dtype=np.int32) for k in ("persons", "value"))
        return {"persons": persons, "years": years, "observed": observed}
    se = np.array([row.se for row in rows], dtype=float)
    if measure == "log_mean":
        return {"observed": np.array([math.log(row.value or 0) for row in rows]), "se": se}
    return {"years": years, "observed": np.array([_logit(row.value or 0) for row in rows]), "se": se}


def _logit(share: float) -> float:
    return math.log(share) - math.log1p(-share)


def _counts(rows: Sequence[Any], name: str, columns: tuple[str, str]) -> dict[str, np.ndarray]:
    part, whole = (np.array([getattr(row, c) for row in rows], dtype=np.int32) for c in columns)
    return {f"{name}__observed": part, f"{name}__{columns[1]}": whole}


def coverage_part(rows: Sequence[CoverageRow]) -> Part:
    """Patients and clients by country."""
    labels = {"country": [row.country for row in rows], "coverage_patients_row": [row.row for row in rows]}
    return Part(_counts(rows, "coverage_patients", ("patients", "clients")), labels, {"rows": len(rows)})


def retention_part(rows: Sequence[RetentionRow]) -> Part:
    """People retained of those who entered, after some years."""
    data = _counts(rows, "retention", ("retained", "entered"))
    data["retention__years"] = np.array([row.years for row in rows], dtype=float)
    return Part(data, {"retention_row": [row.row for row in rows]}, {"rows": len(rows)})


def ceiling_part(rows: Sequence[CeilingRow]) -> Part:
    """National totals as normals on the log scale."""
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
