"""Each row of the shipped evidence as a source to check against all the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from bayes.heroin.sensitivity.answer import Answer
from bayes.heroin.sensitivity.drops import row_changes
from bayes.heroin.sensitivity.rows import clusters
from bayes.sensitivity._conflict import Source
from bayes.sensitivity.refits import flat_draws
from bayes.sensitivity.weights import Floats

__all__ = ["case_sources"]

_LOCAL = ("log_study_mean", "logit_coverage")  # used to place nodes of integration only


def case_sources(answer: Answer) -> list[Source]:
    """Return one source for each row of the likelihood; its pull is on the target alone."""
    changes = {change.name: replace(change, quantities=(answer.quantity,)) for change in row_changes(answer)}
    found = []
    for cluster in answer.clusters:
        for row in cluster.rows:
            ratio = answer.shaped(cluster.without([row])[0])
            again = partial(_refitted, answer, row, cluster.component)
            found.append(Source(changes[row], partial(_below, answer, row), ratio, again))
    return found


def _below(answer: Answer, row: str) -> Floats:
    cluster = next(cluster for cluster in answer.clusters if row in cluster.rows)
    _, own = cluster.without([row])
    if own:
        draws = {**answer.draws, **own}
        if "countable_share" in own:
            moved = np.log(own["countable_share"] / answer.draws["countable_share"])
            draws["ceiling_fitted"] = answer.draws["ceiling_fitted"] + moved[:, None]
        return _at(answer, row, draws)
    return np.asarray(cluster.predictive(row)).reshape(*answer.shape, 2)


def _refitted(answer: Answer, row: str, component: str) -> Floats:
    posterior = answer.refitted(answer.study, answer.structure, [component], without=[row])
    new = {name: value for name, value in flat_draws(posterior).items() if name not in _LOCAL}
    return _at(answer, row, {**answer.draws, **new})


def _at(answer: Answer, row: str, draws: Mapping[str, Floats]) -> Floats:
    moved = row in answer.reduction.frame.rows  # the log ratios are the largest part, and seldom the one asked about
    every = clusters(draws, answer.study, answer.structure, None if moved else answer.reduction)
    cluster = next(c for c in every if row in c.rows)
    return np.asarray(cluster.predictive(row)).reshape(*answer.shape, 2)
