"""The specification plot: the answer under every variant of the model, and what each variant chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes.figures.canvas import SMALL, Page, PaperFigure, page
from bayes.figures.captions import caption
from bayes.figures.scales import counts, logarithmic, unit_text
from bayes.figures.tables import finished

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["specification"]

_KNOWN = (
    "variant",
    "estimate",
    "lower",
    "upper",
    "prob",
    "kind",
    "unit",
    "draws",
    "chains",
    "verdict",
    "note",
    "mcse",
    "method",
    "label",
)
_MM = 3.6


def specification(data: pd.DataFrame, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw the answer of every variant, sorted, above a grid of the choices it made.

    Parameters
    ----------
    data
        ``variant, estimate, lower, upper`` and one column for each choice.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"variant": ["a", "b"], "estimate": [1.0, 2.0], "lower": [0.5, 1.0], "upper": [2.0,
    ...                        3.0], "effects": ["t", "common"]})
    >>> len(specification(rows).axes)
    2
    """
    found = finished(data, None, ("variant", "estimate", "lower", "upper"))
    table = found.sort_values("estimate").reset_index(drop=True)
    choices = [
        (c, v)
        for c in table.columns
        if c not in _KNOWN
        for v in dict.fromkeys(table[c].astype(str))
        if table[c].nunique() > 1
    ]
    low_height = _MM * max(1, len(choices))
    with page(table, width, style, 48 + low_height) as sheet:
        if choices:
            upper, lower = sheet.figure.subplots(2, 1, sharex=True, height_ratios=(40, low_height))
            _grid(sheet, lower, table, choices)
        else:
            upper = sheet.figure.add_subplot()
            upper.set_xticks(range(len(table)), [str(v) for v in table["variant"]], rotation=90)
        _answers(sheet, upper, table)
        sheet.figure.caption = caption(
            table,
            "The answer under every variant of the model.",
            "Upper panel: estimate and interval of each variant, sorted by estimate; the variant of the main "
            "analysis, if "
            "named 'default', is filled. Lower panel: what each variant chose; choices common to all are left out.",
        )
    return sheet.figure


def _answers(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    log = bool((table["lower"] > 0).all() and float(table["upper"].max()) > 30 * float(table["lower"].min()))
    for i, row in enumerate(table.itertuples()):
        chosen = str(row.variant) in ("default", "main")
        axes.plot(
            [i, i],
            [row.lower, row.upper],
            color=sheet.palette.accent if chosen else sheet.palette.main,
            linewidth=1.1,
            solid_capstyle="butt",
            gid="interval",
        )
        axes.plot(
            [i],
            [row.estimate],
            marker="o",
            markersize=3.6,
            color=sheet.palette.accent if chosen else "white",
            markeredgecolor=sheet.palette.accent if chosen else sheet.palette.main,
            markeredgewidth=0.9,
            gid="estimate",
            zorder=5,
        )
    axes.set_xlim(-0.6, len(table) - 0.4)
    if log:
        logarithmic(axes, "y")
    else:
        counts(axes.yaxis)
        if float(table["lower"].min()) <= 0:
            axes.axhline(0, color=sheet.palette.muted, linewidth=0.5)
    axes.tick_params(axis="x", length=0, labelbottom=False)
    axes.spines["bottom"].set_visible(False)
    unit = unit_text(str(table["unit"].iloc[0])) if "unit" in table else ""
    inside = ", ".join(part for part in (unit, "log scale" if log else "") if part)
    axes.set_ylabel(f"Answer\n({inside})" if inside else "Answer")


def _grid(sheet: Page, axes: Axes, table: pd.DataFrame, choices: list[tuple[str, str]]) -> None:
    for k, (column, value) in enumerate(choices):
        for i, found in enumerate(table[column].astype(str)):
            on = found == value
            axes.plot(
                [i],
                [-k],
                marker="o",
                markersize=3.2 if on else 1.2,
                color=sheet.palette.ink if on else sheet.palette.rule,
                markeredgewidth=0,
                gid=f"{column}={value}" if on else "off",
            )
        if k and choices[k - 1][0] != column:
            axes.axhline(-k + 0.5, color=sheet.palette.rule, linewidth=0.4)
    axes.set_yticks(
        [-k for k in range(len(choices))], [f"{c.replace('_', ' ')}: {v.replace('_', ' ')}" for c, v in choices]
    )
    axes.tick_params(axis="both", length=0, labelsize=SMALL)
    axes.set_xticks([])
    axes.set_ylim(-len(choices) + 0.4, 0.6)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("Variants of the model, by estimate")
