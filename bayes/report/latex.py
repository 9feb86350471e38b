r"""The main tables as LaTeX, for a manuscript: booktabs rules, numbers by siunitx.

Each table stands alone in ``tables/NAME.tex``; ``report.tex`` is a document that holds them all and compiles as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bayes.numbers import rounded
from bayes.report.contract import Cell, Report, Table
from bayes.report.markdown import main_tables
from bayes.report.prose import Index, index_of, plain

__all__ = ["escape_latex", "latex_table", "render_latex"]

PREAMBLE = r"""\documentclass[10pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{textcomp}
\usepackage[margin=20mm]{geometry}
\usepackage{booktabs}
\usepackage{tabularx}
\usepackage{siunitx}
\usepackage{hyperref}
\sisetup{group-separator={,}, group-minimum-digits=4, retain-explicit-plus}
\setlength{\belowcaptionskip}{4pt}
\begin{document}
"""


def render_latex(report: Report) -> str:
    """Write the main tables of a report as one LaTeX document."""
    index = index_of(report)
    title = rf"\section*{{{escape_latex(report.title)}}}" + "\n"
    under = escape_latex(plain(report.subtitle, report, index)) + "\n\n"
    failed = "" if report.passed else r"\textbf{DIAGNOSTICS FAILED: these numbers must not be relied on.}" + "\n\n"
    tables = "\n".join(latex_table(table, report, index) for table in main_tables(report))
    return f"{PREAMBLE}{title}{under}{failed}{tables}\\end{{document}}\n"


def latex_table(table: Table, report: Report, index: Index | None = None) -> str:
    """Write one table; it needs booktabs, tabularx, siunitx and hyperref."""
    found = index or index_of(report)

    def words(template: str) -> str:
        return escape_latex(plain(template, report, found))

    spec = "".join("r" if column.align == "right" else r">{\raggedright\arraybackslash}X" for column in table.columns)
    lines = [r"\begin{table}[htbp]", r"\footnotesize", rf"\caption{{{words(table.caption)}.}}",
             rf"\label{{tab:{re.sub(r'[^a-z0-9]+', '-', table.key.lower())}}}",
             rf"\begin{{tabularx}}{{\textwidth}}{{{spec}}}", r"\toprule",
             _row([_heading(plain(column.heading, report, found), column.align) for column in table.columns]),
             r"\midrule"]  # fmt: skip
    for row in table.rows:
        lines.append(_row([_cell(cell, found) for cell in row]))
        if any(cell.below for cell in row):
            lines.append(_row([_small(cell.below) for cell in row]))
    lines += [r"\bottomrule", r"\end{tabularx}"]
    lines += [rf"\par\smallskip {words(table.note)}"] if table.note else []
    return "\n".join([*lines, r"\end{table}", ""])


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _heading(text: str, align: str, width: int = 14) -> str:
    """A heading, in lines of some width where it stands over numbers."""
    if align != "right" or len(text) <= width:
        return escape_latex(text)
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return rf"\shortstack[r]{{{r' \\ '.join(escape_latex(part) for part in [*lines, line])}}}"


def _small(text: str) -> str:
    return rf"{{\scriptsize {escape_latex(text)}}}" if text else ""


def _cell(cell: Cell, index: Index) -> str:
    refs = ", ".join(index.words(key) for key in cell.refs)
    text = _number(cell) or escape_latex(" ".join(part for part in (cell.text, refs) if part))
    return rf"\href{{{_address(cell.href)}}}{{{text}}}" if cell.href else text


def _number(cell: Cell) -> str:
    r"""A whole number of a table, with the digits its error supports, for siunitx; other cells stay as printed."""
    if cell.value is None or not re.fullmatch(r"[−+]?[\d.,]+(k|M|bn)?", cell.text):
        return ""
    value = rounded(cell.value, cell.mcse)
    shown = float(f"{value:.3g}") if abs(value) >= 1 or cell.mcse == 0 else value
    sign = "+" if cell.text.startswith("+") else ""
    return (
        rf"\num{{{sign}{shown:.0f}}}"
        if abs(shown) >= 100
        else rf"\num{{{sign}{cell.text.lstrip('+').replace('−', '-').replace(',', '')}}}"
    )


def _address(url: str) -> str:
    return url.replace("%", r"\%").replace("#", r"\#").replace("&", r"\&").replace("_", r"\_").replace("~", r"\~{}")


_SPECIAL: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": "'",
    "−": r"\ensuremath{-}",
    "–": "--",
    "×": r"\ensuremath{\times}",
    "·": r"\textperiodcentered{}",
    "£": r"\pounds{}",
    "\u202f": r"\,",
    "≤": r"\ensuremath{\le}",
    "∞": r"\ensuremath{\infty}",
    "≥": r"\ensuremath{\ge}",
    "±": r"\ensuremath{\pm}",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
}


def escape_latex(text: str) -> str:
    r"""Write a text so that LaTeX shows it as it is; a character LaTeX may lack is shown by its number.

    >>> escape_latex("50% <script> $x_1$")
    '50\\% \\textless{}script\\textgreater{} \\$x\\_1\\$'
    """
    return "".join(
        _SPECIAL.get(c) or (c if c.isprintable() and ord(c) < 0x180 else f"[U+{ord(c):04X}]")
        for c in " ".join(text.split(" "))
    )
