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

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes.declared import Declared
from bayes.heroin.evidence import OffendingRow
from bayes.heroin.model.parts import DAYS, MONTH, POPULATIONS, offending_part

__all__ = ["DAYS", "MONTH", "POPULATIONS", "add_offending", "share_with_none"]


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
    model, part = pm.modelcontext(None), offending_part(rows)
    for name, labels in part.coords.items():
        model.add_coord(name, labels)
    offsets = [declared[f"offset_{name}"] for name in POPULATIONS[1:]]
    offset = pm.Deterministic("offset", pt.stack([pt.as_tensor(0.0), *offsets]), dims="people")
    belongs = np.eye(len(POPULATIONS))[part.layout["population"]]  # PyTensor unrolls an index study by study
    centre = pt.log(declared["offences_per_user_year"]) + belongs @ offset
    log_mean = pm.Normal("log_study_mean", centre, declared["sigma_study"], dims="offending_study")
    mean = pm.Deterministic("study_mean", pt.exp(log_mean), dims="offending_study")
    month, year = declared["shape_month"], declared["shape_year"]
    for measure, add in (("total", _total), ("any", _any), ("log_mean", _log_mean), ("log_odds_any", _log_odds)):
        if measure in part.layout:
            at, name = part.layout[measure], f"offending_{measure}"
            data = {key.removeprefix(f"{name}__"): pm.Data(key, value, dims=f"{name}_row")
                    for key, value in part.data.items() if key.startswith(f"{name}__")}  # fmt: skip
            add(name, data, mean[np.array(at["study"])], pt.switch(np.array(at["shape"]) == 1, year, month))
    return {"offset": offset}


def _total(name: str, data: Mapping[str, Any], mean: Any, shape: Any) -> None:
    persons = data["persons"]
    expected = pm.Deterministic(f"{name}_fitted", persons * mean * data["years"], dims=f"{name}_row")
    pm.NegativeBinomial(name, mu=expected, alpha=persons * shape, observed=data["observed"], dims=f"{name}_row")


def _any(name: str, data: Mapping[str, Any], mean: Any, shape: Any) -> None:
    share = 1 - share_with_none(mean * data["years"], shape)
    pm.Deterministic(f"{name}_fitted", data["persons"] * share, dims=f"{name}_row")
    pm.Binomial(name, n=data["persons"], p=share, observed=data["observed"], dims=f"{name}_row")


def _log_mean(name: str, data: Mapping[str, Any], mean: Any, shape: Any) -> None:
    expected = pm.Deterministic(f"{name}_fitted", pt.log(mean), dims=f"{name}_row")
    pm.Normal(name, expected, data["se"], observed=data["observed"], dims=f"{name}_row")


def _log_odds(name: str, data: Mapping[str, Any], mean: Any, shape: Any) -> None:
    none = share_with_none(mean * data["years"], shape)
    expected = pm.Deterministic(f"{name}_fitted", pt.log1p(-none) - pt.log(none), dims=f"{name}_row")
    pm.Normal(name, expected, data["se"], observed=data["observed"], dims=f"{name}_row")
