"""``fan``: an outcome over the years, nested bands and the median, a panel for each scenario."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Futures, futures_from
from bayes.figures.canvas import NARROW, NORMAL, SMALL, TALLEST, Page
from bayes.figures.marks import LINE, bands, naive, words_at, wrapped
from bayes.figures.record import Figure
from bayes.figures.scales import axis_title, broken, counts, fitted, times
from bayes.figures.series import (
    MOST,
    between_scenarios,
    by_scenario,
    exact,
    naive_words,
    of_scenarios,
    over_scenarios,
    reference,
    when,
    year_of,
)
from bayes.figures.tabulation import Rows, draws_of, intervals, precision
from bayes.words import capital, words_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]

LEAST = 22.0
"""Height in mm of a panel at the least; where that does not fit on a page, more stand side by side."""


@checked
def fan_table(futures: Futures, *, quantity: str | None = None, scenarios: Sequence[str] | None = None) -> pd.DataFrame:
    """Tabulate one quantity over the years, in the scenarios named, or in at most :data:`MOST`.

    Returns
    -------
    DataFrame
        By scenario and year: ``interval`` (lower, upper, prob), ``median`` (x the value) and ``reference``; ``words``
        say "a year" of what is measured per time, and of no stock.
    """
    rows: Rows = []
    futures = futures_from(futures)
    name = over_scenarios(futures, quantity)
    last = year_of(futures, None)
    for array, same in by_scenario(futures, name, scenarios, futures["year"].values.tolist()):
        found = intervals(draws_of(array))
        if same["year"] == last:  # of which the caption speaks
            found = exact(found, precision(array))
        rows += [{**row, **same} for row in [*found, *reference(futures, same)]]
    words, found = words_of(futures), of_scenarios(rows, futures)
    return found.assign(words=found["words"] + (f" a {words.time}" if words.added(name) else ""))


def _across(table: pd.DataFrame, width: float) -> int:
    count, across = int(table["scenario"].nunique()), 2 if width < NARROW else 3
    while LEAST * -(-count // across) > TALLEST - 8:
        across += 1
    return min(count, across)


def _title(label: object, table: pd.DataFrame, width: float) -> str:
    """The name of a scenario, no wider than its panel."""
    return wrapped(str(label), int((width - 10) / _across(table, width) / 2.0))


def _height(table: pd.DataFrame, width: float) -> float:
    down = -(-int(table["scenario"].nunique()) // _across(table, width))
    lines = max(_title(label, table, width).count("\n") for label in table["label"].unique())
    return 8 + min(38.0 + LINE * lines, (TALLEST - 8) / down) * down


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    names, across = list(dict.fromkeys(table["scenario"])), _across(table, sheet.width)
    own = {name: table[table["scenario"] == name] for name in names}
    clearest = max((name for name in names if _varies(own[name])), key=lambda name: _room(own[name]), default="")
    panels: list[Axes] = [*np.ravel(sheet.figure.subplots(-(-len(names) // across), across, squeeze=False))]
    for i, axes in enumerate(panels):
        axes.set_visible(i < len(names))
    for i, name in enumerate(names):
        _panel(sheet, panels[i], own[name], bottom=i + across >= len(names))
        if name == clearest and len(names) <= MOST:
            _name_bands(panels[i], own[name])
    if len(names) <= MOST:
        _name_reference(sheet, panels, [own[name] for name in names])
    first = table.iloc[0]
    title = broken(axis_title(str(first["words"]), str(first["unit"])))
    title = "\n".join(fitted(sheet, line, sheet.height - 10) for line in title.split("\n"))
    sheet.figure.supylabel(title, fontsize=NORMAL, multialignment="center")


def _says(table: pd.DataFrame) -> str:
    dashed = naive_words(table, "; dashed: {} (leaving the panel where it is far larger)")
    last = table[table["year"] == table["year"].max()]
    return (
        f"{table['words'].iloc[0]}, by scenario:{when(last.iloc[0])} {between_scenarios(last)}. "
        f"Bands: intervals from wide to narrow; line: the median{dashed}. "
        "Each panel has its own vertical scale."
    )


def _panel(sheet: Page, axes: Axes, table: pd.DataFrame, bottom: bool) -> None:
    years, naive_rows = sorted(set(table["year"])), table[table["layer"] == "reference"]
    named = dict(zip(table["year"], table["time_label"], strict=True)) if "time_label" in table else {}
    if len(years) == 1:  # one time is drawn as wide as a panel
        table = _widened(table)
        naive_rows = table[table["layer"] == "reference"]
    bands(sheet, axes, table, "year")
    axes.set_xlim(float(table["year"].min()), float(table["year"].max()))
    low, high = min(0.0, float(table["lower"].min())), float(table["upper"].max())
    top = float(naive_rows["x"].max()) if len(naive_rows) else 0.0
    upper = 1.04 * max(high, top) if top <= 2 * high else 1.12 * high
    axes.set_ylim(low, upper if upper > low else 1.0)  # where all is 0
    naive(sheet, axes, naive_rows["year"], naive_rows["x"])
    if low < 0:
        axes.axhline(0, color=sheet.palette.muted, linewidth=0.4)
    label = _title(table["label"].iloc[0], sheet.figure.table, sheet.width)
    axes.set_title(label, fontsize=SMALL if sheet.narrow else NORMAL)
    counts(axes.yaxis, 4 if sheet.figure.table["scenario"].nunique() <= MOST else 1)
    times(axes.xaxis)
    if any(named.values()) and len(years) > 1:
        ends = (years[0], years[-1])
        axes.set_xticks(ends, [wrapped(str(named[year]), 12) for year in ends])
        first, last = axes.get_xticklabels()
        first.set_horizontalalignment("left")
        last.set_horizontalalignment("right")
    if len(years) == 1:
        axes.set_xticks(years if table["time"].iloc[0] else [])
    if bottom:
        axes.set_xlabel(capital(str(table["time"].iloc[0])) if "time" in table else "Year")


def _widened(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a single time at both ends of a panel."""
    import pandas as pd

    return pd.concat([table.assign(year=table["year"] + half) for half in (-0.5, 0.5)])


def _spots(table: pd.DataFrame) -> list[tuple[float, float]]:
    """Probability and height of the name of each band at the last year."""
    last = table[table["year"] == table["year"].max()]
    inner = float(last.loc[last["layer"] == "median", "x"].iloc[0])
    spots = []
    for row in last[last["layer"] == "interval"].sort_values("prob").itertuples():
        spots.append((float(row.prob), (inner + float(row.upper)) / 2))
        inner = float(row.upper)
    return spots


def _varies(table: pd.DataFrame) -> bool:
    """Whether the bands have a height at the last year."""
    last = table[table["year"] == table["year"].max()]
    return bool(last["upper"].max() > last["lower"].min())


def _room(table: pd.DataFrame) -> float:
    """Distance from the names of the bands to the reference at the last year, relative to the height of the panel."""
    at = table[(table["layer"] == "reference") & (table["year"] == table["year"].max())]["x"]
    high = float(table["upper"].max()) or 1.0
    return min((abs(y - float(at.iloc[0])) / high for _, y in _spots(table)), default=0.0) if len(at) else 0.0


def _name_bands(axes: Axes, table: pd.DataFrame) -> None:
    """Name the bands inside, at the last year."""
    for prob, y in _spots(table):
        axes.text(axes.get_xlim()[1] - 0.15, y, f"{prob:.0%}", fontsize=SMALL, ha="right", va="center")


def _name_reference(sheet: Page, panels: Sequence[Axes], tables: Sequence[pd.DataFrame]) -> None:
    """Name the naive sum below its line, in the panel that has most room between it and the bands."""
    found = []
    for axes, table in zip(panels, tables, strict=False):
        rows = table[table["layer"] == "reference"]
        if len(rows) and float(rows["x"].iloc[-1]) <= axes.get_ylim()[1]:
            last, height = rows.iloc[-1], np.diff(axes.get_ylim())[0]
            found.append((float(last["x"] - table["upper"].max()) / height, axes, last))
    if not found:
        return
    room, axes, last = max(found, key=lambda one: one[0])
    if room > 0.15:
        at = (axes.get_xlim()[1], float(last["x"]))
        words_at(axes, at, str(last["naive"]), (-3, -3), align=("right", "top"), colour=sheet.palette.accent)


FIGURE = Figure(
    name="fan",
    title="One outcome over the years, in every scenario.",
    needs=("futures",),
    columns=("layer", "scenario", "label", "quantity", "words", "unit", "year", "x", "lower", "upper", "prob", "kind"),
    table=fan_table,
    draw=_draw,
    says=_says,
    height=_height,
)
