"""Which variables of a model are sampled together, and which are drawn forward given them.

PyMC samples all free variables at once. The same posterior comes cheaper where a part of the model hangs below the
rest and nothing looks back at it: such variables are independent draws from their own distributions, given the draws
of their parents. A free variable is *sampled*

1. if an observed variable or a Potential depends on it, not counting what passes through another observed variable,
   whose children are conditioned on its data;
2. if it is a part of a partly observed variable;
3. if its transform keeps it to less than the support of its distribution or ties its elements to each other
   (``Interval``, ``ordered``), since what is left of its density no longer integrates to one, whatever its parents are;
4. if its density is somebody's own, so that nobody knows whether it integrates to one, or nothing can draw from it;
5. if a sampled variable depends on it.

Every other free variable is drawn *forward*.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any

import numpy as np
import pymc as pm
from pymc.distributions.custom import CustomDistRV, CustomSymbolicDistRV
from pymc.distributions.distribution import SymbolicRandomVariable
from pymc.distributions.transforms import _default_transform
from pymc.model.fgraph import (
    ModelFreeRV,
    ModelObservedRV,
    ModelPotential,
    ModelVar,
    fgraph_from_model,
    model_from_fgraph,
)
from pytensor.graph.basic import Variable, equal_computations
from pytensor.graph.traversal import ancestors
from pytensor.tensor.random.op import RandomVariable

from bayes.provenance import SCRATCH

__all__ = ["DISCRETE", "Core", "core_of", "is_restricted", "is_trusted", "pruned", "shown", "with_own_prior",
           "without_initial_values"]  # fmt: skip

DISCRETE = ("int", "uint", "bool")
"""How the types of discrete variables begin."""

_TRUSTED = ("pymc.", "pytensor.")
_DEPTH = 8
"""How deep two transforms are compared: one that holds itself is not known to be the same."""


@dataclass(frozen=True, eq=False)
class Core:
    """The part of a model that is sampled together.

    Parameters
    ----------
    model
        The model without what is drawn forward.
    """

    model: pm.Model

    @property
    def free(self) -> list[Any]:
        """The sampled variables."""
        return list(self.model.free_RVs)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(v.name for v in self.model.free_RVs)

    @property
    def value_vars(self) -> list[Any]:
        """Their values on the unconstrained scale."""
        return list(self.model.value_vars)

    @cached_property
    def terms(self) -> list[Any]:
        """Elementwise terms of the log density on the unconstrained scale: of each variable, then of each Potential."""
        terms: list[Any] = self.model.logp(sum=False)
        return terms


def core_of(model: pm.Model, undrawable: Collection[str] = ()) -> Core:
    """Return what of a model is sampled.

    Parameters
    ----------
    undrawable
        Names of variables that were found to have no sampler: they are sampled too.
    """
    observed = set(model.observed_RVs)
    ends = [*(i for v in model.observed_RVs for i in v.owner.inputs), *model.potentials]
    chosen = _reached(ends, observed)
    partly = {out for v in observed for out in v.owner.outputs}
    chosen |= {v for v in model.free_RVs if v in partly or v.name in undrawable or (
        not v.dtype.startswith(DISCRETE) and (is_restricted(model, v) or not is_trusted(v.owner.op)))}  # fmt: skip
    chosen |= _reached([i for v in chosen if v.owner is not None for i in v.owner.inputs], observed)
    return pruned(model, {v.name for v in model.free_RVs if v in chosen})


def pruned(model: pm.Model, names: Collection[str], observed: Collection[str] | None = None) -> Core:
    """Return a model without the free variables that are not named, and without what depends on them.

    Parameters
    ----------
    observed
        Names of observed variables to keep, with the Potentials on what is kept; all of both by default.
    """
    if observed is None and {v.name for v in model.free_RVs} == set(names):
        return Core(model)
    starts = {v.name: model.rvs_to_initial_values.get(v) for v in model.free_RVs}
    with without_initial_values(model):
        graph, _ = fgraph_from_model(model, inlined_views=True)
    nodes = list(graph.apply_nodes)
    free = [node for node in nodes if isinstance(node.op, ModelFreeRV) and node.outputs[0].name in names]
    seen = [node for node in nodes if isinstance(node.op, ModelObservedRV)
            and (observed is None or node.outputs[0].name in observed)]  # fmt: skip
    kept = [*free, *seen]
    chosen = {node.outputs[0] for node in kept}
    kept += [node for node in nodes if isinstance(node.op, ModelPotential)
             and (observed is None or chosen & set(ancestors(node.inputs)))]  # fmt: skip
    behind = {variable.owner for variable in ancestors([out for node in kept for out in node.outputs])}
    for node in {n for n in nodes if isinstance(n.op, ModelVar) and n not in behind}:
        graph.remove_node(node)
    found = model_from_fgraph(graph, mutate_fgraph=True)
    for v in found.free_RVs:
        found.rvs_to_initial_values[v] = starts[v.name]
    return Core(found)


def shown(model: pm.Model) -> list[Any]:
    """Return the unobserved variables that results show."""
    scratch = vars(model).get(SCRATCH, ())
    return [v for v in model.unobserved_RVs if v.name not in scratch]


def with_own_prior(model: pm.Model) -> list[Any]:
    """Return the shown variables with a prior of their own: data enter them, if at all, through observed variables."""
    data = {model.rvs_to_values[v] for v in model.observed_RVs}
    return [v for v in shown(model) if not data.intersection(ancestors([v]))]


@contextmanager
def without_initial_values(model: pm.Model) -> Iterator[None]:
    """Hide a model's own initial values for the duration of the block: PyMC copies no model that has any."""
    held = dict(model.rvs_to_initial_values)
    model.rvs_to_initial_values.update(dict.fromkeys(held))
    try:
        yield
    finally:
        model.rvs_to_initial_values.update(held)


def _reached(ends: Iterable[Any], observed: Collection[Any]) -> set[Any]:
    return set(ancestors(list(ends), blockers=observed))


def is_trusted(op: Any) -> bool:
    """Return whether an operation draws from a distribution of PyMC's own, whose density integrates to one."""
    if isinstance(op, CustomDistRV | CustomSymbolicDistRV):
        return False
    return isinstance(op, RandomVariable | SymbolicRandomVariable) and type(op).__module__.startswith(_TRUSTED)


def is_restricted(model: pm.Model, variable: Any) -> bool:
    """Return whether the transform of a free variable is another than its distribution's own, or none where it has one.

    No transform at all restricts nothing.
    """
    transform = model.rvs_to_transforms[variable]
    return transform is not None and not _same(transform, _default_transform(variable.owner.op, variable))


def _same(one: Any, other: Any, depth: int = 0) -> bool:
    """Return whether two transforms, or their attributes, are equal; False where that cannot be told."""
    if one is other:
        return True
    if type(one) is not type(other) or depth > _DEPTH:
        return False
    if isinstance(one, FunctionType):
        held, theirs = ([c.cell_contents for c in f.__closure__ or ()] for f in (one, other))
        return one.__code__ is other.__code__ and _same(held, theirs, depth + 1)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(_same(a, b, depth + 1) for a, b in zip(one, other, strict=True))
    if isinstance(one, Variable):
        return bool(equal_computations([one], [other]))
    if isinstance(one, str | int | float | np.generic):
        return bool(one == other)
    if not hasattr(one, "__dict__") or not type(one).__module__.startswith(_TRUSTED):
        return False
    mine, theirs = vars(one), vars(other)
    return mine.keys() == theirs.keys() and all(_same(mine[name], theirs[name], depth + 1) for name in mine)
