"""Variance shares and the value of information of anybody's draws: columns of a table, whatever produced them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bayes.drawfiles import element_of
from bayes.errors import UsageError, closest
from bayes.sensitivity._value import evpi, evppi
from bayes.sensitivity._variance import variance_indices
from bayes.summaries import element_names

__all__ = ["analyse_draws", "draws_text", "named_columns", "read_draws"]


def analyse_draws(
    source: object, target: str, inputs: Sequence[str] = (), net_benefit: Sequence[str] = ()
) -> dict[str, Any]:
    """Variance shares of a column of draws, and the value of information where net benefits are named.

    Parameters
    ----------
    source
        Draws in any form that :func:`bayes.draws.fit_from` takes, files among them.
    target
        The column to explain: a scalar of the posterior, as ``mu`` or ``theta[1]``.
    inputs
        Columns that explain it; all others by default.
    net_benefit
        Columns of net benefits of the options; a single one is compared with doing nothing.

    Returns
    -------
    dict
        ``target``, ``draws``, ``variance`` (records of measure, input, scale, estimate, lower, upper, prob, …, on the
        scale that ``auto`` chooses), ``read`` if there is anything to say of how a table was read, and with net
        benefits ``evpi`` and ``evppi``.

    Raises
    ------
    UsageError
        If a column does not exist, or is constant, missing, infinite or too short.
    """
    table = read_draws(source)
    target = _column(target, table)
    inputs, net_benefit = ([_column(name, table) for name in names] for names in (inputs, net_benefit))
    chosen = list(inputs) or [name for name in table.columns if name not in (target, *net_benefit)]
    if not chosen:
        raise UsageError("there are no inputs", key="--inputs", fix="name columns that explain the target")
    result: dict[str, Any] = {"target": target, "draws": len(table), "inputs": chosen, **table.attrs}
    result["variance"] = variance_indices(table[chosen], table[target], scale="auto").to_dict(orient="records")
    if net_benefit:
        options = table[list(net_benefit)]
        options = options.assign(nothing=0.0) if len(net_benefit) == 1 else options
        result["evpi"] = evpi(options).to_dict(orient="records")[0]
        result["evppi"] = evppi(table[chosen], options).to_dict(orient="records")
    return result


def named_columns(text: str) -> list[str]:
    """Names between commas; those inside brackets belong to a name.

    >>> named_columns("mu, theta[1,2],b[2]")
    ['mu', 'theta[1,2]', 'b[2]']
    """
    return [name.strip() for name in re.split(r",(?![^\[\]]*\])", text) if name.strip()]


def _column(name: str, table: pd.DataFrame) -> str:
    """A column by its name, or by another way to write it: ``theta.1``, ``theta[1]``."""
    if name in table:
        return name
    place = element_of(name)
    known = {element_of(column): str(column) for column in table.columns}
    if place is not None and place in known:
        return known[place]
    raise UsageError("there is no such column", key=name, allowed=[str(one) for one in table.columns[:40]],
                     fix=closest(name, table.columns) or "name a scalar of the posterior")  # fmt: skip


def read_draws(source: object) -> pd.DataFrame:
    """Read draws as one table, a row a draw; elements of an array are named ``variable[label]``.

    Variables of the posterior that are not numbers are left out. Of a table that was read, ``attrs["read"]`` says what
    there is to know: the sheet of a workbook, say.

    Raises
    ------
    StudyError, UsageError
        As :func:`bayes.draws.fit_from`.
    """
    from bayes.draws import fit_from

    columns: dict[str, Any] = {}
    fit = fit_from(source)
    for array in fit["posterior"].to_dataset().data_vars.values():
        if {"chain", "draw"} <= set(array.dims) and array.dtype.kind in "biuf":
            rest = [d for d in array.dims if d not in ("chain", "draw")]
            values = array.transpose("chain", "draw", *rest).values.reshape(
                array.sizes["chain"] * array.sizes["draw"], -1
            )
            columns |= dict(zip(element_names(array), values.T, strict=True))
    table = pd.DataFrame(columns)
    table.attrs |= {"read": fit.attrs["read"]} if "read" in fit.attrs else {}
    return table


def draws_text(result: Mapping[str, Any]) -> str:
    """Write the result of :func:`analyse_draws` as a table for a terminal."""
    table = pd.DataFrame(result["variance"])
    joint = table[table["measure"] == "joint"].iloc[0]
    wide = table[table["measure"] != "joint"].pivot(index="input", columns="measure", values="estimate")
    shares = wide[["first", "total", "shapley"]].sort_values("shapley", ascending=False)
    parts = [
        *([f"Draws: {result['read']}."] if "read" in result else []),
        f"Shares of the variance of the {joint['scale']}, {result['target']} ({result['draws']:,} draws)",
        shares.to_string(float_format="%.3f"),
        f"All inputs together: {joint['estimate']:.3f}",
        *(f"{', '.join(part['measure'].unique())}: {flag}" for flag, part in table.groupby("flag") if flag),
    ]
    if "evpi" in result:
        worth = pd.DataFrame([result["evpi"], *result["evppi"]])[["quantity", "input", "estimate", "mcse"]]
        parts.append(worth.to_string(index=False, float_format="%.4g"))
    return "\n\n".join(parts)
