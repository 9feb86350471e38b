"""``concentration``: how concentrated offending is, and what reaching the heaviest offenders first gains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit, fit_from
from bayes.figures.canvas import NARROW, Page
from bayes.figures.marks import DASHED, bands, circle, letter, words_at
from bayes.figures.record import Figure
from bayes.figures.scales import counts, percent
from bayes.figures.tabulation import PROBS, Rows, available, draws_of, group, intervals, stamped
from bayes.heroin.outcomes import targeting_gain, top_share
from bayes.numbers import per_cent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]


@checked
def concentration_table(fit: Fit) -> pd.DataFrame:
    """Tabulate the Lorenz curve of offending, heaviest offenders first, and the gain from reaching them first.

    Returns
    -------
    DataFrame
        ``panel`` lorenz (share of offences committed by the most active share f) and gain (offences avoided per person
        served, relative to no targeting); ``share`` is f; ``interval`` and ``median``; layer ``mark`` repeats the row
        at one tenth of the people.
    """
    fit = fit_from(fit)
    post = group(fit, "posterior")
    available(post, ("shape_year",))
    shape = draws_of(post["shape_year"])
    strength = draws_of(post["targeting_strength"]) if "targeting_strength" in post else np.zeros_like(shape)
    rows: Rows = []
    for f in [0.0, *np.geomspace(0.01, 0.1, 9), *np.linspace(0.1, 1.0, 19)[1:]]:
        top = np.zeros_like(shape) if f == 0 else top_share(f, shape)
        rows += [{**row, "panel": "lorenz", "share": float(f), "unit": "share"} for row in intervals(top)]
        if f > 0:
            gain = targeting_gain(f, shape, strength)
            rows += [{**row, "panel": "gain", "share": float(f), "unit": "ratio"} for row in intervals(gain)]
    widest = max(PROBS)
    at = [row for row in rows if abs(row["share"] - 0.1) < 1e-9 and row.get("prob", widest) == widest]
    rows += [{**row, "layer": "mark", "part": row["layer"]} for row in at]
    return stamped(rows, fit, ("panel", "share", "x", "lower", "upper", "prob", "kind", "unit"))


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    panels = sheet.figure.subplots(*((2, 1) if sheet.narrow else (1, 2)))
    for axes, name, mark in zip(panels, ("lorenz", "gain"), "ab", strict=True):
        _panel(sheet, axes, table[table["panel"] == name], name)
        letter(axes, mark)


def _says(table: pd.DataFrame) -> str:
    at = table[(table["layer"] == "mark") & (table["panel"] == "lorenz") & (table["part"] == "median")].iloc[0]
    most = per_cent(float(at["x"]), blank="")
    return (
        f"The most active {at['share']:.0%} of people commit {most} of the offences. Concentration of offending "
        "between people, and the gain from targeting. a: share of all offences "
        "committed by the most active people (dashed: everyone alike); dot: the most active tenth. b: offences "
        "avoided per person served, relative to serving people at random (1 when everyone is served). Bands: "
        "intervals from wide to narrow; line: the median."
    )


def _panel(sheet: Page, axes: Axes, table: pd.DataFrame, name: str) -> None:
    bands(sheet, axes, table, "share")
    percent(axes.xaxis)
    axes.set_xlim(0, 1)
    if name == "lorenz":
        axes.plot([0, 1], [0, 1], color=sheet.palette.muted, linewidth=0.7, linestyle=DASHED)
        axes.set_ylim(0, 1)
        percent(axes.yaxis)
        axes.set_xlabel("Most active people (% of people)")
        axes.set_ylabel("Their offences (% of all)")
    else:
        axes.axhline(1, color=sheet.palette.muted, linewidth=0.7, linestyle=DASHED)
        axes.set_ylim(0, 1.08 * float(table["upper"].max()))
        counts(axes.yaxis)
        axes.set_xlabel("Share of the eligible pool served (%)")
        axes.set_ylabel("Gain per person served (ratio)")
    _mark(sheet, axes, table, name)


def _mark(sheet: Page, axes: Axes, table: pd.DataFrame, name: str) -> None:
    """State the value at one tenth of the people."""
    marks = table[table["layer"] == "mark"]
    middle = marks[marks["part"] == "median"].iloc[0]
    wide = marks[marks["part"] == "interval"].sort_values("prob").iloc[-1]
    circle(axes, (middle["share"], middle["x"]), sheet.palette.ink)
    low, high = (".0%", "top {:.0%}", 0.06, "bottom"), (".1f", "at {:.0%} served", 0.94, "top")
    form, first, y, va = low if name == "lorenz" else high
    between = f"{wide['prob']:.0%} interval {wide['lower']:{form}} to {wide['upper']:{form}}"
    text = f"{first.format(middle['share'])}: {middle['x']:{form}}\n({between})"
    words_at(axes, (0.98, y), text, align=("right", va), coords="axes fraction")


FIGURE = Figure(
    name="concentration",
    title="How concentrated offending is, heaviest first, and what reaching the heaviest offenders first gains.",
    needs=("fit",),
    columns=("layer", "panel", "share", "x", "lower", "upper", "prob", "kind", "part"),
    table=concentration_table,
    draw=_draw,
    says=_says,
    height=lambda table, width: 112.0 if width < NARROW else 64.0,
)
