r"""Draws seen through weights: Pareto-smoothed importance sampling, and quantiles with their Monte Carlo error.

A changed model has density :math:`\tilde p(x) \propto r(x)\, p(x)` at the draws :math:`x_i` of a fit. The weights
:math:`w_i \propto r(x_i)`, their largest smoothed by a generalised Pareto tail of shape :math:`\hat k` (Vehtari,
Simpson, Gelman, Yao and Gabry 2024, JMLR 25), turn the draws into draws of the changed model; where :math:`\hat k >
0.7`, or where fewer than 100 equally weighted draws would say as much, they cannot be relied on and the changed model
has to be fitted.

**Errors.** The weighted quantile :math:`q` of probability :math:`p` has the influence

.. math::
    \psi_i = -\frac{n w_i\, (1[x_i \le q] - p)}{f_w(q)},

:math:`f_w` the weighted density. Its Monte Carlo standard error is that of the mean of :math:`\psi`, autocorrelation
of the chains included; the error of a *difference* of two quantiles read off the same draws is that of the mean of
the difference of their influences, which is far smaller than either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes.errors import UsageError

__all__ = [
    "ESS_LEAST",
    "KHAT_LIMIT",
    "Quantiles",
    "Weights",
    "equal_weights",
    "levels",
    "mcse_of_mean",
    "quantiles",
    "smoothed_weights",
]

type Floats = NDArray[np.float64]

KHAT_LIMIT = 0.7
"""Above this Pareto shape importance weights are not relied on (Vehtari et al. 2024, section 3.2)."""
ESS_LEAST = 100.0
"""Below this number of equally weighted draws the ends of an interval are read off two or three draws, whatever the
shape."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Importance weights of draws.

    Parameters
    ----------
    values
        (chain, draw), summing to 1.
    khat
        Pareto shape of their tail; ``-inf`` where the largest weights are equal, ``inf`` where fewer weights are
        positive than a tail takes.
    """

    values: Floats
    khat: float

    @property
    def ess(self) -> float:
        r"""Kish's number of equally weighted draws, :math:`1 / \sum w_i^2`."""
        return float(1 / np.sum(self.values**2))

    def reliable(self, limit: float = KHAT_LIMIT) -> bool:
        """Whether the shape is at most a limit and :attr:`ess` at least :data:`ESS_LEAST`.

        >>> equal_weights((4, 1000)).reliable(), equal_weights((4, 10)).reliable()
        (True, False)
        """
        return self.khat <= limit and self.ess >= ESS_LEAST


def equal_weights(shape: tuple[int, ...]) -> Weights:
    """Return the weights of an unchanged model."""
    return Weights(np.full(shape, 1 / math.prod(shape)), -math.inf)


def smoothed_weights(log_ratio: ArrayLike) -> Weights:
    """Turn log density ratios into Pareto-smoothed weights.

    Parameters
    ----------
    log_ratio
        (chain, draw); log of the changed density over that of the fit, up to a constant. ``-inf`` is allowed.

    Raises
    ------
    UsageError
        If a ratio is NaN or infinite, or none is positive.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=(4, 1000))
    >>> w = smoothed_weights(0.5 * x)                        # N(0, 1) to N(0.5, 1)
    >>> round(float((w.values * x).sum()), 1), w.khat < 0.5
    (0.5, True)
    """
    from bayes.arraystats import array_stats

    logs = np.asarray(log_ratio, dtype=float)
    if np.isnan(logs).any() or (logs == np.inf).any() or (logs == -np.inf).all():
        raise UsageError("a density ratio is not defined", key="log_ratio", fix="look for draws outside the support")
    flat = logs.ravel() - logs.max()
    tail = math.floor(3 * math.sqrt(flat.size)) if flat.size > 225 else flat.size // 5
    raw = np.exp(flat)
    few = np.count_nonzero(raw) < max(tail, 1)
    if few or tail < 5 or np.ptp(np.sort(flat)[-tail:]) < 1e-12:
        return Weights((raw / raw.sum()).reshape(logs.shape), math.inf if few else -math.inf)
    smooth, khat = array_stats.psislw(-flat)  # ArviZ wants the negative: it was made for log likelihoods
    weights = np.exp(smooth)
    return Weights((weights / weights.sum()).reshape(logs.shape), math.inf if np.isnan(khat) else float(khat))


@dataclass(frozen=True, eq=False)
class Quantiles:
    """Weighted quantiles and their influences.

    Parameters
    ----------
    probs
        Probabilities (p).
    values
        Quantiles (p).
    influence
        (p, chain, draw), mean zero up to smoothing.
    """

    probs: Floats
    values: Floats
    influence: Floats

    @cached_property
    def mcse(self) -> Floats:
        """Monte Carlo standard errors (p)."""
        return np.array([mcse_of_mean(series) for series in self.influence])

    def change_from(self, base: Quantiles, coupled: bool) -> tuple[Floats, Floats]:
        """Return differences from ``base`` and their Monte Carlo standard errors.

        ``coupled`` when both come from the same draws, in the same order; otherwise they are independent.
        """
        difference = self.values - base.values
        if coupled:
            return difference, np.array([mcse_of_mean(series) for series in self.influence - base.influence])
        return difference, np.hypot(self.mcse, base.mcse)


def levels(prob: float) -> tuple[float, float, float]:
    """Return the probabilities of lower end, median and upper end of an equal-tailed interval.

    >>> levels(0.5)
    (0.25, 0.5, 0.75)
    """
    if not 0 < prob < 1:
        raise UsageError("the probability of an interval lies between 0 and 1", key="prob", found=prob)
    return (1 - prob) / 2, 0.5, (1 + prob) / 2


def quantiles(draws: ArrayLike, weights: Weights, probs: Sequence[float]) -> Quantiles:
    """Return weighted quantiles with their influences; equal weights give NumPy's.

    Parameters
    ----------
    draws
        (chain, draw), finite.
    weights
        Of the same shape.
    probs
        Probabilities, each between 0 and 1.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=(4, 1000))
    >>> found = quantiles(x, equal_weights(x.shape), [0.5])
    >>> bool(np.isclose(found.values[0], np.median(x))), round(float(found.mcse[0]), 2)  # (pi / 2 / 4000)^(1/2)
    (True, 0.02)
    """
    x = np.asarray(draws, dtype=float)
    if x.shape != weights.values.shape:
        raise UsageError("weights and draws have different shapes", found=(x.shape, weights.values.shape))
    if not np.isfinite(x).all():
        raise UsageError(
            "the target is not finite in some draws", found=int((~np.isfinite(x)).sum()), fix="choose another"
        )
    order = np.argsort(x, axis=None)
    ordered, w = x.ravel()[order], weights.values.ravel()[order]
    middle = np.cumsum(w) - w / 2
    position = (middle - middle[0]) / (middle[-1] - middle[0])

    def at(p: Any) -> Any:
        return np.interp(p, position, ordered)

    p = np.asarray(probs, dtype=float)
    values = at(p)
    width = np.sqrt(p * (1 - p)) * weights.ess ** (-1 / 3)  # bandwidth in probability
    low, high = np.clip(p - width, 0, 1), np.clip(p + width, 0, 1)
    sparsity = (at(high) - at(low)) / (high - low)  # 1 / density; 0 in an atom, where a quantile does not move
    below = (x[None] <= values[:, None, None]) - p[:, None, None]
    influence = -sparsity[:, None, None] * x.size * weights.values[None] * below
    return Quantiles(p, values, influence)


def mcse_of_mean(series: Floats) -> float:
    """Return the Monte Carlo standard error of the mean of a series (chain, draw), autocorrelation included."""
    from bayes.arraystats import array_stats

    if np.ptp(series) == 0:
        return 0.0
    return float(array_stats.mcse(series, chain_axis=0, draw_axis=1, method="mean"))
