"""The scenario that is asked about where none is named: the one the settings name, or the middle one, everywhere."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import bayes
from bayes.heroin.scenarios import Scenario
from bayes.heroin.sensitivity import default_scenario
from bayes.overrides import changed_study, parse_overrides
from bayes.words import headline, words_of

MORE = [Scenario(f"more{i}", f"More {i}", places=100.0 * i) for i in range(1, 6)]


@pytest.fixture(scope="module")
def study():
    return bayes.load_study()


def with_more(study):
    return replace(study, scenarios={**study.scenarios, **{s.name: s for s in MORE}})


def test_scenarios_appended_do_not_move_the_headline(study):
    assert default_scenario(study) == default_scenario(with_more(study)) == "hardcore"


def test_without_a_name_it_is_the_middle_one_that_is_no_stress_case(study):
    unnamed = replace(study, settings=replace(study.settings, headline=""))
    assert default_scenario(unnamed) == "hardcore"
    assert default_scenario(with_more(unnamed)) == "more1"


@pytest.mark.parametrize("name", ["", "p1000"])
def test_a_projection_has_the_headline_of_its_study(study, shipped_fit, name):
    overrides = parse_overrides((), [f"headline={name}"] if name else ())
    asked = changed_study(with_more(study), overrides)
    futures = bayes.project(shipped_fit, asked)
    assert words_of(futures).population == "people in England who depend on heroin or another opiate"
    assert words_of(futures).period.endswith("as things stood in the mid two-thousands")
    assert headline(futures) == default_scenario(asked) == (name or "hardcore")
    assert np.isin(headline(futures.sel(scenario=["today", "swiss"])), ["today", "swiss"])


def test_what_is_certain_is_not_asked_about():
    """Kept, dropped: the middle one of two is that in which nothing is avoided, with certainty."""
    draws = np.stack([np.arange(8.0), np.zeros(8)], axis=1)[None, :, :, None]
    futures = xr.Dataset({"avoided": (("chain", "draw", "scenario", "year"), draws)},
                         coords={"scenario": ["kept", "dropped"], "year": [1]})  # fmt: skip
    assert headline(futures) == "kept"
    assert headline(futures * 0) == "dropped"
