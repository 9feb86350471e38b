"""A projection that is computed scenario by scenario: in memory by threads, or block by block into a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.workers import cores

if TYPE_CHECKING:
    from xarray import Dataset

__all__ = ["DIMS", "Projection", "by_draw", "in_threads", "whole"]

DIMS = ("chain", "draw", "scenario", "year")
"""Dims of every projection, whatever a question calls its own two."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A projection that is still to be computed.

    Parameters
    ----------
    empty
        Its coordinates and attributes.
    attributes
        Of each outcome, by name and in order: its unit, where it has no value.
    block
        ``(shared, numbers) -> {outcome: (scenario, year, draw)}``, the scenarios with these numbers; a function that
        other processes can import.
    shared
        What every block starts from.
    divisible
        Whether blocks may hold fewer than all scenarios.
    """

    empty: Dataset
    attributes: Mapping[str, Mapping[str, Any]]
    block: Callable[[Any, Sequence[int]], Mapping[str, np.ndarray]]
    shared: Any
    divisible: bool = True

    @property
    def count(self) -> int:
        """Number of scenarios."""
        return int(self.empty.sizes["scenario"])

    @property
    def scenario_bytes(self) -> int:
        """Bytes of one scenario in memory."""
        sizes = self.empty.sizes
        return len(self.attributes) * sizes["chain"] * sizes["draw"] * sizes["year"] * np.dtype(float).itemsize


def whole(projection: Projection) -> Dataset:
    """Compute a projection in memory: dims ``chain, draw, scenario, year``."""
    sizes = dict(projection.empty.sizes)
    shape = projection.count, sizes["year"], sizes["chain"] * sizes["draw"]
    out = {name: np.empty(shape) for name in projection.attributes}

    def fill(numbers: Sequence[int]) -> None:
        for name, values in projection.block(projection.shared, numbers).items():
            out[name][numbers[0] : numbers[-1] + 1] = values

    if projection.divisible:
        groups = np.array_split(np.arange(projection.count), min(cores(), projection.count))
        in_threads(lambda i: fill(groups[i].tolist()), len(groups))
    else:
        fill(range(projection.count))
    data = {name: (DIMS, by_draw(out.pop(name), sizes["chain"]), dict(told))
            for name, told in projection.attributes.items()}  # fmt: skip
    return projection.empty.assign(data)


def in_threads(task: Callable[[int], object], count: int) -> None:
    """Call a task for 0, 1, …; NumPy lets threads compute at once."""
    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(task, range(count)):
            pass


def by_draw(values: np.ndarray, chains: int) -> np.ndarray:
    """Return values (scenario, year, draw) as a projection keeps them: (chain, draw, scenario, year)."""
    parts = values.reshape(*values.shape[:2], chains, -1)
    return np.ascontiguousarray(parts.transpose(2, 3, 0, 1))
