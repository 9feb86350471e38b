"""Every analysis of a run of the shipped study, by name."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes.errors import StudyError
from bayes.heroin.model import Structure
from bayes.heroin.model.stamp import fit_hash
from bayes.heroin.sensitivity.drops import drop_changes
from bayes.heroin.sensitivity.levers import case_levers
from bayes.heroin.sensitivity.question import Case, default_scenario
from bayes.heroin.sensitivity.sources import case_sources
from bayes.heroin.sensitivity.steps import case_steps
from bayes.heroin.sensitivity.structures import case_variants
from bayes.heroin.sensitivity.worth import case_acceptability, case_break_even, case_inputs, case_plane, case_worth
from bayes.heroin.study import load_study
from bayes.inputs import carried_study
from bayes.runfiles import read_fit
from bayes.sensitivity.bridge import budget
from bayes.sensitivity.changes import compare
from bayes.sensitivity.declared import prior_changes
from bayes.sensitivity.deletion import leave_one_out
from bayes.sensitivity.levers import tipping
from bayes.sensitivity.scaling import powerscale
from bayes.sensitivity.sources import conflict
from bayes.sensitivity.variance import SCALES, variance_by_scale
from bayes.sensitivity.variants import spread_by_choice, structure
from bayes.summaries import PROB
from bayes.tails import TAIL_LIMIT, judge_tail

if TYPE_CHECKING:
    from xarray import DataTree

__all__ = ["ANALYSES", "TOGETHER", "Question", "analyse", "load_case"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a run.

    Parameters
    ----------
    folder
        A run folder.
    study
        The study folder it was made from; None for the shipped one.
    scenario, quantity, year
        The target; the headline scenario and the last year by default.
    threshold
        For tipping points, in the unit of the target.
    refit
        Whether changed models whose weights fail are fitted.
    confirm
        Whether tipping points found by reweighting are confirmed by a fit; never without ``refit``. Where weights fail
        before one is found, fits search for it in any case.
    """

    folder: Path
    scenario: str | None = None
    quantity: str = "offences_avoided"
    year: int | None = None
    threshold: float | None = None
    refit: bool = True
    confirm: bool = True


def load_case(question: Question) -> Case:
    """Read run and study, and check that they belong together.

    Raises
    ------
    StudyError
        If the fit was made from other priors or evidence than the study holds.
    UsageError
        If scenario, quantity or year do not exist.
    """
    study = carried_study(question.folder, load_study)
    fit = read_fit(question.folder, ("posterior", "log_prior", "log_likelihood"))
    stamp = json.loads(fit.attrs["inputs"])
    if stamp.get("study") != fit_hash(study):
        raise StudyError(
            "this fit was made from other priors or other evidence",
            file=question.folder / "fit.nc",
            found=stamp.get("study"),
            allowed=fit_hash(study),
            fix="run again",
        )
    scenario = question.scenario or default_scenario(study)
    return Case(fit, study, structure_of(fit), scenario, question.quantity, question.year)


def structure_of(fit: DataTree) -> Structure:
    """Return the structure a fit is stamped with."""
    found = json.loads(fit.attrs["inputs"]).get("structure", {})
    return Structure(**{**found, "biases": tuple(found["biases"])}) if found else Structure()


def analyse(case: Case, name: str, question: Question) -> pd.DataFrame:
    """Run one analysis of :data:`ANALYSES`; every row carries scenario, year and the verdict of the fit."""
    table = ANALYSES[name](case, question)
    stamp = {
        "scenario": case.scenario,
        "year": case.asked_year,
        "verdict": case.fit.attrs.get("verdict", "not checked"),
    }
    return table.assign(**stamp)


def _powerscale(case: Case, question: Question) -> pd.DataFrame:
    names = {
        name: (name if name in case.fit["log_prior"].data_vars else f"{name}_excess") for name in case.study.priors
    }
    priors = [name for name in names.values() if name in case.fit["log_prior"].data_vars]
    return powerscale(case.fit, case.targets[case.quantity], priors=priors)


def _alternatives(case: Case, question: Question) -> pd.DataFrame:
    def refit(chosen: Mapping[str, str], components: Sequence[str]) -> Mapping[str, object]:
        return case.refit(case.study.with_priors(chosen), case.structure, [*components, *chosen])

    changes = prior_changes(case.fit, case.study.priors, case.targets_with, refit if question.refit else None,
                            lambda name: case.component.get(name, name))  # fmt: skip
    return compare({case.quantity: case.targets[case.quantity]}, changes)


def _leave_one_out(case: Case, question: Question) -> pd.DataFrame:
    return leave_one_out(case.fit, case.targets, changes=drop_changes(case), refit=question.refit)


def _structure(case: Case, question: Question) -> pd.DataFrame:
    place = "structure", question.refit
    if place not in case.kept:
        case.kept[place] = structure(case.targets, case_variants(case), refit=question.refit)
    table: pd.DataFrame = case.kept[place]
    return table


def _structure_by_choice(case: Case, question: Question) -> pd.DataFrame:
    return spread_by_choice(_structure(case, question))


def _tipping(case: Case, question: Question) -> pd.DataFrame:
    levers = case_levers(case)
    if not question.refit:
        levers = [replace(lever, refit=None) for lever in levers]
    return tipping(case.targets[case.quantity], levers, threshold=question.threshold, confirm=question.confirm)


def _variance(case: Case, question: Question) -> pd.DataFrame:
    """Shares of the variance of the target, where it has one, and of the target's normal scores."""
    target = case.targets[case.quantity]
    x = target.values
    if not np.ptp(x):
        return pd.DataFrame()
    inputs = case_inputs(case, ("countable_share",) if case.quantity == "victim_crimes_avoided" else ())
    table = variance_by_scale(inputs, pd.Series(x.ravel(), name=case.quantity), prob=PROB)
    tail, natural = judge_tail(x, target.attrs.get("tail_shape")), table["scale"] == SCALES["natural"]
    if not tail.sound:
        ranks = table[~natural].assign(quoted=True)
        return pd.concat([_withheld(f"no shares: {tail.why}"), ranks], ignore_index=True)
    heavy = tail.shape > TAIL_LIMIT / 2
    doubt = (
        f"tail shape {tail.shape:.2f}: the fourth moment is not finite, and intervals are too short" if heavy else ""
    )
    table.loc[natural, "note"] = [_joined(note, doubt, tail.why) for note in table.loc[natural, "note"]]
    return table


def _withheld(note: str) -> pd.DataFrame:
    """One row that says why there are no numbers."""
    words = {"input": "(all)", "measure": "joint", "unit": "share of variance", "flag": note, "note": note}
    numbers = dict.fromkeys(("estimate", "lower", "upper", "se"), math.nan)
    row = words | numbers | {"scale": SCALES["natural"], "prob": PROB, "kind": "confidence", "method": "withheld"}
    return pd.DataFrame([row]).assign(quoted=False)


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _value(case: Case, question: Question) -> pd.DataFrame:
    return case_worth(case)


def _acceptability(case: Case, question: Question) -> pd.DataFrame:
    return case_acceptability(case)


def _plane(case: Case, question: Question) -> pd.DataFrame:
    return case_plane(case)


def _break_even(case: Case, question: Question) -> pd.DataFrame:
    return case_break_even(case)


def _budget(case: Case, question: Question) -> pd.DataFrame:
    return budget(case_steps(case))


def _conflict(case: Case, question: Question) -> pd.DataFrame:
    return conflict({case.quantity: case.targets[case.quantity]}, case_sources(case), refit=question.refit)


ANALYSES: dict[str, Callable[[Case, Question], pd.DataFrame]] = {
    "powerscale": _powerscale,
    "alternatives": _alternatives,
    "leave_one_out": _leave_one_out,
    "structure": _structure,
    "structure_by_choice": _structure_by_choice,
    "tipping": _tipping,
    "variance": _variance,
    "value": _value,
    "acceptability": _acceptability,
    "plane": _plane,
    "break_even": _break_even,
    "budget": _budget,
    "conflict": _conflict,
}
"""Analyses by name, in the order they run."""

TOGETHER = (
    ("leave_one_out", "conflict"),
    ("alternatives",),
    ("variance",),
    ("value", "acceptability", "plane", "break_even"),
    ("tipping",),
    ("structure", "structure_by_choice"),
    ("powerscale",),
    ("budget",),
)
"""Analyses that share refits or tables, the longest first: each group is work for one process."""
