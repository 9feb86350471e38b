r"""The random-effects posterior by one integral.

With :math:`y_i \sim N(\theta_i, s_i^2)`, :math:`\theta_i \sim N(\mu, \tau^2)` and :math:`\mu \sim N(m_0, s_0^2)`, given
:math:`\tau`, with :math:`v_i = s_i^2 + \tau^2`,

.. math::
    \mu \mid \tau, y \sim N(m, 1/P), \quad P = 1/s_0^2 + \sum_i 1/v_i, \quad
    m = \big(m_0/s_0^2 + \textstyle\sum_i y_i/v_i\big)/P,

and with :math:`b_i = \tau^2/v_i` the shrunken effects have mean :math:`b_i y_i + (1 - b_i) m` and variance :math:`b_i
s_i^2 + (1 - b_i)^2 / P`. What remains is the integral over :math:`\tau` (:mod:`bayes.quadrature`), refined until
doubling the nodes moves no mean by more than :data:`PRECISION` posterior standard deviations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayes.errors import UsageError
from bayes.families import family, scipy_frozen
from bayes.priors import Prior
from bayes.quadrature import POINTS, Mixture, crowded, prior_nodes, unit_nodes
from bayes.synthesis.rows import LogRatios

__all__ = ["PRECISION", "PROBABILITIES", "Exact", "exact_posterior", "marginal"]

PRECISION = 1e-8
"""Largest change, in posterior standard deviations, that doubling the nodes may still make."""

PROBABILITIES = {"q2.5": 0.025, "q50": 0.5, "q97.5": 0.975}
_PANELS = (8, 512)
"""First and largest number of panels."""

_HALVINGS = 45
"""A panel shrinks by 2^45: beyond the precision of the integral."""

Numbers = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """Posterior numbers by quadrature.

    Parameters
    ----------
    numbers
        For each of ``mu``, ``tau``, ``theta_new`` (arrays of no dimension) and ``theta`` (row): ``mean``, ``sd``,
        ``q2.5``, ``q50``, ``q97.5``, ``p_lt_0``.
    log_evidence
        Log marginal density of the rows.
    change
        What the last doubling of the nodes changed, in posterior standard deviations.
    """

    numbers: Mapping[str, Numbers]
    log_evidence: float
    change: float


def exact_posterior(rows: LogRatios, mu: Prior, tau: Prior | None) -> Exact:
    """Return the posterior of a normal synthesis to many digits.

    Parameters
    ----------
    mu
        A Normal prior of the mean effect.
    tau
        A prior of positive numbers, or None for one common effect.

    Raises
    ------
    UsageError
        If the prior of ``mu`` is not Normal, or that of ``tau`` can be negative.

    Examples
    --------
    >>> from bayes.priortext import prior_from_text
    >>> rows = LogRatios(("a", "b"), np.array([0.0, 0.0]), np.array([1.0, 1.0]))
    >>> found = exact_posterior(rows, prior_from_text("mu", "Normal(0, 1)", "log ratio"), None)
    >>> round(float(found.numbers["mu"]["sd"]), 6)  # precision 1 + 1 + 1
    0.57735
    """
    _check_priors(mu, tau)
    if tau is None:
        mixture, logs = _mixture(rows, mu, np.zeros(1), np.ones(1))
        return Exact(_all_numbers(mixture, _zero()), float(logs[0]), 0.0)
    return _refined(rows, mu, tau)


def marginal(rows: LogRatios, mu: Prior, tau: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Return :math:`\log p(y \mid \tau)` and mean and precision of :math:`\mu \mid \tau, y`, each (node)."""
    m0, s0 = mu.parameters["mu"], mu.parameters["sigma"]
    v = rows.se**2 + np.asarray(tau)[:, None] ** 2
    precision = 1 / s0**2 + (1 / v).sum(axis=1)
    mean = (m0 / s0**2 + (rows.y / v).sum(axis=1)) / precision
    # p(y) = p(y | mu) p(mu) / p(mu | y) at mu = mean
    quadratic = ((rows.y - mean[:, None]) ** 2 / v).sum(axis=1) + ((mean - m0) / s0) ** 2
    constant = len(rows.y) * np.log(2 * np.pi) + 2 * np.log(s0) + np.log(precision)
    return -(quadratic + np.log(v).sum(axis=1) + constant) / 2, mean, precision


def _check_priors(mu: Prior, tau: Prior | None) -> None:
    if mu.family != "Normal":
        raise UsageError("the mean effect is integrated out under a Normal prior", key="mu", found=mu.family,
                         allowed="Normal(mean, sd)", fix="give a Normal prior")  # fmt: skip
    if tau is not None and family(tau.family).ppf(1e-12, tau.parameters) < 0:
        raise UsageError("a standard deviation is not negative", key="tau", found=tau.family,
                         allowed="HalfNormal, HalfCauchy, Exponential, LogNormal, Gamma, Uniform from 0",
                         fix="choose a family of positive numbers")  # fmt: skip


def _refined(rows: LogRatios, mu: Prior, tau: Prior) -> Exact:
    """Double the panels until nothing changes."""
    pairs = tuple(tau.parameters.items())
    panels, last = _PANELS
    before: np.ndarray | None = None
    while True:
        values, weights = prior_nodes(tau.family, pairs, panels)
        mixture, logs = _mixture(rows, mu, values, weights)
        means, sds = mixture.moments()
        change = np.inf if before is None else float(np.max(np.abs(means - before) / sds))
        if change < PRECISION or panels >= last:
            top = logs.max()
            evidence = float(top + np.log(weights @ np.exp(logs - top)))
            return Exact(_all_numbers(mixture, _tau_numbers(rows, mu, tau, panels)), evidence, change)
        before, panels = means, 2 * panels


def _mixture(rows: LogRatios, mu: Prior, tau: np.ndarray, weights: np.ndarray) -> tuple[Mixture, np.ndarray]:
    """Mixture of ``mu``, ``theta_new`` and each ``theta`` (quantity), and log marginal densities (node)."""
    logs, mean, precision = marginal(rows, mu, tau)
    m, variance, tau2 = mean[:, None], 1 / precision[:, None], tau[:, None] ** 2
    b = tau2 / (rows.se**2 + tau2)
    means = np.hstack([m, m, b * rows.y + (1 - b) * m])
    variances = np.hstack([variance, variance + tau2, b * rows.se**2 + (1 - b) ** 2 * variance])
    return Mixture.from_logs(logs + np.log(weights), means, np.sqrt(variances)), logs


def _all_numbers(mixture: Mixture, tau: Numbers) -> dict[str, Numbers]:
    mean, sd = mixture.moments()
    quantiles = mixture.quantiles(list(PROBABILITIES.values()))
    columns = {"mean": mean, "sd": sd, **dict(zip(PROBABILITIES, quantiles.T, strict=True)), "p_lt_0": mixture.cdf(0.0)}
    at = {"mu": 0, "theta_new": 1, "theta": slice(2, None)}
    found = {name: {key: values[where] for key, values in columns.items()} for name, where in at.items()}
    return {"mu": found["mu"], "tau": tau, "theta_new": found["theta_new"], "theta": found["theta"]}


def _zero() -> Numbers:
    return dict.fromkeys(("mean", "sd", *PROBABILITIES, "p_lt_0"), np.array(0.0))


def _tau_numbers(rows: LogRatios, mu: Prior, tau: Prior, panels: int) -> Numbers:
    """Moments of tau, and its quantiles by bisection of the integrated likelihood, panel by panel."""
    frozen = scipy_frozen(tau.family, tau.parameters)
    values, weights = prior_nodes(tau.family, tuple(tau.parameters.items()), panels)
    logs = marginal(rows, mu, values)[0]
    top = logs.max()
    mass = weights * np.exp(logs - top)
    total = mass.sum()
    mean = mass @ values / total
    sd = np.sqrt(mass @ (values - mean) ** 2 / total)
    below = np.concatenate([[0.0], np.cumsum(mass.reshape(panels, POINTS).sum(axis=1))]) / total
    x, w = unit_nodes(1)

    def share(left: float, t: float) -> float:
        """Posterior probability between two nodes of one panel."""
        u, slope = crowded(left + (t - left) * x)
        inside = marginal(rows, mu, frozen.ppf(u))[0]
        return float((t - left) * ((w * slope) @ np.exp(inside - top)) / total)

    def quantile(p: float) -> np.ndarray:
        panel = min(int(np.searchsorted(below, p, side="right")) - 1, panels - 1)
        left = panel / panels
        low, high = left, (panel + 1) / panels
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if below[panel] + share(left, middle) < p else (low, middle)
        return np.asarray(frozen.ppf(crowded(np.asarray(low))[0]))

    quantiles = {key: quantile(p) for key, p in PROBABILITIES.items()}
    return {"mean": np.asarray(mean), "sd": np.asarray(sd), **quantiles, "p_lt_0": np.array(0.0)}
