r"""``offending.csv``: how often people offend.

For study :math:`j` of population :math:`p(j)`

.. math::
    \log m_j \sim N(\log m + o_{p(j)}, \sigma),

with :math:`m` ``offences_per_user_year`` (refractory patients, :math:`o = 0`). Between people of one
study counts in a window of :math:`w` years are negative binomial with mean :math:`m_j w` and shape
:math:`k` (a gamma mixture of Poissons), so the total of :math:`n` people is negative binomial with
mean :math:`n m_j w` and shape :math:`n k`, exactly, and the share with no offence is
:math:`(k / (k + m_j w))^k`. Windows of less than 100 days use ``shape_month``, longer ones ``shape_year``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bayes.evidence import Row, check_needed, check_part, check_somebody, unfit
from bayes.heroin.evidence.table import Evidence
from bayes.records import POSITIVE, count, number, word

if TYPE_CHECKING:
    import numpy as np

    from bayes.declared import Declared, Part
    from bayes.heroin.laws import Floats, Law
    from bayes.heroin.model.structure import Structure
    from bayes.study import Study

__all__ = ["DAYS", "MEASURES", "MONTH", "OFFENDING", "POPULATIONS", "OffendingRow", "offending_law", "share_with_none",
           "window"]  # fmt: skip

DAYS = 365.25
"""Days in a year."""
MONTH = 100.0
"""Days from which a window is a year's and no longer a month's."""

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
    """Check that a row has the numbers of its measure and no others, whole counts, and means and shares above zero."""
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


# --- how a row enters ------------------------------------------------------------------------


def _part(study: Study, structure: Structure) -> Part:
    """Rows by measure; the layout is each study's population, and each row's study and shape (0 month, 1 year)."""
    from bayes.declared import Part

    rows = study.rows("offending")
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
    import numpy as np

    years = np.array([(row.days or 0) / DAYS for row in rows], dtype=float)
    if measure in ("total", "any"):
        persons, observed = (np.array([getattr(row, k) for row in rows], dtype=np.int32) for k in ("persons", "value"))
        return {"persons": persons, "years": years, "observed": observed}
    se = np.array([row.se for row in rows], dtype=float)
    if measure == "log_mean":
        return {"observed": np.array([math.log(row.value or 0) for row in rows]), "se": se}
    shares = [row.value or 0 for row in rows]
    return {"years": years, "observed": np.array([math.log(p) - math.log1p(-p) for p in shares]), "se": se}


def share_with_none(mean: Any, shape: Any) -> Any:
    r"""Return the probability of no event in a gamma-Poisson count, :math:`(k/(k+\mu))^k`.

    Works on NumPy arrays and PyTensor variables; ``mean`` per window and ``shape`` broadcast.
    """
    return (shape / (shape + mean)) ** shape


def _add(study: Study, structure: Structure, declared: Declared) -> None:
    """Add offending rates and their likelihood to the model on the context stack.

    Adds ``offences_per_user_year``, ``offset`` (people), ``sigma_study``, ``log_study_mean`` (offending_study; centred,
    because the studies are well measured), the two shapes, and one observed variable for each measure that has rows.
    """
    import numpy as np
    import pymc as pm
    import pytensor.tensor as pt

    model, part = pm.modelcontext(None), _part(study, structure)
    for name, labels in part.coords.items():
        model.add_coord(name, labels)
    offsets = [declared[f"offset_{name}"] for name in POPULATIONS[1:]]
    offset = pm.Deterministic("offset", pt.stack([pt.as_tensor(0.0), *offsets]), dims="people")
    belongs = np.eye(len(POPULATIONS))[part.layout["population"]]  # PyTensor unrolls an index study by study
    centre = pt.log(declared["offences_per_user_year"]) + belongs @ offset
    log_mean = pm.Normal("log_study_mean", centre, declared["sigma_study"], dims="offending_study")
    mean = pm.Deterministic("study_mean", pt.exp(log_mean), dims="offending_study")
    month, year = declared["shape_month"], declared["shape_year"]
    for measure, add in _ADD.items():
        if measure in part.layout:
            at, name = part.layout[measure], f"offending_{measure}"
            data = {key.removeprefix(f"{name}__"): pm.Data(key, value, dims=f"{name}_row")
                    for key, value in part.data.items() if key.startswith(f"{name}__")}  # fmt: skip
            add(name, data, mean[np.array(at["study"])], pt.switch(np.array(at["shape"]) == 1, year, month))


def _total(name: str, data: Mapping[str, Any], mean: Any, shape: Any) -> None:
    import pymc as pm

    persons = data["persons"]
    expected = pm.Deterministic(f"{name}_fitted", persons * mean * data["years"], dims=f"{name}_row")
    pm.NegativeBinomial(name, mu=expected, alpha=persons * shape, observed=data["observed"], dims=f"{name}_row")


def _any(name: str, data: Mapping[str, Any], mean: Any, shape: Any) -> None:
    import pymc as pm

    share = 1 - share_with_none(mean * data["years"], shape)
    pm.Deterministic(f"{name}_fitted", data["persons"] * share, dims=f"{name}_row")
    pm.Binomial(name, n=data["persons"], p=share, observed=data["observed"], dims=f"{name}_row")


def _log_mean(name: str, data: Mapping[str, Any], mean: Any, shape: Any) -> None:
    import pymc as pm
    import pytensor.tensor as pt

    expected = pm.Deterministic(f"{name}_fitted", pt.log(mean), dims=f"{name}_row")
    pm.Normal(name, expected, data["se"], observed=data["observed"], dims=f"{name}_row")


def _log_odds(name: str, data: Mapping[str, Any], mean: Any, shape: Any) -> None:
    import pymc as pm
    import pytensor.tensor as pt

    none = share_with_none(mean * data["years"], shape)
    expected = pm.Deterministic(f"{name}_fitted", pt.log1p(-none) - pt.log(none), dims=f"{name}_row")
    pm.Normal(name, expected, data["se"], observed=data["observed"], dims=f"{name}_row")


_ADD = {"total": _total, "any": _any, "log_mean": _log_mean, "log_odds_any": _log_odds}


def window(row: OffendingRow) -> str:
    """Return which shape a row depends on: ``month``, ``year``, or none."""
    return "" if row.measure == "log_mean" else "month" if (row.days or DAYS) < MONTH else "year"


def offending_law(row: Any, log_mean: Floats, shapes: Mapping[str, Floats]) -> Law:
    """Return the law of a row given its study's log mean (draw, node) and ``month`` and ``year`` shapes (draw, 1)."""
    import numpy as np

    from bayes.heroin.laws import binomial, negative_binomial, normal

    if row.measure == "log_mean":
        return normal(math.log(row.value), log_mean, row.se)
    mean, shape = np.exp(log_mean) * (row.days / DAYS), shapes[window(row)]
    if row.measure == "total":
        return negative_binomial(row.value, row.persons * mean, row.persons * shape)
    none = share_with_none(mean, shape)
    log_odds = np.log1p(-none) - np.log(none)
    if row.measure == "any":
        return binomial(row.value, row.persons, log_odds)
    return normal(math.log(row.value / (1 - row.value)), log_odds, row.se)


OFFENDING = Evidence(row=OffendingRow, least=1, check=_check, informs="offences_per_user_year", part=_part, add=_add,
                     place=0)  # fmt: skip
