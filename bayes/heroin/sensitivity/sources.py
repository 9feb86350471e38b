"""Each row of the shipped evidence as a source to check against all the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from bayes.heroin.sensitivity.drops import row_changes
from bayes.heroin.sensitivity.question import Case, flat
from bayes.heroin.sensitivity.rows import clusters
from bayes.sensitivity.sources import Source
from bayes.sensitivity.weights import Floats

__all__ = ["case_sources"]

_LOCAL = ("log_study_mean", "logit_coverage")  # used to place nodes of integration only


def case_sources(case: Case) -> list[Source]:
    """Return one source for each row of the likelihood; its pull is on the target alone."""
    changes = {change.name: replace(change, quantities=(case.quantity,)) for change in row_changes(case)}
    found = []
    for cluster in case.clusters:
        for row in cluster.rows:
            ratio = case.shaped(cluster.without([row])[0])
            again = partial(_refitted, case, row, cluster.component)
            found.append(Source(changes[row], partial(_below, case, row), ratio, again))
    return found


def _below(case: Case, row: str) -> Floats:
    cluster = next(cluster for cluster in case.clusters if row in cluster.rows)
    _, own = cluster.without([row])
    if own:
        draws = {**case.draws, **own}
        if "countable_share" in own:
            moved = np.log(own["countable_share"] / case.draws["countable_share"])
            draws["ceiling_fitted"] = case.draws["ceiling_fitted"] + moved[:, None]
        return _at(case, row, draws)
    return np.asarray(cluster.predictive(row)).reshape(*case.shape, 2)


def _refitted(case: Case, row: str, component: str) -> Floats:
    posterior = case.refitted(case.study, case.structure, [component], without=[row])
    new = {name: value for name, value in flat(posterior).items() if name not in _LOCAL}
    return _at(case, row, {**case.draws, **new})


def _at(case: Case, row: str, draws: Mapping[str, Floats]) -> Floats:
    moved = row in case.reduction.frame.rows  # the log ratios are the largest part, and seldom the one asked about
    every = clusters(draws, case.study, case.structure, None if moved else case.reduction)
    cluster = next(c for c in every if row in c.rows)
    return np.asarray(cluster.predictive(row)).reshape(*case.shape, 2)
