"""What a refit takes, read off a ``pm.Model`` once and kept on disk: from then on refits need no PyMC.

A component is sampled together: its variables share evidence. What is known of it depends on the structure of a model
and not on its numbers, like the recipes of :mod:`bayes.sampling.recipe`; nor on the labels of its rows, so that it
names dims only and the labels are those of the model in hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes import cache
from bayes.numbers import label_text
from bayes.sampling.tape import Tape

if TYPE_CHECKING:
    import pymc as pm

    from bayes.sampling.forward import Piece

__all__ = ["Component", "Layout", "Row", "component_of", "components", "density", "following_of", "is_row", "keep",
           "only", "reached", "settled", "stored"]  # fmt: skip

type Floats = NDArray[np.float64]
type Row = str | tuple[str, str]
"""A row of evidence: its label, in every variable that has it, or (variable, label), or (dim, label)."""


def is_row(row: Row, name: str, dim: str, label: object) -> bool:
    """Return whether the element of an observed variable with this label is the row that is meant."""
    text = label_text(label)
    return row in (text, (name, text), (dim, text))


@dataclass(frozen=True, slots=True)
class Layout:
    """Names of the variables of each component of a model, and the dim of observed variables of single observations."""

    components: tuple[frozenset[str], ...]
    dims: Mapping[str, str]

    @classmethod
    def of(cls, model: pm.Model) -> Layout:
        """Read it off a model."""
        return cls(tuple(components(model)), _single(model))

    def owners(self, coords: Mapping[str, Sequence[object]]) -> dict[str, str]:
        """Labels of the observations that can be left out, with the variable each is an element of.

        >>> Layout((frozenset({"mu", "y"}),), {"y": "row"}).owners({"row": ["first", "second"]})
        {'first': 'y', 'second': 'y'}
        """
        return {label_text(label): name for name, dim in self.dims.items() for label in coords.get(dim, ())}

    def holders(self, row: Row, coords: Mapping[str, Sequence[object]]) -> set[str]:
        """Observed variables that have a row: by its label, or by (variable, label) or (dim, label).

        >>> layout = Layout((), {"y": "row", "z": "row"})
        >>> sorted(layout.holders("first", {"row": ["first"]})), layout.holders(("z", "first"), {"row": ["first"]})
        (['y', 'z'], {'z'})
        """
        return {name for name, dim in self.dims.items() for label in coords.get(dim, ())
                if is_row(row, name, dim, label)}  # fmt: skip

    def text(self) -> str:
        """The layout as JSON."""
        return json.dumps([[sorted(group) for group in self.components], dict(self.dims)])

    @classmethod
    def from_text(cls, text: str | bytes) -> Layout:
        """The layout that :meth:`text` wrote."""
        groups, dims = json.loads(text)
        return cls(tuple(frozenset(group) for group in groups), dims)


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """How variables that are sampled together are sampled again, or what follows from them.

    Parameters
    ----------
    program
        Content hash of their density, or None if it cannot be told.
    values, shapes
        Unconstrained values: names, and shapes where the fit lacks the variable.
    data
        Names of the data the density takes, in order.
    observed
        Each observed variable in order with its dim; None where its elements cannot be weighted.
    pieces
        Calculations: ``free`` (variables to unconstrained values), ``bound`` (and back), ``after`` (what is drawn
        forward).
    sampled, drawn, kept
        Names of variables that are sampled, drawn forward, and taken from the fit to be returned.
    dims
        Names of the dims of each variable that has any.
    wide
        As in :class:`bayes.sampling.nuts.Block`.
    """

    program: str | None
    values: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    data: tuple[str, ...]
    observed: tuple[tuple[str, str | None], ...]
    pieces: Mapping[str, Piece]
    sampled: tuple[str, ...]
    drawn: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wide: bool = False

    def text(self) -> str | None:
        """The component as JSON, or None if some piece is no tape."""
        tapes = {name: piece.as_data() for name, piece in self.pieces.items() if isinstance(piece, Tape)}
        if self.program is None or set(tapes) != set(self.pieces):
            return None
        plain = [self.wide, self.program, self.values, dict(self.shapes), self.data, self.observed, tapes]
        return json.dumps([*plain, self.sampled, self.drawn, self.kept, dict(self.dims)], separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str | bytes) -> Component:
        """The component that :meth:`text` wrote."""
        wide, program, values, shapes, data, observed, tapes, *names, dims = json.loads(text)
        sampled, drawn, kept = (tuple(one) for one in names)
        return cls(
            program, tuple(values), {name: tuple(shape) for name, shape in shapes.items()}, tuple(data),
            tuple((name, dim) for name, dim in observed),
            {name: Tape.from_data(tape) for name, tape in tapes.items()}, sampled, drawn, kept,
            {name: tuple(found) for name, found in dims.items()}, wide,
        )  # fmt: skip


def stored[T](key: str, read: Callable[[bytes], T]) -> T | None:
    """Return what is kept under a key, or None."""
    found = cache.kept("refits", f"{key}.json")
    return None if found is None else read(found)


def keep(key: str, text: str | None) -> None:
    """Keep a text under a key; None is not kept."""
    if text is not None:
        cache.keep("refits", f"{key}.json", text.encode())


# --- structure of a model ----------------------------------------------------------------------


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

    from bayes.sampling.blocks import merged
    from bayes.sampling.partition import core_of

    inside = core_of(model).model
    drawn = [*inside.free_RVs, *inside.observed_RVs]

    def behind(ends: Sequence[Any]) -> set[str]:
        return {v.name for v in ancestors(list(ends), blockers=drawn) if v in inside.free_RVs}

    groups = [{v.name, *behind(v.owner.inputs)} for v in drawn]
    groups += [{v.name for v in drawn if v.owner is node} for node in {v.owner for v in drawn}]  # drawn together
    groups += [behind([v]) for v in inside.potentials]
    return [frozenset(group) for group in merged(groups)]


def _single(model: pm.Model) -> dict[str, str]:
    """The dim of each observed variable whose elements can be weighted one by one."""
    found = {}
    for variable in model.observed_RVs:
        dims = model.named_vars_to_dims.get(variable.name, ())
        if len(dims) == 1 and dims[0] and variable.owner.op.ndim_supp == 0 and model.coords[dims[0]] is not None:
            found[str(variable.name)] = str(dims[0])
    return found


def only(model: pm.Model, names: Collection[str]) -> pm.Model:
    """Return the part of a model that consists of some variables, what they depend on, and the Potentials on them."""
    from bayes.sampling.partition import pruned

    return pruned(model, names, names).model


# --- components --------------------------------------------------------------------------------------


def component_of(
    model: pm.Model, draws: Mapping[str, np.ndarray], names: Collection[str], known: Collection[str],
    settings: Sequence[object],
) -> Component:  # fmt: skip
    """Read how a component is sampled off a model.

    Parameters
    ----------
    draws
        Arrays (draw, …) by name of the variables the fit has: calculations are compared at some of them.
    names
        Variables of the component.
    known
        Variables of the fit.
    settings
        What the program depends on besides the model: part of its content hash.

    Raises
    ------
    NoStart
        If the density is finite at none of them.
    """
    from bayes.sampling.forward import NUMPY, constraining, data_of
    from bayes.sampling.identity import model_hash
    from bayes.sampling.partition import Core
    from bayes.sampling.proof import proved

    part = only(model, names)
    variables = {v.name: part.values_to_rvs[v] for v in part.value_vars}
    lacking = {name: v for name, v in variables.items() if v.name not in known}
    shapes = {name: tuple(int(n) for n in np.atleast_1d(v.shape.eval(mode=NUMPY))) for name, v in lacking.items()}
    some = _some(part, draws, [v.name for name, v in variables.items() if name not in lacking])
    free = _freeing(part, known, some)
    rng = np.random.default_rng(0)
    values = {name: settled(value, rng) for name, value in free({**some, **data_of(part)}, None).items()}
    values |= {name: rng.uniform(-2, 2, (_POINTS, *shape)) for name, shape in shapes.items()}
    bound = proved(constraining(Core(part)), values).piece
    return Component(
        model_hash(part, settings), tuple(variables), shapes, tuple(v.name for v in _arguments(part)),
        tuple(_weighted(part)), {"free": free, "bound": bound},
        tuple(str(v.name) for v in part.free_RVs), wide=_wide(part, values),
    )  # fmt: skip


def settled(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Unconstrained values (draw, …) of draws that a changed prior may exclude: such a draw becomes one of the others.

    Where all are excluded, draws within 2 of 0 are returned.

    >>> settled(np.array([1.0, np.nan, 1.0]), np.random.default_rng(1))
    array([1., 1., 1.])
    """
    good = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if good.all():
        return values
    if not good.any():
        return rng.uniform(-2, 2, values.shape)
    return np.where(
        good.reshape(-1, *[1] * (values.ndim - 1)), values, values[rng.choice(np.flatnonzero(good), len(values))]
    )


_POINTS = 8
"""Draws of a fit at which calculations are compared, from its first to its last chain."""


def _some(model: pm.Model, draws: Mapping[str, np.ndarray], names: Collection[str]) -> dict[str, np.ndarray]:
    """A few draws of some variables, of the types that the model has them in."""
    return {name: draws[name][np.linspace(0, len(draws[name]) - 1, _POINTS).astype(int)].astype(model[name].dtype)
            for name in names}  # fmt: skip


def following_of(
    model: pm.Model, draws: Mapping[str, np.ndarray], names: Collection[str], changed: Collection[str],
    wanted: Collection[str] | None, known: Collection[str],
) -> Component:  # fmt: skip
    """Read what follows from components that were sampled again off a model.

    Parameters
    ----------
    draws
        Arrays (draw, …) by name of what is given: its calculation is compared at some of them.
    known
        As in :func:`component_of`.
    names
        Variables of the components; none if nothing was sampled.
    changed
        Variables outside all components whose prior changed.
    wanted
        Variables to return; all by default.
    """
    from bayes.sampling.forward import following
    from bayes.sampling.partition import shown
    from bayes.sampling.proof import proved

    sampled, named = [str(v.name) for v in model.free_RVs if v.name in names], shown(model)
    moved = reached(model, {*sampled, *changed})
    kept = [v.name for v in named if v.name in known and v.name not in moved]
    returned = [v.name for v in named if wanted is None or v.name in wanted]
    drawn = [name for name in returned if name not in kept and name not in sampled]
    found = {name: tuple(d for d in dims if d) for name, dims in model.named_vars_to_dims.items() if name in returned}
    pieces: dict[str, Any] = {}
    if drawn:
        given = [*sampled, *kept]
        after = following(model, [model[name] for name in drawn], given)
        pieces["after"] = proved(after, _some(model, draws, given)).piece
    return Component("", (), {}, (), (), pieces, tuple(sampled), tuple(drawn),
                     tuple(name for name in returned if name in kept),
                     {name: dims for name, dims in found.items() if dims})  # fmt: skip


def _arguments(part: pm.Model) -> list[Any]:
    """Data that the density takes as arguments, in the order of their names: those that decide no shapes."""
    from bayes.sampling.identity import shaping

    fixed = shaping(part)
    return sorted((v for v in part.data_vars if v.name not in fixed), key=lambda v: str(v.name))


def _wide(part: pm.Model, values: Mapping[str, np.ndarray]) -> bool:
    """Whether the density in JAX is PyMC's, up to a constant, only if all numbers are made double precision first."""
    import jax

    from bayes.errors import NoStart, UsageError
    from bayes.sampling.forward import total_density
    from bayes.sampling.nuts import NO_START
    from bayes.sampling.partition import Core
    from bayes.sampling.prepare import terms_at
    from bayes.sampling.programs import double_precision
    from bayes.sampling.proof import PRECISION

    names = [v.name for v in part.value_vars]
    flat = np.concatenate([np.asarray(values[name]).reshape(_POINTS, -1) for name in names], axis=1)
    terms = np.stack(list(terms_at(total_density(Core(part)), {name: values[name] for name in names}).values()))
    finite = np.isfinite(terms).all(axis=0)
    if not finite.any():
        raise NoStart(NO_START[0], key="refit", found=names, fix=NO_START[1])
    weights = [np.ones(() if dim is None else len(part.coords[dim] or ())) for _, dim in _weighted(part)]
    numbers = [*(v.get_value() for v in _arguments(part)), *weights]
    for wide in (False, True):
        with double_precision():
            program = jax.jit(density(part, [np.shape(values[name])[1:] for name in names], wide))
            found = [float(program(u, np.zeros_like(u), np.eye(u.size), *numbers)) for u in flat[finite]]
        gap = np.array(found) - terms[:, finite].sum(axis=0)
        if np.all(np.abs(gap - gap[0]) <= PRECISION * (1 + np.abs(terms[:, finite]).sum(axis=0))):
            return wide
    raise UsageError("JAX computes another log density than PyMC does, so that this cannot be refitted", found=names)


def reached(model: pm.Model, names: Collection[str]) -> set[str]:
    """Names of the variables that depend on some others, those included."""
    from pytensor.graph.traversal import ancestors

    found = set(names)
    for variable in model.unobserved_RVs:
        behind = {v.name for v in ancestors([variable]) if v.name in model.named_vars}
        found |= {variable.name} if behind & set(names) else set()
    return found


def _freeing(part: pm.Model, known: Collection[str], draws: Mapping[str, np.ndarray]) -> Piece:
    """The calculation of unconstrained values from draws of the variables the fit has."""
    from bayes.sampling.forward import Calculation
    from bayes.sampling.proof import proved

    variables = {str(v.name): part.values_to_rvs[v] for v in part.value_vars if part.values_to_rvs[v].name in known}
    transforms = {name: part.rvs_to_transforms[v] for name, v in variables.items()}
    ends = {n: v if transforms[n] is None else transforms[n].forward(v, *v.owner.inputs) for n, v in variables.items()}
    return proved(Calculation(part, ends, {str(v.name): v for v in variables.values()}), draws).piece


def _weighted(part: pm.Model) -> list[tuple[str, str | None]]:
    single = _single(part)
    return [(str(v.name), single.get(str(v.name))) for v in part.observed_RVs]


def density(part: pm.Model, shapes: Sequence[tuple[int, ...]], wide: bool = False) -> Callable[..., Any]:
    """Return the log density as a JAX function of standardised values, their mean and root, the data and the weights.

    Data stand in the order of their names; then one vector of weights for each observed variable whose elements can be
    weighted, and a number that is not used for each other.
    """
    import jax.numpy as jnp
    import pytensor.tensor as pt

    from bayes.sampling.blocks import in_jax

    counts = [() if dim is None else (len(part.coords[dim] or ()),) for _, dim in _weighted(part)]
    weights = [pt.tensor(dtype="float64", shape=shape) for shape in counts]
    rows = part.logp(vars=part.observed_RVs, sum=False)
    total = part.logp(vars=[*part.free_RVs, *part.potentials])
    for row, weight in zip(rows, weights, strict=True):
        total = total + (pt.switch(weight > 0, weight * row, 0.0).sum() if weight.ndim else row.sum())
    function = in_jax(total, part.value_vars, _arguments(part), weights, wide=wide)
    ends = [int(cut) for cut in np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])]

    def log_density(u: Any, mean: Any, root: Any, *numbers: Any) -> Any:
        z = mean + root @ u
        pieces = [jnp.reshape(z[a:b], s) for a, b, s in zip(ends[:-1], ends[1:], shapes, strict=True)]
        return function(*pieces, *numbers)[0]

    return log_density
