"""``funnel``: estimates by their standard error, inside the limits expected around the mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.figures.canvas import Page
from bayes.figures.marks import DASHED, beside_mm, in_margin, words_at
from bayes.figures.record import Figure
from bayes.figures.scales import counts, linear, ratios
from bayes.numbers import formed
from bayes.words import capital

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]

_LABELLED = 20
"""More rows than these have no names beside them."""
_LIMITS: Mapping[str, tuple[str, Any, float]] = {
    "limit_tau": ("dashed: allowing for the spread between settings", DASHED, 0.7),
    "limit": ("solid: 95 % lie inside by sampling error alone", "-", 1.0),
}
"""The limits: what each is, its dashes and its thickness; the solid one hides the other where they are the same."""


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes, colours = sheet.figure.add_subplot(), sheet.palette
    rows = table[table["layer"] == "row"]
    _contours(axes, table[table["layer"] == "contour"], colours.bands)
    for layer, (_, dash, thick) in _LIMITS.items():
        limit = table[table["layer"] == layer]
        for end in ("lower", "upper"):
            axes.plot(limit[end], limit["se"], color=colours.muted, linewidth=thick, linestyle=dash, gid=layer)
    outside = _outside(table, "limit")
    for there, face in ((outside, colours.main), (~outside, "white")):
        axes.plot(rows["x"][there], rows["se"][there], "o", color=colours.main, markerfacecolor=face, markersize=3.8,
                  markeredgewidth=0.9, gid="row", zorder=4)  # fmt: skip
    added = table[table["layer"] == "filled"]
    axes.plot(added["x"], added["se"], "x", color=colours.main, markersize=3.6, gid="filled", zorder=4)
    _scaled(axes, table)
    axes.set_ylim(1.08 * float(rows["se"].max()), 0.0)
    _middles(sheet, axes, table)
    in_margin(sheet, axes, _named(table, axes.get_xlim()[1]))
    unit = str(rows["unit"].iloc[0]) if "unit" in rows else "ratio"
    axes.set_xlabel(f"{capital(unit)} as published{'' if linear(table) else ' (log scale)'}")
    axes.set_ylabel(f"Standard error{'' if linear(table) else ' of the logarithm'}\n(most precise at the top)")


def _middles(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    """Draw the mean and no effect, each named above the axes, away from the other."""
    mean, none = float(table.loc[table["layer"] == "mean", "x"].iloc[0]), 0.0 if linear(table) else 1.0
    sides = ("right", "left") if mean < none else ("left", "right")
    for x, words, side, colour, thick in ((mean, f"mean {formed(mean, '.2g')}", sides[0], sheet.palette.main, 0.9),
                                          (none, "no difference", sides[1], sheet.palette.ink, 0.6)):  # fmt: skip
        axes.axvline(x, color=colour, linewidth=thick, zorder=0.5)
        words_at(axes, (x, 1.0), words, (-2 if side == "right" else 2, 5), align=(side, "center"), colour=colour,
                 coords=axes.get_xaxis_transform())  # fmt: skip


def _outside(table: pd.DataFrame, layer: str) -> pd.Series[bool]:
    """Which rows lie outside limits."""
    rows, limit = table[table["layer"] == "row"], table[table["layer"] == layer].sort_values("se")
    low, high = (np.interp(rows["se"], limit["se"], limit[end]) for end in ("lower", "upper"))
    return (rows["x"] < low) | (rows["x"] > high)


def _named(table: pd.DataFrame, right: float) -> list[tuple[float, float, str]]:
    """What stands in the margin: names of rows, if they are few, and what each limit is, where fewest rows are."""
    rows, points = table[table["layer"] == "row"], []
    if len(rows) <= _LABELLED:
        points = [(float(row.x), float(row.se), str(row.label)) for row in rows.itertuples()]
    errors = np.sort([0.0, *rows["se"], 1.08 * float(rows["se"].max())])
    widest = int(np.diff(errors).argmax())
    for layer, share in (("limit", 0.3), ("limit_tau", 0.7)):
        limit = table[table["layer"] == layer].sort_values("se")
        at = float(errors[widest] + share * (errors[widest + 1] - errors[widest]))
        points.append((min(float(np.interp(at, limit["se"], limit["upper"])), right), at, _LIMITS[layer][0]))
    return points


def _contours(axes: Axes, contours: pd.DataFrame, fills: Sequence[str]) -> None:
    """Bands of significance against no effect: the darker, the smaller p."""
    levels = sorted(set(contours["level"]) if len(contours) else (), reverse=True)
    lines = [contours[contours["level"] == level] for level in levels]
    for inner, outer, fill in zip(lines, lines[1:], fills, strict=False):
        for end in ("lower", "upper"):
            axes.fill_betweenx(inner["se"], inner[end], outer[end].to_numpy(), color=fill, linewidth=0, zorder=0,
                               gid="contour")  # fmt: skip


def _scaled(axes: Axes, table: pd.DataFrame) -> None:
    shown = table[table["layer"] != "contour"][["x", "lower", "upper"]].stack()
    if linear(table):
        low, high = min(float(shown.min()), 0.0), max(float(shown.max()), 0.0)
        axes.set_xlim(low - 0.1 * (high - low), high + 0.1 * (high - low))
        counts(axes.xaxis)
        return
    reach = float(np.exp(1.15 * np.abs(np.log(shown)).max()))
    ratios(axes, max(1 / reach, 0.02), min(reach, 10.0), (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10))


_BANDS = (" Bands, from the middle: p of no effect between 0.10 and 0.05, and between 0.05 and 0.01; beyond them p is "
          "below 0.01. Studies missing where p is large point to publication, studies missing elsewhere to other "
          "reasons.")  # fmt: skip


def _message(table: pd.DataFrame) -> str:
    """How many estimates lie outside the limits."""
    outside = {layer: int(_outside(table, layer).sum()) for layer in _LIMITS}
    count, more = (table["layer"] == "row").sum(), outside["limit_tau"]
    return (
        f"{outside['limit']} of {count} estimates lie outside the limits that would hold 95 % of them if they differed "
        f"by sampling error alone, and {more or 'none'} outside those that allow for the spread between settings."
    )


def _says(table: pd.DataFrame) -> str:
    layers, count = set(table["layer"]), int((table["layer"] == "row").sum())
    few = f" {count} studies are too few to tell: at least ten are needed." if count < 10 else ""
    filled = " Crosses: studies that trim and fill adds." if "filled" in layers else ""
    return (
        f"{_message(table)} Dots: estimates as published, filled where they lie outside the solid limits. Vertical "
        "lines: the posterior median of the mean over settings, and no difference. Limits lie around that mean, from "
        "sampling error (solid), and with the spread between settings (dashed). Where small studies with unwelcome "
        f"results are missing, one side of the lower part is empty.{few}{_BANDS if 'contour' in layers else ''}{filled}"
    )


FIGURE = Figure(
    name="funnel",
    title="Ratios by their standard error, most precise at the top, inside the limits expected around the mean.",
    needs=(),
    columns=("layer", "label", "x", "se", "lower", "upper", "prob", "kind"),
    draw=_draw,
    says=_says,
    height=lambda table, width: max(78.0, 4 + beside_mm([name for *_, name in _named(table, np.inf)], width)),
    width="single",
)
