"""Which input moves the answer most: first-order shares of the variance of the target's ranks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import rankdata

from bayes.sensitivity.variance import variance_indices

__all__ = ["rank_drivers"]


def rank_drivers(inputs: Mapping[str, np.ndarray], target: np.ndarray, *, prob: float = 0.95) -> pd.DataFrame:
    """Rank inputs by their first-order share of the variance of the target's normal scores.

    Normal scores (ranks put through the normal quantile function) keep a heavy-tailed target from being decided by its few
    largest draws; the shares are of that transformed target and do not add up to 1 when inputs are dependent or interact.

    Parameters
    ----------
    inputs
        Draws by name, all of one length.
    target
        Draws of the quantity of interest, in the same order.
    prob
        Probability of the intervals.

    Returns
    -------
    DataFrame
        ``input``, ``share``, ``lower``, ``upper``, ``prob``, ``kind``, largest first.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> a, b = rng.normal(size=(2, 1000))
    >>> rank_drivers({"a": a, "b": b}, 3 * a + b)["input"].iloc[0]
    'a'
    """
    table = pd.DataFrame({name: np.asarray(v, dtype=float).ravel() for name, v in inputs.items()})
    varying = table.loc[:, table.nunique() > 1]
    scores = ndtri((rankdata(np.asarray(target).ravel()) - 0.5) / len(table))
    found = variance_indices(varying, scores, prob=prob, rng=0)
    first = found[found["measure"] == "first"].sort_values("estimate", ascending=False)
    named: pd.DataFrame = first.rename(columns={"estimate": "share"}).reset_index(drop=True)
    return named[["input", "share", "lower", "upper", "prob", "kind"]]
