r"""Is the posterior computed right? Simulation-based calibration of any PyMC model.

Parameters are drawn from the prior and data from the model given them, the model is fitted to each such data set, and
the rank of the true value among thinned posterior draws is kept. Where prior, likelihood and sampler agree, ranks are
uniform on :math:`0, \dots, L` (Cook, Gelman and Rubin 2006; Talts, Betancourt, Simpson, Vehtari and Gelman 2018,
arXiv:1804.06788). Ranks of the log likelihood itself are kept too: without such a quantity a posterior that ignores the
data altogether would pass (Modrák, Moon, Kim, Bürkner, Huurre, Faltejsková, Gelman and Vehtari 2023).

It checks the computation, on the model's own terms. It cannot show that the model or its priors are true of the world.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import check_columns, checked, seed_number
from bayes.errors import CheckFailed, NoStart, UsageError, check_whole, check_word
from bayes.provenance import SCRATCH
from bayes.sampling import DEFAULT_SEED
from bayes.summaries import element_names

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    from xarray import DataTree

    from bayes.sampling.nuts import Length

__all__ = ["LOG_LIKELIHOOD", "sbc", "simulate", "uniformity"]

LOG_LIKELIHOOD = "log likelihood"
RANKS = 99
"""Thinned posterior draws a truth is ranked among: ranks run from 0 to this."""

LEVEL = 0.01
"""Chance of a false alarm over all quantities of a right model."""


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
    from bayes.sampling.forward import NotDrawable, draw_prior, light_graphs
    from bayes.sampling.partition import with_own_prior

    _check_model(model, simulations)
    seed = int(np.random.default_rng(rng).integers(2**31))
    seen = [v.name for v in model.observed_RVs]
    with light_graphs():
        try:
            found = draw_prior(model, [*with_own_prior(model), *model.observed_RVs], simulations, seed)
        except NotDrawable as error:
            raise UsageError("this model has a variable that nothing can be drawn from", found=str(error),
                             fix="give it a proper prior") from None  # fmt: skip
    return {k: v for k, v in found.items() if k not in seen}, {name: found[name] for name in seen}


@checked
def sbc(
    model: pm.Model, simulations: int = 100, *, quantities: Sequence[str] | None = None, draws: int = 500,
    tune: int = 500, rng: int | np.random.Generator = DEFAULT_SEED,
    stage: Callable[[str], AbstractContextManager[object]] = lambda name: nullcontext(),
) -> pd.DataFrame:  # fmt: skip
    """Rank true parameters among posterior draws, for data simulated from the model's own prior.

    Parameters
    ----------
    model
        Any PyMC model with observed variables and without potentials.
    simulations
        Data sets to simulate and fit.
    quantities
        Variables to rank, free or deterministic; all free variables by default. The log likelihood is always added.
    draws, tune
        Of each of two chains; the draws are thinned to 99.
    rng
        Seed or generator. ``simulate(model, simulations, rng=seed)`` gives the same truths and data.
    stage
        Called with the name of each fit; returns a context manager (for progress).

    Returns
    -------
    DataFrame
        One row for each simulation and scalar quantity: ``simulation``, ``quantity``, ``truth``, ``rank`` (number of
        draws below the truth, ties broken at random), ``draws`` (99: how many it is ranked among), ``divergences``,
        ``rhat``. Simulations whose chains found no start or did not move have no ranks; ``attrs["failed"]`` holds
        their numbers and why.

    Raises
    ------
    CheckFailed
        If no simulated data set could be fitted.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 1)
    ...     _ = pm.Normal("y", mu, 1, observed=[0.3, 0.9])
    >>> ranks = sbc(model, 3, draws=100, tune=200, rng=1)
    >>> sorted(ranks["quantity"].unique())
    ['log likelihood', 'mu']
    """
    import pandas as pd

    from bayes.sampling.fit import TARGET
    from bayes.sampling.nuts import Length

    check_whole(draws, 1, "draws")
    if 2 * draws < RANKS:
        raise UsageError("too few draws to rank a truth among", key="draws", found=draws,
                         allowed=f"{RANKS // 2 + 1} or more of each chain")  # fmt: skip
    seed = seed_number(rng)
    truths, data = simulate(model, simulations, rng=seed)
    names = _chosen(model, truths, quantities)
    again, slots = _conditioned(model)
    stream, kept = np.random.default_rng([seed, 1]), dict[str, Any]()
    rows: list[dict[str, Any]] = []
    failed: dict[int, str] = {}
    for i in range(simulations):
        for name, slot in slots.items():
            slot.set_value(data[name][i].astype(slot.dtype))
        with stage(f"fit {i + 1} of {simulations}"):
            fit = _fitted(again, Length(tune, draws, 2, TARGET), int(stream.integers(2**31)), kept)
        if isinstance(fit, str):
            failed[i] = fit
            continue
        truth = {name: values[i] for name, values in truths.items()}
        rows += [{"simulation": i, **row} for row in _ranked(again, fit, truth, names, stream, kept)]
    if not rows:
        raise CheckFailed(f"no simulated data set could be fitted: {next(iter(failed.values()))}")
    table = pd.DataFrame(rows)
    table.attrs["failed"] = failed
    return table


@checked
def uniformity(ranks: pd.DataFrame) -> pd.DataFrame:
    r"""Compare ranks with the uniform distribution, quantity by quantity.

    With :math:`u = (r + v)/(L + 1)`, :math:`v` uniform, a right posterior has :math:`u` uniform and normal scores
    :math:`z = \Phi^{-1}(u)` standard normal, so that :math:`\sqrt n\,\bar z` is standard normal and :math:`\sum z^2` is
    chi-squared with :math:`n` degrees of freedom; its probability is turned into a normal score too.

    Returns
    -------
    DataFrame
        ``quantity``, ``simulations``, ``p_value`` (Kolmogorov and Smirnov), ``z_location`` (above 0: posteriors lie too
        low), ``z_spread`` (above 0: posteriors are too narrow), ``uniform`` and ``says``: whether, and what speaks
        against it, at a level of 1 % over all three statistics of all quantities together (Bonferroni).

    Examples
    --------
    >>> import pandas as pd
    >>> ranks = pd.DataFrame({"quantity": "mu", "rank": [0, 99] * 20, "draws": 99})
    >>> uniformity(ranks)["says"].iloc[0]
    'posteriors are too narrow'
    """
    import pandas as pd
    from scipy import stats

    check_columns(ranks, ("quantity", "rank", "draws"))
    level = LEVEL / (3 * ranks["quantity"].nunique())
    limit = float(stats.norm.isf(level / 2))
    rows = []
    for name, one in ranks.groupby("quantity", sort=False):
        n = len(one)
        jitter = np.random.default_rng(n).uniform(size=n)
        u = (one["rank"].to_numpy() + jitter) / (one["draws"].to_numpy() + 1)
        z = stats.norm.ppf(u)
        p = float(stats.kstest(u, "uniform").pvalue)
        location, spread = float(np.sqrt(n) * z.mean()), _score(stats.chi2(n), float(np.sum(z**2)))
        says = _words(p < level, location, spread, limit)
        rows.append({"quantity": name, "simulations": n, "p_value": p, "z_location": location, "z_spread": spread,
                     "uniform": not says,
                     "says": says or "ranks are uniform as far as these simulations tell"})  # fmt: skip
    return pd.DataFrame(rows)


# --- pieces ----------------------------------------------------------------------------------


def _score(law: Any, value: float) -> float:
    """The normal score of a value's probability under a law, from the nearer tail."""
    from scipy import stats

    below, above = float(law.cdf(value)), float(law.sf(value))
    return float(stats.norm.ppf(below) if below < above else stats.norm.isf(above))


def _words(uneven: bool, location: float, spread: float, limit: float) -> str:
    found = []
    if abs(location) > limit:
        found.append(f"posteriors lie too {'low' if location > 0 else 'high'}")
    if abs(spread) > limit:
        found.append(f"posteriors are too {'narrow' if spread > 0 else 'wide'}")
    return "; ".join(found or (["ranks are not uniform"] if uneven else []))


def _check_model(model: pm.Model, simulations: int) -> None:
    check_whole(simulations, 1, "simulations")
    if not model.observed_RVs:
        raise UsageError("this model has no observed variable", found=model, fix="give one variable 'observed='")
    if model.potentials:
        raise UsageError("a potential has no distribution to draw from", found=[v.name for v in model.potentials],
                         fix="write it as an observed variable")  # fmt: skip


def _chosen(model: pm.Model, truths: dict[str, np.ndarray], quantities: Sequence[str] | None) -> list[str]:
    free = {v.name for v in model.free_RVs}
    for name in quantities or ():
        check_word(name, truths, "this variable has no prior to draw a truth from", key="quantities")
    return list(quantities) if quantities is not None else [name for name in truths if name in free]


def _conditioned(model: pm.Model) -> tuple[pm.Model, dict[str, Any]]:
    """A copy of the model whose observed values are data that can be set, by variable."""
    import pytensor
    from pymc.model.fgraph import clone_model
    from pytensor.compile.sharedvalue import SharedVariable
    from pytensor.graph.traversal import explicit_graph_inputs

    from bayes.sampling.partition import without_initial_values

    with without_initial_values(model):
        again = clone_model(model)
    for v in again.free_RVs:
        again.rvs_to_initial_values[v] = model.rvs_to_initial_values.get(model[v.name])
    vars(again)[SCRATCH] = vars(model).get(SCRATCH, ())
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


def _fitted(model: pm.Model, length: Length, seed: int, kept: dict[str, Any]) -> DataTree | str:
    """Return a fit, or a sentence that says why the chains are of no use."""
    from bayes.sampling.fit import plan_of_model, sample_plan

    try:
        fit = sample_plan(plan_of_model(model), length, seed, kept=kept)
    except NoStart as error:
        return error.problem
    for name in json.loads(fit.attrs["mcmc_variables"]):
        values = np.asarray(fit["posterior"][name])
        if values.size and (np.ptp(values, axis=1) == 0).all(axis=tuple(range(1, values.ndim - 1))).any():
            return f"a chain did not move: {name}"
    return fit


def _roots(value: Any) -> list[Any]:
    """Return the variables that a value was cast from, back to the first."""
    from pytensor.tensor.elemwise import Elemwise

    node = value.owner
    if node is None or not isinstance(node.op, Elemwise) or len(node.inputs) != 1:
        return []
    return [node.inputs[0], *_roots(node.inputs[0])]


def _ranked(
    model: pm.Model, fit: Any, truth: dict[str, np.ndarray], names: Sequence[str], rng: np.random.Generator,
    kept: dict[str, Any],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    from bayes.arraystats import array_stats

    posterior, free = fit["posterior"], [v.name for v in model.free_RVs if v.name in truth]
    common = {"draws": RANKS, "divergences": int(fit["sample_stats"]["diverging"].sum())}
    at = {name: np.asarray(truth[name])[None] for name in free}
    density = _likelihood(model, at, kept)
    likelihood = sum(np.sum(fit["log_likelihood"][v].values, axis=tuple(range(2, fit["log_likelihood"][v].ndim)))
                     for v in density)  # fmt: skip
    pairs = [(name, posterior[name], np.asarray(truth[name])) for name in names]
    series = [(label, array.values[(slice(None), slice(None), *i)], float(true[i]))
              for _, array, true in pairs
              for label, i in zip(element_names(array), np.ndindex(true.shape), strict=True)]  # fmt: skip
    for label, values, true in [*series, (LOG_LIKELIHOOD, likelihood, float(sum(v.sum() for v in density.values())))]:
        flat = np.ravel(values)
        thin = flat[np.linspace(0, flat.size - 1, RANKS).round().astype(int)]
        rank = int((thin < true).sum() + rng.integers(np.sum(thin == true) + 1))
        rhat = float(array_stats.rhat(values, method="rank", chain_axis=0, draw_axis=1))
        yield {"quantity": label, "truth": true, "rank": rank, **common, "rhat": rhat}


def _likelihood(model: pm.Model, at: dict[str, np.ndarray], kept: dict[str, Any]) -> dict[str, np.ndarray]:
    """Elementwise log likelihood of the model's present data at one point, by a calculation that is proved once."""
    from bayes.sampling.forward import data_of, densities
    from bayes.sampling.proof import proved

    if "likelihood" not in kept:
        kept["likelihood"] = proved(densities(model, model.observed_RVs, list(at)), at).piece
    found: dict[str, np.ndarray] = kept["likelihood"]({**at, **data_of(model)}, None)
    return found
