"""Structure: what the answer owes to choices about the form of the model.

A variant is a :class:`~bayes.sensitivity.changes.Change` whose ``group`` is the choice it makes otherwise. Where a
variant's likelihood can be evaluated at the draws of the fit it is reweighted: parameters that only one of the two
models has keep, or get, their prior, which cancels. Otherwise it is refitted. Variants that change what the target
means are listed and marked, and take no part in the spread. A variant that has no use for some rows of evidence says
how many leave with it, and the variant with the evidence as fitted stands below it: a choice of form and a choice of
evidence are two changes.

The variants are the analyst's, not a sample of anything: no share of them is reported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from bayes.arguments import check_columns, checked
from bayes.errors import UsageError
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.sensitivity.changes import Change, Targets, compare
from bayes.summaries import PROB

__all__ = ["MOST", "spread_by_choice", "structure"]

MOST = 24
"""Most variants declared at a time: beyond that a reader compares nothing."""

_SPREAD = ("choice", "quantity", "unit", "variants", "lowest", "mcse_lowest", "highest", "mcse_highest", "spread",
           "mcse_spread")  # fmt: skip


@checked
def structure(targets: Targets, variants: Sequence[Change], *, prob: float = PROB, refit: bool = True) -> pd.DataFrame:
    """Tabulate a declared set of model variants: the data of a specification plot.

    Parameters
    ----------
    targets
        Draws (chain, draw) of the fitted model, by name.
    variants
        At most :data:`MOST`, not counting those beside them; ``group`` is the choice each makes.
    prob
        Probability of the interval.
    refit
        Whether variants whose weights fail are refitted.

    Returns
    -------
    DataFrame
        As :func:`bayes.sensitivity.compare`, sorted by choice as given, with ``choice`` for ``group``, and ``leaves``:
        the rows of evidence that leave with a variant, by table (``"prepost: 9"``; empty where none does).

    Raises
    ------
    UsageError
        If there are more than :data:`MOST` variants.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(1).normal(size=(4, 1000))
    >>> table = structure({"x": x}, [Change("wider", "scale", targets={"x": 2 * x})])
    >>> table["method"].tolist()
    ['as fitted', 'redrawn']
    """
    if len(variants) > MOST:
        raise UsageError("too many variants to compare", key="variants", found=len(variants), allowed=f"at most {MOST}")
    every = [one for variant in variants for one in (variant, variant.beside) if one is not None]
    told = [replace(one, note="; ".join(filter(None, (one.note, _leaving(one))))) for one in every]
    table = compare(targets, told, prob=prob, refit=refit).rename(columns={"group": "choice"})
    rows = {one.name: ", ".join(f"{name}: {count}" for name, count in one.leaves.items()) for one in every}
    table.insert(table.columns.get_loc("note"), "leaves", [rows.get(name, "") for name in table["change"]])
    return table


def _leaving(variant: Change) -> str:
    """What leaves with a variant, in words."""
    rows = [
        f"the {count} rows of {name}" if count > 1 else f"the row of {name}" for name, count in variant.leaves.items()
    ]
    return f"{' and '.join(rows)} leave{'s' if sum(variant.leaves.values()) == 1 else ''} with it" if rows else ""


@checked
def spread_by_choice(table: pd.DataFrame) -> pd.DataFrame:
    """Decompose the spread of a structure table by choice.

    For each choice and quantity, over the fitted model and the variants that make this choice otherwise: the lowest
    and highest median and their difference, largest first, each with its Monte Carlo error. Variants that change the
    estimand or whose weights are unreliable are left out.

    Returns
    -------
    DataFrame
        ``choice, quantity, unit, variants, lowest, mcse_lowest, highest, mcse_highest, spread, mcse_spread``. The error
        of a spread between two variants counts them as independent; they share draws, so that it is less as a rule.
    """
    check_columns(table, ("choice", "quantity", "unit", "method", "median", "mcse_median", "mcse_d_median",
                          "estimand_changed"))  # fmt: skip
    used = table[~table["estimand_changed"] & ~table["method"].str.endswith("unreliable")]
    base = used[used["method"] == "as fitted"].set_index("quantity", drop=False)
    rows = []
    for (choice, quantity), part in used[used["method"] != "as fitted"].groupby(["choice", "quantity"], sort=False):
        every = pd.concat([part, base.loc[[quantity]]])
        low, high = (every.iloc[int(at)] for at in (every["median"].argmin(), every["median"].argmax()))
        rows.append({
            "choice": choice, "quantity": quantity, "unit": part["unit"].iloc[0], "variants": len(part),
            "lowest": low["median"], "mcse_lowest": low["mcse_median"],
            "highest": high["median"], "mcse_highest": high["mcse_median"],
            "spread": high["median"] - low["median"],
            "mcse_spread": math.hypot(low["mcse_d_median"], high["mcse_d_median"]),
        })  # fmt: skip
    return pd.DataFrame(rows, columns=list(_SPREAD)).sort_values(
        ["quantity", "spread"], ascending=[True, False], ignore_index=True
    )


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    every = case.variants() if case.variants else ()
    variants = [one for one in every if request.refit or one.log_ratio or one.targets is not None]
    if not variants:
        return {}
    table = structure(case.targets, variants, refit=request.refit)
    return {"structure": table, "structure_by_choice": spread_by_choice(table)}


ANALYSIS = Analysis(_run, "other structures of the model", "structures= of the question",
                    ("structure", "structure_by_choice"), weight=4)  # fmt: skip
