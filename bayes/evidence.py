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
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from bayes.errors import EvidenceError, closest, number_fix
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
    "check_names",
    "likelihood",
    "parse_table",
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


@dataclass(frozen=True, slots=True, kw_only=True)
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
        """The study (or country) the row belongs to; the row itself where it has neither."""
        return str(getattr(self, "study", None) or getattr(self, "country", None) or self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRow(Row):
    """How many of those who entered were still in treatment after ``years``."""

    study: str
    years: float | None = _number(_POSITIVE, optional=True)
    retained: float | None = _count(optional=True)
    entered: float | None = _count(optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow(Row):
    """How many of a country's opioid-maintenance clients are on prescribed heroin."""

    country: str
    patients: float | None = _count(optional=True)
    clients: float | None = _count(optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
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
_PART = {"any": "value", "retention": "retained", "coverage": "patients"}
_WHOLE = {"total": "persons", "any": "persons", "retention": "entered", "coverage": "clients"}


def read_evidence(folder: Path) -> dict[str, tuple[Row, ...]]:
    """Read all tables of a folder and refuse double counting within them.

    Raises
    ------
    EvidenceError
        With file, row and column, for anything impossible.
    """
    tables = {name: read_table(folder / f"{name}.csv", name) for name in TABLES}
    check_names(tables, folder)
    check_double_counting(tables, {}, folder)
    return tables


def check_names(tables: Mapping[str, tuple[Row, ...]], folder: Path) -> None:
    """Refuse two rows of one name, in whatever tables.

    Raises
    ------
    EvidenceError
        Naming both places.
    """
    seen: dict[str, str] = {}
    for name, rows in tables.items():
        for row in rows:
            if row.row in seen:
                raise EvidenceError(
                    "this row stands twice",
                    file=folder / f"{name}.csv",
                    table=row.row,
                    key="row",
                    found=f"also in {seen[row.row]}.csv" if seen[row.row] != name else row.row,
                    allowed="a name that no other row of any table has",
                    fix="rename or remove one",
                )
            seen[row.row] = name


def read_table(path: Path, name: str) -> tuple[Row, ...]:
    """Read one CSV table of evidence into its row class.

    Raises
    ------
    EvidenceError
        With file, row and column.
    """
    return parse_table(read_text(path), path, name)


def parse_table(text: str, path: Path, name: str) -> tuple[Row, ...]:
    """Turn the text of a CSV table into its row class; ``path`` is what messages name.

    Raises
    ------
    EvidenceError
        With file, row and column.
    """
    kind = TABLES[name]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise EvidenceError(
            "this is not valid CSV",
            file=path,
            found=f"line {reader.line_num}: {error}",
            allowed="cells separated by commas, quoted where they contain a comma",
            fix="close the quotes, and double a quote inside a cell",
        ) from None
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    _check_header(header, [f.name for f in fields(kind)], path)
    return tuple(_row(kind, name, _named(header, cells, path, line), path) for line, cells in lines[1:])


def _check_header(header: Sequence[str], columns: Sequence[str], path: Path) -> None:
    for column in header:
        if column not in columns:
            raise EvidenceError(
                "this column is not known",
                file=path,
                key=column,
                found=column,
                allowed=columns,
                fix=closest(column, columns) or "remove it",
            )
        if header.count(column) > 1:
            raise EvidenceError("this column stands twice", file=path, key=column, found=list(header), fix="remove one")
    for column in columns:
        if column not in header:
            raise EvidenceError(
                "this column is missing",
                file=path,
                key=column,
                found=list(header),
                allowed=columns,
                fix="add the column; its cells may be empty where a row has no such number",
            )


def _named(header: Sequence[str], cells: Sequence[str], path: Path, line: int) -> dict[str, str]:
    if len(cells) != len(header):
        raise EvidenceError(
            "this line has not as many cells as the header",
            file=path,
            table=f"line {line}",
            found=f"{len(cells)} cells: {cells[0]}, …",
            allowed=f"{len(header)} cells",
            fix="quote cells that contain a comma, and keep the commas of empty cells",
        )
    return {column: cell.strip() for column, cell in zip(header, cells, strict=True)}


def likelihood(rows: Iterable[Row]) -> list[Any]:
    """Keep the rows that enter the likelihood."""
    return [row for row in rows if row.use == "likelihood"]


def check_double_counting(
    tables: Mapping[str, tuple[Row, ...]], prior_data_sets: Mapping[str, str], folder: Path
) -> None:
    """Refuse evidence that would enter twice.

    The rules:

    1. a data set enters at most one likelihood row over all tables;
    2. a data set that stands behind a prior (``prior_data_sets``: data set to quantity) enters none;
    3. a study has at most one contrast, and at most one change for each arm;
    4. a study with a contrast has no change of its heroin arm beside it: the contrast already holds that arm;
    5. a study with a contrast and a change of its comparator says which data they share (``shared_arm``);
    6. a country has one coverage.

    Names of data sets are compared without regard to case and spacing.

    Raises
    ------
    EvidenceError
        Naming both places.
    """
    behind = {_same(data_set): quantity for data_set, quantity in prior_data_sets.items()}
    seen: dict[tuple[str, str], Row] = {}
    for name, rows in tables.items():
        for row in likelihood(rows):
            for what, key in _identities(name, row):
                other = seen.setdefault((what, _same(key)), row)
                if other is not row:
                    raise _twice(folder / f"{name}.csv", row, f"one {what}", key, f"row {other.row!r}")
            if _same(row.data_set) in behind:
                quantity = behind[_same(row.data_set)]
                raise _twice(folder / f"{name}.csv", row, "one data set", row.data_set, f"prior {quantity!r}")
    _check_arms(tables, folder)


def _same(text: str) -> str:
    return " ".join(text.casefold().split())


def _identities(table: str, row: Any) -> list[tuple[str, str]]:
    """What a likelihood row must not share with another."""
    own = {
        "trials": lambda: [("contrast of a study", row.study)],
        "prepost": lambda: [(f"change of the {row.arm} arm of a study", row.study)],
        "coverage": lambda: [("coverage of a country", row.country)],
    }
    return [("data set", row.data_set), *own.get(table, list)()]


def _twice(file: Path, row: Row, what: str, name: str, through: str) -> EvidenceError:
    return EvidenceError(
        f"{what} would be counted twice",
        file=file,
        table=row.row,
        key="use",
        found=f"{name}, which already enters through {through}",
        allowed="one way into the posterior for each data set",
        fix="set use = provenance or use = excluded here, or retire the other",
    )


def _check_arms(tables: Mapping[str, tuple[Row, ...]], folder: Path) -> None:
    """Rules 4 and 5, and that no arm is shared by two studies."""
    files = {id(row): folder / f"{name}.csv" for name, rows in tables.items() for row in rows}
    contrasts = {_same(row.study): row for row in likelihood(tables.get("trials", ()))}
    changes = likelihood(tables.get("prepost", ()))
    first: dict[str, Any] = {}
    for row in [*contrasts.values(), *changes]:
        other = first.setdefault(row.shared_arm, row)
        if row.shared_arm and _same(other.study) != _same(row.study):
            raise _unfit(row, files[id(row)], "shared_arm", f"two studies cannot share an arm: see row {other.row!r}",
                         "an arm of the row's own study", "name the arm after its study")  # fmt: skip
    for change in changes:
        contrast = contrasts.get(_same(change.study))
        if contrast is not None and change.arm == "heroin":
            raise _twice(
                files[id(change)], change, "the heroin arm of one study", change.study, f"row {contrast.row!r}"
            )
        if contrast is not None:
            _check_shared(change, contrast, files[id(change)])


def _check_shared(change: Any, contrast: Any, file: Path) -> None:
    """The change of a comparator arm beside a contrast with it: one arm, one shared error, a covariance."""
    other = f"row {contrast.row!r}"
    if not change.shared_arm or change.shared_arm != contrast.shared_arm:
        raise _unfit(change, file, "shared_arm", f"this arm also enters through {other}",
                     f"the same words as in {other}: {contrast.shared_arm!r}",
                     "fill shared_arm and shared_se in both rows")  # fmt: skip
    if change.shared_se != contrast.shared_se or not change.shared_se**2 < change.se * contrast.se:
        raise _unfit(change, file, "shared_se", f"the error shared with {other} is not a covariance",
                     f"{contrast.shared_se}, as in {other}, and its square less than the product of the two se",
                     "write one number in both rows, below both se")  # fmt: skip


def _row(kind: type[Row], table: str, raw: Mapping[str, str], path: Path) -> Row:
    name = raw["row"] or "(unnamed)"
    for key in ("row", "data_set", "why", "source", "locator"):
        if not raw[key]:
            raise EvidenceError(
                "this cell is empty", file=path, table=name, key=key, found="", fix="say it in a few words"
            )
    row = kind(**{f.name: _cell(f, raw[f.name], path, name) for f in fields(kind)})
    if row.use == "likelihood":
        _check_likelihood(row, table, path)
    return row


_DIGITS = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)\Z", re.IGNORECASE)


def _cell(column: Field[Any], text: str, path: Path, name: str) -> Any:
    def error(problem: str, allowed: str | Iterable[str], fix: str) -> EvidenceError:
        return EvidenceError(problem, file=path, table=name, key=column.name, found=text, allowed=allowed, fix=fix)

    meta = column.metadata
    if "allowed" in meta and text not in meta["allowed"]:
        raise error("this word is not allowed here", meta["allowed"], closest(text, meta["allowed"]) or "choose one")
    if "lower" not in meta:
        return text
    if not text:
        return None
    if not _NOT_FINITE.match(text) and not _DIGITS.match(text):
        fix = number_fix(text) or "write it without a thousands separator"
        raise error("this is not a number", "digits with a decimal point", fix)
    value = float(text)
    if not math.isfinite(value):
        unknown = "leave the cell empty and set use = excluded if it is unknown"
        raise error("this number is not finite", "a finite number", unknown)
    if meta.get("whole") and value != math.floor(value):
        raise error("a count is a whole number", "0, 1, 2, …", "correct the count")
    if not meta["lower"] <= value <= meta["upper"]:
        low, high = meta["lower"], meta["upper"]
        allowed = "greater than 0" if low == _POSITIVE else f"{low:g} to {high:g}".replace(" to inf", " or more")
        raise error("this number is out of range", allowed, "correct it")
    return value


# --- what a likelihood row needs -------------------------------------------------------------


def _check_likelihood(row: Row, table: str, path: Path) -> None:
    kind = getattr(row, "measure", table)
    if row.status == "recalled":
        raise _unfit(row, path, "status", "an unverified figure never enters a likelihood", "any status but recalled",
                     "verify the source, or set use = provenance")  # fmt: skip
    for key in _NEEDED[kind]:
        if getattr(row, key) is None:
            raise _unfit(row, path, key, "a likelihood row needs this number", "a number",
                         "fill the cell, or set use = excluded")  # fmt: skip
    if table == "offending":
        for key in ("persons", "days", "se"):
            if key not in _NEEDED[kind] and getattr(row, key) is not None:
                raise _unfit(row, path, key, f"a row of measure {kind} does not use this number", "an empty cell",
                             "empty the cell, or choose another measure")  # fmt: skip
    _check_counts(row, kind, path)
    _check_scales(row, kind, path)
    if hasattr(row, "se_kind"):
        _check_errors(row, path)


def _unfit(row: Row, path: Path, key: str, problem: str, allowed: str, fix: str) -> EvidenceError:
    found = getattr(row, key)
    found = "" if found is None else found
    return EvidenceError(problem, file=path, table=row.row, key=key, found=found, allowed=allowed, fix=fix)


def _check_counts(row: Row, kind: str, path: Path) -> None:
    """Part and whole of a count: whole numbers, somebody there, no more events than heads."""
    if kind in ("total", "any") and getattr(row, "value") % 1:  # noqa: B009
        raise _unfit(row, path, "value", "a count is a whole number", "0, 1, 2, …", "correct the count")
    whole = _WHOLE.get(kind)
    if whole and not getattr(row, whole):
        raise _unfit(
            row, path, whole, "a share of nobody tells nothing", "1 or more", "correct it or set use = excluded"
        )
    if kind in _PART:
        part, most = getattr(row, _PART[kind]), getattr(row, str(whole))
        if part > most:
            raise _unfit(row, path, _PART[kind], f"{_PART[kind]} cannot exceed {whole}", f"0 to {most:g}",
                         "correct one of the two")  # fmt: skip


def _check_scales(row: Any, kind: str, path: Path) -> None:
    """Numbers whose logarithm or log odds the model takes."""
    if kind == "log_mean" and not row.value > 0:
        raise _unfit(row, path, "value", "a mean of zero has no logarithm", "greater than 0", "correct it")
    if kind == "log_odds_any" and not 0 < row.value < 1:
        raise _unfit(row, path, "value", "a share lies between 0 and 1", "greater than 0 and less than 1",
                     "write 81 % as 0.81")  # fmt: skip
    if kind == "ceiling" and not 0 < row.lower < row.upper:
        raise _unfit(row, path, "lower", "a range has a lower and a higher end above zero",
                     f"greater than 0 and less than upper, {row.upper:g}", "correct the ends")  # fmt: skip


def _check_errors(row: Any, path: Path) -> None:
    """Standard errors of log ratios: known in kind, and shared in pairs."""
    if row.se_kind == "none":
        raise _unfit(row, path, "se_kind", "a likelihood row says where its standard error comes from",
                     "published, derived, stated", "choose one")  # fmt: skip
    if bool(row.shared_arm) != (row.shared_se is not None):
        raise _unfit(row, path, "shared_se", "shared_arm and shared_se go together", "both or neither",
                     "fill or empty both")  # fmt: skip
