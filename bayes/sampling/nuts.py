"""NumPyro's NUTS on the log density of a PyMC model, with the numbers as arguments.

``pm.sample(nuts_sampler="numpyro")`` bakes data into the compiled program, so that every changed prior
compiles again. Here the model's data (``pm.Data``: priors and evidence) stay arguments: one program per
structure, kept on disk by JAX's own cache. Chains are the same program with different keys, so that
the numbers do not depend on how many of them run at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.initial_point import make_initial_point_expression
from pymc.pytensorf import compile as pm_compile
from pymc.sampling.jax import get_jaxified_graph
from pytensor.graph.replace import clone_replace

from bayes.sampling.forward import NUMPY

__all__ = ["cache_folder", "run_nuts"]

STATS = ("diverging", "energy", "tree_depth", "n_steps", "acceptance_rate", "step_size", "lp")


def cache_folder() -> Path:
    """Return the folder of compiled programs: ``$BAYES_CACHE``, or ``bayes`` in the user's cache folder."""
    base = os.environ.get("BAYES_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bayes"


@contextmanager
def _compilation_cache() -> Iterator[None]:
    """Point JAX's on-disk cache at our folder for the duration of the block."""
    import jax

    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    folder = cache_folder() / "jax"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        jax.config.update(names[0], str(folder))
        jax.config.update(names[1], 0.0)
    except OSError:  # an unwritable cache only costs time
        pass
    try:
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)


def log_density(model: pm.Model) -> tuple[Callable[..., Any], list[np.ndarray], Callable[[Any], list[Any]], int]:
    """Return the model's log density as a JAX function of a flat vector and its data.

    Returns
    -------
    function, data, split, size
        ``function(flat, *data) -> scalar``; the current data arrays; ``split(flat)``, the unconstrained values in
        the order of ``model.value_vars``; and the length of ``flat``.
    """
    import jax.numpy as jnp

    shared = list(model.data_vars)
    arguments = [pt.tensor(f"{v.name}_data", dtype=v.dtype, shape=v.get_value(borrow=True).shape) for v in shared]
    logp = clone_replace([model.logp()], dict(zip(shared, arguments, strict=True)))
    function = get_jaxified_graph(inputs=[*model.value_vars, *arguments], outputs=logp)
    shapes = [point.shape for point in _support_points(model)]
    sizes = [int(np.prod(shape)) for shape in shapes]
    cuts = np.cumsum([0, *sizes])

    def split(flat: Any) -> list[Any]:
        return [jnp.reshape(flat[a:b], shape) for a, b, shape in zip(cuts[:-1], cuts[1:], shapes, strict=True)]

    def density(flat: Any, *data: Any) -> Any:
        return function(*split(flat), *data)[0]

    return density, [np.asarray(v.get_value()) for v in shared], split, int(cuts[-1])


def _support_points(model: pm.Model) -> list[np.ndarray]:
    """A point of moderate density of each free variable, on the unconstrained scale."""
    expressions = make_initial_point_expression(
        free_rvs=model.free_RVs, rvs_to_transforms=model.rvs_to_transforms,
        initval_strategies=dict(model.rvs_to_initial_values), return_transformed=True,
    )  # fmt: skip
    return [np.asarray(value, dtype=float) for value in pm_compile([], expressions, mode=NUMPY)()]


def _chain(
    density: Callable[..., Any],
    tune: int,
    draws: int,
    target: float,
    dense: bool,
    key: Any,
    start: Any,
    data: tuple[Any, ...],
) -> tuple[Any, Any]:
    """One chain, traceable by JAX: returns draws (draw, flat) and statistics by name (draw)."""
    import jax
    from numpyro.infer.hmc import hmc

    def potential(*numbers: Any) -> Callable[[Any], Any]:
        return lambda flat: -density(flat, *numbers)

    init, step = hmc(potential_fn_gen=potential, algo="NUTS")
    state = init(start, tune, target_accept_prob=target, dense_mass=dense, model_args=data, rng_key=key)
    state = jax.lax.fori_loop(0, tune, lambda _, s: step(s, data), state)

    def collect(state: Any, _: Any) -> tuple[Any, Any]:
        new = step(state, data)
        return new, (new.z, new.diverging, new.energy, new.num_steps, new.accept_prob, new.potential_energy,
                     new.adapt_state.step_size)  # fmt: skip

    _, (z, diverging, energy, steps, accept, potential_energy, size) = jax.lax.scan(collect, state, None, length=draws)
    return z, {"diverging": diverging, "energy": energy, "n_steps": steps, "acceptance_rate": accept,
               "lp": -potential_energy, "step_size": size}  # fmt: skip


def run_nuts(
    model: pm.Model,
    draws: int,
    tune: int,
    chains: int,
    target_accept: float,
    rng: np.random.Generator,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Sample every free variable of a model.

    Returns
    -------
    points, statistics
        Unconstrained draws (chain, draw, …) by value variable, and sampler statistics (chain, draw) by name.
    """
    import jax

    density, data, split, size = log_density(model)
    flat = np.concatenate([point.ravel() for point in _support_points(model)])
    starts = flat + rng.uniform(-0.5, 0.5, size=(chains, size))
    keys = jax.random.split(jax.random.key(int(rng.integers(2**31))), chains)
    program = jax.jit(partial(_chain, density, tune, draws, target_accept, True))
    with _compilation_cache():
        compiled = program.lower(keys[0], starts[0], tuple(data)).compile()
        with ThreadPoolExecutor(max_workers=min(chains, os.cpu_count() or 1)) as pool:
            done = list(
                pool.map(lambda i: jax.block_until_ready(compiled(keys[i], starts[i], tuple(data))), range(chains))
            )
    z = np.stack([np.asarray(found[0]) for found in done])
    stats = {name: np.stack([np.asarray(found[1][name]) for found in done]) for name in done[0][1]}
    points = jax.vmap(jax.vmap(split))(z)
    return {v.name: np.asarray(p) for v, p in zip(model.value_vars, points, strict=True)}, stats
