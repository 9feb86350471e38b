"""From a PyTensor graph to a :class:`~bayes.sampling.tape.Tape`: the same calculation as plain data.

Equal operations on equal cells are recorded once, which leaves about half of a PyMC graph. An operation that the tape
does not know raises :class:`Unrecordable`, and then PyTensor runs the graph itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import toposort
from pytensor.tensor.random.op import RandomVariable

from bayes.sampling.tape import Cell, Tape, ufunc

__all__ = ["Unrecordable", "record"]


class Unrecordable(Exception):
    """An operation, or a leaf, that no tape can hold."""


def record(outputs: Mapping[str, Any], inputs: Mapping[Any, str], fixed: Sequence[Any] = ()) -> Tape:
    """Write the calculation of some variables down.

    Parameters
    ----------
    outputs
        Variables of a PyTensor graph by name.
    inputs
        Variables that will be given, with their names; the model's data among them.
    fixed
        Shared variables that never change, such as the lengths of dims: their values are written down.

    Raises
    ------
    Unrecordable
        If an operation is not known, or a leaf is neither given nor a constant.
    """
    tape = _Recorder(inputs, fixed)
    for node in toposort(list(outputs.values()), blockers=list(inputs)):
        tape.node(node)
    places = {name: tape.at(variable) for name, variable in outputs.items()}
    return Tape(tuple(tape.cells), places)


class _Recorder:
    """Cells so far, and where each variable stands among them."""

    def __init__(self, inputs: Mapping[Any, str], fixed: Sequence[Any]) -> None:
        self._inputs, self._fixed = inputs, fixed
        self._places: dict[Any, int] = {}
        self._known: dict[str, int] = {}
        self.cells: list[Cell] = []

    def at(self, variable: Any) -> int:
        if variable not in self._places:
            self._places[variable] = self._leaf(variable)
        return self._places[variable]

    def node(self, node: Any) -> None:
        if isinstance(node.op, RandomVariable):
            drawn = _SAMPLERS.get(_class(node.op))
            if drawn is None or not hasattr(node.inputs[1].type, "dtype"):
                raise Unrecordable(f"{node.op}")
            settings = {"name": drawn, "dtype": node.outputs[1].type.dtype}
            self.cells.append(Cell("draw", settings, tuple(self.at(v) for v in node.inputs[1:])))
            self._places[node.outputs[1]] = len(self.cells) - 1  # never merged: two draws are two draws
            return
        if len(node.outputs) != 1:
            raise Unrecordable(f"{node.op}")
        do, settings = _operation(node)
        inputs = [v for v in node.inputs if getattr(v.type, "dtype", None) is not None]
        self._places[node.outputs[0]] = self._add(Cell(do, settings, tuple(self.at(v) for v in inputs)))

    def _leaf(self, variable: Any) -> int:
        if variable in self._inputs:
            return self._add(Cell("input", {"name": self._inputs[variable]}))
        if variable in self._fixed:
            value = np.asarray(variable.get_value())
        elif isinstance(variable, Constant):
            value = np.asarray(variable.data)
        else:
            raise Unrecordable(f"{variable}")
        if value.dtype == object:
            raise Unrecordable(f"{variable}")
        return self._add(Cell("constant", {"dtype": str(value.dtype), "shape": list(value.shape)}, (), value))

    def _add(self, cell: Cell) -> int:
        content = None if cell.value is None else cell.value.tobytes().hex()
        key = json.dumps([cell.do, dict(cell.settings), cell.of, content])
        if key not in self._known:
            self.cells.append(cell)
            self._known[key] = len(self.cells) - 1
        return self._known[key]


_TRUSTED = ("pytensor.", "pymc.")

_SAMPLERS: Mapping[str, str] = {
    f"pytensor.tensor.random.basic.{name}RV": drawn for name, drawn in {
        "Bernoulli": "bernoulli", "Beta": "beta", "Binomial": "binomial", "Exponential": "exponential",
        "Gamma": "gamma", "HalfCauchy": "halfcauchy", "HalfNormal": "halfnormal", "InvGamma": "invgamma",
        "LogNormal": "lognormal", "MvNormal": "multivariate_normal", "NegBinomial": "negative_binomial",
        "Normal": "normal", "Poisson": "poisson", "StudentT": "t", "Uniform": "uniform",
    }.items()
} | {"bayes.clustered.ClusterNormalRV": "cluster_normal"}  # fmt: skip
"""How the random variables of each class are drawn, by name in :data:`~bayes.sampling.tape.DRAWS`."""

# --- operations ------------------------------------------------------------------------------


def _operation(node: Any) -> tuple[str, dict[str, Any]]:
    """Name and settings of the cell for one node."""
    core = node.op.core_op if _class(node.op) == "pytensor.tensor.blockwise.Blockwise" else node.op
    word = type(core).__name__
    if word not in _RULES or not type(core).__module__.startswith(_TRUSTED):
        raise Unrecordable(f"{node.op}")
    return _RULES[word](node, core)


def _class(op: Any) -> str:
    """Return module and name of an operation's class: a name alone could be another library's."""
    return f"{type(op).__module__}.{type(op).__qualname__}"


def _elementwise(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    scalar = op.scalar_op
    word = type(scalar).__name__
    if not type(scalar).__module__.startswith(_TRUSTED):
        raise Unrecordable(word)
    if word in ("Add", "Mul") and len(node.inputs) == 1:
        return "cast", {"dtype": node.outputs[0].type.dtype}
    special = {"Second": "fill", "Switch": "where", "Identity": "same", "Clip": "clip", "Softplus": "softplus",
               "Log1mexp": "log1mexp"}  # fmt: skip
    if word in special:
        return special[word], {}
    if word == "Cast":
        return "cast", {"dtype": node.outputs[0].type.dtype}
    spec = ("rint",) if word == "RoundHalfToEven" else getattr(scalar, "nfunc_spec", None)
    if spec is None:
        raise Unrecordable(word)
    try:
        ufunc(spec[0])
    except KeyError:
        raise Unrecordable(word) from None
    return "ufunc", {"name": spec[0], "dtype": node.outputs[0].type.dtype}


def _log_add_exp(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    if len({v.type.ndim for v in node.inputs}) > 1 or (
        node.op is not op and len(set(map(len, node.op.inputs_sig))) > 1
    ):
        raise Unrecordable(f"{op}")
    return "ufunc", {"name": "logaddexp", "dtype": node.outputs[0].type.dtype}


def _fold(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    axis = None if op.axis is None else [int(a) for a in op.axis]
    return "fold", {"name": type(op).__name__, "axis": axis, "dtype": node.outputs[0].type.dtype}


def _batch(node: Any, op: Any) -> int:
    """How many axes come before those of the operation itself."""
    return 0 if node.op is op else node.outputs[0].type.ndim - len(node.op.outputs_sig[0])


def _pick(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    return "pick", _entries(node, op, node.inputs[1:])


def _entries(node: Any, op: Any, indices: Sequence[Any]) -> dict[str, Any]:
    """What stands between the brackets: one list of places may be among it, the same for all draws."""
    batch = _batch(node, op)
    if any(getattr(v.type, "dtype", None) is None or v.type.dtype == "bool" for v in indices):
        raise Unrecordable(f"{op}")
    if sum(v.type.ndim > batch for v in indices) > (0 if batch else 1):
        raise Unrecordable(f"{op}")
    own = [[e.start, e.stop, e.step] if isinstance(e, slice) else int(e) for e in op.idx_list]
    return {"entries": [*([None, None, None] for _ in range(batch)), *own], "batch": batch}


def _assign(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    return "assign", {**_entries(node, op, node.inputs[2:]), "set": bool(op.set_instead_of_inc)}


def _shaped(name: str) -> Callable[[Any, Any], tuple[str, dict[str, Any]]]:
    """An operation whose whole numbers are lengths: they hold for every draw."""
    return lambda node, op: (name, {"batch": _batch(node, op), "dtype": node.outputs[0].type.dtype})


def _softmax(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    """Axes counted from the end, where batching leaves them."""
    rank = node.inputs[0].type.ndim - _batch(node, op)
    axes = range(rank) if op.axis is None else op.axis
    return "softmax", {"name": type(op).__name__, "axis": [int(a) % rank - rank for a in axes]}


def _cumulate(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    if op.axis is None or node.op is not op:
        raise Unrecordable(f"{op}")
    return "cumulate", {"name": {"add": "add", "mul": "multiply"}[op.mode], "axis": int(op.axis)}


def _scatter(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    """Record a scatter along the first axis of the core, at places that are the same for all draws."""
    base, _, index = node.inputs
    batch = base.type.ndim - (base.type.ndim if node.op is op else len(node.op.inputs_sig[0]))
    if tuple(op.idx_list) != (0,) or any(n != 1 for n in index.type.shape[:-1]) or index.type.ndim != batch + 1:
        raise Unrecordable(f"{op}")
    return "scatter", {"rank": base.type.ndim - batch, "set": bool(op.set_instead_of_inc)}


def _product(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    rules = {(2, 2): "...ij,...jk->...ik", (1, 2): "...j,...jk->...k", (2, 1): "...ij,...j->...i"}
    if node.op is op:  # not batched: ranks are those of the inputs
        ranks = tuple(v.type.ndim for v in node.inputs)
    else:
        ranks = tuple(len(part.strip("()").split(",")) for part in node.op.signature.split("->")[0].split("),"))
    if ranks not in rules:
        raise Unrecordable(f"{node.op}")
    return "product", {"rule": rules[ranks]}


def _cholesky(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    if not op.lower:
        raise Unrecordable(f"{op}")
    return "cholesky", {}


def _solve(node: Any, op: Any) -> tuple[str, dict[str, Any]]:
    if getattr(op, "assume_a", "gen") != "gen" or getattr(op, "unit_diagonal", False):
        raise Unrecordable(f"{op}")
    triangle = ("lower" if op.lower else "upper") if type(op).__name__ == "SolveTriangular" else "both"
    return "solve", {"vector": op.b_ndim == 1, "of": triangle}


def _plain(name: str) -> Callable[[Any, Any], tuple[str, dict[str, Any]]]:
    return lambda node, op: (name, {})


_RULES: Mapping[str, Callable[[Any, Any], tuple[str, dict[str, Any]]]] = {
    "Elemwise": _elementwise,
    **dict.fromkeys(("Sum", "Prod", "All", "Any", "Max", "Min"), _fold),
    **dict.fromkeys(("Subtensor", "AdvancedSubtensor"), _pick),
    **dict.fromkeys(("ViewOp", "DeepCopyOp", "ScalarFromTensor", "TensorFromScalar", "SpecifyShape"), _plain("same")),
    **dict.fromkeys(("Softmax", "LogSoftmax", "LogSumExp"), _softmax),
    "LogAddExp": _log_add_exp, "AdvancedIncSubtensor": _scatter, "IncSubtensor": _assign,
    "CumOp": _cumulate, "ARange": _shaped("arange"),
    "Reshape": _shaped("reshape"), "Eye": _shaped("eye"),
    "DimShuffle": lambda node, op: ("shuffle", {"order": list(op.new_order)}),
    "ExtractDiag": lambda node, op: ("diagonal", {"offset": int(op.offset), "axes": [int(op.axis1), int(op.axis2)]}),
    "CheckParameterValue": lambda node, op: ("check", {"message": str(op.msg)}),
    "MakeVector": lambda node, op: ("stack", {"dtype": node.outputs[0].type.dtype}),
    "Alloc": _shaped("alloc"), "Shape": _plain("shape"), "Dot": _product, "Cholesky": _cholesky,
    "Join": lambda node, op: ("join", {"axis": int(op.axis)}),
    "Solve": _solve, "SolveTriangular": _solve,
}  # fmt: skip
