"""The report of a synthesis of anybody's trials, and the folder that holds it with its tables and figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayes.files import write_bytes, write_text
from bayes.netcdf import write_netcdf
from bayes.report.contract import Cell, Claim, Column, FigureBlock, Prose, Report, Section, Table, TableBlock
from bayes.report.html import render_html
from bayes.report.markdown import render_markdown
from bayes.report.pdf import render_pdf
from bayes.report.pictures import drawing_of
from bayes.report.word import render_word
from bayes.synthesis.plotted import TABLES
from bayes.synthesis.rows import LogRatios
from bayes.synthesis.shown import notes

if TYPE_CHECKING:
    import pandas as pd

    from bayes.figures.canvas import PaperFigure
    from bayes.synthesis.answer import Synthesis

__all__ = ["figures_of_synthesis", "report_of_synthesis", "save_synthesis"]

_TITLES = {
    "effects": "Effects",
    "classical": "Classical numbers, without priors",
    "left_out": "Without each row",
    "prior_sets": "Under other priors",
    "small_studies": "Small studies",
    "cumulative": "Row by row",
}


_PLACES = {"forest": "effects", "left_out": "left_out", "funnel": "small_studies"}
"""The section in which a figure stands, or the first where there is none."""


def figures_of_synthesis(found: Synthesis) -> dict[str, PaperFigure]:
    """Return the figures that a synthesis has, by name: a forest, mean and spread without each row, a funnel."""
    from bayes.figures import figure

    even = isinstance(found.rows, LogRatios) and found.regression is None and len(found.rows.y) > 2
    has = {"forest": True, "left_out": bool(found.left_out), "funnel": even}
    return {name: figure(name)(table(found)) for name, table in TABLES.items() if has[name]}


def report_of_synthesis(
    found: Synthesis, tables: Mapping[str, pd.DataFrame], lines: Sequence[str],
    pictures: Mapping[str, PaperFigure] | None = None,
) -> Report:  # fmt: skip
    """Return the report: each table with its figure, then what was done; ``pictures`` are drawn if none are given."""
    said = [line for line in (*notes(found), *lines) if line]
    claims = {f"said.{i}": Claim(f"said.{i}", line) for i, line in enumerate(said)}
    first = Section("method", "How the numbers came about", 1, tuple(Prose(f"{{said.{i}}}") for i in range(len(said))))
    shown = {name: _table(name, frame) for name, frame in tables.items() if len(frame)}
    drawn = {name: drawing_of(one, name) for name, one in
             (figures_of_synthesis(found) if pictures is None else pictures).items()}  # fmt: skip
    where = {name: place if place in shown else "effects" for name, place in _PLACES.items()}
    rest = [Section(name, _TITLES[name], 1, (*(FigureBlock((key,)) for key in drawn if where[key] == name),
                                             TableBlock(name))) for name in shown]  # fmt: skip
    subtitle = f"{len(found.rows.labels)} rows, {found.rows.scale}s, {found.effects} effects"
    return Report("Synthesis", subtitle, found.verdict.checks, False, False, (*rest, first), claims, shown, drawn)


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
    """Write a synthesis to a new folder: tables as CSV, JSON, figures, report in HTML, PDF, Word and Markdown."""
    from bayes.figures.saving import save

    pictures = figures_of_synthesis(found)
    report = report_of_synthesis(found, tables, lines, pictures)
    written = {"report.html": render_html(report).encode(), "report.md": render_markdown(report).encode(),
               "report.pdf": render_pdf(report), "report.docx": render_word(report)}  # fmt: skip
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        write_text(folder / "tables" / f"{name}.csv", frame.to_csv(index=False))
    write_text(folder / "synthesis.json", json.dumps(found.as_data(), indent=2, ensure_ascii=False, allow_nan=False))
    for name, content in written.items():
        write_bytes(folder / name, content)
    if found.fit is not None:
        write_netcdf(found.fit, folder / "fit.nc")
    for name, picture in pictures.items():
        save(picture, folder / "figures", name, ["svg", "pdf"])
