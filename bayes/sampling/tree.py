"""Arrays by group and variable to one labelled ``DataTree``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["SIZE", "accepted", "full", "tree_of"]

SIZE = "(draws)"
"""Name under which a calculation is given the number of draws."""

_BARE = ("observed_data", "constant_data")
"""Groups without chains and draws."""

Groups = Mapping[str, Mapping[str, np.ndarray]]


def full(values: Mapping[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    """Give results that no draw reached, whose first axis has length one, their draw axis."""
    return {name: np.ascontiguousarray(np.broadcast_to(v, (size, *v.shape[1:]))) for name, v in values.items()}


ROUNDS = 50
"""How many times as many draws from the prior are tried as are wanted, where a transform restricts it."""


def accepted(
    draw: Callable[[int], dict[str, np.ndarray]],
    inside: Callable[[Mapping[str, np.ndarray]], np.ndarray] | None,
    size: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """Return ``size`` draws that lie inside a region, from a seed and what draws as many from the whole space.

    Parameters
    ----------
    draw
        From a seed to arrays (draw, …) by name.
    inside
        From such arrays to whether each draw is inside; None where all are.

    Raises
    ------
    UsageError
        If fewer than one draw in fifty is inside.
    """
    found: list[dict[str, np.ndarray]] = []
    for again in range(ROUNDS):
        drawn = draw(seed + again)
        if inside is None:
            return drawn
        chosen = np.broadcast_to(inside(drawn), size)
        found.append({name: value[chosen] for name, value in drawn.items()})
        if sum(len(next(iter(one.values()))) for one in found) >= size:
            return {name: np.concatenate([one[name] for one in found])[:size] for name in drawn}
    raise UsageError("fewer than one draw in fifty from the prior lies in the range of the transforms",
                     fix="use a distribution with that support, such as pm.Truncated")  # fmt: skip


def tree_of(groups: Groups, dims: Mapping[str, Sequence[str]], coords: Mapping[str, Sequence[Any]]) -> DataTree:
    """Label arrays: ``chain`` and ``draw`` first, then a variable's own dims, else ``name_dim_0`` and so on.

    An array of fewer axes than its variable, such as the density of each vector of several, has the first of its dims.
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
        own = own[: value.ndim - len(lead)]
        if len(own) != value.ndim - len(lead):
            own = tuple(f"{name}_dim_{i}" for i in range(value.ndim - len(lead)))
        variables[name] = xr.Variable((*lead, *own), value, fastpath=True)
        lengths |= dict(zip((*lead, *own), value.shape, strict=True))
    labels = {dim: np.asarray(coords.get(dim, np.arange(n))) for dim, n in lengths.items()}
    return xr.Dataset(variables, coords=labels)
