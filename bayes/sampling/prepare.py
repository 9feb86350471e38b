"""From a ``pm.Model`` to its recipe, and to the programs of its chains."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
from pymc.data import MinibatchOp
from pymc.distributions.simulator import SimulatorRV
from pytensor.graph.traversal import ancestors, toposort

from bayes.errors import NoStart, UsageError
from bayes.sampling.blocks import blocks_of, log_density
from bayes.sampling.forward import (
    Calculation,
    NotDrawable,
    constraining,
    data_of,
    densities,
    drawing,
    following,
    light_graphs,
    one_by_one,
    starting,
    supported,
    total_density,
)
from bayes.sampling.identity import model_hash
from bayes.sampling.nuts import NO_START, SPREAD, Block, Length, chain, example
from bayes.sampling.partition import DISCRETE, Core, core_of, pruned, shown, with_own_prior
from bayes.sampling.programs import double_precision
from bayes.sampling.proof import PRECISION, TAPE, Proved, proved
from bayes.sampling.recipe import Recipe
from bayes.sampling.tree import SIZE

__all__ = ["Points", "block_chain", "core_named", "likely_blocks", "not_drawable", "points_of", "recipe_of", "terms_at"]

_POINTS, _TRIES, _NEAR = 4, 24, 16

_UNDRAWN = (NotDrawable, ValueError, TypeError, RuntimeError, np.linalg.LinAlgError)
"""What drawing raises where it cannot be done."""

_NO_DENSITY = (NotImplementedError, ValueError, RuntimeError)
"""What PyMC raises where a variable has no log density."""

_NO_JAX = (NotImplementedError, TypeError, ValueError, IndexError, KeyError, AttributeError)
"""What JAX and PyTensor raise where an operation has no form in JAX, or none that can be differentiated."""


def recipe_of(model: pm.Model, *, by_gradient: bool = True) -> Recipe:
    """Return how a model is sampled and what follows from its draws, each piece proved equal to PyMC's.

    Parameters
    ----------
    by_gradient
        Whether NUTS in JAX will sample it, which takes a density that JAX can differentiate.

    Raises
    ------
    UsageError
        If it cannot be sampled so: names the variables, and what to use instead.
    """
    with light_graphs():
        points = points_of(model, by_gradient=by_gradient)
        core = points.core
        blocks = _blocks(core, points) if by_gradient and core.free else ()
        own, free = with_own_prior(model), [v for v in model.free_RVs if v.name in points.draws]
        made, left = dict(points.pieces), dict(points.left)
        _add_prior(model, own, points, made, left)
        seen = Calculation(model, {v.name: model.rvs_to_values[v] for v in model.observed_RVs}, {})
        made["observed"] = proved(seen, {})
        known = _with_density(model, free, left)
        given = [v.name for v in free]
        made["densities"] = proved(densities(model, [*model.observed_RVs, *known], given), points.draws)
        key = model_hash(model) if all(block.fixed is None for block in blocks) else None
    names = _names(model, core, own, known, points.seen)
    dims = {name: tuple(d or f"{name}_dim_{i}" for i, d in enumerate(found))
            for name, found in model.named_vars_to_dims.items() if any(found)}  # fmt: skip
    slow = {name: one.how for name, one in made.items() if one.how != TAPE}
    shapes = {name: np.shape(value) for name, value in data_of(model).items()}
    return Recipe(key, blocks, {name: one.piece for name, one in made.items()}, names, dims, slow, left, shapes)


def _names(
    model: pm.Model, core: Core, own: Sequence[Any], known: Sequence[Any], seen: Sequence[Any]
) -> dict[str, tuple[str, ...]]:
    kept, deterministic = [v.name for v in shown(model)], {v.name for v in model.deterministics}
    roles = {
        "sampled": core.names, "kept": kept, "observed": [v.name for v in model.observed_RVs],
        "seen": [v.name for v in seen], "own": [v.name for v in own],
        "free": [v.name for v in known if v.name in kept], "data": [v.name for v in model.data_vars],
        "forward": [name for name in kept if name not in {*core.names, *deterministic}],
    }  # fmt: skip
    return {role: tuple(map(str, names)) for role, names in roles.items()}


def _add_prior(
    model: pm.Model, own: Sequence[Any], points: Points, made: dict[str, Proved], left: dict[str, str]
) -> None:
    """Add the calculation of draws from the prior, or why there are none."""
    try:
        made["before"] = proved(drawing(model, [*own, *points.seen], []), {})
        inside = supported(model, [v for v in model.free_RVs if v in own])
        if inside is not None:
            made["inside"] = proved(inside, points.draws)
    except _UNDRAWN as error:
        found = not_drawable(drawing, model, [v for v in own if v in model.free_RVs], {}) or {"": _line(error)}
        left |= dict.fromkeys(("prior", "prior_predictive"), _why(found))


def _with_density(model: pm.Model, free: Sequence[Any], left: dict[str, str]) -> list[Any]:
    """Free variables that have a log density; the reason where one has none."""
    lacking = {v.name: why for v in free if (why := _lacking(model, [v]))} if _lacking(model, free) else {}
    if lacking:
        left["log_prior"] = _why(lacking)
    return [v for v in free if v.name not in lacking]


# --- points to compare at ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A few draws at which calculations are compared.

    Parameters
    ----------
    core
        What is sampled.
    values
        Arrays (draw, …) of the unconstrained values, by name of the value.
    terms
        Arrays (draw,) of the terms of the log density there, as PyTensor computes them, by number.
    draws
        Arrays (draw, …) of the unobserved variables that results show, by name.
    seen
        Observed variables that can be drawn.
    pieces
        The calculations ``starts``, ``total``, ``values`` and ``after``, proved.
    left
        Groups that cannot be drawn, and why.
    """

    core: Core
    values: Mapping[str, np.ndarray]
    terms: Mapping[str, np.ndarray]
    draws: Mapping[str, np.ndarray]
    seen: tuple[Any, ...]
    pieces: Mapping[str, Proved]
    left: Mapping[str, str]


def points_of(model: pm.Model, *, by_gradient: bool = True) -> Points:
    """Draw a few points of a model near where its chains start, and prove on the way how that is done."""
    data, undrawable = data_of(model), dict[str, str]()
    while True:
        core = core_of(model, undrawable)
        _check(core, by_gradient)
        pieces, values, terms = _starts(core, data, by_gradient)
        sampled = pieces["values"].piece({**values, **data}, None)
        fresh = [v for v in shown(model) if v.name not in core.names]
        found = not_drawable(following, model, [v for v in fresh if v in model.free_RVs], sampled)
        if not found:
            break
        undrawable |= found
    missing = not_drawable(drawing, model, model.observed_RVs, sampled)
    seen = () if missing else tuple(model.observed_RVs)
    left = dict.fromkeys(("posterior_predictive", "prior_predictive"), _why(missing)) if missing else {}
    pieces["after"] = proved(following(model, fresh, core.names, seen), sampled)
    size = np.asarray(max([len(v) for v in sampled.values()], default=_POINTS))
    drawn = pieces["after"].piece({**sampled, **data, SIZE: size}, 1)
    observed = {v.name for v in seen}
    draws = {**sampled, **{name: value for name, value in drawn.items() if name not in observed}}
    return Points(core, values, terms, draws, seen, pieces, left)


def _starts(
    core: Core, data: Mapping[str, np.ndarray], by_gradient: bool
) -> tuple[dict[str, Proved], dict[str, Any], dict[str, np.ndarray]]:
    """Return the calculations of starting values, a few points near them whose density is finite, and its terms."""
    pieces = {"starts": proved(starting(core), {}), "values": Proved(lambda values, seed: {}, TAPE)}
    if not core.free:
        return pieces, {}, {}
    begun = {
        name: np.asarray(value[0]) for name, value in pieces["starts"].piece({**data, SIZE: np.asarray(1)}, 0).items()
    }
    rng = np.random.default_rng(0)
    far = [SPREAD * 2 ** (i // _POINTS % 3) for i in range(_TRIES)]
    whole = {name: value.dtype.kind in "iub" for name, value in begun.items()}
    tries = {name: np.stack([value if whole[name] else value + rng.uniform(-d, d, value.shape) for d in far])
             for name, value in begun.items()}  # fmt: skip
    density = total_density(core)
    terms = terms_at(density, tries)
    finite = np.isfinite(np.sum(list(terms.values()), axis=0))
    found = np.flatnonzero(finite)[:: max(1, finite.sum() // _POINTS)][:_POINTS]
    if not found.size:
        raise NoStart(NO_START[0], key="initval", found=list(begun), fix=NO_START[1])
    values, terms = ({name: value[found] for name, value in of.items()} for of in (tries, terms))
    pieces["values"] = proved(constraining(core), values)
    if by_gradient:
        pieces["total"] = proved(density, values, terms)
    return pieces, values, terms


def terms_at(density: Calculation, points: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The terms of a log density at some points; minus infinity where a parameter is outside its range."""
    piece = one_by_one(density)
    try:
        return piece(points, None)
    except RuntimeError as error:  # a library that is not installed, for one
        raise UsageError("the log density of this model cannot be computed", found=_line(error)) from None
    except ValueError:
        pass
    count = max(len(value) for value in points.values())
    found = {name: np.full(count, -np.inf) for name in density.outputs}
    for i in range(count):
        with suppress(ValueError):
            for name, term in piece({name: value[i : i + 1] for name, value in points.items()}, None).items():
                found[name][i] = term[0]
    return found


def not_drawable(
    kind: Callable[..., Any], model: pm.Model, variables: Sequence[Any], given: Mapping[str, np.ndarray]
) -> dict[str, str]:
    """Which of some variables cannot be drawn given others, and why."""
    first = {name: value[:1] for name, value in given.items()} | {SIZE: np.asarray(1)}

    def why(chosen: Sequence[Any]) -> str | None:
        try:
            one_by_one(kind(model, chosen, list(given)))(first, 0)
        except _UNDRAWN as error:
            return _line(error)
        return None

    if not variables or why(variables) is None:
        return {}
    return {v.name: reason for v in variables if (reason := why([v])) is not None}


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _why(found: Mapping[str, str]) -> str:
    return "; ".join(f"{name} cannot be computed: {reason}" for name, reason in found.items())


# --- what cannot be sampled ----------------------------------------------------------------------


def _check(core: Core, by_gradient: bool) -> None:
    """Refuse by name what has no density, and what NUTS cannot sample."""
    model = core.model
    values = [model.rvs_to_values[v] for v in model.observed_RVs]
    if any(isinstance(v.owner.op, MinibatchOp) for v in ancestors([*values, *model.basic_RVs]) if v.owner is not None):
        raise UsageError("a Minibatch is a random part of the data, made for variational inference", key="observed",
                         fix="give the whole data")  # fmt: skip
    simulated = [v.name for v in model.basic_RVs if isinstance(v.owner.op, SimulatorRV)]
    if simulated:
        raise UsageError("a simulator has no density, and no sampler here takes it", found=simulated,
                         fix="use pm.sample_smc, and bring its draws with bayes.load_fit")  # fmt: skip
    discrete = [v.name for v in core.free if v.dtype.startswith(DISCRETE)]
    if discrete and by_gradient:
        raise UsageError("NUTS cannot sample discrete variables", key="sampler", found=discrete,
                         fix="sum them out (pm.Mixture); bayes.sample and run "
                             'also take sampler="pymc" (--sampler pymc)')  # fmt: skip
    variables = [*core.free, *model.observed_RVs]
    try:
        core.terms  # noqa: B018 - built once, and read from there by all that needs it
    except _NO_DENSITY as error:
        named = [v.name for v in variables if _lacking(model, [v])]
        raise UsageError(
            "this model has no log density to sample from", found=named or _line(error), allowed=_line(error),
            fix="give the distribution a logp, and make no unnamed random variable a parameter of another",
        ) from None  # fmt: skip


def _lacking(model: pm.Model, variables: Sequence[Any]) -> str | None:
    """Why some variables have no log density, or None where they have one."""
    try:
        model.logp(vars=list(variables), sum=False)
    except _NO_DENSITY as error:
        return _line(error)
    return None


def _blocks(core: Core, points: Points) -> tuple[Block, ...]:
    """The blocks of a model, each with a density in JAX that equals PyMC's at the points."""
    shapes = [points.values[v.name].shape[1:] for v in core.value_vars]
    data = data_of(core.model)
    return tuple(_proved_block(core, block, points, data) for block in blocks_of(core, shapes))


def _proved_block(core: Core, block: Block, points: Points, data: Mapping[str, np.ndarray]) -> Block:
    """Return the block in the first form whose density in JAX is PyMC's: plain, in doubles, or with data built in."""
    values = {v for v in core.value_vars if v.name in block.variables}
    parts = [t for t in core.terms if not set(core.value_vars).isdisjoint(ancestors([t]))]
    mine = [points.terms[str(i)] for i, term in enumerate(parts) if values & set(ancestors([term]))]
    wanted, scale = np.sum(mine, axis=0), np.sum(np.abs(mine), axis=0)
    problem: Exception | None = None
    for chosen in (block, replace(block, wide=True), replace(block, data=(), fixed=tuple(block.data), wide=True)):
        try:
            found, smooth = _in_jax(core, chosen, points, data)
        except _NO_JAX as error:
            problem = error
            continue
        gap = found - wanted
        if len(gap) > 1:
            gap = (
                gap - gap[0]
            )  # a constant does not move a posterior: JAX computes functions of whole numbers less well
        if np.all(np.abs(gap) <= PRECISION * (1 + scale)):
            if smooth:
                return chosen
            raise UsageError(
                "JAX has no derivatives of this log density near where chains start, although it is finite there",
                key="sampler", found=list(block.variables), allowed="numbers: without them chains stand still",
                fix='use sampler="pymc" or sampler="nutpie"; bounds that are infinite for some rows are a usual cause',
            )  # fmt: skip
        problem = None
    if problem is not None:
        raise _no_gradient(core, block, problem) from None
    raise UsageError(
        "JAX computes another log density than PyMC does", key="sampler", found=list(block.variables),
        allowed=f"equal to {PRECISION:g} relative", fix='use sampler="pymc" or sampler="nutpie"',
    )  # fmt: skip


def _in_jax(core: Core, block: Block, points: Points, data: Mapping[str, np.ndarray]) -> tuple[np.ndarray, bool]:
    """The log density of a block at the points, by the function that NUTS will differentiate, and whether it can.

    It can where the derivatives are numbers wherever the density is, at the points and near them.
    """
    import jax

    values = [points.values[name].reshape(len(points.values[name]), -1) for name in block.variables]
    flat, numbers = np.concatenate(values, axis=1).astype(float), [data[name] for name in block.data]
    near = flat + np.random.default_rng(0).uniform(-SPREAD, SPREAD, (_NEAR, *flat.shape))
    with double_precision():
        density = log_density(core, block)
        program = jax.jit(jax.value_and_grad(density))
        found = [program(one, *numbers) for one in [*flat, *near.reshape(-1, flat.shape[1])]]
    smooth = all(np.isfinite(slope).all() for value, slope in found if np.isfinite(value))
    return np.array([float(value) for value, _ in found[: len(flat)]]), smooth


def _no_gradient(core: Core, block: Block, error: Exception) -> UsageError:
    from pytensor.link.jax.dispatch import jax_funcify

    plain, found = jax_funcify.dispatch(object), set[str]()
    values = {v for v in core.value_vars if v.name in block.variables}
    variables = [*core.free, *core.model.observed_RVs, *core.model.potentials]
    for variable, term in zip(variables, core.terms, strict=True):
        lacking = any(jax_funcify.dispatch(type(node.op)) is plain for node in toposort([term]))
        if lacking and values & set(ancestors([term])):
            found.add(str(variable.name))
    return UsageError(
        "NUTS needs derivatives of the log density, and JAX has none of this one", key="sampler",
        found=sorted(found) or list(block.variables), allowed=_line(error),
        fix='use sampler="pymc", whose step methods need none, or write the operation with pytensor.tensor',
    )  # fmt: skip


def core_named(model: pm.Model, names: Collection[str]) -> Core:
    """Return the part of a model with the sampled variables of these names, and the terms of its log density."""
    with light_graphs():
        core = pruned(model, names)
        core.terms  # noqa: B018 - built here, and read by the programs of all blocks
        return core


def likely_blocks(model: pm.Model) -> tuple[Core, tuple[Block, ...]]:
    """Return what is sampled of a model and its blocks in their plain form, before anything is proved."""
    with light_graphs():
        core = core_of(model)
        near = one_by_one(starting(core))({**data_of(model), SIZE: np.asarray(1)}, 0)
        return core, blocks_of(core, [np.shape(near[v.name])[1:] for v in core.value_vars])


def block_chain(
    core: Core, block: Block, length: Length, data: Mapping[str, np.ndarray]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return one chain of a block of what is sampled as a JAX function, and arguments of its shapes."""
    with light_graphs():
        return chain(log_density(core, block), length, example(block, data))
