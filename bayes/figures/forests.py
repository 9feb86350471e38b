"""The forest: what each row says raw, adjusted and shrunken, then pooled and predictive, with numbers as columns."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

from bayes.arguments import checked
from bayes.figures.canvas import NORMAL, SMALL, Page, PaperFigure, page
from bayes.figures.captions import caption
from bayes.figures.marks import beside
from bayes.figures.scales import ratios
from bayes.figures.tables import finished

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["forest"]

COLUMNS = ("layer", "row", "label", "estimate", "lower", "upper", "weight", "unit", "prob", "kind")
ROW_LAYERS = ("raw", "adjusted", "shrunken")
_GLYPH = {"raw": "□", "adjusted": "◇", "shrunken": "●"}
_OFFSET = {"raw": 0.25, "adjusted": 0.0, "shrunken": -0.25}
_MM = 6.6


@checked
def forest(data: pd.DataFrame, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw a forest plot.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.forest` makes, or one with its columns: rows of layers ``raw``, ``adjusted``
        and ``shrunken``
        (any of them) share a line by ``row``; every other layer is a summary line of its own. Estimates are ratios.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.forest(bayes.figuredata.forest(fit, evidence)).savefig("forest.pdf")
    """
    table = finished(data, None, COLUMNS)
    studies = table[table["layer"].isin(ROW_LAYERS)]
    names = list(dict.fromkeys(studies["row"]))
    summaries = table[~table["layer"].isin(ROW_LAYERS)]
    lines = len(names) + len(summaries)
    with page(table, width, style, 19 + _MM * lines + 1.5, layout=None) as sheet:
        axes = _axes(sheet, table, lines)
        low, high = _limits(table)
        ratios(axes, low, high)
        axes.axvline(1, color=sheet.palette.muted, linewidth=0.6)
        for i, name in enumerate(names):
            _study(sheet, axes, studies[studies["row"] == name], -float(i))
        for i, row in enumerate(summaries.itertuples()):
            _summary(sheet, axes, row, -float(len(names) + i) - 0.25)
        axes.axhline(-len(names) + 0.38, color=sheet.palette.rule, linewidth=0.6, xmin=0, xmax=1)
        _heads(sheet, axes, table)
        sheet.figure.caption = caption(
            table,
            f"Forest of {_unit(table)}s.",
            _words(table),
        )
    return sheet.figure


def _labels(sheet: Page, text: str) -> list[str]:
    return textwrap.wrap(text, 14 if sheet.narrow else 26) or [""]


def _axes(sheet: Page, table: pd.DataFrame, lines: int) -> Axes:
    """Place the axes between labels with weights on the left and numbers on the right."""
    left = (
        3
        + max(sheet.text_mm(line, NORMAL) for label in set(table["label"]) for line in _labels(sheet, str(label)))
        + 9.0
    )
    right = 25.0 if sheet.narrow else 25.0 * len(_shown(sheet, table)) + 1
    axes = sheet.figure.add_axes(
        (
            left / sheet.width,
            10 / sheet.height,
            (sheet.width - left - right) / sheet.width,
            (sheet.height - 17) / sheet.height,
        )
    )
    axes.set_ylim(-lines + 0.2, 0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    return axes


def _shown(sheet: Page, table: pd.DataFrame) -> list[str]:
    """Layers whose numbers are printed: all of the rows', or the last where there is no room."""
    present = [name for name in ROW_LAYERS if name in set(table["layer"])]
    return present[-1:] if sheet.narrow else present


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    """Ends of the axis: nice ratios around all estimates and most interval ends, never beyond 0.05 to 20."""
    low, high = float(table["lower"].min()), float(table["upper"].max())
    return max(0.05, 0.9 * low), min(20.0, max(1.5, 1.1 * high))


def _interval(axes: Axes, row: Any, y: float, **line: Any) -> None:
    low, high = axes.get_xlim()
    axes.plot(
        [max(row.lower, low), min(row.upper, high)], [y, y], solid_capstyle="butt", gid=f"interval {row.layer}", **line
    )
    for beyond, at, marker in ((row.lower < low, low, "<"), (row.upper > high, high, ">")):
        if beyond:
            axes.plot([at], [y], marker=marker, markersize=2.8, markeredgewidth=0, color=line["color"], clip_on=False)


def _study(sheet: Page, axes: Axes, table: pd.DataFrame, base: float) -> None:
    colours = sheet.palette
    look = {
        "raw": ("s", "white", colours.ink, 0.7),
        "adjusted": ("D", colours.prior, colours.prior, 0.7),
        "shrunken": ("o", colours.main, colours.main, 1.3),
    }
    weight = float(table["weight"].iloc[0])
    for row in table.itertuples():
        marker, face, edge, thick = look[str(row.layer)]
        y = base + _OFFSET[str(row.layer)]
        _interval(axes, row, y, color=edge, linewidth=thick)
        size = (
            2.0 + 5.0 * math.sqrt(weight)
            if row.layer == "raw" and math.isfinite(weight)
            else 2.8
            if row.layer == "adjusted"
            else 3.4
        )
        axes.plot(
            [row.estimate],
            [y],
            marker=marker,
            markersize=size,
            color=face,
            markeredgecolor=edge,
            markeredgewidth=0.7,
            linestyle="none",
            gid=f"estimate {row.layer}",
            zorder=5,
        )
    beside(sheet, axes, -10.0, base, "\n".join(_labels(sheet, str(table["label"].iloc[0]))), "right", NORMAL)
    if math.isfinite(weight):
        beside(sheet, axes, -2.0, base, f"{100 * weight:.0f}%", "right", SMALL)
    shown = _shown(sheet, table)
    for k, name in enumerate(shown):
        part = table[table["layer"] == name]
        if len(part):
            beside(sheet, axes, 24.0 if sheet.narrow else 25.0 * (k + 1), base, _numbers(part.iloc[0]), "right", SMALL)


def _summary(sheet: Page, axes: Axes, row: Any, y: float) -> None:
    colour = sheet.palette.accent
    if row.layer == "pooled":
        axes.fill(
            [row.lower, row.estimate, row.upper, row.estimate],
            [y, y + 0.22, y, y - 0.22],
            color=colour,
            linewidth=0,
            gid="pooled",
        )
    else:
        _interval(axes, row, y, color=colour, linewidth=1.6)
        axes.plot(
            [row.estimate],
            [y],
            marker="o",
            markersize=3.6,
            color="white",
            markeredgecolor=colour,
            markeredgewidth=1.0,
            gid=f"estimate {row.layer}",
            zorder=5,
        )
    beside(sheet, axes, -2.0, y, "\n".join(_labels(sheet, str(row.label))), "right", NORMAL)
    shown = 24.0 if sheet.narrow else 25.0 * len(_shown(sheet, sheet.figure.table))
    beside(sheet, axes, shown, y, _numbers(row._asdict()), "right", SMALL)


def _numbers(row: Any) -> str:
    return f"{row['estimate']:.2f} ({row['lower']:.2f}–{row['upper']:.2f})"


def _heads(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    top = 0.82
    prob = float(table["prob"].max())
    shown = _shown(sheet, table)
    if table["weight"].notna().any():
        beside(sheet, axes, -2.0, top, "Weight", "right", SMALL)
    for k, name in enumerate(shown):
        beside(
            sheet,
            axes,
            24.0 if sheet.narrow else 25.0 * (k + 1),
            top,
            f"{_GLYPH[name]} {name.capitalize()} ({prob:.0%})",
            "right",
            SMALL,
        )
    if sheet.narrow:
        beside(
            sheet,
            axes,
            0.01 - 0.02,
            top,
            " ".join(f"{_GLYPH[n]} {n}" for n in ROW_LAYERS if n in set(table["layer"]) and n not in shown),
            "left",
            SMALL,
        )
    axes.set_xlabel(f"{_unit(table).capitalize()} (log scale)")


def _unit(table: pd.DataFrame) -> str:
    return str(table["unit"].iloc[0])


_MARKS = {
    "raw": "squares: raw, larger for more weight",
    "adjusted": "diamonds: adjusted for the row's bias",
    "shrunken": "dots: shrunken, the posterior of the setting's own effect",
}
_LINES = {"pooled": "mean over settings", "predictive": "a new setting", "programme": "a scaled-up programme"}


def _words(table: pd.DataFrame) -> str:
    """What a reader must know of the layers that are there."""
    layers = set(table["layer"])
    marks, lines = ([words for key, words in one.items() if key in layers] for one in (_MARKS, _LINES))
    weights = ("Weights are shares of 1/(s² + var(bias) + τ²), averaged over draws. "
               if table["weight"].notna().any() else "")  # fmt: skip
    return (f"{'; '.join(marks).capitalize()}. Below the rule: {', '.join(lines)}. Below 1: less of what is counted. "
            f"{weights}Logarithmic axis; arrows where an interval leaves it.")  # fmt: skip
