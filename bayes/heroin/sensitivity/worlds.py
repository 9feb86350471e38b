"""The worlds of the shipped study: each is fitted component by component, as any changed study is.

What a world leaves as it is keeps the draws of the run, and so the predictive densities of its rows: only those of the
components that changed are computed again. A switch that decides the projection alone needs no other model: values at
the draws stand for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from xarray import DataTree

from bayes.errors import UsageError, check_word
from bayes.heroin.model import Structure
from bayes.heroin.sensitivity.answer import BEARS, Answer
from bayes.heroin.sensitivity.structures import FORWARD
from bayes.heroin.sensitivity.worth import case_decision
from bayes.sensitivity._worlds import study_in
from bayes.sensitivity.case import Lived

if TYPE_CHECKING:
    from bayes.question import World
    from bayes.study import Study

__all__ = ["case_world"]


def case_world(answer: Answer, world: World) -> Callable[[], Lived]:
    """Return what fits a world, once its switches and priors are checked."""
    switches = world.structure or {}
    if not isinstance(switches, dict):
        raise UsageError("the structure of a world is a table of switches", key="structure", found=world.structure,
                         fix="write { small_studies = true }")  # fmt: skip
    for name in switches:
        check_word(name, [f.name for f in fields(Structure)], "there is no such switch", key="structure")
    told: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in switches.items()
    }
    structure, study = replace(answer.structure, **cast(Any, told)), study_in(answer.study, world)
    changed = {bears for name, bears in BEARS.items() if getattr(structure, name) != getattr(answer.structure, name)}
    return lambda: _lived(answer, structure, study, changed | {*world.priors})


def _lived(answer: Answer, structure: Structure, study: Study, changed: set[str]) -> Lived:
    before = _predicted(answer)
    if study is answer.study and structure == answer.structure:
        return Lived(answer.targets[answer.quantity], before, partial(case_decision, answer))
    off = [name for name in FORWARD if name not in BEARS and getattr(structure, name) < getattr(answer.structure, name)]
    sampled = replace(structure, **cast(Any, dict.fromkeys(off, True)))
    posterior = answer.refitted(study, sampled, changed) if changed else answer.posterior
    other = replace(answer, fit=DataTree.from_dict({"posterior": posterior}), study=study, structure=structure)
    values = {name: value for switch in off for name, value in FORWARD[switch][2](other).items()}
    if values:
        other = replace(other, fit=DataTree.from_dict({"posterior": other.with_values(values)}))
    target = other.targets[answer.quantity].assign_attrs(posterior.attrs if changed else {})
    moved = {answer.component.get(name, name) for name in changed}
    kept = {row: before[row] for one in answer.clusters if one.component not in moved for row in one.rows}
    return Lived(target, kept | _predicted(other, moved), partial(case_decision, other))


def _predicted(answer: Answer, components: Collection[str] | None = None) -> dict[str, float]:
    """Log predictive density of each row given the others, by importance weights with its own effect integrated out.

    Of the rows that bear on some components; of all without. Each is computed once.
    """
    found = {}
    for cluster in answer.clusters:
        if components is not None and cluster.component not in components:
            continue
        for row in cluster.rows:
            ratio, _ = cluster.without([row])
            top = float(np.max(ratio))
            found[row] = -top - float(np.log(np.mean(np.exp(ratio - top))))
    return found
