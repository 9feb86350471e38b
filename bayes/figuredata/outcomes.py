"""Tables of a projection: one outcome's posterior, the ridge, the fan and the exceedance curves."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import checked
from bayes.elsewhere import Fit, Futures, draws_from, fit_from, futures_from
from bayes.errors import UsageError
from bayes.figuredata.base import (
    KIND,
    PROBS,
    Floats,
    Rows,
    available,
    draws_of,
    intervals,
    log_density,
    outline,
    pick,
    precision,
    skewed_density,
    stamped,
    whole,
    whole_ends,
)
from bayes.scenarios import distinct_labels, middle_scenario
from bayes.summaries import holds_draws, interval
from bayes.words import words_of

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataArray, Dataset, DataTree

__all__ = ["exceedance", "fan", "posterior", "ridge"]

REFERENCE = "press_arithmetic"
GRID_POINTS = 200
PANELS = 2
"""Quantities shown where none is named and the projection names none."""
MOST = 12
"""Scenarios shown where none is named: more cannot be told apart."""


@checked
def posterior(
    data: Fit,
    *,
    quantities: Sequence[str] | None = None,
    scenario: str | None = None,
    year: int | None = None,
    thresholds: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Tabulate the distribution of one scenario in one year: density, intervals, exceeded threshold.

    Parameters
    ----------
    data
        What :func:`bayes.project` returned; or any fit or dataset whose quantities have dims ``chain, draw`` and
        perhaps
        ``scenario`` and ``year``.
    quantities
        One panel each; by default those the projection says it is about, or the first :data:`PANELS` scalars.
    scenario, year
        The middle scenario that is no stress test, and the last year, unless named.
    thresholds
        One for each quantity; the power of ten below its median unless given (zero for a median below zero).

    Returns
    -------
    DataFrame
        Layers ``density`` (x, y per unit; of whole numbers ``bar``, with ``width``), ``interval``,
        ``median``, ``threshold`` (x, and y the probability of more),
        ``reference`` (the press arithmetic, in offences only), ``nonpositive``, ``beneath`` and ``beyond`` (y, the
        probability outside the axis).

    Raises
    ------
    UsageError
        If a quantity, scenario or year does not exist, listing those that do.
    """
    source, stamp_of = opened(data)
    quantities = shown(source, quantities, PANELS)
    if thresholds is not None and len(thresholds) != len(quantities):
        raise UsageError(
            "one threshold for each quantity", key="thresholds", found=list(thresholds), allowed=f"{len(quantities)}"
        )
    rows: Rows = []
    for i, quantity in enumerate(quantities):
        series, same = one(source, quantity, scenario, year)
        values = draws_of(series)
        limit = _power_below(values) if thresholds is None else float(thresholds[i])
        found = _posterior_rows(values, limit, press(source, same))
        rows += [{**row, **same} for row in exact(found, precision(series))]
    return stamped(rows, stamp_of, ("quantity", "unit", "scenario", "label", "year"))


def opened(data: Fit) -> tuple[Dataset, Dataset | DataTree]:
    """Return draws of a projection or a fit, and what says how they came about."""
    import xarray as xr

    if isinstance(data, xr.Dataset | xr.DataArray):
        return (found := draws_from(data)), found
    fit = fit_from(data)
    return fit["posterior"].to_dataset(), fit


def shown(source: Dataset, names: Sequence[str] | None, most: int = 1, dims: Collection[str] = ()) -> list[str]:
    """Return the quantities named, or those that data say they are about, or the first with (at least) these dims.

    Raises
    ------
    UsageError
        If one does not exist, or there is none.
    """
    if names is not None:
        available(source, names, "quantity")
        return list(names)
    words = words_of(source)
    about = [name for name in (words.target, *words.beside) if name in source] if "words" in source.attrs else []
    known, needed = {"chain", "draw", "scenario", "year"}, set(dims)
    found = about or [str(n) for n, a in source.data_vars.items() if holds_draws(a) and needed <= set(a.dims) <= known]
    if not found:
        raise UsageError("no variable has draws to show", key="quantity", found=list(map(str, source.data_vars)),
                         allowed=f"dims chain, draw{''.join(f', {dim}' for dim in dims)}", fix="name one")  # fmt: skip
    return found[:most]


def press(source: Dataset, same: Mapping[str, Any]) -> float:
    """Return the press arithmetic beside one series in offences, where the projection has it."""
    comparable = same["unit"] == "offences" and same["scenario"] and REFERENCE in source
    return _reference(source, same["scenario"], same["year"]) if comparable else math.nan


def reaches(reference: float, right: float) -> bool:
    """Say whether a reference is near enough to the end of an axis to be shown."""
    return reference <= 2 * right


def one(source: Dataset, quantity: str, scenario: str | None, year: int | None) -> tuple[DataArray, dict[str, Any]]:
    """Return one series of draws, and what says which it is."""
    series = source[quantity]
    same: dict[str, Any] = {"quantity": quantity, "unit": series.attrs.get("unit", ""), "scenario": "", "label": ""}
    if "scenario" in series.dims:
        same["scenario"] = headline(source) if scenario is None else scenario
        series = pick(series, "scenario", same["scenario"])
        same["label"] = label(source, same["scenario"])
    same["year"] = math.nan
    if "year" in series.dims:
        same["year"] = _year(source, year)
        series = pick(series, "year", same["year"])
    return series, same


def _posterior_rows(values: Floats, threshold: float, reference: float) -> Rows:
    low, high = interval(values, 0.97, KIND)
    left = 0.0 if 0 < low < 0.3 * high else low
    right = threshold + 0.05 * (high - left) if high < threshold <= 2 * high else high
    if math.isfinite(reference) and reaches(reference, right):
        right = max(right, reference * 1.08)
    left, right = whole_ends(left, right, values)
    return [
        *outline(values, left, right, skewed_density, whole(values)),
        *intervals(values),
        {"layer": "threshold", "x": threshold, "y": float((values > threshold).mean())},
        {"layer": "nonpositive", "x": 0.0, "y": float((values <= 0).mean())},
        {"layer": "beneath", "x": left, "y": float((values < left).mean())},
        {"layer": "beyond", "x": right, "y": float((values > right).mean())},
        *(
            [{"layer": "reference", "x": reference, "y": float((values > reference).mean())}]
            if math.isfinite(reference)
            else []
        ),
    ]


@checked
def ridge(
    futures: Futures, *, quantity: str | None = None, year: int | None = None, scenarios: Sequence[str] | None = None
) -> pd.DataFrame:
    """Tabulate one quantity of each scenario for a logarithmic axis: those named, or at most :data:`MOST`.

    Returns
    -------
    DataFrame
        By scenario: ``density`` (x, y per factor of ten, of draws above zero; of whole numbers ``bar``, with
        ``width``), ``interval``, ``median``, ``reference`` and
        ``nonpositive`` (y, the probability of zero or less, which a logarithmic axis cannot show).
    """
    rows: Rows = []
    futures = futures_from(futures)
    quantity = _quantity(futures, quantity)
    when = _year(futures, year)
    for name in _scenarios(futures, quantity, scenarios):
        series = pick(pick(futures[quantity], "scenario", name), "year", when)
        values = draws_of(series)
        same = {
            "scenario": name,
            "label": label(futures, name),
            "stress": _stress(futures, name),
            "quantity": quantity,
            "unit": futures[quantity].attrs.get("unit", ""),
            "year": when,
        }
        found: Rows = [
            *exact(intervals(values, (0.5, 0.95)), precision(series)),
            {"layer": "nonpositive", "x": 0.0, "y": float((values <= 0).mean())},
        ]
        positive = values[values > 0]
        if len(positive) > 1:
            low, high = whole_ends(*interval(positive, 0.99, KIND), values)
            found += outline(values, low, high, log_density, whole(values))
        reference = _reference(futures, name, when)
        if futures[quantity].attrs.get("unit") == "offences" and math.isfinite(reference):
            found.append({"layer": "reference", "x": reference})
        rows += [{**row, **same} for row in found]
    return _of_scenarios(rows, futures)


@checked
def fan(futures: Futures, *, quantity: str | None = None, scenarios: Sequence[str] | None = None) -> pd.DataFrame:
    """Tabulate one quantity over the years, in the scenarios named, or in at most :data:`MOST`.

    Returns
    -------
    DataFrame
        By scenario and year: ``interval`` (lower, upper, prob), ``median`` (x the value) and ``reference``.
    """
    rows: Rows = []
    futures = futures_from(futures)
    quantity = _quantity(futures, quantity)
    for name in _scenarios(futures, quantity, scenarios):
        for when in futures["year"].values.tolist():
            values = draws_of(futures[quantity].sel(scenario=name, year=when))
            same = {
                "scenario": name,
                "label": label(futures, name),
                "stress": _stress(futures, name),
                "quantity": quantity,
                "unit": futures[quantity].attrs.get("unit", ""),
                "year": int(when),
            }
            rows += [{**row, **same} for row in intervals(values)]
            reference = _reference(futures, name, when)
            if futures[quantity].attrs.get("unit") == "offences" and math.isfinite(reference):
                rows.append({"layer": "reference", "x": reference, **same})
    return _of_scenarios(rows, futures)


@checked
def exceedance(
    futures: Futures, *, quantity: str | None = None, year: int | None = None, scenarios: Sequence[str] | None = None
) -> pd.DataFrame:
    """Tabulate P(quantity > x), x a geometric grid, in the scenarios named, or in at most :data:`MOST`.

    Returns
    -------
    DataFrame
        By scenario: ``curve`` (x, and y the probability of more).
    """
    futures = futures_from(futures)
    quantity = _quantity(futures, quantity)
    when = _year(futures, year)
    names = _scenarios(futures, quantity, scenarios)
    series = {name: draws_of(pick(pick(futures[quantity], "scenario", name), "year", when)) for name in names}
    positive = np.concatenate([v[v > 0] for v in series.values()])
    if not positive.size:
        raise UsageError(
            f"no draw of {quantity!r} is above zero: there is nothing to exceed", key="quantity", found=quantity
        )
    low, high = interval(positive, 0.998, KIND)
    low = max(low, high / 1e6)
    grid = np.geomspace(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)), GRID_POINTS)
    rows: Rows = []
    for name, values in series.items():
        above = 1 - np.searchsorted(np.sort(values), grid, side="right") / len(values)
        same = {
            "scenario": name,
            "label": label(futures, name),
            "stress": _stress(futures, name),
            "quantity": quantity,
            "unit": futures[quantity].attrs.get("unit", ""),
            "year": when,
        }
        rows += [{"layer": "curve", **same, "x": float(x), "y": float(y)} for x, y in zip(grid, above, strict=True)]
    return _of_scenarios(rows, futures)


# --- helpers ---------------------------------------------------------------------------------


def exact(rows: Rows, errors: dict[str, float]) -> Rows:
    """Give the median and the widest interval their Monte Carlo errors."""
    own = {
        "median": {"mcse": errors["mcse"]},
        "interval": {"mcse_lower": errors["mcse_lower"], "mcse_upper": errors["mcse_upper"]},
    }
    return [
        {**row, **own[row["layer"]]} if row["layer"] == "median" or row.get("prob") == max(PROBS) else row
        for row in rows
    ]


def headline(futures: Dataset) -> str:
    """Return the scenario a projection is about: the one it names, or the middle one that is no stress case."""
    names = [str(name) for name in futures["scenario"].values]
    chosen = words_of(futures).headline
    return chosen if chosen in names else middle_scenario({name: _stress(futures, name) for name in names})


def label(futures: Dataset, scenario: str) -> str:
    """Return what is printed for a scenario: its coordinate ``label`` (:func:`distinct_labels`), or its name."""
    if "label" not in futures.coords:
        return scenario
    names, texts = (list(map(str, futures[key].values)) for key in ("scenario", "label"))
    return distinct_labels(dict(zip(names, texts, strict=True)))[scenario]


def _stress(futures: Dataset, scenario: str) -> bool:
    return bool(futures["stress"].sel(scenario=scenario).values) if "stress" in futures.coords else False


def _quantity(futures: Dataset, name: str | None) -> str:
    return shown(futures, None if name is None else [name], dims=("scenario", "year"))[0]


def _needs(futures: Dataset, quantities: Sequence[str], dims: Sequence[str]) -> None:
    for quantity in quantities:
        for dim in dims:
            if dim not in futures[quantity].dims:
                raise UsageError(
                    f"{quantity!r} has no dimension {dim!r}; available: {', '.join(map(str, futures[quantity].dims))}",
                    key=quantity,
                    fix="give a projection over scenarios and years",
                )


def _year(futures: Dataset, year: int | None) -> int:
    if "year" not in futures.dims:
        raise UsageError(
            "the projection has no dimension 'year'",
            found=list(map(str, futures.dims)),
            fix="give what bayes.project returned",
        )
    return int(futures["year"].values[-1]) if year is None else year


def _scenarios(futures: Dataset, quantity: str, names: Sequence[str] | None) -> list[str]:
    """The scenarios named, or the first ones with the headline among them."""
    available(futures, [quantity], "quantity")
    _needs(futures, [quantity], ("scenario", "year"))
    for name in names or ():
        pick(futures[quantity], "scenario", name)
    every = [str(name) for name in futures["scenario"].values]
    if names is not None or len(every) <= MOST:
        return every if names is None else list(names)
    first = every[:MOST]
    return first if headline(futures) in first else [*first[:-1], headline(futures)]


def _of_scenarios(rows: Rows, futures: Dataset) -> pd.DataFrame:
    """A table by scenario, which says of how many if not all are in it."""
    frame = stamped(rows, futures, ("scenario", "label", "stress", "quantity", "unit", "year"))
    every = futures.sizes["scenario"]
    return frame if frame["scenario"].nunique() == every else frame.assign(of_scenarios=every)


def _reference(futures: Dataset, scenario: str, year: Any) -> float:
    """The press arithmetic, where the projection has it (a median, because places may be uncertain)."""
    if REFERENCE not in futures.data_vars:
        return math.nan
    return float(np.median(draws_of(futures[REFERENCE].sel(scenario=scenario, year=year))))


def _power_below(values: Floats) -> float:
    centre = float(np.median(values))
    return 10.0 ** math.floor(math.log10(centre)) if centre > 0 else 0.0
