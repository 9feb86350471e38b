"""The report of a synthesis of anybody's trials, and the folder that holds it with its tables and figures."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayes.files import write_bytes, write_text
from bayes.netcdf import write_netcdf
from bayes.numbers import chance, formed, ranged
from bayes.report.contract import Cell, Claim, Column, FigureBlock, Prose, Report, Section, Table, TableBlock
from bayes.report.html import render_html
from bayes.report.markdown import render_markdown
from bayes.report.pdf import render_pdf
from bayes.report.pictures import drawing_of
from bayes.report.word import render_word
from bayes.synthesis.plotted import TABLES
from bayes.synthesis.rows import LogRatios
from bayes.synthesis.shown import WITHOUT, classical_lines, notes, what_is_pooled
from bayes.words import capital

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
    tabled = [WITHOUT, *([] if found.classical is None else classical_lines(found.classical))]
    said = _untabled([line for line in (*notes(found), *lines) if line and line not in tabled])
    claims = {f"said.{i}": Claim(f"said.{i}", line) for i, line in enumerate(said)}
    first = Section("method", "How the numbers came about", 1, tuple(Prose(f"{{said.{i}}}") for i in range(len(said))))
    shown = {name: _table(name, frame, found.rows.scale) for name, frame in tables.items() if len(frame)}
    drawn = {name: drawing_of(one, name, _narrow(found, name, one)) for name, one in
             (figures_of_synthesis(found) if pictures is None else pictures).items()}  # fmt: skip
    where = {name: place if place in shown else "effects" for name, place in _PLACES.items()}
    rest = [Section(name, _TITLES[name], 1, (*(FigureBlock((key,)) for key in drawn if where[key] == name),
                                             TableBlock(name))) for name in shown]  # fmt: skip
    subtitle = f"{len(found.rows.labels)} rows, {what_is_pooled(found)}"
    return Report("Synthesis", subtitle, found.verdict.checks, False, False, (*rest, first), claims, shown, drawn)


def _narrow(found: Synthesis, name: str, whole: PaperFigure) -> PaperFigure | None:
    """The figure once more for narrow screens, if it is wide."""
    from bayes.figures import figure
    from bayes.figures.canvas import MM, NARROW, NARROWEST

    wide = whole.get_size_inches()[0] / MM > NARROW
    return figure(name)(TABLES[name](found), width=NARROWEST) if wide else None


_WORDS = {"mu": "Pooled mean, mu", "theta_new": "New setting, theta_new", "tau": "Sd between, tau",
          "omega": "Sd within a study, omega", "slope": "Slope of ", "at": "Mean at ", "at_new": "New setting at ",
          "theta": ""}  # fmt: skip
_KINDS = {"eti": "equal-tailed credible", "hdi": "highest-density credible"}
_BY = {"left_out": ["left_out"], "cumulative": ["added"], "prior_sets": ["set", "mu_prior", "tau_prior"]}
"""Tables that have a line for each quantity, and what else tells their lines apart."""
_HEADINGS = {"left_out": "Without", "added": "Added", "set": "Priors", "mu_prior": "of mu", "tau_prior": "of tau",
             "log_evidence": "Log evidence", "bayes_factor": "Bayes factor"}  # fmt: skip


def _table(name: str, frame: pd.DataFrame, scale: str) -> Table:
    """A table as it is read: a line for a thing, an interval in one cell, digits that the interval bears."""
    frame = frame.assign(interval=[_interval(row) for _, row in frame.iterrows()])
    kind = f"{_level(frame.iloc[0])} interval"
    if name in _BY:
        headings, rows = _by_quantity(frame, _BY[name])
        caption = f"{_TITLES[name]}: median ({kind}), {scale}"
    elif name == "effects":
        headings = ["", "Median", capital(kind), "Mean", "Sd", "Below zero"]
        rows, caption = [_effect(row) for _, row in frame.iterrows()], f"{_TITLES[name]}, {scale}"
    else:
        headings, caption = ["", "Value", "Interval", ""], _TITLES[name]
        rows = [[row["name"], _value(row), row["interval"] and f"{row['interval']} ({_level(row)})",
                 str(row.get("detail", ""))] for _, row in frame.iterrows()]  # fmt: skip
    filled = [i for i in range(len(headings)) if not i or any(row[i] for row in rows)]
    columns = tuple(
        Column(headings[i], "left" if not headings[i] or i < len(_BY.get(name, [""])) else "right") for i in filled
    )
    return Table(name, caption, columns, tuple(tuple(Cell(row[i]) for i in filled) for row in rows))


def _interval(row: pd.Series) -> str:
    return "" if row["lower"] != row["lower"] else f"{_digits(row, 'lower')} to {_digits(row, 'upper')}"


def _digits(row: pd.Series, name: str) -> str:
    return ranged(float(row[name]), float(row["upper"] - row["lower"]))


def _level(row: pd.Series) -> str:
    return f"{row['prob']:.0%} {_KINDS.get(row['kind'], row['kind'])}"


def _value(row: pd.Series) -> str:
    """A number without an interval, or with the digits of its interval."""
    value = float(row["value"])
    if row["interval"]:
        return _digits(row, "value")
    return "< 0.001" if row["name"] == "p" and value < 0.001 else formed(value, ".4g")


def _effect(row: pd.Series) -> list[str]:
    below = "" if row["quantity"] in ("tau", "omega") else chance(float(row["p_lt_0"]))
    name = f"{_WORDS[row['quantity']]}{row['label']}"
    return [name, _digits(row, "estimate"), row["interval"], _digits(row, "mean"), _digits(row, "sd"), below]


def _by_quantity(frame: pd.DataFrame, by: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of a table that has each quantity in a column."""
    quantities = list(dict.fromkeys(frame["quantity"]))
    beside = [one for one in ("log_evidence", "bayes_factor") if one in frame]
    rows = []
    for key, part in frame.groupby(list(by), sort=False):
        told = {row["quantity"]: f"{_digits(row, 'estimate')} ({row['interval']})" for _, row in part.iterrows()}
        more = ["" if part[one].isna().iloc[0] else formed(float(part[one].iloc[0]), ".3g") for one in beside]
        rows.append([*map(_short, key), *(told.get(one, "") for one in quantities), *more])
    return [_HEADINGS.get(one, _WORDS.get(one, one)) for one in (*by, *quantities, *beside)], rows


def _short(text: object) -> str:
    """A prior without the names of its parameters, as one is given: ``Normal(0, 2)``."""
    return re.sub(r"(?<=[(\s])\w+=|\.0(?=[,)])", "", str(text))


def _untabled(lines: Sequence[str]) -> list[str]:
    """Lines of the terminal without those that stand in a table of the report, which are indented, and their heads."""
    return [one for one, then in zip(lines, (*lines[1:], ""), strict=True)
            if not one.startswith("  ") and not (one.endswith(":") and then.startswith("  "))]  # fmt: skip


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
