"""One mistake in the scenarios: one message that says file, table, key, found, allowed, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bayes.errors import InputError, ScenarioError, StudyError
from bayes.heroin.scenarios import Settings
from bayes.heroin.study import load_study

Refused = Callable[..., InputError]
FILE = "scenarios.toml"
CORE = "scenarios.hardcore"
LABEL = "label         = \"10,000 'hardcore'\"\n"

MISTAKES: dict[str, tuple[str, str, dict[str, str]]] = {
    # name: (old text, new text, what the message says)
    "unknown key": (
        "places        = 10000", "place = 10000",
        {"table": CORE, "key": "place", "allowed": "places", "says": "did you mean 'places'?"},
    ),
    "unknown table": (
        "[scenarios.hardcore]", "[scenario.hardcore]",
        {"table": "scenario", "allowed": "scenarios", "says": "did you mean 'scenarios'?"},
    ),
    "unknown setting": (
        "horizon_years", "horizon_year", {"table": "settings", "key": "horizon_year", "says": "'horizon_"}
    ),
    "unknown headline": (
        'headline               = "hardcore"', 'headline = "hardcor"',
        {"table": "settings", "key": "headline", "found": "hardcor", "says": "did you mean 'hardcore'?"},
    ),
    "no label": (LABEL, "", {"table": CORE, "key": "label", "says": "missing"}),
    "blank label": (LABEL, 'label = ""\n', {"table": CORE, "key": "label", "says": "says something"}),
    "a label that is a number": (LABEL, "label = 3\n", {"table": CORE, "key": "label", "found": "3"}),
    "unknown country": (
        '"Switzerland"', '"Switzerlend"',
        {"table": "scenarios.swiss", "key": "coverage_of", "allowed": "Denmark, Germany", "says": "'Switzerland'?"},
    ),
    "a country whose row is excluded": (
        '"Switzerland"', '"Middlesbrough"', {"table": "scenarios.swiss", "key": "coverage_of", "found": "Middlesbrough"}
    ),
    "places and coverage_of": (
        "places        = 10000", 'places = 10000\ncoverage_of = "Denmark"',
        {"table": CORE, "key": "places", "found": "Denmark", "allowed": "places, coverage_of"},
    ),
    "neither places nor coverage_of": (
        "places        = 10000\n", "", {"table": CORE, "key": "places", "says": "one of the two"}
    ),
    "a truth value for a number": ("= 10000", "= true", {"table": CORE, "key": "places", "found": "True"}),
    "a text for a number": ("= 10000", '= "10000"', {"table": CORE, "key": "places", "found": "'10000'"}),
    "not a number": ("= 10000", "= nan", {"table": CORE, "key": "places", "found": "nan", "says": "out of range"}),
    "infinite": ("= 10000", "= inf", {"table": CORE, "key": "places", "found": "inf", "allowed": "0 to 1e+07"}),
    "negative places": ("= 10000", "= -1", {"table": CORE, "key": "places", "found": "-1", "allowed": "0 to 1e+07"}),
    "a number for a truth value": (
        'demand_cap    = false\nstress', "demand_cap    = 0\nstress",
        {"table": "scenarios.everyone", "key": "demand_cap", "found": "0", "allowed": "true or false"},
    ),
    "unknown ramp": (
        '"logistic"', '"logistics"', {"key": "ramp", "allowed": "linear, logistic", "says": "did you mean 'logistic'?"}
    ),
    "half a year of horizon": ("= 10\n", "= 10.5\n", {"table": "settings", "key": "horizon_years", "says": "whole"}),
    "no horizon": ("= 10\n", "= 0\n", {"table": "settings", "key": "horizon_years", "allowed": "1 to 50"}),
    "a discount rate in per cent": ("= 0.035", "= 3.5", {"key": "discount_rate", "allowed": "0 to 0.2"}),
    "a misnamed scenario": ("[scenarios.hardcore]", '[scenarios."Hard core"]', {"says": "lower case"}),
    "a scenario that is a number": ("[scenarios.today]", "[scenarios]\nextra = 3\n[scenarios.today]", {"found": "3"}),
    "unknown press source": ('"dwc2007"', '"dwc2008"', {"key": "press_source", "found": "dwc2008"}),
    "unknown source of the reduction": ('"vanderlinde2002"', '"linde"', {"key": "press_reduction_source"}),
    "unknown source of the discount rate": (
        '"greenbook2025"', '"greenbook2026"', {"key": "discount_source", "says": "did you mean 'greenbook2025'?"}
    ),
    "a % sign": ("= 0.035", "= 3.5%", {"found": "line", "says": "numbers take no % sign: write 0.035"}),
    "malformed TOML": ("[settings]", "[settings", {"found": "line", "says": "not valid TOML"}),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_scenarios(copy: Any, refused: Refused, old: str, new: str, message: dict[str, str]) -> None:
    copy.replace(FILE, old, new)
    refused(ScenarioError, FILE, **message)


def test_no_scenario(copy: Any, refused: Refused) -> None:
    (copy.folder / FILE).write_text("[settings]\n", encoding="utf-8")
    refused(ScenarioError, FILE, table="scenarios", says="add [scenarios.NAME]")


def test_a_missing_file(copy: Any, refused: Refused) -> None:
    (copy.folder / FILE).unlink()
    refused(StudyError, FILE, says="this file is missing")


def test_a_file_that_is_not_utf8(copy: Any, refused: Refused) -> None:
    (copy.folder / FILE).write_bytes(b"# 10 \xa3\n")
    refused(StudyError, FILE, found="byte 0xa3 at offset 5", allowed="UTF-8")


def test_a_study_folder_that_does_not_exist(tmp_path: Path) -> None:
    for place in (tmp_path / "nowhere", Path(__file__)):
        with pytest.raises(StudyError, match="no such study folder"):
            load_study(place)


def test_settings_have_defaults_and_the_shipped_file_states_them() -> None:
    """One default, one place: what the file says and what the record defaults to agree."""
    shipped, default = load_study().settings, Settings()
    for name in ("horizon_years", "discount_rate", "press_offences", "press_reduction"):
        assert getattr(shipped, name) == getattr(default, name)
    sources = shipped.press_source, shipped.press_reduction_source, shipped.discount_source
    assert sources == ("dwc2007", "vanderlinde2002", "greenbook2025")


def test_the_shipped_scenarios() -> None:
    found = load_study().scenarios
    places = {name: one.places for name, one in found.items()}
    assert places == {
        "today": None, "p1000": 1_000, "hardcore": 10_000, "swiss": None, "p40000": 40_000, "everyone": 327_000
    }  # fmt: skip
    assert [name for name, one in found.items() if one.stress] == ["everyone"]
    assert "Stress" in found["everyone"].label
    assert (found["swiss"].coverage_of, found["today"].coverage_of) == ("Switzerland", "today")
