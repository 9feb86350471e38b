r"""Draws seen through weights: Pareto-smoothed importance sampling, and quantiles with their Monte Carlo error.

A changed model has density :math:`\tilde p(x) \propto r(x)\, p(x)` at the draws :math:`x_i` of a fit. The weights
:math:`w_i \propto r(x_i)`, their largest smoothed by a generalised Pareto tail of shape :math:`\hat k` (Vehtari,
Simpson, Gelman, Yao and Gabry 2024, JMLR 25), turn the draws into draws of the changed model.

**When they are relied on.** An estimate by weights has a Monte Carlo error that can be stated while the variance of the
weights is finite, which is a shape below 1/2. The shape is itself estimated from the :math:`M` largest weights, with
standard error :math:`(1 + k) / \sqrt M` (Smith 1987, Ann. Stat. 15), so that two of these are left as a margin:

.. math::
    \hat k + 2\, \frac{1 + \hat k}{\sqrt M} \le \tfrac12 ,

0.31 for 4,000 draws (:func:`khat_limit`). Besides, the weights have to leave 100 effective draws, and as many positive
weights as a tail takes. A quantile is relied on where its own probability is known to a third of the smaller one beside
it (:attr:`Quantiles.resolved`), some nine effective draws. Elsewhere the changed model has to be fitted. Within this
rule the stated errors cover in simulations of conjugate normal models (``tests/sensitivity/test_stated_errors.py``);
with the limit of 0.7, at which estimates themselves fail, as few as one interval in seven does.

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

__all__ = ["ESS_LEAST", "KHAT_LIMIT", "LEVEL_ERROR", "Quantiles", "Weights", "equal_weights", "khat_limit",
           "levels", "mcse_of_mean", "quantiles", "rules", "smoothed_weights", "tail_size"]  # fmt: skip

type Floats = NDArray[np.float64]

KHAT_LIMIT = 0.7
"""Above this Pareto shape estimates by weights fail, and not only their errors (Vehtari et al. 2024, section 3.2)."""
ESS_LEAST = 100.0
"""Below this number of equally weighted draws the ends of an interval are read off two or three draws, whatever the
shape."""
LEVEL_ERROR = 1 / 3
"""Share of the smaller probability beside a quantile to which the probability has to be known."""
_FINITE, _MARGIN = 0.5, 2.0
"""Shape below which the variance of weights is finite, and standard errors of the shape kept as a margin."""


def tail_size(draws: int) -> int:
    """Return the number of largest weights that a tail is fitted to: three times the root of the number of draws.

    >>> tail_size(4000), tail_size(100)
    (189, 20)
    """
    return math.floor(3 * math.sqrt(draws)) if draws > 225 else draws // 5


def khat_limit(draws: int) -> float:
    """Return the largest Pareto shape at which the variance of weights is finite beyond the error of the shape.

    >>> [round(khat_limit(draws), 2) for draws in (1000, 4000, 100_000)]
    [0.24, 0.31, 0.41]
    """
    error = _MARGIN / math.sqrt(max(tail_size(draws), 1))
    return (_FINITE - error) / (1 + error)


def rules(draws: int) -> dict[str, float]:
    """Return the rule by which weights of so many draws are relied on, as data: for a page that applies it too.

    >>> rules(4000)["ess_least"], rules(4000)["positive_least"]
    (100.0, 189)
    """
    return {"khat_limit": khat_limit(draws), "ess_least": ESS_LEAST, "positive_least": tail_size(draws),
            "level_error": LEVEL_ERROR}  # fmt: skip


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

    def reliable(self, limit: float | None = None) -> bool:
        """Whether the shape is at most a limit, by default :func:`khat_limit`, and :attr:`ess` at least
        :data:`ESS_LEAST`.

        >>> equal_weights((4, 1000)).reliable(), equal_weights((4, 10)).reliable()
        (True, False)
        """
        return self.khat <= (khat_limit(self.values.size) if limit is None else limit) and self.ess >= ESS_LEAST


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
    tail = tail_size(flat.size)
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
    sparsity
        One over the density at each quantile (p); 0 in an atom.
    """

    probs: Floats
    values: Floats
    influence: Floats
    sparsity: Floats

    @cached_property
    def mcse(self) -> Floats:
        """Monte Carlo standard errors (p)."""
        return np.array([mcse_of_mean(series) for series in self.influence])

    @cached_property
    def resolved(self) -> NDArray[np.bool_]:
        """Whether the probability of each quantile (p) is known to :data:`LEVEL_ERROR` of the smaller one beside it.

        A quantile in an atom is: it does not move.
        """
        allowed = LEVEL_ERROR * np.minimum(self.probs, 1 - self.probs)
        return np.asarray(self.mcse <= allowed * self.sparsity)

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
    return Quantiles(p, values, influence, sparsity)


def mcse_of_mean(series: Floats) -> float:
    """Return the Monte Carlo standard error of the mean of a series (chain, draw), autocorrelation included."""
    from bayes.arraystats import array_stats

    if np.ptp(series) == 0:
        return 0.0
    return float(array_stats.mcse(series, chain_axis=0, draw_axis=1, method="mean"))
