r"""Exact answers where only a few scales are not Gaussian.

In a normal hierarchical model everything is Gaussian once the between-group standard deviations :math:`\tau` are
given, so a posterior is a mixture of normal distributions over :math:`\tau`, and a sum over quadrature nodes gives it
to many digits:

.. math::
    p(x \mid y) = \int N(x \mid m(\tau), s(\tau)^2)\; p(\tau \mid y)\; d\tau, \qquad
    p(\tau \mid y) \propto p(y \mid \tau)\, p(\tau).

The nodes are placed in the prior's own probability, :math:`u = F(\tau)`: the prior becomes uniform on (0, 1), any
family of positive numbers will do, and a heavy tail needs no cut. With :math:`u = 3t^2 - 2t^3` they crowd at both
ends, where :math:`\tau(u)` is steep. The rule is Gauss-Legendre with 16 points on equal panels of (0, 1), refined by
the caller until nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bayes import families

__all__ = ["POINTS", "Mixture", "crowded", "prior_nodes", "unit_nodes"]

POINTS = 16
"""Points of the rule on each panel: exact for polynomials of degree 31."""

_NEGLIGIBLE = 1e-18
"""Nodes with less than this part of the total weight are left out: all of them together are below rounding error."""

_HALVINGS = 70
"""A bracket shrinks by 2^70, to the last bit of a double."""


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
        """Normalise logarithms of weights and drop nodes that weigh nothing."""
        weight = np.exp(log_weight - np.max(log_weight))
        kept = weight > _NEGLIGIBLE * weight.sum()
        return cls(weight[kept] / weight[kept].sum(), mean[kept], sd[kept])

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations (quantity)."""
        mean = self.weight @ self.mean
        return mean, np.sqrt(self.weight @ (self.sd**2 + (self.mean - mean) ** 2))

    def cdf(self, x: float | np.ndarray) -> np.ndarray:
        """Return distribution functions at one point for each quantity: (quantity)."""
        from scipy.special import ndtr

        return np.asarray(self.weight @ ndtr((x - self.mean) / self.sd))

    def quantiles(self, probabilities: Sequence[float]) -> np.ndarray:
        """Return quantiles (quantity, probability) by bisection to the last bit."""
        return np.stack([self._quantile(p) for p in probabilities], axis=-1)

    def _quantile(self, p: float) -> np.ndarray:
        low, high = (self.mean - 40 * self.sd).min(axis=0), (self.mean + 40 * self.sd).max(axis=0)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = self.cdf(middle) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray((low + high) / 2)


@lru_cache(maxsize=64)
def unit_nodes(panels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights (16 panels) of the composite rule on (0, 1).

    >>> t, w = unit_nodes(2)
    >>> bool(abs(w @ t**2 - 1 / 3) < 1e-15)
    True
    """
    x, w = np.polynomial.legendre.leggauss(POINTS)
    left = np.arange(panels) / panels
    nodes = (left[:, None] + (x + 1) / (2 * panels)).ravel()
    return nodes, np.tile(w / (2 * panels), panels)


def crowded(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the prior probability ``u = 3t^2 - 2t^3`` at a node, and its derivative."""
    return t**2 * (3 - 2 * t), 6 * t * (1 - t)


def prior_nodes(family: str, parameters: tuple[tuple[str, float], ...], panels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return values and weights (node) over a prior: ``weights @ f(values)`` is its expectation of ``f``.

    Parameters
    ----------
    family, parameters
        A family of :data:`bayes.families.FAMILIES` and its parameters as pairs.

    Examples
    --------
    >>> tau, w = prior_nodes("Exponential", (("lam", 2.0),), 64)
    >>> round(float(w @ tau), 4)
    0.5
    """
    t, weights = unit_nodes(panels)
    u, slope = crowded(t)
    quantile = families.family(family).ppf
    given = dict(parameters)
    return np.array([quantile(p, given) for p in u.tolist()]), weights * slope
