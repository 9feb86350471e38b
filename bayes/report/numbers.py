"""Numbers as the report prints them: claims and cells, with digits that end where the Monte Carlo error begins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayes.numbers import KIND_WORDS, NONE, number, per_cent, signed, supported
from bayes.report.contract import Cell, Claim

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["beside", "cell", "claim", "count", "interval_cell", "interval_claims", "link", "move", "move_cell",
           "share", "word"]  # fmt: skip


def claim(name: str, value: float, mcse: float = 0.0, unit: str = "", source: str = "") -> Claim:
    """A number that text may use."""
    return Claim(name, number(value, mcse), float(value), supported(mcse), unit, source)


def count(name: str, value: int, source: str = "") -> Claim:
    """A count, in full.

    >>> count("n", 4000).text
    '4,000'
    """
    return Claim(name, f"{int(value):,}", float(value), 0.0, "number", source)


def word(name: str, text: object, source: str = "", href: str = "") -> Claim:
    """A word of a file that text may use."""
    return Claim(name, str(text), None, 0.0, "", source, href)


def share(name: str, row: Mapping[Any, Any], source: str) -> Claim:
    """A share of the variance that text may use, in per cent."""
    return Claim(name, per_cent(float(row["estimate"])), float(row["estimate"]), float(row["se"]), "share", source)


def move(name: str, value: float, mcse: float, unit: str, source: str, extra: int = 0) -> Claim:
    """A change that text may use, with its sign."""
    return Claim(name, signed(value, mcse, extra), float(value), float(mcse), unit, source)


def move_cell(value: float, mcse: float, extra: int = 0) -> Cell:
    """A cell with a change and its sign."""
    return Cell(signed(value, mcse, extra), float(value), float(mcse))


def link(name: str, text: str, href: str) -> Claim:
    """A link that text may use."""
    return Claim(name, text, None, 0.0, "", "", href)


def interval_claims(name: str, row: pd.Series[Any] | Mapping[str, Any], source: str) -> tuple[Claim, ...]:
    """Claims of one summarised quantity: ``median``, ``lower``, ``upper``, ``range`` and ``interval``.

    ``interval`` states probability and kind: "95 % equal-tailed credible interval 0 to 2.3M".
    """
    middle = "median" if "median" in row else "estimate"
    own = "mcse_median" if "mcse_median" in row else "mcse"
    unit, prob, kind = str(row.get("unit", "")), float(row["prob"]), str(row["kind"])
    ends = {
        key: claim(f"{name}.{key}", row[key], row.get(f"mcse_{key}", 0.0), unit, f"{source}, {key}")
        for key in ("lower", "upper")
    }
    between = f"{ends['lower'].text} to {ends['upper'].text}"
    return (
        claim(f"{name}.median", row[middle], row.get(own, 0.0), unit, f"{source}, {middle}"),
        *ends.values(),
        Claim(f"{name}.range", between, None, 0.0, unit, source),
        Claim(f"{name}.interval", f"{per_cent(prob)} {KIND_WORDS.get(kind, kind)} {between}", None, 0.0, unit, source),
    )


def cell(value: object, mcse: float = 0.0) -> Cell:
    """A cell of text, or of a number; what is absent is a dash.

    >>> cell(487_812.0, 8_000.0).text, cell("abc").text, cell(math.nan).text, cell("").text
    ('490k', 'abc', '–', '–')
    """
    if isinstance(value, float | int) and not isinstance(value, bool):
        if math.isnan(value):
            return Cell(NONE)
        return Cell(number(float(value), mcse), float(value), supported(mcse))
    return Cell(str(value) if value is not None and str(value) not in ("", "nan") else NONE)


def interval_cell(row: pd.Series[Any] | Mapping[str, Any]) -> Cell:
    """A cell with the two ends of an interval; its kind and probability stand in the caption or note."""
    if row["lower"] != row["lower"]:
        return Cell(NONE)
    ends = (number(row[end], row.get(f"mcse_{end}", row.get(f"mcse_d_{end}", 0.0))) for end in ("lower", "upper"))
    return Cell(" to ".join(ends))


def beside(value: float, mcse: float, row: pd.Series[Any] | Mapping[str, Any]) -> Cell:
    """A cell with a number, and its interval on a second line."""
    middle = cell(value, mcse)
    return middle if middle.text == NONE else replace(middle, below=interval_cell(row).text)
