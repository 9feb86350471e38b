"""Exact forward draws and pointwise evaluation of a PyMC graph, all draws at once.

PyMC evaluates one draw at a time with a compiled function. Here the graph gets a leading draw axis (PyTensor's
``vectorize_graph``) and runs once, uncompiled, on NumPy: milliseconds instead of a compilation, with the same
distributions. Distributions that PyMC builds from others (mixtures, zero-inflated, zero-sum, truncated, LKJ) have no
such form, and models with them are run draw by draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pymc.model.transform.conditioning import remove_value_transforms
from pymc.pytensorf import compile as pm_compile
from pytensor.compile.mode import Mode
from pytensor.graph.replace import vectorize_graph
from pytensor.graph.traversal import ancestors
from pytensor.tensor.random.op import RandomVariable

__all__ = ["NUMPY", "draw", "light_graphs", "log_densities", "unconstrained_to_values"]

NUMPY = Mode(linker="py", optimizer=None)
"""Run the graph's operations one by one in NumPy and SciPy, without rewriting it first."""

Values = Mapping[str, np.ndarray]


def light_graphs() -> AbstractContextManager[object]:
    """Build graphs without recording where in the source each node was made, which takes a third of the time."""
    found: AbstractContextManager[object] = pytensor.config.change_flags(traceback__limit=0)
    return found


def draw(
    model: pm.Model, outputs: Sequence[Any], given: Values, size: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draw variables of a model given draws of others, independently for each of ``size`` draws.

    Parameters
    ----------
    model
        Any PyMC model.
    outputs
        Random variables or deterministics of the model to return.
    given
        Arrays (draw, …) by variable name; everything else is drawn from its distribution.
    size
        Number of draws.
    rng
        Source of randomness.

    Returns
    -------
    dict
        Arrays (draw, …) by variable name.
    """
    if not outputs:
        return {}
    needed = set(ancestors(outputs, blockers=[model[name] for name in given]))
    fresh = [v for v in model.basic_RVs if v in needed and v.name not in given]
    if any(not isinstance(v.owner.op, RandomVariable) for v in fresh):
        return _one_by_one(model, outputs, given, size, rng)
    inputs = {model[name]: _batched(model[name], name) for name in given}
    replace: dict[Any, Any] = dict(inputs)
    for variable in fresh:  # in the order of their making: parents first
        replace[variable] = _independent(model, variable, size, replace)
    if all(output in inputs for output in outputs):
        return {output.name: given[output.name] for output in outputs}
    rest = [o for o in outputs if o not in replace]
    together = dict(zip(rest, vectorize_graph(rest, replace=replace), strict=True)) if rest else {}
    batched = [replace[o] if o in replace else together[o] for o in outputs]
    seed = int(rng.integers(2**31))
    used = [v for v in inputs if v in needed]
    function = pm_compile([inputs[v] for v in used], batched, mode=NUMPY, random_seed=seed, on_unused_input="ignore")
    values = function(*(given[v.name] for v in used))
    return {o.name: _full(v, size, o.ndim) for o, v in zip(outputs, values, strict=True)}


def _one_by_one(
    model: pm.Model, outputs: Sequence[Any], given: Values, size: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The same as :func:`draw`, one draw at a time: the generators move on from call to call."""
    inputs = [model[name] for name in given]
    seed = int(rng.integers(2**31))
    function = pm_compile(inputs, list(outputs), mode=NUMPY, random_seed=seed, on_unused_input="ignore")
    rows = [[np.array(value) for value in function(*(given[v.name][i] for v in inputs))] for i in range(size)]
    return {o.name: np.stack(column) for o, column in zip(outputs, zip(*rows, strict=True), strict=True)}


def log_densities(model: pm.Model, variables: Sequence[Any], values: Values) -> dict[str, np.ndarray]:
    """Evaluate elementwise log densities of model variables at given draws.

    The density is that of the variable itself: no Jacobian of a sampler's transform is added.

    Parameters
    ----------
    values
        Arrays (draw, …) of every free variable the densities depend on, by name.
    """
    plain = remove_value_transforms(model)
    chosen = [plain[v.name] for v in variables]
    terms = plain.logp(vars=chosen, sum=False, jacobian=False)
    free = {plain.rvs_to_values[v]: v.name for v in plain.free_RVs if v.name in values}
    needed = set(ancestors(terms))
    inputs = {v: _batched(v, name) for v, name in free.items() if v in needed}
    size = len(next(iter(values.values())))
    batched = vectorize_graph(terms, replace=inputs)
    function = pm_compile(list(inputs.values()), batched, mode=NUMPY, on_unused_input="ignore")
    found = function(*(values[free[v]] for v in inputs))
    return {v.name: _full(a, size, t.ndim) for v, a, t in zip(variables, found, terms, strict=True)}


def unconstrained_to_values(model: pm.Model, points: Values) -> dict[str, np.ndarray]:
    """Turn draws of a sampler's unconstrained values into draws of the free variables.

    Parameters
    ----------
    points
        Arrays (draw, …) by name of the value variable, as in ``model.value_vars``.
    """
    inputs = {v: _batched(v, v.name) for v in model.value_vars}
    free = [v for v in model.unobserved_value_vars if v.name in {rv.name for rv in model.free_RVs}]
    batched = vectorize_graph(free, replace=inputs)
    function = pm_compile(list(inputs.values()), batched, mode=NUMPY, on_unused_input="ignore")
    found = function(*(points[v.name] for v in inputs))
    return {v.name: np.asarray(a) for v, a in zip(free, found, strict=True)}


def _batched(variable: Any, name: str) -> Any:
    return pt.tensor(f"{name}_draws", dtype=variable.dtype, shape=(None, *variable.type.shape))


def _independent(model: pm.Model, variable: Any, size: int, replace: Mapping[Any, Any]) -> Any:
    """The same random variable with a leading draw axis: one independent draw for each draw of its parents."""
    node = variable.owner
    parameters = node.op.dist_params(node)
    batched = vectorize_graph(list(parameters), replace=replace) if replace else list(parameters)
    axes = variable.ndim - node.op.ndim_supp
    aligned = []
    for old, new, core in zip(parameters, batched, node.op.ndims_params, strict=True):
        missing = axes - (old.ndim - core)
        aligned.append(pt.expand_dims(new, tuple(range(1, 1 + missing))) if new.ndim > old.ndim and missing else new)
    shape = (size, *(n if n is not None else variable.shape[i] for i, n in enumerate(_lengths(model, variable)[:axes])))
    fresh = pytensor.shared(np.random.default_rng(0))  # seeded when compiled
    return node.op.make_node(fresh, shape, *aligned).outputs[1]


def _lengths(model: pm.Model, variable: Any) -> list[int | None]:
    """Length of each axis where it is known: from the type, or from named dims with coordinates."""
    names = model.named_vars_to_dims.get(variable.name) or [None] * variable.ndim
    coords = model.coords
    return [
        n if n is not None else len(coords[d]) if coords.get(d) is not None else None
        for n, d in zip(variable.type.shape, names, strict=True)
    ]


def _full(value: np.ndarray, size: int, ndim: int) -> np.ndarray:
    """Give a result that no random variable reached its draw axis."""
    value = np.asarray(value)
    if value.ndim > ndim and value.shape[0] == size:
        return value
    value = value[0] if value.ndim > ndim else value
    return np.broadcast_to(value, (size, *value.shape)).copy()
