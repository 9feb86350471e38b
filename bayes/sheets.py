"""Tables as people keep them: CSV with comma, semicolon or tab, and sheets of Excel workbooks, as texts by column.

What has one meaning is read: marks of byte order and UTF-16, a line ``sep=;``, titles above the header, empty columns
at the right, a minus sign that is not a hyphen, decimal commas where they can be nothing else. What may mean two
things is left as it is, for whoever reads a number of it to ask about (:func:`cell_fix`, :data:`THOUSANDS`).
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bayes.errors import EvidenceError, closest, number_fix
from bayes.files import read_text

__all__ = ["NOT_KNOWN", "THOUSANDS", "Sheet", "cell_fix", "is_total", "read_sheet"]

EXCEL = (".xlsx", ".xlsm")
"""Endings read as Excel workbooks."""
MOST_CELLS, MOST_BYTES = 1_000_000, 200_000_000
"""Cells of a sheet that is nearly empty, and bytes of an unpacked workbook, up to which it is read."""

OTHERS = {".xls": "a workbook of Excel before 2007", ".xlsb": "a binary workbook", ".ods": "an OpenDocument sheet",
          ".numbers": "a sheet of Numbers", ".sav": "a file of SPSS", ".dta": "a file of Stata", ".rds": "a file of R",
          ".rdata": "a file of R", ".sas7bdat": "a file of SAS", ".parquet": "a Parquet file",
          ".pdf": "a PDF", ".docx": "a document"}  # fmt: skip
"""Endings that people try, and what they are."""

NOT_KNOWN = frozenset({"na", "n/a", "n.a.", "n.a", "#n/a", "nan", "null", "none", "-", "--", ".", "?", "nr", "n.r.",
                       "not reported", "missing", "unknown", "k.a.", "nd"})  # fmt: skip
"""What people write in the cell of a number that is not known, in small letters."""

THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+")
"""A number that may be a thousand or one: 1.000 and 1,000 mean both, depending on who wrote them."""

_MINUS = re.compile(r"[\u2212\u2012\u2013\uff0d\ufe63]\s*(?=[\d.,]*\d)([\d.,]+(?:[eE][-+]?\d+)?)")
_SPACED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[ \u00a0\u202f\u2009'\u2019]\d{3})+")
_DECIMAL = re.compile(r"[+-]?\d*,\d+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[-/. ](?:[A-Za-z]{3,}|\d{1,2})(?:[-/. ]\d{2,4})?")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TOTALS = re.compile(
    r"(grand |sub-?)?(total|totals|totaal|totale|totali|totales|overall|pooled|combined|summary|sum|average|mean"
    r"|summe|gesamt|gesamtergebnis|insgesamt|zusammen|mittelwert|alle|all|ensemble|tous|somme|moyenne|suma|todos"
    r"|resumen|media|somma|tutti|samen|alles|ogółem|razem|итого|всего|合计|合計|小計|total général)"
    r"( (studies|trials|effect|estimate|result|studien|études|estudios|studi|effects?|général|general))*"
    r"|(random|fixed|common)[- ]effects?( model)?|(re|fe) model|meta-?anal(ysis|yse)|heterogeneity.*|test for .*",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(19|20)\d\d\b")


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
    notes
        What a reader should know of the reading: the sheet, sheets that are hidden, titles that were passed over.
    """

    path: Path
    name: str
    columns: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]
    notes: tuple[str, ...] = ()

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
        ``.xlsx`` or ``.xlsm`` is read as Excel, anything else as CSV in UTF-8 or UTF-16; its delimiter is the one of
        comma, semicolon and tab that cuts its lines into equally many cells.
    sheet
        Name of a sheet; a workbook's first that is not hidden by default.

    Raises
    ------
    EvidenceError, StudyError
        If the file is missing, empty, ragged, has no such sheet, a header that is empty or stands twice, cells
        that are merged below the header, or formulas without a stored value.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "trials.csv").write_text("Study;logRR\\nA;-0.5\\n")
    ...     read_sheet(Path(folder) / "trials.csv").columns
    {'Study': ('A',), 'logRR': ('-0.5',)}
    """
    ending = path.suffix.lower()
    if ending in EXCEL:
        return _workbook(path, sheet)
    if ending in OTHERS:
        raise EvidenceError(f"{OTHERS[ending]} is not read", file=path, found=ending, allowed=(*EXCEL, ".csv"),
                            fix="save it as .xlsx, or as CSV in UTF-8")  # fmt: skip
    if sheet is not None:
        raise EvidenceError("only a workbook has sheets", file=path, key="--sheet", found=sheet,
                            fix="leave --sheet out, or name an .xlsx file")  # fmt: skip
    return _sheet(path, "", _csv(path), [])


def cell_fix(cell: str) -> str | None:
    """Say what to do about a cell that should hold a number and does not; None where nothing is known of it.

    >>> cell_fix("NA"), cell_fix("40%")
    ('empty the cell (an empty cell is not known), or remove the line', 'write 0.40, without the % sign')
    """
    text = cell.strip()
    if not text:
        return "write a number, or remove the line"
    if text.casefold() in NOT_KNOWN:
        return "empty the cell (an empty cell is not known), or remove the line"
    if text.startswith("#"):
        return "mend the formula in the workbook: it holds an error"
    if (found := number_fix(text)) is not None:
        return found
    if _DATE.fullmatch(text):
        return "write the number again: a spreadsheet has made a date of it"
    if text[0] in "<>=≤≥~≈":
        return "write the number itself, without a sign before it"
    if len(re.findall(r"\d+(?:[.,]\d+)?", text)) > 1:
        return "write one number in a cell, and others in columns of their own"
    return None


def is_total(label: str) -> bool:
    """Whether a label names a sum or a mean of other rows.

    >>> is_total("Total (95% CI)"), is_total("Gesamt:"), is_total("Total Health 2004")
    (True, True, False)
    """
    words = re.sub(r"\(.*?\)|\[.*?\]|[:*.]+\s*$|\bn\s*=\s*\d+|95 ?% ?ci", " ", label, flags=re.IGNORECASE)
    return _TOTALS.fullmatch(" ".join(words.split())) is not None and not _YEAR.search(label)


def _csv(path: Path) -> list[tuple[int, list[str]]]:
    text = _decoded(path)
    first, _, rest = text.partition("\n")
    told = re.fullmatch(r'"?sep=(.)"?\s*', first, re.IGNORECASE)
    body = rest if told else text
    mark = told[1] if told else max(",;\t", key=lambda one: _evenness(_cut(body, one, strict=False)))
    try:
        return [(number + bool(told), cells) for number, cells in _cut(body, mark)]
    except csv.Error as error:
        raise EvidenceError("this is not valid CSV", file=path, found=str(error),
                            fix="close the quotes, and double a quote inside a cell") from None  # fmt: skip


def _cut(text: str, delimiter: str, strict: bool = True) -> list[tuple[int, list[str]]]:
    """Lines that are not empty, with their numbers, cut into cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise csv.Error(f"line {reader.line_num}: {error}") from None


def _evenness(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, int]:
    """How many lines have the commonest number of cells, if that is more than one, and that number."""
    widths = Counter(len(cells) for _, cells in rows if len(cells) > 1)
    width, lines = max(widths.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
    return lines, width


def _decoded(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 with its mark, as Excel's "Unicode text" has it."""
    if not path.is_file():
        return read_text(path)  # which says that there is none
    raw = path.read_bytes()
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        words = raw.splitlines()[line - 1].decode("cp1252", errors="replace")
        raise EvidenceError("this file is not UTF-8 text: it may have been saved in the encoding of Windows", file=path,
                            table=f"line {line}", found=words[:60], allowed="UTF-8, or UTF-16 with its mark",
                            fix="save it again as 'CSV UTF-8'") from None  # fmt: skip


def _workbook(path: Path, sheet: str | None) -> Sheet:
    book = _opened(path, formulas=False)
    visible = [one.title for one in book.worksheets if one.sheet_state == "visible"]
    hidden = [one.title for one in book.worksheets if one.sheet_state != "visible"]
    if not visible and not (hidden and sheet):
        fix = "name a hidden one with --sheet" if hidden else "save it as .xlsx, not as Strict Open XML"
        raise EvidenceError("this workbook has no sheet that can be read", file=path, found=hidden or None, fix=fix)
    names = [*visible, *hidden]
    if sheet is not None and sheet not in names:
        raise EvidenceError("this workbook has no such sheet", file=path, key="--sheet", found=sheet, allowed=names,
                            fix=closest(sheet, names) or "name one of its sheets")  # fmt: skip
    chosen = book[sheet or names[0]]
    cells = _cells(path, chosen)
    _check_formulas(path, chosen.title, cells)
    notes = [f"sheet {chosen.title!r} of {path.name}"]
    notes += [f"hidden and not read: {', '.join(left)}"] if (left := [one for one in hidden if one != sheet]) else []
    others = [one for one in visible if one != chosen.title]
    notes += [f"not read: {', '.join(others)}"] if others and sheet is None else []
    rows = [(i, row) for i, row in enumerate(cells, 1) if any(row)]
    merged = [(one.max_row, str(one.coord)) for one in chosen.merged_cells.ranges]
    return _sheet(path, chosen.title, rows, notes, merged)


def _cells(path: Path, sheet: Any) -> list[list[str]]:
    """Texts of the cells that hold something, in rows of one length; not of the whole grid up to a stray last cell."""
    held = {place: text for place, cell in sheet._cells.items() if (text := _text(cell.value))}
    rows, columns = (max((place[i] for place in held), default=0) for i in (0, 1))
    if rows * columns > MOST_CELLS + 100 * len(held):
        last = max(held, key=lambda place: place[0] * place[1])
        raise EvidenceError("this cell stands far from the others", file=path, table=f"sheet {sheet.title}",
                            key=sheet._cells[last].coordinate, found=held[last][:60],
                            fix="empty it, or save the table as CSV")  # fmt: skip
    return [[held.get((row, column), "") for column in range(1, columns + 1)] for row in range(1, rows + 1)]


def _damages() -> tuple[type[Exception], ...]:
    """What openpyxl and the libraries below it raise on workbooks that are damaged or were edited by hand."""
    import zlib
    from zipfile import BadZipFile

    from openpyxl.utils.exceptions import InvalidFileException

    return (BadZipFile, InvalidFileException, SyntaxError, zlib.error, OSError, EOFError, ValueError, LookupError,
            TypeError, AttributeError, ArithmeticError, RuntimeError, AssertionError, UserWarning)  # fmt: skip


def _check_size(path: Path) -> None:
    """Refuse a workbook that is unpacked to more than can be read: a few kilobytes may hold gigabytes of zeros."""
    from zipfile import ZipFile

    with ZipFile(path) as packed:
        size = sum(part.file_size for part in packed.infolist())
    if size > MOST_BYTES:
        raise EvidenceError("this workbook is too large", file=path, found=f"{size:,} bytes unpacked",
                            allowed=f"{MOST_BYTES:,}", fix="save the sheet as CSV")  # fmt: skip


def _opened(path: Path, formulas: bool) -> Any:
    from openpyxl import load_workbook

    if not path.is_file():
        raise EvidenceError("this file is missing", file=path, fix="name an Excel workbook or a CSV file")
    with path.open("rb") as file:
        if file.read(4) == b"\xd0\xcf\x11\xe0":
            raise EvidenceError("this workbook has a password, or is one of Excel before 2007", file=path,
                                fix="open it in Excel and save it as .xlsx, without a password")  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of styles and extensions that hold no numbers
            _check_size(path)
            return load_workbook(path, data_only=not formulas)
    except _damages() as error:
        raise EvidenceError("this is not an Excel workbook", file=path, found=f"{type(error).__name__}: {error}"[:200],
                            fix="open it in Excel and save it as .xlsx, or as CSV") from None  # fmt: skip


def _check_formulas(path: Path, name: str, cells: Sequence[Sequence[str]]) -> None:
    """Refuse formulas without a value: a program other than a spreadsheet has written them."""
    if all(cell for row in cells for cell in row):
        return
    for row, found in zip(_opened(path, formulas=True)[name].iter_rows(), cells, strict=False):
        for cell, text in zip(row, found, strict=False):
            if not text and isinstance(cell.value, str) and cell.value.startswith("="):
                raise EvidenceError("this cell holds a formula without a stored value", file=path,
                                    table=f"sheet {name}", key=cell.coordinate, found=cell.value,
                                    fix="open the workbook in Excel and save it, or write the number")  # fmt: skip


def _text(value: Any) -> str:
    """A cell as it would stand in a CSV file: 43 rather than 43.0, dates as 2007-02-22."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value).strip()


def _sheet(path: Path, name: str, lines: Sequence[tuple[int, list[str]]], notes: list[str],
           merged: Collection[tuple[int, str]] = ()) -> Sheet:  # fmt: skip
    rows = [(number, [_plain(cell) for cell in cells]) for number, cells in lines]
    while _begins_with_title(rows):
        number, title = rows.pop(0)
        notes = [*notes, f"line {number} is a title: {next(filter(None, title))!r}"]
    if not rows:
        raise EvidenceError("this file is empty", file=path, fix="give a header and rows")
    header = [" ".join(cell.split()) for cell in rows[0][1]]
    width = max(len(header), *(len(cells) for _, cells in rows))
    while width and not any(cells[width - 1] for _, cells in rows if len(cells) >= width):
        width -= 1  # empty columns at the right: a comma at the end of each line, or cells that once held something
    header = header[:width]
    _check_header(path, header, rows)
    for last, where in merged:
        if last > rows[0][0]:
            raise EvidenceError("this cell is merged with others, and all of them but the first are empty", file=path,
                                table=f"line {last}", found=where, fix="unmerge them, and fill each cell")  # fmt: skip
    for number, cells in rows[1:]:
        if len(cells) < len(header) or any(cells[len(header) :]):
            fix = "quote cells that hold the delimiter, or fill empty cells"
            raise EvidenceError("this line has another number of cells than the header", file=path,
                                table=f"line {number}", found=len(cells), allowed=str(len(header)),
                                fix="remove it if it is a note" if sum(map(bool, cells)) == 1 else fix)  # fmt: skip
    columns = {column: _pointed([cells[i] for _, cells in rows[1:]]) for i, column in enumerate(header)}
    return Sheet(path, name, columns, tuple(number for number, _ in rows[1:]), tuple(notes))


def _begins_with_title(rows: Sequence[tuple[int, list[str]]]) -> bool:
    """Whether the first line is one text, and the next could be a header: several texts and no number."""
    if len(rows) < 3:
        return False
    first, second = ([cell for cell in cells if cell] for _, cells in rows[:2])
    return len(first) == 1 < len(second) and not any(map(_NUMBER.fullmatch, second))


def _check_header(path: Path, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> None:
    """Check that each column has a name, that no two are the same, and that they stand on one line."""
    for column in header:
        if column and header.count(column) == 1:
            continue
        problem = "this header stands twice" if column else "a column has no header"
        fix = "give each column its own"
        if len(rows) > 2 and not any(map(_NUMBER.fullmatch, rows[1][1])):
            fix = "write the header on one line: it seems to have two"
        raise EvidenceError(problem, file=path, table=f"line {rows[0][0]}", key=column or None, found=list(header),
                            fix=fix)  # fmt: skip


def _plain(cell: str) -> str:
    """A number with a hyphen for its minus and without blanks or apostrophes between thousands; texts as they are."""
    text = cell.strip()
    if (minus := _MINUS.fullmatch(text)) is not None:
        return f"-{minus[1]}"
    return re.sub(r"[^\d+-]", "", text) if _SPACED.fullmatch(text) else text


def _pointed(cells: Sequence[str]) -> tuple[str, ...]:
    """Replace decimal commas by points, if the commas of the column can be nothing else."""
    marked = [cell for cell in cells if _DECIMAL.fullmatch(cell)]
    numbers = all(_DECIMAL.fullmatch(cell) or re.fullmatch(r"[+-]?\d*", cell) for cell in cells)
    if not marked or not numbers or all(map(THOUSANDS.fullmatch, marked)):
        return tuple(cells)
    return tuple(cell.replace(",", ".") for cell in cells)
