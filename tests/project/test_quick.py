"""``pytest -m quick`` asks something of every room."""

from pathlib import Path

from tests.conftest import LONG, QUICK

TESTS = Path(__file__).parents[1]
ASK_FOR_MORE = {"browser": "a fit and a browser", "benchmarks": "a quiet machine", "reference": "no tests, but numbers"}
"""Rooms without a quick test, and what their tests take."""


def test_every_room_is_represented():
    rooms = {path.name for path in TESTS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {name.split("/")[0] for name in QUICK} == rooms - set(ASK_FOR_MORE)


def test_what_is_named_is_there():
    assert [name for name in sorted(QUICK) if not (TESTS / name).is_file()] == []
    for name, function in (one.split("::") for one in LONG):
        assert name in QUICK
        assert f"def {function}(" in (TESTS / name).read_text(encoding="utf-8")
