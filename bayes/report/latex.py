r"""The main tables as LaTeX, for a manuscript: booktabs rules, numbers by siunitx, long tables over several pages.

Each table stands alone in ``tables/NAME.tex``; ``report.tex`` is a document that holds them all and compiles as it is.
LuaLaTeX and XeLaTeX set labels of other scripts in the first font at hand that has them; pdfLaTeX, which has no such
font, prints the numbers of their characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby

from bayes.errors import printable
from bayes.numbers import rounded
from bayes.report.contract import Cell, Report, Table
from bayes.report.markdown import failures, main_tables
from bayes.report.pdf import widths
from bayes.report.prose import Index, index_of, plain

__all__ = ["escape_latex", "latex_table", "render_latex"]

LONG = 30
"""Lines from which on a table is no float but breaks over pages."""

FONTS = ("DejaVu Sans", "FreeSerif", "Noto Serif CJK SC", "FandolSong-Regular", "Songti SC", "SimSun", "Noto Sans")
"""Fonts of other scripts that systems of TeX, Linux, macOS and Windows have, in the order in which they are tried."""

PREAMBLE = r"""\documentclass[10pt,a4paper]{article}
\usepackage{iftex}
\ifpdftex
  \usepackage[T1]{fontenc}
  \usepackage[utf8]{inputenc}
  \usepackage{textcomp}
\else
  \usepackage{fontspec}
\fi
\usepackage[margin=20mm]{geometry}
\usepackage{booktabs}
\usepackage{array}
\usepackage{longtable}
\usepackage{siunitx}
\usepackage{hyperref}
\sisetup{group-separator={,}, group-minimum-digits=4, retain-explicit-plus}
\setlength{\belowcaptionskip}{4pt}
\setlength{\tabcolsep}{4pt}
"""

SCRIPTS = r"""\ifdefined\fontspec
  \def\tryfont#1#2#3{\ifx\found\relax\IfFontExistsTF{#1}%
    {{\fontspec{#1}\iffontchar\font"#2 \gdef\found{\fontspec{#1}#3}\fi}}{}\fi}
  \providecommand{\otherscript}[3]{{\let\found\relax FONTS\ifx\found\relax[#3]\else\found\fi}}
\else
  \providecommand{\otherscript}[3]{[#3]}
\fi
""".replace("FONTS", "".join(rf"\tryfont{{{font}}}{{#1}}{{#2}}" for font in FONTS))
r"""``\\otherscript{CODE}{text}{numbers}``: the text in a font that has its first character, or else its numbers."""


def render_latex(report: Report) -> str:
    """Write the main tables of a report as one LaTeX document."""
    index = index_of(report)
    title = rf"\section*{{{escape_latex(report.title)}}}" + "\n"
    under = escape_latex(plain(report.subtitle, report, index)) + "\n\n"
    failed = "".join(rf"\textbf{{{escape_latex(line)}}}" + "\n\n" for line in failures(report))
    tables = "\n".join(_tabular(table, report, index) for table in main_tables(report))
    begin, end = r"\begin{document}", r"\end{document}"
    return PREAMBLE + _with_scripts(f"{begin}\n{title}{under}{failed}{tables}{end}\n")


def latex_table(table: Table, report: Report, index: Index) -> str:
    """Write one table; it needs array, booktabs, siunitx and hyperref, and longtable where it is long."""
    return _with_scripts(_tabular(table, report, index))


def _with_scripts(text: str) -> str:
    return (SCRIPTS if r"\otherscript" in text else "") + text


def _tabular(table: Table, report: Report, index: Index) -> str:
    """One table: a float, or one that breaks over pages."""

    def words(template: str) -> str:
        return escape_latex(plain(template, report, index))

    of_numbers = [column.align == "right" for column in table.columns]
    cells = [[_cell(cell, index, number) for cell, number in zip(row, of_numbers, strict=True)] for row in table.rows]
    two = sum(any(cell.below for cell in row) for row in table.rows)
    rows = [_row(row) + ("\n\\addlinespace[2pt]" if two else "") for row in cells]
    headings = [words(column.heading) for column in table.columns]
    head = [r"\toprule", _row(headings), r"\midrule"]
    spec = _shares(table, [headings, *cells])
    label = rf"\label{{tab:{re.sub(r'[^a-z0-9]+', '-', table.key.lower())}}}"
    caption = rf"\caption{{{words(table.caption)}.}} {label}"
    note = [rf"\par\smallskip {words(table.note)}"] if table.note else []
    if len(rows) + two < LONG:
        lines = [r"\begin{table}[htbp]", r"\footnotesize", caption, rf"\begin{{tabular}}{{{spec}}}",
                 *head, *rows, r"\bottomrule", r"\end{tabular}", *note, r"\end{table}"]  # fmt: skip
    else:
        lines = [r"{\footnotesize", rf"\begin{{longtable}}{{{spec}}}", rf"{caption} \\", *head,
                 r"\endfirsthead", *head, r"\endhead", r"\bottomrule", r"\endfoot", *rows, r"\end{longtable}",
                 *note, "}"]  # fmt: skip
    return "\n".join([*lines, ""])


def _shares(table: Table, cells: list[list[str]]) -> str:
    """Columns, each as wide as its words need: numbers with all their digits."""
    parts = widths([[max(_as_set(text), key=len) for text in row] for row in cells])
    sides = ["raggedleft" if column.align == "right" else "raggedright" for column in table.columns]
    return "".join(
        rf">{{\{side}\arraybackslash}}p{{\dimexpr {part / sum(parts):.3f}\textwidth-2\tabcolsep}}"
        for side, part in zip(sides, parts, strict=True)
    )


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _as_set(text: str) -> list[str]:
    r"""Lines of a cell as they are set, as far as their width matters.

    >>> _as_set(r"\num{0}\dag{} to \num{90}\linebreak {\scriptsize \numrange{0.40}{1200000}}")
    ['0 to 90', '0.40 to 1,200,000']
    """
    text = re.sub(r"\\numrange\{(.*?)\}\{(.*?)\}", r"\\num{\1} to \\num{\2}", text)
    text = re.sub(r"\\num\{([^}]*)\}", lambda found: re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", found[1]), text)
    text = re.sub(r"\\href\{[^}]*\}", "", text)
    return [re.sub(r"\\[a-zA-Z]+ ?|[{}\\]", "", line) for line in text.split(r"\linebreak ")]


def _cell(cell: Cell, index: Index, number: bool) -> str:
    small = cell.below and rf"\linebreak {{\scriptsize {(number and _range(cell.below)) or escape_latex(cell.below)}}}"
    return _first(cell, index, number) + small


def _first(cell: Cell, index: Index, number: bool) -> str:
    refs = ", ".join(index.words(key) for key in cell.refs)
    found = _number(cell) or (number and not refs and _range(cell.text))
    text = found or escape_latex(" ".join(part for part in (cell.text, refs) if part))
    return rf"\href{{{_address(cell.href)}}}{{{text}}}" if cell.href else text


_END = r"([−+-]?\d{1,3}(?:,\d{3})*(?:\.\d+)?)(k|M|bn|)(†?)"
_POWERS = {"": 0, "k": 3, "M": 6, "bn": 9}


def _range(text: str) -> str:
    r"""An interval for siunitx, with its digits as printed; nothing where the text is none.

    >>> _range("3k† to 1.8M"), _range("0.40 to 0.91"), _range("2003 to 2005")
    ('\\num{3000}\\dag{} to \\num{1800000}', '\\numrange{0.40}{0.91}', '')
    """
    found = re.fullmatch(f"{_END} to {_END}", text)
    if found is None:
        return ""
    low, low_power, low_mark, high, high_power, high_mark = found.groups()
    ends = [_plain(low, _POWERS[low_power]), _plain(high, _POWERS[high_power])]
    if not low_mark + high_mark:
        return rf"\numrange{{{ends[0]}}}{{{ends[1]}}}"
    marks = [
        rf"\num{{{end}}}" + (r"\dag{}" if mark else "") for end, mark in zip(ends, (low_mark, high_mark), strict=True)
    ]
    return " to ".join(marks)


def _plain(digits: str, power: int) -> str:
    """Printed digits without separators, in units."""
    plain_digits = digits.replace("−", "-").replace(",", "")
    return f"{float(plain_digits) * 10**power:.0f}" if power else plain_digits


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
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "[": "{[}", "]": "{]}", "*": "{*}", "&": r"\&",
    "#": r"\#", "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": "'", "−": r"\ensuremath{-}",
    "–": r"\textendash{}", "`": r"\textasciigrave{}", "×": r"\ensuremath{\times}", "·": r"\textperiodcentered{}",
    "£": r"\pounds{}", "\u202f": r"\,", "≤": r"\ensuremath{\le}", "∞": r"\ensuremath{\infty}",
    "≥": r"\ensuremath{\ge}", "±": r"\ensuremath{\pm}", "’": "'", "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}", "…": r"\dots{}", "†": r"\dag{}", "≈": r"\ensuremath{\approx}",
    "→": r"\ensuremath{\to}",
    **{letter: rf"\ensuremath{{\{name}}}" for letter, name in zip(
        "αβγδεθλμπρστφχω", ("alpha", "beta", "gamma", "delta", "epsilon", "theta", "lambda", "mu", "pi", "rho", "sigma",
                            "tau", "phi", "chi", "omega"), strict=True)},
}  # fmt: skip


_LIGATURE = re.compile(r"([-,'?!])(?=[-,'`])")
"""Two characters that LaTeX would set as one other."""


def escape_latex(text: str) -> str:
    r"""Write a text so that LaTeX shows it as it is, at every place of a table.

    What is not Latin goes through ``\otherscript``, which each file that needs it defines.

    >>> escape_latex("50% <script> $x_1$ [a]")
    '50\\% \\textless{}script\\textgreater{} \\$x\\_1\\$ {[}a{]}'
    >>> escape_latex("北京")
    '\\otherscript{5317}{北京}{U+5317 U+4EAC}'
    """
    found = []
    for other, letters in groupby(printable(text), lambda c: c not in _SPECIAL and ord(c) >= 0x180):
        run = "".join(letters)
        codes = [f"{ord(c):04X}" for c in run]
        numbers = " ".join(f"U+{code}" for code in codes)
        found.append(rf"\otherscript{{{codes[0]}}}{{{run}}}{{{numbers}}}" if other else
                     _LIGATURE.sub(r"\1{}", "".join(_SPECIAL.get(c, c) for c in run)))  # fmt: skip
    return "".join(found).replace(r" \ensuremath{\pm} ", r"~\ensuremath{\pm}~")  # a number keeps its error
