r"""Power-scaling: how a target moves when a prior, or a block of evidence, is raised to a power.

The component :math:`c` of the joint density is raised to :math:`\alpha`; the posterior becomes
:math:`p_\alpha(\theta) \propto p(\theta \mid y)\, c(\theta)^{\alpha - 1}`, and nothing has to be fitted again. Two
measures stand side by side:

- **cjs**: the cumulative Jensen-Shannon distance per doubling of :math:`\alpha`, from :math:`\alpha = 0.99` and 1.01
  (Kallioinen, Paananen, Bürkner and Vehtari 2024, Stat. Comput. 34:57; computed by ArviZ). It has no unit, and it is
  normalised over the range of the draws, so that it drifts with their number: compare it only between tables of the
  same number of draws.
- **d_median, d_lower, d_upper**: derivatives per doubling, in the unit of the target. With :math:`\ell = \log c` a
  mean moves by :math:`\log 2 \cdot \mathrm{Cov}(x, \ell)` and a quantile by

.. math::
    \frac{d q_p}{d \log_2 \alpha} = -\log 2\; \frac{\mathrm{Cov}(1[x \le q_p],\, \ell)}{f(q_p)} .

Only priors at the top are scaled by default: scaling the thousand group effects of a hierarchy with their common
prior dilutes what the analyst decided with what the model implies.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes.arguments import checked
from bayes.diagnostics import series_of
from bayes.draws import Fit, fit_from
from bayes.errors import UsageError, closest
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.sensitivity.doors import top_priors, with_densities
from bayes.sensitivity.weights import (
    Floats,
    equal_weights,
    levels,
    mcse_of_mean,
    quantiles,
    smoothed_weights,
)
from bayes.summaries import PROB
from bayes.tails import TAIL_LIMIT, tail_shape

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataArray, DataTree

__all__ = ["CONFLICT", "STRONG", "THRESHOLD", "powerscale", "target_draws", "top_level_priors"]

THRESHOLD = 0.05
"""Distance above which a component matters (Kallioinen et al. 2024, section 4)."""
STRONG = "strong prior, weak evidence"
CONFLICT = "possible prior–evidence conflict"

_ALPHAS = (0.99, 1.01)
_ROUNDING = 1e-12  # spread of a constant, as a share of its size
_TOLD = 2.0  # Monte Carlo errors from which a derivative is told apart from 0
_SMOOTH = 0.1  # share of the spread of a log density that its own variable may leave unexplained


@checked
def powerscale(
    fit: Fit,
    target: str | DataArray,
    *,
    priors: Sequence[str] | None = None,
    evidence: Mapping[str, Sequence[str]] | None = None,
    prob: float = PROB,
    model: pm.Model | None = None,
) -> pd.DataFrame:
    """Power-scale each prior and each block of evidence of a fit.

    Parameters
    ----------
    fit
        A fit with groups ``log_prior`` and ``log_likelihood``, or with ``model``.
    target
        A scalar variable of the posterior, or draws of any quantity (chain, draw) in the order of the fit; its unit
        is its attribute ``unit``.
    priors
        Variables of ``log_prior`` to scale; by default those at the top (:func:`top_level_priors`).
    evidence
        ``{block: observed variables}``; by default every observed variable is a block.
    prob
        Probability of the interval whose ends are followed.
    model
        The model of a fit made elsewhere: the groups it lacks are computed from it.

    Returns
    -------
    DataFrame
        One row for each component, and where they are several for all priors and all evidence together: ``component,
        role`` (prior or evidence), ``quantity, unit, cjs, khat, d_median, d_lower, d_upper, d_mean``, their Monte
        Carlo errors ``mcse_…``, ``prob, kind, draws, diagnosis``. Derivatives are per doubling of the power.
        ``d_mean`` is empty where the target has no finite variance. A target that is constant, but for rounding, has
        distances and derivatives of 0; a component of which no derivative is two Monte Carlo errors from 0 has no
        diagnosis.

    Raises
    ------
    UsageError
        If a group or variable is missing.

    Examples
    --------
    With ``fit`` that of the shipped study:

    >>> table = powerscale(fit, "mu_theta")
    >>> {"component", "cjs", "d_median", "mcse_d_median"} <= set(table.columns)
    True
    """
    fit = with_densities(fit_from(fit), model)
    if priors is None and model is not None:
        priors = top_priors(model)
    x, name, unit = target_draws(fit, target)
    if np.ptp(x) <= _ROUNDING * np.abs(x).max():
        x = np.zeros_like(x)  # where it lies makes no difference
    parts = _components(fit, priors, evidence)
    rows = [_row(x, logs, label, role, prob) for label, role, logs in parts]
    table = pd.DataFrame(rows)
    table.insert(2, "quantity", name)
    table.insert(3, "unit", unit)
    table["diagnosis"] = _words(table, json.loads(fit.attrs.get("forward_variables", "[]")))
    return table


@checked
def top_level_priors(fit: Fit) -> list[str]:
    """Return the variables of ``log_prior`` whose prior depends on no other variable.

    Read off the draws: the log density of such a variable is a function of its own value, so that draws with
    neighbouring values have neighbouring densities. Von Neumann's ratio, mean squared difference of neighbours over
    twice the variance, is then near 0, and near the share of variance that *other* variables explain otherwise. A
    variable counts as at the top below 0.1. An array whose elements are all standard normal does not: it holds the
    effects of a non-centred hierarchy. Pass names where the model is known.
    """
    fit, found = fit_from(fit), []
    for name, array in _group(fit, "log_prior").items():
        values, logs = series_of(fit["posterior"].data_vars[name]), series_of(array)
        if values.shape == logs.shape and _own_function(values, logs) and not _non_centred(values, logs):
            found.append(name)
    return found


def target_draws(fit: DataTree, target: str | DataArray) -> tuple[Floats, str, str]:
    """Return a target's draws (chain, draw), its name and its unit.

    Raises
    ------
    UsageError
        If there is no such scalar variable, or its draws are not those of the fit.
    """
    from xarray import DataArray

    posterior: Any = fit["posterior"]
    if isinstance(target, str):
        if target not in posterior.data_vars:
            names = [str(n) for n in posterior.data_vars]
            raise UsageError(
                "there is no such target", key="target", found=target, allowed=names, fix=closest(target, names)
            )
        target = posterior[target]
    if not isinstance(target, DataArray) or set(target.dims) != {"chain", "draw"}:
        found = getattr(target, "dims", type(target).__name__)
        raise UsageError("a target is one number a draw", key="target", found=found, fix="select one element of it")
    if any(target.sizes[dim] != posterior.sizes[dim] for dim in ("chain", "draw")):
        raise UsageError("target and fit have different draws", key="target", found=dict(target.sizes))
    values = np.asarray(target.transpose("chain", "draw").values, dtype=float)
    return values, str(target.name or "target"), str(target.attrs.get("unit", ""))


# --- components --------------------------------------------------------------------------------


def _components(
    fit: DataTree, priors: Sequence[str] | None, evidence: Mapping[str, Sequence[str]] | None
) -> list[tuple[str, str, Floats]]:
    """Each component's log density, summed to (chain, draw), the sums over all first; none over one."""
    prior, observed = _group(fit, "log_prior"), _group(fit, "log_likelihood")
    chosen = top_level_priors(fit) if priors is None else list(priors)
    blocks = {name: [name] for name in observed} if evidence is None else evidence
    one = [(name, "prior", _summed(prior, [name])) for name in chosen]
    two = [(name, "evidence", _summed(observed, names)) for name, names in blocks.items()]
    every = [("all priors", "prior", one), ("all evidence", "evidence", two)]
    several = [one for one in every if len(one[2]) > 1]
    sums = [(label, role, np.sum([logs for *_, logs in parts], axis=0)) for label, role, parts in several]
    return [*sums, *one, *two]


def _group(fit: DataTree, name: str) -> dict[str, Any]:
    if name not in fit.children:
        raise UsageError("the fit lacks a group", key=name, found=list(fit.children),
                         fix="sample with bayes.sample")  # fmt: skip
    return {str(k): v for k, v in fit[name].data_vars.items()}


def _summed(group: Mapping[str, Any], names: Sequence[str]) -> Floats:
    for name in names:
        if name not in group:
            raise UsageError("there is no such variable", key=name, allowed=group, fix=closest(name, group))
    return np.sum([series_of(group[name]).sum(axis=-1) for name in names], axis=0)


def _own_function(values: Floats, logs: Floats) -> bool:
    for x, density in zip(values.reshape(-1, values.shape[-1]).T, logs.reshape(-1, logs.shape[-1]).T, strict=True):
        ordered = density[np.argsort(x)]
        if np.mean(np.diff(ordered) ** 2) > _SMOOTH * 2 * max(ordered.var(), 1e-12):
            return False
    return True


def _non_centred(values: Floats, logs: Floats) -> bool:
    standard = -0.5 * values**2 - 0.5 * math.log(2 * math.pi)
    return values.shape[-1] > 1 and bool(np.allclose(logs, standard, rtol=0, atol=1e-9))


# --- numbers -----------------------------------------------------------------------------------


def _row(x: Floats, logs: Floats, label: str, role: str, prob: float) -> dict[str, Any]:
    from bayes.arraystats import array_stats

    lower, upper = (smoothed_weights((alpha - 1) * logs) for alpha in _ALPHAS)
    cjs = array_stats.power_scale_sense(x, lower.values, upper.values, *_ALPHAS) if np.ptp(x) else 0.0
    row: dict[str, Any] = {"component": label, "role": role, "cjs": float(cjs), "khat": max(lower.khat, upper.khat)}
    moves = [_derivative(x, logs, p) for p in levels(prob)]
    for name, (value, error) in zip(("lower", "median", "upper"), moves, strict=True):
        row |= {f"d_{name}": value, f"mcse_d_{name}": error}
    row |= dict(zip(("d_mean", "mcse_d_mean"), _mean_derivative(x, logs), strict=True))
    return row | {"prob": prob, "kind": "eti", "draws": x.size}


def _derivative(x: Floats, logs: Floats, p: float) -> tuple[float, float]:
    """Derivative of a quantile per doubling, and its Monte Carlo error with that of the density at it."""
    base = quantiles(x, equal_weights(x.shape), [p])
    influence = base.influence[0]  # -(1[x <= q] - p) / f, so that its covariance with logs is dq / d alpha
    width = math.sqrt(p * (1 - p)) * x.size ** (-1 / 3)
    near = np.abs((np.argsort(np.argsort(x, axis=None)) + 0.5) / x.size - p) < width
    value = math.log(2) * float(np.mean(influence * (logs - logs.mean())))
    series = math.log(2) * influence * (logs - logs.ravel()[near].mean())
    density = value / math.sqrt(max(near.sum(), 1))  # relative error of 1 / f from the draws within the bandwidth
    return value, math.hypot(mcse_of_mean(series), density)


def _mean_derivative(x: Floats, logs: Floats) -> tuple[float, float]:
    if tail_shape(x) > TAIL_LIMIT:
        return math.nan, math.nan
    series = math.log(2) * (x - x.mean()) * (logs - logs.mean())
    return float(series.mean()), mcse_of_mean(series)


def _words(table: pd.DataFrame, forward: Sequence[str]) -> list[str]:
    """Words for each component; a prior no evidence bears on cannot be in conflict with any."""
    evidence = float(table.loc[table["role"] == "evidence", "cjs"].head(1).max())  # of all, which stands first
    ends = ("lower", "median", "upper", "mean")
    told = (table[[f"d_{x}" for x in ends]].abs().values > _TOLD * table[[f"mcse_d_{x}" for x in ends]].values).any(
        axis=1
    )
    words = []
    for row, moves in zip(table.itertuples(), told, strict=True):
        if row.role != "prior" or row.cjs < THRESHOLD or not moves:
            words.append("")
        else:
            words.append(STRONG if row.component in forward or not evidence >= THRESHOLD else CONFLICT)
    return words


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    if {"log_prior", "log_likelihood"} - set(case.fit.children):
        return {}
    table, apart = powerscale(case.fit, case.answer, priors=case.scaled), case.asked.apart
    return {"powerscale": table.assign(note=apart) if apart else table}


ANALYSIS = Analysis(_run, "power-scaling of priors and evidence", "a prior or an observed variable", weight=2)
