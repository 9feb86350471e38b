"""``loo_pit``: leave-one-out predictive probabilities of the rows of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import check_columns, checked
from bayes.draws import Fit, fit_from
from bayes.errors import UsageError
from bayes.figures.canvas import Page, layers
from bayes.figures.marks import words_at
from bayes.figures.record import Figure
from bayes.figures.tabulation import Rows, group, stamp
from bayes.numbers import label_text
from bayes.summaries import PROB

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

__all__ = ["FIGURE"]

SIMULATED = 1000
"""Simulations of the band, as many as ArviZ makes."""


@checked
def loo_pit_table(conflict: pd.DataFrame | Fit) -> pd.DataFrame:
    r"""Tabulate the empirical distribution of leave-one-out predictive probabilities, less the uniform.

    For each source, u lies between :math:`P(Y < y)` and :math:`P(Y \le y)` from the posterior without it; if the model
    predicts well, the u are spread evenly. Where the two differ (counts, answers of few kinds, times cut off), u is
    spread evenly between them, as a calibrated model has it (Czado, Gneiting and Held 2009), and the row's mark stands
    in the middle. Curve and band are those of ArviZ (``ecdf_pit``, after Säilynoja, Bürkner and Vehtari 2022): at
    :math:`x = k/n` the share of the u up to x, less x, and the band that holds the whole curve of as many independent
    uniform numbers with probability 0.95: of spread rows, with more. Rows that share a setting, and probabilities that
    share their data, are not independent, so the band is for orientation.

    Parameters
    ----------
    conflict
        What :func:`bayes.sensitivity.conflict` returned; or any fit with groups ``observed_data``,
        ``posterior_predictive`` and ``log_likelihood``, each of whose observations is left out by weights.

    Returns
    -------
    DataFrame
        Layers ``row`` (row, x the probability), ``curve`` (x, y) and ``band`` (x, lower, upper).
    """
    import pandas as pd

    from bayes.arraystats import ecdf_pit

    if not isinstance(conflict, pd.DataFrame):
        conflict = _left_out(fit_from(conflict))
    check_columns(conflict, ("source", "p_below", "p_at_most"))
    rows = conflict.drop_duplicates("source")
    below, most = (rows[name].to_numpy(dtype=float) for name in ("p_below", "p_at_most"))
    u = (below + most) / 2
    if len(u) < 2:
        raise UsageError("one row has no distribution", key="conflict", found=len(u), allowed="2 rows or more")
    names = rows["source"].to_numpy()
    found: Rows = [{"layer": "row", "row": str(names[i]), "x": float(u[i])} for i in np.argsort(u)]
    x_of, _, *band = ecdf_pit(u, PROB, SIMULATED)
    for x, share, low, high in np.stack([x_of, _shares(below, most, x_of), *band], axis=1).tolist():
        found += [{"layer": "curve", "x": x, "y": share - x},
                  {"layer": "band", "x": x, "lower": low - x, "upper": high - x, "prob": PROB,
                   "kind": "simultaneous"}]  # fmt: skip
    kept = {key: conflict[key].iloc[0] for key in ("draws", "chains", "verdict") if key in conflict}
    return pd.DataFrame(found).assign(unit="probability", **kept)


def _shares(below: np.ndarray, most: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Share of the probabilities up to each x, each spread evenly over its own range.

    >>> _shares(np.array([0.0, 0.75]), np.array([0.5, 0.75]), np.array([0.25, 0.5, 0.75])).tolist()
    [0.25, 0.5, 1.0]
    """
    width = (most - below)[:, None]
    spread = np.clip((x - below[:, None]) / np.where(width > 0, width, 1.0), 0.0, 1.0)
    found: np.ndarray = np.where(width > 0, spread, below[:, None] <= x).mean(axis=0)
    return found


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
            labels = [label_text(observed[name][d].values[k]) for d, k in zip(dims, i, strict=True)]
            source = f"{name}[{', '.join(labels)}]" if labels else str(name)
            rows.append({"source": source, **predictive_p(below, -logs[at])})
    if not rows:
        raise UsageError("no observed variable has predictive draws and a log likelihood", key="conflict",
                         found=[str(name) for name in observed.data_vars], fix="sample with bayes.sample")  # fmt: skip
    return pd.DataFrame(rows).assign(**stamp(fit))


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    axes, colours = sheet.figure.add_subplot(), sheet.palette
    rows, curve, band = layers(table, ["row", "curve", "band"])
    axes.fill_between(band["x"], band["lower"], band["upper"], color=colours.bands[0], linewidth=0, step="post",
                      gid="band")  # fmt: skip
    axes.axhline(0.0, color=colours.muted, linewidth=0.6)
    axes.plot(curve["x"], curve["y"], color=colours.main, linewidth=1.0, drawstyle="steps-post", gid="curve")
    axes.set_xlim(0.0, 1.0)
    reach = 1.15 * max(float(band["upper"].max()), float(curve["y"].abs().max()), -float(band["lower"].min()))
    axes.set_ylim(-1.25 * reach, reach)
    axes.plot(rows["x"], [-1.17 * reach] * len(rows), "|", color=colours.ink, markersize=4.5, gid="row")
    words_at(axes, (0.02, -1.08 * reach), "each row", align=("left", "bottom"))
    words_at(axes, (0.98, 0.97), f"{PROB:.0%} of calibrated models\nstay inside the band", align=("right", "top"),
             coords="axes fraction")  # fmt: skip
    axes.set_xlabel("Leave-one-out predictive probability (LOO-PIT)")
    axes.set_ylabel("Distribution function less the uniform")


def _says(table: pd.DataFrame) -> str:
    _, curve, band = (part.sort_values("x") for part in layers(table, ["row", "curve", "band"]))
    y, low, high = (part[name].to_numpy() for part, name in ((curve, "y"), (band, "lower"), (band, "upper")))
    inside = bool(((low <= y + 1e-12) & (y <= high + 1e-12)).all())
    return (
        f"The curve {'stays inside' if inside else 'leaves'} the band: {int((table['layer'] == 'row').sum())} rows "
        f"give {'no' if inside else 'some'} sign that predictions are not calibrated. Leave-one-out predictive "
        "probabilities: each mark at the bottom is a row predicted from all the others, and a curve near zero means "
        "that the marks are spread evenly. A row that others may equal, such as a count, is spread over the "
        "probability of its value, with its mark in the middle. The band holds the whole curve of as many independent "
        f"uniform numbers with probability {100 * PROB:g} %."
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
