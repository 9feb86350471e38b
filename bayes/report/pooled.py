"""The report of a synthesis of anybody's trials, and the folder that holds it with its tables and figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayes.files import csv_text, write_bytes, write_text
from bayes.report.contract import Cell, Claim, Column, Prose, Report, Section, Table, TableBlock
from bayes.report.html import render_html
from bayes.report.markdown import render_markdown
from bayes.report.pdf import render_pdf
from bayes.synthesis.shown import notes

if TYPE_CHECKING:
    import pandas as pd

    from bayes.synthesis.answer import Synthesis

__all__ = ["report_of_synthesis", "save_synthesis"]

_TITLES = {
    "effects": "Effects",
    "classical": "Classical numbers, without priors",
    "left_out": "Without each row",
    "prior_sets": "Under other priors",
    "small_studies": "Small studies",
    "cumulative": "Row by row",
}


def report_of_synthesis(found: Synthesis, tables: Mapping[str, pd.DataFrame], lines: Sequence[str]) -> Report:
    """Return the report: what was done, then each table."""
    said = [line for line in (*notes(found), *lines) if line]
    claims = {f"said.{i}": Claim(f"said.{i}", line) for i, line in enumerate(said)}
    first = Section("method", "How the numbers came about", 1, tuple(Prose(f"{{said.{i}}}") for i in range(len(said))))
    shown = {name: _table(name, frame) for name, frame in tables.items() if len(frame)}
    rest = [Section(name, _TITLES[name], 1, (TableBlock(name),)) for name in shown]
    subtitle = f"{len(found.rows.labels)} rows, {found.rows.scale}s, {found.effects} effects"
    return Report("Synthesis", subtitle, found.verdict.checks, False, False, (*rest, first), claims, shown)


def _table(name: str, frame: pd.DataFrame) -> Table:
    from pandas.api.types import is_numeric_dtype

    columns = tuple(Column(str(one), "right" if is_numeric_dtype(frame[one]) else "left") for one in frame.columns)
    rows = tuple(tuple(_cell(value) for value in row) for row in frame.itertuples(index=False))
    return Table(name, _TITLES[name], columns, rows)


def _cell(value: object) -> Cell:
    if isinstance(value, float):
        return Cell("" if value != value else f"{value:.4g}")
    return Cell(str(value))


def save_synthesis(found: Synthesis, tables: Mapping[str, pd.DataFrame], lines: Sequence[str], folder: Path) -> None:
    """Write a synthesis to a new folder: tables as CSV, JSON, report in HTML, PDF and Markdown; of ratios a forest."""
    from bayes.figures import forest
    from bayes.figures.saving import save
    from bayes.synthesis.plotted import forest_table

    for name, frame in tables.items():
        (folder / "tables").mkdir(parents=True, exist_ok=True)
        write_text(folder / "tables" / f"{name}.csv", csv_text(frame))
    report = report_of_synthesis(found, tables, lines)
    write_text(folder / "synthesis.json", json.dumps(found.as_data(), indent=2, ensure_ascii=False, allow_nan=False))
    write_text(folder / "report.html", render_html(report))
    write_text(folder / "report.md", render_markdown(report))
    write_bytes(folder / "report.pdf", render_pdf(report))
    if not found.rows.scale.startswith("log "):
        return
    (folder / "figures").mkdir(exist_ok=True)
    save(forest(forest_table(found)), folder / "figures", "forest", ["svg", "pdf"])
