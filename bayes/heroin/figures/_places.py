"""``places``: places against benefit, with the limit that demand sets."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit, fit_from
from bayes.errors import UsageError
from bayes.figures.canvas import Page
from bayes.figures.marks import DOTTED, bands, circle, naive, segment, words_at
from bayes.figures.record import Figure
from bayes.figures.scales import cell, logarithmic
from bayes.figures.series import exact
from bayes.figures.tabulation import PROBS, Floats, Rows, draws_of, group, intervals, precision, stamped
from bayes.heroin.projection import project
from bayes.heroin.scenarios import Scenario
from bayes.heroin.words import WORDS
from bayes.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from xarray import DataArray, DataTree

__all__ = ["COLUMNS", "FIGURE", "places_table"]

COLUMNS = ("layer", "places", "x", "lower", "upper", "prob", "kind", "unit")
DECADES = 4.0


@checked
def places_table(fit: Fit, study: Study, *, points: int = 25, most: float = 100_000.0) -> pd.DataFrame:
    """Tabulate offences avoided in a year against places, all built, with and without the limit of demand.

    Parameters
    ----------
    fit, study
        The fit and the study it was made from; nothing is fitted again.
    points, most
        Size of the geometric grid of places, from 300 up to ``most``.

    Returns
    -------
    DataFrame
        By ``places``: ``interval`` and ``median`` with demand as the limit, ``unlimited`` (median without it),
        ``reference`` (press arithmetic); and ``demand``: median (x) and intervals of the places that demand fills.
    """
    if points < 5 or most <= 1000:
        raise UsageError("the grid of places is too small", key="points", found=(points, most),
                         allowed="5 or more points, most above 1,000")  # fmt: skip
    fit = fit_from(fit)
    grid = np.geomspace(300.0, most, points)
    rows: Rows = []
    for capped in (True, False):
        for n, array in zip(grid, _avoided(fit, study, grid, capped), strict=True):
            found = intervals(draws_of(array))
            if not capped:
                found = [{**row, "layer": "unlimited"} for row in found if row["layer"] == "median"]
            rows += [{**row, "places": float(n)} for row in found]
    press = grid * study.settings.press_offences * study.settings.press_reduction
    rows += [{"layer": "reference", "places": float(n), "x": float(p)} for n, p in zip(grid, press, strict=True)]
    post = group(fit, "posterior")
    share = post["coverage_new"]
    if "demand_beyond_pool" not in post:
        share = share.clip(max=post["eligible_share"])
    demand = share * post["opioid_clients"] / post["occupancy"]
    found = exact(intervals(draws_of(demand), PROBS), precision(demand))
    rows += [{**row, "layer": "demand", "places": row.get("x", np.nan)} for row in found]
    first = ("places", "x", "lower", "upper", "prob", "kind", "unit")
    return stamped([{**row, "unit": WORDS.printed("offences")} for row in rows], fit, first)


def _avoided(fit: DataTree, study: Study, grid: Floats, capped: bool) -> list[DataArray]:
    """Offences avoided in a year by number of places, against present patients, built at once."""
    made = {f"n{i}": Scenario(f"n{i}", "", places=float(n), demand_cap=capped) for i, n in enumerate(grid)}
    asked = replace(study, scenarios=MappingProxyType(made), settings=replace(study.settings, horizon_years=1))
    futures = project(fit, asked)
    return [futures["offences_avoided"].sel(scenario=name, year=1) for name in made]


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes, colours = sheet.figure.add_subplot(), sheet.palette
    intervals, middle = table[table["layer"] == "interval"], table[table["layer"] == "median"]
    free, press = (table[table["layer"] == layer] for layer in ("unlimited", "reference"))
    top = max(float(intervals["upper"].max()), float(free["x"].max())) * 1.6
    floor = top / 10**DECADES
    bands(sheet, axes, table, "places", floor)
    shown = free[free["x"] > floor]
    axes.plot(shown["places"], shown["x"], color=colours.main, linestyle=DOTTED, linewidth=1.0, gid="unlimited")
    naive(sheet, axes, press.loc[press["x"] > floor, "places"], press.loc[press["x"] > floor, "x"])
    axes.set_xlim(float(middle["places"].min()), float(middle["places"].max()))
    axes.set_ylim(floor, top)
    logarithmic(axes, "x")
    logarithmic(axes, "y")
    for row, text, shift, va, colour in (
        (press.iloc[len(middle) * 2 // 5], "press sum", (-3, 3), "bottom", colours.accent),
        (free.iloc[-1], "if all filled", (-2, 4), "bottom", colours.main),
        (middle.iloc[-1], "limited by demand", (-2, -3), "top", colours.ink),
    ):
        words_at(axes, (row["places"], row["x"]), text, shift, align=("right", va), colour=colour)
    _demand(sheet, axes, table)
    axes.set_xlabel("Treatment places (log scale)")
    axes.set_ylabel(f"Avoided a year at full scale\n({table['unit'].iloc[0]}, log scale)")


def _says(table: pd.DataFrame) -> str:
    return (
        f"Beyond {_filled(table)} places more places avoid little more: demand fills no more (median). Places against "
        "benefit, all places built, compared with present patients. Bands and solid line: "
        "intervals and median with demand as the limit; dotted: median if every place were filled; dashed: the "
        "press sum. Along the bottom: the places that demand fills (median and intervals). Both axes are "
        f"logarithmic; bands that reach zero or less are cut at the bottom. {WORDS.sentences['reference']}"
    )


def _filled(table: pd.DataFrame) -> str:
    """The median of the places that demand fills, with the digits its error supports."""
    return cell(table[(table["layer"] == "demand") & table["x"].notna()].iloc[0], "x", "mcse")


def _demand(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    """Places that demand fills, as bars along the bottom with a line up from the median."""
    rows, colours = table[table["layer"] == "demand"], sheet.palette
    low, high = axes.get_xlim()
    y = axes.get_ylim()[0] * 1.45
    ordered = rows.dropna(subset=["prob"]).sort_values("prob", ascending=False)
    for row, thick in zip(ordered.itertuples(), (0.9, 2.0, 3.6), strict=False):
        segment(axes, max(row.lower, low), min(row.upper, high), y, colours.muted, thick, "demand")
    median = float(rows["x"].dropna().iloc[0])
    circle(axes, (median, y), colours.ink)
    axes.axvline(median, color=colours.muted, linewidth=0.5, linestyle=(0, (1, 2)))
    words_at(axes, (high, y), f"demand fills {_filled(table)} places", (-2, 4), align=("right", "bottom"),
             colour=colours.muted)  # fmt: skip


FIGURE = Figure(name="places",
                title="What a number of places avoids in a year, with and without demand as the limit.",
                needs=("fit", "study"), columns=COLUMNS, table=places_table,
                of_run=lambda run: run.once("places", lambda: places_table(run.fit, run.study)), draw=_draw,
                says=_says, height=lambda table, width: 74.0, width="single")  # fmt: skip
