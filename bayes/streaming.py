"""Projections that outgrow memory: computed, checked and summarised by blocks of scenarios, and kept as Zarr.

The numbers are those of :func:`bayes.project`, bit for bit. Blocks hold every draw and year of a few scenarios. They
are computed by threads of this process; checks and tables take processes; with ``scheduler`` both go to the workers of
a Dask cluster, which must see the run folder under the same path.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bayes.blocks import ORDER, Advance, by_block, collected, crew, open_store, require_zarr
from bayes.heroin.projection import (
    DIMS,
    FORMULAS,
    Inputs,
    by_draw,
    chosen_scenarios,
    empty_futures,
    fill,
    inputs_of,
    project,
)
from bayes.heroin.projection.tail import shape_by_model
from bayes.heroin.projection.units import attributes
from bayes.heroin.scenarios import Scenario, Settings
from bayes.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset, DataTree

    from bayes.diagnostics import Check

__all__ = ["LIMIT", "checks_of", "headline_of", "outgrows", "project_into", "require_scale", "stamp", "stream",
           "streams"]  # fmt: skip

LIMIT = 2**30
"""Bytes of a projection beyond which it is streamed."""
BLOCK = 2**26
"""Bytes of a block, at least one scenario."""


def outgrows(study: Study, draws: int) -> bool:
    """Return whether the projection of so many draws, chains together, is larger than :data:`LIMIT`."""
    return len(study.scenarios) * _scenario_bytes(study, draws) > LIMIT


def require_scale(study: Study, draws: int, scheduler: str = "") -> None:
    """Raise if a projection will need libraries that are not installed, or a scheduler that does not answer.

    Raises
    ------
    UsageError
        Saying what to install or to start.
    """
    if scheduler or outgrows(study, draws):
        require_zarr()
    if scheduler:
        with crew(scheduler):
            pass


def streams(fit: DataTree, study: Study, scheduler: str = "") -> bool:
    """Whether a projection goes to a Zarr store: if it is too much for memory or a scheduler is named."""
    return bool(scheduler) or outgrows(study, fit["posterior"].sizes["chain"] * fit["posterior"].sizes["draw"])


def project_into(
    folder: Path, fit: DataTree, study: Study, scheduler: str = "", advance: Advance | None = None
) -> Dataset:
    """Project in memory, or into ``futures.zarr`` of a folder if that is too much or a scheduler is named."""
    if streams(fit, study, scheduler):
        return stream(fit, study, folder / "futures.zarr", scheduler=scheduler, advance=advance)
    return project(fit, study)


def stream(
    fit: DataTree, study: Study, store: Path, *, scheduler: str = "", group: str = "posterior",
    advance: Advance | None = None,
) -> Dataset:  # fmt: skip
    """Project draws over scenarios and years into a Zarr store.

    Parameters
    ----------
    fit, study, group
        As in :func:`bayes.project`.
    store
        A folder that does not exist yet.
    scheduler
        Address of a Dask scheduler, as ``tcp://localhost:8786``; threads of this process without one.
    advance
        Called as blocks are done.

    Returns
    -------
    Dataset
        As :func:`bayes.project` returns, its variables Dask arrays over the store.

    Raises
    ------
    UsageError
        If Zarr or Dask is not installed, the scheduler does not answer, or the fit lacks a variable.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     futures = stream(fit, bayes.load_study(), Path(scratch) / "futures.zarr")
    >>> dict(futures.sizes)["year"]
    10
    """
    require_zarr()
    chosen, settings = chosen_scenarios(study, None), study.settings
    inputs = inputs_of(fit, group=group, rows=len(chosen) * settings.horizon_years)
    size = max(1, BLOCK // _scenario_bytes(study, inputs.size))
    _create(store, empty_futures(fit, study, chosen, group), size, shape_by_model(fit[group].data_vars, study.priors))
    with crew(scheduler, threads=True) as workers:
        shared = workers.share(inputs)
        jobs = [workers.executor.submit(_write, shared, chosen[i : i + size], settings, store, i)
                for i in range(0, len(chosen), size)]  # fmt: skip
        collected(jobs, advance)
    return open_store(store)


def checks_of(futures: Dataset, scheduler: str = "", advance: Advance | None = None) -> list[Check]:
    """Check every reported quantity of a projection, as :func:`bayes.check` does."""
    from bayes.diagnostics import reported_checks, series_facts

    return reported_checks(by_block(series_facts, futures, scheduler=scheduler, advance=advance))


def headline_of(futures: Dataset, verdict: str, scheduler: str = "", advance: Advance | None = None) -> pd.DataFrame:
    """Tabulate a projection as :func:`bayes.tables.headline` does, rows in the same order."""
    import pandas as pd

    from bayes.tables import headline

    parts = by_block(partial(headline, verdict=verdict), futures, scheduler=scheduler, advance=advance)
    if len(parts) == 1:
        return parts[0]
    whole = pd.concat(parts, ignore_index=True)
    quantity = whole["quantity"].map({str(name): i for i, name in enumerate(futures.data_vars)})
    last = {name: i for i, name in enumerate(parts[0].loc[parts[0]["year"] == "total", "quantity"].unique())}
    total = whole["year"] == "total"
    place = quantity.where(~total, len(futures.data_vars) + whole["quantity"].map(last))
    return whole.iloc[np.argsort(place.to_numpy(), kind="stable")].reset_index(drop=True)


def stamp(futures: Dataset, verdict: str) -> None:
    """Write the verdict on a projection, and into its store if it has one."""
    futures.attrs["verdict"] = verdict
    if futures.chunks:
        import zarr

        zarr.open_group(futures.encoding["source"], mode="r+").attrs["verdict"] = verdict


def _scenario_bytes(study: Study, draws: int) -> int:
    return int(len(FORMULAS) * study.settings.horizon_years * draws * np.dtype(float).itemsize)


def _create(store: Path, empty: Dataset, size: int, tail: float | None) -> None:
    """Write coordinates and attributes, and make room for the variables, ``size`` scenarios a chunk."""
    import zarr

    empty.assign_attrs({ORDER: list(FORMULAS)}).to_zarr(store, mode="w-", zarr_format=2, consolidated=False)
    group = zarr.open_group(store, mode="r+", zarr_format=2)
    shape = tuple(empty.sizes[dim] for dim in DIMS)
    chunks = (*shape[:2], min(size, shape[2]), shape[3])
    for name in FORMULAS:
        array = group.create_array(name, shape=shape, chunks=chunks, dtype=float, fill_value=None)
        array.attrs.update({"_ARRAY_DIMENSIONS": list(DIMS), "coordinates": "label stress", **attributes(name, tail)})


def _write(inputs: Inputs, scenarios: Sequence[Scenario], settings: Settings, store: Path, start: int) -> None:
    """Compute a block and write it to its place."""
    import zarr

    shape = (len(scenarios), settings.horizon_years, inputs.size)
    found = fill(inputs, scenarios, settings, {name: np.empty(shape) for name in FORMULAS})
    group = zarr.open_group(store, mode="r+", zarr_format=2)
    for name, values in found.items():
        group[name][:, :, start : start + len(scenarios), :] = by_draw(inputs, values)
