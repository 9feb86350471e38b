"""The notebooks run from top to bottom on the real sampler, are stored without outputs, and claim what holds."""

import ast
import contextlib
import json
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("0*.ipynb"))
LONGEST = 10


def cells(path, kind):
    return [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == kind]


def source(path):
    return "\n\n".join("".join(cell["source"]) for cell in cells(path, "code"))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Each notebook's names after it has run: the default parameters, in a folder of its own."""
    matplotlib.use("agg")
    with contextlib.chdir(tmp_path_factory.mktemp("notebooks")):
        found = {}
        for path in NOTEBOOKS:
            names = {"__name__": "__main__"}
            exec(compile(source(path), path.name, "exec"), names)
            found[path.name[:2]] = names
        paper = Path("runs/paper")
        found["05"] |= {"written": list(paper.iterdir()), "latex": (paper / "table1.tex").read_text(encoding="utf-8")}
        yield found
    matplotlib.pyplot.close("all")


def test_there_are_five():
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_outputs_are_stripped_and_parameters_stand_in_one_cell(path):
    code = cells(path, "code")
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert [cell["metadata"].get("tags") for cell in code].count(["parameters"]) == 1
    assert code[0]["metadata"]["tags"] == ["parameters"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_no_function_is_longer_than_10_lines(path):
    for node in ast.walk(ast.parse(source(path))):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno + 1 <= LONGEST, node.name


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_an_essay_asks_first_and_ends_with_what_it_does_not_say(path):
    prose = ["".join(cell["source"]) for cell in cells(path, "markdown")]
    assert prose[0].startswith("# ")
    assert "## What this says, and what it does not" in prose[-1]
    assert not re.search(r"(^|\s)/(home|work|root|Users)/", " ".join(prose) + source(path))


def test_01_counts_rows_and_data_sets(ran):
    assert ran["01"]["used"].is_unique
    assert ran["01"]["priors"]["status"].eq("judgement").any()


def test_02_passes_its_verdict_and_agrees_with_the_oracle(ran):
    assert ran["02"]["verdict"].passed
    assert ran["02"]["oracle"].passed


def test_03_the_median_lies_well_below_the_newspapers_sum_and_the_sum_in_the_upper_tail(ran):
    avoided = ran["03"]["avoided"].values
    assert np.median(avoided) < 2_592_000 / 2
    assert 0.5 < np.mean(avoided < 2_592_000) < 1
    factors = ran["03"]["factors"]
    assert float(factors["people in treatment beyond today's"].median()) < 10_000
    assert float(factors["left after the change that comparators show"].median()) < 1
    wide = np.quantile(avoided, [0.025, 0.975])
    assert wide[1] > 10 * max(wide[0], 1)


def test_04_demand_moves_it_most_and_a_sceptic_must_be_tight(ran):
    assert "demand" in ran["04"]["drivers"]["input"].iloc[0]
    assert 0.1 < ran["04"]["flips"].min() < 0.3
    assert np.all(np.diff(ran["04"]["mean"]) < 0)  # the wider the prior, the further the mean from zero


def test_05_writes_tables_figures_and_captions(ran):
    names = {path.name for path in ran["05"]["written"]}
    assert {"table1.tex", "table1.csv", "figure1_trials.pdf", "figure2_outcomes.txt"} <= names
    assert len(ran["05"]["table"]) == len(ran["05"]["study"].scenarios)
    assert r"\begin{tabular}" in ran["05"]["latex"]
    assert "~" not in ran["05"]["latex"]  # which LaTeX would print as a space
    assert ran["05"]["forest"].caption.strip()
