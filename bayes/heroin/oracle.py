r"""The effects part of the joint model, solved exactly, as an oracle for the sampler.

Nothing else in the joint model depends on these parameters, so their joint posterior is that of the rows of trials
and changes alone. Let :math:`c` hold the means :math:`\mu_\theta, \mu_\gamma` and the bias terms, with normal priors
:math:`N(m, C)`, and let :math:`x = M c + D^{1/2} z` hold :math:`c` itself, the effect of each setting and of a new
one, with :math:`D` zero or :math:`\tau_\theta^2` or :math:`\tau_\gamma^2`. With rows :math:`y = H x + \varepsilon`,
:math:`\varepsilon \sim N(0, S)`, given the two :math:`\tau`

.. math::
    P = M C M^\top + D, \quad V = H P H^\top + S, \quad
    x \mid y \sim N\big(M m + P H^\top V^{-1} r,\; P - P H^\top V^{-1} H P\big), \quad r = y - H M m,

and :math:`\log p(y \mid \tau) = -\tfrac12 (r^\top V^{-1} r + \log |2 \pi V|)`. Rows that share no effect and no arm
covary through :math:`c` alone: with :math:`W = H D H^\top + S`, which falls into small clusters
(:mod:`bayes.clusters`), :math:`X = H M` and :math:`Q = C^{-1} + X^\top W^{-1} X`, the same is (Woodbury)

.. math::
    c \mid y \sim N(m + \delta, Q^{-1}), \; \delta = Q^{-1} X^\top W^{-1} r, \quad
    x \mid c, y \sim N\big(M c + D H^\top W^{-1} (y - X c),\; D - D H^\top W^{-1} H D\big), \\
    -2 \log p(y \mid \tau) = r^\top W^{-1} (r - X \delta) + \log |W| + \log |Q| + \mathrm{const},

at a cost that grows with the number of rows. A product rule over :math:`(\tau_\theta, \tau_\gamma)`, on panels that
follow the posterior's profile along each (:mod:`bayes.quadrature`), does the rest. The matrices are built here from
the rows, not taken from the model: an error in either shows.
"""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.cache import keep, kept, key_of
from bayes.clusters import Root, clusters_of, factor, forward, padded
from bayes.diagnostics import LIMIT, Check, limit_of
from bayes.families import scipy_frozen
from bayes.heroin.model.design import SLOPE
from bayes.heroin.model.stamp import fit_hash
from bayes.heroin.model.structure import Structure
from bayes.priors import Prior
from bayes.quadrature import Mixture, panel_nodes, panels, scale_points, smallest
from bayes.study import Study

if TYPE_CHECKING:
    from xarray import DataTree

__all__ = ["LIMIT", "ExactEffects", "exact_effects", "oracle_checks"]

PRECISION = 1e-5
"""Doubling the nodes may move a mean or an sd by this part of the sd: far below the Monte Carlo error of any run."""

_ROUNDS = 3
"""Times that panels are halved, at most."""
_POINTS, _JUMP, _DROP = 12, 8.0, 20.0
"""Points on a panel, how much the logarithm of the density may change in it, and how far down it is integrated."""
_LEAST = 1e-4
"""Scales below this part of the smallest standard error move a likelihood by less than 1e-8."""
_CHUNK = 2**20
"""Nodes x rows at a time."""
_NEGLIGIBLE = 1e-12
"""Nodes of less than this part of the heaviest are left out."""
_POSITIVE = frozenset({"HalfNormal", "HalfCauchy", "Exponential", "LogNormal", "Gamma"})


@dataclass(frozen=True, slots=True, eq=False)
class ExactEffects:
    """Exact posterior moments.

    Parameters
    ----------
    names
        Variables: ``mu_theta``, the bias terms, ``theta_new``, ``tau_theta``, … and ``effect: theta: RIOTT`` for each
        setting.
    mean, sd
        Their posterior means and standard deviations.
    change
        What the last doubling of the nodes changed, in standard deviations.
    """

    names: tuple[str, ...]
    mean: np.ndarray
    sd: np.ndarray
    change: float


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """The matrices of the linear model of the rows, by the letters of the module's text."""

    names: tuple[str, ...]
    y: np.ndarray
    h: np.ndarray
    s: np.ndarray
    loads: np.ndarray
    m: np.ndarray
    c: np.ndarray
    kind: np.ndarray
    taus: tuple[Prior, ...]


def oracle_checks(fit: DataTree, study: Study) -> tuple[Check, ...]:
    """Return the check of draws against the exact posterior, or none where it does not apply.

    It applies to fits of this study, with random or common effects and Normal priors of the means.

    Parameters
    ----------
    fit
        A fit of the model of :func:`bayes.build_model`.
    study
        The study it was made from.
    """
    inputs = json.loads(fit.attrs.get("inputs", "{}"))
    if inputs.get("study") != fit_hash(study) or "structure" not in inputs:
        return ()
    stated = inputs["structure"]
    exact = _known_effects(study, Structure(**{**stated, "biases": tuple(stated["biases"])}))
    return () if exact is None else (_compared(fit, exact),)


def _known_effects(study: Study, structure: Structure) -> ExactEffects | None:
    """The exact moments, computed once for a study and kept on disk."""
    key = key_of("exact effects", fit_hash(study), asdict(structure))
    content = kept("exact", key)
    if content is not None:
        known: ExactEffects | None = pickle.loads(content)
        return known
    found = exact_effects(study, structure)
    keep("exact", key, pickle.dumps(found))
    return found


def exact_effects(study: Study, structure: Structure | None = None) -> ExactEffects | None:
    """Return exact posterior moments of the effects part, or None for heavy tails and means without Normal priors.

    Examples
    --------
    >>> from bayes import load_study
    >>> found = exact_effects(load_study())
    >>> found.names[:2], found.change < PRECISION
    (('mu_theta', 'mu_gamma'), True)
    """
    chosen = structure or Structure()
    if chosen.effects == "t":
        return None
    linear = _linear(study, chosen)
    if linear is None:
        return None
    stacked = _stacked(linear)
    axes = _axes(linear, stacked)
    before: tuple[np.ndarray, np.ndarray] | None = None
    for level in range(_ROUNDS + 1):
        mean, sd = _moments(linear, stacked, [axis.nodes(2**level) for axis in axes])
        change = np.inf if before is None else float(
            max(np.max(np.abs(new - old) / sd) for new, old in zip((mean, sd), before, strict=True)))  # fmt: skip
        if change < PRECISION:
            break
        before = mean, sd
    return ExactEffects((*linear.names, *(t.name for t in linear.taus)), mean, sd, change)


# --- the linear model ------------------------------------------------------------------------


def _linear(study: Study, chosen: Structure) -> _Linear | None:
    """Build the matrices of the linear model from rows and priors."""
    trials, changes = study.rows("trials"), study.rows("prepost") if chosen.drift else []
    rows: list[Any] = [*trials, *changes]
    groups = [[f"theta: {row.study}"] for row in trials]
    groups += [[f"gamma: {row.study}", *([f"theta: {row.study}"] if row.arm == "heroin" else [])] for row in changes]
    biases = [[f"bias_{word}" for word in (row.outcome, row.design) if word in chosen.biases] for row in trials]
    biases += [[f"bias_change_{row.outcome}"] if f"change_{row.outcome}" in chosen.biases else [] for row in changes]
    kinds = ("theta", "gamma") if chosen.drift else ("theta",)
    coefficients = [*(f"mu_{kind}" for kind in kinds), *sorted({name for found in biases for name in found}),
                    *([SLOPE] if chosen.small_studies else [])]  # fmt: skip
    settings = sorted({name for found in groups for name in found})
    free = [study.priors[name] for name in coefficients]
    taus = tuple(study.priors[f"tau_{kind}"] for kind in kinds if (kind, chosen.effects) != ("theta", "common"))
    if any(p.family != "Normal" for p in free) or any(t.family not in _POSITIVE for t in taus):
        return None
    drawn = [*(f"{kind}_new" for kind in kinds), *(f"effect: {name}" for name in settings)]
    names = (*coefficients, *drawn)
    of = [next(k for k in kinds if k in name.removeprefix("effect: ").split(":")[0]) for name in drawn]
    position = {tau.name.removeprefix("tau_"): i for i, tau in enumerate(taus)}
    loads = np.vstack([np.eye(len(free)), [[float(name == f"mu_{kind}") for name in coefficients] for kind in of]])
    loaded = [{*(f"effect: {name}" for name in group), *bias} for group, bias in zip(groups, biases, strict=True)]
    slopes = [dict.fromkeys([SLOPE] if chosen.small_studies else [], float(row.se)) for row in trials]
    slopes += [{} for _ in changes]
    return _Linear(
        names, np.array([float(row.y) for row in rows]),
        np.array([[slope.get(name, float(name in found)) for name in names]
                  for found, slope in zip(loaded, slopes, strict=True)]),
        _errors(rows, len(trials)), loads, np.array([p.parameters["mu"] for p in free]),
        np.array([p.parameters["sigma"] ** 2 for p in free]),
        np.array([-1] * len(free) + [position.get(kind, -1) for kind in of]), taus,
    )  # fmt: skip


def _errors(rows: Sequence[Any], trials: int) -> np.ndarray:
    """Error covariance: rows that share an arm share its error, with the arm's sign in each."""
    s = np.diag([float(row.se) ** 2 for row in rows])
    for i, one in enumerate(rows):
        for j in range(i):
            other = rows[j]
            if one.shared_arm and one.shared_arm == other.shared_arm:
                sign = 1.0 if (i < trials) == (j < trials) else -1.0
                s[i, j] = s[j, i] = sign * float(one.shared_se) * float(other.shared_se)
    return s


# --- the integral ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Stacked:
    """The linear model by cluster: a place without a row has zeros, and one on the diagonal of ``s``.

    ``s`` (cluster, place, place); ``common`` (scale, cluster, place, place): how many effects of a scale two rows
    share; ``r`` (place, cluster) and ``x`` (place, cluster, coefficient); of each quantity its cluster ``of`` and its
    column ``h`` (place, quantity).
    """

    s: np.ndarray
    common: np.ndarray
    r: np.ndarray
    x: np.ndarray
    of: np.ndarray
    h: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """What is known given the scales: log density (node), whitened residuals (place; node, cluster) and columns of
    coefficients (place; node, cluster, coefficient), ``delta`` (node, coefficient), and their precision ``q``.
    """

    logs: np.ndarray
    root: Root
    residuals: list[np.ndarray]
    columns: list[np.ndarray]
    delta: np.ndarray
    q: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """One scale: its prior, its panels in the logarithm, and what lies below them all."""

    prior: Any
    tiny: float
    below: float
    ends: np.ndarray

    def nodes(self, parts: int) -> tuple[np.ndarray, np.ndarray]:
        """Scales and logarithms of their prior weights."""
        x, weights = panel_nodes(self.ends, parts, _POINTS)
        with np.errstate(divide="ignore"):
            below = np.log(self.below)
        logs = self.prior.logpdf(np.exp(x)) + x + np.log(weights)
        return np.concatenate([[self.tiny / 2], np.exp(x)]), np.concatenate([[below], logs])


def _axes(linear: _Linear, stacked: _Stacked) -> list[_Axis]:
    """Return panels along each scale, found in turns from the largest density over the other scale."""
    priors = [scipy_frozen(t.family, t.parameters) for t in linear.taus]
    least = _LEAST * float(np.sqrt(np.diag(linear.s).min()))
    below = [smallest(prior, least) for prior in priors]
    length = float(max(np.abs(linear.y - linear.h @ linear.loads @ linear.m).max(), np.sqrt(linear.c.max())))
    points = [scale_points(prior, tiny, length) for prior, (tiny, _) in zip(priors, below, strict=True)]
    seen = [np.quantile(x, np.linspace(0, 1, 24)) for x in points]
    found: dict[int, np.ndarray] = {}
    for i in [*range(len(priors))] * (2 if len(priors) > 1 else 1):
        found[i] = panels(_profile(linear, stacked, priors, seen, i), points[i], _JUMP, _DROP)
        seen[i] = np.unique(found[i])
    return [_Axis(priors[i], *below[i], found[i]) for i in range(len(priors))]


def _profile(
    linear: _Linear, stacked: _Stacked, priors: Sequence[Any], seen: Sequence[np.ndarray], axis: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the largest log density of one scale over the values of the other that were tried."""

    def log_density(x: np.ndarray) -> np.ndarray:
        logs = [x if i == axis else values for i, values in enumerate(seen)]
        grid = np.stack(np.meshgrid(*logs, indexing="ij"), axis=-1)
        weight = sum(
            prior.logpdf(np.exp(part)) + part for prior, part in zip(priors, np.moveaxis(grid, -1, 0), strict=True)
        )
        found = _logs(linear, stacked, np.exp(grid.reshape(-1, len(seen)))).reshape(grid.shape[:-1]) + weight
        return np.asarray(np.moveaxis(found, axis, 0).reshape(len(x), -1).max(axis=1))

    return log_density


def _logs(linear: _Linear, stacked: _Stacked, tau: np.ndarray) -> np.ndarray:
    """Log densities of the rows at scales (node, scale), in chunks."""
    size = max(1, _CHUNK // len(linear.y))
    return np.concatenate([_given(linear, stacked, tau[i : i + size]).logs for i in range(0, len(tau), size)])


def _moments(
    linear: _Linear, stacked: _Stacked, axes: Sequence[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and standard deviations of x and of the scales, by a product rule over the scales."""
    nodes = math.prod(len(values) for values, _ in axes)
    grid, weights = (np.array(list(product(*part))).reshape(nodes, len(axes))
                     for part in ([v for v, _ in axes], [w for _, w in axes]))  # fmt: skip
    logs = _logs(linear, stacked, grid) + weights.sum(axis=1)
    kept = logs > logs.max() + math.log(_NEGLIGIBLE)
    grid, logs, size = grid[kept], logs[kept], max(1, _CHUNK // len(linear.y) // 16)
    found = [_posterior(linear, stacked, grid[i : i + size]) for i in range(0, len(grid), size)]
    mean, sd = (np.concatenate(part) for part in zip(*found, strict=True))
    return Mixture.from_logs(logs, np.hstack([mean, grid]), np.hstack([sd, 0 * grid])).moments()


def _stacked(linear: _Linear) -> _Stacked:
    """Put the rows into clusters."""
    drawn = np.where(linear.kind >= 0, linear.h, 0.0)
    keys = [[*np.flatnonzero(effects).tolist(), *(f"row {j}" for j in np.flatnonzero(errors))]
            for effects, errors in zip(drawn, linear.s, strict=True)]  # fmt: skip
    members = padded(clusters_of(keys))
    there = members >= 0
    both = there[:, :, None] & there[:, None, :]
    pairs = (members[:, :, None], members[:, None, :])
    scales = [np.where(linear.kind == i, linear.h, 0.0) for i in range(len(linear.taus))]
    common = [np.where(both, (h @ h.T)[pairs], 0.0) for h in scales]
    x = linear.h @ linear.loads
    r = linear.y - x @ linear.m
    columns = np.where(there[..., None], drawn[members], 0.0)
    of = columns.any(axis=1).argmax(axis=0)
    return _Stacked(
        np.where(both, linear.s[pairs], np.eye(members.shape[1])),
        np.array(common).reshape(len(scales), *both.shape), np.where(there, r[members], 0.0).T,
        np.where(there[..., None], x[members], 0.0).transpose(1, 0, 2), of, columns[of, :, np.arange(len(of))].T,
    )  # fmt: skip


def _given(linear: _Linear, stacked: _Stacked, tau: np.ndarray) -> _Given:
    """Log density of the rows and the posterior of the coefficients, given the scales (node, scale)."""
    w = stacked.s + np.einsum("nt,tcij->ncij", tau**2, stacked.common)
    root = factor(w, len(stacked.r))
    residuals = forward(root, list(stacked.r))
    wide = [[entry[..., None] for entry in row] for row in root]
    columns = forward(wide, list(stacked.x))
    flat = np.concatenate(columns, axis=1)
    q = np.diag(1 / linear.c) + flat.transpose(0, 2, 1) @ flat
    gain = np.einsum("ncp,nc->np", flat, np.concatenate(residuals, axis=1))
    delta = np.linalg.solve(q, gain[..., None])[..., 0]
    squares = sum((z**2).sum(axis=1) for z in residuals) - (gain * delta).sum(axis=1)
    diagonal = np.diagonal(np.linalg.cholesky(q), axis1=1, axis2=2)
    size = sum(2 * np.log(row[-1]).sum(axis=1) for row in root) + 2 * np.log(diagonal).sum(axis=1)
    return _Given(-(squares + size) / 2, root, residuals, columns, delta, q)


def _posterior(linear: _Linear, stacked: _Stacked, tau: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of x (node, x), given the scales (node, scale)."""
    found = _given(linear, stacked, tau)
    d = np.hstack([tau**2, np.zeros((len(tau), 1))])[:, linear.kind]  # an index of -1 is a variance of zero
    own = forward([[entry[:, stacked.of] for entry in row] for row in found.root], list(stacked.h))
    left = [z - np.einsum("ncp,np->nc", x, found.delta) for z, x in zip(found.residuals, found.columns, strict=True)]
    pulled = sum(h * z[:, stacked.of] for h, z in zip(own, left, strict=True))
    loads = linear.loads - d[..., None] * sum(
        h[..., None] * x[:, stacked.of] for h, x in zip(own, found.columns, strict=True)
    )
    mean = (linear.m + found.delta) @ linear.loads.T + d * pulled
    spread = np.einsum("nxp,nxp->nx", loads @ np.linalg.inv(found.q), loads)
    variance = d - d**2 * sum(h**2 for h in own) + spread
    return mean, np.sqrt(np.maximum(variance, 0.0))


# --- draws against exact ---------------------------------------------------------------------


def _compared(fit: DataTree, exact: ExactEffects) -> Check:
    """Means and standard deviations of the draws against the exact ones, in Monte Carlo standard errors."""
    from bayes.arraystats import array_stats

    draws = _draws(fit, exact.names)
    found: dict[str, float] = {}
    for name, mean, sd in zip(exact.names, exact.mean, exact.sd, strict=True):
        values = draws[name]
        for moment, ours, true in (("mean", values.mean(), mean), ("sd", values.std(), sd)):
            error = float(array_stats.mcse(values, chain_axis=0, draw_axis=1, method=moment))
            gap = abs(float(ours) - float(true)) - exact.change * sd  # less what the quadrature itself may miss
            z = max(0.0, gap) / error if error > 0 else math.inf
            found[f"{moment} of {name.removeprefix('effect: ')}"] = z if math.isfinite(z) else math.inf
    worst = max(found, key=lambda key: found[key])
    value, limit = found[worst], limit_of(len(found))
    known = "exact" if exact.change < PRECISION else f"a quadrature that is sure to {exact.change:.1g} sd only"
    text = (f"worst of {len(found)}: {value:.1f} Monte Carlo standard errors from {known} ({worst}), "
            f"required < {limit:.3g}")  # fmt: skip
    return Check("effects against quadrature", value < limit, value, limit, text)


def _draws(fit: DataTree, names: Sequence[str]) -> Mapping[str, np.ndarray]:
    posterior = fit["posterior"].to_dataset()
    found = {}
    for name in names:
        group = name.removeprefix("effect: ")
        array = posterior[name] if group == name else posterior["effect"].sel(group_effect=group)
        found[name] = np.asarray(array.transpose("chain", "draw").values, dtype=float)
    return found
