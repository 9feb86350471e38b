"""NetCDF files, read and written by one thread at a time.

The HDF5 library that ``netCDF4`` brings is not built for threads, ``netCDF4`` lets other threads run while it is in
there, and xarray's lock covers only part of what it does with a file: two threads that read files of their own can end
the process. Everything here happens under that lock as a whole. It is xarray's own, so that files a user opened with
xarray are not closed meanwhile by garbage collection in another thread either.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bayes.errors import BayesError, StudyError
from bayes.workers import call_within

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["check_netcdf", "read_netcdf", "set_attributes", "write_netcdf"]

_SECONDS, _BYTES_A_SECOND = 2.0, 5e6
"""Seconds of processor time in which any file is read, and bytes a second beyond: a fortieth of the usual speed."""
_MOST_PACKED = 1032
"""What deflation packs into a byte at most: a variable larger than that is not in the file."""
_DAMAGES = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What ``netCDF4`` raises on damaged files."""


def read_netcdf(path: Path | bytes, groups: Sequence[str] = ()) -> DataTree:
    """Read a NetCDF file, or the bytes of one, into memory: all of it, or its root and some groups.

    Raises
    ------
    OSError
        If it is no such file, or lacks a group.
    """
    from xarray import DataTree, open_dataset

    with _store(path, "r") as store:
        names = ("/", *groups) if groups else tuple(_names(store.ds))
        stores = {name: store if name == "/" else store.get_child_store(name) for name in names}
        return DataTree.from_dict({name: open_dataset(one, engine="store").load() for name, one in stores.items()})


def write_netcdf(data: DataTree | Dataset, path: Path | str) -> None:
    """Write a tree or a dataset as a NetCDF file, with the bytes that ``to_netcdf`` would write.

    Raises
    ------
    OSError
        If the place cannot be written.
    """
    from xarray import DataTree

    tree = data if isinstance(data, DataTree) else DataTree(data)
    with _store(path, "w") as store:
        for node in tree.subtree:
            part = store if node is tree else store.get_child_store(node.path)
            node.to_dataset(inherit=node is tree).compute().dump_to_store(part)


def set_attributes(path: Path, attributes: Mapping[str, Any]) -> None:
    """Set attributes of the root of a NetCDF file."""
    with _store(path, "a") as store:
        store.ds.setncatts(dict(attributes))


def check_netcdf(path: Path) -> None:
    """Read a file that somebody brought in another process first: of damaged ones, some keep HDF5 busy for ever.

    Raises
    ------
    StudyError
        If it cannot be read, or not in reasonable time.
    """
    seconds = _SECONDS + path.stat().st_size / _BYTES_A_SECOND
    try:
        call_within(seconds, _read_through, str(path))
    except TimeoutError:
        found = f"reading it had not ended after {seconds:.0f} seconds of computing"
    except BayesError:
        found = "reading it ends the process that reads"
    except _DAMAGES as error:
        found = f"{type(error).__name__}: {error}"
    else:
        return
    raise StudyError("this is not a NetCDF file, or it is damaged", file=path, found=found,
                     fix="make it again, or copy it again from where it came")  # fmt: skip


@contextmanager
def _store(place: Path | str | bytes, mode: Literal["r", "w", "a"]) -> Iterator[Any]:
    """An open file, or the bytes of one, all of HDF5 being this thread's until it is closed.

    What HDF5 says of a file that it cannot write whole becomes an ``OSError``.
    """
    from netCDF4 import Dataset
    from xarray.backends import NetCDF4DataStore
    from xarray.backends.netCDF4_ import NETCDF4_PYTHON_LOCK

    named = "memory" if isinstance(place, bytes) else str(place)
    with NETCDF4_PYTHON_LOCK:
        try:
            with Dataset(named, mode=mode, memory=place if isinstance(place, bytes) else None) as file:
                yield NetCDF4DataStore(file, mode=mode, lock=False)  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            if mode == "r":
                raise
            raise OSError(errno.EIO, f"the disk may be full ({error})", named) from None


def _names(group: Any, path: str = "/") -> Iterator[str]:
    """Paths of a group and those inside it."""
    yield path
    for name, inner in group.groups.items():
        yield from _names(inner, f"{path.rstrip('/')}/{name}")


def _read_through(path: str) -> None:
    """Read every variable of a file, so that damage anywhere in it is found."""
    from netCDF4 import Dataset

    room = Path(path).stat().st_size * _MOST_PACKED

    def through(group: Any) -> None:
        for thing in (group, *group.variables.values()):
            for name in thing.ncattrs():
                thing.getncattr(name)
        for name, variable in group.variables.items():
            if variable.size > room:
                raise ValueError(f"{name} has {variable.size} values, more than a file of this size can hold")
            variable.set_auto_maskandscale(False)
            _ = variable.filters(), variable.chunking(), variable.endian(), variable[...]
        for inner in group.groups.values():
            through(inner)

    with Dataset(path) as file:
        through(file)
