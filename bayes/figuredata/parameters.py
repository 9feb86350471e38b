"""Tables of parameters and data: prior against posterior, and observed against replicated rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import checked
from bayes.elsewhere import Fit, fit_from
from bayes.errors import UsageError
from bayes.figuredata.base import (
    KIND,
    SHAPES,
    Floats,
    Rows,
    available,
    density,
    draws_of,
    group,
    intervals,
    log_density,
    outline,
    precision,
    sampled,
    stamped,
    whole,
    whole_ends,
    wide,
)
from bayes.summaries import element_names, holds_draws, interval

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataArray, Dataset, DataTree

__all__ = ["predictive", "prior_posterior"]

MOST = 12
"""Elements of arrays that are shown where a fit has no scalar."""


@checked
def prior_posterior(
    fit: Fit,
    *,
    variables: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Tabulate prior and posterior density of each scalar quantity.

    Parameters
    ----------
    fit
        Any fitted ``DataTree`` with groups ``prior`` and ``posterior``.
    variables
        By default the scalars that were sampled, or all that both groups share; of a fit without any, elements of its
        arrays.
    labels, units
        Words and units by variable; the name, and the variable's attribute ``unit``, otherwise.

    Returns
    -------
    DataFrame
        By variable and group: ``density`` (x, y, scaled so that the higher of the two peaks is 1; of whole numbers
        ``bar``, with ``width``); of the posterior ``interval`` and ``median``; ``scale`` says whether the axis is
        logarithmic.

    Raises
    ------
    UsageError
        If a group or variable does not exist.
    """
    fit = fit_from(fit)
    prior, post = group(fit, "prior"), group(fit, "posterior")
    names = list(variables) if variables is not None else _shared(fit, prior, post)
    available(post, names)
    available(prior, names)
    rows: Rows = []
    for name in names:
        unit = (units or {}).get(name, post[name].attrs.get("unit", ""))
        for element, before, after in _elements(prior[name], post[name]):
            same = {"variable": element, "label": (labels or {}).get(element, element), "unit": unit}
            rows += [{**row, **same} for row in _pair(draws_of(before), draws_of(after), precision(after))]
    if not rows:
        raise UsageError("no variable has draws in both groups", key="variables",
                         found=[str(v) for v in post.data_vars])  # fmt: skip
    return stamped(rows, fit, ("variable", "label", "unit", "group", "scale"))


def _shared(fit: DataTree, prior: Dataset, post: Dataset) -> list[str]:
    known = sampled(fit)
    both = [str(n) for n, a in post.data_vars.items() if n in prior and holds_draws(a) and holds_draws(prior[n])]
    scalars = [n for n in both if set(post[n].dims) == {"chain", "draw"} and (known is None or n in known)]
    return scalars or [n for n in both if post[n].size <= MOST * post.sizes["chain"] * post.sizes["draw"]][:MOST]


def _elements(prior: DataArray, post: DataArray) -> Iterator[tuple[str, DataArray, DataArray]]:
    """The elements of a variable, each by its name."""
    dims = [d for d in post.dims if d not in ("chain", "draw")]
    for name, index in zip(element_names(post), np.ndindex(*(post.sizes[d] for d in dims)), strict=True):
        at = dict(zip(dims, map(int, index), strict=True))
        yield name, prior.isel(at), post.isel(at)


def _pair(before: Floats, after: Floats, errors: Mapping[str, float]) -> Rows:
    log = wide(before) and after.min() > 0
    ends = np.array([interval(before, 0.98, KIND), interval(after, 0.99, KIND)])
    low, high = whole_ends(float(ends[:, 0].min()), float(ends[:, 1].max()), before, after)
    curve, bars = log_density if log else density, whole(before, after)
    shapes = {g: outline(v, low, high, curve, bars) for g, v in (("prior", before), ("posterior", after))}
    peak = max(row["y"] for shape in shapes.values() for row in shape)
    rows: Rows = []
    for name, values in (("prior", before), ("posterior", after)):
        found = [{**row, "y": row["y"] / peak} for row in shapes[name]]
        rows += [
            {**row, "group": name, "scale": "log" if log else "linear"}
            for row in [*found, *(intervals(values, (0.95,)) if name == "posterior" else [])]
        ]
    return [{**row, **errors} if row["group"] == "posterior" and row["layer"] not in SHAPES else row for row in rows]


@checked
def predictive(
    fit: Fit,
    *,
    variables: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> pd.DataFrame:
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
        and ``observed``
        (x in the same sd, y the share of replicates below it, ties counted half), each with ``value`` (observed),
        ``middle``, ``low`` and
        ``high`` (predictive median and 95 % interval) in natural units.
    """
    fit = fit_from(fit)
    observed, replicated = group(fit, "observed_data"), group(fit, "posterior_predictive")
    names = list(variables) if variables is not None else [str(n) for n in observed.data_vars if n in replicated]
    available(observed, names)
    available(replicated, names)
    rows: Rows = []
    for name in names:
        values, draws, keys = _rows_of(observed, replicated, name)
        for i, key in enumerate(keys):
            same = {
                "variable": name,
                "row": key,
                "label": (labels or {}).get(key, key),
                "unit": (units or {}).get(key, ""),
            }
            rows += [{**row, **same} for row in _checked(float(values[i]), draws[i])]
    return stamped(rows, fit, ("variable", "row", "label", "unit"))


def _rows_of(observed: Dataset, replicated: Dataset, name: str) -> tuple[Floats, Floats, list[str]]:
    """Observed values (row), replicates (row, draw), and the rows' names."""
    array = observed[name]
    values = np.asarray(array.values, dtype=float).ravel()
    draws = np.asarray(replicated[name].transpose(*array.dims, "chain", "draw").values, dtype=float).reshape(
        len(values), -1
    )
    if len(array.dims) == 1 and array.dims[0] in array.coords:
        return values, draws, [str(v) for v in array[array.dims[0]].values]
    return values, draws, [name] if len(values) == 1 else [f"{name}[{i}]" for i in range(len(values))]


def _checked(value: float, draws: Floats) -> Rows:
    log = value > 0 and wide(draws, 3.0)
    scaled, at = (np.log(draws), float(np.log(value))) if log else (draws, value)
    centre, sd = float(np.median(scaled)), float(scaled.std()) or 1.0
    low, high = interval(draws, 0.95, KIND)
    same: dict[str, Any] = {
        "scale": "log" if log else "linear",
        "value": value,
        "middle": float(np.median(draws)),
        "low": low,
        "high": high,
    }
    rows: Rows = [row for row in intervals((scaled - centre) / sd, (0.5, 0.95)) if row["layer"] == "interval"]
    share = float((draws < value).mean() + 0.5 * (draws == value).mean())
    rows.append({"layer": "observed", "x": (at - centre) / sd, "y": share})
    return [{**row, **same} for row in rows]
