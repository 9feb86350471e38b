"""Switches build what they say and remove what they should."""

from __future__ import annotations

import numpy as np
import pytest

import bayes
from bayes.heroin.model import Structure
from bayes.heroin.model.structure import BIASES, EFFECTS
from tests.forward import draw

VARIANTS = {
    "common": (Structure(effects="common"), {"tau_theta"}, set()),
    "t": (Structure(effects="t"), set(), {"effect_weight"}),
    "no drift": (Structure(drift=False), {"mu_gamma", "tau_gamma", "gamma_new", "bias_change_odds",
                                         "bias_change_prevalence"}, set()),
    "no targeting": (Structure(targeting=False), {"targeting_strength"}, set()),
    "no ceiling": (Structure(ceiling=False), {"ceiling", "ceiling_fitted", "ceiling__observed", "ceiling__se"}, set()),
    "no decline": (Structure(decline=False), {"yearly_decline"}, set()),
    "no untreated entrants": (Structure(untreated_entrants=False), {"untreated_share"}, set()),
    "no persistence": (Structure(persistence=False), {"persistent_spread"}, set()),
    "demand as achieved": (Structure(unmet_demand=False), {"supply_limited", "unmet_demand", "supply_limits"}, set()),
    "beyond the pool": (Structure(within_pool=False), set(), {"demand_beyond_pool"}),
    "retention alike": (Structure(retention_varies=False),
                        {"sigma_retention", "retention_setting", "log_retention_scale", "log_retention_scale_new"},
                        set()),
    "small studies": (Structure(small_studies=True), set(), {"slope_small_studies"}),
    "no bias": (Structure(biases=()), {f"bias_{word}" for word in BIASES}, set()),
    **{f"no {word}": (Structure(biases=tuple(b for b in BIASES if b != word)), {f"bias_{word}"}, set())
       for word in BIASES},
}  # fmt: skip


@pytest.fixture(scope="module")
def full(shipped_model) -> set[str]:
    return set(shipped_model.named_vars)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_switch_removes_what_it_should_and_no_more(shipped_study, full, name: str) -> None:
    structure, gone, added = VARIANTS[name]
    found = set(bayes.build_model(shipped_study, structure).named_vars)
    data = {v for v in full | found if v.startswith("log_ratio") or v == "prior_parameters"}
    assert full - found - data == gone
    assert found - full - data == added


@pytest.mark.parametrize("effects", EFFECTS)
@pytest.mark.parametrize("collapse", [True, False])
@pytest.mark.parametrize("drift", [True, False])
def test_every_combination_can_be_drawn_and_projected_from_its_prior(shipped_study, effects, collapse, drift) -> None:
    """The prior predictive of every structure is finite: nothing divides by an effect without variance."""
    model = bayes.build_model(shipped_study, Structure(effects=effects, collapse=collapse, drift=drift))
    found = draw(model, [model["rate_ratio"], model["drift"], model["log_ratio"]], {}, 50, np.random.default_rng(1))
    assert all(np.isfinite(values).all() for values in found.values())
    assert bool(np.ptp(found["drift"]) > 0) == drift


def test_without_the_ceiling_the_share_keeps_its_prior(shipped_study) -> None:
    model = bayes.build_model(shipped_study, Structure(ceiling=False))
    names = {v.name for v in model.free_RVs}
    assert "countable_share" in names
    assert "ceiling" not in {v.name for v in model.observed_RVs}


@pytest.mark.parametrize(
    ("arguments", "key"), [({"effects": "fixed"}, "effects"), ({"biases": ("prevalance",)}, "biases")]
)
def test_a_misspelt_switch_is_refused_with_a_suggestion(arguments, key: str) -> None:
    with pytest.raises(bayes.InputError, match="allowed") as caught:
        Structure(**arguments)
    assert caught.value.key == key


def test_numbers_are_data_and_structure_is_the_graph(shipped_study, shipped_model) -> None:
    """Another prior changes one data vector and nothing else."""
    other = bayes.build_model(shipped_study.with_priors({"tau_theta": "sceptical"}))
    before, after = (m["prior_parameters"].get_value() for m in (shipped_model, other))
    labels = shipped_model.coords["prior_parameter"]
    assert [label for label, a, b in zip(labels, before, after, strict=True) if a != b] == ["tau_theta.sigma"]
    for data in shipped_model.data_vars:
        if data.name != "prior_parameters":
            np.testing.assert_array_equal(data.get_value(), other[data.name].get_value())


def test_declared_priors_enter_a_model_of_ones_own(shipped_study) -> None:
    import pymc as pm

    chosen = {name: shipped_study.priors[name] for name in ("mu_theta", "population")}
    with pm.Model() as model:
        own = pm.Normal("own", 0, 1)
        added = bayes.add_priors(model, chosen)
        pm.Deterministic("sum", own + added["mu_theta"])
    assert set(added) == {"mu_theta", "population"}
    found = draw(model, [model["population"], model["sum"]], {}, 4000, np.random.default_rng(2))
    low, high = np.quantile(found["population"], [0.025, 0.975])
    declared = chosen["population"].quantiles
    inside = np.mean(found["population"] < declared[0.975])
    assert inside == pytest.approx(0.975, abs=4 * np.sqrt(0.975 * 0.025 / 4000))  # 4 binomial standard errors
    assert low < declared[0.5] < high
