"""Arrays by group and variable to one labelled ``DataTree``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["SIZE", "full", "tree_of"]

SIZE = "(draws)"
"""Name under which a calculation is given the number of draws."""

_BARE = ("observed_data", "constant_data")
"""Groups without chains and draws."""

Groups = Mapping[str, Mapping[str, np.ndarray]]


def full(values: Mapping[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    """Give results that no draw reached, whose first axis has length one, their draw axis."""
    return {name: np.ascontiguousarray(np.broadcast_to(v, (size, *v.shape[1:]))) for name, v in values.items()}


def tree_of(groups: Groups, dims: Mapping[str, Sequence[str]], coords: Mapping[str, Sequence[Any]]) -> DataTree:
    """Label arrays: ``chain`` and ``draw`` first, then a variable's own dims, else ``name_dim_0`` and so on.

    An array whose rank is not that of its variable, such as a joint density, gets no dims of the variable.
    """
    from xarray import DataTree as Tree

    return Tree.from_dict({name: _dataset(values, dims, coords, name not in _BARE)
                           for name, values in groups.items() if values})  # fmt: skip


def _dataset(
    values: Mapping[str, np.ndarray],
    dims: Mapping[str, Sequence[str]],
    coords: Mapping[str, Sequence[Any]],
    drawn: bool,
) -> Dataset:
    import xarray as xr

    lead = ("chain", "draw") if drawn else ()
    variables: dict[str, Any] = {}
    lengths: dict[str, int] = {}
    for name, value in values.items():
        value = np.asarray(value)
        own = tuple(dims.get(name, ()))
        if len(own) != value.ndim - len(lead):
            own = tuple(f"{name}_dim_{i}" for i in range(value.ndim - len(lead)))
        variables[name] = xr.Variable((*lead, *own), value, fastpath=True)
        lengths |= dict(zip((*lead, *own), value.shape, strict=True))
    labels = {dim: np.asarray(coords.get(dim, np.arange(n))) for dim, n in lengths.items()}
    return xr.Dataset(variables, coords=labels)
