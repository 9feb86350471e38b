"""Tables of agreement: the funnel of trials, and leave-one-out predictive probabilities of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import check_columns, checked
from bayes.elsewhere import Fit, fit_from
from bayes.errors import UsageError
from bayes.figuredata.base import Rows, available, draws_of, group, stamp, stamped
from bayes.figuredata.trials import RATIO, Z, contrasts

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

__all__ = ["funnel", "loo_pit"]

SIMULATED = 4000


@checked
def funnel(fit: Fit, evidence: pd.DataFrame) -> pd.DataFrame:
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


@checked
def loo_pit(conflict: pd.DataFrame | Fit, *, rng: int | np.random.Generator = 1) -> pd.DataFrame:
    r"""Tabulate the empirical distribution of leave-one-out predictive probabilities, less the uniform.

    For each source, :math:`u = (P(Y < y) + P(Y \le y)) / 2` from the posterior without it; if the model predicts well,
    the u are spread evenly. The band holds the whole curve of as many independent uniform numbers with probability
    0.95 (its half-width is that quantile of the Kolmogorov statistic, simulated). Rows that share a setting are not
    independent, so the band is for orientation.

    Parameters
    ----------
    conflict
        What :func:`bayes.sensitivity.conflict` returned; or any fit with groups ``observed_data``,
        ``posterior_predictive`` and ``log_likelihood``, each of whose observations is left out by weights.
    rng
        Seed of the simulated band.

    Returns
    -------
    DataFrame
        Layers ``row`` (row, x the probability, y the curve less the uniform) and ``band`` (x, lower, upper).
    """
    import pandas as pd

    if not isinstance(conflict, pd.DataFrame):
        conflict = _left_out(fit_from(conflict))
    check_columns(conflict, ("source", "p_below", "p_at_most"))
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


def _left_out(fit: DataTree) -> pd.DataFrame:
    """Predictive probabilities of each observation from all the others: draws weighted by one over its likelihood."""
    import pandas as pd

    from bayes.sensitivity import predictive_p

    observed, replicated, density = (
        group(fit, name) for name in ("observed_data", "posterior_predictive", "log_likelihood")
    )
    rows = []
    for name, array in observed.data_vars.items():
        dims = array.dims
        if name not in replicated or name not in density or set(density[name].dims) != {"chain", "draw", *dims}:
            continue  # rows that only have a density together cannot be left out one by one
        y = np.asarray(observed[name].values, dtype=float)
        draws, logs = (np.asarray(data[name].transpose("chain", "draw", *dims).values, dtype=float)
                       for data in (replicated, density))  # fmt: skip
        for i in np.ndindex(y.shape):
            at = (slice(None), slice(None), *i)
            below = np.stack([draws[at] < y[i], draws[at] <= y[i]], axis=-1)
            labels = [str(observed[name][d].values[k]) for d, k in zip(dims, i, strict=True)]
            source = f"{name}[{', '.join(labels)}]" if labels else str(name)
            rows.append({"source": source, **predictive_p(below, -logs[at])})
    if not rows:
        raise UsageError("no observed variable has predictive draws and a log likelihood", key="conflict",
                         found=[str(name) for name in observed.data_vars], fix="sample with bayes.sample")  # fmt: skip
    return pd.DataFrame(rows).assign(**stamp(fit))
