"""Fits kept from one run to the next, under the content hash of everything that decides their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bayes.cache import keep, kept, key_of
from bayes.netcdf import read_netcdf, set_attributes, write_netcdf

if TYPE_CHECKING:
    from xarray import DataTree

    from bayes.sampling.fit import Plan

__all__ = ["copy_fit", "fit_key", "keep_fit", "stored_fit"]


def fit_key(plan: Plan, options: Mapping[str, object]) -> str:
    """Return the content hash of a fit: what it is made from, sampler settings, versions and our own code.

    It is empty for a model that cannot be told from others: its fits are not kept.
    """
    settings = {name: options[name] for name in ("draws", "tune", "chains", "seed", "sampler")}
    return key_of(plan.key, dict(plan.stamp), settings) if plan.key else ""


def stored_fit(key: str) -> DataTree | None:
    """Return the fit kept under a key, or None if there is none that this user has kept."""
    found = kept("fits", f"{key}.nc") if key else None
    return None if found is None else read_netcdf(found)


def keep_fit(fit: DataTree, key: str) -> None:
    """Keep a fit under a key, if it can be kept."""
    if key:
        keep("fits", f"{key}.nc", partial(write_netcdf, fit))


def copy_fit(fit: DataTree, key: str, path: Path) -> bool:
    """Write the file kept under a key to a path, with this fit's verdict; whether there was one.

    Copying takes a tenth of the time of writing. ``fit`` must be what is kept there, but for its attributes; draws of
    a sampler whose numbers its key does not decide may be another run's by now, and are not taken.
    """
    found = kept("fits", f"{key}.nc") if key and fit.attrs.get("sampler") == "numpyro" else None
    if found is None:
        return False
    path.write_bytes(found)
    set_attributes(path, {str(name): value for name, value in fit.attrs.items()})
    return True
