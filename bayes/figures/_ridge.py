"""``ridge``: scenarios side by side, one density each on a common axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Futures, futures_from
from bayes.figures.canvas import NARROW, NORMAL, SMALL, TALLEST, Page
from bayes.figures.marks import LINE, above, bars, beside, circle, filled, placed, reach, shape, wrapped
from bayes.figures.palette import lettering
from bayes.figures.record import Figure
from bayes.figures.scales import axis_title, cell, counts, fitted, linear, logarithmic
from bayes.figures.series import (
    MOST,
    between_scenarios,
    by_scenario,
    exact,
    naive_words,
    of_scenarios,
    over_scenarios,
    reference,
    told,
    year_of,  # fmt: skip
)
from bayes.figures.tabulation import (
    KIND,
    Rows,
    density,
    draws_of,
    intervals,
    log_density,
    outline,
    precision,
    whole,
    whole_ends,  # fmt: skip
)
from bayes.numbers import ABOVE_ZERO, chance
from bayes.summaries import interval
from bayes.words import capital

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]


@checked
def ridge_table(
    futures: Futures, *, quantity: str | None = None, year: int | None = None, scenarios: Sequence[str] | None = None
) -> pd.DataFrame:
    """Tabulate one quantity of each scenario: those named, or at most :data:`MOST`.

    The axis is logarithmic where it can show the quantity: unless in some scenario more than a tenth of the draws lie
    below zero, or nothing lies above it.

    Returns
    -------
    DataFrame
        By scenario, with ``axis`` (``log`` or ``linear``): ``density`` (x, y per unit, or per factor of ten and of
        draws above zero; of whole numbers ``bar``, with ``width``), ``interval``, ``median``, ``reference`` and
        ``nonpositive`` (y, the probability of zero or less, which a logarithmic axis cannot show).
    """
    rows: Rows = []
    futures = futures_from(futures)
    name = over_scenarios(futures, quantity)
    series = [(array, draws_of(array), same)
              for array, same in by_scenario(futures, name, scenarios, [year_of(futures, year)])]  # fmt: skip
    drawn = [values for _, values, _ in series]
    log = any((values > 0).any() for values in drawn) and all((values < 0).mean() <= 0.1 for values in drawn)
    for array, values, same in series:
        found: Rows = [*exact(intervals(values, (0.5, 0.95)), precision(array)),
                       {"layer": "nonpositive", "x": 0.0, "y": float((values <= 0).mean())}]  # fmt: skip
        shown = values[values > 0] if log else values
        if len(shown) > 1 and (log or np.ptp(shown) > 0):
            low, high = whole_ends(*interval(shown, 0.99, KIND), values)
            found += outline(values, low, high, log_density if log else density, whole(values))
        rows += [{**row, **same, "axis": "log" if log else "linear"} for row in [*found, *reference(futures, same)]]
    return of_scenarios(rows, futures)


def _wrapped(label: str, width: float, table: pd.DataFrame) -> list[str]:
    narrow = 12 if table["scenario"].nunique() <= MOST else 18
    return wrapped(label, narrow if width < NARROW else 24).split("\n")


def _each(table: pd.DataFrame, width: float) -> float:
    """Height of a row in mm: less where there are many, and enough for the lines of a name."""
    lines = max(len(_wrapped(str(label), width, table)) for label in set(table["label"]))
    return max(min(11.0, (TALLEST - 20) / int(table["scenario"].nunique())), 1.12 * LINE * lines + 1.0)


def _title(sheet: Page, table: pd.DataFrame) -> str:
    note = "" if linear(table) else "log scale"
    return fitted(sheet, axis_title(told(table), str(table["unit"].iloc[0]), note), 0.6 * sheet.width)


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes = _axes(sheet, table)
    names = list(dict.fromkeys(table["scenario"]))
    _scale(sheet, axes, table)
    axes.set_ylim(-len(names) + 0.62, 0.72)
    for i, name in enumerate(names):
        rows = table[table["scenario"] == name]
        _row(sheet, axes, rows, -float(i), float(shape(rows if linear(table) else table)["y"].max()))
    _titles(sheet, axes, table)


def _scale(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    """Scale the horizontal axis, which is linear with zero on it, or logarithmic."""
    reference = table[table["layer"] == "reference"]["x"]
    if not linear(table):
        ends = [*reach(shape(table)), *reference[reference > 0]]
        axes.set_xlim(min(ends) * 0.8, max(ends) * 1.25)
        logarithmic(axes, "x", ticks=4 if sheet.narrow else 7)
        return
    bars = table[table["layer"] == "interval"]
    ends = [0.0, *reference, *bars["lower"], *bars["upper"], *(reach(shape(table)) if len(shape(table)) else ())]
    room = 0.03 * (max(ends) - min(ends)) or 1.0
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.axvline(0, color=sheet.palette.muted, linewidth=0.4)
    counts(axes.xaxis, 4 if sheet.narrow else 7)


def _says(table: pd.DataFrame) -> str:
    scale = (
        f"Density per unit, each row scaled to its own height; bars: intervals with the median. The last column gives "
        f"the {ABOVE_ZERO}."
        if linear(table)
        else "Density per factor of ten, scaled alike in all rows; bars: intervals with the median. The axis is "
        f"logarithmic, so that draws at or below zero cannot be shown: the last column gives the {ABOVE_ZERO}, and a "
        "bar that reaches zero ends in an arrow."
    )
    return f"{told(table)}, by scenario: {between_scenarios(table)}. {scale}{naive_words(table, ' Diamonds: {}.')}"


def _axes(sheet: Page, table: pd.DataFrame) -> Axes:
    """Place the axes between the labels on the left and the numbers on the right."""
    names = (_wrapped(str(label), sheet.width, table) for label in set(table["label"]))
    left = 3 + max(sheet.text_mm(line, NORMAL) for name in names for line in name)
    right, below = 37.0 if sheet.narrow else 46.0, 6.8 + 3.2 * (_title(sheet, table).count("\n") + 1)
    return placed(sheet, left, right, below, 6.0)


def _row(sheet: Page, axes: Axes, table: pd.DataFrame, base: float, peak: float) -> None:
    colours = sheet.palette
    curve = shape(table)
    axes.axhline(base, color=colours.rule, linewidth=0.4, zorder=0)
    if len(curve):
        filled(axes, curve.assign(y=0.6 * curve["y"] / peak), colours.bands[1], colours.main, base, thick=0.8)
    intervals, median = table[table["layer"] == "interval"], float(table.loc[table["layer"] == "median", "x"].iloc[0])
    at, edge = base - 0.13, axes.get_xlim()[0]
    bars(sheet, axes, intervals.assign(lower=intervals["lower"].clip(lower=edge)), median, at)
    if (intervals["lower"] <= edge).any():
        axes.plot([edge], [at], marker="<", markersize=3, color=colours.main, markeredgewidth=0, clip_on=False,
                  zorder=6)  # fmt: skip
    for row in table[table["layer"] == "reference"].itertuples():
        circle(axes, (row.x, at), colours.accent, face=colours.accent, marker="D", size=2.4, gid="reference")
    _texts(sheet, axes, table, base)


def _texts(sheet: Page, axes: Axes, table: pd.DataFrame, base: float) -> None:
    """Label on the left; median, interval and the probability above zero in columns on the right."""
    wide = table[table["layer"] == "interval"].sort_values("prob").iloc[-1]
    middle = cell(table[table["layer"] == "median"].iloc[0], "x", "mcse")
    positive = chance(1 - float(table.loc[table["layer"] == "nonpositive", "y"].iloc[0]))
    between = f"{cell(wide, 'lower', 'mcse_lower')} to {cell(wide, 'upper', 'mcse_upper')}"
    at = base + 0.08
    beside(
        sheet,
        axes,
        -1.5,
        at,
        "\n".join(_wrapped(str(table["label"].iloc[0]), sheet.width, sheet.figure.table)),
        "right",
        NORMAL,
    )
    columns = ((20.0, f"{middle}\n{between}"), (36.0, positive))
    for x, text in columns if sheet.narrow else ((9.0, middle), (30.0, between), (45.0, positive)):
        beside(sheet, axes, x, at, text, "right", SMALL if sheet.narrow else NORMAL)


def _titles(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    axes.set_xlabel(_title(sheet, table))
    prob, top = float(table["prob"].max()), above(sheet, axes, 1.1 if len(set(table["scenario"])) <= MOST else 2.0)
    chances = capital(ABOVE_ZERO).replace(" ", "\n", 1)
    heads: tuple[tuple[float, str], ...] = ((20.0, f"Median\n({prob:.0%})"), (36.0, chances))
    for x, text in heads if sheet.narrow else ((9.0, "Median"), (30.0, f"{prob:.0%} interval"), (45.0, chances)):
        beside(sheet, axes, x, top, text, "right", SMALL)
    for name in table.loc[table["layer"] == "reference", "naive" if "naive" in table else "label"].head(1):
        beside(sheet, axes, -0.01, top, f"◆ {name}", "left", SMALL)
        axes.texts[-1].set_color(lettering(sheet.palette.accent))


FIGURE = Figure(
    name="ridge",
    title="One outcome in every scenario, on one axis.",
    needs=("futures",),
    columns=("layer", "scenario", "label", "quantity", "words", "unit", "year", "x", "y", "lower", "upper", "prob",
             "kind", "axis"),
    table=ridge_table,
    draw=_draw,
    says=_says,
    height=lambda table, width: 20 + _each(table, width) * table["scenario"].nunique(),
    layout=None,
)  # fmt: skip
