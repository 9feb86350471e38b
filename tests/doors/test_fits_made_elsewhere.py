"""Analyses of a fit that PyMC's own sampler made: they compute what they weigh draws by from its model."""

import json

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from pymc.stats import compute_log_likelihood, compute_log_prior
from scipy import stats

import bayes
from bayes.errors import UsageError
from bayes.sensitivity import Change, alternatives, leave_one_out, powerscale
from bayes.sensitivity.doors import with_densities

Y = np.array([0.4, 1.1, -0.3, 0.8, 2.2])


@pytest.fixture(scope="module")
def model():
    with pm.Model(coords={"row": list("abcde"), "g": ["u", "v"]}) as built:
        mu = pm.Normal("mu", 0, 1)
        b = pm.Normal("b", mu, 1, dims="g")
        sigma = pm.HalfNormal("sigma", 1)
        pm.Normal("y", b[np.array([0, 0, 0, 1, 1])], sigma, observed=Y, dims="row")
    return built


@pytest.fixture(scope="module")
def fit(model):
    with model:
        return pm.sample(400, tune=400, chains=2, random_seed=1, progressbar=False, cores=1)


def test_densities_are_those_of_pymc(fit, model):
    again = with_densities(fit, model)
    quiet = {"model": model, "extend_inferencedata": False, "progressbar": False}
    for name, exact in (("log_likelihood", compute_log_likelihood(fit, **quiet)),
                        ("log_prior", compute_log_prior(fit, **quiet))):  # fmt: skip
        for key, array in exact.data_vars.items():
            found = again[name][key]
            assert found.dims == array.dims
            np.testing.assert_allclose(found, array, rtol=1e-12)
    assert again["log_likelihood"]["row"].values.tolist() == list("abcde")
    assert "log_prior" not in fit.children  # the fit is left as it was


def test_powerscale_takes_the_priors_at_the_top_from_the_model(fit, model):
    table = powerscale(fit, "mu", model=model)
    assert {"mu", "sigma", "y"} <= set(table["component"])
    assert "b" not in set(table["component"])
    assert powerscale(fit, "mu", priors="mu", model=model)["component"].tolist()[-2:] == ["mu", "y"]


def test_leaving_rows_out_by_weights_is_leaving_them_out(fit, model):
    table = leave_one_out(fit, "mu", model=model, refit=False)
    changes = [row for row in table["change"] if row != "as fitted"]
    assert changes == [f"y[{row}]" for row in "abcde"]


def test_an_alternative_written_on_one_line_is_a_ratio_of_densities(fit, model):
    table = alternatives(fit, "mu", {"mu": "Normal(0, 2)", "sigma": {"wide": "HalfNormal(2)"}}, model=model)
    assert table["change"].tolist() == ["as fitted", "mu: Normal(0, 2)", "sigma: wide"]
    mu = fit["posterior"]["mu"]
    ratio = stats.norm(0, 2).logpdf(mu) - stats.norm(0, 1).logpdf(mu)
    exact = bayes.sensitivity.compare({"mu": mu}, [Change("by hand", log_ratio={"mu": ratio})])
    np.testing.assert_allclose(table["d_median"].iloc[1], exact["d_median"].iloc[1], rtol=1e-9)


@pytest.mark.parametrize("call", [
    lambda fit: powerscale(fit, "mu"), lambda fit: leave_one_out(fit, "mu"),
    lambda fit: alternatives(fit, "mu", {"mu": "Normal(0, 2)"}),
])  # fmt: skip
def test_without_a_model_the_error_names_both_ways(fit, call):
    with pytest.raises(UsageError, match=r"model=.*bayes\.sample"):
        call(xr.DataTree.from_dict({"posterior": fit["posterior"].to_dataset()}))


def test_the_model_of_another_fit_is_refused_by_name(fit):
    with pm.Model() as other:
        pm.Normal("z", pm.Normal("theta", 0, 1), 1, observed=Y)
    with pytest.raises(UsageError, match="not of this model"):
        powerscale(fit, "mu", model=other)
    with pm.Model() as longer:
        b = pm.Normal("b", 0, 1, shape=3)
        pm.Normal("y", b[0] + pm.Normal("mu", 0, 1), pm.HalfNormal("sigma", 1), observed=Y)
    with pytest.raises(UsageError, match=r"not of this model(.|\n)*\(2,\)(.|\n)*\(3,\)"):
        powerscale(fit, "mu", model=longer)


def test_it_is_checked_summarised_and_reported(fit, tmp_path):
    assert {"divergences", "E-BFMI"} <= {c.name for c in bayes.check(fit).checks}
    assert set(bayes.summarise(fit)["variable"]) == {"mu", "b", "sigma"}
    assert bayes.write_report(tmp_path / "fit.md", fit, target="mu", force=True).is_file()
    assert json.loads(str(fit.attrs.get("mcmc_variables", "null"))) is None
