"""A content hash of a model's graph: equal for equal structure, whatever the numbers in its data.

The hash covers every operation with its properties, how they are connected, every constant by content, the shapes and
types of the data, the values of those data that decide shapes or places (masks, lengths, bounds of slices), the
transforms and initial values of the free variables and which variables are observed. An
operation that cannot be described completely (a user's own density, say) gives no hash, and then nothing is looked up
or kept: a cache must never return another model's code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from types import FunctionType
from typing import Any

import numpy as np
import pymc as pm
from pymc.distributions.distribution import SymbolicRandomVariable
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import ancestors, toposort
from pytensor.tensor.random.op import RandomVariable

from bayes.cache import key_of
from bayes.provenance import SCRATCH, canonical, digest
from bayes.sampling.forward import NUMPY

__all__ = ["graph_hash", "model_hash", "shaping"]

_TRUSTED = ("pytensor.", "pymc.")
_OWN = "bayes."
_OPAQUE = ("pymc.distributions.custom", "pymc.distributions.simulator", "pytensor.compile.ops",
           "pytensor.compile.builders")  # fmt: skip

_DECORATION = {"name", "__doc__", "__module__", "__epydoc_asRoutine", "nfunc_spec", "ufunc", "nfunc", "openmp",
               "__oplist_tags"}  # fmt: skip


class _Opaque(Exception):
    """An operation that cannot be described by its class and properties."""


def model_hash(model: pm.Model, extra: Sequence[object] = ()) -> str | None:
    """Return the SHA-256 of a model's structure and of the code, the versions and the processor that compile it.

    Parameters
    ----------
    extra
        More plain data to hash, for example sampler settings.

    Returns
    -------
    str or None
        None if some operation of the model is opaque, or a number of it is no data of the model.
    """
    told = _described(model)
    return None if told is None else key_of(*told, [str(e) for e in extra], compiled=True)


def graph_hash(model: pm.Model) -> str | None:
    """Return the SHA-256 of a model's structure alone; None where :func:`model_hash` gives none."""
    told = _described(model)
    return None if told is None else digest(canonical(told))


def _described(model: pm.Model) -> list[Any] | None:
    """A model's structure as plain data, or None where some operation cannot be described."""
    outputs = [*model.basic_RVs, *model.potentials, *(model.rvs_to_values[v] for v in model.observed_RVs),
               *model.deterministics]  # fmt: skip
    if not _only_data(model, outputs):
        return None
    try:
        lines = list(_lines(outputs))
        transforms = [(v.name, _transform(model.rvs_to_transforms[v])) for v in model.free_RVs]
        starts = [(v.name, _start(model.rvs_to_initial_values.get(v))) for v in model.free_RVs]
    except _Opaque:
        return None
    lengths = {name: int(length.eval(mode=NUMPY)) for name, length in model.dim_lengths.items()}
    roles = [[v.name for v in model.free_RVs], [v.name for v in model.observed_RVs], len(model.potentials),
             sorted(v.name for v in model.data_vars), dict(model.named_vars_to_dims), lengths,
             [v.name for v in model.deterministics], sorted(vars(model).get(SCRATCH, ()))]  # fmt: skip
    places = [(name, _content(model[name].get_value())) for name in shaping(model)]
    return [lines, transforms, starts, places, roles]


def _only_data(model: pm.Model, outputs: Iterable[Any]) -> bool:
    """Return whether all shared variables are data of the model: any other would be compiled in."""
    shared = [v for v in ancestors(outputs) if isinstance(v, SharedVariable)]
    known = {*model.data_vars, *model.dim_lengths.values()}
    return all(v in known or isinstance(v.get_value(borrow=True), np.random.Generator) for v in shared)


def _lines(outputs: Iterable[Any], inputs: Sequence[Any] = ()) -> Iterable[str]:
    """One line for each node, in topological order, with inputs by position; those of an inner graph by its order."""
    names: dict[Any, str] = {variable: f"{i}:input {variable.type}" for i, variable in enumerate(inputs)}

    def name(variable: Any) -> str:
        if variable not in names:
            names[variable] = f"{len(names)}:{_leaf(variable)}"
        return names[variable].split(":", 1)[0] if variable.owner is not None else names[variable]

    outputs = list(outputs)
    for node in toposort(outputs):
        inputs = [name(v) for v in node.inputs]
        made = [name(v) for v in node.outputs]
        yield f"{_operation(node.op)}({','.join(inputs)})->{','.join(made)}:{[str(v.type) for v in node.outputs]}"
    yield canonical([[v.name, name(v)] for v in outputs])


def _leaf(variable: Any) -> str:
    if isinstance(variable, Constant):
        data = np.asarray(variable.data) if not isinstance(variable.data, slice) else None
        if data is None or data.dtype == object:
            return f"constant {variable.data!r}"
        return f"constant {_content(data)}"
    if isinstance(variable, SharedVariable):
        if isinstance(variable.get_value(borrow=True), np.random.Generator):
            return "generator"
        value = variable.get_value(borrow=True)
        return f"data {variable.name} {np.asarray(value).dtype} {np.shape(value)}"
    return f"{variable.type}"


def _content(value: Any) -> str:
    data = np.asarray(value)
    return f"{data.dtype} {data.shape} {hashlib.sha256(np.ascontiguousarray(data).tobytes()).hexdigest()}"


def _start(value: Any) -> str:
    """Describe an initial value: a strategy by its name, or numbers by their content."""
    if value is None or isinstance(value, str):
        return str(value)
    if hasattr(value, "owner"):
        raise _Opaque("an initial value that is computed")
    return _content(value)


def _operation(op: Any) -> str:
    """Class and properties of an operation, or :class:`_Opaque`."""
    module = type(op).__module__
    copies = module == "pytensor.compile.ops" and type(op).__name__ in ("ViewOp", "DeepCopyOp")
    if not module.startswith((*_TRUSTED, _OWN)) or (module.startswith(_OPAQUE) and not copies):
        raise _Opaque(module)
    properties, inner = getattr(op, "__props__", None), getattr(op, "fgraph", None)
    if inner is not None and not module.startswith(("pytensor.scalar.basic", "pymc.distributions.")):
        raise _Opaque(module)  # a loop means more than its inner graph
    if inner is not None:
        body = ";".join(_lines(inner.outputs, inner.inputs))
        return f"{module}.{type(op).__qualname__}{[(p, _property(getattr(op, p))) for p in properties or ()]}[{body}]"
    names = sorted(set(vars(op)) - _DECORATION) if properties is None else properties
    return f"{module}.{type(op).__qualname__}{[(p, _property(getattr(op, p))) for p in names]}"


def _property(value: Any) -> str:
    """Text of one property; nested operations are described like any other."""
    if type(value).__module__.startswith(_TRUSTED) and hasattr(value, "make_node"):
        return _operation(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(_property(v) for v in value)}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{k}:{_property(v)}' for k, v in value.items())}}}"
    if isinstance(value, FunctionType) and value.__module__.startswith(_TRUSTED):
        held = [_property(cell.cell_contents) for cell in value.__closure__ or ()]
        return f"{value.__module__}.{value.__qualname__}{held}"
    if isinstance(value, Constant):
        return _leaf(value)
    if isinstance(value, np.ndarray | np.generic):
        return _content(value)
    if type(value).__module__.startswith("pytensor.scalar") and hasattr(value, "__dict__"):
        return f"{type(value).__qualname__}{sorted((k, _property(v)) for k, v in vars(value).items())}"
    text = repr(value)
    if " at 0x" in text:
        raise _Opaque(text)
    return text


def _transform(transform: Any) -> str:
    if transform is None:
        return "none"
    module = type(transform).__module__
    if not module.startswith(_TRUSTED):
        raise _Opaque(module)
    return f"{module}.{type(transform).__qualname__}{sorted((k, _property(v)) for k, v in vars(transform).items())}"


# --- data that decide shapes -------------------------------------------------------------------


def shaping(model: pm.Model) -> tuple[str, ...]:
    """Return the names of the data whose values, not their shapes alone, decide shapes or places in the graph.

    Examples
    --------
    >>> with pm.Model() as model:
    ...     n, x = pm.Data("n", np.array(3)), pm.Data("x", [1.0, 2.0])
    ...     _ = pm.Normal("y", x.sum(), 1, shape=n)
    >>> shaping(model)
    ('n',)
    """
    ends = [*model.basic_RVs, *model.potentials, *model.deterministics,
            *(model.rvs_to_values[v] for v in model.observed_RVs)]  # fmt: skip
    deciding = [v for node in toposort(ends) for v in _deciding(node)]
    shapes = [node.outputs[0] for node in toposort(ends) if type(node.op).__name__ in ("Shape", "Shape_i")]
    behind = set(ancestors(deciding, blockers=shapes))
    return tuple(sorted(str(v.name) for v in model.data_vars if v in behind))


_FIRST = {"Alloc": 1, "BroadcastTo": 1, "Reshape": 1, "Repeat": 1, "Tile": 1, "SpecifyShape": 1, "Split": 2,
          "AllocEmpty": 0, "ARange": 0, "Eye": 0, "Nonzero": 0, "Unique": 0}  # fmt: skip
"""From which input on the values decide the shape of what an operation makes."""


def _deciding(node: Any) -> list[Any]:
    """Inputs of a node whose values decide the shape of what it makes, or what of it is taken."""
    op, inputs = node.op, node.inputs
    core = getattr(op, "core_op", op)
    word = type(core).__name__
    if isinstance(op, RandomVariable):
        return [op.size_param(node)]
    if isinstance(op, SymbolicRandomVariable):
        return [v for v in inputs if getattr(v.type, "dtype", "").startswith("int")]
    if word in _FIRST:
        return list(inputs[_FIRST[word] :])
    if word == "Scan":
        return [inputs[0]]
    if "Subtensor" in word:
        sliced = [
            e for entry in core.idx_list if isinstance(entry, slice) for e in (entry.start, entry.stop, entry.step)
        ]
        first = len(inputs) - 1 - max(_places(core.idx_list), default=-1)
        masks = [v for v in inputs[first:] if getattr(v.type, "dtype", "") == "bool"]
        return [inputs[first + e] for e in sliced if e is not None] + masks
    return []


def _places(entries: Iterable[Any]) -> list[int]:
    found: list[int] = []
    for entry in entries:
        parts = (entry.start, entry.stop, entry.step) if isinstance(entry, slice) else (entry,)
        found += [int(e) for e in parts if e is not None]
    return found
