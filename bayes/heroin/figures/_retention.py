"""``retention``: the share still in treatment over time, with the follow-up counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit, fit_from
from bayes.figures.canvas import Page
from bayes.figures.marks import bands, beside_mm, circle, in_margin
from bayes.figures.record import Figure
from bayes.figures.scales import percent
from bayes.figures.tabulation import Rows, available, draws_of, group, intervals, stamped

if TYPE_CHECKING:
    import pandas as pd

    from bayes.figures.gallery import Gallery

__all__ = ["FIGURE"]


@checked
def retention_table(fit: Fit, *, labels: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Tabulate the share still in treatment by time, and the follow-up counts.

    Parameters
    ----------
    fit
        The fit of the joint model.
    labels
        Words for the rows of follow-up; their names otherwise.

    Returns
    -------
    DataFrame
        ``interval`` and ``median`` of the Weibull survival at each ``year``; ``observed``: row, year, x the share,
        count and of.
    """
    fit = fit_from(fit)
    post, data = group(fit, "posterior"), group(fit, "constant_data")
    available(post, ("retention_scale", "retention_shape"))
    available(data, ("retention__observed", "retention__entered", "retention__years"))
    scale, shape = draws_of(post["retention_scale"]), draws_of(post["retention_shape"])
    years = data["retention__years"].values
    rows: Rows = []
    for t in np.linspace(0.0, max(3.0, float(years.max()) * 1.25), 61):
        rows += [{**row, "year": float(t)} for row in intervals(np.exp(-((t / scale) ** shape)))]
    counts, entered = data["retention__observed"].values, data["retention__entered"].values
    for name, t, k, n in zip(data["retention_row"].values, years, counts, entered, strict=True):
        rows.append({"layer": "observed", "row": (labels or {}).get(str(name), str(name)), "year": float(t),
                     "x": float(k / n), "count": int(k), "of": int(n)})  # fmt: skip
    first = ("year", "x", "lower", "upper", "prob", "kind", "unit")
    return stamped([{**row, "unit": "share"} for row in rows], fit, first)


def _of_run(run: Gallery) -> pd.DataFrame:
    return retention_table(run.fit, labels={str(r.row): str(r.group) for r in run.evidence.itertuples()})


def _names(table: pd.DataFrame) -> list[str]:
    """The published counts in words."""
    seen = table[table["layer"] == "observed"]
    return [f"{str(name).replace('_', ' ')}: {int(count):,} of {int(of):,}"
            for name, count, of in zip(seen["row"], seen["count"], seen["of"], strict=True)]  # fmt: skip


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    from matplotlib.ticker import MultipleLocator

    axes = sheet.figure.add_subplot()
    bands(sheet, axes, table, "year")
    seen = table[table["layer"] == "observed"]
    for row in seen.itertuples():
        circle(axes, (row.year, row.x), sheet.palette.ink, size=3.2, gid="observed")
    axes.set_xlim(0, float(table["year"].max()))
    axes.set_ylim(0, 1)
    in_margin(sheet, axes, [(x, y, name) for x, y, name in zip(seen["year"], seen["x"], _names(table), strict=True)])
    percent(axes.yaxis)
    axes.xaxis.set_major_locator(MultipleLocator(0.5))
    axes.set_xlabel("Time since entry (years)")
    axes.set_ylabel("Still in treatment (% of entrants)")


def _says(table: pd.DataFrame) -> str:
    middle = table[table["layer"] == "median"].sort_values("year")
    half = np.interp(0.5, middle["x"].to_numpy()[::-1], middle["year"].to_numpy()[::-1], right=np.nan, left=np.nan)
    told = f"Half have left after {half:.1f} years. " if half == half else ""
    return (
        f"{told}Retention in treatment. Bands: intervals of the Weibull survival curve from wide to narrow; line: the "
        "median; circles: published counts, which inform the curve by their numbers."
    )


FIGURE = Figure(name="retention", title="The share still in treatment over time, with the published counts.",
                needs=("fit", "evidence"),
                columns=("layer", "year", "x", "lower", "upper", "prob", "kind", "row", "count", "of"),
                table=retention_table, of_run=_of_run, draw=_draw, says=_says,
                height=lambda table, width: max(60.0, beside_mm(_names(table), width)),
                width="single")  # fmt: skip
