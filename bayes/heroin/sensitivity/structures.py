"""The variants of the shipped model's structure, each with its density at the draws of the fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

from bayes.heroin.model import Structure
from bayes.heroin.sensitivity.question import Case
from bayes.heroin.sensitivity.rows import Reduction, heavy_tails
from bayes.sensitivity.changes import Change, Targets
from bayes.sensitivity.weights import Floats

__all__ = ["case_variants"]

_OTHER_UNIT = {"offences_avoided": "victim_crimes_avoided", "victim_crimes_avoided": "offences_avoided"}
_NO_COMPARATOR = "avoided against the level before treatment, not against a comparator"
_REDUCTION, _OFFENDING = "mu_theta", "offences_per_user_year"


def case_variants(case: Case) -> list[Change]:
    """Return the declared variants: effects, bias terms one by one and together, drift, ceiling, targeting, unit."""
    here = case.structure
    found = [_effects(case, name) for name in ("common", "t") if here.effects == "random"]
    groups: list[tuple[str, ...]] = [(name,) for name in here.biases if not name.startswith("change_")]
    groups += [tuple(name for name in here.biases if name.startswith("change_")), here.biases]
    found += [_without_biases(case, names) for names in dict.fromkeys(groups) if names]
    if here.drift:
        found.append(_without_drift(case))
    if here.ceiling and case.study.rows("ceiling"):
        found.append(_without_ceiling(case))
    if here.targeting:
        target = case.targets_with({"targeting_strength": 0.0})
        found.append(Change("no targeting", "targeting", targets=target, quantities=(case.quantity,)))
    if case.quantity in _OTHER_UNIT:
        found.append(_other_unit(case))
    return found


def _reweighted(
    case: Case, name: str, choice: str, variant: Structure, own: Mapping[str, Floats], values: Mapping[str, Any]
) -> Change:
    """A variant of the reduction: ``own`` parameters it alone has, ``values`` for what its projection uses instead."""
    new = Reduction.of({**case.draws, **own}, case.study, variant)
    ratio = new.log_density(new.frame.rows) - case.reduction.log_density(case.reduction.frame.rows)
    common = variant.effects == "common"
    gone = [row for row in case.reduction.frame.rows if row not in new.frame.rows]
    return Change(
        name,
        choice,
        log_ratio={_REDUCTION: case.shaped(ratio)},
        targets=case.targets_with(values) if values else None,
        refit=partial(_refit, case, variant),
        quantities=tuple(q for q in case.targets if not (common and q == "tau_theta")),
        estimand_changed=case.structure.drift and not variant.drift,
        note=_NO_COMPARATOR if not variant.drift else "",
        leaves=_by_table(case, gone),
    )


def _by_table(case: Case, rows: Collection[str]) -> dict[str, int]:
    """Numbers of rows by table of evidence."""
    found = {name: sum(row.row in rows for row in case.study.rows(name)) for name in case.study.evidence}
    return {name: count for name, count in found.items() if count}


def _refit(case: Case, variant: Structure, components: Sequence[str]) -> Targets:
    return case.refit(case.study, variant, components)


def _effects(case: Case, effects: str) -> Change:
    variant = replace(case.structure, effects=effects)
    mu = case.draws["mu_theta"]
    if effects == "common":
        return _reweighted(case, "one effect for all", "effects", variant, {}, {"theta_new": case.shaped(mu)})
    tau = case.draws["tau_theta"]
    count = len(Reduction.of(case.draws, case.study, replace(case.structure, effects="random")).frame.effects)
    own = {"effect_weight": heavy_tails(count, len(mu), np.random.default_rng(0))}
    z = (case.draws["theta_new"] - mu) / tau
    heavy = mu + tau * stats.t(4).ppf(stats.norm.cdf(z))
    return _reweighted(case, "heavy-tailed effects", "effects", variant, own, {"theta_new": case.shaped(heavy)})


def _without_biases(case: Case, names: Sequence[str]) -> Change:
    variant = replace(case.structure, biases=tuple(b for b in case.structure.biases if b not in names))
    every = names == case.structure.biases
    word = "all biases" if every else "biases of changes" if names[0].startswith("change_") else f"bias: {names[0]}"
    return _reweighted(case, f"no {word.replace('all biases', 'bias terms')}", word, variant, {}, {})


def _without_drift(case: Case) -> Change:
    """Without drift, and so without the rows that only a model of drift has a use for; beside it with them."""
    found = _reweighted(case, "no drift", "drift", replace(case.structure, drift=False), {}, {"drift": 1.0})
    fixed = Change(
        "no drift, evidence as fitted",
        "drift",
        targets=case.targets_with({"drift": 1.0}),
        estimand_changed=True,
        note=_NO_COMPARATOR,
        quantities=(case.quantity,),
    )
    return replace(found, beside=fixed if found.leaves else None)


def _without_ceiling(case: Case) -> Change:
    rows = [row.row for row in case.study.rows("ceiling")]
    cluster = next(cluster for cluster in case.clusters if set(rows) & set(cluster.rows))
    ratio, own = cluster.without(rows)
    fresh = {name: case.shaped(value) for name, value in own.items()}
    return Change(
        "no ceiling",
        "ceiling",
        log_ratio={_OFFENDING: case.shaped(ratio)},
        targets=case.targets_with(fresh),
        refit=partial(_refit, case, replace(case.structure, ceiling=False)),
        quantities=(case.quantity,),
        leaves=_by_table(case, rows),
    )


def _other_unit(case: Case) -> Change:
    other = _OTHER_UNIT[case.quantity]
    target = case.target_of(case.posterior, other)
    note = f"counts {other.replace('_', ' ')}: another quantity"
    return Change(
        target.attrs["unit"],
        "unit of outcome",
        targets={case.quantity: target},
        estimand_changed=True,
        note=note,
        quantities=(case.quantity,),
    )
