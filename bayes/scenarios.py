"""Scale-up scenarios and the settings of a projection: TOML to frozen records.

::

    [settings]
    horizon_years = 10
    discount_rate = 0.035

    [scenarios.hardcore]
    label         = "10,000 places"
    places        = 10000
    years_to_full = 4
    demand_cap    = true
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from bayes.errors import ScenarioError, closest, number_fix, syntax_fix
from bayes.files import read_text

__all__ = ["AS_TODAY", "Scenario", "Settings", "changed_record", "distinct_labels", "middle_scenario", "read_scenarios"]

AS_TODAY = "as today"
"""What the option to change nothing is called wherever options are compared; no name of a scenario has a blank."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every scenario of a study.

    Parameters
    ----------
    horizon_years
        Years projected, 1 to 50.
    discount_rate
        Real rate a year for money, 0 to 0.2.
    press_offences, press_reduction
        The two headline numbers of the press arithmetic, places x offences x reduction.
    press_source, press_reduction_source, discount_source
        Keys of the references they come from; each must stand in ``references.bib``.
    headline
        The scenario that is asked about where none is named; :func:`middle_scenario` by default.
    """

    horizon_years: int = 10
    discount_rate: float = 0.035
    press_offences: float = 432.0
    press_reduction: float = 0.60
    press_source: str = ""
    press_reduction_source: str = ""
    discount_source: str = ""
    headline: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to scale up.

    Parameters
    ----------
    name, label
        Key in the file; what tables and figures print.
    places
        Treatment places when complete; leave out when ``coverage_of`` is given.
    coverage_of
        A country of the coverage evidence: places are that country's share of the opioid clients.
    start_year
        Year, counted from the start of the horizon, in which the build-up begins (0 = at once).
    years_to_full
        Years from the start of the build-up to completion (0 = complete at once).
    ramp
        ``linear`` or ``logistic``.
    demand_cap
        Whether places above demand stay empty.
    against
        ``today`` (present patients are subtracted) or ``none`` (compared with no programme at all).
    stress
        A stress case is labelled as such wherever it is shown.
    """

    name: str
    label: str
    places: float | None = None
    coverage_of: str = ""
    start_year: float = 0.0
    years_to_full: float = 0.0
    ramp: str = "linear"
    demand_cap: bool = True
    against: str = "today"
    stress: bool = False


_WORDS = {"ramp": ("linear", "logistic"), "against": ("today", "none")}
_RANGES = {
    "places": (0, 1e7), "start_year": (0, 50), "years_to_full": (0, 50), "horizon_years": (1, 50),
    "discount_rate": (0, 0.2), "press_offences": (0, 1e5), "press_reduction": (0, 1),
}  # fmt: skip


_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def read_scenarios(path: Path) -> tuple[Settings, dict[str, Scenario]]:
    """Read the scenarios file.

    Raises
    ------
    ScenarioError
        With file, table and key.
    """
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(
            "this is not valid TOML", file=path, found=str(error), allowed="TOML 1.0", fix=syntax_fix(text, error)
        ) from None
    known = ("settings", "scenarios")
    for key, table in data.items():
        if key not in known:
            raise ScenarioError(
                "this table is not known",
                file=path,
                table=key,
                found=table,
                allowed=known,
                fix=closest(key, known) or "remove it",
            )
    settings = Settings(**_checked(Settings, data.get("settings", {}), path, "settings", ()))
    tables = data.get("scenarios", {})
    if not isinstance(tables, Mapping) or not tables:
        raise ScenarioError(
            "there is no scenario",
            file=path,
            table="scenarios",
            found=tables,
            allowed="one table or more",
            fix="add [scenarios.NAME]",
        )
    return settings, {name: _scenario(name, table, path) for name, table in tables.items()}


def middle_scenario(stress: Mapping[str, bool]) -> str:
    """Return the middle one of the scenarios, by name, that are no stress case; of all if every one is.

    >>> middle_scenario({"today": False, "p1000": False, "hardcore": False, "all": True})
    'p1000'
    """
    plain = [name for name, extreme in stress.items() if not extreme] or list(stress)
    return plain[len(plain) // 2]


def distinct_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return what is printed for each scenario: its label, and its name too where the label alone does not tell it.

    That is where another scenario has the label, but for blanks and capitals, or where it reads :data:`AS_TODAY`.

    >>> distinct_labels({"a": "Ten", "b": "ten ", "c": "Twenty", "d": "As today"})
    {'a': 'Ten (a)', 'b': 'ten (b)', 'c': 'Twenty', 'd': 'As today (d)'}
    """
    plain = {name: " ".join(label.split()).casefold() for name, label in labels.items()}
    count = Counter(plain.values()) + Counter([AS_TODAY])
    named = {name: f"{label.strip()} ({name})" for name, label in labels.items()}
    shown = {name: named[name] if count[plain[name]] > 1 else label for name, label in labels.items()}
    return shown if len(set(shown.values())) == len(shown) else named


def changed_record[Record: (Settings, Scenario)](
    record: Record, texts: Mapping[str, str], where: str, drop: Sequence[str] = ()
) -> Record:
    """Return settings or a scenario with some fields replaced by text, held to the rules of the file.

    Parameters
    ----------
    texts
        Field to value as text: ``true``, ``20000``, ``logistic``.
    where
        What to call the place in an error, for example ``--set places``.
    drop
        Fields to leave out, because another takes their place.

    Raises
    ------
    ScenarioError
        If a value is of the wrong kind or out of range.

    Examples
    --------
    >>> changed_record(Scenario("mine", "Mine", places=10.0), {"places": "20"}, "--set places").places
    20
    """
    known = {f.name: f for f in fields(record)}
    kept = {name: getattr(record, name) for name, f in known.items()
            if name not in drop and getattr(record, name) != f.default and name != "name"}  # fmt: skip
    table = {**kept, **{name: _typed(str(known[name].type), text) for name, text in texts.items()}}
    if isinstance(record, Scenario):
        return _scenario(record.name, table, Path(where))
    return Settings(**_checked(Settings, table, Path(where), "settings", ()))


def _typed(kind: str, text: str) -> object:
    """A value of a field's kind if the text has that form, and otherwise the text, for the check to refuse."""
    if kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind == "str":
        return text
    for number in (int,) if kind == "int" else (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _scenario(name: str, table: object, path: Path) -> Scenario:
    at = f"scenarios.{name}"
    if not _NAME.match(name):
        raise ScenarioError(
            "a scenario's name is lower case with underscores",
            file=path,
            table=at,
            found=name,
            allowed="for example hardcore",
            fix="rename it; the label is for people",
        )
    values = _checked(Scenario, table, path, at, ("name",))
    if ("places" in values) == bool(values.get("coverage_of")):
        raise ScenarioError(
            "a scenario has places or coverage_of, one of the two",
            file=path,
            table=at,
            key="places",
            found={key: values[key] for key in ("places", "coverage_of") if key in values},
            allowed=("places", "coverage_of"),
            fix="give one of the two keys",
        )
    return Scenario(name=name, **values)


def _checked(kind: type, table: object, path: Path, at: str, given: tuple[str, ...]) -> dict[str, Any]:
    """Check keys, types, words and ranges of one table against a record's fields."""
    if not isinstance(table, Mapping):
        raise ScenarioError(
            "this must be a table", file=path, table=at, found=table, allowed="keys and values", fix=f"write [{at}]"
        )
    known = {f.name: f for f in fields(kind) if f.name not in given}
    for key, value in table.items():
        if key not in known:
            raise ScenarioError(
                "this key is not known",
                file=path,
                table=at,
                key=key,
                found=value,
                allowed=known,
                fix=closest(key, known) or "remove it",
            )
        _check_value(str(known[key].type), key, value, path, at)
    for key, f in known.items():
        if f.default is MISSING and key not in table:
            raise ScenarioError(
                "this key is missing", file=path, table=at, key=key, allowed=known, fix=f"add {key} = …"
            )
    return dict(table)


def _check_value(kind: str, key: str, value: object, path: Path, at: str) -> None:
    def error(problem: str, allowed: str | tuple[str, ...], fix: str) -> ScenarioError:
        return ScenarioError(problem, file=path, table=at, key=key, found=value, allowed=allowed, fix=fix)

    if kind == "bool":
        if not isinstance(value, bool):
            raise error("this is yes or no", "true or false", "write true or false, without quotes")
    elif kind == "str":
        if not isinstance(value, str) or not value.strip():
            raise error("this must be a text that says something", "text in quotes", "say it, or remove the key")
        if key in _WORDS and value not in _WORDS[key]:
            raise error("this word is not allowed here", _WORDS[key], closest(value, _WORDS[key]) or "choose one")
    else:
        low, high = _RANGES[key]
        allowed = f"{'a whole number, ' if kind == 'int' else ''}{low:g} to {high:g}"
        if isinstance(value, bool) or not isinstance(value, int if kind == "int" else int | float):
            problem = "this must be a whole number" if kind == "int" else "this must be a number"
            raise error(problem, allowed, number_fix(value) or "correct it")
        if not low <= value <= high:
            raise error("this number is out of range", allowed, _as_share(key, value) or "correct it")


def _as_share(key: str, value: float) -> str | None:
    """What to write for a share that was given in per cent."""
    low, high = _RANGES[key]
    what = {"discount_rate": "rate", "press_reduction": "reduction"}.get(key)
    return f"a {what} is a share: write {value / 100:g}" if what and low <= value / 100 <= high else None
