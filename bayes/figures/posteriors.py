"""The distribution of an outcome: density, intervals, threshold probability and reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes import figuredata
from bayes.figures.canvas import NARROW, NORMAL, SMALL, Page, PaperFigure, layers, page, width_mm
from bayes.figures.captions import caption
from bayes.figures.marks import bars
from bayes.figures.scales import axis_title, counts, number, probability
from bayes.figures.tables import finished
from bayes.summaries import compact

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bayes.figures.tables import Data

__all__ = ["posterior"]

COLUMNS = ("layer", "quantity", "unit", "label", "year", "x", "y", "lower", "upper", "prob", "kind")


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
    >>> bayes.figures.posterior(futures, width="single").savefig("posterior.pdf")    # doctest: +SKIP
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
        sheet.figure.caption = caption(
            table,
            f"Posterior of what the scenario '{first['label']}' avoids in year {first['year']}.",
            "Bars: intervals from wide to narrow, with the median. Dotted: a threshold and the probability of "
            "exceeding it. "
            "Dashed: the press arithmetic, places × offences × reduction. The axis ends where few draws lie beyond; "
            "their share is written there.",
        )
    return sheet.figure


def _panel(sheet: Page, axes: Axes, table: pd.DataFrame, room: float) -> None:
    curve, interval, median, threshold, beyond, reference = layers(
        table, ["density", "interval", "median", "threshold", "beyond", "reference"]
    )
    colours, peak = sheet.palette, float(curve["y"].max())
    axes.fill_between(curve["x"], curve["y"], color=colours.bands[0], linewidth=0)
    axes.plot(curve["x"], curve["y"], color=colours.main)
    axes.set_xlim(float(curve["x"].min()), float(curve["x"].max()))
    axes.set_ylim(-0.34 * peak, 1.3 * peak)
    bars(sheet, axes, interval, float(median["x"].iloc[0]), -0.12 * peak)
    _threshold(sheet, axes, threshold, peak)
    _numbers(sheet, axes, table, peak)
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
    share = float(beyond["y"].iloc[0])
    if share > 0:
        axes.annotate(
            f"{probability(share)} beyond →",
            (0.98, 0.02),
            xycoords="axes fraction",
            fontsize=SMALL,
            color=colours.muted,
            ha="right",
            va="bottom",
        )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("Probability density", labelpad=3)
    counts(axes.xaxis)
    words = f"{str(table['quantity'].iloc[0]).replace('_', ' ').capitalize()} in year {table['year'].iloc[0]}"
    title = axis_title(words, str(table["unit"].iloc[0]))
    axes.set_xlabel(title if room >= 80 else title.replace(" (", "\n("))


def _threshold(sheet: Page, axes: Axes, threshold: pd.DataFrame, peak: float) -> None:
    for row in threshold.itertuples():
        axes.plot([row.x, row.x], [0, 1.12 * peak], color=sheet.palette.ink, linestyle=(0, (1, 1.5)), linewidth=0.9)
        axes.text(
            float(row.x),
            1.15 * peak,
            f"P(> {compact(float(row.x))}) = {probability(float(row.y))}",
            fontsize=NORMAL,
            va="bottom",
            ha="left",
        )


def _numbers(sheet: Page, axes: Axes, table: pd.DataFrame, peak: float) -> None:
    """Median and widest interval in words, where a right-skewed density leaves room."""
    wide = table[table["layer"] == "interval"].sort_values("prob").iloc[-1]
    median = table[table["layer"] == "median"].iloc[0]
    nothing = float(table.loc[table["layer"] == "nonpositive", "y"].iloc[0])
    lines = [
        f"median {number(median, 'x', 'mcse')}",
        f"{wide['prob']:.0%} interval {number(wide, 'lower', 'mcse_lower')} to {number(wide, 'upper', 'mcse_upper')}",
        f"P(≤ 0) = {probability(nothing)}",
    ]
    axes.text(0.4, 0.7, "\n".join(lines), transform=axes.transAxes, fontsize=SMALL, va="top", linespacing=1.5)
