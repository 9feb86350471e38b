"""What the tables of figures share: one row for each thing that is drawn, with columns common to all.

``layer``
    what a row is: a point of a density, an interval, a median, a reference, an observation;
``unit``
    of the plotted value; ``prob`` and ``kind`` of an interval (``eti``, equal tails);
``draws``, ``chains``, ``verdict``
    how many draws it rests on, and what the diagnostics said of them.

Intervals come from :func:`bayes.summaries.interval`, densities from ArviZ's kernel estimator.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import check_columns
from bayes.errors import UsageError, closest
from bayes.summaries import SAMPLE, interval, interval_errors, summarise

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataArray, Dataset, DataTree

__all__ = ["PROBS", "SHAPES", "available", "density", "draws_of", "exactly", "group", "intervals", "log_density",
           "of_quantity", "outline", "pick", "precision", "sampled", "skewed_density", "stamp", "stamped", "whole",
           "whole_ends", "wide"]  # fmt: skip

PROBS = (0.5, 0.8, 0.95)
KIND = "eti"
GRID = 256
BARS = 100
"""Bars of a variable of whole numbers, at most: where more lie on an axis, neighbours share a bar."""
SHAPES = ("density", "bar")
"""Layers that draw a distribution: a curve, or bars at whole numbers."""
SKEWED = 8.0
"""Upper end of a positive quantity's 95 % interval over its median above which its axis is logarithmic."""

Floats = np.ndarray[Any, np.dtype[np.float64]]
Rows = list[dict[str, Any]]
type Curve = Callable[[Floats, float, float], tuple[Floats, Floats]]


def available(data: Dataset, names: Iterable[str], what: str = "variable") -> None:
    """Raise unless every name is a variable of the data.

    Raises
    ------
    UsageError
        "variable 'x' not found", with what exists.
    """
    present = [str(name) for name in data.data_vars]
    for name in names:
        if name not in present:
            raise UsageError(f"{what} {name!r} not found; available: {', '.join(present)}", key=what, found=name,
                             fix=closest(name, present) or "choose one that exists")  # fmt: skip


def group(fit: DataTree, name: str) -> Dataset:
    """Return a group of a fitted ``DataTree`` as a dataset.

    Raises
    ------
    UsageError
        "group 'x' not found", with what exists; or why it was left out.
    """
    if name not in fit.children:
        why = json.loads(fit.attrs.get("left_out", "{}")).get(name)
        if why:
            raise UsageError(f"the fit has no group {name!r}: {why}", key="group", found=name)
        raise UsageError(f"group {name!r} not found; available: {', '.join(fit.children)}", key="group", found=name,
                         fix="sample with that group")  # fmt: skip
    return fit[name].to_dataset()


def pick(array: DataArray, dim: str, label: object) -> DataArray:
    """Select one label of a dimension, or list the labels there are."""
    labels = array[dim].values.tolist()
    if label not in labels:
        raise UsageError(f"{dim} {label!r} not found; available: {', '.join(map(str, labels))}", key=dim, found=label,
                         fix=closest(str(label), map(str, labels)) or "choose one that exists")  # fmt: skip
    return array.sel({dim: label})


def draws_of(array: DataArray) -> Floats:
    """Return all draws of a series (chain, draw) in one dimension.

    Raises
    ------
    UsageError
        If there are several series, draws without a value, or so many infinite ones that an interval has no end.
    """
    extra = [d for d in array.dims if d not in ("chain", "draw")]
    if extra:
        raise UsageError(f"variable {array.name!r} has more than one series", key=str(array.name), found=extra,
                         fix="select one")  # fmt: skip
    draws = np.asarray(array.transpose("chain", "draw").values, dtype=float).ravel()
    for found, what in ((np.isnan(draws), "undefined"), (np.isinf(draws), "infinite")):
        if found.mean() > (_BEYOND if what == "infinite" else 0.0):
            raise UsageError(f"a figure cannot show draws that are {what}", key=str(array.name),
                             found=f"{int(found.sum()):,} of {draws.size:,} draws", allowed="finite numbers",
                             fix="read its summary in the tables, or draw another outcome")  # fmt: skip
    return draws


_BEYOND = 0.005
"""Share of infinite draws that every interval of a figure leaves beyond its end."""


def intervals(values: Floats, probs: Sequence[float] = PROBS) -> Rows:
    """Return one row (``layer`` interval) for each probability, and the median."""
    rows: Rows = []
    for prob in probs:
        low, high = interval(values, prob, KIND)
        rows.append({"layer": "interval", "lower": low, "upper": high, "prob": prob, "kind": KIND})
    return [*rows, {"layer": "median", "x": float(np.median(values))}]


def wide(values: Floats, factor: float = SKEWED) -> bool:
    """Say whether a quantity is positive and has so long an upper tail that its axis should be logarithmic."""
    return bool(values.min() > 0 and interval(values, 0.95, KIND)[1] > factor * np.median(values))


def density(values: Floats, low: float, high: float, bw: str = "experimental") -> tuple[Floats, Floats]:
    """Return a grid from low to high and the density of all draws on it; mass outside keeps its share."""
    from bayes.arraystats import array_stats

    span = high - low
    near = values[(values >= low - 0.3 * span) & (values <= high + 0.3 * span)]
    grid, pdf, _ = array_stats.kde(near, grid_len=512, bw=bw)
    x = np.linspace(low, high, GRID)
    step = 0.02 * span  # a quantity bounded at an end of the axis keeps its density there
    left, right = (float(pdf[i]) if abs(grid[i] - end) < step else 0.0 for i, end in ((0, low), (-1, high)))
    return x, np.interp(x, grid, pdf, left=left, right=right) * len(near) / len(values)


def log_density(values: Floats, low: float, high: float) -> tuple[Floats, Floats]:
    """Return a geometric grid and the density per factor of ten; draws at or below zero keep their share."""
    positive = values[values > 0]
    x, pdf = density(np.log10(positive), np.log10(low), np.log10(high))
    return 10**x, pdf * len(positive) / len(values)


def skewed_density(values: Floats, low: float, high: float) -> tuple[Floats, Floats]:
    r"""Return the density of a skewed quantity, smoothed on the scale :math:`\mathrm{asinh}(x/s)`, s its median size.

    A bandwidth that suits the mode of a long-tailed quantity leaves its tail ragged; on this scale it grows with the
    value.
    """
    s = float(np.median(np.abs(values))) or 1.0
    t, pdf = density(np.arcsinh(values / s), float(np.arcsinh(low / s)), float(np.arcsinh(high / s)), "scott")
    x = np.linspace(low, high, GRID)
    return x, np.interp(np.arcsinh(x / s), t, pdf) / np.hypot(x, s)


def whole(*series: Floats) -> bool:
    """Say whether a variable counts: whether all its draws are whole numbers, small enough for halves to be told.

    >>> whole(np.array([0.0, 3.0]), np.array([7.0])), whole(np.array([0.0, 0.5]))
    (True, False)
    """
    return all(bool(np.all((values == np.rint(values)) & (np.abs(values) < 2**51))) for values in series)


def whole_ends(low: float, high: float, *series: Floats) -> tuple[float, float]:
    """Return the ends of an axis, for a variable of whole numbers widened to whole numbers."""
    return (math.floor(low), math.ceil(high)) if whole(*series) else (low, high)


def outline(values: Floats, low: float, high: float, curve: Curve, bars: bool) -> Rows:
    r"""Return the rows that draw a distribution between two ends: a curve, or bars at whole numbers.

    Parameters
    ----------
    values, low, high
        All draws, and the ends of the axis.
    curve
        :func:`density`, :func:`skewed_density` or :func:`log_density`.
    bars
        What :func:`whole` says of the variable.

    Returns
    -------
    list of dict
        Layer ``density`` with ``x`` and ``y``; or layer ``bar`` with the middle ``x`` and the ``width`` of each bar.
        The height ``y`` of a bar from a to b is :math:`P(a < X < b)` over :math:`b - a`, or over
        :math:`\log_{10}(b/a)` where the curve is a density per factor of ten, so that areas are probabilities.
    """
    if not bars:
        return [{"layer": "density", "x": float(a), "y": float(b)}
                for a, b in zip(*curve(values, low, high), strict=True)]  # fmt: skip
    log = curve is log_density
    ends = (np.geomspace if log else np.linspace)(low, high + 1, BARS + 1)
    edges = np.unique(np.rint(ends)) - 0.5
    size = np.diff(np.log10(edges)) if log else np.diff(edges)
    heights = np.histogram(values, edges)[0] / len(values) / size
    return [{"layer": "bar", "x": float((a + b) / 2), "y": float(y), "width": float(b - a)}
            for a, b, y in zip(edges[:-1], edges[1:], heights, strict=True)]  # fmt: skip


def exactly(rows: Rows, draws: Floats, law: Any, log: bool) -> Rows:
    """Return the density of a known distribution at a curve's points, or the curve where draws are not its own."""
    level, x = law.cdf(draws), np.array([row["x"] for row in rows])
    y = law.pdf(x) * (x * np.log(10) if log else 1.0)
    own = abs(np.mean(level) - 0.5) < 5 / np.sqrt(12 * len(draws)) and bool(np.isfinite(y).all())
    return [{**row, "y": float(height)} for row, height in zip(rows, y, strict=True)] if own else rows


def precision(array: DataArray) -> dict[str, float]:
    """Return the Monte Carlo errors of median and interval ends of one series (chain, draw)."""
    names = ("mcse", "mcse_lower", "mcse_upper")
    if "circular" in array.attrs:
        row = summarise(array.to_dataset(name="x"), prob=max(PROBS), kind=KIND).iloc[0]
        return {name: float(row[name]) for name in names}
    found = interval_errors(array.transpose(*SAMPLE).values, max(PROBS), KIND)
    return dict(zip(names, found, strict=True))


def stamped(rows: Rows, data: Dataset | DataTree, first: Sequence[str]) -> pd.DataFrame:
    """Make a table of rows, leading columns first, with the number of draws and chains and the verdict."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    lead = [c for c in ("layer", *first) if c in frame]
    frame = frame[[*lead, *(c for c in frame.columns if c not in lead)]]
    return frame.assign(**stamp(data))


def stamp(data: Dataset | DataTree) -> Mapping[str, Any]:
    """Return draws, chains and verdict of a fit or a projection; draws taken as one chain are counted as such."""
    sizes = data["posterior"].sizes if "posterior" in getattr(data, "children", ()) else data.sizes
    chains = int(sizes.get("chain", 1))
    return {"draws": chains * int(sizes.get("draw", 0)), "chains": chains,
            "verdict": str(data.attrs.get("verdict", "not checked"))}  # fmt: skip


def sampled(fit: DataTree, forward: bool = True) -> list[str] | None:
    """Return the names of the quantities of a stamped fit, sampled and drawn forward; None if unstamped."""
    found: list[str] = []
    for key in ("mcmc_variables", "forward_variables") if forward else ("mcmc_variables",):
        found += json.loads(str(fit.attrs.get(key, "[]")))
    return found or None


def of_quantity(changes: pd.DataFrame, columns: tuple[str, ...], quantity: str | None) -> pd.DataFrame:
    """Return the rows of one quantity of a table of changes, the first in it unless named.

    Raises
    ------
    UsageError
        If a column or the quantity does not exist.
    """
    check_columns(changes, columns)
    present = list(dict.fromkeys(changes["quantity"]))
    chosen = quantity if quantity is not None else present[0] if present else ""
    if chosen not in present:
        raise UsageError(f"quantity {chosen!r} not found; available: {', '.join(map(str, present))}", key="quantity",
                         found=chosen)  # fmt: skip
    return changes[changes["quantity"] == chosen]
