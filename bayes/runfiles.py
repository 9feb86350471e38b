"""Reading what a run folder holds: the fit, the projection, the manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.blocks import open_store
from bayes.errors import StudyError
from bayes.files import csv_text, make_folder, read_text, write_text
from bayes.folders import recovered
from bayes.netcdf import check_netcdf, read_netcdf
from bayes.provenance import canonical, digest, file_digest

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset, DataTree

__all__ = ["MADE", "existing", "has_futures", "made_of", "note_made", "read_fit", "read_futures", "read_manifest",
           "read_tree", "seconds_of", "was_made", "write_tables"]  # fmt: skip

MADE = "made.json"
"""File beside tables that says of which run they were made."""


def read_fit(folder: Path | str, groups: Sequence[str] = ()) -> DataTree:
    """Read the fit of a run folder: all of it, or only some groups, which is faster.

    Raises
    ------
    StudyError
        If there is none, or it lacks a group.
    """
    return read_tree(existing(Path(folder) / "fit.nc", "bayes fit or bayes run"), groups)


def read_futures(folder: Path | str) -> Dataset:
    """Read the projection of a run folder: in memory, or as Dask arrays where it was too large for that.

    Raises
    ------
    StudyError
        If there is none.
    """
    store = Path(folder) / "futures.zarr"
    if store.is_dir():
        return open_store(store)
    return read_tree(existing(Path(folder) / "futures.nc", "bayes project")).to_dataset()


def has_futures(folder: Path | str) -> bool:
    """Return whether a run folder holds a projection."""
    return any((Path(folder) / name).exists() for name in ("futures.nc", "futures.zarr"))


def read_manifest(folder: Path | str) -> dict[str, Any]:
    """Read the manifest of a run folder.

    Raises
    ------
    StudyError
        If there is none, or it is not a JSON object.
    """
    path = existing(Path(folder) / "manifest.json", "bayes run")
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:  # a fault of syntax, or digits and nesting without end
        raise StudyError("this manifest is not valid JSON", file=path, found=str(error), fix="run again") from None
    if not isinstance(found, dict):
        raise StudyError("this manifest is not a JSON object", file=path, fix="run again")
    return found


def seconds_of(folder: Path | None) -> Mapping[str, float]:
    """Return the seconds that each stage of an older run took; none where there is no such run to be read."""
    try:
        found = {} if folder is None else read_manifest(folder).get("timings", {})
    except (StudyError, OSError):
        return {}
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)}


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> list[Path]:
    """Write tables of a run, each whole, and return their files."""
    make_folder(folder / "tables")
    found = {folder / "tables" / f"{name}.csv": table for name, table in tables.items()}
    for path, table in found.items():
        write_text(path, csv_text(table))
    return list(found)


def note_made(run: Path, paths: Iterable[Path]) -> None:
    """Note beside tables that they were made of a run, with their contents; those that do not exist had none."""
    for path in paths:
        known = _noted(path) if _noted(path).get("run") == made_of(run) else {}
        contents = {**known.get("contents", {}), path.name: file_digest(path) if path.is_file() else None}
        write_text(path.parent / MADE, json.dumps({"run": made_of(run), "contents": contents}, indent=1) + "\n")


def was_made(run: Path, path: Path) -> bool:
    """Whether a table is as it was made, of this run as it stands."""
    noted = _noted(path)
    return noted.get("run") == made_of(run) and noted.get("contents", {}).get(path.name) == file_digest(path)


def had_nothing(run: Path, path: Path) -> bool:
    """Whether a table was asked for of a run as it stands, which had nothing for it."""
    noted = _noted(path)
    none = noted.get("contents", {}).get(path.name, "") is None and not path.is_file()
    return none and noted.get("run") == made_of(run)


def _noted(path: Path) -> Mapping[str, Any]:
    """What is noted beside a table; nothing where the note is none."""
    try:
        found = json.loads((path.parent / MADE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("contents"), dict) else {}


def made_of(run: Path) -> str:
    """Return a hash of the fit, the projection and the inputs of a run."""
    manifest = read_manifest(run)
    return digest(canonical([manifest.get("contents", {}), manifest.get("inputs_hash", "")]))


def read_tree(path: Path, groups: Sequence[str] = ()) -> DataTree:
    """Read a NetCDF file: all of it, or its root and some groups.

    A file whose content the manifest beside it vouches for is read at once, another file in its place is refused, and
    any other is checked first.

    Raises
    ------
    StudyError
        If it is no such file, is damaged, or lacks a group.
    """
    known = _known_content(path)
    if known is None:
        check_netcdf(path)
    elif known != file_digest(path) and (known := _known_content(path)) != file_digest(path):  # replaced just now?
        raise StudyError(f"this {path.name} is not the one that this run wrote", file=path, found=file_digest(path),
                         allowed=known, fix="run again; to read it for itself, put it elsewhere")  # fmt: skip
    try:
        return read_netcdf(path, groups)
    except (OSError, ValueError) as error:
        allowed = f"NetCDF with the groups {', '.join(groups)}" if groups else "NetCDF"
        raise StudyError("this file cannot be read as a fit or a projection", file=path, found=str(error),
                         allowed=allowed, fix="run again, or write it again") from None  # fmt: skip


def _known_content(path: Path) -> str | None:
    """The content that the manifest beside a file says it was written with, if there is one."""
    try:
        return str(json.loads((path.parent / "manifest.json").read_bytes())["contents"][path.name])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def existing(path: Path, command: str) -> Path:
    """Return a path of a run folder that is a file, or say which command makes it.

    Raises
    ------
    StudyError
        If there is no such file, no such folder, or the folder is a study.
    """
    folder = path.parent if path.suffix else path
    if not folder.is_dir() and not path.exists() and not recovered(folder):
        raise StudyError("this run folder does not exist", file=folder,
                         fix=f"make it with '{command}', or name another")  # fmt: skip
    if not path.is_file():
        made = any((folder / name).exists() for name in ("manifest.json", "fit.nc"))
        tables = (found for found in folder.glob("*.toml") if found.name != "pyproject.toml")
        if not made and ((folder / "evidence").is_dir() or any(tables)):
            raise StudyError(f"{folder} is a study folder, not a run", file=path,
                             fix=f"make one with 'bayes run {folder} --out runs/NAME', and name that")  # fmt: skip
        raise StudyError("this run has no such file", file=path, fix=f"make it with '{command}'")
    return path
