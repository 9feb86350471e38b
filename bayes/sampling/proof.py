"""Is the fast way the same? Calculations compared with PyTensor's own evaluation before they are used.

A calculation can be done in three ways, each slower than the one before: as a tape that NumPy plays, by PyTensor on all
draws at once, and by PyTensor one draw at a time, which is what PyMC means by the model. The first that proves equal
is taken. Numbers are compared at a few draws, to :data:`PRECISION` relative. Random draws are compared in what decides
them: given the draws of its parents, each random variable must have the parameters and the shape that PyTensor
computes for it, be of a class whose sampler is known, and its ranks among as many draws of PyMC's own sampler must
have the mean and the spread of chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pytensor.graph.utils import MissingInputError

from bayes.errors import StudyError
from bayes.sampling.forward import (
    Batch,
    Calculation,
    Piece,
    Values,
    batched,
    compiled,
    data_of,
    one_by_one,
    recorded,
    substituted,
    unfolded,
    vectorised,
)
from bayes.sampling.recorder import Unrecordable
from bayes.sampling.tape import Tape
from bayes.sampling.tree import SIZE

__all__ = ["ONE_BY_ONE", "PRECISION", "Proved", "close", "proved"]

PRECISION = 1e-9
"""Largest relative difference between two evaluations of one number that rounding may explain."""

ONE_BY_ONE, TOGETHER, TAPE = "by PyMC, one draw at a time", "by PyMC, all draws at once", "tape"

_POINTS, _DRAWS = 4, 100
_CHANCE = 5.5
"""Standard errors by which ranks may be off: seven such tests in 100 million fail by chance."""

_UNABLE = (Unrecordable, MissingInputError, NotImplementedError, ValueError, TypeError, IndexError, KeyError,
           AssertionError, np.linalg.LinAlgError, StudyError)  # fmt: skip
"""What a way of computing raises where a graph is not of its kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Proved:
    """A calculation and how it is done: :data:`TAPE`, or in words of PyMC."""

    piece: Piece
    how: str


def proved(calculation: Calculation, values: Values, known: Values | None = None) -> Proved:
    """Return the fastest way to do a calculation that gives PyMC's numbers.

    Parameters
    ----------
    values
        Arrays (draw, …) by name of what is given: draws to compare at, of which the first few are used. With none the
        calculation is compared at draws of its own.
    known
        What PyTensor makes of these draws, where that was computed before, for a calculation that draws nothing.

    Raises
    ------
    NotDrawable
        If a random variable has no sampler.
    """
    names = list(calculation.given)
    size = min([_POINTS, *(len(values[name]) for name in names)])
    few = {name: np.asarray(values[name])[:size] for name in names}
    at = {**data_of(calculation.model), **few, SIZE: np.asarray(size)}
    for how, way in ((TAPE, recorded), (TOGETHER, vectorised)):
        try:
            opened = unfolded(calculation)
            batch = batched(opened)
            whole = way(batch, calculation.model, {**_inside(batch), **batch.outputs})
            found = whole(at, 1)
            theirs = _by_pytensor(opened, batch, found, few, size) if known is None else _rows(known, size)
            if _agrees(batch, found, theirs) and _as_drawn(calculation, whole, at):
                return Proved(_only(whole, batch, calculation), how)
        except _UNABLE:
            continue
    slow = one_by_one(calculation)
    slow({**at, **{name: value[:1] for name, value in few.items()}, SIZE: np.asarray(1)}, 0)
    return Proved(slow, ONE_BY_ONE)


def close(one: Any, other: Any) -> bool:
    """Return whether two arrays are equal up to rounding; undefined and infinite entries must be the same."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    if one.dtype == bool or other.dtype == bool:
        return bool(np.array_equal(one, other))
    return bool(np.allclose(one, other, rtol=PRECISION, atol=1e-12, equal_nan=True))


# --- what is compared --------------------------------------------------------------------------


def _inside(batch: Batch) -> dict[Any, Any]:
    """Return each draw and its parameters, by number of the random variable and of the parameter."""
    found: dict[Any, Any] = {}
    for i, (_, fresh, parameters) in enumerate(batch.drawn):
        found[i, "draw"] = fresh
        found |= {(i, j): parameter for j, parameter in enumerate(parameters)}
    return found


def _only(whole: Callable[..., Any], batch: Batch, calculation: Calculation) -> Piece:
    """Return the piece that computes the outputs alone, without what the comparison added."""
    if isinstance(whole, Tape):
        return Tape(whole.cells, {name: whole.outputs[name] for name in batch.outputs})
    return vectorised(batch, calculation.model, batch.outputs)


def _agrees(batch: Batch, found: Mapping[Any, np.ndarray], rows: Iterable[Mapping[Any, np.ndarray]]) -> bool:
    """Whether outputs and parameters are PyTensor's own, given what was drawn."""
    for i, theirs in enumerate(rows):
        for name, value in theirs.items():
            if isinstance(name, str) and not close(_at(found[name], i), value):
                return False
        for k, (variable, _, parameters) in enumerate(batch.drawn):
            shape = tuple(int(n) for n in theirs[k, "shape"])
            if _at(found[k, "draw"], i).shape != shape:
                return False
            cores = variable.owner.op.ndims_params
            front = shape[: variable.ndim - variable.owner.op.ndim_supp]
            for j, core in enumerate(cores[: len(parameters)]):
                mine, own = np.asarray(found[k, j]), theirs[k, j]
                if mine.ndim != 1 + len(front) + core:  # no draw reaches it: it gets an axis of length one
                    mine = mine[None]
                wide = (*front, *own.shape[own.ndim - core :])
                if not close(np.broadcast_to(_at(mine, i), wide), np.broadcast_to(own, wide)):
                    return False
    return True


def _at(values: np.ndarray, draw: int) -> np.ndarray:
    values = np.asarray(values)
    return np.asarray(values[draw if len(values) > 1 else 0])


def _rows(known: Values, size: int) -> Iterator[dict[Any, np.ndarray]]:
    return ({name: np.asarray(value[i]) for name, value in known.items()} for i in range(size))


def _by_pytensor(
    calculation: Calculation, batch: Batch, found: Mapping[Any, np.ndarray], few: Values, size: int
) -> Iterator[dict[Any, np.ndarray]]:
    """Outputs, and parameters and shape of each random variable, for each draw: all random variables given."""
    wanted: dict[Any, Any] = dict(calculation.outputs)
    for k, (variable, _, parameters) in enumerate(batch.drawn):
        node = variable.owner
        own = list(node.op.dist_params(node))
        wanted |= {(k, j): own[j] for j in range(len(parameters))}
        wanted[k, "shape"] = _shape(node, own)
    drawn = [variable for variable, _, _ in batch.drawn]
    stops = {v: v.type() for v in [*calculation.given.values(), *drawn]}
    function = compiled(calculation, list(stops.values()), substituted(list(wanted.values()), stops), 0)
    arrays = [*(few[name] for name in calculation.given), *(found[k, "draw"] for k in range(len(drawn)))]
    for i in range(size):
        at = [np.asarray(_at(a, i), dtype=v.dtype) for a, v in zip(arrays, stops, strict=True)]
        yield dict(zip(wanted, map(np.asarray, function(*at)), strict=True))


def _shape(node: Any, parameters: list[Any]) -> Any:
    import pytensor.tensor as pt

    lengths = node.op._infer_shape(node.op.size_param(node), parameters)
    return pt.stack([pt.as_tensor(n) for n in lengths]) if lengths else pt.zeros(0, dtype="int64")


# --- draws against PyMC's own ------------------------------------------------------------------


def _as_drawn(calculation: Calculation, whole: Callable[..., Any], at: Values) -> bool:
    """Return whether our draws rank among PyMC's as chance would have it, for each output that is random."""
    if not calculation.random():
        return True
    first = {name: np.repeat(np.asarray(at[name])[:1], _DRAWS, axis=0) for name in calculation.given}
    values = {**at, **first, SIZE: np.asarray(_DRAWS)}
    ours, theirs = whole(values, 2), one_by_one(calculation)(values, 3)
    return all(_alike(ours[name], theirs[name]) for name in calculation.outputs)


def _alike(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Compare the first two moments of ranks element by element, with Bonferroni's correction for many elements."""
    from scipy import stats

    ours = np.broadcast_to(ours, (_DRAWS, *np.shape(ours)[1:])).reshape(_DRAWS, -1)
    theirs = np.asarray(theirs).reshape(_DRAWS, -1)
    if ours.shape != theirs.shape or not ours.shape[1]:
        return ours.shape == theirs.shape
    ranks = stats.rankdata(np.concatenate([ours, theirs]), axis=0) / (2 * _DRAWS + 1) - 0.5
    limit = stats.norm.isf(stats.norm.sf(_CHANCE) / ours.shape[1])
    for moment in (ranks, ranks**2):
        gap = moment[:_DRAWS].mean(axis=0) - moment[_DRAWS:].mean(axis=0)
        error = moment.std(axis=0) * np.sqrt(2 / _DRAWS)
        if np.any(np.abs(gap) > limit * error + 1e-12):
            return False
    return True
