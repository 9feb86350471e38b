"""The log density of a model in independent blocks, as JAX functions with the numbers as arguments.

Free variables that no term of the log density ties together are independent given the data, and are sampled apart:
shorter trajectories in fewer dimensions, each with a step size of its own. ``pm.sample(nuts_sampler="numpyro")`` bakes
data into the compiled program, so that every changed prior compiles again. Here the model's data (``pm.Data``: priors
and evidence) stay arguments: one program per structure, kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors

from bayes.sampling.nuts import Block
from bayes.sampling.programs import same_flags

__all__ = ["blocks_of", "log_density"]


def blocks_of(model: pm.Model, shapes: Sequence[tuple[int, ...]]) -> tuple[Block, ...]:
    """Split the free variables of a model into blocks that are independent given the data.

    Parameters
    ----------
    model
        A model without free variables that no observation bears on.
    shapes
        Of each value in ``model.value_vars``, in order.
    """
    shape_of = dict(zip(model.value_vars, shapes, strict=True))
    data = {v: str(v.name) for v in model.data_vars}
    behind = [set(ancestors([term])) for term in _terms(model)]
    found = []
    for members in _components([[v for v in model.value_vars if v in above] for above in behind]):
        touched = set().union(*(above for above in behind if not above.isdisjoint(members)))
        chosen = [v for v in model.value_vars if v in members]
        found.append(Block(tuple(str(v.name) for v in chosen), tuple(tuple(shape_of[v]) for v in chosen),
                           tuple(sorted(name for v, name in data.items() if v in touched))))  # fmt: skip
    return tuple(sorted(found, key=lambda block: -block.size))


def log_density(model: pm.Model, block: Block) -> Callable[..., Any]:
    """Return the part of a model's log density that concerns a block, as a JAX function ``(flat, *data) -> scalar``.

    ``flat`` stacks the block's unconstrained values in order; ``data`` are the values of its data, in order.
    """
    import jax.numpy as jnp

    with same_flags():
        from pymc.sampling.jax import get_jaxified_graph

    values = {v.name: v for v in model.value_vars}
    inputs = [values[name] for name in block.variables]
    shared = [next(v for v in model.data_vars if v.name == name) for name in block.data]
    arguments = [pt.tensor(f"{v.name}_data", dtype=v.dtype, shape=v.get_value(borrow=True).shape) for v in shared]
    terms = [term.sum() for term in _terms(model) if not set(inputs).isdisjoint(ancestors([term]))]
    logp = clone_replace([pt.add(*terms) if len(terms) > 1 else terms[0]], dict(zip(shared, arguments, strict=True)))
    function = get_jaxified_graph(inputs=[*inputs, *arguments], outputs=logp)
    cuts = np.cumsum([int(np.prod(shape)) for shape in block.shapes])[:-1]

    def density(flat: Any, *data: Any) -> Any:
        cut = jnp.split(flat, cuts)  # its derivative is one joint; that of slices is a sum of as many padded vectors
        parts = [jnp.reshape(part, shape) for part, shape in zip(cut, block.shapes, strict=True)]
        return function(*parts, *data)[0]

    return density


def _terms(model: pm.Model) -> list[Any]:
    terms: list[Any] = model.logp(sum=False)
    return terms


def _components(groups: Sequence[Sequence[Any]]) -> list[set[Any]]:
    """Merge groups that share a member until none do."""
    merged: list[set[Any]] = []
    for group in groups:
        apart = [one for one in merged if one.isdisjoint(group)]
        joined = set(group).union(*(one for one in merged if not one.isdisjoint(group)))
        merged = [*apart, joined] if joined else apart
    return merged
