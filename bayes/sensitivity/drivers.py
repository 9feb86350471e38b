"""Which input moves the answer most: first-order shares of the variance of the target's ranks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayes.arguments import checked
from bayes.sensitivity._variance import variance_indices

__all__ = ["rank_drivers"]


@checked
def rank_drivers(inputs: Mapping[str, np.ndarray], target: np.ndarray, *, prob: float = 0.95) -> pd.DataFrame:
    r"""Rank inputs by their first-order share of the variance of the target's normal scores.

    With :math:`y` the normal scores of the target (ranks through the normal quantile function, so that a heavy tail
    does not decide), :math:`S_i = \mathrm{Var}(E[y | x_i]) / \mathrm{Var}(y)`: the rows ``first`` of
    :func:`bayes.sensitivity.variance_indices` on the scale ``rank``. Shares do not add up to 1 when inputs are
    dependent or interact. An estimate may be slightly negative where the truth is 0.

    Parameters
    ----------
    inputs
        Draws by name, all of one length; constants are left out.
    target
        Draws of the quantity of interest, in the same order.
    prob
        Probability of the confidence intervals.

    Returns
    -------
    DataFrame
        ``input, share, lower, upper, prob, kind, scale, flag``, largest share first.

    Raises
    ------
    bayes.errors.UsageError
        A column is missing, infinite, too short or of another length, the target is constant, or every input is.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> a, b = rng.normal(size=(2, 4000))
    >>> table = rank_drivers({"a": a, "b": b}, 3 * a + b)     # truth: 0.9 and 0.1
    >>> table["share"].round(1).tolist()
    [0.9, 0.1]
    """
    flat = {name: np.ravel(np.asarray(values, dtype=float)) for name, values in inputs.items()}
    moving = pd.DataFrame({name: values for name, values in flat.items() if np.ptp(values) > 0})
    found = variance_indices(moving, pd.Series(np.ravel(target), name="target"), scale="rank", prob=prob)
    first = found[found["measure"] == "first"].rename(columns={"estimate": "share"})
    columns = ["input", "share", "lower", "upper", "prob", "kind", "scale", "flag"]
    return first[columns].sort_values("share", ascending=False, ignore_index=True)
