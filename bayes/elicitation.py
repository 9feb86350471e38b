r"""From what somebody says to a declared prior.

A judgement is heard in one of three forms, and becomes points of a distribution function:

- quantiles: ``q05=50, q50=130, q95=400``;
- chips laid on bins (roulette): ``0-100*2, 100-200*6, 200-400*2``; the share of chips below every edge, 0 and 1 at the
  ends of the range included;
- words: ``about 400, hardly below 100 or above 1,500``; the middle, and an equal-tailed interval of 90 %.

Every family that can be fitted is fitted and fed back: how far it misses, and quantiles that were not asked about.
Quantiles are fitted as those of a file (:func:`bayes.families.fit_quantiles`), chips by least squares on the
distribution function at every edge (:func:`bayes.families.fit_edges`), which is the criterion of SHELF.

The nearest family is taken if it is near: no value that was said may be missed by more than :data:`VALUE` of the way to
the nearest other value said or end of the unit (of chips, twice as much: half a bin), and no probability by more than
:data:`MASS`. Both are free of the unit
in which the quantity is measured, so the family is too. Families whose misses differ by at most :data:`TIE` of these
tolerances are equally near, and the first of them in :data:`ORDER` is taken. Several experts are pooled, linearly (the
mean of their distribution functions) or logarithmically (densities to the power :math:`1/n`, multiplied and
normalised), and the pool is what is fitted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from bayes.errors import PriorError, UsageError, check_word
from bayes.families import FAMILIES, family, fit_edges, fit_quantiles, mass_outside, misfit, scipy_frozen
from bayes.files import toml_text
from bayes.priors import LEAKAGE, MISFIT, labelled
from bayes.spoken import said_number, said_range
from bayes.units import Unit, unit_of

__all__ = ["FEEDBACK", "MASS", "ORDER", "POOLS", "TIE", "VALUE", "Candidate", "Judgement", "candidates", "check_near",
           "declaration", "fitted", "heard", "pooled"]  # fmt: skip

POOLS = ("linear", "logarithmic")
FEEDBACK = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Probabilities whose quantiles are shown back to the expert."""

HARDLY = 0.05
"""What "hardly below" and "hardly above" leave on each side."""

MASS = 0.06
"""Largest miss of a stated probability that is accepted without naming a family: about half a chip in ten."""

VALUE = 0.25
"""Largest miss of a stated value that is accepted without naming a family, as a share of the distance from it to the
nearest other value said or end of the unit; of chips, of twice that distance."""

ORDER = ("Beta", "LogNormal", "Gamma", "Normal", "ShiftedLogNormal", "HalfNormal", "Exponential", "HalfCauchy",
         "Uniform")  # fmt: skip
"""Which of several equally near families is taken: the first that stands here."""

TIE = 0.1
"""Families are equally near if their misses differ by no more, in tolerances: nobody says a probability to 0.6 %."""

Points = Mapping[float, float]
Edges = Sequence[tuple[float, float]]
"""Probabilities and values of a distribution function, rising; one probability may have several values."""

_NAMED = re.compile(r"\s*([^:=*]+?)\s*:\s*(.+)\Z", re.DOTALL)
_QUANTILE = re.compile(r"\s*q(\d{2,4})\s*=(.*)\Z", re.IGNORECASE | re.DOTALL | re.ASCII)
_CHIPS = re.compile(r"\s*([^*]+?)\s*\*\s*(\d+)\s*(?:[,;]|\Z)", re.ASCII)
_WORDS = {"middle": r"about|around|roughly|some", "low": r"below|under|less than", "high": r"above|over|more than"}
_WORD = re.compile("|".join(rf"(?P<{key}>\b(?:{words})\b)" for key, words in _WORDS.items()), re.IGNORECASE)
_FILLING = re.compile(r"(?:[\s,;.]|\b(?:and|or|nor|but|hardly|rarely|scarcely|seldom|ever)\b)*", re.IGNORECASE)

_EXAMPLES = "'q05=50, q50=130, q95=400', '0-100*2, 100-200*6' or 'about 400, hardly below 100 or above 1,500'"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one expert said: a name, the words, and probabilities and values of a distribution function, rising."""

    expert: str
    said: str
    edges: tuple[tuple[float, float], ...]

    @property
    def points(self) -> dict[float, float]:
        """The first value of each probability between 0 and 1."""
        return {p: values[0] for p, values in _grouped(self.edges).items()}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A family fitted to what was said.

    Parameters
    ----------
    family, parameters
        The fitted distribution.
    misfit
        Largest miss of a value, as a share of the distance from it to the nearest other value said or end of the unit;
        of chips, of twice that distance.
    mass_error
        Largest miss of a probability, :math:`\\max_p |F(q_p) - p|`: an interval's mass is wrong by at most
        twice this.
    feedback
        Quantiles at :data:`FEEDBACK`.
    """

    family: str
    parameters: Mapping[str, float]
    misfit: float
    mass_error: float
    feedback: Mapping[float, float]

    @property
    def distance(self) -> float:
        """How far the family is from what was said, in tolerances: it is near if this is at most 1."""
        return max(self.misfit / VALUE, self.mass_error / MASS)


class _Miss(NamedTuple):
    """What was said of a value or a probability, what a family has, and the miss in its own scale."""

    what: str
    said: float
    has: float
    size: float


def heard(text: str) -> Judgement:
    """Read what an expert said, with or without a name before a colon. Numbers are read by :func:`said_number`.

    Raises
    ------
    UsageError
        If it has none of the three forms, a number cannot be read whole, a quantile stands twice, or its numbers do
        not rise.

    Examples
    --------
    >>> heard("Ann: about 400, hardly below 100 or above 1.5k").points
    {0.05: 100.0, 0.5: 400.0, 0.95: 1500.0}
    >>> heard("0-100*2, 100-200*6, 200-400*2").edges
    ((0.0, 0.0), (0.2, 100.0), (0.8, 200.0), (1.0, 400.0))
    """
    named = _NAMED.match(text)
    expert, said = (named[1], named[2]) if named else ("", text)
    edges = _by_quantiles(said) or _by_chips(said) or _by_words(said)
    if not edges:
        raise UsageError(
            "this is no judgement", key="--say", found=text, allowed=_EXAMPLES, fix="use one of these forms"
        )
    if any(a >= b for (_, a), (_, b) in pairwise(edges)):
        raise UsageError("values must rise with their probability", key="--say", found=text, fix="put them in order")
    return Judgement(expert, said.strip(), tuple(edges))


def _by_quantiles(text: str) -> list[tuple[float, float]]:
    """Each quantile that is named, by its probability."""
    matches = [_QUANTILE.match(part) for part in re.split(r"[,;](?=\s*q)", text, flags=re.IGNORECASE)]
    if not all(matches):
        return []
    found: dict[float, float] = {}
    for match in (m for m in matches if m):
        p = float(f"0.{match[1]}")
        if not 0 < p < 1 or p in found:
            raise UsageError(f"q{match[1]} stands twice" if p in found else f"there is no quantile q{match[1]}",
                             key="--say", found=text, fix="say each quantile once, from q01 to q99")  # fmt: skip
        found[p] = said_number(match[2])
    return sorted(found.items())


def _by_chips(text: str) -> list[tuple[float, float]]:
    """Return the share of chips below every edge; bins must touch."""
    matches = list(_CHIPS.finditer(text))
    if not matches or "".join(m[0] for m in matches) != text or text.rstrip()[-1] in ",;":
        return []
    bins = [(*said_range(m[1]), int(m[2])) for m in matches]
    total = sum(count for *_, count in bins)
    touching = all(a[1] == b[0] for a, b in pairwise(bins))
    if not total or not touching or any(low >= high for low, high, _ in bins):
        raise UsageError("bins of chips touch, rise, and hold a chip", key="--say", found=text,
                         allowed="0-100*2, 100-200*6, 200-400*2", fix="correct the bins")  # fmt: skip
    below = [sum(count for *_, count in bins[:i]) / total for i in range(len(bins) + 1)]
    return list(zip(below, [bins[0][0], *(high for _, high, _ in bins)], strict=True))


def _by_words(text: str) -> list[tuple[float, float]]:
    """Read the middle and what the quantity is hardly below and above; other words must be ones that add nothing."""
    words = list(_WORD.finditer(text))
    roles = [word.lastgroup for word in words]
    if sorted(map(str, roles)) != sorted(_WORDS) or not _FILLING.fullmatch(text[: words[0].start()]):
        return []
    ends = [*(word.start() for word in words[1:]), len(text)]
    number = {role: said_number(re.sub(rf"{_FILLING.pattern}\Z", "", text[word.end() : end], count=1, flags=re.I))
              for role, word, end in zip(roles, words, ends, strict=True)}  # fmt: skip
    return [(HARDLY, number["low"]), (0.5, number["middle"]), (1 - HARDLY, number["high"])]


def candidates(said: Points | Edges, unit: str | Unit) -> list[Candidate]:
    """Return every family that can be fitted to what was said and stays within a unit, the nearest first.

    Parameters
    ----------
    said
        Values by probability, or a judgement's ``edges``.

    Raises
    ------
    PriorError
        If no family can be fitted.
    """
    edges, found, unit = _edges(said), [], unit_of(unit)
    for name, member in FAMILIES.items():
        if unit.upper > member.upper:  # a Beta of years would be none of months
            continue
        if name == "Uniform" and not _is_histogram(edges):  # quantiles do not say where it ends
            continue
        try:
            parameters = fit_edges(name, edges) if _is_histogram(edges) else fit_quantiles(name, dict(edges))
        except PriorError:  # a shape that this family does not have
            continue
        if mass_outside(name, parameters, unit.lower, unit.upper) <= LEAKAGE:
            found.append(_candidate(name, parameters, edges, unit))
    if not found:
        raise PriorError("no family fits this judgement", key="--say", found=_shown(edges),
                         allowed=unit.support, fix="give another quantile, or check the unit")  # fmt: skip
    return _nearest_first(found)


def _edges(said: Points | Edges) -> Edges:
    return sorted(said.items()) if isinstance(said, Mapping) else said


def _is_histogram(edges: Edges) -> bool:
    return edges[0][0] == 0


def _shown(edges: Edges) -> dict[str, float]:
    return {_below(x): p for p, x in edges} if _is_histogram(edges) else labelled(dict(edges))


def _below(value: float) -> str:
    return f"probability below {value:g}"


def _nearest_first(found: Sequence[Candidate]) -> list[Candidate]:
    """Sort candidates by distance, and equally near ones by :data:`ORDER`."""
    rest, ranked = sorted(found, key=lambda one: ORDER.index(one.family)), []
    while rest:
        least = min(one.distance for one in rest)
        ranked.append(rest.pop(next(i for i, one in enumerate(rest) if one.distance <= least + TIE)))
    return ranked


def _candidate(name: str, parameters: Mapping[str, float], edges: Edges, unit: Unit) -> Candidate:
    values, masses = _misses(name, parameters, edges, unit)
    feedback = {p: family(name).ppf(p, parameters) for p in FEEDBACK}
    return Candidate(name, dict(parameters), max((one.size for one in values), default=0.0),
                     max(one.size for one in masses), feedback)  # fmt: skip


def _misses(name: str, parameters: Mapping[str, float], edges: Edges, unit: Unit) -> tuple[list[_Miss], list[_Miss]]:
    """How far a distribution is from each value and each probability that was said."""
    member, values = family(name), []
    for p, same in _grouped(edges).items():
        has = member.ppf(p, parameters)
        said = min(max(has, same[0]), same[-1])
        gaps = (abs(x - said) for x in (*(x for _, x in edges if x not in same), unit.lower, unit.upper))
        scale = min((gap for gap in gaps if 0 < gap < math.inf), default=abs(said) or 1.0)
        scale *= 2 if _is_histogram(edges) else 1  # a chip says the bin, not the place in it
        values.append(_Miss(next(iter(labelled({p: said}))), said, has, abs(has - said) / scale))
    masses = [_Miss(_below(x), p, has := member.cdf(x, parameters), abs(has - p)) for p, x in edges]
    return values, masses


def _grouped(edges: Iterable[tuple[float, float]]) -> dict[float, list[float]]:
    """The values of each probability between 0 and 1: several where bins are empty."""
    found: dict[float, list[float]] = {}
    for p, value in edges:
        if 0 < p < 1:
            found.setdefault(p, []).append(value)
    return found


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


def declaration(
    name: str, chosen: Candidate, said: Points | Edges, texts: Mapping[str, str], unit: Unit | None = None
) -> str:  # fmt: skip
    """Write a declared prior as TOML.

    Quantiles are written as they were said if the family has them within the 1 % a file is held to; otherwise, and of
    chips, its parameters are, and what was said stands in the note.

    Parameters
    ----------
    said
        Values by probability, or a judgement's ``edges``.
    texts
        ``meaning``, ``unit``, ``key`` and ``locator`` of the source, ``why``, ``note``.
    unit
        What the unit permits, where :data:`bayes.units.UNITS` does not say it.
    """
    edges = _edges(said)
    exact = not _is_histogram(edges) and misfit(chosen.family, chosen.parameters, dict(edges)) <= MISFIT
    exact = exact and all(abs(p * 1e4 - round(p * 1e4)) < 1e-6 for p, _ in edges)
    numbers = labelled(dict(edges)) if exact else chosen.parameters
    missed = (
        ""
        if exact or chosen.distance < 1e-3
        else f" The {chosen.family} misses what was said: {_missed(chosen, edges, unit or texts['unit'])}."
    )
    source = {"key": texts["key"], "locator": texts["locator"], "kind": "judgement", "status": "judgement"}
    values = {
        "meaning": texts["meaning"], "unit": texts["unit"], "family": chosen.family,
        "quantiles" if exact else "parameters": {key: float(value) for key, value in numbers.items()},
        "source": source, "why": texts["why"], "note": texts["note"] + missed,
    }  # fmt: skip
    return f"[{name}]\n" + "".join(f"{key:10} = {toml_text(value)}\n" for key, value in values.items())


def fitted(
    says: Sequence[str], unit: str | Unit, pool: str = "linear", chosen: str | None = None
) -> tuple[list[Judgement], list[Candidate], Candidate, Edges]:
    """Hear every expert, pool them if there are several, and fit every family, near or not.

    Returns
    -------
    judgements, candidates, choice, edges
        What was heard; every family fitted to the pool, nearest first; the one named, or else the nearest; and what was
        fitted.

    Raises
    ------
    PriorError
        If the family is not among those that fit, or no family is near what one of several experts said.

    Examples
    --------
    >>> fitted(["0-100*2, 100-200*6, 200-400*2"], "persons")[2].family
    'LogNormal'
    """
    judgements = [heard(text) for text in says]
    edges: Edges = judgements[0].edges
    if len(judgements) > 1:
        each = [_named(candidates(one.edges, unit), chosen) for one in judgements]
        for one, choice in zip(judgements, each, strict=True) if chosen is None else ():
            check_near(choice, one.edges, unit, one.expert)
        edges = _written(pooled(each, pool))
    found = candidates(edges, unit)
    return judgements, found, _named(found, chosen), edges


def _written(points: Points) -> Edges:
    """Points rounded to five digits of their spread: they are fitted as they are written."""
    digits = 4 - math.floor(math.log10(max(points.values()) - min(points.values())))
    return [(p, round(value, digits)) for p, value in sorted(points.items())]


def check_near(choice: Candidate, said: Points | Edges, unit: str | Unit, expert: str = "") -> None:
    """Raise unless a family is near what was said: :data:`VALUE` of values, :data:`MASS` of probabilities.

    Raises
    ------
    PriorError
        With the value or the probability that is missed most, what was said and what the family has.
    """
    if choice.distance > 1:
        who = f" by {expert}" if expert else ""
        way = f"{VALUE:.0%} of the way to the nearest other value said or end of the unit"
        values = "half a bin" if _is_histogram(_edges(said)) else way
        raise PriorError(f"no family is near what was said{who}", key="--say",
                         found=f"the nearest, {choice.family}, misses {_missed(choice, _edges(said), unit)}",
                         allowed=f"values within {values}, and probabilities within {MASS:.0%}",
                         fix=f"say it again, or accept the family with --family {choice.family}")  # fmt: skip


def _missed(choice: Candidate, edges: Edges, unit: str | Unit) -> str:
    """What a family misses most, in words."""
    values, masses = _misses(choice.family, choice.parameters, edges, unit_of(unit))
    sizes = [*((one.size / VALUE, one) for one in values), *((one.size / MASS, one) for one in masses)]
    worst = max(sizes, key=lambda one: one[0])[1]
    return f"{worst.what}: said {worst.said:.6g}, {choice.family} has {worst.has:.4g}"


def _named(found: Sequence[Candidate], name: str | None) -> Candidate:
    by_name = {one.family: one for one in found}
    if name is None:
        return found[0]
    check_word(name, by_name, "this family does not fit what was said", key="--family",
               otherwise="choose one of these", raises=PriorError)  # fmt: skip
    return by_name[name]
