"""The log density of a model in independent blocks, as JAX functions with the numbers as arguments.

Free variables that no term of the log density ties together are independent given the data, and are sampled apart:
shorter trajectories in fewer dimensions, each with a step size of its own. ``pm.sample(nuts_sampler="numpyro")`` bakes
data into the compiled program, so that every changed prior compiles again. Here the model's data (``pm.Data``: priors
and evidence) stay arguments: one program per structure, kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.replace import clone_replace
from pytensor.graph.rewriting.basic import in2out, node_rewriter
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.graph.traversal import ancestors
from pytensor.scalar.basic import Cast, Switch, upgrade_to_float
from pytensor.scalar.math import Log1mexp
from pytensor.tensor.elemwise import Elemwise

from bayes.sampling.identity import shaping
from bayes.sampling.nuts import Block
from bayes.sampling.partition import DISCRETE, Core
from bayes.sampling.programs import same_flags

__all__ = ["blocks_of", "in_jax", "log_density", "merged"]


def blocks_of(core: Core, shapes: Sequence[tuple[int, ...]]) -> tuple[Block, ...]:
    """Split what is sampled into blocks that are independent given the data.

    Parameters
    ----------
    core
        The sampled part of a model.
    shapes
        Of each value in ``core.value_vars``, in order.
    """
    values = core.value_vars
    shape_of = dict(zip(values, shapes, strict=True))
    fixed = shaping(core.model)
    data = {v: str(v.name) for v in core.model.data_vars if v.name not in fixed}
    behind = [set(ancestors([term])) for term in core.terms]
    found = []
    for members in merged([[v for v in values if v in above] for above in behind]):
        touched = set().union(*(above for above in behind if not above.isdisjoint(members)))
        chosen = [v for v in values if v in members]
        found.append(Block(tuple(str(v.name) for v in chosen), tuple(tuple(shape_of[v]) for v in chosen),
                           tuple(sorted(name for v, name in data.items() if v in touched))))  # fmt: skip
    return tuple(sorted(found, key=lambda block: -block.size))


def log_density(core: Core, block: Block) -> Callable[..., Any]:
    """Return the part of a model's log density that concerns a block, as a JAX function ``(flat, *data) -> scalar``.

    ``flat`` stacks the block's unconstrained values in order; ``data`` are the values of its data, in order. Other data
    enter with the values they have.
    """
    import jax.numpy as jnp

    values = {v.name: v for v in core.value_vars}
    inputs = [values[name] for name in block.variables]
    data = [next(v for v in core.model.data_vars if v.name == name) for name in block.data]
    terms = [term.sum() for term in core.terms if not set(inputs).isdisjoint(ancestors([term]))]
    function = in_jax(pt.add(*terms) if len(terms) > 1 else terms[0], inputs, data, wide=block.wide)
    cuts = np.cumsum([int(np.prod(shape)) for shape in block.shapes])[:-1]

    def density(flat: Any, *data: Any) -> Any:
        cut = jnp.split(flat, cuts)  # its derivative is one joint; that of slices is a sum of as many padded vectors
        parts = [jnp.reshape(part, shape) for part, shape in zip(cut, block.shapes, strict=True)]
        return function(*parts, *data)[0]

    return density


def in_jax(
    graph: Any, values: Sequence[Any], data: Sequence[Any], more: Sequence[Any] = (), *, wide: bool
) -> Callable[..., Any]:  # fmt: skip
    """Return a graph of a model as a JAX function of values, of the model's data, and of more variables.

    ``wide`` makes whole numbers and constants of single precision doubles first.
    """
    with same_flags():
        from pymc.sampling.jax import get_jaxified_graph

    arguments = [pt.tensor(dtype=v.dtype, shape=v.get_value(borrow=True).shape) for v in data]
    ends = clone_replace([graph], dict(zip(data, arguments, strict=True)))
    rewrites = [_smoother()] if any(_is_log1mexp(v.owner) for v in ancestors(ends)) else []
    for rewrite in [*rewrites, _WIDER] if wide else rewrites:
        ends = [rewrite_graph(end, include=(), custom_rewrite=rewrite) for end in ends]
    found: Callable[..., Any] = get_jaxified_graph(inputs=[*values, *arguments, *more], outputs=ends)
    return found


@node_rewriter([Elemwise])  # type: ignore[untyped-decorator]
def _widened(fgraph: Any, node: Any) -> Any:
    """Whole numbers and single precision as doubles where an operation makes doubles of them.

    PyTensor keeps constants such as 0.5 in single precision, and JAX computes in it where it meets one of its own
    weakly typed numbers.
    """
    if node.outputs[0].type.dtype != "float64" or isinstance(node.op.scalar_op, Cast):
        return None
    narrow = [v.type.dtype.startswith((*DISCRETE, "float32")) for v in node.inputs]
    narrow[0] &= not isinstance(node.op.scalar_op, Switch)
    if not any(narrow):
        return None
    return node.op.make_node(
        *(pt.cast(v, "float64") if short else v for v, short in zip(node.inputs, narrow, strict=True))
    ).outputs


def _is_log1mexp(node: Any) -> bool:
    return node is not None and type(getattr(node.op, "scalar_op", None)) is Log1mexp


class _Smooth(Log1mexp):  # type: ignore[misc]
    """log(1 - exp(x)) for JAX with a derivative where one branch of PyTensor's own gives 0 times infinity.

    A row that is censored, or not, far out in a tail has such a branch: there exp(x) rounds to 1, or x to 0.
    """


@cache
def _smoother() -> Any:
    """Return what replaces PyTensor's operation by ours, known to JAX under its own name only."""
    import jax.numpy as jnp
    from pytensor.link.jax.dispatch import jax_funcify

    def log1mexp(x: Any) -> Any:
        half = jnp.log(0.5)
        near = jnp.log(-jnp.expm1(jnp.where((x < 0) & (x > half), x, half)))
        found = jnp.where(x < half, jnp.log1p(-jnp.exp(jnp.minimum(x, half))), near)
        return jnp.where(x < 0, found, jnp.where(x == 0, -jnp.inf, jnp.nan))

    jax_funcify.register(_Smooth, lambda op, **_: log1mexp)
    ours = Elemwise(_Smooth(upgrade_to_float, name="log1mexp"))
    return in2out(node_rewriter([Elemwise])(lambda _, node: [ours(*node.inputs)] if _is_log1mexp(node) else None))


_WIDER = in2out(_widened, name="everything_as_doubles")


def merged(groups: Iterable[Iterable[Any]]) -> list[set[Any]]:
    """Merge groups that share a member until none do, and leave empty ones out.

    >>> merged([{"a"}, {"b"}, {"b", "a"}, {"c"}]) == [{"a", "b"}, {"c"}]
    True
    """
    found: list[set[Any]] = []
    for group in map(set, groups):
        apart = [one for one in found if one.isdisjoint(group)]
        joined = group.union(*(one for one in found if not one.isdisjoint(group)))
        found = [*apart, joined] if joined else apart
    return found
