"""Units: the closed list, what each admits, and how it is said."""

from __future__ import annotations

import math

import pytest

from bayes.heroin.quantities import QUANTITIES, UNITS
from bayes.units import Unit


def test_units_are_listed_under_their_own_names() -> None:
    assert all(name == unit.name for name, unit in UNITS.items())


@pytest.mark.parametrize("unit", UNITS.values(), ids=lambda unit: unit.name)
def test_every_unit_has_a_meaning_and_a_support(unit: Unit) -> None:
    assert unit.meaning.strip()
    assert unit.lower < unit.upper
    assert unit.support


@pytest.mark.parametrize("unit", UNITS.values(), ids=lambda unit: unit.name)
def test_a_unit_admits_its_finite_ends_and_nothing_beyond(unit: Unit) -> None:
    for end, step in ((unit.lower, -1e-9), (unit.upper, 1e-9)):
        if math.isfinite(end):
            assert unit.admits(end)
            assert not unit.admits(end + step)


@pytest.mark.parametrize("unit", UNITS.values(), ids=lambda unit: unit.name)
def test_no_unit_admits_what_is_not_a_number(unit: Unit) -> None:
    assert not unit.admits(math.nan)


@pytest.mark.parametrize(
    ("name", "value", "admitted"),
    [
        ("share", 1.2, False),
        ("share", -0.1, False),
        ("share", 0.5, True),
        ("probability", 1.0001, False),
        ("persons", -1, False),
        ("offences/person-year", -1, False),
        ("log sd", -0.1, False),
        ("log ratio", -3.0, True),
        ("logit", -4.6, True),
        ("offences", -1000, True),  # offences avoided may be negative: harm
        ("GBP", -1, True),
    ],
)
def test_what_a_unit_admits(name: str, value: float, admitted: bool) -> None:
    assert UNITS[name].admits(value) is admitted


@pytest.mark.parametrize(
    ("name", "words"), [("share", "0 to 1"), ("persons", "0 or more"), ("log ratio", "any real number")]
)
def test_support_in_words(name: str, words: str) -> None:
    assert UNITS[name].support == words


def test_every_quantity_of_the_model_has_a_listed_unit() -> None:
    assert set(QUANTITIES.values()) <= set(UNITS)


def test_a_unit_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        UNITS["share"].upper = 2  # type: ignore[misc]
