"""Any model in, one stamped tree out: reproducible, complete, and without side effects."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy import stats

import bayes
from bayes.errors import UsageError
from bayes.sampling import SAMPLERS, nuts
from bayes.sampling import fit as fit_module
from bayes.sampling.fit import TARGET, draws_of, plan_of_model
from bayes.sampling.nuts import DRAWS, Length
from tests.montecarlo import LIMIT, mean_z, sd_z
from tests.sampling.pair import bits

Y = np.array([0.3, 0.9, 1.4, -0.2])


def normal_model() -> pm.Model:
    """Conjugate: mu | y is N(sum y / 5, 1/5); ``new`` is drawn forward."""
    with pm.Model(coords={"row": list("abcd")}) as model:
        mu = pm.Normal("mu", 0, 1)
        pm.Normal("y", mu, 1, observed=pm.Data("observed", Y, dims="row"), dims="row")
        pm.Normal("new", mu, 1)
    return model


@pytest.fixture(scope="module")
def small() -> xr.DataTree:
    return bayes.sample(normal_model(), rng=1)


def test_every_group_has_its_exact_moments(small) -> None:
    mean, var = Y.sum() / 5, 1 / 5
    posterior, replicated = small["posterior"], small["posterior_predictive"]["y"]
    zs = {
        "mu": mean_z(posterior["mu"], mean), "sd of mu": sd_z(posterior["mu"], np.sqrt(var)),
        "new": mean_z(posterior["new"], mean), "sd of new": sd_z(posterior["new"], np.sqrt(1 + var)),
        "replicate": mean_z(replicated[..., 2], mean), "sd of replicate": sd_z(replicated[..., 2], np.sqrt(1 + var)),
        "prior": mean_z(small["prior"]["mu"], 0), "sd of prior": sd_z(small["prior"]["mu"], 1),
        "prior predictive": mean_z(small["prior_predictive"]["y"][..., 0], 0),
        "sd of prior predictive": sd_z(small["prior_predictive"]["y"][..., 0], np.sqrt(2)),
    }  # fmt: skip
    assert {name: round(z, 1) for name, z in zs.items() if abs(z) > LIMIT} == {}


def test_densities_are_those_of_scipy(small) -> None:
    mu = small["posterior"]["mu"].values
    np.testing.assert_allclose(small["log_prior"]["mu"], stats.norm.logpdf(mu))
    np.testing.assert_allclose(small["log_prior"]["new"], stats.norm.logpdf(small["posterior"]["new"], mu))
    np.testing.assert_allclose(small["log_likelihood"]["y"], stats.norm.logpdf(Y, mu[..., None]))


def test_the_tree_is_labelled_and_stamped(small) -> None:
    assert set(small.children) == {"posterior", "sample_stats", "prior", "prior_predictive", "posterior_predictive",
                                   "log_likelihood", "log_prior", "observed_data", "constant_data"}  # fmt: skip
    assert small["observed_data"]["y"].dims == ("row",)
    assert small["posterior_predictive"]["y"].dims == ("chain", "draw", "row")
    assert small["observed_data"]["row"].values.tolist() == list("abcd")
    assert json.loads(small.attrs["mcmc_variables"]) == ["mu"]
    assert json.loads(small.attrs["forward_variables"]) == ["new"]
    assert (small.attrs["seed"], small.attrs["sampler"], small.attrs["verdict"]) == (1, "numpyro", "not checked")
    assert {"pymc", "numpyro", "jax", "numpy"} <= set(json.loads(small.attrs["versions"]))
    assert small.attrs["inputs_hash"]


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "numpyro"])
def test_the_other_samplers_agree_with_the_closed_form(sampler: str) -> None:
    fit = bayes.sample(normal_model(), sampler=sampler, rng=3, draws=500, tune=500, chains=2)
    assert fit.attrs["sampler"] == sampler
    assert abs(mean_z(fit["posterior"]["mu"], Y.sum() / 5)) < LIMIT
    assert abs(sd_z(fit["posterior"]["mu"], np.sqrt(1 / 5))) < LIMIT
    assert {"diverging", "energy"} <= set(fit["sample_stats"].data_vars)


PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from test_sampling import seeded
print(seeded())
"""


def seeded() -> str:
    """A digest of a fit with a seed."""
    return bits(bayes.sample(normal_model(), draws=100, tune=100, chains=2, rng=5))


def test_the_same_seed_gives_the_same_bits_in_every_process_cold_and_warm(tmp_path: Path, monkeypatch) -> None:
    """Cold in this process, warm in another."""
    monkeypatch.setenv("BAYES_CACHE", str(tmp_path))
    cold = seeded()
    assert any(tmp_path.rglob("*")), "the first run left no cache"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", PROGRAM.format(folder=str(Path(__file__).parent))]
    here = {**os.environ, "PYTHONPATH": str(root)}
    warm = subprocess.run(command, env=here, capture_output=True, text=True, check=True, cwd=root).stdout.strip()
    assert cold == warm
    assert len(cold) == 64


def test_chains_made_in_parts_of_any_length_are_the_same_and_tell_how_far_they_are(monkeypatch) -> None:
    """Longer chains begin as the shorter ones, and need no other program: it depends on the warm-up's length alone, so
    that another target acceptance compiles nothing either."""
    plan, kept, told = plan_of_model(normal_model()), dict[Any, Any](), list[tuple[int, int, str]]()

    def draws(number: int, target: float = 0.9, kept: dict[Any, Any] = kept) -> np.ndarray:
        length = Length(130, number, 2, target)
        found = draws_of(plan, length, 3, kept=kept, advance=lambda *made: told.append(made)).groups["posterior"]
        return found["mu"].reshape(2, number, -1)

    whole, careful = draws(500), draws(70, 0.99, {})
    assert not np.array_equal(whole[:, :70], careful)
    told.clear()
    draws(500, kept=dict[Any, Any]())
    programs, counted = ([one for one in told if (one[2] == DRAWS) == is_draws] for is_draws in (False, True))
    assert programs == [(1, 1, "programs compiled")]
    assert [done for done, *_ in counted] == sorted(done for done, *_ in counted)
    assert counted[-1] == (2 * 630, 2 * 630, DRAWS)
    monkeypatch.setattr(nuts, "SOON", 0.0)  # no call makes more than the first
    monkeypatch.setattr(fit_module, "load_program", None)
    np.testing.assert_array_equal(draws(500), whole)
    np.testing.assert_array_equal(draws(70), whole[:, :70])
    np.testing.assert_array_equal(draws(70, 0.99), careful)


def test_another_seed_gives_other_numbers_and_a_generator_is_a_seed() -> None:
    fits = [bayes.sample(normal_model(), draws=100, tune=100, chains=2, rng=rng)["posterior"]["mu"].values
            for rng in (5, 6, np.int64(5), np.random.default_rng(1), np.random.default_rng(1))]  # fmt: skip
    assert not np.array_equal(fits[0], fits[1])
    np.testing.assert_array_equal(fits[0], fits[2])
    np.testing.assert_array_equal(fits[3], fits[4])


def test_nothing_global_is_touched() -> None:
    import matplotlib as mpl

    np.random.seed(1)
    before = (np.random.get_state()[1].tolist(), list(warnings.filters), dict(mpl.rcParams), dict(os.environ))
    bayes.sample(normal_model(), draws=100, tune=100, chains=2, rng=5)
    after = (np.random.get_state()[1].tolist(), list(warnings.filters), dict(mpl.rcParams), dict(os.environ))
    assert before == after


def test_a_model_without_observations_is_drawn_forward() -> None:
    with pm.Model() as model:
        s = pm.HalfNormal("s", 1)
        pm.Normal("x", 0, s)
    fit = bayes.sample(model, rng=2)
    assert "sample_stats" not in fit.children
    assert abs(mean_z(fit["posterior"]["s"], np.sqrt(2 / np.pi))) < LIMIT
    assert abs(sd_z(fit["posterior"]["x"], 1.0)) < LIMIT
    assert bayes.check(fit).passed


def test_a_mixture_and_a_name_with_an_underscore_can_be_fitted() -> None:
    with pm.Model() as model:
        raw = pm.Normal("_raw", 0, 1)
        pm.Deterministic("shift", 2 * raw)
        pm.NormalMixture("y", w=[0.5, 0.5], mu=pm.math.stack([2 * raw, 2 * raw + 3]), sigma=1, observed=[0.1, 3.2])
    fit = bayes.sample(model, draws=100, tune=100, chains=2, rng=1)
    assert set(fit["posterior"].data_vars) == {"_raw", "shift"}  # as PyMC keeps them
    assert fit["log_likelihood"]["y"].shape == (2, 100, 2)
    assert fit["posterior_predictive"]["y"].shape == (2, 100, 2)


def test_discrete_variables_need_the_sampler_that_can() -> None:
    with pm.Model() as model:
        k = pm.Poisson("k", 3)
        pm.Normal("y", k, 1, observed=2.5)
    with pytest.raises(UsageError, match="discrete") as caught:
        bayes.sample(model)
    assert caught.value.key == "sampler"
    assert "pymc" in str(caught.value)


def test_discrete_variables_that_no_data_inform_are_drawn_forward() -> None:
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 1)
        pm.Normal("y", mu, 1, observed=0.5)
        pm.Poisson("count", pm.math.exp(mu))
    fit = bayes.sample(model, draws=500, tune=300, chains=2, rng=1)
    assert abs(mean_z(fit["posterior"]["count"], np.exp(0.25 + 0.25))) < LIMIT  # mu | y is N(1/4, 1/2)


@pytest.mark.parametrize(("arguments", "key"), [
    ({"draws": 0}, "draws"), ({"draws": 2.5}, "draws"), ({"tune": 0}, "tune"), ({"chains": 0}, "chains"),
    ({"sampler": "numpyr"}, "sampler"), ({"target_accept": 1.0}, "target_accept"),
])  # fmt: skip
def test_arguments_out_of_range_are_refused(arguments, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        bayes.sample(normal_model(), **arguments)
    assert caught.value.key == key


@pytest.mark.parametrize("name", ["chain", "draw"])
def test_a_variable_with_the_name_of_a_dim_of_draws_is_refused_before_any_draw(name: str) -> None:
    with normal_model() as model:
        pm.Normal(name, 0, 1)
    with pytest.raises(UsageError, match=f"the name of a dim(?s:.*){name}"):
        bayes.sample(model, draws=10, tune=10)


def test_more_draws_than_memory_holds_are_refused_before_any() -> None:
    """JAX ends the process otherwise, with the trace of a debugger."""
    with pytest.raises(UsageError, match="do not fit into the memory"):
        bayes.sample(normal_model(), draws=10**12)


def test_arviz_reads_a_saved_fit_and_works_on_it(shipped_fit, tmp_path: Path) -> None:
    import arviz as az

    shipped_fit.to_netcdf(tmp_path / "fit.nc", engine="netcdf4")
    fit = az.from_netcdf(tmp_path / "fit.nc")
    xr.testing.assert_identical(fit["posterior"].to_dataset(), shipped_fit["posterior"].to_dataset())
    assert len(az.summary(fit, var_names=["mu_theta", "tau_theta"], round_to="none")) == 2
    loo = az.loo(fit, var_name="retention", pointwise=True)
    assert np.isfinite(loo.elpd)
    sensitivity = az.psense_summary(
        fit, var_names=["mu_theta"], prior_var_names=["mu_theta"], likelihood_var_names=["log_ratio"]
    )
    assert (sensitivity[["prior", "likelihood"]].astype(float) > 0).all(axis=None)


GLOBALS = """
import jax, os, numpy as np, pymc as pm, bayes
with pm.Model() as model:
    mu = pm.Normal("mu", 0, 1)
    pm.Normal("y", mu, 1, observed=[0.3, 0.9])
flags = os.environ.get("XLA_FLAGS")
bayes.sample(model, draws=50, tune=50, chains=1, rng=5)
assert os.environ.get("XLA_FLAGS") == flags
with model:
    fit = pm.sample(50, tune=50, chains=1, nuts_sampler="numpyro", progressbar=False, random_seed=1)
print(fit.posterior["mu"].dtype)
"""


def test_pymcs_own_jax_sampler_still_computes_in_double_precision(tmp_path: Path) -> None:
    here = {**os.environ, "BAYES_CACHE": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", GLOBALS], env=here, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "float64"


# --- interrupts -----------------------------------------------------------------------------------


def interrupt(*_: object, **named: object) -> None:
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_an_interrupt_ends_chains_where_they_are() -> None:
    """Chains run in threads, which no interrupt reaches: each ends after the part that it is computing."""
    made = []

    def told(done: int, total: int, what: str) -> None:
        if what == DRAWS:
            made.append(done)
            if len(made) == 1:
                interrupt()

    plan = plan_of_model(normal_model())
    with pytest.raises(KeyboardInterrupt):
        draws_of(plan, Length(1000, 10_000_000, 3, TARGET, at_once=2), 1, advance=told)
    assert max(made) <= 2 * nuts.PORTION


def test_an_interrupt_ends_the_other_samplers_too(monkeypatch) -> None:
    """They keep the draws made so far as if they were all."""

    def sampling(*_: object, **named: object) -> None:
        try:
            interrupt()
            time.sleep(5)
        except KeyboardInterrupt:
            pass  # as PyMC and nutpie do

    monkeypatch.setattr(pm, "sample", sampling)
    monkeypatch.setattr("nutpie.sample", sampling)
    monkeypatch.setattr("nutpie.compile_pymc_model", lambda model: None)
    for sampler in ("pymc", "nutpie"):
        with pytest.raises(KeyboardInterrupt):
            draws_of(plan_of_model(normal_model()), Length(100, 100, 2, TARGET), 1, sampler)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_pymcs_own_sampler_says_nothing_beside_our_progress(caplog):
    """Its lines ("Sequential sampling", names of its steps) came through --quiet."""
    with pm.Model() as model:
        pm.Poisson("n", pm.Gamma("rate", 2, 1), observed=3)
        pm.Poisson("k", pm.DiscreteUniform("place", 1, 4), observed=2)
    with caplog.at_level("INFO", logger="pymc"):
        bayes.sample(model, sampler="pymc", draws=30, tune=30, chains=1, rng=1)
    assert not caplog.records
