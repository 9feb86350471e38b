r"""Tipping points: how far one lever has to move before the answer changes.

For a lever at value :math:`v` let :math:`P_v = P_v(x > c)` be the probability that the target exceeds :math:`c`.
Asked for are the values at which :math:`P_v` is 0.95 and 0.5 for a threshold :math:`c` of the user's (none is
assumed), and at which the median is half of what it is as fitted, which is :math:`P_v(x > m/2) = 0.5`. The root is
found by Brent's method (1973) on the draws of one fit: projected again where the lever is an input of the projection,
reweighted where it is a prior or a piece of evidence. Its Monte Carlo standard error is :math:`\mathrm{se}(P_v) /
|dP/dv|` at the root. A root found by reweighting can be confirmed by a fit at it, whose probability should be the one
asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize

from bayes.errors import UsageError
from bayes.sensitivity.changes import doubts, draws_of
from bayes.sensitivity.weights import Floats, Weights, equal_weights, mcse_of_mean, smoothed_weights
from bayes.summaries import compact, error_text

__all__ = ["LEVELS", "Lever", "tipping"]

LEVELS = (0.95, 0.5)
"""Probabilities of exceeding the threshold at which a lever is said to tip the answer."""

_SIGMAS = 4
"""Monte Carlo errors by which a fit at a tipping point may miss the probability asked for, and still confirm it."""
_WORDS = {
    "yes": "confirmed by a fit",
    "no": "not confirmed: a fit there gives",
    "unreliable": "not confirmed, for a fit there failed its own checks",
}
_SCAN = 7  # values at which a lever is tried before the root is bracketed
_COLUMNS = (
    "lever",
    "question",
    "value",
    "mcse",
    "unit",
    "current",
    "low",
    "high",
    "probability",
    "as_fitted",
    "khat",
    "method",
    "refitted",
    "mcse_refitted",
    "confirmed",
    "doubts",
    "draws",
    "sentence",
)


@dataclass(frozen=True, slots=True, eq=False)
class Lever:
    """Something that may be other than thought.

    Parameters
    ----------
    name, unit
        In words, so that "with NAME at 3 UNIT" can be read.
    low, high
        The values tried.
    at
        ``value -> (target draws or None, log density ratio or None)``: draws projected again, or weights, or both.
    current
        Where it stands as fitted (for an uncertain input its median); NaN if nowhere.
    refit
        ``value -> target draws`` of a fit with the lever at that value.
    """

    name: str
    unit: str
    low: float
    high: float
    at: Callable[[float], tuple[Any | None, Floats | None]]
    current: float = math.nan
    refit: Callable[[float], Any] | None = None


def tipping(
    target: Any,
    levers: Iterable[Lever],
    *,
    threshold: float | None = None,
    levels: Sequence[float] = LEVELS,
    confirm: bool = False,
) -> pd.DataFrame:
    """Find, for each lever, the values at which the answer tips.

    Parameters
    ----------
    target
        Draws (chain, draw) as fitted, a DataArray with the attribute ``unit`` or an array.
    levers
        What may move.
    threshold
        In the unit of the target; without one only the halving of the median is asked for.
    levels
        Probabilities of exceeding the threshold.
    confirm
        Fit the model with the lever at the value found, where it was found by reweighting, and report the probability
        there.

    Returns
    -------
    DataFrame
        One row for each lever and question: ``value`` (NaN where there is none in the range tried) with ``mcse``,
        ``probability`` at which it tips and ``as_fitted``, ``khat`` at the value, ``method`` (projected, reweighted,
        unreliable, no root), ``refitted`` (probability after a fit) with its error, ``confirmed`` (``exact``:
        projected, nothing to fit; ``yes`` or ``no``: the fit's probability is within four Monte Carlo errors of
        the one asked for, or not; ``unreliable``: the fit's chains have not mixed or diverged, as ``doubts`` says, and
        confirm nothing; ``not asked``; empty where there is no value), and ``sentence``.

    Raises
    ------
    UsageError
        If a range is empty or the target is not finite.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(1, 1, size=(4, 1000))
    >>> lever = Lever("the shift", "units", -5, 5, lambda v: (x + v, None), current=0)
    >>> table = tipping(x, [lever], threshold=0, levels=[0.5])
    >>> bool(abs(table["value"].iloc[0] + 1) < 4 * table["mcse"].iloc[0])
    True
    """
    x = draws_of(target)
    if not np.isfinite(x).all():
        raise UsageError("the target is not finite in some draws", key="target", found=int((~np.isfinite(x)).sum()))
    name, unit = getattr(target, "name", None) or "the target", getattr(target, "attrs", {}).get("unit", "")
    half = float(np.median(x)) / 2
    questions = [] if threshold is None else [(f"P({name} > {threshold:g}) = {p:g}", threshold, p) for p in levels]
    questions.append((f"median of {name} halves to {compact(half)} {unit}".rstrip(), half, 0.5))
    rows = []
    for lever in levers:
        if not lever.low < lever.high:
            raise UsageError("the range of a lever is empty", key=lever.name, found=(lever.low, lever.high))
        rows += _tipped(lever, x, questions, confirm)
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _tipped(
    lever: Lever, x: Floats, questions: Sequence[tuple[str, float, float]], confirm: bool
) -> list[dict[str, Any]]:
    @cache
    def state(value: float) -> tuple[Floats, Weights]:
        new, ratio = lever.at(value)
        draws = x if new is None else draws_of(new)
        return draws, equal_weights(draws.shape) if ratio is None else smoothed_weights(ratio)

    rows = []
    for question, cut, level in questions:
        before = float((x > cut).mean())
        found = _root(lever, lambda value, cut=cut, level=level: _exceeds(*state(value), cut) - level)  # type: ignore[misc]
        row = {
            "lever": lever.name,
            "question": question,
            "unit": lever.unit,
            "current": lever.current,
            "low": lever.low,
            "high": lever.high,
            "probability": level,
            "as_fitted": before,
            "draws": x.size,
        }
        row |= {"value": math.nan, "mcse": math.nan, "khat": math.nan, "method": "no root"}
        row |= {"refitted": math.nan, "mcse_refitted": math.nan, "confirmed": "", "doubts": ""}
        if found is not None:
            row |= _at_root(lever, state, found, cut)
            row |= _confirmed(lever, row, cut, confirm)
        rows.append({**row, "sentence": _sentence(row)})
    return rows


def _confirmed(lever: Lever, row: dict[str, Any], cut: float, confirm: bool) -> dict[str, Any]:
    """Whether a fit with the lever at the value found gives the probability asked for."""
    if row["method"] == "projected":
        return {"confirmed": "exact"}
    if not confirm or lever.refit is None:
        return {"confirmed": "not asked"}
    found = lever.refit(row["value"])
    again, wrong = (draws_of(found) > cut).astype(float), doubts([found])
    error = mcse_of_mean(again)
    near = abs(again.mean() - row["probability"]) <= _SIGMAS * math.hypot(error, row["mcse_probability"])
    word = "unreliable" if wrong else "yes" if near else "no"
    return {
        "refitted": float(again.mean()), "mcse_refitted": error, "confirmed": word, "doubts": "; ".join(wrong)
    }  # fmt: skip


def _exceeds(draws: Floats, weights: Weights, cut: float) -> float:
    return float(weights.values[draws > cut].sum())


def _root(lever: Lever, gap: Callable[[float], float]) -> float | None:
    """The root nearest to where the lever stands, or None where the gap never changes sign."""
    tried = np.linspace(lever.low, lever.high, _SCAN)
    ends = {gap(float(value)) for value in (tried[0], tried[_SCAN // 2], tried[-1])}
    if len(ends) == 1:
        return None
    gaps = [gap(float(value)) for value in tried]
    brackets = [i for i in range(_SCAN - 1) if gaps[i] * gaps[i + 1] <= 0 and gaps[i] != gaps[i + 1]]
    if not brackets:
        return None
    here = lever.current if math.isfinite(lever.current) else lever.low
    i = min(brackets, key=lambda i: max(tried[i] - here, here - tried[i + 1], 0.0))
    width = lever.high - lever.low
    return float(optimize.brentq(gap, tried[i], tried[i + 1], xtol=2e-4 * width, rtol=1e-4))


def _at_root(
    lever: Lever, state: Callable[[float], tuple[Floats, Weights]], value: float, cut: float
) -> dict[str, Any]:
    step = 0.02 * (lever.high - lever.low)
    low, high = max(lever.low, value - step), min(lever.high, value + step)
    slope = (_exceeds(*state(high), cut) - _exceeds(*state(low), cut)) / (high - low)
    draws, weights = state(value)
    inside = draws > cut
    series = draws.size * weights.values * (inside - weights.values[inside].sum())
    error = mcse_of_mean(series)
    mcse = error / abs(slope) if slope else math.inf
    reweighted = lever.at(value)[1] is not None
    method = "projected" if not reweighted else "reweighted" if weights.reliable() else "unreliable"
    return {"value": value, "mcse": mcse, "mcse_probability": error, "khat": weights.khat, "method": method}


def _sentence(row: dict[str, Any]) -> str:
    where = f"{row['lever']} between {compact(row['low'])} and {compact(row['high'])} {row['unit']}".rstrip()
    what = row["question"][0].upper() + row["question"][1:].replace(" = ", " becomes ")
    if not math.isfinite(row["value"]):
        return f"{what}: at no value of {where} (as fitted {row['as_fitted']:.2f} against {row['probability']:g})."
    now = f", now {compact(row['current'])}" if math.isfinite(row["current"]) else ""
    doubt = "; the weights are unreliable there, so a fit has to confirm it" if row["method"] == "unreliable" else ""
    if row["confirmed"] in _WORDS:
        why = f": {row['doubts']}" if row["doubts"] else ""
        doubt = f"; {_WORDS[row['confirmed']]} ({row['refitted']:.2f} ± {error_text(row['mcse_refitted'])}{why})"
    value = f"{compact(row['value'], row['mcse'])} {row['unit']}".rstrip()
    return f"{what}: with {row['lever']} at {value} (Monte Carlo error {error_text(row['mcse'])}{now}){doubt}."
