"""The forest of a synthesis as a table that :func:`bayes.figures.forest` draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError
from bayes.summaries import PROB
from bayes.synthesis.answer import Synthesis
from bayes.synthesis.rows import LogRatios
from bayes.synthesis.small_studies import mirrored
from bayes.synthesis.tables import moved_by

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LEVELS", "TABLES", "forest_table", "funnel_table", "influence_table"]

_Z = NormalDist().inv_cdf((1 + PROB) / 2)


def forest_table(found: Synthesis) -> pd.DataFrame:
    r"""Tabulate a synthesis, logarithms as ratios: raw and shrunken by trial, then pooled and predictive.

    Raw is :math:`y \pm z s`, a confidence interval (trials given as counts have none); the others are posterior
    medians with equal-tailed intervals. The weight is :math:`w_i \propto 1/(s_i^2 + \tau^2)`, averaged over the
    posterior of :math:`\tau`.

    Returns
    -------
    DataFrame
        ``layer``, ``row``, ``label``, ``estimate``, ``lower``, ``upper``, ``weight`` (share), ``unit``, ``prob``,
        ``kind``, ``verdict``; ``draws`` and ``chains`` where draws are shown.

    Examples
    --------
    >>> import numpy as np
    >>> from bayes.synthesis import LogRatios, synthesise
    >>> trials = LogRatios(("a", "b", "c"), np.array([-0.5, -0.2, -0.9]), np.array([0.2, 0.3, 0.4]))
    >>> table = forest_table(synthesise(trials, draws=500, leave_one_out=False))
    >>> table.loc[table["layer"] == "raw", "estimate"].round(2).tolist()
    [0.61, 0.82, 0.41]
    """
    rows, weights, of = [], _weights(found), _back(found)
    for i, label in enumerate(found.rows.labels):
        same = {"row": label, "label": label, "weight": weights[i]}
        if isinstance(found.rows, LogRatios):
            rows.append({"layer": "raw", **same, **_raw(of, float(found.rows.y[i]), float(found.rows.se[i]))})
        rows.append({"layer": "shrunken", **same, **_posterior(of, found.one("theta", i))})
    for layer, name, label in (("pooled", "mu", "Mean over trials"), ("predictive", "theta_new", "New trial")):
        same = {"row": name, "label": label, "weight": math.nan}
        rows.append({"layer": layer, **same, **_posterior(of, found.one(name))})
    table = _framed(found, rows)
    if found.exact is None and found.fit is not None:
        sizes = found.fit["posterior"].sizes
        return table.assign(draws=sizes["chain"] * sizes["draw"], chains=sizes["chain"])
    return table


def _framed(found: Synthesis, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The table of some rows, with what all of them share."""
    import pandas as pd

    scale = found.rows.scale
    axis = "log" if scale.startswith("log ") else "linear"
    return pd.DataFrame(rows).assign(unit=scale.removeprefix("log "), verdict=found.verdict.word, axis=axis)


def _back(found: Synthesis) -> Callable[[float], float]:
    """What takes an effect to the scale that is drawn: ratios where rows are logarithms."""
    return math.exp if found.rows.scale.startswith("log ") else _as_it_is


def _as_it_is(value: float) -> float:
    return value


def _raw(of: Callable[[float], float], y: float, se: float) -> dict[str, Any]:
    low, mid, high = of(y - _Z * se), of(y), of(y + _Z * se)
    return {"estimate": mid, "lower": low, "upper": high, "prob": PROB, "kind": "confidence"}


def _posterior(of: Callable[[float], float], one: Mapping[str, float]) -> dict[str, Any]:
    low, mid, high = (of(one[key]) for key in ("q2.5", "q50", "q97.5"))
    return {"estimate": mid, "lower": low, "upper": high, "prob": PROB, "kind": "eti"}


LEVELS = (0.1, 0.05, 0.01)
"""Two-sided p at which the contours of a funnel are drawn."""


def funnel_table(found: Synthesis) -> pd.DataFrame:
    r"""Tabulate estimates by their standard error, what is expected around the mean, and contours of significance.

    Limits are :math:`\mu \pm z s` and :math:`\mu \pm z\sqrt{s^2 + \tau^2}` at posterior medians; contours are
    :math:`\pm z_{p/2}\, s` around no effect (Peters et al. 2008, J. Clin. Epidemiol. 61:991). Studies that trim and
    fill adds are those of :func:`bayes.synthesis.small_studies.trim_and_fill`.

    Returns
    -------
    DataFrame
        Layers ``row`` and ``filled`` (label, x, se), ``mean`` (x), ``limit``, ``limit_tau`` and ``contour`` (se, lower,
        upper, level), as ratios where rows are logarithms.

    Raises
    ------
    UsageError
        If rows are counts, or have moderators.
    """

    if not isinstance(found.rows, LogRatios) or found.regression is not None:
        raise UsageError("a funnel is of estimates with standard errors, without moderators", key="--funnel",
                         found=found.rows.scale, fix="add --approximate, or leave it out")  # fmt: skip
    y, se, of = found.rows.y, found.rows.se, _back(found)
    mu, tau = (float(found.numbers[name]["q50"]) for name in ("mu", "tau"))
    rows: list[dict[str, Any]] = [{"layer": "row", "label": label, "x": of(float(a)), "se": float(s)}
                                  for label, a, s in zip(found.rows.labels, y, se, strict=True)]  # fmt: skip
    if len(y) >= 3 and np.ptp(se) > 0:
        rows += [{"layer": "filled", "label": "", "x": of(float(a)), "se": float(s)} for a, s in mirrored(y, se)]
    rows.append({"layer": "mean", "label": "Mean", "x": of(mu)})
    limits = [("limit", mu, 0.0, 0.05), ("limit_tau", mu, tau, 0.05), *(("contour", 0.0, 0.0, p) for p in LEVELS)]
    for layer, middle, more, level in limits:
        z = NormalDist().inv_cdf(1 - level / 2)
        for s in np.linspace(0.0, 1.08 * float(se.max()), 41).tolist():
            half = z * math.hypot(s, more)
            rows.append({"layer": layer, "se": s, "lower": of(middle - half), "upper": of(middle + half),
                         "level": level, "prob": 1 - level, "kind": "funnel"})  # fmt: skip
    return _framed(found, rows)


def influence_table(found: Synthesis) -> pd.DataFrame:
    """Tabulate mean and spread without each row, beside those of all rows.

    Returns
    -------
    DataFrame
        ``left_out`` (empty for all rows), ``quantity`` (``mu``, a ratio where rows are logarithms, or ``tau``),
        ``lower``, ``estimate``, ``upper``, ``prob``, ``kind``, ``moved``: how far the median moves, in posterior
        standard deviations of all rows, and ``mcse_moved``, its Monte Carlo error (0 by quadrature).

    Raises
    ------
    UsageError
        If no row was left out.
    """

    if not found.left_out:
        raise UsageError("no row was left out", key="--influence", fix="give three rows or more, with leave-one-out")
    of, lines = _back(found), []
    for label, numbers in {"": found.numbers, **found.left_out}.items():
        for name, scale in (("mu", of), ("tau", _as_it_is)):
            one = {key: float(numbers[name][key]) for key in ("q2.5", "q50", "q97.5")}
            moved = moved_by(numbers[name], found.numbers[name])
            lines.append({"left_out": label, "quantity": name, **_posterior(scale, one), **moved})
    return _framed(found, lines)


def _weights(found: Synthesis) -> list[float]:
    if not isinstance(found.rows, LogRatios):
        return [math.nan] * len(found.rows.labels)
    tau, mass = _tau(found)
    precision = 1 / (found.rows.se[:, None] ** 2 + tau**2)
    return list(((precision / precision.sum(axis=0)) @ mass).tolist())


def _tau(found: Synthesis) -> tuple[np.ndarray, np.ndarray]:
    """Values of tau and their posterior mass: nodes of the quadrature, or draws."""
    if found.exact is not None and found.exact.tau is not None:
        return found.exact.tau.values, found.exact.tau.mass
    draws = np.zeros(1) if found.fit is None else np.ravel(found.fit["posterior"].to_dataset()["tau"].to_numpy())
    return draws, np.full(len(draws), 1 / len(draws))


TABLES: Mapping[str, Callable[[Synthesis], pd.DataFrame]] = {
    "forest": forest_table, "left_out": influence_table, "funnel": funnel_table,
}  # fmt: skip
"""The table of each figure of a synthesis, by the figure's name."""
