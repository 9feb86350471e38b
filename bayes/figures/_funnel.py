"""``funnel``: estimates by their standard error, inside the limits expected around the mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.figures.canvas import Page
from bayes.figures.marks import DASHED, beside_mm, in_margin
from bayes.figures.record import Figure
from bayes.figures.scales import counts, linear, ratios

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]

_LABELLED = 20
"""More rows than these have no names beside them."""


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes, colours = sheet.figure.add_subplot(), sheet.palette
    rows, none = table[table["layer"] == "row"], 0.0 if linear(table) else 1.0
    _contours(axes, table[table["layer"] == "contour"], colours.bands)
    for layer, dash in (("limit", "-"), ("limit_tau", DASHED)):
        limit = table[table["layer"] == layer]
        for end in ("lower", "upper"):
            axes.plot(limit[end], limit["se"], color=colours.muted, linewidth=0.7, linestyle=dash, gid=layer)
    mean = float(table.loc[table["layer"] == "mean", "x"].iloc[0])
    axes.axvline(mean, color=colours.main, linewidth=0.9)
    axes.axvline(none, color=colours.rule if "contour" not in set(table["layer"]) else colours.ink, linewidth=0.6,
                 zorder=0.5)  # fmt: skip
    axes.plot(rows["x"], rows["se"], "o", color=colours.main, markersize=3.6, gid="row", zorder=4)
    added = table[table["layer"] == "filled"]
    axes.plot(added["x"], added["se"], "o", color=colours.main, markerfacecolor="white", markersize=3.6, gid="filled",
              zorder=4)  # fmt: skip
    _scaled(axes, table)
    axes.set_ylim(1.08 * float(rows["se"].max()), 0.0)
    if _names(table):
        in_margin(sheet, axes, [(row.x, row.se, str(row.label)) for row in rows.itertuples()])
    unit = str(rows["unit"].iloc[0]) if "unit" in rows else "ratio"
    axes.set_xlabel(f"{unit.capitalize()} as published{'' if linear(table) else ' (log scale)'}")
    axes.set_ylabel(f"Standard error{'' if linear(table) else ' of the logarithm'}")


def _names(table: pd.DataFrame) -> list[str]:
    names = [str(name) for name in table.loc[table["layer"] == "row", "label"]]
    return names if len(names) <= _LABELLED else []


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
    """How many contrasts lie outside what sampling error allows."""
    rows, limit = table[table["layer"] == "row"], table[table["layer"] == "limit"].sort_values("se")
    low, high = (np.interp(rows["se"], limit["se"], limit[end]) for end in ("lower", "upper"))
    outside = int(((rows["x"] < low) | (rows["x"] > high)).sum())
    return f"{outside} of {len(rows)} contrasts lie outside what sampling error alone would give."


def _says(table: pd.DataFrame) -> str:
    layers, count = set(table["layer"]), int((table["layer"] == "row").sum())
    few = f" {count} studies are too few to tell: at least 10 are needed." if count < 10 else ""
    more = _BANDS + few if "contour" in layers else ""
    filled = " Open dots: studies that trim and fill adds." if "filled" in layers else ""
    return (
        f"{_message(table)} Funnel of the contrasts between arms, as published. Vertical line: posterior median of the "
        "mean over "
        "settings. Curves: where 95 % of contrasts without bias would lie, from sampling error alone (solid) and "
        "with the spread between settings (dashed). Names stand in the margin, so that they cover nothing."
        f"{more}{filled}"
    )


FIGURE = Figure(
    name="funnel",
    title="Ratios by their standard error, most precise at the top, inside the limits expected around the mean.",
    needs=(),
    columns=("layer", "label", "x", "se", "lower", "upper", "prob", "kind"),
    draw=_draw,
    says=_says,
    height=lambda table, width: max(74.0, beside_mm(_names(table), width)),
    width="single",
)
