r"""What counts say of an effect, exactly: the likelihood of each row as a function of its own effect.

Two arms have a nuisance, the log odds :math:`\alpha` at which a row's risk is placed; it is integrated out under its
prior, row by row and effect by effect, on the interval in which the integrand is not negligible. The effect sets the
other risk apart: by odds (``OR``), by ratio (``RR``, :math:`p_1 = p_2 e^\theta < 1`) or by difference (``RD``). Events
over person-time need no nuisance: given their sum, events of the treated arm are binomial with
:math:`r = T_1 e^\theta / (T_1 e^\theta + T_2)`. Single arms have none: events are binomial at log odds :math:`\theta`,
or Poisson at a log rate. Zeros enter as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayes.synthesis.approximate import of_arms
from bayes.synthesis.rows import Counts, Rates

__all__ = ["log_likelihoods", "rough"]

_ZOOMS, _COARSE, _NODES = 5, 48, 48
_DROP = 36.0
"""Where the integrand is below exp(-36) of its largest it is left out."""


def rough(rows: Counts | Rates) -> tuple[np.ndarray, np.ndarray]:
    """Return where each row's likelihood is and how wide, with a half added to each cell: only to look from."""
    values, variance = of_arms(rows, rows.events + 0.5, rows.time if isinstance(rows, Rates) else rows.total + 1.0)
    return values[:, 0] - (values[:, 1] if rows.arms == 2 else 0.0), np.sqrt(variance.sum(axis=1))


def log_likelihoods(rows: Counts | Rates, theta: np.ndarray) -> np.ndarray:
    """Return log likelihoods (row, node) at effects (row, node), without the constants that no effect moves.

    Examples
    --------
    >>> rows = Rates(("a",), np.array([[2, 4]]), np.array([[10.0, 10.0]]))
    >>> log_likelihoods(rows, np.array([[0.0]])).round(4).tolist()  # 6 log(1/2)
    [[-4.1589]]
    """
    e = rows.events.astype(float)
    if isinstance(rows, Rates):
        if e.shape[1] == 1:
            return np.asarray(e * theta - rows.time * np.exp(theta))
        shift = theta + np.log(rows.time[:, :1] / rows.time[:, 1:])
        return np.asarray(-e[:, :1] * np.logaddexp(0, -shift) - e[:, 1:] * np.logaddexp(0, shift))
    if e.shape[1] == 1:
        return np.asarray(e * theta - rows.total * np.logaddexp(0, theta))
    return np.stack([_two_arms(rows, i, theta[i]) for i in range(len(rows.labels))])


def _two_arms(rows: Counts, i: int, theta: np.ndarray) -> np.ndarray:
    """Log of the integral over the nuisance of one row (node)."""
    prior = rows.baseline_prior
    p = prior.parameters
    if prior.family == "Normal":
        low, high = p["mu"] - 9 * p["sigma"], p["mu"] + 9 * p["sigma"]
    else:
        low, high = p["lower"], p["upper"]
    ends = _bounds(rows.measure, theta, low, high)

    def logs(alpha: np.ndarray) -> np.ndarray:
        weight = -(((alpha - p["mu"]) / p["sigma"]) ** 2) / 2 if prior.family == "Normal" else 0.0
        return _both(rows, i, theta[:, None], alpha) + weight

    left, right = _closer(logs, *ends)
    x, w = np.polynomial.legendre.leggauss(_NODES)
    alpha = left[:, None] + (right - left)[:, None] * (x + 1) / 2
    found = logs(alpha)
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp.reduce(found + np.log(w), axis=1) + np.log((right - left) / 2))


def _bounds(measure: str, theta: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """The log odds of the comparator at which both risks are between 0 and 1."""
    left, right = np.full(len(theta), low), np.full(len(theta), high)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if measure == "RR":
            right = np.where(theta > 0, np.minimum(high, -np.log(np.expm1(np.maximum(theta, 1e-300)))), high)
        if measure == "RD":
            left = np.where(theta < 0, np.maximum(low, np.log(-theta / (1 + theta))), low)
            right = np.where(theta > 0, np.minimum(high, np.log((1 - theta) / theta)), high)
    return left, np.maximum(right, left + 1e-9)


def _both(rows: Counts, i: int, theta: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Binomial log likelihood of both arms."""
    (e1, e2), (n1, n2) = rows.events[i].astype(float), rows.total[i].astype(float)
    if rows.measure == "OR":
        one, two = (alpha + theta / 2, alpha - theta / 2) if rows.baseline_of == "mean" else (alpha + theta, alpha)
        return np.asarray(e1 * one - n1 * np.logaddexp(0, one) + e2 * two - n2 * np.logaddexp(0, two))
    second = e2 * alpha - n2 * np.logaddexp(0, alpha)
    log_risk = -np.logaddexp(0, -alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        risk = np.exp(log_risk + theta) if rows.measure == "RR" else np.exp(log_risk) + theta
        log_one = log_risk + theta if rows.measure == "RR" else np.log(np.maximum(risk, 0.0))
        first = np.where(e1 > 0, e1 * log_one, 0.0) + np.where(n1 > e1, (n1 - e1) * np.log1p(-np.minimum(risk, 1)), 0.0)
    return np.asarray(np.where((risk >= 0) & (risk <= 1), first, -np.inf) + second)


def _closer(
    logs: Callable[[np.ndarray], np.ndarray], left: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Narrow an interval (node) to where an integrand of one peak is not negligible."""
    u = np.linspace(0, 1, _COARSE)
    rows = np.arange(len(left))
    for _ in range(_ZOOMS):
        alpha = left[:, None] + (right - left)[:, None] * u
        found = logs(alpha)
        near = found >= found.max(axis=1, keepdims=True) - _DROP
        first = np.maximum(near.argmax(axis=1) - 1, 0)
        last = np.minimum(_COARSE - near[:, ::-1].argmax(axis=1), _COARSE - 1)
        left, right = alpha[rows, first], alpha[rows, last]
    return left, right
