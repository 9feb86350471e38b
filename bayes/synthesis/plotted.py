"""The forest of a synthesis as a table that :func:`bayes.figures.forest` draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError
from bayes.summaries import PROB
from bayes.synthesis.answer import Synthesis
from bayes.synthesis.rows import LogRatios

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["forest_table"]

_Z = NormalDist().inv_cdf((1 + PROB) / 2)


def forest_table(found: Synthesis) -> pd.DataFrame:
    r"""Tabulate a synthesis on the scale of ratios: raw and shrunken by trial, then pooled and predictive.

    Raw is :math:`\exp(y \pm z s)`, a confidence interval (trials given as counts have none); the others are posterior
    medians with equal-tailed intervals. The weight is :math:`w_i \propto 1/(s_i^2 + \tau^2)`, averaged over the
    posterior of :math:`\tau`.

    Returns
    -------
    DataFrame
        ``layer``, ``row``, ``label``, ``estimate``, ``lower``, ``upper``, ``weight`` (share), ``unit``, ``prob``,
        ``kind``, ``verdict``; ``draws`` and ``chains`` where draws are shown.

    Raises
    ------
    UsageError
        If effects are differences.

    Examples
    --------
    >>> import numpy as np
    >>> from bayes.synthesis import LogRatios, synthesise
    >>> trials = LogRatios(("a", "b", "c"), np.array([-0.5, -0.2, -0.9]), np.array([0.2, 0.3, 0.4]))
    >>> table = forest_table(synthesise(trials, draws=500, leave_one_out=False))
    >>> table.loc[table["layer"] == "raw", "estimate"].round(2).tolist()
    [0.61, 0.82, 0.41]
    """
    import pandas as pd

    if not found.rows.scale.startswith("log "):
        raise UsageError("a forest shows ratios", key="--forest", found=found.rows.scale, allowed="log ratios",
                         fix="take the tables: --out DIR")  # fmt: skip
    rows, weights = [], _weights(found)
    for i, label in enumerate(found.rows.labels):
        same = {"row": label, "label": label, "weight": weights[i]}
        if isinstance(found.rows, LogRatios):
            rows.append({"layer": "raw", **same, **_raw(float(found.rows.y[i]), float(found.rows.se[i]))})
        one = {key: float(np.asarray(values)[i]) for key, values in found.numbers["theta"].items()}
        rows.append({"layer": "shrunken", **same, **_posterior(one)})
    for layer, name, label in (("pooled", "mu", "Mean over trials"), ("predictive", "theta_new", "New trial")):
        one = {key: float(value) for key, value in found.numbers[name].items()}
        rows.append({"layer": layer, "row": name, "label": label, "weight": math.nan, **_posterior(one)})
    table = pd.DataFrame(rows).assign(unit=found.rows.scale.removeprefix("log "), verdict=found.verdict.word)
    if found.exact is None and found.fit is not None:
        sizes = found.fit["posterior"].sizes
        return table.assign(draws=sizes["chain"] * sizes["draw"], chains=sizes["chain"])
    return table


def _raw(y: float, se: float) -> dict[str, Any]:
    low, mid, high = np.exp([y - _Z * se, y, y + _Z * se]).tolist()
    return {"estimate": mid, "lower": low, "upper": high, "prob": PROB, "kind": "confidence"}


def _posterior(one: Mapping[str, float]) -> dict[str, Any]:
    low, mid, high = (math.exp(one[key]) for key in ("q2.5", "q50", "q97.5"))
    return {"estimate": mid, "lower": low, "upper": high, "prob": PROB, "kind": "eti"}


def _weights(found: Synthesis) -> list[float]:
    if not isinstance(found.rows, LogRatios):
        return [math.nan] * len(found.rows.labels)
    tau, mass = _tau(found)
    precision = 1 / (found.rows.se[:, None] ** 2 + tau**2)
    return list(((precision / precision.sum(axis=0)) @ mass).tolist())


def _tau(found: Synthesis) -> tuple[np.ndarray, np.ndarray]:
    """Values of tau and their posterior mass: nodes of the quadrature, or draws."""
    if found.exact is not None and found.exact.tau is not None:
        mass = np.exp(found.exact.tau.logs - found.exact.tau.logs.max())
        return found.exact.tau.values, mass / mass.sum()
    draws = np.zeros(1) if found.fit is None else np.ravel(found.fit["posterior"].to_dataset()["tau"].to_numpy())
    return draws, np.full(len(draws), 1 / len(draws))
