"""``bayes figures``: what it writes, what it leaves alone, and what it says when something is missing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from bayes.cli import main
from bayes.figures.gallery import Absent, Gallery, gallery_of
from bayes.heroin.question import QUESTION
from bayes.runfiles import note_made
from tests.figures.conftest import sensitivity_tables, write_run

SENSITIVITY = {"tornado", "shapley", "budget", "specification", "worlds", "loo_pit"}


def _gallery(folder: Path) -> Gallery:
    return gallery_of(folder, QUESTION)


def digests(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_all_figures_of_a_run(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = digests(run_folder)
    assert main(["figures", str(run_folder), "--format", "svg", "--quiet"]) == 0
    said = capsys.readouterr().out
    written = {path.name for path in (run_folder / "figures").iterdir()}
    drawn = set(_gallery(run_folder).figures) - SENSITIVITY
    assert written == {f"{name}.{word}" for name in drawn for word in ("svg", "csv", "txt")}
    assert digests(run_folder).items() >= before.items()  # nothing of the run is changed
    for name in SENSITIVITY:
        assert f"not drawn: {name}: this run has no such table of sensitivity" in said
    assert "Diagnostics: passed. 17 figures, 51 files" in said


def test_a_table_that_was_asked_for_and_had_nothing_says_what_it_needs(run_folder: Path) -> None:
    gallery, names = _gallery(run_folder), ("specification", "structure")
    with pytest.raises(Absent, match="no such table of sensitivity"):
        gallery.sensitivity(*names)
    note_made(run_folder, [run_folder / "tables" / "sensitivity" / "structure.csv"])
    with pytest.raises(Absent, match="it needs structures= of the question"):
        gallery.sensitivity(*names)


def test_sensitivity_figures_are_drawn_where_their_tables_exist(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, table in sensitivity_tables().items():
        table.to_csv(run_folder / "tables" / "sensitivity" / f"{name}.csv", index=False)
    note_made(run_folder, (run_folder / "tables" / "sensitivity").glob("*.csv"))
    assert (
        main(
            [
                "figures",
                str(run_folder),
                "--only",
                ",".join(sorted(SENSITIVITY)),
                "--format",
                "svg",
                "--width",
                "single",
            ]
        )
        == 0
    )
    assert {p.stem for p in (run_folder / "figures").glob("*.svg")} == SENSITIVITY
    assert "500 posterior draws from 2 chains" in (run_folder / "figures" / "tornado.txt").read_text()
    assert "not drawn" not in capsys.readouterr().out


def test_tables_as_the_analyses_write_them_are_made_ready(run_folder: Path) -> None:
    folder = run_folder / "tables" / "sensitivity"
    same = {
        "quantity": "offences_avoided",
        "unit": "offences",
        "lower": 0.0,
        "upper": 2e6,
        "prob": 0.95,
        "kind": "eti",
        "draws": 500,
    }
    changes = [("as fitted", ""), ("mu_theta: sceptical", "sceptical"), ("mu_theta: optimistic", "optimistic")]
    rows = [{"change": c, "group": g, "median": 5e5, "d_median": 1e5 * i, **same} for i, (c, g) in enumerate(changes)]
    pd.DataFrame(rows).to_csv(folder / "alternatives.csv", index=False)
    structures = [("as fitted", "", False), ("one effect for all", "effects", False), ("no drift", "drift", True)]
    rows = [{"change": c, "choice": g, "median": 5e5, "estimand_changed": e, **same} for c, g, e in structures]
    pd.DataFrame(rows).to_csv(folder / "structure.csv", index=False)
    steps = [{"step": i, "adds": a, "median": 5e5, **same} for i, a in enumerate(("sampling error", "demand"))]
    pd.DataFrame(steps).to_csv(folder / "budget.csv", index=False)
    note_made(run_folder, folder.glob("*.csv"))
    gallery = _gallery(run_folder)
    assert gallery.draw("tornado").table[["input", "lower_change", "upper_change"]].values.tolist() == [
        ["mean effect of prescribed heroin", 1e5, 2e5]
    ]
    variants = gallery.draw("specification").table
    assert variants["variant"].tolist() == ["as fitted", "one effect for all", "no drift"]
    assert variants["drift"].tolist() == ["as fitted", "as fitted", "no drift"]
    assert gallery.draw("budget").table["step"].tolist() == ["sampling error", "+ demand"]


def test_acceptability_at_no_willingness_to_pay_is_the_cheapest_option(run_folder: Path) -> None:
    table = _gallery(run_folder).draw("acceptability").table
    first = table[table["willingness_to_pay"] == 0].set_index("option")
    assert set(first.index) == {"1,000 places", "10,000 'hardcore'", "as today"}  # the stress case is no option
    assert first.loc["as today", "probability"] == 1
    assert table.groupby("willingness_to_pay")["probability"].sum().between(1 - 1e-9, 1 + 1e-9).all()


def test_same_run_same_bytes(run_folder: Path) -> None:
    arguments = ["figures", str(run_folder), "--only", "ridge", "--format", "pdf,svg", "--quiet"]
    assert main(arguments) == 0
    first = digests(run_folder / "figures")
    assert main(arguments) == 0
    assert digests(run_folder / "figures") == first


def test_a_failed_run_is_drawn_marked_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path / "failed", "failed")
    assert main(["figures", str(folder), "--only", "ridge", "--format", "png", "--dpi", "600", "--quiet"]) == 1
    assert "DIAGNOSTICS FAILED" in (folder / "figures" / "ridge.txt").read_text()
    assert "Diagnostics: failed" in capsys.readouterr().out
    for name in ("ridge", "model"):
        assert any(text.get_gid() == "mark" for text in _gallery(folder).draw(name).texts)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "rigde"], "figure 'rigde' not found; available: posterior, ridge"),
        (["--only", "tornado"], "no such table of sensitivity"),
        (["--format", "gif"], "allowed: pdf, svg, png, pgf"),
        (["--width", "huge"], "single (89 mm), double (183 mm)"),
        (["--style", "neon"], "journal, serif, grey"),
        (["--dpi", "72"], "300 or 600"),
    ],
)
def test_bad_usage_writes_nothing(
    run_folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["figures", str(run_folder), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (run_folder / "figures").exists()


def test_a_folder_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figures", str(tmp_path / "none")]) == 2
    assert "bayes run" in capsys.readouterr().err


def test_figures_of_inputs_that_were_edited_are_not_drawn(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (run_folder / "inputs" / "scenarios.toml").open("a") as file:
        file.write("\n")
    assert main(["figures", str(run_folder), "--only", "places"]) == 2
    assert "the inputs of this run were changed" in capsys.readouterr().err
