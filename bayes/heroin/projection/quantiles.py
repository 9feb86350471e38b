"""Quantiles of a projection of many scenarios, without keeping its draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.errors import UsageError, check_word
from bayes.heroin.projection.formulas import FORMULAS, Outcome, outcome
from bayes.heroin.projection.inputs import inputs_of
from bayes.heroin.projection.pieces import discount
from bayes.heroin.projection.units import attributes
from bayes.heroin.projection.whole import chosen_scenarios, empty_futures
from bayes.projection import in_threads
from bayes.study import Study
from bayes.summaries import row_quantiles

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["quantiles_of"]


def quantiles_of(
    fit: DataTree,
    study: Study,
    q: Sequence[float],
    *,
    quantities: Sequence[str] = ("offences_avoided",),
    scenarios: Sequence[str] | None = None,
    group: str = "posterior",
) -> Dataset:
    """Project draws over scenarios and years and keep only quantiles over all draws.

    Memory does not grow with the number of draws times scenarios: draws are summarised scenario by scenario, on all
    processors.

    Parameters
    ----------
    fit, study, scenarios, group
        As in :func:`bayes.project`.
    q
        Probabilities between 0 and 1; draws are interpolated linearly, but never between a number and infinity.
    quantities
        Names of :data:`UNIT_OF`.

    Returns
    -------
    Dataset
        Dims ``quantile, scenario, year``; NaN where a quantity is undefined in every draw (undefined draws are left
        out).

    Raises
    ------
    UsageError
        If a scenario or quantity is unknown, a probability impossible, or the fit lacks a variable.

    Examples
    --------
    >>> ranges = quantiles_of(fit, bayes.load_study(), (0.025, 0.5, 0.975))
    """
    _check(q, quantities)
    chosen, settings = chosen_scenarios(study, scenarios), study.settings
    inputs = inputs_of(fit, group=group, rows=len(chosen) * settings.horizon_years)
    shape = (len(q), len(chosen), settings.horizon_years)
    found = {name: np.empty(shape) for name in quantities}

    def one(i: int) -> None:
        result = outcome(inputs, chosen[i], settings)
        for name, values in found.items():
            values[:, i] = _ranges(result, name, q)

    in_threads(one, len(chosen))
    empty = empty_futures(fit, study, chosen, group).drop_vars(["chain", "draw"])
    data = {name: (("quantile", "scenario", "year"), values, attributes(name)) for name, values in found.items()}
    return empty.assign(data).assign_coords(quantile=list(q))


def _ranges(result: Outcome, name: str, q: Sequence[float]) -> np.ndarray:
    """Quantiles (quantile, year) of a quantity: each share of places built is sorted once."""
    rows = np.atleast_2d(FORMULAS[name](result))  # what does not vary between levels or draws is sorted as little
    ranges = np.broadcast_to(row_quantiles(rows, q), (len(q), len(result.built)))[:, result.level]
    if name == "net_benefit":
        ranges *= discount(result.settings.discount_rate, result.settings.horizon_years)
    return ranges


def _check(q: Sequence[float], quantities: Sequence[str]) -> None:
    for name in quantities:
        check_word(name, FORMULAS, "there is no such quantity", key="quantities")
    if not q or not all(0 <= p <= 1 for p in q):
        raise UsageError("a quantile lies between 0 and 1", key="q", found=list(q), allowed="one or more of 0 to 1",
                         fix="give probabilities, as 0.025, 0.5, 0.975")  # fmt: skip
