"""Projections that outgrow memory: computed, checked and summarised by blocks of scenarios, and kept as Zarr.

The numbers are those of :func:`bayes.project`, bit for bit. Blocks hold every draw and year of a few scenarios. They
are computed by threads of this process; checks and tables take processes; with ``scheduler`` both go to the workers of
a Dask cluster, which must see the run folder under the same path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.blocks import ORDER, by_block, collected, crew, open_store, require_zarr
from bayes.projection import DIMS, Projection, by_draw, whole

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset

    from bayes.diagnostics import Check
    from bayes.workers import Advance

__all__ = ["LIMIT", "checks_of", "headline_of", "project_into", "require_scale", "stamp", "stream",
           "streams"]  # fmt: skip

LIMIT = 2**30
"""Bytes of a projection beyond which it is streamed."""
BLOCK = 2**26
"""Bytes of a block, at least one scenario."""


def require_scale(size: int, scheduler: str = "") -> None:
    """Raise if a projection of so many bytes needs libraries that are not there, or a scheduler that does not answer.

    Raises
    ------
    UsageError
        Saying what to install or to start.
    """
    if scheduler or size > LIMIT:
        require_zarr()
    if scheduler:
        with crew(scheduler):
            pass


def streams(projection: Projection, scheduler: str = "") -> bool:
    """Whether a projection goes to a Zarr store: if it is too much for memory or a scheduler is named."""
    return bool(scheduler) or projection.count * projection.scenario_bytes > LIMIT


def project_into(folder: Path, projection: Projection, scheduler: str = "", advance: Advance | None = None) -> Dataset:
    """Project in memory, or into ``futures.zarr`` of a folder if that is too much or a scheduler is named."""
    if streams(projection, scheduler):
        return stream(projection, folder / "futures.zarr", scheduler=scheduler, advance=advance)
    return whole(projection)


def stream(projection: Projection, store: Path, *, scheduler: str = "", advance: Advance | None = None) -> Dataset:
    """Compute a projection into a Zarr store.

    Parameters
    ----------
    projection
        What is computed.
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
        If Zarr or Dask is not installed, or the scheduler does not answer.

    Examples
    --------
    >>> import tempfile, xarray as xr
    >>> labels, stress = ("scenario", ["few", "many"]), ("scenario", [False, False])
    >>> empty = xr.Dataset(coords={"chain": [0], "draw": range(4), "scenario": ["few", "many"], "year": [1],
    ...                            "label": labels, "stress": stress})
    >>> def block(shared, numbers):
    ...     return {"cases": np.full((len(numbers), 1, 4), shared)}
    >>> with tempfile.TemporaryDirectory() as scratch:
    ...     projection = Projection(empty, {"cases": {"unit": "cases/year"}}, block, 2.0)
    ...     float(stream(projection, Path(scratch) / "futures.zarr")["cases"].sum())
    16.0
    """
    require_zarr()
    count = projection.count
    size = max(1, BLOCK // projection.scenario_bytes) if projection.divisible else count
    _create(store, projection, size)
    chains = int(projection.empty.sizes["chain"])
    with crew(scheduler, threads=True) as workers:
        shared = workers.share(projection.shared)
        jobs = [workers.executor.submit(_write, projection.block, shared, range(i, min(i + size, count)), store, chains)
                for i in range(0, count, size)]  # fmt: skip
        collected(jobs, advance)
    return open_store(store)


def checks_of(futures: Dataset, scheduler: str = "", advance: Advance | None = None) -> list[Check]:
    """Check every reported quantity of a projection, as :func:`bayes.check` does."""
    from bayes.diagnostics import reported_checks, series_facts

    return reported_checks(by_block(series_facts, futures, scheduler=scheduler, advance=advance))


def headline_of(futures: Dataset, verdict: str, scheduler: str = "", advance: Advance | None = None) -> pd.DataFrame:
    """Tabulate a projection as :func:`bayes.tables.headline` does, rows in the same order."""
    import pandas as pd

    from bayes.tables import told, whole_headline

    parts = by_block(partial(whole_headline, verdict=verdict), futures, scheduler=scheduler, advance=advance)
    if len(parts) == 1:
        return told(parts[0])
    whole = pd.concat(parts, ignore_index=True)
    quantity = whole["quantity"].map({str(name): i for i, name in enumerate(futures.data_vars)})
    last = {name: i for i, name in enumerate(parts[0].loc[parts[0]["year"] == "total", "quantity"].unique())}
    total = whole["year"] == "total"
    place = quantity.where(~total, len(futures.data_vars) + whole["quantity"].map(last))
    return told(whole.iloc[np.argsort(place.to_numpy(), kind="stable")].reset_index(drop=True))


def stamp(futures: Dataset, verdict: str) -> None:
    """Write the verdict on a projection, and into its store if it has one."""
    futures.attrs["verdict"] = verdict
    if futures.chunks:
        import zarr

        zarr.open_group(futures.encoding["source"], mode="r+").attrs["verdict"] = verdict


def _create(store: Path, projection: Projection, size: int) -> None:
    """Write coordinates and attributes, and make room for the variables, ``size`` scenarios a chunk."""
    import zarr

    empty = projection.empty.assign_attrs({ORDER: list(projection.attributes)})
    empty.to_zarr(store, mode="w-", zarr_format=2, consolidated=False)
    group = zarr.open_group(store, mode="r+", zarr_format=2)
    shape = tuple(empty.sizes[dim] for dim in DIMS)
    chunks = (*shape[:2], min(size, shape[2]), shape[3])
    for name, told in projection.attributes.items():
        array = group.create_array(name, shape=shape, chunks=chunks, dtype=float, fill_value=None)
        array.attrs.update({"_ARRAY_DIMENSIONS": list(DIMS), "coordinates": "label stress", **told})


def _write(
    block: Callable[[Any, Sequence[int]], Mapping[str, np.ndarray]], shared: Any, numbers: Sequence[int], store: Path,
    chains: int,
) -> None:  # fmt: skip
    """Compute a block and write it to its place."""
    import zarr

    group = zarr.open_group(store, mode="r+", zarr_format=2)
    for name, values in block(shared, numbers).items():
        group[name][:, :, numbers[0] : numbers[-1] + 1, :] = by_draw(values, chains)
