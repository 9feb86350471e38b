"""Tables as people keep them: CSV with comma, semicolon or tab, and sheets of Excel workbooks, as texts by column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayes.errors import EvidenceError, closest
from bayes.files import read_text

__all__ = ["Sheet", "read_sheet"]

EXCEL = (".xlsx", ".xlsm")
"""Endings read as Excel workbooks."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Texts of a table by column.

    Parameters
    ----------
    path, name
        Where it was read, and the name of the sheet; empty for CSV.
    columns
        Cells without surrounding space, by header.
    lines
        The line of the file, counted from 1, on which each row stands.
    """

    path: Path
    name: str
    columns: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]

    def column(self, name: str) -> tuple[str, ...]:
        """Return a column.

        Raises
        ------
        EvidenceError
            If there is none of this name.
        """
        if name not in self.columns:
            raise EvidenceError("this file has no such column", file=self.path, key=name, allowed=self.columns,
                                fix=closest(name, self.columns) or "name one of its columns")  # fmt: skip
        return self.columns[name]


def read_sheet(path: Path, sheet: str | None = None) -> Sheet:
    """Read a table with a header.

    Parameters
    ----------
    path
        ``.xlsx`` or ``.xlsm`` is read as Excel, anything else as CSV in UTF-8; its delimiter is the one of comma,
        semicolon and tab that its header has most of.
    sheet
        Name of a sheet; a workbook's first by default.

    Raises
    ------
    EvidenceError, StudyError
        If the file is missing, empty, ragged, has no such sheet, or a header that is empty or stands twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "trials.csv").write_text("Study;logRR\\nA;-0.5\\n")
    ...     read_sheet(Path(folder) / "trials.csv").columns
    {'Study': ('A',), 'logRR': ('-0.5',)}
    """
    if path.suffix.lower() in EXCEL:
        return _sheet(path, *_excel(path, sheet))
    if path.suffix.lower() == ".xls":
        raise EvidenceError("this kind of workbook is not read", file=path, found=".xls", allowed=EXCEL,
                            fix="save it as .xlsx or as CSV")  # fmt: skip
    if sheet is not None:
        raise EvidenceError("only a workbook has sheets", file=path, key="--sheet", found=sheet,
                            fix="leave --sheet out, or name an .xlsx file")  # fmt: skip
    return _sheet(path, "", _csv(path))


def _csv(path: Path) -> list[tuple[int, list[str]]]:
    text = read_text(path)
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise EvidenceError("this is not valid CSV", file=path, found=f"line {reader.line_num}: {error}",
                            fix="close the quotes, and double a quote inside a cell") from None  # fmt: skip


def _excel(path: Path, sheet: str | None) -> tuple[str, list[tuple[int, list[str]]]]:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    if not path.is_file():
        raise EvidenceError("this file is missing", file=path, fix="name an Excel workbook or a CSV file")
    try:
        book: Any = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError) as error:
        raise EvidenceError("this is not an Excel workbook", file=path, found=str(error),
                            fix="open it in Excel and save it as .xlsx, or as CSV") from None  # fmt: skip
    try:
        names = [one.title for one in book.worksheets]
        if sheet is not None and sheet not in names:
            raise EvidenceError("this workbook has no such sheet", file=path, key="--sheet", found=sheet, allowed=names,
                                fix=closest(sheet, names) or "name one of its sheets")  # fmt: skip
        chosen = book[sheet or names[0]]
        rows = [[_text(cell) for cell in cells] for cells in chosen.iter_rows(values_only=True)]
        return chosen.title, [(i, cells) for i, cells in enumerate(_square(rows), 1) if any(cells)]
    finally:
        book.close()


def _square(rows: Sequence[list[str]]) -> list[list[str]]:
    """Drop empty columns at the right: Excel remembers cells that once held something."""
    width = max((i + 1 for cells in rows for i, cell in enumerate(cells) if cell), default=0)
    return [[*cells, *[""] * width][:width] for cells in rows]


def _text(value: Any) -> str:
    """A cell as it would stand in a CSV file: 43 rather than 43.0, dates as 2007-02-22."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value).strip()


def _sheet(path: Path, name: str, lines: Iterable[tuple[int, list[str]]]) -> Sheet:
    rows = list(lines)
    if not rows:
        raise EvidenceError("this file is empty", file=path, fix="give a header and rows")
    header = [cell.strip() for cell in rows[0][1]]
    for column in header:
        if not column or header.count(column) > 1:
            problem = "this header stands twice" if column else "a column has no header"
            raise EvidenceError(problem, file=path, key=column or None, found=header, fix="give each column its own")
    for number, cells in rows[1:]:
        if len(cells) != len(header):
            raise EvidenceError("this line has another number of cells than the header", file=path,
                                table=f"line {number}", found=len(cells), allowed=str(len(header)),
                                fix="quote cells that hold the delimiter, or fill empty cells")  # fmt: skip
    columns = {column: tuple(cells[i].strip() for _, cells in rows[1:]) for i, column in enumerate(header)}
    return Sheet(path, name, columns, tuple(number for number, _ in rows[1:]))
