"""Marks several figures share: circles, interval bars, bands, named lines, panel letters, columns of text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from bayes.figures.canvas import LARGE, MM, NARROW, NORMAL, SMALL, Page
from bayes.figures.palette import lettering
from bayes.figures.tabulation import SHAPES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = [
    "BELOW",
    "DASHED",
    "DOTTED",
    "LINE",
    "above",
    "bands",
    "bare",
    "bars",
    "beside",
    "beside_mm",
    "circle",
    "filled",
    "in_margin",
    "letter",
    "lettered",
    "naive",
    "named",
    "placed",
    "reach",
    "segment",
    "shape",
    "spaced",
    "tall",
    "words_at",
    "wrapped",
]  # fmt: skip

LINE = 1.2 * SMALL * 25.4 / 72
"""Height of a line of small type in mm."""
BELOW = 14.0
"""Height in mm of what lies below the axes of a page."""
DASHED: Any = (0, (4, 2))
DOTTED: Any = (0, (1, 1.2))


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


def circle(
    axes: Axes, at: tuple[float, float], edge: str, *, face: str = "white", size: float = 3.6, marker: str = "o",
    gid: str = "",
) -> None:  # fmt: skip
    """Draw an estimate: a white circle with an outline, unless another face or marker is asked for."""
    axes.plot([at[0]], [at[1]], marker=marker, markersize=size, color=face, markeredgecolor=edge, markeredgewidth=0.9,
              linestyle="none", gid=gid, zorder=5)  # fmt: skip


def segment(axes: Axes, low: float, high: float, y: float, colour: str, thick: float, gid: str = "interval") -> None:
    """Draw an interval as a bar at one height."""
    axes.plot([low, high], [y, y], color=colour, linewidth=thick, solid_capstyle="butt", gid=gid)


def bars(sheet: Page, axes: Axes, intervals: pd.DataFrame, median: float, height: float) -> None:
    """Draw nested intervals as bars of growing thickness at one height, and the median as a circle."""
    ordered = intervals.sort_values("prob", ascending=False)
    thick = {1: (1.6,), 2: (1.0, 2.8), 3: (0.9, 2.0, 3.6)}[min(3, len(ordered))]
    for row, width in zip(ordered.itertuples(), thick, strict=False):
        segment(axes, row.lower, row.upper, height, sheet.palette.main, width)
    circle(axes, (median, height), sheet.palette.main, gid="median")


def bands(sheet: Page, axes: Axes, table: pd.DataFrame, x: str, floor: float = float("-inf")) -> None:
    """Fill intervals over x from wide to narrow, and draw the median, as far as they lie above a floor."""
    intervals = table[table["layer"] == "interval"]
    for prob, colour in zip(sorted(set(intervals["prob"]), reverse=True), sheet.palette.bands, strict=False):
        part = intervals[intervals["prob"] == prob]
        low, high = (part[end].clip(lower=floor) for end in ("lower", "upper"))
        axes.fill_between(part[x], low, high, color=colour, linewidth=0, gid=f"band {prob:g}")
    middle = table[(table["layer"] == "median") & (table["x"] > floor)]
    axes.plot(middle[x], middle["x"], color=sheet.palette.main, linewidth=1.3, gid="median")


def naive(sheet: Page, axes: Axes, x: Any, y: Any) -> None:
    """Draw the naive sum, which is shown for comparison: the dashed orange line, and nothing else is."""
    axes.plot(x, y, color=sheet.palette.accent, linestyle=DASHED, linewidth=0.9, gid="reference")


def words_at(
    axes: Axes, at: tuple[float, float], text: str, shift: tuple[float, float] = (0, 0), *,
    align: tuple[str, str] = ("left", "center"), colour: str | None = None, coords: Any = "data",
) -> None:  # fmt: skip
    """Write small words at a place, moved by some points."""
    axes.annotate(text, at, xycoords=coords, xytext=shift, textcoords="offset points", fontsize=SMALL, ha=align[0],
                  va=align[1], color=colour and lettering(colour))  # fmt: skip


def in_margin(
    sheet: Page, axes: Axes, points: Sequence[tuple[float, float, str]], colours: Sequence[str] = (), *,
    tall: float = 0.0, letters: int = 0,
) -> None:  # fmt: skip
    """Name points beside the axes on the right, each joined to its name by a thin line; no name covers another.

    ``tall`` is the height of the axes in mm, that of the page unless given; ``letters`` go on a line.
    """
    (low, high), tall = axes.get_ylim(), tall or sheet.height - BELOW
    names = [wrapped(text, letters or _beside(sheet.width)) for _, _, text in points]
    half = [LINE * (name.count("\n") + 1) / 2 + 0.15 for name in names]
    at = [(y - low) / (high - low) * tall for _, y, _ in points]
    order = sorted(range(len(points)), key=at.__getitem__)
    floor, top = -1.5, tall
    for i in order:
        at[i] = max(at[i], floor + half[i])
        floor = at[i] + half[i]
    for i in reversed(order):
        at[i] = min(at[i], top - half[i])
        top = at[i] - half[i]
    for i, (x, y, _) in enumerate(points):
        axes.annotate(names[i], (x, y), xytext=(1.03, at[i] / tall), textcoords="axes fraction", fontsize=SMALL,
                      color=lettering(colours[i]) if colours else None, va="center", annotation_clip=False,
                      arrowprops={"arrowstyle": "-", "color": colours[i] if colours else sheet.palette.prior,
                                  "relpos": (0.0, 0.5),  # not to its middle, past the names below it
                                  "linewidth": 0.4, "shrinkA": 1, "shrinkB": 2})  # fmt: skip


def _beside(width: float) -> int:
    return 20 if width < NARROW else 30


def beside_mm(names: Sequence[object], width: float, letters: int = 0) -> float:
    """Height in mm of a page on which :func:`in_margin` has room for names."""
    lines = [wrapped(str(name), letters or _beside(width)).count("\n") + 1 for name in names]
    return BELOW + sum(LINE * count + 0.3 for count in lines)


def wrapped(text: str, letters: int) -> str:
    """Break words into lines; letters of East Asia count twice."""
    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    room = max(4, letters * len(text) // (len(text) + wide)) if text else letters
    return "\n".join(textwrap.wrap(text, room))


def lettered(width: float) -> int:
    """How many letters the name of a row may have on a line, on a page of some mm."""
    return 26 if width < NARROW else 44


def tall(names: Sequence[object], width: float, least: float = 5.0) -> float:
    """Height in mm of named rows: any two that follow each other have room for the lines of their names."""
    return len(names) * max(least, LINE * spaced([wrapped(str(name), lettered(width)) for name in names]) + 0.9)


def spaced(names: Sequence[str]) -> float:
    """Lines from row to row of equal height, so that no two names that follow each other overlap."""
    lines = [name.count("\n") + 1 for name in names] or [1]
    return max(0.8 * lines[0], 0.8 * lines[-1], *((a + b) / 2 for a, b in pairwise(lines)), 1)


def named(axes: Axes, names: Sequence[object]) -> None:
    """Name the rows of a figure, from the top, on its y axis."""
    letters = lettered(axes.get_figure(root=True).get_figwidth() / MM)  # type: ignore[union-attr]
    axes.set_yticks([-i for i in range(len(names))], [wrapped(str(name), letters) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-len(names) + 0.4, 0.6)


def bare(axes: Axes) -> None:
    """Leave the y axis of some axes out."""
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def placed(sheet: Page, left: float, right: float, below: float, above: float) -> Axes:
    """Add axes without a y axis that leave so many mm of the page to each side."""
    axes = sheet.figure.add_axes((left / sheet.width, below / sheet.height, (sheet.width - left - right) / sheet.width,
                                  (sheet.height - below - above) / sheet.height))  # fmt: skip
    bare(axes)
    return axes


def letter(axes: Axes, text: str, title: str = "") -> None:
    """Title a panel with its letter."""
    size = NORMAL if title else LARGE
    axes.set_title(f"{text}  {title}" if title else text, fontsize=size, loc="left", weight="bold")


def above(sheet: Page, axes: Axes, mm: float) -> float:
    """Return the height of a line of text so many mm above axes that were placed."""
    low, high = axes.get_ylim()
    return high + mm * (high - low) / (axes.get_position().height * sheet.height)


def beside(sheet: Page, axes: Axes, mm: float, y: float, text: str, align: str, size: float) -> None:
    """Write at a distance in mm from the right (or, if negative, left) edge of the axes."""
    x = (1.0 if mm > 0 else 0.0) + mm / (axes.get_position().width * sheet.width)
    axes.text(x, y, text, transform=axes.get_yaxis_transform(), ha=align, va="center", fontsize=size, linespacing=1.25,
              multialignment=align)  # fmt: skip
