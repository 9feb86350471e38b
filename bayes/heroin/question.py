"""The shipped question, on the interface that every question has."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from bayes.heroin.distortions import distortions
from bayes.heroin.facts import FACTS
from bayes.heroin.figures import figures
from bayes.heroin.model.structure import Structure
from bayes.heroin.study import load_study, shipped_study
from bayes.heroin.words import WORDS
from bayes.question import Question
from bayes.study import Study

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

    from bayes.diagnostics import Check
    from bayes.plans import Asked
    from bayes.projection import Projection
    from bayes.sampling.fit import Plan
    from bayes.sensitivity.case import Case, Request

__all__ = ["QUESTION"]


def _model(study: Study, structure: Any = None) -> pm.Model:
    from bayes.heroin.model import build_model

    return build_model(study, _structure(structure))


def _drawn(study: Study, structure: Any = None) -> pm.Model:
    """The model with every likelihood by its name."""
    return _model(study, replace(_structure(structure), collapse=False))


def _plan(study: Study, structure: Any = None) -> Plan:
    from bayes.heroin.plans import plan_of

    return plan_of(study, _structure(structure))


def _blocks(fit: DataTree, study: Study) -> Projection:
    from bayes.heroin.projection import projection_of

    return projection_of(fit, study)


def _cells(study: Study) -> int:
    from bayes.heroin.quantities import UNIT_OF

    return len(UNIT_OF) * len(study.scenarios) * int(study.settings.horizon_years)


def _oracle(fit: DataTree, study: Study) -> list[Check]:
    from bayes.heroin.oracle import oracle_checks

    return list(oracle_checks(fit, study))


def _case(asked: Asked, fit: DataTree, request: Request) -> Case:
    from bayes.heroin.sensitivity import case_of

    return case_of(asked, fit, request)


def _structure(found: Any) -> Structure:
    """A structure, from the plain data of a manifest too."""
    if isinstance(found, dict):
        return Structure(**{**found, "biases": tuple(found.get("biases", Structure().biases))})
    return found or Structure()


QUESTION = Question(
    model=_model, name="heroin", study=shipped_study(), reads=load_study, plan=_plan, blocks=_blocks, cells=_cells,
    oracle=_oracle, case=_case, facts=FACTS, figures=figures, drawn=_drawn,
    distortions=distortions,
    **{f.name: getattr(WORDS, f.name) for f in fields(WORDS)},
)  # fmt: skip
"""How many crimes would scaling up prescribed heroin avoid?"""
