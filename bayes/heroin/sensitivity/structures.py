"""The variants of the shipped model's structure, each with its density at the draws of the fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import special, stats

from bayes.heroin.model import Structure
from bayes.heroin.sensitivity.answer import Answer
from bayes.heroin.sensitivity.rows import Reduction, heavy_tails
from bayes.question import World
from bayes.sensitivity.changes import Change
from bayes.sensitivity.weights import Floats

__all__ = ["FORWARD", "case_structures", "case_variants"]

_OTHER_UNIT = {"offences_avoided": "victim_crimes_avoided", "victim_crimes_avoided": "offences_avoided"}
_NO_COMPARATOR = "avoided against the level before treatment, not against a comparator"
_REDUCTION, _OFFENDING = "mu_theta", "offences_per_user_year"


def _stay(answer: Answer) -> Floats:
    """The mean stay where every setting has the scale of the mean setting."""
    scale, shape = answer.draws["retention_scale"], answer.draws["retention_shape"]
    return answer.shaped(scale * special.gamma(1 + 1 / shape))


FORWARD: Mapping[str, tuple[str, str, Callable[[Answer], dict[str, Any]], str]] = {
    "targeting": ("no targeting", "targeting", lambda a: {"targeting_strength": 0.0}, ""),
    "persistence": ("persistent spread is a year's", "targeting", lambda a: {"persistent_spread": 1.0}, ""),
    "unmet_demand": ("demand is what is achieved abroad", "demand",
                     lambda a: {"coverage_new": a.shaped(special.expit(a.draws["logit_coverage_new"]))}, ""),
    "within_pool": ("people beyond the eligible pool come too", "demand", lambda a: {"demand_beyond_pool": 1.0}, ""),
    "decline": ("no decline without the programme", "course", lambda a: {"yearly_decline": 0.0}, ""),
    "untreated_entrants": ("nobody enters from no treatment", "recruits", lambda a: {"untreated_share": 0.0}, ""),
    "retention_varies": ("retention as in the mean setting", "retention", lambda a: {"mean_stay": _stay(a)},
                         "evidence as fitted"),
}  # fmt: skip
"""Switches that decide the projection alone: name, choice, the values that stand for the switch turned off, a note."""


def case_variants(answer: Answer) -> list[Change]:
    """Return the declared variants: effects, bias terms one by one and together, drift, what decides the projection
    alone, small studies, ceiling, unit."""
    here = answer.structure
    found = [_effects(answer, name) for name in ("common", "t") if here.effects == "random"]
    groups: list[tuple[str, ...]] = [(name,) for name in here.biases if not name.startswith("change_")]
    groups += [tuple(name for name in here.biases if name.startswith("change_")), here.biases]
    found += [_without_biases(answer, names) for names in dict.fromkeys(groups) if names]
    if here.drift:
        found.append(_without_drift(answer))
    if here.ceiling and answer.study.rows("ceiling"):
        found.append(_without_ceiling(answer))
    for switch, (name, choice, values, note) in FORWARD.items():
        if getattr(here, switch):
            targets = answer.targets_with(values(answer))
            found.append(Change(name, choice, targets=targets, quantities=(answer.quantity,), note=note))
    if not here.small_studies and "slope_small_studies" in answer.study.priors:
        variant = replace(here, small_studies=True)
        found.append(_reweighted(answer, "small-study slope", "small studies", variant, {}, {}))
    if answer.quantity in _OTHER_UNIT:
        found.append(_other_unit(answer))
    return found


_SINGLE: Mapping[str, tuple[str, Any]] = {
    "one effect for all": ("effects", "common"), "heavy-tailed effects": ("effects", "t"),
    "no bias terms": ("biases", ()), "no ceiling": ("ceiling", False),
    "small-study slope": ("small_studies", True),
    **{found[0]: (switch, False) for switch, found in FORWARD.items() if switch != "retention_varies"},
}  # fmt: skip
"""One choice of the structure by its name. Without drift what is avoided is something else; and retention as in the
mean setting would take a fit that no other analysis has."""


def case_structures(answer: Answer) -> dict[str, World]:
    """Return a world for each single choice of the structure that is not that of the model."""
    here = answer.structure
    return {name: World(words=name, structure={switch: value}) for name, (switch, value) in _SINGLE.items()
            if getattr(here, switch) != value}  # fmt: skip


def _reweighted(
    answer: Answer, name: str, choice: str, variant: Structure, own: Mapping[str, Floats], values: Mapping[str, Any]
) -> Change:
    """A variant of the reduction: ``own`` parameters it alone has, ``values`` for what its projection uses instead."""
    new = Reduction.of({**answer.draws, **own}, answer.study, variant)
    ratio = new.log_density(new.frame.rows) - answer.reduction.log_density(answer.reduction.frame.rows)
    common = variant.effects == "common"
    gone = [row for row in answer.reduction.frame.rows if row not in new.frame.rows]
    return Change(
        name,
        choice,
        log_ratio={_REDUCTION: answer.shaped(ratio)},
        targets=answer.targets_with(values) if values else None,
        refit=partial(answer.refit, answer.study, variant),
        quantities=tuple(q for q in answer.targets if not (common and q == "tau_theta")),
        estimand_changed=answer.structure.drift and not variant.drift,
        note=_NO_COMPARATOR if not variant.drift else "",
        leaves=_by_table(answer, gone),
    )


def _by_table(answer: Answer, rows: Collection[str]) -> dict[str, int]:
    """Numbers of rows by table of evidence."""
    found = {name: sum(row.row in rows for row in answer.study.rows(name)) for name in answer.study.evidence}
    return {name: count for name, count in found.items() if count}


def _effects(answer: Answer, effects: str) -> Change:
    variant = replace(answer.structure, effects=effects)
    mu = answer.draws["mu_theta"]
    if effects == "common":
        return _reweighted(answer, "one effect for all", "effects", variant, {}, {"theta_new": answer.shaped(mu)})
    tau = answer.draws["tau_theta"]
    count = len(Reduction.of(answer.draws, answer.study, replace(answer.structure, effects="random")).frame.effects)
    own = {"effect_weight": heavy_tails(count, len(mu), np.random.default_rng(0))}
    z = (answer.draws["theta_new"] - mu) / tau
    heavy = mu + tau * stats.t(4).ppf(stats.norm.cdf(z))
    return _reweighted(answer, "heavy-tailed effects", "effects", variant, own, {"theta_new": answer.shaped(heavy)})


def _without_biases(answer: Answer, names: Sequence[str]) -> Change:
    variant = replace(answer.structure, biases=tuple(b for b in answer.structure.biases if b not in names))
    every = names == answer.structure.biases
    values = {"bias_untreated": 0.0} if "untreated" in names and answer.structure.untreated_entrants else {}
    word = "all biases" if every else "biases of changes" if names[0].startswith("change_") else f"bias: {names[0]}"
    return _reweighted(answer, f"no {word.replace('all biases', 'bias terms')}", word, variant, {}, values)


def _without_drift(answer: Answer) -> Change:
    """Without drift, and so without the rows that only a model of drift has a use for; beside it with them."""
    found = _reweighted(answer, "no drift", "drift", replace(answer.structure, drift=False), {}, {"drift": 1.0})
    fixed = Change("no drift, evidence as fitted", "drift", targets=answer.targets_with({"drift": 1.0}),
                   estimand_changed=True, note=_NO_COMPARATOR, quantities=(answer.quantity,))  # fmt: skip
    return replace(found, beside=fixed if found.leaves else None)


def _without_ceiling(answer: Answer) -> Change:
    rows = [row.row for row in answer.study.rows("ceiling")]
    cluster = next(cluster for cluster in answer.clusters if set(rows) & set(cluster.rows))
    ratio, own = cluster.without(rows)
    fresh = {name: answer.shaped(value) for name, value in own.items()}
    return Change("no ceiling", "ceiling", {_OFFENDING: answer.shaped(ratio)}, answer.targets_with(fresh),
                  partial(answer.refit, answer.study, replace(answer.structure, ceiling=False)),
                  quantities=(answer.quantity,), leaves=_by_table(answer, rows))  # fmt: skip


def _other_unit(answer: Answer) -> Change:
    other = _OTHER_UNIT[answer.quantity]
    target = answer.target_of(answer.posterior, other)
    note = f"counts {other.replace('_', ' ')}: another quantity"
    return Change(target.attrs["unit"], "unit of outcome", targets={answer.quantity: target}, estimand_changed=True,
                  note=note, quantities=(answer.quantity,))  # fmt: skip
