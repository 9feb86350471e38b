"""How concentrated offending is, and what reaching the heaviest offenders first gains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import NARROW, SMALL, Page, PaperFigure, page, width_mm
from bayes.figures.captions import caption
from bayes.figures.marks import bands, letter
from bayes.figures.scales import percent
from bayes.figures.tables import Data, finished

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


__all__ = ["concentration"]

COLUMNS = ("layer", "panel", "share", "x", "lower", "upper", "prob", "kind", "part")


@checked
def concentration(data: Data, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw the Lorenz curve, heaviest first, and the targeting gain.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.concentration` makes, or the fit of the joint model.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.concentration(fit).savefig("concentration.pdf")
    """
    table = finished(data, figuredata.concentration, COLUMNS)
    narrow = width_mm(width) < NARROW
    with page(table, width, style, 112 if narrow else 64) as sheet:
        panels = sheet.figure.subplots(2, 1) if narrow else sheet.figure.subplots(1, 2)
        for axes, name, mark in zip(panels, ("lorenz", "gain"), "ab", strict=True):
            _panel(sheet, axes, table[table["panel"] == name], name)
            letter(axes, mark)
        sheet.figure.caption = caption(
            table,
            "Concentration of offending between people, and the gain from targeting.",
            "a: share of all offences committed by the most active people (dashed: everyone alike); dot: the most "
            "active tenth. "
            "b: offences avoided per person served, relative to serving people at random (1 when everyone is served). "
            "Bands: intervals from wide to "
            "narrow; line: the median.",
        )
    return sheet.figure


def _panel(sheet: Page, axes: Axes, table: pd.DataFrame, name: str) -> None:
    bands(sheet, axes, table, "share")
    percent(axes.xaxis)
    axes.set_xlim(0, 1)
    if name == "lorenz":
        axes.plot([0, 1], [0, 1], color=sheet.palette.muted, linewidth=0.7, linestyle=(0, (4, 2)))
        axes.set_ylim(0, 1)
        percent(axes.yaxis)
        axes.set_xlabel("Most active people (% of people)")
        axes.set_ylabel("Their offences (% of all)")
    else:
        axes.axhline(1, color=sheet.palette.muted, linewidth=0.7, linestyle=(0, (4, 2)))
        axes.set_ylim(0, 1.08 * float(table["upper"].max()))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.set_xlabel("Share of the eligible pool served (%)")
        axes.set_ylabel("Gain per person served (ratio)")
    _mark(sheet, axes, table, name)


def _mark(sheet: Page, axes: Axes, table: pd.DataFrame, name: str) -> None:
    """State the value at one tenth of the people."""
    marks = table[table["layer"] == "mark"]
    middle = marks[marks["part"] == "median"].iloc[0]
    wide = marks[marks["part"] == "interval"].sort_values("prob").iloc[-1]
    axes.plot(
        [middle["share"]],
        [middle["x"]],
        marker="o",
        markersize=3.6,
        color="white",
        markeredgecolor=sheet.palette.ink,
        markeredgewidth=0.9,
        zorder=5,
    )
    if name == "lorenz":
        between = f"{wide['prob']:.0%} interval {wide['lower']:.0%} to {wide['upper']:.0%}"
        text = f"top {middle['share']:.0%}: {middle['x']:.0%}\n({between})"
        axes.annotate(text, (0.98, 0.06), xycoords="axes fraction", fontsize=SMALL, ha="right", va="bottom")
    else:
        between = f"{wide['prob']:.0%} interval {wide['lower']:.1f} to {wide['upper']:.1f}"
        text = f"at {middle['share']:.0%} served: {middle['x']:.1f}\n({between})"
        axes.annotate(text, (0.98, 0.94), xycoords="axes fraction", fontsize=SMALL, ha="right", va="top")
