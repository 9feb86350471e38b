"""Tables that claim an order: what is ranked, and how many digits make the order visible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayes.numbers import APART, NOT_APART, rounded, supported

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LAST_WORDS", "extra_digits", "rank_key", "ranked"]

LAST_WORDS = (
    f"Largest first; what is not told apart from 0 ({NOT_APART}: within {APART:g} Monte Carlo errors of it) comes last."
)
"""What stands beside a table in the order of :func:`rank_key`."""


def rank_key(value: float, mcse: float) -> tuple[bool, float]:
    """Return what a row is sorted by, upwards: the largest number first, what is not told apart from 0 last.

    >>> sorted([(0.0, 0.0), (1.0, 0.1), (-3.0, 0.1), (5.0, 9.0)], key=lambda row: rank_key(*row))
    [(-3.0, 0.1), (1.0, 0.1), (5.0, 9.0), (0.0, 0.0)]
    """
    return math.isnan(value) or value == 0 or abs(value) < APART * supported(mcse), -abs(value)


def extra_digits(values: Sequence[float], errors: Sequence[float]) -> list[int]:
    """Return how many digits beyond those its error supports each number of a ranked column takes.

    They are the fewest with which no number is printed larger than one that stands above it, signs aside; an error
    stands beside each such number, or in the file. Rows are in the order of :func:`rank_key`.

    Examples
    --------
    >>> from bayes.numbers import compact
    >>> values, errors = (172e3, 162e3, 155e3, -148e3), (5e3, 5e3, 70e3, 5e3)
    >>> [compact(v, e) for v, e in zip(values, errors)]
    ['170k', '160k', '200k', '−150k']
    >>> [compact(v, e, more) for v, e, more in zip(values, errors, extra_digits(values, errors))]
    ['170k', '160k', '160k', '−150k']
    """
    keys = [rank_key(value, error)[0] for value, error in zip(values, errors, strict=True)]
    extra = [0] * len(values)

    def shown(i: int) -> float:
        return abs(float(f"{rounded(values[i], error(i)):.3g}"))

    def error(i: int) -> float:
        return supported(errors[i]) * 10.0 ** -extra[i]

    while True:
        wrong = next(((i - 1, i) for i in range(1, len(values)) if keys[i - 1] == keys[i] and shown(i) > shown(i - 1)),
                     None)  # fmt: skip
        if wrong is None:
            return extra
        extra[max(wrong, key=error)] += 1


def ranked(table: pd.DataFrame, value: str, mcse: str) -> pd.DataFrame:
    """Return rows in the order of :func:`rank_key`, with the column ``extra`` of :func:`extra_digits`.

    >>> import pandas as pd
    >>> ranked(pd.DataFrame({"by": [1.0, 5.0, -3.0], "mcse": [0.1, 9.0, 0.1]}), "by", "mcse")["by"].tolist()
    [-3.0, 1.0, 5.0]
    """
    pairs = list(zip(table[value].astype(float), table[mcse].astype(float), strict=True))
    order = sorted(range(len(pairs)), key=lambda i: rank_key(*pairs[i]))
    extra = extra_digits([pairs[i][0] for i in order], [pairs[i][1] for i in order])
    return table.iloc[order].reset_index(drop=True).assign(extra=extra)
