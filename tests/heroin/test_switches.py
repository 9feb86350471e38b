"""What each switch of the projection does, against its closed form or a simulation of people."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import bayes
from bayes.heroin.evidence.retention import retention_law
from bayes.heroin.model import Structure
from bayes.heroin.outcomes import targeting_gain
from bayes.heroin.projection import project
from bayes.heroin.sensitivity.rows import _retention
from tests.forward import draw
from tests.heroin.test_projection import PLAIN, at_once, fitted, with_scenarios


def with_more(**values: float) -> xr.DataTree:
    """A fit of constants, with variables that plain ones lack."""
    fit = fitted(**{name: value for name, value in values.items() if name in PLAIN})
    more = {name: (("chain", "draw"), np.full((1, 4), value)) for name, value in values.items() if name not in PLAIN}
    fit["posterior"] = xr.DataTree(fit["posterior"].to_dataset().assign(more))
    return fit


def avoided(study, places: float = 1000, cap: bool = False, **values: float) -> np.ndarray:
    """Offences avoided by year in one draw."""
    futures = project(with_more(**values), with_scenarios(study, at_once("s", places, demand_cap=cap)))
    return futures["offences_avoided"].values[0, 0, 0]


@pytest.mark.parametrize("decline", [-0.05, 0.1, 0.3])
def test_a_decline_is_that_of_simulated_patients(shipped_study, decline: float) -> None:
    """Places are full from the start; whoever leaves is replaced by somebody who has just come to treatment."""
    rng, stay, years, people = np.random.default_rng(1), 4.0, 10, 50_000
    treated, step = np.zeros(people), 0.01
    found = []
    for _ in range(int(years / step)):
        treated += step
        treated[rng.random(people) < 1 - np.exp(-step / stay)] = 0.0
        found.append(np.exp(-decline * treated).mean())
    share = avoided(shipped_study, yearly_decline=decline) / avoided(shipped_study)
    by_year = np.reshape(found, (years, -1)).mean(axis=1)
    np.testing.assert_allclose(share, by_year, atol=0.006)  # a year by its middle, the step, and so many people


def test_no_decline_is_no_change(shipped_study) -> None:
    np.testing.assert_allclose(avoided(shipped_study, yearly_decline=0.0), avoided(shipped_study), rtol=1e-12)


def test_entrants_from_no_treatment_are_compared_with_no_treatment(shipped_study) -> None:
    """One in five offends 1 / 0.6 times as much as on oral treatment, all are at 0.5 on heroin."""
    share = avoided(shipped_study, untreated_share=0.2, bias_untreated=np.log(0.6)) / avoided(shipped_study)
    np.testing.assert_allclose(share, (0.8 + 0.2 / 0.6 - 0.5) / 0.5)


def test_nobody_beyond_the_pool_is_admitted_where_demand_is_the_limit(shipped_study) -> None:
    clients, pool = 130_000, 0.08
    few = avoided(shipped_study, 40_000, cap=True, coverage_new=0.2)[-1]
    many = avoided(shipped_study, 40_000, cap=True, coverage_new=0.2, demand_beyond_pool=1.0)[-1]
    assert few == pytest.approx(pool * clients * 400 * 0.5)
    assert many == pytest.approx((pool + (0.2 - pool) * np.exp(-1.5)) * clients * 400 * 0.5)


def test_targeting_uses_the_spread_that_persists(shipped_study) -> None:
    """Persistent gamma rates times bursts: admitted by their own rate, people offend by the persistent curve."""
    rng, people, persistent, burst = np.random.default_rng(2), 400_000, 1.2, 1.5
    rates = np.sort(rng.gamma(persistent, 1 / persistent, people))[::-1]
    year = rates * rng.gamma(burst, 1 / burst, people)
    shape_year = 1 / ((1 + 1 / persistent) * (1 + 1 / burst) - 1)  # of the product, by its variance
    served = int(0.25 * people)
    gain = year[:served].mean() / year.mean()
    values = {"targeting_strength": 1.0, "shape_year": shape_year, "persistent_spread": persistent / shape_year}
    found = avoided(shipped_study, 0.25 * 0.08 * 130_000, **values) / avoided(shipped_study, 0.25 * 0.08 * 130_000)
    assert found[0] == pytest.approx(gain, rel=0.01)  # the error of so many people
    assert float(targeting_gain(0.25, shape_year, 1.0)) > 1.2 * gain


def test_demand_is_above_what_is_achieved_where_places_were_the_limit(shipped_study) -> None:
    model = bayes.build_model(shipped_study)
    names = ["coverage_new", "logit_coverage_new", "unmet_demand", "supply_limits", "supply_limited"]
    found = draw(model, [model[name] for name in names], {}, 4000, np.random.default_rng(3))
    share, achieved, unmet, limits, limited = (np.asarray(found[name], dtype=float) for name in names)
    np.testing.assert_allclose(np.log(share / (1 - share)), achieved + limits * unmet, rtol=1e-6, atol=1e-6)
    assert set(np.unique(limits)) == {0.0, 1.0}
    assert limits.mean() == pytest.approx(limited.mean(), abs=4 * np.sqrt(0.25 / 4000))


def test_a_setting_of_its_own_is_integrated_out(shipped_study) -> None:
    """The density of a setting's follow-up, against a fine sum over its own scale."""
    size, rng = 5, np.random.default_rng(4)
    rows = shipped_study.rows("retention")
    settings = list(dict.fromkeys(row.study for row in rows))
    scale, shape, sigma = rng.uniform(2, 5, size), rng.uniform(0.7, 1.2, size), rng.uniform(0.2, 0.6, size)
    draws = {"retention_scale": scale, "retention_shape": shape, "sigma_retention": sigma,
             "log_retention_scale": np.log(scale)[:, None] + rng.normal(0, 0.1, (size, len(settings)))}  # fmt: skip
    for cluster in _retention(shipped_study, draws, Structure()):
        own = [row for row in rows if row.row in cluster.rows]
        z = np.linspace(-8, 8, 20_001)
        for i in range(size):
            x = np.exp(np.log(scale[i]) + sigma[i] / shape[i] * z)
            logs = sum(retention_law(row, x, shape[i]).log_density for row in own)
            exact = np.log((np.exp(logs - 0.5 * z**2) / np.sqrt(2 * np.pi)).sum() * (z[1] - z[0]))
            assert cluster.log_density(cluster.rows)[i] == pytest.approx(exact, abs=1e-3)
