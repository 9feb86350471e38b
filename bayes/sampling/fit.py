"""Sampling a model: MCMC where evidence speaks, exact forward draws everywhere else.

Three kinds of variables are told apart by the graph alone, so that any ``pm.Model`` will do:

1. free variables that some observed variable depends on are sampled by NUTS;
2. free variables that no observed variable depends on are drawn forward given the first, exactly and
   independently: their effective sample size is the number of draws;
3. those of the second kind that depend on observed data (group effects recovered after collapsing) have a
   posterior but no prior of their own, and are left out of the prior groups.

Names that begin with an underscore are scratch variables and are not kept.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
from pymc.model.transform.basic import prune_vars_detached_from_observed
from pytensor.graph.traversal import ancestors

from bayes.errors import UsageError, closest
from bayes.provenance import canonical, digest, versions
from bayes.sampling.forward import NUMPY, draw, light_graphs, log_densities, unconstrained_to_values
from bayes.sampling.nuts import Length, run_nuts

if TYPE_CHECKING:
    from xarray import DataTree

__all__ = ["DEFAULT_SEED", "SAMPLERS", "sample"]

DEFAULT_SEED = 20070222
SAMPLERS = ("numpyro", "nutpie", "pymc")
STAMP = "bayes_stamp"

_REPRODUCIBLE = {
    "numpyro": "same seed, inputs, versions and machine give the same numbers, with cold or warm caches",
    "nutpie": "numbers differ between a cold and a warm compilation cache; equal only when both runs are warm",
    "pymc": "numbers differ between a cold and a warm compilation cache; equal only when both runs are warm",
}


def sample(
    model: pm.Model, *, draws: int = 1000, tune: int = 1000, chains: int = 4,
    rng: int | np.random.Generator = DEFAULT_SEED, sampler: str = "numpyro", target_accept: float = 0.97,
) -> DataTree:  # fmt: skip
    """Sample a model and return everything ArviZ needs, as one ``DataTree``.

    Parameters
    ----------
    model
        Any PyMC model; :func:`bayes.build_model` makes the shipped one.
    draws, tune, chains
        Draws kept and warm-up draws per chain, and number of chains.
    rng
        Seed or NumPy generator. The same seed gives the same numbers (see the attribute ``reproducible``).
    sampler
        ``numpyro`` (default), ``nutpie`` or ``pymc``; never chosen by what happens to be installed.
    target_accept
        Target acceptance probability of NUTS.

    Returns
    -------
    DataTree
        Groups ``posterior``, ``sample_stats``, ``prior``, ``prior_predictive``, ``posterior_predictive``,
        ``log_likelihood``, ``log_prior``, ``observed_data``, ``constant_data``; dims ``chain``, ``draw`` and the
        model's own. Attributes stamp inputs, seed, versions and sampler.

    Raises
    ------
    UsageError
        If an argument is out of range or the sampler cannot handle the model.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 1)
    ...     _ = pm.Normal("y", mu, 1, observed=[0.3, 0.9])
    >>> fit = sample(model, draws=200, tune=200, chains=2, rng=1)
    >>> sorted(fit["posterior"].data_vars)
    ['mu']
    """
    _check_arguments(model, draws, tune, chains, sampler, target_accept)
    seed = int(rng.integers(2**31)) if isinstance(rng, np.random.Generator) else int(rng)
    streams = np.random.default_rng(seed).spawn(3)
    length = Length(tune, draws, chains, target_accept)
    with light_graphs():
        core = model if model.potentials else prune_vars_detached_from_observed(model)
        sampled, stats = _mcmc(core, length, streams[0], sampler)
        flat = {name: value.reshape(draws * chains, *value.shape[2:]) for name, value in sampled.items()}
        groups = _groups(model, flat, draws * chains, streams[1:])
    shaped = {name: _shaped(values, chains, draws) for name, values in groups.items()}
    for name in ("prior", "prior_predictive"):
        shaped[name] = {k: v[None] for k, v in groups[name].items()}
    tree = _tree(model, {**shaped, "sample_stats": stats})
    forward = sorted(set(groups["posterior"]) - set(flat) - {v.name for v in model.deterministics})
    variables = {"mcmc_variables": json.dumps(sorted(flat)), "forward_variables": json.dumps(forward)}
    tree.attrs.update(_stamp(model, seed, sampler, length) | variables)
    return tree


def _check_arguments(model: pm.Model, draws: int, tune: int, chains: int, sampler: str, target: float) -> None:
    for name, value, least in (("draws", draws, 4), ("tune", tune, 1), ("chains", chains, 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise UsageError(f"{name} must be a whole number", key=name, found=value, allowed=f"{least} or more")
    if sampler not in SAMPLERS:
        raise UsageError(
            "there is no such sampler",
            key="sampler",
            found=sampler,
            allowed=SAMPLERS,
            fix=closest(sampler, SAMPLERS) or "choose one",
        )
    if not 0.5 <= target < 1:
        raise UsageError(
            "the target acceptance is a probability", key="target_accept", found=target, allowed="0.5 to 1"
        )
    if not model.basic_RVs:
        raise UsageError("this model has no random variable", found=model, fix="add one")
    behind = set(ancestors([*model.observed_RVs, *model.potentials]))
    discrete = [v.name for v in model.free_RVs if v in behind and v.dtype.startswith(("int", "uint", "bool"))]
    if discrete and sampler != "pymc":
        raise UsageError(
            f"{sampler} cannot sample discrete variables",
            key="sampler",
            found=discrete,
            fix='use sampler="pymc", or sum them out',
        )


# --- Markov chains ---------------------------------------------------------------------------


def _mcmc(
    core: pm.Model, length: Length, rng: np.random.Generator, sampler: str
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Draws (chain, draw, …) of the free variables that observations bear on, and sampler statistics."""
    if not core.free_RVs:
        return {}, {}
    if sampler == "numpyro":
        points, stats = run_nuts(core, length, rng)
        flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in points.items()}
        values = unconstrained_to_values(core, flat)
        stats["tree_depth"] = np.ceil(np.log2(stats["n_steps"] + 1)).astype(int)
        return _shaped(values, length.chains, length.draws), stats
    tree = (_nutpie if sampler == "nutpie" else _pymc)(core, length, int(rng.integers(2**31)))
    posterior, found = tree["posterior"], tree["sample_stats"]
    names = {"lp": "lp", "logp": "lp", "energy": "energy", "diverging": "diverging", "n_steps": "n_steps",
             "step_size": "step_size", "tree_depth": "tree_depth", "depth": "tree_depth"}  # fmt: skip
    stats = {new: np.asarray(found[old]) for old, new in names.items() if old in found.data_vars}
    return {v.name: np.asarray(posterior[v.name].transpose("chain", "draw", ...)) for v in core.free_RVs}, stats


def _pymc(core: pm.Model, length: Length, seed: int) -> Any:
    return pm.sample(
        length.draws, tune=length.tune, chains=length.chains, random_seed=seed, target_accept=length.target, model=core,
        nuts_sampler="pymc", progressbar=False, compute_convergence_checks=False, cores=1,
    )  # fmt: skip


def _nutpie(core: pm.Model, length: Length, seed: int) -> Any:
    try:
        import nutpie
    except ModuleNotFoundError:
        raise UsageError(
            "nutpie is not installed", key="sampler", found="nutpie",
            fix="install the extra 'nutpie', or use another sampler",
        ) from None  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = nutpie.compile_pymc_model(core)
        return nutpie.sample(
            compiled, draws=length.draws, tune=length.tune, chains=length.chains, cores=min(length.chains, 2),
            seed=seed,
            target_accept=length.target, progress_bar=False,
        )  # fmt: skip


# --- everything else -------------------------------------------------------------------------


def _groups(
    model: pm.Model, sampled: Mapping[str, np.ndarray], size: int, streams: Sequence[np.random.Generator]
) -> dict[str, dict[str, np.ndarray]]:
    """All groups that follow from the sampled values, arrays (draw, …) by variable."""
    kept = [v for v in model.unobserved_RVs if not v.name.startswith("_")]
    seen = list(model.observed_RVs)
    after = {**sampled, **draw(model, [*(v for v in kept if v.name not in sampled), *seen], sampled, size, streams[0])}
    data = {model.rvs_to_values[v] for v in seen}
    own = [v for v in kept if not data.intersection(ancestors([v]))]
    before = draw(model, [*own, *seen], {}, size, streams[1])
    free = [v for v in model.free_RVs if v.name in after]
    densities = log_densities(model, [*seen, *free], {v.name: after[v.name] for v in free})
    return {
        "posterior": {v.name: after[v.name] for v in kept},
        "posterior_predictive": {v.name: after[v.name] for v in seen},
        "prior": {v.name: before[v.name] for v in own},
        "prior_predictive": {v.name: before[v.name] for v in seen},
        "log_likelihood": {v.name: densities[v.name] for v in seen},
        "log_prior": {v.name: densities[v.name] for v in free},
    }


def _shaped(values: Mapping[str, np.ndarray], chains: int, draws: int) -> dict[str, np.ndarray]:
    return {name: np.asarray(v).reshape(chains, draws, *np.shape(v)[1:]) for name, v in values.items()}


def _tree(model: pm.Model, groups: Mapping[str, Mapping[str, np.ndarray]]) -> DataTree:
    """Label every array with the model's dims; a multivariate density keeps only chain and draw."""
    import arviz_base
    from xarray import DataTree as Tree

    data = {**groups, "observed_data": _observed(model),
            "constant_data": {v.name: np.asarray(v.get_value()) for v in model.data_vars}}  # fmt: skip
    named = {name: [d for d in dims if d] for name, dims in model.named_vars_to_dims.items() if any(dims)}
    coords = {name: list(values) for name, values in model.coords.items() if values is not None}
    tree = Tree()
    for group, values in data.items():
        lead = 0 if group in ("observed_data", "constant_data") else 2
        dims = {n: named[n] for n, v in values.items() if n in named and len(named[n]) == np.ndim(v) - lead}
        if values:
            found = arviz_base.from_dict({group: values}, coords=coords, dims=dims)[group].to_dataset()
            found.attrs.pop("created_at", None)  # equal runs are equal files
            tree[group] = Tree(found)
    return tree


def _observed(model: pm.Model) -> dict[str, np.ndarray]:
    found = {}
    for variable in model.observed_RVs:
        found[variable.name] = np.asarray(model.rvs_to_values[variable].eval(mode=NUMPY))
    return found


def _stamp(model: pm.Model, seed: int, sampler: str, length: Length) -> dict[str, Any]:
    """Attributes that say how the numbers came about. No time of day: equal runs are equal files."""
    extra = ("nutpie", "numba") if sampler == "nutpie" else ("numba",) if sampler == "pymc" else ()
    inputs = vars(model).get(STAMP, {})
    return {
        "inputs": canonical(inputs),
        "inputs_hash": digest(canonical(inputs)),
        "seed": seed,
        "sampler": sampler,
        "draws": length.draws,
        "tune": length.tune,
        "chains": length.chains,
        "target_accept": length.target,
        "versions": canonical(dict(versions(extra))),
        "reproducible": _REPRODUCIBLE[sampler],
        "verdict": "not checked",
    }
