"""An outcome over the years: nested bands and the median, a panel for each scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import NARROW, NORMAL, SMALL, Page, PaperFigure, page, width_mm
from bayes.figures.captions import caption
from bayes.figures.marks import bands
from bayes.figures.scales import counts, unit_text
from bayes.figures.tables import Data, finished

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


__all__ = ["fan"]

COLUMNS = ("layer", "scenario", "label", "quantity", "unit", "year", "x", "lower", "upper", "prob", "kind")


@checked
def fan(data: Data, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw an outcome over the years with 50, 80 and 95 % bands.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.fan` makes, or a projection.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.fan(futures).savefig("fan.pdf")
    """
    table = finished(data, figuredata.fan, COLUMNS)
    names = list(dict.fromkeys(table["scenario"]))
    across = min(len(names), 2 if width_mm(width) < NARROW else 3)
    down = -(-len(names) // across)
    clearest = max(names, key=lambda name: _room(table[table["scenario"] == name]))
    with page(table, width, style, 8 + 38 * down) as sheet:
        panels = np.ravel(sheet.figure.subplots(down, across, squeeze=False))
        for i, axes in enumerate(panels):
            if i < len(names):
                _panel(
                    sheet,
                    axes,
                    table[table["scenario"] == names[i]],
                    named=names[i] == clearest,
                    bottom=i + across >= len(names),
                )
            else:
                axes.set_visible(False)
        first = table.iloc[0]
        words = str(first["quantity"]).replace("_", " ").capitalize()
        unit = unit_text(str(first["unit"]))
        beside = (table["layer"] == "reference").any()
        sheet.figure.supylabel(f"{words} a year\n({unit})", fontsize=NORMAL, multialignment="center")
        sheet.figure.caption = caption(
            table,
            f"{words} a year, by scenario.",
            f"Bands: intervals from wide to narrow; line: the median{DASHED if beside else ''}. "
            "Each panel has its own vertical scale.",
        )
    return sheet.figure


DASHED = "; dashed: the press arithmetic, places × offences × reduction (leaving the panel where it is far larger)"


def _panel(sheet: Page, axes: Axes, table: pd.DataFrame, named: bool, bottom: bool) -> None:
    bands(sheet, axes, table, "year")
    years = table["year"]
    axes.set_xlim(int(years.min()), int(years.max()))
    reference = table[table["layer"] == "reference"]
    low, high = min(0.0, float(table["lower"].min())), float(table["upper"].max())
    top = float(reference["x"].max()) if len(reference) else 0.0
    axes.set_ylim(low, 1.04 * max(high, top) if top <= 2 * high else 1.12 * high)
    if len(reference):
        axes.plot(
            reference["year"],
            reference["x"],
            color=sheet.palette.accent,
            linestyle=(0, (4, 2)),
            linewidth=0.9,
            gid="reference",
        )
    if low < 0:
        axes.axhline(0, color=sheet.palette.muted, linewidth=0.4)
    axes.set_title(str(table["label"].iloc[0]), fontsize=SMALL if sheet.narrow else NORMAL)
    counts(axes.yaxis, 4)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if bottom:
        axes.set_xlabel("Year")
    if named:
        _names(sheet, axes, table)


def _spots(table: pd.DataFrame) -> list[tuple[float, float]]:
    """Probability and height of the name of each band at the last year."""
    last = table[table["year"] == table["year"].max()]
    inner = float(last.loc[last["layer"] == "median", "x"].iloc[0])
    spots = []
    for row in last[last["layer"] == "interval"].sort_values("prob").itertuples():
        spots.append((float(row.prob), (inner + float(row.upper)) / 2))
        inner = float(row.upper)
    return spots


def _room(table: pd.DataFrame) -> float:
    """Distance from the names of the bands to the reference at the last year, relative to the height of the panel."""
    at = table[(table["layer"] == "reference") & (table["year"] == table["year"].max())]["x"]
    high = float(table["upper"].max()) or 1.0
    return min((abs(y - float(at.iloc[0])) / high for _, y in _spots(table)), default=0.0) if len(at) else 0.0


def _names(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    """Name the bands inside, at the last year."""
    for prob, y in _spots(table):
        axes.text(float(table["year"].max()) - 0.15, y, f"{prob:.0%}", fontsize=SMALL, ha="right", va="center")
