"""The one place where numbers become text: digits end where the Monte Carlo error begins, and nothing becomes certain.

Numbers that text and tables show are rounded here and nowhere else; the page of the live what-if follows
:func:`compact` and :func:`chance`, and a test compares them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from bayes.arguments import checked
from bayes.errors import UsageError

__all__ = ["ABOVE_ZERO", "APART", "KIND_WORDS", "LEAST_CHANCE", "NONE", "NOT_APART", "NOT_APART_WORDS", "chance",
           "compact", "error_text", "formed", "label_text", "level", "mark_words", "money", "natural", "number",
           "of_hundred", "per_cent", "ranged", "rounded", "signed", "supported"]  # fmt: skip

NONE = "–"
"""What stands for a number that is not there."""
APART = 2.0
"""Monte Carlo errors from zero below which a number is not told apart from it."""
NOT_APART = "†"
"""Marks a number that is not told apart from 0; :func:`mark_words` says so once beside the numbers."""
NOT_APART_WORDS = f"{NOT_APART}: not told apart from 0 (within {APART:g} Monte Carlo errors of it)."
LEAST_CHANCE = 0.01
"""Probabilities below it, or as near to one, are written as beyond it: two digits, and none is certain."""
ABOVE_ZERO = "probability above zero"
"""How tables, terminal and report call the share of draws above zero."""
KIND_WORDS: Mapping[str, str] = {
    "eti": "equal-tailed credible interval",
    "hdi": "highest-density credible interval",
    "confidence": "confidence interval",
}
"""What each kind of interval is called in a sentence."""


@checked
def label_text(label: object) -> str:
    """Write the label of a row, a scenario or a time as people do: a day without its hours, anything else as it is.

    >>> import numpy as np
    >>> [label_text(x) for x in (np.datetime64("2011-03-01", "ns"), np.datetime64("2011-03-01T06:30", "us"), 7, "a")]
    ['2011-03-01', '2011-03-01T06:30:00', '7', 'a']
    """
    if isinstance(label, str):
        return str(label)
    text = str(label.isoformat()) if hasattr(label, "isoformat") else str(label)
    return re.sub(r"(?<=\d\d-\d\d)T00:00(:00)?(\.0+)?$|(?<=:\d\d)\.0+$", "", text)


_FINE = 20
"""The last digit that is shown stands for this part of an interval, or less."""


@checked
def rounded(value: float, mcse: float) -> float:
    """Round to the digits that a Monte Carlo error supports: the last one stands for 0.3 to 3 errors.

    An error that is zero or not known (NaN) rounds nothing; under an infinite error nothing is left, and NaN is
    returned.

    >>> rounded(487_812.0, 8_000.0), rounded(-3.217, 0.04)
    (490000.0, -3.2)
    """
    if mcse == math.inf:
        return math.nan
    if not math.isfinite(value) or not mcse > 0:
        return value
    return round(value, -_exponent(mcse)) + 0.0


@checked
def compact(value: float, mcse: float = 0.0, extra: int = 0) -> str:
    """Write a number as people read it, with no more digits than its error supports and at most three.

    ``extra`` digits are for ranked columns (:func:`bayes.ranking.extra_digits`). :data:`NOT_APART` marks a number that
    is not told apart from 0; ``–`` is undefined.

    >>> compact(487_812.0, 8_000.0), compact(2_421_000.0, 90_000.0), compact(17.3), compact(0.0)
    ('490k', '2.4M', '17.3', '0')
    >>> compact(5_460.0, 1_900.0), compact(24_000.0, 29_000.0), compact(-1_442_421.0, 27_618.0)
    ('5k', '20k†', '−1.44M')
    """
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    error = mcse * 10.0**-extra
    shown = rounded(value, error)
    if math.isnan(shown):
        return NONE
    mark = NOT_APART if 0 < abs(value) < APART * mcse else ""
    if shown == 0:
        return f"0{mark}"
    shown = float(f"{shown:.3g}")
    last = max(_exponent(error) if mcse > 0 else -math.inf, math.floor(math.log10(abs(shown))) - 2)
    power, unit = next(((p, u) for p, u in ((9, "bn"), (6, "M"), (3, "k")) if abs(shown) >= 10**p), (0, ""))
    text = formed(shown / 10**power, f",.{max(0, power - int(last))}f")
    return (text.rstrip("0").rstrip(".") if "." in text and not mcse > 0 else text) + unit + mark


@checked
def formed(value: float, form: str) -> str:
    """Write a number in one of Python's forms, with a true minus sign.

    >>> formed(-0.714, ".2f"), formed(-1_234.0, ",.0f")
    ('−0.71', '−1,234')
    """
    try:
        return format(value, form).replace("-", "−")
    except ValueError:
        raise UsageError("no number can be written in this form", key="form", found=form,
                         allowed="a format specification of Python", fix="try '.2f'") from None  # fmt: skip


@checked
def ranged(value: float, width: float) -> str:
    """Write a number with the digits that an interval of this width needs.

    Its last digit stands for a twentieth of the width or less; below a width of 20 there are two decimals or more.

    >>> ranged(-0.71453, 0.7), ranged(0.0021, 0.004), ranged(28.31, 40.0), ranged(0.0, 0.0)
    ('−0.71', '0.0021', '28', '0')
    """
    if not width > 0:
        return formed(value, ".3g")
    digits = max(math.ceil(math.log10(_FINE / width)), 2 if width < _FINE else 0)
    if digits > 6 or abs(value) >= 1e7:
        return formed(value, ".2e")
    shown = formed(value, f".{digits}f")
    return shown.removeprefix("−") if float(f"{value:.{digits}f}") == 0 else shown


@checked
def mark_words(texts: Iterable[str]) -> list[str]:
    """Return the line that defines :data:`NOT_APART` if one of the texts bears it, and none otherwise.

    >>> mark_words(["20k†", "5M"]), mark_words(["5M"])
    (['†: not told apart from 0 (within 2 Monte Carlo errors of it).'], [])
    """
    return [NOT_APART_WORDS] if any(NOT_APART in text for text in texts) else []


@checked
def chance(p: float) -> str:
    """Write a probability with two digits, never as certain.

    >>> chance(0.957), chance(0.999), chance(0.001), chance(0.0)
    ('0.96', '> 0.99', '< 0.01', '< 0.01')
    """
    least = LEAST_CHANCE
    return NONE if math.isnan(p) else f"> {1 - least}" if p > 1 - least else f"< {least}" if p < least else f"{p:.2f}"


@checked
def error_text(mcse: float) -> str:
    """Write a Monte Carlo error, which is itself known to two digits at most.

    >>> error_text(28_193.0), error_text(0.00328)
    ('28k', '0.0033')
    """
    return compact(float(f"{mcse:.2g}"))


def _exponent(mcse: float) -> int:
    """Power of ten of the last digit an error supports: the least that is not below 0.3 errors."""
    return math.ceil(math.log10(mcse) + math.log10(0.3) - 1e-9)


@checked
def number(value: float, mcse: object = 0.0, extra: int = 0) -> str:
    """Write a number with the digits its error supports, where that is known (and ``extra`` ones).

    >>> number(-487_812.0, 8_000.0)
    '−490k'
    """
    return compact(float(value), supported(mcse), extra)


@checked
def signed(value: float, mcse: object = 0.0, extra: int = 0) -> str:
    """Write a change with its sign, and ``extra`` digits if need be.

    >>> signed(61_058.0, 7_639.0), signed(0.0)
    ('+60k', '0')
    """
    text = number(value, mcse, extra)
    return f"+{text}" if value > 0 and text[0].isdigit() and text != "0" else text


@checked
def per_cent(share: float, error: object = 0.0, blank: str = "\u202f") -> str:
    """Write a share as per cent, whole unless its error says less; never as nothing or all when it is neither.

    >>> per_cent(0.95), per_cent(0.3712, 0.013), per_cent(math.nan)
    ('95\u202f%', '37\u202f%', '–')
    >>> per_cent(0.997), per_cent(0.003), per_cent(1.0)
    ('> 99\u202f%', '< 1\u202f%', '100\u202f%')
    """
    if math.isnan(share):
        return NONE
    step = max(1.0, 100 * supported(error))
    shown = rounded(100 * share, step)
    if 0 < share < 1 and shown in (0, 100) and _exponent(step) == 0:
        return f"> 99{blank}%" if shown else f"< 1{blank}%"
    return f"{formed(shown + 0.0, '.0f')}{blank}%"


@checked
def level(p: float) -> str:
    """Write the level of a quantile, with all its digits.

    >>> level(0.5), level(0.025)
    ('50\u202f%', '2.5\u202f%')
    """
    return f"{100 * p:g}\u202f%"


@checked
def natural(value: float, unit: str) -> str:
    """Write a logarithm of a ratio as a factor and log odds as per cent; nothing where a unit is read as it is.

    >>> natural(-0.357, "log ratio"), natural(-3.13, "logit"), natural(3.0, "years")
    ('× 0.70', '4.2\u202f%', '')
    """
    if not math.isfinite(value):
        return ""
    if unit == "log ratio":
        factor = math.exp(value)
        return f"× {factor:.2f}" if 0.1 <= factor < 10 else f"× {compact(float(f'{factor:.2g}'))}"
    return f"{compact(float(f'{100 / (1 + math.exp(-value)):.2g}'))}\u202f%" if unit == "logit" else ""


@checked
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


@checked
def money(pounds: float, mcse: object = 0.0) -> str:
    """Write pounds.

    >>> money(331_715_347.0, 4_657_610.0)
    '£330M'
    """
    text = number(pounds, mcse)
    return f"−£{text[1:]}" if text.startswith("−") else text if text == NONE else f"£{text}"


@checked
def supported(mcse: object) -> float:
    """Return a Monte Carlo error that is known; none at all where it is not, or where nothing was simulated."""
    return float(mcse) if isinstance(mcse, float | int) and mcse > 0 else 0.0
