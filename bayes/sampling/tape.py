"""A calculation written down as plain data, and NumPy to play it back.

A tape is a list of cells. Each cell is an input by name, a constant, or one operation on earlier cells. Operations are
named from closed lists (NumPy's and SciPy's universal functions, some forty shapes and linear algebra, and the
distributions drawn from), so a tape read from a file is data and never code. :mod:`bayes.sampling.recorder` writes
tapes from PyTensor graphs; playing one back needs NumPy and ``scipy.special`` alone.

Each random cell has its own generator, spawned from one seed in the order of the cells.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from bayes.clusters import draw_clusters
from bayes.errors import StudyError

__all__ = ["DRAWS", "OPERATIONS", "Cell", "Tape", "play", "ufunc"]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One value of a tape.

    Parameters
    ----------
    do
        ``input``, ``constant``, ``ufunc``, ``draw``, or a name in :data:`OPERATIONS`.
    settings
        Plain data: the name of an input or function, axes, a type.
    of
        Positions of the cells it is made from.
    value
        The array of a constant.
    """

    do: str
    settings: Mapping[str, Any]
    of: tuple[int, ...] = ()
    value: np.ndarray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Cells in the order of their making, and the positions of the results by name.

    Examples
    --------
    >>> tape = Tape((Cell("input", {"name": "x"}), Cell("ufunc", {"name": "exp", "dtype": "float64"}, (0,))), {"y": 1})
    >>> play(Tape.from_text(tape.text()), {"x": np.zeros(2)})["y"].tolist()
    [1.0, 1.0]
    """

    cells: tuple[Cell, ...]
    outputs: Mapping[str, int]

    def __call__(self, values: Mapping[str, np.ndarray], seed: int | None = None) -> dict[str, np.ndarray]:
        """Play the tape."""
        return play(self, values, seed)

    @property
    def inputs(self) -> frozenset[str]:
        """Names that must be given."""
        return frozenset(cell.settings["name"] for cell in self.cells if cell.do == "input")

    @property
    def draws(self) -> bool:
        """Whether anything is drawn on the way."""
        return any(cell.do == "draw" for cell in self.cells)

    def pruned(self) -> Tape:
        """Return the tape without the cells that no result needs."""
        needed, place = {*self.outputs.values()}, dict[int, int]()
        for at in reversed(range(len(self.cells))):
            needed |= {*self.cells[at].of} if at in needed else set()
        for at in sorted(needed):
            place[at] = len(place)
        cells = [replace(self.cells[at], of=tuple(place[i] for i in self.cells[at].of)) for at in place]
        return Tape(tuple(cells), {name: place[at] for name, at in self.outputs.items()})

    def as_data(self) -> dict[str, Any]:
        """Plain data, for JSON: numbers keep every bit, and those that JSON has not are words, as ``"inf"``."""
        cells = [[c.do, dict(c.settings), list(c.of), None if c.value is None else _plain(c.value)] for c in self.cells]
        return {"cells": cells, "outputs": dict(self.outputs)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Tape:
        """The tape that :meth:`as_data` wrote down."""
        cells = [
            Cell(do, settings, tuple(of), np.array(value, dtype=settings["dtype"]) if do == "constant" else None)
            for do, settings, of, value in data["cells"]
        ]
        return cls(tuple(cells), dict(data["outputs"]))

    def text(self) -> str:
        """The tape as JSON."""
        return json.dumps(self.as_data(), separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_text(cls, text: str) -> Tape:
        """The tape that :meth:`text` wrote."""
        return cls.from_data(json.loads(text))


def _plain(value: np.ndarray) -> Any:
    """The numbers of an array as nested lists that JSON can hold."""
    if value.dtype.kind != "f" or np.isfinite(value).all():
        return value.tolist()
    return np.where(np.isfinite(value), value.astype(object), value.astype(str)).tolist()


def play(tape: Tape, values: Mapping[str, np.ndarray], seed: int | None = None) -> dict[str, np.ndarray]:
    """Return the results of a tape by name.

    Parameters
    ----------
    values
        Arrays for each name in ``tape.inputs``.
    seed
        Needed by a tape that draws.
    """
    last = {i: at for at, cell in enumerate(tape.cells) for i in cell.of} | dict.fromkeys(
        tape.outputs.values(), len(tape.cells)
    )
    drawn = sum(cell.do == "draw" for cell in tape.cells)
    seeds = iter(np.random.SeedSequence(seed).spawn(drawn) if drawn else ())
    memory: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        for at, cell in enumerate(tape.cells):
            memory[at] = _one(cell, [memory[i] for i in cell.of], values, seeds)
            for i in {*cell.of, at}:
                if last.get(i, at) <= at:
                    del memory[i]
    return {name: np.asarray(memory[at]) for name, at in tape.outputs.items()}


def _one(
    cell: Cell, given: list[Any], values: Mapping[str, np.ndarray], seeds: Iterator[np.random.SeedSequence]
) -> Any:
    if cell.do == "input":
        return values[cell.settings["name"]]
    if cell.do == "constant":
        return cell.value
    if cell.do == "draw":
        rng = np.random.Generator(np.random.PCG64(next(seeds)))
        size, *parameters = given
        drawn = DRAWS[cell.settings["name"]](rng, tuple(int(n) for n in size), *parameters)
        return np.asarray(drawn, dtype=cell.settings["dtype"])
    if cell.do == "ufunc":
        function, dtype = ufunc(cell.settings["name"]), cell.settings["dtype"]
        if dtype.startswith("float"):  # a quotient of short integers would be short itself
            given = [np.asarray(x, dtype) for x in given]
        found = (
            _by_column(function, given)
            if dtype == "float64" and function.__name__ in _COSTLY
            else function(*given[: function.nin])
        )
        for more in given[function.nin :]:  # PyTensor's sums and products take any number
            found = function(found, more)
        return found
    return OPERATIONS[cell.do](cell.settings, *given)


_COSTLY = frozenset({"gammaincinv", "gammainccinv", "betaincinv", "betainccinv", "stdtrit"})
"""Inverse distribution functions, which cost a hundred times what others do."""


def _by_column(function: np.ufunc, given: Sequence[np.ndarray]) -> np.ndarray:
    """Compute a costly function draw by draw, each column of draws once: times and calls have many in common."""
    wide = np.broadcast_arrays(*given)
    columns = [np.ascontiguousarray(x.reshape(len(x), -1).T) if x.ndim else x.reshape(1, 1) for x in wide]
    found = [_column(function, *(one.tobytes() for one in column)) for column in zip(*columns, strict=True)]
    return np.stack(found, axis=-1).reshape(wide[0].shape) if found else function(*given)


@lru_cache(maxsize=256)
def _column(function: np.ufunc, *given: bytes) -> np.ndarray:
    """A costly function of one column of draws, from memory where it was asked before."""
    return np.asarray(function(*map(np.frombuffer, given)))


def ufunc(name: str) -> np.ufunc:
    """Return a universal function of NumPy or, with ``scipy.special.`` before it, of SciPy.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    if name.startswith("scipy.special."):
        from scipy import special

        found = getattr(special, name.removeprefix("scipy.special."), None)
    else:
        found = getattr(np, name, None)
    if not isinstance(found, np.ufunc):
        raise KeyError(name)
    return found


# --- what a cell can do ----------------------------------------------------------------------

Settings = Mapping[str, Any]


def _shuffle(settings: Settings, x: np.ndarray) -> np.ndarray:
    """Reorder axes; ``x`` stands for a new one, and axes left out have length one."""
    order = settings["order"]
    kept = [axis for axis in order if axis != "x"]
    dropped = [axis for axis in range(np.ndim(x)) if axis not in kept]
    moved = np.transpose(x, [*kept, *dropped]).reshape([np.shape(x)[axis] for axis in kept])
    return np.expand_dims(moved, tuple(i for i, axis in enumerate(order) if axis == "x"))


def _only(x: Any) -> int:
    """The whole number that an array holds, once or for every draw."""
    found = np.ravel(x)
    if np.any(found != found[0]):
        raise ValueError("lengths and places differ between draws")
    return int(found[0])


def _pick(settings: Settings, x: np.ndarray, *indices: np.ndarray) -> Any:
    """Index an array: an entry is a position among the indices, or a slice of three such positions."""
    return x[_entries(settings, indices)]


def _entries(settings: Settings, indices: Sequence[np.ndarray]) -> tuple[Any, ...]:
    """What stands between the brackets."""

    def at(position: int | None, whole: bool) -> Any:
        if position is None:
            return None
        return _only(indices[position]) if whole or np.ndim(indices[position]) == 0 else np.asarray(indices[position])

    batched = bool(settings.get("batch"))
    return tuple(slice(*(at(part, True) for part in e)) if isinstance(e, list) else at(e, batched)
                 for e in settings["entries"])  # fmt: skip


def _assign(settings: Settings, x: np.ndarray, value: np.ndarray, *indices: np.ndarray) -> np.ndarray:
    """Set or add to what :func:`_pick` would take; ``batch`` axes come first in both."""
    batch = settings["batch"]
    front = np.broadcast_shapes(np.shape(x)[:batch], np.shape(value)[:batch])
    found = np.array(np.broadcast_to(x, (*front, *np.shape(x)[batch:])))
    place = _entries(settings, indices)
    missing = found[place].ndim - np.ndim(value)
    wide = np.reshape(value, (*np.shape(value)[:batch], *[1] * missing, *np.shape(value)[batch:]))
    found[place] = wide if settings["set"] else found[place] + wide
    return found


def _alloc(settings: Settings, value: np.ndarray, *shape: np.ndarray) -> np.ndarray:
    """Stretch a value; ``batch`` axes come before those that are named."""
    batch, lengths = settings.get("batch", 0), [_only(n) for n in shape]
    front, core = np.shape(value)[:batch], np.shape(value)[batch:]
    wide = np.reshape(value, (*front, *[1] * (len(lengths) - len(core)), *core))
    return np.broadcast_to(wide, (*front, *lengths))


def _scatter(settings: Settings, base: np.ndarray, value: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Set or add values at places along the first axis of the core, the last ``rank`` axes."""
    rank = settings["rank"]
    batch = np.broadcast_shapes(np.shape(base)[:-rank], np.shape(value)[:-rank])
    found = np.array(np.broadcast_to(base, (*batch, *np.shape(base)[-rank:])))
    rows = np.moveaxis(found, -rank, 0)  # a view
    values = np.moveaxis(np.broadcast_to(value, (*batch, *np.shape(value)[-rank:])), -rank, 0)
    if settings["set"]:
        rows[np.ravel(index)] = values
    else:
        np.add.at(rows, np.ravel(index), values)
    return found


def _check(settings: Settings, value: Any, *conditions: np.ndarray) -> Any:
    if not all(np.all(condition) for condition in conditions):
        raise StudyError(
            "a distribution has a parameter outside its range", key="parameters", allowed=settings["message"],
            fix="check the numbers of the priors and the evidence",
        )  # fmt: skip
    return value


def _solve(settings: Settings, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if settings["of"] != "both":
        a = np.tril(a) if settings["of"] == "lower" else np.triu(a)
    if settings["vector"]:
        return np.asarray(np.linalg.solve(a, b[..., None])[..., 0])
    return np.asarray(np.linalg.solve(a, b))


def _softmax(settings: Settings, x: np.ndarray) -> np.ndarray:
    """``exp(x) / sum(exp(x))``, its logarithm, or the logarithm of the sum, as named."""
    axis = tuple(settings["axis"])
    top = np.max(x, axis=axis, keepdims=True)
    found = np.exp(x - top)
    total = np.sum(found, axis=axis, keepdims=True)
    if settings["name"] == "LogSumExp":
        return np.asarray(np.squeeze(np.log(total) + top, axis=axis))
    return np.asarray(found / total if settings["name"] == "Softmax" else x - top - np.log(total))


def _fold(settings: Settings, x: np.ndarray) -> np.ndarray:
    axes = None if settings["axis"] is None else tuple(settings["axis"])
    return np.asarray(_FOLDS[settings["name"]](x, axis=axes), dtype=settings["dtype"])


_FOLDS: Mapping[str, Callable[..., Any]] = {
    "Sum": np.sum, "Prod": np.prod, "All": np.all, "Any": np.any, "Max": np.max, "Min": np.min,
}  # fmt: skip

OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "alloc": _alloc,
    "arange": lambda s, *ends: np.arange(*map(_only, ends), dtype=s["dtype"]).reshape(*[1] * s["batch"], -1),
    "assign": _assign,
    "cast": lambda s, x: np.asarray(x).astype(s["dtype"]),
    "check": _check,
    "clip": lambda s, x, low, high: np.where(x < low, low, np.where(x > high, high, x)),
    "cholesky": lambda s, a: np.linalg.cholesky(a),
    "cumulate": lambda s, x: getattr(np, s["name"]).accumulate(x, axis=s["axis"]),
    "diagonal": lambda s, a: np.diagonal(a, s["offset"], s["axes"][0], s["axes"][1]),
    "eye": lambda s, *ends: np.eye(*map(_only, ends), dtype=s["dtype"]),
    "fill": lambda s, like, value: np.broadcast_to(value, np.broadcast_shapes(np.shape(like), np.shape(value))),
    "fold": _fold,
    "join": lambda s, *parts: np.concatenate(parts, axis=s["axis"]),
    "log1mexp": lambda s, x: np.where(x < -np.log(2), np.log1p(-np.exp(x)), np.log(-np.expm1(x))),
    "pick": _pick,
    "product": lambda s, a, b: np.asarray(np.einsum(s["rule"], a, b)),
    "reshape": lambda s, x, shape: np.reshape(x, (*np.shape(x)[: s["batch"]], *map(_only, np.moveaxis(shape, -1, 0)))),
    "same": lambda s, x, *_: x,
    "scatter": _scatter,
    "shape": lambda s, x: np.array(np.shape(x), dtype=np.int64),
    "shuffle": _shuffle,
    "softmax": _softmax,
    "softplus": lambda s, x: np.logaddexp(0, x),
    "solve": _solve,
    "stack": lambda s, *parts: np.array(parts, dtype=s["dtype"]),
    "where": lambda s, condition, yes, no: np.where(condition, yes, no),
}


def _vectors(rng: np.random.Generator, size: tuple[int, ...], mean: Any, cov: Any) -> np.ndarray:
    noise = rng.normal(size=(*size, np.shape(mean)[-1]))
    return np.asarray(mean + np.einsum("...ij,...j->...i", np.linalg.cholesky(cov), noise))


DRAWS: Mapping[str, Callable[..., Any]] = {
    "bernoulli": lambda rng, size, p: rng.binomial(1, p, size),
    "beta": lambda rng, size, a, b: rng.beta(a, b, size),
    "binomial": lambda rng, size, n, p: rng.binomial(n, p, size),
    "cluster_normal": draw_clusters,
    "exponential": lambda rng, size, scale: rng.exponential(scale, size),
    "gamma": lambda rng, size, shape, scale: rng.gamma(shape, scale, size),
    "halfcauchy": lambda rng, size, loc, scale: loc + scale * np.tan(np.pi / 2 * rng.uniform(size=size)),
    "halfnormal": lambda rng, size, loc, scale: loc + scale * np.abs(rng.standard_normal(size)),
    "invgamma": lambda rng, size, shape, scale: 1 / rng.gamma(shape, 1 / scale, size),
    "lognormal": lambda rng, size, mean, sigma: rng.lognormal(mean, sigma, size),
    "multivariate_normal": _vectors,
    "negative_binomial": lambda rng, size, n, p: rng.negative_binomial(n, p, size),
    "normal": lambda rng, size, loc, scale: rng.normal(loc, scale, size),
    "poisson": lambda rng, size, lam: rng.poisson(lam, size),
    "t": lambda rng, size, df, loc, scale: loc + scale * rng.standard_t(df, size),
    "uniform": lambda rng, size, low, high: rng.uniform(low, high, size),
}
"""How each distribution is drawn, by PyTensor's name and in its parameters."""
