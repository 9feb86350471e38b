"""Prior against posterior of each quantity."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import NARROW, SMALL, Page, PaperFigure, page, width_mm
from bayes.figures.captions import caption
from bayes.figures.marks import filled, reach, shape
from bayes.figures.scales import counts, logarithmic, number, unit_text
from bayes.figures.tables import Data, finished

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


__all__ = ["prior_posterior"]

COLUMNS = ("layer", "variable", "label", "unit", "group", "scale", "x", "y", "lower", "upper", "prob", "kind")


@checked
def prior_posterior(data: Data, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw prior and posterior density of each quantity, with the posterior's median and interval in words.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.prior_posterior` makes, or any fit with groups ``prior`` and ``posterior``.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.prior_posterior(fit).savefig("priors.pdf")
    """
    table = finished(data, figuredata.prior_posterior, COLUMNS)
    names = list(dict.fromkeys(table["variable"]))
    across = min(len(names), max(1, round(width_mm(width) / (30 if width_mm(width) < NARROW else 36))))
    down = -(-len(names) // across)
    with page(table, width, style, 4 + (20 if width_mm(width) < NARROW else 24) * down) as sheet:
        panels = np.ravel(sheet.figure.subplots(down, across, squeeze=False))
        for i, axes in enumerate(panels):
            if i < len(names):
                _panel(sheet, axes, table[table["variable"] == names[i]])
            else:
                axes.set_visible(False)
        sheet.figure.caption = caption(
            table,
            "Prior (grey, dashed) and posterior (blue) of each quantity.",
            "Each panel is scaled to the higher of its two densities and states the posterior median and interval; "
            "axes marked log are logarithmic, "
            "with density per factor of ten. Where the two coincide, no evidence speaks to the quantity.",
        )
    return sheet.figure


def _outline(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    """The dashed line of a prior's density, or the outline of its bars from edge to edge."""
    x, y = rows["x"].to_numpy(), rows["y"].to_numpy()
    if (rows["layer"] == "bar").any():
        half = rows["width"].to_numpy() / 2
        x, y = np.column_stack([x - half, x + half]).ravel(), np.repeat(y, 2)
    axes.plot(x, y, color=colour, linewidth=0.9, linestyle=(0, (4, 1.5)), gid="prior")


def _panel(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    curves = shape(table)
    counted = bool((curves["layer"] == "bar").any())
    for group, colour in (("prior", sheet.palette.prior), ("posterior", sheet.palette.main)):
        part = curves[curves["group"] == group]
        if group == "posterior":
            filled(axes, part, sheet.palette.bands[0], colour, thick=0.9, gid="posterior")
        else:
            _outline(axes, part, colour)
    axes.set_ylim(0, 1.05)
    axes.set_xlim(*reach(curves))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    log = str(table["scale"].iloc[0]) == "log"
    if log:
        logarithmic(axes, "x", ticks=4)
    else:
        counts(axes.xaxis, 3, whole=counted)
    row = table[(table["layer"] == "interval") & (table["group"] == "posterior")].iloc[0]
    median = table[(table["layer"] == "median") & (table["group"] == "posterior")].iloc[0]
    numbers = (
        f"{number(median, 'x', 'mcse')} ({number(row, 'lower', 'mcse_lower')} to {number(row, 'upper', 'mcse_upper')})"
    )
    label = "\n".join(textwrap.wrap(str(table["label"].iloc[0]).replace("_", " "), 24))
    axes.set_title(f"{label}\n{numbers}", fontsize=SMALL, weight="normal", linespacing=1.15)
    unit = ", ".join(part for part in (unit_text(str(table["unit"].iloc[0])), "log scale" if log else "") if part)
    axes.set_xlabel(unit, fontsize=SMALL, labelpad=1.5)
