"""The specification plot: the answer under every variant of the model, and what each variant chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes.arguments import checked
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
    "estimand_changed",
)
_MM = 3.6
AS_FITTED = "as fitted"
MAIN = ("as fitted", "default", "main")


@checked
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
    apart = found["estimand_changed"].astype(bool) if "estimand_changed" in found else found["variant"].isna()
    table = found.assign(estimand_changed=apart).sort_values(["estimand_changed", "estimate"]).reset_index(drop=True)
    choices = _choices(table)
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
            "Upper panel: estimate and interval of each variant, sorted by estimate; filled: the model as fitted. "
            "Lower panel: what each variant chose; what all have in common is left out. Right of the rule, in grey: "
            "variants that change what is estimated, which are not comparable with the rest.",
        )
    return sheet.figure


def _choices(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Column, value and words of each choice that not all variants share; in one-at-a-time tables, of each change."""
    found = []
    for column in [c for c in table.columns if c not in _KNOWN and table[c].nunique() > 1]:
        values = list(dict.fromkeys(table[column].astype(str)))
        single = AS_FITTED in values
        found += [(column, v, v if single else f"{column}: {v}") for v in values if v != AS_FITTED]
    return [(column, value, words.replace("_", " ")) for column, value, words in found]


def _answers(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    log = bool((table["lower"] > 0).all() and float(table["upper"].max()) > 30 * float(table["lower"].min()))
    for i, row in enumerate(table.itertuples()):
        main = str(row.variant) in MAIN
        colour = sheet.palette.accent if main else sheet.palette.prior if row.estimand_changed else sheet.palette.main
        axes.plot([i, i], [row.lower, row.upper], color=colour, linewidth=1.1, solid_capstyle="butt", gid="interval")
        face = colour if main else "white"
        look: dict[str, Any] = {"marker": "o", "markersize": 3.6, "color": face, "markeredgecolor": colour}
        axes.plot([i], [row.estimate], markeredgewidth=0.9, gid="estimate", zorder=5, **look)
    count = int((~table["estimand_changed"]).sum())
    if 0 < count < len(table):
        axes.axvline(count - 0.5, color=sheet.palette.muted, linewidth=0.6, linestyle=(0, (2, 2)))
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


def _grid(sheet: Page, axes: Axes, table: pd.DataFrame, choices: list[tuple[str, str, str]]) -> None:
    for k, (column, value, _) in enumerate(choices):
        for i, found in enumerate(table[column].astype(str)):
            on = found == value
            colour = sheet.palette.ink if on else sheet.palette.rule
            name = f"{column}={value}" if on else "off"
            axes.plot([i], [-k], marker="o", markersize=3.2 if on else 1.2, color=colour, markeredgewidth=0, gid=name)
        if k and choices[k - 1][0] != column and table[column].nunique() > 2:
            axes.axhline(-k + 0.5, color=sheet.palette.rule, linewidth=0.4)
    axes.set_yticks([-k for k in range(len(choices))], [words for _, _, words in choices])
    axes.tick_params(axis="both", length=0, labelsize=SMALL)
    axes.set_xticks([])
    axes.set_ylim(-len(choices) + 0.4, 0.6)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("Variants of the model, by estimate")
