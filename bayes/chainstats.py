r"""Statistics of Markov chains, for many series of draws at a time.

Arrays are (chain, draw, series), finite; each function returns one number for each series.

- R-hat and effective sample sizes: Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), *Bayesian Analysis* 16(2).
  Chains are split in halves; rank-normalised where the paper says so. Autocovariances come from one Fourier transform
  for all series, and the autocorrelations are summed in pairs up to the first pair that is not positive, no pair
  counting more than the one before it (Geyer 1992).
- Monte Carlo error of a quantile: half the distance between the order statistics at the 16 and 84 % points of
  :math:`\mathrm{Beta}(S p + 1,\ S(1 - p) + 1)`, :math:`S` the effective size of the event of lying below it.
- Tail shape: generalised Pareto fit of the :math:`3\sqrt{n}` largest draws (Zhang and Stephens 2009), with the weak
  prior of Vehtari, Simpson, Gelman, Yao and Gabry (2024).

ArviZ computes the same, series by series; the tests compare the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

__all__ = ["bfmi", "ess_bulk", "ess_mean", "ess_quantile", "ess_tail", "mcse_mean", "mcse_quantile", "mcse_sd",
           "pareto_shape", "rhat_rank", "rhat_split"]  # fmt: skip

_AT_ONCE = 2**16
"""Draws that are worked on at a time: they fit in a processor's cache."""

_LEAST = 4
"""Draws of a chain without which nothing can be said."""

_ONE_SD = (0.1586553, 0.8413447)


def _by_part(function: Callable[[np.ndarray], np.ndarray], draws: np.ndarray) -> np.ndarray:
    """Apply a function of (series, chain, draw) to a few series at a time."""
    if np.shape(draws)[1] < _LEAST:
        return np.full(np.shape(draws)[2], math.nan)
    turned = np.moveaxis(np.asarray(draws, dtype=float), 2, 0)
    step = max(1, _AT_ONCE // max(1, turned[0].size if len(turned) else 1))
    parts = [function(np.ascontiguousarray(turned[i : i + step])) for i in range(0, len(turned), step)]
    return np.concatenate(parts) if parts else np.empty(0)


def ess_mean(draws: np.ndarray) -> np.ndarray:
    """Return the effective sample size for the mean.

    >>> draws = np.random.default_rng(1).normal(size=(4, 500, 1))
    >>> bool(1500 < ess_mean(draws)[0] < 2600)
    True
    """
    return _by_part(lambda x: _ess(_halves(x)), draws)


def ess_bulk(draws: np.ndarray) -> np.ndarray:
    """Return the effective sample size of the normal scores of the draws' ranks."""
    return _by_part(lambda x: _ess(_scores(_halves(x))), draws)


def ess_quantile(draws: np.ndarray, p: float) -> np.ndarray:
    """Return the effective sample size of the event of lying at or below the ``p`` quantile of the draws."""
    return _by_part(lambda x: _ess(_halves(_below(x, p))), draws)


def ess_tail(draws: np.ndarray, p: float = 0.05) -> np.ndarray:
    """Return the smaller of the effective sample sizes of the quantiles ``p`` and ``1 - p``."""
    return np.asarray(np.minimum(ess_quantile(draws, p), ess_quantile(draws, 1 - p)))


def rhat_rank(draws: np.ndarray) -> np.ndarray:
    """Return the larger R-hat of the ranks and of the ranks of distances from the median; NaN for one chain."""

    def both(x: np.ndarray) -> np.ndarray:
        half = _halves(x)
        folded = np.abs(half - np.median(half, axis=(1, 2), keepdims=True))
        return np.asarray(np.fmax(_rhat(_scores(half)), _rhat(_scores(folded))))

    return _by_part(both, draws) if np.shape(draws)[0] > 1 else np.full(np.shape(draws)[2], math.nan)


def rhat_split(draws: np.ndarray) -> np.ndarray:
    """Return R-hat of the draws themselves; NaN for one chain."""
    return _by_part(lambda x: _rhat(_halves(x)), draws) if np.shape(draws)[0] > 1 else np.full(draws.shape[2], math.nan)


def mcse_mean(draws: np.ndarray) -> np.ndarray:
    """Return the Monte Carlo standard error of the mean."""
    return _by_part(lambda x: x.std(axis=(1, 2), ddof=1) / np.sqrt(_ess(_halves(x))), draws)


def mcse_sd(draws: np.ndarray) -> np.ndarray:
    """Return the Monte Carlo standard error of the standard deviation, from the fourth moment."""

    def error(x: np.ndarray) -> np.ndarray:
        square = (x - x.mean(axis=(1, 2), keepdims=True)) ** 2
        variance = square.mean(axis=(1, 2))
        spread = ((square**2).mean(axis=(1, 2)) - variance**2) / _ess(_halves(square))
        return np.asarray(np.sqrt(spread / variance / 4))

    return _by_part(error, draws)


def mcse_quantile(draws: np.ndarray, p: float) -> np.ndarray:
    """Return the Monte Carlo standard error of a quantile."""
    from scipy.special import betaincinv

    def error(x: np.ndarray) -> np.ndarray:
        size, effective = x[0].size, _ess(_halves(_below(x, p)))
        ends = np.stack([betaincinv(effective * p + 1, effective * (1 - p) + 1, u) for u in _ONE_SD]) * size - 1
        low = np.floor(np.fmax(ends[0], 0)).astype(int)
        high = np.ceil(np.fmin(ends[1], size - 1)).astype(int)
        ordered, rows = np.sort(x.reshape(len(x), -1), axis=1), np.arange(len(x))
        return np.asarray((ordered[rows, high] - ordered[rows, low]) / 2)

    return _by_part(error, draws)


def bfmi(energy: np.ndarray) -> np.ndarray:
    """Return the estimated Bayesian fraction of missing information of each chain: energies (chain, draw).

    >>> bool(abs(bfmi(np.random.default_rng(1).normal(size=(1, 100_000)))[0] - 2) < 0.05)  # independent energies
    True
    """
    return np.asarray(np.square(np.diff(energy, axis=1)).mean(axis=1) / np.var(energy, axis=1, ddof=1))


def pareto_shape(tail: np.ndarray) -> np.ndarray:
    """Return the shape of a generalised Pareto distribution fitted to exceedances (series, rank), ascending.

    NaN where the first quartile is not beyond the least exceedance.

    >>> x = np.sort(np.random.default_rng(1).pareto(2.0, size=(1, 2000)))
    >>> bool(abs(pareto_shape(x)[0] - 0.5) < 0.1)
    True
    """
    n = tail.shape[1]
    first, last = tail[:, int(n / 4 + 0.5) - 1], tail[:, -1]
    usable = first > tail[:, 0]
    count = 30 + int(math.sqrt(n))
    grid = 1 - np.sqrt(count / (np.arange(1, count + 1) - 0.5))
    found = np.full(len(tail), math.nan)
    for i in np.flatnonzero(usable):
        b = grid / (3 * first[i]) + 1 / last[i]
        k = np.log1p(-b[:, None] * tail[i]).mean(axis=1)
        log_weight = n * (np.log(-b / k) - k - 1)
        weight = np.exp(log_weight - log_weight.max())
        weight = np.where(weight >= 10 * np.finfo(float).eps * weight.sum(), weight, 0.0)
        shape = np.log1p(-(weight @ b) / weight.sum() * tail[i]).mean()
        found[i] = math.inf if math.isnan(shape) else (n * shape + 5) / (n + 10)
    return found


# --- parts -----------------------------------------------------------------------------------


def _halves(x: np.ndarray) -> np.ndarray:
    """Each chain as two."""
    half = x.shape[2] // 2
    return np.concatenate([x[:, :, :half], x[:, :, x.shape[2] - half :]], axis=1)


def _below(x: np.ndarray, p: float) -> np.ndarray:
    return np.asarray(x <= np.quantile(x.reshape(len(x), -1), p, axis=1)[:, None, None], dtype=float)


def _scores(x: np.ndarray) -> np.ndarray:
    """Normal scores of the ranks of all draws of a series (Blom 1958); equal draws share their mean rank."""
    from scipy.special import ndtri

    flat = x.reshape(len(x), -1)
    order = np.argsort(flat, axis=1, kind="stable")
    ordered = np.take_along_axis(flat, order, axis=1)
    n = flat.shape[1]
    place = np.broadcast_to(np.arange(n), flat.shape)
    new = np.concatenate([np.ones((len(flat), 1), bool), ordered[:, 1:] != ordered[:, :-1]], axis=1)
    if new.all():
        mean = place + 1.0
    else:
        first = np.maximum.accumulate(np.where(new, place, 0), axis=1)
        ends = np.concatenate([new[:, 1:], np.ones((len(flat), 1), bool)], axis=1)
        last = np.minimum.accumulate(np.where(ends, place, n)[:, ::-1], axis=1)[:, ::-1]
        mean = (first + last) / 2 + 1
    ranks = np.empty(flat.shape)
    np.put_along_axis(ranks, order, mean, axis=1)
    return np.asarray(ndtri((ranks - 0.375) / (n + 0.25))).reshape(x.shape)


def _rhat(x: np.ndarray) -> np.ndarray:
    n = x.shape[2]
    between, within = n * x.mean(axis=2).var(axis=1, ddof=1), x.var(axis=2, ddof=1).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((between / within + n - 1) / n))


def _ess(x: np.ndarray) -> np.ndarray:
    """Effective sample size for the mean of chains (series, chain, draw) as they are."""
    from scipy.fft import irfft, next_fast_len, rfft

    chains, n = x.shape[1:]
    centred = x - x.mean(axis=2, keepdims=True)
    power = np.square(np.abs(rfft(centred, next_fast_len(2 * n, real=True), axis=2))).mean(axis=1)
    covariance = irfft(power, next_fast_len(2 * n, real=True), axis=1)[:, :n] / n
    mean_variance = covariance[:, 0] * n / (n - 1)
    variance = covariance[:, 0] + (x.mean(axis=2).var(axis=1, ddof=1) if chains > 1 else 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = 1 - (mean_variance[:, None] - covariance) / variance[:, None]
    rho[:, 0] = 1.0
    pairs = max(1, math.ceil((n - 2) / 2))
    even, odd = rho[:, : 2 * pairs : 2], rho[:, 1 : 2 * pairs : 2]
    both = even[:, : odd.shape[1]] + odd
    ended = both <= 0
    stop = np.where(ended.any(axis=1), ended.argmax(axis=1), both.shape[1] - 1)
    counted = np.arange(both.shape[1]) < stop[:, None]
    total = np.where(counted, np.minimum.accumulate(both, axis=1), 0.0).sum(axis=1)
    rest = np.maximum(even[np.arange(len(x)), stop], 0.0)
    size = chains * n
    ess = size / np.maximum(-1 + 2 * total + rest, 1 / math.log10(size))
    return np.where(np.ptp(x, axis=(1, 2)) < 1e-15, float(size), ess)
