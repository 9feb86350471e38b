"""Every declared prior and alternative means what it says: PyMC's draws reproduce its quantiles."""

from __future__ import annotations

import math

import numpy as np
import pymc as pm
import pytest

from bayes.families import add_to_model, mass_outside, misfit, quantile
from bayes.heroin.quantities import QUANTITIES, UNITS
from bayes.heroin.study import load_study
from bayes.priors import LEAKAGE, MISFIT, Prior
from tests.forward import draw

STUDY = load_study()
DECLARED: dict[str, Prior] = {
    name if alternative is None else f"{name}__{alternative}": declared
    for name, prior in STUDY.priors.items()
    for alternative, declared in ((None, prior), *prior.alternatives.items())
}
SIZE = 40_000


@pytest.fixture(scope="module")
def draws() -> dict[str, np.ndarray]:
    """All declarations in one model, drawn once, with a fixed seed."""
    with pm.Model() as model:
        made = [add_to_model(name, one.family, one.parameters) for name, one in DECLARED.items()]
    return draw(model, made, {}, SIZE, np.random.default_rng(20070222))


@pytest.mark.parametrize("name", DECLARED)
def test_draws_reproduce_declared_quantiles(name: str, draws: dict[str, np.ndarray]) -> None:
    """Four Monte Carlo standard errors of a quantile.

    Measured as a probability, where that standard error, sqrt(p (1 - p) / n), is exact and needs no density. Over some
    180 quantiles a correct program would fail with a probability of about 1 %; the seed is fixed.
    """
    one = DECLARED[name]
    points = one.quantiles or {p: quantile(one.family, one.declared, p) for p in (0.05, 0.5, 0.95)}
    for p, q in points.items():
        below = float(np.mean(draws[name] <= q))
        assert abs(below - p) < 4 * math.sqrt(p * (1 - p) / SIZE), f"{below:.4f} of the draws are below q{p:g} = {q:g}"


@pytest.mark.parametrize("name", DECLARED)
def test_shipped_quantile_fits_are_a_hundred_times_better_than_allowed(name: str) -> None:
    one = DECLARED[name]
    assert not one.quantiles or misfit(one.family, one.parameters, one.quantiles) < MISFIT / 100


@pytest.mark.parametrize("name", DECLARED)
def test_priors_keep_to_their_unit(name: str) -> None:
    one = DECLARED[name]
    unit = UNITS[one.unit]
    assert mass_outside(one.family, one.parameters, unit.lower, unit.upper) <= LEAKAGE


def test_every_quantity_of_the_model_is_declared_in_its_unit() -> None:
    assert {name: prior.unit for name, prior in STUDY.priors.items()} == dict(QUANTITIES)


def test_quantities_that_matter_have_a_sceptical_and_an_optimistic_alternative() -> None:
    both = {name for name, prior in STUDY.priors.items() if {"sceptical", "optimistic"} <= set(prior.alternatives)}
    assert both >= {
        "offences_per_user_year", "offset_entrants", "offset_all_users", "mu_theta", "tau_theta", "mu_gamma",
        "tau_gamma", "bias_untreated", "fidelity", "mu_coverage", "targeting_strength", "countable_share",
        "cost_per_offence",
    }  # fmt: skip


def test_an_alternative_differs_from_its_prior_and_gives_its_own_reason() -> None:
    for prior in STUDY.priors.values():
        for other in prior.alternatives.values():
            assert other.parameters != prior.parameters
            assert other.why != prior.why


def test_judgements_are_called_judgements() -> None:
    for one in DECLARED.values():
        if one.source.key == "toolkit" or one.source.kind == "judgement" or "judgement" in one.why.lower():
            assert one.source.status == "judgement", one.name


def test_an_alternative_without_a_source_of_its_own_is_our_judgement() -> None:
    prior = STUDY.priors["offences_per_user_year"]
    assert prior.source.status == "secondary"
    assert {other.source.status for other in prior.alternatives.values()} == {"judgement"}
    assert {other.source.data_set for other in prior.alternatives.values()} == {prior.source.data_set}


def test_no_prior_rests_on_a_recalled_figure() -> None:
    assert all(one.source.status != "recalled" for one in DECLARED.values())


def test_432_is_the_median_and_its_card_tells_its_origin() -> None:
    prior = STUDY.priors["offences_per_user_year"]
    assert prior.quantiles == {0.05: 108.0, 0.5: 432.0, 0.95: 1728.0}
    assert quantile(prior.family, prior.parameters, 0.5) == pytest.approx(432, rel=1e-12)  # closed form
    for fact in ("432", "442", "arrestees", "not a representative sample", "never also a row of the likelihood"):
        assert fact in prior.note


@pytest.mark.parametrize(
    ("name", "quantiles"),
    [  # published numbers, in the sources' own figures
        ("population", {0.025: 325_945, 0.5: 327_466, 0.975: 343_424}),
        ("opiate_users", {0.025: 279_753, 0.5: 281_320, 0.975: 292_941}),
        ("eligible_share", {0.05: 0.05, 0.95: 0.10}),
        ("current_patients", {0.05: 300, 0.95: 450}),
    ],
)
def test_published_ranges_are_declared_as_published(name: str, quantiles: dict[float, float]) -> None:
    assert STUDY.priors[name].quantiles == quantiles


def test_derived_centres_follow_from_their_figures() -> None:
    centre = {name: prior.quantiles.get(0.5) for name, prior in STUDY.priors.items()}
    assert centre["opioid_clients"] == 117_305 + 16_250  # heroin, other opiates
    assert abs(117_305 / 0.66 - 178_000) < 1_000 < abs(117_305 / 0.66 - 195_464)  # the base of the printed shares
    assert centre["programme_cost"] == 2 * (8_995 - 2_596)  # two 26-week means
    assert centre["cost_per_offence"] == round(960 / 4.9)  # million pounds over million crimes
    assert centre["bias_untreated"] == pytest.approx(2 / 3 * math.log(0.39), abs=0.05)  # one decimal is declared
    assert centre["mu_gamma"] == pytest.approx(math.log(0.5) / 2, abs=0.005)  # two decimals are declared


def test_alternatives_take_force_by_name() -> None:
    changed = STUDY.with_priors({"mu_theta": "sceptical", "fidelity": "optimistic"})
    assert changed.priors["mu_theta"].quantiles[0.95] == 0.33
    assert changed.priors["mu_theta"].name == "mu_theta"
    assert set(changed.priors) == set(STUDY.priors)
    assert changed.content_hash != STUDY.content_hash
    assert changed.with_priors({"mu_theta": "optimistic"}).priors["mu_theta"].quantiles[0.5] == -0.8


def test_fitted_parameters_are_a_fresh_copy_each_time() -> None:
    prior = STUDY.priors["eligible_share"]
    prior.parameters["alpha"] = -1.0
    assert prior.parameters["alpha"] > 0
