"""Numbers as people say them: understood whole, or refused; never read by their first digits."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from bayes.errors import UsageError, number_fix

__all__ = ["said_number", "said_range"]

_SCALES = {"": 1, "k": 10**3, "thousand": 10**3, "million": 10**6, "mn": 10**6, "billion": 10**9, "bn": 10**9}
_DIGITS = r"(?:\d+(?:\.\d+)?|\.\d+)"
_GROUPED = r"[1-9]\d{0,2}(?:(?P<mark>[, '’])\d{3})(?:(?P=mark)\d{3})*(?:\.\d+)?"
_NUMBER = re.compile(
    rf"(?P<sign>[-+]?)(?:(?P<plain>{_DIGITS}(?:e[-+]?\d{{1,4}})?)|(?P<grouped>{_GROUPED})|(?P<over>\d+)/(?P<under>\d+))"
    rf"(?: ?(?P<scale>{'|'.join(filter(None, _SCALES))}))?",
    re.IGNORECASE | re.ASCII,
)
LONGEST = 400
"""Signs of a number that anybody means: those of the largest there is, and more."""
_PER_CENT = re.compile(r" *(?:per ?cent|pct)$", re.IGNORECASE)
_EITHER = re.compile(r"[-+]?[1-9]\d{0,2}\.\d{3}(?: ?[a-z]+)?|[-+]?\d{1,3}(?:\.\d{3}){2,}", re.IGNORECASE | re.ASCII)
"""One dot before three digits, which much of Europe writes between thousands, or several dots."""

_BLANKS = dict.fromkeys(map(ord, "\t\u00a0\u2007\u2009\u202f"), " ")
_MINUS = {0x2212: "-"}
_ALLOWED = "1500, 1,500, 1 500, 1.5k, 1.5 thousand, 3 million, 2e6, 3/4 or 0.75"


def said_number(text: str) -> float:
    """Read a number that somebody wrote or said.

    Thousands may be set apart by commas, blanks or apostrophes; ``k``, ``thousand``, ``million`` (``mn``) and
    ``billion`` (``bn``) multiply, ``3/4`` divides, ``2e6`` is a power of ten, and a minus may be the sign U+2212.

    Raises
    ------
    UsageError
        If the text is anything else, whole: a share in per cent, a decimal comma, a range, another word; and for
        ``1.500``, which is one and a half to some and fifteen hundred to others.

    Examples
    --------
    >>> [said_number(text) for text in ("1.5 million", "5k", "3 000", "3/4", "-2e-3")]
    [1500000.0, 5000.0, 3000.0, 0.75, -0.002]
    """
    plain = _plain(text)
    match = _NUMBER.fullmatch(plain)
    if _EITHER.fullmatch(plain):
        raise UsageError("this number may be thousands or decimals", key="--say", found=plain, allowed=_ALLOWED,
                         fix=_either_fix(plain))  # fmt: skip
    value = _value(match) if match else math.nan
    if not math.isfinite(value):
        raise UsageError("this is no number", key="--say", found=plain, allowed=_ALLOWED,
                         fix=_fix(plain) or "write one number in one of these forms")  # fmt: skip
    return value


def said_range(text: str) -> tuple[float, float]:
    """Read two numbers with a dash or the word "to" between them, as ``0-100`` or ``-5 to -2``.

    Raises
    ------
    UsageError
        If there are not two numbers, or a word of scale stands at the second only: ``1-5 million`` has two meanings.

    Examples
    --------
    >>> said_range("-5--2"), said_range("1e-3 to 2,000")
    ((-5.0, -2.0), (0.001, 2000.0))
    """
    plain = _plain(text)
    found = []
    for dash in re.finditer(r"[-–]|\bto\b", plain):
        low, high = (_NUMBER.fullmatch(part.strip()) for part in (plain[: dash.start()], plain[dash.end() :]))
        if low and high:
            found.append((low, high))
    if len(found) != 1:
        raise UsageError("this is no range of numbers", key="--say", found=text, allowed="0-100 or 0 to 100",
                         fix=_fix(plain) or "write two numbers with a dash between them")  # fmt: skip
    low, high = found[0]
    values = said_number(low[0]), said_number(high[0])
    if high["scale"] and not low["scale"] and values[0] != 0:
        raise UsageError("this range may begin at ones or at thousands", key="--say", found=text,
                         fix=f"write {low[0]} {high['scale']}-{high[0]}, or {high[0]} in full")  # fmt: skip
    return values


def _plain(text: str) -> str:
    return text.translate(_BLANKS).translate(_MINUS).strip()


def _value(match: re.Match[str]) -> float:
    digits = match["plain"] or re.sub(r"[, '’]", "", match["grouped"] or "") or f"{match['over']}/{match['under']}"
    if len(digits) > LONGEST:
        return math.nan
    try:
        value = Fraction(digits) * _SCALES[(match["scale"] or "").lower()]
        return float(-value if match["sign"] == "-" else value)
    except (ZeroDivisionError, OverflowError):
        return math.nan


def _fix(plain: str) -> str | None:
    return number_fix(_PER_CENT.sub("%", plain))


def _either_fix(plain: str) -> str:
    number, _, scale = plain.partition(" ")
    whole, *rest = re.sub("[^-+0-9.]", "", number).split(".")
    if len(rest) > 1:
        return f"write {whole}{''.join(rest)}"
    short = rest[0].rstrip("0")
    decimal = f"{whole}.{short or '0'}" if len(short) < 3 else f"{whole}.{short}0"
    return f"write {whole}{rest[0]}, or {decimal}{' ' + scale if scale else ''}"
