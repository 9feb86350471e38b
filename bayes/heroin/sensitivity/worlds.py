"""The worlds of the shipped study: each is fitted component by component, as any changed study is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from xarray import DataTree

from bayes.errors import UsageError, check_word
from bayes.heroin.model import Structure
from bayes.heroin.sensitivity.answer import Answer
from bayes.heroin.sensitivity.worth import case_decision
from bayes.sensitivity._worlds import study_in
from bayes.sensitivity.case import Lived

if TYPE_CHECKING:
    from bayes.question import World
    from bayes.study import Study

__all__ = ["case_world"]

_BEARS = {"effects": "mu_theta", "biases": "mu_theta", "drift": "mu_theta", "small_studies": "mu_theta",
          "ceiling": "offences_per_user_year", "retention_varies": "retention_scale",
          "unmet_demand": "mu_coverage"}  # fmt: skip
"""Switches that change a component of the model, with a variable of it; the others change the projection alone."""


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
    changed = {bears for name, bears in _BEARS.items() if getattr(structure, name) != getattr(answer.structure, name)}
    return lambda: _lived(answer, structure, study, changed | {*world.priors})


def _lived(answer: Answer, structure: Structure, study: Study, changed: set[str]) -> Lived:
    if study is answer.study and structure == answer.structure:
        return Lived(answer.targets[answer.quantity], _predicted(answer), partial(case_decision, answer))
    posterior = answer.refitted(study, structure, changed)
    other = replace(answer, fit=DataTree.from_dict({"posterior": posterior}), study=study, structure=structure)
    target = other.targets[answer.quantity].assign_attrs(posterior.attrs)
    return Lived(target, _predicted(other), partial(case_decision, other))


def _predicted(answer: Answer) -> dict[str, float]:
    """Log predictive density of each row given the others, by importance weights with its own effect integrated out."""
    found = {}
    for cluster in answer.clusters:
        for row in cluster.rows:
            ratio, _ = cluster.without([row])
            top = float(np.max(ratio))
            found[row] = -top - float(np.log(np.mean(np.exp(ratio - top))))
    return found
