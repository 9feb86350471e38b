"""A distribution as a hundred dots, each as likely as the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import MM, NARROW, SMALL, Page, PaperFigure, layers, page, width_mm
from bayes.figures.captions import caption
from bayes.figures.marks import bars, filled, reach, shape
from bayes.figures.scales import axis_title, counts, equals
from bayes.figures.tables import Data, finished
from bayes.numbers import compact

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


__all__ = ["dots"]

COLUMNS = ("layer", "quantity", "unit", "label", "year", "x", "y", "at", "step", "lower", "upper", "prob", "kind")
TALL = 43.0
BELOW, ABOVE, SIDE, GAP = 10.0, 2.0, 3.0, 7.0


@checked
def dots(data: Data, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw quantile dots inside the density, above the intervals, a panel for each unit.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.dots` makes, or a projection.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.dots(futures).savefig("dots.pdf")
    """
    table = finished(data, figuredata.dots, COLUMNS)
    names = list(dict.fromkeys(table["quantity"]))
    across = 1 if width_mm(width) < NARROW else len(names)
    down = -(-len(names) // across)
    with page(table, width, style, TALL * down, layout=None) as sheet:
        for i, name in enumerate(names):
            _panel(sheet, table[table["quantity"] == name], i % across, i // across, across, down)
        first = table.iloc[0]
        total = int((table["layer"] == "dot").sum() + table.loc[table["layer"].isin(["beneath", "beyond"]), "y"].sum())
        said = f" of what the scenario “{first['label']}” avoids" if first["label"] else ""
        when = f" in year {int(first['year'])}" if first["year"] == first["year"] else ""
        pressed = bool((table["layer"] == "reference").any())
        dashed = "Dashed: the press arithmetic, places × offences × reduction." if pressed else ""
        sheet.figure.caption = caption(
            table,
            f"Posterior{said}{when}, as {total // len(names)} equally likely dots a panel.",
            f"Dots at or below zero are orange; behind them the density, below them intervals from wide to narrow "
            f"with the median. Numbers at the ends count dots outside the panel. {dashed}",
        )
    return sheet.figure


def _panel(sheet: Page, table: pd.DataFrame, column: int, row: int, across: int, down: int) -> None:
    wide = (sheet.width - (across + 1) * SIDE - (across - 1) * GAP) / across
    high = TALL - BELOW - ABOVE
    left, bottom = SIDE + column * (wide + SIDE + GAP), TALL * (down - 1 - row) + BELOW
    axes = sheet.figure.add_axes((left / sheet.width, bottom / sheet.height, wide / sheet.width, high / sheet.height))
    dot, interval, median = layers(table, ["dot", "interval", "median"])
    curve = shape(table)
    step = float(table["step"].iloc[0])
    low, top = reach(curve)
    each = wide * step / (top - low)  # diameter of a dot in mm, so that a stack has its true height
    rows = max(high / each, 1.25 * float(dot["y"].max() + 0.5))
    size = min(each, high / rows) * 0.92
    axes.set_xlim(low, top)
    axes.set_ylim(-0.2 * rows, 0.8 * rows)
    filled(axes, curve, sheet.palette.bands[0])
    for part, colour in ((dot["x"] > 0, sheet.palette.main), (dot["x"] <= 0, sheet.palette.accent)):
        axes.scatter(
            dot["at"][part],
            dot["y"][part],
            s=(size * MM * 72) ** 2,
            color=colour,
            linewidths=0,
            gid="dot",
            clip_on=False,
        )
    bars(
        sheet,
        axes,
        interval.assign(lower=interval["lower"].clip(lower=low), upper=interval["upper"].clip(upper=top)),
        float(median["x"].iloc[0]),
        -0.09 * rows,
    )
    _words(sheet, axes, table, rows)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    counts(axes.xaxis, whole=bool((curve["layer"] == "bar").any()))
    axes.set_xlabel(_title(table))


def _title(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    when = f" in year {int(first['year'])}" if first["year"] == first["year"] else ""
    return axis_title(f"{str(first['quantity']).replace('_', ' ').capitalize()}{when}", str(first["unit"]))


def _words(sheet: Page, axes: Axes, table: pd.DataFrame, rows: float) -> None:
    """What lies beyond the axis, and the press arithmetic."""
    for layer, x, align, text in (("beneath", 0.0, "left", "← {} below"), ("beyond", 1.0, "right", "{} beyond →")):
        outside = int(table.loc[table["layer"] == layer, "y"].sum())
        if outside:
            axes.text(
                x,
                0.0,
                text.format(outside),
                transform=axes.transAxes,
                fontsize=SMALL,
                color=sheet.palette.muted,
                ha=align,
                va="bottom",
            )
    for row in table[table["layer"] == "reference"].itertuples():
        low, high = axes.get_xlim()
        if low <= row.x <= high:
            axes.plot(
                [row.x, row.x], [0, 0.62 * rows], color=sheet.palette.accent, linestyle=(0, (4, 2)), linewidth=0.9
            )
            axes.text(
                row.x,
                0.64 * rows,
                f"press sum {compact(float(row.x))}\nP(more) {equals(float(row.y))}",
                fontsize=SMALL,
                color=sheet.palette.accent,
                ha="right",
                va="bottom",
            )
