"""Ramp, targeting, demand, discounting: each against its closed form or a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special

from bayes.heroin.outcomes import calculation, targeting_gain, top_share
from bayes.heroin.scenarios import Scenario, Settings
from bayes.outcomes import played
from tests.heroin.test_projection import PLAIN


def ramp(scenario: Scenario, years: int) -> np.ndarray:
    """Built share of one place, as the recorded calculation has it: the newspaper's sum of one offence a place."""
    settings = Settings(horizon_years=years, press_offences=1.0, press_reduction=1.0)
    found = calculation([scenario], settings, ["A"]).only(["press_arithmetic"])
    values = {**{name: np.full(1, number) for name, number in PLAIN.items()}, "coverage": np.full((1, 1), 0.05)}
    return played(found, values, 1)["press_arithmetic"][0, 0]


def built(scenario: Scenario, time: float) -> float:
    """Share of the places that stands at a time, as the description defines it."""
    x, d = time - scenario.start_year, scenario.years_to_full
    if d == 0:
        return float(x >= 0)
    if scenario.ramp == "linear":
        return float(np.clip(x / d, 0, 1))
    return float(special.expit(2 * np.log(99) / d * (x - d / 2)))


@pytest.mark.parametrize("kind", ["linear", "logistic"])
@pytest.mark.parametrize(("start", "years"), [(0, 4), (1.5, 2.25), (3, 0.2), (0, 0), (12, 1)])
def test_each_year_is_the_average_of_the_ramp(kind: str, start: float, years: float) -> None:
    scenario = Scenario("s", "S", places=1, start_year=start, years_to_full=years, ramp=kind)
    corners = [start, start + years]
    exact = [integrate.quad(lambda t: built(scenario, t), year, year + 1, limit=500,
                            points=[c for c in corners if year < c < year + 1] or None)[0]
             for year in range(10)]  # fmt: skip
    np.testing.assert_allclose(ramp(scenario, 10), exact, atol=1e-7)  # the accuracy asked of the quadrature


@given(st.sampled_from(["linear", "logistic"]), st.floats(0, 20), st.floats(0, 20), st.integers(1, 50))
def test_a_ramp_is_a_rising_share(kind: str, start: float, years: float, horizon: int) -> None:
    found = ramp(Scenario("s", "S", places=1, start_year=start, years_to_full=years, ramp=kind), horizon)
    assert found.shape == (horizon,)
    assert (found >= -1e-12).all()
    assert (found <= 1 + 1e-12).all()
    assert (np.diff(found) >= -1e-12).all()


@pytest.mark.parametrize("shape", [0.2, 0.6, 3.0])
@pytest.mark.parametrize("f", [0.02, 0.3, 0.9])
def test_the_top_share_is_that_of_simulated_people(shape: float, f: float) -> None:
    """A million people with gamma rates: the heaviest share f of them commit the share L of offences."""
    rng = np.random.default_rng(1)
    repeats = []
    for _ in range(10):
        rates = np.sort(rng.gamma(shape, 1.0, size=100_000))[::-1]
        repeats.append(rates[: int(f * rates.size)].sum() / rates.sum())
    error = np.std(repeats, ddof=1) / np.sqrt(len(repeats))
    assert abs(np.mean(repeats) - float(top_share(np.array(f), np.array(shape)))) < 4.8 * error  # 99.9 % of t with 9 df


@pytest.mark.parametrize("strength", [0.0, 0.35, 1.0])
def test_the_gain_is_that_of_simulated_admissions(strength: float) -> None:
    """Of the places a share w goes to the heaviest offenders and the rest at random among all of the pool."""
    rng, shape, f, people = np.random.default_rng(2), 0.5, 0.2, 50_000
    gains = []
    for _ in range(20):
        rates = np.sort(rng.gamma(shape, 1 / shape, size=people))[::-1]
        offences = rng.poisson(400 * rates) / 400
        served = int(f * people)
        targeted = rng.random(served) < strength
        at_random = rng.integers(people, size=served)
        gains.append(np.where(targeted, offences[:served], offences[at_random]).mean() / offences.mean())
    error = np.std(gains, ddof=1) / np.sqrt(len(gains))
    exact = float(targeting_gain(np.array(f), np.array(shape), np.array(strength)))
    assert abs(np.mean(gains) - exact) < 4 * error + 1e-12


@given(st.floats(0.05, 5), st.floats(0, 1), st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_benefit_rises_with_the_programme_and_its_mean_falls(shape: float, strength: float, a: float, b: float) -> None:
    """``f g(f)`` is increasing and concave through 0 and 1, so ``g`` falls to 1."""
    f = np.sort([a, b])
    gain = targeting_gain(f, np.full(2, shape), np.full(2, strength))
    assert gain[0] >= gain[1] - 1e-9
    assert gain[1] >= 1 - 1e-9
    assert (f * gain)[1] >= (f * gain)[0] - 1e-9


def test_everyone_served_or_nothing_targeted_is_no_gain() -> None:
    shapes = np.array([0.05, 0.5, 4.0])
    np.testing.assert_allclose(targeting_gain(np.ones(3), shapes, np.full(3, 0.7)), 1, rtol=1e-12)
    np.testing.assert_allclose(targeting_gain(np.full(3, 0.1), shapes, np.zeros(3)), 1, rtol=1e-12)
