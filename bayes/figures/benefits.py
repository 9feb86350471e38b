"""Places against benefit, with the limit that demand sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes.arguments import checked
from bayes.figures.canvas import SMALL, Page, PaperFigure, page
from bayes.figures.captions import caption
from bayes.figures.marks import bands
from bayes.figures.scales import counts, logarithmic, unit_text
from bayes.figures.tables import finished
from bayes.numbers import compact

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["places", "returns"]

COLUMNS = ("layer", "places", "x", "lower", "upper", "prob", "kind", "unit")
DECADES = 4.0


@checked
def places(data: pd.DataFrame, *, width: str | float = "single", style: str = "journal") -> PaperFigure:
    """Draw what a number of places avoids in a year, with and without demand as the limit.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.places` makes.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.places(bayes.figuredata.places(fit, study)).savefig("places.pdf")
    """
    table = finished(data, None, COLUMNS)
    with page(table, width, style, 74) as sheet:
        axes = sheet.figure.add_subplot()
        _curves(sheet, axes, table)
        _demand(sheet, axes, table)
        unit = unit_text(str(table["unit"].iloc[0]))
        axes.set_xlabel("Treatment places (log scale)")
        axes.set_ylabel(f"Avoided a year at full scale\n({unit}, log scale)")
        sheet.figure.caption = caption(
            table,
            "Places against benefit, all places built, compared with present patients.",
            "Bands and solid line: intervals and median with demand as the limit; dotted: median if every place were "
            "filled; dashed: the press arithmetic, "
            "places × offences × reduction. Along the bottom: the places that demand fills (median and intervals). "
            "Both axes are logarithmic; bands that "
            "reach zero or less are cut at the bottom.",
        )
    return sheet.figure


@checked
def returns(data: pd.DataFrame, *, width: str | float = "single", style: str = "journal") -> PaperFigure:
    """Draw what each place avoids in a year as the programme grows: the table of places, divided by the places.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.places` makes.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.returns(bayes.figuredata.places(fit, study)).savefig("returns.pdf")
    """
    table = finished(data, None, COLUMNS)
    each = table[table["layer"] != "demand"].copy()
    each[["x", "lower", "upper"]] = each[["x", "lower", "upper"]].div(each["places"], axis=0)
    with page(each, width, style, 74) as sheet:
        axes, colours = sheet.figure.add_subplot(), sheet.palette
        bands(sheet, axes, each, "places")
        for layer, colour, dash in (
            ("unlimited", colours.main, (0, (1, 1.2))), ("reference", colours.accent, (0, (4, 2))),
        ):  # fmt: skip
            part = each[each["layer"] == layer]
            axes.plot(part["places"], part["x"], color=colour, linestyle=dash, linewidth=1.0, gid=layer)
        axes.set_xlim(float(each["places"].min()), float(each["places"].max()))
        high = float(each.loc[each["layer"] == "interval", "upper"].max())
        axes.set_ylim(min(0.0, float(each["lower"].min())), 1.04 * max(high, float(each["x"].max())))
        logarithmic(axes, "x")
        counts(axes.yaxis)
        axes.set_xlabel("Treatment places (log scale)")
        axes.set_ylabel(f"Avoided a year for each place\n({unit_text(str(table['unit'].iloc[0]))})")
        sheet.figure.caption = caption(
            each,
            "Diminishing returns: what each place avoids a year, by the size of the programme.",
            "Bands and solid line: intervals and median with demand as the limit; dotted: median if every place were "
            "filled; dashed: the press arithmetic, which does not diminish. Small programmes add little to the "
            "present patients, who are subtracted.",
        )
    return sheet.figure


def _curves(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    colours = sheet.palette
    intervals, middle = table[table["layer"] == "interval"], table[table["layer"] == "median"]
    top = max(float(intervals["upper"].max()), float(table.loc[table["layer"] == "unlimited", "x"].max())) * 1.6
    floor = top / 10**DECADES
    for prob, colour in zip(sorted(set(intervals["prob"]), reverse=True), colours.bands, strict=False):
        part = intervals[intervals["prob"] == prob]
        axes.fill_between(
            part["places"],
            part["lower"].clip(lower=floor),
            part["upper"].clip(lower=floor),
            color=colour,
            linewidth=0,
            gid=f"band {prob:g}",
        )
    above = middle[middle["x"] > floor]
    axes.plot(above["places"], above["x"], color=colours.main, linewidth=1.3, gid="median")
    for layer, colour, dash in (("unlimited", colours.main, (0, (1, 1.2))), ("reference", colours.accent, (0, (4, 2)))):
        part = table[(table["layer"] == layer) & (table["x"] > floor)]
        axes.plot(part["places"], part["x"], color=colour, linestyle=dash, linewidth=1.0, gid=layer)
    axes.set_xlim(float(middle["places"].min()), float(middle["places"].max()))
    axes.set_ylim(floor, top)
    logarithmic(axes, "x")
    logarithmic(axes, "y")
    _names(sheet, axes, table, middle)


def _names(sheet: Page, axes: Axes, table: pd.DataFrame, middle: pd.DataFrame) -> None:
    """Name the lines where they are apart."""
    colours = sheet.palette
    press = table[table["layer"] == "reference"].iloc[len(middle) * 2 // 5]
    axes.annotate(
        "press sum",
        (press["places"], press["x"]),
        xytext=(-3, 3),
        textcoords="offset points",
        color=colours.accent,
        fontsize=SMALL,
        ha="right",
        va="bottom",
    )
    free = table[table["layer"] == "unlimited"].iloc[-1]
    axes.annotate(
        "if all filled",
        (free["places"], free["x"]),
        xytext=(-2, 4),
        textcoords="offset points",
        color=colours.main,
        fontsize=SMALL,
        ha="right",
        va="bottom",
    )
    last = middle.iloc[-1]
    axes.annotate(
        "limited by demand",
        (last["places"], last["x"]),
        xytext=(-2, -3),
        textcoords="offset points",
        color=colours.ink,
        fontsize=SMALL,
        ha="right",
        va="top",
    )


def _demand(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    """Places that demand fills, as bars along the bottom with a line up from the median."""
    rows = table[table["layer"] == "demand"]
    low, high = axes.get_xlim()
    y = axes.get_ylim()[0] * 1.45
    for row, thick in zip(
        rows.dropna(subset=["prob"]).sort_values("prob", ascending=False).itertuples(), (0.9, 2.0, 3.6), strict=False
    ):
        axes.plot(
            [max(row.lower, low), min(row.upper, high)],
            [y, y],
            color=sheet.palette.muted,
            linewidth=thick,
            solid_capstyle="butt",
            gid="demand",
        )
    median = float(rows["x"].dropna().iloc[0])
    axes.plot(
        [median],
        [y],
        marker="o",
        markersize=3.6,
        color="white",
        markeredgecolor=sheet.palette.ink,
        markeredgewidth=0.9,
        zorder=5,
    )
    axes.axvline(median, color=sheet.palette.muted, linewidth=0.5, linestyle=(0, (1, 2)))
    axes.annotate(
        f"demand fills {compact(median)} places",
        (high, y),
        xytext=(-2, 4),
        textcoords="offset points",
        fontsize=SMALL,
        color=sheet.palette.muted,
        ha="right",
        va="bottom",
    )
