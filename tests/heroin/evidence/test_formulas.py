"""Closed forms of the parts of the model, against SciPy and against simulated people."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from bayes.heroin.evidence.ceiling import range_to_normal
from bayes.heroin.evidence.offending import share_with_none


@pytest.mark.parametrize(("people", "mean", "shape"), [(43, 40.3, 0.2), (7, 3.0, 0.9), (200, 0.5, 0.1)])
def test_the_total_of_negative_binomial_counts_is_negative_binomial(people: int, mean: float, shape: float) -> None:
    """Sum of n counts NB(mu, k) against NB(n mu, n k): a chi-squared test on ten equally likely bins."""
    rng = np.random.default_rng(1)
    rates = rng.gamma(shape, mean / shape, size=(20_000, people))
    totals = rng.poisson(rates).sum(axis=1)
    size = people * shape
    exact = stats.nbinom(size, size / (size + people * mean))
    edges = np.unique(exact.ppf(np.linspace(0.1, 0.9, 9)))
    expected = np.diff([0, *exact.cdf(edges), 1]) * len(totals)
    found = np.bincount(np.searchsorted(edges, totals), minlength=len(expected))
    assert stats.chisquare(found, expected).pvalue > 1e-4  # a false alarm once in 10,000 seeds


@pytest.mark.parametrize(("mean", "shape"), [(10.0, 0.15), (432.0, 0.35), (0.3, 5.0)])
def test_the_share_without_an_offence_is_the_zero_of_a_negative_binomial(mean: float, shape: float) -> None:
    exact = stats.nbinom(shape, shape / (shape + mean)).pmf(0)
    assert share_with_none(mean, shape) == pytest.approx(exact, rel=1e-12)  # the same number by two formulas


def test_a_large_shape_is_a_poisson() -> None:
    assert share_with_none(0.7, 1e9) == pytest.approx(math.exp(-0.7), rel=1e-6)  # k -> infinity, error mu^2 / 2k


def test_mean_stay_is_the_integral_of_the_survival(shipped_fit) -> None:
    """``lambda Gamma(1 + 1/kappa)`` against numerical integration of ``exp(-(t/lambda)^kappa)``."""
    posterior = shipped_fit["posterior"]
    for draw in (0, 400, 999):
        scale, shape, stay = (
            float(posterior[name][1, draw]) for name in ("log_retention_scale_new", "retention_shape", "mean_stay")
        )
        scale = math.exp(scale)  # of a new setting
        area, _ = integrate.quad(lambda t, a=scale, k=shape: math.exp(-((t / a) ** k)), 0, np.inf, limit=200)
        assert stay == pytest.approx(area, rel=1e-6)  # the accuracy asked of the quadrature


def test_follow_up_is_weibull_survival(shipped_fit, shipped_study) -> None:
    posterior, data = shipped_fit["posterior"], shipped_fit["constant_data"]
    settings = [row.study for row in shipped_study.rows("retention")]
    own = posterior["log_retention_scale"].sel(retention_study=settings)
    scale, shape = np.exp(own.values), posterior["retention_shape"].values[..., None]
    survival = stats.weibull_min(shape, scale=scale).sf(data["retention__years"].values)
    np.testing.assert_allclose(posterior["retention_fitted"], survival * data["retention__entered"].values, rtol=1e-10)


@pytest.mark.parametrize(("lower", "upper", "prob"), [(3e6, 9e6, 0.9), (1.0, 2.0, 0.5), (0.1, 40.0, 0.99)])
def test_a_range_becomes_the_normal_with_these_quantiles(lower: float, upper: float, prob: float) -> None:
    mean, sd = range_to_normal(lower, upper, prob)
    tail = (1 - prob) / 2
    np.testing.assert_allclose(np.exp(stats.norm(mean, sd).ppf([tail, 1 - tail])), [lower, upper], rtol=1e-9)
