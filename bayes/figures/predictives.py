"""Observed rows against replicated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import SMALL, Page, PaperFigure, page
from bayes.figures.captions import caption
from bayes.figures.tables import Data, finished
from bayes.numbers import number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


__all__ = ["predictive"]

COLUMNS = (
    "layer",
    "row",
    "label",
    "unit",
    "lower",
    "upper",
    "prob",
    "kind",
    "scale",
    "value",
    "middle",
    "low",
    "high",
    "x",
    "y",
)
_MM = 4.6


@checked
def predictive(data: Data, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw each observed row on its standardised predictive distribution, with the numbers in natural units.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.predictive` makes, or any fit with ``observed_data`` and
        ``posterior_predictive``.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.predictive(fit).savefig("predictive.pdf")
    """
    table = finished(data, figuredata.predictive, COLUMNS)
    rows = list(dict.fromkeys(table["row"]))
    with page(table, width, style, 19 + _MM * len(rows), layout=None) as sheet:
        axes = _axes(sheet, table, len(rows))
        for i, name in enumerate(rows):
            _row(sheet, axes, table[table["row"] == name], -float(i))
        axes.set_xlabel(
            "Standard deviations from\npredictive median"
            if sheet.narrow
            else "Standard deviations from the predictive median"
        )
        _write(sheet, axes, 0.95, ("Observed", "Predicted (95%)", "p"), "Unit")
        sheet.figure.caption = caption(
            table,
            "Posterior predictive checks, row by row.",
            "Bars: intervals of replicates, standardised by their median and standard deviation (of logarithms where "
            "they are very skewed); circles: what was "
            "observed, filled outside the 95 % interval; p: share of replicates below the observed value, ties "
            "counted half.",
        )
    return sheet.figure


def _columns(sheet: Page) -> tuple[float, float, float]:
    """Right edges of the columns of numbers, in mm from the axes."""
    return (0.0, 24.0, 31.0) if sheet.narrow else (14.0, 42.0, 52.0)


def _axes(sheet: Page, table: pd.DataFrame, rows: int) -> Axes:
    left = 3 + max(sheet.text_mm(_label(sheet, str(label))) for label in set(table["label"]))
    right = _columns(sheet)[-1] + (1.5 if sheet.narrow else 32.0)
    bottom = 13 if sheet.narrow else 10
    axes = sheet.figure.add_axes(
        (
            left / sheet.width,
            bottom / sheet.height,
            (sheet.width - left - right) / sheet.width,
            (sheet.height - bottom - 6) / sheet.height,
        )
    )
    ends = [float(table["lower"].min()), float(table["upper"].max()), float(table["x"].min()), float(table["x"].max())]
    axes.set_xlim(min(ends) - 0.2, max(ends) + 0.2)
    axes.set_ylim(-rows + 0.4, 0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=sheet.palette.rule, linewidth=0.6)
    return axes


def _label(sheet: Page, text: str) -> str:
    most = 20 if sheet.narrow else 40
    short = text.replace("_", " ").split(" (")[0] if sheet.narrow else text.replace("_", " ")
    return short if len(short) <= most else f"{short[: most - 1]}…"


def _row(sheet: Page, axes: Axes, table: pd.DataFrame, y: float) -> None:
    colours = sheet.palette
    for row in table[table["layer"] == "interval"].sort_values("prob", ascending=False).itertuples():
        axes.plot(
            [row.lower, row.upper],
            [y, y],
            color=colours.bands[2] if row.prob < 0.9 else colours.bands[1],
            linewidth=3.4 if row.prob < 0.9 else 1.3,
            solid_capstyle="butt",
            gid=f"interval {row.prob:g}",
        )
    seen = table[table["layer"] == "observed"].iloc[0]
    outside = not seen["low"] <= seen["value"] <= seen["high"]
    axes.plot(
        [seen["x"]],
        [y],
        marker="o",
        markersize=3.4,
        color=colours.accent if outside else "white",
        markeredgecolor=colours.accent if outside else colours.ink,
        markeredgewidth=0.9,
        zorder=5,
        gid="observed",
    )
    texts = (
        _number(seen["value"]),
        f"{_number(seen['middle'])} ({_number(seen['low'])} to {_number(seen['high'])})",
        f"{seen['y']:.2f}",
    )
    _write(sheet, axes, y, texts, str(seen["unit"]), _label(sheet, str(seen["label"])))


def _number(value: float) -> str:
    return number(float(f"{value:.2g}") if abs(value) < 10 else float(f"{value:.3g}"))


def _write(sheet: Page, axes: Axes, y: float, numbers: tuple[str, str, str], unit: str, label: str = "") -> None:
    mm = 1 / (axes.get_position().width * sheet.width)
    at = axes.get_yaxis_transform()
    if label:
        axes.text(-1.5 * mm, y, label, transform=at, ha="right", va="center_baseline", fontsize=SMALL)
    for x, text in zip(_columns(sheet), numbers, strict=True):
        if x > 0:
            axes.text(1 + x * mm, y, text, transform=at, ha="right", va="center_baseline", fontsize=SMALL)
    if not sheet.narrow:
        axes.text(
            1 + 54.0 * mm,
            y,
            unit.replace("log offences/person-year", "log offences/year"),
            transform=at,
            ha="left",
            va="center_baseline",
            fontsize=SMALL,
        )
