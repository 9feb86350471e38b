r"""The random-effects posterior by one integral.

With :math:`y_i \sim N(\theta_i, s_i^2)`, :math:`\theta_i \sim N(\mu, \tau^2)` and :math:`\mu \sim N(m_0, s_0^2)`, given
:math:`\tau`, with :math:`v_i = s_i^2 + \tau^2`,

.. math::
    \mu \mid \tau, y \sim N(m, 1/P), \quad P = 1/s_0^2 + \sum_i 1/v_i, \quad
    m = \big(m_0/s_0^2 + \textstyle\sum_i y_i/v_i\big)/P,

and with :math:`b_i = \tau^2/v_i` the shrunken effects have mean :math:`b_i y_i + (1 - b_i) m` and variance :math:`b_i
s_i^2 + (1 - b_i)^2 / P`. What remains is the integral over :math:`\tau` (:mod:`bayes.quadrature`), on panels that
follow the posterior and are halved until that changes no number by more than :data:`PRECISION`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bayes.errors import UsageError
from bayes.families import family, scipy_frozen
from bayes.priors import Prior
from bayes.quadrature import POINTS, Mixture, panel_nodes, panels, scale_points, smallest
from bayes.synthesis.rows import LogRatios

__all__ = ["PRECISION", "PROBABILITIES", "Exact", "exact_posterior", "marginal"]

PRECISION = 1e-8
"""Largest change that halving all panels may still make: of a number in posterior standard deviations, of a chance."""

PROBABILITIES = {"q2.5": 0.025, "q50": 0.5, "q97.5": 0.975}
_ROUNDS = 5
"""Times that panels are halved, at most."""

_LEAST = 1e-8
"""Scales below this part of the smallest standard error change no likelihood by more than 1e-16."""

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
        The largest change that the last doubling of the nodes made to any number: of means, standard deviations and
        quantiles in posterior standard deviations, of chances as they are.
    """

    numbers: Mapping[str, Numbers]
    log_evidence: float
    change: float

    @property
    def converged(self) -> bool:
        """Whether doubling the nodes changes nothing that is printed."""
        return self.change < PRECISION


def exact_posterior(rows: LogRatios, mu: Prior, tau: Prior | None, trials: bool = True) -> Exact:
    """Return the posterior of a normal synthesis to many digits.

    Parameters
    ----------
    mu
        A Normal prior of the mean effect.
    tau
        A prior of positive numbers, or None for one common effect.
    trials
        Whether to give the effect of each trial too.

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
        logs, *given = _given(rows, mu, np.zeros(1), trials)
        return Exact(_all_numbers(Mixture.from_logs(logs, *given), _zero()), float(logs[0]), 0.0)
    return _refined(rows, mu, tau, trials)


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


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """The posterior of tau in x = log tau: its integrand, its panels, and what lies below all of them."""

    log_density: Callable[[np.ndarray], np.ndarray]
    ends: np.ndarray
    tiny: float
    below: float
    below_quantile: Callable[[float], float]


def _scale(rows: LogRatios, mu: Prior, tau: Prior) -> _Scale:
    given = dict(tau.parameters)
    frozen = scipy_frozen(tau.family, given)
    tiny, below = smallest(tau.family, given, _LEAST * float(rows.se.min()))
    m0, s0 = mu.parameters["mu"], mu.parameters["sigma"]
    length = max(s0, float(np.abs(rows.y - m0).max()), float(rows.se.max()))

    def log_density(x: np.ndarray) -> np.ndarray:
        values = np.exp(x)
        return np.asarray(marginal(rows, mu, values)[0] + frozen.logpdf(values) + x)

    ends = panels(log_density, scale_points(tau.family, given, tiny, length))
    return _Scale(log_density, ends, tiny, below, lambda p: float(frozen.ppf(p)))


def _refined(rows: LogRatios, mu: Prior, tau: Prior, trials: bool) -> Exact:
    """Halve the panels until nothing changes."""
    scale = _scale(rows, mu, tau)
    before: dict[str, Numbers] | None = None
    for level in range(_ROUNDS + 1):
        x, weights = panel_nodes(scale.ends, 2**level)
        values = np.concatenate([[scale.tiny / 2], np.exp(x)])
        logs, *given = _given(rows, mu, values, trials)
        with np.errstate(divide="ignore"):
            total = np.concatenate([logs[:1] + np.log(scale.below), scale.log_density(x) + np.log(weights)])
        numbers = _all_numbers(Mixture.from_logs(total, *given), _tau_numbers(scale, values, total, 2**level))
        change = np.inf if before is None else _change(before, numbers)
        if change < PRECISION:
            break
        before = numbers
    return Exact(numbers, float(np.logaddexp.reduce(total)), change)


def _change(before: Mapping[str, Numbers], after: Mapping[str, Numbers]) -> float:
    gaps = [np.abs(after[name][key] - before[name][key]) / (1.0 if key == "p_lt_0" else after[name]["sd"])
            for name in after for key in after[name]]  # fmt: skip
    return max(float(np.max(gap)) for gap in gaps)


def _given(rows: LogRatios, mu: Prior, tau: np.ndarray, trials: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log marginal densities (node); means and sds of ``mu``, ``theta_new`` and each ``theta`` (node, quantity)."""
    logs, mean, precision = marginal(rows, mu, tau)
    m, variance, tau2 = mean[:, None], 1 / precision[:, None], tau[:, None] ** 2
    means, variances = [m, m], [variance, variance + tau2]
    if trials:
        b = tau2 / (rows.se**2 + tau2)
        means.append(b * rows.y + (1 - b) * m)
        variances.append(b * rows.se**2 + (1 - b) ** 2 * variance)
    return logs, np.hstack(means), np.sqrt(np.hstack(variances))


def _all_numbers(mixture: Mixture, tau: Numbers) -> dict[str, Numbers]:
    mean, sd = mixture.moments()
    quantiles = mixture.quantiles(list(PROBABILITIES.values()))
    columns = {"mean": mean, "sd": sd, **dict(zip(PROBABILITIES, quantiles.T, strict=True)), "p_lt_0": mixture.cdf(0.0)}
    at: dict[str, int | slice] = {"mu": 0, "theta_new": 1, "theta": slice(2, None)}
    if len(mean) == 2:
        del at["theta"]
    return {"tau": tau, **{name: {key: values[where] for key, values in columns.items()} for name, where in at.items()}}


def _zero() -> Numbers:
    return dict.fromkeys(("mean", "sd", *PROBABILITIES, "p_lt_0"), np.array(0.0))


def _tau_numbers(scale: _Scale, values: np.ndarray, logs: np.ndarray, parts: int) -> Numbers:
    """Moments of tau, and quantiles by the integral of the polynomial through the nodes of a panel."""
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    mean = mass @ values
    sd = np.sqrt(mass @ (values - mean) ** 2)
    shares = np.concatenate([mass[:1], mass[1:].reshape(-1, POINTS).sum(axis=1)])
    upto = np.cumsum(shares)

    def quantile(p: float) -> np.ndarray:
        at = min(int(np.searchsorted(upto, p)), len(shares) - 1)
        if at == 0:
            return np.asarray(scale.below_quantile(p / shares[0] * scale.below))
        panel, part = divmod(at - 1, parts)
        left, right = scale.ends[panel]
        inside = mass[1:].reshape(-1, POINTS)[at - 1]
        t = _inverted(inside, p - upto[at - 1])
        return np.asarray(np.exp(left + (right - left) * (part + (t + 1) / 2) / parts))

    found = {key: quantile(p) for key, p in PROBABILITIES.items()}
    return {"mean": np.asarray(mean), "sd": np.asarray(sd), **found, "p_lt_0": np.array(0.0)}


def _inverted(mass: np.ndarray, p: float) -> float:
    """Where in (-1, 1) the integral of the polynomial with these masses at the nodes of the rule reaches ``p``."""
    from scipy.optimize import brentq

    nodes = np.polynomial.legendre.leggauss(POINTS)[0]
    orders = np.arange(POINTS)
    series = (np.polynomial.legendre.legvander(nodes, POINTS - 1).T @ mass) * (orders + 0.5)
    integral = np.polynomial.legendre.Legendre(np.polynomial.legendre.legint(series, lbnd=-1))
    return float(brentq(lambda t: integral(t) - p, -1, 1, xtol=1e-14)) if integral(1) > p > 0 else float(p > 0) * 2 - 1
