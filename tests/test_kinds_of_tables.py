"""One table in the ways in which people keep it, brought to all four that read tables: never another number.

The four: ``synthesise``, ``evidence import``, tables of a study, draws. Each kind is a change to one plain table. It is
read as what it says, or refused with the line and what to write.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

from bayes.draws import fit_from
from bayes.errors import InputError
from bayes.importing import import_rows
from bayes.sheets import read_sheet
from bayes.study import read_study
from bayes.synthesis import read_log_ratios

Y, SE = [-0.51, -0.32, 0.11], [0.2, 0.15, 0.25]


def synthesised(path: Path) -> tuple[list[float], list[float]]:
    rows = read_log_ratios(path, "y", "se")
    return rows.y.tolist(), rows.se.tolist()


def imported(path: Path) -> tuple[list[float], list[float]]:
    (path.parent / "evidence").mkdir()
    rows: Any = import_rows(path, path.parent / "evidence/trials.csv", {"row": "study"}, {})
    return [row.y for row in rows], [row.se for row in rows]


def studied(path: Path) -> tuple[list[float], list[float]]:
    (path.parent / "study/evidence").mkdir(parents=True)
    path.rename(path.parent / "study/evidence/trials.csv")
    rows: Any = read_study(path.parent / "study").evidence["trials"]
    return [row.y for row in rows], [row.se for row in rows]


def drawn(path: Path) -> tuple[list[float], list[float]]:
    draws = fit_from(path)["posterior"]
    return draws["y"].values[0].tolist(), draws["se"].values[0].tolist()


READERS: dict[str, tuple[Callable[[Path], tuple[list[float], list[float]]], str, str]] = {
    "synthesise": (synthesised, "study", "ABC"), "import": (imported, "study", "ABC"),
    "study": (studied, "row", "ABC"), "draws": (drawn, "draw", "123"),
}  # fmt: skip


def plain(header: str, names: str, mark: str = ",") -> str:
    lines = [(header, "y", "se"), *zip(names, ("-0.51", "-0.32", "0.11"), ("0.20", "0.15", "0.25"), strict=True)]
    return "".join(mark.join(line) + "\n" for line in lines)


type Kind = Callable[[str], str | bytes]
READ: dict[str, Kind] = {
    "plain": lambda t: t,
    "semicolons": lambda t: t.replace(",", ";"),
    "tabs": lambda t: t.replace(",", "\t"),
    "bars": lambda t: t.replace(",", "|"),
    "blanks after commas": lambda t: t.replace(",", ", "),
    "all in quotes": lambda t: "".join(",".join(f'"{c}"' for c in line.split(",")) + "\n" for line in t.splitlines()),
    "a line that tells the delimiter": lambda t: "sep=;\n" + t.replace(",", ";"),
    "the same after a blank line, in quotes": lambda t: '\n"sep=;"\r\n' + t.replace(",", ";"),
    "blank lines first": lambda t: "\n,,\n\n" + t,
    "a table that begins in the second column": lambda t: "".join(f",{line}\n" for line in t.splitlines()),
    "commas in a header and cells in quotes": lambda t: t.replace("se\n", 'se,"1, 2"\n').replace("20\n", '20,"1"\n')
                                                         .replace("5\n", "5,2\n"),
    "UTF-16": lambda t: t.replace(",", "\t").encode("utf-16"),
    "UTF-16, big end first": lambda t: b"\xfe\xff" + t.encode("utf-16-be"),
    "UTF-16 without its mark": lambda t: t.encode("utf-16-le"),
    "UTF-32": lambda t: t.encode("utf-32"),
    "a mark of byte order": lambda t: "\ufeff" + t,
    "decimal commas and semicolons": lambda t: t.replace(",", ";").replace(".", ","),
    "decimal commas and tabs": lambda t: t.replace(",", "\t").replace(".", ","),
    "decimal commas in quotes": lambda t: READ["all in quotes"](t).replace(".", ","),  # type: ignore[union-attr]
    "decimal commas with an exponent": lambda t: t.replace(",", ";").replace(".", ",").replace("0,20", "2,0e-1"),
    "minus sign": lambda t: t.replace("-", "\u2212"),
    "en dash for a minus": lambda t: t.replace("-", "\u2013"),
    "minus sign in an exponent": lambda t: t.replace("0.20", "2e\u22121"),
    "minus with a blank": lambda t: t.replace("-", "\u2212\u00a0"),
    "blanks that do not break": lambda t: t.replace("-0.51", "\u00a0-0.51\u202f"),
    "such blanks in the header": lambda t: t.replace(",y,", ",\u00a0y\u00a0,"),
    "signs without width": lambda t: t.replace("-0.51", "\u200b-0.51").replace(",y", ",\ufeffy"),
    "wide digits": lambda t: t.replace("0.20", "\uff10.\uff12\uff10"),
    "Arabic digits": lambda t: t.replace("0.20", "\u0660\u066b\u0662\u0660"),
    "text of a spreadsheet": lambda t: t.replace("-0.51", "'-0.51"),
    "commas at the end": lambda t: t.replace("\n", ",,\n"),
    "empty lines at the end": lambda t: t + ",,\n,,\n\n",
    "a title": lambda t: "Table 2. Effects\n" + t,
    "a title and a date": lambda t: "Table 2. Effects,,\nDownloaded 2020-01-02,,\n,,\n" + t,
    "a title with a comma": lambda t: "Table 2. Effects, adjusted\n" + t,
    "old ends of lines": lambda t: t.replace("\n", "\r"),
    "ends of lines of Windows": lambda t: t.replace("\n", "\r\n"),
}  # fmt: skip
REFUSED: dict[str, tuple[Kind, str]] = {
    "Windows-1252": (lambda t: t.replace("se\n", "se,Gr\u00f6\u00dfe\n").encode("cp1252"), "line 1.*cp1252.*CSV UTF-8"),
    "a word for not known": (lambda t: t.replace("0.15", "n/a"), "line 3.*'se'.*'n/a'.*remove th"),
    "another": (lambda t: t.replace("0.15", "not reported"), "line 3.*'se'.*'not reported'.*remove th"),
    "a dash for not known": (lambda t: t.replace("0.15", "\u2013"), "line 3.*'se'.*remove th"),
    "a share": (lambda t: t.replace("0.15", "15%"), "line 3.*'se'.*write 0.15"),
    "thousands among decimal commas": (lambda t: "y;".join(t.replace(",", ";").replace(".", ",").split("y;"))
                                       .replace("-0,51", "1.000").replace("-0,32", "2.000").replace("0,11", "3.000"),
                                       "line 2.*'y'.*'1.000'.*write 1000 .*1.0 with a decimal point"),
    "thousands with commas": (lambda t: t.replace(",", ";").replace("-0.51", "1,234").replace("-0.32", "2,000")
                              .replace("0.11", "3,000"), "line 2.*'y'.*'1,234'.*write 1234 .*1.234 with"),
    "thousands and decimals": (lambda t: t.replace(",", ";").replace("0.20", "1.234,5"), "line 2.*write 1234.5"),
    "millions": (lambda t: t.replace("0.20", "1.234.567"), "line 2.*write 1234567"),
    "one decimal comma": (lambda t: t.replace(",", ";").replace("0.11", "0,11"), "line 4.*'y'.*write 0.11"),
    "a delimiter too many": (lambda t: t.replace("0.15", "0.15,old"), "line 3.*4 cells.*3 cells"),
    "a header one cell short": (lambda t: t.replace(",se\n", "\n"), "line 2.*one cell fewer than every line"),
    "a header on two lines": (lambda t: t.replace("se\n", "se\n,(log RR),(SE)\n"), "line 1.*two lines"),
    "a header over two columns": (lambda t: f"{t.split(',')[0]},effect,\n,y,se\n" + t.split("\n", 1)[1],
                                  "line 1.*no header.*on one line"),
    "a header twice": (lambda t: t.replace("se\n", "y\n"), "line 1.*'y'.*stands twice"),
    "a sum": (lambda t: t + "Total,-0.30,0.11\n", "Total"),
    "a note": (lambda t: t + "* adjusted for age\n", "line 5.*remove it if it is a note"),
    "a note with commas": (lambda t: t + "\n* adjusted for age,,\n", "line 6.*remove it if it is a note"),
    "a note in three cells": (lambda t: t + "Note: adjusted for age, sex, and town\n", "line 5.*note"),
    "a source": (lambda t: t + "Source: WHO,,\n", "line 5.*remove it if it is a note"),
    "an error of a spreadsheet": (lambda t: t.replace("0.20", "#DIV/0!"), "line 2.*'se'.*mend the formula"),
    "a formula": (lambda t: t.replace("0.20", "=1/5"), "line 2.*'se'.*formula"),
    "a date": (lambda t: t.replace("0.20", "2-Jan"), "line 2.*'se'.*date"),
    "a bound": (lambda t: t.replace("0.20", "<0.2"), "line 2.*'se'.*without a sign"),
    "a unit": (lambda t: t.replace("0.20", "0.20 mg"), "line 2.*'se'.*the number alone"),
    "an interval in a cell": (lambda t: t.replace("0.20", "0.20 (0.1)"), "line 2.*'se'.*one number in a cell"),
    "an underscore": (lambda t: t.replace("0.20", "1_0"), "line 2.*'se'.*thousands separator"),
    "an open quote": (lambda t: t.replace("0.15", '"0.15'), "not valid CSV.*close the quotes"),
    "a control character": (lambda t: t.replace("0.20", "0.2\0"), "line 2.*control character"),
    "blanks for a delimiter": (lambda t: t.replace(",", "   "), "separate.*cells|one number in a cell"),
    "a web page": (lambda _: "<html><table><tr><td>y</td></tr></table></html>", "a web page"),
    "a workbook by another name": (lambda _: _packed(), "an Excel workbook or another archive"),
    "JSON": (lambda _: '{"y": [1, 2]}\n', "JSON"),
    "nothing": (lambda _: "\n\n", "empty|no draws"),
}  # fmt: skip


def _packed() -> bytes:
    out = io.BytesIO()
    Workbook().save(out)
    return out.getvalue()


def brought(reader: str, kind: Kind, folder: Path) -> tuple[list[float], list[float]]:
    read, header, names = READERS[reader]
    content, path = kind(plain(header, names)), folder / "rows.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", READ)
def test_what_has_one_meaning_is_read_by_all(kind: str, reader: str, tmp_path: Path) -> None:
    assert brought(reader, READ[kind], tmp_path) == (Y, SE)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_not_is_explained_by_all(kind: str, reader: str, tmp_path: Path) -> None:
    change, says = REFUSED[kind]
    with pytest.raises(InputError, match=f"(?s){says}"):
        brought(reader, change, tmp_path)


def test_how_a_file_was_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(("Effects\n" + plain("study", "ABC")).encode("utf-16"))
    assert read_sheet(path).notes == ("read as UTF-16", "line 1 is a title: 'Effects'")


# --- Excel -----------------------------------------------------------------------------------


def workbook(path: Path, header: str, names: str, change: Callable[[Workbook], object] = lambda book: None) -> Path:
    book = Workbook()
    book.active.title = "trials"
    for row in [(header, "y", "se"), *zip(names, Y, SE, strict=True)]:
        book.active.append([int(cell) if str(cell).isdecimal() else cell for cell in row])
    change(book)
    book.save(path)
    return path


def _hidden(book: Workbook) -> None:
    book.create_sheet("old", 0).append(["study", "row", "draw", "y", "se"])
    book["old"].sheet_state = "hidden"


def _raised(book: Workbook) -> None:
    """-0.51 with the mark of a footnote."""
    mark = TextBlock(InlineFont(vertAlign="superscript"), "2")
    book.active["B2"].value = CellRichText("-0.51", mark)


def _filtered(book: Workbook) -> None:
    book.active.row_dimensions[3].hidden = True


def _strict(path: Path) -> None:
    """The same parts under the names of Strict Open XML."""
    old = "http://schemas.openxmlformats.org/"
    with ZipFile(path) as packed:
        parts = {name: packed.read(name).decode() for name in packed.namelist()}
    with ZipFile(path, "w") as packed:
        for name, text in parts.items():
            packed.writestr(name, text.replace(f"{old}spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/"
                            "spreadsheetml/main").replace(f"{old}officeDocument/2006/relationships",
                            "http://purl.oclc.org/ooxml/officeDocument/relationships"))  # fmt: skip


def _short(path: Path) -> None:
    """A sheet whose own word on its size is wrong."""
    with ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    with ZipFile(path, "w") as packed:
        for name, text in parts.items():
            packed.writestr(name, text.replace(b'ref="A1:C4"', b'ref="A1:C2"'))


def _struck(book: Workbook) -> None:
    book.active["B3"] = CellRichText(TextBlock(InlineFont(strike=True), str(book.active["B3"].value)))


def _hide(book: Workbook, column: str) -> None:
    book.active.column_dimensions[column].hidden = True


EXCEL: dict[str, tuple[Callable[[Workbook], object], Callable[[Path], None] | None, str]] = {
    "plain": (lambda book: None, None, ""),
    "a hidden first sheet": (_hidden, None, ""),
    "empty columns and rows": (lambda book: book.active.cell(20, 9).__setattr__("value", " "), None, ""),
    "a merged title": (lambda book: (book.active.insert_rows(1), book.active.__setitem__("A1", "Effects"),
                                     book.active.merge_cells("A1:C1")), None, ""),
    "a false size": (lambda book: None, _short, ""),
    "merged cells": (lambda book: book.active.merge_cells("B3:B4"), None, "line 4.*sheet trials.*B3:B4.*unmerge"),
    "a header that stands twice": (lambda book: book.active.__setitem__("C1", book.active["B1"].value), None,
                                   "sheet trials.*stands twice"),
    "a line that is too long": (lambda book: book.active.__setitem__("H3", 1.0), None, "sheet trials"),
    "a formula without a value": (lambda book: book.active.__setitem__("B3", "=LN(0.6)"), None, "B3.*LN.*save it"),
    "Strict": (lambda book: None, _strict, "Strict"),
    "the raised mark of a footnote": (_raised, None, r"line 2.*'y'.*-0\.51\^2.*marks"),
    "a row that is hidden": (_filtered, None, ""),
    "a number that is struck in part": (_struck, None, ""),
    "a column that is hidden": (lambda book: _hide(book, "C"), None, ""),
    "empty columns that are hidden": (lambda book: _hide(book, "H"), None, ""),
    "a number that is struck": (lambda book: setattr(book.active["B3"], "font", Font(strike=True)), None, ""),
    "a text that may be thousands": (lambda book: [book.active.__setitem__(f"B{i}", "1,000") for i in (2, 3, 4)], None,
                                     "line 2.*'y'.*1000"),
}  # fmt: skip


@pytest.mark.parametrize("reader", ["synthesise", "import", "draws"])
@pytest.mark.parametrize("kind", EXCEL)
def test_workbooks(kind: str, reader: str, tmp_path: Path) -> None:
    (read, *shape), (change, after, says) = READERS[reader], EXCEL[kind]
    path = workbook(tmp_path / "rows.xlsx", *shape, change)
    if after is not None:
        after(path)
    if says:
        with pytest.raises(InputError, match=f"(?s){says}"):
            read(path)
    else:
        assert read(path) == (Y, SE)
        notes = read_sheet(path).notes
        assert notes[0] == "sheet 'trials' of rows.xlsx"
        hidden = "rows that are hidden or filtered out are read too: 3"
        assert (hidden in notes) == (kind == "a row that is hidden")
        assert any("struck through are read too: B3" in one for one in notes) == kind.startswith(
            "a number that is struck"
        )
        assert any("columns that are hidden" in one for one in notes) == (kind == "a column that is hidden")


@pytest.mark.parametrize("reader", ["synthesise", "import", "draws"])
@pytest.mark.parametrize(
    ("ending", "says"), [(".xls", "Excel before 2007"), (".ods", "OpenDocument"), (".rds", "of R")]
)
def test_other_programs_have_a_sentence(ending: str, says: str, reader: str, tmp_path: Path) -> None:
    (tmp_path / f"rows{ending}").write_bytes(b"PK")
    with pytest.raises(InputError, match=f"{says}(?s:.*)save it as .xlsx"):
        READERS[reader][0](tmp_path / f"rows{ending}")


def test_a_workbook_of_draws_names_its_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from bayes.cli import main

    path = workbook(tmp_path / "draws.xlsx", "draw", "123", _hidden)
    assert load_workbook(path).sheetnames == ["old", "trials"]
    main(["check", str(path)])
    assert "Draws: sheet 'trials' of draws.xlsx; hidden and not read: old." in capsys.readouterr().out


# --- rows that enter a table that is there ---------------------------------------------------


def test_rows_enter_under_the_header_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    target, source = tmp_path / "evidence/trials.csv", tmp_path / "rows.csv"
    target.write_text("se,row,y\n0.5,Z,-1\n")
    source.write_text(plain("study", "ABC"))
    import_rows(source, target, {"row": "study"}, {})
    assert target.read_text().splitlines()[:2] == ["se,row,y", "0.5,Z,-1"]
    assert read_sheet(target).columns["y"] == ("-1", "-0.51", "-0.32", "0.11")
    before = target.read_bytes()
    source.write_text(
        plain("study", "DEF").replace("se\n", "se,dose\n").replace("5\n", "5,1\n").replace("0\n", "0,1\n")
    )
    with pytest.raises(InputError, match=r"(?s)'dose'.*add these columns"):
        import_rows(source, target, {"row": "study"}, {})
    assert target.read_bytes() == before
    target.write_text("row;y;se\nZ;-1,5;0,5\n")
    source.write_text(plain("study", "ABC"))
    with pytest.raises(InputError, match="with commas"):
        import_rows(source, target, {"row": "study"}, {})
    assert target.read_text() == "row;y;se\nZ;-1,5;0,5\n"
