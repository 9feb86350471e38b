"""Conditional means ``E[Y | X_u]`` of given draws, for many subsets ``u`` of the inputs at once.

Three predictions are made for each subset, each fitted without the draws it is evaluated on:

1. **sums**: ridge regression on products of orthonormal functions of single inputs, up to a total degree;
2. **powers**: where all outputs are positive, the exponential of the same regression of ``log Y``. It is exact for a
   product of powers of lognormal inputs, dependent or not, of any number;
3. **products**: one function of each input, multiplied, fitted by alternating least squares (a separated
   representation of rank one, Beylkin & Mohlenkamp 2005). The functions of ``u`` alone serve ``E[Y | X_u]``, exactly
   where inputs are independent and Y is such a product.

Least squares on the predictions for the other folds says how much each counts (stacking, Wolpert 1992; Breiman 1996):
what fits nothing gets no weight. The number of functions grows with the effective draws up to a bound on seconds, and
never shrinks; rows are worked through in blocks, so that memory does not bound it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise, product

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import lapack
from scipy.special import ndtri
from scipy.stats import rankdata

from bayes.sensitivity.replication import Places, Units, units_of

__all__ = ["Regression", "Stack", "coefficients", "losses", "out_of_fold", "predicted", "regression", "stack"]

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]
type Term = tuple[tuple[int, int], ...]

_FOLDS = 4
_MOST = 520  # functions: seconds
_RIDGE = 1.0  # penalty on a function of degree k is k² draws' worth: tames far tails, vanishes as 1/n
_DISTINCT = 0.25  # a new function of one input must keep this share of its length after projection
_ROWS, _CELLS = 8192, 6_000_000  # rows of a block; predictions held at a time
_SWEEPS = 8  # of alternating least squares
_TINY = 1e-8  # keeps equations of functions solvable
_CAUTION = 10.0  # draws' worth of penalty on weighing predictions otherwise than one by one

# (degree in one input, total degree of products); a constant first
_LEVELS = (
    *((0, 0), (1, 0), (1, 2), (2, 2), (3, 0), (3, 2), (3, 3), (5, 0), (5, 2), (5, 3), (5, 4)),
    *((8, 0), (8, 2), (8, 3), (8, 4), (8, 6), (12, 0), (12, 2), (12, 3), (12, 4), (12, 8), (12, 10), (24, 0)),
)


@dataclass(frozen=True)
class Regression:
    """Products of orthonormal functions of single inputs, with cross-products by fold.

    Rows stand in the order ``order``; fold ``k`` is ``folds[k]``. ``singles`` holds the functions of each input
    (draw, degree), ``terms`` the products as ((input, degree), …), ``support`` (function, input) and ``degree``
    (function) what is in them, ``outputs`` (draw, output) what is explained; ``gram``, ``moment``, ``square`` are
    sums over a fold.
    """

    singles: tuple[Floats, ...]
    terms: tuple[Term, ...]
    support: Flags
    degree: NDArray[np.int64]
    outputs: Floats
    order: Places
    folds: tuple[slice, ...]
    gram: Floats
    moment: Floats
    square: Floats

    def level(self, main: int, joint: int) -> Flags:
        """Mark the functions up to degree ``main`` in one input, total degree ``joint`` in several."""
        several = self.support.sum(axis=1) > 1
        marked: Flags = np.where(several, self.degree <= joint, self.degree <= main)
        return marked

    def blocks(self, rows: slice) -> Iterator[tuple[slice, Floats]]:
        """Give the functions at some rows, a block (draw, function) at a time."""
        for start in range(rows.start, rows.stop, _ROWS):
            part = slice(start, min(start + _ROWS, rows.stop))
            yield part, _block(self.singles, self.terms, part)


def regression(inputs: Floats, outputs: Floats, rng: np.random.Generator, units: Units | None = None) -> Regression:
    """Build the largest design the effective draws allow, with its cross-products by fold."""
    size = inputs.shape[1]
    units = units or units_of(inputs, outputs[:, 0])
    budget = max(min(int(units.effective) // 6, _MOST), size + 1)
    main, joint = max((level for level in _LEVELS if _count(size, *level) <= budget), key=lambda v: _count(size, *v))
    order, folds = _folds(units, rng)
    singles = tuple(np.asfortranarray(_functions(x, main)[order]) for x in inputs.T)
    terms = tuple(_terms([s.shape[1] for s in singles], joint))
    support = np.zeros((len(terms), size), dtype=bool)
    for j, term in enumerate(terms):
        support[j, [i for i, _ in term]] = True
    degree = np.array([sum(k for _, k in term) for term in terms])
    y = outputs[order]
    gram = np.zeros((len(folds), len(terms), len(terms)))
    moment = np.zeros((len(folds), len(terms), y.shape[1]))
    for k, fold in enumerate(folds):
        for start in range(fold.start, fold.stop, _ROWS):
            rows = slice(start, min(start + _ROWS, fold.stop))
            block = _block(singles, terms, rows)
            gram[k] += block.T @ block
            moment[k] += block.T @ y[rows]
    square = np.stack([(y[fold] ** 2).sum(axis=0) for fold in folds])
    return Regression(singles, terms, support, degree, y, order, folds, gram, moment, square)


def _block(singles: Sequence[Floats], terms: Sequence[Term], rows: slice) -> Floats:
    block: Floats = np.ones((rows.stop - rows.start, len(terms)), order="F")
    for j, term in enumerate(terms):
        for i, k in term:
            block[:, j] *= singles[i][rows, k - 1]
    return block


def _folds(units: Units, rng: np.random.Generator) -> tuple[Places, tuple[slice, ...]]:
    """Shuffle the units, and cut them into folds of about as many rows."""
    place = np.argsort(rng.permutation(int(units.label.max()) + 1))
    order = np.argsort(place[units.label], kind="stable")
    first = np.flatnonzero(np.diff(place[units.label][order], prepend=-1))  # where units begin
    even = np.linspace(0, len(order), _FOLDS + 1)[1:-1]
    edges = sorted({0, len(order), *(int(first[np.abs(first - at).argmin()]) for at in even)})
    return order, tuple(slice(a, b) for a, b in pairwise(edges))


def _count(inputs: int, main: int, joint: int) -> int:
    several = sum(math.comb(inputs, o) * math.comb(joint, o) for o in range(2, min(inputs, joint) + 1))
    return 1 + inputs * main + several


def _functions(x: Floats, most: int) -> Floats:
    """Return up to ``most`` orthonormal functions of one input, from plain to wiggly.

    The input itself, its normal score, the score squared, then cosines of its rank: bounded functions, so
    that a far tail has leverage only where the input itself gives it.
    """
    rank = (rankdata(x) - 0.5) / len(x)
    score = ndtri(rank)
    kept = np.ones((len(x), most + 1), order="F") / math.sqrt(len(x))
    count = 1
    for raw in (x, score, score**2, *(np.cos(k * np.pi * rank) for k in range(1, most + 2))):
        centred = raw - raw.mean()
        rest = centred
        for _ in range(2):  # Gram-Schmidt, twice for accuracy
            rest = rest - kept[:, :count] @ (rest @ kept[:, :count])
        if np.linalg.norm(rest) > _DISTINCT * np.linalg.norm(centred):
            kept[:, count] = rest / np.linalg.norm(rest)
            count += 1
        if count > most:
            break
    return kept[:, 1:count] * math.sqrt(len(x))


def _terms(sizes: Sequence[int], joint: int) -> list[Term]:
    """List products as ((input, degree), ...): none, one input, several up to total degree joint."""
    terms: list[Term] = [()]
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


# -------------------------------------------------------------------------------------------------------- sums


def coefficients(fit: Regression, level: Flags) -> Floats:
    """Return ridge coefficients from every draw, zero outside the level: (function, output)."""
    beta: Floats = np.zeros_like(fit.moment[0])
    gram = _penalised(fit.gram.sum(axis=0), fit.degree)
    beta[level] = _solved(gram[np.ix_(level, level)], fit.moment.sum(axis=0)[level])
    return beta


def predicted(fit: Regression, beta: Floats) -> Floats:
    """Return what coefficients (function, output) predict, in the order in which draws were given."""
    found: Floats = np.empty((len(fit.outputs), beta.shape[1]))
    for rows, block in fit.blocks(slice(0, len(found))):
        found[fit.order[rows]] = block @ beta
    return found


def out_of_fold(fit: Regression, subsets: Sequence[Flags], level: Flags) -> Floats:
    """Predict outputs from subsets of inputs, fitted without the draw's fold: (draw, subset, output)."""
    shape = len(subsets), fit.outputs.shape[1]
    found: Floats = np.empty((len(fit.outputs), *shape))
    for k, beta in enumerate(_betas(fit, subsets, level)):
        for rows, block in fit.blocks(fit.folds[k]):
            found[rows] = (block @ beta.reshape(len(beta), -1)).reshape(-1, *shape)
    return found


def _betas(fit: Regression, subsets: Sequence[Flags], level: Flags) -> Iterator[Floats]:
    """Give the coefficients (function, subset, output) fitted without each fold."""
    chosen = [np.flatnonzero(level & ~fit.support[:, ~u].any(axis=1)) for u in subsets]
    gram, moment = fit.gram.sum(axis=0), fit.moment.sum(axis=0)
    for k in range(len(fit.folds)):
        beta: Floats = np.zeros((len(fit.terms), len(subsets), fit.outputs.shape[1]))
        kept, right = _penalised(gram - fit.gram[k], fit.degree), moment - fit.moment[k]
        for m, c in enumerate(chosen):
            beta[c, m] = _solved(kept[c[:, None], c], right[c])
        yield beta


def _penalised(gram: Floats, degree: NDArray[np.int64]) -> Floats:
    found: Floats = gram + np.diag(_RIDGE * degree**2)
    return found


def _solved(gram: Floats, moment: Floats) -> Floats:
    """Solve a positive definite system by LAPACK itself: there are thousands, each of some ten unknowns."""
    _, found, failed = lapack.dposv(gram, moment, overwrite_a=True)
    if failed:
        raise linalg.LinAlgError("the cross-products of the functions are not positive definite")
    solution: Floats = found
    return solution


def losses(fit: Regression, subsets: Sequence[Flags]) -> tuple[list[Flags], Floats]:
    """Return the levels and their mean squared out-of-fold error over subsets: (level, output)."""
    marks = [fit.level(*level) for level in _LEVELS]
    levels = list({mark.tobytes(): mark for mark in marks}.values())  # a small design has fewer
    error = np.zeros((len(levels), fit.outputs.shape[1]))
    for i, level in enumerate(levels):
        for k, beta in enumerate(_betas(fit, subsets, level)):
            kept = np.flatnonzero(level)
            b = beta[kept]
            inner = np.einsum("fso,fso->o", b, np.tensordot(fit.gram[k][np.ix_(kept, kept)], b, 1))
            error[i] += inner - 2 * np.einsum("fso,fo->o", b, fit.moment[k][kept]) + len(subsets) * fit.square[k]
    return levels, error / (len(subsets) * len(fit.outputs))


# ------------------------------------------------------------------------------------------------------- stacking


@dataclass(frozen=True)
class Stack:
    """Predictions of one output from any subset of the inputs, each made without the draw's fold.

    ``sums`` and ``powers`` are regressions of the output and of its logarithm, each with a level for subsets in
    ``alone`` and one for larger ones; ``factors`` (draw, input) is the function of each input in the product.
    """

    sums: Regression
    powers: Regression | None
    levels: tuple[tuple[Flags, Flags], ...]
    factors: Floats
    alone: frozenset[bytes]
    effective: float

    @property
    def output(self) -> Floats:
        """The output (draw), with mean 0 and variance 1, in the order of ``sums``."""
        one: Floats = self.sums.outputs[:, 0]
        return one

    def __call__(self, subsets: Sequence[Flags]) -> Floats:
        """Predict the output from each subset: (draw, subset), rows in the order of ``sums``."""
        found: Floats = np.empty((len(self.factors), len(subsets)))
        single = np.array([u.tobytes() in self.alone for u in subsets])
        for which, here in enumerate((single, ~single)):
            places = np.flatnonzero(here)
            size = max(8, _CELLS // len(found))
            for part in (places[a : a + size] for a in range(0, len(places), size)):
                found[:, part] = self._stacked([subsets[i] for i in part], which)
        return found

    def _stacked(self, subsets: Sequence[Flags], which: int) -> Floats:
        guesses = [out_of_fold(self.sums, subsets, self.levels[0][which])[:, :, 0]]
        if self.powers is not None:
            log = self.powers.outputs
            raised = out_of_fold(self.powers, subsets, self.levels[1][which])[:, :, 0]
            guesses.append(np.exp(np.clip(raised, log.min(), log.max())))
        guesses.append(np.column_stack([self.factors[:, u].prod(axis=1) for u in subsets]))
        return _weighed(np.stack([np.ones_like(guesses[0]), *guesses], axis=2), self.sums, self.effective)


def stack(inputs: Floats, y: Floats, members: Sequence[Flags], rng: np.random.Generator, units: Units) -> Stack:
    """Prepare predictions of an output (draw) from subsets of inputs; ``members`` are the single players' inputs."""
    centre, scale, positive = float(y.mean()), float(y.std()), bool(y.min() > 0)
    outputs = (y - centre) / scale
    both = np.column_stack([outputs, np.log(y) - np.log(y).mean()] if positive else [outputs])
    fit = regression(inputs, both, rng, units)
    fits = [_output(fit, j) for j in range(both.shape[1])]
    whole = [np.any(members, axis=0)]
    levels = tuple((_best(each, members), _best(each, whole)) for each in fits)
    alone = frozenset(u.tobytes() for u in members)
    return Stack(
        fits[0], fits[1] if positive else None, levels, _factors(fits[0], centre / scale), alone, units.effective
    )


def _output(fit: Regression, j: int) -> Regression:
    one = [j]
    return replace(fit, outputs=fit.outputs[:, one], moment=fit.moment[..., one], square=fit.square[:, one])


def _best(fit: Regression, subsets: Sequence[Flags]) -> Flags:
    levels, loss = losses(fit, subsets)
    return levels[int(loss[:, 0].argmin())]


def _factors(fit: Regression, shift: float) -> Floats:
    """Fit the product of one function of each input to the output plus ``shift``: (draw, input), out of fold."""
    y = fit.outputs[:, 0] + shift
    functions = [np.column_stack([np.ones(len(y)), one]) for one in fit.singles]
    penalty = [_RIDGE * np.arange(f.shape[1]) ** 2 for f in functions]
    found: Floats = np.empty((len(y), len(functions)))
    for fold in fit.folds:
        kept = np.ones(len(y), dtype=bool)
        kept[fold] = False
        rows = np.flatnonzero(kept)
        seen, target = [f[rows] for f in functions], y[rows]
        value = np.ones((len(rows), len(functions)))
        beta = [np.zeros(f.shape[1]) for f in functions]
        for _ in range(_SWEEPS):
            before, after = np.ones(len(rows)), np.ones_like(value)  # products of the functions of other inputs
            after[:, :-1] = np.cumprod(value[:, :0:-1], axis=1)[:, ::-1]
            for i, f in enumerate(seen):
                others = before * after[:, i]
                weighted = f * others[:, None]
                gram = weighted.T @ weighted
                gram[np.diag_indices_from(gram)] += penalty[i] * float((others**2).mean()) + _TINY * np.trace(gram)
                beta[i] = _solved(gram, weighted.T @ target)
                value[:, i] = f @ beta[i]
                size = float(np.sqrt((value[:, i] ** 2).mean()))
                if i + 1 < len(seen) and size > 0:
                    value[:, i], beta[i] = value[:, i] / size, beta[i] / size
                before = before * value[:, i]
        found[fold] = np.column_stack([f[fold] @ b for f, b in zip(functions, beta, strict=True)])
    return found


def _weighed(guesses: Floats, fit: Regression, effective: float) -> Floats:
    """Weigh guesses (draw, subset, guess) by ridge regression on the other folds: (draw, subset).

    The second guess, the sums, has weight 1 unless the others do better: the penalty is on departures from that. A
    conditional mean lies within the range of the output, and so do its predictions.
    """
    y = fit.outputs[:, 0]
    cross = np.stack([np.einsum("nsi,nsj->sij", guesses[f], guesses[f]) for f in fit.folds])
    right = np.stack([np.einsum("nsi,n->si", guesses[f], y[f]) for f in fit.folds]) - cross[..., 1]
    found: Floats = np.empty(guesses.shape[:2])
    for k, fold in enumerate(fit.folds):
        gram, moment = cross.sum(axis=0) - cross[k], right.sum(axis=0) - right[k]
        size = np.sqrt(np.einsum("sii->si", gram)) + np.finfo(float).tiny
        scaled = gram / size[:, :, None] / size[:, None, :] + _CAUTION / effective * np.eye(gram.shape[1])
        weights = np.linalg.solve(scaled, (moment / size)[:, :, None])[:, :, 0] / size
        found[fold] = np.einsum("nsi,si->ns", guesses[fold], weights) + guesses[fold][..., 1]
    return np.clip(found, y.min(), y.max(), out=found)
