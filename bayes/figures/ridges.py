"""Scenarios side by side: one density each on a common logarithmic axis."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import NORMAL, SMALL, Page, PaperFigure, page
from bayes.figures.captions import caption
from bayes.figures.marks import bars, beside, filled, reach, shape
from bayes.figures.scales import axis_title, logarithmic, number, unit_text
from bayes.figures.tables import Data, finished
from bayes.numbers import chance

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


__all__ = ["ridge"]

COLUMNS = ("layer", "scenario", "label", "quantity", "unit", "year", "x", "y", "lower", "upper", "prob", "kind")


@checked
def ridge(data: Data, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw the density of every scenario above its intervals, with numbers in a column.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.ridge` makes, or a projection.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.ridge(futures).savefig("ridge.pdf")
    """
    table = finished(data, figuredata.ridge, COLUMNS)
    names = list(dict.fromkeys(table["scenario"]))
    with page(table, width, style, 20 + 11 * len(names), layout=None) as sheet:
        axes = _axes(sheet, table)
        _limits(axes, table, len(names))
        for i, name in enumerate(names):
            _row(
                sheet,
                axes,
                table[table["scenario"] == name],
                -float(i),
                float(shape(table)["y"].max()),
            )
        _titles(sheet, axes, table)
        first = table.iloc[0]
        sheet.figure.caption = caption(
            table,
            f"{str(first['quantity']).replace('_', ' ').capitalize()} in year {first['year']}, by scenario.",
            "Density per factor of ten, scaled alike in all rows; bars: intervals with the median. The axis is "
            "logarithmic: draws at or below zero "
            "cannot be shown, their probability stands in the column P(≤ 0), and a bar that reaches zero ends in an "
            f"arrow.{DIAMONDS if (table['layer'] == 'reference').any() else ''}",
        )
    return sheet.figure


DIAMONDS = " Diamonds: the press arithmetic, places × offences × reduction."


def _lines(sheet: Page, label: str) -> list[str]:
    return textwrap.wrap(label, 12 if sheet.narrow else 24) or [""]


def _axes(sheet: Page, table: pd.DataFrame) -> Axes:
    """Place the axes between the labels on the left and the numbers on the right."""
    left = 3 + max(sheet.text_mm(line, NORMAL) for label in set(table["label"]) for line in _lines(sheet, str(label)))
    right = 31.0 if sheet.narrow else 46.0
    return sheet.figure.add_axes(
        (
            left / sheet.width,
            (13 if sheet.narrow else 10) / sheet.height,
            (sheet.width - left - right) / sheet.width,
            (sheet.height - (19 if sheet.narrow else 16)) / sheet.height,
        )
    )


def _limits(axes: Axes, table: pd.DataFrame, rows: int) -> None:
    ends = [*reach(shape(table)), *table[table["layer"] == "reference"]["x"]]
    axes.set_xlim(min(ends) * 0.8, max(ends) * 1.25)
    axes.set_ylim(-rows + 0.62, 0.72)
    logarithmic(axes, "x", ticks=7)


def _row(sheet: Page, axes: Axes, table: pd.DataFrame, base: float, peak: float) -> None:
    colours = sheet.palette
    curve = shape(table)
    axes.axhline(base, color=colours.rule, linewidth=0.4, zorder=0)
    filled(axes, curve.assign(y=0.6 * curve["y"] / peak), colours.bands[1], colours.main, base, thick=0.8)
    intervals, median = table[table["layer"] == "interval"], float(table.loc[table["layer"] == "median", "x"].iloc[0])
    at, edge = base - 0.13, axes.get_xlim()[0]
    clipped = intervals.assign(lower=intervals["lower"].clip(lower=edge))
    bars(sheet, axes, clipped, median, at)
    if (intervals["lower"] <= edge).any():
        axes.plot(
            [edge], [at], marker="<", markersize=3, color=colours.main, markeredgewidth=0, clip_on=False, zorder=6
        )
    for row in table[table["layer"] == "reference"].itertuples():
        axes.plot(
            [row.x],
            [at],
            marker="D",
            markersize=3.2,
            color=colours.accent,
            markeredgewidth=0,
            zorder=6,
            gid="reference",
        )
    _texts(sheet, axes, table, base)


def _texts(sheet: Page, axes: Axes, table: pd.DataFrame, base: float) -> None:
    """Label on the left; median, interval and P(≤ 0) in columns on the right."""
    wide = table[table["layer"] == "interval"].sort_values("prob").iloc[-1]
    middle = number(table[table["layer"] == "median"].iloc[0], "x", "mcse")
    nothing = float(table.loc[table["layer"] == "nonpositive", "y"].iloc[0])
    at = base + 0.08
    beside(sheet, axes, -1.5, at, "\n".join(_lines(sheet, str(table["label"].iloc[0]))), "right", NORMAL)
    between = f"{number(wide, 'lower', 'mcse_lower')} to {number(wide, 'upper', 'mcse_upper')}"
    if sheet.narrow:
        beside(sheet, axes, 21.0, at, f"{middle}\n{between}", "right", SMALL)
        beside(sheet, axes, 30.0, at, chance(nothing), "right", SMALL)
    else:
        for x, text in ((9.0, middle), (32.0, between), (45.0, chance(nothing))):
            beside(sheet, axes, x, at, text, "right", NORMAL)


def _titles(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    first = table.iloc[0]
    words = f"{str(first['quantity']).replace('_', ' ').capitalize()} in year {first['year']}"
    axes.set_xlabel(
        axis_title(words, str(first["unit"]), "log scale")
        if not sheet.narrow
        else f"{words}\n({unit_text(str(first['unit']))}, log scale)"
    )
    prob = float(table["prob"].max())
    top = 0.82
    if sheet.narrow:
        heads: tuple[tuple[float, str], ...] = ((21.0, f"Median ({prob:.0%})"), (30.0, "P(≤ 0)"))
    else:
        heads = ((9.0, "Median"), (32.0, f"{prob:.0%} interval"), (45.0, "P(≤ 0)"))
    for x, text in heads:
        beside(sheet, axes, x, top, text, "right", SMALL)
    if (table["layer"] == "reference").any():
        beside(sheet, axes, -0.01, top, "◆ press sum", "left", SMALL)
        axes.texts[-1].set_color(sheet.palette.accent)
