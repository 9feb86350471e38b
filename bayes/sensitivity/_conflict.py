r"""Conflict: does each source agree with all the others, and how far does it pull the answer?

For a source with observed value :math:`y` and the posterior without it, the leave-that-out predictive probability is

.. math::
    P(Y \le y) = \int F(y \mid \phi)\, p(\phi \mid y_{-})\, d\phi, \qquad p = \min\big(1,\; 2 \min\{P(Y \le y),\, P(Y
    \ge y)\}\big),

the posterior without the source by weights, or a fit where they fail. With one source, and the prior as all the
others, this is Box's check (1980). A large p is no proof of agreement: a source may move the answer a long way
through a prior wide enough to allow it, so that the pull stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayes.arguments import check_fields, check_shape, checked
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.sensitivity.changes import Change, Targets, compare
from bayes.sensitivity.doors import targets_from
from bayes.sensitivity.weights import Weights, equal_weights, mcse_of_mean, smoothed_weights
from bayes.summaries import PROB

__all__ = ["Source", "conflict", "predictive_p"]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One source of evidence.

    Parameters
    ----------
    change
        Leaving it out: weights, recomputed targets and, if possible, a refit.
    below
        (chain, draw, 2): probabilities, given each draw and everything but the source, that a replication of it is
        below, and not above, its observed value. A function of no argument is called when they are needed.
    log_ratio
        (chain, draw) of the weights that leave the source out; by default those of ``change``. A source may move no
        target and still have to be left out of its own prediction.
    refitted_below
        ``below`` at the draws of a fit without the source, for where these weights fail.
    """

    change: Change
    below: ArrayLike | Callable[[], ArrayLike]
    log_ratio: ArrayLike | None = None
    refitted_below: Callable[[], ArrayLike] | None = None

    def __post_init__(self) -> None:
        check_fields(self)


@checked
def conflict(targets: Targets, sources: Iterable[Source], *, prob: float = PROB, refit: bool = True) -> pd.DataFrame:
    """Check each source against all the others.

    Parameters
    ----------
    targets
        Draws (chain, draw) of the posterior with all sources, by name.
    sources
        What to check.
    prob
        Probability of the interval in which the pull is given.
    refit
        Whether sources whose weights fail are left out by a refit.

    Returns
    -------
    DataFrame
        One row for each source and target: ``source, group, p`` (two-sided), ``p_at_most`` with ``mcse_p_at_most``,
        ``p_below`` (smaller where the source is discrete), ``quantity, unit, median_without, pull`` (median with the
        source less median without) with ``mcse_pull, khat, method, draws``.

    Examples
    --------
    A standard normal prior, and an observation of 0.5 with standard error 0.2 (Box's p is 0.624):

    >>> from scipy.stats import norm
    >>> prior = norm.ppf((np.arange(4000) + 0.5) / 4000).reshape(4, 1000)
    >>> round(predictive_p(np.repeat(norm.cdf((0.5 - prior) / 0.2)[..., None], 2, -1))["p"], 3)
    0.624
    """
    parts, targets = [pd.DataFrame(columns=list(_COLUMNS))], targets_from(targets)
    for source in sources:
        table = compare(targets, [source.change], prob=prob, refit=refit)
        table = table[table["method"] != "as fitted"].rename(columns=_CALLED)
        parts.append(table.assign(**_predictive(source, refit), pull=-table["pull"])[list(_COLUMNS)])
    return pd.concat(parts[1:] or parts, ignore_index=True)


_CALLED = {"change": "source", "median": "median_without", "d_median": "pull", "mcse_d_median": "mcse_pull"}
_COLUMNS = ("source", "group", "p", "p_at_most", "mcse_p_at_most", "p_below", "quantity", "unit", "median_without",
            "pull", "mcse_pull", "khat", "method", "draws", "note")  # fmt: skip


@checked
def predictive_p(below: ArrayLike, log_ratio: ArrayLike | None = None) -> dict[str, float]:
    """Average predictive probabilities over draws of the posterior without a source.

    Parameters
    ----------
    below
        (chain, draw, 2), as in :class:`Source`.
    log_ratio
        (chain, draw) of the draws' weights; None where they are equal.

    Returns
    -------
    dict
        ``p`` (two-sided), ``p_at_most``, ``mcse_p_at_most``, ``p_below``.
    """
    if log_ratio is not None:
        check_shape(log_ratio, [str(n) for n in np.shape(below)[:2]], "log_ratio")
    return _averaged(below, None if log_ratio is None else smoothed_weights(log_ratio))


def _averaged(below: ArrayLike, weights: Weights | None) -> dict[str, float]:
    values = np.asarray(below, dtype=float)
    check_shape(values, ("chain", "draw", "2"), "below")
    weights = equal_weights(values.shape[:2]) if weights is None else weights
    lower, most = (min(1.0, float(v)) for v in np.einsum("cd,cdk->k", weights.values, values))  # sums are rounded
    series = weights.values * weights.values.size * (values[..., 1] - most)
    p = min(1.0, 2 * min(most, 1 - lower))
    return {"p": p, "p_at_most": most, "mcse_p_at_most": mcse_of_mean(series), "p_below": lower}


def _predictive(source: Source, refit: bool) -> dict[str, float]:
    ratio = source.log_ratio
    if ratio is None and source.change.log_ratio:
        ratio = np.sum([np.asarray(part, dtype=float) for part in source.change.log_ratio.values()], axis=0)
    weights = None if ratio is None else smoothed_weights(ratio)
    if weights is not None and not weights.reliable() and refit and source.refitted_below:
        return predictive_p(source.refitted_below())
    return _averaged(source.below() if callable(source.below) else source.below, weights)


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    sources = case.sources() if case.sources else ()
    return {"conflict": conflict({case.target: case.answer}, sources, refit=request.refit)} if sources else {}


ANALYSIS = Analysis(_run, "conflict between sources", "rows of evidence that can be left out one by one",
                    beside="leave_one_out", weight=10)  # fmt: skip
