"""The distribution of an outcome: density, intervals, threshold probability and reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import NARROW, NORMAL, SMALL, Page, PaperFigure, layers, page, width_mm
from bayes.figures.captions import caption
from bayes.figures.marks import bars, filled, reach, shape
from bayes.figures.scales import axis_title, counts, equals, number
from bayes.figures.tables import Data, finished
from bayes.numbers import chance, compact

if TYPE_CHECKING:
    from matplotlib.axes import Axes


__all__ = ["posterior"]

COLUMNS = ("layer", "quantity", "unit", "label", "year", "x", "y", "lower", "upper", "prob", "kind")


@checked
def posterior(data: Data, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw the posterior of a scenario's outcome in one year, a panel for each unit.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.posterior` makes, or a projection.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.posterior(futures, width="single").savefig("posterior.pdf")
    """
    table = finished(data, figuredata.posterior, COLUMNS)
    quantities = list(dict.fromkeys(table["quantity"]))
    first = table.iloc[0]
    across = 1 if width_mm(width) < NARROW else len(quantities)
    down = -(-len(quantities) // across)
    with page(table, width, style, 6 + 50 * down) as sheet:
        panels = np.ravel(sheet.figure.subplots(down, across, squeeze=False))
        for axes, quantity in zip(panels, quantities, strict=True):
            _panel(sheet, axes, table[table["quantity"] == quantity], sheet.width / across)
        said = f"Posterior of what the scenario “{first['label']}” avoids" if first["label"] else "Posterior"
        dashed = "Dashed: the press arithmetic, places × offences × reduction. "
        sheet.figure.caption = caption(
            table,
            f"{said}{_year(first)}.",
            "Bars: intervals from wide to narrow, with the median. Dotted: a threshold and the probability of "
            f"exceeding it. {dashed if (table['layer'] == 'reference').any() else ''}"
            "The axis ends where few draws lie outside; their share is written there.",
        )
    return sheet.figure


def _year(row: pd.Series) -> str:
    return f" in year {int(row['year'])}" if pd.notna(row["year"]) else ""


def _panel(sheet: Page, axes: Axes, table: pd.DataFrame, room: float) -> None:
    curve = shape(table)
    interval, median, threshold, reference = layers(table, ["interval", "median", "threshold", "reference"])
    colours, peak = sheet.palette, float(curve["y"].max())
    filled(axes, curve, colours.bands[0], colours.main)
    axes.set_xlim(*reach(curve))
    axes.set_ylim(-0.34 * peak, 1.3 * peak)
    bars(sheet, axes, interval, float(median["x"].iloc[0]), -0.12 * peak)
    _threshold(sheet, axes, threshold, peak)
    _numbers(axes, table)
    for row in reference.itertuples():
        axes.plot([row.x, row.x], [-0.2 * peak, 1.0 * peak], color=colours.accent, linestyle=(0, (4, 2)), linewidth=0.9)
        axes.text(
            float(row.x),
            1.03 * peak,
            f"press sum\n{compact(float(row.x))}",
            fontsize=SMALL,
            color=colours.accent,
            ha="right",
            va="bottom",
        )
    for layer, x, side in (("beneath", 0.02, "left"), ("beyond", 0.98, "right")):
        share = float(table.loc[table["layer"] == layer, "y"].sum())
        text = f"{chance(share)} beyond →" if side == "right" else f"← {chance(share)} below"
        if share > 0:
            axes.text(
                x, 0.02, text, transform=axes.transAxes, fontsize=SMALL, color=colours.muted, ha=side, va="bottom"
            )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    counted = bool((curve["layer"] == "bar").any())
    axes.set_ylabel("Probability" if counted else "Probability density", labelpad=3)
    counts(axes.xaxis, whole=counted)
    words = f"{str(table['quantity'].iloc[0]).replace('_', ' ').capitalize()}{_year(table.iloc[0])}"
    title = axis_title(words, str(table["unit"].iloc[0]))
    axes.set_xlabel(title if room >= 80 else title.replace(" (", "\n("))


def _threshold(sheet: Page, axes: Axes, threshold: pd.DataFrame, peak: float) -> None:
    low, high = axes.get_xlim()
    for row in threshold.itertuples():
        x = float(row.x)
        if not low <= x <= high:
            continue
        axes.plot([x, x], [0, 1.12 * peak], color=sheet.palette.ink, linestyle=(0, (1, 1.5)), linewidth=0.9)
        side = "left" if x < (low + high) / 2 else "right"
        axes.text(x, 1.15 * peak, f"P(> {compact(x)}) {equals(float(row.y))}", fontsize=NORMAL, va="bottom", ha=side)


def _numbers(axes: Axes, table: pd.DataFrame) -> None:
    """Median and widest interval in words: inside where a right-skewed density leaves room, above elsewhere."""
    curve = shape(table)
    wide = table[table["layer"] == "interval"].sort_values("prob").iloc[-1]
    median = table[table["layer"] == "median"].iloc[0]
    nothing = float(table.loc[table["layer"] == "nonpositive", "y"].iloc[0])
    lines = [
        f"median {number(median, 'x', 'mcse')}",
        f"{wide['prob']:.0%} interval {number(wide, 'lower', 'mcse_lower')} to {number(wide, 'upper', 'mcse_upper')}",
        f"P(≤ 0) {equals(nothing)}",
    ]
    low, high = axes.get_xlim()
    if float(curve["x"].iloc[int(curve["y"].to_numpy().argmax())]) < low + 0.3 * (high - low):
        axes.text(0.4, 0.7, "\n".join(lines), transform=axes.transAxes, fontsize=SMALL, va="top", linespacing=1.5)
    else:
        axes.set_title(f"{lines[0]}, {lines[1]}\n{lines[2]}", fontsize=SMALL, weight="normal", loc="left", pad=6)
