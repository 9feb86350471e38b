"""``tornado``: how far the answer moves between the ends of each input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes.arguments import checked
from bayes.errors import UsageError
from bayes.figures.canvas import Page
from bayes.figures.marks import named, tall
from bayes.figures.record import Figure
from bayes.figures.scales import axis_title, counts, fitted
from bayes.figures.tabulation import of_quantity
from bayes.numbers import signed
from bayes.words import capital, spaced

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIGURE", "MOST", "cut", "left_out"]

ENDS = ("sceptical", "optimistic")
MOST = 15
"""Inputs shown; the rest are left out and counted in the caption."""


@checked
def tornado_table(changes: pd.DataFrame, *, quantity: str | None = None, ends: tuple[str, str] = ENDS) -> pd.DataFrame:
    """Pair the changes that two alternatives of one prior make to a quantity.

    Parameters
    ----------
    changes
        What :func:`bayes.sensitivity.alternatives` returns: ``change`` is ``"input: alternative"``, ``group`` the
        alternative.
    quantity
        The answer; the first in the table unless named.
    ends
        Names of the alternatives that stand for the lower and the upper end.

    Returns
    -------
    DataFrame
        ``input, lower_change, upper_change, unit, lower_end, upper_end``; an end that is not declared is missing, and
        inputs whose alternatives change nothing are left out.

    Raises
    ------
    UsageError
        If a column or the quantity does not exist, or no change is one of single inputs.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"change": ["a: sceptical", "a: optimistic"], "group": ["sceptical", "optimistic"],
    ...                      "quantity": "y", "unit": "cases", "d_median": [-1.0, 2.0]})
    >>> tornado_table(rows)[["input", "lower_change", "upper_change"]].values.tolist()
    [['a', -1.0, 2.0]]
    """
    import pandas as pd

    chosen = of_quantity(changes, ("change", "group", "quantity", "unit", "d_median"), quantity)
    rows: dict[str, dict[str, Any]] = {}
    for row in chosen.itertuples():
        name, colon, _ = str(row.change).partition(": ")
        if colon and row.group in ends:
            end = "lower_change" if row.group == ends[0] else "upper_change"
            same = {"input": name, "lower_change": float("nan"), "upper_change": float("nan"), "unit": row.unit}
            one = rows.setdefault(name, same)
            one[end], one[f"mcse_{end}"] = row.d_median, getattr(row, "mcse_d_median", 0.0)
    rows = {n: r for n, r in rows.items() if abs(r["lower_change"]) > 0 or abs(r["upper_change"]) > 0}
    if not rows:
        raise UsageError("no alternative of a single input changes the answer", key="change",
                         found=list(changes["group"].unique()), allowed=ends)  # fmt: skip
    ends_of = {"quantity": chosen["quantity"].iloc[0], "lower_end": ends[0], "upper_end": ends[1]}
    return pd.DataFrame(rows.values()).assign(**ends_of)


def cut(table: pd.DataFrame) -> pd.DataFrame:
    """Return the first :data:`MOST` rows, which say of how many."""
    return table.head(MOST).assign(**{"of_rows": len(table)} if len(table) > MOST else {}).reset_index(drop=True)


def left_out(table: pd.DataFrame) -> str:
    """Say how many rows :func:`cut` left out."""
    if "of_rows" not in table:
        return ""
    count = int(table["of_rows"].iloc[0]) - len(table)
    return f"; {count} smaller one{'s are' if count > 1 else ' is'} not shown"


def _ready(table: pd.DataFrame) -> pd.DataFrame:
    span = table[["lower_change", "upper_change"]].abs().max(axis=1)
    return cut(table.loc[span.sort_values(ascending=False).index])


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    from matplotlib.ticker import FuncFormatter

    axes, colours = sheet.figure.add_subplot(), {"lower": sheet.palette.bands[2], "upper": sheet.palette.main}
    for end, shift in (("lower", 0.18), ("upper", -0.18)):
        words = str(table[f"{end}_end"].iloc[0]) if f"{end}_end" in table else f"{end} end"
        for i, change in enumerate(table[f"{end}_change"]):
            axes.barh(-i + shift, change, height=0.34, color=colours[end], gid=end, label="" if i else words)
    named(axes, [spaced(str(v)) for v in table["input"]])
    axes.axvline(0, color=sheet.palette.ink, linewidth=0.6)
    counts(axes.xaxis, 5 if sheet.narrow else 7)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: signed(v)))
    title = axis_title("Change of the answer", str(table["unit"].iloc[0]))
    axes.set_xlabel(fitted(sheet, title, 0.5 * sheet.width))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.0, handlelength=0.9,
                handleheight=0.9)  # fmt: skip


def _says(table: pd.DataFrame) -> str:
    return (
        f"{_message(table)} Change of the answer when {_moved(table)}, the others as they are; largest "
        f"first{left_out(table)}."
    )


def _message(table: pd.DataFrame) -> str:
    """Which input moves the answer most, and how far."""
    first = table.iloc[0]
    ends = [signed(float(first[name]), first.get(f"mcse_{name}"))
            for name in ("lower_change", "upper_change") if first[name] == first[name]]  # fmt: skip
    name = spaced(str(first["input"]))
    return f"{capital(name)} moves the answer most: by {' and '.join(ends)}."


def _moved(table: pd.DataFrame) -> str:
    """What is done to an input: it moves along a range, or takes an alternative that was declared for it."""
    if "lower_end" not in table:
        return "an input moves to its lower or upper end"
    ends = f"{table['lower_end'].iloc[0]} or its {table['upper_end'].iloc[0]}"
    alone = table[["lower_change", "upper_change"]].isna().any(axis=None)
    return (
        f"an input takes its {ends} alternative, as declared (the words describe the belief about the input, so that "
        f"either may raise or lower the answer{'; a bar alone: no other is declared' if alone else ''})"
    )


FIGURE = Figure(name="tornado",
                title="How far the answer moves between the low and the high end of each input, largest first.",
                needs=(("tornado", "alternatives"),), columns=("input", "lower_change", "upper_change", "unit"),
                table=tornado_table, ready=_ready, draw=_draw, says=_says,
                height=lambda table, width: 18 + tall(table["input"], width))  # fmt: skip
