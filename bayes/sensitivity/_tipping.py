r"""Tipping points: how far one lever has to move before the answer changes.

For a lever at value :math:`v` let :math:`P_v = P_v(x > c)` be the probability that the target exceeds :math:`c`.
Asked for are the values at which :math:`P_v` is 0.95 and 0.5 for a threshold :math:`c` of the user's (none is
assumed), and at which the median is half of what it is as fitted, which is :math:`P_v(x > m/2) = 0.5`. The root is
found by Brent's method (1973) on the draws of one fit: projected again where the lever is an input of the projection,
reweighted where it is a prior or a piece of evidence, and fitted again where weights fail
(:mod:`bayes.sensitivity.crossing`). Its Monte Carlo standard error is :math:`\mathrm{se}(P_v) / |dP/dv|` at the root. A
root found by reweighting is confirmed by a fit that gives the probability asked for within its own Monte Carlo error;
where the fit at it does not, fits search on until one does. Where weights fail and there is no model to fit, the answer
is "not reached with these draws", which is not "at no value".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayes.arguments import checked
from bayes.errors import UsageError
from bayes.numbers import chance, compact, error_text
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.sensitivity.crossing import Crossing, Lever, Sight, Views
from bayes.sensitivity.doors import draws_of
from bayes.sensitivity.weights import KHAT_LIMIT, Floats
from bayes.words import capital

__all__ = ["LEVELS", "Lever", "tipping"]

LEVELS = (0.95, 0.5)
"""Probabilities of exceeding the threshold at which a lever is said to tip the answer."""

_WORDS = {
    "yes": "confirmed by a fit",
    "no": "not confirmed: a fit there gives",
    "unreliable": "not confirmed, for a fit there failed its own checks",
}
_COLUMNS = ("lever", "question", "value", "mcse", "unit", "current", "low", "high", "probability", "as_fitted", "khat",
            "method", "refitted", "mcse_refitted", "confirmed", "doubts", "draws", "sentence")  # fmt: skip


@checked
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
        Fit the model with the lever at the value found, where it was found by reweighting, report the probability
        there, and search on by fits where it is not the one asked for. Where weights fail a lever with ``refit`` is
        fitted in any case.

    Returns
    -------
    DataFrame
        One row for each lever and question: ``value`` (NaN where there is none) with ``mcse``, ``probability`` at which
        it tips and ``as_fitted``, ``khat`` of the weights at the value, ``method``, ``refitted`` (probability after a
        fit) with its error, ``confirmed``, ``doubts`` and ``sentence``.

        ``method`` is ``projected``; ``reweighted``: weights reach there, though a fit may have to say where precisely;
        ``refitted``: weights fail there, and fits found it; ``unreliable``: they fail there and there is no model to
        fit; ``no root``: none in the range; ``not reached``: none as far as these draws can say.

        ``confirmed`` is ``exact``: projected, nothing to fit; ``yes`` or ``no``: the fit's probability is within its
        own Monte Carlo error of the one asked for, or not; ``unreliable``: the fit's chains have not mixed or diverged,
        as ``doubts`` says, and confirm nothing; ``not asked``; empty where there is no value.

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
    questions = (
        []
        if threshold is None
        else [(f"probability of {name} above {threshold:,.12g} = {p:g}", threshold, p) for p in levels]
    )
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
    views = Views(lever, x)
    rows = []
    for question, cut, level in questions:
        search = Crossing(views, cut, level)
        value = search.root()
        row = {
            "lever": lever.name, "question": question, "unit": lever.unit, "current": lever.current, "low": lever.low,
            "high": lever.high, "probability": level, "as_fitted": float((x > cut).mean()), "draws": x.size,
            "value": math.nan, "mcse": math.nan, "khat": math.nan, "method": "no root", "refitted": math.nan,
            "mcse_refitted": math.nan, "confirmed": "", "doubts": "", "reach": None,
        }  # fmt: skip
        row |= _nowhere(search) if value is None else _confirmed(search, value, confirm)
        rows.append({**row, "sentence": _sentence(row)})
    return rows


def _nowhere(search: Crossing) -> dict[str, Any]:
    """No root where something is known: nowhere in the range, or not as far as these draws reach."""
    if not search.unknown():
        return {}
    wrong = {sight.doubts for sight in search.views.fitted.values() if sight.doubts}
    return {"method": "not reached", "reach": search.reach(), "doubts": "; ".join(sorted(wrong))}


def _confirmed(search: Crossing, value: float, confirm: bool) -> dict[str, Any]:
    """Whether a fit with the lever at the value found gives the level; where it does not, fits search on."""
    sight = search.look(value)
    found = _at_root(search, value, sight)
    if sight.method == "projected":
        return found | {"confirmed": "exact"}
    if search.views.lever.refit is None or not (confirm or value in search.views.fitted):
        return found | {"confirmed": "not asked"}
    again = search.views.by_fit(value)
    if not again.doubts and not search.given(again):
        further = search.by_fits(value, search.slope(value) if sight.method == "reweighted" else math.nan)
        if further is not None:
            again = search.views.by_fit(further)
            found = _at_root(search, further, again)
    word = "unreliable" if again.doubts else "yes" if search.given(again) else "no"
    chance, error = again.chance(search.cut), again.error(search.cut)
    return found | {"refitted": chance, "mcse_refitted": error, "confirmed": word, "doubts": again.doubts}


def _at_root(search: Crossing, value: float, sight: Sight) -> dict[str, Any]:
    slope, error = search.slope(value), sight.error(search.cut)
    mcse = error / abs(slope) if slope and math.isfinite(slope) else math.inf
    weights = search.views.by_weights(value).weights
    near = sight.method == "refitted" and weights.reliable(KHAT_LIMIT)
    return {"value": value, "mcse": mcse, "khat": weights.khat, "method": "reweighted" if near else sight.method}


def _sentence(row: dict[str, Any]) -> str:
    where = f"{row['lever']} between {compact(row['low'])} and {compact(row['high'])} {row['unit']}".rstrip()
    what = capital(row["question"]).replace(" = ", " becomes ")
    against = f"as fitted the probability above that is {chance(row['as_fitted'])}, and not {row['probability']:g}"
    if row["method"] == "not reached":
        return f"{what}: not reached with these draws; refit to know ({_known(row)}{where}; {against})."
    if not math.isfinite(row["value"]):
        return f"{what}: at no value of {where} ({against})."
    now = f", now {compact(row['current'])}" if math.isfinite(row["current"]) else ""
    doubt = "; the weights are unreliable there, so a fit has to confirm it" if row["method"] == "unreliable" else ""
    if row["confirmed"] in _WORDS:
        why = f": {row['doubts']}" if row["doubts"] else ""
        doubt = f"; {_WORDS[row['confirmed']]} ({row['refitted']:.2f} ± {error_text(row['mcse_refitted'])}{why})"
    value = f"{compact(row['value'], row['mcse'])} {row['unit']}".rstrip()
    return f"{what}: with {row['lever']} at {value} (Monte Carlo error {error_text(row['mcse'])}{now}){doubt}."


def _known(row: dict[str, Any]) -> str:
    """How far the draws reach, and what is wrong with fits beyond."""
    wrong = f"fits failed their own checks: {row['doubts']}; " if row["doubts"] else ""
    if row["reach"] is None:
        return f"{wrong}nothing is known of "
    low, high = (compact(end) for end in row["reach"])
    return f"{wrong}known from {low} to {high} of "


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    levers = case.levers() if case.levers else ()
    if not levers:
        return {}
    levers = levers if request.refit else [replace(lever, refit=None) for lever in levers]
    answer = case.answer.rename(case.words.label(case.target))
    return {"tipping": tipping(answer, levers, threshold=request.threshold, confirm=request.confirm)}


ANALYSIS = Analysis(
    _run, "tipping points", "levers= of the question: numbers to move, as bayes.Lever(name=…, low=…, high=…)", weight=5
)
