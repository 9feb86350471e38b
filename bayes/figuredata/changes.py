"""Tables of sensitivity made ready to draw: tornado, specification plot, budget of uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayes.arguments import check_columns, checked
from bayes.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["budget", "specification", "tornado"]

ENDS = ("sceptical", "optimistic")
AS_FITTED = "as fitted"


@checked
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
        ``input, lower_change, upper_change, unit, lower_end, upper_end``; an end that is not declared is missing, and
        inputs
        whose alternatives change nothing are left out.

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

    chosen = _of(changes, ("change", "group", "quantity", "unit", "d_median"), quantity)
    rows: dict[str, dict[str, Any]] = {}
    for row in chosen.itertuples():
        name, colon, _ = str(row.change).partition(": ")
        if colon and row.group in ends:
            end = "lower_change" if row.group == ends[0] else "upper_change"
            same = {"input": name, "lower_change": float("nan"), "upper_change": float("nan"), "unit": row.unit}
            rows.setdefault(name, same)[end] = row.d_median
    rows = {n: r for n, r in rows.items() if abs(r["lower_change"]) > 0 or abs(r["upper_change"]) > 0}
    if not rows:
        raise UsageError(
            "no alternative of a single input changes the answer",
            key="change",
            found=list(changes["group"].unique()),
            allowed=ends,
        )
    return pd.DataFrame(rows.values()).assign(quantity=chosen["quantity"].iloc[0], lower_end=ends[0], upper_end=ends[1])


@checked
def specification(changes: pd.DataFrame, *, quantity: str | None = None) -> pd.DataFrame:
    """Turn changes of structure, one at a time, into variants with a column for each choice.

    Parameters
    ----------
    changes
        What :func:`bayes.sensitivity.structure` returns: ``change, choice, quantity, unit, median, lower, upper, prob,
        kind``; the row
        without a choice is the model as fitted.
    quantity
        The answer; the first in the table unless named.

    Returns
    -------
    DataFrame
        ``variant, estimate, lower, upper, unit, prob, kind``, ``estimand_changed`` if there, and each choice's value,
        ``as fitted``
        unless it is what the variant changes.

    Raises
    ------
    UsageError
        If a column or the quantity does not exist.
    """
    found = _of(changes, ("change", "choice", "quantity", "unit", "median", "lower", "upper", "prob", "kind"), quantity)
    keep = [c for c in ("estimand_changed", "draws", "verdict") if c in found]
    table = found[["change", "median", "lower", "upper", "unit", "prob", "kind", *keep]].rename(
        columns={"change": "variant", "median": "estimate"}
    )
    picked = found["choice"].fillna("").astype(str)
    for choice in dict.fromkeys(picked[picked != ""]):
        table[choice] = found["change"].where(picked == choice, AS_FITTED)
    return table.reset_index(drop=True)


@checked
def budget(steps: pd.DataFrame) -> pd.DataFrame:
    """Name the steps of an uncertainty budget for its figure.

    Parameters
    ----------
    steps
        What :func:`bayes.sensitivity.budget` returns: ``step`` (a number), ``adds``, ``median, lower, upper, unit,
        prob, kind``.

    Returns
    -------
    DataFrame
        ``step`` in words, ``lower, estimate, upper, unit, prob, kind``, and ``draws``, ``verdict`` and Monte Carlo
        errors of the ends if there.
    """
    check_columns(steps, ("step", "adds", "median", "lower", "upper", "unit", "prob", "kind"))
    table = steps.sort_values("step").rename(columns={"median": "estimate"}).reset_index(drop=True)
    table["step"] = [text if i == 0 else f"+ {text}" for i, text in enumerate(table["adds"].astype(str))]
    keep = [c for c in ("draws", "verdict", "mcse_lower", "mcse_upper") if c in table]
    return table[["step", "lower", "estimate", "upper", "unit", "prob", "kind", *keep]]


def _of(changes: pd.DataFrame, columns: tuple[str, ...], quantity: str | None) -> pd.DataFrame:
    """Rows of one quantity, the first in the table unless named."""
    check_columns(changes, columns)
    present = list(dict.fromkeys(changes["quantity"]))
    chosen = quantity if quantity is not None else present[0] if present else ""
    if chosen not in present:
        raise UsageError(
            f"quantity {chosen!r} not found; available: {', '.join(map(str, present))}", key="quantity", found=chosen
        )
    return changes[changes["quantity"] == chosen]
