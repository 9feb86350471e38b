"""``budget``: how the interval of the answer changes as one uncertainty after the other is let in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import check_columns, checked
from bayes.figures.canvas import Page
from bayes.figures.marks import circle, named, segment, tall, words_at
from bayes.figures.record import Figure
from bayes.figures.scales import axis_title, counts, far_apart, fitted, logarithmic
from bayes.numbers import number, signed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]


@checked
def budget_table(steps: pd.DataFrame) -> pd.DataFrame:
    """Name the steps of an uncertainty budget for its figure.

    Parameters
    ----------
    steps
        What :func:`bayes.sensitivity.budget` returns: ``step`` (a number), ``adds``, ``median, lower, upper, unit,
        prob, kind``.

    Returns
    -------
    DataFrame
        ``step`` in words, ``lower, estimate, upper, unit, prob, kind``, and ``draws``, ``verdict`` and Monte Carlo
        errors of the ends if there.
    """
    check_columns(steps, ("step", "adds", "median", "lower", "upper", "unit", "prob", "kind"))
    table = steps.sort_values("step").rename(columns={"median": "estimate"}).reset_index(drop=True)
    table["step"] = [text if i == 0 else f"+ {text}" for i, text in enumerate(table["adds"].astype(str))]
    keep = [c for c in ("draws", "verdict", "mcse_lower", "mcse_upper") if c in table]
    return table[["step", "lower", "estimate", "upper", "unit", "prob", "kind", *keep]]


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes, log = sheet.figure.add_subplot(), far_apart(table)
    previous: Any = None
    for i, row in enumerate(table.itertuples()):
        _step(sheet, axes, row, previous, -float(i))
        previous = row
    _columns(sheet, axes, table)
    named(axes, [str(v).replace("_", " ") for v in table["step"]])
    low, high = float(table["lower"].min()), float(table["upper"].max())
    if log:
        axes.set_xlim(low * 0.9, high * 1.1)
        logarithmic(axes, "x")
    else:
        axes.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low or 1.0))
        counts(axes.xaxis)
    title = axis_title("Answer", str(table["unit"].iloc[0]) if "unit" in table else "", "log scale" if log else "")
    axes.set_xlabel(fitted(sheet, title, 0.4 * sheet.width))


def _says(table: pd.DataFrame) -> str:
    order = ", ".join(str(step).removeprefix("+ ").replace("_", " ") for step in table["step"])
    return (
        f"{_message(table)} The budget of uncertainty: from top to bottom one source of uncertainty after the other is "
        "let in, in "
        f"this order: {order}. Bar: the interval with this source and all above it free; thin line over it: the "
        "interval of the row above. Numbers: the interval, its width and, in brackets, what the row adds to the "
        "width of the row above; circles: medians. A row may be narrower than the one above it: what it lets in "
        "explains some of the spread there, or brings information. The order is chosen: in another one "
        "each source would change the interval by another amount, and only the last row would be the same."
    )


def _message(table: pd.DataFrame) -> str:
    """Which source widens the interval most, and from what to what it grows in all."""
    if len(table) < 2:
        return "One source of uncertainty."
    (first, *_, last), wide = [_width(row) for row in table.itertuples()], (table["upper"] - table["lower"]).to_numpy()
    added = np.diff(wide)
    if not added.max() > 0:
        return f"No source after the first widens the interval, which is {number(*last)} wide with all."
    most = str(table["step"].iloc[1 + int(added.argmax())]).removeprefix("+ ").replace("_", " ")
    return f"The interval grows from a width of {number(*first)} to {number(*last)}, most with {most}."


def _width(row: Any) -> tuple[float, float]:
    """Width of an interval and its Monte Carlo error."""
    return row.upper - row.lower, math.hypot(*(float(getattr(row, f"mcse_{end}", 0.0)) for end in ("lower", "upper")))


def _columns(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    """The ends of each interval, and beside them its width with what the row adds to it: widths can be added up."""
    ends: list[str] = []
    widths: list[str] = []
    before = math.nan
    for row in table.itertuples():
        wide, error = _width(row)
        low, high = (number(getattr(row, end), getattr(row, f"mcse_{end}", 0.0)) for end in ("lower", "upper"))
        ends.append(f"{low} to {high}")
        grown = signed(wide - before, error).replace("+0†", "±0").replace("−0†", "±0")
        widths.append(number(wide, error) + ("" if math.isnan(before) else f" ({grown})"))
        before = wide
    columns = [(4.0, "interval", ends)]
    if not sheet.narrow:
        columns.append((12 + 72 / 25.4 * max(map(sheet.text_mm, ends)), "width (change)", widths))
    for shift, head, texts in columns:
        for y, text in zip([0.62, *(-i for i in range(len(texts)))], [head, *texts], strict=True):
            words_at(axes, (1.0, y), text, (shift, 0), align=("left", "center_baseline"),
                     coords=axes.get_yaxis_transform())  # fmt: skip


def _step(sheet: Page, axes: Axes, row: Any, previous: Any, y: float) -> None:
    colours = sheet.palette
    if row.upper > row.lower:
        axes.barh(y, row.upper - row.lower, left=row.lower, height=0.5, color=colours.bands[1], gid="interval")
    if previous is not None and previous.upper > previous.lower:
        ends, above = [previous.lower, previous.upper], y + 0.38
        segment(axes, previous.lower, previous.upper, above, colours.ink, 0.9, "before")
        axes.plot(ends, [above, above], color=colours.ink, linestyle="", marker="|", markersize=3.5, gid="before ends")
    circle(axes, (row.estimate, y), colours.ink, size=3.4, gid="estimate")


FIGURE = Figure(name="budget",
                title="How the interval of the answer changes as one uncertainty after the other is let in.",
                needs=(("budget",),), columns=("step", "lower", "estimate", "upper"), table=budget_table,
                draw=_draw, says=_says, height=lambda table, width: 18 + tall(table["step"], width))  # fmt: skip
