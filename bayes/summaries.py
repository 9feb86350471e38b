"""Draws to tidy tables: the only place where an interval is computed.

Every interval is asked for with its probability and kind and carries both; no default of a library is relied on.
Means are printed only where they exist: a generalised Pareto shape of a tail above :data:`TAIL_LIMIT` means that the variance is
not finite, and then the mean is withheld with its reason while medians and quantiles stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataArray, Dataset

__all__ = ["KINDS", "PROB", "TAIL_LIMIT", "compact", "interval", "rounded", "summarise", "tail_shape"]

PROB = 0.95
KINDS = ("eti", "hdi")
TAIL_LIMIT = 0.5
SAMPLE = ("chain", "draw")


def summarise(
    data: Dataset, *, prob: float = PROB, kind: str = "eti", variables: Sequence[str] | None = None
) -> pd.DataFrame:
    """Summarise every series of draws in a dataset as one row.

    Parameters
    ----------
    data
        Variables with dims ``chain, draw`` and any others, for example ``fit["posterior"].to_dataset()`` or what
        :func:`bayes.project` returned. A variable's unit is its attribute ``unit``.
    prob, kind
        Probability of the interval; ``eti`` (equal tails) or ``hdi`` (highest density).
    variables
        Names to summarise; all by default.

    Returns
    -------
    DataFrame
        ``variable``, one column for each other dim, ``unit``, ``estimate`` (the median), ``lower``, ``upper``, ``prob``, ``kind``,
        ``mcse`` (of the median), ``mcse_lower``, ``mcse_upper``, ``mean``, ``mcse_mean``, ``sd``, ``tail_shape``, ``p_positive``, ``note``.

    Raises
    ------
    UsageError
        If a variable does not exist, has no draws, or the interval is not defined.

    Examples
    --------
    >>> import xarray as xr
    >>> draws = xr.Dataset({"x": (("chain", "draw"), np.arange(400.0).reshape(4, 100))})
    >>> float(summarise(draws, prob=0.5)["lower"].iloc[0])
    99.75
    """
    import pandas as pd

    _check_interval(prob, kind)
    rows = []
    for name in _names(data, variables):
        array = data[name]
        for labels, values in _series(array):
            rows.append({"variable": name, **labels, "unit": array.attrs.get("unit", ""), **_row(values, prob, kind)})
    if not rows:
        raise UsageError("there is nothing to summarise", found=list(data.data_vars), fix="give variables with draws")
    frame = pd.DataFrame(rows)
    lead = ["variable", *dict.fromkeys(str(d) for n in _names(data, variables) for d in data[n].dims if d not in SAMPLE)]
    return frame[[*lead, *(c for c in frame.columns if c not in lead)]]


def interval(values: np.ndarray, prob: float, kind: str) -> tuple[float, float]:
    """Return the ends of an interval of draws; infinite draws are allowed for equal tails."""
    from arviz_stats.base import array_stats

    flat = np.asarray(values, dtype=float).ravel()
    if kind == "eti":
        low, high = np.quantile(flat, [(1 - prob) / 2, (1 + prob) / 2], method="linear" if np.isfinite(flat).all() else "lower")
        return float(low), float(high)
    low, high = array_stats.hdi(flat, prob, axis=-1)
    return float(low), float(high)


def tail_shape(values: np.ndarray) -> float:
    """Return the larger generalised Pareto shape of the two tails of draws (chain, draw); NaN for a constant.

    Above 1/2 the variance is not finite, above 1 neither is the mean (Vehtari, Simpson, Gelman, Yao and Gabry 2024).
    """
    from arviz_stats.base import array_stats

    if not np.isfinite(values).all() or np.ptp(values) == 0:
        return math.nan
    shapes = []
    for tail in ("left", "right"):
        try:
            shapes.append(float(array_stats.pareto_khat(values, chain_axis=0, draw_axis=1, r_eff=1.0, tail=tail)))
        except ValueError:  # all draws of this tail are equal: it is bounded
            shapes.append(-math.inf)
    return max(shapes)


def rounded(value: float, mcse: float) -> float:
    """Round to the digits that a Monte Carlo error supports: the last one stands for more than the error.

    >>> rounded(487_812.0, 8_000.0)
    490000.0
    """
    if not math.isfinite(value) or not math.isfinite(mcse):
        return value
    if mcse <= 0:
        return value
    return round(value, -math.ceil(math.log10(mcse))) + 0.0


def compact(value: float, mcse: float = 0.0) -> str:
    """Write a number as people read it, with no more digits than its error supports and at most three.

    >>> compact(487_812.0, 8_000.0), compact(2_421_000.0, 90_000.0), compact(17.3), compact(0.0)
    ('490k', '2.4M', '17.3', '0')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    value = rounded(value, mcse)
    if value == 0:
        return "0"
    value = float(f"{value:.3g}")
    size = abs(value)
    for limit, unit in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if size >= limit:
            return f"{_plain(value / limit, rounded(mcse, mcse) / limit)}{unit}"
    return _plain(value, mcse)


def _plain(value: float, mcse: float) -> str:
    """A number with three significant digits, or fewer decimals where the error is larger."""
    decimals = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    if mcse > 0:
        decimals = min(decimals, max(0, -math.ceil(math.log10(mcse))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text and mcse <= 0 else text


# --- rows ------------------------------------------------------------------------------------


def _check_interval(prob: float, kind: str) -> None:
    if not 0 < prob < 1:
        raise UsageError("the probability of an interval lies between 0 and 1", key="prob", found=prob)
    if kind not in KINDS:
        raise UsageError("there is no such kind of interval", key="kind", found=kind, allowed=KINDS)


def _names(data: Dataset, variables: Sequence[str] | None) -> list[str]:
    available = [str(name) for name, array in data.data_vars.items() if set(SAMPLE) <= set(array.dims)]
    for name in variables or ():
        if name not in available:
            raise UsageError(f"variable {name!r} not found", key="variables", found=name, allowed=available)
    return list(variables) if variables is not None else available


def _series(array: DataArray) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Each (chain, draw) array of a variable with the labels of its other dims."""
    rest = [str(d) for d in array.dims if d not in SAMPLE]
    ordered = array.transpose(*SAMPLE, *rest)
    labels = [ordered[d].values if d in ordered.coords else np.arange(ordered.sizes[d]) for d in rest]
    values = np.asarray(ordered.values, dtype=float).reshape(ordered.sizes["chain"], ordered.sizes["draw"], -1)
    for i, label in enumerate(product(*labels)):
        yield dict(zip(rest, label, strict=True)), values[:, :, i]


def _row(values: np.ndarray, prob: float, kind: str) -> Mapping[str, Any]:
    from arviz_stats.base import array_stats

    defined = values[~np.isnan(values)]
    if defined.size < values.size:  # a ratio with an empty denominator in some draws: no chain structure is left
        values = defined[None, :]
    if defined.size < 4:
        return {"estimate": math.nan, "lower": math.nan, "upper": math.nan, "prob": prob, "kind": kind, "note": "undefined"}
    low, high = interval(values, prob, kind)
    median = float(np.quantile(values, 0.5, method="linear" if np.isfinite(values).all() else "lower"))
    finite, constant = bool(np.isfinite(values).all()), bool(np.ptp(defined) == 0) if np.isfinite(defined).all() else False
    shape = tail_shape(values)
    withheld = not finite or shape > TAIL_LIMIT

    def error(method: str, p: float | None = None) -> float:
        if constant:
            return 0.0
        if not finite:
            return math.nan
        return float(array_stats.mcse(values, chain_axis=0, draw_axis=1, method=method, prob=p))

    ends = ((1 - prob) / 2, (1 + prob) / 2)
    return {
        "estimate": median, "lower": low, "upper": high, "prob": prob, "kind": kind,
        "mcse": error("quantile", 0.5), "mcse_lower": error("quantile", ends[0]), "mcse_upper": error("quantile", ends[1]),
        "mean": math.nan if withheld else float(values.mean()), "mcse_mean": math.nan if withheld else error("mean"),
        "sd": math.nan if withheld else float(values.std(ddof=1)), "tail_shape": shape,
        "p_positive": float((values > 0).mean()), "note": _reason(finite, shape),
    }  # fmt: skip


def _reason(finite: bool, shape: float) -> str:
    if not finite:
        return "mean withheld: infinite in some draws"
    if shape > TAIL_LIMIT:
        return f"mean withheld: tail shape {shape:.2f} above {TAIL_LIMIT}, no finite variance"
    return ""
