"""The table of the tornado, from the table of alternative priors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["tornado"]

NEEDED = ("change", "group", "quantity", "unit", "d_median")
ENDS = ("sceptical", "optimistic")


def tornado(changes: pd.DataFrame, *, quantity: str | None = None, ends: tuple[str, str] = ENDS) -> pd.DataFrame:
    """Pair the changes that two alternatives of one prior make to a quantity.

    Parameters
    ----------
    changes
        What :func:`bayes.sensitivity.alternatives` returns: ``change`` is ``"input: alternative"``, ``group`` the
        alternative.
    quantity
        The answer; the first in the table unless named.
    ends
        Names of the alternatives that stand for the lower and the upper end.

    Returns
    -------
    DataFrame
        ``input, lower_change, upper_change, unit, lower_end, upper_end``; an end that is not declared is missing.

    Raises
    ------
    UsageError
        If a column or the quantity does not exist, or no change is one of single inputs.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"change": ["a: sceptical", "a: optimistic"], "group": ["sceptical", "optimistic"],
    ...                        "quantity": "y",
    ...                      "unit": "offences", "d_median": [-1.0, 2.0]})
    >>> tornado(rows)[["input", "lower_change", "upper_change"]].values.tolist()
    [['a', -1.0, 2.0]]
    """
    import pandas as pd

    for column in NEEDED:
        if column not in changes:
            raise UsageError(
                f"column {column!r} not found; available: {', '.join(map(str, changes.columns))}", key=column
            )
    present = list(dict.fromkeys(changes["quantity"]))
    chosen = quantity if quantity is not None else present[0] if present else ""
    if chosen not in present:
        raise UsageError(
            f"quantity {chosen!r} not found; available: {', '.join(map(str, present))}", key="quantity", found=chosen
        )
    rows: dict[str, dict[str, Any]] = {}
    for row in changes[changes["quantity"] == chosen].itertuples():
        name, colon, _ = str(row.change).partition(": ")
        if colon and row.group in ends:
            end = "lower_change" if row.group == ends[0] else "upper_change"
            same = {"input": name, "lower_change": float("nan"), "upper_change": float("nan"), "unit": row.unit}
            rows.setdefault(name, same)[end] = row.d_median
    if not rows:
        raise UsageError(
            "no change is one of a single input", key="change", found=list(changes["group"].unique()), allowed=ends
        )
    return pd.DataFrame(rows.values()).assign(quantity=chosen, lower_end=ends[0], upper_end=ends[1])
