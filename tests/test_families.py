"""Families against SciPy as oracle, closed forms, SHELF's published fit, and fits of random quantiles."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pymc as pm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from bayes.errors import PriorError
from bayes.families import (
    FAMILIES,
    add_to_model,
    family,
    fit_quantiles,
    mass_outside,
    misfit,
    quantile,
    scipy_frozen,
)
from tests.forward import draw

MEMBERS: dict[str, dict[str, float]] = {
    "Normal": {"mu": -0.7, "sigma": 0.73},
    "LogNormal": {"mu": 6.07, "sigma": 0.84},
    "ShiftedLogNormal": {"mu": 7.3, "sigma": 1.2, "shift": 325_780.0},
    "HalfNormal": {"sigma": 0.4},
    "HalfCauchy": {"beta": 2.5},
    "Exponential": {"lam": 0.3},
    "Beta": {"alpha": 1.3, "beta": 4.0},
    "Gamma": {"alpha": 0.7, "beta": 0.01},
    "Uniform": {"lower": -2.0, "upper": 5.0},
}
"""A member of each family, none of them at a special value of its parameters."""

PROBABILITIES = (0.001, 0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975, 0.999)

CLOSE = 1e-9
"""Two double-precision evaluations of one special function: a million roundings apart, no more."""

FITTED = 1e-7
"""A quantile after a fit: the fit stops when probabilities agree to 1e-9, and the flattest density used here turns
an error of probability into a relative error of the quantile a hundred times as large, at most."""

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)


def test_every_family_is_tested() -> None:
    assert set(MEMBERS) == set(FAMILIES)


@pytest.mark.parametrize("name", MEMBERS)
def test_quantiles_and_probabilities_are_scipys(name: str) -> None:
    oracle = scipy_frozen(name, MEMBERS[name])
    for p in PROBABILITIES:
        q = quantile(name, MEMBERS[name], p)
        assert q == pytest.approx(float(oracle.ppf(p)), rel=CLOSE)
        assert family(name).cdf(q, MEMBERS[name]) == pytest.approx(p, rel=CLOSE)


@pytest.mark.parametrize("name", MEMBERS)
def test_probabilities_outside_the_support_are_none_or_all(name: str) -> None:
    oracle = scipy_frozen(name, MEMBERS[name])
    for x in (-1e6, -1.0, 0.0, 1.0, 1e9):
        assert family(name).cdf(x, MEMBERS[name]) == pytest.approx(float(oracle.cdf(x)), abs=CLOSE)


@pytest.mark.parametrize("name", MEMBERS)
def test_the_support_is_scipys(name: str) -> None:
    found = family(name)
    lower, upper = scipy_frozen(name, MEMBERS[name]).support()
    if name in ("ShiftedLogNormal", "Uniform"):  # their ends are parameters: the table holds the widest
        assert found.lower <= lower
        assert upper <= found.upper
    else:
        assert (found.lower, found.upper) == (lower, upper)


@pytest.mark.parametrize("name", MEMBERS)
def test_positive_parameters_are_those_scipy_needs_positive(name: str) -> None:
    for parameter in FAMILIES[name].parameters:
        try:
            bad = {**MEMBERS[name], parameter: -1.0}
            broken = bool(np.isnan(scipy_frozen(name, bad).ppf(0.5)))
        except (ValueError, OverflowError):
            broken = True
        assert broken == (parameter in FAMILIES[name].positive)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_fit_returns_the_member_whose_quantiles_it_was_given(name: str) -> None:
    oracle = scipy_frozen(name, MEMBERS[name])
    points = {p: float(oracle.ppf(p)) for p in ((0.025, 0.5, 0.975) if name == "ShiftedLogNormal" else (0.05, 0.95))}
    fitted = fit_quantiles(name, points)
    assert list(fitted) == list(FAMILIES[name].parameters)
    for parameter, value in MEMBERS[name].items():
        assert fitted[parameter] == pytest.approx(value, rel=1e3 * FITTED)  # ill-conditioned at worst a thousandfold
    assert misfit(name, fitted, points) < FITTED


def test_parameters_mean_what_they_mean_to_pymc() -> None:
    """PyMC's density of each family equals SciPy's, at many points: no sampling, so no Monte Carlo tolerance."""
    for name, parameters in MEMBERS.items():
        if name == "ShiftedLogNormal":
            continue  # PyMC has none: the next test draws from ours
        oracle = scipy_frozen(name, parameters)
        x = oracle.ppf(np.array(PROBABILITIES))
        ours = pm.logp(getattr(pm, name).dist(**parameters), x).eval(mode="FAST_COMPILE")
        assert ours == pytest.approx(oracle.logpdf(x), abs=1e-7)  # PyMC folds some constants in single precision


def test_draws_of_every_family_have_its_quantiles() -> None:
    """The share of draws below each quantile is binomial, so 4 standard errors are exactly known."""
    size = 20_000
    with pm.Model() as model:
        made = [add_to_model(name, name, parameters) for name, parameters in MEMBERS.items()]
    draws = draw(model, made, {}, size, np.random.default_rng(432))
    for name, parameters in MEMBERS.items():
        for p in (0.05, 0.5, 0.95):
            below = float(np.mean(draws[name] <= quantile(name, parameters, p)))
            assert abs(below - p) < 4 * math.sqrt(p * (1 - p) / size), (name, p)


# --- closed forms and published fits ---------------------------------------------------------


def test_lognormal_a_factor_either_way() -> None:
    """Median m and a 90 % interval of m/f to m*f: mu = ln m, sigma = ln f / z(0.95)."""
    fitted = fit_quantiles("LogNormal", {0.05: 108, 0.5: 432, 0.95: 1728})
    assert fitted["mu"] == pytest.approx(math.log(432), rel=CLOSE)
    assert fitted["sigma"] == pytest.approx(math.log(4) / 1.6448536269514722, rel=CLOSE)


def test_normal_and_uniform_by_hand() -> None:
    z = 1.6448536269514722
    assert fit_quantiles("Normal", {0.05: -1.0, 0.95: 3.0}) == pytest.approx({"mu": 1, "sigma": 2 / z}, rel=CLOSE)
    fitted = fit_quantiles("Uniform", {0.25: 10, 0.5: 20, 0.75: 30})
    assert fitted == pytest.approx({"lower": 0, "upper": 40}, abs=40 * CLOSE)


def test_one_quantile_fits_a_scale() -> None:
    assert fit_quantiles("Exponential", {0.5: math.log(2) / 3}) == pytest.approx({"lam": 3}, rel=CLOSE)
    assert fit_quantiles("HalfCauchy", {0.5: 2.5}) == pytest.approx({"beta": 2.5}, rel=CLOSE)
    assert fit_quantiles("HalfNormal", {0.95: 1.959963984540054}) == pytest.approx({"sigma": 1}, rel=CLOSE)


def test_shifted_lognormal_of_the_published_population() -> None:
    """Three quantiles fix three parameters: (b - s)^2 = (a - s)(c - s)."""
    points = {0.025: 325_945.0, 0.5: 327_466.0, 0.975: 343_424.0}
    fitted = fit_quantiles("ShiftedLogNormal", points)
    a, b, c = (q - fitted["shift"] for q in points.values())
    assert b * b == pytest.approx(a * c, rel=1e-6)  # differences of numbers a hundred times as large
    assert misfit("ShiftedLogNormal", fitted, points) < FITTED


def test_gamma_as_shelf_fits_it() -> None:
    """SHELF prints Gamma(5.221, rate 0.01123) for 200, 432, 900 at 5, 50, 95 %: to its four figures."""
    fitted = fit_quantiles("Gamma", {0.05: 200, 0.5: 432, 0.95: 900})
    assert fitted["alpha"] == pytest.approx(5.221, abs=0.0005)
    assert fitted["beta"] == pytest.approx(0.01123, abs=0.000005)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("Gamma", {0.05: 200.0, 0.5: 432.0, 0.95: 900.0}),
        ("Gamma", {0.25: 0.2, 0.5: 0.9, 0.75: 1.4, 0.9: 7.0}),
        ("Beta", {0.05: 0.02, 0.5: 0.2, 0.95: 0.5}),
        ("Beta", {0.1: 0.3, 0.5: 0.8, 0.9: 0.95}),
    ],
)
def test_overdetermined_fits_minimise_the_squared_error_of_the_distribution_function(
    name: str, points: Mapping[float, float]
) -> None:
    """Against a global search by differential evolution over SciPy's own distribution function."""
    p, q = np.array(list(points)), np.array(list(points.values()))
    oracle = stats.beta if name == "Beta" else stats.gamma

    def loss(a: float, b: float) -> float:
        cdf = oracle.cdf(q, a, b) if name == "Beta" else oracle.cdf(q, a, scale=1 / b)
        return float(np.sum((cdf - p) ** 2))

    search = optimize.differential_evolution(
        lambda x: loss(*np.exp(x)), [(-4, 6), (-8, 6)], rng=1, tol=1e-12, maxiter=300, polish=True
    )
    fitted = fit_quantiles(name, points)
    assert loss(fitted["alpha"], fitted["beta"]) <= search.fun * (1 + 1e-6)  # the searcher's own stopping error


# --- random quantiles ------------------------------------------------------------------------

_finite = st.floats(-1e3, 1e3)
_scale = st.floats(1e-3, 1e3)


@SETTINGS
@given(centre=_finite, spread=_scale, skew=st.floats(1.05, 20))
def test_random_normal_and_uniform_and_shifted(centre: float, spread: float, skew: float) -> None:
    two = {0.05: centre - spread, 0.95: centre + spread}
    three = {0.025: centre - spread, 0.5: centre, 0.975: centre + skew * spread}
    for name, points in (("Normal", two), ("Uniform", two), ("ShiftedLogNormal", three)):
        assert misfit(name, fit_quantiles(name, points), points) < FITTED


@SETTINGS
@given(low=_scale, factor=st.floats(1.01, 1e3))
def test_random_positive_quantiles(low: float, factor: float) -> None:
    points = {0.05: low, 0.95: low * factor}
    for name in ("LogNormal", "Gamma"):
        assert misfit(name, fit_quantiles(name, points), points) < FITTED


@SETTINGS
@given(low=st.floats(0.001, 0.99), part=st.floats(0.01, 0.99))
def test_random_shares(low: float, part: float) -> None:
    points = {0.05: low, 0.95: low + part * (1 - low)}
    assert misfit("Beta", fit_quantiles("Beta", points), points) < FITTED


@SETTINGS
@given(q=_scale, p=st.floats(0.01, 0.99))
def test_random_single_quantiles(q: float, p: float) -> None:
    for name in ("HalfNormal", "HalfCauchy", "Exponential"):
        assert misfit(name, fit_quantiles(name, {p: q}), {p: q}) < FITTED


# --- misfit, mass outside, refusals ----------------------------------------------------------


def test_misfit_is_relative_to_a_positive_quantile_and_to_the_spread_of_others() -> None:
    lognormal = fit_quantiles("LogNormal", {0.05: 108.0, 0.5: 432.0, 0.95: 1728.0})
    assert misfit("LogNormal", lognormal, {0.05: 108.0, 0.5: 400.0, 0.95: 1728.0}) == pytest.approx(0.08, rel=CLOSE)
    assert misfit("LogNormal", lognormal, {0.05: 100.0, 0.5: 432.0, 0.95: 1728.0}) == pytest.approx(0.08, rel=CLOSE)
    normal = {"mu": 0.01, "sigma": 1.0}
    z = 1.6448536269514722
    assert misfit("Normal", normal, {0.05: -z, 0.5: 0.0, 0.95: z}) == pytest.approx(0.01 / z, rel=CLOSE)


@pytest.mark.parametrize(("name", "lower", "upper"), [("Normal", 0, 1), ("LogNormal", 0, 500), ("Beta", 0, 1)])
def test_mass_outside_is_scipys(name: str, lower: float, upper: float) -> None:
    oracle = scipy_frozen(name, MEMBERS[name])
    expected = float(oracle.cdf(lower) + oracle.sf(upper))
    assert mass_outside(name, MEMBERS[name], lower, upper) == pytest.approx(expected, abs=CLOSE)
    assert mass_outside(name, MEMBERS[name], -math.inf, math.inf) == 0


def test_an_unknown_family_is_refused_with_a_suggestion() -> None:
    with pytest.raises(PriorError, match="did you mean 'LogNormal'"):
        family("Lognormal")


@pytest.mark.parametrize(
    ("name", "points", "says"),
    [
        ("Normal", {0.5: 1.0}, "needs 2 quantiles"),
        ("ShiftedLogNormal", {0.05: 1.0, 0.95: 2.0}, "needs 3 quantiles"),
        ("Normal", {0.05: 2.0, 0.95: 1.0}, "must rise"),
        ("Normal", {0.05: 1.0, 0.95: 1.0}, "must rise"),
        ("Normal", {0.0: 1.0, 0.95: 2.0}, "between 0 and 1"),
        ("LogNormal", {0.05: 0.0, 0.95: 1.0}, "outside the support"),
        ("HalfNormal", {0.5: 0.0}, "outside the support"),
        ("Beta", {0.05: 0.5, 0.95: 1.0}, "outside the support"),
        ("Normal", {0.05: math.nan, 0.95: 1.0}, "must rise"),
        ("ShiftedLogNormal", {0.05: 1.0, 0.5: 2.0, 0.9: 9.0}, "symmetric about q50"),
        ("ShiftedLogNormal", {0.05: 1.0, 0.5: 5.0, 0.95: 6.0}, "longer upper"),
    ],
)
def test_impossible_quantiles_are_refused(name: str, points: dict[float, float], says: str) -> None:
    with pytest.raises(PriorError, match=says):
        fit_quantiles(name, points)
