r"""The same synthesis as an ordinary PyMC model, and where no quadrature exists, the only one.

Log ratios are collapsed, :math:`y_i \sim N(\mu, s_i^2 + \tau^2 w_i)`, and :math:`\theta_i` is drawn afterwards from
its conditional normal distribution; :math:`w_i = 1`, or inverse-gamma for heavy tails (a Student t with 4 degrees of
freedom). Two-arm counts have their exact likelihood,

.. math::
    e_{i1} \sim \mathrm{Binomial}(n_{i1}, \mathrm{logit}^{-1}(\alpha_i + \theta_i/2)), \quad
    e_{i2} \sim \mathrm{Binomial}(n_{i2}, \mathrm{logit}^{-1}(\alpha_i - \theta_i/2)),

with :math:`\alpha_i`, the mean log odds of a trial's two arms, of its own, under the prior ``baseline`` of the counts;
or, where that is of the comparator, with :math:`\alpha_i + \theta_i` and :math:`\alpha_i`. No half is ever added to
a zero. Here :math:`\theta_i = \mu + \tau\sqrt{w_i}\,z_i` with :math:`z_i \sim N(0, 1)`, and steps are short
(:data:`TARGET_OF_COUNTS`): small and sparse tables leave :math:`\tau` near zero, where draws of :math:`\theta_i`
itself would diverge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm

from bayes.provenance import SCRATCH
from bayes.synthesis.rows import Counts, LogRatios

if TYPE_CHECKING:
    from bayes.synthesis.answer import Plan

__all__ = ["NU", "TARGET_OF_COUNTS", "synthesis_model"]

NU = 4.0
"""Degrees of freedom of heavy-tailed effects."""

TARGET_OF_COUNTS = 0.99
"""Target acceptance of NUTS for counts."""


def synthesis_model(rows: LogRatios | Counts, plan: Plan) -> pm.Model:
    """Return the model with variables ``mu``, ``tau``, ``theta`` (row) and ``theta_new``, and what else a plan has.

    Rows that share a study or a comparator have their joint normal law, and no ``theta``.
    """
    with pm.Model(coords={"row": list(rows.labels)}) as model:
        mean = plan.mu.add("mu")
        sd = None if plan.tau is None else plan.tau.add("tau")
        if isinstance(rows, LogRatios) and (plan.regression or rows.covariance is not None or rows.study):
            _add_linear(rows, plan, mean, sd)
        elif isinstance(rows, LogRatios):
            _add_log_ratios(rows, mean, sd, plan.effects)
        else:
            _add_counts(rows, mean, sd, plan.effects)
        _add_new(mean, sd, plan.effects)
    vars(model)[SCRATCH] = ("_z",)
    return model


def _add_linear(rows: LogRatios, plan: Plan, mean: Any, sd: Any) -> None:
    """The joint law of rows with moderators, studies or shared comparators."""
    from bayes.synthesis.exact import linear

    model = linear(rows, plan.mu, plan.regression)
    share, s = np.eye(len(rows.y)), np.diag(rows.se**2) if rows.covariance is None else rows.covariance
    for members, _, shares in model.blocks:
        for block, one in zip(members, shares, strict=True):
            share[np.ix_(block, block)] = one
    centre: Any = mean
    if plan.regression is not None:
        prior = plan.regression.slope.terms[0][1]
        slopes = pm.math.stack([prior.add(f"slope_{i}") for i in range(model.x.shape[1] - 1)])
        centre = mean + model.x[:, 1:] @ slopes
    v = s + (0.0 if sd is None else sd**2 * share)
    if plan.omega is not None:
        v = v + plan.omega.add("omega") ** 2 * np.eye(len(rows.y))
    pm.MvNormal("y", centre * np.ones(len(rows.y)), cov=v, observed=rows.y, dims="row")


def _add_log_ratios(rows: LogRatios, mean: Any, sd: Any, effects: str) -> None:
    y, se = pm.Data("y__observed", rows.y, dims="row"), pm.Data("y__se", rows.se, dims="row")
    if sd is None:
        pm.Normal("y", mean, se, observed=y, dims="row")
        pm.Deterministic("theta", mean + 0.0 * se, dims="row")
        return
    variance = sd**2 * (_weights() if effects == "t" else 1.0)
    total = variance + se**2
    pm.Normal("y", mean, pm.math.sqrt(total), observed=y, dims="row")
    share = variance / total
    noise = pm.Normal("_z", 0.0, 1.0, dims="row")
    pm.Deterministic("theta", share * y + (1 - share) * mean + pm.math.sqrt(share) * se * noise, dims="row")


def _add_counts(rows: Counts, mean: Any, sd: Any, effects: str) -> None:
    if sd is None:
        theta = pm.Deterministic("theta", mean + np.zeros(len(rows.labels)), dims="row")
    else:
        scale = sd * pm.math.sqrt(_weights()) if effects == "t" else sd
        theta = pm.Deterministic("theta", mean + scale * pm.Normal("_z", 0.0, 1.0, dims="row"), dims="row")
    baseline = rows.baseline_prior
    log_odds: Any = getattr(pm, baseline.family)("log_odds", **baseline.parameters, dims="row")
    parts = (0.5, -0.5) if rows.baseline_of == "mean" else (1.0, 0.0)
    for arm, name, part in zip((0, 1), ("treated", "compared"), parts, strict=True):
        events = pm.Data(f"{name}__observed", rows.events[:, arm], dims="row")
        total = pm.Data(f"{name}__total", rows.total[:, arm], dims="row")
        pm.Binomial(name, n=total, logit_p=log_odds + part * theta, observed=events, dims="row")


def _weights() -> Any:
    """Variance weights that make a normal a Student t with 4 degrees of freedom."""
    return pm.InverseGamma("weight", NU / 2, NU / 2, dims="row")


def _add_new(mean: Any, sd: Any, effects: str) -> None:
    if sd is None:
        pm.Deterministic("theta_new", mean + 0.0)
    elif effects == "t":
        pm.StudentT("theta_new", nu=NU, mu=mean, sigma=sd)
    else:
        pm.Normal("theta_new", mean, sd)
