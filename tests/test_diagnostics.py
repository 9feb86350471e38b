"""The verdict fails, and says so, for everything that must not pass."""

from __future__ import annotations

import json

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import bayes
from bayes.diagnostics import convergence, with_verdict

SHAPE = (4, 1000)


def fit(
    stats: dict[str, np.ndarray] | None = None, sampled: tuple[str, ...] | None = ("a", "b"), **changed: np.ndarray
):
    """A fit of independent normal draws that passes, with what a test spoils."""
    rng = np.random.default_rng(1)
    dims = ("chain", "draw")
    values = {"a": rng.normal(size=SHAPE), "b": rng.normal(size=(*SHAPE, 3)), **changed}
    posterior = xr.Dataset({k: ((*dims, *(f"{k}_{i}" for i in range(v.ndim - 2))), v) for k, v in values.items()})
    shown = {"diverging": np.zeros(SHAPE, bool), "energy": rng.normal(size=SHAPE)} if stats is None else stats
    nodes = {"posterior": posterior}
    if shown:
        nodes["sample_stats"] = xr.Dataset({k: (dims, v) for k, v in shown.items()})
    tree = xr.DataTree.from_dict(nodes)
    if sampled is not None:
        tree.attrs.update(mcmc_variables=json.dumps(sampled), forward_variables="[]")
    return tree


def spoiled(kind: str) -> np.ndarray:
    values = np.random.default_rng(2).normal(size=SHAPE)
    match kind:
        case "nan":
            values[2, 17] = np.nan
        case "infinite":
            values[2, 17] = np.inf
        case "chains stuck at different values":
            values = np.repeat(np.arange(4.0)[:, None], 1000, axis=1)
        case "one chain stuck":
            values[1] = 0.3
        case "all stuck":
            values = np.full(SHAPE, 0.3)
        case "drifting":
            values += np.linspace(0, 3, 1000)
        case "one chain elsewhere":
            values[3] += 2
        case "one chain wider":
            values[3] *= 5
        case "sticky":
            values = np.repeat(values[:, ::50], 50, axis=1)
        case "binary, chains apart":
            values = np.repeat([[0.0], [0.0], [1.0], [1.0]], 1000, axis=1)
    return values


def test_independent_draws_pass() -> None:
    verdict = bayes.check(fit())
    assert verdict.passed
    assert verdict.word == "passed"
    assert verdict.require() is verdict
    assert verdict.table()["passed"].all()


@pytest.mark.parametrize(("kind", "named"), [
    ("nan", "defined values"), ("infinite", "defined values"), ("chains stuck at different values", "R-hat"),
    ("chains stuck at different values", "movement"),
    ("chains stuck at different values", "bulk ESS"), ("one chain stuck", "movement"), ("all stuck", "movement"),
    ("drifting", "R-hat"), ("one chain elsewhere", "R-hat"), ("one chain wider", "R-hat"), ("sticky", "bulk ESS"),
    ("sticky", "tail ESS"), ("sticky", "MCSE"), ("binary, chains apart", "R-hat"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["a", "b"])
def test_a_spoiled_variable_fails_and_is_named(kind: str, named: str, name: str) -> None:
    values = spoiled(kind)
    if name == "b":
        rest = np.random.default_rng(3).normal(size=(*SHAPE, 3))
        rest[..., 1] = values
        if kind in ("one chain stuck", "all stuck") or named == "movement":
            rest[...] = values[..., None]
        values = rest
    verdict = bayes.check(fit(**{name: values}))
    failed = [check for check in verdict.failures if check.name.startswith(named)]
    assert failed, str(verdict)
    assert name in failed[0].text
    with pytest.raises(bayes.CheckFailed, match=named):
        verdict.require()


@pytest.mark.parametrize(("stats", "named"), [
    ({"diverging": np.eye(4, 1000) > 0, "energy": np.random.default_rng(1).normal(size=SHAPE)}, "divergences"),
    ({"diverging": np.zeros(SHAPE, bool), "energy": np.random.default_rng(1).normal(size=SHAPE).cumsum(1)}, "E-BFMI"),
    ({"diverging": np.zeros(SHAPE, bool), "energy": np.full(SHAPE, np.nan)}, "E-BFMI"),
])  # fmt: skip
def test_bad_statistics_of_the_sampler_fail(stats, named: str) -> None:
    assert named in [check.name for check in bayes.check(fit(stats)).failures]


def test_a_fit_of_another_programme_is_checked_in_full() -> None:
    """Without our stamp every variable counts as free."""
    assert bayes.check(fit(sampled=None)).passed
    assert not bayes.check(fit(sampled=None, a=spoiled("nan"))).passed
    assert not bayes.check(fit(sampled=None, a=spoiled("chains stuck at different values"))).passed


def test_one_chain_cannot_pass() -> None:
    single = fit().isel(chain=slice(0, 1))
    assert "R-hat of parameters" in [check.name for check in bayes.check(single).failures]


def test_derived_quantities_may_be_infinite_but_undefined_only_where_they_say_so() -> None:
    ratio = np.random.default_rng(4).normal(size=SHAPE)
    ratio[:, ::30] = np.inf
    undefined = ratio.copy()
    undefined[:, 1::30] = np.nan
    futures = xr.Dataset({"r": (("chain", "draw"), ratio), "u": (("chain", "draw"), undefined)})
    failed = bayes.check(fit(), futures).failures
    assert [check.name for check in failed] == ["defined values of reported quantities"]
    assert "u (" in failed[0].text
    assert "r (" not in failed[0].text
    assert "undefined=" in failed[0].advice
    futures["u"].attrs["undefined"] = "where nothing is divided"
    assert bayes.check(fit(), futures).passed


def test_infinite_draws_do_not_hide_chains_that_disagree() -> None:
    ratio = np.random.default_rng(5).normal(size=SHAPE)
    ratio[0] += 5
    ratio[:, ::30] = np.inf
    futures = xr.Dataset({"r": (("chain", "draw"), ratio)})
    assert "R-hat of reported quantities" in [check.name for check in bayes.check(fit(), futures).failures]


def test_heavy_tails_withhold_the_mean_and_fail_no_check() -> None:
    heavy = xr.Dataset({"h": (("chain", "draw"), np.random.default_rng(6).standard_cauchy(size=SHAPE))})
    assert bayes.check(fit(), heavy).passed
    row = bayes.summarise(heavy).iloc[0]
    assert np.isnan(row["mean"])
    assert "tail shape" in row["note"]


def test_the_error_of_a_ratio_is_that_of_the_draws_in_which_it_is_defined() -> None:
    """Half the draws have nothing to divide: the median is that of the others, and so is its error."""
    rng = np.random.default_rng(8)
    values = np.where(rng.uniform(size=SHAPE) < 0.5, np.nan, rng.normal(10.0, 1.0, SHAPE))
    found = convergence(xr.Dataset({"r": (("chain", "draw"), values)}))["r"]["mcse"]
    defined = int((~np.isnan(values)).sum())
    assert float(found) == pytest.approx(1.2533 / np.sqrt(defined), rel=0.35)  # of a normal median
    few = np.where(np.arange(values.size).reshape(SHAPE) < 50, 1.0 + values, np.nan)
    assert np.isnan(convergence(xr.Dataset({"r": (("chain", "draw"), few)}))["r"]["mcse"])


def test_a_median_that_may_as_well_be_infinite_is_not_reported_and_not_judged() -> None:
    """Half the draws are infinite: the median is one or the other by chance, and its error is infinite."""
    rng = np.random.default_rng(9)
    values = rng.normal(10.0, 1.0, SHAPE)
    values.ravel()[: values.size // 2] = np.inf
    data = xr.Dataset({"r": (("chain", "draw"), rng.permuted(values.ravel()).reshape(SHAPE))})
    assert np.isnan(convergence(data)["r"]["mcse"])
    assert bayes.summarise(data).iloc[0]["mcse"] == np.inf
    few = data.where(np.isfinite(data) | (rng.uniform(size=SHAPE) < 0.2), 10.0)
    assert convergence(few)["r"]["mcse"] < 0.1  # the median is a number, and judged


def test_every_check_can_fail() -> None:
    """Chains that disagree, draws that repeat or are no number, a sampler that diverges: no check passes them all."""
    stuck = np.repeat(np.random.default_rng(3).normal(size=(SHAPE[0], 1)), SHAPE[1], axis=1)
    stuck += np.arange(SHAPE[0])[:, None] * 10 + np.linspace(0, 1, SHAPE[1])
    bad = xr.Dataset({"r": (("chain", "draw"), np.where(np.arange(SHAPE[1]) == 0, np.nan, stuck))})
    verdict = bayes.check(fit(), bad)
    assert not any(check.passed for check in verdict.checks if "reported" in check.name)


def test_statistics_are_those_of_arviz(shipped_fit) -> None:
    """ArviZ's own functions on the same draws; tails are the 5 % and 95 % points, as in Vehtari et al. (2021)."""
    import arviz as az

    names = ["mu_theta", "sigma_study", "offences_per_user_year", "effect"]
    data = shipped_fit["posterior"].to_dataset()[names]
    found = convergence(data)
    exact = {"rhat": az.rhat(data, method="rank"), "ess_bulk": az.ess(data, method="bulk"),
             "ess_tail": az.ess(data, method="tail", prob=(0.05, 0.95))}  # fmt: skip
    for key, theirs in exact.items():
        for name in names:
            np.testing.assert_allclose(found[name][key], theirs[name], rtol=1e-10, err_msg=f"{key} of {name}")


def test_the_shipped_study_passes(shipped_fit, shipped_futures) -> None:
    verdict = bayes.check(shipped_fit, shipped_futures)
    assert verdict.passed, str(verdict)
    stamped = with_verdict(shipped_fit, verdict)
    assert (stamped.attrs["verdict"], stamped.attrs["failures"]) == ("passed", "[]")
    assert shipped_fit.attrs["verdict"] == "not checked"  # the fit itself is not changed


@pytest.mark.parametrize(("infinite", "reported"), [(0.45, True), (0.492, False), (0.508, False), (0.55, True)])
def test_a_median_within_two_errors_of_infinity_is_not_reported(infinite: float, reported: bool) -> None:
    """With heavy tails the last finite draws are far apart: such a median is neither printed nor judged."""
    rng = np.random.default_rng(8)
    ratio = np.where(rng.permutation(np.arange(4000)) < 4000 * infinite, np.inf, np.exp(2 * rng.normal(size=4000)))
    data = xr.Dataset({"r": (("chain", "draw"), ratio.reshape(4, 1000))})
    assert np.isnan(convergence(data)["r"]["mcse"]) == (not reported)
    assert bool(np.isinf(bayes.summarise(data)["mcse"].iloc[0])) == (not reported)
    assert np.isinf(bayes.summarise(data)["estimate"].iloc[0]) == (infinite > 0.5)


@pytest.mark.parametrize("copied", [[0, 0, 0, 0], [0, 1, 2, 0]])
def test_chains_that_are_copies_fail(copied: list[int]) -> None:
    """One chain four times has an R-hat of 1 and four times its effective draws."""
    rng = np.random.default_rng(10)
    chains = {"a": rng.normal(size=SHAPE)[copied], "b": rng.normal(size=(*SHAPE, 3))[copied]}
    assert [c.name for c in bayes.check(fit(**chains)).failures] == ["distinct chains"]
    assert [c.name for c in bayes.check(fit(sampled=None, **chains)).failures] == ["distinct chains"]


def test_one_variable_that_agrees_between_chains_is_no_copy() -> None:
    same = np.repeat(np.random.default_rng(11).normal(size=(1, 1000)), 4, axis=0)
    assert "distinct chains" not in [c.name for c in bayes.check(fit(a=same)).failures]


def test_a_derived_value_that_is_constant_but_for_rounding_is_not_judged() -> None:
    near = np.where(np.random.default_rng(12).random(SHAPE) < 0.5, 0.3, 0.1 + 0.2)
    assert np.ptp(near) > 0
    assert bayes.check(fit(c=near)).passed


@pytest.mark.parametrize("centre", [0.0, 3.1])
def test_an_angle_is_known_from_the_model_and_judged_around_the_circle(centre: float) -> None:
    with pm.Model() as model:
        pm.VonMises("angle", centre, 4.0)
        pm.Normal("x", 0, 1)
    found = bayes.sample(model, draws=500, tune=500, rng=3)
    assert found["posterior"]["angle"].attrs["circular"]
    assert "circular" not in found["posterior"]["x"].attrs
    facts = convergence(found["posterior"].to_dataset())["angle"]
    assert facts["rhat"] < 1.02
    row = bayes.summarise(found).set_index("variable").loc["angle"]
    assert row["upper"] - row["lower"] == pytest.approx(2.1, abs=0.3)  # 95 % of VonMises(4): 1.05 on either side
