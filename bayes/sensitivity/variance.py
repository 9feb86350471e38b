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

**Estimator.** ``E[Y | X_u]`` is a ridge regression on products of orthonormal functions of single inputs
(:class:`Regression`), fitted to three quarters of the draws and evaluated on the fourth, in turn.
``v(u)`` is the mean of ``Y`` times that prediction. Because the two are independent, noise in the fit does
not count as explained variance: the estimate of a zero is as often below zero as above, and is not clipped.

**Intervals** are confidence intervals, ``estimate ± z·se``, from the influence function
``2 f Y - f² - v`` of ``v`` (``f`` the conditional mean). Draws are taken as independent: thin a chain, or
pass as many draws as its effective size, before asking for an interval. Where a few draws carry most of the
variance (lognormal outputs with a log standard deviation near 1 and a thousand draws) they are too short,
as every interval for such a variance is.

**Reading them.** Where Y is a function of the inputs, T_i is the usual E[Var(Y | X_~i)] / Var(Y); otherwise
the part no input explains, 1 - joint, is in no input's total. An input outside the model has a Shapley effect
above zero when it is correlated with one inside: it carries information, though not cause. Interactions
of more inputs than the draws can support are missed, and show as a joint share below one.

Sources: Owen (2014), Song, Nelson & Staum (2016) and Iooss & Prieur (2019) for Shapley effects with
dependent inputs; Newey & Robins (2018, arXiv:1801.09138) and Kline, Saggio & Sølvsten (2020, Econometrica 88)
for the cross-fitted quadratic form; Strong, Oakley & Brennan (2014) for regression on given draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, sparse, stats

from bayes.arguments import checked
from bayes.errors import UsageError, closest

__all__ = ["INSEPARABLE", "variance_indices"]

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]
type Seed = int | np.random.Generator
type Groups = Mapping[str, Sequence[str]]

INSEPARABLE = 0.05
"""Inputs cannot be separated when some combination of their normal scores, scaled to unit length, has
variance below this (an eigenvalue of the correlation matrix). For two inputs that is ``|rho| > 0.95``."""

_MIN_DRAWS = 100  # below this, a quarter of the draws cannot carry even a cubic
_FOLDS = 4
_EXACT = 8  # inputs up to which Shapley effects run over all 2^d subsets
_MAX_COLUMNS, _MAX_CELLS = 520, 30_000_000  # bounds on the regression: seconds and bytes
_RIDGE = 1.0  # penalty on a function of degree k is k² draws' worth: tames far tails, vanishes as 1/n
_DISTINCT = 0.25  # a new function of one input must keep this share of its length after projection
_COLUMNS = "input", "measure", "estimate", "lower", "upper", "prob", "kind", "se", "unit", "method", "note"
_CHUNK = 64  # subsets predicted at a time

# (degree in one input, total degree of products); a constant first
_LEVELS = (
    *((0, 0), (1, 0), (1, 2), (2, 2), (3, 0), (3, 2), (3, 3), (5, 0), (5, 2), (5, 3), (5, 4)),
    *((8, 0), (8, 2), (8, 3), (8, 4), (8, 6), (12, 0), (12, 8), (12, 10)),
)


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
        raise UsageError(
            f"{bad.size} draws are missing or infinite, the first in row {bad[0]}",
            key=name,
            found=values[bad[0]],
        )
    if not constant_ok and np.ptp(values) == 0:
        raise UsageError("the column is constant", key=name, found=values[0], fix="leave it out")
    return values


def aligned(inputs: pd.DataFrame, other: pd.DataFrame, labelled: bool) -> None:
    """Raise :class:`UsageError` unless both tables have the same draws, row by row."""
    if len(inputs) != len(other):
        problem = f"the column has {len(other)} draws and the inputs have {len(inputs)}"
        raise UsageError(problem, key=other.columns[0], fix="take every column from the same draws")
    if labelled and not inputs.index.equals(other.index):
        raise UsageError(
            "the rows are labelled differently from those of the inputs",
            key=other.columns[0],
            fix="align the two tables, or reset the index of both",
        )


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


# ------------------------------------------------------------------------------------------------ regression


@dataclass(frozen=True)
class Regression:
    """Orthonormal-product regressions on every subset of the inputs, through one set of Gram matrices.

    ``columns`` (draw, function), ``support`` (function, input), ``degree`` (function), ``outputs``
    (draw, output); rows are shuffled and fold ``k`` is ``folds[k]``; ``gram`` and ``moment`` hold each
    fold's cross-products.
    """

    columns: Floats
    support: Flags
    degree: NDArray[np.int64]
    outputs: Floats
    folds: tuple[slice, ...]
    gram: Floats
    moment: Floats

    def level(self, main: int, joint: int) -> Flags:
        """Mark the functions up to degree ``main`` in one input, total degree ``joint`` in several."""
        several = self.support.sum(axis=1) > 1
        marked: Flags = np.where(several, self.degree <= joint, self.degree <= main)
        return marked


def regression(inputs: Floats, outputs: Floats, rng: np.random.Generator) -> Regression:
    """Build the largest design the number of draws allows, with its Gram matrices by fold."""
    draws, size = inputs.shape
    budget = max(min(draws // 6, _MAX_COLUMNS, _MAX_CELLS // draws), size + 1)
    main, joint = max((level for level in _LEVELS if _count(size, *level) <= budget), key=lambda v: _count(size, *v))
    singles = [_functions(x, main) for x in inputs.T]
    terms = _terms([s.shape[1] for s in singles], joint)
    columns, support = np.ones((draws, len(terms)), order="F"), np.zeros((len(terms), size), dtype=bool)
    for j, term in enumerate(terms):
        for i, k in term:
            columns[:, j] *= singles[i][:, k - 1]
            support[j, i] = True
    degree = np.array([sum(k for _, k in term) for term in terms])
    return by_fold(columns, support, degree, outputs, rng)


def by_fold(
    columns: Floats, support: Flags, degree: NDArray[np.int64], outputs: Floats, rng: np.random.Generator
) -> Regression:
    """Shuffle the rows, cut them into folds and take each fold's cross-products."""
    order = rng.permutation(len(columns))
    columns, outputs = np.asfortranarray(columns[order]), outputs[order]
    edges = np.linspace(0, len(columns), _FOLDS + 1).astype(int)
    folds = tuple(slice(a, b) for a, b in pairwise(edges))
    gram = np.stack([columns[f].T @ columns[f] for f in folds])
    moment = np.stack([columns[f].T @ outputs[f] for f in folds])
    return Regression(columns, support, degree, outputs, folds, gram, moment)


def _count(inputs: int, main: int, joint: int) -> int:
    several = sum(math.comb(inputs, o) * math.comb(joint, o) for o in range(2, min(inputs, joint) + 1))
    return 1 + inputs * main + several


def _functions(x: Floats, most: int) -> Floats:
    """Return up to ``most`` orthonormal functions of one input, from plain to wiggly.

    The input itself, its normal score, the score squared, then cosines of its rank: bounded functions, so
    that a far tail has leverage only where the input itself gives it.
    """
    rank = (stats.rankdata(x) - 0.5) / len(x)
    score = stats.norm.ppf(rank)
    kept = [np.ones(len(x)) / math.sqrt(len(x))]
    for raw in (x, score, score**2, *(np.cos(k * np.pi * rank) for k in range(1, most + 2))):
        centred = raw - raw.mean()
        rest = centred
        for _ in range(2):  # Gram-Schmidt, twice for accuracy
            rest = rest - np.column_stack(kept) @ (np.column_stack(kept).T @ rest)
        if np.linalg.norm(rest) > _DISTINCT * np.linalg.norm(centred):
            kept.append(rest / np.linalg.norm(rest))
        if len(kept) > most:
            break
    return np.column_stack(kept)[:, 1:] * math.sqrt(len(x))


def _terms(sizes: Sequence[int], joint: int) -> list[tuple[tuple[int, int], ...]]:
    """List products as ((input, degree), ...): none, one input, several up to total degree joint."""
    terms: list[tuple[tuple[int, int], ...]] = [()]
    terms += [((i, k),) for i, size in enumerate(sizes) for k in range(1, size + 1)]
    for order in range(2, min(len(sizes), joint) + 1):
        degrees = [ks for ks in product(range(1, joint + 1), repeat=order) if sum(ks) <= joint]
        for chosen in combinations(range(len(sizes)), order):
            terms += [
                tuple(zip(chosen, ks, strict=True))
                for ks in degrees
                if all(k <= sizes[i] for i, k in zip(chosen, ks, strict=True))
            ]
    return terms


def coefficients(fit: Regression, level: Flags) -> Floats:
    """Return ridge coefficients from every draw, zero outside the level: (function, output)."""
    beta: Floats = np.zeros_like(fit.moment[0])
    beta[level] = _ridge(fit.gram.sum(axis=0), fit.moment.sum(axis=0), fit.degree, np.flatnonzero(level))
    return beta


def out_of_fold(fit: Regression, subsets: Sequence[Flags], level: Flags) -> Floats:
    """Predict outputs from subsets of inputs, fitted without the draw's fold: (draw, subset, output)."""
    chosen = [np.flatnonzero(level & ~fit.support[:, ~u].any(axis=1)) for u in subsets]
    shape = len(subsets), fit.outputs.shape[1]
    predicted: Floats = np.empty((len(fit.columns), *shape))
    gram, moment = fit.gram.sum(axis=0), fit.moment.sum(axis=0)
    for k, fold in enumerate(fit.folds):
        beta = np.zeros((fit.columns.shape[1], *shape))
        for m, c in enumerate(chosen):
            beta[c, m] = _ridge(gram - fit.gram[k], moment - fit.moment[k], fit.degree, c)
        predicted[fold] = (fit.columns[fold] @ beta.reshape(len(beta), -1)).reshape(-1, *shape)
    return predicted


def _ridge(gram: Floats, moment: Floats, degree: NDArray[np.int64], c: NDArray[np.intp]) -> Floats:
    block = gram[np.ix_(c, c)]
    block[np.diag_indices_from(block)] += _RIDGE * degree[c] ** 2
    root = linalg.cho_factor(block, overwrite_a=True, check_finite=False)
    beta: Floats = linalg.cho_solve(root, moment[c], check_finite=False)
    return beta


def losses(fit: Regression, subsets: Sequence[Flags]) -> tuple[list[Flags], Floats]:
    """Return the levels and their mean squared out-of-fold error over subsets: (level, output)."""
    marks = [fit.level(*level) for level in _LEVELS]
    levels = list({mark.tobytes(): mark for mark in marks}.values())  # a small design has fewer
    error = [((fit.outputs[:, None] - out_of_fold(fit, subsets, level)) ** 2).mean(axis=(0, 1)) for level in levels]
    return levels, np.array(error)


# --------------------------------------------------------------------------------------------------- indices


@checked
def variance_indices(
    inputs: pd.DataFrame,
    output: ArrayLike | pd.Series,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    prob: float = 0.95,
    permutations: int = 32,
    rng: Seed = 0,
) -> pd.DataFrame:
    """Estimate first-order, total and Shapley effects and the EVPPI variance from given draws.

    Formulas, estimator, caveats and sources stand at the head of :mod:`bayes.sensitivity.variance`.

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
    rng
        A seed or generator, for folds and orders.

    Returns
    -------
    DataFrame
        A row per input and measure (``first, total, shapley, evppi_variance``), then one for all (``joint``):
        ``input, measure, estimate, lower, upper, prob, kind, se, unit, method, note``. ``note`` names the
        inputs that cannot be separated (:data:`INSEPARABLE`; only monotone dependence is looked for).

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
    generator = np.random.default_rng(rng)
    centred = y.to_numpy() - y.to_numpy().mean()
    scale = float(centred.std())
    fit = regression(x.to_numpy(), centred / scale, generator)
    estimate, error = _estimates(fit, list(members.values()), permutations, generator)
    table = _table(list(members), estimate, error, scale**2, f"({y.columns[0]})²")
    z = float(stats.norm.ppf(0.5 + prob / 2))
    table["lower"], table["upper"] = table["estimate"] - z * table["se"], table["estimate"] + z * table["se"]
    orders = "all subsets" if len(members) <= _EXACT else f"{permutations} orders"
    table["prob"], table["kind"], table["method"] = prob, "confidence", "cross-fitted ridge regression"
    table.loc[table["measure"] == "shapley", "method"] += f", {orders}"
    notes = _notes(x, members)
    table["note"] = [notes.get(name, "") for name in table["input"]]
    return table[list(_COLUMNS)]


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


def _estimates(
    fit: Regression, members: Sequence[Sequence[int]], permutations: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return estimates and standard errors: first, total, shapley, evppi of each input, then joint."""
    d, n = len(members), len(fit.outputs)
    y = fit.outputs
    subsets, first, total, joint, orders = _plan(d, permutations, rng)
    belongs = np.zeros((d, fit.support.shape[1]), dtype=bool)
    for i, columns in enumerate(members):
        belongs[i, columns] = True
    masks = [belongs[u].any(axis=0) for u in subsets]
    levels, loss = losses(fit, [*belongs, belongs.any(axis=0)])
    level = levels[int(loss[:, 0].argmin())]
    weights = np.column_stack([first, total, orders.mean(axis=0), first, joint])
    value, influence = np.empty(len(masks)), np.zeros((n, weights.shape[1]))
    for start in range(0, len(masks), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        f = out_of_fold(fit, masks[chunk], level)[:, :, 0]
        value[chunk] = (y * f).mean(axis=0)
        influence += (2 * y * f - f**2) @ weights[chunk]
    estimate = value @ weights
    relative = np.ones(len(estimate))
    relative[3 * d : 4 * d] = 0  # the EVPPI variance is not divided by the variance of the output
    error = (influence - y**2 * (estimate * relative)).std(axis=0) / math.sqrt(n)
    if len(orders) > 1:
        swing = (value @ orders).std(axis=0, ddof=1) / math.sqrt(len(orders))
        error[2 * d : 3 * d] = np.hypot(error[2 * d : 3 * d], swing)
    return estimate, error


def _plan(d: int, permutations: int, rng: np.random.Generator) -> tuple[Flags, Floats, Floats, Floats, Floats]:
    """Return the subsets needed and the weights of each index on them; Shapley's come by pair of orders."""
    if d <= _EXACT:
        subsets = np.array(list(product([False, True], repeat=d)))[1:]
        size = subsets.sum(axis=1, keepdims=True)
        count = np.array([math.factorial(k) for k in range(d + 1)], dtype=float)
        with_i, without_i = (
            count[size - 1] * count[d - size],
            count[size] * count[np.maximum(d - size - 1, 0)],
        )
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


def _table(names: list[str], estimate: Floats, error: Floats, variance: float, unit: str) -> pd.DataFrame:
    measures = ("first", "total", "shapley", "evppi_variance")
    table = pd.DataFrame(
        {
            "input": names * len(measures) + ["(all)"],
            "measure": [m for m in measures for _ in names] + ["joint"],
            "estimate": estimate,
            "se": error,
        }
    )
    squared = table["measure"] == "evppi_variance"
    table.loc[squared, ["estimate", "se"]] *= variance
    table["unit"] = np.where(squared, unit, "share of variance")
    return table


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
