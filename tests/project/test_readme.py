"""The README runs: its blocks are executed and their printed output is compared with what stands there."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from bayes.cli import main

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(after, language):
    """The first fenced block of a language that follows a comment."""
    found = re.search(rf"<!-- {re.escape(after)} -->\n```{language}\n(.*?)```", README, re.DOTALL)
    assert found, after
    return found[1]


NUMBER = re.compile(r"(?<![\w'])-?\d[\d,]*(?:\.\d+)?(?:k|M|bn)?(?!\w)")
SCALE = {"k": 1e3, "M": 1e6, "bn": 1e9}


def parsed(text):
    """The words of a text without its numbers, and each number with one unit of its last digit."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("Files:", "Moves it most"))]
    kept = " ".join(" ".join(lines).split("Moves it most")[0].split())
    numbers = []
    for found in NUMBER.findall(kept):
        digits = found.rstrip("kMbn").replace(",", "")
        scale = SCALE.get(found[len(found.rstrip("kMbn")) :], 1.0)
        decimals = len(digits.partition(".")[2])
        zeros = len(digits) - len(digits.rstrip("0")) if decimals == 0 and digits.strip("-0") else 0
        numbers.append((float(digits) * scale, 10.0 ** (zeros - decimals) * scale))
    return NUMBER.sub("#", kept), numbers


def same_up_to_simulation(text, other):
    """Equal words; numbers within 5 units of their last digit.

    Digits end above the Monte Carlo error, so 4 errors and two roundings are at most 5 units; processors may differ.
    """
    (words, numbers), (other_words, others) = parsed(text), parsed(other)
    assert words == other_words
    for (a, unit), (b, other_unit) in zip(numbers, others, strict=True):
        assert abs(a - b) <= 5 * max(unit, other_unit)


def test_the_two_commands_stand_at_the_top():
    lines = [line.strip() for line in README.splitlines()[:8]]
    assert "pip install uv && uv run bayes run" in lines
    assert "pip install uv && uv run pytest" in lines
    assert "pip install uv && uv run pytest" in (ROOT / ".ci" / "run").read_text()


def test_the_table_is_what_the_command_prints(tmp_path, capsys):
    assert main(["run", "--quiet", "--out", str(tmp_path / "run")]) == 0
    same_up_to_simulation(block("output of: bayes run --quiet", "text"), capsys.readouterr().out)


def test_the_script_runs_and_prints_what_it_says():
    out = StringIO()
    with redirect_stdout(out):
        exec(compile(block("run by a test", "python"), "README.md", "exec"), {})
    same_up_to_simulation(block("output of the block above", "text"), out.getvalue())


@pytest.mark.parametrize("path", re.findall(r"`((?:priors|\.ci|notebooks|bayes)/[\w./-]+)`", README))
def test_files_it_names_exist(path):
    assert (ROOT / path).exists()


def test_no_address_of_an_index_and_no_path_of_a_machine():
    for name in ("README.md", "pyproject.toml", ".ci/run"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"(^|[^\w.])/(work|root|home)/", text)
        assert "index-url" not in text
