"""Numbers as the report prints them: claims and cells, with digits that end where the Monte Carlo error begins."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayes.report.contract import Cell, Claim
from bayes.summaries import chance, compact, rounded

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "KIND_WORDS",
    "beside",
    "cell",
    "chance",
    "claim",
    "count",
    "interval_cell",
    "interval_claims",
    "level",
    "link",
    "money",
    "number",
    "of_hundred",
    "per_cent",
    "share_of_variance",
    "signed",
    "word",
]

KIND_WORDS: Mapping[str, str] = {
    "eti": "equal-tailed credible interval",
    "hdi": "highest-density credible interval",
    "confidence": "confidence interval",
}
NONE = "–"


def number(value: float, mcse: float = 0.0, extra: int = 0) -> str:
    """Write a number with the digits its error supports (and ``extra`` ones), and a true minus sign.

    >>> number(-487_812.0, 8_000.0)
    '−490k'
    """
    return compact(float(value), _error(mcse), extra).replace("-", "−")


def signed(value: float, mcse: float = 0.0, extra: int = 0) -> str:
    """Write a change with its sign, and ``extra`` digits if need be.

    >>> signed(61_058.0, 7_639.0), signed(0.0)
    ('+60k', '0')
    """
    text = number(value, mcse, extra)
    return f"+{text}" if value > 0 and text[0].isdigit() and text != "0" else text


def per_cent(share: float, error: float = 0.0) -> str:
    """Write a share as per cent, whole unless its error says less.

    >>> per_cent(0.95), per_cent(0.3712, 0.013), per_cent(math.nan)
    ('95\u202f%', '37\u202f%', '–')
    """
    if math.isnan(share):
        return NONE
    shown = rounded(100 * share, max(1.0, 100 * _error(error)))
    return f"{shown + 0.0:.0f}\u202f%".replace("-", "−")


def level(p: float) -> str:
    """Write the level of a quantile, with all its digits.

    >>> level(0.5), level(0.025)
    ('50\u202f%', '2.5\u202f%')
    """
    return f"{100 * p:g}\u202f%"


def share_of_variance(share: float) -> str:
    """Write a share of variance as the figure of the shares does: whole per cent.

    >>> share_of_variance(0.3712), share_of_variance(-0.004)
    ('37\u202f%', '0\u202f%')
    """
    return per_cent(share)


def of_hundred(p: float) -> str:
    """Write a probability as so many of a hundred; what is neither none nor all is never written as such.

    >>> of_hundred(0.043), of_hundred(0.002), of_hundred(0.9999), of_hundred(0.0)
    ('4', 'fewer than 1', 'more than 99', '0')
    """
    if math.isnan(p):
        return NONE
    whole = round(100 * p)
    return (
        ("fewer than 1" if p > 0 else "0") if whole == 0 else "more than 99" if whole == 100 and p < 1 else str(whole)
    )


def money(pounds: float, mcse: float = 0.0) -> str:
    """Write pounds.

    >>> money(331_715_347.0, 4_657_610.0)
    '£330M'
    """
    text = number(pounds, mcse)
    return f"−£{text[1:]}" if text.startswith("−") else text if text == NONE else f"£{text}"


def _error(mcse: float) -> float:
    return mcse if isinstance(mcse, float | int) and mcse > 0 else 0.0


def claim(name: str, value: float, mcse: float = 0.0, unit: str = "", source: str = "") -> Claim:
    """A number that text may use."""
    return Claim(name, number(value, mcse), float(value), _error(mcse), unit, source)


def count(name: str, value: int, source: str = "") -> Claim:
    """A count, in full.

    >>> count("n", 4000).text
    '4,000'
    """
    return Claim(name, f"{int(value):,}", float(value), 0.0, "number", source)


def word(name: str, text: object, source: str = "", href: str = "") -> Claim:
    """A word of a file that text may use."""
    return Claim(name, str(text), None, 0.0, "", source, href)


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
        return Cell(number(float(value), mcse), float(value), _error(mcse))
    return Cell(str(value) if value is not None and str(value) not in ("", "nan") else NONE)


def interval_cell(row: pd.Series[Any] | Mapping[str, Any], ends: Iterable[str] = ("lower", "upper")) -> Cell:
    """A cell with the two ends of an interval; its kind and probability stand in the caption or note."""
    low, high = ends
    if row[low] != row[low]:
        return Cell(NONE)
    errors = [row.get(f"mcse_{end}", row.get(f"mcse_d_{end}", 0.0)) for end in ends]
    return Cell(f"{number(row[low], errors[0])} to {number(row[high], errors[1])}")


def beside(value: float, mcse: float, row: pd.Series[Any] | Mapping[str, Any]) -> Cell:
    """A cell with a number, and its interval on a second line."""
    middle = cell(value, mcse)
    return middle if middle.text == NONE else replace(middle, below=interval_cell(row).text)
