"""Reading what a run folder holds, from below the floor that writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.errors import StudyError
from bayes.files import read_text

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["input_files", "read_fit", "read_futures", "read_tree"]


def read_fit(folder: Path | str) -> DataTree:
    """Read the fit of a run folder.

    Raises
    ------
    StudyError
        If there is none.
    """
    return read_tree(_existing(Path(folder) / "fit.nc"))


def read_futures(folder: Path | str) -> Dataset:
    """Read the projection of a run folder.

    Raises
    ------
    StudyError
        If there is none.
    """
    return read_tree(_existing(Path(folder) / "futures.nc")).to_dataset()


def read_tree(path: Path) -> DataTree:
    """Read a NetCDF file whole.

    Raises
    ------
    StudyError
        If it is not one.
    """
    import xarray as xr

    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            return tree.load()
    except OSError as error:
        raise StudyError("this is not a NetCDF file", file=path, found=str(error), fix="run again") from None


def input_files(folder: Path | str) -> dict[str, str]:
    """Return the content hashes of the input files of a run, by name.

    Raises
    ------
    StudyError
        If the run has no manifest, or it cannot be read.
    """
    path = _existing(Path(folder) / "manifest.json")
    try:
        found: Any = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise StudyError("this manifest is not valid JSON", file=path, found=str(error), fix="run again") from None
    return dict(found.get("inputs", {})) if isinstance(found, dict) else {}


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise StudyError("this run has no such file", file=path, fix="make it with 'bayes run'")
    return path
