"""``posterior``: the distribution of an outcome: density, intervals, threshold probability and reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit
from bayes.errors import UsageError
from bayes.figures.canvas import NARROW, NORMAL, SMALL, Page, layers
from bayes.figures.marks import DOTTED, LINE, bare, bars, filled, naive, reach, shape, words_at
from bayes.figures.record import Figure
from bayes.figures.scales import axis_title, cell, counts, fitted
from bayes.figures.series import PANELS, exact, naive_words, opened, reaches, reference, series, shown, subject, told
from bayes.figures.tabulation import (
    KIND,
    Floats,
    Rows,
    draws_of,
    intervals,
    outline,
    precision,
    skewed_density,
    stamped,  # fmt: skip
    whole,
    whole_ends,
)
from bayes.numbers import ABOVE_ZERO, chance, number
from bayes.summaries import interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]


@checked
def posterior_table(
    data: Fit, *, quantities: Sequence[str] | None = None, scenario: str | None = None, year: int | None = None,
    thresholds: Sequence[float] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Tabulate the distribution of one scenario in one year: density, intervals, exceeded threshold.

    Parameters
    ----------
    data
        A projection; or any fit or dataset whose quantities have dims ``chain, draw`` and perhaps ``scenario`` and
        ``year``.
    quantities
        One panel each; by default those the projection says it is about, or the first :data:`PANELS` scalars.
    scenario, year
        The headline scenario, or the middle one that is no stress test, and the last year, unless named.
    thresholds
        One for each quantity; the power of ten below its median unless given (zero for a median below zero).

    Returns
    -------
    DataFrame
        Layers ``density`` (x, y per unit; of whole numbers ``bar``, with ``width``), ``interval``, ``median``,
        ``threshold`` (x, and y the probability of more), ``reference`` (the naive sum beside the target),
        ``nonpositive``, ``beneath`` and ``beyond`` (y, the probability outside the axis).

    Raises
    ------
    UsageError
        If a quantity, scenario or year does not exist, listing those that do.
    """
    source, stamp_of = opened(data)
    quantities = shown(source, quantities, PANELS)
    if thresholds is not None and len(thresholds) != len(quantities):
        raise UsageError("one threshold for each quantity", key="thresholds", found=list(thresholds),
                         allowed=f"{len(quantities)}")  # fmt: skip
    rows: Rows = []
    for i, quantity in enumerate(quantities):
        array, same = series(source, quantity, scenario, year)
        values = draws_of(array)
        limit = _power_below(values) if thresholds is None else float(thresholds[i])
        found = _rows(values, limit, reference(source, same))
        rows += [{**row, **same} for row in exact(found, precision(array))]
    return stamped(rows, stamp_of, ("quantity", "words", "unit", "scenario", "label", "time", "year"))


def _power_below(values: Floats) -> float:
    centre = float(np.median(values))
    return 10.0 ** math.floor(math.log10(centre)) if centre > 0 else 0.0


def _rows(values: Floats, threshold: float, naive_sum: Rows) -> Rows:
    low, high = interval(values, 0.97, KIND)
    left = 0.0 if 0 < low < 0.3 * high else low
    right = threshold + 0.05 * (high - left) if high < threshold <= 2 * high else high
    right = max([right, *(row["x"] * 1.08 for row in naive_sum if reaches(row["x"], right))])
    left, right = whole_ends(left, right, values)
    return [
        *outline(values, left, right, skewed_density, whole(values)),
        *intervals(values),
        {"layer": "threshold", "x": threshold, "y": float((values > threshold).mean())},
        {"layer": "nonpositive", "x": 0.0, "y": float((values <= 0).mean())},
        {"layer": "beneath", "x": left, "y": float((values < left).mean())},
        {"layer": "beyond", "x": right, "y": float((values > right).mean())},
        *({**row, "y": float((values > row["x"]).mean())} for row in naive_sum),
    ]


def _height(table: pd.DataFrame, width: float) -> float:
    titles = [axis_title(told(part), str(part["unit"].iloc[0])) for _, part in table.groupby("quantity")]
    lines = max(0, *(len(title) // 58 - 1 for title in titles))  # two lines always have room
    return 6 + (50.0 + LINE * lines) * (table["quantity"].nunique() if width < NARROW else 1)


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    quantities = list(dict.fromkeys(table["quantity"]))
    across = 1 if sheet.narrow else len(quantities)
    panels = np.ravel(sheet.figure.subplots(-(-len(quantities) // across), across, squeeze=False))
    for axes, quantity in zip(panels, quantities, strict=True):
        _panel(sheet, axes, table[table["quantity"] == quantity], sheet.width / across)


def _says(table: pd.DataFrame) -> str:
    first = table[table["quantity"] == table["quantity"].iloc[0]]
    return (
        f"{told(first)}: {', '.join(_words(first))}. Posterior of {subject(table)}. Bars: intervals from wide to "
        "narrow, with the median. Dotted: a "
        f"threshold and the probability of exceeding it. {naive_words(table, 'Dashed: {}. ')}The axis ends where "
        "few draws lie outside; their share is written there."
    )


def _panel(sheet: Page, axes: Axes, table: pd.DataFrame, room: float) -> None:
    curve = shape(table)
    interval_rows, median, threshold, naive_rows = layers(table, ["interval", "median", "threshold", "reference"])
    colours, peak = sheet.palette, float(curve["y"].max())
    filled(axes, curve, colours.bands[0], colours.main)
    axes.set_xlim(*reach(curve))
    axes.set_ylim(-0.34 * peak, 1.3 * peak)
    bars(sheet, axes, interval_rows, float(median["x"].iloc[0]), -0.12 * peak)
    _threshold(sheet, axes, threshold, peak)
    _numbers(axes, table)
    for row in naive_rows.itertuples():
        naive(sheet, axes, [row.x, row.x], [-0.2 * peak, 1.0 * peak])
        text = f"{row.naive}\n{number(float(row.x))}"
        words_at(axes, (row.x, 1.03 * peak), text, align=("right", "bottom"), colour=colours.accent)
    for layer, x, side in (("beneath", 0.02, "left"), ("beyond", 0.98, "right")):
        share = float(table.loc[table["layer"] == layer, "y"].sum())
        text = f"{chance(share)} beyond →" if side == "right" else f"← {chance(share)} below"
        if share > 0:
            words_at(axes, (x, 0.02), text, align=(side, "bottom"), colour=colours.muted, coords="axes fraction")
    bare(axes)
    counted = bool((curve["layer"] == "bar").any())
    axes.set_ylabel("Probability" if counted else "Probability density", labelpad=3)
    counts(axes.xaxis, whole=counted)
    first = table.iloc[0]
    axes.set_xlabel(fitted(sheet, axis_title(told(table), str(first["unit"])), room - 12))


def _threshold(sheet: Page, axes: Axes, threshold: pd.DataFrame, peak: float) -> None:
    low, high = axes.get_xlim()
    for row in threshold.itertuples():
        x = float(row.x)
        if low <= x <= high:
            axes.plot([x, x], [0, 1.12 * peak], color=sheet.palette.ink, linestyle=DOTTED, linewidth=0.9)
            side = "left" if x < (low + high) / 2 else "right"
            text = f"probability above {number(x) if x else 'zero'}: {chance(float(row.y))}"
            axes.text(x, 1.15 * peak, text, fontsize=NORMAL, va="bottom", ha=side)


def _words(table: pd.DataFrame) -> list[str]:
    """Median, widest interval and the probability above zero of one panel."""
    wide = table[table["layer"] == "interval"].sort_values("prob").iloc[-1]
    median = table[table["layer"] == "median"].iloc[0]
    nothing = float(table.loc[table["layer"] == "nonpositive", "y"].iloc[0])
    return [f"median {cell(median, 'x', 'mcse')}",
            f"{wide['prob']:.0%} interval {cell(wide, 'lower', 'mcse_lower')} to {cell(wide, 'upper', 'mcse_upper')}",
            f"{ABOVE_ZERO} {chance(1 - nothing)}"]  # fmt: skip


def _numbers(axes: Axes, table: pd.DataFrame) -> None:
    """The numbers in words: inside where a right-skewed density leaves room, above elsewhere."""
    curve, lines = shape(table), _words(table)
    low, high = axes.get_xlim()
    if float(curve["x"].iloc[int(curve["y"].to_numpy().argmax())]) < low + 0.3 * (high - low):
        axes.text(0.4, 0.7, "\n".join(lines), transform=axes.transAxes, fontsize=SMALL, va="top", linespacing=1.5)
    else:
        axes.set_title(f"{lines[0]}, {lines[1]}\n{lines[2]}", fontsize=SMALL, weight="normal", loc="left", pad=6)


FIGURE = Figure(
    name="posterior",
    title="The distribution of an outcome in one scenario and year.",
    needs=("futures",),
    columns=("layer", "quantity", "words", "unit", "label", "year", "x", "y", "lower", "upper", "prob", "kind"),
    table=posterior_table,
    draw=_draw,
    says=_says,
    height=_height,
)
