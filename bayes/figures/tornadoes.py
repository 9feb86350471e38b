"""What moves the answer: tornado of changes, Shapley bars, the budget of uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.ticker import FuncFormatter, MaxNLocator

from bayes.arguments import checked
from bayes.figures.canvas import SMALL, Page, PaperFigure, page
from bayes.figures.captions import caption
from bayes.figures.scales import axis_title, counts, logarithmic, unit_text
from bayes.figures.tables import finished
from bayes.numbers import compact, number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["shapley", "tornado", "waterfall"]

_MM = 5.0
MOST = 15
"""Inputs shown; the rest are left out and counted in the caption."""


@checked
def tornado(data: pd.DataFrame, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw how far the answer moves between the low and the high end of each input, largest first.

    Parameters
    ----------
    data
        ``input, lower_change, upper_change, unit``: changes of the answer with the input at its lower and upper end.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"input": ["a"], "lower_change": [-1.0], "upper_change": [2.0], "unit": ["offences"]})
    >>> len(tornado(rows).axes)
    1
    """
    found = finished(data, None, ("input", "lower_change", "upper_change", "unit"))
    span = found[["lower_change", "upper_change"]].abs().max(axis=1)
    table = found.loc[span.sort_values(ascending=False).index].head(MOST).reset_index(drop=True)
    with page(table, width, style, 18 + _MM * len(table)) as sheet:
        axes = sheet.figure.add_subplot()
        colours = {"lower": sheet.palette.bands[2], "upper": sheet.palette.main}
        for i, row in enumerate(table.itertuples()):
            axes.barh(-i + 0.18, row.lower_change, height=0.34, color=colours["lower"], gid="lower")
            axes.barh(-i - 0.18, row.upper_change, height=0.34, color=colours["upper"], gid="upper")
        _names(axes, [str(v) for v in table["input"]])
        axes.axvline(0, color=sheet.palette.ink, linewidth=0.6)
        counts(axes.xaxis, 7)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: ("+" if v > 0 else "") + number(v)))
        unit = unit_text(str(table["unit"].iloc[0]))
        axes.set_xlabel(f"Change of the answer\n({unit})" if sheet.narrow else axis_title("Change of the answer", unit))
        for side, key in (("left", "lower"), ("right", "upper")):
            words = str(table[f"{key}_end"].iloc[0]) if f"{key}_end" in table else f"{key} end"
            axes.set_title(f"■ {words}", fontsize=SMALL, weight="normal", color=colours[key], loc=side)  # type: ignore[arg-type]
        sheet.figure.caption = caption(
            table,
            "What moves the answer.",
            f"Change of the answer when {_moved(table)}, the others as they are; largest first{_rest(found, table)}.",
        )
    return sheet.figure


@checked
def shapley(data: pd.DataFrame, *, width: str | float = "single", style: str = "journal") -> PaperFigure:
    """Draw the Shapley share of variance of each input with its interval.

    Parameters
    ----------
    data
        What :func:`bayes.sensitivity.variance_indices` returns: ``input, measure, estimate, lower, upper, prob, kind``.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"input": ["a"], "measure": ["shapley"], "estimate": [0.7], "lower": [0.6],
    ...                        "upper": [0.8], "prob": [0.95],
    ...                      "kind": ["confidence"]})
    >>> len(shapley(rows).axes)
    1
    """
    from bayes.sensitivity.variance import quoted  # brings SciPy, which a figure of any other table does not need

    found = finished(data, None, ("input", "measure", "estimate", "lower", "upper", "prob", "kind"))
    found = finished(quoted(found), None, ())
    table = found.head(MOST)
    with page(table, width, style, 13 + _MM * len(table)) as sheet:
        axes = sheet.figure.add_subplot()
        for i, row in enumerate(table.itertuples()):
            axes.barh(-i, row.estimate, height=0.62, color=sheet.palette.bands[1], gid="bar")
            axes.plot(
                [row.lower, row.upper],
                [-i, -i],
                color=sheet.palette.main,
                linewidth=1.2,
                solid_capstyle="butt",
                gid="interval",
            )
            axes.plot(
                [row.estimate],
                [-i],
                marker="o",
                markersize=3.2,
                color="white",
                markeredgecolor=sheet.palette.main,
                markeredgewidth=0.9,
            )
            at = max(float(row.upper), float(row.estimate), 0.0)
            axes.annotate(
                f"{round(100 * row.estimate) + 0:d}%".replace("-", "−"),
                (at, -i),
                xytext=(4, 0),
                textcoords="offset points",
                fontsize=SMALL,
                va="center_baseline",
            )
        _names(axes, [str(v) for v in table["input"]])
        axes.axvline(0, color=sheet.palette.ink, linewidth=0.6)
        axes.set_xlim(min(0.0, 1.05 * float(table["lower"].min())), 1.18 * max(float(table["upper"].max()), 0.05))
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g}%".replace("-", "−")))
        of = str(table["scale"].iloc[0]) if "scale" in table else ""
        words = "Shapley share of variance (%)"
        axes.set_xlabel(f"{words}\n{of}" if of and of != "target" else words)
        sheet.figure.caption = caption(
            table,
            "Where the variance comes from.",
            f"Shapley effects with their confidence intervals, largest first{_rest(found, table)}; an estimate may "
            "lie below zero, because it is not clipped.",
        )
    return sheet.figure


@checked
def waterfall(data: pd.DataFrame, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw how the interval of the answer changes as one uncertainty after the other is let in.

    A bar is a row's own interval; the thin line over it is that of the row above, which may be the longer one. Nothing
    is told by lightness, so that the picture reads the same on dark paper.

    Parameters
    ----------
    data
        ``step, lower, estimate, upper`` in order; ``unit``, ``prob`` and ``kind`` if there.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"step": ["sampling", "+ drift"], "lower": [1.0, 0.5], "estimate": [2.0, 2.0],
    ...                        "upper": [3.0, 5.0]})
    >>> len(waterfall(rows).axes)
    1
    """
    table = finished(data, None, ("step", "lower", "estimate", "upper"))
    log = bool((table["lower"] > 0).all() and float(table["upper"].max()) > 30 * float(table["lower"].min()))
    with page(table, width, style, 18 + _MM * len(table)) as sheet:
        axes = sheet.figure.add_subplot()
        previous: Any = None
        for i, row in enumerate(table.itertuples()):
            _step(sheet, axes, row, previous, -float(i))
            previous = row
        _names(axes, [str(v) for v in table["step"]])
        _limits(axes, table, log)
        unit = unit_text(str(table["unit"].iloc[0])) if "unit" in table else ""
        axes.set_xlabel(
            axis_title("Answer", unit, "log scale" if log else "")
            if not sheet.narrow
            else axis_title("Answer", unit, "log scale" if log else "").replace(" (", "\n(")
        )
        sheet.figure.caption = caption(
            table,
            "The budget of uncertainty.",
            f"From top to bottom one source of uncertainty after the other is let in, in this order: {_order(table)}. "
            "Bar: the interval with this source and all above it free; thin line over it: the interval of the row "
            "above. Where a bar ends beyond the line the interval has grown, where it ends within it shrunk; circles: "
            "medians. "
            "The order is chosen: in another one each source would change the interval by another amount, and only the "
            "last row would be the same.",
        )
    return sheet.figure


def _order(table: pd.DataFrame) -> str:
    return ", ".join(str(step).removeprefix("+ ").replace("_", " ") for step in table["step"])


def _step(sheet: Page, axes: Axes, row: Any, previous: Any, y: float) -> None:
    colours = sheet.palette
    if row.upper > row.lower:
        axes.barh(y, row.upper - row.lower, left=row.lower, height=0.5, color=colours.bands[1], gid="interval")
    if previous is not None and previous.upper > previous.lower:
        ends, above = [previous.lower, previous.upper], y + 0.38
        axes.plot(ends, [above, above], color=colours.ink, linewidth=0.9, solid_capstyle="butt", gid="before")
        axes.plot(ends, [above, above], color=colours.ink, linestyle="", marker="|", markersize=3.5, gid="before ends")
    axes.plot(
        [row.estimate],
        [y],
        marker="o",
        markersize=3.4,
        color="white",
        markeredgecolor=colours.ink,
        markeredgewidth=0.9,
        gid="estimate",
        zorder=5,
    )
    low_error, high_error = (float(getattr(row, f"mcse_{end}", 0.0)) for end in ("lower", "upper"))
    text = f"{compact(row.lower, low_error)} to {compact(row.upper, high_error)}".replace("-", "−")
    axes.annotate(
        text,
        (1.0, y),
        xycoords=axes.get_yaxis_transform(),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=SMALL,
        ha="left",
        va="center_baseline",
    )


def _limits(axes: Axes, table: pd.DataFrame, log: bool) -> None:
    low, high = float(table["lower"].min()), float(table["upper"].max())
    if log:
        axes.set_xlim(low * 0.9, high * 1.1)
        logarithmic(axes, "x")
    else:
        axes.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low or 1.0))
        counts(axes.xaxis)


def _names(axes: Axes, names: list[str]) -> None:
    axes.set_yticks([-i for i in range(len(names))], [name.replace("_", " ") for name in names])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-len(names) + 0.4, 0.6)


def _moved(table: pd.DataFrame) -> str:
    """What is done to an input: it moves along a range, or takes an alternative that was declared for it."""
    if "lower_end" not in table:
        return "an input moves to its lower or upper end"
    ends = f"{table['lower_end'].iloc[0]} or its {table['upper_end'].iloc[0]}"
    alone = table[["lower_change", "upper_change"]].isna().any(axis=None)
    return (
        f"an input takes its {ends} alternative, as declared (either may raise or lower the answer: the word is of "
        f"the input and not of the answer{'; a bar alone: no other is declared' if alone else ''})"
    )


def _rest(found: pd.DataFrame, shown: pd.DataFrame) -> str:
    left = len(found) - len(shown)
    return f"; {left} smaller ones are not shown" if left else ""
