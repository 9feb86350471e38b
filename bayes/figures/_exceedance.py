"""``exceedance``: the probability of more than any number, by scenario."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Futures, futures_from
from bayes.errors import UsageError
from bayes.figures.canvas import Page
from bayes.figures.marks import beside_mm, in_margin
from bayes.figures.record import Figure
from bayes.figures.scales import axis_title, fitted, logarithmic, percent
from bayes.figures.series import by_scenario, of_scenarios, over_scenarios, told, year_of
from bayes.figures.tabulation import KIND, Rows, draws_of
from bayes.numbers import chance, number
from bayes.summaries import interval

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIGURE"]

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


def _names(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Scenarios and their labels, the largest first."""
    total = table.groupby("scenario", sort=False)["y"].sum()
    labels = table.groupby("scenario", sort=False)["label"].first()
    return [(str(name), str(labels[name])) for name in total.sort_values(ascending=False, kind="stable").index]


def _height(table: pd.DataFrame, width: float) -> float:
    return max(66.0, beside_mm([label for _, label in _names(table)], width))


def _says(table: pd.DataFrame) -> str:
    middle = table["x"].iloc[int((table["y"] - 0.5).abs().to_numpy().argmin())]
    at = 10.0 ** round(math.log10(middle))
    found = sorted((float(np.interp(np.log(at), np.log(part["x"]), part["y"])), str(part["label"].iloc[0]))
                   for _, part in table.groupby("scenario", sort=False))  # fmt: skip
    ends = " to ".join(f"{chance(p)} ({name})" for p, name in dict.fromkeys((found[0], found[-1])))
    return (
        f"{told(table)}: more than {number(at)} with probability {ends}. Each curve gives the probability of more "
        "than any number, and is joined to its scenario's name; it starts below 100 % by the probability of zero or "
        "less. The axis is logarithmic."
    )


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes, curves = sheet.figure.add_subplot(), table[table["layer"] == "curve"]
    points, colours = [], []
    names = _names(curves)
    for i, (name, label) in enumerate(names):
        part = curves[curves["scenario"] == name]
        look = sheet.palette.line(int(part["place"].iloc[0]) if "place" in part else i)
        axes.plot(part["x"], part["y"], gid=name, **look)
        at = part[part["y"] >= 1 - (i + 0.6) / (len(names) + 0.2)].tail(1)
        at = at if len(at) else part.head(1)
        points.append((float(at["x"].iloc[0]), float(at["y"].iloc[0]), label))
        colours.append(str(look["color"]))
    varies = curves.groupby("x")["y"].max()
    axes.set_xlim(float(curves["x"].min()), float(varies[varies > 0.004].index.max()))
    axes.set_ylim(0, 1)
    logarithmic(axes, "x", ticks=5 if sheet.narrow else 9)
    percent(axes.yaxis)
    axes.grid(axis="y", color=sheet.palette.rule, linewidth=0.4)
    axes.set_axisbelow(True)
    in_margin(sheet, axes, points, colours)
    title = axis_title(told(table), str(table["unit"].iloc[0]), "log scale")
    axes.set_xlabel(fitted(sheet, title, 0.6 * sheet.width))
    axes.set_ylabel("Probability of more")


FIGURE = Figure(name="exceedance", title="The probability that an outcome exceeds any number, by scenario.",
                needs=("futures",),
                columns=("layer", "scenario", "label", "quantity", "words", "unit", "year", "x", "y"),
                table=exceedance_table, draw=_draw, says=_says, height=_height, width="single")  # fmt: skip
