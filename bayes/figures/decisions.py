"""What to choose and what it is worth to know more: acceptability curve and value of information."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.ticker import FuncFormatter

from bayes.arguments import checked
from bayes.figures.canvas import NARROW, SMALL, Page, PaperFigure, page, width_mm
from bayes.figures.captions import caption
from bayes.figures.marks import letter
from bayes.figures.scales import counts, percent
from bayes.figures.tables import finished
from bayes.numbers import compact, number
from bayes.ranking import ranked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["acceptability"]

CURVE = ("willingness_to_pay", "option", "probability")
VALUE = ("quantity", "input", "estimate")
MOST = 10


@checked
def acceptability(
    data: pd.DataFrame,
    voi: pd.DataFrame | None = None,
    *,
    width: str | float = "double",
    style: str = "journal",
    currency: str = "£",
) -> PaperFigure:
    """Draw the cost-effectiveness acceptability curve and, beside it, the value of information.

    Parameters
    ----------
    data
        What :func:`bayes.sensitivity.acceptability_curve` returns.
    voi
        Rows of :func:`bayes.sensitivity.evpi` and :func:`bayes.sensitivity.evppi`: ``quantity, input, estimate, mcse``.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.
    currency
        Sign of the money.

    Examples
    --------
    >>> rows = pd.DataFrame({"willingness_to_pay": [0.0, 10.0], "option": ["scale up"] * 2, "probability": [0.1, 0.6]})
    >>> len(acceptability(rows).axes)
    1
    """
    curve = finished(data, None, CURVE).assign(layer="curve")
    value = None if voi is None or voi.empty else _worth(voi)
    table = curve if value is None else pd.concat([curve, value], ignore_index=True)
    narrow = width_mm(width) < NARROW
    rows = 0 if value is None else len(value)
    height = 58 + (0 if value is None or not narrow else 14 + 6.5 * rows)
    with page(table, width, style, max(height, 58 if narrow else 14 + 6.5 * rows)) as sheet:
        if value is None:
            first = sheet.figure.add_subplot()
        else:
            shape = (2, 1) if narrow else (1, 2)
            first, second = sheet.figure.subplots(*shape, height_ratios=(50, 12 + 6.5 * rows) if narrow else None)
            letter(first, "a")
            letter(second, "b")
            _values(sheet, second, value, currency)
        _curves(sheet, first, curve, currency)
        sheet.figure.caption = caption(
            table,
            "Acceptability, and the value of knowing more.",
            "Probability that each option has the highest net benefit, by willingness to pay for one offence avoided; "
            "thick where it is the best choice on average. Bars: expected value of perfect information, of all inputs "
            "(EVPI) and of single ones (EVPPI), with "
            "two Monte Carlo standard errors where they are known.",
        )
    return sheet.figure


def _curves(sheet: Page, axes: Axes, table: pd.DataFrame, currency: str) -> None:
    names = list(dict.fromkeys(table["option"]))
    lines: list[Line2D] = []
    for i, name in enumerate(names):
        part = table[table["option"] == name].sort_values("willingness_to_pay")
        line = sheet.palette.line(i)
        lines += axes.plot(part["willingness_to_pay"], part["probability"], linewidth=1.0, gid=str(name), **line)
        if "optimal" in part:
            best = part["probability"].where(part["optimal"].astype(bool))
            axes.plot(
                part["willingness_to_pay"],
                best,
                linewidth=2.6,
                alpha=0.45,
                color=line["color"],
                gid=f"optimal {name}",
            )
    axes.set_ylim(0, 1)
    axes.set_xlim(float(table["willingness_to_pay"].min()), float(table["willingness_to_pay"].max()))
    percent(axes.yaxis)
    counts(axes.xaxis)
    axes.grid(axis="y", color=sheet.palette.rule, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.set_xlabel(f"Willingness to pay ({currency} per offence avoided)")
    axes.set_ylabel("Probability of being best")
    if len(names) > 1:
        axes.legend(lines, [str(name) for name in names], loc="best", handlelength=2.4, labelspacing=0.3)
    else:
        axes.set_title(str(names[0]), fontsize=SMALL, weight="normal", loc="right")


def _worth(voi: pd.DataFrame) -> pd.DataFrame:
    """The most valuable rows, ranked; errors are 0 where the table does not know them."""
    found = finished(voi[voi["estimate"] > 0] if "estimate" in voi else voi, None, VALUE)
    known = found.assign(mcse=found["mcse"].fillna(0.0) if "mcse" in found else 0.0)
    return ranked(known, "estimate", "mcse").head(MOST).assign(layer="value")


def _words(row: Any) -> str:
    name = str(row.input).replace("_", " ")
    return "EVPI" if row.quantity == "EVPI" else f"EVSI: {name}" if row.quantity == "EVSI" else name


def _values(sheet: Page, axes: Axes, table: pd.DataFrame, currency: str) -> None:
    names = ["\n".join(textwrap.wrap(_words(row), 24)) for row in table.itertuples()]
    for i, row in enumerate(table.itertuples()):
        axes.barh(
            -i,
            row.estimate,
            height=0.62,
            color=sheet.palette.main if row.quantity == "EVPI" else sheet.palette.bands[1],
            gid="value",
        )
        mcse = float(row.mcse)
        error = 2 * mcse
        if error > 0:
            axes.plot(
                [row.estimate - error, row.estimate + error],
                [-i, -i],
                color=sheet.palette.ink,
                linewidth=0.8,
                gid="error",
            )
        axes.annotate(
            _money(currency, float(row.estimate), mcse, int(row.extra)),
            (float(row.estimate) + error, -i),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=SMALL,
            va="center_baseline",
        )
    axes.set_yticks([-i for i in range(len(names))], names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-len(names) + 0.4, 0.6)
    axes.set_xlim(0, 1.3 * (float(table["estimate"].max()) or 1.0))
    counts(axes.xaxis, 4)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: compact(v)))
    axes.set_xlabel(f"Expected value of information ({currency})")


def _money(currency: str, value: float, mcse: float, extra: int) -> str:
    text = number(value, mcse, extra)
    return text if text in ("0", "–") else f"−{currency}{text[1:]}" if text[0] == "−" else f"{currency}{text}"
