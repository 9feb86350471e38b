r"""The posterior of a synthesis of counts by a sum over mean and spread.

A row whose likelihood is :math:`L_i(\theta)` (:mod:`bayes.synthesis.likelihoods`) says of mean and spread

.. math::
    p_i(\mu, \tau) = \int L_i(\theta)\, N(\theta; \mu, \tau^2)\, d\theta,

a sum over an even grid of effects where the normal law is wider than its step, and nodes of Gauss and Hermite on a
spline of :math:`\log L_i` where it is narrower; beyond the grid a likelihood is what it is at its end. The posterior is
their product with the priors, on an even grid of :math:`\mu` (whose sum converges faster than any power of its step)
and nodes over the prior probability of :math:`\tau`. Without a row it is the product of the others: nothing is computed
again. The grid is refined once, and what that changes is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayes.quadrature import POINTS, crowded, normalised
from bayes.synthesis.exact import PROBABILITIES, Exact, inverted, numbers_of, spread_nodes, zero
from bayes.synthesis.likelihoods import log_likelihoods, rough
from bayes.synthesis.priors import MeanLaw, SpreadLaw
from bayes.synthesis.rows import Counts, Rates

__all__ = ["Table", "grid_posterior", "table_of"]

_NODES, _MEANS = 221, 241
"""Points of a row's effects, fourteen rough standard deviations to each side, and of the mean."""

_WIDE, _END = 14.0, 25.0
_HERMITE = 12
_PROBABLE = 30.0
"""A spread whose posterior density is below exp(-30) of the largest is left out."""

Numbers = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What each row says of mean and spread.

    Parameters
    ----------
    mu, tau
        Values on the grid.
    prior
        Log prior mass (mu, tau).
    rows
        Log of what each row says (row, mu, tau).
    theta, log_likelihood
        Effects of each row, and its likelihood there (row, node).
    law, ends
        Prior of the spread, and the prior probabilities between which its nodes lie.
    """

    mu: np.ndarray
    tau: np.ndarray
    prior: np.ndarray
    rows: np.ndarray
    theta: np.ndarray
    log_likelihood: np.ndarray
    law: SpreadLaw | None
    ends: tuple[float, float]

    def log_mass(self, without: int | None = None) -> np.ndarray:
        """Log posterior mass (mu, tau), of all rows or of all but one."""
        whole = self.prior + self.rows.sum(axis=0)
        return np.asarray(whole if without is None else whole - self.rows[without])


def table_of(rows: Counts | Rates, mu: MeanLaw, tau: SpreadLaw | None, fine: int = 1) -> Table:
    """Return what each row says on a grid; ``fine`` multiplies the nodes of tau and of mu."""
    theta = _effects(rows)
    logs = log_likelihoods(rows, theta)
    ends = (0.0, 0.0) if tau is None else _probable(theta, logs, mu, tau)
    spread, mass = spread_nodes(tau, 2 * fine, ends)
    means = _narrowed(theta, logs, mu, spread, fine)
    prior = mu.logpdf(means)[:, None] + np.log(means[1] - means[0]) + np.log(mass)
    said = np.stack([_said(theta, logs, means, t) for t in spread], axis=-1)
    return Table(means, spread, prior, said, theta, logs, tau, ends)


def _probable(theta: np.ndarray, logs: np.ndarray, mu: MeanLaw, tau: SpreadLaw) -> tuple[float, float]:
    """The prior probabilities of tau between which its posterior is not negligible."""
    u = np.concatenate([np.geomspace(1e-6, 0.03, 12), np.linspace(0.04, 0.96, 24), 1 - np.geomspace(0.03, 1e-9, 12)])
    values = np.asarray(tau.ppf(u))
    means = _narrowed(theta, logs, mu, values, 1)
    best = np.array([np.logaddexp.reduce(_said(theta, logs, means, t).sum(axis=0) + mu.logpdf(means))
                     for t in values])  # fmt: skip
    near = np.flatnonzero(best >= best.max() - _PROBABLE)
    return (0.0 if near[0] == 0 else float(u[near[0] - 1])), (1.0 if near[-1] == len(u) - 1 else float(u[near[-1] + 1]))


def _effects(rows: Counts | Rates) -> np.ndarray:
    """An even grid for each row that holds its likelihood (row, node)."""
    centre, sd = rough(rows)
    low, high = centre - np.minimum(_WIDE * sd, _END), centre + np.minimum(_WIDE * sd, _END)
    if isinstance(rows, Counts) and rows.arms == 2 and rows.measure == "RD":
        low, high = np.maximum(low, -1 + 1e-9), np.minimum(high, 1 - 1e-9)
    return np.asarray(np.linspace(low, high, _NODES, axis=1))


def _narrowed(theta: np.ndarray, logs: np.ndarray, mu: MeanLaw, tau: np.ndarray, fine: int) -> np.ndarray:
    """An even grid of the mean where its posterior is not negligible under any spread."""
    place, reach = mu.reach
    low, high = theta.min(), theta.max()
    if not mu.flat and reach < 10 * (high - low):
        low, high = min(low, place - 6 * reach), max(high, place + 6 * reach)
    few = tau[:: max(1, len(tau) // 8)]
    for _ in range(3):
        means = np.linspace(low, high, 121)
        total = np.stack([_said(theta, logs, means, t).sum(axis=0) for t in few], axis=-1)
        best = (total + mu.logpdf(means)[:, None]).max(axis=1)
        near = np.flatnonzero(best >= best.max() - 22)
        low, high = means[max(near[0] - 1, 0)], means[min(near[-1] + 1, 120)]
    narrow = float((best >= best.max() - 2).sum()) * (means[1] - means[0]) / 4
    count = int(np.clip((high - low) / (0.25 * narrow), _MEANS, 3 * _MEANS))
    return np.linspace(low, high, count * fine + 1)


def _said(theta: np.ndarray, logs: np.ndarray, means: np.ndarray, tau: float) -> np.ndarray:
    """Log of what each row says (row, mean) under one spread."""
    from scipy.special import ndtr

    step = theta[:, 1] - theta[:, 0]
    found = np.empty((len(theta), len(means)))
    for i in np.flatnonzero(tau < 1.2 * step).tolist():
        found[i] = _narrow(theta[i], logs[i], means, tau)
    wide = np.flatnonzero(tau >= 1.2 * step)
    if len(wide):
        z = (theta[wide, None] - means[:, None]) / tau
        kernel = np.exp(-(z**2) / 2) * (step[wide, None, None] / (tau * np.sqrt(2 * np.pi)))
        kernel[..., [0, -1]] /= 2
        kernel[..., 0] += ndtr(z[..., 0])
        kernel[..., -1] += ndtr(-z[..., -1])
        top = logs[wide].max(axis=1)
        with np.errstate(divide="ignore"):
            found[wide] = np.log(np.einsum("rmn,rn->rm", kernel, np.exp(logs[wide] - top[:, None]))) + top[:, None]
    return np.asarray(np.maximum(found, logs.max(axis=1, keepdims=True) - 700))


def _narrow(theta: np.ndarray, logs: np.ndarray, means: np.ndarray, tau: float) -> np.ndarray:
    """The same of one row (mean), where the law of effects is narrower than the step."""
    from scipy.interpolate import CubicSpline

    x, w = np.polynomial.hermite_e.hermegauss(_HERMITE if tau > 0 else 1)
    at = means[:, None] + tau * x
    inside = np.clip(at, theta[0], theta[-1])
    spline = CubicSpline(theta, np.maximum(logs, logs.max() - 700))
    slope = np.where(at < theta[0], spline(theta[0], 1), spline(theta[-1], 1))
    beyond = spline(inside) + slope * (at - inside)
    return np.asarray(np.logaddexp.reduce(beyond + np.log(w / w.sum()), axis=-1))


def grid_posterior(
    rows: Counts | Rates, mu: MeanLaw, tau: SpreadLaw | None, *, trials: bool = True, without: bool = True
) -> tuple[Exact, list[dict[str, Numbers]]]:
    """Return the posterior, and numbers of mean, spread and a new effect without each row.

    Parameters
    ----------
    trials, without
        Whether each row's own effect is wanted, and the posterior without each row.
    """
    first, table = (table_of(rows, mu, tau, fine) for fine in (1, 2))
    coarse, numbers = (_numbers(one, one.log_mass(), trials) for one in (first, table))
    gaps = [np.abs(numbers[name][key] - coarse[name][key]) / np.where(numbers[name]["sd"] > 0, numbers[name]["sd"], 1.0)
            for name in coarse for key in ("mean", "q2.5", "q50", "q97.5")]  # fmt: skip
    flat = mu.flat or (tau is not None and tau.flat)
    evidence = np.nan if flat else float(np.logaddexp.reduce(table.log_mass(), axis=None))
    less = [_numbers(table, table.log_mass(i), trials=False) for i in range(len(rows.labels))] if without else []
    return Exact(numbers, evidence, float(max(np.max(gap) for gap in gaps)), curves=_curves(table, trials)), less


_CHANCES = np.concatenate([[1e-4], np.linspace(1e-3, 1 - 1e-3, 250), [1 - 1e-4]])
"""Probabilities at which the distribution function of the spread is kept."""


def _curves(table: Table, trials: bool) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Points of the distribution function of each quantity."""
    log_mass = table.log_mass()
    mass = normalised(log_mass)
    mu = _curve(table.mu, mass.sum(axis=1), 60)
    found = {"mu": (mu[0][None], mu[1][None])}
    if trials:
        effects = [_curve(x, p, 20) for x, p in _effects_mass(table, log_mass)]
        found["theta"] = np.stack([x for x, _ in effects]), np.stack([p for _, p in effects])
    if table.law is None:
        return {**found, "theta_new": found["mu"], "tau": (np.zeros((1, 2)), np.array([[0.0, 1.0]]))}
    spread = _spread_quantiles(table, mass.sum(axis=0), _CHANCES.tolist())
    new = _of_new(table, mass)
    scale = float(new["q97.5"] - new["q2.5"]) / 4
    reach = np.arcsinh(9 * float(new["sd"]) / scale)
    x = float(new["mean"]) + scale * np.sinh(np.linspace(-reach, reach, 601))
    return {**found, "tau": (spread[None], _CHANCES[None]), "theta_new": (x[None], _predictive(table, mass, x)[None])}


def _numbers(table: Table, log_mass: np.ndarray, trials: bool = True) -> dict[str, Numbers]:
    """All numbers from log masses (mu, tau)."""
    mass = normalised(log_mass)
    found = {"mu": _of_even(table.mu, mass.sum(axis=1)), "tau": _of_nodes(table, mass.sum(axis=0))}
    found["theta_new"] = found["mu"] if table.law is None else _of_new(table, mass)
    if trials:
        every = [_of_even(x, one) for x, one in _effects_mass(table, log_mass)]
        found["theta"] = {key: np.array([one[key] for one in every]) for key in every[0]}
    return found


def _predictive(table: Table, mass: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Distribution function of a new effect."""
    from scipy.special import ndtr

    total = np.zeros(len(x))
    for t, share in zip(table.tau.tolist(), mass.T, strict=True):
        if share.sum() < 1e-13:
            continue
        total += ndtr((x[:, None] - table.mu) / max(t, 1e-12)) @ share
    return total


def _of_new(table: Table, mass: np.ndarray) -> Numbers:
    """Numbers of a new effect: quantiles by bisection of its distribution function."""
    mean = float(mass.sum(axis=1) @ table.mu)
    variance = float(mass.sum(axis=1) @ (table.mu - mean) ** 2 + mass.sum(axis=0) @ table.tau**2)
    p = np.array([*PROBABILITIES.values()])
    low, high = (np.full(len(p), mean + side * 9 * variance**0.5) for side in (-1, 1))
    for _ in range(30):
        middle = (low + high) / 2
        under = _predictive(table, mass, middle) < p
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    quantiles = {key: np.asarray(low[i]) for i, key in enumerate(PROBABILITIES)}
    return {"mean": np.asarray(mean), "sd": np.asarray(variance**0.5), **quantiles,
            "p_lt_0": np.asarray(_predictive(table, mass, np.zeros(1))[0])}  # fmt: skip


def _of_even(x: np.ndarray, mass: np.ndarray) -> Numbers:
    """Numbers of a smooth law on an even grid: its distribution function is a spline's integral."""
    fine, upto = _curve(x, mass, 60)
    below = np.interp(0.0, fine, upto, left=0.0, right=1.0)
    return numbers_of(x, mass, np.interp([*PROBABILITIES.values()], upto, fine), below)


def _curve(x: np.ndarray, mass: np.ndarray, times: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of the distribution function of a smooth law on an even grid."""
    from scipy.interpolate import CubicSpline

    fine = np.linspace(x[0], x[-1], times * len(x))
    upto = np.asarray(CubicSpline(x, mass / (x[1] - x[0])).antiderivative()(fine))
    return fine, np.maximum.accumulate(upto / upto[-1])


def _of_nodes(table: Table, mass: np.ndarray) -> Numbers:
    """Numbers of the spread."""
    if table.law is None:
        return zero()
    return numbers_of(table.tau, mass, _spread_quantiles(table, mass, [*PROBABILITIES.values()]))


def _spread_quantiles(table: Table, mass: np.ndarray, probabilities: list[float]) -> np.ndarray:
    """Quantiles of the spread by the integral of the polynomial through the nodes of a panel."""
    assert table.law is not None
    shares = mass.reshape(-1, POINTS)
    upto, t = np.concatenate([[0.0], np.cumsum(shares.sum(axis=1))]), []
    for p in probabilities:
        at = min(int(np.searchsorted(upto[1:], p)), len(shares) - 1)
        t.append((at + (inverted(shares[at], p - upto[at]) + 1) / 2) / len(shares))
    u = table.ends[0] + (table.ends[1] - table.ends[0]) * crowded(np.array(t))[0]
    return np.asarray(table.law.ppf(u))


def _effects_mass(table: Table, log_mass: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each row's own effect on its grid: its likelihood under what the others expect of it."""
    less = log_mass - table.rows
    less = np.exp(less - less.max(axis=(1, 2), keepdims=True))
    if table.law is None:
        mass = np.exp(log_mass - log_mass.max()).sum(axis=1)
        return [(table.mu, mass / mass.sum())] * len(table.rows)
    step = 0.5 * (table.theta[:, 1] - table.theta[:, 0])[:, None, None]
    expected = np.zeros(table.theta.shape)
    for i, t in enumerate(table.tau.tolist()):
        wide = np.maximum(t, step)
        kernel = np.exp(-(((table.theta[:, None] - table.mu[:, None]) / wide) ** 2) / 2) / wide
        expected += np.einsum("rm,rmn->rn", less[:, :, i], kernel)
    whole = expected * np.exp(table.log_likelihood - table.log_likelihood.max(axis=1, keepdims=True))
    return [(x, one / one.sum()) for x, one in zip(table.theta, whole, strict=True)]
