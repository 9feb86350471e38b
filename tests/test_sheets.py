"""Sheets of trials and BibTeX files in and out: what is read is what was written, and a mistake changes nothing."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook

from bayes.bibliography import add_references, cited, entries_of, write_references
from bayes.cli import main
from bayes.errors import EvidenceError, InputError, StudyError, UsageError
from bayes.heroin.study import SCHEMA, shipped_study
from bayes.importing import import_rows
from bayes.references import read_references
from bayes.sheets import read_sheet
from bayes.synthesis import read_counts, read_log_ratios

HEADER = ("Trial", "logRR", "SE", "Design", "When")
ROWS = (("Utrecht 1999", -0.25, 0.5, "randomised", datetime.date(1999, 5, 1)),
        ("Bern, arm = B", -1, 0.25, "completers", None))  # fmt: skip
MAP = {"row": "Trial", "study": "Trial", "y": "logRR", "se": "SE", "design": "Design"}
GIVE = {"source": "toolkit", "why": "a check of the importer", "locator": "Table 2", "status": "primary",
        "outcome": "count", "se_kind": "published"}  # fmt: skip


def book(path: Path, **sheets: Any) -> Path:
    made = Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    made.save(path)
    return path


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    return book(tmp_path / "trials.xlsx", notes=[("nothing here",)], data=[HEADER, *ROWS, (None,) * 7])


def test_a_workbook_reads_as_the_same_table_in_csv(trials: Path, tmp_path: Path) -> None:
    lines = ("Trial;logRR;SE;Design;When", "Utrecht 1999;-0.25;0.5;randomised;1999-05-01",
             '"Bern, arm = B";-1;0.25;completers;', "")  # fmt: skip
    (tmp_path / "trials.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")  # as Excel writes it
    one, two = read_sheet(trials, "data"), read_sheet(tmp_path / "trials.csv")
    assert one.columns == two.columns
    assert one.lines == two.lines == (2, 3)
    assert one.columns["logRR"] == ("-0.25", "-1")


def test_trials_of_a_sheet_enter_the_study(trials: Path, copy: Any) -> None:
    target = copy.folder / "evidence/trials.csv"
    before = copy.load().evidence["trials"]
    added = import_rows(trials, target, MAP, GIVE, sheet="data", schema=SCHEMA)
    after = copy.load().evidence["trials"]
    assert after == (*before, *added)
    bern = after[-1]
    assert (bern.row, bern.y, bern.se, bern.design, bern.use) == (
        "Bern, arm = B",
        -1.0,
        0.25,
        "completers",
        "likelihood",
    )
    assert (bern.data_set, bern.note, bern.shared_se) == ("Bern, arm = B", "", None)


MISTAKES: dict[str, tuple[dict[str, str], dict[str, str], type[InputError], str, str]] = {
    "a number not mapped": ({"y": ""}, {}, EvidenceError, "y", "needs this number"),
    "a word not mapped": ({"design": ""}, {}, EvidenceError, "design", "--map"),
    "a column the sheet lacks": ({"y": "logOR"}, {}, EvidenceError, "logOR", "logRR"),
    "a column the table lacks": ({"yi": "logRR"}, {}, UsageError, "yi", "allowed"),
    "a word not allowed": ({}, {"status": "read"}, EvidenceError, "status", "primary"),
    "a source not on file": ({}, {"source": "smith2020"}, EvidenceError, "smith2020", "references.bib"),
    "data that are there already": ({}, {"data_set": "Naomi, composite response at 12 months"}, EvidenceError, "use",
                                    "counted twice"),
    "a column given and mapped": ({}, {"design": "randomised"}, UsageError, "design", "keep one"),
    "a number that is none": ({"y": "Design"}, {}, EvidenceError, "y", "not a number"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_changes_nothing(trials: Path, copy: Any, name: str) -> None:
    columns, given, error, key, says = MISTAKES[name]
    target = copy.folder / "evidence/trials.csv"
    before = target.read_bytes()
    chosen = {k: v for k, v in {**MAP, **columns}.items() if v}
    with pytest.raises(error) as caught:
        import_rows(trials, target, chosen, {**GIVE, **given}, sheet="data", schema=SCHEMA)
    assert key in str(caught.value)
    assert says in str(caught.value)
    assert target.read_bytes() == before


def test_a_row_cannot_be_imported_twice(trials: Path, copy: Any) -> None:
    target = copy.folder / "evidence/trials.csv"
    import_rows(trials, target, MAP, GIVE, sheet="data", schema=SCHEMA)
    with pytest.raises(EvidenceError, match=r"row 'Utrecht 1999' of .*trials.xlsx is already in .*nothing was added"):
        import_rows(trials, target, MAP, GIVE, sheet="data", schema=SCHEMA)


def test_a_folder_that_does_not_exist_is_told_before_the_sheet_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this folder does not exist"):
        import_rows(tmp_path / "none.xlsx", tmp_path / "new/trials.csv", MAP, GIVE, schema=SCHEMA)
    assert not (tmp_path / "new").exists()


def test_what_was_taken_for_granted_is_told(copy: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target, sheet = copy.folder / "evidence/retention.csv", tmp_path / "r.csv"
    given = {"source": "toolkit", "why": "x", "locator": "x", "status": "primary", "study": "Bern",
             "years": "1", "retained": "3", "entered": "4"}  # fmt: skip
    words = [part for k, v in given.items() for part in ("--give", f"{k}={v}")]
    sheet.write_text("row\nbern\n")
    assert main(["evidence", "import", str(sheet), *words, "--to", str(target)]) == 0
    shown = capsys.readouterr().out
    assert "1 row added" in shown
    assert ("note: no data_set given: the study's name was taken; use = likelihood was taken. "
            "Check that no other row rests on the same data.") in shown  # fmt: skip
    sheet.write_text("row,data_set,use\nother,Bern in 1999,excluded\n")
    assert main(["evidence", "import", str(sheet), *words, "--to", str(target)]) == 0
    assert "note:" not in capsys.readouterr().out


def test_a_table_without_a_study_is_checked_by_itself(trials: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    import_rows(trials, tmp_path / "new/trials.csv", MAP, GIVE | {"source": "anything"}, sheet="data", schema=SCHEMA)
    assert read_sheet(tmp_path / "new/trials.csv").columns["source"] == ("anything", "anything")
    with pytest.raises(UsageError, match="no such table of evidence"):
        import_rows(trials, tmp_path / "new/studies.csv", MAP, GIVE, schema=SCHEMA)


FILES: dict[str, tuple[str, bytes, str]] = {
    "no workbook": ("x.xlsx", b"not a zip", "not an Excel workbook"),
    "an old workbook": ("x.xls", b"\xd0\xcf", "save it as .xlsx"),
    "nothing": ("x.csv", b"", "empty"),
    "a header twice": ("x.csv", b"a,a\n1,2\n", "stands twice"),
    "a column without header": ("x.csv", b"a,\n1,2\n", "no header"),
    "a ragged line": ("x.csv", b"a,b\n1\n", "line 2"),
    "open quotes": ("x.csv", b'a,b\n1,"2\n', "quotes"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_table(tmp_path: Path, name: str) -> None:
    file, content, says = FILES[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(EvidenceError, match=says):
        read_sheet(tmp_path / file)


def test_sheets_have_names(trials: Path, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="did you mean 'data'"):
        read_sheet(trials, "dta")
    (tmp_path / "x.csv").write_text("a\n1\n")
    with pytest.raises(EvidenceError, match="only a workbook has sheets"):
        read_sheet(tmp_path / "x.csv", "data")
    with pytest.raises(EvidenceError, match="missing"):
        read_sheet(tmp_path / "none.xlsx")


def test_a_synthesis_reads_workbooks(trials: Path, tmp_path: Path) -> None:
    rows = read_log_ratios(trials, "logRR", "SE", sheet="data")
    assert rows.labels == ("Utrecht 1999", "Bern, arm = B")
    np.testing.assert_array_equal(rows.y, [-0.25, -1.0])
    counts = book(tmp_path / "counts.xlsx", c=[("study", "a", "n", "b", "m"), ("x", 3, 10, 5.0, 11), ("y", 1, 9, 2, 9)])
    np.testing.assert_array_equal(read_counts(counts, ["a", "b"], ["n", "m"]).events, [[3, 5], [1, 2]])


def test_the_commands(trials: Path, copy: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"{k}={v}" for k, v in MAP.items()]
    given = [part for k, v in GIVE.items() for part in ("--give", f"{k}={v}")]
    target = copy.folder / "evidence/trials.csv"
    code = main(
        ["evidence", "import", str(trials), "--sheet", "data", "--map", ",".join(words), *given, "--to", str(target)]
    )
    assert code == 0
    assert "2 rows added" in capsys.readouterr().out
    assert main(["evidence", "import", str(trials), "--map", "row", "--to", str(target)]) == 2
    assert "takes pairs" in capsys.readouterr().err
    assert main(["evidence", "references", str(copy.folder), "--cited"]) == 0
    shown = capsys.readouterr().out
    assert "dwc2007" in shown
    assert "press" in shown
    assert "cited by nothing" not in shown


# --- references ------------------------------------------------------------------------------

LIBRARY = """% a library
@article{smith2020,
  title = {A trial of {DAM}},
  author = {Smith, A. and Jones, B.},
  year = 2020,
  doi = {10.1000/x},
  kind = {trial},
}
@comment{nothing}
@misc{dwc2007, title = {Europe: British Top Cop Calls for Prescription Heroin}, author = {Somebody else}}
"""


def test_entries_go_in_and_out_with_all_their_fields(copy: Any, tmp_path: Path) -> None:
    file = copy.folder / "references.bib"
    before = file.read_text("utf-8")
    library = tmp_path / "library.bib"
    library.write_text(LIBRARY.partition("@comment")[0], encoding="utf-8")
    assert add_references(library, file) == (["smith2020"], [])
    after = file.read_text("utf-8")
    assert after.startswith(before.rstrip())
    assert "doi = {10.1000/x}" in after  # fields that are not read are kept
    assert copy.load().references["smith2020"].kind == "trial"
    assert add_references(library, file) == ([], ["smith2020"])
    assert file.read_text("utf-8") == after
    assert write_references(file, tmp_path / "out.bib", ["smith2020"]) == ["smith2020"]
    assert entries_of(tmp_path / "out.bib") == {"smith2020": entries_of(library)["smith2020"]}


def test_the_shipped_references_survive_the_way_out_and_in(tmp_path: Path) -> None:
    source = shipped_study() / "references.bib"
    write_references(source, tmp_path / "all.bib")
    add_references(tmp_path / "all.bib", tmp_path / "again.bib")
    assert read_references(tmp_path / "again.bib") == read_references(source)
    assert entries_of(tmp_path / "again.bib") == entries_of(source)


def test_a_key_of_another_publication_changes_nothing(copy: Any, tmp_path: Path) -> None:
    file, library = copy.folder / "references.bib", tmp_path / "library.bib"
    before = file.read_bytes()
    library.write_text(LIBRARY, encoding="utf-8")
    with pytest.raises(StudyError, match="stands for another entry"):
        add_references(library, file)
    assert file.read_bytes() == before
    with pytest.raises(UsageError, match="replace themselves"):
        write_references(file, file)
    with pytest.raises(UsageError, match="no such reference"):
        write_references(file, tmp_path / "out.bib", ["dwc2006"])


def test_abbreviations_are_written_out(tmp_path: Path) -> None:
    library = tmp_path / "library.bib"
    library.write_text('@string{j = "Journal"}\n@misc{a, title = {A}, journal = j}', encoding="utf-8")
    add_references(library, tmp_path / "references.bib")
    assert entries_of(tmp_path / "references.bib")["a"]["journal"] == "Journal"


def test_every_place_that_cites_is_found(copy: Any) -> None:
    places = cited(copy.load())
    assert "offences_per_user_year" in places["dwc2007"]
    assert "riott_baseline" in places["northernecho2009"]
    assert list(places) == list(copy.load().references)
