"""Tipping points, budgets and conflict against closed forms and reference cases."""

from __future__ import annotations

import ast

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayes.errors import UsageError
from bayes.sensitivity import Change, Lever, Source, Step, budget, conflict, predictive_p, tipping
from tests.sensitivity.cases import CASES, SIGMAS

SHAPE = (4, 2000)
X = np.random.default_rng(1).normal(1.0, 1.0, SHAPE)


def test_tipping_point_of_a_shift() -> None:
    lever = Lever("the shift", "units", -4, 4, lambda v: (X + v, None), current=0)
    table = tipping(X, [lever], threshold=0.0).set_index("probability")
    exact = {0.95: stats.norm.ppf(0.95) - 1, 0.5: -1.0}  # P(x + v > 0) = Phi(1 + v)
    for level, value in exact.items():
        rows = table.loc[[level]]
        row = rows[rows["question"].str.startswith("probability of ")].iloc[0]
        assert abs(row["value"] - value) < SIGMAS * row["mcse"]
        assert (row["method"], row["confirmed"]) == ("projected", "exact")
    halves = table[table["question"].str.startswith("median")].iloc[0]
    assert abs(halves["value"] + 0.5) < SIGMAS * halves["mcse"]


def test_tipping_point_of_a_reweighted_lever_is_confirmed_by_a_fit() -> None:
    def weights(v: float) -> tuple[None, np.ndarray]:
        return None, v * X  # N(1, 1) to N(1 + v, 1)

    lever = Lever(
        "the mean",
        "units",
        -1.5,
        1.5,
        weights,
        current=0,
        refit=lambda v: np.random.default_rng(2).normal(1 + v, 1, SHAPE),
    )
    row = tipping(X, [lever], threshold=0.0, levels=[0.5], confirm=True).iloc[0]
    assert abs(row["value"] + 1) < SIGMAS * row["mcse"]
    assert (row["method"], row["confirmed"]) == ("reweighted", "yes")
    assert "confirmed by a fit" in row["sentence"]
    unasked = tipping(X, [lever], threshold=0.0, levels=[0.5]).iloc[0]
    assert (unasked["confirmed"], np.isnan(unasked["refitted"])) == ("not asked", True)
    allowed = SIGMAS * np.hypot(
        row["mcse_refitted"], row["mcse"] * stats.norm.pdf(0)
    )  # both the root's error and the fit's
    assert abs(row["refitted"] - 0.5) < allowed


def test_a_fit_that_disagrees_is_reported() -> None:
    def elsewhere(value: float) -> np.ndarray:
        return np.random.default_rng(2).normal(0.5, 1, SHAPE)

    lever = Lever("the mean", "units", -1.5, 1.5, lambda v: (None, v * X), current=0, refit=elsewhere)
    row = tipping(X, [lever], threshold=0.0, levels=[0.5], confirm=True).iloc[0]
    assert row["confirmed"] == "no"
    assert abs(row["refitted"] - stats.norm.cdf(0.5)) < SIGMAS * row["mcse_refitted"]
    assert "not confirmed: a fit there gives" in row["sentence"]


@pytest.mark.parametrize(
    ("stamp", "words"),
    [({"rhat": 1.3, "divergences": 0}, "R-hat 1.30"), ({"rhat": 1.0, "divergences": 7}, "7 divergent transitions")],
)
def test_a_fit_that_fails_its_checks_confirms_nothing(stamp: dict[str, float], words: str) -> None:
    def broken(value: float) -> xr.DataArray:
        x = np.random.default_rng(2).normal(1 + value, 1, SHAPE)  # the right answer, from chains not to be trusted
        return xr.DataArray(x, dims=("chain", "draw"), attrs=stamp)

    lever = Lever("the mean", "units", -1.5, 1.5, lambda v: (None, v * X), current=0, refit=broken)
    row = tipping(X, [lever], threshold=0.0, levels=[0.5], confirm=True).iloc[0]
    assert row["confirmed"] == "unreliable"
    assert words in row["doubts"]
    assert "failed its own checks" in row["sentence"]
    assert words in row["sentence"]
    assert "; confirmed" not in row["sentence"]


def test_a_lever_that_never_tips_says_so() -> None:
    idle = Lever("nothing", "", 0, 1, lambda v: (X, None), current=0.5)
    table = tipping(X, [idle])
    assert len(table) == 1  # no threshold is assumed: only the median is asked about
    assert np.isnan(table["value"].iloc[0])
    assert "at no value of nothing" in table["sentence"].iloc[0]
    with pytest.raises(UsageError, match="range of a lever"):
        tipping(X, [Lever("empty", "", 1, 1, lambda v: (X, None))])


def test_budget_of_independent_sources() -> None:
    z = np.random.default_rng(3).normal(size=(3, *SHAPE))
    table = budget([Step("a", z[0]), Step("b", z[0] + z[1]), Step("c", z[0] + z[1] + 2 * z[2])])
    widths = 2 * stats.norm.ppf(0.975) * np.sqrt([1, 2, 6])
    for i, exact in enumerate(np.diff(widths), start=1):
        assert abs(table["width_added"].iloc[i] - exact) < SIGMAS * table["mcse_width_added"].iloc[i]
    np.testing.assert_allclose(
        table["width"].diff().iloc[1:], table["width_added"].iloc[1:], rtol=1e-9
    )  # the bridge adds up


def test_levels_of_a_budget_have_errors_of_their_own() -> None:
    """A level is as uncertain as the draws it rests on, however little the step before it differs."""
    z = np.random.default_rng(3).normal(size=SHAPE)
    table = budget([Step("a", z), Step("b", 1.001 * z)])
    for _, row in table.iterrows():
        scale = 1.0 if row["step"] == 0 else 1.001
        exact = scale * stats.norm.ppf([0.5, 0.025, 0.975])
        for name, value in zip(("median", "lower", "upper"), exact, strict=True):
            assert abs(row[name] - value) < SIGMAS * row[f"mcse_{name}"]
        assert row["mcse_median"] == pytest.approx(np.sqrt(np.pi / 2 / z.size), rel=0.2)  # the density is estimated
        assert row["mcse_width"] > row["mcse_upper"]
    assert table["mcse_width_added"].iloc[1] < table["mcse_width"].iloc[1] / 100  # the draws are the same


def test_a_budget_says_where_its_weights_are_not_relied_on() -> None:
    z = np.random.default_rng(3).normal(size=SHAPE)
    notes = budget([Step("a", z), Step("b", z, 0.1 * z, "near"), Step("c", z, 0.35 * z**2, "far")])["note"].tolist()
    assert notes[:2] == ["", "near"]
    assert notes[2].startswith("far; reweighted with a k-hat above")


def test_gamma_poisson_conflict() -> None:
    case = CASES["gamma_poisson_conflict"]
    shape, count, years = 0.35**-2, case["inputs"]["count"], case["inputs"]["person_years"]
    rate = stats.gamma(shape, scale=432 / shape).ppf((np.arange(40_000) + 0.5) / 40_000).reshape(4, -1)
    below = np.stack([stats.poisson(rate * years).cdf(count - 1), stats.poisson(rate * years).cdf(count)], axis=-1)
    found = predictive_p(below)
    # 40,000 strata of the prior: a step of probability within one stratum errs by at most half of 1 / 40,000
    assert found["p_at_most"] == pytest.approx(case["expected"]["prior_predictive_P_le"], abs=1.3e-5)
    assert found["p"] == pytest.approx(case["expected"]["two_sided"], abs=2.6e-5)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("normal_normal")])
def test_boxs_check_of_normal_data(name: str) -> None:
    case = CASES[name]
    assert name == f"normal_normal_{ast.literal_eval(name.removeprefix('normal_normal_'))}"
    (mean, sd), (y, se) = case["inputs"]["prior"], case["inputs"]["data"]
    theta = stats.norm(mean, sd).ppf((np.arange(40_000) + 0.5) / 40_000).reshape(4, -1)
    below = np.repeat(stats.norm.cdf((y - theta) / se)[..., None], 2, axis=-1)
    assert predictive_p(below)["p"] == pytest.approx(case["expected"]["box_p"], abs=5e-5)  # strata of the prior's tails


def test_pull_of_a_source() -> None:
    """Two normal sources under a flat prior: without one the median is the other's value."""
    y, se = np.array([0.0, 0.8]), np.array([1.0, 1.5])
    weight = 1 / se**2
    mean, sd = (weight * y).sum() / weight.sum(), weight.sum() ** -0.5
    x = np.random.default_rng(4).normal(mean, sd, SHAPE)
    ratio = {"x": -stats.norm(x, se[1]).logpdf(y[1])}
    below = np.repeat(stats.norm.cdf((y[1] - x) / se[1])[..., None], 2, axis=-1)
    row = conflict({"x": x}, [Source(Change("second", log_ratio=ratio), below)]).iloc[0]
    assert abs(row["pull"] - (mean - y[0])) < SIGMAS * row["mcse_pull"]
    exact = stats.norm.cdf((y[1] - y[0]) / np.hypot(*se))
    assert abs(row["p_at_most"] - exact) < SIGMAS * row["mcse_p_at_most"]
    assert row["khat"] < 0.7
