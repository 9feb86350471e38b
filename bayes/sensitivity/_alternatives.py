"""Declared alternative priors: what each would have done to the answer, one at a time and all together.

Every quantity with a declared prior may declare others (``sceptical``, ``optimistic``, ``vague``, …). Where evidence
bears on the quantity, draws are weighted by the ratio of the two prior densities at them; where none does, its draws
are mapped from one distribution to the other, :math:`x' = F_{alt}^{-1}(F(x))`, which is exact and keeps everything
else as it was. Alternatives of one name are also put in force together (``all sceptical``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes.arguments import checked
from bayes.draws import Fit, fit_from
from bayes.errors import check_word
from bayes.families import scipy_frozen
from bayes.priors import Prior
from bayes.priortext import prior_from_text
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.sensitivity.changes import Change, Targets, compare
from bayes.sensitivity.doors import targets_from, with_densities
from bayes.sensitivity.weights import Floats
from bayes.summaries import PROB

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

__all__ = ["alternatives", "prior_changes"]

type Choice = Mapping[str, str]
"""Quantity to the name of its alternative."""
type Refit = Callable[[Choice, Sequence[str]], Targets]

_TOGETHER = ("sceptical", "optimistic")


@checked
def alternatives(
    fit: Fit,
    targets: Targets,
    priors: Mapping[str, Prior | str | Mapping[str, str]],
    *,
    retarget: Callable[[Mapping[str, Floats]], Targets] | None = None,
    refit: Refit | None = None,
    model: pm.Model | None = None,
    prob: float = PROB,
) -> pd.DataFrame:
    """Put declared alternatives in force and tabulate the change of each target.

    Parameters
    ----------
    fit
        A fit of any model.
    targets
        Draws (chain, draw) by name, or names of scalar variables of the posterior.
    priors
        By variable: its declared prior with alternatives (:func:`bayes.add_priors`); or the alternative itself on one
        line, ``"Normal(0, 2)"``, or several by name, ``{"wide": "Normal(0, 5)"}``. Texts are weighed against the group
        ``log_prior`` of the fit.
    retarget
        ``{variable: new draws (chain, draw)} -> targets``: computes targets again when a variable no evidence bears
        on is redrawn. Without it such variables are reweighted like the rest.
    refit
        ``({quantity: alternative}, components) -> targets``: samples these components of the model with the
        alternatives in force, where weights fail. It is given the alternatives of these components and of variables
        no evidence bears on.
    model
        The model of a fit made elsewhere without ``log_prior``, which is computed from it then.
    prob
        Probability of the interval.

    Returns
    -------
    DataFrame
        As :func:`bayes.sensitivity.compare`; ``change`` is ``"quantity: alternative"`` or ``"all sceptical"``,
        ``group`` the alternative's name.

    Examples
    --------
    With ``fit`` and ``study`` those of the shipped study:

    >>> table = alternatives(fit, {"mu_theta": fit["posterior"]["mu_theta"]}, {"mu_theta": study.priors["mu_theta"]})
    >>> sorted(set(table["group"]) & {"sceptical", "optimistic"})
    ['optimistic', 'sceptical']
    """
    fit = fit_from(fit)
    declared = {name: prior for name, prior in priors.items() if isinstance(prior, Prior)}
    changes = prior_changes(fit, declared, retarget, refit)
    texts: dict[str, Any] = {name: prior for name, prior in priors.items() if name not in declared}
    if texts:
        changes += _written_changes(with_densities(fit, model, ("log_prior",)), texts)
    return compare(targets_from(targets, fit), changes, prob=prob)


def _written_changes(fit: DataTree, texts: Mapping[str, str | Mapping[str, str]]) -> list[Change]:
    """Changes to priors that are written on one line, weighed against the prior of the fit."""
    densities, posterior = fit["log_prior"].data_vars, fit["posterior"].data_vars
    found = []
    for name, given in texts.items():
        check_word(name, sorted(map(str, {*densities} & {*posterior})), "no variable of this name has a prior",
                   key="priors")  # fmt: skip
        x = np.asarray(posterior[name].transpose("chain", "draw", ...).values, dtype=float)
        old = np.asarray(densities[name].transpose("chain", "draw", ...).values, dtype=float)
        for label, text in ({given: given} if isinstance(given, str) else dict(given)).items():
            prior = prior_from_text(name, text, "log ratio", "an alternative")
            new = np.asarray(scipy_frozen(prior.family, prior.parameters).logpdf(x))
            own = tuple(range(2, x.ndim)), tuple(range(2, old.ndim))
            found.append(Change(f"{name}: {label}", label, {name: new.sum(axis=own[0]) - old.sum(axis=own[1])}))
    return found


def prior_changes(
    fit: DataTree,
    priors: Mapping[str, Prior],
    retarget: Callable[[Mapping[str, Floats]], Targets] | None = None,
    refit: Refit | None = None,
    component: Callable[[str], str] = str,
) -> list[Change]:
    """List the changes that declared alternatives make; see :func:`alternatives`."""
    used = {name: prior for name, prior in priors.items() if name in fit["posterior"].data_vars}
    chosen: dict[str, dict[str, str]] = {
        f"{name}: {other}": {name: other} for name, prior in used.items() for other in prior.alternatives
    }
    for word in _TOGETHER:
        every = {name: word for name, prior in used.items() if word in prior.alternatives}
        if len(every) > 1:
            chosen[f"all {word}"] = every
    forward = set(json.loads(fit.attrs.get("forward_variables", "[]"))) if retarget else set()
    found = []
    for label, choice in chosen.items():
        drawn = [name for name in choice if forward & {name, f"{name}_excess"}]
        values = {name: _mapped(fit, used[name], choice[name]) for name in drawn}
        ratios: dict[str, Any] = {}
        for name in [name for name in choice if name not in drawn]:
            ratios[component(name)] = ratios.get(component(name), 0.0) + _log_ratio(fit, used[name], choice[name])
        again = partial(_refit, refit, choice, drawn, component) if refit and ratios else None
        new = retarget(values) if retarget and values else None
        why = "" if len(choice) > 1 else next(used[name].alternatives[other].why for name, other in choice.items())
        found.append(Change(label, next(iter(choice.values())), ratios, new, again, note=why))
    return found


def _refit(
    refit: Refit, choice: Choice, drawn: Sequence[str], component: Callable[[str], str], components: Sequence[str]
) -> Targets:
    chosen = {name: other for name, other in choice.items() if name in drawn or component(name) in components}
    return refit(chosen, components)


def _laws(fit: DataTree, prior: Prior, other: str) -> tuple[Floats, Any, Any]:
    """Draws (chain, draw) of a quantity, its alternative law and its own."""
    x = np.asarray(fit["posterior"][prior.name].transpose("chain", "draw").values, dtype=float)
    new, old = (scipy_frozen(p.family, p.parameters) for p in (prior.alternatives[other], prior))
    return x, new, old


def _log_ratio(fit: DataTree, prior: Prior, other: str) -> Floats:
    x, new, old = _laws(fit, prior, other)
    return np.asarray(new.logpdf(x) - old.logpdf(x))


def _mapped(fit: DataTree, prior: Prior, other: str) -> Floats:
    x, new, old = _laws(fit, prior, other)
    found = np.empty_like(x)
    lower = x <= old.median()  # the upper half through its upper tail, where F(x) would round to 1
    found[lower], found[~lower] = new.ppf(old.cdf(x[lower])), new.isf(old.sf(x[~lower]))
    return found


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    priors = {name: prior for name, prior in case.priors.items() if prior.alternatives}
    changes = prior_changes(case.fit, priors, case.moved, case.again if request.refit else None, case.component)
    return {"alternatives": compare({case.target: case.answer}, changes)} if changes else {}


ANALYSIS = Analysis(_run, "alternative priors", "alternatives of a prior, declared in the study", weight=8)
