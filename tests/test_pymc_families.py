"""Any distribution of PyMC may be declared, by its full name and with parameters: the distribution is PyMC's own."""

from __future__ import annotations

import jsonschema
import numpy as np
import pymc as pm
import pytest
from scipy import stats

import bayes
from bayes.declared import _STATED, OWN, priors_in
from bayes.errors import PriorError
from bayes.families import scipy_frozen
from bayes.priors import check_numbers, json_schema, parse_prior
from bayes.priortext import prior_from_text
from bayes.units import UNITS

SOURCE = {"key": "toolkit", "locator": "reasoned under why", "kind": "judgement", "status": "judgement"}


def table(family, parameters, unit="log ratio"):
    return {"meaning": "an example", "unit": unit, "family": family, "parameters": parameters, "source": SOURCE,
            "why": "an example"}  # fmt: skip


SKEWED = table("pymc.SkewNormal", {"mu": 0.2, "sigma": 1.5, "alpha": 3})
SHARES = table("pymc.Dirichlet", {"a": [2, 3, 5]}, "share")


def test_it_is_pymcs_distribution():
    """SkewNormal against SciPy's: density and draws."""
    prior = parse_prior("effect", SKEWED)
    check_numbers(prior)
    frozen, exact = scipy_frozen(prior.family, prior.parameters), stats.skewnorm(3, loc=0.2, scale=1.5)
    at = np.linspace(-2, 5, 9)
    np.testing.assert_allclose(frozen.logpdf(at), exact.logpdf(at), rtol=1e-6)  # PyMC writes log(1 + erf) out
    assert stats.kstest(frozen.rvs(4000, random_state=1), exact.cdf).pvalue > 1e-4


def test_distribution_function_and_quantiles_where_pymc_has_them():
    frozen = scipy_frozen("pymc.Gumbel", {"mu": 1.0, "beta": 2.0})
    exact = stats.gumbel_r(1, 2)
    assert frozen.cdf(1.7) == pytest.approx(exact.cdf(1.7), rel=1e-12)
    assert frozen.ppf(0.9) == pytest.approx(exact.ppf(0.9), rel=1e-12)
    with pytest.raises(PriorError, match="no quantile function"):
        scipy_frozen("pymc.SkewNormal", {"mu": 0.0, "sigma": 1.0, "alpha": 2.0}).ppf(0.5)


def test_vectors_of_parameters_reach_the_model_as_data():
    """Posterior of shares with counts: Dirichlet(a + n), in closed form."""
    priors = {"shares": parse_prior("shares", SHARES), "effect": parse_prior("effect", SKEWED)}
    with pm.Model() as model:
        made = bayes.add_priors(model, priors)
        pm.Multinomial("n", n=30, p=made["shares"], observed=[10, 15, 5])
        pm.Normal("y", made["effect"], 1, observed=0.3)
    assert model["prior_parameters"].get_value().tolist() == [2, 3, 5, 0.2, 1.5, 3]
    fit = bayes.sample(model, rng=3, draws=1000, tune=500, chains=2)
    shares = fit["posterior"]["shares"].values.reshape(-1, 3)
    exact = np.array([12, 18, 10]) / 40
    error = np.sqrt(exact * (1 - exact) / 41 / 400)  # sd of a Dirichlet over the root of 400 effective draws
    assert np.all(np.abs(shares.mean(0) - exact) < 4 * error)


@pytest.mark.parametrize(("change", "says"), [
    ({"family": "pymc.SkewNorml"}, "SkewNormal"),
    ({"family": "pymc.sample"}, "not a distribution"),
    ({"family": "SkewNormal"}, "pymc.SkewNormal"),
    ({"parameters": {"mu": 0, "sigma": -1, "alpha": 3}}, "PyMC refuses"),
    ({"parameters": {"mu": 0, "sigma": 1, "skew": 3}}, "no such parameter"),
    ({"unit": "share"}, "cannot be measured"),
    ({"parameters": {"mu": "0", "sigma": 1}}, "finite number"),
    ({"parameters": {"mu": [], "sigma": 1}}, "finite number"),
    ({"quantiles": {"q05": -1, "q95": 2}, "parameters": None}, "parameters"),
])  # fmt: skip
def test_what_is_wrong_is_said(change, says):
    body = {key: value for key, value in {**SKEWED, **change}.items() if value is not None}
    with pytest.raises(PriorError, match=says):
        check_numbers(parse_prior("effect", body, "some.toml"), UNITS)


def test_the_schema_takes_them_too():
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.validate({"effect": SKEWED, "shares": SHARES})
    assert not validator.is_valid({"effect": {**SKEWED, "family": "SkewNormal"}})
    assert not validator.is_valid({"effect": {**SKEWED, "parameters": {"mu": "0"}}})
    quantiles = {key: value for key, value in SKEWED.items() if key != "parameters"} | {"quantiles": {"q05": 1}}
    assert not validator.is_valid({"effect": quantiles})


def test_a_script_states_them_with_their_parameters():
    """What a model of a script says of a prior is what PyMC was told."""
    told = {name: {key: 2.0 + i for i, key in enumerate(keys)} for name, keys in OWN.items()}
    with pm.Model() as model:
        for name, parameters in told.items():
            getattr(pm, name)(name.lower(), **parameters)
    found = {prior.family: prior.parameters for prior in priors_in(model).values()}
    assert found == {f"pymc.{name}": pytest.approx(parameters) for name, parameters in told.items()}


def test_on_one_line_their_numbers_have_names():
    with pytest.raises(PriorError, match="have names"):
        prior_from_text("effect", "pymc.StudentT(4, 0, 1)", "log ratio")


STATED = [(*stated, truncated) for stated in _STATED.values() for truncated in (False, True)
          if not truncated or "lower" not in stated[1]]  # fmt: skip


@pytest.mark.parametrize(("family", "keys", "truncated"), STATED)
def test_the_prior_of_a_script_is_what_it_states(family, keys, truncated):
    """Every family whose priors are read off a model, whether PyTensor has it or PyMC builds it from others."""
    named = {key: float(i) for i, key in enumerate(filter(None, keys), 1)}
    distribution = getattr(pm, family.removeprefix("pymc."))
    with pm.Model() as model:
        if truncated:
            pm.Truncated("x", distribution.dist(**named), lower=0.5, upper=0.75)
        else:
            distribution("x", **named)
    wanted = named | ({"lower": 0.5, "upper": 0.75} if truncated else {})
    found = priors_in(model)["x"]
    assert dict(found.parameters) == pytest.approx(wanted, rel=1e-6)
    assert found.family.endswith(family) or truncated
