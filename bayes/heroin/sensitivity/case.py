"""The shipped question as a case for every analysis: its integrals, exact draws, levers, steps and choice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.heroin.model import Structure
from bayes.heroin.sensitivity.answer import Answer, default_scenario
from bayes.heroin.sensitivity.drops import drop_changes
from bayes.heroin.sensitivity.levers import case_levers
from bayes.heroin.sensitivity.sources import case_sources
from bayes.heroin.sensitivity.steps import case_steps
from bayes.heroin.sensitivity.structures import case_structures, case_variants
from bayes.heroin.sensitivity.worlds import case_world
from bayes.heroin.sensitivity.worth import case_decision, case_inputs
from bayes.plans import Asked
from bayes.sensitivity.case import Case, Request

if TYPE_CHECKING:
    from xarray import DataArray, Dataset, DataTree

    from bayes.study import Study

__all__ = ["answer_of", "case_of"]


def answer_of(asked: Asked, fit: DataTree, request: Request) -> Answer:
    """Return what is asked of a fit.

    Raises
    ------
    UsageError
        If scenario, quantity or year do not exist.
    """
    study: Study = asked.study  # type: ignore[assignment]
    found = json.loads(fit.attrs["inputs"]).get("structure", {})
    structure = Structure(**{**found, "biases": tuple(found["biases"])}) if found else Structure()
    scenario, quantity = request.scenario or default_scenario(study), request.quantity or asked.question.target
    return Answer(fit, study, structure, scenario, quantity, request.year)


def case_of(asked: Asked, fit: DataTree, request: Request) -> Case:
    """Return what every analysis of the shipped question starts from."""
    return _case(asked, answer_of(asked, fit, request))


def _case(asked: Asked, answer: Answer) -> Case:
    study, densities = answer.study, answer.fit["log_prior"].data_vars
    own = [name if name in densities else f"{name}_excess" for name in study.priors]
    more = ("countable_share",) if answer.quantity == "victim_crimes_avoided" else ()

    def again(chosen: Mapping[str, str], components: Sequence[str]) -> Mapping[str, Any]:
        return answer.refit(study.with_priors(chosen), answer.structure, [*components, *chosen])

    def projected(posterior: Dataset, other: Study | None, data: Mapping[str, Any]) -> DataArray:
        ratio = np.exp(posterior["fidelity"] * posterior["theta_new"])
        return replace(answer, study=other or study).target_of(posterior.assign(rate_ratio=ratio))

    return Case(
        asked=asked, projected=projected, fit=answer.fit, target=answer.quantity, targets=answer.targets,
        place={"scenario": answer.scenario, "year": answer.asked_year}, words=asked.words,
        times=range(1, study.settings.horizon_years + 1),
        scaled=[name for name in own if name in densities], priors=study.priors, moved=answer.targets_with, again=again,
        component=lambda name: answer.component.get(name, name), rows=partial(drop_changes, answer),
        variants=partial(case_variants, answer), levers=partial(case_levers, answer), steps=partial(case_steps, answer),
        sources=partial(case_sources, answer), world=partial(case_world, answer),
        structures=partial(case_structures, answer),
        inputs=partial(case_inputs, answer, more), decision=cache(partial(case_decision, answer)),
    )  # fmt: skip
