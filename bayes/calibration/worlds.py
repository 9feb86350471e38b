r"""Stress: what a model says in worlds that it does not contain.

A truth :math:`\theta` is drawn from the fitted posterior and moved as a declared distortion says; data are simulated
from it, distorted too, and the model, which knows of none of this, is fitted to them. An interval covers if it holds
the target of the truth. Truths of the posterior are no draws of the prior, so that even where nothing is
wrong intervals need not cover as often as their probability says: that world stands first, for comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import checked, seed_number
from bayes.calibration.replicates import Effort, Replicates, replicated
from bayes.calibration.simulated import (
    conditioned,
    drawn_given,
    following_from,
    key_of_model,
    posterior_truths,
)
from bayes.draws import Fit, fit_from
from bayes.errors import CheckFailed, UsageError, check_word
from bayes.numbers import error_text, signed
from bayes.provenance import canonical, digest
from bayes.question import Distortion, changed
from bayes.sampling import DEFAULT_SEED
from bayes.summaries import interval, quantile_error

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    from xarray import DataArray, Dataset

__all__ = ["AS_FITTED", "PROBS", "Target", "off_by", "share", "stress"]

PROBS = (0.5, 0.95)
"""Probabilities of the equal-tailed intervals."""
AS_FITTED = "as fitted"
"""The world in which nothing is wrong."""
MOSTLY = 0.9
"""Share of positive truths from which on a median is compared by its ratio."""

_KEYS = ("median", *(f"{end}_{100 * prob:.0f}" for prob in PROBS for end in ("lower", "upper")))
"""What is kept of the target in a fit."""

type Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Target:
    """A target as a function of draws.

    Parameters
    ----------
    of
        ``posterior -> draws`` (chain, draw) of it.
    key
        Content hash of what decides the function; without one no fit is kept on disk.
    """

    of: Callable[[Dataset], DataArray]
    key: str | None = None


@checked
def stress(
    model: pm.Model, fit: Fit, distortions: Sequence[Distortion], target: str | Target, *, simulations: int = 100,
    rng: int | np.random.Generator = DEFAULT_SEED, effort: Effort = Effort(),  # noqa: B008
) -> pd.DataFrame:  # fmt: skip
    r"""Compare what a model says with the truth in worlds that differ from it.

    Parameters
    ----------
    model
        Any PyMC model with observed variables and without potentials.
    fit
        Its fit: truths are draws of the posterior, the same in all worlds.
    distortions
        Worlds (:class:`bayes.Distortion`).
    target
        A scalar variable of the posterior; or a :class:`Target`.
    simulations
        Truths, and data sets for each world. Worlds with the same data are fitted once.
    rng
        Seed or generator.
    effort
        Each of its parts is an argument too: ``draws`` and ``tune`` of each of two chains, ``jobs``, ``scheduler``,
        ``advance``.

    Returns
    -------
    DataFrame
        One row for each world, the world as fitted first: ``world, label, simulations``; ``divergent`` (fits with
        divergences, which count) and ``stuck`` (fits that found no start or did not move, which do not);
        ``coverage_50, coverage_95`` (share of equal-tailed credible intervals that hold the truth) with the binomial
        error ``mcse_…``, of Jeffreys' posterior so that it is no zero at 0 or 1; ``ratio`` and ``difference``, the
        median over simulations of posterior median over (less) truth, with its Monte Carlo error. Ratios are of the
        positive truths, and absent where fewer than nine in ten are positive.

    Raises
    ------
    CheckFailed
        If no data set of a world could be fitted.

    Examples
    --------
    >>> import pymc as pm, bayes
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 1)
    ...     _ = pm.Normal("y", mu, 1, observed=[0.3, 0.9])
    >>> fit = bayes.sample(model, draws=200, tune=200, chains=2, rng=1)
    >>> biased = bayes.Distortion(name="biased", data={"y": lambda y: y + 1})
    >>> stress(model, fit, [biased], "mu", simulations=3, draws=100, tune=200, rng=1)["world"].tolist()
    ['as fitted', 'biased']
    """
    import pandas as pd

    seed, goal = seed_number(rng), _target(target, model)
    truths = posterior_truths(model, fit_from(fit), simulations, seed)
    _check(model, truths, distortions)
    worlds = [None, *distortions]
    made = [_world(model, truths, world, seed) for world in worlds]
    true = [np.ravel(goal.of(_dataset(model, values))) for values, _ in made]
    again, slots = conditioned(model)
    data = {name: np.concatenate([seen[name] for _, seen in made]) for name in slots}
    seeds = np.tile(np.random.default_rng([seed, 1]).integers(2**63, size=simulations), len(worlds))
    known = key_of_model(again, slots)
    key = digest(canonical(["stress", known, goal.key])) if known and goal.key else None
    found = replicated(Replicates(again, slots, data, {}, seeds, partial(_said, goal), key), effort)
    parts = [found[i * simulations :][:simulations] for i in range(len(worlds))]
    return pd.DataFrame([_row(*one) for one in zip(worlds, true, parts, strict=True)])


def _target(target: str | Target, model: pm.Model) -> Target:
    if isinstance(target, Target):
        return target
    scalars = [str(v.name) for v in [*model.free_RVs, *model.deterministics] if v.ndim == 0]
    check_word(target, scalars, "there is no such scalar variable", key="target")
    return Target(partial(_variable, target), target)


def _variable(name: str, posterior: Dataset) -> DataArray:
    return posterior[name]


def _check(model: pm.Model, truths: Arrays, distortions: Sequence[Distortion]) -> None:
    """Refuse distortions of what the model does not have, and names that are taken."""
    free, seen = [v.name for v in model.free_RVs if v.name in truths], [v.name for v in model.observed_RVs]
    for one in distortions:
        for key in one.truths:
            check_word(key, free, "a truth is a free variable of the fit", key=f"{one.name}, truths")
        for key in one.data:
            check_word(key, seen, "there is no such observed variable", key=f"{one.name}, data")
    names = [AS_FITTED, *(one.name for one in distortions)]
    if len(set(names)) < len(names):
        raise UsageError("two worlds have the same name", key="distortions", found=names)


# --- worlds ----------------------------------------------------------------------------------


def _world(model: pm.Model, truths: Arrays, world: Distortion | None, seed: int) -> tuple[Arrays, Arrays]:
    """What is true in a world, and what is observed there: arrays (replicate, …) by name."""
    attempts = 1 if world is None else world.attempts
    moved = {name: _as_array(changed(change, _labelled(model, name, truths[name])), truths[name])
             for name, change in ({} if world is None else world.truths).items()}  # fmt: skip
    there = truths | moved
    there |= following_from(model, there, seed) if moved else {}
    drawn = [drawn_given(model, there, seed + i) for i in range(attempts)]
    seen = drawn[0]
    for name, change in ({} if world is None else world.data).items():
        axis = {} if attempts == 1 else {"attempt": attempts}
        stacked = np.stack([one[name] for one in drawn], axis=1) if axis else seen[name]
        found = changed(change, _labelled(model, name, stacked, *axis))
        found = found.isel(attempt=0) if "attempt" in getattr(found, "dims", ()) else found
        seen = seen | {name: _as_array(found, drawn[0][name])}
    return there, seen


def _labelled(model: pm.Model, name: str, values: np.ndarray, *more: str) -> DataArray:
    """Values (draw, …) of a variable, with its dims and their labels."""
    from xarray import DataArray

    own = model.named_vars_to_dims.get(name) or tuple(f"{name}_dim_{i}" for i in range(values.ndim - 1 - len(more)))
    dims = ("draw", *more, *map(str, own))
    coords = {dim: list(labels) for dim in dims if (labels := model.coords.get(dim)) is not None}
    return DataArray(values, dims=dims, coords=coords, name=name)


def _as_array(found: Any, before: np.ndarray) -> np.ndarray:
    """Changed values in the form they had: a count stays one."""
    values = np.asarray(found)
    if values.shape != before.shape:
        raise UsageError("a distortion keeps the shape of what it changes", key=getattr(found, "name", None),
                         found=values.shape, allowed=str(before.shape))  # fmt: skip
    return np.rint(values).astype(before.dtype) if np.issubdtype(before.dtype, np.integer) else values.astype(float)


def _dataset(model: pm.Model, truths: Arrays) -> Dataset:
    """Truths as a posterior of one chain."""
    from xarray import Dataset

    return Dataset({name: _labelled(model, name, values) for name, values in truths.items()}).expand_dims(chain=[0])


# --- what is found ---------------------------------------------------------------------------


def _said(
    goal: Target, model: pm.Model, fit: Any, truth: Mapping[str, Any], rng: np.random.Generator, kept: dict[Any, Any]
) -> list[dict[str, float]]:
    """The median of the target in a fit, and the ends of its intervals."""
    values = np.ravel(goal.of(fit["posterior"].to_dataset()))
    ends = [end for prob in PROBS for end in interval(values, prob, "eti")]
    return [dict(zip(_KEYS, [float(np.median(values)), *ends], strict=True))]


def _row(world: Distortion | None, true: np.ndarray, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Coverage, and how far the median is off, in one world."""
    fitted = [i for i, one in enumerate(found) if "rows" in one]
    name, label = (AS_FITTED, "nothing is wrong") if world is None else (world.name, world.label or world.name)
    if not fitted:
        raise CheckFailed(f"no data set of the world {name!r} could be fitted: {found[0]['failed']}")
    said, true = {key: np.array([found[i]["rows"][0][key] for i in fitted]) for key in _KEYS}, true[fitted]
    row: dict[str, Any] = {"world": name, "label": label, "simulations": len(fitted),
                           "divergent": sum(found[i]["divergences"] > 0 for i in fitted),
                           "stuck": len(found) - len(fitted)}  # fmt: skip
    for prob in (f"{100 * prob:.0f}" for prob in PROBS):
        held = (said[f"lower_{prob}"] <= true) & (true <= said[f"upper_{prob}"])
        row |= {f"coverage_{prob}": held.mean(), f"mcse_coverage_{prob}": _binomial_error(int(held.sum()), len(held))}
    up = true > 0
    ratio = _middle(said["median"][up] / true[up]) if up.mean() >= MOSTLY else (np.nan, np.nan)
    difference = _middle(said["median"] - true)
    return row | {"ratio": ratio[0], "mcse_ratio": ratio[1],
                  "difference": difference[0], "mcse_difference": difference[1]}  # fmt: skip


def _binomial_error(hits: int, count: int) -> float:
    """Standard deviation of a share under Jeffreys' posterior, Beta(hits + 1/2, misses + 1/2)."""
    share = (hits + 0.5) / (count + 1)
    return float(np.sqrt(share * (1 - share) / (count + 2)))


def _middle(values: np.ndarray) -> tuple[float, float]:
    """The median of independent numbers, and its Monte Carlo error."""
    return float(np.median(values)), quantile_error(values[None], 0.5) if len(values) > 3 else float("nan")


# --- as text ---------------------------------------------------------------------------------


def share(row: Mapping[str, Any], prob: float) -> str:
    """Write a coverage with its error.

    >>> share({"coverage_50": 0.62, "mcse_coverage_50": 0.0483}, 0.5)
    '0.62 ± 0.05'
    """
    key = f"coverage_{100 * prob:.0f}"
    return f"{row[key]:.2f} ± {max(row[f'mcse_{key}'], 0.01):.2f}"


def off_by(row: Mapping[str, Any]) -> str:
    """Write how far the median is off, with its error: as a factor, or in its unit.

    >>> off_by({"ratio": 2.96, "mcse_ratio": 0.21})
    '× 2.96 ± 0.21'
    >>> off_by({"ratio": np.nan, "difference": -3.2, "mcse_difference": 0.1})
    '−3.2 ± 0.1'
    """
    if np.isnan(row["ratio"]):
        return f"{signed(row['difference'], row['mcse_difference'])} ± {error_text(row['mcse_difference'])}"
    return f"× {row['ratio']:.2f} ± {row['mcse_ratio']:.2f}"
