"""``funnel``: estimates by their standard error, inside the limits expected around the mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.figures.canvas import Page
from bayes.figures.marks import DASHED, words_at
from bayes.figures.record import Figure
from bayes.figures.scales import ratios

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes, colours = sheet.figure.add_subplot(), sheet.palette
    rows = table[table["layer"] == "row"]
    for layer, dash in (("limit", "-"), ("limit_tau", DASHED)):
        limit = table[table["layer"] == layer]
        for end in ("lower", "upper"):
            axes.plot(limit[end], limit["se"], color=colours.muted, linewidth=0.7, linestyle=dash, gid=layer)
    mean = float(table.loc[table["layer"] == "mean", "x"].iloc[0])
    axes.axvline(mean, color=colours.main, linewidth=0.9)
    axes.axvline(1.0, color=colours.rule, linewidth=0.6, zorder=0)
    axes.plot(rows["x"], rows["se"], "o", color=colours.main, markersize=3.6, gid="row", zorder=4)
    reach = float(np.exp(1.15 * np.abs(np.log(table[["x", "lower", "upper"]].stack())).max()))
    ratios(axes, max(1 / reach, 0.02), min(reach, 10.0), (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10))
    axes.set_ylim(1.08 * float(rows["se"].max()), 0.0)
    for row in rows.itertuples():
        side = _side(sheet, axes, table, row)
        words_at(
            axes, (row.x, row.se), str(row.label), (4 * side, 0), align=("left" if side > 0 else "right", "center")
        )
    unit = str(rows["unit"].iloc[0]) if "unit" in rows else "ratio"
    axes.set_xlabel(f"{unit.capitalize()} as published (log scale)")
    axes.set_ylabel("Standard error of the log ratio")


def _side(sheet: Page, axes: Axes, table: pd.DataFrame, row: Any) -> int:
    """The side of a point, 1 or -1, on which its label covers fewer lines and points: the outer one if equal."""
    low, high = np.log(axes.get_xlim())
    unit = (high - low) / (0.8 * sheet.width)  # of the logarithmic axis, in a mm
    at, width = math.log(row.x), 1.5 + sheet.text_mm(str(row.label))
    rows, limits = table[table["layer"] == "row"], table[table["layer"].isin(["limit", "limit_tau"])]
    near = rows[(rows["se"] - row.se).abs() < 0.05 * rows["se"].max()]
    lines = [math.log(x) for x in [1.0, *table.loc[table["layer"] == "mean", "x"], *near.loc[near["x"] != row.x, "x"]]]
    for _, limit in limits.groupby("layer"):
        lines += [math.log(np.interp(row.se, limit["se"], limit[end])) for end in ("lower", "upper")]
    covered = {side: sum(0 < side * (x - at) < width * unit for x in lines) for side in (1, -1)}
    outer = -1 if row.x < float(table.loc[table["layer"] == "mean", "x"].iloc[0]) else 1
    return outer if covered[outer] <= covered[-outer] else -outer


def _says(table: pd.DataFrame) -> str:
    return (
        "Funnel of the contrasts between arms, as published. Vertical line: posterior median of the mean over "
        "settings. Curves: where 95 % of contrasts without bias would lie, from sampling error alone (solid) and "
        "with the spread between settings (dashed)."
    )


FIGURE = Figure(
    name="funnel",
    title="Ratios by their standard error, most precise at the top, inside the limits expected around the mean.",
    needs=(),
    columns=("layer", "label", "x", "se", "lower", "upper", "prob", "kind"),
    draw=_draw,
    says=_says,
    height=lambda table, width: 74.0,
    width="single",
)
