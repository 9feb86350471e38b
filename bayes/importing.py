"""Rows of evidence from sheets of trials, through a map of columns; checked like any row before anything is written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from pathlib import Path
from types import MappingProxyType

from bayes.errors import EvidenceError, UsageError, closest
from bayes.evidence import Row, Table, check_double_counting, check_names, parse_table
from bayes.files import csv_cell, read_text, write_text
from bayes.records import Open
from bayes.sheets import Sheet, read_sheet, sheet_of
from bayes.study import Schema, check_study, read_study

__all__ = ["import_rows", "pairs_of", "rows_sheet", "taken_note", "words_of"]


def import_rows(
    source: Path,
    target: Path,
    columns: Mapping[str, str],
    given: Mapping[str, str],
    *,
    sheet: str | None = None,
    schema: Schema | None = None,
) -> tuple[Row, ...]:
    """Add the rows of a sheet to a table of evidence, whole or not at all.

    Parameters
    ----------
    source
        A CSV file or an Excel workbook.
    target
        ``…/evidence/TABLE.csv`` of a study, or any file of such a name, which is then checked by itself. The file
        is made if it does not exist, its folder is not.
    columns
        Column of the table to column of the sheet. A column of the sheet that has the name of one of the table's needs
        no entry.
    given
        Column of the table to one text for every row.
    sheet
        Name of a sheet; the first by default.
    schema
        What a study of the question holds: the tables it has. Any table without one.

    Returns
    -------
    tuple of Row
        The rows that were added.

    Raises
    ------
    EvidenceError, StudyError, UsageError
        If the folder or a column is missing, a cell is wrong, a row is there already or stands twice, or data would be
        counted twice: with file, row and column. The target is then as it was.
    """
    held = schema or Schema()
    if (held.tables and target.stem not in held.tables) or target.suffix != ".csv":
        raise UsageError("there is no such table of evidence", file=target, found=target.name,
                         allowed=[f"{table}.csv" for table in held.tables or ("TABLE",)],
                         fix="name one of them")  # fmt: skip
    if not target.parent.is_dir():
        raise UsageError("this folder does not exist", file=target.parent, key="--to",
                         fix="name a table in evidence/ of a study, or make a study with 'bayes init DIR'")  # fmt: skip
    table = held.tables.get(target.stem, Table())
    read = read_sheet(source, sheet)
    mapped = rows_sheet(read, table, columns, given)
    try:
        added = parse_table(mapped, table)
    except EvidenceError as error:
        if error.key is None or error.key not in columns:
            raise
        raise error.retold(key=f"{error.key}, from column {columns[error.key]}") from None
    there = parse_table(read_sheet(target), table) if target.is_file() else ()
    _check_new(added, {row.row for row in there}, source, target)
    whole = _joined(target, mapped, {*columns, *given, *read.columns})
    _check(target, parse_table(sheet_of(whole, target), table), held)
    write_text(target, whole)
    return added


def _joined(target: Path, added: Sheet, said: Collection[str]) -> str:
    """The text of a table with rows after those it has, under its own header, which has every column that is said."""
    before = read_text(target) if target.is_file() else ""
    there = [*sheet_of(before, target).columns] if before else [*added.columns]
    lacking = [name for name in added.columns if name in said and name not in there and any(added.columns[name])]
    if lacking or (before.strip() and next(csv.reader([before.splitlines()[0]])) != there):
        raise EvidenceError("rows are added to a table in commas that begins with its header, and to columns it has",
                            file=target, key=", ".join(lacking) or None, found=before.splitlines()[0],
                            allowed=", ".join(there), fix="add these columns to its header and rows"
                            if lacking else "save it as CSV UTF-8 with commas, its header first")  # fmt: skip
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([] if before else [there])
    cells = (map(csv_cell, added.columns.get(name, ("",) * len(added.lines))) for name in there)
    writer.writerows(zip(*cells, strict=True))
    return before + ("" if not before or before.endswith("\n") else "\n") + out.getvalue()


def _check_new(added: Sequence[Row], there: Collection[str], source: Path, target: Path) -> None:
    for row in added:
        if row.row in there:
            raise EvidenceError(f"row {row.row!r} of {source} is already in {target}; nothing was added", key="row",
                                found=row.row, allowed="names of rows that the table has not",
                                fix="remove it from the sheet, or rename it if it is another")  # fmt: skip


def taken_note(
    source: Path, table: Table, columns: Mapping[str, str], given: Mapping[str, str], sheet: str | None = None
) -> str:
    """Return what :func:`import_rows` takes for granted because neither sheet nor caller says it; empty if nothing."""
    read = read_sheet(source, sheet)
    said = {*columns, *given, *read.columns}
    names = _columns(table, read, columns, given)
    known = next((key for key in _GROUPS if key in names and key in said), "row")
    parts = [f"no data_set given: the {known}'s name was taken"] if "data_set" not in said else []
    parts += ["use = likelihood was taken"] if "use" not in said else []
    asked = [f"{'; '.join(parts)}. Check that no other row rests on the same data."] if parts else []
    return " ".join([*(f"{one}." for one in read.notes), *asked])


_GROUPS = ("study", "country", "row")


def _columns(table: Table, sheet: Sheet, columns: Mapping[str, str], given: Mapping[str, str]) -> list[str]:
    """Columns of a table: those of its record; of an open one, those that are mapped, given or in the sheet too."""
    known = [field.name for field in fields(table.row) if field.name != "free"]
    if not issubclass(table.row, Open):
        return known
    free = [name for name in sheet.columns if name not in columns.values()]
    return [*known, *(name for name in dict.fromkeys((*columns, *given, *free)) if name not in known)]


def rows_sheet(sheet: Sheet, table: Table, columns: Mapping[str, str], given: Mapping[str, str]) -> Sheet:
    """Return a sheet under the columns of a table of evidence.

    What the sheet does not say: ``use`` is likelihood, ``data_set`` the study's or row's name, and ``note``, the
    standard errors and arms that are shared, and numbers are empty.

    Raises
    ------
    EvidenceError, UsageError
        If a column is unknown, named twice or missing.
    """
    names = _columns(table, sheet, columns, given)
    for key in (*columns, *given):
        if key not in names:
            raise UsageError("this table has no such column", key=key, allowed=names, fix=closest(key, names))
    for key in columns.keys() & given.keys():
        raise UsageError("this column is mapped and given too", key=key, fix="keep one of the two")
    count = len(sheet.lines)
    found: dict[str, Sequence[str]] = {key: sheet.column(column) for key, column in columns.items()}
    found |= {key: (text,) * count for key, text in given.items()}
    found |= {key: sheet.columns[key] for key in names if key not in found and key in sheet.columns}
    known = next((found[key] for key in _GROUPS if key in found), ("",) * count)
    found = {"use": ("likelihood",) * count, "data_set": known, **found}
    needed = [f.name for f in fields(table.row) if "lower" not in f.metadata and f.default is MISSING
              and f.name not in _MAY_BE_EMPTY and f.name != "free"]  # fmt: skip
    missing = [key for key in needed if key not in found]
    if missing:
        raise EvidenceError(
            "the sheet does not say everything a row of evidence needs", file=sheet.path, table=sheet.name or None,
            key=", ".join(missing), found=list(sheet.columns), allowed=f"columns of the table: {', '.join(names)}",
            fix="name their columns with --map NAME=COLUMN, or one text for all rows with --give NAME=TEXT",
        )  # fmt: skip
    asked = frozenset(key for key in names if columns.get(key, key) in sheet.asked)
    return replace(sheet, columns={key: tuple(found.get(key, ("",) * count)) for key in names}, asked=asked)


_MAY_BE_EMPTY = ("note", "shared_arm")


def words_of(text: str) -> list[str]:
    """Cut a text at its commas, but not at those inside double quotes, which are taken away.

    >>> words_of('a, "b, c",y="d, e"')
    ['a', 'b, c', 'y=d, e']
    """
    return [re.sub(r'"([^"]*)"', r"\1", word).strip() for word in re.findall(r'(?:[^,"]|"[^"]*"|")+', text)]


def pairs_of(texts: Sequence[str], key: str) -> dict[str, str]:
    """Read ``NAME=TEXT`` words of the command line, commas between those of one word allowed.

    A column whose name holds a comma stands in double quotes; one with an equals sign needs none.

    >>> pairs_of(["row=Study,y=logRR", "se=SE"], "--map")
    {'row': 'Study', 'y': 'logRR', 'se': 'SE'}
    >>> pairs_of(['y="log RR (95% CI, unadjusted)",se=SE=sd/sqrt(n)'], "--map")
    {'y': 'log RR (95% CI, unadjusted)', 'se': 'SE=sd/sqrt(n)'}
    """
    found: dict[str, str] = {}
    for word in [part for text in texts for part in (words_of(text) if key == "--map" else [text])]:
        name, equals, value = (part.strip() for part in word.partition("="))
        if not (name and equals and value):
            raise UsageError(f"{key} takes pairs", key=key, found=word, allowed="NAME=COLUMN",
                             fix="write NAME=COLUMN, with double quotes around a column that has a comma")  # fmt: skip
        if name in found:
            raise UsageError("this column is named twice", key=key, found=name, fix="remove one")
        found[name] = value
    return found


def _check(target: Path, rows: tuple[Row, ...], schema: Schema) -> None:
    """Check a changed table within its study, or by itself where no study is around it."""
    folder, name = target.parent.parent, target.stem
    if target.parent.name != "evidence" or not (folder / "references.bib").is_file():
        check_names({name: rows}, target.parent)
        check_double_counting({name: rows}, {}, target.parent, schema.tables)
        return
    study = read_study(folder, schema)
    evidence = {**study.evidence, name: rows}
    check_names(evidence, target.parent)
    check_study(replace(study, evidence=MappingProxyType(evidence)))
