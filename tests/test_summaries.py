"""Intervals, means that exist, and digits that an error supports."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.signal import lfilter

from bayes.errors import UsageError
from bayes.figures.tabulation import precision
from bayes.numbers import compact, rounded
from bayes.summaries import hdi_error, interval, quantile_error, summarise
from bayes.tails import tail_shape
from tests.montecarlo import case

FAMILIES = {
    "Beta(2,5)": stats.beta(2, 5), "Beta(5,95)": stats.beta(5, 95), "Gamma(2,1)": stats.gamma(2),
    "LogNormal(log432,0.35)": stats.lognorm(0.35, scale=432), "Exponential(1)": stats.expon(),
    "HalfNormal(1)": stats.halfnorm(), "StudentT(4)": stats.t(4),
}  # fmt: skip


def dataset(**values: np.ndarray) -> xr.Dataset:
    return xr.Dataset({name: (("chain", "draw"), np.atleast_2d(array)) for name, array in values.items()})


@pytest.mark.parametrize("name", FAMILIES)
def test_intervals_of_draws_are_the_exact_ones(name: str) -> None:
    """Reference table. The error of an end is found from 20 independent sets of draws: within 3 of its standard errors.

    Highest-density ends of draws are biased towards each other by less than the spread of one set of 20,000 draws, so
    they get one such spread more.
    """
    reference, rng = case("interval_table"), np.random.default_rng(5)
    draws = [FAMILIES[name].rvs(20_000, random_state=rng) for _ in range(20)]
    for level in reference["inputs"]["levels"]:
        for kind, slack in (("eti", 0.0), ("hdi", 1.0)):
            ends = np.array([interval(one, level, kind) for one in draws])
            spread = ends.std(axis=0, ddof=1)
            allowed = spread * (3 / np.sqrt(len(draws)) + slack)
            exact = reference["expected"][name][str(level)][kind]
            assert (np.abs(ends.mean(axis=0) - exact) <= allowed).all(), (level, kind, ends.mean(axis=0), exact)


def test_every_row_carries_its_probability_kind_unit_and_errors() -> None:
    rng = np.random.default_rng(1)
    data = dataset(x=rng.normal(3, 2, (4, 2000)))
    data["x"].attrs["unit"] = "persons"
    row = summarise(data, prob=0.8, kind="hdi").iloc[0]
    assert (row["unit"], row["prob"], row["kind"]) == ("persons", 0.8, "hdi")
    row80 = summarise(data, prob=0.8).iloc[0]
    z80 = stats.norm.ppf(0.9)
    exact_error = np.sqrt(0.1 * 0.9 / 8000) / stats.norm.pdf(z80) * 2  # asymptotic error of the 10 % and 90 % points
    assert row80["mcse_lower"] == pytest.approx(exact_error, rel=0.25)  # itself an estimate from two order statistics
    assert row["mcse_lower"] > 1.5 * exact_error  # an end of the shortest interval is known less well
    assert row["mcse"] == pytest.approx(2 * np.sqrt(np.pi / 2 / 8000), rel=0.25)
    assert row["mcse_mean"] == pytest.approx(2 / np.sqrt(8000), rel=0.1)
    assert row["p_positive"] == pytest.approx(stats.norm.sf(-1.5), abs=4 * np.sqrt(0.0668 * 0.9332 / 8000))


def _chains(law, rho: float, rng: np.random.Generator, sets: int) -> np.ndarray:
    """Draws (set, chain, draw) of a law in chains with autocorrelation rho of their normal scores."""
    steps = rng.normal(size=(sets, 4, 1000)) * np.sqrt(1 - rho**2)
    steps[..., 0] /= np.sqrt(1 - rho**2)
    return np.asarray(law.ppf(stats.norm.cdf(lfilter([1], [1, -rho], steps, axis=-1))))


@pytest.mark.parametrize(("law", "rho", "prob", "most"), [
    (stats.norm(), 0.0, 0.95, (1.3, 1.3)), (stats.norm(), 0.0, 0.5, (1.3, 1.3)), (stats.norm(), 0.9, 0.95, (1.3, 1.3)),
    (stats.norm(), -0.5, 0.95, (1.3, 1.3)), (stats.t(4), 0.5, 0.9, (1.3, 1.3)), (stats.gamma(2), 0.0, 0.95, (1.3, 1.3)),
    (stats.lognorm(1), 0.0, 0.95, (1.3, 1.3)), (stats.expon(), 0.0, 0.95, (2.0, 1.3)),
    (stats.expon(), 0.0, 0.5, (2.2, 1.3)), (stats.gamma(0.5), 0.0, 0.95, (5.0, 1.3)),
])  # fmt: skip
def test_errors_of_the_shortest_interval_are_those_of_simulation(law, rho: float, prob: float, most) -> None:
    """Mean of reported errors over the spread of 400 simulated intervals: 0.7 to 1.3 where the density is smooth.

    At a sharp edge the bootstrap repeats the least draw and is too large, of an error that is tiny.
    """
    rng = np.random.default_rng(7)
    draws = _chains(law, rho, rng, 400)
    true = np.array([interval(one, prob, "hdi") for one in draws]).std(axis=0)
    reported = np.mean([hdi_error(one, prob) for one in draws[:20]], axis=0)
    assert (reported > 0.7 * true).all(), reported / true
    assert (reported < np.array(most) * true).all(), reported / true


def test_an_end_beyond_the_reach_of_the_draws_is_not_judged() -> None:
    """99.9 % of 100 draws: its error is some 0.4, and no formula finds it from the draws."""
    draws = np.random.default_rng(8).normal(size=(4, 25))
    for kind in ("eti", "hdi"):
        row = summarise(dataset(x=draws), prob=0.998, kind=kind).iloc[0]
        assert np.isinf(row[["mcse_lower", "mcse_upper"]].astype(float)).all()
        assert np.isfinite(row["mcse"])
        assert "too few draws to judge the ends" in row["note"]
        assert compact(row["upper"], row["mcse_upper"]) == "–"
    for p in (0.5, 0.975, 0.99):
        assert np.isfinite(quantile_error(draws, p))


@pytest.mark.parametrize(("draws", "p"), [(200, 0.99), (100, 0.975), (1000, 0.999), (4000, 0.975)])
def test_errors_of_quantiles_within_reach_are_those_of_simulation(draws: int, p: float) -> None:
    many = np.random.default_rng(9).normal(size=(2000, 4, draws // 4))
    true = np.quantile(many.reshape(2000, -1), p, axis=1).std()
    reported = np.mean([quantile_error(one, p) for one in many[:200]])
    assert 0.8 < reported / true < 1.5


def test_a_constant_but_for_rounding_is_a_constant() -> None:
    near = np.where(np.random.default_rng(10).random((4, 100)) < 0.5, 0.3, 0.1 + 0.2)
    assert np.ptp(near) > 0
    row = summarise(dataset(x=near)).iloc[0]
    assert row[["mcse", "mcse_lower", "mcse_upper", "mcse_mean", "sd"]].tolist() == [0, 0, 0, 0, 0]
    assert row["note"] == ""


@pytest.mark.parametrize("centre", [0.0, 2.0, np.pi, -3.0])
@pytest.mark.parametrize("kind", ["eti", "hdi"])
def test_angles_are_summarised_around_the_circle(centre: float, kind: str) -> None:
    draws = stats.vonmises(4.0, loc=centre).rvs((4, 2000), random_state=np.random.default_rng(11))
    data = dataset(x=np.angle(np.exp(1j * draws)))
    data["x"].attrs["circular"] = True
    row = summarise(data, kind=kind).iloc[0]
    error = np.angle(np.exp(1j * (row["estimate"] - centre)))
    assert abs(error) < 4 * row["mcse"]
    half = stats.vonmises(4.0).ppf(0.975)
    assert (row["upper"] - row["lower"]) / 2 == pytest.approx(half, rel=0.05)
    assert row["lower"] < row["estimate"] < row["upper"]
    assert np.isnan(row["p_positive"])
    assert "angle" in row["note"]


def test_an_atom_has_its_probability() -> None:
    draws = np.random.default_rng(12).normal(1, 1, (4, 1000))
    draws[0, :100] = 0.0
    row = summarise(dataset(x=draws)).iloc[0]
    assert row["p_zero"] == 0.025
    assert row["p_positive"] + row["p_zero"] + row["p_negative"] == pytest.approx(1)


@pytest.mark.parametrize(("shape", "tail"), [(0.8, "upper"), (0.8, "lower"), (0.1, "upper")])
def test_tail_shape_is_that_of_a_generalised_pareto(shape: float, tail: str) -> None:
    """From 100,000 draws the 949 largest are fitted: standard error about (1 + k) / sqrt(949)."""
    draws = stats.genpareto(shape).rvs((4, 25_000), random_state=np.random.default_rng(2))
    found = tail_shape(draws if tail == "upper" else -draws)
    assert found == pytest.approx(shape, abs=4 * (1 + shape) / np.sqrt(949))


def test_a_gamma_has_light_tails_and_its_mean_is_shown() -> None:
    draws = stats.gamma(2).rvs((4, 1000), random_state=np.random.default_rng(3))
    row = summarise(dataset(x=draws)).iloc[0]
    assert row["tail_shape"] < 0.5
    assert abs(row["mean"] - 2) < 4 * row["mcse_mean"]
    assert row["note"] == ""


@pytest.mark.parametrize("atoms", [0.0, 0.5, 0.97])
def test_a_mean_without_a_variance_is_withheld_also_behind_an_atom(atoms: float) -> None:
    """Many draws that are exactly zero do not hide the heavy tail behind them."""
    rng = np.random.default_rng(4)
    heavy = stats.genpareto(0.9).rvs((4, 2000), random_state=rng)
    row = summarise(dataset(x=np.where(rng.random(heavy.shape) < atoms, 0.0, heavy))).iloc[0]
    assert math.isnan(row["mean"])
    assert "withheld" in row["note"]
    assert np.isfinite([row["estimate"], row["lower"], row["upper"]]).all()


def test_infinite_draws_keep_their_quantiles_and_lose_their_mean() -> None:
    draws = np.random.default_rng(5).exponential(size=(4, 1000))
    draws[:, ::25] = np.inf  # 4 %
    row = summarise(dataset(x=draws)).iloc[0]
    assert math.isinf(row["upper"])
    assert math.isnan(row["mean"])
    assert np.isfinite([row["estimate"], row["lower"], row["mcse"], row["mcse_lower"]]).all()
    low, high = interval(draws, 0.5, "hdi")
    assert np.isfinite([low, high]).all()


def test_undefined_draws_are_counted() -> None:
    draws = np.random.default_rng(6).normal(size=(4, 1000))
    draws[0, :300] = np.nan
    row = summarise(dataset(x=draws)).iloc[0]
    assert "undefined in 300 draws" in row["note"]
    assert np.isfinite(row["estimate"])
    draws[:, 5:] = np.nan
    row = summarise(dataset(x=draws)).iloc[0]
    assert math.isnan(row["estimate"])
    assert "undefined in 3,985 of 4,000 draws" in row["note"] or "undefined in" in row["note"]


def test_a_constant_has_no_error() -> None:
    row = summarise(dataset(x=np.full((4, 100), 7.0), y=np.full((4, 100), np.inf))).set_index("variable")
    assert row.loc["x", ["estimate", "lower", "upper", "mean", "mcse", "mcse_mean"]].tolist() == [7, 7, 7, 7, 0, 0]
    assert math.isinf(row.loc["y", "estimate"])


@pytest.mark.parametrize(("arguments", "key"), [
    ({"prob": 0.0}, "prob"), ({"prob": 95}, "prob"), ({"kind": "ci"}, "kind"), ({"variables": ["z"]}, "variables"),
])  # fmt: skip
def test_an_interval_that_is_none_is_refused(arguments, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        summarise(dataset(x=np.zeros((4, 10))), **arguments)
    assert caught.value.key == key


# --- digits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "mcse", "text"), [
    (18_900_000, 7e5, "19M"), (487_812, 8_000, "490k"), (2_421_000, 90_000, "2.4M"), (2_400_000, 9_000, "2.40M"),
    (-1_442_421, 27_618, "−1.44M"), (-1_442_421, 40_000, "−1.4M"), (-0.43, 0.03, "−0.43"),
    (999_600, 300, "1.00M"), (999.7, 0, "1k"),
    (1_234_567, 0, "1.23M"),    (800, 1_900, "1k†"), (-800, 1_900, "−1k†"),
    (24_000, 29_000, "20k†"), (3_000, 29_000, "0†"), (0, 29_000, "0"), (59_000, 29_000, "60k"),
    (7_000, 1_900, "7k"), (1_550_000, 110_000, "1.6M"), (0, 0, "0"), (17.34, 0.02, "17.3"), (17.3, 0, "17.3"),
    (0.0123, 0.001, "0.012"), (5, math.inf, "–"), (math.nan, 1, "–"), (math.inf, 3, "∞"), (-math.inf, 0, "−∞"),
    (17.3, math.nan, "17.3"), (2e9, 3e7, "2.00bn"),
])  # fmt: skip
def test_no_digit_is_false(value: float, mcse: float, text: str) -> None:
    assert compact(value, mcse) == text


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e9))
def test_rounding_moves_a_number_by_at_most_three_halves_of_its_error(value: float, mcse: float) -> None:
    """The last digit is worth 0.3 to 3 errors, so rounding moves by at most 1.5."""
    shown = rounded(value, mcse)
    assert abs(shown - value) <= 1.5 * mcse * (1 + 1e-6) + 1e-9 * abs(value)
    assert rounded(shown, mcse) == pytest.approx(shown, rel=1e-12, abs=1e-9)


@given(st.floats(-1e12, 1e12, allow_subnormal=False), st.floats(0, 1e9))
def test_printed_numbers_read_back(value: float, mcse: float) -> None:
    text = compact(value, mcse).replace(",", "").replace("−", "-")
    assert text.endswith("†") == (0 < abs(value) < 2 * mcse)
    text = text.removesuffix("†")
    scale = {"bn": 1e9, "M": 1e6, "k": 1e3}
    unit = next((u for u in scale if text.endswith(u)), "")
    number = float(text.removesuffix(unit)) * scale.get(unit, 1)
    assert abs(number - value) <= 1.5 * mcse * (1 + 1e-6) + 0.00501 * abs(value) * (1 + 5e-3) + 5e-4 * 5


def test_a_tail_that_cannot_be_judged_withholds_the_mean() -> None:
    """A few far values on a constant: no tail of 300 draws can be fitted, and the mean rests on them."""
    rng = np.random.default_rng(2)
    draws = np.zeros(10_000)
    draws[:28] = 20 * (1 + rng.pareto(0.9, 28))
    row = summarise(dataset(x=draws.reshape(4, -1))).iloc[0]
    assert np.isnan(row["mean"])
    assert "too few different draws" in row["note"]


@pytest.mark.parametrize("kind", ["normal", "constant", "some missing", "most missing", "some infinite"])
def test_figures_and_tables_give_the_same_errors(kind) -> None:
    values = np.random.default_rng(3).normal(size=(4, 250))
    values = {"constant": np.full((4, 250), 7.0), "some missing": np.where(values < -1, np.nan, values),
              "most missing": np.where(values < 2, np.nan, values),
              "some infinite": np.where(values > 2.2, np.inf, values)}.get(kind, values)  # fmt: skip
    array = xr.DataArray(values, dims=("chain", "draw"), name="x")
    row = summarise(array.to_dataset()).iloc[0]
    for name, error in precision(array).items():
        np.testing.assert_array_equal(error, row.get(name, np.nan))
