"""Do the rows agree: the funnel of trials, and leave-one-out predictive probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import SMALL, PaperFigure, page
from bayes.figures.captions import caption
from bayes.figures.scales import ratios
from bayes.figures.tables import Data, finished

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["funnel", "loo_pit"]


@checked
def funnel(data: pd.DataFrame, *, width: str | float = "single", style: str = "journal") -> PaperFigure:
    """Draw contrasts by standard error, most precise at the top, inside the limits expected around the mean.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.funnel` makes.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.funnel(bayes.figuredata.funnel(fit, evidence)).savefig("funnel.pdf")
    """
    table = finished(data, None, ("layer", "label", "x", "se", "lower", "upper", "prob", "kind"))
    with page(table, width, style, 74) as sheet:
        axes, colours = sheet.figure.add_subplot(), sheet.palette
        rows = table[table["layer"] == "row"]
        for layer, dash in (("limit", "-"), ("limit_tau", (0, (4, 2)))):
            limit = table[table["layer"] == layer]
            for end in ("lower", "upper"):
                axes.plot(limit[end], limit["se"], color=colours.muted, linewidth=0.7, linestyle=dash, gid=layer)
        mean = float(table.loc[table["layer"] == "mean", "x"].iloc[0])
        axes.axvline(mean, color=colours.accent, linewidth=0.9)
        axes.axvline(1.0, color=colours.rule, linewidth=0.6, zorder=0)
        axes.plot(rows["x"], rows["se"], "o", color=colours.main, markersize=3.6, gid="row", zorder=4)
        reach = float(np.exp(1.15 * np.abs(np.log(table[["x", "lower", "upper"]].stack())).max()))
        ratios(axes, max(1 / reach, 0.02), min(reach, 10.0), (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10))
        for row in rows.itertuples():
            left = row.x < mean
            axes.annotate(
                str(row.label),
                (row.x, row.se),
                xytext=(-4 if left else 4, 0),
                textcoords="offset points",
                fontsize=SMALL,
                ha="right" if left else "left",
                va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},  # curves stop short of the words
            )
        axes.set_ylim(1.08 * float(rows["se"].max()), 0.0)
        axes.set_xlabel("Rate ratio as published (log scale)")
        axes.set_ylabel("Standard error of the log ratio")
        sheet.figure.caption = caption(
            table.assign(prob=np.nan),
            "Funnel of the contrasts between arms, as published.",
            "Orange line: posterior median of the mean over settings. Curves: where 95 % of contrasts without bias "
            "would lie, from sampling error alone (solid) and with the spread between settings (dashed).",
        )
    return sheet.figure


@checked
def loo_pit(data: Data, *, width: str | float = "single", style: str = "journal") -> PaperFigure:
    """Draw leave-one-out predictive probabilities as a distribution function less the uniform.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.loo_pit` makes, or any fit it takes.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> import pandas as pd
    >>> conflict = pd.DataFrame({"source": ["a", "b"], "p_below": [0.2, 0.7], "p_at_most": [0.2, 0.7]})
    >>> bayes.figures.loo_pit(bayes.figuredata.loo_pit(conflict)).savefig("loo_pit.pdf")
    """
    table = finished(data, figuredata.loo_pit, ("layer", "row", "x", "y", "lower", "upper", "prob", "kind"))
    with page(table, width, style, 66) as sheet:
        axes, colours = sheet.figure.add_subplot(), sheet.palette
        rows, band = table[table["layer"] == "row"], table[table["layer"] == "band"]
        axes.fill_between(band["x"], band["lower"], band["upper"], color=colours.bands[0], linewidth=0, gid="band")
        axes.axhline(0.0, color=colours.muted, linewidth=0.6)
        axes.plot(rows["x"], rows["y"], color=colours.main, linewidth=1.0, marker="o", markersize=2.6, gid="row")
        axes.set_xlim(0.0, 1.0)
        reach = 1.15 * max(float(band["upper"].max()), float(rows["y"].abs().max()))
        axes.set_ylim(-reach, reach)
        axes.set_xlabel("Leave-one-out predictive probability (LOO-PIT)")
        axes.set_ylabel("Distribution function less the uniform")
        sheet.figure.caption = caption(
            table.assign(prob=np.nan),
            "Leave-one-out predictive probabilities of the rows of evidence.",
            f"Each of the {len(rows)} dots is a row predicted from all the others; a curve near zero means that "
            "predictions are calibrated. The band holds the whole curve of as many independent uniform numbers with "
            "probability 95 %.",
        )
    return sheet.figure
