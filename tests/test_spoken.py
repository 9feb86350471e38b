"""Numbers as people write them are understood whole or refused: never read by their first digits."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bayes.elicitation import heard
from bayes.errors import InputError
from bayes.spoken import said_number, said_range

SCALES = {"": 1, "k": 10**3, " k": 10**3, " thousand": 10**3, " million": 10**6, " mn": 10**6, " Million": 10**6,
          " billion": 10**9}  # fmt: skip
SIGNS = {"": 1, "+": 1, "-": -1, "\u2212": -1}
MARKS = [",", " ", "\u00a0", "\u202f", "\u2009", "'", "’"]


@st.composite
def understood(draw):
    """A text and the number it means."""
    sign, scale = draw(st.sampled_from(sorted(SIGNS))), draw(st.sampled_from(sorted(SCALES)))
    form = draw(st.sampled_from(["whole", "decimals", "grouped", "fraction", "power"]))
    whole = draw(st.integers(0, 10**7))
    if form == "whole":
        text, value = str(whole), Fraction(whole)
    elif form == "decimals":  # not three of them, which may be thousands
        length = draw(st.sampled_from([1, 2, 4, 6]))
        text = f"{whole}.{draw(st.integers(0, 10**length - 1)):0{length}d}"
        value = Fraction(text)
    elif form == "grouped":
        text, value = f"{whole + 1000:,}".replace(",", draw(st.sampled_from(MARKS))), Fraction(whole + 1000)
    elif form == "fraction":
        under = draw(st.integers(1, 999))
        text, value = f"{whole}/{under}", Fraction(whole, under)
    else:
        power = draw(st.integers(-9, 9))
        text, value = f"{whole}e{power}", Fraction(whole) * Fraction(10) ** power
    return sign + text + scale, float(SIGNS[sign] * value * SCALES[scale])


REFUSED = st.one_of(
    st.sampled_from([
        "", " ", "about 5", "5ish", "five", "5-10", "5 to 10", "5–10", "60%", "60 %", "60 per cent", "60 percent",
        "0,4", "2,5", "0,400", "1,5000", "12,34,567", "1,50,000", "1.500", "-2.125", "1.500 million", "1.500.000",
        "1.234,5", "3 00", "3 0000", "30 00", "1 1/2", "1/0", "3/4/5", "1e999", "1e", "e5", "--5", "+-5", "5-", "5m",
        "5 M", "5 m", "½", "1½", "٣", "１２", "1_000", "0x10", "nan", "inf", "1,000 000", "1 000,5", "£5", "5 people",
        "5k million", "1..5", ".", "5.", "~5", ">5", "1 million 500 thousand", "400 or so",
    ]),
    understood().map(lambda pair: pair[0] + " people"),
    st.tuples(understood(), understood()).map(lambda two: f"{two[0][0]} or {two[1][0]}"),
    st.tuples(understood(), understood()).map(lambda two: f"{two[0][0]}; {two[1][0]}"),
)  # fmt: skip


@given(understood())
@example(("1.5 million", 1.5e6))
@example(("5k", 5e3))
@example(("3 000", 3e3))
@example(("3/4", 0.75))
@example((".05", 0.05))
def test_a_number_is_understood_whole(pair):
    text, value = pair
    assert said_number(text) == value
    assert said_number(f"  {text}\u00a0") == value


@given(REFUSED)
def test_what_is_not_one_number_is_refused(text):
    with pytest.raises(InputError):
        said_number(text)


@given(understood(), understood())
def test_a_range_is_read_at_the_one_place_where_both_sides_are_numbers(low, high):
    twice = low[1] != 0 and high[0][-1].isalpha() and not low[0][-1].isalpha()
    for dash in ("-", " - ", "–", " to "):
        if twice:
            with pytest.raises(InputError, match="ones or at thousands"):
                said_range(low[0] + dash + high[0])
        else:
            assert said_range(low[0] + dash + high[0]) == (low[1], high[1])
    with pytest.raises(InputError):
        said_range(f"{low[0]} {high[0]} people")


def test_a_scale_at_the_second_number_only_has_two_meanings():
    with pytest.raises(InputError, match="ones or at thousands"):
        said_range("1-5 million")
    assert said_range("0-5 million") == (0.0, 5e6)


@given(st.lists(understood().filter(lambda pair: pair[1] > 0), min_size=3, max_size=3, unique_by=lambda pair: pair[1]))
def test_each_form_of_a_judgement_reads_the_same_numbers(pairs):
    """As words, as quantiles, and the first two as a bin."""
    (low, a), (middle, b), (high, c) = sorted(pairs, key=lambda pair: pair[1])
    points = {0.05: a, 0.5: b, 0.95: c}
    assert heard(f"about {middle}, hardly below {low} or above {high}").points == points
    assert heard(f"hardly ever under {low}, around {middle}, but rarely more than {high}.").points == points
    assert heard(f"q05={low},q50={middle}, q95 = {high}").points == points
    assert heard(f"Ann: q05={low}; q50={middle}; q95={high}").points == points


@given(REFUSED.filter(lambda text: text != "5." and not re.search(r"\bor\b|;|^ *$", text)))
def test_no_form_cuts_a_number_that_is_refused(text):
    for said in (f"about {text}, hardly below -1e9 or above 1e12", f"q05=-1e9, q50={text}, q95=1e12",
                 f"q05={text}, q50=2e12, q95=3e12", f"0-{text}*3"):  # fmt: skip
        with pytest.raises(InputError):
            heard(said)
