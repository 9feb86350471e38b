"""Draws to tidy tables: the only place where an interval is computed.

Every interval is asked for with its probability and kind and carries both; no default of a library is relied on.
Means are printed only where the draws vouch for them: a generalised Pareto shape of a tail above :data:`TAIL_LIMIT` is
that of a variable without a finite variance, so that the error of a mean cannot be told; then the mean is withheld
with its reason while medians and quantiles stand.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayes.arguments import check_shape, checked
from bayes.elsewhere import Fit, draws_from
from bayes.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataArray, Dataset

__all__ = ["APART", "KINDS", "LEAST_DEFINED", "PROB", "TAIL_LIMIT", "compact", "element_names", "error_text",
           "holds_draws", "interval", "quantile_error", "rounded", "row_quantiles", "summarise",
           "tail_shape"]  # fmt: skip

PROB = 0.95
KINDS = ("eti", "hdi")
TAIL_LIMIT = 0.5
SAMPLE = ("chain", "draw")


@checked
def summarise(
    data: Fit, *, prob: float = PROB, kind: str = "eti", variables: Sequence[str] | None = None
) -> pd.DataFrame:
    """Summarise every series of draws in a dataset as one row.

    Parameters
    ----------
    data
        A ``Dataset`` whose variables have dims ``chain, draw`` and any others, for example what :func:`bayes.project`
        returned; or a fit in any form that :func:`bayes.load_fit` reads: then its posterior. A variable's unit is its
        attribute ``unit``.
    prob, kind
        Probability of the interval; ``eti`` (equal tails) or ``hdi`` (highest density).
    variables
        Names to summarise; all that hold numbers by default.

    Returns
    -------
    DataFrame
        ``variable``, one column for each other dim (a dim that is called like one of these columns has it as
        ``NAME (dim)``), ``unit``, ``estimate`` (the median), ``lower``, ``upper``,
        ``prob``, ``kind``, ``mcse`` (of the median), ``mcse_lower``, ``mcse_upper``, ``mean``, ``mcse_mean``, ``sd``,
        ``tail_shape``, ``p_positive``, ``note``.

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
    data = draws_from(data)
    rows = []
    done: dict[bytes, Mapping[str, Any]] = {}  # a scenario at full scale repeats itself year after year
    for name in _names(data, variables):
        array = data[name]
        for labels, values in _series(array):
            content = values.tobytes()
            if content not in done:
                done[content] = _row(values, prob, kind)
            where = {_column(dim): found for dim, found in labels.items()}
            rows.append({"variable": name, **where, "unit": array.attrs.get("unit", ""), **done[content]})
    if not rows:
        raise UsageError("there is nothing to summarise", found=list(data.data_vars), fix="give variables with draws")
    frame = pd.DataFrame(rows)
    lead = [
        "variable",
        *dict.fromkeys(_column(str(d)) for n in _names(data, variables) for d in data[n].dims if d not in SAMPLE),
    ]
    return frame[[*lead, *(c for c in frame.columns if c not in lead)]]


_COLUMNS = frozenset({"variable", "unit", "estimate", "lower", "upper", "prob", "kind", "mcse", "mcse_lower",
                      "mcse_upper", "mean", "mcse_mean", "sd", "tail_shape", "p_positive", "note"})  # fmt: skip
"""What :func:`summarise` tells of a series, whatever its dims are called."""


def _column(dim: str) -> str:
    return f"{dim} (dim)" if dim in _COLUMNS else dim


@checked
def element_names(array: DataArray) -> list[str]:
    """Name every element of draws by its labels, in the order of its dims; by its place too where labels repeat.

    >>> import xarray as xr
    >>> element_names(xr.DataArray(np.zeros((1, 2, 3)), {"row": ["a", "a", "b"]}, ("chain", "draw", "row"), "y"))
    ['y[a; 0]', 'y[a; 1]', 'y[b]']
    """
    rest = [d for d in array.dims if d not in SAMPLE]
    if not rest:
        return [str(array.name)]
    labels = [array[d].values if d in array.coords else range(array.sizes[d]) for d in rest]
    texts = [", ".join(map(str, found)) for found in product(*labels)]
    places = [", ".join(map(str, place)) for place in np.ndindex(*(array.sizes[d] for d in rest))]
    count = Counter(texts)
    return [f"{array.name}[{text}{f'; {place}' if count[text] > 1 else ''}]"
            for text, place in zip(texts, places, strict=True)]  # fmt: skip


@checked
def holds_draws(array: DataArray) -> bool:
    """Return whether a variable holds numbers by chain and draw; words and dates cannot be summarised.

    >>> import xarray as xr
    >>> [holds_draws(xr.DataArray([[x]], dims=("chain", "draw"))) for x in (1.5, 2, True, "left")]
    [True, True, True, False]
    """
    return set(SAMPLE) <= set(array.dims) and array.dtype.kind in "biuf"


@checked
def interval(values: np.ndarray, prob: float, kind: str) -> tuple[float, float]:
    """Return the ends of an interval of draws; infinite draws are allowed for equal tails."""
    _check_interval(prob, kind)
    check_shape(np.ravel(values), ("draw",), "values")
    flat = _far(np.asarray(values, dtype=float).ravel())
    if kind == "eti":
        tail = (1 - prob) / 2
        low, high = _quantile(flat, tail, "lower"), _quantile(flat, 1 - tail, "higher")
    else:
        from bayes.arraystats import array_stats

        low, high = (float(end) for end in array_stats.hdi(flat, prob, axis=-1))
    return _near(low), _near(high)


_FAR = 1e300
"""Stands for infinity in sorting: finite, so that differences are defined, and beyond any quantity."""


def _far(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.nan_to_num(values, nan=math.nan, posinf=_FAR, neginf=-_FAR))


def _near(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) > _FAR / 10 else value


def _quantile(flat: np.ndarray, p: float, method: Literal["lower", "higher"]) -> float:
    """Interpolate between draws, but never between a number and infinity."""
    exact = float(np.quantile(flat, p))
    return exact if abs(exact) < _FAR / 1e9 else float(np.quantile(flat, p, method=method))


@checked
def quantile_error(values: np.ndarray, p: float) -> float:
    """Monte Carlo error of a quantile of draws (chain, draw); infinite where the quantile may as well be infinite.

    That is where two errors in probability, :math:`2\\sqrt{p(1-p)/\\mathrm{ESS}}`, reach from p to infinite draws.

    >>> draws = np.random.default_rng(1).normal(size=(4, 1000))
    >>> round(quantile_error(draws, 0.5), 2), quantile_error(np.where(draws < 0.02, draws, np.inf), 0.5)
    (0.02, inf)
    """
    from bayes.arraystats import array_stats

    check_shape(values, ("chain", "draw"), "values")
    _check_interval(p, "eti", "p")
    at, far = {"chain_axis": 0, "draw_axis": 1}, _far(values)
    if not np.isfinite(values).all():
        reach = 2 * math.sqrt(p * (1 - p) / float(array_stats.ess(far, method="quantile", prob=p, **at)))
        reach = 0.0 if math.isnan(reach) else reach  # all draws are on one side
        infinite = np.abs(np.quantile(far, np.clip([p - reach, p + reach], 0, 1))) > _FAR / 10
        if infinite.any() and not infinite.all():
            return math.inf
    return _near(float(array_stats.mcse(far, method="quantile", prob=p, **at)))


@checked
def row_quantiles(values: np.ndarray, q: Sequence[float]) -> np.ndarray:
    """Return quantiles (quantile, row) of rows of draws (row, draw), as :func:`interval` interpolates them.

    Undefined draws are left out; a row without any other has NaN.

    >>> row_quantiles(np.array([[3.0, 1.0, 2.0]]), (0.5, 0.75)).tolist()
    [[2.0], [2.5]]
    """
    check_shape(values, ("row", "draw"), "values")
    if not all(0 <= p <= 1 for p in q):
        raise UsageError("a probability lies between 0 and 1", key="q", found=list(q))
    ordered = np.sort(values, axis=-1)  # undefined draws last
    count = np.full(len(ordered), ordered.shape[-1])
    if np.isnan(ordered[:, -1]).any():
        count -= np.isnan(ordered).sum(axis=-1)
    at = np.asarray(q)[:, None] * np.maximum(count - 1, 0)
    below, rows = np.floor(at).astype(int), np.arange(len(ordered))
    low, high = ordered[rows, below], ordered[rows, np.minimum(below + 1, np.maximum(count - 1, 0))]
    with np.errstate(invalid="ignore"):  # infinity less infinity
        gap = high - low
        between = low + gap * (at - below)
    nearest = np.where((at > below) & (np.asarray(q)[:, None] > 0.5), high, low)
    return np.asarray(np.where(np.isfinite(gap), between, nearest))


@checked
def tail_shape(values: np.ndarray) -> float:
    """Return the larger generalised Pareto shape of the two tails of draws (chain, draw).

    NaN for a constant, and where a tail cannot be judged and the other is light.

    Above 1/2 the variance is not finite, above 1 neither is the mean (Vehtari, Simpson, Gelman, Yao and Gabry 2024).
    """
    if values.size < _LEAST_FOR_TAIL or not np.isfinite(values).all() or np.ptp(values) == 0:
        return math.nan
    if np.isin(values, (values.min(), values.max())).all():  # an event: bounded
        return -math.inf
    shapes = [_one_tail(np.ravel(values), tail) for tail in ("left", "right")]
    known = max((shape for shape in shapes if not math.isnan(shape)), default=math.nan)
    return known if known > TAIL_LIMIT or not any(math.isnan(shape) for shape in shapes) else math.nan


_LEAST_FOR_TAIL = 25
"""Fewer draws have no five in a tail."""


def _one_tail(flat: np.ndarray, tail: str) -> float:
    """Shape of one tail: minus infinity where all its draws are equal, NaN where too few draws differ."""
    from bayes.arraystats import array_stats

    if flat.size < _LEAST_FOR_TAIL:
        return math.nan
    try:
        shape = float(array_stats.pareto_khat(flat[None], chain_axis=0, draw_axis=1, r_eff=1.0, tail=tail))
    except ValueError:  # all draws of this tail are equal: it is bounded
        return -math.inf
    if not math.isnan(shape):
        return shape
    found, counts = np.unique(flat, return_counts=True)  # one value repeats at the edge of the tail: look beyond it
    return _one_tail(flat[flat != found[counts.argmax()]], tail) if counts.max() > 1 else math.nan


@checked
def rounded(value: float, mcse: float) -> float:
    """Round to the digits that a Monte Carlo error supports: the last one stands for 0.3 to 3 errors.

    An error that is zero or not known (NaN) rounds nothing; under an infinite error nothing is left, and NaN is
    returned.

    >>> rounded(487_812.0, 8_000.0), rounded(-3.217, 0.04)
    (490000.0, -3.2)
    """
    if mcse == math.inf:
        return math.nan
    if not math.isfinite(value) or not mcse > 0:
        return value
    return round(value, -_exponent(mcse)) + 0.0


@checked
def compact(value: float, mcse: float = 0.0, extra: int = 0) -> str:
    """Write a number as people read it, with no more digits than its error supports and at most three.

    ``extra`` digits are for ranked columns (:func:`bayes.ranking.extra_digits`).

    ``~0`` is a number within 1.5 errors of zero; ``–`` is undefined.

    >>> compact(487_812.0, 8_000.0), compact(2_421_000.0, 90_000.0), compact(17.3), compact(0.0)
    ('490k', '2.4M', '17.3', '0')
    >>> compact(3_460.0, 1_900.0), compact(800.0, 1_900.0), compact(-1_442_421.0, 27_618.0)
    ('3k', '~0', '-1.44M')
    """
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    supported = mcse * 10.0**-extra
    shown = rounded(value, supported)
    if math.isnan(shown):
        return "–"
    if shown == 0 or abs(value) < APART * mcse:
        return "0" if value == 0 else "~0"
    shown = float(f"{shown:.3g}")
    last = max(_exponent(supported) if mcse > 0 else -math.inf, math.floor(math.log10(abs(shown))) - 2)
    power, unit = next(((p, u) for p, u in ((9, "bn"), (6, "M"), (3, "k")) if abs(shown) >= 10**p), (0, ""))
    text = f"{shown / 10**power:,.{max(0, power - int(last))}f}"
    return (text.rstrip("0").rstrip(".") if "." in text and not mcse > 0 else text) + unit


APART = 1.5
"""Monte Carlo errors from zero below which a number is not told apart from it."""


@checked
def error_text(mcse: float) -> str:
    """Write a Monte Carlo error, which is itself known to two digits at most.

    >>> error_text(28_193.0), error_text(0.00328)
    ('28k', '0.0033')
    """
    return compact(float(f"{mcse:.2g}"))


def _exponent(mcse: float) -> int:
    """Power of ten of the last digit an error supports: the least that is not below 0.3 errors."""
    return math.ceil(math.log10(mcse) + math.log10(0.3) - 1e-9)


LEAST_DEFINED = 100
"""A ratio that is defined in fewer draws than this is not summarised."""

# --- rows ------------------------------------------------------------------------------------


def _check_interval(prob: float, kind: str, key: str = "prob") -> None:
    if not 0 < prob < 1:
        raise UsageError("a probability lies between 0 and 1", key=key, found=prob)
    if kind not in KINDS:
        raise UsageError("there is no such kind of interval", key="kind", found=kind, allowed=KINDS)


def _names(data: Dataset, variables: Sequence[str] | None) -> list[str]:
    available = [str(name) for name, array in data.data_vars.items() if holds_draws(array)]
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
    from bayes.arraystats import array_stats

    defined = values[~np.isnan(values)]
    missing = values.size - defined.size
    if missing:  # a ratio with an empty denominator in some draws: no chain structure is left
        values = defined[None, :]
    if defined.size < (LEAST_DEFINED if missing else 1):
        return {"estimate": math.nan, "lower": math.nan, "upper": math.nan, "prob": prob, "kind": kind,
                "note": f"undefined in {missing:,} of {defined.size + missing:,} draws"}  # fmt: skip
    low, high = interval(values, prob, kind)
    finite, sortable = bool(np.isfinite(values).all()), _far(values)
    constant = bool(np.ptp(sortable) == 0)
    shape = tail_shape(values)
    withheld = not finite or not (constant or shape <= TAIL_LIMIT)

    def error(p: float) -> float:
        return 0.0 if constant else quantile_error(values, p)

    def error_of_mean() -> float:
        return 0.0 if constant else float(array_stats.mcse(values, chain_axis=0, draw_axis=1, method="mean"))

    ends = ((1 - prob) / 2, (1 + prob) / 2)
    return {
        "estimate": _near(_quantile(sortable.ravel(), 0.5, "lower")),
        "lower": low, "upper": high, "prob": prob, "kind": kind,
        "mcse": error(0.5), "mcse_lower": error(ends[0]), "mcse_upper": error(ends[1]),
        "mean": math.nan if withheld else float(values.mean()), "mcse_mean": math.nan if withheld else error_of_mean(),
        "sd": math.nan if withheld else float(values.std(ddof=1)), "tail_shape": shape,
        "p_positive": float((values > 0).mean()), "note": _reason(finite, 0.0 if constant else shape, missing),
    }  # fmt: skip


def _reason(finite: bool, shape: float, missing: int) -> str:
    reasons = [f"undefined in {missing:,} draws, which are left out"] if missing else []
    if not finite:
        reasons.append("mean withheld: infinite in some draws")
    elif shape > TAIL_LIMIT:
        reasons.append(f"mean withheld: tail shape {shape:.2f} above {TAIL_LIMIT}, as without a finite variance")
    elif math.isnan(shape):
        reasons.append("mean withheld: too few different draws to judge its tails")
    return "; ".join(reasons)
