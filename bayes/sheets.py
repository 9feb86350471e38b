"""Tables as people keep them: CSV with any delimiter, and sheets of Excel workbooks, as texts by column.

The one reader for trials to pool, rows to import, tables of a study and draws. What has one meaning is read: UTF-16, a
line ``sep=;``, titles above the header, empty columns at the right, a minus sign that is not a hyphen, decimal commas
where they can be nothing else. What may mean two things is left as it is, for whoever reads a number of it to ask about
(:func:`trouble`).
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bayes.errors import CONTROL, EvidenceError, StudyError, closest, number_fix
from bayes.files import read_bytes, told_cell

__all__ = ["EXCEL", "MARKS", "NOT_KNOWN", "OTHERS", "Sheet", "is_total", "read_plain", "read_sheet", "same",
           "share_fix", "sheet_of", "trouble"]  # fmt: skip

EXCEL = (".xlsx", ".xlsm")
"""Endings read as Excel workbooks."""
MOST_CELLS, MOST_BYTES = 1_000_000, 200_000_000
"""Cells of a sheet that is nearly empty, and bytes of an unpacked workbook, up to which it is read."""

OTHERS = {".xls": "a workbook of Excel before 2007", ".xlsb": "a binary workbook", ".ods": "an OpenDocument sheet",
          ".numbers": "a sheet of Numbers", ".sav": "a file of SPSS", ".dta": "a file of Stata", ".rds": "a file of R",
          ".rdata": "a file of R", ".sas7bdat": "a file of SAS", ".parquet": "a Parquet file",
          ".pdf": "a PDF", ".docx": "a document"}  # fmt: skip
"""Endings that people try, and what they are."""
_BEGINNINGS = {b"pk\x03\x04": "an Excel workbook or another archive",
               b"\xd0\xcf\x11\xe0": "a workbook of Excel before 2007", b"%pdf": "a PDF",
               b"<": "a web page or XML", b"{": "JSON", b"[{": "JSON",
               b"\x89hdf": "a NetCDF file", b"cdf\x01": "a NetCDF file"}  # fmt: skip
"""How files that are no CSV begin, in small letters, and what they are."""
LARGE = 1_000_000
"""Bytes from which a file of plain numbers is read by the parser of pandas."""
MOST_JUDGED = 20_000
"""Characters by which the delimiter is told."""

NOT_KNOWN = frozenset({"na", "n/a", "n.a.", "n.a", "#n/a", "nan", "null", "none", "-", "--", ".", "?", "nr", "n.r.",
                       "not reported", "missing", "unknown", "k.a.", "nd",
                       "\u2013", "\u2014", "\u2026", "...", "n/r", "\u2212",
                       "k. a.", "nicht berichtet", "non rapport\u00e9", "no reportado", "s/d"})  # fmt: skip
"""What people write in the cell of a number that is not known, in small letters."""

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+", re.ASCII)
"""A number that may be a thousand or one: 1.000 and 1,000 mean both, depending on who wrote them."""

_BOTH_MARKS = re.compile(r"[+-]?\d{1,3}(?:(?:\.\d{3})+,\d+|(?:,\d{3})+\.\d+)", re.ASCII)
_SPACED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[ '\u2019]\d{3})+(?:[.,]\d+)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d*,\d+(?:[eE][-+]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[-/. ](?:[A-Za-z]{3,}|\d{1,2})(?:[-/. ]\d{2,4})?"
                   r"|(?:\d{4}-\d{2}-\d{2}T)?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?")  # fmt: skip
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_LIKE_NUMBER = re.compile(r"[-+]?[\d., '\u2019]*\d[\d., '\u2019]*(?:[eE][-+]?\d+)?%?", re.ASCII)
_PLAIN = re.compile(r"[-+.\deE\n]*", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_MARKS = {**dict.fromkeys(map(ord, "\u2212\u2012\u2013\u2010\u2011\uff0d\ufe63"), "-"),
          **dict.fromkeys(map(ord, "\u00a0\u202f\u2009\u2007\u3000"), " "),
          **dict.fromkeys(map(ord, "\u066b\uff0e\u00b7\u0387\u2219\u22c5"), "."),
          ord("\uff0c"): ",", ord("\uff0b"): "+"}  # fmt: skip
"""Signs of numbers that are not those of a keyboard."""
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_NOTE = re.compile(r"[*†‡§¶#]|(\w\s+)?(notes?|sources?|abbreviations?|abbr|anmerkung(en)?|quelle|fußnoten?|nota|fuente"
                   r"|legend|see)\s*[:.=]", re.IGNORECASE)  # fmt: skip
_TOTALS = re.compile(
    r"(grand |sub-?)?(total|totals|totaal|totale|totali|totales|overall|pooled|combined|summary|sum|average|mean"
    r"|summe|gesamt|gesamtergebnis|insgesamt|zusammen|mittelwert|alle|all|ensemble|tous|somme|moyenne|suma|todos"
    r"|resumen|media|somma|tutti|samen|alles|ogółem|razem|łącznie|итого|всего|toplam|celkem|összesen|yhteensä"
    r"|i alt|totalt|summa|合计|合計|小計|总计|總計|総計"
    r"|total général|totale complessivo|gesamtsumme)"
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
        What a reader should know of the reading: the sheet, its encoding, titles that were passed over.
    marks
        Decimal marks that its numbers prove: commas, points, both or none.
    asked
        Columns whose points may be decimal marks or group thousands.
    """

    path: Path
    name: str
    columns: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]
    notes: tuple[str, ...] = ()
    marks: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()

    def column(self, name: str) -> tuple[str, ...]:
        """Return a column.

        Raises
        ------
        EvidenceError
            If there is none of this name.
        """
        if name not in self.columns:
            cut = ""
            if name in next(iter(self.columns.values()), ()):
                cut = "turn the table: it has a column for each trial, and needs a row"
            if len(self.columns) == 1:
                cut = ("remove the quotes around whole lines" if re.search("[,;\t|]", next(iter(self.columns)))
                       else "separate its cells by commas, semicolons or tabs")  # fmt: skip
            raise EvidenceError("this file has no such column", file=self.path, table=self._own, key=name,
                                allowed=self.columns,
                                fix=cut or closest(name, self.columns) or "name one of its columns")  # fmt: skip
        return self.columns[name]

    def numbers(self, name: str, *, whole: bool = False, of: str = "", empty: bool = False) -> list[float]:
        """Return a column of numbers.

        Parameters
        ----------
        whole
            Whether they are counts, which a thousand may be and a share not.
        of
            The column of all of whom these are some.
        empty
            Whether cells may be empty or say that a number is not known: NaN there.

        Raises
        ------
        EvidenceError
            With line, column, what was found and what to write.
        """
        found, cells, wholes = [], self.column(name), self.columns.get(of, ("",) * len(self.lines))
        self._check_marks(name, cells)
        for line, cell, all_ in zip(self.lines, cells, wholes, strict=True):
            if empty and (not cell or cell.casefold() in NOT_KNOWN):
                found.append(math.nan)
            elif (wrong := trouble(cell, whole or name in self.asked, whole)) is not None:
                fix = share_fix(cell, of, all_) if whole and cell.endswith("%") else wrong[1]
                if not empty and cell.casefold() in NOT_KNOWN:
                    fix = "write the number, or remove the line: every row needs it"
                raise self.wrong(wrong[0], name, line, cell, fix)
            else:
                found.append(float(cell))
        return found

    def _check_marks(self, name: str, cells: Sequence[str]) -> None:
        """Refuse a cell such as 1.234,56: beside it cells with one mark alone seem to be wrong."""
        for line, cell in zip(self.lines, cells, strict=True):
            if _BOTH_MARKS.fullmatch(cell):
                problem, fix = trouble(cell) or ("", "")
                commas = any(map(_DECIMAL.fullmatch, cells))
                raise self.wrong(problem, name, line, cell, fix.replace(".", ",") if commas else fix)

    def wrong(self, problem: str, name: str, line: int, found: object, fix: str) -> EvidenceError:
        """Return the error that says what is wrong with a cell."""
        return EvidenceError(problem, file=(self.path, line), table=self._own, key=name, found=found, fix=fix)

    def wrong_rows(
        self, problem: str, name: str, lines: Sequence[int], found: object, fix: str, allowed: str | None = None
    ) -> EvidenceError:
        """Return the error that says what is wrong with rows, and on which lines of the file they stand."""
        several = f" (lines {', '.join(map(str, lines))})" if len(lines) > 1 else ""
        return EvidenceError(problem + several, file=(self.path, lines[0]) if len(lines) == 1 else self.path,
                             table=self._own, key=name or None, found=found, allowed=allowed, fix=fix)  # fmt: skip

    @property
    def _own(self) -> str | None:
        """The sheet of a workbook, as messages name it."""
        return f"sheet {self.name}" if self.name else None


def read_sheet(path: Path, sheet: str | None = None, *, remarks: bool = False) -> Sheet:
    """Read a table with a header.

    Parameters
    ----------
    path
        ``.xlsx`` or ``.xlsm`` is read as Excel, anything else as CSV in UTF-8 or UTF-16; its delimiter is the one of
        comma, semicolon, tab and bar that cuts its lines into equally many cells.
    sheet
        Name of a sheet; a workbook's first that is not hidden by default.
    remarks
        Whether lines that begin with ``#`` are no rows.

    Raises
    ------
    EvidenceError, StudyError
        If the file is missing, empty, ragged, has no such sheet, a header that is empty or stands twice, cells
        that are merged below the header, or formulas without a stored value.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "trials.csv").write_text("Study;logRR\\nA;-0,5\\n")
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
    text, notes = _decoded(path)
    return sheet_of(text, path, notes, remarks=remarks)


def sheet_of(text: str, path: Path, notes: Sequence[str] = (), *, remarks: bool = False) -> Sheet:
    """Read the text of a CSV table; ``path`` is what messages name, as :func:`read_sheet`."""
    if (control := CONTROL.search(text)) is not None:
        line = text.count("\n", 0, control.start()) + 1
        raise EvidenceError("this cell has a control character", file=(path, line),
                            found=text.splitlines()[line - 1][:60], allowed="text that can be printed",
                            fix="remove it")  # fmt: skip
    if remarks and "#" in text:
        text = re.sub("^#.*", "", text, flags=re.MULTILINE)
    delimiter, body = _told_delimiter(text)
    try:
        rows = _cut(body, delimiter)
    except csv.Error as error:
        raise EvidenceError("this is not valid CSV", file=path, found=str(error),
                            fix="close the quotes, and double a quote inside a cell") from None  # fmt: skip
    return _sheet(path, "", rows, [*notes], delimiter)


def _told_delimiter(text: str) -> tuple[str, str]:
    """The delimiter, as a first line ``sep=;`` says or as the lines tell; and the text without what that line says."""
    told = re.match(r'\s*"?sep=(.)"?[ \t,;]*(?=[\r\n])', text, re.IGNORECASE)
    if told is None:
        return _delimiter(text), text
    return told[1], text[: told.end()].count("\n") * "\n" + text[told.end() :]


def read_plain(path: Path, texts: Collection[str] = ()) -> tuple[Sheet, dict[str, Any]] | None:
    """Read a large CSV file of nothing but numbers with decimal points, by the parser of pandas.

    Parameters
    ----------
    texts
        Columns, in small letters, that are left as texts.

    Returns
    -------
    Sheet and dict, or None
        The first lines as :func:`read_sheet` would read them, and the columns of all lines as arrays. None for a file
        that is small or holds anything else, which :func:`read_sheet` reads with care.
    """
    import pandas as pd

    older = tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)  # newer ones read to the last bit unasked
    if not path.is_file() or path.stat().st_size < LARGE or path.suffix.lower() in (*EXCEL, *OTHERS):
        return None
    raw = path.read_bytes()
    first = raw.rfind(b"\n", 0, MOST_JUDGED) + 1 or raw.find(b"\n", MOST_JUDGED) + 1
    if not first or b"\0" in raw or b"\r#" in raw:
        return None
    try:
        text = re.sub("^#.*", "", raw[:first].decode("utf-8-sig"), flags=re.MULTILINE)
        head = sheet_of(text, path)
        rest = re.sub(rb"^#.*", b"", raw, flags=re.MULTILINE) if b"\n#" in raw else raw
        kinds = {name: str if name.lower() in texts else float for name in head.columns}
        table = pd.read_csv(io.BytesIO(rest), sep=_told_delimiter(text)[0], header=None, names=[*kinds], dtype=kinds,
                            skiprows=head.lines[0] - 1, na_filter=False, skipinitialspace=True,
                            low_memory=False, **({"float_precision": "round_trip"} if older else {}))  # fmt: skip
    except (ValueError, EvidenceError, IndexError):
        return None
    return (head, {name: table[name].to_numpy() for name in kinds}) if isinstance(table.index, pd.RangeIndex) else None


MARKS = "its marks may be decimal marks or group thousands"
"""What is wrong with a number that can be read in two ways."""


def trouble(cell: str, asked: bool = False, whole: bool = False) -> tuple[str, str] | None:
    """Say what is wrong with a cell that should hold a number, and what to do; None if it holds one.

    Parameters
    ----------
    asked
        Whether its points may group thousands.
    whole
        Whether it is a count.

    >>> trouble("NA")[1], trouble("1.000", asked=True)[1], trouble("-1e-3")
    ('empty the cell (an empty cell is not known), or remove the line', \
'write 1000 without a thousands separator, or 1.0 with a decimal point', None)
    """
    if _THOUSANDS.fullmatch(cell) and ("," in cell or asked or cell.count(".") > 1):
        fix = f"write {re.sub('[.,]', '', cell)} without a thousands separator"
        if whole or len(re.findall("[.,]", cell)) > 1:
            return MARKS, fix
        return MARKS, f"{fix}, or {re.sub('00$', '', cell.replace(',', '.'))} with a decimal point"
    if _BOTH_MARKS.fullmatch(cell):
        whole_part, _, decimals = cell.replace(",", ".").rpartition(".")
        return MARKS, f"write {whole_part.replace('.', '')}.{decimals}"
    if whole and cell.endswith("%"):
        return "this is a count", "write how many, not their share"
    if _NOT_FINITE.fullmatch(cell) or (_NUMBER.fullmatch(cell) and not math.isfinite(float(cell))):
        return "this number is not finite", "correct it, or empty the cell if it is not known"
    if _NUMBER.fullmatch(cell):
        return None
    return "this is not a number", _cell_fix(cell)


def share_fix(share: str, of: str, whole: str) -> str:
    """Say what count to write where a share was given.

    >>> share_fix("73 %", "entered", "100"), share_fix("0.73", "entered", "100")
    ('write 73 of entered 100', 'write 73 of entered 100')
    """
    part = share.rstrip("% ").replace(",", ".")
    if of and re.fullmatch(r"\d+(\.0*)?", whole) and _NUMBER.fullmatch(part):
        many = float(part) * float(whole) / (100 if share.endswith("%") else 1)
        return f"write {round(many)} of {of} {float(whole):.0f}"
    return "write how many, not their share"


def _cell_fix(cell: str) -> str:
    """What to do about a cell that should hold a number and does not."""
    if cell.casefold() in NOT_KNOWN:
        return "empty the cell (an empty cell is not known), or remove the line"
    if cell.startswith("#"):
        return "mend the formula in the workbook: it holds an error"
    if (found := number_fix(cell)) is not None:
        return found
    if _DATE.fullmatch(cell):
        return "write the number again: a spreadsheet has made a date or time of it"
    if cell[:1] in ("'", "="):
        return "write the number itself: what begins with ' or = is a text or a formula of a spreadsheet"
    if (inside := re.fullmatch(r"\(\s*(\d*[.,]?\d+)\s*\)", cell, re.ASCII)) is not None:
        return f"write -{inside[1]} if the brackets are a minus sign, {inside[1]} if they are not"
    if cell[:1] in tuple("<>≤≥~≈±"):
        return "write the number itself, without a sign before it"
    if (noted := re.fullmatch(r"(.*\d)\^\S+", cell)) is not None:
        return f"write {noted[1]}, and marks of notes into a column of their own"
    if re.fullmatch(r"[-+]?\d+([ _'’.,]\d+)+", cell, re.ASCII):
        return "write it without a thousands separator"
    if len(re.findall(r"\d+(?:[.,]\d+)?", cell)) > 1:
        return "write one number in a cell, and others in columns of their own"
    if re.search(r"\d", cell):
        return "write the number alone, in digits 0 to 9; marks and units belong into the header or a column of notes"
    return "write a number, or remove the line" + ("; remove a footnote too" if _NOTE.match(cell) else "")


def same(text: str) -> str:
    """Return a name without regard to case, spacing, kinds of dashes and ways to encode a letter.

    >>> same("Mu\u0308ller\u00a0\u2013 Roe") == same("MÜLLER -  roe")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate({**_MARKS, **_UNSEEN}).split())


def is_total(label: str) -> bool:
    """Whether a label names a sum or a mean of other rows.

    >>> is_total("Total (95% CI)"), is_total("Gesamt:"), is_total("Total Health 2004")
    (True, True, False)
    """
    words = re.sub(r"\(.*?\)|\[.*?\]|[:*.]+\s*$|\bn\s*=\s*\d+|95 ?% ?ci", " ", label, flags=re.IGNORECASE)
    return _TOTALS.fullmatch(" ".join(words.split())) is not None and not _YEAR.search(label)


def _cut(text: str, delimiter: str, strict: bool = True) -> list[tuple[int, list[str]]]:
    """Lines that are not empty, with their numbers, cut into cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict, skipinitialspace=True)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cells) and any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise csv.Error(f"line {reader.line_num}: {error}") from None


def _delimiter(text: str) -> str:
    """The delimiter that cuts most lines alike, into most numbers; judged by the first lines."""
    first = text[: text.find("\n", MOST_JUDGED) + 1 or None] if len(text) > MOST_JUDGED else text
    return max(",;\t|", key=lambda one: _evenness(_cut(first, one, strict=False)))


def _evenness(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, int, int]:
    """How many lines have the commonest number of cells, if that is more than one; numbers there; that number."""
    widths = Counter(len(cells) for _, cells in rows if len(cells) > 1)
    width, lines = max(widths.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
    alike = [cells for _, cells in rows if len(cells) == width > 1]
    return lines, sum(_LIKE_NUMBER.fullmatch(_plain(cell)) is not None for cells in alike for cell in cells), width


def _decoded(path: Path) -> tuple[str, list[str]]:
    """The text of a file in UTF-8, or in UTF-16 as Excel's "Unicode text" has it, and what to say of that."""
    raw = read_bytes(path)
    for begins, what in _BEGINNINGS.items():
        if raw[:200].lstrip().lower().startswith(begins):
            raise EvidenceError(f"{what} is not read as CSV", file=path, found=f"its first signs are {raw[:8]!r}",
                                fix="give the file its own ending, or save the table as CSV in UTF-8")  # fmt: skip
    wide = "utf-32" if raw[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff") else "utf-16"
    if wide == "utf-32" or raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode(wide, errors="replace").removeprefix("\ufeff"), [f"read as {wide.upper()}"]
    if raw[:400].count(0) > len(raw[:400]) / 4:  # every other byte of Western text
        order = "le" if raw[1:400:2].count(0) > raw[0:400:2].count(0) else "be"
        return raw.decode(f"utf-16-{order}", errors="replace"), ["read as UTF-16 without its mark"]
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        words = raw.splitlines()[line - 1].decode("cp1252", errors="replace")
        raise StudyError("this file is not UTF-8 text: it seems to be in Windows-1252 (cp1252), as Excel's plain "
                            "'CSV' is", file=(path, line), found=words[:60], allowed="UTF-8, or UTF-16",
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
    unseen = [str(i) for i, _ in rows if i in chosen.row_dimensions and chosen.row_dimensions[i].hidden]
    notes += [f"rows that are hidden or filtered out are read too: {', '.join(unseen)}"] if unseen else []
    across = max((len(row) for _, row in rows), default=0)
    aside = [name for name, one in chosen.column_dimensions.items() if one.hidden and one.min <= across]
    notes += [f"columns that are hidden are read too, from {', '.join(aside)} on"] if aside else []
    struck = [str(cell.coordinate) for i, row in rows for j, text in enumerate(row, 1)
              if text and _is_struck(cell := chosen.cell(i, j))]  # fmt: skip
    notes += [f"cells that are struck through are read too: {', '.join(struck)}"] if struck else []
    merged = [(one.max_row, str(one.coord)) for one in chosen.merged_cells.ranges]
    return _sheet(path, chosen.title, rows, notes, merged=merged)


def _is_struck(cell: Any) -> bool:
    """Whether a cell, or a part of its text, is struck through."""
    parts = cell.value if isinstance(cell.value, list) else ()
    fonts = [cell.font, *(getattr(part, "font", None) for part in parts)]
    return any(getattr(font, "strike", None) for font in fonts)


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
            return load_workbook(path, data_only=not formulas, rich_text=True)
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
    """A cell as it would stand in a CSV file: 43 rather than 43.0, dates as 2007-02-22, raised parts after a ^."""
    if value is None:
        return ""
    if isinstance(value, list):  # of parts, some with a font of their own
        raised = [getattr(getattr(part, "font", None), "vertAlign", None) == "superscript" for part in value]
        return "".join(f"^{part}" if up else str(part) for up, part in zip(raised, value, strict=True)).strip()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value).strip()


def _sheet(path: Path, name: str, rows: list[tuple[int, list[str]]], notes: list[str], delimiter: str = ",",
           merged: Collection[tuple[int, str]] = ()) -> Sheet:  # fmt: skip
    titles = _titles(rows)
    notes += [f"line {number} is a title: {next(filter(str.strip, one)).strip()!r}" for number, one in rows[:titles]]
    rows, wrong = rows[titles:], partial(EvidenceError, table=f"sheet {name}" if name else None)
    if not rows:
        raise wrong("this file is empty", file=path, fix="give a header and rows")
    while not any(cells[0].strip() for _, cells in rows):
        rows = [(number, cells[1:]) for number, cells in rows]  # a table that begins in column B
    header = [" ".join(cell.translate(_UNSEEN).split()) for cell in rows[0][1]]
    width = max(len(cells) for _, cells in rows)
    while width and not any(cells[width - 1].strip() for _, cells in rows if len(cells) >= width):
        width -= 1  # empty columns at the right: a comma at the end of each line, or cells that once held something
    header, body = header[:width], rows[1:]
    _check_header(wrong, path, header, rows)
    for last, where in merged:
        if last > rows[0][0]:
            raise wrong("this cell is merged with others, and all of them but the first are empty",
                        file=(path, last), found=where, fix="unmerge them, and fill each cell")  # fmt: skip
    _check_lines(wrong, path, header, body)
    cells = [_column(one) for one in zip(*(one[: len(header)] for _, one in body), strict=True)] or [((), "")] * width
    marks = {mark for _, mark in cells}
    european = "," in marks or (delimiter != "," and "." not in marks)
    return Sheet(path, name, {column: one for column, (one, _) in zip(header, cells, strict=True)},
                 tuple(number for number, _ in body), tuple(notes), frozenset(marks & {",", "."}),
                 frozenset(column for column, (_, mark) in zip(header, cells, strict=True)
                           if mark == "?" and european))  # fmt: skip


def _titles(rows: Sequence[tuple[int, list[str]]]) -> int:
    """How many lines stand above the header: one text each, or fewer cells than the rows, before texts alone."""
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0] if rows else 0
    for i, (_, cells) in enumerate(rows[:-1]):
        filled = [cell for cell in cells if cell.strip()]
        if len(filled) > 1 and len(cells) >= width:
            return 0 if any(_LIKE_NUMBER.fullmatch(cell) for cell in filled) else i
        if len(filled) > 1 and any(map(_LIKE_NUMBER.fullmatch, filled)):
            return 0
    return 0


def _check_header(
    wrong: Callable[..., EvidenceError], path: Path, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]
) -> None:
    """Check that each column has a name, that no two are the same, and that they stand on one line."""
    below = [cell.strip() for cell in rows[1][1]] if len(rows) > 2 else []
    words = [cell for cell in below if cell and cell.casefold() not in NOT_KNOWN]
    two = bool(words) and not any(_LIKE_NUMBER.fullmatch(_plain(cell)) for cell in words)
    fix = "write the header on one line: it seems to have two" if two else "give each column its own"
    wrong = partial(wrong, file=(path, rows[0][0]), found=list(header))
    for i, column in enumerate(header):
        if (i and not column) or header.count(column) > 1:  # names of rows may have no header
            problem = "this header stands twice" if column else "a column has no header"
            raise wrong(problem, key=column or None, fix=fix)
    if two and not (below[0] and header[0]):
        raise wrong("the header seems to stand on two lines", fix="write it on one line")


def _check_lines(
    wrong: Callable[..., EvidenceError], path: Path, header: Sequence[str], body: Sequence[tuple[int, list[str]]]
) -> None:
    """Check that lines have as many cells as the header, and that the last of them are no notes."""
    for number, cells in body:
        if len(cells) < len(header) or (len(cells) > len(header) and any(map(str.strip, cells[len(header) :]))):
            fix = "quote cells that hold the delimiter, or fill empty cells"
            if len(header) + 1 == len(cells) == max(len(one) for _, one in body) == min(len(one) for _, one in body):
                fix = "the header has one cell fewer than every line: name each column (R's write.table leaves one out)"
            raise wrong("this line has another number of cells than the header", file=(path, number),
                        found=f"{len(cells)} cells", allowed=f"{len(header)} cells",
                        fix="remove it if it is a note" if sum(map(bool, cells)) == 1 else fix)  # fmt: skip
    for number, cells in body[:0:-1]:
        filled = [cell.strip() for cell in cells if cell.strip()]
        if len(header) < 3 or not (len(filled) == 1 or (_NOTE.match(filled[0]) and not any(
                map(_LIKE_NUMBER.fullmatch, filled)))):  # fmt: skip
            return
        raise wrong("this line seems to be a note below the table", file=(path, number),
                    found=filled[0][:60], fix="remove it if it is a note; else fill its cells")  # fmt: skip


def _plain(cell: str) -> str:
    """A number in the signs of a keyboard, without blanks or apostrophes between thousands; texts as they are."""
    text = told_cell(cell.strip())
    if not text.isascii():
        text = text.translate(_UNSEEN).strip()
        number = "".join(str(unicodedata.decimal(one, one)) for one in text.translate(_MARKS)).strip()
        number = re.sub(r"^([+-])\s+", r"\1", number)
        text = number if _LIKE_NUMBER.fullmatch(number) else text
    return re.sub(r"[ '\u2019]", "", text) if _SPACED.fullmatch(text) else text


def _column(cells: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Cells with decimal points for commas that can be nothing else, and the mark proved; ``?`` if it may be both."""
    if not _PLAIN.fullmatch("\n".join(cells)):
        cells = tuple(map(_plain, cells))
        numbers = [cell for cell in cells if _LIKE_NUMBER.fullmatch(cell)]
        marked = [cell for cell in numbers if _DECIMAL.fullmatch(cell)]
        alone = all(_DECIMAL.fullmatch(cell) or re.fullmatch(r"[+-]?\d+", cell) for cell in numbers)
        if marked and alone and 2 * len(numbers) > sum(map(bool, cells)) and not all(map(_THOUSANDS.fullmatch, marked)):
            return tuple(cell.replace(",", ".") if _DECIMAL.fullmatch(cell) else cell for cell in cells), ","
    either = False
    for cell in cells:
        if "." in cell and _NUMBER.fullmatch(cell):
            if not _THOUSANDS.fullmatch(cell):
                return tuple(cells), "."
            either = True
    return tuple(cells), "?" if either else ""
