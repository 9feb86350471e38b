"""What is wrong with a model of the zoo: nothing, it is hoped."""

from __future__ import annotations

import json

import numpy as np
import pymc as pm

import bayes
from bayes.errors import UsageError
from bayes.sampling.prepare import recipe_of
from tests.forward import recipe_in_use
from tests.zoo.compare import after_gaps, density_gap, forward_gaps, pointwise_gaps, posterior_gaps, prior_gaps
from tests.zoo.models import PRIOR, Kind

__all__ = ["refusal", "wrong_posterior", "wrong_recipe", "wrongs"]

PRECISION = 1e-9
"""Relative difference of two evaluations of one density that rounding may explain."""


def wrongs(kind: Kind, sampler: str = "numpyro", draws: int = 4000) -> dict[str, object]:
    """What a fit has that PyMC has not: densities, forward groups, groups left out, variables."""
    model = kind.build()
    fit = bayes.sample(model, draws=draws // 2, tune=500, chains=2, rng=1, sampler=sampler)
    left, sampled = json.loads(fit.attrs.get("left_out", "{}")), json.loads(fit.attrs["mcmc_variables"])
    found: dict[str, object] = {}
    if set(left) != set(kind.left) or any(group in fit.children for group in left):
        found["left out"] = left
    if kind.sampled is not None and set(sampled) != set(kind.sampled):
        found["sampled"] = sampled
    if {v.name for v in model.unobserved_RVs} != set(fit["posterior"].data_vars):
        found["posterior"] = sorted(fit["posterior"].data_vars)
    if sampled and sampler == "numpyro" and not (gap := density_gap(model, recipe_in_use(model))) <= PRECISION:
        found["density"] = gap
    found |= {name: gap for name, gap in pointwise_gaps(model, fit).items() if not gap <= PRECISION}
    found |= {f"{n} in the posterior": p for n, p in after_gaps(model, fit, "posterior_predictive" not in left).items()}
    if not set(PRIOR) & set(left):
        found |= {f"{name} in the prior": p for name, p in prior_gaps(model, fit, draws, kind.inside).items()}
    return found


def wrong_posterior(kind: Kind, sampler: str = "numpyro") -> dict[str, float]:
    """Where the posterior is not that of ``pm.sample``, in standard errors."""
    model = kind.build()
    fit = bayes.sample(model, draws=2000, tune=1000, chains=2, rng=2, sampler=sampler, target_accept=0.95)
    moving = [v.name for v in model.free_RVs]
    careful = {"target_accept": 0.95} if sampler == "numpyro" else {}  # PyMC takes it for NUTS alone
    return posterior_gaps(model, fit, moving, **careful)


def refusal(kind: Kind) -> str:
    """What the toolkit says when it is asked to sample a model; nothing if it samples it."""
    state = np.random.get_state()[1].tolist()
    try:
        bayes.sample(kind.build(), draws=10, tune=10, chains=1)
    except UsageError as error:
        assert np.random.get_state()[1].tolist() == state
        return str(error)
    return ""


def wrong_recipe(model: pm.Model) -> dict[str, object] | str:
    """What the recipe of a model has that PyMC has not, without sampling; or why the model is refused."""
    try:
        recipe = recipe_of(model)
    except UsageError as error:
        return error.problem
    found: dict[str, object] = dict(forward_gaps(model, recipe))
    if recipe.names["sampled"] and not (gap := density_gap(model, recipe)) <= PRECISION:
        found["density"] = gap
    return found
