"""``prepost.csv``: changes from before to after in one arm; they enter with :mod:`bayes.heroin.evidence.trials`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayes.evidence import Row
from bayes.heroin.evidence.arms import SE_KINDS, check_errors
from bayes.heroin.evidence.table import Evidence
from bayes.records import POSITIVE, number, word

__all__ = ["PREPOST", "ChangeRow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow(Row):
    """A change from before to after in one arm: log ratio ``y``, standard error ``se``.

    ``arm`` is ``comparator`` (measures the drift gamma) or ``heroin`` (measures theta + gamma).
    """

    study: str
    arm: str = word("comparator", "heroin")
    outcome: str = word("count", "prevalence", "odds")
    y: float | None = number(needed=True)
    se: float | None = number(POSITIVE, needed=True)
    se_kind: str = word(*SE_KINDS)
    shared_arm: str
    shared_se: float | None = number(POSITIVE)


def _once(row: ChangeRow) -> Mapping[str, str]:
    return {f"change of the {row.arm} arm of a study": row.study}


PREPOST = Evidence(row=ChangeRow, least=1, check=check_errors, once=_once, informs="mu_theta")
