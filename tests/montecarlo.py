"""How far draws are from an exact answer, in their own Monte Carlo standard errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from arviz_stats.base import array_stats

LIMIT = 4.0
"""|ours - exact| is at most this many Monte Carlo standard errors: missed by chance once in 16,000 comparisons."""


def case(name: str) -> dict[str, Any]:
    """A published or closed-form reference case by its id."""
    cases = json.loads((Path(__file__).parent / "reference" / "statistics_cases.json").read_text())
    return next(one for one in cases if one["id"] == name)


def mean_z(draws: np.ndarray, exact: float) -> float:
    """Error of the mean of draws (chain, draw) over its Monte Carlo standard error."""
    draws = np.asarray(draws, dtype=float)
    return float((draws.mean() - exact) / array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="mean"))


def sd_z(draws: np.ndarray, exact: float) -> float:
    """Error of the standard deviation of draws (chain, draw) over its Monte Carlo standard error."""
    draws = np.asarray(draws, dtype=float)
    return float((draws.std() - exact) / array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="sd"))


def quantile_z(draws: np.ndarray, p: float, exact: float) -> float:
    """Error of a quantile of draws (chain, draw) over its Monte Carlo standard error."""
    draws = np.asarray(draws, dtype=float)
    error = array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="quantile", prob=p)
    return float((np.quantile(draws, p) - exact) / error)


def gap_z(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Difference of two independent means of draws (chain, draw) over its Monte Carlo standard error."""
    errors = [
        array_stats.mcse(np.asarray(d, dtype=float), chain_axis=0, draw_axis=1, method="mean") for d in (ours, theirs)
    ]
    return float((np.mean(ours) - np.mean(theirs)) / np.hypot(*errors))
