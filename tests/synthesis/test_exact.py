"""The one-dimensional quadrature against published numbers and closed forms."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from bayes.errors import UsageError
from bayes.priortext import prior_from_text
from bayes.quadrature import Mixture, crowded, unit_nodes
from bayes.synthesis import LogRatios
from bayes.synthesis.exact import PRECISION, exact_posterior, marginal
from tests.montecarlo import case

CASES = ("random_effects_eight_schools_posteriordb", "random_effects_eight_schools_halfnormal5",
         "random_effects_bcg_logRR_HN05")  # fmt: skip
AGREEMENT = 2e-5
"""To this the two codes behind the reference values agree."""


def rows_of(inputs):
    return LogRatios(tuple(inputs["label"]), np.array(inputs["y"], float), np.array(inputs["se"], float))


def priors_of(inputs):
    mean, sd = inputs["mu_prior"]
    return prior_from_text("mu", f"Normal({mean}, {sd})", "log ratio"), prior_from_text(
        "tau", inputs["tau_prior"], "log sd"
    )


@pytest.fixture(scope="module")
def bcg():
    return rows_of(case("random_effects_bcg_logRR_HN05")["inputs"])


@pytest.mark.parametrize("name", CASES)
def test_every_number_of_the_reference_cases(name):
    reference = case(name)
    found = exact_posterior(rows_of(reference["inputs"]), *priors_of(reference["inputs"]))
    assert found.change < PRECISION
    for quantity, numbers in reference["exact"].items():
        for key, value in numbers.items():
            ours = found.numbers[quantity].get("p_lt_0" if key == "P_lt_0" else key)
            if ours is not None:
                np.testing.assert_allclose(ours, value, rtol=AGREEMENT, err_msg=f"{quantity} {key}")


def test_restricted_likelihood_of_the_bcg_trials_peaks_where_metafor_says(bcg):
    """Viechtbauer 2010, J. Stat. Softw. 36(3), dat.bcg, ``rma(yi, vi)``: tau^2 0.3132, mu -0.7145 (0.1798).

    Under a flat prior of mu the marginal density of tau is the restricted likelihood. Tolerance: four printed decimals.
    """
    flat = prior_from_text("mu", "Normal(0, 1e4)", "log ratio")

    def minus(tau):
        return -marginal(bcg, flat, np.array([tau]))[0][0]

    best = optimize.minimize_scalar(minus, bounds=(0.1, 2), method="bounded", options={"xatol": 1e-9})
    _, mean, precision = marginal(bcg, flat, np.array([best.x]))
    assert best.x**2 == pytest.approx(0.3132, abs=6e-5)
    assert mean[0] == pytest.approx(-0.7145, abs=6e-5)
    assert precision[0] ** -0.5 == pytest.approx(0.1798, abs=6e-5)


def test_common_effect_of_the_bcg_trials_is_what_metafor_prints(bcg):
    """The same data, ``rma(yi, vi, method="FE")``: -0.4303 (0.0405), from -0.5097 to -0.3509; four printed decimals."""
    flat = prior_from_text("mu", "Normal(0, 1e4)", "log ratio")
    found = exact_posterior(bcg, flat, None).numbers["mu"]
    printed = {"mean": -0.4303, "sd": 0.0405, "q2.5": -0.5097, "q97.5": -0.3509}
    assert {key: float(found[key]) for key in printed} == pytest.approx(printed, abs=6e-5)


@pytest.mark.parametrize(
    "tau", ["HalfCauchy(1)", "HalfNormal(0.3)", "Exponential(2)", "Gamma(2, 4)", "LogNormal(-1, 1)", "Uniform(0, 3)"]
)
def test_any_prior_of_tau_against_adaptive_integration(bcg, tau):
    """SciPy's QUADPACK over tau itself, not over its prior probability; its own tolerance is 1e-10."""
    from scipy.integrate import quad

    mu, spread = prior_from_text("mu", "Normal(0, 2)", "log ratio"), prior_from_text("tau", tau, "log sd")
    from bayes.families import scipy_frozen

    prior = scipy_frozen(spread.family, spread.parameters)
    top = marginal(bcg, mu, np.array([0.55]))[0][0]

    def mass(t, power):
        return t**power * math.exp(marginal(bcg, mu, np.array([t]))[0][0] - top) * prior.pdf(t)

    total, first = (quad(mass, 0, 60, args=(power,), points=[0.3, 0.6, 1.2, 3], limit=400, epsabs=0, epsrel=1e-10)[0]
                    for power in (0, 1))  # fmt: skip
    found = exact_posterior(bcg, mu, spread)
    assert found.numbers["tau"]["mean"] == pytest.approx(first / total, rel=1e-6)  # beyond tau = 60 lies less than 1e-7
    below = quad(mass, 0, float(found.numbers["tau"]["q97.5"]), args=(0,), points=[0.3, 0.6], limit=400, epsrel=1e-10)[
        0
    ]
    assert below / total == pytest.approx(0.975, abs=1e-6)


def test_log_evidence_is_the_density_of_the_rows_under_a_prior_without_spread():
    """With a common effect ``y ~ N(m0, diag(se^2) + s0^2)``: to rounding."""
    y, se = np.array([0.3, -0.4, 1.0]), np.array([0.5, 0.2, 0.9])
    found = exact_posterior(
        LogRatios(("a", "b", "c"), y, se), prior_from_text("mu", "Normal(0.1, 0.7)", "log ratio"), None
    )
    exact = stats.multivariate_normal(np.full(3, 0.1), np.diag(se**2) + 0.49).logpdf(y)
    assert found.log_evidence == pytest.approx(exact, abs=1e-12)


def test_mixture_quantiles_invert_its_distribution_function():
    one = Mixture(np.array([0.3, 0.7]), np.array([[-2.0], [1.0]]), np.array([[0.5], [2.0]]))
    for p in (0.001, 0.3, 0.975):
        assert one.cdf(float(one.quantiles([p])[0, 0]))[0] == pytest.approx(p, abs=1e-14)  # bisected to the last bit


def test_nodes_integrate_a_prior():
    """Mean and second moment of a half-Normal in closed form, to 1e-8.

    A prior alone, without a likelihood that falls in its tail, is the worst case: its quantile function is steep at 1.
    """
    t, weights = unit_nodes(256)
    u, slope = crowded(t)
    tau, weights = stats.halfnorm(scale=0.5).ppf(u), weights * slope
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights @ tau == pytest.approx(0.5 * math.sqrt(2 / math.pi), rel=1e-8)
    assert weights @ tau**2 == pytest.approx(0.25, rel=1e-8)


@pytest.mark.parametrize(
    ("mu", "tau", "words"),
    [("Uniform(-1, 1)", "HalfNormal(1)", "Normal prior"), ("Normal(0, 1)", "Uniform(-1, 1)", "is not negative")],
)
def test_priors_without_a_quadrature_are_refused(bcg, mu, tau, words):
    with pytest.raises(UsageError, match=words):
        exact_posterior(bcg, prior_from_text("mu", mu, "log ratio"), prior_from_text("tau", tau, "log ratio"))
