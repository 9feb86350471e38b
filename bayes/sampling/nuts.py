"""NumPyro's NUTS, one program for each independent block of a model, with the numbers as arguments.

Chains are the same program with different keys, so that the numbers do not depend on how many of them run at a time.
A program that is on disk runs without PyMC, PyTensor or NumPyro.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes.errors import NoStart
from bayes.sampling.programs import double_precision

__all__ = ["NO_START", "SPREAD", "Block", "Chains", "Length", "chain", "example", "run_nuts"]

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
Load = Callable[[int, Sequence[Any]], Callable[..., Any]]
"""From the number of a block and example arguments to its compiled program."""


def run_nuts(
    blocks: Sequence[Block], load: Load, starts: Values, data: Values, length: Length, rng: np.random.Generator,
    total: Callable[[Values], float],
) -> Chains:  # fmt: skip
    """Sample every block, each chain of each block on its own.

    Parameters
    ----------
    load
        Compiles the program of a block, or reads it.
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
    with double_precision(), ThreadPoolExecutor(length.at_once or os.cpu_count() or 1) as pool:
        begun = [_begin(block, starts, data, length, rng) for block in blocks]
        _settle(blocks, [first for _, first, _ in begun], starts, total, rng)
        programs = [
            pool.submit(load, i, (words[0], first[0], numbers)) for i, (words, first, numbers) in enumerate(begun)
        ]
        waiting = [
            [pool.submit(_chain, program.result(), words[i], first[i], numbers) for i in range(length.chains)]
            for program, (words, first, numbers) in zip(programs, begun, strict=True)
        ]
        done = [[future.result() for future in futures] for futures in waiting]
    points: dict[str, np.ndarray] = {}
    for block, found in zip(blocks, done, strict=True):
        points |= _named(block, np.stack([z for z, _ in found]))
    return Chains(points, _together([{k: np.stack([s[k] for _, s in found]) for k in found[0][1]} for found in done]))


def _begin(
    block: Block, starts: Values, data: Values, length: Length, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
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


def example(block: Block, data: Values) -> tuple[Any, ...]:
    """Return arguments of the shapes and types that the program of a block takes."""
    return np.zeros(2, dtype=np.uint32), np.zeros(block.size), tuple(np.asarray(data[name]) for name in block.data)


def _chain(program: Callable[..., Any], words: Any, start: Any, data: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    z, statistics = program(words, start, data)
    return np.asarray(z), {name: np.asarray(value) for name, value in statistics.items()}


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


def chain(
    density: Callable[..., Any], length: Length, kept: Callable[[Any, Any], Any] = _state
) -> Callable[..., Any]:  # fmt: skip
    """Return one chain as a JAX function ``(key words, start, data) -> draws (draw, flat), statistics (draw)``.

    ``kept`` takes from a state of the sampler, and the data, what is returned of each draw.
    """
    import jax
    from numpyro.infer.hmc import hmc

    def potential(*numbers: Any) -> Callable[[Any], Any]:
        return lambda flat: -density(flat, *numbers)

    def run(words: Any, start: Any, data: tuple[Any, ...]) -> Any:
        init, step = hmc(potential_fn_gen=potential, algo="NUTS")
        key = jax.random.wrap_key_data(words)
        state = init(
            start, length.tune, target_accept_prob=length.target, dense_mass=True, model_args=data, rng_key=key
        )

        def advance(state: Any, _: Any) -> tuple[Any, Any]:
            new = step(state, data)
            return new, kept(new, data)

        # one loop for warm-up and draws: the machine code of a step is large, and two loops hold it twice
        every = jax.lax.scan(advance, state, None, length=length.tune + length.draws)[1]
        return jax.tree.map(lambda values: values[length.tune :], every)

    return run
