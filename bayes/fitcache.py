"""Fits kept from one run to the next, under the content hash of everything that decides their numbers."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bayes.heroin.model.stamp import fit_hash
from bayes.heroin.model.structure import Structure
from bayes.netcdf import read_netcdf, set_attributes, write_netcdf
from bayes.provenance import canonical, code_hash, digest, file_digest, versions
from bayes.sampling.places import cache_folder
from bayes.study import Study

if TYPE_CHECKING:
    from xarray import DataTree

__all__ = ["KEPT", "copy_fit", "fit_key", "keep_fit", "stored_fit"]

KEPT = 12
"""How many fits are kept; the least recently used go first."""


def fit_key(study: Study, structure: Structure | None, options: Mapping[str, object]) -> str:
    """Return the content hash of a fit: priors, evidence, structure, sampler settings, versions and our own code."""
    settings = {name: options[name] for name in ("draws", "tune", "chains", "seed", "sampler")}
    parts = [
        fit_hash(study),
        dict(study.hashes),
        (structure or Structure()).as_data(),
        settings,
        dict(versions()),
        code_hash(),
    ]
    return digest(canonical(parts))


def stored_fit(key: str) -> DataTree | None:
    """Return the fit kept under a key, or None if there is none or it is damaged (and then it is removed)."""
    path, mark = _paths(key)
    try:
        whole = mark.read_text() == file_digest(path)
    except OSError:
        return None
    if not whole:
        path.unlink(missing_ok=True)
        mark.unlink(missing_ok=True)
        return None
    os.utime(path)
    return read_netcdf(path)


def keep_fit(fit: DataTree, key: str) -> None:
    """Keep a fit under a key; a folder that cannot be written only costs time later."""
    path, mark = _paths(key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
    except OSError:
        return
    os.close(handle)
    write_netcdf(fit, temporary)
    content = file_digest(Path(temporary))
    Path(temporary).replace(path)
    mark.write_text(content)
    for old in sorted(path.parent.glob("*.nc"), key=lambda p: p.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)
        old.with_suffix(".sha256").unlink(missing_ok=True)


def copy_fit(fit: DataTree, key: str, path: Path) -> bool:
    """Copy the file kept under a key to a path, with this fit's verdict; whether there was one.

    Copying takes a tenth of the time of writing. ``fit`` must be what is kept there, but for its attributes.
    """
    try:
        shutil.copyfile(_paths(key)[0], path)
    except OSError:
        return False
    set_attributes(path, {str(name): value for name, value in fit.attrs.items()})
    return True


def _paths(key: str) -> tuple[Path, Path]:
    path = cache_folder() / "fits" / f"{key}.nc"
    return path, path.with_suffix(".sha256")
