"""``trials.csv``: contrasts between prescribed heroin and a comparator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayes.evidence import Row
from bayes.heroin.evidence.arms import SE_KINDS, check_errors
from bayes.heroin.evidence.table import Evidence
from bayes.records import POSITIVE, number, word

if TYPE_CHECKING:
    from bayes.declared import Declared, Part
    from bayes.heroin.model.structure import Structure
    from bayes.study import Study

__all__ = ["TRIALS", "TrialRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow(Row):
    """A contrast between prescribed heroin and a comparator: log ratio ``y``, standard error ``se``.

    Rows with the same ``shared_arm`` were computed from the same arm. Their errors covary by
    ``sign_i * sign_j * shared_se**2``: a contrast carries the shared arm with sign -1, the change of that
    arm with sign +1.
    """

    study: str
    outcome: str = word("count", "prevalence", "composite", "odds")
    design: str = word("randomised", "completers", "untreated")
    y: float | None = number(needed=True)
    se: float | None = number(POSITIVE, needed=True)
    se_kind: str = word(*SE_KINDS)
    shared_arm: str
    shared_se: float | None = number(POSITIVE)


def _once(row: TrialRow) -> Mapping[str, str]:
    return {"contrast of a study": row.study}


def _part(study: Study, structure: Structure) -> Part:
    """The log ratios of this table and of changes from before to after, as one linear model."""
    from bayes.heroin.model.design import design_of, effects_part

    return effects_part(design_of(study, structure))


def _add(study: Study, structure: Structure, declared: Declared) -> None:
    """Add effects, drift and biases with the likelihood of both tables."""
    from bayes.heroin.model.design import design_of
    from bayes.heroin.model.reduction import add_reduction

    add_reduction(design_of(study, structure), declared, structure.effects, structure.drift, structure.collapse)


TRIALS = Evidence(row=TrialRow, least=1, check=check_errors, once=_once, informs="mu_theta", part=_part, add=_add,
                  place=1)  # fmt: skip
