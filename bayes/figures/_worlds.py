"""``worlds``: the answer in each declared world, and in their mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes.arguments import check_columns, checked
from bayes.figures.canvas import Page
from bayes.figures.marks import circle, named, tall
from bayes.figures.record import Figure
from bayes.figures.scales import cell, counts, unit_note
from bayes.numbers import per_cent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIGURE"]

_MM = 5.5
_LAST = "mixture"


@checked
def worlds_table(worlds: pd.DataFrame) -> pd.DataFrame:
    """Turn worlds of a sensitivity analysis into estimates by world, the mixture last.

    Parameters
    ----------
    worlds
        The table ``worlds``: ``world, weight, unit, median, lower, upper, prob, kind``.

    Returns
    -------
    DataFrame
        ``world, weight, estimate, lower, upper, unit, prob, kind``.

    Raises
    ------
    UsageError
        If a column is lacking.
    """
    columns = ("world", "weight", "median", "lower", "upper", "unit", "prob", "kind")
    check_columns(worlds, columns)
    keep = [name for name in ("mcse_median", "draws", "verdict") if name in worlds]
    return worlds[[*columns, *keep]].rename(columns={"median": "estimate", "mcse_median": "mcse"})


def _height(table: pd.DataFrame, width: float) -> float:
    return 18 + tall(table["world"], width, _MM)


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes = sheet.figure.add_subplot()
    for i, row in enumerate(table.itertuples()):
        mixture = str(row.world) == _LAST
        colour = sheet.palette.ink if mixture else sheet.palette.main
        axes.plot([row.lower, row.upper], [-i, -i], color=colour, linewidth=1.1, solid_capstyle="butt", gid="interval")
        circle(axes, (row.estimate, -i), colour, face=colour if mixture else "white", gid="estimate")
    names = [str(name).replace("_", " ") for name in table["world"]]
    shares = [f" ({per_cent(float(weight))})" if name != _LAST else "" for name, weight in
              zip(names, table["weight"], strict=True)]  # fmt: skip
    named(axes, [a + b for a, b in zip(names, shares, strict=True)])
    axes.axhline(1.5 - len(table), color=sheet.palette.muted, linewidth=0.6, linestyle=(0, (2, 2)))
    axes.axvline(0, color=sheet.palette.muted, linewidth=0.5)
    counts(axes.xaxis)
    inside = unit_note(str(table["unit"].iloc[0]))
    axes.set_xlabel(f"Answer ({inside})" if inside else "Answer")


def _says(table: pd.DataFrame) -> str:
    low, high = (table[table["estimate"] == at].iloc[0]
                 for at in (table["estimate"].min(), table["estimate"].max()))  # fmt: skip
    ends = [f"{cell(one, 'estimate', 'mcse')} ({str(one['world']).replace('_', ' ')})" for one in (low, high)]
    return (
        f"Between worlds the median runs from {' to '.join(ends)}. "
        "The answer in each declared world: median and interval; in brackets the weight, which is a judgement. Below "
        "the rule, filled: the mixture of the worlds in shares of their weights."
    )


FIGURE = Figure(name="worlds", title="The answer in each declared world, and in their mixture.",
                needs=(("worlds", "worlds"),), columns=("world", "estimate", "lower", "upper"), table=worlds_table,
                draw=_draw, says=_says, height=_height)  # fmt: skip
