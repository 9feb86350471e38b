"""Simulated data: of the prior or of given truths; and models whose observed values can be set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import checked
from bayes.errors import UsageError, check_whole
from bayes.provenance import SCRATCH, canonical, digest
from bayes.sampling import DEFAULT_SEED

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

__all__ = ["conditioned", "doubled", "drawn_given", "following_from", "key_of_model", "posterior_truths", "simulate"]

type Arrays = Mapping[str, np.ndarray]


@checked
def simulate(
    model: pm.Model, simulations: int = 100, *, rng: int | np.random.Generator = DEFAULT_SEED
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Draw parameters from the prior of a model, and data given them.

    Returns
    -------
    truths, data
        Arrays (simulation, …) by name: unobserved variables, and observed ones.

    Raises
    ------
    UsageError
        If the model has no observed variable, or a potential, which nothing can be drawn from.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 1)
    ...     _ = pm.Normal("y", mu, 1, observed=[0.3, 0.9])
    >>> truths, data = simulate(model, 5, rng=1)
    >>> truths["mu"].shape, data["y"].shape
    ((5,), (5, 2))
    """
    from bayes.sampling.forward import NotDrawable, draw_prior, drawing, light_graphs
    from bayes.sampling.partition import with_own_prior
    from bayes.sampling.prepare import not_drawable

    _check_model(model, simulations)
    seed = int(np.random.default_rng(rng).integers(2**31))
    seen = [v.name for v in model.observed_RVs]
    with light_graphs():
        try:
            found = draw_prior(model, [*with_own_prior(model), *model.observed_RVs], simulations, seed)
        except (NotDrawable, ValueError) as error:
            why = (str(error).splitlines() or [type(error).__name__])[0]
            raise UsageError("this model has a variable that nothing can be drawn from",
                             found=not_drawable(drawing, model, with_own_prior(model), {}) or why,
                             fix="give it a proper prior, under which its data can be drawn") from None  # fmt: skip
    return {k: v for k, v in found.items() if k not in seen}, {name: found[name] for name in seen}


# --- of given truths -------------------------------------------------------------------------


def posterior_truths(model: pm.Model, fit: DataTree, count: int, seed: int) -> dict[str, np.ndarray]:
    """Return some draws (replicate, …) of a posterior, of the variables of a model that it holds.

    Raises
    ------
    UsageError
        If the posterior lacks a free variable that something observed depends on, or the model cannot be simulated.
    """
    from pytensor.graph.traversal import ancestors

    _check_model(model, count)
    posterior = fit["posterior"]
    behind = set(ancestors(model.observed_RVs))
    lacking = [v.name for v in model.free_RVs if v in behind and v.name not in posterior.data_vars]
    if lacking:
        raise UsageError("the fit lacks variables of this model", key="fit", found=lacking,
                         fix="give the fit of this model")  # fmt: skip
    size = posterior.sizes["chain"] * posterior.sizes["draw"]
    at = np.random.default_rng([seed, 2]).choice(size, count, replace=count > size)
    arrays = {str(name): array.transpose("chain", "draw", ...).values for name, array in posterior.data_vars.items()
              if name in model.named_vars}  # fmt: skip
    return {name: values.reshape(size, *values.shape[2:])[at] for name, values in arrays.items()}


def drawn_given(model: pm.Model, truths: Arrays, seed: int) -> dict[str, np.ndarray]:
    """Draw data (replicate, …) from the likelihood of a model at given values of its free variables."""
    from bayes.sampling.forward import drawing

    return _played(drawing(model, model.observed_RVs, _free(model, truths)), truths, seed)


def following_from(model: pm.Model, truths: Arrays, seed: int) -> dict[str, np.ndarray]:
    """Compute the Deterministics among some truths again, from the free variables among them."""
    from bayes.sampling.forward import following

    after = [v for v in model.deterministics if v.name in truths]
    return _played(following(model, after, _free(model, truths)), truths, seed) if after else {}


def _free(model: pm.Model, truths: Arrays) -> list[str]:
    return [v.name for v in model.free_RVs if v.name in truths]


def _played(calculation: Any, truths: Arrays, seed: int) -> dict[str, np.ndarray]:
    from bayes.sampling.forward import data_of, light_graphs
    from bayes.sampling.proof import proved
    from bayes.sampling.tree import SIZE, full

    size = len(next(iter(truths.values())))
    given = {name: truths[name] for name in calculation.given}
    with light_graphs():
        piece = proved(calculation, given).piece
        return full(piece({**given, **data_of(calculation.model), SIZE: np.asarray(size)}, seed), size)


# --- models whose data are set ---------------------------------------------------------------


def key_of_model(model: pm.Model, slots: Mapping[str, Any]) -> str | None:
    """Return the content hash of a model and of those of its numbers that are not set; None if it cannot be told."""
    from bayes.sampling.forward import data_of
    from bayes.sampling.identity import model_hash

    known, names = model_hash(model), {str(slot.name) for slot in slots.values()}
    data = {name: digest(value.tobytes()) for name, value in data_of(model).items() if name not in names}
    return None if known is None else digest(canonical([known, data]))


def doubled(model: pm.Model) -> tuple[pm.Model, dict[str, Any]]:
    """A copy of the model that observes everything once more, by data that can be set.

    What is observed already stays as it is, so that a fit is of both. Replications are independent of it given the
    free variables.
    """
    import pytensor
    from pytensor.tensor.random.type import RandomType

    again, slots = _copied(model), dict[str, Any]()
    for variable in list(again.observed_RVs):
        own = [pytensor.shared(np.random.default_rng(1)) if isinstance(v.type, RandomType) else v
               for v in variable.owner.inputs]  # fmt: skip
        at = variable.owner.outputs.index(variable)
        copy, name = variable.owner.clone_with_new_inputs(own).outputs[at], f"{variable.name}_again"
        values = np.asarray(again.rvs_to_values[variable].eval(), dtype=variable.dtype)
        slots[variable.name] = pytensor.shared(values, name=f"{name}_observed")
        again.register_data_var(slots[variable.name])
        again.register_rv(copy, name, observed=slots[variable.name])
    return again, slots


def _copied(model: pm.Model) -> pm.Model:
    """A copy of the model, with its own initial values and marks."""
    from pymc.model.fgraph import clone_model

    from bayes.sampling.partition import without_initial_values

    with without_initial_values(model):
        again: pm.Model = clone_model(model)
    for v in again.free_RVs:
        again.rvs_to_initial_values[v] = model.rvs_to_initial_values.get(model[v.name])
    vars(again)[SCRATCH] = vars(model).get(SCRATCH, ())
    return again


def conditioned(model: pm.Model) -> tuple[pm.Model, dict[str, Any]]:
    """A copy of the model whose observed values are data that can be set, by variable."""
    import pytensor
    from pytensor.compile.sharedvalue import SharedVariable
    from pytensor.graph.traversal import explicit_graph_inputs

    again = _copied(model)
    slots: dict[str, Any] = {}
    for variable in again.observed_RVs:
        value = again.rvs_to_values[variable]
        behind = [v for v in (value, *_roots(value)) if isinstance(v, SharedVariable)]
        if len(behind) == 1:  # data of the model, perhaps cast to whole numbers
            _check_separate(again, variable.name, behind[0])
            slots[variable.name] = behind[0]
            continue
        if list(explicit_graph_inputs([value])):
            raise UsageError("the observed value of this variable is computed from other variables",
                             found=variable.name, fix="give it data")  # fmt: skip
        data = pytensor.shared(np.asarray(value.eval(), dtype=variable.dtype), name=f"{variable.name}_simulated")
        again.register_data_var(data)
        again.rvs_to_values[variable], again.values_to_rvs[data] = data, variable
        del again.values_to_rvs[value]
        slots[variable.name] = data
    return again, slots


def _check_separate(model: pm.Model, name: str, data: Any) -> None:
    """Refuse observed values that also decide a distribution: simulated ones would be drawn from another model."""
    from pytensor.graph.traversal import ancestors
    from pytensor.tensor.shape import Shape, Shape_i

    inputs = [value for v in model.basic_RVs for value in v.owner.inputs]
    sizes = [v for v in ancestors(inputs) if v.owner and isinstance(v.owner.op, Shape | Shape_i)]
    used = [
        str(v.name)
        for v in model.basic_RVs
        if data in set(ancestors(v.owner.inputs, blockers=[*sizes, *model.basic_RVs]))
    ]
    if used:
        raise UsageError("observed values also enter a distribution, which data simulated from the model would change",
                         key=str(data.name), found=f"observed as {name}, and used by {', '.join(used)}",
                         fix="write what is computed from them as numbers, or as other pm.Data")  # fmt: skip


def _roots(value: Any) -> list[Any]:
    """Return the variables that a value was cast from, back to the first."""
    from pytensor.tensor.elemwise import Elemwise

    node = value.owner
    if node is None or not isinstance(node.op, Elemwise) or len(node.inputs) != 1:
        return []
    return [node.inputs[0], *_roots(node.inputs[0])]


def _check_model(model: pm.Model, simulations: int) -> None:
    check_whole(simulations, 1, "simulations")
    if not model.observed_RVs:
        raise UsageError("this model has no observed variable, so that no data can be simulated", key="observed",
                         found=[v.name for v in (model.potentials or model.free_RVs)],
                         fix="give one variable 'observed=', also what is now a potential")  # fmt: skip
    if model.potentials:
        raise UsageError("a potential has no distribution to draw from", found=[v.name for v in model.potentials],
                         fix="write it as an observed variable")  # fmt: skip
