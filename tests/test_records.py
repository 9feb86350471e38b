"""One reader: whatever a record's fields say, reading and the JSON Schema made from them refuse the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import jsonschema
import pytest

from bayes.errors import ScenarioError
from bayes.heroin.scenarios import Scenario, Settings
from bayes.heroin.study import load_study
from bayes.priors import Alternative, Declaration
from bayes.provenance import Source
from bayes.records import Place, count, number, record_of, record_schema, rows_of, subtable, text, values_of, word
from bayes.scenarios import OpenScenario, OpenSettings
from bayes.sheets import sheet_of

AT = Place(ScenarioError, "file.toml", "a.table")


@dataclass(frozen=True)
class Inner:
    key: str
    kind: str = word("a", "b")


@dataclass(frozen=True)
class Every:
    """A field of each kind."""

    share: float = number(0, 1)
    years: int = number(1, 50)
    ramp: str = word("linear", "logistic")
    name: str = text(filled=True)
    on: bool
    below: Inner = subtable(Inner)
    one: float | None = number(default=None, instead_of="other")
    other: str = text(default="", instead_of="one")
    free: float = number(default=0.0)


SHIPPED = load_study()
GOOD: dict[str, tuple[type, dict[str, Any], tuple[str, ...]]] = {
    "every kind": (Every, {"share": 0.5, "years": 3, "ramp": "linear", "name": "x", "on": True,
                           "below": {"key": "k", "kind": "a"}, "one": 2}, ()),
    "a scenario": (Scenario, {"label": "Ten", "places": 10}, ("name",)),
    "settings": (Settings, values_of(SHIPPED.settings), ()),
    "an open scenario": (OpenScenario, {"label": "Ten", "coverage": 0.9, "kind": "x"}, ("name",)),
    "open settings": (OpenSettings, {"years": 3}, ()),
    "a source": (Source, {"key": "k", "locator": "p. 1", "kind": "trial", "status": "primary"}, ()),
    "a declaration": (Declaration, {"meaning": "m", "unit": "u", "family": "Beta", "why": "w", "quantiles": {"q05": 1}},
                      ()),
    "an alternative": (Alternative, {"why": "w", "parameters": {"mu": 1}}, ()),
}  # fmt: skip
WRONG: dict[str, tuple[object, ...]] = {
    "bool": (1, "true", None), "str": (1, "", "  ", True, ["x"]), "int": (1.5, "1", True, [1]),
    "float": ("1", True, [1], {"a": 1}), "record": (3, "x", []),
}  # fmt: skip


def bad(kind: type, good: Mapping[str, Any], given: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table that differs from a good one in one thing that its record does not allow."""
    yield "an unknown key", {**good, "nothing_like_it": [1]}
    for f in fields(kind):
        if f.name in given or f.name == "free" or f.metadata.get("record", 0) is None:
            continue
        plain = "record" if "record" in f.metadata else str(f.type).removesuffix(" | None")
        other = f.metadata.get("instead_of")
        rest = {key: value for key, value in good.items() if key != other}
        for value in WRONG[plain]:
            yield f"{f.name} = {value!r}", {**rest, f.name: value}
        if "allowed" in f.metadata:
            yield f"{f.name} is another word", {**rest, f.name: "no such word"}
        for end, step in (("lower", -1), ("upper", 1)):
            if abs(f.metadata.get(end, float("inf"))) < float("inf"):
                yield f"{f.name} beyond its {end} end", {**rest, f.name: f.metadata[end] + step}
        if f.name in good and (f.default is f.default_factory or other):
            yield f"no {f.name}", {key: value for key, value in good.items() if key != f.name}


CASES = {f"{name}: {what}": (kind, table, given) for name, (kind, good, given) in GOOD.items()
         for what, table in bad(kind, good, given)}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_is_good_is_good_to_both(name: str) -> None:
    kind, table, given = GOOD[name]
    jsonschema.Draft202012Validator.check_schema(record_schema(kind, given))
    jsonschema.validate(table, record_schema(kind, given))
    record_of(kind, table, AT, dict.fromkeys(given, "a"))


@pytest.mark.parametrize("name", CASES)
def test_what_a_record_does_not_allow_is_refused_by_both(name: str) -> None:
    kind, table, given = CASES[name]
    with pytest.raises(ScenarioError) as caught:
        record_of(kind, table, AT, dict.fromkeys(given, "a"))
    said = str(caught.value)
    assert said.startswith("file.toml, table [a.table]")
    assert "do:" in said
    assert not jsonschema.Draft202012Validator(record_schema(kind, given)).is_valid(table)


def test_there_are_many_cases() -> None:
    assert len(CASES) > 150


@dataclass(frozen=True)
class Counted:
    row: str
    part: float | None = count(needed=True, part_of="whole")
    whole: float | None = count()


def test_rows_are_read_by_the_same_fields() -> None:
    (one,) = rows_of(Counted, sheet_of("whole,row,part\n10,a,3\n", AT.file))
    assert one == Counted("a", 3.0, 10.0)
    for cell, says in {"3.5": "whole number", "-1": "0 or more", "x": "not a number", "1e999": "not finite"}.items():
        with pytest.raises(Exception, match=says):
            rows_of(Counted, sheet_of(f"row,part,whole\na,{cell},10\n", AT.file))
