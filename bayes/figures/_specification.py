"""``specification``: the answer under every variant of the model, and what each variant chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes.arguments import checked
from bayes.figures.canvas import SMALL, Page
from bayes.figures.marks import LINE, circle, lettered, wrapped
from bayes.figures.record import Figure
from bayes.figures.scales import cell, counts, far_apart, logarithmic, unit_note
from bayes.figures.tabulation import of_quantity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["FIGURE"]

_KNOWN = ("variant", "estimate", "lower", "upper", "prob", "kind", "unit", "draws", "chains", "verdict", "note", "mcse",
          "method", "label", "estimand_changed")  # fmt: skip
_MM = 3.6
AS_FITTED = "as fitted"
MAIN = (AS_FITTED, "default", "main")


@checked
def specification_table(changes: pd.DataFrame, *, quantity: str | None = None) -> pd.DataFrame:
    """Turn changes of structure, one at a time, into variants with a column for each choice.

    Parameters
    ----------
    changes
        What :func:`bayes.sensitivity.structure` returns: ``change, choice, quantity, unit, median, lower, upper, prob,
        kind``; the row without a choice is the model as fitted.
    quantity
        The answer; the first in the table unless named.

    Returns
    -------
    DataFrame
        ``variant, estimate, lower, upper, unit, prob, kind``, ``estimand_changed`` if there, and each choice's value,
        ``as fitted`` unless it is what the variant changes.

    Raises
    ------
    UsageError
        If a column or the quantity does not exist.
    """
    columns = ("change", "choice", "quantity", "unit", "median", "lower", "upper", "prob", "kind")
    found = of_quantity(changes, columns, quantity)
    keep = [c for c in ("mcse_median", "estimand_changed", "draws", "verdict") if c in found]
    table = found[["change", "median", "lower", "upper", "unit", "prob", "kind", *keep]]
    table = table.rename(columns={"change": "variant", "median": "estimate", "mcse_median": "mcse"})
    picked = found["choice"].fillna("").astype(str)
    for choice in dict.fromkeys(picked[picked != ""]):
        table[choice] = found["change"].where(picked == choice, AS_FITTED)
    return table.reset_index(drop=True)


def _ready(table: pd.DataFrame) -> pd.DataFrame:
    apart = table["estimand_changed"].astype(bool) if "estimand_changed" in table else table["variant"].isna()
    return table.assign(estimand_changed=apart).sort_values(["estimand_changed", "estimate"]).reset_index(drop=True)


def _choices(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Column, value and words of each choice that not all variants share; in one-at-a-time tables, of each change."""
    found = []
    for column in [c for c in table.columns if c not in _KNOWN and table[c].nunique() > 1]:
        values = list(dict.fromkeys(table[column].astype(str)))
        single = AS_FITTED in values
        found += [(column, v, v if single else f"{column}: {v}") for v in values if v != AS_FITTED]
    return [(column, value, words.replace("_", " ")) for column, value, words in found]


def _height(table: pd.DataFrame, width: float) -> float:
    return 48 + _each(table, width) * max(1, len(_choices(table)))


def _each(table: pd.DataFrame, width: float) -> float:
    """Height of a row of choices in mm."""
    lines = [wrapped(words, lettered(width)).count("\n") + 1 for _, _, words in _choices(table)]
    return max(_MM, LINE * max(lines, default=1) + 0.6)


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    if choices := _choices(table):
        upper, lower = sheet.figure.subplots(
            2, 1, sharex=True, height_ratios=(40, _each(table, sheet.width) * len(choices))
        )
        _grid(sheet, lower, table, choices)
    else:
        upper = sheet.figure.add_subplot()
        upper.set_xticks(range(len(table)), [wrapped(str(v), 26) for v in table["variant"]], rotation=90)
    _answers(sheet, upper, table)
    upper.tick_params(axis="x", length=0, labelbottom=not choices)


def _says(table: pd.DataFrame) -> str:
    same = table[~table["estimand_changed"]]
    ends = " to ".join(cell(same.iloc[i], "estimate", "mcse") for i in (0, -1)) if len(same) else "nothing"
    return (
        f"Over {len(same)} variants of the model the median runs from {ends}. Upper panel: estimate and interval of "
        "each variant, sorted "
        "by estimate; filled: the model as fitted. Lower panel: what each variant chose; what all have in common "
        "is left out. Right of the rule: variants that change what is estimated, which are not "
        "comparable with the rest."
    )


def _answers(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    log = far_apart(table)
    for i, row in enumerate(table.itertuples()):
        main = str(row.variant) in MAIN
        colour = sheet.palette.ink if main else sheet.palette.prior if row.estimand_changed else sheet.palette.main
        axes.plot([i, i], [row.lower, row.upper], color=colour, linewidth=1.1, solid_capstyle="butt", gid="interval")
        circle(axes, (i, row.estimate), colour, face=colour if main else "white", gid="estimate")
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
    axes.spines["bottom"].set_visible(False)
    inside = unit_note(str(table["unit"].iloc[0]) if "unit" in table else "", "log scale" if log else "")
    axes.set_ylabel(f"Answer\n({inside})" if inside else "Answer")


def _grid(sheet: Page, axes: Axes, table: pd.DataFrame, choices: list[tuple[str, str, str]]) -> None:
    for k, (column, value, _) in enumerate(choices):
        for i, found in enumerate(table[column].astype(str)):
            on = found == value
            axes.plot([i], [-k], marker="o", markersize=3.2 if on else 1.2, markeredgewidth=0,
                      color=sheet.palette.ink if on else sheet.palette.rule,
                      gid=f"{column}={value}" if on else "off")  # fmt: skip
        if k and choices[k - 1][0] != column and table[column].nunique() > 2:
            axes.axhline(-k + 0.5, color=sheet.palette.rule, linewidth=0.4)
    axes.set_yticks(
        [-k for k in range(len(choices))], [wrapped(words, lettered(sheet.width)) for _, _, words in choices]
    )
    axes.tick_params(axis="both", length=0, labelsize=SMALL)
    axes.set_xticks([])
    axes.set_ylim(-len(choices) + 0.4, 0.6)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("Variants, by estimate" if sheet.narrow else "Variants of the model, by estimate")


FIGURE = Figure(name="specification",
                title="The answer of every variant of the model, sorted, above a grid of the choices it made.",
                needs=(("specification", "structure"),), columns=("variant", "estimate", "lower", "upper"),
                table=specification_table, ready=_ready, draw=_draw, says=_says, height=_height)  # fmt: skip
