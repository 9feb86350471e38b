"""Variance shares against closed forms and published values.

Tolerances: the estimates are Monte Carlo, so each lies within four of its own standard errors of the truth
(a normal error exceeds that once in 16,000 comparisons); where a reference case states an absolute tolerance,
that is allowed too, as the larger of the two. The standard errors are themselves tested, by coverage.
"""

from __future__ import annotations

import json
import time
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayes.errors import UsageError
from bayes.sensitivity import variance_indices

SIGMAS = 4
CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parents[1] / "reference/sensitivity_cases.json").read_text("utf-8"))["cases"]
}


def frame(x: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(x, columns=[f"x{i + 1}" for i in range(x.shape[1])])


def agrees(table: pd.DataFrame, measure: str, truth: Any, floor: float = 0.0) -> None:
    rows = table[table["measure"] == measure]
    error = np.abs(rows["estimate"].to_numpy() - truth)
    assert (error <= np.maximum(SIGMAS * rows["se"].to_numpy(), floor)).all(), (
        measure,
        rows["estimate"],
        truth,
    )


def closed_form(value: Any, d: int) -> dict[str, list[float]]:
    """First, total and Shapley shares from v(u), the share of variance explained by the inputs in u."""
    every = frozenset(range(d))
    shapley = [
        sum(
            factorial(k) * factorial(d - k - 1) / factorial(d) * (value(frozenset(u) | {i}) - value(frozenset(u)))
            for k in range(d)
            for u in combinations(every - {i}, k)
        )
        for i in range(d)
    ]
    first = [value(frozenset({i})) for i in range(d)]
    return {"first": first, "total": [1 - value(every - {i}) for i in range(d)], "shapley": shapley}


def linear_gaussian(beta: np.ndarray, sigma: np.ndarray) -> Any:
    def value(u: frozenset[int]) -> float:
        s = sorted(u)
        cross = sigma[np.ix_(s, range(len(beta)))] @ beta
        return float(cross @ np.linalg.solve(sigma[np.ix_(s, s)], cross) / (beta @ sigma @ beta)) if s else 0.0

    return value


def product_lognormal(sigma: np.ndarray) -> Any:
    """Y = prod exp(sigma_i z_i), z independent: Var(E[Y | X_u]) / E[Y]² = prod exp(sigma_i²) - 1."""
    q = np.expm1(sigma**2)
    total = np.prod(1 + q) - 1
    return lambda u: float((np.prod([1 + q[i] for i in u]) - 1) / total)


# ----------------------------------------------------------------------------------------- reference cases


def test_ishigami() -> None:
    case = CASES["ishigami_a7_b0.1"]
    x = np.random.default_rng(11).uniform(-np.pi, np.pi, (2**14, 3))  # the case states N = 2^14
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    table = variance_indices(frame(x), y, rng=1)
    for measure, key in [("first", "S"), ("total", "ST"), ("shapley", "Shapley")]:
        agrees(table, measure, case["expected"][key], floor=0.01)  # the case's tolerance
    joint = table.query("measure == 'joint'")["estimate"].iloc[0]
    assert 0.99 < joint < 1.001  # a function of its inputs: what the regression misses is under one per cent


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("linear_gaussian")])
def test_linear_gaussian_cases(name: str) -> None:
    case = CASES[name]
    beta, sigma = np.array(case["inputs"]["beta"], float), np.array(case["inputs"]["Sigma"], float)
    x = np.random.default_rng(12).multivariate_normal(np.zeros(len(beta)), sigma, 4000)
    table = variance_indices(frame(x), x @ beta, rng=1)
    for measure, key in [("first", "first_order"), ("total", "total"), ("shapley", "Shapley")]:
        agrees(table, measure, case["expected"][key], floor=0.02)  # the case's tolerance
    variance = case["expected"]["var"]
    agrees(table, "evppi_variance", np.array(case["expected"]["first_order"]) * variance)


def test_estimation_variance() -> None:
    case = CASES["voi_estimation_variance"]
    rng = np.random.default_rng(13)
    p1, beta = rng.beta(5, 95, 100_000), rng.normal(0.8, 0.4, 100_000)
    odds = p1 / (1 - p1) * np.exp(beta)
    table = variance_indices(pd.DataFrame({"p1": p1, "beta": beta}), pd.Series(odds / (1 + odds), name="risk"), rng=1)
    found = table.query("measure == 'evppi_variance'").set_index("input")
    for name in ("p1", "beta"):
        truth = case["expected"][f"EVPPIvar_{name}"]
        assert found.loc[name, "estimate"] == pytest.approx(truth, rel=0.03)  # the case's tolerance at 1e5 draws
        assert abs(found.loc[name, "estimate"] - truth) < SIGMAS * found.loc[name, "se"]
    assert (found["unit"] == "(risk)²").all()


def test_crime_chain() -> None:
    """The chain of the project: crimes avoided = rate x reduction x places, all lognormal."""
    sigma = np.array([0.35, 0.25, 0.2])
    centre = np.array([432, 0.5, 10_000])
    x = centre * np.exp(sigma * np.random.default_rng(14).normal(size=(4000, 3)))
    table = variance_indices(frame(x), x.prod(axis=1), rng=1)
    truth = closed_form(product_lognormal(sigma), 3)
    for measure, values in truth.items():
        agrees(table, measure, values)
    variance = CASES["crime_chain_lognormal"]["expected"]["sd"] ** 2
    agrees(table, "evppi_variance", np.array(truth["first"]) * variance)


# ------------------------------------------------------------------------------------ further closed forms


@pytest.mark.parametrize("d", [2, 3, 6])
@pytest.mark.parametrize("rho", [-0.9, -0.5, 0.5, 0.9])
def test_correlated_linear_gaussian(d: int, rho: float) -> None:
    """Autoregressive correlation rho^|i-j|, which is a valid correlation matrix for either sign."""
    sigma = rho ** np.abs(np.subtract.outer(np.arange(d), np.arange(d))).astype(float)
    beta = np.linspace(1, 2, d)
    x = np.random.default_rng(15).multivariate_normal(np.zeros(d), sigma, 4000)
    table = variance_indices(frame(x), x @ beta, rng=1)
    for measure, truth in closed_form(linear_gaussian(beta, sigma), d).items():
        agrees(table, measure, truth, floor=0.002)  # the ridge's bias, which se omits
    assert (table["note"] == "").all()


@pytest.mark.parametrize("sigma", [(0.84, 0.5, 0.3), (0.35,) * 8, (0.29,) * 12])
def test_products_of_lognormals(sigma: tuple[float, ...]) -> None:
    """Log standard deviation near one, so heavy tails. Floor 0.02: with 12 inputs interactions beyond order
    three (2 per cent of the variance) are outside the regression, and missing from the totals they touch."""
    x = np.exp(np.array(sigma) * np.random.default_rng(16).normal(size=(4000, len(sigma))))
    table = variance_indices(frame(x), x.prod(axis=1), rng=1)
    for measure, truth in closed_form(product_lognormal(np.array(sigma)), len(sigma)).items():
        agrees(table, measure, truth, floor=0.02)


def test_dependence_that_is_not_linear() -> None:
    """Y = x2 = sin(3 x1) + noise: x1 explains V / (V + 1/4), V = Var(sin 3z) = (1 - e^-18) / 2."""
    rng = np.random.default_rng(17)
    x1 = rng.normal(size=4000)
    x2 = np.sin(3 * x1) + 0.5 * rng.normal(size=4000)
    table = variance_indices(pd.DataFrame({"x1": x1, "x2": x2}), x2, rng=1)
    signal = (1 - np.exp(-18)) / 2
    agrees(table, "first", [signal / (signal + 0.25), 1.0], floor=0.01)  # sin 3z is cut off by twelve functions


def test_inert_inputs() -> None:
    """Uncorrelated: about zero. Correlated (rho): its Shapley effect is rho²/2 > 0, its total zero."""
    z = np.random.default_rng(18).normal(size=(4000, 3))
    x = pd.DataFrame({"cause": z[:, 0], "echo": 0.6 * z[:, 0] + 0.8 * z[:, 1], "alone": z[:, 2]})
    table = variance_indices(x, x["cause"], rng=1).set_index(["measure", "input"])["estimate"]
    assert abs(table["shapley", "echo"] - 0.18) < 0.02  # the linear-Gaussian cases' tolerance
    for measure, name in [("total", "echo"), ("first", "alone"), ("total", "alone"), ("shapley", "alone")]:
        assert abs(table[measure, name]) < 0.003  # noise of order sqrt(p) / n, p < 50 functions: 0.002


def test_zero_is_estimated_without_bias_and_not_clipped() -> None:
    found = []
    for seed in range(40):
        z = np.random.default_rng(seed).normal(size=(500, 2))
        table = variance_indices(frame(z), z[:, 0] + np.random.default_rng(seed + 99).normal(size=500), rng=seed)
        found.append(table.query("measure == 'first' and input == 'x2'")["estimate"].iloc[0])
    assert 8 <= sum(f < 0 for f in found) <= 36  # a zero-mean estimate; skewed, so a fifth to nine tenths
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(40)


def test_intervals_cover() -> None:
    """50 tables of 9 dependent shares: coverage 0.95 with a standard error of about 0.02."""
    sigma = np.array(CASES["linear_gaussian_3d_iooss_prieur_rho.9"]["inputs"]["Sigma"], float)
    truth = np.concatenate(list(closed_form(linear_gaussian(np.ones(3), sigma), 3).values()))
    inside = []
    for seed in range(50):
        x = np.random.default_rng(seed).multivariate_normal(np.zeros(3), sigma, 1000)
        table = variance_indices(frame(x), x.sum(axis=1), rng=seed).iloc[:9]
        inside.append((table["lower"].to_numpy() <= truth) & (truth <= table["upper"].to_numpy()))
    assert 0.87 < np.mean(inside) <= 1.0  # four standard errors below 0.95


def test_shapley_effects_sum_to_the_joint_share() -> None:
    for d in (4, 10):  # all subsets; sampled orders
        x = np.random.default_rng(19).normal(size=(1000, d))
        table = variance_indices(frame(x), x.sum(axis=1) + x[:, 0] * x[:, 1], rng=1)
        total = table.query("measure == 'shapley'")["estimate"].sum()
        assert total == pytest.approx(table.query("measure == 'joint'")["estimate"].iloc[0], abs=1e-12)  # rounding


# ----------------------------------------------------------------------------------------- groups and notes


def test_groups_count_as_one_input() -> None:
    sigma = np.array([[1, 0, 0], [0, 1, 0.9], [0, 0.9, 1]])
    x = frame(np.random.default_rng(20).multivariate_normal(np.zeros(3), sigma, 4000))
    table = variance_indices(x, x.sum(axis=1), groups={"pair": ["x2", "x3"]}, rng=1)
    for measure in ("first", "total", "shapley"):
        agrees(table, measure, [3.8 / 4.8, 1 / 4.8], floor=0.002)  # independent: all agree; ridge bias
    assert table["input"].tolist() == ["pair", "x1"] * 4 + ["(all)"]


def test_inputs_that_cannot_be_separated_are_named() -> None:
    z = np.random.default_rng(21).normal(size=(2000, 5))
    near = 0.97 * z[:, 0] + np.sqrt(1 - 0.97**2) * z[:, 1]  # above the documented 0.95
    x = pd.DataFrame({"a": z[:, 0], "b": near, "c": z[:, 2], "d": z[:, 3], "e": z[:, 2] + z[:, 3], "f": z[:, 4]})
    notes = variance_indices(x, x.sum(axis=1), rng=1).drop_duplicates("input").set_index("input")["note"]
    assert notes["a"] == "cannot be separated from b"
    assert notes["e"] == "cannot be separated from c, d"
    assert notes["f"] == ""
    grouped = variance_indices(x, x.sum(axis=1), groups={"ab": ["a", "b"], "cde": ["c", "d", "e"]}, rng=1)
    assert (grouped["note"] == "").all()


# ----------------------------------------------------------------------------------------- manners


def test_same_seed_same_numbers_and_inputs_untouched() -> None:
    x = frame(np.random.default_rng(22).normal(size=(500, 3)))
    before, y = x.copy(), x.sum(axis=1)
    state = np.random.get_state()[1].copy()
    pd.testing.assert_frame_equal(variance_indices(x, y, rng=5), variance_indices(x, y, rng=5))
    pd.testing.assert_frame_equal(x, before)
    assert (np.random.get_state()[1] == state).all()


def test_shares_do_not_depend_on_units() -> None:
    x = frame(np.random.default_rng(23).normal(size=(500, 2)))
    y = x["x1"] + x["x2"] ** 2
    one, other = variance_indices(x, y, rng=5), variance_indices(x * 1e6 + 3, y * 1e-4, rng=5)
    shares = one["measure"] != "evppi_variance"
    np.testing.assert_allclose(one["estimate"][shares], other["estimate"][shares], atol=1e-8)  # rounding of x + 3


def test_two_valued_input() -> None:
    rng = np.random.default_rng(24)
    x = pd.DataFrame({"coin": rng.integers(0, 2, 4000), "z": rng.normal(size=4000)})
    agrees(variance_indices(x, x["coin"] * x["z"], rng=1), "total", [0.5, 1.0])  # E Var(Y|z) = 1/4, Var Y = 1/2


def test_speed() -> None:
    """The goal is 12 inputs x 4,000 draws in 2 s (0.65 s measured); three times that, for a busy machine."""
    x = np.random.default_rng(25).normal(size=(4000, 12))
    start = time.process_time()
    variance_indices(frame(x), x.sum(axis=1) + x[:, 0] * x[:, 1], rng=1)
    assert time.process_time() - start < 6


def good() -> tuple[pd.DataFrame, pd.Series]:
    x = frame(np.random.default_rng(26).normal(size=(200, 2)))
    return x, x.sum(axis=1).rename("crimes")


@pytest.mark.parametrize(
    ("spoil", "names"),
    [
        (lambda x, y: (x.assign(x2=1.0), y), "x2"),
        (lambda x, y: (x.assign(x2=x["x2"].mask(x.index == 7)), y), "x2"),
        (lambda x, y: (x.assign(x2=x["x2"].where(x.index != 7, np.inf)), y), "x2"),
        (lambda x, y: (x.assign(x2="many"), y), "x2"),
        (lambda x, y: (x, y * 0), "crimes"),
        (lambda x, y: (x, y.mask(y.index == 0)), "crimes"),
        (lambda x, y: (x, y.iloc[:150]), "crimes"),
        (lambda x, y: (x, y.sort_values()), "crimes"),
        (lambda x, y: (x.iloc[:50], y.iloc[:50]), "x1"),
        (lambda x, y: (x.rename(columns={"x2": "x1"}), y), "x1"),
    ],
    ids=[
        "constant",
        "nan",
        "infinite",
        "text",
        "flat-output",
        "nan-output",
        "length",
        "index",
        "short",
        "twice",
    ],
)
def test_bad_columns_are_named(spoil: Any, names: str) -> None:
    with pytest.raises(UsageError, match=f"'{names}'"):
        variance_indices(*spoil(*good()), rng=1)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"groups": {"g": ["x9"]}}, "g"),
        ({"groups": {"g": []}}, "g"),
        ({"groups": {"g": ["x1"], "h": ["x1"]}}, "x1"),
        ({"groups": {"x1": ["x2"]}}, "x1"),
        ({"prob": 95}, "prob"),
        ({"permutations": 2}, "permutations"),
    ],
)
def test_bad_options_are_named(options: Any, names: str) -> None:
    with pytest.raises(UsageError, match=f"'{names}'"):
        variance_indices(*good(), **options, rng=1)
