r"""What prescribed heroin does to offending, and what happens anyway.

Row :math:`r` is a log ratio :math:`y_r`. A contrast between arms measures :math:`\theta_i`, the change of a
comparator arm measures :math:`\gamma_i`, an uncontrolled change under heroin measures their sum:

.. math::
    y = Z e + B b + \varepsilon, \quad \theta_i \sim N(\mu_\theta, \tau_\theta), \quad
    \gamma_i \sim N(\mu_\gamma, \tau_\gamma), \quad \varepsilon \sim N(0, S)

where :math:`e` stacks the :math:`\theta_i` and :math:`\gamma_i`, :math:`b` the bias terms, and :math:`S` has the
squared standard errors and, for two rows computed from one arm, their covariance. Collapsed, :math:`e` is integrated
out: :math:`y \sim N(Z m + B b,\; Z D Z^\top + S)` with :math:`D` the diagonal of between-setting variances, and
:math:`e` is drawn afterwards, exactly, by Matheron's rule: with :math:`e^* \sim N(m, D)` and :math:`\varepsilon^* \sim
N(0, S)`, :math:`e = e^* + D Z^\top V^{-1} (y - Z e^* - B b - \varepsilon^*)`.

Rows covary only where they share an effect or an arm, so :math:`V = Z D Z^\top + S` falls into small clusters
(:mod:`bayes.clusters`), in practice of one or two rows, and nothing grows faster than the number of rows.

A contrast can also be biased in proportion to its standard error, :math:`\beta s_r` (small studies that found little
are not published, or are stopped): seven trials cannot tell such a slope from an effect that differs between settings,
so its prior decides, and it is a structure beside the answer.

A new programme has :math:`\theta_{new} \sim N(\mu_\theta, \tau_\theta)`, not the pooled mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes.clustered import ClusterNormal, places_of
from bayes.clusters import backward, factor, forward, times, total
from bayes.declared import Declared
from bayes.heroin.model.design import NU, SLOPE, Design, Places, design, effects_part, places
from bayes.provenance import SCRATCH

__all__ = ["NU", "Design", "add_reduction", "design"]


def add_reduction(frame: Design, declared: Declared, effects: str, drift: bool, collapse: bool) -> None:
    """Add effects, drift and biases with their likelihood to the model on the context stack.

    Adds ``mu_theta``, ``tau_theta``, ``mu_gamma``, ``tau_gamma``, the bias terms, the observed ``log_ratio``
    (effect_row), the group effects ``effect``, and the forward variables ``theta_new``, ``gamma_new``, ``rate_ratio``
    and ``drift``.
    """
    model = pm.modelcontext(None)
    part = effects_part(frame)
    for dim, labels in part.coords.items():
        model.add_coord(dim, labels)
    y = pm.Data("log_ratio__observed", part.data["log_ratio__observed"], dims="effect_row")
    se = pm.Data("log_ratio__se", part.data["log_ratio__se"], dims="effect_row")
    shared = pm.Data("log_ratio__shared", part.data["log_ratio__shared"])
    at = places(frame)
    s = _errors(at, se, shared)
    mean, variance = _moments(frame, declared, effects, drift)
    bias = [declared[term] * (se if term == SLOPE else 1.0) * (column != 0)
            for term, column in zip(frame.terms, frame.b.T, strict=True)]  # fmt: skip
    shift = pt.add(pt.zeros(len(frame.rows)), *bias)
    if collapse:
        group = _collapsed(at, y, s, (mean, variance), shift)
    else:
        group = _uncollapsed(frame, mean, variance, effects)
        ClusterNormal("log_ratio", total(group, at.effects) + shift, s, at.members, observed=y, dims="effect_row")
    pm.Deterministic("log_ratio_fitted", total(group, at.effects) + shift, dims="effect_row")
    _add_new_programme(declared, effects, drift)


def _moments(frame: Design, declared: Declared, effects: str, drift: bool) -> tuple[Any, Any]:
    """Mean and variance of each group effect."""
    tau2 = 0.0 if effects == "common" else declared["tau_theta"] ** 2
    gamma = (declared["mu_gamma"], declared["tau_gamma"] ** 2) if drift else (0.0, 0.0)
    mean = pt.switch(frame.is_theta, declared["mu_theta"], gamma[0])
    variance = pt.switch(frame.is_theta, tau2, gamma[1])
    if effects == "t":
        weight = pm.InverseGamma("effect_weight", NU / 2, NU / 2, dims="group_effect")
        variance = variance * pt.switch(frame.is_theta, weight, 1.0)
    return mean, variance


def _errors(at: Places, se: Any, shared: Any) -> Any:
    """Error covariance (cluster, place, place), one on the diagonal of an empty place."""
    own = [x + (column < 0) for x, column in zip(places_of(se**2, at.members), at.members.T, strict=True)]
    return shared + pt.stack(own, axis=-1)[..., None] * np.eye(at.members.shape[1])


def _collapsed(at: Places, y: Any, s: Any, moments: tuple[Any, Any], shift: Any) -> Any:
    """Integrate the group effects out, and recover them by Matheron's rule."""
    mean, variance = moments
    v, width = s + total(variance, at.common), at.members.shape[1]
    ClusterNormal("log_ratio", total(mean, at.effects) + shift, v, at.members, observed=y, dims="effect_row")
    first = pm.Normal("_effect_z", 0.0, 1.0, dims="group_effect")
    second = pm.Normal("_row_z", 0.0, 1.0, dims="effect_row")
    vars(pm.modelcontext(None))[SCRATCH] = ("_effect_z", "_row_z")
    drawn = mean + pt.sqrt(variance) * first
    noise = times(factor(s, width), places_of(second, at.members))
    left = places_of(y - total(drawn, at.effects) - shift, at.members)
    gap = [x - error for x, error in zip(left, noise, strict=True)]
    root = factor(v, width)
    weights = pt.concatenate(backward(root, forward(root, gap)))
    return pm.Deterministic("effect", drawn + variance * total(weights, at.rows), dims="group_effect")


def _uncollapsed(frame: Design, mean: Any, variance: Any, effects: str) -> Any:
    """Group effects as free variables; one common effect has no variance, and its thetas are its mean."""
    free = np.flatnonzero(~frame.is_theta if effects == "common" else np.ones(len(frame.effects), dtype=bool))
    if len(free) == len(frame.effects):
        return pm.Normal("effect", mean, pt.sqrt(variance), dims="group_effect")
    if len(free):
        mean = pt.set_subtensor(mean[free], pm.Normal("effect_gamma", mean[free], pt.sqrt(variance[free])))
    return pm.Deterministic("effect", mean, dims="group_effect")


def _add_new_programme(declared: Declared, effects: str, drift: bool) -> None:
    """Add effect and drift in a new programme: predictive draws, then the share a scale-up keeps."""
    if effects == "common":
        theta = pm.Deterministic("theta_new", declared["mu_theta"] + 0.0)
    elif effects == "t":
        theta = pm.StudentT("theta_new", nu=NU, mu=declared["mu_theta"], sigma=declared["tau_theta"])
    else:
        theta = pm.Normal("theta_new", declared["mu_theta"], declared["tau_theta"])
    pm.Deterministic("rate_ratio", pt.exp(declared["fidelity"] * theta))
    moved = pt.exp(pm.Normal("gamma_new", declared["mu_gamma"], declared["tau_gamma"])) if drift else pt.as_tensor(1.0)
    pm.Deterministic("drift", moved)
