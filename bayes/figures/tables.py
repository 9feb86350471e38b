"""What a figure accepts: a finished table, or draws from which the table of the same name is made first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from bayes.arguments import check_columns
from bayes.elsewhere import Fit
from bayes.errors import UsageError

__all__ = ["Data", "finished"]


type Data = pd.DataFrame | Fit
"""A finished table, or draws in any form that :func:`bayes.load_fit` reads."""


def finished(data: object, build: Callable[[Any], pd.DataFrame] | None, columns: Iterable[str]) -> pd.DataFrame:
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
    check_columns(table, columns)
    return table.reset_index(drop=True)
