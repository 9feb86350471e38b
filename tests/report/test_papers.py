"""The paper of a finished run: its cells, of Quarto and of Jupyter, run, and pandoc reads what they say.

Quarto itself is not run: pandoc, which it sets pages with, reads the header and the text that the cells print.
"""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pandas as pd
import pypandoc
import pytest

from bayes.numbers import compact
from tests.report.test_writers import _words

FOLDER = Path(__file__).resolve().parents[2] / "notebooks" / "examples" / "paper"


@pytest.fixture(scope="module")
def document():
    """The Quarto document as pandoc reads it; ``{python}`` is Quarto's own mark of a cell."""
    text = (FOLDER / "paper.qmd").read_text(encoding="utf-8").replace("```{python}", "```{.python .cell}")
    return json.loads(pypandoc.convert_text(text, "json", format="markdown"))


def code_of(document):
    return [block["c"][1] for block in document["blocks"] if block["t"] == "CodeBlock"]


@pytest.fixture(scope="module")
def paper(document, finished_run):
    """What the cells print, and their names."""
    names, said = {}, io.StringIO()
    first, *others = code_of(document)
    exec(first, names)
    assert names["run"].endswith("runs/latest")
    names["run"] = str(finished_run)
    with contextlib.redirect_stdout(said):
        for cell in others:
            exec(compile(cell, "paper.qmd", "exec"), names)
            print("\n")  # each cell's text stands apart
    return said.getvalue(), names


def test_the_header_is_one_that_quarto_reads(document):
    assert set(document["meta"]) == {"title", "format", "jupyter", "execute"}
    assert set(document["meta"]["format"]["c"]) == {"html", "docx", "pdf"}
    assert "".join(_words(document["meta"]["jupyter"])) == "python3"
    cells = [block["c"][0][1] for block in document["blocks"] if block["t"] == "CodeBlock"]
    assert cells == [["python", "cell"]] * len(cells)


def test_the_notebook_holds_the_same_cells_without_outputs(document):
    cells = json.loads((FOLDER / "paper.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert ["".join(cell["source"]) for cell in code] == code_of(document)
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert code[0]["metadata"]["tags"] == ["parameters"]
    text = (FOLDER / "paper.qmd").read_text(encoding="utf-8")
    assert all("".join(cell["source"]) in text for cell in cells[1:])


def test_numbers_and_table_of_the_paper_are_those_of_the_run_and_survive_pandoc(paper, finished_run):
    said, _ = paper
    tree = json.loads(pypandoc.convert_text(said, "json", format="markdown"))
    (table,) = [block["c"] for block in tree["blocks"] if block["t"] == "Table"]
    rows = [["".join(_words(cell)) for cell in row[1]] for row in table[4][0][3]]
    shown = pd.read_csv(finished_run / "tables" / "headline.csv", dtype={"year": str}).query(
        "year == '10' and scenario == 'hardcore' and quantity == 'offences_avoided'").iloc[0]  # fmt: skip
    low, high = compact(shown["lower"], shown["mcse_lower"]), compact(shown["upper"], shown["mcse_upper"])
    expected = f"{compact(shown['median'], shown['mcse_median'])} ({low} to {high})"
    assert len(rows) == 6
    assert [bare(row[2]) for row in rows if "hardcore" in row[0]] == [bare(expected)]
    assert f"avoids {expected} offences" in said


def test_the_paper_has_a_figure_and_cites_its_run(paper, finished_run):
    said, names = paper
    manifest = json.loads((finished_run / "manifest.json").read_text(encoding="utf-8"))
    assert f"seed {manifest['seed']}, inputs {manifest['inputs_hash'][:12]}" in said
    assert names["figure"]._repr_png_().startswith(b"\x89PNG")
    assert list(names["figure"].table["scenario"].unique()) == list(names["scenarios"])


def bare(text):
    return "".join(text.split())
