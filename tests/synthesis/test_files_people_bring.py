"""Files as people keep them: read as they are meant, or refused with what to do; never pooled as what they are not.

Each case is a small table, the options of the command, and what is right: words of a message, or the rows that are
read. Nothing is sampled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook

import bayes.synthesis.answer as answer
from bayes.cli import main
from bayes.errors import InputError, UsageError
from bayes.heroin.study import SCHEMA
from bayes.importing import import_rows
from bayes.priortext import prior_from_text
from bayes.sheets import read_sheet
from bayes.synthesis import read_counts, read_log_ratios
from bayes.synthesis.exact import exact_posterior

RATIOS, COUNTS = ["--y", "y", "--se", "se"], ["--events", "et,ec", "--total", "nt,nc"]
RATIO = ["--ratio", "rr", "--lower", "lo", "--upper", "hi"]
TWO = "study,y,se\nA,-0.51,0.20\nB,-0.32,0.15\n"
ARMS = "study,et,ec,nt,nc\nA,3,6,50,52\nB,2,4,40,41\n"


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "rows.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def refusal(path: Path, options: list[str], capsys: Any, monkeypatch: Any) -> str:
    """What the command says; it ends with code 2, and before any draw."""
    monkeypatch.setattr(answer, "sample", None)
    assert main(["synthesise", str(path), *options, "--quiet"]) == 2
    return " ".join(capsys.readouterr().err.split())


# --- one meaning: read -----------------------------------------------------------------------

READ: dict[str, str | bytes] = {
    "plain": TWO,
    "minus sign of typesetters": TWO.replace("-", "\u2212"),
    "en dash for a minus": TWO.replace("-", "\u2013"),
    "a line that tells the delimiter": "sep=;\n" + TWO.replace(",", ";"),
    "the same in quotes": '"sep=;"\r\n' + TWO.replace(",", ";"),
    "tabs": TWO.replace(",", "\t"),
    "UTF-16": TWO.replace(",", "\t").encode("utf-16"),
    "UTF-16, big end first": b"\xfe\xff" + TWO.encode("utf-16-be"),
    "a mark of byte order": "\ufeff" + TWO,
    "blank lines first": "\n\n,,\n" + TWO,
    "a title": "Table 2. Effects of the trials\n" + TWO,
    "a title with commas after it": "Effects,,\n" + TWO,
    "commas at the end": TWO.replace("\n", ",\n"),
    "two commas at the end": TWO.replace("\n", ",,\n"),
    "empty lines at the end": TWO + ",,\n,,\n",
    "decimal commas": TWO.replace(",", ";").replace(".", ","),
    "decimal commas and tabs": TWO.replace(",", "\t").replace(".", ","),
    "blanks that do not break": TWO.replace("-0.51", "\u00a0-0.51\u00a0"),
    "old ends of lines": TWO.replace("\n", "\r\n"),
    "header with commas": TWO.replace(",", ";").replace("study", '"study, year, country"').replace("A;", '"A";'),
    "header over two lines in its cell": TWO.replace("y,", '"y",').replace("study", '"study"'),
    "raised points of The Lancet": TWO.replace("0.", "0\u00b7"),
    "label column by another name": TWO.replace("study", "Studie"),
    "label column first, by a name nobody knows": TWO.replace("study", "Onderzoek"),
}


@pytest.mark.parametrize("name", READ)
def test_what_has_one_meaning_is_read(name: str, tmp_path: Path) -> None:
    rows = read_log_ratios(written(tmp_path, READ[name]), "y", "se")
    assert rows.labels == ("A", "B")
    np.testing.assert_allclose(rows.y, [-0.51, -0.32])
    np.testing.assert_allclose(rows.se, [0.20, 0.15])


@pytest.mark.parametrize(
    "thousand", ["1000", "1 000", "1\u00a0000", "1\u202f000", "1'000", "1\u2019000", "1000.0", "1e3"]
)
def test_thousands_that_can_be_nothing_else_are_read(thousand: str, tmp_path: Path) -> None:
    rows = read_counts(written(tmp_path, ARMS.replace("50", thousand)), ("et", "ec"), ("nt", "nc"))
    assert rows.total[0, 0] == 1000


def test_variances_have_their_option(tmp_path: Path) -> None:
    path = written(tmp_path, "study,yi,vi\nA,-0.51,0.04\nB,-0.32,0.0225\n")
    np.testing.assert_allclose(read_log_ratios(path, "yi", var="vi").se, [0.20, 0.15])
    with pytest.raises(UsageError, match="one of the two"):
        read_log_ratios(path, "yi", "vi", var="vi")


# --- not what they seem: asked about or refused ----------------------------------------------

REFUSED: dict[str, tuple[str | bytes, list[str], tuple[str, ...]]] = {
    "a ratio": ("study,y,se\nA,0.70,0.2\nB,0.85,0.1\n", RATIOS, ("may be ratios", "log 0.7 = -0.357", "confirm logs")),
    "a ratio by name": ("study,RR,se\nA,0.70,0.2\nB,1.85,0.1\n", ["--y", "RR", "--se", "se"], ("--confirm logs",)),
    "a percentage as error": ("study,y,se\nA,-0.4,25\nB,-0.1,0.1\n", RATIOS, ("percentage", "--confirm percent")),
    "percentages throughout": ("study,y,se\nA,-40,25\nB,10,12\n".replace("y,", "change %,"),
                               ["--y", "change %", "--se", "se"], ("percentages", "--confirm percent")),
    "a cell with a sign": ("study,y,se\nA,-0.4,25%\nB,-0.1,0.1\n", RATIOS, ("line 2", "write 0.25")),
    "a cell with an interval": ("study,y,se\nA,-0.4 (0.2),0.1\nB,-0.1,0.1\n", RATIOS, ("line 2", "one number in")),
    "a date that was a number": ("study,y,se\nA,5-Jan,0.1\nB,-0.1,0.1\n", RATIOS, ("line 2", "date")),
    "a bound": ("study,y,se\nA,<0.001,0.1\nB,-0.1,0.1\n", RATIOS, ("line 2", "without a sign")),
    "not known": ("study,y,se\nA,NA,0.1\nB,-0.1,0.1\n", RATIOS, ("line 2", "remove the line", "every row needs it")),
    "an error of a formula": ("study,y,se\nA,#DIV/0!,0.1\nB,-0.1,0.1\n", RATIOS, ("line 2", "formula")),
    "one column twice as events": (ARMS, ["--events", "et,et", "--total", "nt,nc"], ("cannot be the events of both",)),
    "one column as events and people": (ARMS, ["--events", "et,nt", "--total", "nt,nc"], ("events and people",)),
    "one column as people of both": (ARMS, ["--events", "et,ec", "--total", "nt,nt"], ("both arms", "--confirm sizes")),
    "one column as estimate and error": (TWO, ["--y", "y", "--se", "y"], ("cannot be both",)),
    "an ambiguous thousand": (ARMS.replace("50", "1.000"), COUNTS, ("line 2", "thousands", "write 1000")),
    "an ambiguous thousand in quotes": (ARMS.replace("50", '"1,000"'), COUNTS, ("line 2", "thousands", "write 1000")),
    "millions": (ARMS.replace("50", "1.000.000"), COUNTS, ("line 2", "1000000")),
    "a share as a count": (ARMS.replace("A,3", "A,6%"), COUNTS, ("line 2", "count", "write 3 of nt 50")),
    "a fraction as a count": (ARMS.replace("A,3", "A,3.5"), COUNTS, ("line 2", "whole number")),
    "a share as a count, as a cell shown in per cent holds it": (
        ARMS.replace("A,3", "A,0.06"), COUNTS, ("line 2", "whole number", "if it is a share, write 3 of nt 50")),
    "more events than people": (ARMS.replace("A,3", "A,51"), COUNTS, ("line 2", "'et'", "more than nt 50")),
    "a time that was a number": (
        "study,y,se\nA,12:30:00,0.1\nB,-0.1,0.1\n", RATIOS, ("line 2", "a date or time of it")),
    "brackets of an accountant": ("study,y,se\nA,(0.51),0.1\nB,-0.1,0.1\n", RATIOS, ("line 2", "write -0.51 if")),
    "both marks in a column of decimal commas": (
        "study;y;se\nA;-0,5;2,3\nB;-0,3;1.234,56\n", RATIOS, ("line 3", "1.234,56", "write 1234,56")),
    "lines in quotes": ('"study,y,se"\n"A,-0.5,0.2"\n', RATIOS, ("quotes around whole lines",)),
    "an error of zero": (TWO.replace("0.20", "0"), RATIOS, ("line 2", "'se'", "greater than 0")),
    "a negative variance": (TWO.replace("0.20", "-0.2").replace("se\n", "vi\n"), ["--y", "y", "--var", "vi"],
                            ("line 2", "greater than 0")),
    "a standard deviation of zero": (
        "study,mt,mc,st,sc,nt,nc\nA,1,2,0,1,10,10\nB,2,2,1,1,12,12\n",
        ["--mean", "mt,mc", "--sd", "st,sc", "--total", "nt,nc"], ("line 2", "'st'", "found: 0.0")),
    "a mean that has no logarithm": (
        "study,mt,mc,st,sc,nt,nc\nA,1,2,1,1,10,10\nB,2,-2,1,1,12,12\n",
        ["--mean", "mt,mc", "--sd", "st,sc", "--total", "nt,nc", "--measure", "ROM"],
        ("line 3", "'mc'", "found: -2.0", "MD or SMD")),
    "events below zero": (ARMS.replace("A,3", "A,-3"), COUNTS, ("line 2", "'et'", "not negative")),
    "no time at risk": ("study,et,ec,t,c\nA,1,2,30,0\n", ["--events", "et,ec", "--time", "t,c"],
                        ("line 2", "'c'", "greater than zero")),
    "a moderator that is not known": (
        "study,y,se,x\nA,-0.3,0.1,1\nB,0.1,0.2,NA\nC,0.1,0.3,3\n", [*RATIOS, "--moderator", "x"],
        ("line 3", "'x'", "write the number, or remove the line")),
    "flat slopes of moderators that tell one another": (
        "study,y,se,x,z\nA,-0.3,0.1,1,2\nB,0.1,0.2,2,4\nC,0.2,0.2,3,6\n",
        [*RATIOS, "--moderator", "x", "--moderator", "z", "--slope", "flat"], ("flat slopes", "'x', 'z'", "leave one")),
    "a header without rows": ("study,y,se\n", RATIOS, ("no rows", "below its header")),
    "a ratio with its interval in one cell": (
        'study,rr\nA,"0.60 (0.42, 0.85)"\n', ["--ratio", "rr", "--lower", "rr", "--upper", "rr"],
        ("'--ratio, --lower, --upper'", "columns of their own")),
    "more people than there are": (ARMS.replace("50", "1e30"), COUNTS, ("line 2", "too large for a count")),
    "a sum of counts": (ARMS + "Summe,5,10,90,93\n", COUNTS, ("line 4", "pool the others", "Summe", "--confirm total")),
    "a sum under any name": (ARMS + "B\u00e1ide,5,10,90,93\n", COUNTS, ("sum of the others", "--confirm total")),
    "a weighted mean under any name": (TWO + "Ensemble des essais,-0.39,0.12\n", RATIOS,
                                       ("line 4", "weighted mean", "total")),
    "copies": (TWO + "C,0.1,0.3\nC (again),0.1,0.3\n", RATIOS, ("same numbers", "lines 4, 5", "--confirm copies")),
    "ratios in per cent": ("study,rr,lo,hi\nA,75,60,94\nB,80,70,91\n", RATIO, ("every ratio is 10 or more", "0.75")),
    "logarithms given as ratios": ("study,logRR,lo,hi\nA,0.5,0.2,1.25\nB,0.3,0.15,0.6\n",
                                   ["--ratio", "logRR", *RATIO[2:]],
                                   ("logarithms, not ratios", "--y", "confirm names")),
    "logarithms to base 10": ("study,log10 OR,se\nA,-0.5,0.2\nB,0.3,0.1\n", ["--y", "log10 OR", "--se", "se"],
                              ("another base", "2.3026", "--confirm names")),
    "intervals of another level": ("study,rr,99% CI low,99% CI high\nA,0.75,0.60,0.94\n",
                                   ["--ratio", "rr", "--lower", "99% CI low", "--upper", "99% CI high"],
                                   ("99% intervals, not 95%", "add --level 0.99", "--confirm names")),
    "quantiles for an interval": ("study,rr,q5,q95\nA,0.75,0.60,0.94\n",
                                  ["--ratio", "rr", "--lower", "q5", "--upper", "q95"], ("add --level 0.9;",)),
    "errors given as variances": (TWO, ["--y", "y", "--var", "se"], ("a standard error, not a variance", "--se")),
    "errors given as deviations": (
        "study,mt,mc,SE t,SE c,nt,nc\nA,1,2,1,1,10,10\n",
        ["--mean", "mt,mc", "--sd", "SE t,SE c", "--total", "nt,nc"], ("a standard error, not a standard deviation",)),
    "a table on its side": ("study,A,B\ny,-0.51,-0.32\nse,0.2,0.15\n", RATIOS, ("turn the table",)),
    "a name twice, encoded otherwise": (
        TWO + "M\u00fcller \u2013 B,0.1,0.3\nMu\u0308ller\u00a0- B,0.2,0.3\n", RATIOS, ("lines 4, 5", "stands twice")),
    "a name twice": (TWO + "b ,0.1,0.3\n", RATIOS, ("lines 3, 4", "stands twice")),
    "a name twice in another language": (TWO.replace("study", "Auteur") + "B,0.1,0.3\n", RATIOS, ("stands twice",)),
    "a comparator twice": (ARMS + "C,9,6,50,52\n", COUNTS,
                           ("same comparator arm", "lines 2, 4", "6/52", "--confirm arms")),
    "doses of one trial": ("study,y,se\nA 10mg,-0.5,0.2\nA 20mg,-0.6,0.2\nB,-0.3,0.2\n", RATIOS,
                          ("arms of one", "lines 2, 3")),
    "no name": ("study,y,se\nSmith 2010,-0.51,0.2\n,-0.32,0.15\n,-0.2,0.15\n", RATIOS, ("lines 3, 4", "no label")),
    "a note below": (TWO + "* adjusted for age\n", RATIOS, ("line 4", "if it is a note")),
    "a header on two lines": ("study,treated,,compared,\n,events,n,events,n\nA,1,2,3,4\n", COUNTS, ("on one line",)),
    "an encoding of Windows": ("study,y,se\nM\u00fcller,-0.5,0.2\nB,-0.3,0.2\n".encode("cp1252"), RATIOS,
                               ("line 2", "M\u00fcller", "CSV UTF-8")),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_rows_are_not_is_asked_or_refused(name: str, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    content, options, words = REFUSED[name]
    said = refusal(written(tmp_path, content), options, capsys, monkeypatch)
    assert [
        word for word in ("rows.csv", *words) if word not in said and not said.startswith("bayes: key '--")
    ] == [], said


@pytest.mark.parametrize("header", ["vi", "var", "Variance", "yi_var", "sampling variance", "se2", "SD", "weight",
                                    "1/se2", "upper", "CI_low", "p-value", "n"])  # fmt: skip
def test_columns_that_are_no_standard_errors_are_asked_about(
    header: str, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    said = refusal(
        written(tmp_path, TWO.replace("se\n", f"{header}\n")), ["--y", "y", "--se", header], capsys, monkeypatch
    )
    assert "not a standard error" in said
    assert "--confirm se" in said
    assert ("--var" in said) == ("variance" in said)


TOTALS = ["Total", "TOTAL:", "Overall", "Summe", "Gesamt", "Subtotal", "Pooled estimate", "Total (95% CI)", "RE Model",
          "Overall (I\u00b2 = 34%)", "Random effects model", "All studies", "Combined", "Ensemble", "Totale", "Totaal",
          "Mean", "\u0418\u0442\u043e\u0433\u043e"]  # fmt: skip


@pytest.mark.parametrize("label", TOTALS)
def test_a_row_that_pools_is_asked_about_by_its_name(label: str, tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    said = refusal(written(tmp_path, TWO + f'"{label}",-0.7,0.12\n'), RATIOS, capsys, monkeypatch)
    assert "--confirm total" in said


@pytest.mark.parametrize(
    "label", ["Total Health 2004", "Meant 2010", "Allen", "Summers 1999", "Mean-Smith", "Overall 2003"]
)
def test_trials_with_such_names_are_trials(label: str, tmp_path: Path) -> None:
    rows = read_log_ratios(written(tmp_path, TWO + f"{label},0.7,0.12\n"), "y", "se")
    assert rows.labels[-1] == label


CONFIRMED = {"a ratio": "logs", "a percentage as error": "percent", "one column as people of both": "sizes",
             "copies": "copies", "a sum of counts": "total", "doses of one trial": "arms"}  # fmt: skip


@pytest.mark.parametrize("name", CONFIRMED)
def test_who_knows_better_says_so(name: str, tmp_path: Path) -> None:
    content, options, _ = REFUSED[name]
    path, given = written(tmp_path, content), options[1::2]
    if "--events" in options:
        rows: Any = read_counts(path, *(one.split(",") for one in given), confirm=[CONFIRMED[name]])
    else:
        rows = read_log_ratios(path, *given, confirm=[CONFIRMED[name]])
    assert len(rows.labels) >= 2
    with pytest.raises(UsageError, match="nothing is confirmed by this word"):
        read_log_ratios(written(tmp_path, TWO), "y", "se", confirm=["everything"])


def test_questions_are_not_asked_without_reason(tmp_path: Path) -> None:
    """The eight schools, differences with names, two camps of equal rows, small arms that agree by chance."""
    schools = "school,y,se\n" + "".join(f"{a},{y},{s}\n" for a, y, s in zip(
        "ABCDEFGH", (28, 8, -3, 7, -1, 1, 18, 12), (15, 10, 16, 11, 9, 11, 10, 18), strict=True))  # fmt: skip
    assert len(read_log_ratios(written(tmp_path, schools), "y", "se").labels) == 8
    assert read_log_ratios(written(tmp_path, "study,smd,se\nA,0.3,0.2\nB,0.5,0.1\n"), "smd", "se").y[1] == 0.5
    camps = "study,y,se\n" + "".join(f"{a},{y},0.1\n" for a, y in zip("ABCDEF", (-4, 4) * 3, strict=True))
    assert len(read_log_ratios(written(tmp_path, camps), "y", "se").labels) == 6
    small = "study,et,ec,nt,nc\nA,3,1,10,10\nB,2,1,12,10\nC,0,1,11,10\n"
    assert len(read_counts(written(tmp_path, small), ("et", "ec"), ("nt", "nc")).labels) == 3


def test_german_thousands_give_the_answer_of_thousands(tmp_path: Path) -> None:
    """1.000 read as one person would give another answer; written as asked it is the one of a thousand people."""
    path = written(tmp_path, "study;e1;e2;n1;n2\nA;0;1;1000;2000\nB;0;1;3000;1000\n")
    np.testing.assert_array_equal(read_counts(path, ("e1", "e2"), ("n1", "n2")).total, [[1000, 2000], [3000, 1000]])


# --- workbooks -------------------------------------------------------------------------------


def book(path: Path, rows: list[list[Any]], **hidden: list[list[Any]]) -> Path:
    made = Workbook()
    first = made.active
    first.title = "trials"
    for row in rows:
        first.append(row)
    for i, (name, more) in enumerate(hidden.items()):
        sheet = made.create_sheet(name, i)
        sheet.sheet_state = "hidden"
        for row in more:
            sheet.append(row)
    made.save(path)
    return path


ROWS = [["study", "y", "se"], ["A", -0.51, 0.2], ["B", -0.32, 0.15], ["C", 0.11, 0.25]]


def test_a_hidden_first_sheet_is_not_the_first(tmp_path: Path) -> None:
    path = book(tmp_path / "x.xlsx", ROWS, old=[ROWS[0], ["Z", 9.0, 1.0], ["Y", -9.0, 1.0]])
    rows = read_log_ratios(path, "y", "se")
    assert rows.labels == ("A", "B", "C")
    assert rows.source == "sheet 'trials' of x.xlsx; hidden and not read: old"
    assert read_log_ratios(path, "y", "se", sheet="old").labels == ("Z", "Y")


def test_the_sheet_that_was_read_is_named(tmp_path: Path, capsys: Any) -> None:
    path = book(tmp_path / "x.xlsx", ROWS)
    assert main(["synthesise", str(path), *RATIOS, "--quiet", "--draws", "100", "--no-leave-one-out"]) == 0
    assert "Rows: sheet 'trials' of x.xlsx." in capsys.readouterr().out


def test_merged_cells_are_refused(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    path = book(tmp_path / "x.xlsx", ROWS)
    from openpyxl import load_workbook

    made = load_workbook(path)
    made["trials"].merge_cells("A2:A3")
    made.save(path)
    said = refusal(path, RATIOS, capsys, monkeypatch)
    assert "line 3" in said
    assert "A2:A3" in said
    assert "unmerge" in said


def test_a_merged_title_is_a_title(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    path = book(tmp_path / "x.xlsx", [["Effects of the trials"], *ROWS])
    made = load_workbook(path)
    made["trials"].merge_cells("A1:C1")
    made.save(path)
    assert read_log_ratios(path, "y", "se").labels == ("A", "B", "C")


def test_formulas_without_a_value_are_named(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    path = book(tmp_path / "x.xlsx", [ROWS[0], ["A", "=LN(0.6)", 0.2], *ROWS[2:]])
    said = refusal(path, RATIOS, capsys, monkeypatch)
    for word in ("B2", "=LN(0.6)", "without a stored value", "open the workbook in Excel and save it"):
        assert word in said


@pytest.mark.parametrize(("name", "content", "word"), [
    ("x.ods", b"PK", "OpenDocument"), ("x.sav", b"$FL2", "SPSS"), ("x.xls", b"\xd0\xcf", "before 2007"),
    ("x.xlsx", b"\xd0\xcf\x11\xe0 and more", "password"), ("x.xlsx", b"study,y,se\n", "not an Excel workbook"),
])  # fmt: skip
def test_other_files_have_a_sentence(
    name: str, content: bytes, word: str, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    (tmp_path / name).write_bytes(content)
    assert word in refusal(tmp_path / name, RATIOS, capsys, monkeypatch)


def test_a_strict_workbook_is_refused_in_words(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    """Strict Open XML: the same parts under other namespaces, in which openpyxl finds no sheet."""
    from zipfile import ZipFile

    path = book(tmp_path / "transitional.xlsx", ROWS)
    with ZipFile(path) as old, ZipFile(tmp_path / "strict.xlsx", "w") as new:
        for name in old.namelist():
            text = old.read(name)
            for is_, was in ((b"http://purl.oclc.org/ooxml/spreadsheetml/main", b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"),
                             (b"http://purl.oclc.org/ooxml/officeDocument/relationships",
                              b"http://schemas.openxmlformats.org/officeDocument/2006/relationships")):  # fmt: skip
                text = text.replace(was, is_)
            new.writestr(name, text)
    assert "not as Strict Open XML" in refusal(tmp_path / "strict.xlsx", RATIOS, capsys, monkeypatch)


# --- evidence import -------------------------------------------------------------------------

IMPORTS: dict[str, tuple[str, str, dict[str, str], tuple[str, ...]]] = {
    "thousands": ("Land;Patienten;Klienten\nAbroadia;1.000;17.000\n", "coverage",
                  {"country": "Land", "patients": "Patienten", "clients": "Klienten"},
                  ("line 2", "Patienten", "thousands", "write 1000")),
    "a share": ("Study,retained,entered,years\nRoe 2001,73%,100,1\n", "retention", {"study": "Study"},
                ("line 2", "retained is a count", "write 73 of entered 100")),
    "a sum": ("Study,retained,entered,years\nRoe 2001,73,100,1\nTotal,73,100,1\n", "retention", {"study": "Study"},
              ("line 3", "'Total'", "counted twice")),
    "not known": ("Study,logRR,SE\nRoe 2001,-0.4,0.2\nPoe 2003,0.1,NA\n", "trials",
                  {"study": "Study", "y": "logRR", "se": "SE"}, ("line 3", "'NA'", "empty the cell")),
}  # fmt: skip


@pytest.mark.parametrize("name", IMPORTS)
def test_cells_of_an_import_are_explained(name: str, tmp_path: Path) -> None:
    content, table, columns, words = IMPORTS[name]
    (tmp_path / "evidence").mkdir()
    given = {"row": "Roe", **dict.fromkeys(("source", "why", "locator"), "x"), "status": "primary"}
    given |= {"outcome": "count", "design": "randomised", "se_kind": "published"} if table == "trials" else {}
    with pytest.raises(InputError) as caught:
        import_rows(written(tmp_path, content), tmp_path / f"evidence/{table}.csv", columns, given, schema=SCHEMA)
    said = " ".join(str(caught.value).split())
    assert [word for word in words if word not in said] == [], said


def test_a_header_with_a_comma_or_an_equals_sign_can_be_named(tmp_path: Path) -> None:
    from bayes.importing import pairs_of

    path = written(tmp_path, 'Study,"log RR (95% CI, unadjusted)",SE=sd/sqrt(n)\nRoe 2001,-0.4,0.2\nPoe 2003,0.1,0.3\n')
    found = pairs_of(['y="log RR (95% CI, unadjusted)",se=SE=sd/sqrt(n)'], "--map")
    assert read_sheet(path).column(found["y"]) == ("-0.4", "0.1")
    rows = read_log_ratios(path, found["y"], found["se"])
    assert rows.labels == ("Roe 2001", "Poe 2003")
    assert (
        read_counts(written(tmp_path, ARMS.replace("et,ec", '"et, n",ec')), ["et, n", "ec"], ["nt", "nc"]).events[0, 0]
        == 3
    )


def test_one_table_in_three_notations_has_one_posterior(tmp_path: Path) -> None:
    mu, tau = prior_from_text("mu", "Normal(0, 2)", "log ratio"), prior_from_text("tau", "HalfNormal(0.5)", "log sd")
    all_rows = [
        read_log_ratios(written(tmp_path, READ[name]), "y", "se") for name in ("plain", "decimal commas", "UTF-16")
    ]
    assert len({float(exact_posterior(rows, mu, tau).numbers["mu"]["q50"]) for rows in all_rows}) == 1
