"""``dots``: a distribution as a hundred dots, each as likely as the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit
from bayes.errors import UsageError
from bayes.figures.canvas import MM, NARROW, SMALL, Page, layers
from bayes.figures.marks import LINE, bare, bars, filled, naive, reach, shape, words_at
from bayes.figures.record import Figure
from bayes.figures.scales import axis_title, broken, counts, fitted
from bayes.figures.series import PANELS, exact, naive_words, opened, reaches, reference, series, shown, subject, told
from bayes.figures.tabulation import (
    Floats,
    Rows,
    draws_of,
    intervals,
    outline,
    precision,
    skewed_density,
    stamped,
    whole,  # fmt: skip
    whole_ends,
)
from bayes.numbers import chance, number
from bayes.summaries import interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]

COUNT = 100
COLUMNS = 36
TALL = 43.0
BELOW, ABOVE, SIDE, GAP = 10.0, 2.0, 3.0, 7.0
LETTER = 1.35
"""Width in mm of a letter of a title."""


@checked
def dots_table(
    data: Fit, *, quantities: Sequence[str] | None = None, scenario: str | None = None, year: int | None = None,
    count: int = COUNT,
) -> pd.DataFrame:  # fmt: skip
    r"""Tabulate quantile dots: ``count`` dots, each standing for the same probability.

    The i-th dot stands at the quantile :math:`(i - 1/2) / n` of the draws (Kay, Kola, Hullman and Munson 2016); dots
    are stacked in columns (of whole numbers: at whole numbers), and the density is scaled to the height of the stacks.

    Parameters
    ----------
    data
        A projection; or any fit or dataset whose quantities have dims ``chain, draw``.
    quantities
        One panel each; by default those the projection says it is about, or the first two scalars.
    scenario, year
        The headline scenario, or the middle one that is no stress test, and the last year, unless named.
    count
        Number of dots, 20 to 200.

    Returns
    -------
    DataFrame
        Layers ``dot`` (x, at: the centre of its column, y: its place in the stack), ``density`` (x, y in dots; of whole
        numbers ``bar``, with ``width``), ``interval``, ``median``, ``reference`` (the naive sum), ``beneath`` and
        ``beyond`` (y, dots outside the axis); ``step`` is the width of a column.

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
        array, same = series(source, quantity, scenario, year)
        found = _stacked(draws_of(array), count, reference(source, same))
        rows += [{**row, **same} for row in exact(found, precision(array))]
    return stamped(rows, stamp_of, ("quantity", "words", "unit", "scenario", "label", "time", "year"))


def _stacked(values: Floats, count: int, naive_sum: Rows) -> Rows:
    low, high = interval(values, 0.96, "eti")
    left = 0.0 if 0 < low < 0.3 * high else low
    right = max([high, *(row["x"] * 1.08 for row in naive_sum if reaches(row["x"], high))])
    counted = whole(values)
    left, right = whole_ends(left, right, values)
    step = math.ceil((right - left + 1) / COLUMNS) if counted else (right - left) / COLUMNS
    start = left - 0.5 if counted else left  # columns stand at whole numbers, or at as many as share one
    at = np.quantile(values, (np.arange(count) + 0.5) / count, method="inverted_cdf" if counted else "linear")
    inside = at[(at >= left) & (at <= right)]
    column = np.clip(((inside - start) / step).astype(int), 0, COLUMNS - 1)
    place = [int((column[:i] == c).sum()) for i, c in enumerate(column)]
    rows: Rows = [{"layer": "dot", "x": float(q), "at": float(start + (c + 0.5) * step), "y": float(k + 0.5)}
                  for q, c, k in zip(inside, column, place, strict=True)]  # fmt: skip
    rows += [{**row, "y": row["y"] * count * step} for row in outline(values, left, right, skewed_density, counted)]
    rows += [*intervals(values), {"layer": "beneath", "x": left, "y": float((at < left).sum())},
             {"layer": "beyond", "x": right, "y": float((at > right).sum())}]  # fmt: skip
    rows += [{**row, "y": float((values > row["x"]).mean())} for row in naive_sum]
    return [{**row, "step": float(step)} for row in rows]


def _down(table: pd.DataFrame, width: float) -> int:
    return table["quantity"].nunique() if width < NARROW else 1


def _below(table: pd.DataFrame, width: float) -> float:
    """Height in mm of what stands below the axes of a panel: ticks, and as many lines as the longest title takes."""
    across = -(-table["quantity"].nunique() // _down(table, width))
    titles = [axis_title(told(part), str(part["unit"].iloc[0])) for _, part in table.groupby("quantity", sort=False)]
    return BELOW + LINE * (max(_lines(title, (width - 10 * across) / across) for title in titles) - 1)


def _lines(title: str, mm: float) -> int:
    """How many lines a title takes, broken before its brackets if need be."""
    parts = [title] if len(title) * LETTER < mm else broken(title).split("\n")
    return sum(math.ceil(len(part) * LETTER / mm) for part in parts)


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    names = list(dict.fromkeys(table["quantity"]))
    down = _down(table, sheet.width)
    across = -(-len(names) // down)
    for i, name in enumerate(names):
        _panel(sheet, table[table["quantity"] == name], (i % across, i // across), (across, down))


def _says(table: pd.DataFrame) -> str:
    total = int((table["layer"] == "dot").sum() + table.loc[table["layer"].isin(["beneath", "beyond"]), "y"].sum())
    dot = table[(table["layer"] == "dot") & (table["quantity"] == table["quantity"].iloc[0])]
    beyond = table[(table["layer"] == "beyond") & (table["quantity"] == table["quantity"].iloc[0])]
    above = int((dot["x"] > 0).sum() + beyond["y"].sum())
    each = total // table["quantity"].nunique()
    return (
        f"{above} of {each} equally likely dots lie above zero. Posterior of {subject(table)}, as {each} equally "
        "likely dots a panel. "
        "Dots at or below zero are in the colour of the text; behind them the density, below them intervals from wide "
        "to narrow with "
        f"the median. Numbers at the ends count dots outside the panel. {naive_words(table, 'Dashed: {}.')}"
    )


def _axes(sheet: Page, place: tuple[int, int], panels: tuple[int, int]) -> tuple[Axes, float, float]:
    """The axes of a panel, their width and height in mm."""
    (column, row), (across, down) = place, panels
    wide = (sheet.width - (across + 1) * SIDE - (across - 1) * GAP) / across
    below = _below(sheet.figure.table, sheet.width)
    tall, high = TALL - BELOW + below, TALL - BELOW - ABOVE
    left, bottom = SIDE + column * (wide + SIDE + GAP), tall * (down - 1 - row) + below
    box = (left / sheet.width, bottom / sheet.height, wide / sheet.width, high / sheet.height)
    return sheet.figure.add_axes(box), wide, high


def _panel(sheet: Page, table: pd.DataFrame, place: tuple[int, int], panels: tuple[int, int]) -> None:
    axes, wide, high = _axes(sheet, place, panels)
    dot, interval_rows, median = layers(table, ["dot", "interval", "median"])
    curve, step = shape(table), float(table["step"].iloc[0])
    low, top = reach(curve)
    each = wide * step / (top - low)  # diameter of a dot in mm, so that a stack has its true height
    rows = max(high / each, 1.25 * float(dot["y"].max() + 0.5))
    size = min(each, high / rows) * 0.92
    axes.set_xlim(low, top)
    axes.set_ylim(-0.2 * rows, 0.8 * rows)
    filled(axes, curve, sheet.palette.bands[0])
    for part, colour in ((dot["x"] > 0, sheet.palette.main), (dot["x"] <= 0, sheet.palette.ink)):
        axes.scatter(dot["at"][part], dot["y"][part], s=(size * MM * 72) ** 2, color=colour, linewidths=0, gid="dot",
                     clip_on=False)  # fmt: skip
    inside = {"lower": interval_rows["lower"].clip(lower=low), "upper": interval_rows["upper"].clip(upper=top)}
    bars(sheet, axes, interval_rows.assign(**inside), float(median["x"].iloc[0]), -0.09 * rows)
    _words(sheet, axes, table, rows)
    bare(axes)
    counts(axes.xaxis, whole=bool((curve["layer"] == "bar").any()))
    first = table.iloc[0]
    axes.set_xlabel(fitted(sheet, axis_title(told(table), str(first["unit"])), wide))


def _words(sheet: Page, axes: Axes, table: pd.DataFrame, rows: float) -> None:
    """What lies beyond the axis, and the naive sum."""
    for layer, x, align, text in (("beneath", 0.0, "left", "← {} below"), ("beyond", 1.0, "right", "{} beyond →")):
        outside = int(table.loc[table["layer"] == layer, "y"].sum())
        if outside:
            axes.text(x, 0.0, text.format(outside), transform=axes.transAxes, fontsize=SMALL, color=sheet.palette.muted,
                      ha=align, va="bottom")  # fmt: skip
    low, high = axes.get_xlim()
    for row in table[table["layer"] == "reference"].itertuples():
        if low <= row.x <= high:
            naive(sheet, axes, [row.x, row.x], [0, 0.57 * rows])
            text = f"{row.naive} {number(float(row.x))}\nprobability of more {chance(float(row.y))}"
            words_at(axes, (row.x, 0.58 * rows), text, align=("right", "bottom"), colour=sheet.palette.accent)


FIGURE = Figure(
    name="dots",
    title="The distribution of an outcome as equally likely dots.",
    needs=("futures",),
    columns=("layer", "quantity", "words", "unit", "label", "year", "x", "y", "at", "step", "lower", "upper", "prob",
             "kind"),
    table=dots_table,
    draw=_draw,
    says=_says,
    height=lambda table, width: (TALL - BELOW + _below(table, width)) * _down(table, width),
    layout=None,
)  # fmt: skip
