"""``left_out``: mean and spread without each row in turn, and how far each row moves the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes.figures.canvas import Page
from bayes.figures.marks import circle, in_margin, named, tall
from bayes.figures.record import Figure
from bayes.figures.scales import counts, linear, ratios
from bayes.numbers import number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]

_NAMED = 4
"""As many of the rows that move most have their names beside them."""


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    shares = (1.5, 1) if sheet.narrow else (1.5, 1, 1.3)
    mean, spread, *others = sheet.figure.subplots(1, len(shares), width_ratios=shares)
    rows, most = [name for name in dict.fromkeys(table["left_out"]) if name], set(_most(table))
    for axes, quantity in ((mean, "mu"), (spread, "tau")):
        part = table[table["quantity"] == quantity].set_index("left_out")
        whole = part.loc[""]
        axes.axvspan(whole["lower"], whole["upper"], color=sheet.palette.bands[0], linewidth=0, zorder=0)
        axes.axvline(whole["estimate"], color=sheet.palette.main, linewidth=0.7, zorder=1)
        for i, name in enumerate(rows):
            one = part.loc[name]
            axes.plot([one["lower"], one["upper"]], [-i, -i], color=sheet.palette.ink, linewidth=0.8, gid="interval")
            face = sheet.palette.main if name in most else "white"
            circle(axes, (one["estimate"], -i), sheet.palette.main, face=face, size=3.2, gid="estimate")
        named(axes, rows if quantity == "mu" else [""] * len(rows))
    if linear(table):
        counts(mean.xaxis)
    else:
        low, high = (float(table.loc[table["quantity"] == "mu", end].agg(what))
                     for end, what in (("lower", "min"), ("upper", "max")))  # fmt: skip
        ratios(mean, 0.95 * low, 1.05 * high, (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10))
    counts(spread.xaxis, 3)
    mean.set_xlabel(f"Mean {table['unit'].iloc[0]}\nwithout the row")
    spread.set_xlabel("Spread, tau,\nwithout it")
    for axes in others:
        _moved(sheet, axes, table)


def _moved(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    """Each row by how far it moves the spread and the mean."""
    wide, most = _moves(table), _most(table)
    axes.axvline(0, color=sheet.palette.rule, linewidth=0.6, zorder=0)
    for row in wide.itertuples():
        face = sheet.palette.main if row.Index in most else "white"
        circle(axes, (-float(row.tau), abs(float(row.mu))), sheet.palette.main, face=face, size=3.2, gid="moved")
    axes.margins(0.12)
    axes.set_ylim(0)
    in_margin(
        sheet, axes, [(-float(wide.loc[name, "tau"]), abs(float(wide.loc[name, "mu"])), str(name)) for name in most]
    )
    axes.set_xlabel("What it adds to the spread\n(in posterior sd)")
    axes.set_ylabel("Moves the mean by (posterior sd)")


def _moves(table: pd.DataFrame) -> pd.DataFrame:
    """How far each row moves the mean and the spread."""
    return table[table["left_out"] != ""].pivot(index="left_out", columns="quantity", values="moved")


def _most(table: pd.DataFrame) -> list[str]:
    """The rows that move most."""
    return list((_moves(table) ** 2).sum(axis=1).nlargest(_NAMED).index)


def _says(table: pd.DataFrame) -> str:
    rows = table[(table["quantity"] == "mu") & (table["left_out"] != "")]
    most = rows.loc[rows["moved"].abs().idxmax()]
    return (
        f"Without {most['left_out']} the mean moves most, by {number(abs(most['moved']), most.get('mcse_moved'))} "
        "posterior sd. Mean "
        f"{table['unit'].iloc[0]} and spread between rows without each row in turn: medians and intervals; line "
        "and band are those of all rows. Right, where there is room: how far the median of the mean moves without a "
        "row, and how much larger the spread is with it, in posterior standard deviations; rows at the top right make "
        "the rows differ and carry the answer. Filled: the rows that move most."
    )


FIGURE = Figure(
    name="left_out",
    title="Mean and spread without each row in turn, and how far each row moves them.",
    needs=(),
    columns=("left_out", "quantity", "lower", "estimate", "upper", "prob", "kind", "moved", "unit"),
    draw=_draw,
    says=_says,
    height=lambda table, width: (
        30.0 + max(tall([name for name in table["left_out"].unique() if name], width, 4.2), 25.0)
    ),
)
