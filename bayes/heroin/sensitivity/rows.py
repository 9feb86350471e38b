r"""The evidence of the shipped model, row by row, with the group effects integrated out.

Weights that leave a row out need :math:`p(y \mid \phi)` and :math:`p(y_{-i} \mid \phi)` at the draws of what the
target depends on, :math:`\phi`. Conditional on a study's own effect the ratio of the two has a heavy tail (a trial's
effect is pinned by its own row); with the effect integrated out it rarely has. Three kinds of cluster:

- **reduction**: all log ratios are one normal vector, :math:`y \sim N(Zm + Bb, ZDZ^\top + S)`; leaving rows out is
  marginalising them. Bias terms with a normal prior :math:`N(b_0, V_b)` are integrated out too: :math:`y \sim N(Zm +
  Bb_0, ZDZ^\top + BV_bB^\top + S)`;
- **a study of offending, a country's coverage, or a setting's retention**: one effect :math:`x \sim N(c, \sigma)`,
  :math:`p(y \mid \phi) = \int \prod_r p(y_r \mid x, \phi)\, N(x \mid c, \sigma)\, dx`, by the trapezium rule on a
  grid that is fine where the effect's draws lie and wide where its prior is;
- **single rows** that depend on nothing of their own (national totals).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bayes.clusters import Root, factor, forward, padded, total
from bayes.families import scipy_frozen
from bayes.heroin.evidence import TABLES
from bayes.heroin.evidence.ceiling import range_to_normal
from bayes.heroin.evidence.coverage import coverage_law
from bayes.heroin.evidence.offending import POPULATIONS, offending_law, window
from bayes.heroin.evidence.retention import retention_law
from bayes.heroin.laws import Law, normal
from bayes.heroin.model import Structure
from bayes.heroin.model.design import NU, Design, design_of, places
from bayes.sensitivity.weights import Floats
from bayes.study import Study

__all__ = ["Cluster", "Reduction", "Whitened", "clusters", "heavy_tails", "whitened"]

type Draws = Mapping[str, Floats]
type Flags = NDArray[np.bool_]
_WIDE, _FINE = np.linspace(-6, 6, 49), np.linspace(-8, 8, 81)  # nodes, in sds of the effect's prior and of its draws


@dataclass(frozen=True)
class Cluster:
    """Rows that share an effect, with their joint density.

    Parameters
    ----------
    rows
        Names of the rows.
    log_density
        ``rows kept -> (draw,)``, the log density of those rows given the top-level parameters; 0 for none.
    predictive
        ``row -> (draw, 2)``, probabilities that a replication is below, and not above, the observed value, given the
        cluster's other rows.
    component
        A variable of the model that these rows bear on, with whatever else is connected to it.
    own
        Parameters no other cluster informs, with draws (draw,) from their priors: what is known of them without these
        rows.
    marginal
        Log density (draw,) of all rows with ``own`` integrated out; only where there are any.
    """

    rows: tuple[str, ...]
    log_density: Callable[[Collection[str]], Floats]
    predictive: Callable[[str], Floats]
    component: str
    own: Mapping[str, Floats] = field(default_factory=dict)
    marginal: Callable[[], Floats] | None = None
    _ratios: dict[tuple[str, ...], Floats] = field(default_factory=dict, init=False, compare=False)

    def without(self, rows: Collection[str]) -> tuple[Floats, Mapping[str, Floats]]:
        """Return the log density ratio (draw,) for leaving rows out, and the parameters that return to their priors."""
        kept = tuple(row for row in self.rows if row not in rows)
        if not kept and self.marginal:
            return -self.marginal(), self.own
        if kept not in self._ratios:
            self._ratios[kept] = self.log_density(kept) - self.whole
        return self._ratios[kept], {}

    @cached_property
    def whole(self) -> Floats:
        """Log density (draw,) of all rows."""
        return self.log_density(self.rows)


def clusters(draws: Draws, study: Study, structure: Structure, reduction: Reduction | None = None) -> list[Cluster]:
    """Return every cluster of rows that enters the likelihood.

    Parameters
    ----------
    draws
        Posterior draws (draw, …) by variable.
    study, structure
        What was fitted.
    reduction
        The log ratios at these draws, where they are at hand.
    """
    reduction = reduction or Reduction.of(draws, study, structure)
    found = [Cluster(reduction.frame.rows, reduction.log_density, reduction.predictive, "mu_theta")]
    found += _offending(study, draws)
    found += [_coverage(row, draws, i) for i, row in enumerate(study.rows("coverage"))]
    found += _retention(study, draws, structure)
    for name, table in TABLES.items():
        found += [_single(row, table.law(row, draws), table.informs) for row in study.rows(name) if table.law]
    totals = study.rows("ceiling")
    return [*found, _ceiling(totals, study, draws)] if structure.ceiling and totals else found


# --- log ratios: one normal vector -------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Reduction:
    r"""The log ratios given means and spreads, group effects and normal biases integrated out.

    With :math:`V = D + UU^\top`, where :math:`D = LL^\top` has small clusters and :math:`U = BV_b^{1/2}`, whitened
    residuals :math:`z = L^{-1}(y - m)` and columns :math:`W = L^{-1}U` give the density by :math:`C = I + W^\top W`
    (Woodbury, matrix determinant lemma), at a cost linear in the rows.

    Parameters
    ----------
    frame
        The design; terms and rows the structure leaves out are not in it.
    expected
        m (draw, row).
    blocks
        D (draw, cluster, place, place).
    loads
        U (row, term).
    """

    frame: Design
    expected: Floats
    blocks: Floats
    loads: Floats

    @classmethod
    def of(cls, draws: Draws, study: Study, structure: Structure) -> Reduction:
        """Build it from draws of the means and spreads (and of ``effect_weight`` for heavy tails)."""
        frame = design_of(study, structure)
        zero = np.zeros(len(draws["mu_theta"]))
        gamma = (draws["mu_gamma"], draws["tau_gamma"] ** 2) if structure.drift else (zero, zero)
        tau2 = zero if structure.effects == "common" else draws["tau_theta"] ** 2
        mean = np.where(frame.is_theta, draws["mu_theta"][:, None], gamma[0][:, None])
        variance = np.where(frame.is_theta, tau2[:, None], gamma[1][:, None])
        if structure.effects == "t":
            variance = variance * np.where(frame.is_theta, draws["effect_weight"], 1.0)
        kept = {"bias_untreated"} if structure.untreated_entrants else set()
        bias, spread = _biases(frame.terms, draws, study, kept)
        at = places(frame)
        errors = frame.s[at.members[:, :, None], at.members[:, None, :]]
        return cls(frame, mean @ frame.z.T + bias @ frame.b.T, total(variance, at.common) + errors, frame.b * spread)

    def log_density(self, rows: Collection[str], shift: Floats | float = 0.0) -> Floats:
        """Log density (draw,) of the kept rows; ``shift`` (row,) is added to the expectations."""
        kept = np.array([row in rows for row in self.frame.rows])
        if not kept.any():
            return np.zeros(len(self.expected))
        residual = self.frame.y - self.expected - shift
        return whitened(self.frame, self.blocks, residual, self.loads, kept).log_density

    def predictive(self, row: str) -> Floats:
        """Probability (draw, 2) that the row is below its observed value given all others.

        :math:`P = V^{-1}` and :math:`q = P(y - m)` put it :math:`q_i / P_{ii}` from its expectation, with variance
        :math:`1 / P_{ii}`.
        """
        given = self._all
        (cluster,), (place,) = np.nonzero(padded(self.frame.clusters) == self.frame.rows.index(row))
        unit = [np.full(len(self.expected), float(i == place)) for i in range(len(given.root))]
        u = np.stack(forward([[x[:, cluster] for x in entries] for entries in given.root], unit), axis=1)
        a = np.einsum("npt,np->nt", given.w[:, :, cluster], u)
        precision = (u**2).sum(axis=1) - (a * given.solved(a)).sum(axis=1)
        q = (u * given.z[:, :, cluster]).sum(axis=1) - (given.solved(a) * given.pull).sum(axis=1)
        return np.repeat(ndtr(q / np.sqrt(precision))[:, None], 2, axis=1)

    @cached_property
    def _all(self) -> Whitened:
        return whitened(self.frame, self.blocks, self.frame.y - self.expected, self.loads)


@dataclass(frozen=True, eq=False)
class Whitened:
    """Factors L of the blocks, z (draw, place, cluster) and W (draw, place, cluster, term), of so many rows."""

    root: Root
    z: Floats
    w: Floats
    rows: int

    @cached_property
    def inner(self) -> Floats:
        """C (draw, term, term)."""
        return np.asarray(np.eye(self.w.shape[-1]) + np.einsum("npct,npcu->ntu", self.w, self.w, optimize=True))

    @cached_property
    def pull(self) -> Floats:
        """W'z (draw, term)."""
        return np.asarray(np.einsum("npct,npc->nt", self.w, self.z))

    def solved(self, x: Floats) -> Floats:
        """Return the solution of C x (draw, term)."""
        return np.linalg.solve(self.inner, x[..., None])[..., 0]

    @property
    def log_density(self) -> Floats:
        """Log density (draw,) of the rows."""
        volume = sum(np.log(row[-1]).sum(axis=1) for row in self.root) + np.linalg.slogdet(self.inner)[1] / 2
        square = (self.z**2).sum(axis=(1, 2)) - (self.pull * self.solved(self.pull)).sum(axis=1)
        return np.asarray(-volume - (square + self.rows * math.log(2 * math.pi)) / 2)


def whitened(frame: Design, blocks: Floats, residual: Floats, loads: Floats, kept: Flags | None = None) -> Whitened:
    """Whiten rows; a place without one, or with one that is not kept, has zeros and one on the diagonal of its block.

    Parameters
    ----------
    frame
        The design, whose clusters say which rows covary.
    blocks, residual, loads
        D (draw, cluster, place, place), y - m (draw, row) and U (row, term).
    kept
        Rows (row,) that take part; all by default.
    """
    members = padded(frame.clusters)
    there = members >= 0 if kept is None else (members >= 0) & kept[members]
    root = factor(np.where(there[:, :, None] & there[:, None, :], blocks, np.eye(members.shape[1])), members.shape[1])

    def inside(x: Floats) -> Floats:
        """L^-1 x (draw, place, cluster) of rows (…, row)."""
        at = [np.where(flags, x[..., rows], 0.0) for flags, rows in zip(there.T, members.T, strict=True)]
        return np.stack(forward(root, at), axis=1)

    columns = [inside(one) for one in loads.T]
    w = np.stack(columns, axis=-1) if columns else np.zeros((len(residual), *members.T.shape, 0))
    return Whitened(root, inside(residual), w, int(there.sum()))


def _biases(terms: Sequence[str], draws: Draws, study: Study, kept: Collection[str] = ()) -> tuple[Floats, Floats]:
    """Bias terms (draw, term) and the spread over which each is integrated: 0 where its prior is not normal.

    Those that are kept at their draws decide the target too.
    """
    n = len(draws["mu_theta"])
    bias, spread = np.zeros((n, len(terms))), np.zeros(len(terms))
    for j, term in enumerate(terms):
        prior = study.priors[term]
        if prior.family == "Normal" and term not in kept:
            bias[:, j], spread[j] = prior.parameters["mu"], prior.parameters["sigma"]
        else:
            bias[:, j] = draws[term]
    return bias, spread


def heavy_tails(effects: int, draws: int, rng: np.random.Generator) -> Floats:
    """Draw the variance weights of Student-t effects from their prior, InverseGamma(nu/2, nu/2): (draw, effect)."""
    return np.asarray(1 / rng.gamma(NU / 2, 2 / NU, size=(draws, effects)))


# --- one effect, integrated out ----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Grid:
    """One normal effect, and where it is integrated out: fine where its draws lie, wide where its prior is."""

    centre: Floats
    sd: Floats
    effect: Floats

    @cached_property
    def prior(self) -> Floats:
        """Log of the trapezium's widths times the effect's prior (draw, node)."""
        x = self.nodes
        gaps = np.diff(x, axis=1)
        width = np.zeros_like(x)
        width[:, 1:] += gaps / 2
        width[:, :-1] += gaps / 2
        z = (x - self.centre[:, None]) / self.sd[:, None]
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(width) - 0.5 * z**2 - np.log(self.sd)[:, None] - 0.5 * math.log(2 * math.pi))

    @cached_property
    def nodes(self) -> Floats:
        """Effects at which the integral is evaluated (draw, node)."""
        wide = _WIDE * self.sd[:, None] + self.centre[:, None]
        fine = np.broadcast_to(self.effect.mean() + _FINE * self.effect.std(), (len(self.sd), len(_FINE)))
        finer = (_FINE[1] - _FINE[0]) * self.effect.std() < (_WIDE[1] - _WIDE[0]) * self.sd[:, None]
        both = [np.where(finer, _outside(wide, fine), wide), np.where(finer, fine, _outside(fine, wide))]
        return np.sort(np.concatenate(both, axis=1), axis=1)


@dataclass(frozen=True, eq=False)
class _Integrated:
    """Rows given one normal effect: ``law(row, x)`` at effects x (draw, node)."""

    rows: Sequence[Any]
    grid: _Grid
    law: Callable[[Any, Floats], Law]

    @cached_property
    def laws(self) -> dict[str, Law]:
        """Law of each row at the nodes."""
        return {row.row: self.law(row, self.grid.nodes) for row in self.rows}

    def log_density(self, rows: Collection[str]) -> Floats:
        kept = [law.log_density for name, law in self.laws.items() if name in rows]
        if not kept:
            return np.zeros(len(self.grid.sd))
        return _log_sum(self.grid.prior + sum(kept))

    def predictive(self, row: str) -> Floats:
        logs = self.grid.prior + sum(law.log_density for name, law in self.laws.items() if name != row)
        weight = np.exp(logs - logs.max(axis=1, keepdims=True))
        return self.laws[row].bounds(weight / weight.sum(axis=1, keepdims=True))


def _outside(nodes: Floats, other: Floats) -> Floats:
    """Move nodes within the range of others to its nearer end, where they count for nothing.

    The trapezium rule is far more exact on one even grid than on two in one another.
    """
    low, high = other[:, :1], other[:, -1:]
    end = np.where(nodes < (low + high) / 2, low, high)
    return np.where((nodes > low) & (nodes < high), end, nodes)


def _log_sum(logs: Floats) -> Floats:
    """Log of the sum of exponentials over the second axis."""
    most = logs.max(axis=1, keepdims=True)
    return np.asarray(most[:, 0] + np.log(np.exp(logs - most).sum(axis=1)))


# --- clusters ----------------------------------------------------------------------------------


def _offending(study: Study, draws: Draws) -> list[Cluster]:
    """Return one cluster for each study of offending, with the shape where no other study informs it."""
    rows = study.rows("offending")
    windows: dict[str, set[str]] = {row.study: set() for row in rows}
    for row in rows:
        windows[row.study] |= {window(row)} - {""}
    every = [name for found in windows.values() for name in found]
    clusters = []
    for i, name in enumerate(windows):
        own = [window for window in windows[name] if every.count(window) == 1]
        clusters.append(_offending_study([row for row in rows if row.study == name], draws, i, own, study))
    return clusters


def _offending_study(rows: Sequence[Any], draws: Draws, i: int, own: Sequence[str], study: Study) -> Cluster:
    grid = _Grid(*_centre(rows[0].population, draws, study), draws["log_study_mean"][:, i])
    shapes = {name: draws[f"shape_{name}"][:, None] for name in ("month", "year")}

    def integrated(changed: Mapping[str, Any]) -> _Integrated:
        def law(row: Any, x: Floats) -> Law:
            return offending_law(row, x, {**shapes, **changed})

        return _Integrated(rows, grid, law)

    found, names = integrated({}), tuple(row.row for row in rows)
    if len(own) != 1:
        return Cluster(names, found.log_density, found.predictive, "offences_per_user_year")
    prior = _frozen(study, f"shape_{own[0]}")

    def marginal() -> Floats:
        each = [integrated({own[0]: value}).log_density(names) for value in prior.ppf(_MIDDLES)]
        return _log_sum(np.stack(each, axis=1)) - math.log(len(each))

    fresh = {f"shape_{own[0]}": _fresh(prior, len(grid.centre))}
    return Cluster(names, found.log_density, found.predictive, "offences_per_user_year", fresh, cache(marginal))


def _centre(population: str, draws: Draws, study: Study) -> tuple[Floats, Floats]:
    """Expectation and sd of a study's log mean; a normal offset that only one study informs is integrated out.

    The offset of all users stays: projections depend on it.
    """
    log_mean, sd = np.log(draws["offences_per_user_year"]), draws["sigma_study"]
    studies = {row.study for row in study.rows("offending") if row.population == population}
    prior = study.priors.get(f"offset_{population}")
    if len(studies) == 1 and prior and prior.family == "Normal" and population != "all_users":
        return log_mean + prior.parameters["mu"], np.hypot(sd, prior.parameters["sigma"])
    return log_mean + draws["offset"][:, POPULATIONS.index(population)], sd


def _coverage(row: Any, draws: Draws, i: int) -> Cluster:
    grid = _Grid(draws["mu_coverage"], draws["tau_coverage"], draws["logit_coverage"][:, i])
    found = _Integrated([row], grid, coverage_law)
    return Cluster((row.row,), found.log_density, found.predictive, "mu_coverage")


def _retention(study: Study, draws: Draws, structure: Structure) -> list[Cluster]:
    """Return one cluster for each setting, or for each row where settings do not differ."""
    rows, scale, shape = study.rows("retention"), draws["retention_scale"], draws["retention_shape"]
    if not structure.retention_varies:
        return [_single(row, retention_law(row, scale, shape), "retention_scale") for row in rows]
    found = []
    for i, name in enumerate(dict.fromkeys(row.study for row in rows)):
        own = [row for row in rows if row.study == name]
        grid = _Grid(np.log(scale), draws["sigma_retention"] / shape, draws["log_retention_scale"][:, i])
        each = _Integrated(own, grid, lambda row, x: retention_law(row, np.exp(x), shape[:, None]))
        names = tuple(row.row for row in own)
        found.append(Cluster(names, each.log_density, each.predictive, "retention_scale"))
    return found


def _single(row: Any, law: Law, component: str) -> Cluster:
    def log_density(rows: Collection[str]) -> Floats:
        return law.log_density if row.row in rows else np.zeros_like(law.log_density)

    return Cluster((row.row,), log_density, lambda name: law.bounds(), component)


def _ceiling(rows: Sequence[Any], study: Study, draws: Draws) -> Cluster:
    """Return the cluster of national totals, which alone inform the countable share."""
    prior = _frozen(study, "countable_share")
    rest = draws["ceiling_fitted"] - np.log(draws["countable_share"])[:, None]

    def laws(log_share: Any) -> dict[str, Law]:
        numbers = [range_to_normal(row.lower, row.upper, row.prob) for row in rows]
        return {
            row.row: normal(mean, rest[:, i] + log_share, sd)
            for i, (row, (mean, sd)) in enumerate(zip(rows, numbers, strict=True))
        }

    here = laws(np.log(draws["countable_share"]))

    def log_density(kept: Collection[str]) -> Floats:
        return np.asarray(sum((here[name].log_density for name in kept), start=np.zeros(len(rest))))

    def marginal() -> Floats:
        each = [sum(law.log_density for law in laws(math.log(value)).values()) for value in prior.ppf(_MIDDLES)]
        return _log_sum(np.stack(each, axis=1)) - math.log(len(each))

    fresh = {"countable_share": _fresh(prior, len(rest))}
    return Cluster(
        tuple(here), log_density, lambda name: here[name].bounds(), "offences_per_user_year", fresh, cache(marginal)
    )


_MIDDLES = (np.arange(20) + 0.5) / 20  # probabilities at which a prior is cut into pieces of equal mass


def _frozen(study: Study, name: str) -> Any:
    prior = study.priors[name]
    return scipy_frozen(prior.family, prior.parameters)


def _fresh(prior: Any, size: int) -> Floats:
    """Draw a parameter from its prior: stratified, in random order, always the same."""
    rng = np.random.default_rng(0)
    return np.asarray(prior.ppf(rng.permutation((np.arange(size) + rng.uniform(size=size)) / size)))
