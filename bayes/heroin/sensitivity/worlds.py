"""The worlds of the shipped study: each is fitted component by component, as any changed study is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bayes.errors import UsageError, check_word
from bayes.heroin.model import Structure
from bayes.heroin.sensitivity.answer import Answer, flat
from bayes.heroin.sensitivity.rows import clusters
from bayes.sensitivity._worlds import study_in

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

    from bayes.question import World
    from bayes.study import Study

__all__ = ["case_world"]

_BEARS = {"effects": "mu_theta", "biases": "mu_theta", "drift": "mu_theta", "small_studies": "mu_theta",
          "ceiling": "offences_per_user_year", "retention_varies": "retention_scale",
          "unmet_demand": "mu_coverage"}  # fmt: skip
"""Switches that change a component of the model, with a variable of it; the others change the projection alone."""


def case_world(answer: Answer, world: World) -> Callable[[], tuple[DataArray, Mapping[str, float]]]:
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
    return lambda: _fitted(answer, structure, study, changed | {*world.priors})


def _fitted(
    answer: Answer, structure: Structure, study: Study, changed: set[str]
) -> tuple[DataArray, Mapping[str, float]]:
    same = study is answer.study and structure == answer.structure
    posterior = answer.posterior if same else answer.refitted(study, structure, changed)
    other = replace(answer, study=study, structure=structure)
    return other.target_of(posterior).assign_attrs(posterior.attrs if not same else {}), _predicted(other, posterior)


def _predicted(answer: Answer, posterior: Dataset) -> dict[str, float]:
    """Log predictive density of each row given the others, by importance weights with its own effect integrated out."""
    found = {}
    for cluster in clusters(flat(posterior), answer.study, answer.structure):
        for row in cluster.rows:
            ratio, _ = cluster.without([row])
            top = float(np.max(ratio))
            found[row] = -top - float(np.log(np.mean(np.exp(ratio - top))))
    return found
