"""From a ``pm.Model`` to its recipe, and to the programs of its chains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pymc as pm
from pymc.model.transform.basic import prune_vars_detached_from_observed
from pytensor.graph.traversal import ancestors

from bayes.sampling.blocks import blocks_of, log_density
from bayes.sampling.forward import constraining, data_of, densities, drawing, light_graphs, observing, starting
from bayes.sampling.identity import model_hash
from bayes.sampling.nuts import Block, Length, chain
from bayes.sampling.recipe import Recipe

__all__ = ["block_chain", "core_of", "recipe_of"]


def recipe_of(model: pm.Model) -> Recipe:
    """Return how a model is sampled and what follows from its draws."""
    with light_graphs():
        core = core_of(model)
        starts = starting(core)
        shapes = [starts(data_of(core), None)[v.name].shape for v in core.value_vars]
        sampled = [v.name for v in core.free_RVs]
        kept = [v for v in model.unobserved_RVs if not v.name.startswith("_")]
        seen = list(model.observed_RVs)
        data = {model.rvs_to_values[v] for v in seen}
        own = [v for v in kept if not data.intersection(ancestors([v]))]
        fresh = [*(v for v in kept if v.name not in sampled), *seen]
        scratch = {v.name for v in model.free_RVs} - {v.name for v in kept} - set(sampled)
        free = [v for v in model.free_RVs if v.name not in scratch]
        given = [v.name for v in free]
        pieces = {
            "starts": starts, "values": constraining(core), "after": drawing(model, fresh, sampled),
            "before": drawing(model, [*own, *seen], []), "densities": densities(model, [*seen, *free], given),
            "observed": observing(model),
        }  # fmt: skip
    deterministic = {v.name for v in model.deterministics}
    roles = {"sampled": sampled, "kept": [v.name for v in kept], "seen": [v.name for v in seen],
             "own": [v.name for v in own], "free": given, "data": [v.name for v in model.data_vars],
             "forward": [v.name for v in kept if v.name not in {*sampled, *deterministic}]}  # fmt: skip
    dims = {name: tuple(d for d in found if d) for name, found in model.named_vars_to_dims.items() if any(found)}
    blocks = blocks_of(core, shapes) if sampled else ()
    key = model_hash(model)
    return Recipe(key, blocks, pieces, {role: tuple(map(str, names)) for role, names in roles.items()}, dims)


def core_of(model: pm.Model) -> pm.Model:
    """Return the model without what no observation bears on."""
    return model if model.potentials else prune_vars_detached_from_observed(model)


def block_chain(model: pm.Model, block: Block, length: Length) -> Callable[..., Any]:
    """Return one chain of a block of a model as a JAX function."""
    with light_graphs():
        return chain(log_density(core_of(model), block), length)
