"""Rows of a synthesis from a CSV file or an Excel sheet with columns of anybody's naming."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bayes.arguments import check_fields, checked
from bayes.errors import EvidenceError, check_word, number_fix
from bayes.priors import Prior
from bayes.priortext import prior_from_text
from bayes.sheets import Sheet, read_sheet

__all__ = ["BASELINE_OF", "Counts", "LogRatios", "read_counts", "read_log_ratios"]

LABELS = ("label", "study", "trial", "row", "name", "author")
"""Columns taken for names of rows, in this order, when none is named."""

BASELINE_OF = {"mean": "the mean of a trial's two arms", "comparator": "a trial's comparator arm"}
"""Whose log odds the baseline of counts is."""

LEAST = 2
"""A synthesis of fewer rows would be its prior."""


@dataclass(frozen=True, slots=True, eq=False)
class LogRatios:
    """Estimates on an additive scale with known standard errors.

    Parameters
    ----------
    labels
        Names of the rows, all different.
    y, se
        Log ratios and their standard errors (row).
    source
        Where the rows were read, as words for a reader; empty if nowhere.

    Raises
    ------
    EvidenceError
        If there are fewer than two rows, a number is not finite or a standard error not positive.
    """

    labels: tuple[str, ...]
    y: np.ndarray
    se: np.ndarray
    source: str = ""
    scale = "log ratio"

    def __post_init__(self) -> None:
        check_fields(self)
        _check_shape(self.labels, self.y, self.se)
        if not (np.isfinite(self.y).all() and np.isfinite(self.se).all() and (self.se > 0).all()):
            raise EvidenceError("estimates are finite and standard errors positive", key="y, se",
                                found=[label for label, *both in zip(self.labels, self.y, self.se, strict=True)
                                       if not (np.isfinite(both).all() and both[1] > 0)],
                                fix="correct or leave out these rows")  # fmt: skip

    def without(self, index: int) -> LogRatios:
        """Return the rows but one."""
        y, se = np.delete(self.y, index), np.delete(self.se, index)
        return replace(self, labels=_but(self.labels, index), y=y, se=se)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Events among people in two arms.

    Parameters
    ----------
    labels
        Names of the rows, all different.
    events, total
        Whole numbers (row, arm): treatment first, comparator second.
    baseline
        Prior of the log odds at which a trial's own risk is placed, on one line: Normal or Uniform, the same for each
        trial and independent of the effect. Where events are few it weighs on the effect.
    baseline_of
        Whose log odds: ``mean`` of the two arms on the scale of log odds, or ``comparator``.
    source
        Where the rows were read, as words for a reader; empty if nowhere.

    Raises
    ------
    EvidenceError, PriorError, UsageError
        If there are fewer than two rows, events are negative or more than people, or the baseline is not a prior of
        log odds.
    """

    labels: tuple[str, ...]
    events: np.ndarray
    total: np.ndarray
    baseline: str = "Normal(0, 5)"
    baseline_of: str = "mean"
    source: str = ""
    scale = "log odds ratio"

    def __post_init__(self) -> None:
        check_fields(self)
        _check_shape(self.labels, self.events, self.total)
        wrong = (self.events < 0) | (self.total < 1) | (self.events > self.total)
        if wrong.any():
            raise EvidenceError("events are between 0 and the number of people", key="events, total",
                                found=[label for label, bad in zip(self.labels, wrong, strict=True) if bad.any()],
                                fix="correct or leave out these rows")  # fmt: skip
        check_word(self.baseline_of, BASELINE_OF, "there is no such baseline", key="baseline_of")
        check_word(self.baseline_prior.family, ("Normal", "Uniform"), "log odds may be any number", key="baseline")

    @property
    def baseline_prior(self) -> Prior:
        """The prior of a trial's baseline, read."""
        return prior_from_text("baseline", self.baseline, "logit", f"log odds of {BASELINE_OF[self.baseline_of]}")

    def without(self, index: int) -> Counts:
        """Return the rows but one."""
        events, total = (np.delete(a, index, axis=0) for a in (self.events, self.total))
        return replace(self, labels=_but(self.labels, index), events=events, total=total)


@checked
def read_log_ratios(path: Path, y: str, se: str, label: str | None = None, sheet: str | None = None) -> LogRatios:
    """Read a CSV file or an Excel sheet with a column of log ratios and one of standard errors.

    Raises
    ------
    EvidenceError, StudyError
        With file, row and column.
    """
    table = _Table(read_sheet(path, sheet))
    return LogRatios(table.labels(label), np.array(table.numbers(y)), np.array(table.numbers(se)))


@checked
def read_counts(
    path: Path, events: Sequence[str], total: Sequence[str], label: str | None = None, sheet: str | None = None
) -> Counts:
    """Read a CSV file or an Excel sheet with columns of events and of people, treatment arm first."""
    table = _Table(read_sheet(path, sheet))
    both = [np.stack([table.counts(column) for column in columns], axis=1) for columns in (events, total)]
    return Counts(table.labels(label), *both)


def _check_shape(labels: Sequence[str], *arrays: np.ndarray) -> None:
    if len(labels) < LEAST or any(len(a) != len(labels) for a in arrays):
        raise EvidenceError("a synthesis needs two rows or more", found=list(labels), fix="add rows")
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise EvidenceError("this label stands twice", found=twice, allowed="one row for each label",
                            fix="rename one, or remove a trial that is reported twice")  # fmt: skip


def _but(labels: tuple[str, ...], index: int) -> tuple[str, ...]:
    return labels[:index] + labels[index + 1 :]


@dataclass(frozen=True, slots=True)
class _Table:
    """Labels and numbers of a sheet."""

    sheet: Sheet

    def labels(self, name: str | None) -> tuple[str, ...]:
        lower = {column.lower(): column for column in self.sheet.columns}
        found = name or next((lower[word] for word in LABELS if word in lower), None)
        if found is not None:
            return self.sheet.column(found)
        return tuple(f"row {i + 1}" for i in range(len(self.sheet.lines)))

    def numbers(self, name: str) -> list[float]:
        return [self._number(name, *one) for one in zip(self.sheet.lines, self.sheet.column(name), strict=True)]

    def counts(self, name: str) -> np.ndarray:
        values = self.numbers(name)
        for i, value in zip(self.sheet.lines, values, strict=True):
            if value != int(value):
                raise self._wrong("this must be a whole number", name, i, value, "correct it")
        return np.array(values, dtype=int)

    def _number(self, name: str, line: int, cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            fix = number_fix(cell) or "write a number, or remove the line"
            raise self._wrong("this is no number", name, line, cell, fix) from None
        if not math.isfinite(value):
            raise self._wrong("this must be a finite number", name, line, cell, "correct it, or remove the line")
        return value

    def _wrong(self, problem: str, name: str, line: int, found: object, fix: str) -> EvidenceError:
        return EvidenceError(problem, file=self.sheet.path, table=f"line {line}", key=name, found=found, fix=fix)
