"""Laws of mean and spread, Bayes factors, biases and small studies: closed forms, grids, published numbers."""

import numpy as np
import pytest
from scipy import integrate, stats

from bayes.errors import InputError
from bayes.synthesis import LogRatios
from bayes.synthesis.bias import adjusted
from bayes.synthesis.exact import exact_posterior, marginal
from bayes.synthesis.priors import mean_law, spread_law
from bayes.synthesis.sets import prior_sets
from bayes.synthesis.small_studies import regression_on_error, selection, trim_and_fill
from tests.synthesis.bcg import bcg

SPREADS = {
    "HalfStudentT(3, 0.5)": lambda t: 2 * stats.t(3, scale=0.5).pdf(t),
    "tau2 ~ InverseGamma(0.5, 0.1)": lambda t: stats.invgamma(0.5, scale=0.1).pdf(t**2) * 2 * t,
    "log tau2 ~ Normal(-2.34, 1.62)": lambda t: stats.norm(-2.34, 1.62).pdf(2 * np.log(t)) * 2 / t,
    "rhodes": lambda t: stats.t(5, -3.44, 2.59).pdf(2 * np.log(t)) * 2 / t,
    "turner: all-cause; pharmacological vs placebo": lambda t: stats.norm(-3.95, 1.34).pdf(2 * np.log(t)) * 2 / t,
    "flat": lambda t: 1.0,
}  # fmt: skip


@pytest.mark.parametrize("text", SPREADS)
def test_any_law_of_the_spread_against_adaptive_integration(text):
    rows, mu = bcg(), mean_law("Normal(0, 2)")
    top = marginal(rows, mu, np.array([0.55]))[0][0]

    def mass(t, power):
        return t**power * np.exp(marginal(rows, mu, np.array([t]))[0][0] - top) * SPREADS[text](t)

    total, first = (integrate.quad(mass, 1e-9, 20, args=(power,), points=[0.3, 0.6, 1.2, 3], limit=200)[0]
                    for power in (0, 1))  # fmt: skip
    found = exact_posterior(rows, mu, spread_law(text), trials=False)
    assert found.converged
    assert found.numbers["tau"]["mean"] == pytest.approx(first / total, rel=1e-5)


def test_a_t_prior_of_the_mean_against_adaptive_integration():
    rows = LogRatios(("a", "b"), np.array([1.5, 2.2]), np.array([0.5, 0.6]))
    found = exact_posterior(rows, mean_law("StudentT(3, 0, 0.4)"), None)

    def mass(m, power):
        return m**power * stats.t(3, 0, 0.4).pdf(m) * np.prod(stats.norm(m, rows.se).pdf(rows.y))

    total, first = (integrate.quad(mass, -20, 20, args=(power,), points=[0, 1.8])[0] for power in (0, 1))
    assert float(found.numbers["mu"]["mean"]) == pytest.approx(first / total, rel=1e-6)
    assert found.log_evidence == pytest.approx(np.log(total), abs=1e-6)


@pytest.mark.parametrize("text", ["Normal(0)", "HalfStudentT(3)", "tau2 ~ InverseGamma(-1, 1)", "Normal(0, 1)",
                                  "turner: x", "turner: pain", "0.5*Normal(0, 1)"])  # fmt: skip
def test_what_is_no_law_of_a_spread_is_refused(text):
    with pytest.raises(InputError):
        spread_law(text)


def test_bayes_factors_of_a_common_effect_are_the_closed_form():
    rows = LogRatios(("a", "b", "c"), np.array([-0.5, -0.2, -0.9]), np.array([0.2, 0.3, 0.4]))
    table = prior_sets(rows, {"one": ("Normal(0, 0.5)", "HalfNormal(1e-7)"), "two": ("flat", "HalfNormal(0.5)")})
    s = np.diag(rows.se**2)
    logs = [stats.multivariate_normal(np.zeros(3), v).logpdf(rows.y) for v in (s + 0.25, s)]
    assert table["bayes_factor"].iloc[0] == pytest.approx(np.exp(logs[0] - logs[1]), rel=1e-5)
    assert table["bayes_factor"].iloc[3:].isna().all()  # a flat prior has none


def test_biases_shift_widen_and_scale():
    rows = LogRatios(("a", "b"), np.array([-0.5, -0.4]), np.array([0.3, 0.2]))
    less = adjusted(rows, {"internal": np.array([-0.1, 0]), "external_sd": np.array([0.4, 0]),
                           "proportional": np.array([1, 0.5])})  # fmt: skip
    assert less.y == pytest.approx([-0.4, -0.8])
    assert less.se == pytest.approx([0.5, 0.4])


def test_the_regression_on_the_error_is_eggers():
    """The slope on s in y = a + b s is the intercept of the regression of y / s on 1 / s, by SciPy."""
    rows = bcg()
    line = stats.linregress(1 / rows.se, rows.y / rows.se)
    slope, se, _, p = regression_on_error(rows.y, rows.se)
    assert (slope, se) == pytest.approx((line.intercept, line.intercept_stderr), rel=1e-9)
    assert p == pytest.approx(2 * stats.t(11).sf(abs(line.intercept / line.intercept_stderr)), rel=1e-9)


def test_trim_and_fill_of_the_bcg_trials_is_metafors():
    """trimfill(rma(yi, vi, data=dat.bcg)): one study on the right, mean -0.6571; four decimals."""
    filled, side, mean, interval = trim_and_fill(bcg().y, bcg().se)
    assert (filled, side) == (1, "right")
    assert mean == pytest.approx(-0.6571, abs=6e-5)
    assert sum(interval) / 2 == pytest.approx(mean)


def test_an_even_funnel_has_nothing_to_fill():
    y = np.array([-0.4, -0.2, 0.0, 0.2, 0.4])
    assert trim_and_fill(y, np.array([0.4, 0.2, 0.1, 0.2, 0.4]))[0] == 0


def test_without_selection_the_weight_function_is_the_plain_synthesis():
    """All studies significant and far from the step: publication was sure, and mu is that of the quadrature."""
    rows = LogRatios(tuple("abcdef"), np.array([-0.9, -1.1, -1.0, -0.8, -1.2, -1.0]), np.full(6, 0.02))
    mu, tau = mean_law("Normal(0, 2)"), spread_law("HalfNormal(0.5)")
    found, plain = selection(rows, mu, tau), exact_posterior(rows, mu, tau, trials=False)
    assert found.numbers["mu"]["mean"] == pytest.approx(float(plain.numbers["mu"]["mean"]), abs=0.002)
    assert found.bayes_factor == pytest.approx(1, abs=0.05)


def test_selection_pulls_to_none_where_only_the_significant_are_there():
    y = np.array([-0.41, -0.62, -0.83, -0.45, -1.05, -0.3])
    rows = LogRatios(tuple("abcdef"), y, np.abs(y) / 2.1)
    mu, tau = mean_law("Normal(0, 2)"), spread_law("HalfNormal(0.5)")
    found = selection(rows, mu, tau)
    assert (
        found.numbers["mu"]["mean"] > float(exact_posterior(rows, mu, tau, trials=False).numbers["mu"]["mean"]) + 0.05
    )
    assert found.bayes_factor > 1


TABLES = {
    "turner": (-2.56, 1.74), "turner: subjective; non-pharmacological vs. pharmacological": (-1.67, 1.25),
    "turner: internal; non-pharmacological vs. placebo": (-2.93, 1.92),
    "turner: adverse; non-pharmacological vs. non-pharmacological": (-1.43, 1.45),
    "turner 2012: mortality; pharmacological vs placebo": (-4.06, 1.45),
    "Turner (2012): semi; non-pharmacological": (-2.89, 1.91),
    "turner2012: subjective; pharmacological vs. pharmacological": (-2.34, 1.62),
    "rhodes": (-3.44, 2.59), "rhodes: mental health; non-pharmacological": (-3.85, 1.93),
    "rhodes: biological; pharmacological vs. pharmacological": (-3.68, 2.78),
}  # fmt: skip


@pytest.mark.parametrize("text", TABLES)
def test_published_laws_are_those_of_their_tables(text):
    """Turner et al. 2015, Table IV and p. 993; Rhodes et al. 2015, Table 3 and Section 3.3: the whole tables were
    compared with those that two packages of others carry (bayesmeta, rnmamod); those of Turner
    et al. 2012 with GeMTC's alone."""
    assert tuple(spread_law(text).law.parameters.values())[-2:] == TABLES[text]


@pytest.mark.parametrize("text", ["turner 2012", "turner 2012: pain; pharmacological vs. placebo"])
def test_the_table_of_2012_has_three_sorts_of_outcome_and_no_general_prior(text):
    with pytest.raises(InputError, match="all-cause mortality, semi-objective, subjective"):
        spread_law(text)


def test_prior_sets_of_rows_of_one_study_have_their_spread():
    rows = LogRatios(tuple("abcd"), np.array([-0.5, 0.1, -0.9, -0.2]), np.full(4, 0.2), study=("A", "A", "B", "C"))
    found = prior_sets(rows, {"one": ("Normal(0, 2)", "HalfNormal(0.5)")}, spread_law("HalfNormal(0.5)"))
    exact = exact_posterior(rows, mean_law("Normal(0, 2)"), spread_law("HalfNormal(0.5)"), trials=False,
                            omega=spread_law("HalfNormal(0.5)"))  # fmt: skip
    assert found["estimate"].iloc[0] == pytest.approx(float(exact.numbers["mu"]["q50"]), rel=1e-12)
