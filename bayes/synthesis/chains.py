r"""The same synthesis as an ordinary PyMC model, and where no quadrature exists, the only one.

Log ratios are collapsed, :math:`y_i \sim N(\mu, s_i^2 + \tau^2 w_i)`, and :math:`\theta_i` is drawn afterwards from
its conditional normal distribution; :math:`w_i = 1`, or inverse-gamma for heavy tails (a Student t with 4 degrees of
freedom). Two-arm counts have their exact likelihood,

.. math::
    e_{i1} \sim \mathrm{Binomial}(n_{i1}, \mathrm{logit}^{-1}(\alpha_i + \theta_i/2)), \quad
    e_{i2} \sim \mathrm{Binomial}(n_{i2}, \mathrm{logit}^{-1}(\alpha_i - \theta_i/2)),

with :math:`\alpha_i`, the mean log odds of a trial's two arms, of its own, under the prior ``baseline`` of the counts;
or, where that is of the comparator, with :math:`\alpha_i + \theta_i` and :math:`\alpha_i`; rows that share a comparator
share :math:`\alpha`, and its events are counted once. Events over time are multinomial given their sum. No half is ever
added to a zero. Here :math:`\theta_i = \mu + \tau\sqrt{w_i}\,z_i` with :math:`z_i \sim N(0, 1)`, and steps are short
(:data:`TARGET_OF_COUNTS`): small and sparse tables leave :math:`\tau` near zero, where draws of :math:`\theta_i`
itself would diverge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm

from bayes.provenance import SCRATCH
from bayes.synthesis.rows import Counts, LogRatios, Rates

if TYPE_CHECKING:
    from bayes.synthesis.answer import Plan
    from bayes.synthesis.exact import Regression

__all__ = ["NU", "TARGET_OF_COUNTS", "synthesis_model"]

NU = 4.0
"""Degrees of freedom of heavy-tailed effects."""

TARGET_OF_COUNTS = 0.99
"""Target acceptance of NUTS for counts."""


def synthesis_model(rows: LogRatios | Counts | Rates, plan: Plan) -> pm.Model:
    """Return the model with variables ``mu``, ``tau``, ``theta`` (row) and ``theta_new``, and what else a plan has.

    Estimates that share a study or a comparator have their joint normal law, and no ``theta``.
    """
    coords = {"row": list(rows.labels), "moderator": list(rows.moderators)}
    if plan.regression is not None:
        coords["place"] = list(plan.regression.at)
    with pm.Model(coords=coords) as model:
        mean = plan.mu.add("mu")
        sd: Any = None if plan.tau is None else plan.tau.add("tau")
        omega = None if plan.omega is None else plan.omega.add("omega")
        centre = mean + (0.0 if plan.regression is None else _add_slopes(rows, plan.regression, mean, sd))
        if not isinstance(rows, LogRatios):
            effects = _add_effects(rows, centre, (sd, omega), plan.effects)
            if isinstance(rows, Counts):
                _add_counts(rows, effects)
            else:
                _add_rates(rows, effects)
        elif plan.regression is not None or rows.covariance is not None or rows.study:
            _add_linear(rows, centre, sd, omega)
        else:
            _add_log_ratios(rows, mean, sd, plan.effects)
        _add_new(mean, sd if omega is None else pm.math.sqrt(sd**2 + omega**2), plan.effects)
    vars(model)[SCRATCH] = ("_z", "_u", "_w")
    return model


def _add_slopes(rows: LogRatios | Counts | Rates, regression: Regression, mean: Any, sd: Any) -> Any:
    """Coefficients, effects at named places, and what the moderators add to the mean of each row."""
    prior = regression.slope.terms[0][1]
    each = pm.math.stack([prior.add(f"slope_{i}") for i in range(len(rows.moderators))])
    slope = pm.Deterministic("slope", each, dims="moderator")
    if regression.at:
        there = np.array([values - regression.centre for values in regression.at.values()])
        at = pm.Deterministic("at", mean + there @ slope, dims="place")
        pm.Deterministic(
            "at_new", at if sd is None else at + sd * pm.Normal("_w", 0.0, 1.0, dims="place"), dims="place"
        )
    return np.column_stack([*rows.moderators.values()]) @ slope - regression.centre @ slope


def _add_linear(rows: LogRatios, centre: Any, sd: Any, omega: Any) -> None:
    """The joint law of rows with moderators, studies or shared comparators."""
    share, s = np.eye(len(rows.y)), np.diag(rows.se**2) if rows.covariance is None else rows.covariance
    for members in rows.clusters:
        share[np.ix_(members, members)] += (1.0 if rows.study else 0.5) * (1 - np.eye(len(members)))
    v = s + (0.0 if sd is None else sd**2 * share)
    if omega is not None:
        v = v + omega**2 * np.eye(len(rows.y))
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


def _add_effects(rows: Counts | Rates, centre: Any, scales: tuple[Any, Any], effects: str) -> Any:
    """Effects of rows of counts: their own, or with what those of a study or of a comparator have in common."""
    sd, omega = scales
    if sd is None:
        return pm.Deterministic("theta", centre + np.zeros(len(rows.labels)), dims="row")
    scale = sd * pm.math.sqrt(_weights()) if effects == "t" else sd
    own = pm.Normal("_z", 0.0, 1.0, dims="row")
    if omega is not None:
        names = list(dict.fromkeys(rows.study))
        whole = pm.Normal("_u", 0.0, 1.0, shape=len(names))[[names.index(name) for name in rows.study]]
        return pm.Deterministic("theta", centre + scale * whole + omega * own, dims="row")
    if rows.shared:
        names = [name for name in dict.fromkeys(rows.shared) if rows.shared.count(name) > 1]
        half = np.array([0.5 if name in names else 0.0 for name in rows.shared])
        place = [names.index(name) if name in names else 0 for name in rows.shared]
        whole = pm.Normal("_u", 0.0, 1.0, shape=max(len(names), 1))[place]
        own = np.sqrt(half) * whole + np.sqrt(1 - half) * own
    return pm.Deterministic("theta", centre + scale * own, dims="row")


def _groups(rows: Counts | Rates) -> tuple[list[int], list[int]]:
    """The group of each row, of those with a comparator in common, and the first row of each group."""
    names = rows.shared or rows.labels
    places = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return [places[name] for name in names], [names.index(name) for name in places]


def _add_counts(rows: Counts, theta: Any) -> None:
    events, total = rows.events, rows.total
    if rows.arms == 1:
        pm.Binomial("counted", n=total[:, 0], logit_p=theta, observed=events[:, 0], dims="row")
        return
    baseline = rows.baseline_prior
    of, first = _groups(rows)
    log_odds: Any = getattr(pm, baseline.family)("log_odds", **baseline.parameters, shape=len(first))
    parts = (0.5, -0.5) if rows.baseline_of == "mean" else (1.0, 0.0)
    treated = pm.Data("treated__observed", events[:, 0], dims="row")
    people = pm.Data("treated__total", total[:, 0], dims="row")
    pm.Binomial("treated", n=people, logit_p=log_odds[of] + parts[0] * theta, observed=treated, dims="row")
    pm.Binomial("compared", n=total[first, 1], logit_p=log_odds + parts[1] * theta[first], observed=events[first, 1])


def _add_rates(rows: Rates, theta: Any) -> None:
    """Events over time: Poisson of one arm; of two, binomial or multinomial given their sum."""
    events = rows.events
    if rows.arms == 1:
        pm.Poisson("counted", pm.math.exp(theta) * rows.time[:, 0], observed=events[:, 0], dims="row")
        return
    of, first = _groups(rows)
    logs = theta + np.log(rows.time[:, 0] / rows.time[:, 1])
    for group, start in enumerate(first):
        members = [i for i, one in enumerate(of) if one == group]
        seen = np.r_[events[members, 0], events[start, 1]]
        odds = pm.math.concatenate([logs[members], np.zeros(1)])
        pm.Multinomial(f"events_{group}", n=int(seen.sum()), p=pm.math.softmax(odds), observed=seen)


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
