"""``predictive``: observed rows against replicated ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.transforms import blended_transform_factory

from bayes.arguments import checked
from bayes.draws import Fit, fit_from
from bayes.figures.canvas import NARROW, SMALL, Page
from bayes.figures.marks import LINE, above, circle, placed, segment, spaced, wrapped
from bayes.figures.record import Figure
from bayes.figures.scales import cell, counts
from bayes.figures.tabulation import KIND, Floats, Rows, available, group, intervals, precision, stamped, wide
from bayes.numbers import label_text
from bayes.summaries import interval
from bayes.words import spaced as in_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from xarray import Dataset

    from bayes.figures.gallery import Gallery

__all__ = ["FIGURE"]

_MM = 4.6


@checked
def predictive_table(
    fit: Fit, *, variables: Sequence[str] | None = None, labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Tabulate each observed row against its posterior predictive draws, standardised by their median and sd.

    Parameters
    ----------
    fit
        Any fitted ``DataTree`` with groups ``observed_data`` and ``posterior_predictive``.
    variables
        Observed variables; all by default.
    labels, units
        Words and units by row.

    Returns
    -------
    DataFrame
        By row: ``interval`` (lower, upper in sd from the predictive median; of logarithms where ``scale`` is ``log``)
        and ``observed`` (x in the same sd, y the share of replicates below it, ties counted half), each with ``value``
        (observed), ``middle``, ``low`` and ``high`` (predictive median and 95 % interval) in natural units, and the
        Monte Carlo errors of these three.
    """
    fit = fit_from(fit)
    observed, replicated = group(fit, "observed_data"), group(fit, "posterior_predictive")
    names = list(variables) if variables is not None else [str(n) for n in observed.data_vars if n in replicated]
    available(observed, names)
    available(replicated, names)
    rows: Rows = []
    for name in names:
        for key, value, draws in zip(*_rows_of(observed, replicated, name), strict=True):
            unit = (units or {}).get(key, (units or {}).get(name, ""))
            same = {"variable": name, "row": key, "label": (labels or {}).get(key, in_words(key)), "unit": unit}
            rows += [{**row, **same} for row in _checked(float(value), draws.ravel(), _precision(draws))]
    return stamped(rows, fit, ("variable", "row", "label", "unit"))


def _rows_of(observed: Dataset, replicated: Dataset, name: str) -> tuple[list[str], Floats, Floats]:
    """The rows' names, observed values (row), and replicates (row, chain, draw)."""
    array = observed[name]
    values = np.asarray(array.values, dtype=float).ravel()
    draws = np.asarray(replicated[name].transpose(*array.dims, "chain", "draw").values, dtype=float)
    keys = [name] if len(values) == 1 else [f"{name}[{i}]" for i in range(len(values))]
    if len(array.dims) == 1 and array.dims[0] in array.coords:
        keys = [label_text(v) for v in array[array.dims[0]].values]
    return keys, values, draws.reshape(len(values), *draws.shape[-2:])


def _precision(draws: Floats) -> dict[str, float]:
    from xarray import DataArray

    return precision(DataArray(draws, dims=("chain", "draw")))


def _checked(value: float, draws: Floats, errors: Mapping[str, float]) -> Rows:
    log = value > 0 and wide(draws, 3.0)
    scaled, at = (np.log(draws), float(np.log(value))) if log else (draws, value)
    centre, sd = float(np.median(scaled)), float(scaled.std()) or 1.0
    low, high = interval(draws, 0.95, KIND)
    same: dict[str, Any] = {"scale": "log" if log else "linear", "value": value, "middle": float(np.median(draws)),
                            "low": low, "high": high, **errors}  # fmt: skip
    rows: Rows = [row for row in intervals((scaled - centre) / sd, (0.5, 0.95)) if row["layer"] == "interval"]
    share = float((draws < value).mean() + 0.5 * (draws == value).mean())
    rows.append({"layer": "observed", "x": (at - centre) / sd, "y": share})
    return [{**row, **same} for row in rows]


def _of_run(run: Gallery) -> pd.DataFrame:
    """Rows in the words of the evidence, or of the question."""
    labels, units = run.row_words()
    return predictive_table(run.fit, labels=labels, units=units)


def _columns(sheet: Page) -> tuple[float, float, float]:
    """Right edges of the columns of numbers, in mm from the axes."""
    return (0.0, 30.0, 38.0) if sheet.narrow else (15.0, 47.0, 57.0)


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    rows = list(dict.fromkeys(table["row"]))
    axes = _axes(sheet, table, len(rows))
    for i, name in enumerate(rows):
        _row(sheet, axes, table[table["row"] == name], -float(i))
    gap = "\n" if sheet.narrow else " "
    axes.set_xlabel(f"Standard deviations from{gap}{'' if sheet.narrow else 'the '}predictive median")
    top = above(sheet, axes, 1.6)
    if not sheet.narrow:
        key = "○ observed   ● outside 95%   ▬ predicted, 50 and 95%"
        across = blended_transform_factory(sheet.figure.transFigure, axes.transData)
        axes.text(1.5 / sheet.width, top, key, transform=across, va="center_baseline", fontsize=SMALL)
    _write(sheet, axes, top, ("Observed", "Predicted (95%)", "p"), "Unit" if table["unit"].any() else "")


def _says(table: pd.DataFrame) -> str:
    seen = table[table["layer"] == "observed"]
    inside = int(seen["value"].between(seen["low"], seen["high"]).sum())
    return (
        f"{inside} of {len(seen)} observed rows lie inside their 95 % predictive interval. Posterior predictive "
        "checks, row by row. Bars: intervals of replicates, standardised by their median and "
        "standard deviation (of logarithms where they are very skewed); circles: what was observed, filled "
        "outside the 95 % interval; p: share of replicates below the observed value, ties counted half."
    )


def _axes(sheet: Page, table: pd.DataFrame, rows: int) -> Axes:
    names = {_wrapped(str(label), sheet.width) for label in set(table["label"])}
    left = 3 + max(sheet.text_mm(line) for name in names for line in name.split("\n"))
    units = max(sheet.text_mm(text) for text in {*table["unit"], "Unit"})
    right = _columns(sheet)[-1] + (1.5 if sheet.narrow else 4.0 + units)
    axes = placed(sheet, left, right, 13.0 if sheet.narrow else 10.0, 6.0)
    ends = [float(table["lower"].min()), float(table["upper"].max()), float(table["x"].min()), float(table["x"].max())]
    axes.set_xlim(min(ends) - 0.2, max(ends) + 0.2)
    counts(axes.xaxis, 3 if sheet.narrow else 6, whole=True)
    axes.set_ylim(-rows + 0.4, 0.6)
    axes.axvline(0, color=sheet.palette.rule, linewidth=0.6)
    return axes


def _wrapped(text: str, width: float) -> str:
    return wrapped(text.split(" (")[0], 20) if width < NARROW else wrapped(text, 40)


def _each(table: pd.DataFrame, width: float) -> float:
    """Height of a row in mm."""
    labels = table.drop_duplicates("row")["label"]
    return max(_MM, 1.05 * LINE * spaced([_wrapped(str(label), width) for label in labels]) + 0.9)


def _row(sheet: Page, axes: Axes, table: pd.DataFrame, y: float) -> None:
    colours = sheet.palette
    for row in table[table["layer"] == "interval"].sort_values("prob", ascending=False).itertuples():
        colour, thick = (colours.bands[2], 3.4) if row.prob < 0.9 else (colours.bands[1], 1.3)
        segment(axes, row.lower, row.upper, y, colour, thick, f"interval {row.prob:g}")
    seen = table[table["layer"] == "observed"].iloc[0]
    outside = not seen["low"] <= seen["value"] <= seen["high"]
    circle(axes, (seen["x"], y), colours.ink, face=colours.ink if outside else "white", size=3.4, gid="observed")
    ends = f"{cell(seen, 'low', 'mcse_lower')} to {cell(seen, 'high', 'mcse_upper')}"
    texts = (cell(seen, "value"), f"{cell(seen, 'middle', 'mcse')} ({ends})", f"{seen['y']:.2f}")
    _write(sheet, axes, y, texts, str(seen["unit"]), _wrapped(str(seen["label"]), sheet.width))


def _write(sheet: Page, axes: Axes, y: float, numbers: tuple[str, str, str], unit: str, label: str = "") -> None:
    mm = 1 / (axes.get_position().width * sheet.width)
    cells = [(-1.5 * mm, label, "right")] if label else []
    cells += [(1 + x * mm, text, "right") for x, text in zip(_columns(sheet), numbers, strict=True) if x > 0]
    cells += [] if sheet.narrow else [(1 + 59.0 * mm, unit, "left")]
    for x, text, align in cells:
        axes.text(x, y, text, transform=axes.get_yaxis_transform(), ha=align, multialignment=align,
                  va="center" if "\n" in text else "center_baseline", fontsize=SMALL)  # fmt: skip


FIGURE = Figure(
    name="predictive",
    title="Observed rows of evidence against what the model predicts for them.",
    needs=("fit",),
    columns=("layer", "row", "label", "unit", "lower", "upper", "prob", "kind", "scale", "value", "middle", "low",
             "high", "x", "y"),
    table=predictive_table,
    of_run=_of_run,
    draw=_draw,
    says=_says,
    height=lambda table, width: 19 + _each(table, width) * table["row"].nunique() + (3 if width < NARROW else 0),
    layout=None,
)  # fmt: skip
