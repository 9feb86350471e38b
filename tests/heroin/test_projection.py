"""The projection as a whole: a closed form, an oracle draw by draw, and what must hold whatever the draws."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import bayes
from bayes.heroin.projection import horizon_total, project
from bayes.heroin.quantities import UNIT_OF
from bayes.heroin.scenarios import Scenario
from tests.montecarlo import LIMIT, case, mean_z, quantile_z

PLAIN = {
    "offences_per_user_year": 400.0, "drift": 1.0, "rate_ratio": 0.5, "coverage_new": 0.05, "opioid_clients": 130_000.0,
    "occupancy": 1.0, "eligible_share": 0.08, "targeting_strength": 0.0, "shape_year": 0.5, "offset_all_users": -1.5,
    "current_patients": 350.0, "opiate_users": 280_000.0, "countable_share": 0.2, "mean_stay": 4.0,
    "programme_cost": 13_000.0, "cost_per_offence": 200.0,
}  # fmt: skip


STUDY = cache(bayes.load_study)


def fitted(chains: int = 1, draws: int = 4, **values: Any) -> xr.DataTree:
    """A posterior of constants, and of the arrays given."""
    arrays = {name: np.broadcast_to(values.get(name, number), (chains, draws)) for name, number in PLAIN.items()}
    data = {name: (("chain", "draw"), np.array(array)) for name, array in arrays.items()}
    shares = np.broadcast_to([0.075, 0.01], (chains, draws, 2))
    coords = {"chain": range(chains), "draw": range(draws), "country": ["Switzerland", "Germany"]}
    data["coverage"] = (("chain", "draw", "country"), shares)
    return xr.DataTree.from_dict({"posterior": xr.Dataset(data, coords=coords)})


def with_scenarios(study: Any, *scenarios: Scenario) -> Any:
    return replace(study, scenarios=MappingProxyType({s.name: s for s in scenarios}))


def at_once(name: str, places: float, **changes: Any) -> Scenario:
    return Scenario(name, name, **{"places": places, "demand_cap": False, "against": "none", **changes})


def test_a_product_of_lognormals_has_its_closed_form(shipped_study) -> None:
    """Reference case: rate x reduction x places, no ceiling; the projection must add nothing to it."""
    reference = case("crime_chain_lognormal")["expected"]
    rng = np.random.default_rng(1)
    shape = (4, 25_000)
    rate, reduction, people = (
        np.exp(rng.normal(np.log(m), s, shape)) for m, s in ((432, 0.35), (0.5, 0.25), (1e4, 0.2))
    )
    fit = fitted(
        *shape, offences_per_user_year=rate, rate_ratio=1 - reduction, occupancy=people / 1e6, eligible_share=1.0
    )
    found = (
        project(fit, with_scenarios(shipped_study, at_once("all", 1e6)))["offences_avoided"]
        .isel(scenario=0, year=-1)
        .values
    )
    assert abs(mean_z(found, reference["mean"])) < LIMIT
    for p, exact in ((0.5, reference["median"]), (0.025, reference["eti95"][0]), (0.975, reference["eti95"][1])):
        assert abs(quantile_z(found, p, exact)) < LIMIT
    for limit in (1e6, 2e6):
        assert abs(mean_z(found > limit, reference[f"P_gt_{limit:.0e}".replace("+0", "")])) < LIMIT


def oracle(fit: xr.DataTree, places: float, cap: bool, against_today: bool, i: int) -> float:
    """Offences avoided a year at full scale in one draw, by plain arithmetic on a list of people."""
    v = {name: float(fit["posterior"][name][0, i]) for name in PLAIN}
    served = min(places * v["occupancy"], v["opiate_users"])
    share = min(v["coverage_new"], v["eligible_share"])
    served = min(served, share * v["opioid_clients"]) if cap else served
    today = min(v["current_patients"], served) if against_today else 0.0
    pool, per_offence = v["eligible_share"] * v["opioid_clients"], v["drift"] * (1 - v["rate_ratio"])

    def offences(people: float) -> float:
        inside = min(people, pool)
        k, f = v["shape_year"], inside / pool
        top = 1 - stats.gamma(k + 1).cdf(stats.gamma(k).ppf(1 - f))
        mean = (1 - v["targeting_strength"]) * inside + v["targeting_strength"] * top * pool
        return v["offences_per_user_year"] * (mean + (people - inside) * np.exp(v["offset_all_users"]))

    return (offences(served) - offences(today)) * per_offence


@pytest.mark.parametrize(("places", "cap", "today"), [
    (1000, False, True), (10_000, True, True), (200_000, False, False),
                                                     (9e5, False, True), (40_000, True, False)])  # fmt: skip
def test_every_draw_follows_the_written_formula(shipped_study, places: float, cap: bool, today: bool) -> None:
    rng = np.random.default_rng(3)
    draws = {name: value * np.exp(rng.normal(0, 0.3, (1, 50))) for name, value in PLAIN.items()}
    draws |= {"occupancy": rng.beta(20, 2, (1, 50)), "targeting_strength": rng.random((1, 50))}
    fit = fitted(1, 50, **draws)
    scenario = at_once("s", places, demand_cap=cap, against="today" if today else "none")
    found = project(fit, with_scenarios(shipped_study, scenario))["offences_avoided"].values[0, :, 0, -1]
    np.testing.assert_allclose(found, [oracle(fit, places, cap, today, i) for i in range(50)], rtol=1e-7, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0, 4e5), st.floats(0, 4e5), st.floats(0.001, 0.9), st.floats(0, 1), st.floats(0.05, 3), st.floats(-3, 0),
    st.floats(0.2, 1.0),
)  # fmt: skip
def test_more_places_never_avoid_less(small, large, coverage, strength, shape, offset, ratio) -> None:
    """Monotone in places, benefit per patient-year falls, and people never exceed demand or users."""
    small, large = sorted((small, large))
    values = {"coverage_new": coverage, "targeting_strength": strength, "shape_year": shape, "offset_all_users": offset,
              "rate_ratio": ratio}  # fmt: skip
    capped = [at_once(f"s{i}", places, demand_cap=True) for i, places in enumerate((small, large))]
    found = project(fitted(**values), with_scenarios(STUDY(), *capped)).isel(chain=0, draw=0, year=-1)
    avoided, people = found["offences_avoided"].values, found["patient_years"].values
    assert avoided[1] >= avoided[0] - 1e-6 * abs(avoided[1])
    assert (people <= min(coverage * 130_000, 280_000) + 1e-6).all()
    if people[0] > 1:
        each = found["offences_avoided_per_patient_year"].values
        assert each[1] <= each[0] * (1 + 1e-9)


def test_a_scenario_less_itself_is_nothing(shipped_study, shipped_fit) -> None:
    """Scenarios share every draw: a copy of a scenario differs from it by exactly zero."""
    base = shipped_study.scenarios["hardcore"]
    copy = replace(base, name="copy")
    both = project(shipped_fit, with_scenarios(shipped_study, base, copy))
    for name, array in both.data_vars.items():
        np.testing.assert_array_equal(
            array.sel(scenario="copy").values, array.sel(scenario="hardcore").values, err_msg=str(name)
        )


def test_one_scenario_projected_alone_is_the_same(shipped_study, shipped_fit, shipped_futures) -> None:
    alone = project(shipped_fit, shipped_study, scenarios=["swiss"])
    xr.testing.assert_equal(alone, shipped_futures.sel(scenario=["swiss"]))


def test_totals_are_sums_over_the_horizon(shipped_futures) -> None:
    total = horizon_total(shipped_futures)
    flows = (
        "patient_years",
        "offences_avoided",
        "victim_crimes_avoided",
        "programme_cost",
        "net_benefit",
        "press_arithmetic",
    )
    for name in flows:
        np.testing.assert_allclose(total[name], shipped_futures[name].values.sum(axis=-1), rtol=1e-12)
    each = total["offences_avoided"] / total["patient_years"]
    np.testing.assert_allclose(total["offences_avoided_per_patient_year"], each.where(total["patient_years"] > 0))
    assert {name: total[name].attrs["unit"] for name in total.data_vars} == {
        name: UNIT_OF[name] for name in total.data_vars
    }


def test_a_total_of_something_undefined_is_undefined(shipped_futures) -> None:
    """Nothing is dropped from a sum in silence."""
    broken = shipped_futures.copy(deep=True)
    broken["offences_avoided"][0, 0, 0, 3] = np.nan
    assert np.isnan(horizon_total(broken)["offences_avoided"][0, 0, 0])


def test_demand_binds_where_filled_places_exceed_it(shipped_fit, shipped_futures) -> None:
    post = shipped_fit["posterior"]
    demand = np.minimum(post["coverage_new"], post["eligible_share"]) * post["opioid_clients"]
    expected = ((10_000 * post["occupancy"]) > demand).mean()
    assert float(shipped_futures["demand_binds"].sel(scenario="hardcore", year=10).mean()) == pytest.approx(
        float(expected), abs=1e-3
    )
    assert float(shipped_futures["demand_binds"].sel(scenario="everyone").max()) == 0


def test_harm_is_a_rate_ratio_above_one_and_turns_every_sign(shipped_study) -> None:
    found = project(fitted(rate_ratio=1.3), with_scenarios(shipped_study, at_once("s", 1000))).isel(
        chain=0, draw=0, year=0, scenario=0
    )
    assert float(found["harm"]) == 1
    assert float(found["offences_avoided"]) == pytest.approx(-0.3 * 400 * 1000)
    assert np.isinf(found["cost_per_offence_avoided"])
    assert np.isinf(found["places_per_1000_offences"])


def test_places_that_do_not_exceed_todays_patients_add_nothing(shipped_study) -> None:
    scenario = at_once("s", 200, against="today")
    found = project(fitted(), with_scenarios(shipped_study, scenario)).isel(chain=0, draw=0, year=0, scenario=0)
    assert float(found["patient_years"]) == 0
    assert float(found["offences_avoided"]) == 0
    assert np.isnan(found["offences_avoided_per_patient_year"])
    assert "undefined" in found["offences_avoided_per_patient_year"].attrs


def test_todays_patients_are_one_quantity(shipped_study) -> None:
    """What the scenario of today treats is what every other scenario subtracts, draw by draw."""
    today = replace(shipped_study.scenarios["today"], start_year=0.0)
    fit = fitted(current_patients=np.array([[300.0, 350.0, 400.0, 450.0]]), occupancy=0.7)
    found = project(fit, with_scenarios(shipped_study, today, at_once("more", 1e4, against="today")))
    people = found["patient_years"].isel(chain=0, year=-1)
    assert people.sel(scenario="today").values.tolist() == [300, 350, 400, 450]
    np.testing.assert_allclose(people.sum("scenario"), 0.7 * 1e4)


def test_a_countrys_coverage_counts_patients_not_places(shipped_study) -> None:
    """At full scale as large a share of the clients is in treatment as in that country, whatever the occupancy."""
    scenario = at_once("s", None, coverage_of="Switzerland")
    found = project(fitted(occupancy=0.7), with_scenarios(shipped_study, scenario))
    assert float(found["patient_years"][0, 0, 0, -1]) == pytest.approx(0.075 * 130_000)


def test_places_needed_are_added_places(shipped_study) -> None:
    """400 offences x 1/2: five added patients for 1,000 offences; at 80 % occupancy 6.25 added places."""
    scenario = at_once("s", 5000, against="today")
    found = project(fitted(occupancy=0.8), with_scenarios(shipped_study, scenario))
    assert float(found["places_per_1000_offences"][0, 0, 0, -1]) == pytest.approx(6.25)


def test_money_is_cost_less_worth_discounted(shipped_study) -> None:
    found = project(fitted(), with_scenarios(shipped_study, at_once("s", 1000))).isel(chain=0, draw=0, scenario=0)
    worth = 1000 * 400 * 0.5 * 200 - 1000 * 13_000
    np.testing.assert_allclose(found["net_benefit"], worth / 1.035 ** np.arange(10))
    np.testing.assert_allclose(found["cost_per_offence_avoided"], 13_000 / 200)
    np.testing.assert_allclose(found["entrants"], 1000 / 4)


def test_switches_that_are_off_leave_no_trace(shipped_study) -> None:
    fit = fitted()
    fit["posterior"] = xr.DataTree(fit["posterior"].to_dataset().drop_vars("targeting_strength"))
    study = with_scenarios(shipped_study, at_once("s", 1000))
    np.testing.assert_allclose(project(fit, study)["offences_avoided"], project(fitted(), study)["offences_avoided"])


@pytest.mark.parametrize("missing", ["rate_ratio", "coverage", "opioid_clients"])
def test_a_fit_of_another_model_is_refused(shipped_study, missing: str) -> None:
    fit = fitted()
    fit["posterior"] = xr.DataTree(fit["posterior"].to_dataset().drop_vars(missing))
    with pytest.raises(bayes.InputError) as caught:
        project(fit, shipped_study)
    assert caught.value.key == missing


def test_an_unknown_scenario_is_refused(shipped_study) -> None:
    with pytest.raises(bayes.InputError, match="no such scenario"):
        project(fitted(), shipped_study, scenarios=["hardcoer"])


def test_the_prior_can_be_projected_too(shipped_fit, shipped_study) -> None:
    before = project(shipped_fit, shipped_study, group="prior")
    assert before.attrs["group"] == "prior"
    assert np.isfinite(before["offences_avoided"]).all()


def test_a_verdict_and_a_unit_go_with_every_number(shipped_futures) -> None:
    assert shipped_futures.attrs["verdict"] == "not checked"
    assert all(shipped_futures[name].attrs["unit"] == UNIT_OF[name] for name in shipped_futures.data_vars)
