"""``chains``: traces and ranks of the chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.diagnostics import convergence
from bayes.draws import Fit, fit_from
from bayes.figures.canvas import NARROW, SMALL, Page
from bayes.figures.marks import DASHED, LINE, wrapped
from bayes.figures.record import Figure
from bayes.figures.scales import counts, unit_note
from bayes.figures.tabulation import Floats, Rows, available, group, sampled, stamped
from bayes.numbers import label_text
from bayes.summaries import holds_draws
from bayes.words import spaced

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from xarray import Dataset, DataTree

    from bayes.figures.gallery import Gallery

__all__ = ["FIGURE"]

SHOWN = 5
POINTS = 200
BINS = 20
ELEMENTS = 20


@checked
def chains_table(
    fit: Fit, *, variables: Sequence[str] | None = None, labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Tabulate traces and rank counts by chain.

    Parameters
    ----------
    fit
        Any fit, in any form that :func:`bayes.load_fit` reads.
    variables
        Scalar variables; by default the five with the smallest effective sample size.
    labels, units
        Words and units by variable; otherwise its name and the variable's attribute ``unit``.

    Returns
    -------
    DataFrame
        By variable: ``trace`` (chain, draw, y; evenly thinned to 200 draws a chain), ``rank`` (chain, lower and upper
        end of the bin of pooled ranks as shares, y the count over its expectation) and ``summary`` (rhat, ess_bulk,
        ess_tail).
    """
    fit = fit_from(fit)
    posterior = group(fit, "posterior")
    if variables is not None:
        available(posterior, variables)
    if variables is None:
        posterior = _series(posterior)
    scalars = [str(n) for n, a in posterior.data_vars.items() if holds_draws(a) and set(a.dims) == {"chain", "draw"}]
    found = convergence(posterior[list(variables) if variables is not None else scalars])
    names = list(variables) if variables is not None else _worst(fit, posterior, scalars, found)
    rows: Rows = []
    for name in names:
        values = np.asarray(posterior[name].transpose("chain", "draw").values, dtype=float)
        unit = (units or {}).get(name, posterior[name].attrs.get("unit", ""))
        same = {"variable": name, "label": (labels or {}).get(name, name), "unit": unit}
        facts = {k: float(np.asarray(v)) for k, v in found[name].items() if k in ("rhat", "ess_bulk", "ess_tail")}
        rows += [{**row, **same} for row in [*_rows(values), {"layer": "summary", **facts}]]
    return stamped(rows, fit, ("variable", "label", "unit", "chain"))


def _series(posterior: Dataset) -> Dataset:
    """The scalars; of a fit without any, the first elements of its arrays."""
    from xarray import Dataset as Data

    numeric = {str(n): a for n, a in posterior.data_vars.items() if holds_draws(a)}
    if any(set(a.dims) == {"chain", "draw"} for a in numeric.values()):
        return posterior
    found = {}
    for array in numeric.values():
        dims = [d for d in array.dims if d not in ("chain", "draw")]
        places = list(np.ndindex(*(array.sizes[d] for d in dims)))[:ELEMENTS]
        for index in places:
            one = array.isel(dict(zip(dims, map(int, index), strict=True)), drop=True)
            labels = ", ".join(label_text(array[d].values[i]) for d, i in zip(dims, index, strict=True))
            found[f"{array.name}[{labels}]"] = one
    return Data(found)


def _worst(fit: DataTree, posterior: Dataset, scalars: list[str], found: object) -> list[str]:
    known = sampled(fit, forward=False)
    varying = [n for n in scalars if float(posterior[n].std()) > 0]
    names = [n for n in varying if known is None or n.partition("[")[0] in known] or varying
    return sorted(names, key=lambda n: float(np.asarray(found[n]["ess_bulk"])))[:SHOWN]  # type: ignore[index]


def _rows(values: Floats) -> Rows:
    from scipy.stats import rankdata

    count, length = values.shape
    keep = np.unique(np.linspace(0, length - 1, min(POINTS, length)).round().astype(int))
    rank = (rankdata(values).reshape(values.shape) - 0.5) / values.size
    edges = np.linspace(0, 1, BINS + 1)
    rows: Rows = []
    for chain in range(count):
        rows += [{"layer": "trace", "chain": chain, "draw": int(d), "y": float(values[chain, d])} for d in keep]
        heights = np.histogram(rank[chain], edges)[0] / (length / BINS)
        rows += [{"layer": "rank", "chain": chain, "lower": float(a), "upper": float(b), "y": float(h)}
                 for a, b, h in zip(edges[:-1], edges[1:], heights, strict=True)]  # fmt: skip
    return rows


def _of_run(run: Gallery) -> pd.DataFrame:
    words = run.words
    return chains_table(run.fit, labels=words.labels, units={**words.units, **run.units})


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    names = list(dict.fromkeys(table["variable"]))
    panels = sheet.figure.subplots(len(names), 2, squeeze=False, width_ratios=(3, 2), sharex="col")
    for i, name in enumerate(names):
        part = table[table["variable"] == name]
        _trace(sheet, panels[i, 0], part)
        _ranks(sheet, panels[i, 1], part)
    panels[-1, 0].set_xlabel("Draw")
    panels[-1, 1].set_xlabel("Rank (%)" if sheet.narrow else "Rank in all draws (%)")


def _says(table: pd.DataFrame) -> str:
    found = table[table["layer"] == "summary"]
    return (
        f"The largest R-hat is {found['rhat'].max():.3f} and the smallest effective sample size "
        f"{found[['ess_bulk', 'ess_tail']].min(axis=None):,.0f}; chains agree where R-hat is below 1.01. "
        "Traces and ranks of the quantities with the smallest effective sample sizes. Left: draws by chain, "
        "evenly thinned. Right: ranks of each chain's draws among all draws, counted in bins and divided by the "
        "count expected (1, dashed) when chains agree."
    )


def _trace(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    part = table[table["layer"] == "trace"]
    for chain in sorted(set(part["chain"])):
        one = part[part["chain"] == chain]
        axes.plot(one["draw"], one["y"], color=_colour(sheet, int(chain)), linewidth=0.35, alpha=0.9,
                  gid=f"chain {int(chain)}")  # fmt: skip
    axes.set_xlim(0, float(part["draw"].max()))
    counts(axes.yaxis, 3)
    row = table[table["layer"] == "summary"].iloc[0]
    name = wrapped(spaced(str(row.get("label", row["variable"]))), _letters(sheet.width))
    gap = "\n" if sheet.narrow else " "
    facts = f"R-hat {row['rhat']:.3f},{gap}ESS {row['ess_bulk']:,.0f} bulk, {row['ess_tail']:,.0f} tail"
    axes.set_title(f"{name}\n{facts}", fontsize=SMALL, weight="normal")
    axes.set_ylabel(unit_note(str(row["unit"])), fontsize=SMALL)
    counts(axes.xaxis, 5, whole=True)


def _letters(width: float) -> int:
    return int(0.4 * width)


def _height(table: pd.DataFrame, width: float) -> float:
    lines = max(wrapped(str(name), _letters(width)).count("\n") for name in table["label"].unique())
    return 6 + (25.0 + LINE * (lines + (width < NARROW))) * int(table["variable"].nunique())


def _ranks(sheet: Page, axes: Axes, table: pd.DataFrame) -> None:
    part = table[table["layer"] == "rank"]
    axes.axhline(1, color=sheet.palette.muted, linewidth=0.7, linestyle=DASHED)
    for chain in sorted(set(part["chain"])):
        one = part[part["chain"] == chain].sort_values("lower")
        axes.stairs(one["y"].to_numpy(), [*(100 * one["lower"]), 100.0], color=_colour(sheet, int(chain)),
                    linewidth=0.7, baseline=None, gid=f"ranks {int(chain)}")  # fmt: skip
    axes.set_ylim(0, max(2.0, 1.05 * float(part["y"].max())))
    axes.set_xlim(0, 100)
    counts(axes.yaxis, 2, whole=True)
    axes.set_ylabel("Relative\ncount" if sheet.narrow else "Relative count", fontsize=SMALL)


def _colour(sheet: Page, chain: int) -> str:
    return sheet.palette.series[chain % len(sheet.palette.series)]


FIGURE = Figure(
    name="chains",
    title="Traces and ranks of the chains, of the quantities that mixed worst.",
    needs=("fit",),
    columns=("layer", "variable", "unit", "chain", "draw", "y", "lower", "upper", "rhat", "ess_bulk", "ess_tail"),
    table=chains_table,
    of_run=_of_run,
    draw=_draw,
    says=_says,
    height=_height,
)
