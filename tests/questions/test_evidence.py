"""The shipped evidence is what was published: regressions on it give the printed numbers."""

import numpy as np
import pytest

from tests.questions.conftest import evidence
from tests.questions.oracles import poisson_regression, reml


def test_bcg_trials_give_the_regression_that_metafor_prints():
    """metafor, rma(yi, vi, mods = ~ ablat, data = dat.bcg), log risk ratios, REML; pooled: rma(…, method = "EE")."""
    trials = evidence("bcg", "trials")
    treated, control = trials.vaccinated_cases, trials.control_cases
    y = np.log(treated / trials.vaccinated / (control / trials.control))
    variance = 1 / treated - 1 / trials.vaccinated + 1 / control - 1 / trials.control
    (a, b), (error_a, error_b), tau2 = reml(y.values, variance.values, trials.latitude.values)
    found = [round(float(value), 4) for value in (a, error_a, b, error_b, np.sqrt(tau2))]
    assert found == [0.2515, 0.2491, -0.0291, 0.0072, 0.2763]
    assert round(np.average(y, weights=1 / variance), 4) == -0.4303


def test_doctors_give_the_rate_ratios_that_stata_prints():
    """Stata, poisson deaths smokes i.agecat, exposure(pyears) irr: every printed digit."""
    seen = evidence("doctors", "deaths")
    ages = np.unique(seen.age)
    design = np.column_stack([seen.smokers, *(seen.age == age for age in ages)]).astype(float)
    b, errors = poisson_regression(seen.deaths.values, seen.person_years.values, design)
    assert np.exp(b[0]) == pytest.approx(1.425519, abs=5e-7)
    assert np.exp(b[0]) * errors[0] == pytest.approx(0.1530638, abs=5e-8)
    assert np.exp(b[2:] - b[1]) == pytest.approx([4.410584, 13.8392, 28.51678, 40.45121], rel=1e-6)


def test_doctors_give_the_regression_that_dobson_prints():
    """Dobson and Barnett, An Introduction to Generalized Linear Models, 3rd ed. (2008), ch. 9: age groups 1 to 5."""
    seen = evidence("doctors", "deaths")
    group = (seen.age.values - 30) / 10
    design = np.column_stack([np.ones(10), group, group**2, seen.smokers, seen.smokers * group])
    b, errors = poisson_regression(seen.deaths.values, seen.person_years.values, design)
    assert b[1:].round(3).tolist() == [2.376, -0.198, 1.441, -0.308]
    assert errors[1:].round(3).tolist() == [0.208, 0.027, 0.372, 0.097]
