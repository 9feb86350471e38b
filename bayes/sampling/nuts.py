"""NumPyro's NUTS on the log density of a PyMC model, with the numbers as arguments.

``pm.sample(nuts_sampler="numpyro")`` bakes data into the compiled program, so that every changed prior compiles again.
Here the model's data (``pm.Data``: priors and evidence) stay arguments: one program per structure, kept on disk. Chains
are the same program with different keys, so that the numbers do not depend on how many of them run at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.initial_point import make_initial_point_expression
from pymc.pytensorf import compile as pm_compile
from pytensor.graph.replace import clone_replace

from bayes.provenance import digest
from bayes.sampling.forward import NUMPY
from bayes.sampling.identity import model_hash
from bayes.sampling.programs import compilation_cache, load_program

__all__ = ["Length", "log_density", "run_nuts"]


@dataclass(frozen=True, slots=True)
class Length:
    """How long chains are: warm-up draws, kept draws, number of chains and target acceptance."""

    tune: int
    draws: int
    chains: int
    target: float


def run_nuts(
    model: pm.Model, length: Length, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Sample every free variable of a model.

    Returns
    -------
    points, statistics
        Unconstrained draws (chain, draw, …) by value variable, and sampler statistics (chain, draw) by name.
    """
    import jax

    starts = _support_points(model)
    shapes = [point.shape for point in starts]
    flat = np.concatenate([point.ravel() for point in starts])
    first = flat + rng.uniform(-0.5, 0.5, size=(length.chains, flat.size))
    keys = rng.integers(2**32, size=(length.chains, 2), dtype=np.uint32)
    data = tuple(np.asarray(v.get_value()) for v in _data(model))
    source = digest(Path(__file__).read_bytes())
    key = model_hash(model, (length.tune, length.draws, length.target, shapes, source))
    with compilation_cache():
        program = load_program(key, lambda: _chain(log_density(model, shapes), length), (keys[0], first[0], data))
        with ThreadPoolExecutor(max_workers=min(length.chains, os.cpu_count() or 1)) as pool:
            done = list(pool.map(lambda i: jax.device_get(program(keys[i], first[i], data)), range(length.chains)))
    z = np.stack([found[0] for found in done])
    stats = {name: np.stack([found[1][name] for found in done]) for name in done[0][1]}
    parts = np.split(z, np.cumsum([int(np.prod(s)) for s in shapes])[:-1], axis=-1)
    named = zip(model.value_vars, parts, shapes, strict=True)
    return {v.name: part.reshape(*part.shape[:2], *shape) for v, part, shape in named}, stats


def log_density(model: pm.Model, shapes: list[tuple[int, ...]]) -> Callable[..., Any]:
    """Return the model's log density as a JAX function ``(flat, *data) -> scalar``.

    ``flat`` stacks the unconstrained values in the order of ``model.value_vars``; ``data`` are the values of
    ``model.data_vars`` by name.
    """
    import jax.numpy as jnp
    from pymc.sampling.jax import get_jaxified_graph

    shared = _data(model)
    arguments = [pt.tensor(f"{v.name}_data", dtype=v.dtype, shape=v.get_value(borrow=True).shape) for v in shared]
    logp = clone_replace([model.logp()], dict(zip(shared, arguments, strict=True)))
    function = get_jaxified_graph(inputs=[*model.value_vars, *arguments], outputs=logp)
    cuts = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])

    def density(flat: Any, *data: Any) -> Any:
        parts = [jnp.reshape(flat[a:b], s) for a, b, s in zip(cuts[:-1], cuts[1:], shapes, strict=True)]
        return function(*parts, *data)[0]

    return density


def _data(model: pm.Model) -> list[Any]:
    """The model's data in an order that does not depend on how the model was built: a stored program takes them by
    position."""
    return sorted(model.data_vars, key=lambda v: str(v.name))


def _support_points(model: pm.Model) -> list[np.ndarray]:
    """A point of moderate density of each free variable, on the unconstrained scale."""
    expressions = make_initial_point_expression(
        free_rvs=model.free_RVs,
        rvs_to_transforms=model.rvs_to_transforms,
        initval_strategies=dict(model.rvs_to_initial_values),
        return_transformed=True,
    )
    return [np.asarray(value, dtype=float) for value in pm_compile([], expressions, mode=NUMPY)()]


def _chain(density: Callable[..., Any], length: Length) -> Callable[..., Any]:
    """One chain as a function ``(key words, start, data) -> draws (draw, flat), statistics (draw)``."""
    import jax
    from numpyro.infer.hmc import hmc

    def potential(*numbers: Any) -> Callable[[Any], Any]:
        return lambda flat: -density(flat, *numbers)

    def run(words: Any, start: Any, data: tuple[Any, ...]) -> tuple[Any, dict[str, Any]]:
        init, step = hmc(potential_fn_gen=potential, algo="NUTS")
        key = jax.random.wrap_key_data(words)
        state = init(
            start, length.tune, target_accept_prob=length.target, dense_mass=True, model_args=data, rng_key=key
        )
        state = jax.lax.fori_loop(0, length.tune, lambda _, s: step(s, data), state)

        def collect(state: Any, _: Any) -> tuple[Any, Any]:
            new = step(state, data)
            stats = {
                "diverging": new.diverging,
                "energy": new.energy,
                "n_steps": new.num_steps,
                "acceptance_rate": new.accept_prob,
                "lp": -new.potential_energy,
                "step_size": new.adapt_state.step_size,
            }
            return new, (new.z, stats)

        kept: tuple[Any, dict[str, Any]] = jax.lax.scan(collect, state, None, length=length.draws)[1]
        return kept

    return run
