r"""Estimates as they are published, by the columns that hold them: each becomes an estimate with a standard error.

A row has the first of these that it gives: a standard error; a variance; the ends of an interval, whose half width is
:math:`z` standard errors (of ratios, on the scale of logarithms); a p-value, from which :math:`s = |y| / z_{p/2}` with
the largest p that its digits allow, so that the row weighs rather too little than too much. Means of two arms with
standard deviations and people give their difference, the standardised one with its small-sample factor (Hedges 1981,
J. Educ. Stat. 6:107) or the logarithm of their ratio (Hedges, Gurevitch and Curtis 1999, Ecology 80:1150).

Rows that share a comparator covary: by its own variance where arms are given, otherwise by half of the smaller of
their variances, which is right for arms of one size.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bayes.arguments import checked
from bayes.errors import UsageError, check_word
from bayes.sheets import read_sheet
from bayes.synthesis.arms import COMPARED, TRIAL, paired
from bayes.synthesis.doubts import (
    DEVIATION,
    Doubt,
    ask,
    doubts_of_arms,
    doubts_of_counts,
    doubts_of_estimates,
    doubts_of_labels,
    doubts_of_level,
    doubts_of_ratios,
    doubts_of_spreads,
    half_digit,
)
from bayes.synthesis.rows import LABELS, Counts, LogRatios, Rates, Reading

__all__ = ["MEASURES_OF_MEANS", "Columns", "estimate_from", "read_counts", "read_estimates", "read_log_ratios",
           "read_means", "read_rates"]  # fmt: skip

MEASURES_OF_MEANS = {"MD": "difference of means", "SMD": "standardised mean difference", "ROM": "log ratio of means"}
_DIFFERENCE = re.compile(r"diff|smd|(^|\W)md\b|hedges|cohen|\bmean", re.IGNORECASE)
_P = re.compile(r"[p=\s]*([<≤]?)\s*(0?\.\d+|1(?:\.0*)?|\d(?:\.\d+)?[eE]-\d+)\s*", re.IGNORECASE)
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_UNEVEN = 0.05
"""How far from the middle of its interval, in standard errors, an estimate may lie beyond rounding."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what.

    Parameters
    ----------
    y, ratio
        Estimates as they stand (logarithms or differences), or ratios, whose logarithm is taken.
    se, var, lower, upper, p
        Their standard errors, variances, ends of intervals, p-values; of ratios, ``se`` and ``var`` are those of the
        logarithm.
    level
        Confidence level of the intervals.
    label, study, shared
        Names of rows; of studies, where one has several rows; of comparators, where rows share one.
    moderators
        What may explain differences.
    scale
        What ``y`` is: ``log ratio`` or ``difference``; empty to tell it by the name of its column.
    arm, comparator
        Column of arms where each has a line of its own (of counts and means; ``study`` is then the trial), and the arm
        with which the others are compared.
    """

    y: str | None = None
    ratio: str | None = None
    se: str | None = None
    var: str | None = None
    lower: str | None = None
    upper: str | None = None
    p: str | None = None
    level: float = 0.95
    label: str | None = None
    study: str | None = None
    shared: str | None = None
    moderators: tuple[str, ...] = ()
    scale: str = ""
    arm: str | None = None
    comparator: str | None = None

    @property
    def estimate(self) -> str:
        """The column of estimates."""
        return str(self.y if self.ratio is None else self.ratio)

    @property
    def numbers(self) -> list[str]:
        """Columns of numbers."""
        return [name for name in (self.estimate, self.se, self.var, self.lower, self.upper, self.p) if name]

    @property
    def grouped(self) -> bool:
        """Whether rows say themselves which of them belong together."""
        return bool(self.study or self.shared)


@checked
def read_estimates(
    path: Path, columns: Columns, *, sheet: str | None = None, confirm: Collection[str] = ()
) -> LogRatios:
    """Read estimates with what tells their precision from a table.

    Parameters
    ----------
    columns
        Which column holds what.
    sheet
        Name of a sheet of a workbook.
    confirm
        Words of :data:`bayes.synthesis.doubts.CONFIRMED` that answer what is asked about the rows.

    Raises
    ------
    EvidenceError, StudyError, UsageError
        With file, row and column; also where rows seem to be something else than one estimate of each study.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "trials.csv"
    ...     _ = file.write_text("study,RR,low,high\\nA,0.60,0.40,0.90\\nB,0.75,0.50,1.13\\n")
    ...     read_estimates(file, Columns(ratio="RR", lower="low", upper="high")).se.round(2).tolist()
    [0.21, 0.21]
    """
    _check_columns(columns)
    table = Reading(read_sheet(path, sheet))
    y = np.array(table.sheet.numbers(columns.estimate))
    if columns.ratio is not None:
        table.above([columns.ratio], y[None], "a ratio is greater than zero", "name logarithms with --y, or correct it")
        y = np.log(y)
    named = doubts_of_estimates(columns.estimate, np.exp(y) if columns.ratio else None)
    named += doubts_of_spreads("a variance", [columns.var] if columns.var else [])
    if columns.lower is not None and columns.upper is not None:
        named += doubts_of_level(columns.lower, columns.upper, columns.level)
    se, words, doubts = _errors(table, columns, y)
    rows = LogRatios(table.labels(columns.label, columns.numbers, columns.study), y, se, scale=_scale(columns))
    rows = table.grouped(rows, columns.study, columns.shared, columns.moderators)
    rows = replace(rows, source="; ".join(filter(None, [table.source, *words])))
    texts = [table.sheet.column(name) for name in (columns.estimate, columns.se or columns.var or columns.estimate)]
    names = ("log ratio" if columns.ratio else columns.estimate, columns.se or "")
    asked = doubts_of_ratios(rows.labels, rows.y, rows.se, names, texts, columns.grouped)
    ask([*named, *doubts, *asked], confirm, table.sheet, rows.labels)
    return rows


def _check_columns(columns: Columns) -> None:
    """One column of estimates, something that tells their precision, and no column for two things."""
    if (columns.y is None) == (columns.ratio is None):
        raise UsageError("estimates stand in one column", key="--y, --ratio", found=[columns.y, columns.ratio],
                         allowed="--y for logarithms and differences, --ratio for ratios", fix="name one")  # fmt: skip
    if columns.se is not None and columns.var is not None:
        raise UsageError("standard errors or variances are given, one of the two", key="--se", fix="name one column")
    if (columns.lower is None) != (columns.upper is None):
        raise UsageError("an interval has two ends", key="--lower, --upper", fix="name the column of each")
    if len(columns.numbers) < 2:
        raise UsageError("standard errors or variances are given, one of the two, or ends of intervals, or p-values",
                         key="--se", allowed="--se, --var, --lower and --upper, --p", fix="name a column")  # fmt: skip
    for name in columns.numbers:
        said = [
            f"--{one}" for one in ("y", "ratio", "se", "var", "lower", "upper", "p") if getattr(columns, one) == name
        ]
        if len(said) > 1:
            raise UsageError(
                "one column cannot be both" if len(said) == 2 else "one column cannot be all of these",
                key=", ".join(said),
                found=name,
                fix="name the column of each; numbers that share a cell stand in columns of their own",
            )
    if columns.estimate in columns.moderators:
        raise UsageError("the estimates cannot explain themselves", key="--moderator", found=columns.estimate,
                         fix="name a column of something else")  # fmt: skip
    if not 0.5 <= columns.level < 1:
        raise UsageError("a confidence level is a share", key="--level", found=columns.level, allowed="0.5 to 1",
                         fix="write 0.95 for 95 %")  # fmt: skip


def _scale(columns: Columns) -> str:
    if columns.ratio is not None:
        return "log ratio"
    if columns.scale:
        check_word(columns.scale, ("log ratio", "difference"), "there is no such scale", key="--scale")
        return columns.scale
    return (
        "difference"
        if _DIFFERENCE.search(columns.estimate) and "log" not in columns.estimate.casefold()
        else "log ratio"
    )


def _errors(table: Reading, columns: Columns, y: np.ndarray) -> tuple[np.ndarray, list[str], list[Doubt]]:
    """Standard errors by the first column that gives a row's; words that say how; and what is doubtful about them."""
    from scipy.stats import norm

    found = np.full(len(y), np.nan)
    doubts, words = [], []
    only = len(columns.numbers) == 2
    for name, power in ((columns.se, 1.0), (columns.var, 0.5)):
        if name is not None:
            values = np.array(table.sheet.numbers(name, empty=not only))
            table.above([name], values[None], "this must be greater than 0", "correct it, or remove the line")
            found = np.where(np.isnan(found), values**power, found)
    if columns.lower is not None and columns.upper is not None:
        ends = [np.array(table.sheet.numbers(name, empty=True)) for name in (columns.lower, columns.upper)]
        taken = np.isnan(found) & ~np.isnan(ends[0]) & ~np.isnan(ends[1])
        z = float(norm.isf((1 - columns.level) / 2))
        half, slack, asked = _intervals(table, columns, y, ends, taken)
        doubts += asked
        found = np.where(taken, half / z, found)
        if taken.any():
            words.append(f"standard errors of {int(taken.sum())} rows from {columns.level:.0%} intervals, which their "
                         f"printed digits tell to {float(np.max((slack / half)[taken])):.1%} or better")  # fmt: skip
    if columns.p is not None and np.isnan(found).any():
        missing = np.isnan(found)
        found[missing] = _from_p(table, columns.p, y, np.flatnonzero(missing))
        words.append(f"standard errors of {int(missing.sum())} rows from p-values, the widest their digits allow: "
                     "these rows weigh less than they might")  # fmt: skip
    for line, value in zip(table.sheet.lines, found, strict=True):
        if np.isnan(value):
            raise table.sheet.wrong("this row has no standard error, interval or p-value",
                                    ", ".join(columns.numbers[1:]), line, "",
                                    "give one of them, or remove the line")  # fmt: skip
    return found, words, doubts


def _intervals(
    table: Reading, columns: Columns, y: np.ndarray, ends: Sequence[np.ndarray], taken: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[Doubt]]:
    """Half widths, how far rounding may move them, and estimates that are not in the middle."""
    names = [columns.estimate, str(columns.lower), str(columns.upper)]
    raw = [np.exp(y) if columns.ratio else y, *ends]
    digit = [np.array([half_digit(text) for text in table.sheet.column(name)]) for name in names]
    for line, low, high, use in zip(table.sheet.lines, *ends, taken, strict=True):
        if use and (not low < high or (columns.ratio is not None and not low > 0)):
            raise table.sheet.wrong("an interval rises from its lower to its upper end", f"{names[1]}, {names[2]}",
                                    line, f"{low:g} to {high:g}",
                                    "correct it; an interval of a ratio lies above zero")  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = (np.log(end) if columns.ratio else end for end in ends)
        slack = [d / r if columns.ratio else d for d, r in zip(digit, raw, strict=True)]
        off = np.abs(y - (low + high) / 2) - slack[0] - (slack[1] + slack[2]) / 2
        uneven = taken & (off > _UNEVEN * (high - low) / 4)
        straight = np.abs(raw[0] - (ends[0] + ends[1]) / 2) <= digit[0] + (digit[1] + digit[2]) / 2
    doubts = []
    if uneven.any():
        lines = [line for line, bad in zip(table.sheet.lines, uneven, strict=True) if bad]
        fix = ("these intervals are even as differences: name the estimates with --y" if columns.ratio
               and straight[uneven].all() else "check the digits, or give a standard error")  # fmt: skip
        doubts.append(Doubt("uneven", "these estimates are not in the middle of their intervals, further than rounding "
                            f"allows (line {', '.join(map(str, lines))})", names[0],
                            [[float(one[i]) for one in raw] for i in np.flatnonzero(uneven)[:3]], fix))  # fmt: skip
    return (high - low) / 2, (slack[1] + slack[2]) / 2, doubts


def _from_p(table: Reading, name: str, y: np.ndarray, at: np.ndarray) -> list[float]:
    from scipy.stats import norm

    found = []
    for i in at:
        line, text = table.sheet.lines[i], table.sheet.column(name)[i]
        match = _P.fullmatch(text)
        value = float(match[2]) if match else np.nan
        if match is None or not 0 < value < 1:
            raise table.sheet.wrong("this is no p-value that tells a precision", name, line, text,
                                    "write 0.03 or <0.001; 'not significant' tells none")  # fmt: skip
        largest = value if match[1] else min(value + half_digit(match[2]), 0.9999)
        if y[i] == 0:
            raise table.sheet.wrong("a p-value tells nothing of an estimate of zero", name, line, text,
                                    "give its standard error, or remove the line")  # fmt: skip
        found.append(float(abs(y[i]) / norm.isf(largest / 2)))
    return found


@checked
def read_log_ratios(
    path: Path, y: str, se: str | None = None, label: str | None = None, sheet: str | None = None, *,
    var: str | None = None, confirm: Collection[str] = (),
) -> LogRatios:  # fmt: skip
    """Read a CSV file or an Excel sheet with a column of log ratios and one of standard errors or of variances.

    :func:`bayes.synthesis.read_estimates` reads what is published otherwise.

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
    return read_estimates(path, Columns(y=y, se=se, var=var, label=label), sheet=sheet, confirm=confirm)


@checked
def read_counts(
    path: Path, events: Sequence[str], total: Sequence[str], *, measure: str = "OR", columns: Columns = Columns(),
    sheet: str | None = None, confirm: Collection[str] = (),
) -> Counts:  # fmt: skip
    """Read columns of events and of people, treatment arm first, or of one arm.

    Parameters
    ----------
    events, total
        Columns of each arm: the treated, then the comparator; or of one arm. Where ``columns.arm`` says that there is
        a line for each arm, one column.
    measure
        What two arms are compared by: ``OR``, ``RR`` or ``RD``.
    columns
        Label, study, shared comparator, moderators, arms.

    Raises
    ------
    EvidenceError, StudyError, UsageError
        With file, row and column; also where rows seem to be something else than the arms of one trial each.
    """
    table, (events, total), columns = _table(path, sheet, columns, (events, total))
    _check_arms(events, total, "--total")
    people = np.stack([table.counts(one) for one in total], axis=1)
    counted = np.stack([table.counts(*pair) for pair in zip(events, total, strict=True)], axis=1)
    labels = table.labels(columns.label, (*events, *total), columns.study)
    rows = Counts(labels, counted, people, source=table.source, measure=measure)
    if rows.arms == 2:
        asked = doubts_of_counts(labels, counted, people, total, columns.grouped)
        ask(asked, confirm, table.sheet, labels)
    return table.grouped(rows, columns.study, columns.shared, columns.moderators)


@checked
def read_rates(
    path: Path, events: Sequence[str], time: Sequence[str], *, columns: Columns = Columns(),
    sheet: str | None = None, confirm: Collection[str] = (),
) -> Rates:  # fmt: skip
    """Read columns of events and of person-time; all else is as :func:`read_counts` has it.

    Raises
    ------
    EvidenceError, StudyError, UsageError
        With file, row and column; also where rows seem to be something else than the arms of one study each.
    """
    table, (events, time), columns = _table(path, sheet, columns, (events, time))
    _check_arms(events, time, "--time")
    counted = np.stack([table.counts(one) for one in events], axis=1)
    times = np.array([table.sheet.numbers(one) for one in time]).T
    for row, line in zip(times, table.sheet.lines, strict=True):
        for name, value in zip(time, row.tolist(), strict=True):
            if not value > 0:
                raise table.sheet.wrong("a time at risk is greater than zero", name, line, value, "correct it")
    rows = Rates(table.labels(columns.label, (*events, *time), columns.study), counted, times, table.source)
    asked = doubts_of_labels(rows.labels, columns.grouped)
    if rows.arms == 2 and not columns.grouped:
        asked += doubts_of_arms(rows.labels, [*zip(counted[:, 1].tolist(), times[:, 1].tolist(), strict=True)])
    ask(asked, confirm, table.sheet, rows.labels)
    return table.grouped(rows, columns.study, columns.shared, columns.moderators)


def _table(
    path: Path, sheet: str | None, columns: Columns, arms: Sequence[Sequence[str]]
) -> tuple[Reading, list[Sequence[str]], Columns]:
    """A sheet, the columns of each arm, and what else is wanted; lines of arms are set side by side."""
    found = read_sheet(path, sheet)
    if columns.arm is None:
        return Reading(found), [*arms], columns
    if any(len(names) != 1 for names in arms):
        raise UsageError("with a line for each arm there is one column of each number", key="--arm", found=columns.arm,
                         allowed="--events COL --total COL", fix="name one column")  # fmt: skip
    trial = columns.study or columns.label or next((name for name in found.columns if name.casefold() in LABELS), None)
    if trial is None:
        raise UsageError("each line of an arm names its trial", key="--study", fix="add --study COL")
    numbers = [names[0] for names in arms]
    wide = paired(found, trial, columns.arm, columns.comparator, numbers)
    several = len(set(wide.columns[TRIAL])) < len(wide.lines)
    names = [(name, COMPARED.format(name)) for name in numbers]
    return Reading(wide), [*names], replace(columns, label=trial, study=None, shared=TRIAL if several else None)


def _check_arms(events: Sequence[str], whole: Sequence[str], key: str) -> None:
    """One column for each of one arm or two, and none for two things."""
    for name, names in (("--events", events), (key, whole)):
        if not 1 <= len(names) <= 2 or len(names) != len(events):
            raise UsageError("two columns are named, or one each", key=name, found=",".join(names),
                             allowed="treatment,comparator", fix="name a column for each arm")  # fmt: skip
    if len(events) == 2 and events[0] == events[1]:
        raise UsageError("one column cannot be the events of both arms", key="--events", found=",".join(events),
                         allowed="treatment,comparator", fix="name a column for each arm")  # fmt: skip
    for name in set(events) & set(whole):
        raise UsageError("one column cannot be events and people", key=f"--events, {key}", found=name,
                         fix="name the column of each")  # fmt: skip


@checked
def read_means(
    path: Path, arms: Sequence[Sequence[str]], measure: str = "MD", *, columns: Columns = Columns(),
    sheet: str | None = None, confirm: Collection[str] = (),
) -> LogRatios:  # fmt: skip
    """Read means, standard deviations and numbers of people of two arms.

    Parameters
    ----------
    arms
        Columns of means, of standard deviations and of people: each of the treated arm, then the comparator; one each
        where ``columns.arm`` says that there is a line for each arm.
    measure
        ``MD``, ``SMD`` (Hedges' g) or ``ROM`` (the logarithm of the ratio of means).
    columns
        Its label, study, shared comparator, moderators and arms.

    Raises
    ------
    EvidenceError, StudyError, UsageError
        With file, row and column.
    """
    check_word(measure, MEASURES_OF_MEANS, "there is no such measure of means", key="--measure")
    table, arms, columns = _table(path, sheet, columns, arms)
    for key, names in zip(("--mean", "--sd", "--total"), arms, strict=True):
        if len(names) != 2 or names[0] == names[1]:
            raise UsageError("two arms have a column each", key=key, found=",".join(names),
                             allowed="treatment,comparator", fix="name a column for each arm")  # fmt: skip
    mean, sd = (np.array([table.sheet.numbers(name) for name in names]) for names in arms[:2])
    people = np.array([table.counts(name) for name in arms[2]], dtype=float)
    least = [(arms[1], sd, 0, "correct it"), (arms[2], people, 1, "correct it")]
    if measure == "ROM":
        least.insert(0, (arms[0], mean, 0, "correct it, or take --measure MD or SMD: this mean has no logarithm"))
    for names, values, bound, fix in least:
        table.above(names, values, f"this must be greater than {bound}", fix, bound)
    y, variance, own = _of_means(measure, mean, sd, people)
    names = [name for one in arms for name in one]
    scale = "log ratio" if measure == "ROM" else "difference"
    rows = LogRatios(table.labels(columns.label, names, columns.study), y, np.sqrt(variance), scale=scale,
                     source="; ".join(filter(None, [table.source, MEASURES_OF_MEANS[measure]])))  # fmt: skip
    rows = table.grouped(rows, columns.study, columns.shared, columns.moderators, own)
    texts = [[f"{value:.12g}" for value in values] for values in (y, rows.se)]
    asked = doubts_of_spreads(DEVIATION, arms[1])
    asked += doubts_of_ratios(rows.labels, y, rows.se, ("diff", ""), texts, columns.grouped)
    if not columns.grouped:
        asked += doubts_of_arms(rows.labels, [*zip(*np.stack([mean, sd, people])[:, 1].tolist(), strict=True)])
    ask(asked, confirm, table.sheet, rows.labels)
    return rows


def _of_means(measure: str, mean: np.ndarray, sd: np.ndarray, n: np.ndarray) -> tuple[Any, Any, np.ndarray]:
    """Estimates, their variances, and the part of those that is the comparator's own (row)."""
    if measure == "MD":
        parts = sd**2 / n
        return mean[0] - mean[1], parts.sum(axis=0), parts[1]
    if measure == "ROM":
        parts = sd**2 / (n * mean**2)
        return np.log(mean[0] / mean[1]), parts.sum(axis=0), parts[1]
    df = n.sum(axis=0) - 2
    pooled = np.sqrt((((n - 1) * sd**2).sum(axis=0)) / df)
    from scipy.special import gammaln

    small = np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)  # Hedges' exact factor
    g = small * (mean[0] - mean[1]) / pooled
    return g, (1 / n).sum(axis=0) + g**2 / (2 * n.sum(axis=0)), 1 / n[1]


_ONE = re.compile(rf"\s*({_NUMBER})\s*(?:±|\+/-|\+-)\s*({_NUMBER})\s*")
_RATIO = re.compile(rf"\s*({_NUMBER})\s*[(\[]\s*({_NUMBER})\s*(?:to|;|,|–|-)\s*({_NUMBER})\s*[)\]]\s*")


@checked
def estimate_from(text: str, level: float = 0.95, scale: str = "") -> LogRatios:
    """Read one estimate: with its standard error, or a ratio with its interval.

    Parameters
    ----------
    level
        Confidence level of the interval.
    scale
        What an estimate with a standard error is: ``log ratio`` (where nothing is said) or ``difference``.

    Raises
    ------
    UsageError
        If it is neither, or an interval does not hold its ratio.

    Examples
    --------
    >>> estimate_from("0.60 (0.42 to 0.85)").se.round(3).tolist()
    [0.18]
    """
    from scipy.stats import norm

    plain = text.replace("\u2212", "-")
    if match := _ONE.fullmatch(plain):
        y, se, what = float(match[1]), float(match[2]), scale or "log ratio"
    elif match := _RATIO.fullmatch(plain):
        ratio, low, high = (float(part) for part in match.groups())
        if not 0 < low <= ratio <= high or low == high:
            raise UsageError("an interval of a ratio holds it, above zero", key="--estimate", found=text,
                             fix="correct it; write differences as '-0.51 ± 0.18'")  # fmt: skip
        y, what = float(np.log(ratio)), "log ratio"
        se = float(np.log(high / low) / (2 * norm.isf((1 - level) / 2)))
    else:
        raise UsageError("this is no estimate", key="--estimate", found=text,
                         allowed="'-0.51 ± 0.18' or '0.60 (0.42 to 0.85)'", fix="write one of the two")  # fmt: skip
    return LogRatios(("estimate",), np.array([y]), np.array([se]), text.strip(), what)
