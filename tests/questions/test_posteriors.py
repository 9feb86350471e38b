"""The shipped questions find what quadrature finds, and their outcomes are their formulas."""

import runpy

import numpy as np
import pytest
from scipy.stats import binom

import bayes
from bayes.outcomes import outcome_names, outcomes_of, projection_of, without
from bayes.projection import whole
from bayes.question import built
from tests.montecarlo import LIMIT, mean_z, quantile_z
from tests.questions.conftest import evidence, script, study_of
from tests.questions.oracles import bcg_posterior, expected, glm_posterior


def fitted(question, study, structure=None):
    """A fit by every default and its projection."""
    model = built(question, study, structure)
    fit = bayes.sample(without(model, outcome_names(model, question.words)))
    assert bayes.check(fit).passed
    return fit, whole(projection_of(fit, outcomes_of(model, question.words, fit), question.words))


@pytest.fixture(scope="module")
def bcg():
    question = script("bcg")["question"]
    return question, study_of(question), *fitted(question, study_of(question))


@pytest.fixture(scope="module")
def doctors():
    question = script("doctors")["question"]
    return question, study_of(question), *fitted(question, study_of(question))


def test_bcg_is_its_quadrature(bcg):
    _, study, fit, _ = bcg
    trials = evidence("bcg", "trials")
    tau = study.priors["tau"].parameters
    cases, exposed = trials.vaccinated_cases + trials.control_cases, np.log(trials.vaccinated / trials.control)
    columns = [column.values for column in (trials.vaccinated_cases, cases, exposed, trials.latitude)]
    points, weight = bcg_posterior(*columns, (tau["mu"], tau["sigma"]))
    found = fit["posterior"]
    exact = {"log_ratio": lambda a, b, t: a, "slope": lambda a, b, t: b, "tau": lambda a, b, t: t}
    for name, function in exact.items():
        assert abs(mean_z(found[name].values, expected(points, weight, function))) < LIMIT, name
    for latitude in (0, 60):
        risk = expected(points, weight, lambda a, b, t, x=latitude: np.exp(a + b * (x - 33)))
        assert abs(mean_z(found["risk_ratio"].sel(latitude=latitude).values, risk)) < LIMIT


def test_bcg_agrees_with_the_published_regression(bcg):
    """metafor's slope is -0.0291 (se 0.0072) by REML: the prior hardly matters, so means lie within half an error."""
    slope = bcg[2]["posterior"]["slope"]
    assert float(slope.mean()) == pytest.approx(-0.0291, abs=0.0072 / 2)
    assert float(slope.std()) == pytest.approx(0.0072, rel=0.25)


def test_bcg_outcomes_are_their_formula(bcg):
    """Each year's newborn, vaccinated, by the share of protection they have left in the middle of each later year."""
    _, study, fit, futures = bcg
    draw = {name: fit["posterior"][name].values[0, 7] for name in (*study.priors, "new_setting")}
    for name, plan in study.scenarios.items():
        ratio = np.exp(draw["log_ratio"] + draw["slope"] * (plan.degrees - 33) + draw["tau"] * draw["new_setting"])
        births, total = 23e6 * plan.coverage, 0.0
        for year in range(1, 11):
            total += births * np.exp(-(year - 0.5) / draw["duration"])
            averted = total * draw["incidence"] * draw["young"] / 1e5 * (1 - ratio)
            at = {"chain": 0, "draw": 7, "scenario": name, "year": year}
            assert float(futures["cases_averted"].sel(at)) == pytest.approx(averted, rel=1e-9)
            gain = draw["worth"] * averted - draw["cost"] * births
            assert float(futures["net_benefit"].sel(at)) == pytest.approx(gain, rel=1e-9)


def test_bcg_marginals_are_the_likelihood_without_the_trials_own_effect(bcg):
    """By simulation of the trial's effect: within 4 standard errors of a mean of 20,000."""
    question, study, fit, _ = bcg
    found = question.marginals(fit, study)
    row = study.rows("trials")[5]  # the narrowest but one
    draw = {name: float(fit["posterior"][name].values[1, 3]) for name in ("log_ratio", "slope", "tau")}
    z = np.random.default_rng(1).normal(size=20_000)
    logit = draw["log_ratio"] + draw["slope"] * (row.latitude - 33) + draw["tau"] * z
    logit = logit + np.log(row.vaccinated / row.control)
    each = binom.pmf(row.vaccinated_cases, row.vaccinated_cases + row.control_cases, 1 / (1 + np.exp(-logit)))
    error = each.std() / np.sqrt(len(z))
    assert np.exp(found[row.row][1, 3]) == pytest.approx(each.mean(), abs=4 * error)


@pytest.mark.parametrize("structure", [None, "same"])
def test_doctors_are_their_quadrature(doctors, structure):
    question, study, fit, _ = doctors
    if structure:
        fit, _ = fitted(question, study, structure)
    seen = evidence("doctors", "deaths")
    a = (seen.age.values - 60) / 10
    design = np.column_stack([np.ones(10), a, a**2, seen.smokers, seen.smokers * a])
    rate = study.priors["rate"].parameters
    prior = [(rate["mu"] - np.log(1000), rate["sigma"]), (0.7, 0.7), (0, 0.3), (0, 0.7), (0, 0.3)]
    count = 4 if structure else 5
    deaths, years = seen.deaths.values, seen.person_years.values
    points, weight = glm_posterior(deaths, design[:, :count], prior[:count], exposure=years)
    found = fit["posterior"]
    for i, name in enumerate(("age_slope", "age_bend", "log_ratio", "decline")[: count - 1], 1):
        assert abs(mean_z(found[name].values, float(weight @ points[:, i]))) < LIMIT, name
    assert abs(mean_z(found["rate"].values, float(weight @ np.exp(points[:, 0])) * 1000)) < LIMIT
    ratio = np.exp(points[:, 3] - (0 if structure else 2 * points[:, 4]))
    order = np.argsort(ratio)
    middle = np.interp(0.5, np.cumsum(weight[order]), ratio[order])  # at 40: of 59,049 weighted points
    assert abs(quantile_z(found["rate_ratio"].sel(age=40).values, 0.5, float(middle))) < LIMIT


def test_doctors_outcomes_are_their_formula(doctors):
    _, study, fit, futures = doctors
    draw = {name: fit["posterior"][name].values[2, 11] for name in study.priors}
    seen = evidence("doctors", "deaths").query("smokers == 1")
    a = (seen.age.values - 60) / 10
    men = 100_000 * seen.person_years.values / seen.person_years.sum()
    base = men * draw["rate"] / 1000 * np.exp(draw["age_slope"] * a + draw["age_bend"] * a**2)
    ratio = np.exp(draw["log_ratio"] + draw["decline"] * a)
    for name, plan in study.scenarios.items():
        for year in (1, 10):
            faded = 1 - 0.5 ** ((year - 0.5) / draw["half_life"])
            avoided = plan.stopping * draw["staying"] * (base * (ratio - 1)).sum() * faded
            at = {"chain": 2, "draw": 11, "scenario": name, "year": year}
            assert float(futures["deaths_avoided"].sel(at)) == pytest.approx(avoided, rel=1e-9)
            assert float(futures["share_avoided"].sel(at)) == pytest.approx(avoided / (base * ratio).sum(), rel=1e-9)
            crude = 100_000 * plan.stopping * (630 / 142_247 - 101 / 39_220)
            assert float(futures["crude_deaths"].sel(at)) == pytest.approx(crude, rel=1e-9)


def test_the_start_is_its_quadrature(start):
    question = runpy.run_path(str(start / "question.py"))["question"]
    fit, _ = fitted(question, study_of(question))
    design = np.array([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0], [1, 0, 1, 0]], float)
    level = study_of(question).priors["level"].parameters
    prior = [(level["mu"], level["sigma"]), (0, 1), (0, 0.5), (0, 1)]
    births, deaths = np.array([4010, 3556, 3754, 3219]), np.array([459, 45, 105, 43])
    points, weight = glm_posterior(deaths, design, prior, trials=births, nodes=15)
    for i, name in enumerate(("level", "gap", "drift", "washing")):
        assert abs(mean_z(fit["posterior"][name].values, float(weight @ points[:, i]))) < LIMIT, name
