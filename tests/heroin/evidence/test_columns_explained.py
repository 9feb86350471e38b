"""The README beside the numbers explains every column of every table, with the words that it allows."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from bayes.evidence import Row
from bayes.heroin.evidence import TABLES
from bayes.heroin.study import shipped_study

COMMON = {field.name for field in fields(Row)}


def explained() -> dict[str, str]:
    """Table to the part of the README that explains its own columns."""
    text = (shipped_study() / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (`\w+`) \| (both|trials|prepost) \| (.*) \|$", text, re.MULTILINE)
    found = {name: "\n".join(f"{column} {says}" for column, where, says in rows if where in ("both", name))
             for name in ("trials", "prepost")}  # fmt: skip
    return found | dict(re.findall(r"^- `(\w+)\.csv`: (.*)$", text, re.MULTILINE))


def test_every_table_is_explained() -> None:
    assert set(explained()) == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_columns_and_allowed_words_are_those_of_the_record(name: str) -> None:
    own = [field for field in fields(TABLES[name].row) if field.name not in COMMON]
    words = {word for field in own for word in field.metadata.get("allowed", ())}
    said = set(re.findall(r"`(\w+)`", explained()[name]))
    assert {field.name for field in own} | words == said - ({"composite", "odds"} - words)


@pytest.mark.parametrize("name", ["trials", "prepost"])
def test_columns_in_their_order(name: str) -> None:
    own = [field.name for field in fields(TABLES[name].row) if field.name not in COMMON]
    assert re.findall(r"^`(\w+)`", explained()[name], re.MULTILINE) == own
