"""``trials.csv``: contrasts between prescribed heroin and a comparator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayes.evidence import Row, Table
from bayes.heroin.evidence.arms import SE_KINDS, check_errors
from bayes.records import POSITIVE, number, word

__all__ = ["TRIALS", "TrialRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow(Row):
    """A contrast between prescribed heroin and a comparator: log ratio ``y``, standard error ``se``.

    Rows with the same ``shared_arm`` were computed from the same arm. Their errors covary by
    ``sign_i * sign_j * shared_se**2``: a contrast carries the shared arm with sign -1, the change of that
    arm with sign +1.
    """

    study: str
    outcome: str = word("count", "prevalence", "composite")
    design: str = word("randomised", "completers", "untreated")
    y: float | None = number(needed=True)
    se: float | None = number(POSITIVE, needed=True)
    se_kind: str = word(*SE_KINDS)
    shared_arm: str
    shared_se: float | None = number(POSITIVE)


def _once(row: TrialRow) -> Mapping[str, str]:
    return {"contrast of a study": row.study}


TRIALS = Table(row=TrialRow, least=1, check=check_errors, once=_once)
