"""Scenarios and settings of a study: TOML to frozen records.

::

    [settings]
    horizon_years = 10

    [scenarios.wide]
    label    = "Nine in ten"
    coverage = 0.9
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bayes.errors import ScenarioError, closest
from bayes.files import read_toml
from bayes.records import Open, Place, record_of, text
from bayes.sheets import same

__all__ = ["AS_TODAY", "OpenScenario", "OpenSettings", "distinct_labels", "middle_scenario", "read_scenarios"]

AS_TODAY = "as today"
"""What the option to change nothing is called wherever options are compared; no name of a scenario has a blank."""


@dataclass(frozen=True, slots=True)
class OpenSettings(Open):
    """What holds for every scenario, by names of its file; ``headline`` is asked about where none is named."""

    headline: str = text(default="")
    free: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenScenario(Open):
    """A scenario with values of any name; a stress case is labelled as such wherever it is shown."""

    name: str
    label: str = text(default="")
    stress: bool = False
    free: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.name.replace("_", " "))


def read_scenarios(
    path: Path, settings: type = OpenSettings, scenario: type = OpenScenario
) -> tuple[Any, dict[str, Any]]:  # fmt: skip
    """Read the scenarios file as records of settings and of each scenario; where both are open it may be missing.

    Raises
    ------
    ScenarioError
        With file, table and key.
    """
    free = issubclass(scenario, Open)
    data = {} if free and not path.exists() else read_toml(path, ScenarioError)
    known = ("settings", "scenarios")
    for key, table in data.items():
        if key not in known:
            raise ScenarioError("this table is not known", file=path, table=key, found=table, allowed=known,
                                fix=closest(key, known) or "remove it")  # fmt: skip
    found: Any = record_of(settings, data.get("settings", {}), Place(ScenarioError, path, "settings"))
    tables = data.get("scenarios", {})
    if not isinstance(tables, Mapping) or not (tables or free):
        raise ScenarioError("there is no scenario", file=path, table="scenarios", found=tables,
                            allowed="one table or more", fix="add [scenarios.NAME]")  # fmt: skip
    return found, {name: _scenario(scenario, name, table, path) for name, table in tables.items()}


def _scenario(kind: type, name: str, table: object, path: Path) -> Any:
    at = Place(ScenarioError, path, f"scenarios.{name}")
    at.named(name, "a scenario's name", "wide")
    return record_of(kind, table, at, {"name": name})


def middle_scenario(stress: Mapping[str, bool]) -> str:
    """Return the middle one of the scenarios, by name, that are no stress case; of all if every one is.

    >>> middle_scenario({"today": False, "few": False, "many": False, "all": True})
    'few'
    """
    plain = [name for name, extreme in stress.items() if not extreme] or list(stress)
    return plain[len(plain) // 2]


def distinct_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return what is printed for each scenario: its label, and its name too where the label alone does not tell it.

    That is where another scenario has the label, but for blanks and capitals, or where it reads :data:`AS_TODAY`.

    >>> distinct_labels({"a": "Ten", "b": "ten ", "c": "Twenty", "d": "As today"})
    {'a': 'Ten (a)', 'b': 'ten (b)', 'c': 'Twenty', 'd': 'As today (d)'}
    """
    plain = {name: same(label) for name, label in labels.items()}
    count = Counter(plain.values()) + Counter([AS_TODAY])
    named = {name: f"{label.strip()} ({name})" for name, label in labels.items()}
    shown = {name: named[name] if count[plain[name]] > 1 else label for name, label in labels.items()}
    return shown if len({same(text) for text in shown.values()}) == len(shown) else named
