"""``loo_pit``: leave-one-out predictive probabilities of the rows of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import check_columns, checked
from bayes.draws import Fit, fit_from
from bayes.errors import UsageError
from bayes.figures.canvas import Page
from bayes.figures.record import Figure
from bayes.figures.tabulation import Rows, group, stamp

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

__all__ = ["FIGURE"]

SIMULATED = 4000


@checked
def loo_pit_table(conflict: pd.DataFrame | Fit, *, rng: int | np.random.Generator = 1) -> pd.DataFrame:
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
    n, names = len(u), rows["source"].to_numpy()
    even = np.random.default_rng(rng).uniform(size=(SIMULATED, n))
    even.sort(axis=1)
    step = np.arange(1, n + 1) / n
    gap = np.maximum(np.abs(step - even), np.abs(step - 1 / n - even)).max(axis=1)
    half = float(np.quantile(gap, 0.95))
    found: Rows = [{"layer": "row", "row": str(names[i]), "x": float(u[i]), "y": float((k + 0.5) / n - u[i])}
                   for k, i in enumerate(np.argsort(u))]  # fmt: skip
    found += [{"layer": "band", "x": x, "lower": -half, "upper": half, "prob": 0.95, "kind": "simultaneous"}
              for x in (0.0, 1.0)]  # fmt: skip
    kept = {key: conflict[key].iloc[0] for key in ("draws", "chains", "verdict") if key in conflict}
    return pd.DataFrame(found).assign(unit="probability", **kept)


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


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes, colours = sheet.figure.add_subplot(), sheet.palette
    rows, band = table[table["layer"] == "row"], table[table["layer"] == "band"]
    axes.fill_between(band["x"], band["lower"], band["upper"], color=colours.bands[0], linewidth=0, gid="band")
    axes.axhline(0.0, color=colours.muted, linewidth=0.6)
    axes.plot(rows["x"], rows["y"], color=colours.main, linewidth=1.0, marker="o", markersize=2.6, gid="row")
    axes.set_xlim(0.0, 1.0)
    reach = 1.15 * max(float(band["upper"].max()), float(rows["y"].abs().max()))
    axes.set_ylim(-reach, reach)
    axes.set_xlabel("Leave-one-out predictive probability (LOO-PIT)")
    axes.set_ylabel("Distribution function less the uniform")


def _says(table: pd.DataFrame) -> str:
    return (
        "Leave-one-out predictive probabilities of the rows of evidence. Each of the "
        f"{int((table['layer'] == 'row').sum())} dots is a row predicted from all the others; a curve near zero "
        "means that predictions are calibrated. The band holds the whole curve of as many independent uniform "
        "numbers with probability 95 %."
    )


FIGURE = Figure(
    name="loo_pit",
    title="Leave-one-out predictive probabilities of the rows, as a distribution function less the uniform.",
    needs=(("conflict",),),
    columns=("layer", "row", "x", "y", "lower", "upper", "prob", "kind"),
    table=loo_pit_table,
    draw=_draw,
    says=_says,
    height=lambda table, width: 66.0,
    width="single",
)
