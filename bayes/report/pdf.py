"""The report as a paginated document, set by typst: numbered sections, live links, embedded fonts, vector figures.

The template is a file of ours; everything that is printed reaches it as JSON, so that no text of an input file is ever
read as markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import Any

from bayes.figures.typeface import folder_of
from bayes.report.contract import (
    Banner,
    Block,
    Bullets,
    Card,
    Cell,
    Drawing,
    FigureBlock,
    Missing,
    Prose,
    Report,
    Table,
    TableBlock,
    WhatIf,
    parts,
)
from bayes.report.prose import Index, anchor, index_of, runs
from bayes.words import capital

__all__ = ["as_data", "fonts", "render_pdf"]

BANNER = "DIAGNOSTICS FAILED: these numbers must not be relied on"
SMALL, NORMAL = 7.0, 8.5
"""Sizes of type in tables, in points: of many columns, and of few."""


def render_pdf(report: Report) -> bytes:
    """Write a report as PDF/UA-1, which screen readers follow. Equal reports give equal bytes."""
    import typst

    template = files("bayes.report").joinpath("templates", "report.typ").read_bytes()
    text = json.dumps(as_data(report), ensure_ascii=False)
    return bytes(typst.compile(template, sys_inputs={"report": text}, font_paths=fonts(), pdf_standards=["ua-1"]))


def fonts() -> Any:
    """Return the typefaces that typst may use: its own, and those of figures."""
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[folder_of("DejaVu Sans")])


def as_data(report: Report) -> dict[str, Any]:
    """Return the report as the plain data of the template."""
    view = _View(report, index_of(report))
    sections = [s for _, group in parts(report) for s in group]
    return {
        "title": report.title,
        "author": report.author,
        "date": _named(report.date),
        "subtitle": view.say(report.subtitle),
        "banner": BANNER if report.forced else "",
        "contents": [
            {"number": view.index.sections[s.key], "title": view.plain(s.title), "anchor": anchor("s", s.key)}
            for s in sections
            if s.depth > 1
        ],
        "parts": [
            {
                "title": title,
                "sections": [
                    {
                        "number": view.index.sections[s.key],
                        "title": view.say(s.title),
                        "anchor": anchor("s", s.key),
                        "blocks": [view.block(b, s.depth == 1) for b in s.blocks],
                    }
                    for s in group
                ],
            }
            for title, group in parts(report)
        ],
    }


class _View:
    """Turns the parts of a report into plain data."""

    def __init__(self, report: Report, index: Index) -> None:
        self.report, self.index = report, index

    def say(self, template: str) -> list[dict[str, Any]]:
        return [
            {"text": r.text, "strong": r.strong, "target": r.target} for r in runs(template, self.report, self.index)
        ]

    def plain(self, template: str) -> str:
        return "".join(r["text"] for r in self.say(template))

    def block(self, block: Block, tight: bool = False) -> dict[str, Any]:
        match block:
            case Prose():
                return {"kind": "prose", "role": block.role, "runs": self.say(block.text)}
            case Bullets():
                return {"kind": "bullets", "items": [self.say(item) for item in block.items]}
            case Banner():
                return {"kind": "banner", "tone": block.tone, "runs": self.say(block.text)}
            case Card():
                lines = [{"label": self.say(label), "text": self.say(text)} for label, text in block.lines]
                return {"kind": "card", "title": self.say(block.title), "lines": lines}
            case Missing():
                fix = f" To make it: {block.fix}" if block.fix else ""
                why = f"{capital(block.reason)}.{fix}"
                return {"kind": "missing", "head": f"Not here: {block.what}.", "text": why}
            case TableBlock():
                return {"kind": "table", "table": self.table(self.report.tables[block.key], tight)}
            case FigureBlock():
                return {"kind": "figures", "figures": [self.figure(self.report.figures[key]) for key in block.keys]}
            case WhatIf():
                text = (
                    f"The live panel is not here: {block.reason}."
                    if block.reason
                    else "The HTML version of this report has a live panel: move a prior or the programme, and see the "
                    "answer move."
                )
                return {"kind": "prose", "role": "text", "runs": self.say(text)}

    def table(self, table: Table, tight: bool) -> dict[str, Any]:
        rows = [[_joined(cell) if tight else cell for cell in row] for row in table.rows]
        size = SMALL if len(table.columns) > 6 else NORMAL
        return {
            "number": self.index.tables[table.key],
            "anchor": anchor("t", table.key),
            "caption": self.say(f"{table.caption}."),
            "note": self.say(table.note) if table.note else [],
            "headings": [self.say(c.heading) for c in table.columns],
            "aligns": [c.align for c in table.columns],
            "widths": widths(
                [[self.plain(c.heading) for c in table.columns], *[[self.width_of(c) for c in row] for row in rows]],
                LETTERS / size,
            ),
            "rows": [[self.cell(c) for c in row] for row in rows],
            "size": size,
        }

    def width_of(self, cell: Cell) -> str:
        return max((cell.text + ", ".join(self.index.words(key) for key in cell.refs), cell.below), key=len)

    def cell(self, cell: Cell) -> dict[str, Any]:
        refs = [{"text": self.index.words(key), "target": self.index.anchor(key)} for key in cell.refs]
        return {"text": cell.text, "href": cell.href, "below": cell.below, "refs": refs}

    def figure(self, drawing: Drawing) -> dict[str, Any]:
        return {"number": self.index.figures[drawing.key], "anchor": anchor("f", drawing.key), "svg": drawing.svg,
                "caption": drawing.caption, "width": drawing.width}  # fmt: skip


def _named(day: date | None) -> dict[str, int]:
    """Year, month and day by name; nothing where there is no date."""
    return {} if day is None else {"year": day.year, "month": day.month, "day": day.day}


def _joined(cell: Cell) -> Cell:
    """The cell on one line."""
    return replace(cell, text=f"{cell.text} ({cell.below})", below="") if cell.below else cell


LEAST, MOST = 6.0, 70.0
LETTERS = 920.0
"""Letters of one point across a page, with what lies between columns."""


def widths(rows: Sequence[Sequence[str]], room: float = LETTERS / NORMAL) -> list[float]:
    """Return widths of columns in letters: room for the longest word of each, and more where there is more to read.

    What a page of ``room`` letters lacks is taken from what columns would have beyond their longest word, so that no
    word is broken.

    >>> table = [["a", "b"], *[["x", "a long sentence that will have to be broken into several lines"]] * 2]
    >>> widths(table, 100), widths(table, 30)
    ([6.0, 39.2], [6.0, 24.0])
    """
    least, wanted = [], []
    for column in zip(*rows, strict=True):
        longest = max(len(word) for text in column for word in re.split(r"\s|(?<=[/-])", text))
        typical = sorted(len(text) for text in column)[int(0.9 * (len(column) - 1))]
        least.append(max(LEAST, min(longest, 20) + 2))
        wanted.append(max(least[-1], min(0.6 * typical + 2, MOST)))
    share = min(1.0, max(0.0, room - sum(least)) / max(1.0, sum(wanted) - sum(least)))
    return [round(a + share * (b - a), 1) for a, b in zip(least, wanted, strict=True)]
