"""Writing NetCDF 4 files fast: the same content xarray writes, without its cost for each of hundreds of variables.

A NetCDF 4 file is an HDF5 file whose dimensions are dimension scales (HDF5 Dimension Scale Specification; NetCDF 4 file
format, https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html). Values are encoded by xarray's
own conventions, so that it reads back what was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["write_netcdf"]

_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable. %9d"


def write_netcdf(data: Dataset | DataTree, path: Path | str) -> None:
    """Write a dataset, or a tree with one level of groups, uncompressed.

    Parameters
    ----------
    data
        Variables of numbers, truth values or text; attributes of numbers or text.
    path
        The file, replaced if it is there. For a file that must be whole or not at all, write beside it and rename.

    Examples
    --------
    >>> import xarray as xr
    >>> write_netcdf(xr.Dataset({"x": ("draw", [1.0, 2.0])}), "x.nc")
    >>> float(xr.open_dataset("x.nc", engine="h5netcdf")["x"].sum())
    3.0
    """
    h5py = import_module("h5py")
    groups: Mapping[str, Any] = {"/": data} if not hasattr(data, "children") else {
        "/": data.to_dataset(), **{name: child.to_dataset() for name, child in data.children.items()}}  # fmt: skip
    numbers = count()  # dimensions are numbered over the whole file
    with h5py.File(path, "w", libver=("v108", "latest"), track_order=True) as file:
        for name, dataset in groups.items():
            place = file if name == "/" else file.create_group(name, track_order=True)
            _write_group(place, dataset, numbers)


def _write_group(place: Any, dataset: Dataset, numbers: Iterator[int]) -> None:
    from xarray.conventions import cf_encoder

    variables, attributes = cf_encoder(dict(dataset.variables), dict(dataset.attrs))
    coordinates = {name: [str(c) for c in dataset[name].coords if c not in dataset.dims] for name in dataset.data_vars}
    _write_attributes(place, attributes)
    scales: dict[str, Any] = {}
    for name, size in dataset.sizes.items():
        if name in variables:
            scales[str(name)] = _dataset(place, str(name), variables[name])
            label = str(name)
        else:
            scales[str(name)] = place.create_dataset(str(name), shape=(size,), dtype=">f4")
            label = _NO_VARIABLE % size
        scales[str(name)].make_scale(label)
        scales[str(name)].attrs["_Netcdf4Dimid"] = np.int32(next(numbers))
    for name, variable in variables.items():
        if name in scales:
            continue
        made = _dataset(place, str(name), variable)
        for axis, dim in enumerate(variable.dims):
            made.dims[axis].attach_scale(scales[str(dim)])
        if coordinates.get(name):
            made.attrs["coordinates"] = " ".join(coordinates[name])


def _dataset(place: Any, name: str, variable: Any) -> Any:
    """One variable with its attributes; text is kept at variable length."""
    h5py = import_module("h5py")
    values = np.asarray(variable.values)
    if values.dtype.kind in "OUS":
        made = place.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    else:
        made = place.create_dataset(name, data=values)
    _write_attributes(made, variable.attrs)
    return made


def _write_attributes(place: Any, attributes: Mapping[Any, Any]) -> None:
    for key, value in attributes.items():
        place.attrs[str(key)] = value if isinstance(value, str) else np.atleast_1d(value)
