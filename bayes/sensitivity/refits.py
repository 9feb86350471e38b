"""Refit a changed model, sampling only what the change can reach.

Parameters that share no observed variable are independent in the posterior. So the model falls into connected
components, and a changed prior or row of evidence moves only its own: that one is sampled again, and everything the
change cannot reach keeps its draws.

Numbers are arguments of the compiled density, and so is a weight for each observation, so that models that differ in
priors, data or rows left out share one program. Chains start from the last draws of the fit, in coordinates in which
its posterior is standard normal, and adapt from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError
from bayes.provenance import canonical, digest
from bayes.sensitivity.components import (
    Component,
    Floats,
    Layout,
    Row,
    component_of,
    components,
    density,
    following_of,
    is_row,
    keep,
    only,
    settled,
    stored,
)

if TYPE_CHECKING:
    import pymc as pm
    from xarray import Dataset, DataTree

    from bayes.sampling.fit import Plan
    from bayes.sampling.nuts import Length
    from bayes.sampling.programs import Program

__all__ = ["TUNE", "Part", "completed", "components", "flat_draws", "layout", "part_of", "refit", "resampled"]

type Kept = MutableMapping[Any, Any]

TUNE, TARGET = 400, 0.97
"""Warm-up draws per chain (the fit is known, so that fewer do), and the acceptance they aim at."""


def layout(plan: Plan, kept: Kept | None = None) -> Layout:
    """Return the components of a model and its observations that can be left out, from disk if they are there.

    Parameters
    ----------
    plan
        A model that need not be built.
    kept
        What was read or compiled, kept from one call to the next.
    """
    memory: Kept = {} if kept is None else kept
    found: Layout = _found(memory, plan, ["layout"], Layout, lambda: Layout.of(_built(plan, memory)))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A component sampled again.

    Parameters
    ----------
    draws
        (draw, …) by free variable, chains end to end.
    rhat, ess
        The largest split R-hat of ranks and the least bulk effective size; a single chain is judged by its halves.
    divergences
        Number of divergent transitions.
    """

    draws: Mapping[str, np.ndarray]
    rhat: float
    ess: float
    divergences: int


def refit(
    model: pm.Model | Plan,
    fit: DataTree,
    changed: Collection[str],
    *,
    without: Collection[Row] = (),
    wanted: Collection[str] | None = None,
    rng: int = 1,
    kept: Kept | None = None,
) -> Dataset:
    """Sample the components that hold a changed variable and return a posterior of the shape of the fit's.

    Parameters
    ----------
    model
        The changed model, or the plan of it.
    fit
        The fit of the model before the change; its draws serve where nothing changed, and as starting points.
    changed
        Names of variables whose prior or data changed. Those that no evidence bears on need no sampling.
    without
        Observations to leave out, of :attr:`Layout.dims`: by label, in every variable that has it, or by (variable,
        label), or by (dim, label).
    wanted
        Variables to return; all by default.
    rng
        Seed of the chains; forward draws use it too.
    kept
        What was read or compiled, kept from one refit of this fit to the next.

    Returns
    -------
    Dataset
        Free variables and deterministics, dims ``chain, draw, …``. Attributes: ``rhat``, the largest over what was
        sampled again (split R-hat of ranks; NaN if nothing was), ``ess``, the least bulk effective size, and
        ``divergences``.

    Raises
    ------
    UsageError
        If an observation cannot be left out.
    """
    memory: Kept = {} if kept is None else kept
    plan = _planned(model)
    where = layout(plan, memory)
    changed = {*changed}
    for row in without:
        holders = where.holders(row, plan.coords)
        if not holders:
            raise UsageError("this observation cannot be left out by a weight", key=str(row),
                             allowed=where.owners(plan.coords))  # fmt: skip
        changed |= holders
    parts = {
        group: resampled(plan, fit, group, without=without, rng=rng, kept=memory)
        for group in where.components
        if group & changed
    }
    return completed(plan, fit, parts, changed, wanted=wanted, rng=rng, kept=memory)


def resampled(
    plan: Plan, fit: DataTree, group: Collection[str], *, without: Collection[Row], kept: Kept, rng: int = 1
) -> Part:
    """Sample one component, by chains of its own: independent of all others, and the same whatever else is sampled.

    Parameters
    ----------
    group
        Names of the component's variables, from :func:`layout`.
    plan, fit, without, rng, kept
        As in :func:`refit`.
    """
    names = sorted(group)
    component = _component(plan, fit, names, kept)
    own = int(digest(canonical(names))[:8], 16)
    return _sampled(_ready(component, plan, fit, names, kept), plan, without, (rng, own))


def completed(
    plan: Plan, fit: DataTree, parts: Mapping[frozenset[str], Part], changed: Collection[str], *,
    wanted: Collection[str] | None, kept: Kept, rng: int = 1,
) -> Dataset:  # fmt: skip
    """Put components together: what the change cannot reach keeps its draws, and the rest is drawn forward.

    Parameters
    ----------
    parts
        Components that were sampled again.
    changed
        Names of changed variables; those outside all components are drawn forward too.
    plan, fit, wanted, rng, kept
        As in :func:`refit`, which returns the same.
    """
    inside = {name for group in layout(plan, kept).components for name in group}
    names = sorted(name for group in parts for name in group)
    sampled = {name: values for part in parts.values() for name, values in part.draws.items()}
    found = [part.rhat for part in parts.values()], [part.ess for part in parts.values()]
    quality = {
        "rhat": float(np.fmax.reduce(found[0], initial=np.nan)),
        "ess": float(np.fmin.reduce(found[1], initial=np.nan)),
        "divergences": sum(part.divergences for part in parts.values()),
    }
    if "fitted" not in kept:
        kept["fitted"] = flat_draws(fit["posterior"])
    values = kept["fitted"] | sampled
    component = _following(plan, fit, names, sorted({*changed} - inside), wanted, values, kept)
    return _completed(component, plan, values, fit["posterior"].sizes, rng).assign_attrs(quality)


def _planned(model: pm.Model | Plan) -> Plan:
    """The plan of a model that is built already."""
    from bayes.sampling.fit import Plan

    if isinstance(model, Plan):
        return model
    from bayes.sampling.forward import coords_of, data_of

    return Plan(None, data_of(model), coords_of(model), {}, lambda: model)


def _built(plan: Plan, memory: Kept) -> pm.Model:
    """The model of a plan; plans of one key differ in numbers alone, and share what is read off it."""
    from bayes.sampling.forward import light_graphs

    if plan.key is None:
        return plan.model()
    if ("model", plan.key) not in memory:
        with light_graphs():
            memory["model", plan.key] = plan.model()
    found: pm.Model = memory["model", plan.key]
    return found


def _found(memory: Kept, plan: Plan, what: list[object], kind: Any, make: Callable[[], Any]) -> Any:
    """What was made before, in this process or, where the plan has a key, in an earlier one."""
    key = canonical([plan.key, what])
    place = (key, None if plan.key else plan.model())
    if place not in memory:
        found = stored(digest(key), kind.from_text) if plan.key else None
        if found is None:
            found = make()
            if plan.key:
                keep(digest(key), found.text())
        memory[place] = found
    return memory[place]


# --- chains from where the fit ended -----------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """Components ready for chains.

    ``points`` (chain, value) are where they start, and ``mean`` (value,) and ``root`` (value, value) standardise the
    values; ``shapes`` are those of the values.
    """

    component: Component
    program: Program
    points: Floats
    mean: Floats
    root: Floats
    shapes: tuple[tuple[int, ...], ...]
    length: Length


def _component(plan: Plan, fit: DataTree, names: list[str], memory: Kept) -> Component:
    """Find or make what samples some variables again."""
    from bayes.sampling.forward import light_graphs

    length, known = fit["posterior"].sizes["draw"], _known(fit)

    def make() -> Component:
        model, draws = _built(plan, memory), flat_draws(fit["posterior"], names)
        with light_graphs():
            return component_of(model, draws, names, known, (TUNE, TARGET))

    found: Component = _found(memory, plan, ["sampled", names, known, length], Component, make)
    return found


def _following(
    plan: Plan, fit: DataTree, names: list[str], apart: list[str], wanted: Collection[str] | None,
    draws: Mapping[str, np.ndarray], memory: Kept,
) -> Component:  # fmt: skip
    """Find or make what follows from variables that were sampled again, compared at a few of the draws."""
    from bayes.sampling.forward import light_graphs

    known, chosen = _known(fit), None if wanted is None else sorted(wanted)

    def make() -> Component:
        model = _built(plan, memory)
        with light_graphs():
            return following_of(model, draws, names, apart, chosen, known)

    found: Component = _found(memory, plan, ["following", names, apart, chosen, known], Component, make)
    return found


def _known(fit: DataTree) -> list[str]:
    """Names of the variables of a fit."""
    return sorted(map(str, fit["posterior"].data_vars))


def _ready(component: Component, plan: Plan, fit: DataTree, names: list[str], memory: Kept) -> _Ready:
    """Find or make the starting points and the program of a component."""
    from bayes.sampling.nuts import Length, chain
    from bayes.sampling.programs import double_precision, load_program

    length = Length(TUNE, fit["posterior"].sizes["draw"], len(fit["posterior"]["chain"]), TARGET)

    def built() -> tuple[Callable[..., Any], tuple[Any, ...]]:
        from bayes.sampling.forward import light_graphs

        def kept(new: Any, numbers: Any) -> tuple[Any, Any]:  # the draw on the sampler's scale, and whether it diverged
            return numbers[0] + numbers[1] @ new.z, new.diverging

        with light_graphs():
            first = (np.zeros(2, dtype=np.uint32), points[0], (mean, root, *_numbers(component, plan, ())))
            return chain(density(only(_built(plan, memory), names), shapes, component.wide), length, first, kept)

    if (component, "start") not in memory:
        memory[component, "start"] = _start(component, plan, fit)
    points, mean, root, shapes = memory[component, "start"]
    if component.program is None or component.program not in memory:
        with double_precision():
            memory[component.program] = load_program(component.program, built)
    return _Ready(component, memory[component.program], points, mean, root, shapes, length)


def _start(
    component: Component, plan: Plan, fit: DataTree
) -> tuple[Floats, Floats, Floats, tuple[tuple[int, ...], ...]]:
    """Where the fit ended, its mean and the root of its covariance on the sampler's scale, and the shapes of values.

    A variable the fit lacks, or whose draws a changed prior excludes, starts anywhere within 2 of 0, as in Stan.
    """
    posterior: Any = fit["posterior"]
    size = posterior.sizes["chain"], posterior.sizes["draw"]
    count = size[0] * size[1]
    known = component.pieces["free"]({**flat_draws(posterior, component.sampled), **plan.data}, None)
    rng = np.random.default_rng(0)
    values = [
        settled(known[name], rng)
        if name in known
        else np.random.default_rng(0).uniform(-2, 2, (count, *component.shapes[name]))
        for name in component.values
    ]
    flat = np.concatenate([np.asarray(value).reshape(count, -1) for value in values], axis=1)
    mean = flat.mean(axis=0)
    root = np.linalg.cholesky(np.atleast_2d(np.cov(flat.T)) + 1e-9 * np.eye(flat.shape[1]))
    last = flat.reshape(*size, -1)[:, -1]
    return np.linalg.solve(root, (last - mean).T).T, mean, root, tuple(np.shape(value)[1:] for value in values)


def flat_draws(posterior: Any, names: Collection[str] | None = None) -> dict[str, Floats]:
    """Return draws (draw, …) by variable, chains end to end: of all variables, or of those it has of some."""
    known = posterior.data_vars
    chosen = known if names is None else [name for name in names if name in known]
    found = {str(name): known[name].transpose("chain", "draw", ...).values for name in chosen}
    return {name: np.asarray(value, dtype=float).reshape(-1, *value.shape[2:]) for name, value in found.items()}


def _sampled(ready: _Ready, plan: Plan, without: Collection[Row], rng: tuple[int, int]) -> Part:
    """Draws of the free variables of a component."""
    from bayes.sampling.nuts import drawn
    from bayes.sampling.programs import double_precision
    from bayes.workers import Threads, cores

    chains = len(ready.points)
    numbers = (ready.mean, ready.root, *_numbers(ready.component, plan, without))
    keys = np.random.default_rng(rng).integers(2**32, size=(chains, 2), dtype=np.uint32)

    def run(i: int) -> Any:
        return drawn(ready.program, keys[i], ready.points[i], numbers, ready.length, lambda number: pool.go_on())

    with double_precision(), Threads(min(chains, cores())) as pool:
        z, diverging = (np.stack(found) for found in zip(*pool.map(run, range(chains)), strict=True))
    cuts = np.cumsum([int(np.prod(shape)) for shape in ready.shapes])[:-1]
    parts = zip(ready.component.values, np.split(z.reshape(-1, z.shape[-1]), cuts, axis=1), ready.shapes, strict=True)
    points = {name: part.reshape(-1, *shape) for name, part, shape in parts}
    values = ready.component.pieces["bound"]({**points, **plan.data}, None)
    return part_of({name: np.asarray(values[name]) for name in ready.component.sampled}, z, int(diverging.sum()))


def _numbers(component: Component, plan: Plan, without: Collection[Row]) -> list[Any]:
    """The data by order of name, then a weight for each observation: 0 where it is left out, 1 elsewhere."""
    weights = [
        np.ones(())
        if dim is None
        else np.array([float(not any(is_row(row, name, dim, label) for row in without)) for label in plan.coords[dim]])
        for name, dim in component.observed
    ]
    return [*(np.asarray(plan.data[name]) for name in component.data), *weights]


def part_of(draws: Mapping[str, np.ndarray], z: Floats, divergences: int = 0) -> Part:
    """Judge chains by what was sampled, z (chain, draw, value)."""
    from bayes.arraystats import array_stats

    if not z.shape[-1]:  # every draw is independent of the others
        return Part(draws, 1.0, float(z.shape[0] * z.shape[1]), divergences)
    if len(z) == 1:  # one chain is judged by its halves
        z = z[:, : z.shape[1] // 2 * 2].reshape(2, -1, z.shape[-1])
    series = [z[..., i] for i in range(z.shape[-1])]
    with np.errstate(invalid="ignore"):
        rhats = [float(array_stats.rhat(x, chain_axis=0, draw_axis=1)) for x in series]
        sizes = [float(array_stats.ess(x, chain_axis=0, draw_axis=1)) for x in series]
    if not np.isfinite(rhats).all():  # undefined where chains never move
        return Part(draws, float("inf"), 0.0, divergences)
    return Part(draws, max(rhats), min(sizes), divergences)


# --- everything else ---------------------------------------------------------------------------


def _completed(
    component: Component, plan: Plan, values: Mapping[str, np.ndarray], sizes: Mapping[Any, int], rng: int
) -> Dataset:
    """Keep what the change cannot reach, draw what it can forward, and label everything."""
    import xarray as xr

    chains, draws = sizes["chain"], sizes["draw"]
    after = _drawn(component, {**values, **plan.data}, chains * draws, rng)
    data: dict[str, Any] = {}
    used: set[str] = set()
    values = {**values, **after}
    for name in (*component.sampled, *component.drawn, *component.kept):
        value = values[name]
        own = component.dims.get(name, ())
        dims = own if len(own) == value.ndim - 1 else tuple(f"{name}_dim_{i}" for i in range(value.ndim - 1))
        data[name] = (("chain", "draw", *dims), value.reshape(chains, draws, *value.shape[1:]))
        used |= set(dims)
    coords = {dim: list(labels) for dim, labels in plan.coords.items() if dim in used}
    return xr.Dataset(data, coords={"chain": range(chains), "draw": range(draws), **coords})


def _drawn(component: Component, values: Mapping[str, np.ndarray], size: int, rng: int) -> Mapping[str, np.ndarray]:
    """Draws (draw, …) of what is drawn forward."""
    if "after" not in component.pieces:
        return {}
    given = {**values, "(draws)": np.asarray(size)}
    found = component.pieces["after"](given, int(np.random.default_rng(rng).integers(2**31)))
    return {name: np.broadcast_to(value, (size, *np.shape(value)[1:])) for name, value in found.items()}
