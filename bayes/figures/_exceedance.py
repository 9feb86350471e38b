"""``exceedance``: the probability of more than any number, by scenario."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Futures, futures_from
from bayes.errors import UsageError
from bayes.figures.canvas import NARROW, SMALL, Page
from bayes.figures.record import Figure
from bayes.figures.scales import axis_title, broken, logarithmic, percent
from bayes.figures.series import by_scenario, of_scenarios, over_scenarios, when, year_of
from bayes.figures.tabulation import KIND, Rows, draws_of
from bayes.summaries import interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.lines import Line2D

__all__ = ["FIGURE"]

INSIDE = 3
"""Curves whose names have room beside them."""
GRID_POINTS = 200


@checked
def exceedance_table(
    futures: Futures, *, quantity: str | None = None, year: int | None = None, scenarios: Sequence[str] | None = None
) -> pd.DataFrame:
    """Tabulate P(quantity > x), x a geometric grid, in the scenarios named, or in at most :data:`MOST`.

    Returns
    -------
    DataFrame
        By scenario: ``curve`` (x, and y the probability of more).
    """
    futures = futures_from(futures)
    name = over_scenarios(futures, quantity)
    found = [(draws_of(array), same) for array, same in by_scenario(futures, name, scenarios, [year_of(futures, year)])]
    positive = np.concatenate([v[v > 0] for v, _ in found])
    if not positive.size:
        raise UsageError(f"no draw of {name!r} is above zero: there is nothing to exceed", key="quantity", found=name)
    low, high = interval(positive, 0.998, KIND)
    low = max(low, high / 1e6)
    grid = np.geomspace(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)), GRID_POINTS)
    rows: Rows = []
    for values, same in found:
        above = 1 - np.searchsorted(np.sort(values), grid, side="right") / len(values)
        rows += [{"layer": "curve", **same, "x": float(x), "y": float(y)} for x, y in zip(grid, above, strict=True)]
    return of_scenarios(rows, futures)


def _height(table: pd.DataFrame, width: float) -> float:
    names = table["scenario"].nunique()
    return 66.0 + (0 if names <= INSIDE else 6 + 4 * -(-names // (2 if width < NARROW else 4)))


def _words(table: pd.DataFrame) -> str:
    return f"{table['words'].iloc[0]}{when(table.iloc[0])}"


def _says(table: pd.DataFrame) -> str:
    words = _words(table)
    return (
        f"Probability that {words[:1].lower()}{words[1:]} exceed any number, by scenario. Curves start below 100 % "
        "by the probability of zero or less. The axis is logarithmic."
    )


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes, curves = sheet.figure.add_subplot(), table[table["layer"] == "curve"]
    names = sorted(set(curves["scenario"]), key=lambda n: float(curves.loc[curves["scenario"] == n, "y"].sum()))
    lines: list[Line2D] = []
    order = list(dict.fromkeys(curves["scenario"]))  # a scenario has one colour and dash in every figure
    for name in names:
        part = curves[curves["scenario"] == name]
        lines += axes.plot(part["x"], part["y"], gid=name, **sheet.palette.line(order.index(name)))
    varies = curves.groupby("x")["y"].max()
    axes.set_xlim(float(curves["x"].min()), float(varies[varies > 0.004].index.max()))
    axes.set_ylim(0, 1)
    logarithmic(axes, "x", ticks=7 if sheet.narrow else 9)
    percent(axes.yaxis)
    axes.grid(axis="y", color=sheet.palette.rule, linewidth=0.4)
    axes.set_axisbelow(True)
    inside = len(names) <= INSIDE
    place = {"loc": "lower left"} if inside else {"loc": "upper center", "bbox_to_anchor": (0.45, -0.24)}
    labels = [str(curves.loc[curves["scenario"] == name, "label"].iloc[0]) for name in names]
    legend = axes.legend(lines, labels, ncols=1 if inside else 2 if sheet.narrow else 4, handlelength=2.6,
                         fontsize=SMALL, labelspacing=0.35, borderaxespad=0.3, **place)  # fmt: skip
    legend.set_zorder(10)
    title = axis_title(_words(table), str(table["unit"].iloc[0]), "log scale")
    axes.set_xlabel(broken(title) if sheet.narrow else title)
    axes.set_ylabel("Probability of more")


FIGURE = Figure(name="exceedance", title="The probability that an outcome exceeds any number, by scenario.",
                needs=("futures",),
                columns=("layer", "scenario", "label", "quantity", "words", "unit", "year", "x", "y"),
                table=exceedance_table, draw=_draw, says=_says, height=_height, width="single")  # fmt: skip
