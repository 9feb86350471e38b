"""Rows, studies and kinds of source that can be left out of the shipped study."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache, partial
from typing import Any

from bayes.heroin.sensitivity.answer import Answer
from bayes.heroin.sensitivity.rows import Cluster
from bayes.sensitivity.changes import Change, Targets
from bayes.study import Study

__all__ = ["drop_changes", "row_changes", "source_groups"]


def source_groups(study: Study) -> dict[str, list[str]]:
    """Return the likelihood rows of each doubtful kind of source, by name.

    Press: read in a newspaper or on a news site (``kind = {press}`` in ``references.bib``). Secondary: an answer in
    parliament, an agency or the press reports the number. Unverified: not checked against any source (such rows never
    enter a likelihood, so that the group is empty). Judgement: the value or its standard error is our reasoning.
    """
    rows = _rows(study)
    return {
        "press figures": [row.row for row in rows if study.references[row.source].kind == "press"],
        "secondary sources": [row.row for row in rows if row.status == "secondary"],
        "unverified": [row.row for row in rows if row.status == "recalled"],
        "judgements": [row.row for row in rows if row.status == "judgement" or getattr(row, "se_kind", "") == "stated"
                       or "our judgement" in row.note],
    }  # fmt: skip


def drop_changes(answer: Answer) -> list[Change]:
    """List the changes that leave out each row, each study with several rows, and each kind of source."""
    studies: dict[str, list[str]] = {}
    for row in _rows(answer.study):
        studies.setdefault(row.group, []).append(row.row)
    groups = [("study", name, names) for name, names in studies.items() if len(names) > 1]
    groups += [("kind of source", name, names) for name, names in source_groups(answer.study).items()]
    return [*row_changes(answer), *(_change(answer, name, group, names, ", ".join(names) or "none enters")
                                    for group, name, names in groups)]  # fmt: skip


@lru_cache(maxsize=1)
def row_changes(answer: Answer) -> tuple[Change, ...]:
    """Return the changes that leave out one row each."""
    return tuple(
        _change(answer, row.row, "row", [row.row], f"{row.source}, {row.status}") for row in _rows(answer.study)
    )


def _rows(study: Study) -> list[Any]:
    return [row for table in study.evidence for row in study.rows(table)]


def _change(answer: Answer, name: str, group: str, rows: Collection[str], note: str) -> Change:
    retained = answer.quantity == "entrants" or answer.structure.decline  # the target depends on retention
    touched = [cluster for cluster in answer.clusters if set(cluster.rows) & set(rows)
               and (retained or cluster.component != "retention_scale")]  # fmt: skip
    country = answer.study.scenarios[answer.scenario].coverage_of
    if country and any(row.row in rows and row.country == country for row in answer.study.rows("coverage")):
        return Change(name, group, note=f"kept: the scenario's places are the coverage of {country}")
    if not touched:
        return Change(name, group, note=note, quantities=(answer.quantity,))
    parts = [cluster.without(rows) for cluster in touched]
    own = {key: answer.shaped(value) for _, fresh in parts for key, value in fresh.items()}
    ratios: dict[str, Any] = {}
    for cluster, (ratio, _) in zip(touched, parts, strict=True):
        ratios[cluster.component] = ratios.get(cluster.component, 0.0) + answer.shaped(ratio)
    quantities = () if "mu_theta" in ratios else (answer.quantity,)
    return Change(name, group, ratios, answer.targets_with(own) if own else None,
                  partial(_refit, answer, touched, frozenset(rows)), note=note, quantities=quantities)  # fmt: skip


def _refit(answer: Answer, touched: Sequence[Cluster], rows: frozenset[str], components: Sequence[str]) -> Targets:
    """Fit again without the rows of some components; the others keep their draws, and their rows."""
    gone = {row for cluster in touched if cluster.component in components for row in cluster.rows} & rows
    return answer.refit(answer.study, answer.structure, components, without=gone)
