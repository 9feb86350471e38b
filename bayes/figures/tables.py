"""What a figure accepts: a finished table, or draws from which the table of the same name is made first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes.errors import UsageError

if TYPE_CHECKING:
    from xarray import Dataset, DataTree


__all__ = ["Data", "finished"]


type Data = pd.DataFrame | Dataset | DataTree
"""A finished table, or draws."""


def finished(data: Data, build: Callable[[Any], pd.DataFrame] | None, columns: Iterable[str]) -> pd.DataFrame:
    """Return the table to draw.

    Raises
    ------
    UsageError
        If the table lacks a column, naming those it has, is empty, or cannot be made from this kind of data.
    """
    if isinstance(data, pd.DataFrame):
        table = data
    elif build is None:
        raise UsageError(
            "this figure draws a table", found=type(data).__name__, allowed="a DataFrame", fix="make the table first"
        )
    else:
        table = build(data)
    for column in columns:
        if column not in table:
            raise UsageError(
                f"column {column!r} not found; available: {', '.join(map(str, table.columns))}",
                key=column,
                fix="give the table of this figure",
            )
    if table.empty:
        raise UsageError("this table has no rows", key="table", fix="give the table of this figure")
    return table.reset_index(drop=True)
