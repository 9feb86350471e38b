"""ArviZ's statistics of arrays, without JAX, with faster ranks and errors of quantiles.

ArviZ leaves a placeholder for JAX among the modules; SciPy's functions, which ask of every array whether it is JAX's,
would turn it into JAX: a third of a second and 130 MB in every process. The placeholder is taken away again.
"""

from __future__ import annotations

import math
import sys
from functools import lru_cache
from types import ModuleType

import numpy as np
from arviz_stats.base.array import BaseArray
from arviz_stats.ecdf_utils import ecdf_pit
from scipy.special import betaincinv, ndtri

__all__ = ["array_stats", "ecdf_pit"]

if type(sys.modules.get("jax")) not in (ModuleType, type(None)):
    del sys.modules["jax"]


@lru_cache(maxsize=4)
def _normal_scores(size: int) -> np.ndarray:
    """Normal scores of the ranks 1, 1.5, 2, ... to ``size``, as ArviZ has them (Blom 1958)."""
    ranks = np.arange(2, 2 * size + 1) / 2
    return np.asarray(ndtri((ranks - 3 / 8) / (size - 2 * (3 / 8) + 1)))


_ONE_SD = np.array([0.1586553, 0.8413447])
"""Probabilities one standard deviation below and above the mean, as ArviZ rounds them."""


class _ArrayStats(BaseArray):  # type: ignore[misc]  # ArviZ is not typed
    """ArviZ's functions with the same numbers: normal scores of ranks are looked up and not computed again for each
    series, and one sorting serves all that the error of a quantile needs.
    """

    def _z_scale(self, ary: np.ndarray) -> np.ndarray:
        values = np.ravel(ary)
        order = np.argsort(values)
        ordered = values[order]
        if np.isnan(ordered[-1]):
            return np.asarray(super()._z_scale(ary))
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) + 1  # of draws that are equal
        starts = np.append(0, ends[:-1])
        scores = np.empty(values.size)
        scores[order] = np.repeat(_normal_scores(values.size)[starts + ends - 1], ends - starts)
        return scores.reshape(np.shape(ary))

    def _mcse_quantile(self, ary: np.ndarray, prob: float, circular: bool = False) -> float:
        ordered, size = np.sort(np.asarray(ary, dtype=float), axis=None), np.size(ary)
        if circular or np.shape(ary)[-1] < 4 or not np.isfinite(ordered[[0, -1]]).all():
            return float(super()._mcse_quantile(ary, prob, circular))
        below, part = divmod(prob * (size - 1), 1)
        one, other = ordered[int(below)], ordered[min(int(below) + 1, size - 1)]
        effective = self._ess(self._split_chains(ary <= one + (other - one) * part))
        low, high = betaincinv(effective * prob + 1, effective * (1 - prob) + 1, _ONE_SD) * size - 1
        return float(ordered[math.ceil(min(high, size - 1))] - ordered[math.floor(max(low, 0))]) / 2


array_stats = _ArrayStats()
