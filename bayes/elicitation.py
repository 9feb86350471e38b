r"""From what somebody says to a declared prior.

A judgement is heard in one of three forms, and becomes points of a distribution function:

- quantiles: ``q05=50, q50=130, q95=400``;
- chips laid on bins (roulette): ``0-100*2, 100-200*6, 200-400*2``; the share of chips below each edge;
- words: ``about 400, hardly below 100 or above 1,500``; the middle, and an equal-tailed interval of 90 %.

Every family that can be fitted is fitted and fed back: how far it misses, and quantiles that were not asked about.
Several experts are pooled, linearly (the mean of their distribution functions) or logarithmically (densities to the
power :math:`1/n`, multiplied and normalised), and the pool is what is fitted. No interval is taken on trust: the mass
between its ends is computed from the fitted distribution.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bayes.errors import PriorError, UsageError, check_word, closest, number_fix
from bayes.families import FAMILIES, family, fit_quantiles, mass_outside, misfit, scipy_frozen
from bayes.priors import LEAKAGE, MISFIT, labelled
from bayes.units import UNITS

__all__ = ["FEEDBACK", "POOLS", "Candidate", "Judgement", "candidates", "declaration", "elicited", "heard", "pooled"]

POOLS = ("linear", "logarithmic")
FEEDBACK = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Probabilities whose quantiles are shown back to the expert."""

HARDLY = 0.05
"""What "hardly below" and "hardly above" leave on each side."""

MASS = 0.06
"""Largest miss of a stated probability that is accepted without naming a family: about half a chip in ten."""

Points = Mapping[float, float]

_NAMED = re.compile(r"\s*([^:=*]+?)\s*:\s*(.+)\Z", re.DOTALL)
_NUMBER = r"(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
_QUANTILES = re.compile(rf"\s*q(\d{{2,4}})\s*=\s*{_NUMBER}\s*\Z", re.IGNORECASE)
_CHIPS = re.compile(rf"\s*{_NUMBER}\s*-\s*{_NUMBER}\s*\*\s*(\d+)\s*\Z", re.IGNORECASE)
_WORDS = {
    "middle": r"(?:about|around|roughly|some)",
    "low": r"(?:below|under|less than)",
    "high": r"(?:above|over|more than)",
}
_ODD = re.compile(r"(?<![\d.,*])(?:\d+(?:[.,]\d+)?\s*%|0,\d+|\d+,(?:\d{1,2}(?!\d)|\d{4,}))", re.ASCII)
"""A number in per cent, or with a decimal comma; not the commas between chips, nor those of thousands."""

_EXAMPLES = "'q05=50, q50=130, q95=400', '0-100*2, 100-200*6' or 'about 400, hardly below 100 or above 1,500'"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one expert said: a name, the words, and points of a distribution function (probability to value)."""

    expert: str
    said: str
    points: Points


@dataclass(frozen=True, slots=True)
class Candidate:
    """A family fitted to points.

    Parameters
    ----------
    family, parameters
        The fitted distribution.
    misfit
        Largest relative miss of a point's value (:func:`bayes.families.misfit`).
    mass_error
        Largest miss of a point's probability, :math:`\\max_p |F(q_p) - p|`: an interval's mass is wrong by at most
        twice this.
    feedback
        Quantiles at :data:`FEEDBACK`.
    """

    family: str
    parameters: Mapping[str, float]
    misfit: float
    mass_error: float
    feedback: Mapping[float, float]


def heard(text: str) -> Judgement:
    """Read what an expert said, with or without a name before a colon.

    Raises
    ------
    UsageError
        If it has none of the three forms, or its numbers do not rise.

    Examples
    --------
    >>> heard("Ann: about 400, hardly below 100 or above 1,500").points
    {0.05: 100.0, 0.5: 400.0, 0.95: 1500.0}
    >>> heard("0-100*2, 100-200*6, 200-400*2").points
    {0.2: 100.0, 0.8: 200.0}
    """
    named = _NAMED.match(text)
    expert, said = (named[1], named[2]) if named else ("", text)
    odd = _ODD.search(said)
    if odd:
        raise UsageError("numbers have a decimal point, and no % sign", key="--say", found=text, allowed=_EXAMPLES,
                         fix=number_fix(odd[0]))  # fmt: skip
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", said)
    points = _by_quantiles(plain) or _by_chips(plain) or _by_words(plain)
    if not points:
        raise UsageError(
            "this is no judgement", key="--say", found=text, allowed=_EXAMPLES, fix="use one of these forms"
        )
    values = [points[p] for p in sorted(points)]
    if not all(math.isfinite(v) for v in values) or any(a >= b for a, b in pairwise(values)):
        raise UsageError("values must rise with their probability", key="--say", found=text, fix="put them in order")
    return Judgement(expert, said.strip(), {p: points[p] for p in sorted(points)})


def _by_quantiles(text: str) -> dict[float, float]:
    matches = [_QUANTILES.match(part) for part in text.split(",")]
    return {float(f"0.{m[1]}"): float(m[2]) for m in matches if m} if all(matches) else {}


def _by_chips(text: str) -> dict[float, float]:
    """Share of chips below each inner edge of bins that touch."""
    matches = [m for m in map(_CHIPS.match, text.split(",")) if m]
    if len(matches) != len(text.split(",")):
        return {}
    bins = [(float(m[1]), float(m[2]), int(m[3])) for m in matches]
    total = sum(count for *_, count in bins)
    touching = all(a[1] == b[0] for a, b in pairwise(bins))
    if not total or not touching or any(low >= high for low, high, _ in bins):
        raise UsageError("bins of chips touch, rise, and hold a chip", key="--say", found=text,
                         allowed="0-100*2, 100-200*6, 200-400*2", fix="correct the bins")  # fmt: skip
    found, below = {}, 0
    for _, high, count in bins:
        below += count
        if 0 < below < total and round(below / total, 12) not in found:
            found[round(below / total, 12)] = high
    return found


def _by_words(text: str) -> dict[float, float]:
    matches = {key: re.search(rf"\b{words}\s+{_NUMBER}", text, re.IGNORECASE) for key, words in _WORDS.items()}
    numbers = {key: float(m[1]) for key, m in matches.items() if m}
    if len(numbers) < len(_WORDS):
        return {}
    return {HARDLY: numbers["low"], 0.5: numbers["middle"], 1 - HARDLY: numbers["high"]}


def candidates(points: Points, unit: str) -> list[Candidate]:
    """Return every family that fits points and stays within a unit, the nearest first.

    Raises
    ------
    PriorError
        If the unit is not known, or no family can be fitted.
    """
    if unit not in UNITS:
        raise PriorError("this unit is not known", key="unit", found=unit, allowed=UNITS,
                         fix=closest(unit, UNITS) or "choose one")  # fmt: skip
    found = []
    for name, member in FAMILIES.items():
        if len(points) < len(member.parameters) or not all(member.lower < v < member.upper for v in points.values()):
            continue
        try:
            parameters = fit_quantiles(name, points)
        except PriorError:  # a shape that this family does not have
            continue
        outside = mass_outside(name, parameters, UNITS[unit].lower, UNITS[unit].upper)
        if outside <= LEAKAGE:
            found.append(_candidate(name, parameters, points))
    if not found:
        raise PriorError("no family fits this judgement", key="--say", found=labelled(points),
                         allowed=UNITS[unit].support, fix="give another quantile, or check the unit")  # fmt: skip
    return sorted(found, key=lambda one: one.misfit)


def _candidate(name: str, parameters: Mapping[str, float], points: Points) -> Candidate:
    member = family(name)
    error = max(abs(member.cdf(value, parameters) - p) for p, value in points.items())
    feedback = {p: member.ppf(p, parameters) for p in FEEDBACK}
    return Candidate(name, dict(parameters), misfit(name, parameters, points), error, feedback)


def pooled(
    experts: Sequence[Candidate], how: str, probabilities: Sequence[float] = FEEDBACK[1:-1]
) -> dict[float, float]:
    """Return quantiles of several experts' distributions pooled with equal weights.

    Raises
    ------
    UsageError
        If there is no such pool, or logarithmic pooling of supports that do not meet.

    Examples
    --------
    >>> both = [Candidate("Normal", {"mu": mean, "sigma": 1.0}, 0.0, 0.0, {}) for mean in (0.0, 2.0)]
    >>> round(pooled(both, "logarithmic")[0.95], 4)   # Normal(1, 1)
    2.6449
    """
    check_word(how, POOLS, "there is no such pool", key="--pool")
    cdf = _linear(experts) if how == "linear" else _logarithmic(experts)
    ends = [family(one.family).ppf(p, one.parameters) for one in experts for p in (1e-9, 1 - 1e-9)]
    return {p: _root(cdf, p, min(ends), max(ends)) for p in probabilities}


def _linear(experts: Sequence[Candidate]) -> Callable[[float], float]:
    return lambda x: sum(family(one.family).cdf(x, one.parameters) for one in experts) / len(experts)


def _logarithmic(experts: Sequence[Candidate]) -> Callable[[float], float]:
    """Integrated geometric mean of the densities, on a grid that is dense where the experts are."""
    import numpy as np

    linear = _linear(experts)
    ends = [family(one.family).ppf(p, one.parameters) for one in experts for p in (1e-12, 1 - 1e-12)]
    at = [_root(linear, p, min(ends), max(ends)) for p in (1e-6, 1e-5, 1e-4, *np.linspace(1e-3, 1 - 1e-3, 400),
                                                           1 - 1e-4, 1 - 1e-5, 1 - 1e-6)]  # fmt: skip
    x = np.unique(np.concatenate([np.linspace(a, b, 20, endpoint=False) for a, b in pairwise(at)]))
    logs = np.mean([scipy_frozen(one.family, one.parameters).logpdf(x) for one in experts], axis=0)
    if not np.isfinite(logs).any():
        raise UsageError("these experts leave no value possible", key="--pool", found="logarithmic",
                         fix="use --pool linear, or talk to them")  # fmt: skip
    density = np.exp(logs - logs[np.isfinite(logs)].max())
    mass = np.concatenate([[0.0], np.cumsum(np.diff(x) * (density[1:] + density[:-1]) / 2)])
    return lambda value: float(np.interp(value, x, mass / mass[-1]))


def _root(cdf: Callable[[float], float], p: float, low: float, high: float) -> float:
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if cdf(middle) < p else (low, middle)
    return (low + high) / 2


def declaration(name: str, chosen: Candidate, points: Points, texts: Mapping[str, str]) -> str:
    """Write a declared prior as TOML.

    Quantiles are written as they were said if the family has them within the 1 % a file is held to; otherwise its
    parameters are, and what was said stands in the note.

    Parameters
    ----------
    texts
        ``meaning``, ``unit``, ``key`` and ``locator`` of the source, ``why``, ``note``.
    """
    exact = chosen.misfit <= MISFIT and all(abs(p * 1e4 - round(p * 1e4)) < 1e-6 for p in points)
    numbers = labelled(points) if exact else chosen.parameters
    inline = ", ".join(f"{key} = {_number(value)}" for key, value in numbers.items())
    said = "" if exact else f" The {chosen.family} misses what was said by {chosen.misfit:.1%}."
    source = {"key": texts["key"], "locator": texts["locator"], "kind": "judgement", "status": "judgement"}
    lines = {
        "meaning": _quoted(texts["meaning"]), "unit": _quoted(texts["unit"]), "family": _quoted(chosen.family),
        "quantiles" if exact else "parameters": f"{{ {inline} }}",
        "source": f"{{ {', '.join(f'{k} = {_quoted(v)}' for k, v in source.items())} }}",
        "why": _quoted(texts["why"]), "note": _quoted(texts["note"] + said),
    }  # fmt: skip
    return f"[{name}]\n" + "".join(f"{key:10} = {value}\n" for key, value in lines.items())


def elicited(
    says: Sequence[str], unit: str, pool: str = "linear", chosen: str | None = None
) -> tuple[list[Judgement], list[Candidate], Candidate, Points]:
    """Hear every expert, pool them if there are several, and choose a family.

    Returns
    -------
    judgements, candidates, choice, points
        What was heard; every family fitted to the pool, nearest first; the one named, or else the nearest; and the
        points.

    Raises
    ------
    PriorError
        If the family is not among those that fit, or gives an interval a mass that is wrong by more than :data:`MASS`.
    """
    judgements = [heard(text) for text in says]
    points = judgements[0].points
    if len(judgements) > 1:
        each = [_named(candidates(one.points, unit), chosen) for one in judgements]
        points = {p: float(f"{value:.4g}") for p, value in pooled(each, pool).items()}  # fitted as it is written
    found = candidates(points, unit)
    choice = _named(found, chosen)
    if choice.mass_error > MASS and chosen is None:
        raise PriorError("no family is near what was said", key="--say",
                         found=f"{choice.family}, wrong by {choice.mass_error:.1%}",
                         allowed=f"probabilities within {MASS:.0%}",
                         fix="say it again, or name the family you accept")  # fmt: skip
    return judgements, found, choice, points


def _named(found: Sequence[Candidate], name: str | None) -> Candidate:
    by_name = {one.family: one for one in found}
    if name is not None and name not in by_name:
        raise PriorError("this family does not fit what was said", key="--family", found=name, allowed=by_name,
                         fix=closest(name, by_name) or "choose one of these")  # fmt: skip
    return found[0] if name is None else by_name[name]


def _number(value: Any) -> str:
    """A TOML number that reads back as the same double."""
    text = repr(float(value))
    return text if any(c in text for c in ".en") else text + ".0"


def _quoted(text: str) -> str:
    """A TOML basic string: quotes, backslashes and control characters escaped."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in plain) + '"'
