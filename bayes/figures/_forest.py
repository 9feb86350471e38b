"""``forest``: what each row says raw, adjusted and shrunken, then pooled and predictive, with numbers as columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.figures.canvas import NARROW, NORMAL, SMALL, Page
from bayes.figures.marks import LINE, above, beside, circle, placed, wrapped
from bayes.figures.record import Figure
from bayes.figures.scales import RATIOS, counts, linear, ratios
from bayes.numbers import formed
from bayes.words import capital

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]

ROW_LAYERS = ("raw", "adjusted", "shrunken")
_GLYPH = {"raw": "□", "adjusted": "◇", "shrunken": "●"}
_OFFSET = {"raw": 0.25, "adjusted": 0.0, "shrunken": -0.25}
_MM = 6.6
_NUMBERS = 25.0
"""Width of a column of numbers in mm."""


def _lines(table: pd.DataFrame) -> int:
    studies = table["layer"].isin(ROW_LAYERS)
    return int(table.loc[studies, "row"].nunique() + (~studies).sum())


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes = _axes(sheet, table)
    studies = table[table["layer"].isin(ROW_LAYERS)]
    names = list(dict.fromkeys(studies["row"]))
    if linear(table):
        low, high = min(float(table["lower"].min()), 0.0), max(float(table["upper"].max()), 0.0)
        axes.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        counts(axes.xaxis)
    else:
        ratios(
            axes,
            max(0.05, 0.9 * float(table["lower"].min())),
            min(20.0, max(1.5, 1.1 * float(table["upper"].max()))),
            (0.05, 0.2, 1, 5) if sheet.narrow else RATIOS,
        )
    axes.axvline(0 if linear(table) else 1, color=sheet.palette.muted, linewidth=0.6)
    for i, name in enumerate(names):
        _study(sheet, axes, studies[studies["row"] == name], -float(i))
    for i, row in enumerate(table[~table["layer"].isin(ROW_LAYERS)].itertuples()):
        _summary(sheet, axes, row, -float(len(names) + i) - 0.25)
    axes.axhline(-len(names) + 0.38, color=sheet.palette.rule, linewidth=0.6, xmin=0, xmax=1)
    _heads(sheet, axes, table)


def _wrapped(text: str, width: float) -> list[str]:
    return wrapped(text, 14 if width < NARROW else 26).split("\n")


def _each(table: pd.DataFrame, width: float) -> float:
    """Height of a row in mm: its three estimates, or the lines of its name."""
    lines = max(len(_wrapped(str(label), width)) for label in set(table["label"]))
    return max(_MM, 1.12 * LINE * lines + 1.0)


def _axes(sheet: Page, table: pd.DataFrame) -> Axes:
    """Place the axes between labels with weights on the left and numbers on the right."""
    lines = {line for label in set(table["label"]) for line in _wrapped(str(label), sheet.width)}
    left = 12.0 + max(sheet.text_mm(line, NORMAL) for line in lines)
    right = _numbers_mm(table) if sheet.narrow else _numbers_mm(table) * len(_shown(sheet, table)) + 1
    axes = placed(sheet, left, right, 10.0, 7.0)
    axes.set_ylim(-_lines(table) + 0.2, 0.6)
    return axes


def _shown(sheet: Page, table: pd.DataFrame) -> list[str]:
    """Layers whose numbers are printed: all of the rows', or the last where there is no room."""
    present = [name for name in ROW_LAYERS if name in set(table["layer"])]
    return present[-1:] if sheet.narrow else present


def _column(sheet: Page, place: int) -> float:
    """Right edge of a column of numbers, in mm from the axes."""
    across = _numbers_mm(sheet.figure.table)
    return across - 1 if sheet.narrow else across * place


def _numbers_mm(table: pd.DataFrame) -> float:
    """Width of a column of numbers: with signs they take more."""
    return _NUMBERS + 8.0 * linear(table)


def _interval(axes: Axes, row: Any, y: float, colour: str, thick: float) -> None:
    low, high = axes.get_xlim()
    axes.plot([max(row.lower, low), min(row.upper, high)], [y, y], solid_capstyle="butt", color=colour, linewidth=thick,
              gid=f"interval {row.layer}")  # fmt: skip
    for beyond, at, marker in ((row.lower < low, low, "<"), (row.upper > high, high, ">")):
        if beyond:
            axes.plot([at], [y], marker=marker, markersize=2.8, markeredgewidth=0, color=colour, clip_on=False)


def _study(sheet: Page, axes: Axes, table: pd.DataFrame, base: float) -> None:
    colours = sheet.palette
    look = {"raw": ("s", "white", colours.ink, 0.7), "adjusted": ("D", colours.prior, colours.prior, 0.7),
            "shrunken": ("o", colours.main, colours.main, 1.3)}  # fmt: skip
    weight = float(table["weight"].iloc[0])
    sizes = {"raw": 2.0 + 5.0 * math.sqrt(weight) if math.isfinite(weight) else 3.4, "adjusted": 2.8}
    for row in table.itertuples():
        marker, face, edge, thick = look[str(row.layer)]
        y = base + _OFFSET[str(row.layer)]
        _interval(axes, row, y, edge, thick)
        circle(axes, (row.estimate, y), edge, face=face, marker=marker, size=sizes.get(str(row.layer), 3.4),
               gid=f"estimate {row.layer}")  # fmt: skip
    beside(sheet, axes, -10.0, base, "\n".join(_wrapped(str(table["label"].iloc[0]), sheet.width)), "right", NORMAL)
    if math.isfinite(weight):
        beside(sheet, axes, -2.0, base, f"{100 * weight:.0f}%", "right", SMALL)
    for k, name in enumerate(_shown(sheet, table)):
        part = table[table["layer"] == name]
        if len(part):
            beside(sheet, axes, _column(sheet, k + 1), base, _between(sheet.figure.table, part.iloc[0]), "right", SMALL)


def _summary(sheet: Page, axes: Axes, row: Any, y: float) -> None:
    colour = sheet.palette.series[0]
    if row.layer == "pooled":
        axes.fill([row.lower, row.estimate, row.upper, row.estimate], [y, y + 0.22, y, y - 0.22], color=colour,
                  linewidth=0, gid="pooled")  # fmt: skip
    else:
        _interval(axes, row, y, colour, 1.6)
        circle(axes, (row.estimate, y), colour, gid=f"estimate {row.layer}")
    beside(sheet, axes, -2.0, y, "\n".join(_wrapped(str(row.label), sheet.width)), "right", NORMAL)
    last = _column(sheet, len(_shown(sheet, sheet.figure.table)))
    beside(sheet, axes, last, y, _between(sheet.figure.table, row._asdict()), "right", SMALL)


def _between(table: pd.DataFrame, row: Any) -> str:
    if not linear(table):
        return f"{row['estimate']:.2f} ({row['lower']:.2f}–{row['upper']:.2f})"
    digits = max(1 - int(np.floor(np.log10(float((table["upper"] - table["lower"]).median()) + 1e-300))), 0)
    middle, low, high = (formed(row[name], f".{min(digits, 6)}f") for name in ("estimate", "lower", "upper"))
    return f"{middle} ({low} to {high})"


def _heads(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    top, prob, shown = above(sheet, axes, 1.45), float(table["prob"].max()), _shown(sheet, table)
    if table["weight"].notna().any():
        beside(sheet, axes, -2.0, top, "Weight", "right", SMALL)
    for k, name in enumerate(shown):
        beside(sheet, axes, _column(sheet, k + 1), top, f"{_GLYPH[name]} {capital(name)} ({prob:.0%})", "right",
               SMALL)  # fmt: skip
    if sheet.narrow:
        others = [n for n in ROW_LAYERS if n in set(table["layer"]) and n not in shown]
        beside(sheet, axes, -0.01, top, " ".join(f"{_GLYPH[n]} {n}" for n in others), "left", SMALL)
    axes.set_xlabel(f"{capital(str(table['unit'].iloc[0]))}{'' if linear(table) else ' (log scale)'}")


_MARKS = {"raw": "squares: raw, larger for more weight", "adjusted": "diamonds: adjusted for the row's bias",
          "shrunken": "dots: shrunken, the posterior of the setting's own effect"}  # fmt: skip
_LINES = {"pooled": "mean over settings", "predictive": "a new setting", "programme": "a scaled-up programme"}


def _message(table: pd.DataFrame) -> str:
    """What the summaries say."""
    rows = table[~table["layer"].isin(ROW_LAYERS)]
    told = [f"{_LINES[row.layer]} {_between(table, row._asdict())}" for row in rows.itertuples() if row.layer in _LINES]
    text = f"{'; '.join(told)}." if told else "Rows one by one."
    return capital(text)


def _says(table: pd.DataFrame) -> str:
    """What a reader must know of the layers that are there."""
    layers = set(table["layer"])
    marks, lines = ([words for key, words in one.items() if key in layers] for one in (_MARKS, _LINES))
    bias = " + var(bias)" if "adjusted" in layers else ""
    weights = f"Weights are shares of 1/(s²{bias} + τ²), averaged over draws. " if table["weight"].notna().any() else ""
    return (
        f"{_message(table)} Forest of {table['unit'].iloc[0]}s. {capital('; '.join(marks))}. Below the rule: "
        f"{', '.join(lines)}. "
        f"{'Below 0: less of what is measured.' if linear(table) else 'Below 1: less of what is counted.'} {weights}"
        f"{'Arrows' if linear(table) else 'Logarithmic axis; arrows'} where an interval leaves it."
    )


FIGURE = Figure(
    name="forest",
    title="Ratios by row, raw, adjusted and shrunken (these share a line), and below them what is pooled.",
    needs=(),
    columns=("layer", "row", "label", "estimate", "lower", "upper", "weight", "unit", "prob", "kind"),
    draw=_draw,
    says=_says,
    height=lambda table, width: 20.5 + _each(table, width) * _lines(table),
    layout=None,
)  # fmt: skip
