"""Structure: what the answer owes to choices about the form of the model.

A variant is a :class:`~bayes.sensitivity.changes.Change` whose ``group`` is the choice it makes otherwise. Where a
variant's likelihood can be evaluated at the draws of the fit it is reweighted: parameters that only one of the two
models has keep, or get, their prior, which cancels. Otherwise it is refitted. Variants that change what the target
means are listed and marked, and take no part in the spread.

The variants are the analyst's, not a sample of anything: no share of them is reported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from bayes.errors import UsageError
from bayes.sensitivity.changes import Change, Targets, compare
from bayes.summaries import PROB

__all__ = ["MOST", "spread_by_choice", "structure"]

MOST = 12
"""Most variants declared at a time: beyond that a reader compares nothing."""

_SPREAD = ("choice", "quantity", "unit", "variants", "lowest", "mcse_lowest", "highest", "mcse_highest", "spread",
           "mcse_spread")  # fmt: skip


def structure(targets: Targets, variants: Sequence[Change], *, prob: float = PROB, refit: bool = True) -> pd.DataFrame:
    """Tabulate a declared set of model variants: the data of a specification plot.

    Parameters
    ----------
    targets
        Draws (chain, draw) of the fitted model, by name.
    variants
        At most :data:`MOST`; ``group`` is the choice each makes.
    prob
        Probability of the interval.
    refit
        Whether variants whose weights fail are refitted.

    Returns
    -------
    DataFrame
        As :func:`bayes.sensitivity.compare`, sorted by choice as given, with ``choice`` for ``group``.

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
    return compare(targets, variants, prob=prob, refit=refit).rename(columns={"group": "choice"})


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
