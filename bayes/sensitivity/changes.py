r"""Changed models compared with the one fitted: by weights where they can be trusted, by a refit where they cannot.

One analyst's change (another prior, a row left out, another structure) is a :class:`Change`. Three things can happen
to the draws, and the table says which:

- **reweighted**: draws are weighted by the ratio of the changed joint density to the fitted one, Pareto-smoothed
  (:mod:`bayes.sensitivity.weights`);
- **redrawn**: variables no evidence bears on are mapped through their new distribution, exactly, and the target
  computed again (weights may come on top for the others);
- **refitted**: where the weights cannot be relied on (:mod:`bayes.sensitivity.weights` has the rule, the one home of
  it), or where an end of an interval rests on too few of them. Every component the change bears on is then sampled
  again, so that no row is half weights and half fit. Where no refit can be had the note says which stated errors are
  too small, and weights with which estimates fail as well (a shape above 0.7, or fewer than 100 effective draws) make
  the row unreliable. Targets of a fit
  may carry the attributes ``rhat``, the largest of what was sampled, ``ess``, the least effective size, and
  ``divergences``: where the first is above 1.05, or there is any of the last, the row is marked unreliable, and the
  note says so.

Differences between two sets of the same draws carry the Monte Carlo error of the difference, not of either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayes.arguments import check_fields, checked
from bayes.sensitivity.doors import draws_of, targets_from
from bayes.sensitivity.weights import (
    ESS_LEAST,
    KHAT_LIMIT,
    Floats,
    Quantiles,
    Weights,
    equal_weights,
    khat_limit,
    levels,
    quantiles,
    smoothed_weights,
)
from bayes.summaries import PROB

__all__ = ["COLUMNS", "Change", "Targets", "compare", "doubts"]

type Targets = Mapping[str, Any]
"""Draws (chain, draw) by name of the quantity: DataArrays whose attribute ``unit`` is their unit, or plain arrays."""

RHAT_LIMIT = 1.05
"""Split R-hat of ranks above which a refit is not relied on: it is short, and starts where the fit ended."""
UNCONVERGED = "refitted, unreliable"

COLUMNS = ("change", "group", "quantity", "unit", "median", "lower", "upper", "prob", "kind", "mcse_median",
           "mcse_lower", "mcse_upper", "d_median", "d_lower", "d_upper", "mcse_d_median", "mcse_d_lower",
           "mcse_d_upper", "khat", "ess", "rhat", "divergences", "draws", "method", "estimand_changed",
           "note")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One changed model.

    Parameters
    ----------
    name, group
        What is changed, and the group it is listed under.
    log_ratio
        (chain, draw): log of the changed joint density over the fitted one at the draws, up to a constant, by
        component of the model; empty where the weights do not change.
    targets
        The targets computed again from redrawn variables, draw by draw; None where they do not change.
    refit
        ``components -> targets``: samples these components of the changed model, redraws what the change redraws, keeps
        the fitted draws of the rest and returns the targets; None where that is not possible. It is given every
        component of ``log_ratio``; a target it does not return is that of ``targets``. With neither of the two the
        changed model is known by a fit alone.
    estimand_changed
        Whether the target means something else under the change: such rows are shown, not compared.
    note
        A remark for the table.
    quantities
        Names of the targets the change can move; all if empty.
    leaves
        Numbers of rows of evidence that leave with the change, by table.
    beside
        The same change with the evidence as fitted, where rows leave: tabulated below it.
    """

    name: str
    group: str = ""
    log_ratio: Mapping[str, ArrayLike] = field(default_factory=dict)
    targets: Targets | None = None
    refit: Callable[[Sequence[str]], Targets] | None = None
    estimand_changed: bool = False
    note: str = ""
    quantities: tuple[str, ...] = ()
    leaves: Mapping[str, int] = field(default_factory=dict)
    beside: Change | None = None

    def __post_init__(self) -> None:
        check_fields(self)


@checked
def compare(
    targets: Targets,
    changes: Iterable[Change],
    *,
    prob: float = PROB,
    khat_limit: float | None = None,
    refit: bool = True,
) -> pd.DataFrame:
    """Tabulate what each change does to each target.

    Parameters
    ----------
    targets
        Draws (chain, draw) of the fitted model, by name.
    changes
        Changed models.
    prob
        Probability of the equal-tailed interval.
    khat_limit
        Pareto shape above which a change is refitted, by default :func:`~bayes.sensitivity.weights.khat_limit` of the
        number of draws; so it is where weights leave fewer effective draws than
        :data:`~bayes.sensitivity.weights.ESS_LEAST`, or too few beyond an end of an interval.
    refit
        Whether refits are allowed; without, such rows keep their weights and say so.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`: one row for each change and target, after the rows ``as fitted``. ``d_…`` is the change in
        the unit of the target, with its Monte Carlo standard error; ``method`` is ``as fitted``, ``reweighted``,
        ``redrawn``, ``refitted``, ``unaffected`` (the target does not depend on what is changed), ``unreliable``
        (weights with too heavy a tail, and no refit allowed) or ``refitted, unreliable`` (chains that have not mixed,
        or divergences). ``median``, ``lower`` and ``upper`` have Monte Carlo errors of their own. ``ess`` is that of
        the weights or of the refit's chains, whose ``rhat`` and ``divergences`` stand beside it. ``khat`` is that of
        the weights on all components, also where they were refused for a refit.

    Raises
    ------
    UsageError
        If a target or a density ratio is not finite.

    Examples
    --------
    A standard normal, its mean moved by 0.3:

    >>> x = np.random.default_rng(1).normal(size=(4, 2000))
    >>> table = compare({"x": x}, [Change("shift", log_ratio={"x": 0.3 * x})])
    >>> bool(abs(table["d_median"].iloc[1] - 0.3) < 4 * table["mcse_d_median"].iloc[1])
    True
    """
    targets = targets_from(targets)
    probs = levels(prob)
    base = {name: quantiles_of(draws, None, probs) for name, draws in targets.items()}
    rows = [_as_fitted(name, targets[name], found, prob) for name, found in base.items()]
    for change in changes:
        again = change.refit if refit else None
        rows += _compared(replace(change, refit=again), targets, base, khat_limit, prob)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _compared(
    change: Change, targets: Targets, base: Mapping[str, Quantiles], khat_limit: float | None, prob: float
) -> list[dict[str, Any]]:
    names = change.quantities or tuple(targets)
    found, weights, khat, method = _changed(change, targets, khat_limit)
    every = {name: quantiles_of(found[name], weights, levels(prob)) for name in names}
    loose = [] if weights is None or method == "unreliable" else _loose(every, base, weights, khat_limit)
    if loose and change.refit:
        found, weights, method, loose = _refitted(change), None, "refitted", []
        every = {name: quantiles_of(found[name], weights, levels(prob)) for name in names}
    method, note = _judged(method, found, "; ".join([*loose, *([change.note] if change.note else [])]))
    rows = []
    for name, new in every.items():
        same = np.shape(new.influence) == np.shape(base[name].influence)  # draws kept by a refit are the same in both
        moved, error = new.change_from(base[name], coupled=same)
        row = _numbers(new, moved, error) | {"khat": khat} | _quality(method, weights, found)
        head = {"change": change.name, "group": change.group, "quantity": name, "unit": _unit(found[name])}
        tail = {"draws": new.influence[0].size, "method": method, "note": note}
        rows.append({**head, **row, **tail, "prob": prob, "kind": "eti", "estimand_changed": change.estimand_changed})
    return rows


def _loose(
    every: Mapping[str, Quantiles], base: Mapping[str, Quantiles], weights: Weights, limit: float | None
) -> list[str]:
    """Why errors stated beside weighted quantiles are too small, in words; nothing where they are true."""
    limit = khat_limit(weights.values.size) if limit is None else limit
    if not weights.reliable(limit):
        return [f"k-hat above {limit:.2f}: the stated errors are too small, and a refit is needed to know"]
    words = ("the lower end", "the median", "the upper end")
    lost = {name: np.flatnonzero(base[name].resolved & ~found.resolved) for name, found in every.items()}
    said = [f"{' and '.join(words[i] for i in at)} of {name}" for name, at in lost.items() if at.size]
    return [f"too few effective draws for {', '.join(said)}: a refit is needed to know"] if said else []


def doubts(targets: Iterable[Any]) -> list[str]:
    """Say what is wrong with the chains that targets are stamped with: nothing where they carry no stamp.

    >>> import xarray as xr
    >>> doubts([xr.DataArray(0.0, attrs={"rhat": 1.3, "divergences": 2}), np.zeros(3)])
    ['the fit has not converged (R-hat 1.30)', '2 divergent transitions']
    """
    found = list(targets)
    rhat, ess, diverging = _stamped(found)
    words = [f"the fit has not converged (R-hat {rhat:.2f})"] if rhat > RHAT_LIMIT else []
    least = ESS_LEAST * max((len(draws_of(x)) for x in found if getattr(x, "ndim", 0) == 2), default=1)
    words += [f"an effective size of {ess:,.0f} below {least:,.0f}"] if ess < least else []
    return words + ([f"{diverging:.0f} divergent transitions"] if diverging > 0 else [])


def _stamped(targets: Iterable[Any]) -> tuple[float, float, float]:
    """Worst R-hat, least effective size and most divergences of the fits behind targets; NaN without a stamp."""
    stamps = [getattr(x, "attrs", {}) for x in targets]
    every = {name: [float(stamp[name]) for stamp in stamps if name in stamp] for name in ("rhat", "ess", "divergences")}
    worst = np.fmax.reduce(every["rhat"], initial=math.nan), np.fmin.reduce(every["ess"], initial=math.nan)
    return float(worst[0]), float(worst[1]), float(np.fmax.reduce(every["divergences"], initial=math.nan))


def _quality(method: str, weights: Weights | None, targets: Targets) -> dict[str, float]:
    """Effective size of the weights, or of a refit with its R-hat and divergences."""
    refitted = method in ("refitted", UNCONVERGED)
    rhat, ess, diverging = _stamped(targets.values()) if refitted else (math.nan, math.nan, math.nan)
    return {"ess": ess if weights is None else weights.ess, "rhat": rhat, "divergences": diverging}


def _judged(method: str, targets: Targets, note: str) -> tuple[str, str]:
    """Refuse the word refitted to chains that have not mixed, or that left the path of the sampler."""
    found = doubts(targets.values()) if method == "refitted" else []
    return UNCONVERGED if found else method, "; ".join([*found, *([note] if note else [])])


def _changed(change: Change, targets: Targets, khat_limit: float | None) -> tuple[Targets, Weights | None, float, str]:
    """The changed targets, their weights, the Pareto shape of the weights before any refit, and the method."""
    parts = [np.asarray(ratio, dtype=float) for ratio in change.log_ratio.values()]
    weights = smoothed_weights(np.sum(parts, axis=0)) if parts else None
    khat = -math.inf if weights is None else weights.khat
    only_by_fit = weights is None and change.targets is None
    if change.refit and (only_by_fit or (weights is not None and not weights.reliable(khat_limit))):
        return _refitted(change), None, khat, "refitted"
    found = {**targets, **(change.targets or {})}
    if weights is None:
        return found, None, khat, "unaffected" if change.targets is None else "redrawn"
    usable = weights.reliable(KHAT_LIMIT if khat_limit is None else khat_limit)
    return found, weights, khat, "reweighted" if usable else "unreliable"


def _refitted(change: Change) -> Targets:
    """The targets of a fit of the changed model; what it does not return is as computed again."""
    assert change.refit is not None
    return {**(change.targets or {}), **change.refit(sorted(change.log_ratio))}


def quantiles_of(
    draws: Any, weights: Weights | None = None, probs: tuple[float, float, float] = levels(PROB)
) -> Quantiles:
    """Return quantiles of draws (chain, draw), of one weight each unless weights are given."""
    x = draws_of(draws)
    return quantiles(x, equal_weights(x.shape) if weights is None else weights, probs)


def _unit(draws: Any) -> str:
    return str(getattr(draws, "attrs", {}).get("unit", ""))


def _numbers(found: Quantiles, moved: Floats, error: Floats) -> dict[str, Any]:
    row: dict[str, Any] = {}
    errors = found.mcse
    for i, name in enumerate(("lower", "median", "upper")):
        row |= {name: float(found.values[i]), f"mcse_{name}": float(errors[i])}
        row |= {f"d_{name}": float(moved[i]), f"mcse_d_{name}": float(error[i])}
    return row


def _as_fitted(name: str, draws: Any, found: Quantiles, prob: float) -> dict[str, Any]:
    numbers = _numbers(found, np.zeros(3), np.zeros(3)) | {"khat": -math.inf}
    numbers |= dict.fromkeys(("ess", "rhat", "divergences"), math.nan)
    head = {"change": "as fitted", "group": "", "quantity": name, "unit": _unit(draws)}
    tail = {"method": "as fitted", "estimand_changed": False, "note": ""}
    return {**head, **numbers, "draws": draws_of(draws).size, "prob": prob, "kind": "eti", **tail}
