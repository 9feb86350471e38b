r"""How often people offend.

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
from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes.evidence import OffendingRow
from bayes.model.declared import Declared

__all__ = ["POPULATIONS", "add_offending", "share_with_none"]

POPULATIONS = ("refractory", "entrants", "arrestees", "all_users")
DAYS = 365.25
MONTH = 100.0


def share_with_none(mean: Any, shape: Any) -> Any:
    r"""Return the probability of no event in a gamma-Poisson count, :math:`(k/(k+\mu))^k`.

    Works on NumPy arrays and PyTensor variables; ``mean`` per window and ``shape`` broadcast.
    """
    return (shape / (shape + mean)) ** shape


def add_offending(rows: Sequence[OffendingRow], declared: Declared) -> dict[str, Any]:
    """Add offending rates and their likelihood to the model on the context stack.

    Adds ``offences_per_user_year``, ``offset`` (people), ``sigma_study``, ``log_study_mean`` (offending_study; centred,
    because the studies are well measured), the two shapes, and one observed variable for each measure that has rows.
    """
    model = pm.modelcontext(None)
    studies = list(dict.fromkeys(row.study for row in rows))
    population = {row.study: row.population for row in rows}
    model.add_coord("people", POPULATIONS)
    model.add_coord("offending_study", studies)
    offsets = [declared[f"offset_{name}"] for name in POPULATIONS[1:]]
    offset = pm.Deterministic("offset", pt.stack([pt.as_tensor(0.0), *offsets]), dims="people")
    at = np.array([POPULATIONS.index(population[name]) for name in studies])
    centre = pt.log(declared["offences_per_user_year"]) + offset[at]
    log_mean = pm.Normal("log_study_mean", centre, declared["sigma_study"], dims="offending_study")
    mean = pm.Deterministic("study_mean", pt.exp(log_mean), dims="offending_study")
    shapes = pt.stack([declared["shape_month"], declared["shape_year"]])
    for measure, add in (("total", _total), ("any", _any), ("log_mean", _log_mean), ("log_odds_any", _log_odds)):
        chosen = [row for row in rows if row.measure == measure]
        if chosen:
            name = f"offending_{measure}"
            model.add_coord(f"{name}_row", [row.row for row in chosen])
            add(name, chosen, mean[np.array([studies.index(row.study) for row in chosen])], shapes)
    return {"offset": offset}


def _data(name: str, values: Sequence[Any], dtype: type = float) -> Any:
    return pm.Data(name, np.array(values, dtype=dtype), dims=f"{name.rsplit('__', 1)[0]}_row")


def _shape(rows: Sequence[OffendingRow], shapes: Any) -> Any:
    return shapes[np.array([int((row.days or DAYS) >= MONTH) for row in rows])]


def _total(name: str, rows: Sequence[OffendingRow], mean: Any, shapes: Any) -> None:
    persons = _data(f"{name}__persons", [row.persons for row in rows], int)
    years = _data(f"{name}__years", [(row.days or 0) / DAYS for row in rows])
    expected = pm.Deterministic(f"{name}_fitted", persons * mean * years, dims=f"{name}_row")
    observed = _data(f"{name}__observed", [row.value for row in rows], int)
    pm.NegativeBinomial(name, mu=expected, alpha=persons * _shape(rows, shapes), observed=observed, dims=f"{name}_row")


def _any(name: str, rows: Sequence[OffendingRow], mean: Any, shapes: Any) -> None:
    persons = _data(f"{name}__persons", [row.persons for row in rows], int)
    years = _data(f"{name}__years", [(row.days or 0) / DAYS for row in rows])
    share = 1 - share_with_none(mean * years, _shape(rows, shapes))
    pm.Deterministic(f"{name}_fitted", persons * share, dims=f"{name}_row")
    observed = _data(f"{name}__observed", [row.value for row in rows], int)
    pm.Binomial(name, n=persons, p=share, observed=observed, dims=f"{name}_row")


def _log_mean(name: str, rows: Sequence[OffendingRow], mean: Any, shapes: Any) -> None:
    expected = pm.Deterministic(f"{name}_fitted", pt.log(mean), dims=f"{name}_row")
    observed = _data(f"{name}__observed", [math.log(row.value or 0) for row in rows])
    se = _data(f"{name}__se", [row.se for row in rows])
    pm.Normal(name, expected, se, observed=observed, dims=f"{name}_row")


def _logit(share: float) -> float:
    return math.log(share) - math.log1p(-share)


def _log_odds(name: str, rows: Sequence[OffendingRow], mean: Any, shapes: Any) -> None:
    years = _data(f"{name}__years", [(row.days or 0) / DAYS for row in rows])
    none = share_with_none(mean * years, _shape(rows, shapes))
    expected = pm.Deterministic(f"{name}_fitted", pt.log1p(-none) - pt.log(none), dims=f"{name}_row")
    observed = _data(f"{name}__observed", [_logit(row.value or 0) for row in rows])
    se = _data(f"{name}__se", [row.se for row in rows])
    pm.Normal(name, expected, se, observed=observed, dims=f"{name}_row")
