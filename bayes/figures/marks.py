"""Marks several figures share: interval bars with a median, bands, panel letters, columns of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayes.figuredata.base import SHAPES
from bayes.figures.canvas import LARGE, SMALL, Page

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["bands", "bars", "beside", "column", "filled", "letter", "reach", "shape"]


def shape(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that draw a distribution: its density, or bars at whole numbers."""
    return table[table["layer"].isin(SHAPES)]


def reach(rows: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of what :func:`shape` returned."""
    half = rows["width"] / 2 if (rows["layer"] == "bar").any() else 0.0
    return float((rows["x"] - half).min()), float((rows["x"] + half).max())


def filled(
    axes: Axes, rows: pd.DataFrame, colour: str, line: str = "", base: float = 0.0, thick: float = 1.1,
    gid: str = "density",
) -> None:  # fmt: skip
    """Fill a distribution above a height: the area under its density, with a line over it if need be, or bars."""
    if (rows["layer"] == "bar").any():
        edge, width = line or colour, 0.8 * rows["width"]
        axes.bar(rows["x"], rows["y"], width, base, color=colour, edgecolor=edge, linewidth=0.3, gid="bar")
        return
    axes.fill_between(rows["x"], base, base + rows["y"], color=colour, linewidth=0, gid=gid)
    if line:
        axes.plot(rows["x"], base + rows["y"], color=line, linewidth=thick, gid=gid)


def bars(sheet: Page, axes: Axes, intervals: pd.DataFrame, median: float, height: float) -> None:
    """Draw nested intervals as bars of growing thickness at one height, and the median as a dot."""
    ordered = intervals.sort_values("prob", ascending=False)
    thick = {1: (1.6,), 2: (1.0, 2.8), 3: (0.9, 2.0, 3.6)}[min(3, len(ordered))]
    for row, width in zip(ordered.itertuples(), thick, strict=False):
        axes.plot(
            [row.lower, row.upper],
            [height, height],
            color=sheet.palette.main,
            linewidth=width,
            solid_capstyle="butt",
            gid="interval",
        )
    axes.plot(
        [median],
        [height],
        marker="o",
        markersize=3.6,
        color="white",
        markeredgecolor=sheet.palette.main,
        markeredgewidth=0.9,
        gid="median",
        zorder=5,
    )


def bands(sheet: Page, axes: Axes, table: pd.DataFrame, x: str) -> None:
    """Fill intervals over x from wide to narrow, and draw the median."""
    intervals = table[table["layer"] == "interval"]
    for prob, colour in zip(sorted(set(intervals["prob"]), reverse=True), sheet.palette.bands, strict=False):
        part = intervals[intervals["prob"] == prob]
        axes.fill_between(part[x], part["lower"], part["upper"], color=colour, linewidth=0, gid=f"band {prob:g}")
    middle = table[table["layer"] == "median"]
    axes.plot(middle[x], middle["x"], color=sheet.palette.main, linewidth=1.3, gid="median")


def letter(axes: Axes, text: str, title: str = "") -> None:
    """Title a panel with its letter."""
    axes.set_title(
        f"{text}  {title}" if title else text, fontsize=LARGE if not title else 7.0, loc="left", weight="bold"
    )


def column(
    axes: Axes, x: float, heights: Sequence[float], texts: Sequence[str], align: str = "left", size: float = SMALL
) -> None:
    """Write a column of texts at x (axes fraction or beyond) and data heights."""
    for y, text in zip(heights, texts, strict=True):
        axes.text(
            x,
            y,
            text,
            transform=axes.get_yaxis_transform(),
            fontsize=size,
            ha=align,
            va="center_baseline",
            clip_on=False,
        )


def beside(sheet: Page, axes: Axes, mm: float, y: float, text: str, align: str, size: float) -> None:
    """Write at a distance in mm from the right (or, if negative, left) edge of the axes."""
    box = axes.get_position()
    x = (1.0 if mm > 0 else 0.0) + mm / (box.width * sheet.width)
    axes.text(
        x,
        y,
        text,
        transform=axes.get_yaxis_transform(),
        ha=align,
        va="center",
        fontsize=size,
        linespacing=1.25,
        multialignment=align,
    )
