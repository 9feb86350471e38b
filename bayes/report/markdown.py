"""The main tables as Markdown, for a repository or a page of one's own."""

from __future__ import annotations

import re

from bayes.diagnostics import Verdict
from bayes.errors import printable
from bayes.report.contract import Cell, Report, Table, TableBlock
from bayes.report.pdf import widths
from bayes.report.prose import Index, index_of, plain

__all__ = ["escape_markdown", "failures", "main_tables", "markdown_table", "render_markdown"]


def main_tables(report: Report) -> tuple[Table, ...]:
    """Return the tables of the first two parts, in order."""
    index = index_of(report)
    shown = [b.key for s in report.sections if s.depth < 3 for b in s.blocks if isinstance(b, TableBlock)]
    return tuple(report.tables[key] for key in sorted(set(shown), key=lambda key: index.tables[key]))


def failures(report: Report) -> list[str]:
    """Return what stands above every number where the verdict failed: that it did, and each check that failed."""
    if report.passed:
        return []
    told = [f"{check.name}: {check.text}" for check in Verdict(report.checks).failures]
    return ["DIAGNOSTICS FAILED: these numbers must not be relied on.", *told]


def render_markdown(report: Report) -> str:
    """Write the main tables of a report as one Markdown document, a failed verdict above every number."""
    index = index_of(report)
    head = f"# {escape_markdown(report.title)}\n\n{escape_markdown(plain(report.subtitle, report, index))}\n\n"
    failed = "".join(f"**{escape_markdown(line)}**\n\n" for line in failures(report))
    return head + failed + "\n".join(markdown_table(table, report, index) for table in main_tables(report))


def markdown_table(table: Table, report: Report, index: Index) -> str:
    """Write one table with its caption and note."""

    def words(template: str) -> str:
        return escape_markdown(plain(template, report, index))

    headings = [words(column.heading) for column in table.columns]
    rows = [[_cell(cell, index) for cell in row] for row in table.rows]
    rule = ["-" * round(width) + ("-:" if column.align == "right" else "--")
            for width, column in zip(widths([headings, *rows]), table.columns, strict=True)]  # fmt: skip
    lines = [f"**Table {index.tables[table.key]}.** {words(table.caption)}.", "", _line(headings), _line(rule)]
    lines += [_line(row) for row in rows]
    return "\n".join([*lines, "", *([words(table.note), ""] if table.note else [])])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell, index: Index) -> str:
    refs = ", ".join(index.words(key) for key in cell.refs)
    text = escape_markdown(" ".join(part for part in (cell.text, refs) if part))
    text = f"[{text}](<{cell.href}>)" if cell.href else text
    return f"{text} ({escape_markdown(cell.below)})" if cell.below else text


def escape_markdown(text: str) -> str:
    r"""Write a text so that Markdown shows it as it is.

    >>> escape_markdown("<b>a|b*</b>")
    '&lt;b&gt;a\\|b\\*&lt;/b&gt;'
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~@^${}]|-(?=-))", r"\\\1", printable(" ".join(text.split())))
