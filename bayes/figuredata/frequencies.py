"""The table of quantile dots: a distribution as a hundred equally likely futures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.elsewhere import Fit
from bayes.errors import UsageError
from bayes.figuredata.base import (
    Floats,
    Rows,
    draws_of,
    intervals,
    outline,
    precision,
    skewed_density,
    stamped,
    whole,
    whole_ends,
)
from bayes.figuredata.outcomes import PANELS, exact, one, opened, press, reaches, shown
from bayes.summaries import interval

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["dots"]

COUNT = 100
COLUMNS = 36


@checked
def dots(
    data: Fit,
    *,
    quantities: Sequence[str] | None = None,
    scenario: str | None = None,
    year: int | None = None,
    count: int = COUNT,
) -> pd.DataFrame:
    r"""Tabulate quantile dots: ``count`` dots, each standing for the same probability.

    The i-th dot stands at the quantile :math:`(i - 1/2) / n` of the draws (Kay, Kola, Hullman and Munson 2016); dots
    are stacked in columns (of whole numbers: at whole numbers), and the density is scaled to the height of the stacks.

    Parameters
    ----------
    data
        What :func:`bayes.project` returned; or any fit or dataset whose quantities have dims ``chain, draw``.
    quantities
        One panel each; by default those the projection says it is about, or the first two scalars.
    scenario, year
        The middle scenario that is no stress test, and the last year, unless named.
    count
        Number of dots, 20 to 200.

    Returns
    -------
    DataFrame
        Layers ``dot`` (x, at: the centre of its column, y: its place in the stack), ``density`` (x, y in dots;
        of whole numbers ``bar``, with ``width``), ``interval``,
        ``median``, ``reference`` (the press arithmetic), ``beneath`` and ``beyond`` (y, dots outside the
        axis); ``step`` is the width of a column.

    Raises
    ------
    UsageError
        If a quantity, scenario or year does not exist, or the count is outside its range.
    """
    if not 20 <= count <= 200:
        raise UsageError("so many dots cannot be read", key="count", found=count, allowed="20 to 200")
    source, stamp_of = opened(data)
    rows: Rows = []
    for quantity in shown(source, quantities, PANELS):
        series, same = one(source, quantity, scenario, year)
        values = draws_of(series)
        found = _stacked(values, count, press(source, same))
        rows += [{**row, **same} for row in exact(found, precision(series))]
    return stamped(rows, stamp_of, ("quantity", "unit", "scenario", "label", "year"))


def _stacked(values: Floats, count: int, reference: float) -> Rows:
    low, high = interval(values, 0.96, "eti")
    left = 0.0 if 0 < low < 0.3 * high else low
    right = max(high, reference * 1.08) if math.isfinite(reference) and reaches(reference, high) else high
    bars = whole(values)
    left, right = whole_ends(left, right, values)
    step = math.ceil((right - left + 1) / COLUMNS) if bars else (right - left) / COLUMNS
    start = left - 0.5 if bars else left  # columns stand at whole numbers, or at as many as share one
    at = np.quantile(values, (np.arange(count) + 0.5) / count, method="inverted_cdf" if bars else "linear")
    shown = at[(at >= left) & (at <= right)]
    column = np.clip(((shown - start) / step).astype(int), 0, COLUMNS - 1)
    place = [int((column[:i] == c).sum()) for i, c in enumerate(column)]
    rows: Rows = [
        {"layer": "dot", "x": float(q), "at": float(start + (c + 0.5) * step), "y": float(k + 0.5)}
        for q, c, k in zip(shown, column, place, strict=True)
    ]
    rows += [{**row, "y": row["y"] * count * step} for row in outline(values, left, right, skewed_density, bars)]
    rows += intervals(values)
    rows += [
        {"layer": "beneath", "x": left, "y": float((at < left).sum())},
        {"layer": "beyond", "x": right, "y": float((at > right).sum())},
    ]
    if math.isfinite(reference):
        rows.append({"layer": "reference", "x": reference, "y": float((values > reference).mean())})
    return [{**row, "step": float(step)} for row in rows]
