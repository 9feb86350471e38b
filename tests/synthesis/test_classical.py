"""Classical numbers against those that metafor prints for the BCG trials: rma(yi, vi, data=dat.bcg), four decimals.

Viechtbauer 2010, J. Stat. Softw. 36(3): Q(12) = 152.2330, tau^2 0.3132, I^2 92.22 %, H^2 12.86, -0.7145 (0.1798);
predict: exp 0.1546 to 1.5490; method="DL": 0.3088; mods = ablat: 0.2515, -0.0291
(0.0072), tau^2 0.0764, QE(11) = 30.7331.
"""

import numpy as np
import pytest
from scipy import stats

from bayes.synthesis import LogRatios
from bayes.synthesis.classical import classical, fitted, tau2_by
from tests.synthesis.bcg import LATITUDE, bcg

PRINTED = 6e-5


def test_what_metafor_prints_of_the_bcg_trials():
    found = classical(bcg())
    assert found.q == pytest.approx(152.2330, abs=PRINTED)
    assert found.df == 12
    assert found.tau2["REML"] == pytest.approx(0.3132, abs=PRINTED)
    assert found.tau2["DL"] == pytest.approx(0.3088, abs=PRINTED)
    assert 100 * found.i2 == pytest.approx(92.22, abs=6e-3)
    assert found.h2 == pytest.approx(12.86, abs=6e-3)
    assert (found.mean, found.se) == pytest.approx((-0.7145, 0.1798), abs=PRINTED)
    assert found.interval == pytest.approx((-1.0669, -0.3622), abs=PRINTED)
    assert np.exp(found.prediction) == pytest.approx((0.1546, 1.5490), abs=PRINTED)
    assert found.common == pytest.approx(-0.4303, abs=PRINTED)  # method="FE"
    assert found.common_interval == pytest.approx((-0.5097, -0.3509), abs=PRINTED)


def test_the_interval_of_knapp_and_hartung_is_its_formula():
    """Their equation for a mean: the variance is sum w r^2 / ((k - 1) sum w), the quantile a t's with k - 1."""
    rows, found = bcg(), classical(bcg())
    w = 1 / (rows.se**2 + found.tau2["REML"])
    mean = w @ rows.y / w.sum()
    half = stats.t(12).ppf(0.975) * (w @ (rows.y - mean) ** 2 / (12 * w.sum())) ** 0.5
    assert found.knapp_hartung == pytest.approx((mean - half, mean + half), rel=1e-12)


def test_paule_and_mandel_solve_their_equation():
    """Q(tau^2) = k - 1 to rounding: 0.3181, as metafor's tests/testthat/test_misc_rma_uni.r has it by iteration."""
    rows = bcg()
    tau2 = classical(rows).tau2["PM"]
    assert tau2 == pytest.approx(0.3181, abs=PRINTED)
    w = 1 / (rows.se**2 + tau2)
    assert w @ (rows.y - w @ rows.y / w.sum()) ** 2 == pytest.approx(12, rel=1e-9)


def test_the_regression_on_latitude_is_metafors():
    rows = bcg()
    x = np.column_stack([np.ones(13), LATITUDE])
    tau2 = tau2_by("REML", rows.y, rows.se**2, x)
    at = fitted(rows.y, rows.se**2, x, tau2)
    assert tau2 == pytest.approx(0.0764, abs=PRINTED)
    assert at.beta == pytest.approx((0.2515, -0.0291), abs=PRINTED)
    assert at.covariance[1, 1] ** 0.5 == pytest.approx(0.0072, abs=PRINTED)
    assert fitted(rows.y, rows.se**2, x, 0.0).residual == pytest.approx(30.7331, abs=PRINTED)


def test_homogeneous_rows_have_no_variance_between_them():
    """Equal estimates: Q = 0, each estimator 0, I^2 0, H^2 1, and the mean that of inverse variances."""
    rows = LogRatios(tuple("abcd"), np.full(4, 0.3), np.array([0.1, 0.2, 0.3, 0.4]))
    found = classical(rows)
    assert found.q == pytest.approx(0, abs=1e-12)
    assert set(found.tau2.values()) == {0.0}
    assert (found.i2, found.h2) == (0, 1)
    assert found.se == pytest.approx(np.sum(rows.se**-2) ** -0.5)
    assert classical(LogRatios(("a",), np.ones(1), np.ones(1))) is None


PUBLISHED = {
    "10 studies of selection by interviews (p. 271)": (
        [-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232],
        [0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040],
        {"REML": 0.223, "DL": 0.277, "PM": 0.192}, 76.84, 4.32),
    "18 studies of 'desirable responding' (p. 272)": (
        [0.100, -0.162, -0.090, -0.049, -0.046, -0.010, -0.431, -0.261, 0.134, 0.019, 0.175, 0.056, 0.045, 0.103,
         0.121, -0.482, 0.290, 0.342],
        [0.016, 0.015, 0.050, 0.050, 0.032, 0.052, 0.036, 0.024, 0.034, 0.033, 0.031, 0.034, 0.039, 0.167, 0.134,
         0.096, 0.016, 0.035],
        {"REML": 0.016, "DL": 0.013, "PM": 0.010}, 32.02, 1.47),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_heterogeneity(name):
    """Viechtbauer 2005, J. Educ. Behav. Stat. 30:261, pp. 271-272, as metafor's tests hold it; his empirical Bayes
    estimate solves the equation of Paule and Mandel. Three decimals of tau^2 are printed, two of I^2 and H^2."""
    y, v, tau2, i2, h2 = PUBLISHED[name]
    found = classical(LogRatios(tuple(map(str, range(len(y)))), np.array(y), np.sqrt(v)))
    assert found.tau2 == pytest.approx(tau2, abs=6e-4)
    assert (100 * found.i2, found.h2) == pytest.approx((i2, h2), abs=6e-3)


def test_a_row_that_outweighs_all_others_leaves_no_classical_numbers():
    assert classical(LogRatios(("a", "b"), np.array([-0.3, 0.1]), np.array([1e-12, 0.2]))) is None
    assert classical(LogRatios(("a", "b"), np.array([-0.3, 0.1]), np.array([1e-3, 0.2]))).df == 1
