"""The tables of evidence of the shipped question, one file each: columns, least rows, checks, and how a row enters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bayes.heroin.evidence.ceiling import CEILING, CeilingRow
from bayes.heroin.evidence.coverage import COVERAGE, CoverageRow
from bayes.heroin.evidence.offending import OFFENDING, OffendingRow
from bayes.heroin.evidence.prepost import PREPOST, ChangeRow
from bayes.heroin.evidence.retention import RETENTION, RetentionRow
from bayes.heroin.evidence.table import Evidence
from bayes.heroin.evidence.trials import TRIALS, TrialRow

__all__ = ["ENTERING", "TABLES", "CeilingRow", "ChangeRow", "CoverageRow", "OffendingRow", "RetentionRow", "TrialRow"]

TABLES: Mapping[str, Evidence] = MappingProxyType({
    "offending": OFFENDING, "trials": TRIALS, "prepost": PREPOST, "retention": RETENTION, "coverage": COVERAGE,
    "ceiling": CEILING,
})  # fmt: skip
"""Tables of evidence by the name of their file."""

ENTERING = tuple(sorted(TABLES.values(), key=lambda table: table.place))
"""Tables in the order in which they add to the model."""
