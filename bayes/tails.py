r"""Tails of draws and of models: whether a mean has an error that can be told.

A Monte Carlo error of a mean, :math:`s/\sqrt n`, holds where the variance is finite: where the generalised Pareto shape
of both tails is below 1/2. Three answers are possible (:data:`FINITE`, :data:`HEAVY`, :data:`UNJUDGED`), because draws
tell a shape only within its standard error,

.. math:: \mathrm{se}(\hat k) = (1 + \hat k)\,/\,\sqrt m, \qquad m = \min(n/5,\ 3\sqrt n) \text{ draws of the tail.}

**Parts.** Draws that repeat one value (an atom, such as exactly no effect) belong to no tail: they are set aside, and
what lies below and above them is judged apart. Together they look like one tail with a spike, which is heavy to any
fit; so do small gains before rare harms, so that a tail that seems heavy is judged again beyond zero. Whole numbers are
spread evenly over the units around them.

**From the model.** Where a quantity grows like :math:`e^{\theta}`, :math:`\theta \sim N(\mu, \tau)`, its shape follows
from the prior of :math:`\tau` alone (:func:`exponential_shape`): rows multiply that prior by powers of :math:`\tau`,
which change no exponential rate. Whoever makes such a variable says so in its attribute ``tail_shape``.

Sources: Vehtari, Simpson, Gelman, Yao and Gabry (2024) for the fit; Smith (1987) for its standard error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes.arguments import checked

__all__ = ["FINITE", "HEAVY", "TAIL_LIMIT", "UNJUDGED", "Tail", "all_moments", "atoms_of", "exponential_shape",
           "judge_tail", "nearly_constant", "tail_shape"]  # fmt: skip

FINITE, HEAVY, UNJUDGED = "finite", "heavy", "could not be judged"
TAIL_LIMIT = 0.5
"""Shape above which the variance is not finite; above twice this neither is the mean."""
SIGMAS = 1.645
"""Standard errors of a shape between it and the limit before it is called finite or heavy: one-sided, 95 %."""

_LEAST = 25
"""Fewer draws have no five in a tail."""
_ATOMS = 3
"""More values than this that repeat are a grid, or copied draws, and not atoms."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The heavier tail of a quantity.

    Parameters
    ----------
    word
        :data:`FINITE` or :data:`HEAVY` (its variance), or :data:`UNJUDGED`.
    shape, se
        Generalised Pareto shape and its standard error: zero where the model gives the shape, NaN where none was found.
    """

    word: str
    shape: float
    se: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether a mean and its error may be printed: nothing speaks against a finite variance."""
        return self.word == FINITE or self.shape <= TAIL_LIMIT

    @property
    def why(self) -> str:
        """What is wrong with the tail and what that does to a mean; empty where its variance is finite."""
        shape = f"tail shape {self.shape:.2f}" + (f" ± {self.se:.2f}" if self.se > 0 else " by the model")
        if self.word == FINITE:
            return ""
        if math.isnan(self.shape):
            return "too few different draws to judge its tails"
        if self.word == UNJUDGED:
            return (
                f"its tails could not be judged ({shape}, limit {TAIL_LIMIT}), so an error of its mean may be too small"
            )
        if self.shape > 2 * TAIL_LIMIT:
            return f"heavy tail ({shape}, above 1): it has no finite mean"
        return (f"heavy tail ({shape}, above {TAIL_LIMIT}): its variance is not finite, so the error of its mean "
                f"falls as n^{self.shape - 1:.2f} and not as n^-0.5, and cannot be told")  # fmt: skip


def judge_tail(values: np.ndarray, known: float | None = None) -> Tail:
    """Judge the heavier tail of draws, of any shape; ``known`` is a shape that the model gives.

    >>> rng = np.random.default_rng(1)
    >>> [judge_tail(x).word for x in (rng.normal(size=4000), rng.pareto(1, 4000), np.arange(9.0))]
    ['finite', 'heavy', 'could not be judged']
    >>> judge_tail(rng.pareto(2.5, 4000), known=0.4)
    Tail(word='finite', shape=0.4, se=0.0)
    """
    flat = np.ravel(values)
    if known is not None:
        return Tail(HEAVY if known > TAIL_LIMIT else FINITE, known)
    if not np.isfinite(flat).all():
        return Tail(UNJUDGED, math.nan, math.nan)
    if nearly_constant(flat) or np.isin(flat, (flat.min(), flat.max())).all():  # a constant, or an event: bounded
        return Tail(FINITE, -math.inf)
    if _whole(flat):
        flat = _spread(flat)
    found = [_of_side(flat, part, side) for part, side in zip(_parts(flat), ("left", "right"), strict=True)]
    order = (FINITE, UNJUDGED, HEAVY)
    return max(found, key=lambda tail: (order.index(tail.word), -math.inf if math.isnan(tail.shape) else tail.shape))


def nearly_constant(values: np.ndarray, axis: tuple[int, ...] | None = None) -> Any:
    """Return whether finite draws, along axes or all of them, differ by no more than the rounding of a few operations.

    >>> nearly_constant(np.array([0.3, 0.1 + 0.2])), nearly_constant(np.array([0.3, 0.3 + 1e-12]))
    (True, False)
    """
    found = np.ptp(values, axis=axis) <= _ROUNDING * np.max(np.abs(values), axis=axis)
    return bool(found) if axis is None else found


_ROUNDING = 16 * np.finfo(float).eps


@checked
def tail_shape(values: np.ndarray) -> float:
    """Return the larger generalised Pareto shape of the two tails of draws, NaN where there is none to tell."""
    return judge_tail(values).shape


def exponential_shape(family: str, parameters: Mapping[str, Any], *, spread: bool = True) -> float:
    r"""Return the generalised Pareto shape of :math:`e^\theta`, :math:`\theta \sim N(\mu, \tau)`, by the law of tau.

    The tail of theta is that of :math:`\int e^{-t^2/2\tau^2} p(\tau)\,d\tau`. With :math:`p(\tau)` falling as
    :math:`e^{-\tau^2/2s^2}` the largest term is at :math:`\tau^2 = ts`, so that :math:`P(\theta > t)` falls as
    :math:`e^{-t/s}` and :math:`P(e^\theta > x)` as :math:`x^{-1/s}`: the shape is s. A bounded tau, or none, leaves
    all moments (0). One whose density falls more slowly (``Exponential``, ``Gamma``, ``LogNormal``, ``HalfCauchy``,
    ``HalfStudentT``, …) leaves no moment at all, not even a mean (infinity). A family not listed is NaN: not known.

    With ``spread=False`` the family is that of theta itself: 0 where it falls as a normal density or faster.

    >>> exponential_shape("HalfNormal", {"sigma": 0.4}), exponential_shape("Uniform", {"lower": 0, "upper": 2})
    (0.4, 0.0)
    >>> exponential_shape("pymc.HalfCauchy", {"beta": 0.5}), exponential_shape("Exponential", {"lam": 5})
    (inf, inf)
    >>> exponential_shape("Normal", {"mu": 0, "sigma": 1}, spread=False)
    0.0
    """
    name = family.removeprefix("pymc.")
    bounded = name in _BOUNDED or math.isfinite(parameters.get("upper") or math.inf)
    if bounded or name in _GAUSSIAN:
        return 0.0 if bounded or not spread else float(parameters["sigma"])
    if name == "Weibull" and spread:  # exp(-(tau/beta)^alpha): s = beta / sqrt(2) at alpha 2
        alpha, beta = float(parameters["alpha"]), float(parameters["beta"])
        return 0.0 if alpha > 2 else math.inf if alpha < 2 else beta / math.sqrt(2)
    return math.inf if name in _POWERS or (spread and name in _SLOW) else math.nan


def all_moments(family: str) -> bool:
    """Return whether a family is known to have moments of every order, whatever its parameters.

    >>> all_moments("LogNormal"), all_moments("pymc.StudentT")
    (True, False)
    """
    return family.removeprefix("pymc.") in _GAUSSIAN | _BOUNDED | _SLOW | {"Weibull"}


_GAUSSIAN = frozenset({"HalfNormal", "Normal", "TruncatedNormal"})
_BOUNDED = frozenset({"Beta", "Uniform", "Triangular", "Kumaraswamy", "LogitNormal"})
_SLOW = frozenset({"Exponential", "Gamma", "LogNormal", "ShiftedLogNormal", "ChiSquared", "Wald"})
"""Densities with all moments that fall more slowly than a normal one."""
_POWERS = frozenset({"HalfCauchy", "Cauchy", "HalfStudentT", "StudentT", "InverseGamma", "Pareto", "HalfFlat", "Flat"})


def atoms_of(flat: np.ndarray) -> np.ndarray:
    """Return the values on which draws (draw,) of a continuous quantity pile up, in order; none of a count or an event.

    >>> draws = np.random.default_rng(1).normal(size=4000)
    >>> atoms_of(np.maximum(draws, 0)).tolist(), atoms_of(draws).tolist(), atoms_of(draws.round()).tolist()
    ([0.0], [], [])
    """
    found, counts = np.unique(flat, return_counts=True)
    atoms = found[counts >= max(5, flat.size / 500)]
    return atoms if atoms.size <= _ATOMS and found.size > 2 * _ATOMS and not _whole(flat) else atoms[:0]


def _whole(flat: np.ndarray) -> bool:
    """Return whether every draw is a whole number."""
    return bool((flat == np.rint(flat)).all())


def _parts(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draws for the left and for the right tail: below and above the atoms."""
    atoms = atoms_of(flat)
    return (flat[flat < atoms[0]], flat[flat > atoms[-1]]) if atoms.size else (flat, flat)


def _spread(flat: np.ndarray) -> np.ndarray:
    """Spread the draws of each whole number evenly over the unit around it: a tail needs values that differ."""
    ordered = np.sort(flat)
    _, first, place, counts = np.unique(ordered, return_index=True, return_inverse=True, return_counts=True)
    return np.asarray(ordered + (np.arange(flat.size) - first[place] + 0.5) / counts[place] - 0.5)


def _of_side(flat: np.ndarray, part: np.ndarray, side: str) -> Tail:
    """Judge one tail; where it seems heavy and crosses zero, judge the part beyond zero alone."""
    tail = _one_tail(part, side)
    beyond = flat[flat < 0] if side == "left" else flat[flat > 0]
    if tail.word == HEAVY and _LEAST <= beyond.size < part.size:
        tail = _one_tail(beyond, side)
    return tail


def _one_tail(flat: np.ndarray, side: str) -> Tail:
    """One tail of draws; bounded where nothing, or a single value, is beyond the atoms."""
    from bayes.arraystats import array_stats

    if flat.size == 0 or nearly_constant(flat):
        return Tail(FINITE, -math.inf)
    if flat.size < _LEAST:
        return Tail(UNJUDGED, math.nan, math.nan)
    try:
        shape = float(array_stats.pareto_khat(flat[None], chain_axis=0, draw_axis=1, r_eff=1.0, tail=side))
    except ValueError:  # all draws of this tail are equal: it is bounded
        return Tail(FINITE, -math.inf)
    if math.isnan(shape):  # one value repeats at the edge of the tail: look beyond it
        found, counts = np.unique(flat, return_counts=True)
        return (
            _one_tail(flat[flat != found[counts.argmax()]], side) if counts.max() > 1 else Tail(UNJUDGED, shape, shape)
        )
    se = max(1 + shape, 0.0) / math.sqrt(min(flat.size / 5, 3 * math.sqrt(flat.size)))
    if shape + SIGMAS * se <= TAIL_LIMIT:
        return Tail(FINITE, shape, se)
    return Tail(HEAVY if shape - SIGMAS * se > TAIL_LIMIT else UNJUDGED, shape, se)
