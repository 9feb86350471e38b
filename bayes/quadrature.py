r"""Exact answers where only a few scales are not Gaussian.

In a normal hierarchical model everything is Gaussian once the between-group standard deviations :math:`\tau` are
given, so a posterior is a mixture of normal distributions over :math:`\tau`, and a sum over quadrature nodes gives it
to many digits:

.. math::
    p(x \mid y) = \int N(x \mid m(\tau), s(\tau)^2)\; p(\tau \mid y)\; d\tau, \qquad
    p(\tau \mid y) \propto p(y \mid \tau)\, p(\tau).

The nodes follow the posterior, whatever the prior expected. With :math:`x = \log \tau` the integrand
:math:`e^x p(y \mid e^x)\, p(e^x)` falls at least exponentially on both sides. Cells of :math:`x` are halved until its
logarithm changes by little in each (:func:`panels`), wherever it is not negligible; what lies below a scale that the
data cannot tell from zero is one node of its prior probability (:func:`smallest`). On each panel stands a
Gauss-Legendre rule; the caller halves all panels until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from bayes.errors import UsageError

__all__ = ["POINTS", "Mixture", "crowded", "gauss", "normalised", "panel_nodes", "panels", "scale_points",
           "smallest", "unit_nodes"]  # fmt: skip

POINTS = 16
"""Points of the rule on each panel: exact for polynomials of degree 31."""

_NEGLIGIBLE = 1e-18
"""Nodes with less than this part of the total weight are left out: all of them together are below rounding error."""

_STEPS = 200
"""Steps of a search for a quantile, at most; some eight are needed."""

DROP = 40.0
"""Where the integrand is less than exp(-40) of its largest, it is left out: below the last bit of a double."""

_WIDEST = 3.0
"""A panel is at most so wide in log tau: singularities of the integrand lie pi/2 beside the real axis."""

_FAR = 50.0
"""Scales up to exp(50) times the largest length in the problem are looked at: the heaviest tail that has a variance."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    r"""Mixtures of normal distributions with common weights, :math:`\sum_n w_n N(m_{nk}, s_{nk}^2)`.

    Parameters
    ----------
    weight
        Weights (node), positive, of sum 1.
    mean, sd
        Means and standard deviations (node, quantity).

    Examples
    --------
    >>> one = Mixture(np.array([1.0]), np.array([[0.0]]), np.array([[1.0]]))
    >>> one.quantiles([0.975]).round(6).tolist()
    [[1.959964]]
    """

    weight: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    @classmethod
    def from_logs(cls, log_weight: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> Mixture:
        """Normalise logarithms of weights and drop nodes that add nothing to a probability or a variance."""
        weight = np.exp(log_weight - np.max(log_weight))
        kept = weight > _NEGLIGIBLE * weight.sum()
        square = weight * (sd**2).max(axis=1)
        kept |= square > _NEGLIGIBLE * square.sum()
        return cls(weight[kept] / weight[kept].sum(), mean[kept], sd[kept])

    def part(self, places: slice) -> Mixture:
        """Return some of the quantities."""
        return Mixture(self.weight, self.mean[:, places], self.sd[:, places])

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations (quantity)."""
        mean = self._averaged(self.mean)
        return mean, np.sqrt(self._averaged(self.sd**2 + (self.mean - mean) ** 2))

    def cdf(self, x: float | np.ndarray) -> np.ndarray:
        """Return distribution functions at one point for each quantity: (quantity)."""
        from scipy.special import ndtr

        return self._averaged(ndtr((x - self.mean) / self.sd))

    def _averaged(self, values: np.ndarray) -> np.ndarray:
        """Average over nodes: a quantity's number does not depend, to the last bit, on which stand beside it."""
        return np.asarray((self.weight[:, None] * values).sum(axis=0))

    def quantiles(self, probabilities: Sequence[float]) -> np.ndarray:
        """Return quantiles (quantity, probability), to 1e-13 of their scale."""
        return np.stack([self._quantile(p) for p in probabilities], axis=-1)

    def _quantile(self, p: float) -> np.ndarray:
        """Newton's method, kept between bounds that close in: bisection wherever a step would leave them."""
        from scipy.special import ndtr, ndtri

        low, high = (self.mean - 40 * self.sd).min(axis=0), (self.mean + 40 * self.sd).max(axis=0)
        scale = self._averaged(self.sd)
        x, close = self._averaged(self.mean) + scale * float(ndtri(p)), 1e-13 * scale
        for _ in range(_STEPS):
            z = (x - self.mean) / self.sd
            gap = self._averaged(ndtr(z)) - p
            low, high = np.where(gap < 0, x, low), np.where(gap < 0, high, x)
            density = self._averaged(np.exp(-(z**2) / 2) / self.sd) / np.sqrt(2 * np.pi)
            with np.errstate(divide="ignore", invalid="ignore"):
                new = x - gap / density
            new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
            x, last = new, x
            if np.all(np.abs(x - last) <= close + 4 * np.finfo(float).eps * np.abs(x)):
                break
        return np.asarray(x)


@lru_cache(maxsize=8)
def gauss(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the rule of Gauss and Legendre on (-1, 1), found once.

    >>> bool(abs(gauss(3)[1] @ gauss(3)[0] ** 4 - 2 / 5) < 1e-15)
    True
    """
    x, w = np.polynomial.legendre.leggauss(points)
    x.flags.writeable = w.flags.writeable = False
    return x, w


def normalised(logs: np.ndarray) -> np.ndarray:
    """Return masses of sum 1 from their logarithms."""
    mass = np.exp(logs - logs.max())
    return np.asarray(mass / mass.sum())


def unit_nodes(panels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights (16 panels) of the composite rule on (0, 1).

    >>> t, w = unit_nodes(2)
    >>> bool(abs(w @ t**2 - 1 / 3) < 1e-15)
    True
    """
    x, w = gauss(POINTS)
    left = np.arange(panels) / panels
    nodes = (left[:, None] + (x + 1) / (2 * panels)).ravel()
    return nodes, np.tile(w / (2 * panels), panels)


def crowded(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the prior probability ``u = 3t^2 - 2t^3`` at a node, and its derivative."""
    return t**2 * (3 - 2 * t), 6 * t * (1 - t)


def smallest(law: Any, least: float) -> tuple[float, float]:
    """Return a scale that nobody can tell from zero, and the prior probability of all scales below it.

    Parameters
    ----------
    law
        Distribution of the scale, as SciPy freezes one: what is used is ``median``, ``cdf``, ``ppf`` and ``support``.
    least
        A scale that the data cannot tell from zero.

    Examples
    --------
    >>> from scipy import stats
    >>> smallest(stats.halfnorm(scale=0.5), 1e-8)[0]
    1e-08
    """
    tiny = max(min(least, 1e-4 * float(law.median())), 1e-290)
    return tiny, float(law.cdf(tiny))


def scale_points(law: Any, tiny: float, length: float) -> np.ndarray:
    """Return logarithms of scales from which to look for the posterior: the prior's nodes, and evenly all others.

    Parameters
    ----------
    law
        As of :func:`smallest`.
    tiny, length
        A scale that is as good as zero, and the largest length in the data and in the other priors.
    """
    prior = np.asarray(law.ppf(crowded(unit_nodes(2)[0])[0]))
    lower, upper = (float(end) for end in law.support())
    low, high = np.log(max(tiny, lower)), min(np.log(max(length, prior.max())) + _FAR, 340.0)
    if upper < np.inf:  # towards an end of the support geometrically: the density may be steep there
        high = np.log(upper) - 1e-12
        prior = np.concatenate([prior, upper * (1 - 2.0 ** -np.arange(1, 40))])
    low = min(low, high - 1e-9) if lower <= 0 else low + 1e-12
    inside = np.log(prior[(prior > np.exp(low)) & (prior < np.exp(high))])
    return np.unique(np.concatenate([np.linspace(low, high, 2 + int((high - low) * 2)), inside]))


def panels(log_density: Callable[[np.ndarray], np.ndarray], points: np.ndarray, jump: float = 3.0,
           drop: float = DROP) -> np.ndarray:  # fmt: skip
    """Return ends (panel, 2) of panels that follow a density.

    A cell between two points is halved as long as the logarithm changes by more than ``jump`` in it, or as it is more
    than twice as wide as a neighbour, which a peak between two points of one height would otherwise escape; but only
    where the density, or its second moment in exp(x), matters.

    Parameters
    ----------
    log_density
        Logarithms of a density in x at points.
    points
        Where the search starts; beyond them is nothing.
    jump, drop
        Largest change of the logarithm in a panel; how far below its largest value it is negligible.

    Examples
    --------
    >>> ends = panels(lambda x: -((x - 1) ** 2) / 2e-8, np.linspace(-20, 20, 50))
    >>> x, w = panel_nodes(ends)
    >>> round(float(w @ np.exp(-((x - 1) ** 2) / 2e-8)) / (2e-8 * np.pi) ** 0.5, 12)
    1.0
    """
    x = np.unique(points)
    f = log_density(x)
    for _ in range(100):
        near, width = _near(x, f, drop), np.diff(x)
        edge = np.concatenate([[np.inf], width, [np.inf]])
        with np.errstate(invalid="ignore"):
            rough = np.abs(np.diff(f)) > jump
        uneven = width > 2.001 * np.minimum(edge[:-2], edge[2:])
        split = (near[:-1] | near[1:]) & (rough | uneven) & (width > 1e-12 * (1 + np.abs(x[1:])))
        if not split.any():
            break
        middle = (x[:-1] + x[1:])[split] / 2
        order = np.argsort(np.concatenate([x, middle]))
        f = np.concatenate([f, log_density(middle)])[order]
        x = np.concatenate([x, middle])[order]
    near = _near(x, f, drop)
    if not near.any():
        raise UsageError("the density is nowhere greater than zero: prior and data do not go together", key="prior",
                         fix="take a wider prior, or check the size of the numbers")  # fmt: skip
    return _merged(x, np.abs(np.diff(f)), near[:-1] | near[1:], jump)


def _near(x: np.ndarray, f: np.ndarray, drop: float) -> np.ndarray:
    """Whether the density, or its second moment in exp(x), is not negligible at a point."""
    return np.asarray((f > f.max() - drop) | (f + 2 * x > (f + 2 * x).max() - drop))


def _merged(x: np.ndarray, change: np.ndarray, kept: np.ndarray, jump: float) -> np.ndarray:
    """Join neighbouring cells as long as the logarithm changes by little."""
    found: list[list[float]] = []
    used = np.inf
    for i in np.flatnonzero(kept).tolist():
        joins = bool(found) and found[-1][1] == x[i] and used + change[i] <= jump and x[i + 1] - found[-1][0] <= _WIDEST
        if joins:
            found[-1][1], used = x[i + 1], used + change[i]
        else:
            found.append([x[i], x[i + 1]])
            used = change[i]
    return np.array(found)


def panel_nodes(ends: np.ndarray, parts: int = 1, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights of the rule on panels, each cut into so many equal parts.

    >>> x, w = panel_nodes(np.array([[0.0, 1.0], [2.0, 3.0]]))
    >>> round(float(w @ x), 12)
    3.0
    """
    x, w = gauss(points)
    cuts = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * np.arange(parts + 1) / parts
    left, half = cuts[:, :-1].ravel(), (np.diff(cuts, axis=1) / 2).ravel()
    return (left[:, None] + half[:, None] * (x + 1)).ravel(), (half[:, None] * w).ravel()
