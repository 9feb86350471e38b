"""Rows of a synthesis from a CSV file or an Excel sheet with columns of anybody's naming."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bayes.arguments import check_fields, checked
from bayes.errors import EvidenceError, UsageError, check_word
from bayes.priors import Prior
from bayes.priortext import prior_from_text
from bayes.sheets import THOUSANDS, Sheet, cell_fix, read_sheet
from bayes.synthesis.doubts import ask, doubts_of_counts, doubts_of_ratios

__all__ = ["BASELINE_OF", "Counts", "LogRatios", "read_counts", "read_log_ratios"]

LABELS = ("label", "study", "trial", "row", "name", "author", "authors", "studlab", "slab", "studie", "étude", "etude",
          "estudio", "studio", "autor", "auteur", "autore", "badanie")  # fmt: skip
"""Columns taken for names of rows, in this order, when none is named; otherwise the first, if it holds texts."""

MOST = 10**10
"""More people than there are."""

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
def read_log_ratios(
    path: Path, y: str, se: str | None = None, label: str | None = None, sheet: str | None = None, *,
    var: str | None = None, confirm: Collection[str] = (),
) -> LogRatios:  # fmt: skip
    """Read a CSV file or an Excel sheet with a column of log ratios and one of standard errors or of variances.

    Parameters
    ----------
    y, se, var
        Names of columns; of ``se`` and ``var`` one.
    label
        Column of names; by default one called label, study, trial, …, or the first if it holds texts.
    sheet
        Name of a sheet of a workbook.
    confirm
        Words of :data:`bayes.synthesis.doubts.CONFIRMED` that answer what is asked about the rows.

    Raises
    ------
    EvidenceError, StudyError, UsageError
        With file, row and column; also where rows seem to be something else than log ratios of one trial each.
    """
    if (se is None) == (var is None):
        raise UsageError("standard errors or variances are given, one of the two", key="--se", fix="name one column")
    error = str(se if var is None else var)
    if y == error:
        raise UsageError("one column cannot be both", key="--y, --se", found=y, fix="name the column of each")
    table = _Table(read_sheet(path, sheet))
    labels, estimates, errors = table.labels(label, (y, error)), table.numbers(y), table.numbers(error)
    rows = LogRatios(labels, np.array(estimates), np.array(errors) if var is None else _root(errors), table.source)
    texts = [table.sheet.column(name) for name in (y, error)]
    ask(doubts_of_ratios(labels, rows.y, rows.se, (y, "" if se is None else se), texts), confirm, path)
    return rows


def _root(variances: Sequence[float]) -> np.ndarray:
    return np.asarray(np.sqrt(np.maximum(np.array(variances), 0.0)))  # rows refuse a standard error of zero


@checked
def read_counts(
    path: Path, events: Sequence[str], total: Sequence[str], label: str | None = None, sheet: str | None = None, *,
    confirm: Collection[str] = (),
) -> Counts:  # fmt: skip
    """Read a CSV file or an Excel sheet with columns of events and of people, treatment arm first.

    Raises
    ------
    EvidenceError, StudyError, UsageError
        With file, row and column; also where rows seem to be something else than the arms of one trial each.
    """
    for key, names in (("--events", events), ("--total", total)):
        if len(names) != 2:
            raise UsageError("two arms are counted", key=key, found=",".join(names), allowed="treatment,comparator",
                             fix="name a column for each arm")  # fmt: skip
    if events[0] == events[1]:
        raise UsageError("one column cannot be the events of both arms", key="--events", found=",".join(events),
                         allowed="treatment,comparator", fix="name a column for each arm")  # fmt: skip
    for name in set(events) & set(total):
        raise UsageError("one column cannot be events and people", key="--events, --total", found=name,
                         fix="name the column of each")  # fmt: skip
    table = _Table(read_sheet(path, sheet))
    counted, people = (np.stack([table.counts(one) for one in columns], axis=1) for columns in (events, total))
    rows = Counts(table.labels(label, (*events, *total)), counted, people, source=table.source)
    ask(doubts_of_counts(rows.labels, rows.events, rows.total, total), confirm, path)
    return rows


def _check_shape(labels: Sequence[str], *arrays: np.ndarray) -> None:
    if len(labels) < LEAST or any(len(a) != len(labels) for a in arrays):
        raise EvidenceError("a synthesis needs two rows or more", found=list(labels), fix="add rows")
    if twice := _twice(labels):
        raise EvidenceError("this label stands twice", found=[labels[i] for i in twice], allowed=_ONCE, fix=_RENAME)


_ONCE = "one row for each label"
_RENAME = "rename one, or remove a trial that is reported twice"


def _twice(labels: Sequence[str]) -> list[int]:
    """Rows whose labels are the same but for case and blanks."""
    same = [" ".join(label.casefold().split()) for label in labels]
    return [i for i, one in enumerate(same) if same.count(one) > 1]


def _but(labels: tuple[str, ...], index: int) -> tuple[str, ...]:
    return labels[:index] + labels[index + 1 :]


@dataclass(frozen=True, slots=True)
class _Table:
    """Labels and numbers of a sheet."""

    sheet: Sheet

    @property
    def source(self) -> str:
        return "; ".join(self.sheet.notes)

    def labels(self, name: str | None, numbers: Collection[str]) -> tuple[str, ...]:
        """Names of the rows; no row is without one."""
        lower = {column.casefold(): column for column in self.sheet.columns}
        found = name or next((lower[word] for word in LABELS if word in lower), None) or self._first(numbers)
        if found is None:
            return tuple(f"row {i + 1}" for i in range(len(self.sheet.lines)))
        texts = self.sheet.column(found)
        empty = [str(line) for line, text in zip(self.sheet.lines, texts, strict=True) if not text]
        if empty:
            raise EvidenceError("a row has no label", file=self.sheet.path, key=found,
                                table=f"line {empty[0]}" if len(empty) == 1 else f"lines {', '.join(empty)}",
                                allowed="a name for each trial",
                                fix="write one in each, or remove the row; an empty cell may have been merged with "
                                    "the one above")  # fmt: skip
        if twice := _twice(texts):
            raise EvidenceError("this label stands twice", file=self.sheet.path, key=found,
                                table=f"lines {', '.join(str(self.sheet.lines[i]) for i in twice)}",
                                found=[texts[i] for i in twice], allowed=_ONCE, fix=_RENAME)  # fmt: skip
        return texts

    def _first(self, numbers: Collection[str]) -> str | None:
        """The first column, if it holds texts."""
        first = next(iter(self.sheet.columns))
        texts = self.sheet.columns[first]
        return first if first not in numbers and any(re.search(r"[^\W\d_]", text) for text in texts) else None

    def numbers(self, name: str) -> list[float]:
        return [self._number(name, *one) for one in zip(self.sheet.lines, self.sheet.column(name), strict=True)]

    def counts(self, name: str) -> np.ndarray:
        for line, cell in zip(self.sheet.lines, self.sheet.column(name), strict=True):
            if THOUSANDS.fullmatch(cell):
                plain = re.sub("[.,]", "", cell)
                fix = f"write {plain}, or {float(cell.replace(',', '.', 1)):g}" if cell.count(".") < 2 else plain
                raise self._wrong("this may be thousands, or a number with decimals", name, line, cell, fix)
            if cell.endswith("%"):
                raise self._wrong("this is a count", name, line, cell, "write how many people, not their share")
        values = self.numbers(name)
        for line, value in zip(self.sheet.lines, values, strict=True):
            if abs(value) > MOST:
                raise self._wrong("this is too large for a count", name, line, value, "correct it")
            if value != int(value):
                raise self._wrong("this must be a whole number", name, line, value, "correct it")
        return np.array(values, dtype=int)

    def _number(self, name: str, line: int, cell: str) -> float:
        try:
            value = float(cell) if "_" not in cell else math.nan
        except ValueError:
            fix = cell_fix(cell) or "write a number, or remove the line"
            raise self._wrong("this is no number", name, line, cell, fix) from None
        if not math.isfinite(value):
            raise self._wrong("this must be a finite number", name, line, cell, "correct it, or remove the line")
        return value

    def _wrong(self, problem: str, name: str, line: int, found: object, fix: str) -> EvidenceError:
        return EvidenceError(problem, file=self.sheet.path, table=f"line {line}", key=name, found=found, fix=fix)
