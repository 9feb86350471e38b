r"""Counts as estimates with standard errors: the usual normal approximation, where it is asked for.

With events :math:`e` of :math:`n`, or over a time :math:`T`, in the treated arm and the comparator,

.. math::
    \log\mathrm{OR}: \tfrac1{e_1} + \tfrac1{n_1 - e_1} + \tfrac1{e_2} + \tfrac1{n_2 - e_2}, \quad
    \log\mathrm{RR}: \tfrac1{e_1} - \tfrac1{n_1} + \tfrac1{e_2} - \tfrac1{n_2}, \quad
    \mathrm{RD}: \tfrac{p_1(1 - p_1)}{n_1} + \tfrac{p_2(1 - p_2)}{n_2}, \quad
    \text{log rate ratio}: \tfrac1{e_1} + \tfrac1{e_2}

are the variances, and the part of the comparator is the covariance of rows that share it. Rows in which one of these
cannot be computed have a half added to each of their cells, which weighs where events are few. Without approximation
zeros enter as they are (:mod:`bayes.synthesis.likelihoods`).
"""

from __future__ import annotations

import numpy as np

from bayes.arguments import checked
from bayes.synthesis.rows import Counts, LogRatios, Rates

__all__ = ["estimates_of", "of_arms"]


@checked
def estimates_of(rows: Counts | Rates) -> LogRatios:
    """Return estimates with standard errors, and the covariance of rows that share a comparator.

    Examples
    --------
    >>> rows = Counts(("a",), np.array([[4, 11]]), np.array([[123, 139]]), measure="RR")
    >>> found = estimates_of(rows)
    >>> found.y.round(4).tolist(), (found.se**2).round(4).tolist()  # Aronson 1948
    ([-0.8893], [0.3256])
    """
    events = rows.events.astype(float)
    whole = rows.time if isinstance(rows, Rates) else rows.total.astype(float)
    bad = (events == 0).any(axis=1)
    if isinstance(rows, Counts):
        bad |= (events == whole).any(axis=1)
    events = events + 0.5 * bad[:, None]
    if isinstance(rows, Counts):
        whole = whole + bad[:, None]
    values, variance = of_arms(rows, events, whole)
    y = values[:, 0] - values[:, 1] if rows.arms == 2 else values[:, 0]
    covariance = None
    if rows.shared:
        same = np.array([[one == other for other in rows.shared] for one in rows.shared])
        own = np.sqrt(variance[:, 1, None] * variance[:, 1])
        covariance = np.where(same, own, 0.0) + np.diag(variance[:, 0])
    halves = f", a half added to each cell of {int(bad.sum())} rows" if bad.any() else ""
    words = f"normal approximation of counts{halves}"
    source = "; ".join(filter(None, [rows.source, words]))
    return LogRatios(rows.labels, y, np.sqrt(variance.sum(axis=1)), source, rows.scale, covariance, study=rows.study,
                     moderators=rows.moderators, levels=rows.levels)  # fmt: skip


def of_arms(rows: Counts | Rates, events: np.ndarray, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each arm tells on the scale of the effects, and its variance (row, arm)."""
    if isinstance(rows, Rates):
        return np.log(events / whole), 1 / events
    risk = events / whole
    if rows.arms == 1 or rows.measure == "OR":
        return np.log(events / (whole - events)), 1 / events + 1 / (whole - events)
    if rows.measure == "RR":
        return np.log(risk), 1 / events - 1 / whole
    return risk, risk * (1 - risk) / whole
