"""Which input carries the variance of an output: shares read off the draws themselves.

Everything here takes a plain table of draws, whatever produced it, and the inputs may be dependent:
nothing is resampled, no input is moved while the others stand still. For a set ``u`` of inputs write

    v(u) = Var(E[Y | X_u]),        v(none) = 0.

Every index is linear in ``v``, so that one estimator and one influence function serve them all:

    first order     S_i  = v(i) / Var(Y)
    total           T_i  = (v(all) - v(all but i)) / Var(Y)
    Shapley         Sh_i = sum over u without i of |u|! (d-|u|-1)! / d!  (v(u + i) - v(u)) / Var(Y)
    EVPPI variance         v(i), in squared units of Y: the variance expected to go on learning input i
    joint                  v(all) / Var(Y), which is also the sum of the Shapley effects

**Estimator.** ``v(u)`` is the mean of ``Y f_u``, with ``f_u`` the conditional mean of
:mod:`bayes.sensitivity.regression`, fitted to three quarters of the draws and evaluated on the fourth, in turn. Because
the two are independent, noise in the fit does not count as explained variance: the estimate of a zero is as often below
zero as above, and is not clipped. Where nearly all is explained, the mean of ``2 Y f_u - f_u²`` has less noise, and its
share in the estimate is the fourth power of what is explained.

**Intervals** are confidence intervals, ``estimate ± z·se``, from the influence function ``2 f Y - f² - v`` of ``v``,
which counts copies of a row once and draws of a chain by their effective number (:mod:`bayes.sensitivity.replication`).
What the fit on all inputs misses, ``m = Var(Y - f_all) / Var(Y)``, widens them by ``m`` times the input's part in it:
at most three times its part in what was found, at least a tenth (upwards alone for first-order effects, whose fits can
only miss).

**Flags.** ``flag`` says in words what is beyond the method in a row, and is empty where nothing is known to be: the
joint fit misses more than :data:`UNEXPLAINED` (then intervals are not widened, and totals may lack all of it); the
error rests on few draws, as the Pareto shape of the terms it is the spread of is above :data:`HEAVY`; residuals of
neighbours along an input agree; there are fewer than 200 effective draws.

**Scales.** ``natural`` shares out the variance of Y, ``log`` that of its logarithm, ``rank`` that of its normal
scores; ``auto`` takes ``natural`` unless the squared deviations of Y have a Pareto shape above :data:`HEAVY`, else
``rank``. The order of the inputs may differ between scales; the column ``scale`` says which it is.

**Reading them.** Where Y is a function of the inputs, T_i is the usual E[Var(Y | X_~i)] / Var(Y); otherwise
the part no input explains, 1 - joint, is in no input's total. An input outside the model has a Shapley effect
above zero when it is correlated with one inside: it carries information, though not cause.

Sources: Owen (2014), Song, Nelson & Staum (2016) and Iooss & Prieur (2019) for Shapley effects with
dependent inputs; Newey & Robins (2018, arXiv:1801.09138) and Kline, Saggio & Sølvsten (2020, Econometrica 88)
for the cross-fitted quadratic form; Strong, Oakley & Brennan (2014) for regression on given draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, sparse, stats

from bayes.arguments import checked
from bayes.errors import UsageError, closest
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.sensitivity.regression import Stack, stack
from bayes.sensitivity.replication import Units, normal_scores, units_of
from bayes.summaries import PROB
from bayes.tails import FINITE, TAIL_LIMIT, judge_tail, tail_shape

__all__ = ["HEAVY", "INSEPARABLE", "SCALES", "UNEXPLAINED", "quoted", "variance_by_scale", "variance_indices"]

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]
type Seed = int | np.random.Generator
type Groups = Mapping[str, Sequence[str]]

INSEPARABLE = 0.05
"""Inputs cannot be separated when some combination of their normal scores, scaled to unit length, has
variance below this (an eigenvalue of the correlation matrix). For two inputs that is ``|rho| > 0.95``."""

UNEXPLAINED = 0.05
"""Share of variance, missed by the joint fit, above which totals, Shapley effects and the joint share are flagged."""

HEAVY = 0.5
"""Generalised Pareto shape of the terms an error is the spread of, above which it is flagged."""

SCALES = {"natural": "target", "log": "logarithm of the target", "rank": "normal scores of the target"}
"""What ``scale`` may be, and what the table calls it."""

_MIN_DRAWS = 100  # below this, a quarter of the draws cannot carry even a cubic
_EXACT = 8  # inputs up to which Shapley effects run over all 2^d subsets
_COLUMNS = "input", "measure", "scale", "estimate", "lower", "upper", "prob", "kind", "se", "unit"
_WORDS = "method", "flag", "note"
_CHUNK = 64  # subsets predicted at a time
_OFTEN, _LEAST = 3.0, 0.1  # an input's part in what was missed: times its part in what was found; at least
_LITTLE, _ROUGH = 0.01, 4.0  # share of variance, standard errors beyond which neighbouring residuals agree too well


# ---------------------------------------------------------------------------------------------- input checks


def numeric_table(data: ArrayLike | pd.DataFrame | pd.Series, name: str, *, constant_ok: bool = False) -> pd.DataFrame:
    """Return a table of finite floats, or raise :class:`UsageError` naming the first bad column."""
    if isinstance(data, pd.DataFrame):
        table = data.copy()
    elif isinstance(data, pd.Series):
        table = data.to_frame(name if data.name is None else data.name)
    else:
        values = np.asarray(data)
        if values.ndim not in (1, 2):
            raise UsageError("neither a column nor a table of draws", key=name, found=values.shape)
        table = pd.DataFrame(values if values.ndim == 2 else values[:, None])
        table.columns = pd.Index([f"{name}{k}" for k in range(table.shape[1])] if table.shape[1] > 1 else [name])
    table.columns = table.columns.map(str)
    if not table.columns.is_unique:
        raise UsageError("two columns share this name", key=str(table.columns[table.columns.duplicated()][0]))
    if table.shape[1] == 0:
        raise UsageError("the table has no columns", key=name)
    if len(table) < _MIN_DRAWS:
        raise UsageError("too few draws", key=table.columns[0], found=len(table), allowed=f"at least {_MIN_DRAWS}")
    return pd.DataFrame({c: _numeric_column(table[c], c, constant_ok) for c in table.columns}, index=table.index)


def _numeric_column(column: pd.Series, name: str, constant_ok: bool) -> Floats:
    try:
        values: Floats = column.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError("the column is not numeric", key=name, found=column.iloc[0]) from error
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        problem = f"{bad.size} draws are missing or infinite, the first in row {bad[0]}"
        raise UsageError(problem, key=name, found=values[bad[0]])
    if not constant_ok and np.ptp(values) == 0:
        raise UsageError("the column is constant", key=name, found=values[0], fix="leave it out")
    return values


def aligned(inputs: pd.DataFrame, other: pd.DataFrame, labelled: bool) -> None:
    """Raise :class:`UsageError` unless both tables have the same draws, row by row."""
    if len(inputs) != len(other):
        problem = f"the column has {len(other)} draws and the inputs have {len(inputs)}"
        raise UsageError(problem, key=other.columns[0], fix="take every column from the same draws")
    if labelled and not inputs.index.equals(other.index):
        raise UsageError("the rows are labelled differently from those of the inputs", key=other.columns[0],
                         fix="align the two tables, or reset the index of both")  # fmt: skip


def players(inputs: pd.DataFrame, groups: Groups | None, *, rest: bool) -> dict[str, list[int]]:
    """Return the positions of the columns of each group; with ``rest``, ungrouped columns stand alone."""
    names = list(inputs.columns)
    members: dict[str, list[int]] = {}
    for group, columns in (groups or {}).items():
        for column in columns:
            if column not in names:
                raise UsageError("a group names an unknown input", key=group, found=column, fix=closest(column, names))
        if not columns:
            raise UsageError("a group without inputs", key=group)
        members[str(group)] = [names.index(c) for c in columns]
    if rest or groups is None:
        taken = [i for columns in members.values() for i in columns]
        if len(taken) != len(set(taken)):
            twice = next(names[i] for i in taken if taken.count(i) > 1)
            raise UsageError("an input stands in two groups", key=twice)
        alone = {name: [i] for i, name in enumerate(names) if i not in taken}
        for name in members.keys() & alone.keys():
            raise UsageError("a group has the name of an input outside it", key=name)
        members |= alone
    return members


# --------------------------------------------------------------------------------------------------- indices


@checked
def variance_indices(
    inputs: pd.DataFrame,
    output: ArrayLike | pd.Series,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    prob: float = 0.95,
    permutations: int = 32,
    scale: str = "natural",
    rng: Seed = 0,
) -> pd.DataFrame:
    """Estimate first-order, total and Shapley effects and the EVPPI variance from given draws.

    Formulas, estimator, caveats and sources stand at the head of :mod:`bayes.sensitivity._variance`.

    Parameters
    ----------
    inputs
        Draws of the inputs, one column each, shape (n, d), n >= 100; they may be dependent.
    output
        The output Y at the same draws, shape (n,). A Series must carry the index of ``inputs``.
    groups
        ``{name: columns}``: each group counts as one input; columns in no group stand alone.
    prob
        Probability of the confidence intervals.
    permutations
        Orders sampled for the Shapley effects of more than eight inputs, each with its reverse; the error
        this adds is in the interval. Up to eight inputs, all subsets are used.
    scale
        ``natural``, ``log``, ``rank``, or ``auto`` for what the draws support.
    rng
        A seed or generator, for folds and orders.

    Returns
    -------
    DataFrame
        A row per input and measure (``first, total, shapley, evppi_variance``), then one for all (``joint``):
        ``input, measure, scale, estimate, lower, upper, prob, kind, se, unit, method, flag, note``. ``flag`` says
        what is beyond the method; ``note`` names the inputs that cannot be separated (:data:`INSEPARABLE`; only
        monotone dependence is looked for).

    Raises
    ------
    bayes.errors.UsageError
        A column is constant, missing, infinite, too short or not aligned; the error names it.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> z = np.random.default_rng(1).normal(size=(4000, 2))
    >>> x = pd.DataFrame({"a": z[:, 0], "b": 0.8 * z[:, 0] + 0.6 * z[:, 1]})
    >>> variance_indices(x, x["a"]).query("measure == 'shapley'")["estimate"].round(1).tolist()
    [0.7, 0.3]
    """
    x, y, members = _checked(inputs, output, groups, prob, permutations)
    scale = _scale(y, scale)
    values = y.iloc[:, 0].to_numpy()
    values = normal_scores(values) if scale == "rank" else np.log(values) if scale == "log" else values
    found = _indices(x, values, members, permutations, np.random.default_rng(rng))
    table = _table(list(members), found, _UNITS[scale].format(y.columns[0]), prob)
    orders = "all subsets" if len(members) <= _EXACT else f"{permutations} orders"
    table["scale"], table["method"] = SCALES[scale], "cross-fitted stacked regression"
    table.loc[table["measure"] == "shapley", "method"] += f", {orders}"
    notes = _notes(x, members)
    table["note"] = [notes.get(name, "") for name in table["input"]]
    return table[[*_COLUMNS, *_WORDS]]


def variance_by_scale(
    inputs: pd.DataFrame, output: pd.Series, *, groups: Groups | None = None, prob: float = 0.95
) -> pd.DataFrame:
    """Tabulate the indices of an output in its own unit and of its ranks, and mark those to be quoted.

    Returns
    -------
    DataFrame
        As :func:`variance_indices` for ``natural``, then ``rank``, with ``quoted``: the scale that ``auto`` chooses,
        which is the one that sentences and figures take (:func:`quoted`).
    """
    chosen = SCALES[_scale(output.to_frame(), "auto")]
    tables = [variance_indices(inputs, output, groups=groups, scale=scale, prob=prob) for scale in ("natural", "rank")]
    table = pd.concat(tables, ignore_index=True)
    return table.assign(quoted=table["scale"] == chosen)


def quoted(table: pd.DataFrame) -> pd.DataFrame:
    """Return the Shapley effects that sentences and figures show, largest first: one scale of a table of indices."""
    part = table[table["measure"] == "shapley"]
    if "quoted" in part:
        part = part[part["quoted"].astype(bool)]
    elif "scale" in part:
        part = part[part["scale"] == part["scale"].iloc[0]] if len(part) else part
    return part.sort_values("estimate", ascending=False)


_UNITS = {"natural": "({})²", "log": "(log {})²", "rank": "(normal score of {})²"}


def _scale(y: pd.DataFrame, scale: str) -> str:
    """Check a scale; choose one where that is left to us."""
    values, name = y.iloc[:, 0].to_numpy(), str(y.columns[0])
    if scale not in (*SCALES, "auto"):
        raise UsageError("not a scale", key="scale", found=scale, allowed=("auto", *SCALES))
    if scale == "log" and not values.min() > 0:
        raise UsageError("no logarithm of what is not positive", key=name, found=values.min(), fix="take scale='rank'")
    if scale != "auto":
        return scale
    return "natural" if judge_tail((values - values.mean()) ** 2).word == FINITE else "rank"


def _checked(
    inputs: pd.DataFrame, output: ArrayLike | pd.Series, groups: Groups | None, prob: float, permutations: int
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, list[int]]]:
    if not 0 < prob < 1:
        raise UsageError("not a probability", key="prob", found=prob, allowed="between 0 and 1")
    if permutations < 4:
        raise UsageError("too few orders to state their error", key="permutations", found=permutations, allowed=">= 4")
    x, y = numeric_table(inputs, "inputs"), numeric_table(output, "output")
    if y.shape[1] != 1:
        raise UsageError("one output at a time", key="output", found=list(y.columns))
    aligned(x, y, isinstance(output, pd.Series | pd.DataFrame))
    return x, y, players(x, groups, rest=True)


@dataclass(frozen=True, slots=True)
class _Indices:
    """First, total, shapley and evppi of each input, then joint: estimates, errors, flags; and what fits missed."""

    estimate: Floats
    error: Floats
    flag: tuple[str, ...]
    unexplained: float
    variance: float


def _indices(
    x: pd.DataFrame, y: Floats, members: Mapping[str, Sequence[int]], permutations: int, rng: np.random.Generator
) -> _Indices:
    d, units = len(members), units_of(x.to_numpy(), y)
    belongs = np.zeros((d, x.shape[1]), dtype=bool)
    for i, columns in enumerate(members.values()):
        belongs[i, columns] = True
    fit = stack(x.to_numpy(), y, list(belongs), rng, units)
    subsets, first, total, joint, orders = _plan(d, permutations, rng)
    weights = np.column_stack([first, total, orders.mean(axis=0), first, joint])
    value, influence = _influence(fit, [belongs[u].any(axis=0) for u in subsets], weights)
    estimate, square = value @ weights, fit.output**2
    relative = np.ones(len(estimate))
    relative[3 * d : 4 * d] = 0  # the EVPPI variance is not divided by the variance of the output
    influence -= square[:, None] * (estimate * relative) + value @ weights * (1 - relative)
    influence[fit.sums.order] = influence.copy()  # as the draws were given: a chain's errors need its order
    error = units.standard_error(influence)
    if len(orders) > 1:
        swing = (value @ orders).std(axis=0, ddof=1) / math.sqrt(len(orders))
        error[2 * d : 3 * d] = np.hypot(error[2 * d : 3 * d], swing)
    missed = max(float(((fit.output - fit([belongs.any(axis=0)])[:, 0]) ** 2).mean()), abs(1 - float(estimate[-1])))
    matter = np.maximum(np.abs(estimate), 2 * error)
    matter[-1] = 2 * error[-1]
    flag = _flags(x, fit, belongs, np.where(matter > _LITTLE, influence, 0.0), missed, units)
    variance = float(y.var())
    size = np.where(relative == 0, variance, 1.0)
    return _Indices(estimate * size, error * size, flag, missed, variance)


def _influence(fit: Stack, subsets: Sequence[Flags], weights: Floats) -> tuple[Floats, Floats]:
    """Return v of each subset, in units of the variance, and the weighted sums of 2 f Y - f² of each draw."""
    y = fit.output
    value, influence = np.empty(len(subsets)), np.zeros((len(y), weights.shape[1]))
    for start in range(0, len(subsets), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        f = fit(subsets[chunk])
        value[chunk] = _explained(y, f)
        influence += (2 * y[:, None] * f - f**2) @ weights[chunk]
    return value, influence


def _explained(y: Floats, f: Floats) -> Floats:
    """Return v from an output (draw) and its predictions (draw, subset)."""
    product, misfit = y @ f / len(y), (f * (y[:, None] - f)).mean(axis=0)
    return np.asarray(product + np.clip(product, 0, 1) ** 4 * misfit)


def _flags(
    x: pd.DataFrame, fit: Stack, belongs: Flags, influence: Floats, missed: float, units: Units
) -> tuple[str, ...]:
    """Say in each row what is beyond the method, or nothing."""
    d = len(belongs)
    together = (
        f"all inputs together explain {1 - missed:.0%} of the variance in draws kept apart, so that this share may be "
        "too small: the rest is noise, inputs that are not listed or interactions that were missed"
        if missed > UNEXPLAINED
        else ""
    )
    rough = ["" if units.kind != "rows" or u.sum() > 1 else _roughness(x.to_numpy()[:, u], fit, u) for u in belongs]
    few = units.words()
    flags = []
    for j, terms in enumerate(influence.T):
        with np.errstate(invalid="ignore", divide="ignore"):  # terms of few values have no shape
            shape = tail_shape(terms)
        heavy = f"its error rests on few draws (tail shape {shape:.2f}) and may be too small" if shape > HEAVY else ""
        own = rough[j % d] if j // d in (0, 3) and j < 4 * d else together
        flags.append("; ".join(text for text in (few, heavy, own) if text))
    return tuple(flags)


def _roughness(x: Floats, fit: Stack, subset: Flags) -> str:
    """Say whether residuals of neighbours along an input agree, so that structure finer than the fit's is left.

    With residuals r in the order of the input, the mean of r_j r_(j+1) estimates Var(E[r | X]) (Gamboa, Gremaud, Klein
    & Lagnoux 2022); without such structure its standard error is Var(r) / n^(1/2).
    """
    rest = (fit.output - fit([subset])[:, 0])[np.argsort(x[fit.sums.order, 0], kind="stable")]
    left, error = float((rest[1:] * rest[:-1]).mean()), float(rest.var()) / math.sqrt(len(rest))
    if left <= max(_ROUGH * error, _LITTLE):
        return ""
    return f"about {left:.0%} of the variance follows this input more finely than the fit, and is lacking"


def _plan(d: int, permutations: int, rng: np.random.Generator) -> tuple[Flags, Floats, Floats, Floats, Floats]:
    """Return the subsets needed and the weights of each index on them; Shapley's come by pair of orders."""
    if d <= _EXACT:
        subsets = np.array(list(product([False, True], repeat=d)))[1:]
        size = subsets.sum(axis=1, keepdims=True)
        count = np.array([math.factorial(k) for k in range(d + 1)], dtype=float)
        with_i, without_i = count[size - 1] * count[d - size], count[size] * count[np.maximum(d - size - 1, 0)]
        orders = (np.where(subsets, with_i, -without_i) / count[d])[None]
    else:
        subsets, orders = _sampled_orders(d, permutations // 2, rng)
    whole, one = subsets.all(axis=1), subsets.sum(axis=1) == 1
    but_one = subsets.sum(axis=1) == d - 1
    first = np.where(one[:, None], subsets, False).astype(float)
    total = whole[:, None] - np.where(but_one[:, None], ~subsets, False).astype(float)
    return subsets, first, total, whole.astype(float), orders


def _sampled_orders(d: int, pairs: int, rng: np.random.Generator) -> tuple[Flags, Floats]:
    """Sample orders of the inputs and their reverses (Castro et al. 2009): weights (pair, subset, input)."""
    row: dict[bytes, int] = {}
    found: list[Flags] = []

    def place(subset: Flags) -> int:
        key = subset.tobytes()
        if key not in row:
            row[key] = len(found)
            found.append(subset.copy())
        return row[key]

    for subset in [*np.eye(d, dtype=bool), *~np.eye(d, dtype=bool)]:
        place(subset)
    steps: list[tuple[int, int, int, float]] = []
    for pair in range(pairs):
        order = rng.permutation(d)
        for path in (order, order[::-1]):
            subset = np.zeros(d, dtype=bool)
            for i in path:
                if subset.any():
                    steps.append((pair, place(subset), i, -0.5))
                subset[i] = True
                steps.append((pair, place(subset), i, 0.5))
    weights = np.zeros((pairs, len(found), d))
    pair_, row_, input_, weight = (np.array(part) for part in zip(*steps, strict=True))
    np.add.at(weights, (pair_, row_, input_), weight)
    return np.array(found), weights


def _table(names: list[str], found: _Indices, unit: str, prob: float) -> pd.DataFrame:
    """Lay out indices with their intervals: errors of sampling, and what the joint fit misses where that is little."""
    measures = ("first", "total", "shapley", "evppi_variance")
    table = pd.DataFrame({"input": names * len(measures) + ["(all)"],
                          "measure": [m for m in measures for _ in names] + ["joint"],
                          "estimate": found.estimate, "se": found.error, "flag": found.flag})  # fmt: skip
    z = float(stats.norm.ppf(0.5 + prob / 2))
    missed = _missed(found, len(names))
    below = np.where(table["measure"].isin(("total", "shapley")), missed, 0.0)
    table["lower"] = table["estimate"] - z * table["se"] - below
    table["upper"] = table["estimate"] + z * table["se"] + missed
    table["prob"], table["kind"] = prob, "confidence"
    table["unit"] = np.where(table["measure"] == "evppi_variance", unit, "share of variance")
    return table


def _missed(found: _Indices, d: int) -> Floats:
    """Return how much each row may lack of what the joint fit misses, where that is little enough to be allowed for.

    What is missed is taken to involve an input by at most ``_OFTEN`` times its part in what was found, and by
    ``_LEAST`` at least, as an input that does nothing still makes fits on more inputs a little worse.
    """
    if found.unexplained > UNEXPLAINED:
        return np.zeros(4 * d + 1)
    largest = found.estimate[: 3 * d].reshape(3, d).max(axis=0)
    part = found.unexplained * np.clip(_OFTEN * largest, _LEAST, 1)
    return np.concatenate([part, part, part, part * found.variance, [found.unexplained]])


def _notes(x: pd.DataFrame, members: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """Say of each input which others it cannot be separated from.

    The eigenvectors of the correlation matrix of normal scores with eigenvalue below INSEPARABLE span the
    combinations that barely vary; two columns are linked when both load on that space together.
    """
    scores = stats.norm.ppf((stats.rankdata(x.to_numpy(), axis=0) - 0.5) / len(x))
    eigenvalue, vector = linalg.eigh(np.atleast_2d(np.corrcoef(scores, rowvar=False)))
    flat = vector[:, eigenvalue < INSEPARABLE]
    linked = np.abs(flat @ flat.T) > INSEPARABLE
    group = np.array([[linked[np.ix_(a, b)].any() for b in members.values()] for a in members.values()])
    _, label = sparse.csgraph.connected_components(group, directed=False)
    notes = {}
    for name, own in zip(members, label, strict=True):
        others = [m for m, other in zip(members, label, strict=True) if other == own and m != name]
        if others:
            notes[name] = f"cannot be separated from {', '.join(others)}"
    return notes


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    """Shares of the variance of the target, where it has one, and of the target's normal scores."""
    target, inputs = case.answer, case.inputs() if case.inputs else None
    x = target.values
    if inputs is None or not len(inputs.draws.columns) or not np.ptp(x):
        return {}
    output = pd.Series(x.ravel(), name=case.target)
    table = variance_by_scale(inputs.draws, output, groups=inputs.columns, prob=PROB)
    if inputs.too_long:
        left = f"not among the inputs, with too many elements to tell apart: {', '.join(inputs.too_long)}"
        table["note"] = [f"{note}; {left}" if note else left for note in table["note"]]
    tail, natural = judge_tail(x, target.attrs.get("tail_shape")), table["scale"] == SCALES["natural"]
    if not tail.sound:
        ranks = table[~natural].assign(quoted=True)
        return {"variance": pd.concat([_withheld(f"no shares: {tail.why}"), ranks], ignore_index=True)}
    heavy = tail.shape > TAIL_LIMIT / 2
    doubt = (
        f"tail shape {tail.shape:.2f}: the fourth moment is not finite, and intervals are too short" if heavy else ""
    )
    notes = table.loc[natural, "note"]
    table.loc[natural, "note"] = ["; ".join(part for part in (note, doubt, tail.why) if part) for note in notes]
    return {"variance": table}


def _withheld(note: str) -> pd.DataFrame:
    """One row that says why there are no numbers."""
    words = {"input": "(all)", "measure": "joint", "unit": "share of variance", "flag": note, "note": note}
    numbers = dict.fromkeys(("estimate", "lower", "upper", "se"), math.nan)
    row = words | numbers | {"scale": SCALES["natural"], "prob": PROB, "kind": "confidence", "method": "withheld"}
    return pd.DataFrame([row]).assign(quoted=False)


ANALYSIS = Analysis(
    _run, "shares of the variance", "an answer that varies with single numbers it starts from", weight=7
)
