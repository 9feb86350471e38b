"""The tables of a run in other people's programs: encodings, types of columns, and the workbook."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from bayes.cli import main
from bayes.errors import StudyError
from bayes.workbook import table_files, write_workbook


def test_every_table_reads_as_it_is(finished_run: Path) -> None:
    """What pandas and R infer: each column is numbers, truth values or text, never a mixture."""
    files = table_files(finished_run)
    assert len(files) >= 15
    for name, path in files.items():
        content = path.read_bytes()
        assert not content.startswith(b"\xef\xbb\xbf"), name  # R would take a byte-order mark into the first header
        assert b"\r" not in content, name
        text = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        table = pd.read_csv(path)
        assert table.columns.is_unique, name
        assert all(re.fullmatch(r"[A-Za-z][\w.]*", column) for column in table.columns), name  # R changes other names
        for column in table:
            kind = pd.api.types.infer_dtype(table[column], skipna=True)
            assert kind in ("floating", "integer", "boolean", "string", "empty"), (name, column, kind)
            if kind == "string":
                words = set(text[column].str.lower())
                assert not words & {"na", "nan", "none", "null", "true", "false"}, (name, column)  # read as no text


def test_the_workbook_holds_the_same_numbers(finished_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    target = run / "tables.xlsx"
    assert main(["tables", str(run)]) == 0
    book = load_workbook(target, read_only=True)
    assert book.sheetnames == list(table_files(run))
    book.close()
    for name, path in table_files(run).items():
        csv, excel = pd.read_csv(path), pd.read_excel(target, sheet_name=name)
        assert list(csv.columns) == list(excel.columns)
        for column in csv.select_dtypes("number"):
            one, two = csv[column].astype(float), excel[column].astype(float)
            np.testing.assert_allclose(one, two, rtol=1e-15, err_msg=f"{name} {column}")  # a workbook has 16 digits


def test_text_is_never_a_formula(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    pd.DataFrame({"what": ["=1+1", "plain"], "x": [1.5, np.nan], "far": [np.inf, 0]}).to_csv(
        tmp_path / "tables/t.csv", index=False
    )
    write_workbook(tmp_path, tmp_path / "t.xlsx")
    sheet = load_workbook(tmp_path / "t.xlsx")["t"]
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s")
    assert (sheet["B3"].value, sheet["C2"].value) == (None, "inf")


def test_a_run_without_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StudyError, match="no tables"):
        write_workbook(tmp_path, tmp_path / "t.xlsx")
    assert not (tmp_path / "t.xlsx").exists()
    assert main(["tables", str(tmp_path), "--to", "t.csv"]) == 2
    assert ".xlsx" in capsys.readouterr().err
