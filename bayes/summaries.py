"""Draws to tidy tables: the only place where an interval is computed.

Every interval is asked for with its probability and kind and carries both; no default of a library is relied on.
Means are printed where nothing speaks against a finite variance, by the draws or by the model (:mod:`bayes.tails`);
elsewhere the mean is withheld with its reason while medians and quantiles stand. A Monte Carlo error is infinite where
it cannot be told: such a number is computed, and not printed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayes.arguments import check_shape, checked
from bayes.draws import Fit, draws_from
from bayes.errors import UsageError
from bayes.numbers import label_text
from bayes.tails import UNJUDGED, Tail, judge_tail, nearly_constant

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataArray, Dataset

__all__ = ["KINDS", "LEAST_DEFINED", "PROB", "element_names", "hdi_error", "holds_draws", "interval", "interval_errors",
           "quantile_error", "row_quantiles", "summarise", "unrolled"]  # fmt: skip

PROB = 0.95
KINDS = ("eti", "hdi")
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
        attribute ``unit``; ``tail_shape`` is the generalised Pareto shape of its heavier tail where the model gives it
        (else the draws judge); ``circular`` says that it is an angle in radians, summarised around the circle: ends
        may lie beyond ±π, so that lower < estimate < upper.
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
        ``tail`` (finite, heavy, or could not be judged: its variance), ``tail_shape``, ``tail_se``, ``p_positive``,
        ``p_zero``, ``p_negative``, ``note``. An error is infinite where the draws do not reach an end.

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
    done: dict[tuple[bytes, object, bool], Mapping[str, Any]] = {}  # full scale repeats itself year after year
    for name in _names(data, variables):
        array = data[name]
        known, circular = array.attrs.get("tail_shape"), bool(array.attrs.get("circular", False))
        for labels, values in _series(array):
            content = values.tobytes(), known, circular
            if content not in done:
                done[content] = _circular_row(values, prob, kind) if circular else _row(values, prob, kind, known)
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
                      "mcse_upper", "mean", "mcse_mean", "sd", "tail", "tail_shape", "tail_se", "p_positive", "p_zero",
                      "p_negative", "note"})  # fmt: skip
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
    texts = [", ".join(map(label_text, found)) for found in product(*labels)]
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
    if np.isfinite(values).all():
        return values
    return np.asarray(np.nan_to_num(values, nan=math.nan, posinf=_FAR, neginf=-_FAR))


def _near(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) > _FAR / 10 else value


def _quantile(flat: np.ndarray, p: float, method: Literal["lower", "higher"]) -> float:
    """Interpolate between draws, but never between a number and infinity."""
    exact = float(np.quantile(flat, p))
    return exact if abs(exact) < _FAR / 1e9 else float(np.quantile(flat, p, method=method))


@checked
def quantile_error(values: np.ndarray, p: float) -> float:
    """Monte Carlo error of a quantile of draws (chain, draw); infinite where the draws cannot tell it.

    That is where less than half an effective draw is expected beyond it (99.9 % of 100 draws), and where the quantile
    may as well be infinite: two errors in probability, :math:`2\\sqrt{p(1-p)/\\mathrm{ESS}}`, reach from p to infinite
    draws.

    >>> draws = np.random.default_rng(1).normal(size=(4, 1000))
    >>> round(quantile_error(draws, 0.5), 2), quantile_error(np.where(draws < 0.02, draws, np.inf), 0.5)
    (0.02, inf)
    >>> quantile_error(draws[:, :25], 0.999)
    inf
    """
    from bayes.arraystats import array_stats

    check_shape(values, ("chain", "draw"), "values")
    _check_interval(p, "eti", "p")
    at, far = {"chain_axis": 0, "draw_axis": 1}, _far(values)
    beyond = min(p, 1 - p)
    if values.size * beyond < _SURELY_REACHED and _effective(far, 0.5) * beyond < _REACH:
        return math.inf
    if not np.isfinite(values).all():
        reach = 2 * math.sqrt(p * (1 - p) / _effective(far, p))
        infinite = np.abs(np.quantile(far, np.clip([p - reach, p + reach], 0, 1))) > _FAR / 10
        if infinite.any() and not infinite.all():
            return math.inf
    return _near(float(array_stats.mcse(far, method="quantile", prob=p, **at)))


_REACH = 0.5
"""Effective draws expected beyond an end, below which its error is reported too small: by half at 0.1."""
_SURELY_REACHED = 50
"""With as many draws beyond a quantile its reach is not asked; a fit with fewer effective draws fails its checks."""


def _effective(far: np.ndarray, p: float) -> float:
    """Return the effective draws of a quantile, at most their number; all of them where none is beyond it."""
    from bayes.arraystats import array_stats

    found = float(array_stats.ess(far, method="quantile", prob=p, chain_axis=0, draw_axis=1))
    return far.size if math.isnan(found) else min(found, far.size)


@checked
def hdi_error(values: np.ndarray, prob: float) -> tuple[float, float]:
    """Monte Carlo errors of the two ends of a highest-density interval of draws (chain, draw), by block bootstrap.

    The ends are where the shortest interval lies, which is known less well than a quantile: with error
    :math:`n^{-1/3}` inside a smooth density, :math:`n^{-1}` at a sharp edge (Kim and Pollard 1990). Blocks of about
    three times the autocorrelation time are drawn with replacement (Künsch 1989). Within 30 % of the truth in
    simulations; up to four times too large, and tiny, at a sharp edge. Infinite where the draws do not reach an end.

    >>> draws = np.random.default_rng(1).normal(size=(4, 1000))
    >>> [0.03 < error < 0.12 for error in hdi_error(draws, 0.95)]  # 0.07, where that of a quantile is 0.04
    [True, True]
    """
    check_shape(values, ("chain", "draw"), "values")
    _check_interval(prob, "hdi")
    chains, length = values.shape
    far = _far(values)
    effective = _effective(far, 0.5)
    if effective * (1 - prob) < 2 * _REACH:
        return math.inf, math.inf
    width = min(max(1, round(3 * values.size / effective)), max(1, length // 10))
    blocks = length // width
    order = np.argsort(far, axis=None)
    block = np.minimum(order % length // width, blocks - 1) + order // length * blocks
    ordered, total = far.ravel()[order], chains * blocks
    rng = np.random.default_rng(total)
    ends = np.empty((_REPLICATES, 2))
    for i in range(_REPLICATES):
        counts = np.bincount(rng.integers(0, total, total), minlength=total)
        ends[i] = _shortest(np.repeat(ordered, counts[block]), prob)
    unknown = np.abs(ends).max(axis=0) > _FAR / 10
    low, high = np.where(unknown, math.inf, np.where(unknown, 0.0, ends).std(axis=0, ddof=1))
    return float(low), float(high)


_REPLICATES = 100
"""Bootstrap replicates: an error is then known to 7 %."""


def _shortest(ordered: np.ndarray, prob: float) -> tuple[float, float]:
    """The shortest interval that holds a probability of draws in order."""
    inside = math.floor(prob * ordered.size)
    at = int(np.argmin(ordered[inside:] - ordered[: ordered.size - inside]))
    return float(ordered[at]), float(ordered[at + inside])


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
def unrolled(values: np.ndarray, axis: tuple[int, ...] | None = None) -> np.ndarray:
    """Return angles, in radians, as numbers within π of their mean direction, along axes or over all.

    >>> unrolled(np.array([3.1, -3.1])).round(2).tolist()
    [3.1, 3.18]
    """
    if any(not -values.ndim <= one < values.ndim for one in axis or ()):
        raise UsageError("there is no such axis", key="axis", found=axis, allowed=f"0 to {values.ndim - 1}")
    centre = np.angle(np.exp(1j * values).mean(axis=axis, keepdims=True))
    return np.asarray(centre + np.angle(np.exp(1j * (values - centre))))


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


def _row(values: np.ndarray, prob: float, kind: str, known: float | None = None) -> Mapping[str, Any]:
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
    constant = nearly_constant(sortable)
    tail = judge_tail(values, None if constant or not finite else known)
    errors = interval_errors(values, prob, kind)
    mean, error, sd = math.nan, math.nan, math.nan
    if finite and (constant or tail.sound):
        error = 0.0 if constant else float(array_stats.mcse(values, chain_axis=0, draw_axis=1, method="mean"))
        mean, sd = float(values.mean()), 0.0 if constant else float(values.std(ddof=1))
    positive, negative = float((values > 0).mean()), float((values < 0).mean())
    return {
        "estimate": _near(_quantile(sortable.ravel(), 0.5, "lower")),
        "lower": low, "upper": high, "prob": prob, "kind": kind,
        **dict(zip(("mcse", "mcse_lower", "mcse_upper"), errors, strict=True)),
        "mean": mean, "mcse_mean": error, "sd": sd, "tail": tail.word, "tail_shape": tail.shape, "tail_se": tail.se,
        "p_positive": positive, "p_zero": float((values == 0).mean()), "p_negative": negative,
        "note": _reason(finite, tail, missing, errors),
    }  # fmt: skip


@checked
def interval_errors(values: np.ndarray, prob: float, kind: str) -> tuple[float, float, float]:
    """Monte Carlo errors of the median and of both ends of an interval of draws (chain, draw), as ``summarise`` has.

    >>> draws = np.random.default_rng(1).normal(size=(4, 1000))
    >>> [round(error, 2) for error in interval_errors(draws, 0.95, "eti")]
    [0.02, 0.03, 0.05]
    """
    check_shape(values, ("chain", "draw"), "values")
    _check_interval(prob, kind)
    defined = values[~np.isnan(values)]
    missing = values.size - defined.size
    if defined.size < (LEAST_DEFINED if missing else 1):
        return math.nan, math.nan, math.nan
    values = defined[None, :] if missing else values
    if nearly_constant(_far(values)):
        return 0.0, 0.0, 0.0
    return quantile_error(values, 0.5), *_errors_of_ends(values, prob, kind)


def _errors_of_ends(values: np.ndarray, prob: float, kind: str) -> tuple[float, float]:
    if kind == "hdi":
        return hdi_error(values, prob)
    return quantile_error(values, (1 - prob) / 2), quantile_error(values, (1 + prob) / 2)


def _circular_row(values: np.ndarray, prob: float, kind: str) -> Mapping[str, Any]:
    """Summarise an angle around its mean direction, without probabilities of a sign."""
    if not np.isfinite(values).all():
        return _row(values, prob, kind)
    row = dict(_row(unrolled(values), prob, kind)) | dict.fromkeys(("p_positive", "p_zero", "p_negative"), math.nan)
    return row | {"note": "; ".join(filter(None, ("an angle, summarised around its mean direction", row["note"])))}


def _reason(finite: bool, tail: Tail, missing: int, errors: Sequence[float]) -> str:
    reasons = [f"undefined in {missing:,} draws, which are left out"] if missing else []
    if finite and any(math.isinf(error) for error in errors):
        reasons.append("too few draws to judge the ends of the interval")
    if not finite:
        reasons.append("mean withheld: infinite in some draws")
    elif not tail.sound:
        reasons.append(f"mean withheld: {tail.why}")
    elif tail.word == UNJUDGED:
        reasons.append(tail.why)
    return "; ".join(reasons)
