r"""``forest``: contrasts between arms, raw, adjusted for bias and shrunken, then pooled and predictive.

The ratios are exponentials of log rate ratios. In a forest the **raw** row is :math:`\exp(y \pm z s)`; the **adjusted**
row takes away what the posterior says of the row's bias :math:`b`, :math:`\exp(y - \bar b \pm z \sqrt{s^2 +
\mathrm{var}\,b})` (additive bias, after Turner, Spiegelhalter, Smith and Thompson 2009); the **shrunken** row is the
posterior of the setting's own effect; **pooled** is the mean over settings, **predictive** a new setting. The
**weight** of a row is :math:`w \propto 1/(s^2 + \mathrm{var}\,b + \tau^2)`, averaged over draws of :math:`\tau`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import check_columns, checked
from bayes.draws import Fit, fit_from
from bayes.errors import UsageError
from bayes.figures._forest import FIGURE as ANY
from bayes.figures.tabulation import KIND, Floats, Rows, available, draws_of, group, stamped
from bayes.summaries import PROB, interval

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset

__all__ = ["FIGURE", "RATIO", "Z", "contrasts"]

RATIO = "rate ratio"
Z = NormalDist().inv_cdf((1 + PROB) / 2)


def contrasts(data: Dataset, evidence: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[float], Mapping[str, float]]:
    """Return the trials in the likelihood, and the log ratio and standard error of each contrast by row.

    Raises
    ------
    UsageError
        If no contrast between arms enters the likelihood.
    """
    available(data, ("log_ratio__observed", "log_ratio__se"))
    check_columns(evidence, ("table", "row", "group", "use"))
    used = evidence[(evidence["table"] == "trials") & (evidence["use"] == "likelihood")]
    if used.empty:
        raise UsageError("no contrast between arms enters the likelihood", key="evidence",
                         found=sorted(set(evidence["table"])))  # fmt: skip
    y = data["log_ratio__observed"].to_series()
    se = data["log_ratio__se"].values.tolist()
    return used, y, dict(zip(map(str, y.index), se, strict=True))


@checked
def forest_table(fit: Fit, evidence: pd.DataFrame) -> pd.DataFrame:
    """Tabulate the contrasts between arms: raw, adjusted and shrunken by row, then pooled and predictive.

    Parameters
    ----------
    fit
        The fit of the joint model.
    evidence
        The run's table of evidence: ``table, row, group, use``.

    Returns
    -------
    DataFrame
        ``layer`` (raw, adjusted, shrunken, pooled, predictive, programme), ``row``, ``label``, ``estimate``, ``lower``,
        ``upper``, ``weight`` (share), ``prob``, ``kind``.
    """
    fit = fit_from(fit)
    post, data = group(fit, "posterior"), group(fit, "constant_data")
    available(post, ("effect", "log_ratio_fitted", "mu_theta", "theta_new"))
    used, y, se = contrasts(data, evidence)
    rows: Rows = []
    spread: dict[str, float] = {}
    for record in used.itertuples():
        key = str(record.row)
        theta = draws_of(post["effect"].sel(group_effect=f"theta: {record.group}"))
        bias = draws_of(post["log_ratio_fitted"].sel(effect_row=key)) - theta
        spread[key] = float(np.hypot(se[key], bias.std()))
        same = {"row": key, "label": str(record.group)}
        rows += [{"layer": "raw", **same, **_normal(float(y[key]), float(se[key]), "confidence")},
                 {"layer": "adjusted", **same, **_normal(float(y[key] - bias.mean()), spread[key], "normal")},
                 {"layer": "shrunken", **same, **_draws(theta)}]  # fmt: skip
    weight = _weights(spread, draws_of(post["tau_theta"]) if "tau_theta" in post else np.zeros(1))
    rows = [{**row, "weight": weight[str(row["row"])]} for row in rows]
    lines = [("pooled", "mu_theta", "Mean over settings", draws_of(post["mu_theta"])),
             ("predictive", "theta_new", "New setting", draws_of(post["theta_new"]))]  # fmt: skip
    if "rate_ratio" in post:
        lines.append(("programme", "rate_ratio", "Scaled-up programme", np.log(draws_of(post["rate_ratio"]))))
    rows += [{"layer": layer, "row": name, "label": label, **_draws(log)} for layer, name, label, log in lines]
    first = ("row", "label", "estimate", "lower", "upper", "weight", "unit")
    return stamped([{**row, "unit": RATIO} for row in rows], fit, first)


def _normal(centre: float, sd: float, kind: str) -> dict[str, Any]:
    low, mid, high = np.exp([centre - Z * sd, centre, centre + Z * sd]).tolist()
    return {"estimate": mid, "lower": low, "upper": high, "prob": PROB, "kind": kind}


def _draws(log: Floats) -> dict[str, Any]:
    low, high = np.exp(interval(log, PROB, KIND)).tolist()
    return {"estimate": float(np.exp(np.median(log))), "lower": low, "upper": high, "prob": PROB, "kind": KIND}


def _weights(spread: Mapping[str, float], tau: Floats) -> dict[str, float]:
    precision = 1 / (np.array(list(spread.values()))[:, None] ** 2 + tau[None, :] ** 2)
    return dict(zip(spread, (precision / precision.sum(axis=0)).mean(axis=1).tolist(), strict=True))


FIGURE = replace(ANY, needs=("fit", "evidence"), table=forest_table)
