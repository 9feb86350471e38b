"""The probability of avoiding more than any number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import NARROW, SMALL, Page, PaperFigure, page, width_mm
from bayes.figures.captions import caption
from bayes.figures.scales import axis_title, logarithmic, percent, unit_text
from bayes.figures.tables import Data, finished

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


__all__ = ["exceedance"]

INSIDE = 6
"""Curves whose names have room beside them."""
COLUMNS = ("layer", "scenario", "label", "quantity", "unit", "year", "x", "y")


@checked
def exceedance(data: Data, *, width: str | float = "single", style: str = "journal") -> PaperFigure:
    """Draw P(outcome > x) for every scenario on a logarithmic axis.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.exceedance` makes, or a projection.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.exceedance(futures).savefig("exceedance.pdf")
    """
    table = finished(data, figuredata.exceedance, COLUMNS)
    names = table["scenario"].nunique()
    below = 0 if names <= INSIDE else 6 + 4 * -(-names // (2 if width_mm(width) < NARROW else 4))
    with page(table, width, style, 66 + below) as sheet:
        axes = sheet.figure.add_subplot()
        _curves(sheet, axes, table)
        first = table.iloc[0]
        words = f"{str(first['quantity']).replace('_', ' ').capitalize()} in year {first['year']}"
        inside = f"{unit_text(str(first['unit']))}, log scale"
        axes.set_xlabel(f"{words}\n({inside})" if sheet.narrow else axis_title(words, inside))
        axes.set_ylabel("Probability of avoiding more")
        sheet.figure.caption = caption(
            table,
            f"Probability that {words[0].lower()}{words[1:]} exceed any number, by scenario.",
            "Curves start below 100 % by the probability of avoiding nothing or less. The axis is logarithmic.",
        )
    return sheet.figure


def _curves(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    curves = table[table["layer"] == "curve"]
    names = sorted(set(curves["scenario"]), key=lambda n: float(curves.loc[curves["scenario"] == n, "y"].sum()))
    lines: list[Line2D] = []
    labels = [str(curves.loc[curves["scenario"] == name, "label"].iloc[0]) for name in names]
    for i, name in enumerate(names):
        part = curves[curves["scenario"] == name]
        lines += axes.plot(part["x"], part["y"], gid=name, **sheet.palette.line(i))
    varies = curves.groupby("x")["y"].max()
    axes.set_xlim(float(curves["x"].min()), float(varies[varies > 0.004].index.max()))
    axes.set_ylim(0, 1)
    logarithmic(axes, "x", ticks=7 if sheet.narrow else 9)
    percent(axes.yaxis)
    axes.grid(axis="y", color=sheet.palette.rule, linewidth=0.4)
    axes.set_axisbelow(True)
    inside = len(names) <= INSIDE
    place = {"loc": "lower left"} if inside else {"loc": "upper center", "bbox_to_anchor": (0.45, -0.24)}
    columns = 1 if inside else 2 if sheet.narrow else 4
    legend = axes.legend(lines, labels, ncols=columns, handlelength=2.6, fontsize=SMALL,
                         labelspacing=0.35, borderaxespad=0.3, **place)  # fmt: skip
    legend.set_zorder(10)
