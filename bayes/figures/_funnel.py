"""``funnel``: estimates by their standard error, inside the limits expected around the mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes.figures.canvas import Page
from bayes.figures.marks import DASHED, in_margin
from bayes.figures.record import Figure
from bayes.figures.scales import ratios

if TYPE_CHECKING:
    import pandas as pd

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
    in_margin(sheet, axes, [(row.x, row.se, str(row.label)) for row in rows.itertuples()])
    unit = str(rows["unit"].iloc[0]) if "unit" in rows else "ratio"
    axes.set_xlabel(f"{unit.capitalize()} as published (log scale)")
    axes.set_ylabel("Standard error of the log ratio")


def _says(table: pd.DataFrame) -> str:
    return (
        "Funnel of the contrasts between arms, as published. Vertical line: posterior median of the mean over "
        "settings. Curves: where 95 % of contrasts without bias would lie, from sampling error alone (solid) and "
        "with the spread between settings (dashed). Names stand in the margin, so that they cover nothing."
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
