"""The tables of a run as one Excel workbook: a sheet for each, numbers as numbers, text never a formula.

The CSV files beside it are UTF-8 without a byte-order mark, which R, pandas and LibreOffice read as they are. Excel
takes such a file for the system's own encoding when it is opened by a double click; the workbook is for that.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

from bayes.errors import StudyError, printable
from bayes.files import read_table, write_bytes

__all__ = ["table_files", "write_workbook"]

_LONGEST = 31  # characters of a sheet's name


def table_files(folder: Path) -> dict[str, Path]:
    """Return the CSV tables of a run folder by the name of their sheet, those of folders below with its name before.

    Raises
    ------
    StudyError
        If there is none.
    """
    found = {}
    for path in sorted((folder / "tables").rglob("*.csv"), key=lambda p: (len(p.parts), p)):
        name = " ".join(path.relative_to(folder / "tables").with_suffix("").parts)
        found[name[:_LONGEST]] = path
    if not found:
        raise StudyError("this run has no tables", file=folder / "tables", fix="make them with 'bayes run'")
    return found


def write_workbook(folder: Path, target: Path) -> list[str]:
    """Write every table of a run to a workbook, whole or not at all, and return the names of its sheets.

    Missing numbers are empty cells; infinite ones, which Excel does not have, are the texts ``inf`` and ``-inf``.

    Raises
    ------
    StudyError
        If the run has no tables.
    UsageError
        If the file cannot be written.
    """
    from openpyxl import Workbook

    book: Any = Workbook(write_only=True)
    files = table_files(folder)
    for name, path in files.items():
        table = read_table(path)
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for row in (table.columns, *table.itertuples(index=False)):
            sheet.append([_cell(sheet, value) for value in row])
    content = io.BytesIO()
    book.save(content)
    write_bytes(target, content.getvalue())
    return list(files)


def _cell(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, value=printable(value))
        cell.data_type = "s"  # a text that begins with = is a text
        return cell
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
