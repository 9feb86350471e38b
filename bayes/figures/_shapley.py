"""``shapley``: the share of the variance of the answer that each input brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes.figures._tornado import cut, left_out
from bayes.figures.canvas import Page
from bayes.figures.marks import circle, named, segment, tall, words_at
from bayes.figures.record import Figure
from bayes.numbers import formed, per_cent
from bayes.words import capital, spaced

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIGURE"]

SEEN = 0.005
"""Share of the variance below which an input is counted rather than drawn."""


def _ready(table: pd.DataFrame) -> pd.DataFrame:
    from bayes.sensitivity._variance import quoted  # brings SciPy, which a figure of any other table does not need

    return cut(quoted(table))


def _seen(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that are drawn: those whose share is not written as 0 %, and the largest."""
    return table[(table["estimate"].abs() >= SEEN) | (table.index == 0)]


def _others(table: pd.DataFrame) -> int:
    """How many inputs are counted rather than drawn, with those that a long table left out."""
    count = len(table) - len(_seen(table))
    return count and count + (int(table["of_rows"].iloc[0]) - len(table) if "of_rows" in table else 0)


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes, main, seen = sheet.figure.add_subplot(), sheet.palette.main, _seen(table)
    for i, row in enumerate(seen.itertuples()):
        axes.barh(-i, row.estimate, height=0.62, color=sheet.palette.bands[1], gid="bar")
        segment(axes, row.lower, row.upper, -i, main, 1.2)
        circle(axes, (row.estimate, -i), main, size=3.2)
        at = max(float(row.upper), float(row.estimate), 0.0)
        words_at(
            axes,
            (at, -i),
            per_cent(float(row.estimate), blank=""),
            (4, 0),
            align=("left", "center_baseline"),
        )
    others = _others(table)
    more = [f"{others} other{'s' if others > 1 else ''}, each below {SEEN:.1%}"] if others else []
    named(axes, [*(spaced(str(v)) for v in seen["input"]), *more])
    axes.axvline(0, color=sheet.palette.ink, linewidth=0.6)
    axes.set_xlim(min(0.0, 1.05 * float(seen["lower"].min())), 1.18 * max(float(table["upper"].max()), 0.05))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{formed(100 * v, 'g')}%"))
    of = str(table["scale"].iloc[0]) if "scale" in table else ""
    words = "Shapley share of variance (%)"
    axes.set_xlabel(f"{words}\n{of}" if of and of != "target" else words)


def _says(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    return (
        f"{capital(str(first['input']).replace('_', ' '))} brings the largest share of the variance, "
        f"{per_cent(float(first['estimate']), blank='')}. Shapley effects with their confidence intervals, largest "
        f"first{'' if _others(table) else left_out(table)}; an estimate may lie below zero, because it is not clipped."
    )


FIGURE = Figure(
    name="shapley",
    title="The Shapley share of the variance of the answer that each input brings, with its interval.",
    needs=(("variance", "shapley"),),
    columns=("input", "measure", "estimate", "lower", "upper", "prob", "kind"),
    ready=_ready,
    draw=_draw,
    says=_says,
    height=lambda table, width: 18 + tall(_seen(table)["input"], width),
    width="single",
)
