"""What one unit of effect must be worth for an option to pay."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize

from bayes.arguments import checked
from bayes.errors import UsageError
from bayes.sensitivity._variance import Floats, numeric_table
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.tails import judge_tail

__all__ = ["break_even"]


@checked
def break_even(net_benefit: Callable[[float], ArrayLike], low: float, high: float) -> pd.DataFrame:
    """Find the value of a lever at which an option's expected incremental net benefit is zero.

    The root of E[NB(x)] by Brent's method (1973), on the same draws at every x; by the delta method its Monte
    Carlo standard error is ``sd(NB at the root) / (n^(1/2) |slope|)``.

    Parameters
    ----------
    net_benefit
        ``x -> draws`` of the incremental net benefit, shape (n,), the same draws at every call.
    low, high
        An interval at whose ends the expected net benefit has opposite signs, in the unit of the lever.

    Returns
    -------
    DataFrame
        One row: ``quantity, estimate, mcse, slope, draws, method``.

    Raises
    ------
    bayes.errors.UsageError
        The sign does not change between ``low`` and ``high``, or a draw is missing.

    Examples
    --------
    >>> import numpy as np
    >>> effect = np.random.default_rng(1).normal(2, 1, size=10_000)
    >>> found = break_even(lambda price: 30 * effect - price, low=0, high=100)
    >>> round(float(found["estimate"].iloc[0])), round(float(found["mcse"].iloc[0]), 1)
    (60, 0.3)
    """

    def draws(x: float) -> Floats:
        values: Floats = numeric_table(net_benefit(x), "net_benefit", constant_ok=True).iloc[:, 0].to_numpy()
        return values

    def mean(x: float) -> float:
        return float(draws(x).mean())

    if not (math.isfinite(low) and math.isfinite(high)):
        raise UsageError("not a finite number", key="low" if not math.isfinite(low) else "high", found=(low, high))
    ends = mean(low), mean(high)
    if not low < high or np.sign(ends[0]) == np.sign(ends[1]):
        raise UsageError(
            f"the expected net benefit does not change sign between low = {low:g} and high = {high:g}",
            key="low",
            found=ends,
            fix="widen the interval; if it never changes sign there is no break-even",
        )
    root = float(optimize.brentq(mean, low, high, xtol=1e-12 * (high - low)))
    a, b = max(low, root - 1e-3 * (high - low)), min(high, root + 1e-3 * (high - low))
    slope = (mean(b) - mean(a)) / (b - a)
    at_root = draws(root)
    error = float(at_root.std()) / math.sqrt(len(at_root)) / abs(slope) if slope else math.inf
    row = {"quantity": "break-even", "estimate": root, "mcse": error, "slope": slope, "draws": len(at_root)}
    return pd.DataFrame([row | {"method": "Brent root, delta method"}])


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    """The price of one unit of effect at which each option's expected net benefit is zero.

    There is no number for an option that is expected to bring nothing.
    """
    choice = None if case.decision is None else case.decision()
    if choice is None or choice.cost is None or choice.effect is None:
        return {}
    tables = []
    for option in choice.cost.columns.drop(choice.nothing):
        cost, effect = (table[option].to_numpy() for table in (choice.cost, choice.effect))
        if not effect.mean() > 0 or not cost.mean() > 0:
            words = {"quantity": "break-even", "estimate": math.nan, "mcse": math.nan, "slope": effect.mean()}
            table = pd.DataFrame([words | {"draws": effect.size, "method": "no root"}])
            note = "it brings or costs nothing"
        else:
            high = 2 * cost.mean() / effect.mean()
            table = break_even(lambda price, effect=effect, cost=cost: price * effect - cost, 0.0, high)  # type: ignore[misc]
            note = judge_tail(effect, choice.tail_shape).why
        tables.append(table.assign(option=option, unit=choice.price, note=note))
    return {"break_even": pd.concat(tables, ignore_index=True)}


ANALYSIS = Analysis(_run, "what a question breaks even at", "cost= and net_benefit= of the question",
                    totals=("break_even",), beside="value")  # fmt: skip
