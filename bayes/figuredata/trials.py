r"""Tables of a meta-analysis: the forest and the heterogeneity of effects and of drift.

The ratios are exponentials of log rate ratios. In a forest the **raw** row is :math:`\exp(y \pm z s)`; the **adjusted**
row takes away what the
posterior says of the row's bias :math:`b`, :math:`\exp(y - \bar b \pm z \sqrt{s^2 + \mathrm{var}\,b})` (additive bias,
after Turner, Spiegelhalter,
Smith and Thompson 2009); the **shrunken** row is the posterior of the setting's own effect; **pooled** is the mean over
settings, **predictive**
a new setting. The **weight** of a row is :math:`w \propto 1/(s^2 + \mathrm{var}\,b + \tau^2)`, averaged over draws of
:math:`\tau`.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import check_columns, checked
from bayes.elsewhere import Fit, fit_from
from bayes.errors import UsageError
from bayes.figuredata.base import (
    KIND,
    Floats,
    Rows,
    available,
    density,
    draws_of,
    group,
    intervals,
    stamped,
)
from bayes.summaries import PROB, interval

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset

__all__ = ["forest", "heterogeneity"]

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
        raise UsageError(
            "no contrast between arms enters the likelihood", key="evidence", found=sorted(set(evidence["table"]))
        )
    y = data["log_ratio__observed"].to_series()
    se = data["log_ratio__se"].values.tolist()
    return used, y, dict(zip(map(str, y.index), se, strict=True))


@checked
def forest(fit: Fit, evidence: pd.DataFrame) -> pd.DataFrame:
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
        ``upper``,
        ``weight`` (share), ``prob``, ``kind``.
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
        rows += [
            {"layer": "raw", **same, **_normal(float(y[key]), float(se[key]), "confidence")},
            {"layer": "adjusted", **same, **_normal(float(y[key] - bias.mean()), spread[key], "normal")},
            {"layer": "shrunken", **same, **_draws(theta)},
        ]
    weight = _weights(spread, draws_of(post["tau_theta"]) if "tau_theta" in post else np.zeros(1))
    rows = [{**row, "weight": weight[str(row["row"])]} for row in rows]
    for layer, name, label in (
        ("pooled", "mu_theta", "Mean over settings"),
        ("predictive", "theta_new", "New setting"),
    ):
        rows.append({"layer": layer, "row": name, "label": label, **_draws(draws_of(post[name]))})
    if "rate_ratio" in post:
        rows.append(
            {
                "layer": "programme",
                "row": "rate_ratio",
                "label": "Scaled-up programme",
                **_draws(np.log(draws_of(post["rate_ratio"]))),
            }
        )
    return stamped(
        [{**row, "unit": RATIO} for row in rows], fit, ("row", "label", "estimate", "lower", "upper", "weight", "unit")
    )


def _normal(centre: float, sd: float, kind: str) -> dict[str, Any]:
    low, mid, high = np.exp([centre - Z * sd, centre, centre + Z * sd]).tolist()
    return {"estimate": mid, "lower": low, "upper": high, "prob": PROB, "kind": kind}


def _draws(log: Floats) -> dict[str, Any]:
    low, high = interval(log, PROB, KIND)
    return {
        "estimate": float(np.exp(np.median(log))),
        "lower": float(np.exp(low)),
        "upper": float(np.exp(high)),
        "prob": PROB,
        "kind": KIND,
    }


def _weights(spread: Mapping[str, float], tau: Floats) -> dict[str, float]:
    precision = 1 / (np.array(list(spread.values()))[:, None] ** 2 + tau[None, :] ** 2)
    return dict(zip(spread, (precision / precision.sum(axis=0)).mean(axis=1).tolist(), strict=True))


@checked
def heterogeneity(fit: Fit) -> pd.DataFrame:
    """Tabulate how effects and drift differ between settings.

    Returns
    -------
    DataFrame
        ``panel`` effect or drift. Layers ``setting`` (one row and prob each: estimate, lower, upper), ``mean`` and
        ``new`` for the mean and a
        new setting, all as ratios; ``density`` (x, y) of the between-setting sd (log scale), ``group``
        prior or posterior.
    """
    fit = fit_from(fit)
    post = group(fit, "posterior")
    available(post, ("effect", "mu_theta", "tau_theta", "theta_new"))
    prior = group(fit, "prior")
    rows: Rows = []
    for panel, letter in (("effect", "theta"), ("drift", "gamma")):
        if f"mu_{letter}" not in post:
            continue
        found = _settings(post, letter)
        found += [
            {"layer": layer, "label": label, **row}
            for layer, label, name in (
                ("mean", "Mean over settings", f"mu_{letter}"),
                ("new", "New setting", f"{letter}_new"),
            )
            for row in _bars(draws_of(post[name]))
        ]
        found += _tau(prior, post, f"tau_{letter}")
        rows += [{"panel": panel, **row} for row in found]
    return stamped(rows, fit, ("panel", "label", "unit", "estimate", "lower", "upper", "prob", "kind"))


def _settings(post: Dataset, letter: str) -> Rows:
    labels = [str(v) for v in post["group_effect"].values if str(v).startswith(f"{letter}: ")]
    series = {name.split(": ", 1)[1]: draws_of(post["effect"].sel(group_effect=name)) for name in labels}
    ordered = sorted(series, key=lambda n: float(np.median(series[n])))
    return [{"layer": "setting", "label": name, **row} for name in ordered for row in _bars(series[name])]


def _bars(log: Floats) -> Rows:
    middle = float(np.exp(np.median(log)))
    return [
        {
            "estimate": middle,
            "lower": float(np.exp(row["lower"])),
            "upper": float(np.exp(row["upper"])),
            "prob": row["prob"],
            "kind": KIND,
            "unit": RATIO,
        }
        for row in intervals(log, (0.5, 0.95))
        if row["layer"] == "interval"
    ]


def _tau(prior: Dataset, post: Dataset, name: str) -> Rows:
    groups = (
        {"prior": draws_of(prior[name]), "posterior": draws_of(post[name])}
        if name in prior
        else {"posterior": draws_of(post[name])}
    )
    high = max(interval(values, 0.98, KIND)[1] for values in groups.values())
    rows: Rows = []
    for which, values in groups.items():
        x, y = density(values, 0.0, high)
        rows += [{"layer": "density", "group": which, "x": float(a), "y": float(b)} for a, b in zip(x, y, strict=True)]
    return [{**row, "label": name, "unit": "log sd"} for row in rows]
