"""Forward draws and pointwise evaluation of a PyMC graph, all draws at once.

PyMC evaluates one draw at a time with a compiled function. Here the graph gets a leading draw axis (PyTensor's
``vectorize_graph``) and is written down as a tape, which NumPy plays: milliseconds instead of a compilation, with the
same distributions, and the tape can be kept. Whether the faster ways give PyMC's numbers is not taken on trust:
:mod:`bayes.sampling.proof` compares them with PyTensor's own evaluation, and takes the slower way where they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pymc.distributions.distribution import SymbolicRandomVariable
from pymc.initial_point import make_initial_point_expression
from pymc.model.transform.conditioning import remove_value_transforms
from pymc.pytensorf import compile as pm_compile
from pymc.pytensorf import replace_rng_nodes
from pytensor.compile.mode import Mode
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Apply, clone_get_equiv
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.graph.traversal import ancestors, toposort
from pytensor.scan.op import Scan
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.random.type import RandomType
from pytensor.tensor.variable import TensorConstant

from bayes.numbers import label_text
from bayes.sampling.partition import Core, is_restricted, without_initial_values
from bayes.sampling.recorder import record
from bayes.sampling.tree import ROUNDS, SIZE, accepted, full

__all__ = ["NUMPY", "Batch", "Calculation", "NotDrawable", "Piece", "batched", "compiled", "constraining", "coords_of",
           "data_of", "densities", "draw_prior", "drawing", "following", "light_graphs", "log_densities",
           "one_by_one", "recorded", "starting", "substituted", "supported", "total_density", "unfolded",
           "vectorised"]  # fmt: skip

NUMPY = Mode(linker="py", optimizer=None)
"""Run the graph's operations one by one in NumPy and SciPy, without rewriting it first."""

STABLE = Mode(linker="py", optimizer="fast_run").excluding("fusion", "inplace")
"""The same with all of PyTensor's rewrites, those that keep numbers stable among them: what PyMC computes."""

Values = Mapping[str, np.ndarray]
Piece = Callable[[Values, int | None], dict[str, np.ndarray]]
"""A calculation: arrays by name, and a seed where it draws, to arrays by name."""


class NotDrawable(Exception):
    """A variable that nothing can draw from, such as a flat one."""


@dataclass(frozen=True, slots=True, eq=False)
class Calculation:
    """A calculation on one draw, as PyTensor has it.

    Parameters
    ----------
    model
        The model it belongs to; its data and the lengths of its dims may enter.
    outputs
        Variables of the graph by name.
    given
        Variables of the graph that will be given, by name.
    stable
        Whether its numbers need PyTensor's rewrites for stability, as densities do.
    """

    model: pm.Model
    outputs: Mapping[str, Any]
    given: Mapping[str, Any]
    stable: bool = False

    def random(self) -> list[Any]:
        """Every node that draws, of named variables or not, parents first."""
        nodes = toposort(list(self.outputs.values()), blockers=list(self.given.values()))
        return [node for node in nodes if any(isinstance(v.type, RandomType) for v in node.inputs)]


def light_graphs() -> AbstractContextManager[object]:
    """Build graphs without recording where in the source each node was made, which takes a third of the time."""
    found: AbstractContextManager[object] = pytensor.config.change_flags(traceback__limit=0)
    return found


def draw_prior(model: pm.Model, outputs: Sequence[Any], size: int, seed: int) -> dict[str, np.ndarray]:
    """Draw variables of a model from its prior, observed ones too; what they depend on is drawn before them.

    Where a transform keeps a variable to less than the support of its distribution (``Interval``, ``ordered``), free
    variables outside that range are drawn again, and the rest given those inside.

    Returns
    -------
    dict
        Arrays (draw, …) by variable name.

    Raises
    ------
    NotDrawable
        If a variable has no sampler.
    UsageError
        If fewer than one draw in fifty is in the range of the transforms.
    """
    from bayes.sampling.proof import proved

    given, test = data_of(model), supported(model, model.free_RVs)
    rest = [] if test is None else [v for v in outputs if v not in model.free_RVs]
    others = [v for v in model.free_RVs if v not in outputs]
    piece = proved(drawing(model, [*(v for v in outputs if v not in rest), *others], []), {}).piece
    values = {**given, SIZE: np.asarray(size)}
    first = full(piece(values, seed), size)
    inside = None if test is None else proved(test, first).piece
    within = None if inside is None else lambda drawn: inside({**drawn, **given}, None)["inside"]
    drawn = accepted(lambda chosen: full(piece(values, chosen), size), within, size, seed)
    if rest:
        after = proved(drawing(model, rest, list(drawn)), {name: value[:4] for name, value in drawn.items()}).piece
        drawn = {**drawn, **full(after({**values, **drawn}, seed + ROUNDS), size)}
    return {v.name: drawn[v.name] for v in outputs}


def drawing(model: pm.Model, outputs: Sequence[Any], given: Sequence[str]) -> Calculation:
    """Return the calculation of draws given others, by name; observed variables are drawn like any other."""
    return Calculation(model, {v.name: v for v in outputs}, {name: model[name] for name in given})


def following(model: pm.Model, outputs: Sequence[Any], given: Sequence[str], seen: Sequence[Any] = ()) -> Calculation:
    """Return the calculation of what follows from sampled variables: conditioned on the data, as the posterior is.

    Parameters
    ----------
    outputs
        Unobserved variables; where they depend on observed ones, on their data.
    seen
        Observed variables to return as replications, drawn anew.
    """
    stops = {name: model[name] for name in given}
    reached = set(ancestors(outputs, blockers=list(stops.values())))
    data = {v: _of_type(model.rvs_to_values[v], v) for v in model.observed_RVs if v in reached}
    graphs, drawn = list(outputs), list(seen)
    if data:  # copies, in which what is given stands as a leaf
        leaves = {v: v.type() for v in stops.values()}
        graphs, drawn = substituted(graphs, data | leaves), substituted(drawn, leaves)
        stops = {name: leaves[v] for name, v in stops.items()}
    named = {v.name: graph for v, graph in zip([*outputs, *seen], [*graphs, *drawn], strict=True)}
    return Calculation(model, named, stops)


def log_densities(model: pm.Model, variables: Sequence[Any], values: Values) -> dict[str, np.ndarray]:
    """Evaluate elementwise log densities of model variables at given draws.

    The density is that of the variable itself: no Jacobian of a sampler's transform is added.

    Parameters
    ----------
    values
        Arrays (draw, …) of every free variable the densities depend on, by name.
    """
    from bayes.sampling.proof import proved

    size = len(next(iter(values.values())))
    piece = proved(densities(model, variables, list(values)), values).piece
    return full(piece({**values, **data_of(model)}, None), size)


def densities(model: pm.Model, variables: Sequence[Any], given: Sequence[str]) -> Calculation:
    """Return the calculation behind :func:`log_densities`."""
    with without_initial_values(model):
        plain = remove_value_transforms(model)
    terms = plain.logp(vars=[plain[v.name] for v in variables], sum=False, jacobian=False)
    needed = set(ancestors(terms))
    values = {v.name: plain.rvs_to_values[v] for v in plain.free_RVs if v.name in given}
    values = {name: v for name, v in values.items() if v in needed}
    return Calculation(plain, {v.name: t for v, t in zip(variables, terms, strict=True)}, values, stable=True)


def total_density(core: Core) -> Calculation:
    """Return the calculation of the log density of what is sampled, on the unconstrained scale: its terms by number.

    Terms that no sampled variable enters are left out.
    """
    values = {v.name: v for v in core.value_vars}
    terms = [t.sum() for t in core.terms if not set(values.values()).isdisjoint(ancestors([t]))]
    return Calculation(core.model, {str(i): term for i, term in enumerate(terms)}, values, stable=True)


def constraining(core: Core) -> Calculation:
    """Return the calculation of the sampled variables from their unconstrained values, by name of the latter."""
    model = core.model
    values = {v.name: v for v in core.value_vars}
    moved = [v for v in core.free if model.rvs_to_transforms[v] is not None]
    back = dict(zip(moved, model.replace_rvs_by_values(moved), strict=True))
    return Calculation(model, {v.name: back.get(v, model.rvs_to_values[v]) for v in core.free}, values)


def starting(core: Core) -> Calculation:
    """Return the calculation of a point of moderate density of each sampled variable, on the unconstrained scale."""
    model = core.model
    expressions = make_initial_point_expression(
        free_rvs=list(core.free),
        rvs_to_transforms=model.rvs_to_transforms,
        initval_strategies={v: model.rvs_to_initial_values.get(v) for v in core.free},
        return_transformed=True,
    )
    data = {v: _of_type(model.rvs_to_values[v], v) for v in model.observed_RVs}
    held = substituted(expressions, data)
    return Calculation(model, dict(zip([v.name for v in core.value_vars], held, strict=True)), {})


def supported(model: pm.Model, variables: Iterable[Any]) -> Calculation | None:
    """Return the calculation of whether draws lie in the range of their variables' transforms, as ``inside``.

    None where no transform keeps a variable to less than the support of its distribution.
    """
    found = []
    for v in variables:
        if v in model.rvs_to_transforms and is_restricted(model, v):
            transform, inputs = model.rvs_to_transforms[v], v.owner.inputs
            there = transform.forward(v, *inputs)
            back = transform.backward(there, *inputs)
            found.append(pt.all(pt.isfinite(there)) & pt.all(pt.abs(back - v) <= 1e-6 * (1 + pt.abs(v))))
    if not found:
        return None
    inside = pt.all(pt.stack(found))
    needed = set(ancestors([inside], blockers=model.free_RVs))
    return Calculation(model, {"inside": inside}, {v.name: v for v in model.free_RVs if v in needed})


def data_of(model: pm.Model) -> dict[str, np.ndarray]:
    """Return the model's data (``pm.Data``) by name."""
    return {str(v.name): np.asarray(v.get_value()) for v in model.data_vars}


def coords_of(model: pm.Model) -> dict[str, list[Any]]:
    """Return the labels of a model's dims, and of what is seen and what is missing of partly observed variables.

    PyMC gives these parts no dims: each has the labels that the whole has where it stands in it.
    """
    found = {name: list(values) for name, values in model.coords.items() if values is not None}
    for whole in model.deterministics:
        dims = model.named_vars_to_dims.get(whole.name, ())
        parts = {
            v for end in ("observed", "unobserved") if (v := model.named_vars.get(f"{whole.name}_{end}")) is not None
        }
        if not parts or not dims or not found.keys() >= {*dims}:
            continue
        for node in (v.owner for v in ancestors([whole], blockers=parts) if isinstance(v.owner, Apply)):
            if len(node.inputs) == 3 and node.inputs[1] in parts and isinstance(node.inputs[2], TensorConstant):
                labels = [[found[dim][i] for dim, i in zip(dims, place, strict=True)]
                          for place in np.argwhere(node.inputs[2].data)]  # fmt: skip
                found[f"{node.inputs[1].name}_dim_0"] = [
                    one[0] if len(one) == 1 else ", ".join(map(label_text, one)) for one in labels
                ]
    return found


# --- three ways to compute ---------------------------------------------------------------------


def one_by_one(calculation: Calculation) -> Piece:
    """Let PyTensor compute one draw at a time: what PyMC means. Generators move on from call to call."""
    names, ends = list(calculation.given), list(calculation.outputs.values())
    data = _data_behind(ends, calculation.model)
    stops = {v: v.type() for v in [*calculation.given.values(), *data]}
    opened = _own_generators(substituted(ends, stops))

    def run(values: Values, seed: int | None = None) -> dict[str, np.ndarray]:
        size = max([len(values[name]) for name in names], default=int(values.get(SIZE, 1)))
        function = compiled(calculation, list(stops.values()), opened, seed, size)
        arrays = [np.broadcast_to(values[n], (size, *np.shape(values[n])[1:])) for n in names]
        numbers = [values.get(name, v.get_value()) for v, name in data.items()]
        try:
            rows = [[np.array(found) for found in function(*(a[i] for a in arrays), *numbers)] for i in range(size)]
        except NotImplementedError as error:
            if not calculation.random():
                raise
            raise NotDrawable(str(error).splitlines()[0]) from None
        columns = zip(*rows, strict=True)
        return {name: np.stack(column) for name, column in zip(calculation.outputs, columns, strict=True)}

    return run


def compiled(
    calculation: Calculation, inputs: list[Any], outputs: list[Any], seed: int | None, size: int = 1
) -> Callable[..., Any]:
    """Compile a graph of a calculation in PyTensor; densities with its rewrites for stability.

    Without machine code, which takes seconds to make, unless a loop has to run for many draws.
    """
    loops = size > _MANY and any(_loops(node.op) for node in toposort(outputs))
    modes = (None,) if loops else (STABLE, NUMPY) if calculation.stable else (NUMPY,)
    with calculation.model:  # says whether parameters out of range are an error
        for mode in modes:
            found: Callable[..., Any] = pm_compile(
                inputs, outputs, mode=mode, random_seed=seed, on_unused_input="ignore"
            )
            nodes = found.maker.fgraph.apply_nodes  # type: ignore[attr-defined]
            if max((len(node.inputs) for node in nodes if isinstance(node.op, Elemwise)), default=0) < _OPERANDS:
                break
    return found


def _loops(op: Any) -> bool:
    """Return whether an operation is a loop or contains one."""
    inner = getattr(op, "fgraph", None)
    return isinstance(op, Scan) or (inner is not None and any(_loops(node.op) for node in inner.apply_nodes))


_MANY = 200
"""Draws from which on compiling a loop is worth its time."""

_OPERANDS = 32
"""As many arrays as NumPy combines at once, which rewriting long sums may exceed."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The same calculation on all draws at once.

    Parameters
    ----------
    outputs
        Variables with a leading draw axis, by name.
    inputs
        Names of the variables to be given, :data:`~bayes.sampling.tree.SIZE` among them.
    drawn
        What is drawn anew: the variable of the calculation, its batched self, and its batched parameters.
    """

    outputs: Mapping[str, Any]
    inputs: Mapping[Any, str]
    drawn: tuple[tuple[Any, Any, tuple[Any, ...]], ...]


def unfolded(calculation: Calculation) -> Calculation:
    """The same calculation, in which distributions that PyMC builds from others are those others: mixtures, say."""
    if all(isinstance(node.op, RandomVariable) for node in calculation.random()):
        return calculation
    leaves = {v: v.type() for v in calculation.given.values()}
    ends = substituted(list(calculation.outputs.values()), leaves)
    copies = clone_get_equiv([], ends, copy_inputs=False, copy_orphans=False)
    graph = FunctionGraph(outputs=[copies[v] for v in ends], clone=False)
    while built := [node for node in graph.apply_nodes if isinstance(node.op, SymbolicRandomVariable)]:
        for node in built:
            parts = node.op.fgraph.bind(node.inputs)
            graph.replace_all(list(zip(node.outputs, parts, strict=True)), import_missing=True)
    given = {name: leaves[v] for name, v in calculation.given.items()}
    return replace(calculation, outputs=dict(zip(calculation.outputs, graph.outputs, strict=True)), given=given)


def batched(calculation: Calculation) -> Batch:
    """Give a calculation a leading draw axis.

    Raises
    ------
    NotImplementedError
        If it draws from a distribution that is built from others and not :func:`unfolded`.
    """
    random = calculation.random()
    if not all(isinstance(node.op, RandomVariable) for node in random):
        raise NotImplementedError("a distribution built from others")
    model, given = calculation.model, calculation.given
    inputs = {v: pt.tensor(dtype=v.dtype, shape=(None, *v.type.shape)) for v in given.values()}
    stands: dict[Any, Any] = dict(inputs)
    size, drawn = pt.lscalar(), []
    for variable in (node.outputs[1] for node in random):
        fresh = _independent(model, variable, size, stands)
        stands[variable] = fresh
        drawn.append((variable, fresh, tuple(fresh.owner.op.dist_params(fresh.owner))))
    outputs = calculation.outputs
    rest = [o for o in outputs.values() if o not in stands]
    together = dict(zip(rest, vectorize_graph(rest, replace=stands), strict=True)) if rest and stands else {}
    whole = {name: (stands.get(o, together.get(o, o)), o) for name, o in outputs.items()}
    leading = {name: new if new.ndim > o.ndim else pt.expand_dims(new, 0) for name, (new, o) in whole.items()}
    names = {inputs[v]: name for name, v in given.items()}
    return Batch(leading, names | ({size: SIZE} if random else {}), tuple(drawn))


def recorded(batch: Batch, model: pm.Model, outputs: Mapping[Any, Any]) -> Callable[..., Any]:
    """A tape of some variables of a batch."""
    lengths = [v for v in ancestors(outputs.values()) if isinstance(v, SharedVariable) and v.name in model.dim_lengths]
    return record(outputs, {**batch.inputs, **_data_behind(outputs.values(), model)}, lengths)


def vectorised(batch: Batch, model: pm.Model, outputs: Mapping[Any, Any]) -> Piece:
    """Let PyTensor itself run a batch."""
    data = _data_behind(outputs.values(), model)
    leaves = {v: v.type() for v in data}
    ends = _own_generators(substituted(list(outputs.values()), leaves))
    names = {**batch.inputs, **{leaves[v]: name for v, name in data.items()}}
    default = {name: v.get_value() for v, name in data.items()}

    def run(values: Values, seed: int | None = None) -> dict[Any, np.ndarray]:
        with model:
            function = pm_compile(list(names), ends, mode=NUMPY, random_seed=seed, on_unused_input="ignore")
        given = {**default, **values}
        return dict(zip(outputs, map(np.asarray, function(*(given[name] for name in names.values()))), strict=True))

    return run


# --- graphs ----------------------------------------------------------------------------------


def substituted(outputs: Sequence[Any], stands: Mapping[Any, Any]) -> list[Any]:
    """A copy of a graph in which some variables are replaced, also where they are results themselves."""
    rest = [v for v in outputs if v not in stands]
    copies = dict(zip(rest, clone_replace(rest, dict(stands)) if rest and stands else rest, strict=True))
    return [stands[v] if v in stands else copies[v] for v in outputs]


def _own_generators(outputs: Sequence[Any]) -> list[Any]:
    """Copy a graph and its random generators, so that those of the model do not move."""
    made = [v for v in outputs if v.owner is not None]
    copies = clone_get_equiv([], made, copy_inputs=False, copy_orphans=False)
    fresh = dict(zip(made, replace_rng_nodes([copies[v] for v in made]), strict=True))
    return [fresh.get(v, v) for v in outputs]


def _data_behind(outputs: Iterable[Any], model: pm.Model) -> dict[Any, str]:
    """Data of the model (``pm.Data``) that a graph takes, with their names."""
    names = {v.name for v in model.data_vars}
    return {v: str(v.name) for v in ancestors(outputs) if isinstance(v, SharedVariable) and v.name in names}


def _of_type(value: Any, variable: Any) -> Any:
    """A value that can stand in a graph where the variable stood."""
    return value if value.type == variable.type else variable.type.filter_variable(value, allow_convert=True)


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
    known = _lengths(model, variable)[:axes]
    shape = (size, *known)
    if None in known:
        found = _batch_shape(node, parameters, aligned, axes)
        shape = (size, *(n if n is not None else found[i] for i, n in enumerate(known)))
    fresh = pytensor.shared(np.random.default_rng(0))  # seeded when compiled
    return node.op.make_node(fresh, shape, *aligned).outputs[1]


def _batch_shape(node: Any, parameters: Sequence[Any], aligned: Sequence[Any], axes: int) -> list[Any]:
    """Length of each axis before those of one draw: as asked for, or as the parameters broadcast."""
    wanted = node.op.size_param(node)
    if getattr(wanted.type, "ndim", None) == 1:
        return [wanted[i] for i in range(axes)]
    found: list[Any] = []
    for axis in range(axes):
        lengths = []
        for old, new, core in zip(parameters, aligned, node.op.ndims_params, strict=True):
            place = axis + 1 if new.ndim > old.ndim else axis - (axes - (old.ndim - core))
            if place >= 0:
                lengths.append(new.shape[place])
        found.append(pt.max(pt.stack(lengths)) if len(lengths) > 1 else lengths[0])
    return found


def _lengths(model: pm.Model, variable: Any) -> list[int | None]:
    """Length of each axis where it is known: from the type, or from named dims with coordinates."""
    names = model.named_vars_to_dims.get(variable.name) or [None] * variable.ndim
    coords = model.coords
    return [
        n if n is not None else len(coords[d]) if coords.get(d) is not None else None
        for n, d in zip(variable.type.shape, names, strict=True)
    ]
