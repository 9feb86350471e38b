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

The remaining columns are the fields of the table's record; an open table has any, and needs ``row`` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bayes.errors import EvidenceError
from bayes.provenance import STATUSES
from bayes.records import Open, number, rows_of, text, values_of, word
from bayes.sheets import Sheet, is_total, read_sheet, same

__all__ = ["FACTS", "FactRow", "OpenRow", "Row", "Table", "check_double_counting", "check_names", "check_part",
           "likelihood", "once_more", "parse_table", "read_evidence", "unfit"]  # fmt: skip

type Where = Path | tuple[Path, int]
"""A file, or a file and its line."""

USES = ("likelihood", "provenance", "excluded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every row of evidence says about itself."""

    row: str = text(filled=True)
    data_set: str = text(filled=True)
    use: str = word(*USES)
    why: str = text(filled=True)
    source: str = text(filled=True)
    locator: str = text(filled=True)
    status: str = word(*STATUSES)
    note: str = text()

    @property
    def group(self) -> str:
        """The study (or country) the row belongs to; the row itself where it has neither."""
        return str(getattr(self, "study", None) or getattr(self, "country", None) or self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow(Open, Row):
    """A row of a table whose further columns are named by its file; they are its attributes."""

    data_set: str = text(default="")
    use: str = word(*USES, default="likelihood")
    why: str = text(default="")
    source: str = text(default="")
    locator: str = text(default="")
    status: str = word(*STATUSES, default="")
    note: str = text(default="")
    free: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """The study (or country, or group) the row belongs to; the row itself where it has none."""
        return str(next(filter(None, map(self.free.get, ("study", "country", "group"))), self.row))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of evidence.

    Parameters
    ----------
    row
        The record of a row: its columns.
    least
        How many rows must enter the likelihood.
    check
        Refuses a row of the likelihood that is impossible; its file is given for the error.
    once
        What no two rows of the likelihood share, as words and key: ``{"coverage of a country": "Denmark"}``.
    optional
        Whether a study may lack it.
    """

    row: type[Row] = OpenRow
    least: int = 0
    check: Callable[[Any, Path], None] | None = None
    once: Callable[[Any], Mapping[str, str]] | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow(OpenRow):
    """A published figure that the model is compared with and never fitted to (:mod:`bayes.facts`).

    ``quantity`` says what of the model predicts ``value``; further columns are what that prediction takes.
    """

    use: str = word("check", "excluded", default="check")
    quantity: str = text(filled=True)
    value: float | None = number()


FACTS = Table(row=FactRow, optional=True)
"""The table ``facts.csv`` of any study."""


def read_evidence(folder: Path, tables: Mapping[str, Table]) -> dict[str, tuple[Row, ...]]:
    """Read tables of a folder, all its CSV files where none are named, and refuse double counting within them.

    Raises
    ------
    EvidenceError
        With file, row and column, for anything impossible.
    """
    named = tables or {path.stem: FACTS if path.stem == "facts" else Table() for path in sorted(folder.glob("*.csv"))}
    found = {name: parse_table(read_sheet(path), table) for name, table in named.items()
             for path in (folder / f"{name}.csv",) if path.exists() or not table.optional}  # fmt: skip
    check_names(found, folder)
    check_double_counting(found, {}, folder, named)
    return found


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
                    "this row stands twice", file=folder / f"{name}.csv", table=row.row, key="row",
                    found=f"also in {seen[row.row]}.csv" if seen[row.row] != name else row.row,
                    allowed="a name that no other row of any table has", fix="rename or remove one",
                )  # fmt: skip
            seen[row.row] = name


def parse_table(sheet: Sheet, table: Table) -> tuple[Row, ...]:
    """Turn a sheet into the rows of a table of evidence.

    Raises
    ------
    EvidenceError
        With file, row and column.
    """
    rows = rows_of(table.row, sheet)
    for line, row in zip(sheet.lines, rows, strict=True):
        if row.use == "likelihood":
            _check_likelihood(row, (sheet.path, line))
    for row in likelihood(rows):
        if table.check is not None:
            table.check(row, sheet.path)
    return rows


def likelihood(rows: Iterable[Row]) -> list[Any]:
    """Keep the rows that enter the likelihood."""
    return [row for row in rows if row.use == "likelihood"]


def _check_likelihood(row: Row, path: Where) -> None:
    """Check that a row of the likelihood is verified, has its numbers, and that no part exceeds its whole."""
    if row.status == "recalled":
        raise unfit(row, path, "status", "an unverified figure never enters a likelihood", "any status but recalled",
                    "verify the source, or set use = provenance")  # fmt: skip
    for key in ("row", "study", "country"):
        if is_total(str(values_of(row).get(key) or "")):
            raise unfit(row, path, key, "this row seems to pool the others, which would be counted twice",
                        "a row of its own", "remove it, set use = excluded, or rename it")  # fmt: skip
    for f in fields(row):
        if f.metadata.get("needed"):
            check_needed(row, path, f.name)
    for f in fields(row):
        if f.metadata.get("part_of"):
            check_part(row, path, f.name, f.metadata["part_of"])


def check_needed(row: Row, path: Where, key: str) -> None:
    """Refuse a row of the likelihood without a number it needs."""
    if getattr(row, key) is None:
        raise unfit(row, path, key, "a likelihood row needs this number", "a number",
                    "fill the cell, or set use = excluded")  # fmt: skip


def check_part(row: Row, path: Where, part: str, whole: str) -> None:
    """Refuse a part of nobody, and a part that is more than the whole."""
    check_somebody(row, path, whole)
    if getattr(row, part) > getattr(row, whole):
        raise unfit(row, path, part, f"{part} cannot exceed {whole}", f"0 to {getattr(row, whole):g}",
                    "correct one of the two")  # fmt: skip


def check_somebody(row: Row, path: Where, whole: str) -> None:
    """Refuse a row that counts nobody."""
    if not getattr(row, whole):
        raise unfit(row, path, whole, "a share of nobody tells nothing", "1 or more",
                    "correct it or set use = excluded")  # fmt: skip


def unfit(row: Row, path: Where, key: str, problem: str, allowed: str, fix: str) -> EvidenceError:
    """Return the error that says what is wrong with a cell of a row."""
    found = getattr(row, key)
    return EvidenceError(problem, file=path, table=row.row, key=key, found="" if found is None else found,
                         allowed=allowed, fix=fix)  # fmt: skip


# --- nothing enters twice --------------------------------------------------------------------


def check_double_counting(
    rows: Mapping[str, tuple[Row, ...]], prior_data_sets: Mapping[str, str], folder: Path,
    tables: Mapping[str, Table],
) -> None:  # fmt: skip
    """Refuse evidence that would enter twice.

    A data set enters at most one likelihood row over all tables; one that stands behind a prior (``prior_data_sets``:
    data set to quantity) enters none; and rows of a table do not share what the table says stands ``once``. Names are
    compared by :func:`bayes.sheets.same`.

    Raises
    ------
    EvidenceError
        Naming both places.
    """
    behind = {same(data_set): quantity for data_set, quantity in prior_data_sets.items()}
    seen: dict[tuple[str, str], Row] = {}
    for name, found in rows.items():
        once = tables[name].once if name in tables else None
        for row in likelihood(found):
            own = {"data set": row.data_set} if row.data_set else {}
            for what, key in {**own, **(once(row) if once else {})}.items():
                other = seen.setdefault((what, same(key)), row)
                if other is not row:
                    raise once_more(folder / f"{name}.csv", row, f"one {what}", key, f"row {other.row!r}")
            if row.data_set and same(row.data_set) in behind:
                quantity = behind[same(row.data_set)]
                raise once_more(folder / f"{name}.csv", row, "one data set", row.data_set, f"prior {quantity!r}")


def once_more(file: Path, row: Row, what: str, name: str, through: str) -> EvidenceError:
    """Return the error that says through what a row's data enter already."""
    return EvidenceError(
        f"{what} would be counted twice", file=file, table=row.row, key="use",
        found=f"{name}, which already enters through {through}",
        allowed="one way into the posterior for each data set",
        fix="set use = provenance or use = excluded here, or retire the other",
    )  # fmt: skip
