"""Rows of a synthesis from a CSV file or an Excel sheet with columns of anybody's naming."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from bayes.arguments import check_fields
from bayes.errors import EvidenceError, check_word
from bayes.priors import Prior
from bayes.priortext import prior_from_text
from bayes.sheets import NOT_KNOWN, Sheet, same, share_fix, trouble

__all__ = ["BASELINE_OF", "LARGEST", "MEASURES", "Counts", "Grouped", "LogRatios", "Rates", "Reading"]

LABELS = ("label", "study", "trial", "row", "name", "author", "authors", "studlab", "slab", "studie", "étude", "etude",
          "estudio", "studio", "autor", "auteur", "autore", "badanie")  # fmt: skip
"""Columns taken for names of rows, in this order, when none is named; otherwise the first, if it holds texts."""

LARGEST = 1e30
"""Size up to which estimates, and parameters of priors, leave room for the squares of what is computed from them."""
MOST = 10**10
"""More people than there are."""

MEASURES = {"OR": "log odds ratio", "RR": "log risk ratio", "RD": "risk difference"}
"""What two arms of counts are compared by."""

BASELINE_OF = {"mean": "the mean of a trial's two arms", "comparator": "a trial's comparator arm"}
"""Whose log odds the baseline of counts is."""

LEAST = 1
"""Fewer rows are none."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Grouped:
    """What rows of any kind may have beside their numbers.

    Parameters
    ----------
    study
        Name of each row's study; empty where each row is a study of its own.
    moderators
        What may explain differences: numbers (row) by name; of a moderator of words one for each level but the
        first, 1 where a row has it, named ``moderator = level``.
    levels
        Levels of each moderator of words.
    """

    study: tuple[str, ...] = ()
    moderators: Mapping[str, np.ndarray] = field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def subset(self, kept: Sequence[int]) -> Self:
        """Return some of the rows."""
        at, found = np.array(kept, dtype=int), dict[str, Any]()
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "covariance" and value is not None:
                found[one.name] = value[np.ix_(at, at)]
            elif isinstance(value, np.ndarray):
                found[one.name] = value[at]
            elif one.name == "moderators":
                found[one.name] = {name: values[at] for name, values in value.items()}
            elif isinstance(value, tuple) and value:
                found[one.name] = tuple(value[i] for i in kept)
        return replace(self, **found)

    def without(self, index: int) -> Self:
        """Return the rows but one."""
        rows: Any = self
        return self.subset([i for i in range(len(rows.labels)) if i != index])


def _places(names: Sequence[object]) -> list[list[int]]:
    """Places of equal names."""
    found: dict[object, list[int]] = {}
    for i, name in enumerate(names):
        found.setdefault(name, []).append(i)
    return [*found.values()]


@dataclass(frozen=True, slots=True, eq=False)
class LogRatios(Grouped):
    """Estimates on an additive scale with known standard errors; with what :class:`Grouped` has.

    Parameters
    ----------
    labels
        Names of the rows, all different.
    y, se
        Log ratios and their standard errors (row).
    source
        Where the rows were read, as words for a reader; empty if nowhere.
    scale
        What the estimates are: ``log ratio``, ``log odds ratio``, ``difference``, …; logarithms are shown as ratios.
    covariance
        Sampling covariance (row, row) where rows share people; its diagonal is that of the standard errors.

    Raises
    ------
    EvidenceError
        If there is no row, a number is not finite or a standard error not positive.
    """

    labels: tuple[str, ...]
    y: np.ndarray
    se: np.ndarray
    source: str = ""
    scale: str = "log ratio"
    covariance: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        _check_shape(self.labels, self.y, self.se, *self.moderators.values())
        sound = (np.abs(self.y) <= LARGEST) & (self.se >= 1 / LARGEST) & (self.se <= LARGEST)
        if not sound.all():
            raise EvidenceError("estimates are finite and standard errors positive", key="y, se",
                                found=[label for label, one in zip(self.labels, sound, strict=True) if not one],
                                allowed=f"numbers up to {LARGEST:g}, standard errors from {1 / LARGEST:g}",
                                fix="correct or leave out these rows, or write them in another unit")  # fmt: skip

    @property
    def clusters(self) -> list[list[int]]:
        """Places of rows that belong together: of one study, or with a comparator in common."""
        if self.study:
            return _places(self.study)
        if self.covariance is None:
            return [[i] for i in range(len(self.y))]
        from scipy.sparse.csgraph import connected_components

        return _places(connected_components(self.covariance != 0, directed=False)[1].tolist())


@dataclass(frozen=True, slots=True, eq=False)
class Counts(Grouped):
    """Events among people in two arms, or in one; with what :class:`Grouped` has.

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
    measure
        What two arms are compared by: one of :data:`MEASURES`.
    shared
        Name of each row's comparator, where rows share one: its people are counted once.

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
    measure: str = "OR"
    shared: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        check_word(self.measure, MEASURES, "there is no such measure of counts", key="measure")
        if self.measure != "OR" or self.shared:  # told from the comparator's risk; log odds that rows have in common
            object.__setattr__(self, "baseline_of", "comparator")
        _check_shape(self.labels, self.events, self.total)
        wrong = (self.events < 0) | (self.total < 1) | (self.events > self.total)
        if wrong.any():
            raise EvidenceError("events are between 0 and the number of people", key="events, total",
                                found=[label for label, bad in zip(self.labels, wrong, strict=True) if bad.any()],
                                fix="correct or leave out these rows")  # fmt: skip
        _check_shared(self.labels, self.shared, self.events, self.total)
        check_word(self.baseline_of, BASELINE_OF, "there is no such baseline", key="baseline_of")
        check_word(self.baseline_prior.family, ("Normal", "Uniform"), "log odds may be any number", key="baseline")

    @property
    def arms(self) -> int:
        """1 or 2."""
        return int(self.events.shape[1])

    @property
    def scale(self) -> str:
        """What effects are."""
        return MEASURES[self.measure] if self.arms == 2 else "log odds"

    @property
    def baseline_prior(self) -> Prior:
        """The prior of a trial's baseline, read."""
        return prior_from_text("baseline", self.baseline, "logit", f"log odds of {BASELINE_OF[self.baseline_of]}")


@dataclass(frozen=True, slots=True, eq=False)
class Rates(Grouped):
    """Events over person-time, in one arm or two; with what :class:`Grouped` has.

    Parameters
    ----------
    labels
        Names of the rows, all different.
    events, time
        Whole numbers and positive times (row, arm): treatment first, comparator second.
    source
        Where the rows were read.
    shared
        Name of each row's comparator, where rows share one: its events are counted once.

    Raises
    ------
    EvidenceError
        If events are negative or a time is not positive.
    """

    labels: tuple[str, ...]
    events: np.ndarray
    time: np.ndarray
    source: str = ""
    shared: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        _check_shape(self.labels, self.events, self.time)
        wrong = (self.events < 0) | ~(self.time > 0) | ~np.isfinite(self.time)
        if wrong.any():
            raise EvidenceError("events are not negative, and a time at risk is greater than zero", key="events, time",
                                found=[label for label, bad in zip(self.labels, wrong, strict=True) if bad.any()],
                                fix="correct or leave out these rows")  # fmt: skip
        _check_shared(self.labels, self.shared, self.events, self.time)

    @property
    def arms(self) -> int:
        """1 or 2."""
        return int(self.events.shape[1])

    @property
    def scale(self) -> str:
        """What effects are."""
        return "log rate ratio" if self.arms == 2 else "log rate"


def _check_shared(labels: Sequence[str], shared: Sequence[str], *arms: np.ndarray) -> None:
    """Rows that share a comparator have two arms, and the same numbers of it."""
    if shared and (arms[0].shape[1] != 2 or len(shared) != len(labels)):
        raise EvidenceError("a comparator is shared by rows of two arms", key="--shared", found=list(shared)[:6],
                            fix="give the columns of both arms")  # fmt: skip
    for members in _places(shared):
        if any(len(np.unique(one[members, 1])) > 1 for one in arms):
            raise EvidenceError("rows that share a comparator have the same numbers of it", key="--shared",
                                found=[labels[i] for i in members], fix="correct them, or name two")  # fmt: skip


def _check_shape(labels: Sequence[str], *arrays: np.ndarray) -> None:
    if len(labels) < LEAST or any(len(a) != len(labels) for a in arrays):
        raise EvidenceError("a synthesis needs rows, and as many numbers as labels", found=list(labels), fix="add rows")
    if twice := _twice(labels):
        raise EvidenceError("this label stands twice", found=[labels[i] for i in twice], allowed=_ONCE, fix=_RENAME)


_ONCE = "one row for each label"
_RENAME = "rename one, remove a trial that is reported twice, or name its column with --study if rows belong together"


def _twice(labels: Sequence[str]) -> list[int]:
    """Rows whose labels are the same (:func:`bayes.sheets.same`)."""
    plain = [*map(same, labels)]
    times = Counter(plain)
    return [i for i, one in enumerate(plain) if times[one] > 1]


def _shared(se: np.ndarray, groups: Sequence[str], own: np.ndarray | None) -> np.ndarray:
    """Sampling covariance of rows that share a comparator, whose own variance it is."""
    same = np.array([[one == other for other in groups] for one in groups])
    variance = se**2
    part = np.minimum(variance[:, None], variance) / 2 if own is None else np.sqrt(own[:, None] * own)
    return np.where(np.eye(len(se), dtype=bool), np.diag(variance), np.where(same, part, 0.0))


@dataclass(frozen=True, slots=True)
class Reading:
    """Labels and numbers of a sheet."""

    sheet: Sheet

    def __post_init__(self) -> None:
        if not self.sheet.lines:
            raise self.sheet.wrong_rows("this table has no rows", "", (), [*self.sheet.columns],
                                        "write a trial on each line below its header")  # fmt: skip

    @property
    def source(self) -> str:
        """Where it was read, as words."""
        return "; ".join(self.sheet.notes)

    def labels(self, name: str | None, numbers: Collection[str], study: str | None = None) -> tuple[str, ...]:
        """Names of the rows; no row is without one, and only rows of one study are told apart by their number."""
        lower = {column.casefold(): column for column in self.sheet.columns}
        found = name or next((lower[word] for word in LABELS if word in lower), None) or self._first(numbers)
        if found is None:
            return tuple(f"row {i + 1}" for i in range(len(self.sheet.lines)))
        texts = self.sheet.column(found)
        empty = [line for line, text in zip(self.sheet.lines, texts, strict=True) if not text]
        if empty:
            raise self.sheet.wrong_rows(
                "a row has no label", found, empty, None, "write one in each, or remove the row; an empty cell may "
                "have been merged with the one above", "a name for each trial")  # fmt: skip
        if twice := _twice(texts):
            if study is not None:
                return tuple(f"{text} ({texts[: i + 1].count(text)})" if i in twice else text
                             for i, text in enumerate(texts))  # fmt: skip
            raise self.sheet.wrong_rows("this label stands twice", found, [self.sheet.lines[i] for i in twice],
                                        [texts[i] for i in twice], _RENAME, _ONCE)  # fmt: skip
        return texts

    def _first(self, numbers: Collection[str]) -> str | None:
        """The first column, if it holds texts."""
        first = next(iter(self.sheet.columns))
        texts = self.sheet.columns[first]
        return first if first not in numbers and any(re.search(r"[^\W\d_]", text) for text in texts) else None

    def words(self, name: str) -> tuple[str, ...]:
        """A column of names, none of them empty."""
        texts = self.sheet.column(name)
        for line, text in zip(self.sheet.lines, texts, strict=True):
            if not text:
                raise self.sheet.wrong("this cell is empty", name, line, text, "write a name in each row")
        return texts

    def grouped[R: Grouped](
        self, rows: R, study: str | None, shared: str | None, moderators: Collection[str] = (),
        own: np.ndarray | None = None,
    ) -> R:  # fmt: skip
        """Rows with their studies, shared comparators (of variances ``own``, where those are known) and moderators."""
        if study is not None:
            rows = replace(rows, study=self.words(study))
        if shared is not None:
            names = self.words(shared)
            if isinstance(rows, LogRatios):
                rows = replace(rows, covariance=_shared(rows.se, names, own))
            elif isinstance(rows, Counts | Rates):
                rows = replace(rows, shared=names)
        for name in moderators:
            rows = self._moderated(rows, name)
        return rows

    def _moderated[R: Grouped](self, rows: R, name: str) -> R:
        """Rows with one more moderator: numbers, or words with a coefficient for each but the first."""
        texts = self.words(name)
        numbers = [trouble(text, name in self.sheet.asked) for text in texts]
        if not any(numbers):
            values = {name: np.array(self.sheet.numbers(name))}
            if np.ptp(values[name]) == 0:
                raise EvidenceError("this moderator is the same in every row", file=self.sheet.path, key=name,
                                    found=texts[0], fix="leave it out")  # fmt: skip
            return replace(rows, moderators={**rows.moderators, **values})
        if 2 * sum(found is None for found in numbers) > len(texts):
            line, text, fix = next((line, text, found[1]) for line, text, found
                                   in zip(self.sheet.lines, texts, numbers, strict=True) if found)  # fmt: skip
            fix = "write the number, or remove the line" if text.casefold() in NOT_KNOWN or not text else fix
            raise self.sheet.wrong("this is no number, as others in its column are", name, line, text, fix)
        levels = tuple(sorted(set(texts)))
        if not 1 < len(levels) <= len(texts) / 2 + 1:
            raise EvidenceError("a moderator of words has a few groups of rows", file=self.sheet.path, key=name,
                                found=list(levels)[:6], fix="name a column of groups, or of numbers")  # fmt: skip
        dummies = {f"{name} = {level}": np.array([float(text == level) for text in texts]) for level in levels[1:]}
        return replace(rows, moderators={**rows.moderators, **dummies}, levels={**rows.levels, name: levels})

    def counts(self, name: str, of: str = "") -> np.ndarray:
        """A column of whole numbers, none of which may be meant otherwise; ``of`` is the column of all."""
        values = self.sheet.numbers(name, whole=True, of=of)
        wholes = self.sheet.numbers(of, whole=True) if of else [math.inf] * len(values)
        texts = self.sheet.column(of or name)
        for line, value, whole, text in zip(self.sheet.lines, values, wholes, texts, strict=True):
            if abs(value) > MOST:
                raise self.sheet.wrong("this is too large for a count", name, line, value, "correct it")
            if value != int(value):
                share = f"; if it is a share, {share_fix(str(value), of, text)}" if of and 0 < value < 1 else ""
                raise self.sheet.wrong("this must be a whole number", name, line, value, f"correct it{share}")
            if value < 0:
                raise self.sheet.wrong("a count is not negative", name, line, value, "correct it")
            if value > whole:
                raise self.sheet.wrong(f"this is more than {of} {text}", name, line, value, "correct one of the two")
        return np.array(values, dtype=int)

    def above(
        self, names: Sequence[str], values: np.ndarray, problem: str, fix: str = "correct it", bound: float = 0
    ) -> None:
        """Raise where a number of some columns, of values (column, row), is not greater than a bound."""
        for name, column in zip(names, values.tolist(), strict=True):
            for line, value in zip(self.sheet.lines, column, strict=True):
                if value <= bound:
                    raise self.sheet.wrong(problem, name, line, value, fix)
