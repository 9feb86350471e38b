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
(:func:`conditional_mean`), fitted to three quarters of the draws and evaluated on the fourth, in turn.
``v(u)`` is the mean of ``Y`` times that prediction. Because the two are independent, noise in the fit does
not count as explained variance: the estimate of a zero is as often below zero as above, and is not clipped.

**Intervals** are confidence intervals, ``estimate ± z·se``, from the influence function
``2 f Y - f² - v`` of ``v`` (``f`` the conditional mean). Draws are taken as independent: thin a chain, or
pass as many draws as its effective size, before asking for an interval.

Sources: Owen (2014), Song, Nelson & Staum (2016) and Iooss & Prieur (2019) for Shapley effects with
dependent inputs; Newey & Robins (2018, arXiv:1801.09138) and Kline, Saggio & Sølvsten (2020, Econometrica 88)
for the cross-fitted quadratic form; Strong, Oakley & Brennan (2014) for regression on given draws.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import linalg, stats

from bayes.errors import UsageError, closest

__all__ = ["INSEPARABLE", "conditional_mean", "variance_indices"]

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
_CHUNK = 64  # subsets predicted at a time

# (degree in one input, total degree of products); a constant first
_LEVELS = ((0, 0), (1, 0), (1, 2), (3, 0), (3, 2), (3, 3), (8, 0), (8, 2), (8, 3), (8, 4), (8, 6), (12, 8), (12, 10))


# ---------------------------------------------------------------------------------------------- input checks


def numeric_table(data: ArrayLike | pd.DataFrame | pd.Series, name: str, *, constant_ok: bool = False) -> pd.DataFrame:
    """Return a table of finite floats, or raise :class:`UsageError` naming the first bad column."""
    table = data.copy() if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
    if isinstance(data, pd.Series) or not isinstance(data, pd.DataFrame):
        label = getattr(data, "name", None) or name
        table.columns = pd.Index([label] if table.shape[1] == 1 else [f"{name}{k}" for k in range(table.shape[1])])
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
        values = column.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError("the column is not numeric", key=name, found=column.iloc[0]) from error
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise UsageError(
            f"{bad.size} draws are missing or infinite, the first in row {bad[0]}", key=name, found=values[bad[0]]
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
        members |= {name: [i] for i, name in enumerate(names) if i not in taken}
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
        """Mark the functions of one level: degree ``main`` in one input, total degree ``joint`` in several."""
        several = self.support.sum(axis=1) > 1
        marked: Flags = np.where(several, self.degree <= joint, self.degree <= main)
        return marked


def regression(inputs: Floats, outputs: Floats, rng: np.random.Generator) -> Regression:
    """Build the largest design the number of draws allows, with its Gram matrices by fold."""
    draws, size = inputs.shape
    budget = max(min(draws // 6, _MAX_COLUMNS, _MAX_CELLS // draws), size + 1)
    main, joint = max(level for level in _LEVELS if _count(size, *level) <= budget or level == (1, 0))
    singles = [_functions(x, main) for x in inputs.T]
    terms = _terms([s.shape[1] for s in singles], joint)
    columns, support = np.ones((draws, len(terms)), order="F"), np.zeros((len(terms), size), dtype=bool)
    for j, term in enumerate(terms):
        for i, k in term:
            columns[:, j] *= singles[i][:, k - 1]
            support[j, i] = True
    degree = np.array([sum(k for _, k in term) for term in terms])
    return _by_fold(columns, support, degree, outputs, rng)


def _by_fold(
    columns: Floats, support: Flags, degree: NDArray[np.int64], outputs: Floats, rng: np.random.Generator
) -> Regression:
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
    """List products as ((input, degree), ...): nothing, one input alone, then several of total degree joint."""
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


def _solve(fit: Regression, held_out: int | None, chosen: NDArray[np.intp]) -> Floats:
    """Return ridge coefficients (chosen function, output) from all folds but the one held out."""
    gram, moment = fit.gram.sum(axis=0), fit.moment.sum(axis=0)
    if held_out is not None:
        gram, moment = gram - fit.gram[held_out], moment - fit.moment[held_out]
    block = gram[np.ix_(chosen, chosen)] + np.diag(_RIDGE * fit.degree[chosen].astype(float) ** 2)
    solution: Floats = linalg.solve(block, moment[chosen], assume_a="pos", check_finite=False)
    return solution


def out_of_fold(fit: Regression, subsets: Sequence[Flags], level: Flags) -> Floats:
    """Predict each output from each subset of inputs, fitted without the draw's fold: (draw, subset, output)."""
    chosen = [np.flatnonzero(level & ~fit.support[:, ~u].any(axis=1)) for u in subsets]
    outputs = fit.outputs.shape[1]
    predicted = np.empty((len(fit.columns), len(subsets), outputs))
    total, moments = fit.gram.sum(axis=0), fit.moment.sum(axis=0)
    for k, fold in enumerate(fit.folds):
        gram, moment = total - fit.gram[k] + np.diag(_RIDGE * fit.degree.astype(float) ** 2), moments - fit.moment[k]
        beta = np.zeros((fit.columns.shape[1], len(subsets), outputs))
        for m, c in enumerate(chosen):
            beta[c, m] = linalg.solve(gram[np.ix_(c, c)], moment[c], assume_a="pos", check_finite=False)
        predicted[fold] = (fit.columns[fold] @ beta.reshape(len(beta), -1)).reshape(-1, len(subsets), outputs)
    return predicted
