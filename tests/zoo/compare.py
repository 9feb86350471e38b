"""A model as this toolkit has it, compared with PyMC's own evaluation of the same model."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr
from arviz_stats.base import array_stats
from pymc.stats import compute_log_likelihood, compute_log_prior
from pytensor.compile.mode import Mode
from pytensor.graph.traversal import ancestors
from pytensor.tensor.random.type import RandomType
from scipy import stats

from bayes.sampling.blocks import log_density
from bayes.sampling.forward import data_of
from bayes.sampling.partition import pruned, without_initial_values
from bayes.sampling.programs import double_precision
from bayes.sampling.recipe import Recipe
from bayes.sampling.tree import SIZE, full, tree_of

__all__ = ["after_gaps", "alike", "density_gap", "forward_gaps", "pointwise_gaps", "posterior_gaps", "prior_gaps"]

FALSE_ALARM = 1e-5
"""Chance that a model that is right fails its two-sample tests: of a thousand such models one in a hundred runs."""

POSTERIOR_LIMIT = 5.0
"""Standard errors by which two posteriors may differ: 6 in 10 million comparisons fail by chance."""

PLAIN = Mode(linker="py", optimizer="fast_run").excluding("fusion", "inplace")
"""PyTensor's own rewrites and NumPy: no machine code has to be made for a few evaluations."""

_DIRECTIONS = 8
_ROLES = {"mcmc": "sampled", "forward": "forward"}
Values = Mapping[str, np.ndarray]
Inside = Callable[[Values], np.ndarray]


# --- densities ---------------------------------------------------------------------------------


def density_gap(model: pm.Model, recipe: Recipe, points: int = 4) -> float:
    """Largest difference of the sampled log density at random points, relative to the size of its terms.

    A constant is allowed for: what does not depend on the point does not move a posterior.
    """
    core, data = pruned(model, recipe.names["sampled"]), data_of(model)
    at = _points(recipe, data, 8 * points)
    theirs, scale = _total(model, core, at)
    chosen = [*np.flatnonzero(np.isfinite(theirs))[: points - 1], *np.flatnonzero(~np.isfinite(theirs))[:1]]
    at, theirs, scale = {name: values[chosen] for name, values in at.items()}, theirs[chosen], scale[chosen]
    finite, points = np.isfinite(theirs), len(chosen)
    assert finite.sum() >= 2, "no two points of finite density"
    ours = np.zeros(points)
    with double_precision():
        for block in recipe.blocks:
            density = log_density(core, block)
            numbers = [data[name] for name in block.data]
            flat = np.concatenate([at[v].reshape(points, -1) for v in block.variables], axis=1).astype(float)
            ours += [float(density(one, *numbers)) for one in flat]
    inside = {name: values[finite] for name, values in at.items()}
    tape = np.broadcast_to(sum(recipe.pieces["total"]({**inside, **data}, None).values()), finite.sum())
    assert np.array_equal(np.isfinite(ours), finite), "finite where PyMC's is not, or the other way round"
    gaps = [(ours - theirs)[finite], tape - theirs[finite]]
    return float(max(np.max(np.abs(gap) / (1 + scale[finite])) for gap in (gaps[0] - gaps[0][0], gaps[1])))


def _points(recipe: Recipe, data: Values, points: int) -> dict[str, np.ndarray]:
    """Random points near where chains start, on the unconstrained scale."""
    rng = np.random.default_rng(7)
    far = [0.0, *(2 * 0.5 ** (i % 5) for i in range(points - 1))]  # supports without a transform are narrow
    starts = {
        name: np.asarray(value)[0] for name, value in recipe.pieces["starts"]({**data, SIZE: np.asarray(1)}, 3).items()
    }
    return {name: np.stack([start + (rng.normal(0, d, start.shape) if d else 0.0) for d in far])
            for name, start in starts.items()}  # fmt: skip


def _total(model: pm.Model, core: Any, at: Values) -> tuple[np.ndarray, np.ndarray]:
    """The terms of ``model.logp`` that a sampled variable enters, summed; and the sum of their sizes."""
    sampled = {model.rvs_to_values[model[name]] for name in core.names}
    variables = [*(model[name] for name in core.names), *model.observed_RVs, *model.potentials]
    terms = [t.sum() for t in model.logp(vars=variables, sum=False) if sampled & set(ancestors([t]))]
    inputs = [v for v in model.value_vars if v in sampled]
    function = model.compile_fn(terms, inputs=inputs, mode=PLAIN, point_fn=False, on_unused_input="ignore")
    rows = np.array([function(*(at[v.name][i] for v in inputs)) for i in range(len(next(iter(at.values()))))])
    return rows.sum(axis=1), np.abs(rows).sum(axis=1)


def pointwise_gaps(model: pm.Model, fit: xr.DataTree, draws: int = 5) -> dict[str, float]:
    """Largest relative difference of each elementwise log density, prior and likelihood, to PyMC's own."""
    if not model.free_RVs:  # PyMC computes nothing then
        terms = dict(zip(model.observed_RVs, model.logp(vars=model.observed_RVs, sum=False), strict=True))
        return {f"log_likelihood {v.name}": _relative(fit["log_likelihood"][v.name].values[0, 0], term.eval(mode=PLAIN))
                for v, term in terms.items()}  # fmt: skip
    few = xr.DataTree.from_dict({"posterior": fit["posterior"].to_dataset().isel(draw=slice(draws))})
    free = [v.name for v in model.free_RVs if v.name in fit["posterior"]]
    found: dict[str, float] = {}
    for group, compute, names in (
        ("log_prior", compute_log_prior, free),
        ("log_likelihood", compute_log_likelihood, [v.name for v in model.observed_RVs]),
    ):
        if not names:
            continue
        with warnings.catch_warnings(), without_initial_values(model):
            warnings.simplefilter("ignore")
            theirs = compute(few, model=model, extend_inferencedata=False, progressbar=False, var_names=names,
                             compile_kwargs={"mode": PLAIN})  # fmt: skip
        theirs = theirs[group] if group in getattr(theirs, "children", {}) else theirs
        for name in names:
            ours = fit[group][name].values[:, :draws]
            found[f"{group} {name}"] = _relative(ours, np.asarray(theirs[name]))
    return found


def _relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    if ours.shape != theirs.shape:
        return np.inf
    if not np.array_equal(np.isfinite(ours), np.isfinite(theirs)):
        return np.inf
    finite = np.isfinite(theirs)
    ours, theirs = ours.astype(float), theirs.astype(float)
    return float(np.max(np.abs(ours - theirs)[finite] / (1 + np.abs(theirs[finite])), initial=0.0))


# --- draws -------------------------------------------------------------------------------------


def alike(ours: Values, theirs: Values) -> dict[str, float]:
    """Chances, after Bonferroni's correction, of differences as large as found between two samples of arrays (draw, …).

    Kolmogorov and Smirnov's test of each element, and of a few random sums of the ranks of all elements, which see how
    elements hang together. Where both samples are made from the same draws of their parents the test errs on the safe
    side. Returns those smaller than :data:`FALSE_ALARM`.
    """
    one, other, names = _columns(ours, theirs)
    both = np.concatenate([one, other])
    both = np.round(both / np.maximum(np.abs(both).max(axis=0, initial=0), 1e-300), 10)  # rounding is not a difference
    ranks = stats.rankdata(both, axis=0) / len(both)
    signs = np.random.default_rng(11).choice([-1.0, 1.0], (ranks.shape[1], _DIRECTIONS if ranks.shape[1] > 1 else 0))
    sums = ranks @ signs
    columns = np.concatenate([ranks, sums], axis=1)
    names = [*names, *(f"a sum of ranks {i}" for i in range(sums.shape[1]))]
    chances = [stats.ks_2samp(column[: len(one)], column[len(one) :], method="asymp").pvalue for column in columns.T]
    return {name: p * len(names) for name, p in zip(names, chances, strict=True) if p * len(names) < FALSE_ALARM}


def _columns(ours: Values, theirs: Values) -> tuple[np.ndarray, np.ndarray, list[str]]:
    names: list[str] = []
    left, right = [np.zeros((len(next(iter(v.values()))), 0)) for v in (ours, theirs)]
    for name in theirs:
        a, b = np.asarray(ours[name], float), np.asarray(theirs[name], float)
        assert a.shape[1:] == b.shape[1:], f"{name} has the shape {a.shape[1:]}, and {b.shape[1:]} for PyMC"
        width = int(np.prod(a.shape[1:]))
        left, right = np.c_[left, a.reshape(len(a), width)], np.c_[right, b.reshape(len(b), width)]
        names += [name] * width
    return left, right, names


def prior_gaps(model: pm.Model, fit: xr.DataTree, draws: int, inside: Inside | None = None) -> dict[str, float]:
    """Both prior groups against ``pm.sample_prior_predictive``, without its draws outside a transform's range."""
    tree = pm.sample_prior_predictive(draws, model=model, random_seed=5, compile_kwargs={"mode": PLAIN})
    theirs = {**_flat(tree, "prior"), **_flat(tree, "prior_predictive")}
    ours = {**_flat(fit, "prior"), **_flat(fit, "prior_predictive")}
    data = {model.rvs_to_values[v] for v in model.observed_RVs}
    shown = [v.name for v in [*model.unobserved_RVs, *model.observed_RVs]
             if v in model.observed_RVs or not data.intersection(ancestors([v]))]  # fmt: skip
    assert set(ours) == set(shown)
    if inside is not None:
        keep = np.broadcast_to(inside(theirs), draws)
        theirs = {name: values[keep] for name, values in theirs.items()}
    return alike(ours, {name: theirs[name] for name in shown})


def after_gaps(model: pm.Model, fit: xr.DataTree, predictive: bool = True) -> dict[str, float]:
    """Forward draws and Deterministics in the posterior, and the posterior predictive, against PyMC's own."""
    sampled = json.loads(fit.attrs["mcmc_variables"])
    forward = json.loads(fit.attrs["forward_variables"])
    seen = _with_data_as_causes(model, fit["observed_data"]) if model.observed_RVs else model
    wanted = [*forward, *(v.name for v in model.deterministics if v.name in fit["posterior"])]
    posterior = _flat(fit, "posterior")
    gaps = _predicted(seen, fit, sampled, wanted, posterior)
    fixed = [v.name for v in seen.deterministics if v.name in wanted and not _is_random(seen, v)]
    exact = _deterministics(seen, fit, fixed)
    gaps |= {name: 0.0 for name in fixed if _relative(fit["posterior"][name].values[:, :5], exact[name]) > 1e-9}
    if predictive:
        gaps |= _predicted(model, fit, sampled, [v.name for v in model.observed_RVs],
                           {**posterior, **_flat(fit, "posterior_predictive")})  # fmt: skip
    return gaps


def forward_gaps(model: pm.Model, recipe: Recipe, size: int = 400) -> dict[str, float]:
    """What a recipe draws, from the prior and at one point of the posterior, against PyMC's draws."""
    data = data_of(model)
    point = {name: value[:1] for name, value in _points(recipe, data, 1).items()}
    sampled = recipe.pieces["values"]({**point, **data}, None)
    sampled = {name: np.repeat(np.asarray(value)[:1], size, axis=0) for name, value in sampled.items()}
    given = {**data, SIZE: np.asarray(size)}
    after = {**sampled, **full(recipe.pieces["after"]({**sampled, **given}, 1), size)}
    shown = [*sampled, *recipe.names["forward"], *(v.name for v in model.deterministics)]
    groups = {
        "posterior": {name: after[name][None] for name in shown},
        "posterior_predictive": {name: after[name][None] for name in recipe.names["seen"]},
        "observed_data": {v.name: model.rvs_to_values[v].eval(mode=PLAIN) for v in model.observed_RVs},
    }
    fit = tree_of(groups, {}, {})
    fit.attrs = {f"{word}_variables": json.dumps(recipe.names[role]) for word, role in _ROLES.items()}
    found = {f"{name} after": p for name, p in after_gaps(model, fit, bool(recipe.names["seen"])).items()}
    if "before" in recipe.pieces:
        before = full(recipe.pieces["before"](given, 2), size)
        tree = pm.sample_prior_predictive(size, model=model, random_seed=5, var_names=list(before),
                                          compile_kwargs={"mode": PLAIN})  # fmt: skip
        theirs = {**_flat(tree, "prior"), **_flat(tree, "prior_predictive")}
        found |= {f"{name} before": p for name, p in alike(before, {name: theirs[name] for name in before}).items()}
    return found


def _with_data_as_causes(model: pm.Model, data: xr.DataTree) -> pm.Model:
    """The model in which observed variables are numbers: what depends on them depends on the data."""
    with without_initial_values(model):
        return pm.do(model, {v: np.asarray(data[v.name]) for v in model.observed_RVs})


def _predicted(model: pm.Model, fit: xr.DataTree, given: Sequence[str], wanted: Sequence[str], ours: Values) -> Any:
    if not wanted:
        return {}
    kept = fit["posterior"].to_dataset()[list(given)]
    if not given:
        kept["nothing"] = (("chain", "draw"), np.zeros([fit["posterior"].sizes[d] for d in ("chain", "draw")]))
    found = pm.sample_posterior_predictive(
        xr.DataTree.from_dict({"posterior": kept}), model=model, var_names=list(wanted), random_seed=6,
        progressbar=False, compile_kwargs={"mode": PLAIN},
    )  # fmt: skip
    drawn = _flat(found, "posterior_predictive")
    both = {name: ours[name] for name in given}
    return alike({**both, **{name: ours[name] for name in wanted}}, {**both, **{name: drawn[name] for name in wanted}})


def _is_random(model: pm.Model, variable: Any) -> bool:
    """Whether a Deterministic draws something that has no name."""
    behind = ancestors([variable], blockers=model.free_RVs)
    return any(isinstance(v.type, RandomType) for v in behind if v not in model.free_RVs)


def _deterministics(model: pm.Model, fit: xr.DataTree, names: list[str]) -> dict[str, np.ndarray]:
    few = fit["posterior"].to_dataset().isel(draw=slice(5))
    known = [v.name for v in model.free_RVs if v.name in few]
    if not known:  # there are constants at most
        constants = {name: model[name].eval(mode=PLAIN) for name in names}
        return {
            name: np.broadcast_to(v, (few.sizes["chain"], few.sizes["draw"], *v.shape)) for name, v in constants.items()
        }
    if not names:
        return {}
    few = few[known]
    with without_initial_values(model):
        found = pm.compute_deterministics(few, var_names=names, model=model, progressbar=False,
                                          compile_kwargs={"mode": PLAIN})  # fmt: skip
    return {name: values.transpose("chain", "draw", ...).values for name, values in found.items()}


def _flat(tree: xr.DataTree, group: str) -> dict[str, np.ndarray]:
    """Arrays (draw, …) by name, all chains in a row."""
    if group not in tree.children:
        return {}
    found = {str(name): v.transpose("chain", "draw", ...) for name, v in tree[group].to_dataset().data_vars.items()}
    return {name: v.values.reshape(v.shape[0] * v.shape[1], *v.shape[2:]) for name, v in found.items()}


# --- posteriors --------------------------------------------------------------------------------


def posterior_gaps(model: pm.Model, fit: xr.DataTree, names: Sequence[str], **settings: float) -> dict[str, float]:
    """Differences of means and standard deviations to ``pm.sample``, in standard errors, where they are too large."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pm.sample(1000, tune=1000, chains=2, cores=1, random_seed=8, model=model, progressbar=False,
                           compute_convergence_checks=False, **settings)["posterior"]  # fmt: skip
    found: dict[str, float] = {}
    for name in names:
        one, other = (tree[name].values.reshape(*tree[name].shape[:2], -1) for tree in (fit["posterior"], theirs))
        for i in range(one.shape[2]):
            for word, method, figure in (("mean", "mean", np.mean), ("sd", "sd", np.std)):
                errors = [array_stats.mcse(d[..., i], chain_axis=0, draw_axis=1, method=method) for d in (one, other)]
                gap = figure(one[..., i]) - figure(other[..., i])
                if abs(gap) > POSTERIOR_LIMIT * np.hypot(*errors) + 1e-9:
                    found[f"{word} of {name}[{i}]"] = float(gap / np.hypot(*errors))
    return found
