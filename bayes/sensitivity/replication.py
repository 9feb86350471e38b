"""How much a table of draws tells: rows that are copies of one another, and rows that follow one another.

Draws resampled by weight repeat, and draws of a Markov chain resemble their neighbours. Both make a regression
validate on what it was fitted to, and both make standard errors that count rows too small. So draws come in
**units**: a row by itself, all copies of a row, or a stretch of a chain. Folds are made of whole units, and errors
count units or effective draws.

Rows are taken for copies where all their columns agree and one column alone tells the different rows apart (draws of
a few whole numbers agree by chance, and are no copies). Rows are taken for a chain where the product of the normal
scores of an input and the output, on which a share of variance rests, has an integrated autocorrelation time
``n / ess`` above ``1.5 + 10 n^(-1/2)`` (Geyer 1992; Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021 for ``ess``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from bayes.arraystats import array_stats

__all__ = ["FEW", "Units", "effective", "normal_scores", "units_of"]

type Floats = NDArray[np.float64]
type Places = NDArray[np.intp]

FEW = 200
"""Effective draws below which shares of variance, and their errors, are not to be relied on."""

_CHAIN, _SLACK = 1.5, 10  # autocorrelation time above which n rows are a chain: 1.5 + 10 n^(-1/2), far above 1 if none
_STRETCH = 10  # autocorrelation times in a stretch, so that its two ends know nothing of one another
_DIFFERENT = 8  # fewer different rows are levels of discrete inputs


@dataclass(frozen=True, slots=True)
class Units:
    """``label`` (draw): the unit of each row; ``kind``: ``rows``, ``copies`` or ``chain``; ``effective`` draws."""

    label: Places
    kind: str
    effective: float

    def standard_error(self, influence: Floats) -> Floats:
        """Standard errors of the means of centred columns (draw, …): by unit, or for a chain by effective draws."""
        n = len(influence)
        if self.kind == "chain":
            return np.array([c.std() / np.sqrt(max(effective(c), 1.0)) for c in influence.T])
        if self.kind == "copies":
            sums = np.stack([np.bincount(self.label, c) for c in influence.T])
            return np.asarray(np.sqrt((sums**2).sum(axis=1)) / n)
        return np.asarray(influence.std(axis=0) / np.sqrt(n))

    def words(self) -> str:
        """What is wrong with the rows, where there are too few effective draws."""
        if self.effective >= FEW:
            return ""
        why = {"copies": "rows repeat", "chain": "rows follow one another like a slow chain"}.get(self.kind, "few rows")
        return f"{why}: {self.effective:.0f} effective draws of {len(self.label)}, too few for shares and their errors"


def normal_scores(values: Floats) -> Floats:
    """Ranks, ties at their middle, through the normal quantile function."""
    return np.asarray(special.ndtri((stats.rankdata(values) - 0.5) / len(values)))


def effective(values: Floats) -> float:
    """Effective draws for the mean of one sequence; as many as there are rows for a constant."""
    found = float(array_stats.ess(values[None], chain_axis=0, draw_axis=1, method="mean")) if np.ptp(values) else np.nan
    return found if np.isfinite(found) else float(len(values))


def units_of(inputs: Floats, output: Floats) -> Units:
    """Find copies and chains among the rows of inputs (draw, input) and output (draw)."""
    rows = np.column_stack([inputs, output])
    n = len(rows)
    label, count = _equal(rows)
    if _DIFFERENT <= len(count) < n and _told_apart(rows, len(count)):
        return Units(label, "copies", n**2 / float((count**2).sum()))
    score = normal_scores(output)
    fewest = min(effective(normal_scores(x) * score) for x in inputs.T)
    if n <= (_CHAIN + _SLACK / math.sqrt(n)) * fewest:
        return Units(np.arange(n), "rows", float(n))
    stretch = max(1, min(int(np.ceil(_STRETCH * n / fewest)), n // 4))
    return Units(np.arange(n) // stretch, "chain", fewest)


def _equal(rows: Floats) -> tuple[Places, Places]:
    """Number the different rows: the number of each row, and how often each occurs."""
    if any(len(np.unique(c)) == len(rows) for c in rows.T):
        return np.arange(len(rows)), np.ones(len(rows), dtype=np.intp)
    _, label, count = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    return label.ravel(), count


def _told_apart(rows: Floats, different: int) -> bool:
    """Whether one column that is no count has as many values as there are different rows."""
    return any(len(np.unique(c)) == different and (c != np.round(c)).any() for c in rows.T)
