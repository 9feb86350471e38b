r"""Normal vectors whose rows covary in small clusters: factors, solutions and draws, entry by entry.

The covariance of such a vector is block-diagonal up to the order of its rows. Each cluster has a few places, the last
of which may be empty, and a matrix (…, cluster, place, place) holds the blocks, with ones on the diagonal where a place
is empty. The factor of a block, :math:`V = L L^\top` (Cholesky), is written out entry by entry, so that every entry is
a vector over clusters: the work grows with the number of clusters, not with its cube. Arrays may be NumPy's or
PyTensor's.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import Any

import numpy as np

__all__ = ["Root", "backward", "clusters_of", "draw_clusters", "factor", "forward", "padded", "times", "total"]

Root = Sequence[Sequence[Any]]
"""Entries of the lower factor: ``root[i][j]`` (…, cluster) for places ``j <= i``."""


def clusters_of(keys: Sequence[Collection[Hashable]]) -> list[list[int]]:
    """Group rows that have a key in common, directly or through others; rows in order, clusters by their first row.

    >>> clusters_of([{"a"}, {"b"}, {"c", "a"}, {"d"}])
    [[0, 2], [1], [3]]
    """
    found: dict[int, list[int]] = {}
    of: dict[Hashable, int] = {}
    for row, own in enumerate(keys):
        joined = sorted({of[key] for key in own if key in of})
        first = joined[0] if joined else row
        members = sorted([row, *(i for name in joined for i in found.pop(name))])
        found[first] = members
        of |= dict.fromkeys((key for i in (members if len(joined) > 1 else [row]) for key in keys[i]), first)
    return [found[name] for name in sorted(found)]


def padded(lists: Sequence[Sequence[int]]) -> np.ndarray:
    """Return lists of places as one array, -1 where a list has ended.

    >>> padded([[0, 2], [1]]).tolist()
    [[0, 2], [1, -1]]
    """
    width = max((len(one) for one in lists), default=0)
    return np.array([[*one, *[-1] * (width - len(one))] for one in lists], dtype=np.int64).reshape(len(lists), width)


def total(values: Any, index: np.ndarray) -> Any:
    """Return sums over the last axis of ``values[index]``, where an index of -1 adds nothing.

    >>> total(np.array([1.0, 10.0, 100.0]), np.array([[0, 2], [1, -1]])).tolist()
    [101.0, 10.0]
    """
    return (values[..., index] * (index >= 0)).sum(-1)


def factor(v: Any, places: int) -> Root:
    """Return the lower factors of matrices (…, cluster, place, place), entry by entry.

    >>> [[float(x[0]) for x in row] for row in factor(np.array([[[4.0, 2.0], [2.0, 10.0]]]), 2)]
    [[2.0], [1.0, 3.0]]
    """
    root: list[list[Any]] = []
    for i in range(places):
        row: list[Any] = []
        for j in range(i + 1):
            above = row if i == j else root[j]
            rest = v[..., i, j] - sum(a * b for a, b in zip(row, above, strict=False))
            row.append(rest**0.5 if i == j else rest / root[j][j])
        root.append(row)
    return root


def forward(root: Root, x: Sequence[Any]) -> list[Any]:
    """Solve ``L z = x``; vectors are lists over places, of arrays (…, cluster)."""
    z: list[Any] = []
    for row, value in zip(root, x, strict=True):
        z.append((value - sum(a * b for a, b in zip(row, z, strict=False))) / row[-1])
    return z


def backward(root: Root, z: Sequence[Any]) -> list[Any]:
    """Solve ``L' x = z``."""
    x: dict[int, Any] = {}
    for i in reversed(range(len(z))):
        x[i] = (z[i] - sum(root[j][i] * x[j] for j in range(i + 1, len(z)))) / root[i][i]
    return [x[i] for i in range(len(z))]


def times(root: Root, z: Sequence[Any]) -> list[Any]:
    """Return ``L z``."""
    return [sum(a * b for a, b in zip(row, z, strict=False)) for row in root]


def draw_clusters(
    rng: np.random.Generator, size: tuple[int, ...], mean: np.ndarray, v: np.ndarray, members: np.ndarray
) -> np.ndarray:
    """Draw vectors (*size, row) with a mean (…, row) and covariance matrices (…, cluster, place, place).

    ``members`` (cluster, place) says which row stands where, -1 for none, the same in all draws.
    """
    clusters, places = members.shape[-2:]
    members = members.reshape(clusters, places)
    noise = rng.standard_normal((*size, clusters, places))
    found = np.stack(times(factor(v, places), [noise[..., i] for i in range(places)]), axis=-1)
    drawn = np.array(np.broadcast_to(mean, (*size, np.shape(mean)[-1])))
    there = members >= 0
    drawn[..., members[there]] += found[..., there]
    return drawn
