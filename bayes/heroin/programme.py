"""Tables of a programme: retention, concentration with its targeting gain, and places against benefit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.elsewhere import Fit, fit_from
from bayes.errors import UsageError
from bayes.figuredata.base import PROBS, Floats, Rows, available, draws_of, group, intervals, stamped
from bayes.heroin.projection import press_arithmetic, project, targeting_gain, top_share
from bayes.heroin.scenarios import Scenario

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from bayes.study import Study

__all__ = ["concentration", "places", "retention"]


@checked
def retention(fit: Fit, *, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Tabulate the share still in treatment by time, and the follow-up counts.

    Parameters
    ----------
    fit
        The fit of the joint model.
    labels
        Words for the rows of follow-up; their names otherwise.

    Returns
    -------
    DataFrame
        ``interval`` and ``median`` of the Weibull survival at each ``year``; ``observed``: row, year, x the share,
        count and of.
    """
    fit = fit_from(fit)
    post, data = group(fit, "posterior"), group(fit, "constant_data")
    available(post, ("retention_scale", "retention_shape"))
    available(data, ("retention__observed", "retention__entered", "retention__years"))
    scale, shape = draws_of(post["retention_scale"]), draws_of(post["retention_shape"])
    years = data["retention__years"].values
    rows: Rows = []
    for t in np.linspace(0.0, max(3.0, float(years.max()) * 1.25), 61):
        rows += [{**row, "year": float(t)} for row in intervals(np.exp(-((t / scale) ** shape)))]
    counts, entered = data["retention__observed"].values, data["retention__entered"].values
    for name, t, k, n in zip(data["retention_row"].values, years, counts, entered, strict=True):
        rows.append(
            {
                "layer": "observed",
                "row": (labels or {}).get(str(name), str(name)),
                "year": float(t),
                "x": float(k / n),
                "count": int(k),
                "of": int(n),
            }
        )
    return stamped(
        [{**row, "unit": "share"} for row in rows], fit, ("year", "x", "lower", "upper", "prob", "kind", "unit")
    )


@checked
def concentration(fit: Fit) -> pd.DataFrame:
    """Tabulate the Lorenz curve of offending, heaviest offenders first, and the gain from reaching them first.

    Returns
    -------
    DataFrame
        ``panel`` lorenz (share of offences committed by the most active share f) and gain (offences avoided per person
        served, relative to no
        targeting); ``share`` is f; ``interval`` and ``median``; layer ``mark`` repeats the row at one tenth of the
        people.
    """
    fit = fit_from(fit)
    post = group(fit, "posterior")
    available(post, ("shape_year",))
    shape = draws_of(post["shape_year"])
    strength = draws_of(post["targeting_strength"]) if "targeting_strength" in post else np.zeros_like(shape)
    rows: Rows = []
    for f in [0.0, *np.geomspace(0.01, 0.1, 9), *np.linspace(0.1, 1.0, 19)[1:]]:
        top = np.zeros_like(shape) if f == 0 else top_share(np.array(f), shape)
        rows += [{**row, "panel": "lorenz", "share": float(f), "unit": "share"} for row in intervals(top)]
        if f > 0:
            gain = targeting_gain(np.full_like(shape, f), shape, strength)
            rows += [{**row, "panel": "gain", "share": float(f), "unit": "ratio"} for row in intervals(gain)]
    widest = max(PROBS)
    at = [row for row in rows if abs(row["share"] - 0.1) < 1e-9 and row.get("prob", widest) == widest]
    rows += [{**row, "layer": "mark", "part": row["layer"]} for row in at]
    return stamped(rows, fit, ("panel", "share", "x", "lower", "upper", "prob", "kind", "unit"))


@checked
def places(fit: Fit, study: Study, *, points: int = 25, most: float = 100_000.0) -> pd.DataFrame:
    """Tabulate offences avoided in a year against places, all built, with and without the limit of demand.

    Parameters
    ----------
    fit, study
        The fit and the study it was made from; nothing is fitted again.
    points, most
        Size of the geometric grid of places, from 300 up to ``most``.

    Returns
    -------
    DataFrame
        By ``places``: ``interval`` and ``median`` with demand as the limit, ``unlimited`` (median without it),
        ``reference`` (press arithmetic);
        and ``demand``: median (x) and intervals of the places that demand fills.
    """
    if points < 5 or most <= 1000:
        raise UsageError(
            "the grid of places is too small",
            key="points",
            found=(points, most),
            allowed="5 or more points, most above 1,000",
        )
    fit = fit_from(fit)
    grid = np.geomspace(300.0, most, points)
    rows: Rows = []
    for capped in (True, False):
        avoided = _avoided(fit, study, grid, capped)
        for n, values in zip(grid, avoided, strict=True):
            found = intervals(values)
            if not capped:
                found = [{**row, "layer": "unlimited"} for row in found if row["layer"] == "median"]
            rows += [{**row, "places": float(n)} for row in found]
    press = press_arithmetic(grid, study.settings)
    rows += [{"layer": "reference", "places": float(n), "x": float(p)} for n, p in zip(grid, press, strict=True)]
    post = group(fit, "posterior")
    demand = draws_of(post["coverage_new"]) * draws_of(post["opioid_clients"]) / draws_of(post["occupancy"])
    rows += [{**row, "layer": "demand", "places": row.get("x", np.nan)} for row in intervals(demand, PROBS)]
    return stamped(
        [{**row, "unit": "offences"} for row in rows], fit, ("places", "x", "lower", "upper", "prob", "kind", "unit")
    )


def _avoided(fit: DataTree, study: Study, grid: Floats, capped: bool) -> list[Floats]:
    """Offences avoided in a year by number of places, against present patients, built at once."""
    made = {f"n{i}": Scenario(f"n{i}", "", places=float(n), demand_cap=capped) for i, n in enumerate(grid)}
    asked = replace(study, scenarios=MappingProxyType(made), settings=replace(study.settings, horizon_years=1))
    futures = project(fit, asked)
    return [draws_of(futures["offences_avoided"].sel(scenario=name, year=1)) for name in made]
