"""Which input moves the answer most: first-order shares of the variance of the target's ranks."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.polynomial.legendre import legvander
from scipy.special import ndtri
from scipy.stats import rankdata

from bayes.arguments import checked

__all__ = ["DEGREE", "rank_drivers"]

DEGREE = 6
"""Highest degree of the polynomials that follow the target along one input."""


@checked
def rank_drivers(inputs: Mapping[str, np.ndarray], target: np.ndarray, *, prob: float = 0.95) -> pd.DataFrame:
    r"""Rank inputs by their first-order share of the variance of the target's normal scores.

    With :math:`y` the normal scores of the target (ranks through the normal quantile function, so that a heavy tail
    does not decide) and :math:`\varphi_j` the orthonormal shifted Legendre polynomials of an input's uniform ranks,
    :math:`S = \sum_j c_j^2 / \mathrm{Var}(y)`, :math:`c_j = E[y \varphi_j]`, less the part that sampling alone would
    give. Shares do not add up to 1 when inputs are dependent or interact. An estimate may be slightly negative where
    the truth is 0.

    Parameters
    ----------
    inputs
        Draws by name, all of one length; constants are left out.
    target
        Draws of the quantity of interest, in the same order.
    prob
        Probability of the normal-theory confidence intervals.

    Returns
    -------
    DataFrame
        ``input``, ``share``, ``lower``, ``upper``, ``prob``, ``kind``, largest share first.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> a, b = rng.normal(size=(2, 4000))
    >>> table = rank_drivers({"a": a, "b": b}, 3 * a + b)     # truth: 0.9 and 0.1
    >>> table["share"].round(1).tolist()
    [0.9, 0.1]
    """
    scores = ndtri(_uniform(np.asarray(target, dtype=float).ravel()))
    scores = (scores - scores.mean()) / scores.std()
    z = NormalDist().inv_cdf((1 + prob) / 2)
    rows = []
    for name, values in inputs.items():
        flat = np.asarray(values, dtype=float).ravel()
        if np.ptp(flat) > 0:
            share, error = _first_order(_uniform(flat), scores)
            rows.append((name, share, share - z * error, share + z * error, prob, "confidence"))
    table = pd.DataFrame(rows, columns=["input", "share", "lower", "upper", "prob", "kind"])
    return table.sort_values("share", ascending=False, ignore_index=True)


def _uniform(values: np.ndarray) -> np.ndarray:
    """Mid-ranks scaled to (0, 1)."""
    return np.asarray((rankdata(values) - 0.5) / len(values))


def _first_order(u: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Share of the variance of standardised ``y`` that follows ``u``, and its standard error."""
    degrees = np.arange(1, DEGREE + 1)
    basis = legvander(2 * u - 1, DEGREE)[:, 1:] * np.sqrt(2 * degrees + 1)
    products = basis * y[:, None]
    c = products.mean(axis=0)
    noise = products.var(axis=0, ddof=1) / len(y)
    error = 2 * float(np.std(products @ c)) / len(y) ** 0.5
    return float((c**2 - noise).sum()), error
