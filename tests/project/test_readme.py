"""The README runs: its blocks are executed and their printed output is compared with what stands there."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

import bayes
from bayes.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(after, language):
    """The first fenced block of a language that follows a comment."""
    found = re.search(rf"<!-- {re.escape(after)} -->\n```{language}\n(.*?)```", README, re.DOTALL)
    assert found, after
    return found[1]


NUMBER = re.compile(r"(?<![\w'])-?\d[\d,]*(?:\.\d+)?(?:k|M|bn)?†?(?!\w)")
SCALE = {"k": 1e3, "M": 1e6, "bn": 1e9}


def number(text):
    """A printed number and one unit of its last digit."""
    text = text.rstrip("†")
    digits = text.rstrip("kMbn").replace(",", "")
    scale = SCALE.get(text[len(text.rstrip("kMbn")) :], 1.0)
    decimals = len(digits.partition(".")[2])
    zeros = len(digits) - len(digits.rstrip("0")) if decimals == 0 and digits.strip("-0") else 0
    return float(digits) * scale, 10.0 ** (zeros - decimals) * scale


def words(text):
    """A text without its numbers, where it was written and what moves the answer, whose order may change."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("Files:")]
    return NUMBER.sub("#", " ".join(" ".join(lines).split("Moves it most")[0].split()))


def near(text, value, mcse):
    """A number printed from one simulation is that of another: within 6 errors and a unit of its last digit.

    Each has an error of its own and processors may differ: 6 errors are four of the difference.
    """
    shown, unit = number(text)
    return abs(shown - value) <= 6 * (mcse if mcse > 0 else 0.0) + unit


def test_the_two_commands_stand_at_the_top():
    lines = [line.strip() for line in README.splitlines()[:8]]
    assert "pip install uv && uv run bayes run" in lines
    assert "pip install uv && uv run pytest" in lines
    assert "pip install uv && uv run pytest" in (ROOT / ".ci" / "run").read_text()


SHOWN = (("10", "patient_years"), ("10", "offences_avoided"), ("total", "offences_avoided"),
         ("10", "victim_crimes_avoided"))  # fmt: skip


def test_the_table_is_what_the_command_prints(tmp_path, capsys):
    assert main(["run", "--quiet", "--out", str(tmp_path / "run")]) == 0
    text = block("output of: bayes run --quiet", "text")
    assert words(text) == words(capsys.readouterr().out)
    rows = pd.read_csv(tmp_path / "run" / "tables" / "headline.csv", dtype={"year": str})
    rows = rows.set_index(["scenario", "year", "quantity"])
    lines = text.splitlines()
    for scenario in bayes.load_study().scenarios.values():
        at = next(i for i, line in enumerate(lines) if line.startswith(f" {scenario.label} "))
        medians = NUMBER.findall(lines[at].removeprefix(f" {scenario.label} "))
        ends = NUMBER.findall(lines[at + 1])
        for i, key in enumerate(SHOWN):
            row = rows.loc[(scenario.name, *key)]
            assert near(medians[i], row["median"], row["mcse_median"])
            assert near(ends[2 * i], row["lower"], row["mcse_lower"])
            assert near(ends[2 * i + 1], row["upper"], row["mcse_upper"])
        p = rows.loc[(scenario.name, "10", "offences_avoided"), "p_positive"]
        assert near(medians[4], p, (p * (1 - p) / 400) ** 0.5)  # at least 400 effective draws, or the run had failed
        assert near(medians[5], rows.loc[(scenario.name, "10", "press_arithmetic"), "median"], 0.0)


def test_the_script_runs_and_prints_what_it_says():
    out, found = StringIO(), {}
    with redirect_stdout(out):
        exec(compile(block("run by a test", "python"), "README.md", "exec"), found)
    text, row = block("output of the block above", "text"), found["row"]
    assert words(text) == words(out.getvalue())
    median, _, low, high = NUMBER.findall(text.replace("%", " %"))
    for shown, end, error in (
        (median, row.estimate, row.mcse),
        (low, row.lower, row.mcse_lower),
        (high, row.upper, row.mcse_upper),
    ):
        assert near(shown, end, error)


@pytest.mark.parametrize("path", re.findall(r"`((?:priors|\.ci|notebooks|bayes)/[\w./-]+)`", README))
def test_files_it_names_exist(path):
    assert (ROOT / path).exists()


def test_no_address_of_an_index_and_no_path_of_a_machine():
    for name in ("README.md", "pyproject.toml", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"(^|[^\w.])/(work|root|home)/", text)
        assert "index-url" not in text
