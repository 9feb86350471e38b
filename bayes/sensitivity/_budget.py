"""The uncertainty budget: from the interval as published to the policy interval, one source of uncertainty at a time.

Each step frees what the one before held fixed, on the same draws, so that the change in width carries only the Monte
Carlo error of the difference. The order is part of the question: a width added late counts what the earlier sources
have already spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayes.arguments import check_fields, checked
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.sensitivity.doors import draws_of
from bayes.sensitivity.weights import (
    Quantiles,
    equal_weights,
    khat_limit,
    levels,
    mcse_of_mean,
    quantiles,
    smoothed_weights,
)
from bayes.summaries import PROB

__all__ = ["Step", "budget"]

_DOUBT = "reweighted with a k-hat above {:.2f}: the stated errors are too small"


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of a budget.

    Parameters
    ----------
    name
        The source of uncertainty the step adds.
    draws
        The target with this source and all earlier ones free: (chain, draw).
    log_ratio
        (chain, draw) of the draws' weights; None where they are equal.
    note
        What is held fixed, or freed.
    """

    name: str
    draws: Any
    log_ratio: ArrayLike | None = None
    note: str = ""

    def __post_init__(self) -> None:
        check_fields(self)


@checked
def budget(steps: Sequence[Step], *, prob: float = PROB) -> pd.DataFrame:
    """Tabulate a budget of uncertainty.

    Parameters
    ----------
    steps
        In order; the first is the starting point, the last the answer.
    prob
        Probability of the equal-tailed intervals.

    Returns
    -------
    DataFrame
        ``step, adds, unit, median, lower, upper, mcse_median, mcse_lower, mcse_upper, prob, kind, width, mcse_width,
        width_added, mcse_width_added, median_moved, mcse_median_moved, khat, draws, note``. Each level has the Monte
        Carlo error of this level, each difference that of the difference, which is less where draws are the same.

    Examples
    --------
    >>> z = np.random.default_rng(1).normal(size=(2, 4, 1000))
    >>> table = budget([Step("sampling", z[0]), Step("bias", z[0] + z[1])])
    >>> table["width"].round(0).tolist()                                # 2 x 1.96 x (1, 2^(1/2)) = 3.9, 5.5
    [4.0, 5.0]
    """
    rows: list[dict[str, Any]] = []
    before: Quantiles | None = None
    for number, step in enumerate(steps):
        x = draws_of(step.draws)
        weights = equal_weights(x.shape) if step.log_ratio is None else smoothed_weights(step.log_ratio)
        found = quantiles(x, weights, levels(prob))
        low, middle, high = (float(v) for v in found.values)
        errors = [float(error) for error in found.mcse]
        row = {
            "step": number, "adds": step.name, "unit": str(getattr(step.draws, "attrs", {}).get("unit", "")),
            "median": middle, "lower": low, "upper": high,
            "mcse_median": errors[1], "mcse_lower": errors[0], "mcse_upper": errors[2], "prob": prob, "kind": "eti",
            "width": high - low, "mcse_width": mcse_of_mean(np.asarray(found.influence[2] - found.influence[0])),
            **_added(found, before),
        }  # fmt: skip
        doubt = "" if step.log_ratio is None or weights.reliable() else _DOUBT.format(khat_limit(x.size))
        note = "; ".join(filter(None, (step.note, doubt)))
        rows.append({**row, "khat": weights.khat, "draws": x.size, "note": note})
        before = found
    return pd.DataFrame(rows)


def _added(found: Quantiles, before: Quantiles | None) -> dict[str, float]:
    if before is None:
        return dict.fromkeys(("width_added", "mcse_width_added", "median_moved", "mcse_median_moved"), 0.0)
    moved, gap = found.values - before.values, found.influence - before.influence
    return {
        "width_added": float(moved[2] - moved[0]),
        "mcse_width_added": mcse_of_mean(np.asarray(gap[2] - gap[0])),
        "median_moved": float(moved[1]),
        "mcse_median_moved": mcse_of_mean(gap[1]),
    }


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    steps = case.steps() if case.steps else ()
    return {"budget": budget(steps)} if steps else {}


ANALYSIS = Analysis(
    _run, "the budget of uncertainty", "steps= of the question, from what is known best to the answer", weight=1
)
