"""Laws of single rows of evidence, at their observed values over draws."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, expit, gammaln, ndtr

__all__ = ["Law", "binomial", "negative_binomial", "normal"]

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]
_NEGLIGIBLE = 1e-6  # weight of a node below which its probability is not evaluated: 130 of them miss 0.00013
_TABLE = 4001
"""Points at which a distribution function of one argument is tabulated: linear interpolation then misses some 1e-5."""


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """A row's distribution at its observed value, over draws or (draw, node).

    ``log_density``; ``below``, which gives the probability of at most the value where a mask says so; and whether it
    is discrete.
    """

    log_density: Floats
    below: Callable[[Flags], Floats]
    discrete: bool

    def bounds(self, weight: Floats | float = 1.0) -> Floats:
        """Probabilities of less than, and of at most, the observed value, averaged over nodes: (draw, 2)."""
        weight = np.broadcast_to(weight, self.log_density.shape)
        matters = weight > _NEGLIGIBLE
        most = np.zeros_like(self.log_density)
        most[matters] = self.below(matters)
        less = most - np.exp(self.log_density) if self.discrete else most
        averaged = [value if value.ndim == 1 else (weight * value).sum(axis=1) for value in (less, most)]
        return np.stack(averaged, axis=-1)


def normal(value: float, mean: Floats, sd: float) -> Law:
    """Return the law of a normal observation."""
    z = (value - mean) / sd
    return Law(-0.5 * z**2 - math.log(sd) - 0.5 * math.log(2 * math.pi), lambda at: np.asarray(ndtr(z[at])), False)


def binomial(value: float, size: float, log_odds: Floats) -> Law:
    """Return the law of a count among so many, by its log odds."""
    ways = gammaln(size + 1) - gammaln(value + 1) - gammaln(size - value + 1)
    logs = ways - value * np.logaddexp(0, -log_odds) - (size - value) * np.logaddexp(0, log_odds)

    def below(at: Flags) -> Floats:
        if value >= size:
            return np.ones(at.sum())
        x = log_odds[at]
        grid = x if x.size <= _TABLE else np.linspace(x.min(), x.max(), _TABLE)
        table = betainc(size - value, value + 1, expit(-grid))
        return np.asarray(table if grid is x else np.interp(x, grid, table))

    return Law(logs, below, True)


def negative_binomial(value: float, mean: Floats, shape: Floats) -> Law:
    """Return the law of a count that varies more than a Poisson one."""
    ways = gammaln(value + shape) - gammaln(shape) - gammaln(value + 1)
    logs = ways - shape * np.log1p(mean / shape) - value * np.log1p(shape / mean)
    share = shape / (shape + mean)
    shapes = np.broadcast_to(shape, share.shape)
    return Law(logs, lambda at: np.asarray(betainc(shapes[at], value + 1, share[at])), True)
