"""The table of the trace and rank panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.diagnostics import convergence
from bayes.elsewhere import Fit, fit_from
from bayes.figuredata.base import Floats, Rows, available, group, sampled, stamped
from bayes.summaries import holds_draws

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset, DataTree

__all__ = ["chains"]

SHOWN = 5
POINTS = 200
BINS = 20
ELEMENTS = 20


@checked
def chains(
    fit: Fit,
    *,
    variables: Sequence[str] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> pd.DataFrame:
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
        end of the bin of
        pooled ranks as shares, y the count over its expectation) and ``summary`` (rhat, ess_bulk, ess_tail).
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
        rows += [{**row, **same} for row in _rows(values)]
        rows.append(
            {"layer": "summary", **same}
            | {k: float(np.asarray(v)) for k, v in found[name].items() if k in ("rhat", "ess_bulk", "ess_tail")}
        )
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
            found[f"{array.name}[{', '.join(str(array[d].values[i]) for d, i in zip(dims, index, strict=True))}]"] = one
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
        rows += [
            {"layer": "rank", "chain": chain, "lower": float(a), "upper": float(b), "y": float(h)}
            for a, b, h in zip(edges[:-1], edges[1:], heights, strict=True)
        ]
    return rows
