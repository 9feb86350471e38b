"""Tests lie where what they test lies, and ``pytest -m quick`` asks something of every room."""

from pathlib import Path

import bayes
from tests.conftest import LONG, QUICK

TESTS, PACKAGE = Path(__file__).parents[1], Path(bayes.__file__).parent
OF_THE_WHOLE = {"browser", "documents", "doors", "project", "questions", "scale", "zoo"}
"""Rooms of tests that ask the toolkit as a whole and not one room of it."""
HELD_BY_ANOTHER = {"report/chapters", "report/whatif", "heroin/figures"}
"""Rooms of the package that are asked by the tests of another: reports as they are written, panels in a browser."""
ASK_FOR_MORE = {"browser", "heroin/sensitivity"}
"""Rooms without a quick test: theirs take a fit and a browser, or a fit."""


def _rooms(place, files):
    return {path.parent.relative_to(place).as_posix() for path in place.rglob(files)} - {"."}


def test_tests_lie_where_what_they_test_lies():
    rooms = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*") if (path / "__init__.py").is_file()}
    assert _rooms(TESTS, "test_*.py") == rooms - HELD_BY_ANOTHER | OF_THE_WHOLE


def test_every_room_is_represented():
    assert {Path(name).parent.as_posix() for name in QUICK} - {"."} == _rooms(TESTS, "test_*.py") - ASK_FOR_MORE


def test_what_is_named_is_there():
    assert [name for name in sorted(QUICK) if not (TESTS / name).is_file()] == []
    for name, function in (one.split("::") for one in LONG):
        assert name in QUICK
        assert f"def {function}(" in (TESTS / name).read_text(encoding="utf-8")
