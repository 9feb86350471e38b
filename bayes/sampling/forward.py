"""Exact forward draws and pointwise evaluation of a PyMC graph, all draws at once.

PyMC evaluates one draw at a time with a compiled function. Here the graph gets a leading draw axis (PyTensor's
``vectorize_graph``) and is written down as a tape, which NumPy plays: milliseconds instead of a compilation, with the
same distributions, and the tape can be kept. What no tape can hold runs in PyTensor, uncompiled. Distributions that
PyMC builds from others (mixtures, zero-inflated, zero-sum, truncated, LKJ) have no
such form, and models with them are run draw by draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pymc.initial_point import make_initial_point_expression
from pymc.model.transform.conditioning import remove_value_transforms
from pymc.pytensorf import compile as pm_compile
from pytensor.compile.mode import Mode
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.replace import vectorize_graph
from pytensor.graph.traversal import ancestors
from pytensor.tensor.random.op import RandomVariable

from bayes.sampling.recorder import Unrecordable, record
from bayes.sampling.tree import SIZE, full

__all__ = ["NUMPY", "Piece", "constraining", "data_of", "densities", "draw", "drawing", "light_graphs", "log_densities",
           "observing", "starting", "unconstrained_to_values"]  # fmt: skip

NUMPY = Mode(linker="py", optimizer=None)
"""Run the graph's operations one by one in NumPy and SciPy, without rewriting it first."""

Values = Mapping[str, np.ndarray]
Piece = Callable[[Values, int | None], dict[str, np.ndarray]]
"""A calculation: arrays by name, and a seed where it draws, to arrays by name."""


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
    values = {**given, **data_of(model), SIZE: np.asarray(size)}
    return full(drawing(model, outputs, list(given))(values, int(rng.integers(2**31))), size)


def drawing(model: pm.Model, outputs: Sequence[Any], given: Sequence[str]) -> Piece:
    """Return the calculation behind :func:`draw`: values by name, and :data:`SIZE`, to draws by name."""
    needed = set(ancestors(outputs, blockers=[model[name] for name in given]))
    fresh = [v for v in model.basic_RVs if v in needed and v.name not in given]
    if any(not isinstance(v.owner.op, RandomVariable) for v in fresh):
        return _one_by_one(model, outputs, given)
    inputs = {model[name]: _batched(model[name], name) for name in given}
    replace: dict[Any, Any] = dict(inputs)
    size = pt.lscalar(SIZE)
    for variable in fresh:  # in the order of their making: parents first
        replace[variable] = _independent(model, variable, size, replace)
    rest = [o for o in outputs if o not in replace]
    together = dict(zip(rest, vectorize_graph(rest, replace=replace), strict=True)) if rest and replace else {}
    batched = {o.name: _leading(replace.get(o, together.get(o, o)), o) for o in outputs}
    return _piece(batched, {**dict(_named(inputs)), size: SIZE}, model)


def _one_by_one(model: pm.Model, outputs: Sequence[Any], given: Sequence[str]) -> Piece:
    """The same as :func:`drawing`, one draw at a time: the generators move on from call to call."""
    inputs = [model[name] for name in given]

    def run(values: Values, seed: int | None = None) -> dict[str, np.ndarray]:
        function = pm_compile(inputs, list(outputs), mode=NUMPY, random_seed=seed, on_unused_input="ignore")
        rows = [[np.array(value) for value in function(*(values[v.name][i] for v in inputs))]
                for i in range(int(values[SIZE]))]  # fmt: skip
        return {o.name: np.stack(column) for o, column in zip(outputs, zip(*rows, strict=True), strict=True)}

    return run


def log_densities(model: pm.Model, variables: Sequence[Any], values: Values) -> dict[str, np.ndarray]:
    """Evaluate elementwise log densities of model variables at given draws.

    The density is that of the variable itself: no Jacobian of a sampler's transform is added.

    Parameters
    ----------
    values
        Arrays (draw, …) of every free variable the densities depend on, by name.
    """
    size = len(next(iter(values.values())))
    return full(densities(model, variables, list(values))({**values, **data_of(model)}, None), size)


def densities(model: pm.Model, variables: Sequence[Any], given: Sequence[str]) -> Piece:
    """Return the calculation behind :func:`log_densities`."""
    plain = remove_value_transforms(model)
    chosen = [plain[v.name] for v in variables]
    terms = plain.logp(vars=chosen, sum=False, jacobian=False)
    needed = set(ancestors(terms))
    free = {plain.rvs_to_values[v]: v.name for v in plain.free_RVs if v.name in given}
    inputs = {v: _batched(v, name) for v, name in free.items() if v in needed}
    batched = vectorize_graph(terms, replace=inputs)
    named = {v.name: _leading(b, t) for v, b, t in zip(variables, batched, terms, strict=True)}
    return _piece(named, {inputs[v]: free[v] for v in inputs}, plain)


def unconstrained_to_values(model: pm.Model, points: Values) -> dict[str, np.ndarray]:
    """Turn draws of a sampler's unconstrained values into draws of the free variables.

    Parameters
    ----------
    points
        Arrays (draw, …) by name of the value variable, as in ``model.value_vars``.
    """
    return constraining(model)({**points, **data_of(model)}, None)


def constraining(model: pm.Model) -> Piece:
    """Return the calculation behind :func:`unconstrained_to_values`."""
    inputs = {v: _batched(v, v.name) for v in model.value_vars}
    free = [v for v in model.unobserved_value_vars if v.name in {rv.name for rv in model.free_RVs}]
    batched = vectorize_graph(free, replace=inputs)
    return _piece(dict(zip([v.name for v in free], batched, strict=True)), dict(_named(inputs)), model)


def starting(model: pm.Model) -> Piece:
    """Return the calculation of a point of moderate density of each free variable, on the unconstrained scale."""
    expressions = make_initial_point_expression(
        free_rvs=model.free_RVs,
        rvs_to_transforms=model.rvs_to_transforms,
        initval_strategies=dict(model.rvs_to_initial_values),
        return_transformed=True,
    )
    return _piece(dict(zip([v.name for v in model.value_vars], expressions, strict=True)), {}, model)


def observing(model: pm.Model) -> Piece:
    """Return the calculation of the observed values by name of their variable."""
    return _piece({v.name: model.rvs_to_values[v] for v in model.observed_RVs}, {}, model)


def data_of(model: pm.Model) -> dict[str, np.ndarray]:
    """Return the model's data (``pm.Data``) by name."""
    return {str(v.name): np.asarray(v.get_value()) for v in model.data_vars}


# --- graphs ----------------------------------------------------------------------------------


def _piece(outputs: Mapping[str, Any], inputs: Mapping[Any, str], model: pm.Model) -> Piece:
    """A tape of the graph, or PyTensor itself where no tape can hold it."""
    names = {v.name for v in model.data_vars}
    shared = [v for v in ancestors(outputs.values()) if isinstance(v, SharedVariable) and v not in inputs]
    data = {v: str(v.name) for v in shared if v.name in names}
    try:
        return record(outputs, {**inputs, **data}, [v for v in shared if v.name in model.dim_lengths])
    except Unrecordable:
        pass

    def run(values: Values, seed: int | None = None) -> dict[str, np.ndarray]:
        function = pm_compile(
            list(inputs), list(outputs.values()), mode=NUMPY, random_seed=seed, on_unused_input="ignore"
        )
        return dict(zip(outputs, map(np.asarray, function(*(values[name] for name in inputs.values()))), strict=True))

    return run


def _named(inputs: Mapping[Any, Any]) -> list[tuple[Any, str]]:
    return [(batched, variable.name) for variable, batched in inputs.items()]


def _leading(batched: Any, original: Any) -> Any:
    """A first axis for results that no draw reached."""
    return batched if batched.ndim > original.ndim else pt.expand_dims(batched, 0)


def _batched(variable: Any, name: str) -> Any:
    return pt.tensor(f"{name}_draws", dtype=variable.dtype, shape=(None, *variable.type.shape))


def _independent(model: pm.Model, variable: Any, size: Any, replace: Mapping[Any, Any]) -> Any:
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
