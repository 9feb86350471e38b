"""Refit a changed model, sampling only what the change can reach.

Parameters that share no observed variable are independent in the posterior. So the model falls into connected
components, and a changed prior or row of evidence moves only its own: that one is sampled again, the draws of the
others are kept, and variables no evidence bears on are drawn forward as in any fit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError

if TYPE_CHECKING:
    import pymc as pm
    from xarray import Dataset, DataTree

__all__ = ["components", "refit"]


def components(model: pm.Model) -> list[frozenset[str]]:
    """Return the names of variables, free and observed, that are connected through evidence.

    Variables that no observed variable depends on are in none.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     a, b = pm.Normal("a"), pm.Normal("b")
    ...     _ = pm.Normal("y", a, 1, observed=0.0), pm.Normal("z", b, 1, observed=0.0)
    >>> sorted(sorted(found) for found in components(model))
    [['a', 'y'], ['b', 'z']]
    """
    from pytensor.graph.traversal import ancestors

    found: list[set[str]] = []
    for observed in model.observed_RVs:
        behind = set(ancestors([observed]))
        group = {observed.name, *(v.name for v in model.free_RVs if v in behind)}
        joined = [other for other in found if other & group]
        found = [other for other in found if not other & group] + [set.union(group, *joined)]
    return [frozenset(group) for group in found]


def refit(
    model: pm.Model,
    fit: DataTree,
    changed: Collection[str],
    *,
    wanted: Collection[str] | None = None,
    tune: int = 1000,
    rng: int = 1,
) -> Dataset:
    """Sample the components that hold a changed variable and return a posterior of the shape of the fit's.

    Parameters
    ----------
    model
        The changed model.
    fit
        The fit of the model before the change; its draws serve where nothing changed.
    changed
        Names of variables whose prior or data changed. Those that no evidence bears on need no sampling.
    wanted
        Variables to return beside those with a component; all by default.
    tune
        Warm-up draws per chain.
    rng
        Seed of the chains; forward draws use it too.

    Returns
    -------
    Dataset
        Free variables and deterministics, dims ``chain, draw, …``.

    Raises
    ------
    UsageError
        If the fit lacks a variable of an unchanged component.
    """
    posterior = fit["posterior"]
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    groups = components(model)
    touched = [group for group in groups if group & set(changed)]
    sampled: dict[str, np.ndarray] = {}
    for name in sorted(name for group in groups if group not in touched for name in group):
        if name not in {v.name for v in model.observed_RVs}:
            if name not in posterior.data_vars:
                raise UsageError(
                    "the fit lacks a variable of the changed model", key=name, found=list(posterior.data_vars)
                )
            sampled[name] = np.asarray(posterior[name].transpose("chain", "draw", ...).values)
    if touched:
        sampled |= _sampled(model, frozenset.union(*touched), (draws, tune, chains), rng)
    return _completed(model, sampled, wanted, rng)


def _sampled(model: pm.Model, names: frozenset[str], size: tuple[int, int, int], rng: int) -> dict[str, np.ndarray]:
    """Draws (chain, draw, …) of the free variables of some components, and nothing else of a fit."""
    from bayes.sampling.forward import light_graphs, unconstrained_to_values
    from bayes.sampling.nuts import Length, run_nuts

    draws, tune, chains = size
    with light_graphs():
        core = _only(model, names)
        points, _ = run_nuts(core, Length(tune, draws, chains, 0.97), np.random.default_rng(rng))
        flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in points.items()}
        values = unconstrained_to_values(core, flat)
    return {name: np.asarray(value).reshape(chains, draws, *value.shape[1:]) for name, value in values.items()}


def _only(model: pm.Model, names: frozenset[str]) -> pm.Model:
    """Return the part of a model that some observed variables depend on."""
    from pymc.model.fgraph import ModelObservedRV, ModelVar, fgraph_from_model, model_from_fgraph
    from pytensor.graph.traversal import ancestors

    graph, _ = fgraph_from_model(model, inlined_views=True)
    ends = [
        out
        for node in graph.apply_nodes
        if isinstance(node.op, ModelObservedRV)
        for out in node.outputs
        if out.name in names
    ]
    behind = {variable.owner for variable in ancestors(ends)}
    for node in [n for n in graph.apply_nodes if isinstance(n.op, ModelVar) and n not in behind]:
        graph.remove_node(node)
    return model_from_fgraph(graph, mutate_fgraph=True)


def _completed(model: pm.Model, sampled: Mapping[str, np.ndarray], wanted: Collection[str] | None, rng: int) -> Dataset:
    """Draw everything else forward and label it."""
    import arviz_base

    from bayes.sampling.forward import draw, light_graphs

    chains, draws = next(iter(sampled.values())).shape[:2]
    flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in sampled.items()}
    kept = [v for v in model.unobserved_RVs if not v.name.startswith("_") and (wanted is None or v.name in wanted)]
    rest = [v for v in kept if v.name not in flat]
    with light_graphs():
        flat |= draw(model, rest, flat, chains * draws, np.random.default_rng(rng))
    shaped = {name: value.reshape(chains, draws, *value.shape[1:]) for name, value in flat.items()}
    dims = {n: list(d) for n, d in model.named_vars_to_dims.items() if n in shaped and len(d) == shaped[n].ndim - 2}
    coords = {name: list(values) for name, values in model.coords.items() if values is not None}
    found: Any = arviz_base.from_dict({"posterior": shaped}, dims=dims, coords=coords)["posterior"].to_dataset()
    return found  # type: ignore[no-any-return]
