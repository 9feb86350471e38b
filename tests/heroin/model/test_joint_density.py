"""The joint density of the PyMC model equals one written here in NumPy and SciPy, from the model's description alone.

The oracle reads the CSV files itself and shares no code with the package but the declared parameters of the priors.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from scipy import special, stats

from bayes.sampling.forward import NUMPY
from tests.forward import draw

Values = Mapping[str, Any]

FAMILIES = {
    "Normal": lambda p: stats.norm(p["mu"], p["sigma"]),
    "LogNormal": lambda p: stats.lognorm(p["sigma"], scale=math.exp(p["mu"])),
    "ShiftedLogNormal": lambda p: stats.lognorm(p["sigma"], scale=math.exp(p["mu"])),  # of the excess over the shift
    "HalfNormal": lambda p: stats.halfnorm(scale=p["sigma"]),
    "Beta": lambda p: stats.beta(p["alpha"], p["beta"]),
}
BIAS = {"prevalence": "bias_prevalence", "composite": "bias_composite", "completers": "bias_completers",
        "untreated": "bias_untreated", "odds": "bias_odds"}  # fmt: skip
CHANGE_BIAS = {"prevalence": "bias_change_prevalence", "odds": "bias_change_odds"}


def rows(study: Any, table: str) -> list[dict[str, str]]:
    with (study.folder / "evidence" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["use"] == "likelihood"]


def log_priors(study: Any, at: Values) -> float:
    total = 0.0
    for name, prior in study.priors.items():
        if name == "slope_small_studies":
            continue  # a structure that is off
        key = f"{name}_excess" if prior.family == "ShiftedLogNormal" else name
        total += float(FAMILIES[prior.family](prior.parameters).logpdf(at[key]))
    return total


def log_offending(study: Any, at: Values) -> float:
    found = rows(study, "offending")
    studies = list(dict.fromkeys(row["study"] for row in found))
    total = 0.0
    for j, name in enumerate(studies):
        population = next(row["population"] for row in found if row["study"] == name)
        offset = 0.0 if population == "refractory" else at[f"offset_{population}"]
        centre = math.log(at["offences_per_user_year"]) + offset
        total += stats.norm(centre, at["sigma_study"]).logpdf(at["log_study_mean"][j])
    for row in found:
        rate = math.exp(at["log_study_mean"][studies.index(row["study"])])
        total += log_offending_row(row, rate, at)
    return total


def log_offending_row(row: dict[str, str], rate: float, at: Values) -> float:
    days = float(row["days"] or 365.25)
    k, mu, value = at["shape_month"] if days < 100 else at["shape_year"], rate * days / 365.25, float(row["value"])
    if row["measure"] == "total":
        n = float(row["persons"])
        return float(stats.nbinom(n * k, k / (k + mu)).logpmf(value))
    none = (k / (k + mu)) ** k
    if row["measure"] == "any":
        return float(stats.binom(int(row["persons"]), 1 - none).logpmf(value))
    if row["measure"] == "log_mean":
        return float(stats.norm(math.log(rate), float(row["se"])).logpdf(math.log(value)))
    return float(stats.norm(special.logit(1 - none), float(row["se"])).logpdf(special.logit(value)))


def log_effects(study: Any, at: Values) -> float:
    """Rows of one study share its theta or its gamma; rows of one arm share part of their error."""
    contrasts = [(row, True, False, -1.0) for row in rows(study, "trials")]
    changes = [(row, row["arm"] == "heroin", True, 1.0) for row in rows(study, "prepost")]
    found = contrasts + changes
    y = [float(row["y"]) for row, *_ in found]
    mean, cov = np.zeros(len(y)), np.zeros((len(y), len(y)))
    for i, (row, theta, gamma, sign) in enumerate(found):
        names = [CHANGE_BIAS.get(row["outcome"])] if gamma else [BIAS.get(row["outcome"]), BIAS.get(row["design"])]
        mean[i] = theta * at["mu_theta"] + gamma * at["mu_gamma"] + sum(at[name] for name in names if name)
        for j, (other, other_theta, other_gamma, other_sign) in enumerate(found):
            if row["study"] == other["study"]:
                cov[i, j] += (theta and other_theta) * at["tau_theta"] ** 2 + (gamma and other_gamma) * at[
                    "tau_gamma"
                ] ** 2
            if i == j:
                cov[i, j] += float(row["se"]) ** 2
            elif row["shared_arm"] and row["shared_arm"] == other["shared_arm"]:
                cov[i, j] += sign * other_sign * float(row["shared_se"]) * float(other["shared_se"])
    new = stats.norm(at["mu_theta"], at["tau_theta"]).logpdf(at["theta_new"])
    new += stats.norm(at["mu_gamma"], at["tau_gamma"]).logpdf(at["gamma_new"])
    return float(stats.multivariate_normal(mean, cov).logpdf(y) + new)


def log_delivery(study: Any, at: Values) -> float:
    total = stats.norm(at["mu_coverage"], at["tau_coverage"]).logpdf(at["logit_coverage_new"])
    for c, row in enumerate(rows(study, "coverage")):
        logit = at["logit_coverage"][c]
        total += stats.norm(at["mu_coverage"], at["tau_coverage"]).logpdf(logit)
        total += stats.binom(int(row["clients"]), special.expit(logit)).logpmf(int(row["patients"]))
    limited = at["supply_limited"]
    total += math.log(limited if at["supply_limits"] else 1 - limited)
    kept, shape = rows(study, "retention"), at["retention_shape"]
    total += stats.norm(math.log(at["retention_scale"]), at["sigma_retention"] / shape).logpdf(
        at["log_retention_scale_new"]
    )
    hazard = -shape * math.log(at["retention_scale"])  # log of the hazard summed up to one year
    scales = {}
    for j, name in enumerate(dict.fromkeys(row["study"] for row in kept)):
        size = sum(float(row["entered"]) for row in kept if row["study"] == name)
        w, x = size / (size + 100), at["retention_setting"][j]
        total += stats.norm(w * hazard, at["sigma_retention"] ** w).logpdf(x)
        scales[name] = math.exp(-(hazard + at["sigma_retention"] ** (1 - w) * (x - w * hazard)) / shape)
    for row in kept:
        stays = stats.weibull_min(shape, scale=scales[row["study"]]).sf(float(row["years"]))
        total += stats.binom(int(row["entered"]), stays).logpmf(int(row["retained"]))
    return float(total)


def log_ceiling(study: Any, at: Values) -> float:
    users = study.priors["population"].parameters["shift"] + at["population_excess"]
    crimes = at["countable_share"] * at["offences_per_user_year"] * math.exp(at["offset_all_users"]) * users
    total = 0.0
    for row in rows(study, "ceiling"):
        low, high = math.log(float(row["lower"])), math.log(float(row["upper"]))
        sd = (high - low) / (2 * stats.norm.ppf((1 + float(row["prob"])) / 2))
        total += stats.norm(math.log(crimes), sd).logpdf((low + high) / 2)
    return float(total)


def log_scratch(at: Values) -> float:
    return float(stats.norm.logpdf(at["_effect_z"]).sum() + stats.norm.logpdf(at["_row_z"]).sum())


@pytest.fixture(scope="module")
def points(shipped_model) -> list[dict[str, np.ndarray]]:
    """Eight draws from the prior: far from each other and from the data."""
    free = draw(shipped_model, shipped_model.free_RVs, {}, 8, np.random.default_rng(7))
    return [{name: values[i] for name, values in free.items()} for i in range(8)]


def test_the_joint_density_is_that_of_the_description(shipped_study, shipped_model, points) -> None:
    """To 1e-9 relative: both sides are sums of some 60 logarithms in double precision."""
    plain = remove_value_transforms(shipped_model)
    density = plain.compile_logp(jacobian=False, sum=False, mode=NUMPY)
    parts = (log_priors, log_offending, log_effects, log_delivery, log_ceiling)
    for at in points:
        expected = sum(part(shipped_study, at) for part in parts) + log_scratch(at)
        assert sum(float(np.sum(term)) for term in density(at)) == pytest.approx(expected, rel=1e-9)


def test_every_part_moves_the_density(shipped_study, points) -> None:
    """The oracle itself is no constant: each part differs between points."""
    for part in (log_priors, log_offending, log_effects, log_delivery, log_ceiling):
        assert np.ptp([part(shipped_study, at) for at in points]) > 0.1


def test_densities_of_draws_are_those_of_pymc(shipped_model, shipped_fit) -> None:
    """``log_prior`` and ``log_likelihood`` against PyMC's own functions on the same draws, to rounding."""
    import arviz_base
    import pymc as pm

    posterior = shipped_fit["posterior"].to_dataset().isel(draw=slice(0, 5))
    names = [v.name for v in shipped_model.free_RVs if not v.name.startswith("_")]
    own = {name: shipped_fit["log_prior"][name].isel(draw=slice(0, 5)) for name in names}
    scratch = {name: np.zeros((4, 5, len(shipped_model.coords[dim]))) for name, dim in
               (("_effect_z", "group_effect"), ("_row_z", "effect_row"))}  # fmt: skip
    tree = arviz_base.from_dict({"posterior": {name: posterior[name].values for name in names} | scratch})
    kwargs = {"progressbar": False, "compile_kwargs": {"mode": NUMPY}}
    prior = pm.stats.compute_log_prior(tree, var_names=names, model=shipped_model, extend_inferencedata=False, **kwargs)
    likelihood = pm.stats.compute_log_likelihood(tree, model=shipped_model, extend_inferencedata=False, **kwargs)
    for name in names:
        np.testing.assert_allclose(own[name], prior[name], rtol=1e-9, err_msg=name)
    for name in shipped_fit["log_likelihood"].data_vars:
        ours = shipped_fit["log_likelihood"][name].isel(draw=slice(0, 5))
        np.testing.assert_allclose(ours, likelihood[name], rtol=1e-9, err_msg=str(name))


def test_the_prior_group_holds_nothing_that_depends_on_data(shipped_model, shipped_fit) -> None:
    only_after = set(shipped_fit["posterior"].data_vars) - set(shipped_fit["prior"].data_vars)
    assert only_after == {"effect", "log_ratio_fitted"}  # recovered from the data after collapsing


def test_collapsing_leaves_the_number_of_sampled_variables_small(shipped_fit) -> None:
    import json

    sampled = set(json.loads(shipped_fit.attrs["mcmc_variables"]))
    assert not sampled & {"effect", "theta_new", "gamma_new", "occupancy", "targeting_strength", "fidelity"}
    assert {"mu_theta", "tau_theta", "mu_gamma", "tau_gamma", "offences_per_user_year", "countable_share"} <= sampled
