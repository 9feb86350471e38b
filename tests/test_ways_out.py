"""Text of other people on its way out: to a spreadsheet, a terminal, a manuscript. It is text there too."""

from __future__ import annotations

import csv
import io
import json
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from rich.table import Table
from rich.text import Text

import bayes
from bayes.cli.ending import ended
from bayes.cli.shared import console
from bayes.errors import CheckFailed, UsageError
from bayes.files import csv_text, read_table, write_text
from bayes.provenance import json_text
from bayes.records import CONTROL
from bayes.report.latex import escape_latex
from bayes.report.markdown import escape_markdown
from bayes.workbook import write_workbook

HOSTILE = ["=1+2", "+1+2", "-2+3", "@SUM(A1)", "\t=1", "'=1", "-x", "=cmd|'/c calc'!A0"]
STEERS = ["\x1b[31mred", "\x1b]0;title\x07", "back\x08space", "\x9b2J", "nul\x00", "right\u202eleft"]
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00"), min_size=1)
formulas = st.one_of(texts, st.builds("{}{}".format, st.sampled_from(["=", "+", "-", "@", "'=", "''-", "\t"]), texts))


def cells(text):
    return [cell for row in csv.reader(io.StringIO(text)) for cell in row]


@given(st.lists(formulas.filter(lambda text: text not in ("NA", "None")), min_size=1, max_size=5))
def test_no_cell_is_a_formula_and_each_is_read_as_it_was_written(tmp_path_factory, found):
    table = pd.DataFrame({"text": found, "value": np.arange(len(found)) - 1.5})
    written = csv_text(table)
    for cell in cells(written):
        assert not cell.startswith(("=", "+", "-", "@", "\t")) or np.isfinite(float(cell)) or cell[1:].isalpha()
    path = tmp_path_factory.mktemp("a") / "table.csv"
    write_text(path, written)
    back = read_table(path)
    assert back["value"].tolist() == table["value"].tolist()
    if back["text"].dtype == table["text"].dtype:  # a column of nothing but numbers is one of numbers
        same = back["text"].isna() | (back["text"] == table["text"])  # "NaN" and its like are no text to pandas
        assert same.all()


def test_numbers_stay_numbers_in_columns_of_texts_too():
    table = pd.DataFrame({"=head": ["-0.5", "+2e3", "-x", None], "kind": pd.Categorical(["=a", "b", "b", "b"])})
    assert csv_text(table) == "'=head,kind\n-0.5,'=a\n+2e3,b\n'-x,b\n,b\n"


def test_a_workbook_holds_texts_and_numbers_as_they_are(tmp_path):
    table = pd.DataFrame({"=head": [*HOSTILE, *STEERS], "value": -1.5})
    (tmp_path / "tables").mkdir()
    write_text(tmp_path / "tables" / "all.csv", csv_text(table.replace("nul\x00", "bell\x07")))
    write_workbook(tmp_path, tmp_path / "book.xlsx")
    rows = list(load_workbook(tmp_path / "book.xlsx")["all"].iter_rows())
    assert {cell.data_type for row in rows for cell in row} == {"s", "n"}
    shown = [str(row[0].value) for row in rows]
    assert shown[:5] == ["=head", *HOSTILE[:4]]
    assert not any(map(CONTROL.search, shown))


@pytest.mark.parametrize("text", STEERS, ids=range(len(STEERS)))
def test_nothing_steers_a_terminal(text, capsys):
    table = Table(title=Text(text))
    table.add_column(Text(text), no_wrap=True)
    table.add_row(Text(text))

    def work():
        print(text)
        print(text, file=sys.stderr)
        for stderr in (False, True):
            console(stderr).print(table)
            console(stderr).print(Text(text), style="red")
        raise CheckFailed(text)

    assert ended("bayes", work) == 1
    out, err = capsys.readouterr()
    for found in (out, err):
        assert not CONTROL.search(found)
        assert "\u202e" not in found
    assert "\\u" in out  # Rich leaves some of them out


def test_what_rich_writes_itself_still_colours_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert ended("bayes", lambda: console().print(Text("red \x1b[1m", style="red")) or 0) == 0
    assert capsys.readouterr().out == "\x1b[31mred \\u001b[1m\x1b[0m\n"


@pytest.mark.parametrize("text", STEERS[:5], ids=range(5))
def test_names_and_labels_of_draws_are_refused_at_the_door(text, tmp_path):
    values = np.random.default_rng(1).normal(size=(2, 100, 2))
    for name, dim, labels in ((text, "k", ["a", "b"]), ("mu", text, ["a", "b"]), ("mu", "k", ["a", f"{text}."])):
        draws = xr.Dataset({name: (("chain", "draw", dim), values)}, coords={dim: labels})
        with pytest.raises(UsageError, match="control character"):
            bayes.check(draws)
    path = tmp_path / "draws.csv"
    path.write_text(f'"{text}",b\n' + "1.5,2\n2.5,3\n" * 50, encoding="utf-8")
    with pytest.raises(bayes.BayesError, match="control character"):
        bayes.load_fit(path)


@pytest.mark.parametrize("text", STEERS, ids=range(len(STEERS)))
def test_a_manuscript_has_escapes(text):
    for escape in (escape_latex, escape_markdown):
        assert not CONTROL.search(escape(text))
        assert "\u202e" not in escape(text)


def test_json_on_standard_output_stays_json(capsys):
    assert ended("bayes", lambda: print(json_text(STEERS)) or 0) == 0
    assert json.loads(capsys.readouterr().out) == STEERS
