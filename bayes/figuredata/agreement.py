"""Tables of agreement: the funnel of trials, and leave-one-out predictive probabilities of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import seeded
from bayes.figuredata.base import Rows, available, draws_of, group, stamped
from bayes.figuredata.trials import RATIO, Z, contrasts

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

__all__ = ["funnel", "loo_pit"]

SIMULATED = 4000


def funnel(fit: DataTree, evidence: pd.DataFrame) -> pd.DataFrame:
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
    post, data = group(fit, "posterior"), group(fit, "constant_data")
    available(post, ("mu_theta",))
    used, y, se = contrasts(data, evidence)
    mu = float(np.median(draws_of(post["mu_theta"])))
    tau = float(np.median(draws_of(post["tau_theta"]))) if "tau_theta" in post else 0.0
    rows: Rows = [
        {"layer": "row", "row": str(r.row), "label": str(r.group), "x": float(np.exp(y[r.row])), "se": float(se[r.row])}
        for r in used.itertuples()
    ]
    widest = 1.1 * max(float(row["se"]) for row in rows)
    rows.append({"layer": "mean", "label": "Mean over settings", "x": float(np.exp(mu))})
    for layer, more in (("limit", 0.0), ("limit_tau", tau)):
        for s in np.linspace(0.0, widest, 41):
            low, high = np.exp(mu + Z * np.hypot(s, more) * np.array([-1.0, 1.0])).tolist()
            rows.append({"layer": layer, "se": float(s), "lower": low, "upper": high, "prob": 0.95, "kind": "funnel"})
    return stamped([{**row, "unit": RATIO} for row in rows], fit, ("row", "label", "x", "se", "lower", "upper"))


@seeded
def loo_pit(conflict: pd.DataFrame, *, rng: int | np.random.Generator = 1) -> pd.DataFrame:
    r"""Tabulate the empirical distribution of leave-one-out predictive probabilities, less the uniform.

    For each source, :math:`u = (P(Y < y) + P(Y \le y)) / 2` from the posterior without it; if the model predicts well,
    the u are spread evenly. The band holds the whole curve of as many independent uniform numbers with probability
    0.95 (its half-width is that quantile of the Kolmogorov statistic, simulated). Rows that share a setting are not
    independent, so the band is for orientation.

    Parameters
    ----------
    conflict
        What :func:`bayes.sensitivity.conflict` returned.
    rng
        Seed of the simulated band.

    Returns
    -------
    DataFrame
        Layers ``row`` (row, x the probability, y the curve less the uniform) and ``band`` (x, lower, upper).
    """
    import pandas as pd

    rows = conflict.drop_duplicates("source")
    u = ((rows["p_below"] + rows["p_at_most"]) / 2).to_numpy(dtype=float)
    order = np.argsort(u)
    n = len(u)
    even = np.random.default_rng(rng).uniform(size=(SIMULATED, n))
    even.sort(axis=1)
    step = np.arange(1, n + 1) / n
    gap = np.maximum(np.abs(step - even), np.abs(step - 1 / n - even)).max(axis=1)
    half = float(np.quantile(gap, 0.95))
    names = rows["source"].to_numpy()
    found: Rows = [
        {"layer": "row", "row": str(names[i]), "x": float(u[i]), "y": float((k + 0.5) / n - u[i])}
        for k, i in enumerate(order)
    ]
    for x in (0.0, 1.0):
        found.append({"layer": "band", "x": x, "lower": -half, "upper": half, "prob": 0.95, "kind": "simultaneous"})
    frame = pd.DataFrame(found).assign(unit="probability")
    kept = {key: conflict[key].iloc[0] for key in ("draws", "chains", "verdict") if key in conflict}
    return frame.assign(**kept)
