"""Sampling a model: MCMC where evidence speaks, exact forward draws everywhere else.

Which is which is read off the graph alone (:mod:`bayes.sampling.partition`), so that any ``pm.Model`` will do. What is
drawn forward is exact and independent: its effective sample size is the number of draws. Variables that data enter
otherwise than through an observed variable (group effects recovered after collapsing) have a posterior but no prior of
their own, and are left out of the prior groups. A group that cannot be made is left out, and the attribute ``left_out``
says why; ``computed_by_pymc`` says which pieces PyMC itself computes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from functools import cache as once
from functools import partial
from numbers import Real
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bayes.arguments import checked, seed_number
from bayes.cache import can_keep
from bayes.errors import StudyError, UsageError, check_whole, check_word
from bayes.provenance import canonical, digest, versions
from bayes.sampling.nuts import Block, Chains, Length, begun, run_nuts
from bayes.sampling.programs import (
    Program,
    compile_program,
    double_precision,
    export_program,
    is_exported,
    load_program,
    untouched,
)
from bayes.sampling.recipe import Recipe, keep_recipe, stored_recipe
from bayes.sampling.tree import SIZE, accepted, full, tree_of
from bayes.workers import Advance, Threads, memory, silent

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

    from bayes.sampling.partition import Core

__all__ = ["DEFAULT_SEED", "SAMPLERS", "TARGET", "Drawn", "Plan", "Worker", "check_model", "compile_ahead", "draws_of",
           "is_prepared", "prove", "sample", "sample_plan", "with_angles"]  # fmt: skip

DEFAULT_SEED = 20070222
TARGET = 0.97
SAMPLERS = ("numpyro", "nutpie", "pymc")
STAMP = "bayes_stamp"

_REPRODUCIBLE = {
    "numpyro": "same seed, inputs, versions and machine give the same numbers, with cold or warm caches",
    "nutpie": "numbers differ between a cold and a warm compilation cache; equal only when both runs are warm",
    "pymc": "numbers differ between a cold and a warm compilation cache; equal only when both runs are warm",
}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A model that need not be built: the numbers, and how to build it if nothing is on disk.

    Parameters
    ----------
    key
        Where its recipe is kept: a content hash of everything but the numbers; None to keep nothing.
    data
        Values of the model's data (``pm.Data``) by name.
    coords
        Labels by name of the dim.
    stamp
        What the fit was made from, for its attributes.
    model
        Builds the model.
    """

    key: str | None
    data: Mapping[str, np.ndarray]
    coords: Mapping[str, Sequence[Any]]
    stamp: Mapping[str, object]
    model: Callable[[], pm.Model]


@checked
def sample(
    model: pm.Model, *, draws: int = 1000, tune: int = 1000, chains: int = 4,
    rng: int | np.random.Generator = DEFAULT_SEED, sampler: str = "numpyro", target_accept: float = TARGET,
) -> DataTree:  # fmt: skip
    """Sample a model and return everything ArviZ needs, as one ``DataTree``.

    Parameters
    ----------
    model
        Any PyMC model; :func:`bayes.build_model` makes the shipped one.
    draws, tune, chains
        Draws kept and warm-up draws per chain, and number of chains.
    rng
        Seed or NumPy generator; ``random_seed=`` is the same. The same seed gives the same numbers (see the attribute
        ``reproducible``).
    sampler
        ``numpyro`` (default), ``nutpie`` or ``pymc``; never chosen by what happens to be installed.
    target_accept
        Target acceptance probability of NUTS.

    Returns
    -------
    DataTree
        Groups ``posterior``, ``sample_stats``, ``prior``, ``prior_predictive``, ``posterior_predictive``,
        ``log_likelihood``, ``log_prior``, ``observed_data``, ``constant_data``; dims ``chain``, ``draw`` and the
        model's own. Attributes stamp inputs, seed, versions and sampler.

    Raises
    ------
    UsageError
        If an argument is out of range or the sampler cannot handle the model.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 1)
    ...     _ = pm.Normal("y", mu, 1, observed=[0.3, 0.9])
    >>> fit = sample(model, draws=200, tune=200, chains=2, rng=1)
    >>> sorted(fit["posterior"].data_vars)
    ['mu']
    """
    length = Length(tune, draws, chains, target_accept)
    _check_arguments(length, sampler)
    check_model(model)
    return with_angles(sample_plan(plan_of_model(model), length, seed_number(rng), sampler), model)


def with_angles(tree: DataTree, model: pm.Model) -> DataTree:
    """Mark the variables that PyMC samples around a circle: angles in radians, whose ends meet."""
    from pymc.distributions.transforms import CircularTransform

    angles = {str(v.name) for v, move in model.rvs_to_transforms.items() if isinstance(move, CircularTransform)}
    for node in tree.children.values():
        for name in angles & set(map(str, node.data_vars)):
            node[name].attrs["circular"] = 1
    return tree


def plan_of_model(model: pm.Model) -> Plan:
    """Return the plan of a model that is built already."""
    from bayes.sampling.forward import coords_of, data_of
    from bayes.sampling.identity import model_hash

    return Plan(model_hash(model), data_of(model), coords_of(model), vars(model).get(STAMP, {}), lambda: model)


def sample_plan(
    plan: Plan, length: Length, seed: int, sampler: str = "numpyro", elsewhere: Worker | None = None,
    kept: Kept | None = None, advance: Advance = silent,
) -> DataTree:  # fmt: skip
    """Sample a model that is built only if something it takes is not on disk. The numbers are those of :func:`sample`.

    Parameters
    ----------
    plan
        The numbers, and how to build the model.
    length
        How long the chains are.
    seed, sampler
        As in :func:`sample`.
    elsewhere
        Calls :func:`draws_of` in another process (see :mod:`bayes.sampling.process`); this process without one, and for
        samplers that start processes of their own.
    kept
        What was prepared, kept from one call to the next for the same model with other numbers.
    advance
        Called with how far it is; see :func:`bayes.sampling.nuts.run_nuts`.
    """
    _check_arguments(length, sampler)
    if elsewhere is None or sampler != "numpyro":
        with untouched():
            found = draws_of(plan, length, seed, sampler, kept, advance)
    else:
        found = elsewhere(plan, length, seed, sampler, advance)
    tree = tree_of(found.groups, found.dims, plan.coords)
    tree.attrs.update(_stamp(plan.stamp, seed, sampler, length) | found.attrs)
    return tree


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Arrays by group and variable, dims by variable, and which variables were sampled how."""

    groups: Mapping[str, Mapping[str, np.ndarray]]
    dims: Mapping[str, Sequence[str]]
    attrs: dict[str, Any]


Worker = Callable[[Plan, Length, int, str, Advance], Drawn]
Kept = MutableMapping[Any, Any]


def draws_of(
    plan: Plan, length: Length, seed: int, sampler: str = "numpyro", kept: Kept | None = None, advance: Advance = silent
) -> Drawn:
    """Return what :func:`sample_plan` labels."""
    held: Kept = {} if kept is None else kept
    recipe = held.get("recipe") or _recipe(plan, sampler)
    if all(block.fixed is None for block in recipe.blocks):
        held["recipe"] = recipe
    _check_memory(length, recipe)
    streams = np.random.default_rng(seed).spawn(3)
    chains = _chains(plan, recipe, length, streams[0], sampler, held, advance)
    size = length.draws * length.chains
    flat = {name: v.reshape(size, *v.shape[2:]) for name, v in chains.points.items()}
    groups, left = _groups(plan, recipe, flat, size, streams[1:])
    shaped = {name: _shaped(values, length) for name, values in groups.items()}
    for name in {"prior", "prior_predictive"} & set(groups):
        shaped[name] = {k: v[None] for k, v in groups[name].items()}
    observed = {name: value[0] for name, value in recipe.pieces["observed"](plan.data, None).items()}
    rest = {"sample_stats": chains.statistics, "observed_data": observed,
            "constant_data": {name: plan.data[name] for name in recipe.names["data"]}}  # fmt: skip
    attrs = {"mcmc_variables": json.dumps(sorted(recipe.names["sampled"])),
             "forward_variables": json.dumps(sorted(recipe.names["forward"]))}  # fmt: skip
    attrs |= {"left_out": json.dumps(left)} if left else {}
    attrs |= {"computed_by_pymc": json.dumps(dict(recipe.slow))} if recipe.slow else {}
    return Drawn({**shaped, **rest}, recipe.dims, attrs)


def is_prepared(plan: Plan, length: Length) -> bool:
    """Return whether sampling needs no model: its recipe and its programs are on disk, or nothing can be kept there."""
    recipe = stored_recipe(plan.key) if plan.key else None
    if recipe is None or plan.key is None:
        return plan.key is None or not can_keep("recipes")
    return all(is_exported(_program_key(str(recipe.key), block, length)) for block in recipe.blocks)


def prove(plan: Plan) -> None:
    """Build the model, and keep its recipe on disk."""
    _recipe(plan)


def compile_ahead(plan: Plan, length: Length, held: Kept, go_on: Callable[[], None]) -> None:
    """Build the model, and compile the programs that its chains will most likely take, while another process proves.

    A program is held for its block: that of a block which turns out to need another form is never called.

    Parameters
    ----------
    held
        Where the programs go, as in :func:`sample_plan`.
    go_on
        Called before each program; raises if none is wanted any more.
    """
    from bayes.sampling.identity import model_hash
    from bayes.sampling.prepare import block_chain, likely_blocks

    model = plan.model()
    key, (core, blocks) = model_hash(model), likely_blocks(model)
    with double_precision(), Threads(1) as pool:
        for block in blocks if key else ():
            go_on()
            place = _program_key(str(key), block, length)
            exported = export_program(place, partial(block_chain, core, block, length, plan.data))
            held[block, length.tune] = pool.submit(compile_program, place, exported)


def _program_key(recipe: str, block: Block, length: Length) -> str:
    return digest(canonical([recipe, asdict(block), length.tune]))


def _core(plan: Plan, names: Sequence[str]) -> Callable[[], Core]:
    """What is sampled of a model, built when it is first asked for, once for the programs of all blocks."""
    lock = Lock()

    @once
    def built() -> Core:
        from bayes.sampling.prepare import core_named

        return core_named(plan.model(), names)

    def asked() -> Core:
        with lock:
            return built()

    return asked


def _built(
    core: Callable[[], Core], block: Block, length: Length, data: Mapping[str, np.ndarray]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    from bayes.sampling.prepare import block_chain

    return block_chain(core(), block, length, data)


def _recipe(plan: Plan, sampler: str = "numpyro") -> Recipe:
    """The recipe on disk, under the key of the plan or the hash of its model, or one made from the model and kept.

    One that is not for NUTS in JAX needs less, and is not kept.
    """
    if sampler != "numpyro" or plan.key is None:
        from bayes.sampling.prepare import recipe_of

        return recipe_of(plan.model(), by_gradient=sampler != "pymc")
    found = stored_recipe(plan.key)
    if found is None or not found.fits(plan.data):
        found = _recipe_of(plan.model(), plan.data)
        keep_recipe(found, plan.key)
    return found


def _recipe_of(model: pm.Model, data: Mapping[str, np.ndarray]) -> Recipe:
    """The recipe that is kept of a model's structure, whoever made the plan; or one made now."""
    from bayes.sampling.identity import model_hash
    from bayes.sampling.prepare import recipe_of

    key = model_hash(model)
    found = stored_recipe(key) if key else None
    if found is None or not found.fits(data):
        found = recipe_of(model)
        if found.key:
            keep_recipe(found, found.key)
    return found


def _check_arguments(length: Length, sampler: str) -> None:
    for name, value, least in (("draws", length.draws, 4), ("tune", length.tune, 1), ("chains", length.chains, 1)):
        check_whole(value, least, name)
    check_word(sampler, SAMPLERS, "there is no such sampler", key="sampler")
    if not isinstance(length.target, Real) or not 0.5 <= length.target < 1:
        raise UsageError(
            "the target acceptance is a probability", key="target_accept", found=length.target, allowed="0.5 to 1"
        )


def _check_memory(length: Length, recipe: Recipe) -> None:
    """Refuse more draws than there is memory for: JAX would end the process."""
    width = max(1, sum(block.size for block in recipe.blocks))
    needed, there = 8 * width * length.chains * (length.tune + length.draws), memory()
    if there is not None and needed > there:
        raise UsageError("these draws do not fit into the memory of this machine", key="draws", found=length.draws,
                         allowed=f"{there / 1e9:.1f} GB; they need {needed / 1e9:,.1f} GB",
                         fix="ask for fewer draws, warm-up draws or chains")  # fmt: skip


def check_model(model: pm.Model) -> None:
    """Refuse a model that cannot be sampled here.

    Raises
    ------
    UsageError
        Saying why.
    """
    if not model.basic_RVs:
        raise UsageError("this model has no random variable", found=model, fix="add one")
    if model.parent is not None:
        raise UsageError("this model is a submodel of another", found=model.name, fix="give the whole model")
    slashed = [name for name in model.named_vars if "/" in name]
    if slashed:
        raise UsageError("a name with a slash cannot stand in a DataTree or a NetCDF file", found=slashed,
                         fix="use another sign")  # fmt: skip
    labels = sorted({"chain", "draw"} & set(model.named_vars))
    if labels:
        raise UsageError("a variable has the name of a dim of all draws", found=labels,
                         fix="give it another name")  # fmt: skip


# --- Markov chains ---------------------------------------------------------------------------


def _chains(
    plan: Plan, recipe: Recipe, length: Length, rng: np.random.Generator, sampler: str, held: Kept, advance: Advance
) -> Chains:
    """Draws (chain, draw, …) of the free variables that observations bear on, and sampler statistics."""
    if not recipe.names["sampled"]:
        return Chains({}, {})
    if sampler != "numpyro":
        from bayes.sampling.others import run_other

        return run_other(plan.model(), recipe.names["sampled"], length, int(rng.integers(2**31)), sampler, advance)

    core = _core(plan, recipe.names["sampled"])

    def load(number: int) -> Program:
        block, place = recipe.blocks[number], (recipe.blocks[number], length.tune)
        if place in held:
            there = held[place]
            return cast(Program, there.result() if isinstance(there, Future) else there)
        key = _program_key(recipe.key, block, length) if recipe.key else None
        found = load_program(key, partial(_built, core, block, length, plan.data))
        if block.fixed is None:
            held[place] = found
        return found

    def total(point: Mapping[str, np.ndarray]) -> float:
        given = {name: np.asarray(value)[None] for name, value in point.items()}
        try:
            return float(sum(term[0] for term in recipe.pieces["total"]({**given, **plan.data}, None).values()))
        except (ValueError, StudyError):  # a parameter outside its range
            return -np.inf

    own = int(rng.bit_generator.seed_seq.generate_state(1)[0])  # for initial values that are drawn
    near = recipe.pieces["starts"]({**plan.data, SIZE: np.asarray(1)}, own)
    starts = {name: value[0] for name, value in near.items()}
    first = begun(recipe.blocks, starts, plan.data, length, rng, total)
    found = run_nuts(recipe.blocks, load, first, length, advance)
    flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in found.points.items()}
    return Chains(_shaped(recipe.pieces["values"]({**flat, **plan.data}, None), length), found.statistics)


# --- everything else -------------------------------------------------------------------------


def _groups(
    plan: Plan, recipe: Recipe, sampled: Mapping[str, np.ndarray], size: int, streams: Sequence[np.random.Generator]
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, str]]:
    """All groups that follow from the sampled values, arrays (draw, …) by variable; and why others are left out."""
    pieces, names, given = recipe.pieces, recipe.names, {**plan.data, SIZE: np.asarray(size)}
    seeds = [int(stream.integers(2**31)) for stream in streams]
    left = dict(recipe.left)
    after = {**sampled, **full(pieces["after"]({**sampled, **given}, seeds[0]), size)}
    rows = {"posterior": (after, "kept"), "posterior_predictive": (after, "seen")}
    if "before" in pieces:
        try:
            before = _prior(recipe, given, seeds[1], size)
            rows |= {"prior": (before, "own"), "prior_predictive": (before, "seen")}
        except (ValueError, StudyError) as error:
            left |= dict.fromkeys(("prior", "prior_predictive"), str(error).splitlines()[0])
    densities = full(pieces["densities"]({**after, **given}, None), size)
    rows |= {"log_likelihood": (densities, "observed"), "log_prior": (densities, "free")}
    found = {group: {name: values[name] for name in names[role]} for group, (values, role) in rows.items()}
    return {group: values for group, values in found.items() if values or group not in left}, left


def _prior(recipe: Recipe, given: Mapping[str, np.ndarray], seed: int, size: int) -> dict[str, np.ndarray]:
    """Draws from the prior: where a transform keeps a variable to less than its support, those inside it alone."""
    before, inside = recipe.pieces["before"], recipe.pieces.get("inside")
    within = None if inside is None else lambda drawn: inside({**drawn, **given}, None)["inside"]
    return accepted(lambda chosen: full(before(given, chosen), size), within, size, seed)


def _shaped(values: Mapping[str, np.ndarray], length: Length) -> dict[str, np.ndarray]:
    lead = (length.chains, length.draws)
    return {name: np.asarray(v).reshape(*lead, *np.shape(v)[1:]) for name, v in values.items()}


def _stamp(inputs: Mapping[str, object], seed: int, sampler: str, length: Length) -> dict[str, Any]:
    """Return attributes that say how the numbers were made; without a time, so that equal runs give equal files."""
    extra = ("nutpie", "numba") if sampler == "nutpie" else ("numba",) if sampler == "pymc" else ()
    return {"inputs": canonical(inputs), "inputs_hash": digest(canonical(inputs)), "seed": seed, "sampler": sampler,
            "draws": length.draws, "tune": length.tune, "chains": length.chains, "target_accept": length.target,
            "versions": canonical(dict(versions(extra))), "reproducible": _REPRODUCIBLE[sampler],
            "verdict": "not checked"}  # fmt: skip
