"""Tables that claim an order show it: what is printed never rises, and what is not told apart from 0 comes last."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from bayes import figures
from bayes.numbers import APART, NOT_APART, NOT_APART_WORDS, compact, signed
from bayes.ranking import LAST_WORDS, extra_digits, rank_key, ranked
from bayes.sensitivity.summary import SAME, _with_care, diff_text, print_summary, ranked_moves
from bayes.words import Words

POWERS = {"": 0, "k": 3, "M": 6, "bn": 9}


def printed(text: str) -> float:
    """The number a text shows, signs aside."""
    match = re.fullmatch(r"[-+−]?£?([\d.,]+)(k|M|bn|)", text)
    assert match, text
    return float(match[1].replace(",", "")) * 10 ** POWERS[match[2]]


numbers = st.floats(-1e7, 1e7).filter(lambda value: abs(value) > 1e-3)
rows = st.lists(st.tuples(numbers, st.floats(0, 2) | st.just(0.0)), min_size=1, max_size=15).map(
    lambda pairs: [(value, abs(value) * error) for value, error in pairs]
)


@given(rows)
@example([(172e3, 5e3), (162e3, 5e3), (155e3, 70e3), (-148e3, 5e3)])
@example([(170e3, 5e3), (-150e3, 4e3), (128e3, 60e3), (128e3, 9e4)])
@example([(1.5, 0.9), (1.4, 0.001), (1.0, 0.0)])
@settings(deadline=None, max_examples=300)
def test_printed_numbers_of_a_ranked_column_never_rise(pairs):
    table = ranked(pd.DataFrame(pairs, columns=["by", "mcse"]), "by", "mcse")
    apart = [by != 0 and abs(by) >= APART * mcse for by, mcse in zip(table["by"], table["mcse"], strict=True)]
    assert apart == sorted(apart, reverse=True)
    texts = [compact(*row) for row in table[["by", "mcse", "extra"]].itertuples(index=False)]
    shown = [printed(text) for text, known in zip(texts, apart, strict=True) if known]
    assert shown == sorted(shown, reverse=True)


@given(rows)
def test_an_order_that_shows_takes_no_further_digit(pairs):
    """Nor does any number whose error is 0: it has its three digits."""
    values, errors = zip(*sorted(pairs, key=lambda row: rank_key(*row)), strict=True)
    extra = extra_digits(values, errors)
    assert all(more == 0 or error > 0 for more, error in zip(extra, errors, strict=True))
    known = [
        i for i, (value, error) in enumerate(zip(values, errors, strict=True)) if value and abs(value) >= APART * error
    ]
    shown = [printed(compact(values[i], errors[i])) for i in known]
    assert any(extra[i] for i in known) == (shown != sorted(shown, reverse=True))


def moves() -> pd.DataFrame:
    changes = {"a: wide": (172e3, 5e3), "b: wide": (162e3, 5e3), "c: wide": (155e3, 70e3), "d: wide": (-148e3, 5e3),
               "e: wide": (190e3, 150e3)}  # fmt: skip
    rows = [{"change": name, "quantity": "y", "method": "refit", "estimand_changed": False, "d_median": by,
             "mcse_d_median": error} for name, (by, error) in changes.items()]  # fmt: skip
    return ranked_moves({"alternatives": pd.DataFrame(rows)}, "y")


def test_changes_of_the_median_are_ranked_as_they_are_printed():
    found = moves()
    assert found["change"].tolist() == [f"{name}: wide" for name in "abcde"]
    texts = [signed(row.by, row.mcse, row.extra) for row in found.itertuples()]
    assert texts[:4] == ["+170k", "+160k", "+160k", "−150k"]
    assert "last" in LAST_WORDS


def test_the_comparison_of_two_runs_shows_its_order():
    rows = [{"kind": "headline", "input": "y", "detail": "", "d_median": 3e5, "mcse_d_median": 1e4},
            *({"kind": "prior", "input": name, "detail": "", "d_median": by, "mcse_d_median": error}
              for name, by, error in (("a", 162e3, 5e3), ("b", 155e3, 70e3), ("c", -148e3, 5e3))),
            {"kind": "rest", "input": "code", "detail": "", "d_median": 1.0, "mcse_d_median": 1e4}]  # fmt: skip
    lines = diff_text(pd.DataFrame(rows)).splitlines()
    assert [line.split()[1] for line in lines[1:4]] == ["160k", "160k", "−150k"]


def test_bars_of_the_value_of_information_are_ranked_as_they_are_labelled():
    curve = pd.DataFrame({"willingness_to_pay": [0.0, 1.0], "option": ["a", "a"], "probability": [0.1, 0.2],
                          "currency": "GBP"})  # fmt: skip
    worth = pd.DataFrame({"quantity": "EVPPI", "input": list("abcd"), "estimate": [155e3, 172e3, 162e3, 148e3],
                          "mcse": [70e3, 5e3, 5e3, 5e3]})  # fmt: skip
    found = figures.acceptability(figures.acceptability.table(curve, voi=worth))
    axes = found.axes[1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "c", "a", "d"]
    texts = [printed(text.get_text()) for text in axes.texts if text.get_text().startswith("£")]
    assert texts == sorted(texts, reverse=True)
    assert len(texts) == 4


def test_the_terminal_prints_the_order():
    changes = [{"change": name, "quantity": "y", "method": "refit", "estimand_changed": False, "d_median": by,
                "mcse_d_median": error} for name, by, error in (("b", 155e3, 70e3), ("a", 162e3, 5e3))]  # fmt: skip
    console = Console(record=True, width=100)
    print_summary(console, {"structure": pd.DataFrame(changes)}, Words(target="y"), "y", Path("run"))
    text = console.export_text()
    assert text.index("+160k") < text.rindex("+160k")
    assert "+200k" not in text
    assert LAST_WORDS in " ".join(text.split())


@pytest.mark.parametrize("error", [1e3, 9e5])
def test_a_terminal_defines_the_mark_where_it_prints_it(error):
    """Once, with tipping points and with the comparison of runs; and not where no number bears it."""
    move = {"kind": "prior", "input": "a", "detail": "", "d_median": 155e3, "mcse_d_median": error}
    compared = diff_text(pd.DataFrame([move]))
    tipping = pd.DataFrame({"method": ["refit"], "sentence": [f"a at {compact(155e3, error)}"]})
    console = Console(record=True, width=200)
    print_summary(console, {"tipping": tipping}, Words(target="y"), "y", Path("run"))
    for text in (compared, console.export_text()):
        assert text.count(NOT_APART_WORDS) == (error > 155e3 / APART)
        assert text.count(NOT_APART) == 2 * text.count(NOT_APART_WORDS)


@pytest.mark.parametrize(("moved", "kind", "told"), [(0.0, "rest", True), (1e3, "rest", False), (0.0, "prior", False)])
def test_a_comparison_of_equal_runs_says_that_they_are(moved, kind, told):
    rows = [{"kind": "headline", "input": "y", "detail": "", "d_median": moved, "mcse_d_median": 0.0}]
    rows.append({**rows[0], "kind": kind, "input": "a"})
    assert (SAME in diff_text(pd.DataFrame(rows))) == told


def test_each_reason_for_care_is_said_once_with_whom_it_concerns():
    few, noise = "the error rests on few draws", "the inputs together explain 92%"
    assert _with_care(["a", "b", "c"], [f"{few}; {noise}", noise, noise]) == f" With care: for a, {few}; {noise}."
    assert _with_care(["a", "b"], ["", ""]) == ""
