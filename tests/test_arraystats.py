"""ArviZ's statistics with ranks looked up, and errors of quantiles from one sorting, are ArviZ's own, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats as arviz

from bayes.arraystats import array_stats

RNG = np.random.default_rng(20260)
SERIES = {
    "smooth": RNG.normal(size=(4, 250)),
    "odd length": RNG.standard_cauchy(size=(3, 101)),
    "rounded": RNG.normal(size=(4, 100)).round(1),
    "counts": RNG.poisson(2.0, size=(2, 100)),
    "events": RNG.random(size=(4, 100)) < 0.1,
    "an atom": np.where(RNG.random(size=(4, 100)) < 0.6, 0.0, RNG.normal(size=(4, 100))),
    "infinite": np.where(RNG.random(size=(4, 100)) < 0.1, np.inf, RNG.normal(size=(4, 100))),
    "undefined": np.where(RNG.random(size=(4, 100)) < 0.1, np.nan, RNG.normal(size=(4, 100))),
    "constant": np.full((2, 50), 1.5),
    "one draw": np.array([[3.0]]),
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_normal_scores_of_ranks(name: str) -> None:
    assert np.array_equal(array_stats._z_scale(SERIES[name]), arviz._z_scale(SERIES[name]), equal_nan=True)


@pytest.mark.parametrize("name", ["smooth", "odd length", "rounded", "an atom"])
def test_statistics_that_rest_on_them(name: str) -> None:
    values = SERIES[name]
    assert array_stats.rhat(values) == arviz.rhat(values)
    assert array_stats.ess(values) == arviz.ess(values)


@pytest.mark.parametrize("prob", [0.001, 0.025, 0.5, 2 / 3, 0.975, 1.0])
@pytest.mark.parametrize("name", SERIES)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_errors_of_quantiles(name: str, prob: float) -> None:
    for values in (SERIES[name].astype(float), SERIES[name][:1].astype(float)):
        assert np.array_equal(array_stats._mcse_quantile(values, prob), arviz._mcse_quantile(values, prob),
                              equal_nan=True)  # fmt: skip
