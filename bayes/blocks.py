"""A dataset larger than memory, block by block: in threads, in processes, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.errors import StudyError, UsageError
from bayes.workers import Advance, Pool, cores

if TYPE_CHECKING:
    from xarray import Dataset

__all__ = ["ORDER", "Crew", "by_block", "collected", "crew", "open_store", "require_zarr", "slices"]

INSTALL = "install the extra: pip install 'crimes-avoided[scale]'"
ORDER = "variables"
"""Attribute of a store that holds its variables in order."""
PATIENCE = 10
"""Seconds to wait for a scheduler."""


@dataclass(frozen=True, slots=True, eq=False)
class Crew:
    """Who works.

    Parameters
    ----------
    executor
        Takes tasks.
    share
        Hands something large to every worker once; what it returns stands for it among the arguments of a task.
    """

    executor: Executor
    share: Callable[[Any], Any]


@contextmanager
def crew(
    scheduler: str = "", *, threads: bool = False, jobs: int | None = None, copies: bool = False
) -> Iterator[Crew]:
    """Give workers: a cluster's if a scheduler is named, and otherwise threads or processes, one for each processor.

    Parameters
    ----------
    scheduler
        Address of a Dask scheduler.
    threads
        Whether threads will do.
    jobs
        How many, where not one for each processor.
    copies
        Whether processes are copies of this one, as in :class:`bayes.workers.Pool`.

    Raises
    ------
    UsageError
        If no scheduler answers, or Dask is not installed.
    """
    if scheduler:
        with _client(scheduler) as client:
            yield Crew(client.get_executor(pure=False), lambda value: client.scatter(value, broadcast=True))
        return
    number = jobs or cores()
    with ThreadPoolExecutor(number) if threads else Pool(number, copies=copies) as pool:
        try:
            yield Crew(pool, lambda value: value)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def collected[T](jobs: Sequence[Future[T]], advance: Advance | None = None) -> list[T]:
    """Wait for jobs, telling how many are done, and return their results in order."""
    for done, job in enumerate(as_completed(jobs), start=1):
        job.result()  # raises what the job raised, as soon as it did
        if advance is not None:
            advance(done, len(jobs), "blocks")
    return [job.result() for job in jobs]


def open_store(store: Path, *, chunked: bool = True) -> Dataset:
    """Open a Zarr store without reading it: variables are Dask arrays where it is to be ``chunked``.

    Raises
    ------
    UsageError
        If Zarr or Dask is not installed.
    StudyError
        If this is no such store.
    """
    import xarray as xr

    require_zarr()
    try:
        found: Dataset = xr.open_zarr(store, chunks={} if chunked else None, consolidated=False)
    except (OSError, ValueError) as error:
        raise StudyError("this is not a Zarr store", file=store, found=str(error), fix="run again") from None
    found = found[found.attrs.pop(ORDER, list(found.data_vars))]  # a folder has no order of its own
    found = found.assign_coords({name: values.load() for name, values in found.coords.items()})
    found.encoding["source"] = str(store)
    return found


def slices(data: Dataset) -> tuple[str, list[slice]]:
    """Return the dimension along which a dataset is cut into blocks, and the blocks; none if it is in memory."""
    cut = {str(dim): sizes for dim, sizes in data.chunks.items() if len(sizes) > 1}
    if not cut:
        return "", []
    (dim, sizes) = next(iter(cut.items()))
    return dim, [slice(a, b) for a, b in pairwise([0, *accumulate(sizes)])]


def by_block[T](
    function: Callable[[Dataset], T], data: Dataset, *, scheduler: str = "", advance: Advance | None = None
) -> list[T]:
    """Call a function for each block of a dataset, in processes or on a cluster; once if it is in memory.

    Parameters
    ----------
    function
        Of a module, so that other processes can import it; gets a block in memory.
    data
        What :func:`open_store` returned, or any dataset in memory.
    scheduler
        Address of a Dask scheduler whose workers see the same files; processes of this machine without one.
    """
    dim, parts = slices(data)
    if not parts:
        return [function(data.compute())]
    store = Path(data.encoding["source"])
    with crew(scheduler) as workers:
        jobs = [workers.executor.submit(_of_block, function, store, dim, part) for part in parts]
        return collected(jobs, advance)


def require_zarr() -> None:
    """Raise unless Zarr and Dask are installed.

    Raises
    ------
    UsageError
        Saying how to install them.
    """
    try:
        import dask
        import zarr  # noqa: F401
    except ImportError as error:
        raise UsageError("a projection larger than memory needs other libraries", found=f"{error.name} is missing",
                         fix=INSTALL) from None  # fmt: skip
    del dask


def _of_block[T](function: Callable[[Dataset], T], store: Path, dim: str, part: slice) -> T:
    return function(open_store(store, chunked=False).isel({dim: part}).load())


def _client(scheduler: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("a scheduler needs another library", key="--scheduler", found="dask.distributed is missing",
                         fix=INSTALL) from None  # fmt: skip
    try:
        return Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        fix = f"start one with 'dask scheduler', or leave --scheduler out ({error})"
        raise UsageError("no scheduler answers there", key="--scheduler", found=scheduler, allowed="tcp://HOST:PORT",
                         fix=fix) from None  # fmt: skip
