r"""Components of a changed study drawn from their exact posterior: no gradients, nothing to compile.

**Effects.** Given the spreads :math:`\tau` the log ratios are normal and so are their coefficients c, the means and
the bias terms, with prior :math:`N(m, C)`. With design X, :math:`V = ZD(\tau)Z^\top + S = LL^\top`, whitened residuals
:math:`z = L^{-1}(y - Xm)` and columns :math:`W = L^{-1}XC^{1/2}`

.. math::
    \log p(y \mid \tau) = \log N(y \mid Xm,\; V + XCX^\top), \qquad
    c \mid y, \tau \sim m + C^{1/2} N(A^{-1} W^\top z,\; A^{-1}), \quad A = I + W^\top W.

The spreads, one or two, are drawn by independence Metropolis (Tierney 1994) in the
probabilities :math:`u = F(x)` of their priors, where the prior is uniform. The proposal is the posterior itself,
constant on each cell of a grid; so nearly every proposal is accepted, and what the grid misses the acceptance corrects.
Each chain starts from a draw of the proposal and runs some steps before the first is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayes.clusters import total
from bayes.families import scipy_frozen
from bayes.heroin.model import Structure
from bayes.heroin.model.design import Design, design_of, places
from bayes.heroin.sensitivity.rows import Whitened, whitened
from bayes.priors import Prior
from bayes.sensitivity.refits import Part, part_of
from bayes.sensitivity.weights import Floats
from bayes.study import Study

__all__ = ["exact_effects_part"]

_CELLS = {1: 512, 2: 40}
"""Cells of the grid along each spread, by their number."""
_WARM = 50
"""Steps of each chain before the first that is kept."""
_POSITIVE = frozenset({"HalfNormal", "HalfCauchy", "Exponential", "LogNormal", "Gamma"})


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """The rows' design: coefficients X with prior mean and sd, and the spreads with the effects of each."""

    frame: Design
    names: tuple[str, ...]
    x: Floats
    mean: Floats
    sd: Floats
    spreads: tuple[Prior, ...]
    which: tuple[np.ndarray, ...]

    def given(self, tau: Floats) -> Whitened:
        """The rows at spreads (draw, spread), whitened, with :math:`U = XC^{1/2}`."""
        at = places(self.frame)
        variance = sum((tau[:, i, None] ** 2 * kind for i, kind in enumerate(self.which)), np.zeros((len(tau), 1)))
        variance = np.broadcast_to(variance, (len(tau), len(self.frame.effects)))
        blocks = total(variance, at.common) + self.frame.s[at.members[:, :, None], at.members[:, None, :]]
        residual = np.broadcast_to(self.frame.y - self.x @ self.mean, (len(tau), len(self.frame.y)))
        return whitened(self.frame, blocks, residual, self.x * self.sd)

    def log_density(self, tau: Floats) -> Floats:
        """Log density (draw,) of the rows at spreads (draw, spread), coefficients integrated out."""
        return self.given(tau).log_density

    def coefficients(self, tau: Floats, rng: np.random.Generator) -> Floats:
        """Draw c (draw, coefficient) given spreads (draw, spread)."""
        given = self.given(tau)
        root = np.linalg.cholesky(given.inner)
        noise = np.linalg.solve(root.transpose(0, 2, 1), rng.normal(size=given.pull.shape)[..., None])[..., 0]
        return np.asarray(self.mean + self.sd * (given.solved(given.pull) + noise))


def exact_effects_part(study: Study, structure: Structure, shape: tuple[int, int]) -> Part | None:
    """Draw means, bias terms and spreads of the log ratios; None with heavy tails, priors that are not
    conjugate, or where the grid does not serve.

    Parameters
    ----------
    study, structure
        The changed study and the structure of its model.
    shape
        Numbers of chains and draws.

    Examples
    --------
    >>> from bayes import load_study
    >>> part = exact_effects_part(load_study(), Structure(), (4, 500))
    >>> sorted(part.draws)[-3:], part.rhat < 1.05
    (['mu_theta', 'tau_gamma', 'tau_theta'], True)
    """
    linear = _linear(study, structure)
    if linear is None:
        return None
    stream = np.random.default_rng((1, 1))
    dims = len(linear.spreads)
    tau = np.zeros((shape[0] * shape[1], 0))
    if dims:
        tau = _drawn(linear.spreads, linear.log_density, (_CELLS[dims],) * dims, shape, stream)
    found = linear.coefficients(tau, stream)
    names = (*linear.names, *(prior.name for prior in linear.spreads))
    values = np.concatenate([found, tau], axis=1)
    draws: Mapping[str, Floats] = dict(zip(names, values.T, strict=True))
    part = part_of(draws, tau.reshape(*shape, -1))  # given spreads, coefficients are independent
    return part if part.ess >= 0.5 * len(tau) else None  # fewer: cells are too wide for so narrow a posterior


def _linear(study: Study, structure: Structure) -> _Linear | None:
    frame = design_of(study, structure)
    kinds = {"theta": frame.is_theta} | ({"gamma": ~frame.is_theta} if structure.drift else {})
    names = (*(f"mu_{kind}" for kind in kinds), *frame.terms)
    priors = [study.priors[name] for name in names]
    spread = [kind for kind in kinds if (kind, structure.effects) != ("theta", "common")]
    spreads = tuple(study.priors[f"tau_{kind}"] for kind in spread)
    plain = all(p.family == "Normal" for p in priors) and all(p.family in _POSITIVE for p in spreads)
    if structure.effects == "t" or not plain:
        return None
    x = np.column_stack([*(frame.z @ which for which in kinds.values()), frame.b])
    mean = np.array([prior.parameters["mu"] for prior in priors])
    sd = np.array([prior.parameters["sigma"] for prior in priors])
    return _Linear(frame, names, x, mean, sd, spreads, tuple(kinds[kind] for kind in spread))


# --- few parameters, by a grid -----------------------------------------------------------------


def _drawn(
    priors: Sequence[Prior],
    log_density: Callable[[Floats], Floats],
    cells: tuple[int, ...],
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> Floats:
    """Chains of parameters, end to end (draw, parameter), from their priors and the log density of the data."""
    chains, steps = shape[0], shape[1] + _WARM
    grid = np.indices(cells).reshape(len(cells), -1).T
    logs = log_density(_values(priors, (grid + 0.5) / cells))
    mass = np.exp(logs - logs.max())
    chosen = rng.choice(len(grid), size=chains * steps, p=mass / mass.sum())
    found = _values(priors, (grid[chosen] + rng.uniform(size=(chains * steps, len(cells)))) / cells)
    ratio = (log_density(found) - logs[chosen]).reshape(chains, steps)
    taken = _accepted(ratio, -rng.exponential(size=(chains, steps)))[:, _WARM:, None]
    kept = np.take_along_axis(found.reshape(chains, steps, len(cells)), taken, axis=1)
    return np.asarray(kept.reshape(-1, len(cells)))


def _values(priors: Sequence[Prior], u: Floats) -> Floats:
    """Parameters (draw, parameter) at probabilities of their priors."""
    found = []
    for prior, points in zip(priors, u.T, strict=True):
        different, where = np.unique(points, return_inverse=True)
        found.append(scipy_frozen(prior.family, prior.parameters).ppf(different)[where])
    return np.stack(found, axis=1)


def _accepted(ratio: Floats, log_uniform: Floats) -> np.ndarray:
    """Which proposal each chain is at after each step, from log importance ratios (chain, step)."""
    at = np.zeros(ratio.shape, dtype=int)
    here, every = np.zeros(len(ratio), dtype=int), np.arange(len(ratio))
    for step in range(ratio.shape[1]):
        better = log_uniform[:, step] <= ratio[:, step] - ratio[every, here]
        here = np.where(better, step, here)
        at[:, step] = here
    return at
