r"""Where the probability that a target exceeds a limit crosses a level, as one lever moves.

At a value :math:`v` of the lever :math:`P_v(x > c)` is read off draws projected again, off weights where they are
relied on (:mod:`bayes.sensitivity.weights`), and off a fit at :math:`v` where they are not. A sign of :math:`P_v - p`
counts where it is four Monte Carlo errors from 0, or where the error of :math:`P_v` is at most a third of the smaller
of :math:`p` and :math:`1 - p`. What neither weights nor a fit can say is unknown, and unknown is not "no".

A fit gives the level when its own probability is within one of its own Monte Carlo errors of it. Roots are bracketed
and found by Brent's method (1973); a search by fits ends at the first that gives the level.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import optimize, stats

from bayes.arguments import check_fields
from bayes.sensitivity.changes import doubts
from bayes.sensitivity.doors import draws_of
from bayes.sensitivity.weights import (
    LEVEL_ERROR,
    Floats,
    Weights,
    equal_weights,
    mcse_of_mean,
    smoothed_weights,
)

__all__ = ["Crossing", "Lever", "Sight", "Views"]

_SCAN = 7  # values at which a lever is tried before the root is bracketed
_BORDER = 12  # halvings that find how far weights reach
_STEPS = 6  # fits that look for the other side of the level
_FITS = 24  # steps of a search by fits
_SURE = 4.0  # Monte Carlo errors from which a sign counts


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
        ``value -> target draws`` of a fit with the lever at that value; without it the search ends where weights do.
    """

    name: str
    unit: str
    low: float
    high: float
    at: Callable[[float], tuple[Any | None, Floats | None]]
    current: float = math.nan
    refit: Callable[[float], Any] | None = None

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The target at one value of a lever.

    Parameters
    ----------
    draws, weights
        (chain, draw).
    method
        ``projected``, ``reweighted``, ``refitted`` or ``unreliable``.
    doubts
        What is wrong with the chains of a fit.
    """

    draws: Floats
    weights: Weights
    method: str
    doubts: str = ""

    def chance(self, cut: float) -> float:
        """Probability of exceeding a limit."""
        return float(self.weights.values[self.draws > cut].sum())

    def error(self, cut: float) -> float:
        """Its Monte Carlo standard error."""
        inside = self.draws > cut
        return mcse_of_mean(self.draws.size * self.weights.values * (inside - self.weights.values[inside].sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """A lever's values as they are looked at: each once."""

    lever: Lever
    x: Floats
    weighted: dict[float, Sight] = field(default_factory=dict)
    fitted: dict[float, Sight] = field(default_factory=dict)

    def by_weights(self, value: float) -> Sight:
        """Look without a fit."""
        if value not in self.weighted:
            new, ratio = self.lever.at(value)
            draws = self.x if new is None else draws_of(new)
            weights = equal_weights(draws.shape) if ratio is None else smoothed_weights(ratio)
            good = "projected" if ratio is None else "reweighted" if weights.reliable() else "unreliable"
            self.weighted[value] = Sight(draws, weights, good)
        return self.weighted[value]

    def by_fit(self, value: float) -> Sight:
        """Look with a fit at the value."""
        assert self.lever.refit is not None
        if value not in self.fitted:
            found = self.lever.refit(value)
            draws, wrong = draws_of(found), "; ".join(doubts([found]))
            self.fitted[value] = Sight(draws, equal_weights(draws.shape), "unreliable" if wrong else "refitted", wrong)
        return self.fitted[value]


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """The search for the value of a lever at which the probability of exceeding ``cut`` is ``level``."""

    views: Views
    cut: float
    level: float

    # --- what is known ------------------------------------------------------------------------

    def settled(self, sight: Sight) -> bool:
        """Whether the side of the level on which a value lies is known."""
        if sight.method != "reweighted":
            return sight.method != "unreliable"
        error = max(sight.error(self.cut), 1 / sight.weights.ess)
        gap = abs(sight.chance(self.cut) - self.level)
        return gap > _SURE * error or error <= LEVEL_ERROR * min(self.level, 1 - self.level)

    def look(self, value: float) -> Sight:
        """Look by weights, and by a fit where they do not settle the matter."""
        sight = self.views.by_weights(value)
        if self.settled(sight) or self.views.lever.refit is None:
            return sight
        return self.views.by_fit(value)

    def gap(self, sight: Sight) -> float:
        """Probability less level; 0 for a fit that gives the level."""
        gap = sight.chance(self.cut) - self.level
        return 0.0 if sight.method == "refitted" and self.given(sight) else gap

    def given(self, sight: Sight) -> bool:
        """Whether a fit gives the level within its own Monte Carlo error."""
        return abs(sight.chance(self.cut) - self.level) <= sight.error(self.cut)

    # --- the search ---------------------------------------------------------------------------

    def root(self) -> float | None:
        """The root nearest to where the lever stands; None where no sign changes among what is known."""
        tried, lever = self._tried(), self.views.lever
        gaps: dict[float, float | None] = {v: self._known(self.views.by_weights(v)) for v in tried}
        bracket = self._nearest(gaps)
        if bracket is None:
            gaps |= self._borders(gaps)
            bracket = self._nearest(gaps)
        for value in sorted(tried, key=self._distance) if lever.refit else ():
            if bracket is None and gaps[value] is None:
                gaps[value] = self._known(self.views.by_fit(value))
                bracket = self._nearest(gaps)
        if bracket is None:
            gaps |= self._turn(gaps)
            bracket = self._nearest(gaps)
        return None if bracket is None else self._between(*bracket)

    def unknown(self) -> bool:
        """Whether values were tried of which nothing is known."""
        views = self.views
        return any(not self.settled(views.fitted.get(v, views.by_weights(v))) for v in self._tried())

    def reach(self) -> tuple[float, float] | None:
        """The least and the largest value of which something is known."""
        known = [v for v, sight in self.views.weighted.items() if self.settled(self.views.fitted.get(v, sight))]
        return (min(known), max(known)) if known else None

    def by_fits(self, start: float, slope: float) -> float | None:
        """Search on by fits from a value whose fit did not give the level; None where they do not get there."""
        lever, first = self.views.lever, self.gap(self.views.by_fit(start))
        width = lever.high - lever.low
        step = -1.5 * first / slope if slope and math.isfinite(slope) else width / 50
        step = math.copysign(min(max(abs(step), 1e-3 * width), width), step)
        value = start
        for _ in range(_STEPS):
            value = min(max(start + step, lever.low), lever.high)
            sight = self.views.by_fit(value)
            if sight.method == "unreliable":
                return None
            if self.gap(sight) * first <= 0:
                return self._brent(lambda v: self.gap(self.views.by_fit(v)), *sorted((start, value)))
            if value in (lever.low, lever.high):
                return None
            step *= 2
        return None

    def _tried(self) -> list[float]:
        return [float(v) for v in np.linspace(self.views.lever.low, self.views.lever.high, _SCAN)]

    def _known(self, sight: Sight) -> float | None:
        return self.gap(sight) if self.settled(sight) else None

    def _distance(self, value: float) -> float:
        lever = self.views.lever
        return abs(value - (lever.current if math.isfinite(lever.current) else lever.low))

    def _nearest(self, gaps: dict[float, float | None]) -> tuple[float, float] | None:
        """Neighbours between which the sign changes, nearest to where the lever stands."""
        order = sorted(gaps)
        found = []
        for a, b in itertools.pairwise(order):
            left, right = gaps[a], gaps[b]
            if left is not None and right is not None and left * right <= 0 and left != right:
                found.append((a, b))
        lever = self.views.lever
        here = lever.current if math.isfinite(lever.current) else lever.low
        return min(found, key=lambda ends: max(ends[0] - here, here - ends[1], 0.0), default=None)

    def _borders(self, gaps: dict[float, float | None]) -> dict[float, float | None]:
        """How far weights reach between a value that is known and a neighbour that is not."""
        order, found = sorted(gaps), {}
        for a, b in itertools.pairwise(order):
            if (gaps[a] is None) == (gaps[b] is None):
                continue
            inside, outside = (b, a) if gaps[a] is None else (a, b)
            for _ in range(_BORDER):
                middle = (inside + outside) / 2
                known = self._known(self.views.by_weights(middle))
                inside, outside = (inside, middle) if known is None else (middle, outside)
            found[inside] = self._known(self.views.by_weights(inside))
        return found

    def _turn(self, gaps: dict[float, float | None]) -> dict[float, float | None]:
        """The turning point of a parabola through the value nearest to the level and its neighbours."""
        order = [v for v in sorted(gaps) if gaps[v] is not None]
        heights: Sequence[float] = [float(gaps[v] or 0.0) for v in order]
        if len(order) < 3:
            return {}
        at = min(max(int(np.argmin(np.abs(heights))), 1), len(order) - 2)
        a, b, _ = np.polyfit(order[at - 1 : at + 2], heights[at - 1 : at + 2], 2)
        top = -b / (2 * a) if a else math.nan
        return {top: self._known(self.look(top))} if order[at - 1] < top < order[at + 1] else {}

    def _between(self, low: float, high: float) -> float:
        if self._fits_only(low, high):
            return self._brent(lambda v: self.gap(self.look(v)), low, high)
        width = self.views.lever.high - self.views.lever.low
        return float(optimize.brentq(lambda v: self.gap(self.look(v)), low, high, xtol=2e-4 * width, rtol=1e-4))

    def _fits_only(self, low: float, high: float) -> bool:
        return any(self.look(value).method == "refitted" for value in (low, high))

    def _brent(self, gap: Callable[[float], float], low: float, high: float) -> float:
        """Brent's method on fits, whose probabilities are noisy: it ends at the first that gives the level."""
        fine = 1e-7 * (self.views.lever.high - self.views.lever.low)
        return float(optimize.brentq(gap, low, high, xtol=fine, rtol=1e-9, maxiter=_FITS, disp=False))

    # --- the error of a root ------------------------------------------------------------------

    def slope(self, value: float) -> float:
        """dP/dv at a root, off weights two per cent of the range to either side, or off the fits around it."""
        lever, views = self.views.lever, self.views
        step = 0.02 * (lever.high - lever.low)
        low, high = max(lever.low, value - step), min(lever.high, value + step)
        if views.by_weights(value).method != "unreliable" and value not in views.fitted:
            return (views.by_weights(high).chance(self.cut) - views.by_weights(low).chance(self.cut)) / (high - low)
        return self._slope_of_fits(value)

    def _slope_of_fits(self, value: float) -> float:
        """In normal scores, between the nearest values to either side that are four errors from the level or more."""
        seen = {**{v: s for v, s in self.views.weighted.items() if self.settled(s)}, **self.views.fitted}
        goal = float(stats.norm.ppf(self.level))
        ends = []
        for side in (-1, 1):
            far = [(abs(v - value), v, z) for v, sight in seen.items() if (v - value) * side > 0
                   for z, error in (self._score(sight),) if abs(z - goal) >= _SURE * error]  # fmt: skip
            ends.append(min(far)[1:] if far else (value, goal))
        (low, below), (high, above) = ends
        return float(stats.norm.pdf(goal)) * (above - below) / (high - low) if high > low else math.nan

    def _score(self, sight: Sight) -> tuple[float, float]:
        """The normal score of the probability, and its error; no probability is nearer to 0 or 1 than half a draw."""
        least = 0.5 / sight.weights.ess
        z = float(stats.norm.ppf(min(max(sight.chance(self.cut), least), 1 - least)))
        return z, max(sight.error(self.cut), 2 * least) / float(stats.norm.pdf(z))
