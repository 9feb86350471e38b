"""``returns``: what each place avoids in a year as the programme grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes.figures.canvas import Page
from bayes.figures.marks import DOTTED, bands, naive, words_at
from bayes.figures.record import Figure
from bayes.figures.scales import cell, counts, logarithmic
from bayes.heroin.figures._places import COLUMNS, places_table
from bayes.heroin.figures._places import FIGURE as PLACES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIGURE"]


def _ready(table: pd.DataFrame) -> pd.DataFrame:
    """The table of places, divided by the places."""
    each = table[table["layer"] != "demand"].copy()
    numbers = [name for name in ("x", "lower", "upper", "mcse", "mcse_lower", "mcse_upper") if name in each]
    each[numbers] = each[numbers].div(each["places"], axis=0)
    return each


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes = sheet.figure.add_subplot()
    bands(sheet, axes, table, "places")
    free, press = (table[table["layer"] == layer] for layer in ("unlimited", "reference"))
    axes.plot(free["places"], free["x"], color=sheet.palette.main, linestyle=DOTTED, linewidth=1.0, gid="unlimited")
    naive(sheet, axes, press["places"], press["x"])
    axes.set_xlim(float(table["places"].min()), float(table["places"].max()))
    high = float(table.loc[table["layer"] == "interval", "upper"].max())
    axes.set_ylim(min(0.0, float(table["lower"].min())), 1.04 * max(high, float(table["x"].max())))
    logarithmic(axes, "x")
    counts(axes.yaxis)
    middle = table[table["layer"] == "median"]
    for row, text, align, shift, colour in (
        (press.iloc[-1], "press sum", "right", (-2, 3), sheet.palette.accent),
        (free.iloc[-1], "if all filled", "right", (-2, 11), sheet.palette.main),
        (middle.loc[middle["x"].idxmax()], "limited by demand", "center", (10, -19), sheet.palette.ink),
    ):
        words_at(axes, (row["places"], row["x"]), text, shift, align=(align, "bottom"), colour=colour)
    axes.set_xlabel("Treatment places (log scale)")
    axes.set_ylabel(f"Avoided a year for each place\n({table['unit'].iloc[0]})")


def _says(table: pd.DataFrame) -> str:
    middle = table[table["layer"] == "median"]
    best, last = middle.loc[middle["x"].idxmax()], middle.iloc[-1]
    return (
        f"The median of what each place avoids a year is highest, {cell(best, 'x', 'mcse')}, where there are "
        f"{cell(best, 'places')} places; where there are {cell(last, 'places')} it is "
        f"{cell(last, 'x', 'mcse')}. Bands and solid line: "
        "intervals and median with demand as the limit; dotted: median if every place were filled; dashed: the "
        "press sum, which does not diminish. Small programmes add little to the present patients, who are "
        "subtracted."
    )


FIGURE = Figure(
    name="returns",
    title="What each place avoids in a year as the programme grows: the table of places, divided by the places.",
    needs=("fit", "study"),
    columns=COLUMNS,
    table=places_table,
    of_run=PLACES.of_run,
    ready=_ready,
    draw=_draw,
    says=_says,
    height=lambda table, width: 74.0,
    width="single",
)
