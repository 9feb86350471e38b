r"""The posterior of a linear synthesis by one integral over each scale.

Estimates :math:`y` of covariance :math:`S` (standard errors, and what rows share) measure effects :math:`\theta`,

.. math::
    y \sim N(\theta, S), \qquad \theta \sim N(X\beta,\; \tau^2 G + \omega^2 I), \qquad \beta \sim N(m_0, \Lambda^{-1}),

where :math:`X` has a column of ones (its coefficient is :math:`\mu`) and the moderators. :math:`G` is 1 within a row.
Two rows of one study have :math:`G = 1` between them, and :math:`\omega` sets them apart; two rows that share a
comparator have :math:`G = 1/2` (Higgins and Whitehead 1996, Stat. Med. 15:2733). Given the scales, with
:math:`V = S + \tau^2 G + \omega^2 I` and :math:`P = X^\top V^{-1} X + \Lambda`,

.. math::
    \beta \sim N(m, P^{-1}), \quad m = P^{-1}(X^\top V^{-1} y + \Lambda m_0), \qquad
    \log p(y) = -\tfrac12\big(r^\top V^{-1} r + (m - m_0)^\top \Lambda (m - m_0) + \log |V| + \log |P|
    - \log |\Lambda| + n \log 2\pi\big)

with :math:`r = y - Xm`, and effects are normal too: :math:`\theta = X\beta + C V^{-1}(y - X\beta) + N(0, C - C V^{-1}
C)`, :math:`C = V - S`. A prior that is a mixture of normal laws gives a mixture. What remains is the integral over
:math:`\tau` (:mod:`bayes.quadrature`) on panels that follow the posterior and are halved until that changes no number
by more than :data:`PRECISION`; :math:`\omega` is summed out over nodes of its prior, doubled together with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bayes.priors import Prior
from bayes.quadrature import (
    POINTS,
    Mixture,
    crowded,
    gauss,
    normalised,
    panel_nodes,
    panels,
    scale_points,
    smallest,
    unit_nodes,
)
from bayes.synthesis.priors import MeanLaw, SpreadLaw, mean_law, spread_law
from bayes.synthesis.rows import LogRatios

__all__ = ["PRECISION", "PROBABILITIES", "Exact", "Linear", "Regression", "TauNodes", "exact_posterior", "linear",
           "marginal", "numbers_of", "spread_nodes", "weighted", "zero"]  # fmt: skip

PRECISION = 1e-8
"""Largest change that halving all panels may still make: of a number in posterior standard deviations, of a chance."""

PROBABILITIES = {"q2.5": 0.025, "q50": 0.5, "q97.5": 0.975}
_ROUNDS = 5
"""Times that panels are halved, at most."""

_LEAST = 1e-8
"""Scales below this part of the smallest standard error change no likelihood by more than 1e-16."""

_WITHIN = 2
"""Panels over the prior probability of omega at first."""

Numbers = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class TauNodes:
    """The posterior of tau by nodes of a rule on panels of log tau, and one node for all that is as good as zero.

    Parameters
    ----------
    ends
        Of the panels, in log tau.
    values, logs
        Of tau at each node, and the logarithm of its mass.
    parts
        Equal parts of each panel.
    below
        Prior probability of what is as good as zero; ``below_quantile`` inverts it.
    """

    ends: np.ndarray
    values: np.ndarray
    logs: np.ndarray
    parts: int
    below: float
    below_quantile: Callable[[float], float]

    @property
    def mass(self) -> np.ndarray:
        """The posterior mass of each node."""
        return normalised(self.logs)

    def quantiles(self, probabilities: list[float]) -> np.ndarray:
        """Quantiles by the integral of the polynomial through the nodes of a panel."""
        mass = self.mass
        shares = np.concatenate([mass[:1], mass[1:].reshape(-1, POINTS).sum(axis=1)])
        upto = np.cumsum(shares)

        def quantile(p: float) -> float:
            at = min(int(np.searchsorted(upto, p)), len(shares) - 1)
            if at == 0:
                return float(self.below_quantile(p / shares[0] * self.below))
            panel, part = divmod(at - 1, self.parts)
            left, right = self.ends[panel]
            t = inverted(mass[1:].reshape(-1, POINTS)[at - 1], p - upto[at - 1])
            return float(np.exp(left + (right - left) * (part + (t + 1) / 2) / self.parts))

        return np.array([quantile(p) for p in probabilities])

    def numbers(self) -> Numbers:
        """Moments and quantiles."""
        return numbers_of(self.values, self.mass, self.quantiles([*PROBABILITIES.values()]))


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """Posterior numbers by quadrature.

    Parameters
    ----------
    numbers
        For each of ``mu``, ``tau``, ``theta_new`` (arrays of no dimension), ``theta`` (row), and where there are any
        ``slope`` (moderator), ``at`` and ``at_new`` (named place), ``omega``: ``mean``, ``sd``, ``q2.5``, ``q50``,
        ``q97.5``, ``p_lt_0``.
    log_evidence
        Log marginal density of the rows; NaN under a prior that has no density.
    change
        The largest change that the last doubling of the nodes made to any number: of means, standard deviations and
        quantiles in posterior standard deviations, of chances as they are.
    mixture, places
        Everything but the scales as a mixture of normal laws over nodes, and where each quantity stands in it.
    tau
        Nodes of tau, or None for common effects.
    curves
        Where there is no mixture: points of the distribution function of each quantity, values and probabilities
        (quantity, point).
    """

    numbers: Mapping[str, Numbers]
    log_evidence: float
    change: float
    mixture: Mixture | None = None
    places: Mapping[str, slice] = field(default_factory=dict)
    tau: TauNodes | None = None
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def quantiles(self, name: str, probabilities: Sequence[float]) -> np.ndarray:
        """Return quantiles (quantity, probability) of ``mu``, ``tau``, ``theta_new``, ``theta`` and the like."""
        if name in self.curves:
            return np.array([np.interp(probabilities, p, x) for x, p in zip(*self.curves[name], strict=True)])
        if name == "tau":
            return (np.zeros(len(probabilities)) if self.tau is None else self.tau.quantiles([*probabilities]))[None]
        assert self.mixture is not None
        return self.mixture.part(self.places[name]).quantiles([*probabilities])

    def below(self, name: str, value: float) -> np.ndarray:
        """Return probabilities (quantity) that an effect is below a value."""
        if name in self.curves:
            return np.array([np.interp(value, x, p) for x, p in zip(*self.curves[name], strict=True)])
        assert self.mixture is not None
        return self.mixture.part(self.places[name]).cdf(value)

    @property
    def converged(self) -> bool:
        """Whether doubling the nodes changes nothing that is printed."""
        return self.change < PRECISION


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Rows as arrays, with the priors of what is linear in them.

    Parameters
    ----------
    y, x
        Estimates (row) and design (row, coefficient): ones first.
    blocks
        Of each size: rows (block, size), their sampling covariance and the share of tau (block, size, size).
    weight, mean, precision
        Of each component of the prior of the coefficients: (component), (component, coefficient) twice.
    at
        Named places at which effects are predicted (place, coefficient).
    """

    y: np.ndarray
    x: np.ndarray
    blocks: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]
    weight: np.ndarray
    mean: np.ndarray
    precision: np.ndarray
    at: np.ndarray

    @property
    def flat(self) -> bool:
        """Whether a coefficient has a prior without density."""
        return bool((self.precision == 0).any())


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """Coefficients of moderators.

    Parameters
    ----------
    slope
        Normal or flat prior of each coefficient.
    centre
        Of each moderator: the value at which the mean effect is that of ``mu``.
    at
        Values of the moderators at named places (place, moderator).
    """

    slope: MeanLaw
    centre: np.ndarray
    at: Mapping[str, np.ndarray] = field(default_factory=dict)


def linear(rows: LogRatios, mu: MeanLaw, regression: Regression | None = None) -> Linear:
    """Return the arrays of rows under a prior of the mean and one of each slope."""
    centre = np.zeros(0) if regression is None else regression.centre
    at = [] if regression is None else [np.r_[1.0, values - centre] for values in regression.at.values()]
    x = np.column_stack(
        [np.ones(len(rows.y)), *(values - centre[i] for i, values in enumerate(rows.moderators.values()))]
    )
    more = x.shape[1] - 1
    b = (0.0, 0.0) if regression is None else (float(regression.slope.mean[0]), float(regression.slope.precision[0]))
    mean, precision = (np.column_stack([first, np.full((len(first), more), then)])
                       for first, then in ((mu.mean, b[0]), (mu.precision, b[1])))  # fmt: skip
    return Linear(rows.y, x, _blocks(rows), mu.weight, mean, precision, np.array(at).reshape(-1, 1 + more))


def _blocks(rows: LogRatios) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]:
    """Rows that belong together, by how many they are: places, sampling covariance, share of tau."""
    sizes: dict[int, list[list[int]]] = {}
    for members in rows.clusters:
        sizes.setdefault(len(members), []).append(members)
    found = []
    for size, groups in sizes.items():
        at = np.array(groups)
        s = rows.se[at][..., None] ** 2 * np.eye(size)
        if rows.covariance is not None:
            s = rows.covariance[at[:, :, None], at[:, None, :]]
        share = np.where(np.eye(size, dtype=bool), 1.0, 1.0 if rows.study else 0.5)
        found.append((at, s, np.broadcast_to(share, s.shape)))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """What follows given scales: log densities (…, component), coefficients, and each block's turn and precisions."""

    logs: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    turned: tuple[tuple[np.ndarray, np.ndarray], ...]


def _given(model: Linear, tau: np.ndarray, omega: float) -> _Given:
    r"""Condition on values of tau (node) and one of omega.

    With :math:`S + \omega^2 I = L L^\top` and :math:`L^{-1} G L^{-\top} = U \Lambda U^\top`, rows turned by :math:`A =
    U^\top L^{-1}` are independent, of variances :math:`1 + \tau^2 \Lambda`, which is as sound for a huge
    :math:`\tau` as for a small one.
    """
    coefficients = model.x.shape[1]
    information = np.zeros((len(tau), coefficients, coefficients))
    score, log_det = np.zeros((len(tau), coefficients)), np.zeros(len(tau))
    turned, residual = [], []
    for members, s, share in model.blocks:
        root = np.linalg.cholesky(s + omega**2 * np.eye(s.shape[-1]))
        half = np.linalg.inv(root)
        eigen, u = np.linalg.eigh(half @ share @ half.transpose(0, 2, 1))
        a = u.transpose(0, 2, 1) @ half
        grown = np.square(tau)[:, None, None] * np.maximum(eigen, 0.0)
        d = 1 / (1 + grown)
        log_det += np.log1p(grown).sum(axis=(1, 2)) + 2 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum()
        z = (a @ model.y[members][..., None]).ravel()
        x, flat = (a @ model.x[members]).reshape(-1, coefficients), d.reshape(len(tau), -1)
        information += (flat @ (x[:, :, None] * x[:, None]).reshape(len(x), -1)).reshape(information.shape)
        score += flat @ (z[:, None] * x)
        residual.append((z, x, flat))
        turned.append((a, d))
    precision = information[:, None] + model.precision[:, :, None] * np.eye(coefficients)
    right = score[:, None] + model.precision * model.mean
    covariance = np.linalg.inv(precision) if coefficients > 1 else 1 / precision
    mean = (covariance @ right[..., None])[..., 0]
    quadratic = ((mean - model.mean) ** 2 * model.precision).sum(axis=-1)
    for z, x, flat in residual:
        quadratic += np.einsum("nck,nk->nc", (z - mean @ x.T) ** 2, flat)
    logs = -(quadratic + log_det[:, None] + _log_det(precision) + _constant(model)) / 2 + np.log(model.weight)
    return _Given(logs, mean, covariance, tuple(turned))


def _log_det(precision: np.ndarray) -> np.ndarray:
    single = precision.shape[-1] == 1
    return np.asarray(np.log(precision[..., 0, 0]) if single else np.linalg.slogdet(precision)[1])


def _constant(model: Linear) -> np.ndarray:
    """What of the log density depends on neither rows nor scales (component)."""
    proper = model.precision > 0
    logs = np.log(np.where(proper, model.precision, 1.0)).sum(axis=1)
    return np.asarray(np.log(2 * np.pi) * (len(model.y) - (~proper).sum(axis=1)) - logs)


def marginal(
    rows: LogRatios, mu: Prior | MeanLaw, tau: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    r"""Return :math:`\log p(y \mid \tau)` and mean and precision of :math:`\mu \mid \tau, y`, each (node).

    For rows without moderators, and a normal prior of the mean.
    """
    tau = np.asarray(tau, dtype=float)
    found = _given(linear(rows, mean_law(mu)), tau, 0.0)
    return found.logs[:, 0], found.mean[:, 0, 0], 1 / found.covariance[:, 0, 0, 0]


def exact_posterior(
    rows: LogRatios, mu: Prior | MeanLaw, tau: Prior | SpreadLaw | None, trials: bool = True, *,
    omega: SpreadLaw | None = None, regression: Regression | None = None,
) -> Exact:  # fmt: skip
    """Return the posterior of a linear synthesis to many digits.

    Parameters
    ----------
    mu
        A prior of the mean effect: Normal, a Student t, a mixture of such, or flat.
    tau
        A prior of positive numbers, or None for one common effect.
    trials
        Whether to give the effect of each row too.
    omega
        A prior of the sd between rows of one study; left out where no study has two.
    regression
        Priors of the moderators' coefficients, and where to predict.

    Raises
    ------
    UsageError
        If the prior of ``mu`` is no mixture of normal laws, or that of ``tau`` can be negative.

    Examples
    --------
    >>> from bayes.priortext import prior_from_text
    >>> rows = LogRatios(("a", "b"), np.array([0.0, 0.0]), np.array([1.0, 1.0]))
    >>> found = exact_posterior(rows, prior_from_text("mu", "Normal(0, 1)", "log ratio"), None)
    >>> round(float(found.numbers["mu"]["sd"]), 6)  # precision 1 + 1 + 1
    0.57735
    """
    model = linear(rows, mean_law(mu), regression)
    if tau is None:
        within = np.zeros(1), np.ones(1)
        given = _crossed(model, np.zeros(1), within)
        return _assembled(model, None, given.logs.reshape(1, -1), within, given, trials)
    inner = omega if rows.study and any(len(one) > 1 for one in rows.clusters) else None
    return _refined(model, rows, spread_law(tau), inner, trials)


def spread_nodes(
    law: SpreadLaw | None, panels: int, ends: tuple[float, float] = (0.0, 1.0)
) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes of a spread between two prior probabilities, and their prior mass."""
    if law is None:
        return np.zeros(1), np.ones(1)
    t, weights = unit_nodes(panels)
    u, slope = crowded(t)
    return np.asarray(law.ppf(ends[0] + (ends[1] - ends[0]) * u)), weights * slope * (ends[1] - ends[0])


def _refined(model: Linear, rows: LogRatios, tau: SpreadLaw, omega: SpreadLaw | None, trials: bool) -> Exact:
    """Halve the panels until nothing changes."""
    tiny, below = smallest(tau, _LEAST * float(rows.se.min()))
    middle, reach = float(model.weight @ model.mean[:, 0]), model.precision[model.precision > 0]
    length = max(float((reach**-0.5).max(initial=0.0)), float(np.abs(rows.y - middle).max()), float(rows.se.max()))

    first = spread_nodes(omega, _WITHIN)

    def density(x: np.ndarray) -> np.ndarray:
        """Log mass at x = log tau (node)."""
        logs = _crossed(model, np.exp(x), first).logs + np.log(first[1])[:, None]
        return np.asarray(np.logaddexp.reduce(logs, axis=(1, 2)) + tau.logpdf(np.exp(x)) + x)

    ends = panels(density, scale_points(tau, tiny, length))
    found, before = None, None
    for level in range(_ROUNDS + 1 if omega is None else 3):
        x, weights = panel_nodes(ends, 2**level)
        within = spread_nodes(omega, _WITHIN * 2**level)
        values = np.concatenate([[tiny / 2], np.exp(x)])
        given = _crossed(model, values, within)
        with np.errstate(divide="ignore"):
            mass = np.concatenate([[np.log(below)], tau.logpdf(np.exp(x)) + x + np.log(weights)])
        logs = (given.logs + np.log(within[1])[:, None]).reshape(len(values), -1) + mass[:, None]
        nodes = TauNodes(ends, values, np.logaddexp.reduce(logs, axis=1), 2**level, below, lambda p: float(tau.ppf(p)))
        found = _assembled(model, nodes, logs, within, given, trials, before)
        if found.change < PRECISION:
            break
        before = found.numbers
    assert found is not None
    return found


def _crossed(model: Linear, tau: np.ndarray, within: tuple[np.ndarray, np.ndarray]) -> _Given:
    """Condition on each pair of scales: logs (tau, omega, component), the rest (tau and omega, …)."""
    each = [_given(model, tau, omega) for omega in within[0].tolist()]
    if len(each) == 1:
        one = each[0]
        turned = tuple((a[None], d[:, None]) for a, d in one.turned)
        return _Given(one.logs[:, None], one.mean, one.covariance, turned)

    def joined(parts: list[np.ndarray]) -> np.ndarray:
        stacked = np.stack(parts, axis=1)
        return stacked.reshape(-1, *stacked.shape[2:])

    mean, covariance = (joined([getattr(one, name) for one in each]) for name in ("mean", "covariance"))
    turned = tuple((np.stack([one.turned[i][0] for one in each]), np.stack([one.turned[i][1] for one in each], axis=1))
                   for i in range(len(model.blocks)))  # fmt: skip
    return _Given(np.stack([one.logs for one in each], axis=1), mean, covariance, turned)


def _assembled(model: Linear, nodes: TauNodes | None, logs: np.ndarray, within: tuple[np.ndarray, np.ndarray],
               given: _Given, trials: bool, before: Any = None) -> Exact:  # fmt: skip
    """All numbers from log masses (tau, omega and component), and what follows given scales."""
    tau = np.zeros(1) if nodes is None else nodes.values
    spread = np.repeat(tau, len(within[0])), np.tile(within[0], len(tau))
    means, variances, places = _quantities(model, given, spread, trials)
    flat = logs.reshape(-1)
    mixture = Mixture.from_logs(flat, means.reshape(len(flat), -1), np.sqrt(variances.reshape(len(flat), -1)))
    numbers = _all_numbers(mixture, places)
    numbers["tau"] = zero() if nodes is None else nodes.numbers()
    if len(within[0]) > 1:
        mass = np.exp(flat - flat.max()).reshape(len(tau), len(within[0]), -1).sum(axis=(0, 2))
        numbers["omega"] = weighted(within[0], mass / mass.sum())
    change = 0.0 if nodes is None else np.inf if before is None else _change(before, numbers)
    evidence = np.nan if model.flat else float(np.logaddexp.reduce(logs, axis=None))
    return Exact(numbers, evidence, change, mixture, places, nodes)


def _quantities(
    model: Linear, given: _Given, spread: tuple[np.ndarray, np.ndarray], trials: bool
) -> tuple[np.ndarray, np.ndarray, dict[str, slice]]:
    """Means and variances (node, component, quantity), and where each quantity stands."""
    extra = (spread[0] ** 2 + spread[1] ** 2)[:, None, None]
    slopes = np.eye(model.x.shape[1])[1:]
    fixed = np.vstack([np.eye(model.x.shape[1])[:1], slopes, model.at])
    mean = given.mean @ fixed.T
    variance = np.einsum("qp,ncpr,qr->ncq", fixed, given.covariance, fixed)
    news = np.r_[0, 1 + len(slopes) : len(fixed)]
    means, variances = [mean, mean[..., news]], [variance, variance[..., news] + extra]
    places = {"mu": slice(0, 1), "slope": slice(1, 1 + len(slopes)), "at": slice(1 + len(slopes), len(fixed)),
              "theta_new": slice(len(fixed), len(fixed) + 1),
              "at_new": slice(len(fixed) + 1, len(fixed) + len(news))}  # fmt: skip
    if trials:
        m, v = _effects(model, given, spread)
        means, variances = [*means, m], [*variances, v]
        places["theta"] = slice(len(fixed) + len(news), len(fixed) + len(news) + len(model.y))
    return np.concatenate(means, axis=-1), np.concatenate(variances, axis=-1), places


def _effects(model: Linear, given: _Given, spread: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances of each row's own effect (node, component, row)."""
    mean = np.empty((*given.mean.shape[:2], len(model.y)))
    variance = np.empty_like(mean)
    for (members, s, share), (a, d) in zip(model.blocks, given.turned, strict=True):
        w = np.einsum("obik,nobi,obil->nobkl", a, d, a).reshape(-1, *s.shape)
        c = np.square(spread[0])[:, None, None, None] * share
        c = c + np.square(spread[1])[:, None, None, None] * np.eye(s.shape[-1])
        pulled = c @ w
        x = model.x[members] - pulled @ model.x[members]
        mean[..., members] = (np.einsum("nbkl,bl->nbk", pulled, model.y[members])[:, None]
                              + np.einsum("nbkp,ncp->ncbk", x, given.mean))  # fmt: skip
        own = np.einsum("nbkl,blk->nbk", pulled, s)  # C - C W C = C W S
        variance[..., members] = own[:, None] + np.einsum("nbkp,ncpq,nbkq->ncbk", x, given.covariance, x)
    return mean, np.maximum(variance, 1e-300)


def _all_numbers(mixture: Mixture, places: Mapping[str, slice]) -> dict[str, Numbers]:
    mean, sd = mixture.moments()
    quantiles = mixture.quantiles(list(PROBABILITIES.values()))
    columns = {"mean": mean, "sd": sd, **dict(zip(PROBABILITIES, quantiles.T, strict=True)), "p_lt_0": mixture.cdf(0.0)}
    return {name: {key: np.asarray(values[where][0] if name in ("mu", "theta_new") else values[where])
                   for key, values in columns.items()}
            for name, where in places.items() if where.stop > where.start}  # fmt: skip


def numbers_of(values: np.ndarray, mass: np.ndarray, quantiles: np.ndarray, p_lt_0: Any = 0.0) -> Numbers:
    """Return the moments of weighted nodes, with quantiles at :data:`PROBABILITIES`."""
    mean = mass @ values
    found = {"mean": mean, "sd": np.sqrt(mass @ (values - mean) ** 2),
             **dict(zip(PROBABILITIES, quantiles, strict=True)), "p_lt_0": p_lt_0}  # fmt: skip
    return {key: np.asarray(value) for key, value in found.items()}


def weighted(values: np.ndarray, mass: np.ndarray) -> Numbers:
    """Return the numbers of weighted nodes; quantiles are interpolated between them."""
    return numbers_of(values, mass, np.interp([*PROBABILITIES.values()], np.cumsum(mass) - mass / 2, values))


def _change(before: Mapping[str, Numbers], after: Mapping[str, Numbers]) -> float:
    gaps = [np.abs(after[name][key] - before[name][key]) / (1.0 if key == "p_lt_0" else after[name]["sd"])
            for name in after if name != "omega" for key in after[name]]  # fmt: skip
    return max(float(np.max(gap)) for gap in gaps)


def zero() -> Numbers:
    """Return the numbers of a quantity that is 0."""
    return dict.fromkeys(("mean", "sd", *PROBABILITIES, "p_lt_0"), np.array(0.0))


def inverted(mass: np.ndarray, p: float) -> float:
    """Return where in (-1, 1) the integral of the polynomial with these masses at a rule's nodes reaches ``p``."""
    from scipy.optimize import brentq

    nodes = gauss(POINTS)[0]
    orders = np.arange(POINTS)
    series = (np.polynomial.legendre.legvander(nodes, POINTS - 1).T @ mass) * (orders + 0.5)
    integral = np.polynomial.legendre.Legendre(np.polynomial.legendre.legint(series, lbnd=-1))
    return float(brentq(lambda t: integral(t) - p, -1, 1, xtol=1e-14)) if integral(1) > p > 0 else float(p > 0) * 2 - 1
