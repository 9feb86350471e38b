"""Published evidence: rows of CSV become frozen records, checked field by field.

Every table has the same first columns, which say what a row is and how it is used:

``row``
    a name, unique over all tables;
``data_set``
    the data behind the row. Two rows of one data set never both enter a likelihood, and a data set
    behind a prior never enters one: :func:`check_double_counting` refuses them;
``use``, ``why``
    ``likelihood``, ``provenance`` (kept for its story) or ``excluded``, and the reason;
``source``, ``locator``, ``status``, ``note``
    where it was read, how, and what a reader should know.

The remaining columns are the fields of the row classes below.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from bayes.errors import EvidenceError, closest
from bayes.files import read_text
from bayes.provenance import STATUSES

__all__ = [
    "TABLES",
    "CeilingRow",
    "ChangeRow",
    "CoverageRow",
    "OffendingRow",
    "RetentionRow",
    "Row",
    "TrialRow",
    "check_double_counting",
    "likelihood",
    "read_evidence",
    "read_table",
]

USES = ("likelihood", "provenance", "excluded")


def _word(*allowed: str) -> Any:
    return field(metadata={"allowed": allowed})


def _number(lower: float = -math.inf, upper: float = math.inf, optional: bool = False) -> Any:
    return field(metadata={"lower": lower, "upper": upper, "optional": optional})


def _count(optional: bool = False) -> Any:
    return field(metadata={"lower": 0, "upper": math.inf, "whole": True, "optional": optional})


_POSITIVE = 1e-12


@dataclass(frozen=True, slots=True)
class Row:
    """What every row of evidence says about itself."""

    row: str
    data_set: str
    use: str = _word(*USES)
    why: str
    source: str
    locator: str
    status: str = _word(*STATUSES)
    note: str

    @property
    def group(self) -> str:
        """The study (or country, or quantity) the row belongs to."""
        return str(getattr(self, "study", None) or getattr(self, "country", None) or self.row)


@dataclass(frozen=True, slots=True)
class OffendingRow(Row):
    """A study of how often people offend.

    ``measure`` says how the row enters: ``total`` (offences of ``persons`` people in ``days`` days, a
    negative-binomial total), ``any`` (how many of ``persons`` offended at all in ``days`` days, binomial),
    ``log_mean`` (mean a year ``value`` with standard error ``se`` on the log scale), ``log_odds_any``
    (share ``value`` with any offence, standard error ``se`` of its log odds).
    """

    study: str
    population: str = _word("refractory", "entrants", "arrestees", "all_users")
    measure: str = _word("total", "any", "log_mean", "log_odds_any")
    persons: float | None = _count(optional=True)
    days: float | None = _number(_POSITIVE, optional=True)
    value: float | None = _number(0, optional=True)
    se: float | None = _number(_POSITIVE, optional=True)


@dataclass(frozen=True, slots=True)
class TrialRow(Row):
    """A contrast between prescribed heroin and a comparator: log ratio ``y``, standard error ``se``.

    Rows with the same ``shared_arm`` were computed from the same arm. Their errors covary by
    ``sign_i * sign_j * shared_se**2``: a contrast carries the shared arm with sign -1, the change of that
    arm with sign +1.
    """

    study: str
    outcome: str = _word("count", "prevalence", "composite")
    design: str = _word("randomised", "completers", "untreated")
    y: float | None = _number(optional=True)
    se: float | None = _number(_POSITIVE, optional=True)
    se_kind: str = _word("published", "derived", "stated", "none")
    shared_arm: str
    shared_se: float | None = _number(_POSITIVE, optional=True)


@dataclass(frozen=True, slots=True)
class ChangeRow(Row):
    """A change from before to after in one arm: log ratio ``y``, standard error ``se``.

    ``arm`` is ``comparator`` (measures the drift gamma) or ``heroin`` (measures theta + gamma).
    """

    study: str
    arm: str = _word("comparator", "heroin")
    outcome: str = _word("count", "prevalence", "odds")
    y: float | None = _number(optional=True)
    se: float | None = _number(_POSITIVE, optional=True)
    se_kind: str = _word("published", "derived", "stated", "none")
    shared_arm: str
    shared_se: float | None = _number(_POSITIVE, optional=True)


@dataclass(frozen=True, slots=True)
class RetentionRow(Row):
    """How many of those who entered were still in treatment after ``years``."""

    study: str
    years: float | None = _number(_POSITIVE, optional=True)
    retained: float | None = _count(optional=True)
    entered: float | None = _count(optional=True)


@dataclass(frozen=True, slots=True)
class CoverageRow(Row):
    """How many of a country's opioid-maintenance clients are on prescribed heroin."""

    country: str
    patients: float | None = _count(optional=True)
    clients: float | None = _count(optional=True)


@dataclass(frozen=True, slots=True)
class CeilingRow(Row):
    """A range for a total of crimes a year: ``lower`` to ``upper`` holds probability ``prob``."""

    quantity: str = _word("drug_related_victim_crimes", "victim_crimes", "drug_related_share")
    lower: float | None = _number(0, optional=True)
    upper: float | None = _number(0, optional=True)
    prob: float | None = _number(0.01, 0.999, optional=True)


TABLES: dict[str, type[Row]] = {
    "offending": OffendingRow,
    "trials": TrialRow,
    "prepost": ChangeRow,
    "retention": RetentionRow,
    "coverage": CoverageRow,
    "ceiling": CeilingRow,
}

_NEEDED: dict[str, tuple[str, ...]] = {
    "total": ("persons", "days", "value"),
    "any": ("persons", "days", "value"),
    "log_mean": ("value", "se"),
    "log_odds_any": ("value", "se", "days"),
    "trials": ("y", "se"),
    "prepost": ("y", "se"),
    "retention": ("years", "retained", "entered"),
    "coverage": ("patients", "clients"),
    "ceiling": ("lower", "upper", "prob"),
}
_PART_OF_WHOLE = {"any": ("value", "persons"), "retention": ("retained", "entered"), "coverage": ("patients", "clients")}


def read_evidence(folder: Path) -> dict[str, tuple[Row, ...]]:
    """Read all tables of a folder and refuse double counting within them.

    Raises
    ------
    EvidenceError
        With file, row and column, for anything impossible.
    """
    tables = {name: read_table(folder / f"{name}.csv", name) for name in TABLES}
    seen: dict[str, str] = {}
    for name, rows in tables.items():
        for row in rows:
            if row.row in seen:
                raise EvidenceError("this row stands twice", file=folder / f"{name}.csv", table=row.row, key="row",
                                    found=row.row, fix=f"rename or remove one; the other is in {seen[row.row]}.csv")
            seen[row.row] = name
    check_double_counting(tables, {}, folder)
    return tables


def read_table(path: Path, name: str) -> tuple[Row, ...]:
    """Read one CSV table of evidence into its row class."""
    kind = TABLES[name]
    columns = [f.name for f in fields(kind)]
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        raw = list(reader)
    except csv.Error as error:
        raise EvidenceError("this is not valid CSV", file=path, found=f"line {reader.line_num}: {error}") from None
    header = reader.fieldnames or []
    for column in header:
        if column not in columns:
            raise EvidenceError("this column is not known", file=path, key=column, allowed=columns,
                                fix=closest(column, columns) or "remove it")
    for column in columns:
        if column not in header:
            raise EvidenceError("this column is missing", file=path, key=column, fix="add the column")
    if len(set(header)) < len(header):
        raise EvidenceError("a column stands twice", file=path, found=header, fix="remove one")
    return tuple(_row(kind, name, values, path, number) for number, values in enumerate(raw, start=2))


def likelihood(rows: Iterable[Row]) -> list[Any]:
    """Keep the rows that enter the likelihood."""
    return [row for row in rows if row.use == "likelihood"]


def check_double_counting(
    tables: Mapping[str, tuple[Row, ...]], prior_data_sets: Mapping[str, str], folder: Path
) -> None:
    """Refuse evidence that would enter twice.

    Three rules: a data set enters at most one likelihood row over all tables; a study has at
    most one contrast and at most one change per arm; a data set that stands behind a prior
    (``prior_data_sets``: data set to quantity) never enters a likelihood.

    Raises
    ------
    EvidenceError
        Naming both places.
    """
    seen: dict[tuple[str, str], Row] = {}
    for name, rows in tables.items():
        for row in likelihood(rows):
            keys = [("data set", row.data_set)]
            if name == "trials":
                keys.append(("contrast of study", row.study))
            if name == "prepost":
                keys.append((f"{row.arm} arm of study", row.study))
            for key in keys:
                other = seen.setdefault(key, row)
                if other is not row:
                    raise EvidenceError(
                        f"one {key[0]} would be counted twice", file=folder / f"{name}.csv", table=row.row, key="use",
                        found=f"{key[1]!r}, which already enters through row {other.row!r}",
                        fix="set use = excluded or provenance in one of the two",
                    )
            if row.data_set in prior_data_sets:
                raise EvidenceError(
                    "these data already stand behind a prior", file=folder / f"{name}.csv", table=row.row, key="use",
                    found=f"{row.data_set!r}, the source of prior {prior_data_sets[row.data_set]!r}",
                    fix="set use = provenance, or give the prior another source",
                )


def _row(kind: type[Row], table: str, raw: Mapping[str | None, Any], path: Path, line: int) -> Row:
    name = raw.get("row") or f"line {line}"
    if None in raw or None in raw.values():
        raise EvidenceError("this line has not as many cells as the header", file=path, table=f"line {line}",
                            fix="quote cells that contain a comma")
    values = {f.name: _cell(f, str(raw[f.name]).strip(), path, name) for f in fields(kind)}
    for key in ("row", "data_set", "why", "source", "locator"):
        if not values[key]:
            raise EvidenceError("this cell is empty", file=path, table=name, key=key, fix="say it in a few words")
    row = kind(**values)
    if row.use == "likelihood":
        _check_likelihood(row, table, path)
    return row


def _cell(column: Field[Any], text: str, path: Path, name: str) -> Any:
    meta = column.metadata
    if "allowed" in meta and text not in meta["allowed"]:
        raise EvidenceError("this word is not allowed here", file=path, table=name, key=column.name, found=text,
                            allowed=meta["allowed"], fix=closest(text, meta["allowed"]) or "choose one")
    if "lower" not in meta:
        return text
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise EvidenceError("this is not a number", file=path, table=name, key=column.name, found=text,
                            fix="write digits with a decimal point and no thousands separator") from None
    if not math.isfinite(value):
        raise EvidenceError("this number is not finite", file=path, table=name, key=column.name, found=text,
                            fix="leave the cell empty and set use = excluded if it is unknown")
    if meta.get("whole") and value != math.floor(value):
        raise EvidenceError("a count is a whole number", file=path, table=name, key=column.name, found=text)
    if not meta["lower"] <= value <= meta["upper"]:
        below = "greater than 0" if meta["lower"] == _POSITIVE else f"{meta['lower']:g} to {meta['upper']:g}"
        raise EvidenceError("this number is out of range", file=path, table=name, key=column.name, found=text,
                            allowed=below.replace(" to inf", " or more"))
    return value


def _check_likelihood(row: Row, table: str, path: Path) -> None:
    if row.status == "recalled":
        raise EvidenceError("an unverified figure never enters a likelihood", file=path, table=row.row, key="status",
                            found="recalled", fix="verify the source, or set use = provenance")
    kind = getattr(row, "measure", table)
    for key in _NEEDED[kind]:
        if getattr(row, key) is None:
            raise EvidenceError("a likelihood row needs this number", file=path, table=row.row, key=key,
                                fix="fill the cell, or set use = excluded")
    if kind in _PART_OF_WHOLE:
        part, whole = _PART_OF_WHOLE[kind]
        if getattr(row, part) > getattr(row, whole):
            raise EvidenceError(f"{part} cannot exceed {whole}", file=path, table=row.row, key=part,
                                found=f"{getattr(row, part):g} of {getattr(row, whole):g}", fix="correct one of them")
    if table == "offending" and row.population != "refractory" and kind == "log_mean" and not row.value:
        raise EvidenceError("a mean of zero has no logarithm", file=path, table=row.row, key="value", found=0)
    shared = getattr(row, "shared_arm", ""), getattr(row, "shared_se", None)
    if bool(shared[0]) != (shared[1] is not None):
        raise EvidenceError("shared_arm and shared_se go together", file=path, table=row.row, key="shared_se",
                            found=shared, fix="fill both or neither")
    if table == "ceiling" and not 0 < row.lower < row.upper:
        raise EvidenceError("a range has a lower and a higher end above zero", file=path, table=row.row, key="lower",
                            found=f"{row.lower:g} to {row.upper:g}")
    if kind == "log_odds_any" and not 0 < row.value < 1:
        raise EvidenceError("a share lies between 0 and 1", file=path, table=row.row, key="value", found=row.value)
