"""NumPyro's NUTS, one program for each independent block of a model, with the numbers as arguments.

Chains are the same program with different keys, so that the numbers do not depend on how many of them run at a time.
A program that is on disk runs without PyMC, PyTensor or NumPyro.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from bayes.errors import NoStart
from bayes.sampling.programs import Program, double_precision
from bayes.workers import Advance, Threads, silent

__all__ = ["DRAWS", "NO_START", "SPREAD", "Block", "Chains", "Length", "begun", "chain", "drawn", "example", "run_nuts"]

STATISTICS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "diverging": lambda v: v.any(axis=0), "energy": lambda v: v.sum(axis=0), "n_steps": lambda v: v.sum(axis=0),
    "acceptance_rate": lambda v: v.mean(axis=0), "lp": lambda v: v.sum(axis=0), "step_size": lambda v: v.min(axis=0),
    "tree_depth": lambda v: v.max(axis=0),
}  # fmt: skip
"""How the statistics of blocks (block, chain, draw) become those of the whole."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long chains are: warm-up draws, kept draws, number of chains and target acceptance.

    ``at_once`` is how many run at the same time; without a number as many as there are processors.
    """

    tune: int
    draws: int
    chains: int
    target: float
    at_once: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Variables that are sampled together.

    Parameters
    ----------
    variables, shapes
        Names and shapes of their unconstrained values.
    data
        Names of the data that are arguments of the program.
    fixed
        Names of data whose values are compiled in, because JAX cannot take them as arguments: then the program is not
        kept. None where it is.
    wide
        Whether whole numbers and constants of single precision are made double before JAX computes with them: only
        where the density is not PyMC's without.
    """

    variables: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    data: tuple[str, ...]
    fixed: tuple[str, ...] | None = None
    wide: bool = False

    @property
    def size(self) -> int:
        """Number of dimensions."""
        return sum(int(np.prod(shape)) for shape in self.shapes)


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """Unconstrained draws (chain, draw, …) by name, and sampler statistics (chain, draw)."""

    points: Mapping[str, np.ndarray]
    statistics: Mapping[str, np.ndarray]


SPREAD, TRIES = 0.5, 10
"""Chains start within this of a point of moderate density; where that is not finite, so often within twice this."""

NO_START = ("no starting point of finite density was found near the initial values",
            "give the variables an initval inside their support, or check the data and the Potentials")  # fmt: skip

Values = Mapping[str, np.ndarray]
Load = Callable[[int], "Program"]
"""From the number of a block to its compiled program."""
Begun = tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]


def begun(
    blocks: Sequence[Block], starts: Values, data: Values, length: Length, rng: np.random.Generator,
    total: Callable[[Values], float],
) -> list[Begun]:  # fmt: skip
    """Return what the chains of each block begin from: keys (chain, 2), points (chain, flat) and data in order.

    Parameters
    ----------
    starts
        A point of moderate density by name; chains start within 1/2 of it.
    data
        The model's data by name.
    total
        The log density at a point, values by name.

    Raises
    ------
    NoStart
        If no starting point of finite density is found.
    """
    found = [_begin(block, starts, data, length, rng) for block in blocks]
    _settle(blocks, [first for _, first, _ in found], starts, total, rng)
    return found


def run_nuts(
    blocks: Sequence[Block], load: Load, begun: Sequence[Begun], length: Length, advance: Advance = silent
) -> Chains:
    """Sample every block, each chain of each block on its own.

    Parameters
    ----------
    load
        Compiles the program of a block, or reads it.
    begun
        What :func:`begun` gives.
    advance
        Called as programs are compiled, and then as draws are made, warm-up and all chains together; where there are
        several blocks, a draw is made when each has its part.
    """
    with double_precision(), Threads(length.at_once or os.cpu_count() or 1) as pool:
        programs = [pool.submit(load, i) for i in range(len(blocks))]
        count = _Count(len(blocks), length.chains * (length.tune + length.draws), advance, pool)
        waiting = list[list[Future[Any]]]()
        for i, (words, first, numbers) in enumerate(begun):
            program = programs[i].result()
            count.compiled()
            waiting.append([pool.submit(drawn, program, words[k], first[k], numbers, length, count.drawn)
                            for k in range(length.chains)])  # fmt: skip
        done = [[future.result() for future in futures] for futures in waiting]
    points: dict[str, np.ndarray] = {}
    for block, found in zip(blocks, done, strict=True):
        points |= _named(block, np.stack([z for z, _ in found]))
    return Chains(points, _together([{k: np.stack([s[k] for _, s in found]) for k in found[0][1]} for found in done]))


def _begin(block: Block, starts: Values, data: Values, length: Length, rng: np.random.Generator) -> Begun:
    """Keys (chain, 2) and starting points (chain, flat) of a block, and its data in order."""
    flat = np.concatenate([np.asarray(starts[name], dtype=float).ravel() for name in block.variables])
    first = flat + rng.uniform(-SPREAD, SPREAD, size=(length.chains, flat.size))
    words = rng.integers(2**32, size=(length.chains, 2), dtype=np.uint32)
    return words, first, tuple(np.asarray(data[name]) for name in block.data)


def _settle(
    blocks: Sequence[Block], firsts: Sequence[np.ndarray], starts: Values, total: Callable[[Values], float],
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Move, in place, starting points at which the density is not finite, as PyMC does; raise after several tries."""
    for chain_number in range(len(firsts[0]) if firsts else 0):
        for tried in range(TRIES + 1):
            point = {name: value[0, 0] for block, first in zip(blocks, firsts, strict=True)
                     for name, value in _named(block, first[None, chain_number][None]).items()}  # fmt: skip
            if np.isfinite(total(point)):
                break
            if tried == TRIES:
                raise NoStart(NO_START[0], key="initval", found=list(starts), fix=NO_START[1])
            for block, first in zip(blocks, firsts, strict=True):
                flat = np.concatenate([np.asarray(starts[name], dtype=float).ravel() for name in block.variables])
                first[chain_number] = flat + rng.uniform(-2 * SPREAD, 2 * SPREAD, size=flat.size)


def example(block: Block, data: Values) -> tuple[Any, Any, Any]:
    """Return key words, start and data of the shapes and types that the program of a block takes."""
    return np.zeros(2, dtype=np.uint32), np.zeros(block.size), tuple(np.asarray(data[name]) for name in block.data)


@dataclass(slots=True)
class _Count:
    """How many programs are compiled, and when all are, how many draws the chains of all blocks have made."""

    blocks: int
    draws: int
    advance: Advance
    pool: Threads
    ready: int = 0
    made: int = 0
    lock: Any = field(default_factory=Lock)

    def compiled(self) -> None:
        """One program more is compiled."""
        with self.lock:
            self.ready += 1
            self.advance(self.ready, self.blocks, "programs compiled")

    def drawn(self, number: int) -> None:
        """A chain of a block has made so many more draws; it ends here if they are not wanted any more."""
        self.pool.go_on()
        with self.lock:
            self.made += number
            if self.ready == self.blocks:
                self.advance(self.made // self.blocks, self.draws, DRAWS)


def _named(block: Block, z: np.ndarray) -> dict[str, np.ndarray]:
    """Cut draws (chain, draw, flat) into variables."""
    ends = np.cumsum([int(np.prod(shape)) for shape in block.shapes])[:-1]
    parts = np.split(z, ends, axis=-1)
    named = zip(block.variables, parts, block.shapes, strict=True)
    return {name: part.reshape(*part.shape[:2], *shape) for name, part, shape in named}


def _together(found: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Statistics of all blocks as one, and the energy of each block where there are several."""
    each = {name: np.stack([one[name] for one in found]) for name in found[0]}
    each["tree_depth"] = np.ceil(np.log2(each["n_steps"] + 1)).astype(int)
    whole = {name: STATISTICS[name](values) for name, values in each.items()}
    return whole | ({"block_energy": np.moveaxis(each["energy"], 0, -1)} if len(found) > 1 else {})


def _state(new: Any, data: Any) -> tuple[Any, dict[str, Any]]:
    """Return a draw and the sampler's statistics of it."""
    statistics = {"diverging": new.diverging, "energy": new.energy, "n_steps": new.num_steps,
                  "acceptance_rate": new.accept_prob, "lp": -new.potential_energy,
                  "step_size": new.adapt_state.step_size}  # fmt: skip
    return new.z, statistics


DRAWS = "draws"
"""What is counted while chains run: those of the warm-up too."""
PORTION = 250
"""How many draws a program makes in one call at the most: between two calls one can say how far a chain is."""
SOON = 0.3
"""A call that takes so many seconds, or more, is followed by none that makes more draws."""


def chain(
    density: Callable[..., Any], length: Length, first: tuple[Any, Any, Any],
    kept: Callable[[Any, Any], Any] = _state,
) -> tuple[Callable[..., Any], tuple[Any, ...]]:  # fmt: skip
    """Return a part of one chain as a JAX function, and arguments of its shapes.

    The function is ``(key words, start, data, target, begun, number, carried) -> rows, carried``. It makes ``number``
    steps of the chain, from the state that ``carried`` holds if it has ``begun`` and from the start otherwise, and
    returns of each step, in the first ``number`` of :data:`PORTION` rows, what ``kept`` takes from the sampler's state.

    Parameters
    ----------
    density
        The log density of the values (flat,) and the data.
    length
        Its warm-up; the target acceptance and how many draws are kept are for :func:`drawn` to say.
    first
        Key words, start and data of the shapes that will be used.
    """
    import jax
    import jax.numpy as jnp
    from numpyro.infer.hmc import hmc

    def is_key(leaf: Any) -> bool:
        return bool(jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key))

    def sampler(density: Callable[..., Any], words: Any, start: Any, data: Any, target: Any) -> tuple[Any, Any]:
        init, step = hmc(potential_fn_gen=lambda *numbers: lambda flat: -density(flat, *numbers), algo="NUTS")
        key = jax.random.wrap_key_data(words)
        return init(start, length.tune, target_accept_prob=target, dense_mass=True, model_args=data,
                    rng_key=key), step  # fmt: skip

    def shapes(words: Any, start: Any, data: Any, target: Any) -> tuple[Any, Any]:
        state, step = sampler(lambda flat, *numbers: flat.sum(), words, start, data, target)  # quicker to trace
        return plain(state), kept(step(state, data), data)

    def plain(state: Any) -> tuple[Any, ...]:
        leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(state)]
        return tuple(jax.random.key_data(leaf) if is_key(leaf) else leaf for leaf in leaves)

    def run(words: Any, start: Any, data: Any, target: Any, begun: Any, number: Any, carried: Any) -> Any:
        fresh, step = sampler(density, words, start, data, target)
        now = [jnp.where(begun, old, new) for old, new in zip(carried, plain(fresh), strict=True)]
        leaves, form = jax.tree.flatten(fresh)
        state = form.unflatten(jax.random.wrap_key_data(value) if is_key(jnp.asarray(leaf)) else value
                               for leaf, value in zip(leaves, now, strict=True))  # fmt: skip
        rows = jax.tree.map(lambda one: jnp.zeros((PORTION, *one.shape), one.dtype), row)

        def advance(i: Any, held: tuple[Any, Any]) -> tuple[Any, Any]:
            new = step(held[0], data)
            return new, jax.tree.map(lambda values, value: values.at[i].set(value), held[1], kept(new, data))

        # one loop for warm-up and draws: the machine code of a step is large, and two loops hold it twice
        state, rows = jax.lax.fori_loop(0, number, advance, (state, rows))
        return rows, plain(state)

    fixed = *first, np.float64(length.target)
    carried, row = jax.eval_shape(shapes, *fixed)
    return run, (*fixed, np.bool_(False), np.int64(0), tuple(np.zeros(one.shape, one.dtype) for one in carried))


def drawn(program: Program, words: Any, start: Any, data: Any, length: Length,
          made: Callable[[int], object] = lambda number: None) -> Any:  # fmt: skip
    """Return what a chain keeps, its first axis the draws, and call ``made`` with how many steps more it has made.

    The numbers do not depend on how many steps are made in one call.
    """
    import jax

    carried, rows, left, number = program.arguments[-1], list[Any](), length.tune + length.draws, PORTION // 10
    while left:
        clock, number = time.perf_counter(), min(number, left)
        found, carried = program(words, start, data, np.float64(length.target), np.bool_(bool(rows)),
                                 np.int64(number), carried)  # fmt: skip
        rows.append(jax.tree.map(lambda values, number=number: np.asarray(values)[:number].copy(), found))
        left -= number
        made(number)
        number = min(PORTION, 2 * number) if time.perf_counter() - clock < SOON else number
    return jax.tree.map(lambda *parts: np.concatenate(parts)[length.tune :], *rows)
