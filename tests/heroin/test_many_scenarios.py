"""Many scenarios: quantiles without draws."""

from __future__ import annotations

import numpy as np
import pytest

import bayes
from bayes.heroin.projection import project, projection_of
from bayes.heroin.quantities import UNIT_OF
from bayes.heroin.scenarios import Scenario
from bayes.outcomes import quantiles_of
from bayes.summaries import interval, row_quantiles
from tests.heroin.test_projection import PLAIN, fitted, with_scenarios


def varied(chains: int = 2, draws: int = 300):
    rng, shape = np.random.default_rng(5), (chains, draws)
    values = {name: value * np.exp(rng.normal(0, 0.4, shape)) for name, value in PLAIN.items()}
    values |= {"occupancy": rng.beta(20, 2, shape), "targeting_strength": rng.random(shape)}
    return fitted(chains, draws, **values)


def many(count: int = 120) -> list[Scenario]:
    """Scenarios of every kind."""
    rng = np.random.default_rng(6)
    drawn = zip(np.exp(rng.uniform(4, 12.5, count)), rng.uniform(0, 12, count), rng.uniform(0, 3, count), strict=True)
    return [Scenario(f"s{i}", f"S {i}", places=places, years_to_full=full, start_year=start, demand_cap=i % 2 == 0,
                     ramp=("linear", "logistic")[i % 2], against=("today", "none")[i % 3 == 0])
            for i, (places, full, start) in enumerate(drawn)]  # fmt: skip


@pytest.fixture(scope="module")
def study():
    return with_scenarios(bayes.load_study(), *many())


def test_quantiles_are_those_of_the_draws(study) -> None:
    fit, q = varied(), (0.025, 0.5, 0.9)
    found, futures = quantiles_of(projection_of(fit, study), q), project(fit, study)
    assert found["offences_avoided"].dims == ("quantile", "scenario", "year")
    for name in UNIT_OF:
        values = futures[name].values.reshape(-1, *futures[name].shape[2:])
        assert found[name].attrs["unit"] == UNIT_OF[name]
        if not np.isfinite(values).all():
            continue
        np.testing.assert_allclose(found[name], np.quantile(values, q, axis=0), rtol=1e-12, atol=1e-9)


def test_quantiles_are_the_ends_of_intervals_where_draws_are_infinite_or_undefined(study) -> None:
    fit = varied()
    names = ("cost_per_offence_avoided", "offences_avoided_per_patient_year")
    found, futures = quantiles_of(projection_of(fit, study), (0.025, 0.975)), project(fit, study)
    odd = 0
    for name in names:
        for scenario in list(study.scenarios)[:40]:
            values = futures[name].sel(scenario=scenario, year=10).values.ravel()
            defined = values[~np.isnan(values)]
            ends = interval(defined, 0.95, "eti") if defined.size else (np.nan, np.nan)
            odd += bool(defined.size) and not np.isfinite(values).all()
            np.testing.assert_allclose(found[name].sel(scenario=scenario, year=10), ends)
    assert odd > 10


def test_rows_without_draws_have_no_quantile() -> None:
    rows = np.array([[np.nan, np.nan, np.nan], [np.nan, 2.0, 4.0], [1.0, np.inf, np.inf]])
    np.testing.assert_array_equal(row_quantiles(rows, (0.25, 0.5)), [[np.nan, 2.5, 1.0], [np.nan, 3.0, np.inf]])


@pytest.mark.parametrize("q", [(1.2,), ()])
def test_impossible_quantiles_are_refused(study, q) -> None:
    with pytest.raises(bayes.InputError, match="between 0 and 1"):
        quantiles_of(projection_of(varied(1, 4), study), q)
