"""Refits: weights on observations against closed forms, and what they may keep."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy import stats

import bayes
from bayes.errors import UsageError
from bayes.sampling.fit import Plan
from bayes.sensitivity import Change, compare
from bayes.sensitivity.changes import doubts
from bayes.sensitivity.components import Layout
from bayes.sensitivity.refits import part_of, refit
from bayes.sensitivity.weights import mcse_of_mean
from tests.sensitivity.cases import SIGMAS

Y = {"first": 0.4, "second": -0.2, "far": 3.0}
"""Observations with error 1 of a mean with prior N(0, 2): conjugate, so that every posterior is known."""


def conjugate(prior_sd: float = 2.0) -> pm.Model:
    with pm.Model(coords={"row": list(Y)}) as model:
        sd = pm.Data("sd", prior_sd)
        mu = pm.Normal("mu", 0.0, sd)
        other = pm.HalfNormal("other", 1.0)
        pm.Normal("y", mu, 1.0, observed=np.array(list(Y.values())), dims="row")
        pm.Exponential("z", 1 / other, observed=np.array([0.5, 1.5]))
        pm.Normal("new", mu, 1.0)
        pm.Normal("idle", 0.0, 1.0)
    return model


def exact(names: list[str], prior_sd: float = 2.0) -> stats.rv_continuous:
    precision = 1 / prior_sd**2 + len(names)
    return stats.norm(sum(Y[name] for name in names) / precision, precision**-0.5)


@pytest.fixture(scope="module")
def fit() -> xr.DataTree:
    return bayes.sample(conjugate(), draws=500, tune=500, chains=4, rng=1)


@pytest.mark.parametrize(("without", "prior_sd"), [(["far"], 2.0), ([], 0.3), (["far", "first"], 0.5)])
def test_a_refit_reaches_the_exact_posterior(fit: xr.DataTree, without: list[str], prior_sd: float) -> None:
    found = refit(conjugate(prior_sd), fit, ["mu"], without=without)
    law, mu = exact([name for name in Y if name not in without], prior_sd), found["mu"].values
    assert abs(mu.mean() - law.mean()) < SIGMAS * mcse_of_mean(mu)
    square = (mu - law.mean()) ** 2
    assert abs(square.mean() - law.var()) < SIGMAS * mcse_of_mean(square)
    assert abs(found["new"].values.mean() - law.mean()) < SIGMAS * mcse_of_mean(found["new"].values)
    assert found.attrs["rhat"] < 1.05
    assert found.attrs["divergences"] == 0


@pytest.fixture(scope="module")
def shared() -> tuple[pm.Model, xr.DataTree]:
    """Two variables observed in the same rows."""
    with pm.Model(coords={"row": list(Y)}) as model:
        mu = pm.Normal("mu", 0.0, 2.0)
        pm.Normal("y", mu, 1.0, observed=np.array(list(Y.values())), dims="row")
        pm.Normal("z", mu, 1.0, observed=np.array([1.0, 0.0, -3.0]), dims="row")
    return model, bayes.sample(model, draws=500, tune=500, chains=4, rng=1)


@pytest.mark.parametrize(
    ("row", "left"), [(("y", "far"), [0.4, -0.2, 1, 0, -3]), (("z", "far"), [0.4, -0.2, 3, 1, 0]),
                      ("far", [0.4, -0.2, 1, 0]), (("row", "far"), [0.4, -0.2, 1, 0])]
)  # fmt: skip
def test_a_row_that_two_variables_have_leaves_the_one_that_is_named(
    shared: tuple[pm.Model, xr.DataTree], row: str | tuple[str, str], left: list[float]
) -> None:
    mu, precision = refit(*shared, [], without=[row])["mu"].values, 0.25 + len(left)
    assert abs(mu.mean() - sum(left) / precision) < SIGMAS * mcse_of_mean(mu)
    square = (mu - sum(left) / precision) ** 2
    assert abs(square.mean() - 1 / precision) < SIGMAS * mcse_of_mean(square)


def test_what_a_change_cannot_reach_keeps_its_draws(fit: xr.DataTree) -> None:
    found = refit(conjugate(), fit, [], without=["far"])
    for name, moved in (("mu", True), ("new", True), ("other", False), ("idle", False)):
        assert np.array_equal(found[name].values, fit["posterior"][name].values) != moved
    idle = refit(conjugate(), fit, ["idle"])
    assert np.array_equal(idle["mu"].values, fit["posterior"]["mu"].values)
    assert not np.array_equal(idle["idle"].values, fit["posterior"]["idle"].values)
    assert np.isnan(idle.attrs["rhat"])  # nothing was sampled


def test_a_program_serves_every_refit_of_one_structure(fit: xr.DataTree) -> None:
    kept: dict[object, object] = {}
    model = conjugate()
    one = refit(model, fit, ["mu"], without=["far"], kept=kept)
    made = len(kept)
    refit(model, fit, ["mu"], without=["first"], kept=kept)
    assert len(kept) == made
    again = refit(model, fit, ["mu"], without=["far"], kept=kept)
    np.testing.assert_array_equal(one["mu"].values, again["mu"].values)


def test_components_are_sampled_apart_and_by_their_own_programs(fit: xr.DataTree) -> None:
    kept: dict[object, object] = {}
    model = conjugate()
    for name in ("mu", "other"):
        refit(model, fit, [name], kept=kept)
    programs = sum(callable(value) for value in kept.values())
    both = refit(model, fit, ["mu", "other"], kept=kept)
    assert sum(callable(value) for value in kept.values()) == programs == 2
    mu, other = both["mu"].values, both["other"].values
    assert not np.array_equal(mu, fit["posterior"]["mu"].values)
    product = (mu - mu.mean()) * (other - other.mean())
    assert abs(product.mean()) < SIGMAS * mcse_of_mean(product)  # chains of their own: independent
    assert both.attrs["rhat"] < 1.05


def test_only_single_observations_can_be_weighted(fit: xr.DataTree) -> None:
    with pm.Model(coords={"row": ["a", "b"]}) as joint:
        mu = pm.Normal("mu", 0, 1)
        pm.MvNormal("y", pm.math.stack([mu, mu]), np.eye(2), observed=[0.0, 1.0], dims="row")
    assert Layout.of(joint).dims == {}
    assert Layout.of(conjugate()).owners({"row": list(Y)}) == dict.fromkeys(Y, "y")
    with pytest.raises(UsageError, match="cannot be left out by a weight"):
        refit(joint, fit, ["mu"], without=["a"])


@pytest.mark.parametrize(
    ("stamp", "method", "words"),
    [
        ({"rhat": 1.3, "divergences": 0}, "refitted, unreliable", "R-hat 1.30"),
        ({"rhat": np.inf, "divergences": 0}, "refitted, unreliable", "R-hat inf"),
        ({"rhat": 1.01, "divergences": 3}, "refitted, unreliable", "3 divergent transitions; a prior"),
        ({"rhat": np.nan, "divergences": 0}, "refitted", "a prior"),  # nothing was sampled
        ({"rhat": 1.01, "divergences": 0}, "refitted", "a prior"),
    ],
)
def test_chains_that_have_not_mixed_are_marked(stamp: dict[str, float], method: str, words: str) -> None:
    x = np.random.default_rng(1).normal(size=(4, 500))
    stuck = xr.DataArray(x, dims=("chain", "draw"), attrs=stamp)
    change = Change("shift", log_ratio={"x": 8 * x}, refit=lambda components: {"x": stuck}, note="a prior")
    row = compare({"x": x}, [change]).iloc[1]
    assert row["method"] == method
    assert words in row["note"]
    np.testing.assert_equal([row["rhat"], row["divergences"]], [stamp["rhat"], stamp["divergences"]])


def test_chains_that_never_move_have_no_finite_rhat() -> None:
    z = np.random.default_rng(1).normal(size=(2, 100, 2))
    moving = part_of({}, z)
    assert moving.rhat < 1.1
    assert moving.ess > 100  # half the draws, which are independent
    z[..., 0] = 4.0
    stuck = part_of({}, z)
    assert (stuck.rhat, stuck.ess) == (np.inf, 0.0)


def test_rows_in_another_order_do_not_take_each_others_labels(
    fit: xr.DataTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two plans of one layout share what is on disk, whatever the order or the names of their rows."""
    monkeypatch.setenv("BAYES_CACHE", str(tmp_path))

    def without_far(names: list[str], renamed: str = "far") -> np.ndarray:
        data = np.array([Y[name] for name in names])
        labels = [renamed if name == "far" else name for name in names]

        def model() -> pm.Model:
            with pm.Model(coords={"row": labels}) as made:
                mu = pm.Normal("mu", 0.0, 2.0)
                pm.Normal("y", mu, 1.0, observed=pm.Data("data", data, dims="row"), dims="row")
            return made

        plan = Plan("one layout", {"data": data}, {"row": labels}, {}, model)
        return np.asarray(refit(plan, fit, [], without=[renamed], wanted=["mu"])["mu"].values)

    law = exact(["first", "second"])
    for mu in (without_far(list(Y)), without_far(list(Y)[::-1]), without_far(list(Y), renamed="far again")):
        assert abs(mu.mean() - law.mean()) < SIGMAS * mcse_of_mean(mu)
    assert len(list((tmp_path / "refits").iterdir())) == 3  # one layout, one kit of the component, one of the whole


def test_one_chain_is_judged_by_its_halves() -> None:
    moving = np.random.default_rng(1).normal(size=(1, 1000, 1))
    assert part_of({}, moving).rhat < 1.02
    assert part_of({}, moving + np.linspace(0, 5, 1000)[:, None]).rhat > 1.05
    independent = part_of({}, np.empty((4, 500, 0)))
    assert (independent.rhat, independent.ess) == (1.0, 2000.0)


def test_few_effective_draws_are_doubted() -> None:
    target = xr.DataArray(np.zeros((4, 500)), dims=("chain", "draw"), attrs={"rhat": 1.01, "ess": 150.0})
    assert doubts([target]) == ["an effective size of 150 below 400"]
    assert doubts([target.assign_attrs(ess=450.0)]) == []


def test_the_error_of_a_difference_counts_what_both_share() -> None:
    """A target a·b of which only b is drawn again: the stated error against that of 300 repetitions."""

    def one(seed: int) -> tuple[float, float]:
        rng = np.random.default_rng(seed)
        a, b, new = np.exp(0.8 * rng.normal(size=(3, 4, 500)))
        change = Change("b", "", log_ratio={"b": np.full((4, 500), 50.0) * rng.normal(size=(4, 500))},
                        refit=lambda _: {"y": xr.DataArray(a * new, dims=("chain", "draw"))})  # fmt: skip
        row = compare({"y": xr.DataArray(a * b, dims=("chain", "draw"))}, [change]).iloc[1]
        assert row["method"] == "refitted"
        return row["d_median"], row["mcse_d_median"]

    moved, stated = np.array([one(seed) for seed in range(300)]).T
    assert np.median(stated) == pytest.approx(moved.std(), rel=0.2)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.1), (0.47, 1.0), (0.49, 0.495)])
def test_a_prior_that_excludes_draws_of_the_fit_has_its_own_posterior(low, high):
    """A share with a flat prior, given 50 of 100: the truncated Beta(51, 51), whose mean SciPy integrates."""

    def model(low=0.0, high=1.0):
        with pm.Model(coords={"row": ["a", "b"]}) as found:
            pm.Binomial("y", n=50, p=pm.Uniform("p", low, high), observed=[24, 26], dims="row")
        return found

    fit = bayes.sample(model(), draws=500, tune=300, chains=2)
    again = refit(model(low, high), fit, {"p"})
    law = stats.beta(51, 51)
    mass = law.cdf(high) - law.cdf(low)
    mean, square = (law.expect(lambda p, k=k: p**k, low, high) / mass for k in (1, 2))
    assert again.attrs["rhat"] < 1.1
    assert float(again["p"].mean()) == pytest.approx(mean, abs=5 * np.sqrt((square - mean**2) / again.attrs["ess"]))
