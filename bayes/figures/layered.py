"""Layered layout of a directed acyclic graph: left to right, few crossings, a lane for every long arrow.

After Sugiyama, Tagawa and Toda (1981): longest-path layers with sources pulled towards their targets, a dummy in every
layer that an
arrow crosses, orders by repeated barycentres, and heights by averaging neighbours without overlap. Everything is
deterministic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from bayes.errors import UsageError

__all__ = ["Layout", "layered"]

LANE = 0.9
GAP = 1.6
SWEEPS = 24


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are: layer and height of each box, and the heights an arrow passes through, layer by layer."""

    layer: Mapping[str, int]
    y: Mapping[str, float]
    paths: Mapping[tuple[str, str], tuple[float, ...]]
    height: float


def layered(heights: Mapping[str, float], edges: Sequence[tuple[str, str]]) -> Layout:
    """Lay out boxes of given heights.

    Raises
    ------
    UsageError
        If an arrow names no box, or the arrows run in a circle.

    Examples
    --------
    >>> layered({"a": 4.0, "b": 4.0}, [("a", "b")]).layer
    {'a': 0, 'b': 1}
    """
    for name in {n for edge in edges for n in edge}:
        if name not in heights:
            raise UsageError("an arrow names a box that does not exist", key="edges", found=name, allowed=heights)
    layer = _layers(list(heights), edges)
    size = dict(heights)
    links: list[tuple[str, str]] = []
    lanes: dict[tuple[str, str], list[str]] = {}
    place = dict(layer)
    for a, b in edges:
        chain = [a]
        for i in range(layer[a] + 1, layer[b]):
            chain.append(f"{a}\0{b}\0{i}")
            place[chain[-1]], size[chain[-1]] = i, LANE
        chain.append(b)
        lanes[a, b] = chain
        links += pairwise(chain)
    rows = _ordered(place, links)
    y, total = _heights(rows, size, links)
    return Layout(
        layer, {n: y[n] for n in heights}, {e: tuple(y[n] for n in chain) for e, chain in lanes.items()}, total
    )


def _layers(names: list[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    layer = dict.fromkeys(names, 0)
    before = {name: [a for a, b in edges if b == name] for name in names}
    try:
        for name in TopologicalSorter(before).static_order():
            layer[name] = max((layer[a] + 1 for a in before[name]), default=0)
    except CycleError:
        raise UsageError("the arrows run in a circle", key="edges") from None
    for name in names:
        after = [layer[b] for a, b in edges if a == name]
        if after and not before[name]:
            layer[name] = min(after) - 1
    return layer


def _ordered(place: Mapping[str, int], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Order each layer by the mean position of its neighbours, sweeping forth and back; keep the order with fewest
    crossings."""
    rows = [[n for n, i in place.items() if i == k] for k in range(max(place.values()) + 1)]
    before = {n: [a for a, b in links if b == n] for n in place}
    after = {n: [b for a, b in links if a == n] for n in place}
    best, fewest = [list(r) for r in rows], _crossings(rows, links)
    for sweep in range(SWEEPS):
        near = before if sweep % 2 == 0 else after
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            at = {n: i / max(1, len(r)) for r in rows for i, n in enumerate(r)}
            row.sort(key=lambda n: sum(at[m] for m in near[n]) / len(near[n]) if near[n] else at[n])
        crossed = _crossings(rows, links)
        if crossed < fewest:
            best, fewest = [list(r) for r in rows], crossed
    return best


def _crossings(rows: list[list[str]], links: Sequence[tuple[str, str]]) -> int:
    at = {n: i for row in rows for i, n in enumerate(row)}
    level = {n: k for k, row in enumerate(rows) for n in row}
    count = 0
    for k in range(len(rows) - 1):
        ends = sorted((at[a], at[b]) for a, b in links if level[a] == k)
        count += sum(1 for i, (_, b) in enumerate(ends) for _, d in ends[i + 1 :] if d < b)
    return count


def _heights(
    rows: list[list[str]], size: Mapping[str, float], links: Sequence[tuple[str, str]]
) -> tuple[dict[str, float], float]:
    """Centres (from the top, downwards) near those of the neighbours, in order and without overlap."""
    near: dict[str, list[str]] = {n: [] for row in rows for n in row}
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    total = max(sum(size[n] for n in row) + GAP * (len(row) - 1) for row in rows)
    y: dict[str, float] = {}
    for row in rows:
        step = (total - sum(size[n] for n in row)) / (len(row) + 1)
        edge = step
        for n in row:
            y[n] = edge + size[n] / 2
            edge += size[n] + step
    for _ in range(SWEEPS):
        for row in rows:
            wanted = [sum(y[m] for m in near[n]) / len(near[n]) if near[n] else y[n] for n in row]
            _spread(row, wanted, size, total, y)
    return y, total


def _spread(row: list[str], wanted: list[float], size: Mapping[str, float], total: float, y: dict[str, float]) -> None:
    """Move each to its wanted height as far as order, gaps and the page allow."""
    low = 0.0
    lowest = []
    for n in row:
        lowest.append(low + size[n] / 2)
        low += size[n] + GAP
    high = total
    highest = []
    for n in reversed(row):
        highest.append(high - size[n] / 2)
        high -= size[n] + GAP
    highest.reverse()
    last = -1e9
    for i, n in enumerate(row):
        y[n] = max(min(max(wanted[i], lowest[i]), highest[i]), last + size[n] / 2)
        last = y[n] + size[n] / 2 + GAP
    limit = 1e9
    for i in range(len(row) - 1, -1, -1):
        n = row[i]
        y[n] = min(y[n], highest[i], limit - size[n] / 2)
        limit = y[n] - size[n] / 2 - GAP
