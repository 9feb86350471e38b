"""``funnel``: contrasts between arms by their standard error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit, fit_from
from bayes.figures._funnel import FIGURE as ANY
from bayes.figures.tabulation import Rows, available, draws_of, group, stamped
from bayes.heroin.figures._forest import RATIO, Z, contrasts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIGURE"]


@checked
def funnel_table(fit: Fit, evidence: pd.DataFrame) -> pd.DataFrame:
    r"""Tabulate each contrast by its standard error, with the limits expected around the mean.

    Limits are :math:`\exp(\mu \pm z s)` for sampling error alone and :math:`\exp(\mu \pm z \sqrt{s^2 + \tau^2})` with
    the spread between settings, at the posterior medians of :math:`\mu` and :math:`\tau`. They are for orientation: a
    contrast measures effect and bias together.

    Parameters
    ----------
    fit
        The fit of the joint model.
    evidence
        The run's table of evidence: ``table, row, group, use``.

    Returns
    -------
    DataFrame
        Layers ``row`` (label, x a rate ratio, se), ``mean`` (x), ``limit`` and ``limit_tau`` (se, lower, upper).
    """
    fit = fit_from(fit)
    post, data = group(fit, "posterior"), group(fit, "constant_data")
    available(post, ("mu_theta",))
    used, y, se = contrasts(data, evidence)
    mu = float(np.median(draws_of(post["mu_theta"])))
    tau = float(np.median(draws_of(post["tau_theta"]))) if "tau_theta" in post else 0.0
    rows: Rows = [{"layer": "row", "row": str(r.row), "label": str(r.group), "x": float(np.exp(y[r.row])),
                   "se": float(se[r.row])} for r in used.itertuples()]  # fmt: skip
    widest = 1.1 * max(float(row["se"]) for row in rows)
    rows.append({"layer": "mean", "label": "Mean over settings", "x": float(np.exp(mu))})
    for layer, more in (("limit", 0.0), ("limit_tau", tau)):
        for s in np.linspace(0.0, widest, 41):
            low, high = np.exp(mu + Z * np.hypot(s, more) * np.array([-1.0, 1.0])).tolist()
            rows.append({"layer": layer, "se": float(s), "lower": low, "upper": high, "prob": 0.95, "kind": "funnel"})
    return stamped([{**row, "unit": RATIO} for row in rows], fit, ("row", "label", "x", "se", "lower", "upper"))


def _says(table: pd.DataFrame) -> str:
    return (
        f"{ANY.says(table)} An estimate holds effect and bias; the mean is of the effect alone, so that dots need not "
        "lie around it."
    )


FIGURE = replace(ANY, needs=("fit", "evidence"), table=funnel_table, says=_says)
