"""Refit a changed model, sampling only what the change can reach.

Parameters that share no observed variable are independent in the posterior. So the model falls into connected
components, and a changed prior or row of evidence moves only its own: that one is sampled again, and everything the
change cannot reach keeps its draws.

Numbers are arguments of the compiled density, and so is a weight for each observation, so that models that differ in
priors, data or rows left out share one program. Chains start from the last draws of the fit, in coordinates in which
its posterior is standard normal, and adapt from there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes.errors import UsageError
from bayes.provenance import digest

if TYPE_CHECKING:
    import pymc as pm
    from xarray import Dataset, DataTree

__all__ = ["TUNE", "components", "elementwise", "refit"]

type Floats = NDArray[np.float64]
type Programs = MutableMapping[Any, Any]

TUNE, TARGET = 400, 0.97
"""Warm-up draws per chain (the fit is known, so that fewer do), and the acceptance they aim at."""


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

    found: list[set[str]] = []
    for observed in model.observed_RVs:
        behind = set(ancestors([observed]))
        group = {observed.name, *(v.name for v in model.free_RVs if v in behind)}
        joined = [other for other in found if other & group]
        found = [other for other in found if not other & group] + [set.union(group, *joined)]
    return [frozenset(group) for group in found]


def elementwise(model: pm.Model) -> dict[str, str]:
    """Return the labels of observations that can be weighted one by one, with the variable each is an element of."""
    found: dict[str, str] = {}
    for variable in model.observed_RVs:
        dims = model.named_vars_to_dims.get(variable.name, ())
        if len(dims) == 1 and variable.owner.op.ndim_supp == 0:
            found |= {str(label): str(variable.name) for label in model.coords[dims[0]] or ()}
    return found


def refit(
    model: pm.Model,
    fit: DataTree,
    changed: Collection[str],
    *,
    without: Collection[str] = (),
    wanted: Collection[str] | None = None,
    rng: int = 1,
    programs: Programs | None = None,
) -> Dataset:
    """Sample the components that hold a changed variable and return a posterior of the shape of the fit's.

    Parameters
    ----------
    model
        The changed model.
    fit
        The fit of the model before the change; its draws serve where nothing changed, and as starting points.
    changed
        Names of variables whose prior or data changed. Those that no evidence bears on need no sampling.
    without
        Labels of observations to leave out (:func:`elementwise`).
    wanted
        Variables to return; all by default.
    rng
        Seed of the chains; forward draws use it too.
    programs
        What was compiled, kept from one refit to the next.

    Returns
    -------
    Dataset
        Free variables and deterministics, dims ``chain, draw, …``. Attributes: ``rhat``, the largest over what was
        sampled again (split R-hat of ranks; NaN if nothing was), and ``divergences``.

    Raises
    ------
    UsageError
        If an observation cannot be left out.
    """
    from bayes.sampling.forward import light_graphs

    where = elementwise(model)
    for label in without:
        if label not in where:
            raise UsageError("this observation cannot be left out by a weight", key=label, allowed=where)
    changed = {*changed, *(where[label] for label in without)}
    touched = [group for group in components(model) if group & changed]
    sampled: dict[str, Floats] = {}
    quality = {"rhat": float("nan"), "divergences": 0}
    with light_graphs():
        if touched:
            kept = {} if programs is None else programs
            part = _ready(model, frozenset.union(*touched), fit, kept)
            posterior = fit["posterior"]
            sampled, quality = _sampled(part, without, (posterior.sizes["chain"], posterior.sizes["draw"]), rng)
        return _completed(model, fit, sampled, changed, wanted, rng).assign_attrs(quality)


def _only(model: pm.Model, names: frozenset[str]) -> pm.Model:
    """Return the part of a model that some observed variables depend on."""
    from pymc.model.fgraph import ModelObservedRV, ModelVar, fgraph_from_model, model_from_fgraph
    from pytensor.graph.traversal import ancestors

    graph, _ = fgraph_from_model(model, inlined_views=True)
    ends = [
        out
        for node in graph.apply_nodes
        if isinstance(node.op, ModelObservedRV)
        for out in node.outputs
        if out.name in names
    ]
    behind = {variable.owner for variable in ancestors(ends)}
    for node in [n for n in graph.apply_nodes if isinstance(n.op, ModelVar) and n not in behind]:
        graph.remove_node(node)
    return model_from_fgraph(graph, mutate_fgraph=True)


# --- chains from where the fit ended -----------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Components of a model made ready for chains.

    ``points`` (chain, value) are where they start and ``mean`` (value,) and ``root`` (value, value) standardise the
    values; ``shapes`` are those of the ``value_vars``.
    """

    model: pm.Model
    program: Callable[..., Any]
    points: Floats
    mean: Floats
    root: Floats
    shapes: tuple[tuple[int, ...], ...]


def _ready(model: pm.Model, names: frozenset[str], fit: DataTree, programs: Programs) -> _Part:
    """Cut the components out of the model, and compile them or find them compiled."""
    from bayes.sampling.identity import model_hash
    from bayes.sampling.programs import compilation_cache, load_program

    if (model, names) in programs:
        found: _Part = programs[model, names]
        return found
    part, draws = _only(model, names), fit["posterior"].sizes["draw"]
    points, mean, root, shapes = _start(part, fit)
    key = model_hash(part, (draws, TUNE, TARGET, shapes, digest(Path(__file__).read_bytes())))
    if key is None or key not in programs:
        with compilation_cache():
            first = (np.zeros(2, dtype=np.uint32), points[0], (mean, root, *_numbers(part, ())))
            programs[key] = load_program(key, lambda: _chain(_density(part, shapes), draws), first)
    programs[model, names] = _Part(part, programs[key], points, mean, root, shapes)
    return _ready(model, names, fit, programs)


def _sampled(
    part: _Part, without: Collection[str], size: tuple[int, int], rng: int
) -> tuple[dict[str, Floats], dict[str, Any]]:
    """Draws (chain, draw, …) of the free variables of some components, and how well they were sampled."""
    import jax

    from bayes.sampling.forward import unconstrained_to_values
    from bayes.sampling.programs import compilation_cache

    chains, draws = size
    numbers = (part.mean, part.root, *_numbers(part.model, without))
    keys = np.random.default_rng(rng).integers(2**32, size=(chains, 2), dtype=np.uint32)
    with compilation_cache(), ThreadPoolExecutor(min(chains, os.cpu_count() or 1)) as pool:
        jobs = pool.map(lambda i: jax.device_get(part.program(keys[i], part.points[i], numbers)), range(chains))
        z, diverging = (np.stack(found) for found in zip(*jobs, strict=True))
    pieces = np.split(z.reshape(chains * draws, -1), _cuts(part.shapes)[1:-1], axis=1)
    named = zip(part.model.value_vars, pieces, part.shapes, strict=True)
    values = unconstrained_to_values(part.model, {v.name: x.reshape(-1, *s) for v, x, s in named})
    shaped = {name: np.asarray(value).reshape(chains, draws, *value.shape[1:]) for name, value in values.items()}
    return shaped, {"rhat": _largest_rhat(z), "divergences": int(diverging.sum())}


def _numbers(part: pm.Model, without: Collection[str]) -> list[Any]:
    """The data in an order that does not depend on how the model was built, then the weights."""
    data = sorted(part.data_vars, key=lambda v: str(v.name))
    return [*(np.asarray(v.get_value()) for v in data), *_weights(part, without)]


def _start(part: pm.Model, fit: DataTree) -> tuple[Floats, Floats, Floats, tuple[tuple[int, ...], ...]]:
    """Where the fit ended, its mean and the root of its covariance on the sampler's scale, and the shapes of values.

    A variable the fit lacks starts anywhere within 2 of 0, as in Stan.
    """
    size = fit["posterior"].sizes["chain"], fit["posterior"].sizes["draw"]
    known = _unconstrained(part, fit)
    values = [_at(known, value.name, part.values_to_rvs[value], size) for value in part.value_vars]
    z = np.concatenate([value.reshape(*size, -1) for value in values], axis=2)
    flat = z.reshape(-1, z.shape[2])
    mean = flat.mean(axis=0)
    root = np.linalg.cholesky(np.atleast_2d(np.cov(flat.T)) + 1e-9 * np.eye(flat.shape[1]))
    shapes = tuple(value.shape[2:] for value in values)
    return np.linalg.solve(root, (z[:, -1] - mean).T).T, mean, root, shapes


def _at(known: Mapping[str, Floats], name: str, variable: Any, size: tuple[int, int]) -> Floats:
    from bayes.sampling.forward import NUMPY

    if name in known:
        return known[name].reshape(*size, *known[name].shape[1:])
    shape = tuple(int(n) for n in np.atleast_1d(variable.shape.eval(mode=NUMPY)))
    return np.random.default_rng(0).uniform(-2, 2, size=(*size, *shape))


def _unconstrained(part: pm.Model, fit: DataTree) -> dict[str, Floats]:
    """The fit's draws (draw, …) on the sampler's scale, by name of the value variable."""
    import pytensor.tensor as pt
    from pymc.pytensorf import compile as pm_compile
    from pytensor.graph.replace import vectorize_graph

    from bayes.sampling.forward import NUMPY

    posterior: Any = fit["posterior"]
    inputs, outputs, arrays = {}, {}, []
    for value in part.value_vars:
        variable = part.values_to_rvs[value]
        if variable.name in posterior.data_vars:
            array = np.asarray(posterior[variable.name].transpose("chain", "draw", ...).values, dtype=float)
            transform = part.rvs_to_transforms[variable]
            inputs[variable] = pt.tensor(dtype=variable.dtype, shape=(None, *variable.type.shape))
            outputs[value.name] = variable if transform is None else transform.forward(variable, *variable.owner.inputs)
            arrays.append(array.reshape(-1, *array.shape[2:]))
    if not outputs:
        return {}
    graph = vectorize_graph(list(outputs.values()), replace=inputs)
    function = pm_compile(list(inputs.values()), graph, mode=NUMPY, on_unused_input="ignore")
    return dict(zip(outputs, map(np.asarray, function(*arrays)), strict=True))


def _weights(part: pm.Model, without: Collection[str]) -> list[Floats]:
    """A weight for each element of each observed variable: 0 where its label is left out, 1 elsewhere."""
    where = elementwise(part)
    found = []
    for variable in part.observed_RVs:
        if variable.name in where.values():
            labels = part.coords[part.named_vars_to_dims[variable.name][0]] or ()
            found.append(np.array([float(str(label) not in without) for label in labels]))
        else:
            found.append(np.ones(()))
    return found


def _density(part: pm.Model, shapes: tuple[tuple[int, ...], ...]) -> Callable[..., Any]:
    """The log density as a JAX function of standardised values, their mean and root, the data and the weights."""
    import jax.numpy as jnp
    import pytensor.tensor as pt
    from pymc.sampling.jax import get_jaxified_graph
    from pytensor.graph.replace import clone_replace

    data = sorted(part.data_vars, key=lambda v: str(v.name))
    arguments = [pt.tensor(dtype=v.dtype, shape=v.get_value(borrow=True).shape) for v in data]
    weights = [pt.tensor(dtype="float64", shape=w.shape) for w in _weights(part, ())]
    rows = part.logp(vars=part.observed_RVs, sum=False)
    total = part.logp(vars=[*part.free_RVs, *part.potentials])
    for row, weight in zip(rows, weights, strict=True):
        total = total + (pt.switch(weight > 0, weight * row, 0.0).sum() if weight.ndim else row.sum())
    graph = clone_replace([total], dict(zip(data, arguments, strict=True)))
    function = get_jaxified_graph(inputs=[*part.value_vars, *arguments, *weights], outputs=graph)
    cuts = _cuts(shapes)

    def density(u: Any, mean: Any, root: Any, *numbers: Any) -> Any:
        z = mean + root @ u
        pieces = [jnp.reshape(z[a:b], s) for a, b, s in zip(cuts[:-1], cuts[1:], shapes, strict=True)]
        return function(*pieces, *numbers)[0]

    return density


def _cuts(shapes: tuple[tuple[int, ...], ...]) -> list[int]:
    return [int(cut) for cut in np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])]


def _chain(density: Callable[..., Any], draws: int) -> Callable[..., Any]:
    """One chain as a function ``(key words, start, numbers) -> draws (draw, value), whether each diverged``."""
    import jax
    from numpyro.infer.hmc import hmc

    def potential(*numbers: Any) -> Callable[[Any], Any]:
        return lambda u: -density(u, *numbers)

    def run(words: Any, start: Any, numbers: tuple[Any, ...]) -> tuple[Any, Any]:
        init, step = hmc(potential_fn_gen=potential, algo="NUTS")
        key = jax.random.wrap_key_data(words)
        state = init(start, TUNE, target_accept_prob=TARGET, dense_mass=True, model_args=numbers, rng_key=key)
        state = jax.lax.fori_loop(0, TUNE, lambda _, s: step(s, numbers), state)

        def collect(state: Any, _: Any) -> tuple[Any, Any]:
            new = step(state, numbers)
            return new, (numbers[0] + numbers[1] @ new.z, new.diverging)

        kept: tuple[Any, Any] = jax.lax.scan(collect, state, None, length=draws)[1]
        return kept

    return run


def _largest_rhat(z: Floats) -> float:
    from arviz_stats.base import array_stats

    if len(z) < 2:
        return float("nan")
    return max(float(array_stats.rhat(z[..., i], chain_axis=0, draw_axis=1)) for i in range(z.shape[-1]))


# --- everything else ---------------------------------------------------------------------------


def _completed(
    model: pm.Model,
    fit: DataTree,
    sampled: Mapping[str, Floats],
    changed: Collection[str],
    wanted: Collection[str] | None,
    rng: int,
) -> Dataset:
    """Keep what the change cannot reach, draw what it can forward, and label everything."""
    from bayes.sampling.forward import draw

    posterior: Any = fit["posterior"]
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    named = [v for v in model.unobserved_RVs if not v.name.startswith("_")]
    moved = _reached(model, {*sampled, *changed})
    values = {name: value for name, value in sampled.items() if name in model.named_vars}
    for variable in named:
        if variable.name in posterior.data_vars and variable.name not in moved:
            values[variable.name] = np.asarray(posterior[variable.name].transpose("chain", "draw", ...).values)
    flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in values.items()}
    kept = [v for v in named if wanted is None or v.name in wanted]
    drawn = draw(model, [v for v in kept if v.name not in flat], flat, chains * draws, np.random.default_rng(rng))
    flat = {v.name: {**flat, **drawn}[v.name] for v in kept}
    return _labelled(model, {n: value.reshape(chains, draws, *value.shape[1:]) for n, value in flat.items()})


def _labelled(model: pm.Model, values: Mapping[str, Floats]) -> Dataset:
    """Give draws (chain, draw, …) the dims and coords of the model."""
    import xarray as xr

    named = {name: list(dims) for name, dims in model.named_vars_to_dims.items() if all(dims)}
    data: dict[str, Any] = {}
    used: set[str] = set()
    for name, value in values.items():
        own = named.get(name, [])
        dims = own if len(own) == value.ndim - 2 else [f"{name}_dim_{i}" for i in range(value.ndim - 2)]
        data[name] = (("chain", "draw", *dims), value)
        used |= set(dims)
    chains, draws = next(iter(values.values())).shape[:2]
    coords = {str(dim): list(labels) for dim, labels in model.coords.items() if dim in used and labels is not None}
    return xr.Dataset(data, coords={"chain": range(chains), "draw": range(draws), **coords})


def _reached(model: pm.Model, names: Collection[str]) -> set[str]:
    """Names of the variables that depend on some others, those included."""
    from pytensor.graph.traversal import ancestors

    found = set(names)
    for variable in model.unobserved_RVs:
        behind = {v.name for v in ancestors([variable]) if v.name in model.named_vars}
        found |= {variable.name} if behind & set(names) else set()
    return found
