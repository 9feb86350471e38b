"""Rows that count a part of a whole: their data and labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from bayes.declared import Part

__all__ = ["added", "counts"]


def counts(rows: Sequence[Any], name: str, columns: tuple[str, str]) -> dict[str, np.ndarray]:
    """A part and a whole of each row, as data of the model."""
    import numpy as np

    part, whole = (np.array([getattr(row, c) for row in rows], dtype=np.int32) for c in columns)
    return {f"{name}__observed": part, f"{name}__{columns[1]}": whole}


def added(part: Part, dim: str) -> dict[str, Any]:
    """The labels and the numbers of a part, added to the model; the numbers by the last word of their name."""
    import pymc as pm

    for name, labels in part.coords.items():
        pm.modelcontext(None).add_coord(name, labels)
    return {name.rsplit("__", 1)[1]: pm.Data(name, value, dims=dim) for name, value in part.data.items()}
