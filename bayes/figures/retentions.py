"""The share still in treatment over time, with the follow-up counts."""

from __future__ import annotations

from matplotlib.ticker import MultipleLocator

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import SMALL, PaperFigure, page
from bayes.figures.captions import caption
from bayes.figures.marks import bands
from bayes.figures.scales import percent
from bayes.figures.tables import Data, finished

__all__ = ["retention"]

COLUMNS = ("layer", "year", "x", "lower", "upper", "prob", "kind", "row", "count", "of")


@checked
def retention(data: Data, *, width: str | float = "single", style: str = "journal") -> PaperFigure:
    """Draw the retention curve with bands and the observed shares.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.retention` makes, or the fit of the joint model.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.retention(fit).savefig("retention.pdf")
    """
    table = finished(data, figuredata.retention, COLUMNS)
    with page(table, width, style, 60) as sheet:
        axes = sheet.figure.add_subplot()
        bands(sheet, axes, table, "year")
        seen = table[table["layer"] == "observed"]
        for row in seen.itertuples():
            axes.plot(
                [row.year],
                [row.x],
                marker="o",
                markersize=3.2,
                color="white",
                markeredgecolor=sheet.palette.ink,
                markeredgewidth=0.9,
                zorder=5,
                gid="observed",
            )
            side = (
                1
                if (seen["year"] == row.year).sum() == 1 or row.x >= seen.loc[seen["year"] == row.year, "x"].max()
                else -1
            )
            name = str(row.row).replace("_", " ")
            axes.annotate(
                f"{name}: {row.count:,.0f} of {row.of:,.0f}",
                (float(row.year), float(row.x)),
                xytext=(4, 5 * side),
                textcoords="offset points",
                fontsize=SMALL,
                ha="left",
                va="bottom" if side > 0 else "top",
            )
        axes.set_xlim(0, float(table["year"].max()))
        axes.set_ylim(0, 1)
        percent(axes.yaxis)
        axes.xaxis.set_major_locator(MultipleLocator(0.5))
        axes.set_xlabel("Time since entry (years)")
        axes.set_ylabel("Still in treatment (% of entrants)")
        sheet.figure.caption = caption(
            table,
            "Retention in treatment.",
            "Bands: intervals of the Weibull survival curve from wide to narrow; line: the median; circles: published "
            "counts, "
            "which inform the curve by their numbers.",
        )
    return sheet.figure
