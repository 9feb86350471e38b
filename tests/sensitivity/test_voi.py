"""Value of information against closed forms.

Tolerances: estimates lie within four of their own Monte Carlo standard errors of the truth (a normal error
exceeds that once in 16,000), or within the reference case's own relative tolerance where that is wider.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import betabinom, gamma, genpareto, nbinom, norm

from bayes.errors import UsageError
from bayes.sensitivity import acceptability_curve, break_even, evpi, evppi, evsi, evsi_normal
from bayes.sensitivity._value import withheld
from bayes.sensitivity.case import Decision, Inputs, Request
from bayes.sensitivity.suite import analyses

SIGMAS = 4
N = 100_000  # as the reference case
CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parents[1] / "reference/sensitivity_cases.json").read_text("utf-8"))["cases"]
}
TOY = CASES["voi_toy_normal"]["expected"]


def agrees(row: pd.Series, truth: float, rel: float = 0.0) -> None:
    assert abs(row["estimate"] - truth) <= max(SIGMAS * row["mcse"], rel * truth), (row, truth)


def unit_normal_loss(mean: float, sd: float) -> float:
    """E[max(0, N(mean, sd))] - max(0, mean)."""
    return float(sd * norm.pdf(mean / sd) + mean * norm.cdf(mean / sd) - max(0.0, mean))


@pytest.fixture(scope="module")
def toy() -> pd.DataFrame:
    rng = np.random.default_rng(31)
    return pd.DataFrame({"p1": rng.normal(1, 1, N), "p2": rng.normal(0, 2, N)})


def toy_benefit(x: pd.DataFrame, k: int) -> pd.DataFrame:
    return pd.DataFrame({"usual": 0.0, "new": k * x["p1"] - x["p2"]}, index=x.index)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_toy_evpi_and_evppi(toy: pd.DataFrame, k: int) -> None:
    benefit = toy_benefit(toy, k)
    agrees(evpi(benefit).iloc[0], TOY["EVPI"][k - 1], rel=0.02)  # the case's 2 per cent
    found = evppi(toy, benefit, rng=1).set_index("input")
    agrees(found.loc["p1"], TOY["EVPPI_p1"][k - 1], rel=0.02)
    agrees(found.loc["p2"], TOY["EVPPI_p2"][k - 1], rel=0.02)
    both = evppi(toy, benefit, groups={"both": ["p1", "p2"]}, rng=1).iloc[0]
    exact = evpi(benefit)["estimate"].iloc[0]
    assert both["estimate"] == pytest.approx(exact, rel=1e-4)  # linear: exact but for the ridge's 1/n


def test_toy_evsi(toy: pd.DataFrame) -> None:
    benefit = toy_benefit(toy, 1)
    truth = TOY["EVSI_p1_normal_known_sd1"]
    closed = evsi_normal(toy["p1"], benefit, sd=1, sizes=[10, 100, 1000], rng=1).set_index("size")
    for size in (10, 100, 1000):

        def trial(x: pd.DataFrame, rng: np.random.Generator, size: int = size) -> pd.DataFrame:
            return pd.DataFrame({"mean": rng.normal(x["p1"], size**-0.5)})

        agrees(evsi(toy, benefit, trial, rng=1).iloc[0], truth[str(size)], rel=0.02)
        agrees(closed.loc[size], truth[str(size)], rel=0.02)
    assert closed["estimate"].is_monotonic_increasing


def test_evsi_normal_is_right_where_net_benefit_is_curved() -> None:
    """NB = z² - 1: E[NB | data] = rho² (z'² - 1), so EVSI = rho² 2 phi(1), rho² = n / (n + 1)."""
    z = np.random.default_rng(32).normal(size=N)
    found = evsi_normal(z, np.column_stack([0 * z, z**2 - 1]), sd=1, sizes=[1, 9], rng=1)
    for row, rho2 in zip(found.itertuples(), (0.5, 0.9), strict=True):
        assert abs(row.estimate - rho2 * 2 * norm.pdf(1)) < SIGMAS * row.mcse


def test_u_shape_that_a_line_cannot_see() -> None:
    rng = np.random.default_rng(33)
    z, noise = rng.normal(size=(2, 10_000))
    found = evppi(pd.DataFrame({"z": z, "noise": noise}), np.column_stack([0 * z, z**2 - 1 + noise]), rng=1)
    agrees(found.iloc[0], 2 * norm.pdf(1))
    agrees(found.iloc[1], unit_normal_loss(0, 1))


@pytest.mark.parametrize("centre", [0.0, 0.3])
def test_an_input_that_does_not_matter(centre: float) -> None:
    """At a tie a fitted line is worth E|noise|/2 of it, sqrt(p/n): under 0.008 for p < 3 of n = 10,000."""
    rng = np.random.default_rng(34)
    found = [
        evppi(pd.DataFrame({"x": rng.normal(size=10_000)}), np.column_stack([np.zeros(10_000), y]), rng=1)["estimate"][
            0
        ]
        for y in rng.normal(centre, 1, (10, 10_000))
    ]
    assert min(found) >= 0
    assert np.mean(found) < (0.008 if centre == 0 else 1e-4)  # off the tie the decision never turns


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.9])
def test_correlated_inputs(rho: float) -> None:
    """NB = a + b + 1/2: E[NB | a] = (1 + rho) a + 1/2, a unit-normal loss."""
    rng = np.random.default_rng(35)
    x = pd.DataFrame(rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], N), columns=["a", "b"])
    found = evppi(x, pd.DataFrame({"no": 0.0, "yes": x["a"] + x["b"] + 0.5}), rng=1)
    truth = unit_normal_loss(0.5, 1 + rho)  # 5e-9 at rho = -0.9: no draw of 100,000 turns the decision
    for row in (found.iloc[0], found.iloc[1]):
        assert abs(row["estimate"] - truth) <= max(SIGMAS * row["mcse"], 1e-6)


def test_three_options_and_an_interaction() -> None:
    """NB = (0, ab, -ab): with both known E|ab| = 2/pi; with either alone nothing is worth anything."""
    x = pd.DataFrame(np.random.default_rng(36).normal(size=(20_000, 2)), columns=["a", "b"])
    benefit = pd.DataFrame({"0": 0.0, "+": x["a"] * x["b"], "-": -x["a"] * x["b"]})
    found = evppi(x, benefit, groups={"a": ["a"], "b": ["b"], "both": ["a", "b"]}, rng=1).set_index("input")
    agrees(found.loc["both"], 2 / np.pi)
    assert found.loc[["a", "b"], "estimate"].max() < 0.02  # noise: sqrt(3/n) = 0.012


def test_standard_error_is_honest() -> None:
    """Spread over 60 tables against the stated error; the spread's own error is 9 per cent, so 0.7 to 1.3."""
    rows = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = pd.DataFrame({"p1": rng.normal(1, 1, 2000), "p2": rng.normal(0, 2, 2000)})
        rows.append(evppi(x, toy_benefit(x, 1), rng=seed))
    found = pd.concat(rows)
    for name, truth in [("p1", TOY["EVPPI_p1"][0]), ("p2", TOY["EVPPI_p2"][0])]:
        some = found[found["input"] == name]
        assert 0.7 < some["estimate"].std() / some["mcse"].mean() < 1.3
        assert abs(some["estimate"].mean() - truth) < SIGMAS * some["estimate"].std() / np.sqrt(60)


def test_acceptability_curve_and_the_decision() -> None:
    """Cost N(1, 1) against effect N(1, 1): P(wtp e > c) = Phi((wtp - 1) / sqrt(wtp² + 1))."""
    rng = np.random.default_rng(37)
    costs = pd.DataFrame({"old": np.zeros(20_000), "new": rng.normal(1, 1, 20_000)})
    effects = pd.DataFrame({"old": np.zeros(20_000), "new": rng.normal(1, 1, 20_000)})
    curve = acceptability_curve(costs, effects, willingness_to_pay=[0.5, 1.5, 3])
    new = curve[curve["option"] == "new"]
    for row in new.itertuples():
        w = row.willingness_to_pay
        assert abs(row.probability - norm.cdf((w - 1) / np.hypot(w, 1))) < SIGMAS * row.probability_mcse
        assert abs(row.net_benefit - (w - 1)) < SIGMAS * row.net_benefit_mcse
    assert new["optimal"].tolist() == [False, True, True]
    assert curve.groupby("willingness_to_pay")["probability"].sum().tolist() == pytest.approx([1, 1, 1])


def test_expected_net_benefit_decides_not_the_curve() -> None:
    """A skewed gain: best on average, best in a minority of draws."""
    rare = np.where(np.arange(1000) % 10 == 0, 20.0, -1.0)
    table = pd.DataFrame({"none": 0.0, "rare": rare})
    curve = acceptability_curve(table * 0, table, willingness_to_pay=[1]).set_index("option")
    assert curve.loc["rare", "probability"] == pytest.approx(0.1)
    assert bool(curve.loc["rare", "optimal"])


def test_break_even() -> None:
    effect = np.random.default_rng(38).normal(2, 1, 10_000)
    row = break_even(lambda price: 30 * effect - price, 0, 200).iloc[0]
    assert row["estimate"] == pytest.approx(30 * effect.mean(), rel=1e-9)  # the root solver's tolerance
    assert row["mcse"] == pytest.approx(30 * effect.std() / 100, rel=1e-6)  # exact: linear in the price
    with pytest.raises(UsageError, match="change sign"):
        break_even(lambda price: 30 * effect + price, 0, 200)


def test_unit_of_the_net_benefit_carries_through(toy: pd.DataFrame) -> None:
    x = toy.head(2000)
    one, other = evppi(x, toy_benefit(x, 1), rng=1), evppi(x, toy_benefit(x, 1) * 1e6 - 5e7, rng=1)
    np.testing.assert_allclose(one["estimate"] * 1e6, other["estimate"], rtol=1e-6)  # rounding of the shift


def test_speed() -> None:
    """The goal is 10 inputs x 10,000 draws in 5 s; it takes 0.1 s, so the goal is the bound."""
    z = np.random.default_rng(39).normal(size=(10_000, 10))
    start = time.process_time()
    evppi(
        pd.DataFrame(z).add_prefix("x"),
        np.column_stack([0 * z[:, 0], z.sum(axis=1), z[:, 0] ** 2 - 1]),
        rng=1,
    )
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("inputs", "benefit", "names"),
    [
        (lambda x: x.assign(p1=3.0), lambda b: b, "p1"),
        (lambda x: x, lambda b: b.assign(new=b["new"].mask(b.index == 3)), "new"),
        (lambda x: x, lambda b: b.iloc[:-1], "usual"),
        (lambda x: x, lambda b: b.iloc[::-1], "usual"),
        (lambda x: x.iloc[:9], lambda b: b.iloc[:9], "p1"),
        (lambda x: x, lambda b: b[["new"]], "new"),
    ],
    ids=["constant", "nan", "length", "index", "short", "one-option"],
)
def test_bad_columns_are_named(toy: pd.DataFrame, inputs: Any, benefit: Any, names: str) -> None:
    x = toy.head(200)
    with pytest.raises(UsageError, match=f"'{names}'"):
        evppi(inputs(x), benefit(toy_benefit(x, 1)), rng=1)


def test_bad_arguments_are_named(toy: pd.DataFrame) -> None:
    x = toy.head(200)
    benefit = toy_benefit(x, 1)
    with pytest.raises(UsageError, match="'sd'"):
        evsi_normal(x["p1"], benefit, sd=0, sizes=[10])
    with pytest.raises(UsageError, match="'sizes'"):
        evsi_normal(x["p1"], benefit, sd=1, sizes=[0])
    with pytest.raises(UsageError, match="'mean'"):
        evsi(x, benefit, lambda x, rng: pd.DataFrame({"mean": np.ones(len(x))}))
    with pytest.raises(UsageError, match="'new'"):
        acceptability_curve(benefit, benefit[["usual"]].assign(other=1.0), willingness_to_pay=[1])


def test_light_differences_are_vouched_for_whatever_tail_the_options_share() -> None:
    """E max(0, d) - max(0, E d) of d ~ N(0.3, 1) in closed form, under a common term without a mean."""
    rng = np.random.default_rng(1)
    common = rng.pareto(0.8, size=20_000)
    options = np.column_stack([common, common + rng.normal(0.3, 1.0, size=20_000)])
    row = evpi(options).iloc[0]
    exact = norm.pdf(0.3) - 0.3 * norm.cdf(-0.3)
    assert abs(row["estimate"] - exact) < SIGMAS * row["mcse"]
    assert (row["khat"] < 0.5, row["note"]) == (True, "")


@pytest.mark.parametrize(("shape", "words"), [(0.6, "error is too small"), (0.9, "not to be relied on")])
def test_heavy_differences_are_told(shape: float, words: str) -> None:
    """One option gains a generalised Pareto amount of known shape over the other."""
    rng = np.random.default_rng(2)
    x = pd.DataFrame({"x": genpareto(shape).ppf(rng.uniform(size=20_000))})
    options = pd.DataFrame({"nothing": 0.0, "act": x["x"] - 1.0})
    found = pd.concat([evpi(options), evppi(x, options)])
    assert set(found["quantity"]) == {"EVPI", "EVPPI"}
    assert (abs(found["khat"] - shape) < SIGMAS * (1 + shape) / np.sqrt(424)).all()  # 3 n^(1/2) draws of the tail
    assert found["note"].str.contains(words).all()
    assert found["note"].str.contains("of nothing less act|of act less nothing").all()


def gamma_evsi(shape: float, rate: float, threshold: float, error: float) -> float:
    """E[max(0, E[theta | y] - threshold)] - max(0, E[theta] - threshold), by sums over quantiles and a grid."""
    theta = gamma(shape, scale=1 / rate).ppf((np.arange(8000) + 0.5) / 8000)
    y = np.linspace(-8 * error, theta.max() + 8 * error, 1200)
    gain = (norm.pdf(y[:, None], theta, error) * (theta - threshold)).mean(axis=1)
    return float(np.trapezoid(np.maximum(gain, 0), y) - max(0.0, (theta - threshold).mean()))


@pytest.mark.parametrize("shape", [0.5, 2.0, 20.0])
def test_evsi_of_normal_observations_of_a_gamma_parameter(shape: float) -> None:
    theta = np.random.default_rng(40).gamma(shape, 1 / shape, 20_000)
    options = pd.DataFrame({"no": 0.0, "yes": theta - 1.1})
    sizes = [1, 5, 20, 100, 1000]
    found = evsi_normal(pd.Series(theta, name="theta"), options, sd=2.0, sizes=sizes)
    for row, size in zip(found.itertuples(), sizes, strict=True):
        exact = gamma_evsi(shape, shape, 1.1, 2.0 / np.sqrt(size))
        assert abs(row.estimate - exact) < max(SIGMAS * row.mcse, 1e-5)  # what no draw turns is worth about 1e-6
        assert row.mcse < 0.02  # sd of the gain, at most 1.5, over the root of 20,000
    assert found["estimate"].is_monotonic_increasing
    whole = evppi(pd.DataFrame({"theta": theta}), options)["estimate"].iloc[0]
    assert found["estimate"].iloc[-1] <= whole * 1.01  # groups of draws: a hundredth


@pytest.mark.parametrize("size", [5, 50])
def test_evsi_of_a_binomial_study_of_a_beta_parameter(size: int) -> None:
    """NB = p - 0.3, p ~ Beta(2, 5), k ~ Binomial: E[p | k] = (2 + k) / (7 + size), k beta-binomial."""
    p = np.random.default_rng(41).beta(2, 5, 50_000)
    options = pd.DataFrame({"no": 0.0, "yes": p - 0.3})

    def study(x: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        return pd.DataFrame({"k": rng.binomial(size, x["p"]).astype(float)})

    k = np.arange(size + 1)
    exact = float(betabinom(size, 2, 5).pmf(k) @ np.maximum((2 + k) / (7 + size) - 0.3, 0))
    row = evsi(pd.DataFrame({"p": p}), options, study, rng=1).iloc[0]
    assert abs(row["estimate"] - exact) < SIGMAS * row["mcse"]
    assert row["note"] == ""


def test_evsi_of_a_count_of_events_at_a_gamma_rate() -> None:
    """NB = rate - 1 + noise no study sees, rate ~ Gamma(3, 3): E[rate | k] = (3 + k) / (3 + t), k negative binomial.

    The noise has five times the sd of the rate. What the study cannot teach does not turn the decision, so that sizes
    rank as they must.
    """
    rng = np.random.default_rng(42)
    rate, noise = rng.gamma(3, 1 / 3, 20_000), rng.normal(0, 3, 20_000)
    options = pd.DataFrame({"no": 0.0, "yes": rate - 1.2 + noise - noise.mean()})
    found = []
    for t in (1.0, 4.0, 16.0):
        row = evsi(
            pd.DataFrame({"rate": rate}),
            options,
            lambda x, g, t=t: pd.DataFrame({"k": g.poisson(t * x["rate"]).astype(float)}),
            rng=1,
        ).iloc[0]
        k = np.arange(400)
        exact = float(nbinom(3, 3 / (3 + t)).pmf(k) @ np.maximum((3 + k) / (3 + t) - 1.2, 0))
        assert abs(row["estimate"] - exact) < SIGMAS * row["mcse"]
        found.append(row["estimate"])
    assert found == sorted(found)


def test_values_that_are_noise_are_said_to_be() -> None:
    """A study that teaches nothing about a decision full of noise."""
    rng = np.random.default_rng(43)
    x = pd.DataFrame({"a": rng.normal(size=2000)})
    options = pd.DataFrame({"no": 0.0, "yes": rng.standard_t(5, 2000) * 100})
    row = evsi(x, options, lambda x, g: pd.DataFrame({"y": x["a"] + g.normal(size=len(x))})).iloc[0]
    assert row["estimate"] == 0 or row["estimate"] > 2 * row["mcse"] or "not told from nothing" in row["note"]
    table = withheld(pd.DataFrame({"estimate": [80.0, 80.0, 0.0], "mcse": [401.0, 10.0, 0.0], "khat": [0.1, 0.1, 0.1],
                                   "note": ["why", "", ""]}))  # fmt: skip
    assert table["estimate"].isna().tolist() == [True, False, False]
    assert table["note"].tolist() == ["withheld: why", "", ""]


@pytest.mark.parametrize("price", [np.nan, np.inf, -np.inf])
def test_no_option_is_optimal_at_a_price_that_is_none(toy: pd.DataFrame, price: float) -> None:
    benefit = toy_benefit(toy.head(200), 1)
    with pytest.raises(UsageError, match="willingness_to_pay"):
        acceptability_curve(benefit, benefit, willingness_to_pay=[1.0, price])
    with pytest.raises(UsageError, match="willingness_to_pay"):
        acceptability_curve(benefit, benefit, willingness_to_pay=[])


def test_what_a_choice_lacks_is_named_and_not_what_it_has(toy: pd.DataFrame) -> None:
    """A choice without a cost of its own: what needs one asks for it, not for the net benefit that is there alone."""
    worth = toy[["net_benefit"]] if "net_benefit" in toy else toy.iloc[:, :1]
    choice = Decision(net_benefit=worth.assign(nothing=0.0), inputs=Inputs(worth), money="GBP")
    case: Any = SimpleNamespace(decision=lambda: choice)
    lacking = {}
    for name, record in analyses().items():
        if record.beside == "value":
            found = record.run(case, Request(folder=Path()))
            lacking |= {} if found else {name: record.brings}
    assert set(lacking) == {"acceptability", "break_even", "plane"}
    assert all("cost=" in text for text in lacking.values())


@pytest.mark.parametrize(("usual", "options"), [(0.0, {"usual", "new"}), (1.0, {"usual", "new", "nothing"})])
def test_an_option_that_does_nothing_is_not_counted_twice(usual: float, options: set[str]) -> None:
    """The new option brings N(1, 1) for 1: at a price of 2 it is worth it where it brings more than a half."""
    effect = np.random.default_rng(3).normal(1, 1, 4000)
    cost = pd.DataFrame({"usual": usual, "new": 1.0, "nothing": 0.0}, index=range(4000))
    brought = pd.DataFrame({"usual": -usual, "new": effect, "nothing": 0.0})
    choice = Decision(net_benefit=2 * brought - cost, inputs=Inputs(brought[["new"]]), cost=cost, effect=brought,
                      prices=(2.0,))  # fmt: skip
    case: Any = SimpleNamespace(decision=lambda: choice)
    table = analyses()["acceptability"].run(case, Request(folder=Path()))["acceptability"].set_index("option")
    assert set(table.index) == options
    idle = "usual" if usual == 0 else "nothing"
    assert table.loc[idle, "probability"] == pytest.approx((effect < 0.5).mean(), abs=1e-12)
