"""The effects part of the joint model solved exactly: against other exact answers, and as a check of runs."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from scipy import stats

import bayes
from bayes.heroin.model import Structure
from bayes.heroin.model.design import design, design_of
from bayes.heroin.model.structure import BIASES
from bayes.heroin.oracle import LIMIT, PRECISION, _linear, exact_effects, oracle_checks
from bayes.priortext import prior_from_text
from bayes.synthesis import LogRatios
from bayes.synthesis.exact import exact_posterior


def with_prior(study, name, text):
    prior = replace(prior_from_text(name, text, study.priors[name].unit), name=name)
    return replace(study, priors=MappingProxyType({**study.priors, name: prior}))


@pytest.mark.parametrize(
    "structure", [Structure(), Structure(drift=False), Structure(biases=("untreated",)), Structure(small_studies=True)]
)
def test_its_matrices_are_those_of_the_model(shipped_study, structure):
    """Written twice from the same rows: exactly equal, up to the order of columns."""
    ours = _linear(shipped_study, structure)
    theirs = design_of(shipped_study, structure)
    np.testing.assert_array_equal(ours.y, theirs.y)
    np.testing.assert_allclose(ours.s, theirs.s, rtol=1e-15)
    columns = [ours.names.index(name) for name in (*(f"effect: {e}" for e in theirs.effects), *theirs.terms)]
    np.testing.assert_array_equal(ours.h[:, columns], np.hstack([theirs.z, theirs.b]))


def test_without_drift_and_biases_it_is_the_one_dimensional_quadrature(shipped_study):
    """Independent rows and one scale: two codes with nothing in common but the rule agree to 1e-7 of a sd."""
    trials = tuple(replace(row, shared_arm="", shared_se=None) for row in shipped_study.rows("trials"))
    study = replace(shipped_study, evidence=MappingProxyType({**shipped_study.evidence, "trials": trials}))
    found = exact_effects(study, Structure(drift=False, biases=()))
    rows = LogRatios(
        tuple(row.row for row in trials), *(np.array([getattr(r, k) for r in trials]) for k in ("y", "se"))
    )
    exact = exact_posterior(rows, study.priors["mu_theta"], study.priors["tau_theta"]).numbers
    ours = dict(zip(found.names, zip(found.mean, found.sd, strict=True), strict=True))
    for name, other in (("mu_theta", "mu"), ("tau_theta", "tau"), ("theta_new", "theta_new")):
        mean, sd = ours[name]
        assert mean == pytest.approx(float(exact[other]["mean"]), abs=1e-5 * sd)  # PRECISION of the coarser rule
        assert sd == pytest.approx(float(exact[other]["sd"]), rel=1e-5)
    for row, mean in zip(trials, exact["theta"]["mean"], strict=True):
        assert ours[f"effect: theta: {row.study}"][0] == pytest.approx(mean, abs=1e-5)


@pytest.mark.parametrize("prior", ["HalfNormal(0.1)", "HalfNormal(0.02)", "Exponential(40)", "LogNormal(-5, 0.3)"])
def test_scales_far_from_their_prior_are_resolved(shipped_study, prior):
    """Trials in two camps, tau of 40 prior deviations and more: the one-dimensional quadrature, sure to 1e-8."""
    trials = tuple(replace(row, shared_arm="", shared_se=None, y=4.0 * (-1) ** i, se=0.1)
                   for i, row in enumerate(shipped_study.rows("trials")))  # fmt: skip
    study = replace(shipped_study, evidence=MappingProxyType({**shipped_study.evidence, "trials": trials}))
    study = with_prior(study, "tau_theta", prior)
    found = exact_effects(study, Structure(drift=False, biases=()))
    rows = LogRatios(
        tuple(row.row for row in trials), *(np.array([getattr(r, k) for r in trials]) for k in ("y", "se"))
    )
    exact = exact_posterior(rows, study.priors["mu_theta"], study.priors["tau_theta"])
    assert exact.converged
    assert found.change < PRECISION
    ours = dict(zip(found.names, zip(found.mean, found.sd, strict=True), strict=True))
    for name, other in (("mu_theta", "mu"), ("tau_theta", "tau"), ("theta_new", "theta_new")):
        sd = float(exact.numbers[other]["sd"])
        assert ours[name] == pytest.approx((float(exact.numbers[other]["mean"]), sd), abs=2e-5 * sd)


def test_common_effects_without_drift_are_one_linear_regression(shipped_study):
    """Normal rows, normal priors: the closed form of Bayesian linear regression, to rounding."""
    structure = Structure(effects="common", drift=False)
    frame = design(shipped_study.rows("trials"), [], BIASES)
    names = ("mu_theta", *frame.terms)
    x = np.hstack([frame.z.sum(axis=1, keepdims=True), frame.b])
    prior = [shipped_study.priors[name].parameters for name in names]
    precision = np.diag([p["sigma"] ** -2 for p in prior]) + x.T @ np.linalg.solve(frame.s, x)
    at = np.array([p["mu"] / p["sigma"] ** 2 for p in prior]) + x.T @ np.linalg.solve(frame.s, frame.y)
    found = exact_effects(shipped_study, structure)
    where = [found.names.index(name) for name in names]
    np.testing.assert_allclose(found.mean[where], np.linalg.solve(precision, at), rtol=1e-10)
    np.testing.assert_allclose(found.sd[where], np.sqrt(np.diag(np.linalg.inv(precision))), rtol=1e-10)


def test_the_product_rule_agrees_with_random_scales(shipped_study):
    """Scales drawn from their priors, weighted by SciPy's density of the rows; means in information form."""
    linear = _linear(shipped_study, Structure())
    rng, n = np.random.default_rng(8), 5_000
    tau = np.abs(rng.normal(size=(n, 2))) * [t.parameters["sigma"] for t in linear.taus]
    variance = np.hstack([tau**2, np.zeros((n, 1))])[:, linear.kind]
    x = linear.h @ linear.loads
    logs, means = np.empty(n), np.empty((n, len(linear.m)))
    for i in range(n):
        v = (linear.h * variance[i]) @ linear.h.T + linear.s
        logs[i] = stats.multivariate_normal(x @ linear.m, v + (x * linear.c) @ x.T).logpdf(linear.y)
        weighted = np.linalg.solve(v, x)
        precision = np.diag(1 / linear.c) + x.T @ weighted
        means[i] = np.linalg.solve(precision, linear.m / linear.c + weighted.T @ linear.y)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    assert 1 / np.sum(weights**2) > 400  # enough effective draws for the errors to be normal
    found = exact_effects(shipped_study)
    names = (*linear.names[: len(linear.m)], "tau_theta", "tau_gamma")
    for name, values in zip(names, np.hstack([means, tau]).T, strict=True):
        mean = weights @ values
        error = np.sqrt(np.sum(weights**2 * (values - mean) ** 2))
        assert abs(mean - found.mean[found.names.index(name)]) < LIMIT * error, name


def test_the_shipped_fit_agrees_with_it(shipped_fit, shipped_study):
    (made,) = oracle_checks(shipped_fit, shipped_study)
    assert made.passed, made.text
    assert 0 < made.value < LIMIT
    assert exact_effects(shipped_study).change < PRECISION


def test_draws_that_are_off_by_a_tenth_of_a_standard_deviation_fail(shipped_fit, shipped_study):
    """Some 2,000 effective draws have an error of a fiftieth of a standard deviation: a tenth is five of them."""
    wrong = shipped_fit.copy(deep=True)
    mu = wrong["posterior"]["mu_theta"]
    mu.values = mu.values - 0.1 * mu.values.std()
    (made,) = oracle_checks(wrong, shipped_study)
    assert not made.passed
    assert "mu_theta" in made.text


def test_draws_that_do_not_move_fail(shipped_fit, shipped_study):
    stuck = shipped_fit.copy(deep=True)
    stuck["posterior"]["tau_theta"].values[:] = 0.2
    assert not oracle_checks(stuck, shipped_study)[0].passed


def test_it_does_not_apply_to_other_studies_heavy_tails_or_other_families(shipped_fit, shipped_study):
    other = with_prior(shipped_study, "mu_theta", "Normal(0, 1)")
    assert oracle_checks(shipped_fit, other) == ()
    assert exact_effects(shipped_study, Structure(effects="t")) is None
    assert exact_effects(with_prior(shipped_study, "mu_theta", "Uniform(-2, 2)")) is None


def test_other_priors_of_the_scales_are_integrated_too(shipped_study):
    study = with_prior(with_prior(shipped_study, "tau_theta", "HalfCauchy(0.3)"), "tau_gamma", "Exponential(2)")
    found = exact_effects(study)
    assert found.change < PRECISION
    wide = exact_effects(with_prior(shipped_study, "tau_theta", "HalfNormal(0.8)"))
    spread = [dict(zip(f.names, f.sd, strict=True))["theta_new"] for f in (wide, exact_effects(shipped_study))]
    assert spread[0] > spread[1]  # settings that may differ twice as much leave a new programme less certain


def test_a_model_of_ones_own_has_no_such_check(shipped_study):
    import pymc as pm

    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 1)
        pm.Normal("y", mu, 1, observed=[0.3, 0.9])
    assert oracle_checks(bayes.sample(model, draws=50, tune=50, chains=2), shipped_study) == ()
