"""ArviZ's statistics of arrays, without JAX and with faster ranks.

ArviZ leaves a placeholder for JAX among the modules; SciPy's functions, which ask of every array whether it is JAX's,
would turn it into JAX: a third of a second and 130 MB in every process. The placeholder is taken away again.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from types import ModuleType

import numpy as np
from arviz_stats.base.array import BaseArray
from arviz_stats.ecdf_utils import ecdf_pit
from scipy.special import ndtri

__all__ = ["array_stats", "ecdf_pit"]

if type(sys.modules.get("jax")) not in (ModuleType, type(None)):
    del sys.modules["jax"]


@lru_cache(maxsize=4)
def _normal_scores(size: int) -> np.ndarray:
    """Normal scores of the ranks 1, 1.5, 2, ... to ``size``, as ArviZ has them (Blom 1958)."""
    ranks = np.arange(2, 2 * size + 1) / 2
    return np.asarray(ndtri((ranks - 3 / 8) / (size - 2 * (3 / 8) + 1)))


class _ArrayStats(BaseArray):  # type: ignore[misc]  # ArviZ is not typed
    """ArviZ's functions, the normal scores of ranks looked up and not computed again for each series."""

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


array_stats = _ArrayStats()
