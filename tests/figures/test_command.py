"""``bayes figures``: what it writes, what it leaves alone, and what it says when something is missing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from bayes.cli import main
from bayes.figures.gallery import NAMES, Gallery
from bayes.runs import load_fit, load_futures, read_manifest
from tests.figures.conftest import sensitivity_tables, write_run

SENSITIVITY = {"tornado", "shapley", "budget", "specification", "acceptability"}


def _gallery(folder: Path) -> Gallery:
    return Gallery(folder, read_manifest(folder), lambda: load_fit(folder), lambda: load_futures(folder))


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
    drawn = set(NAMES) - SENSITIVITY
    assert written == {f"{name}.{word}" for name in drawn for word in ("svg", "csv", "txt")}
    assert digests(run_folder).items() >= before.items()  # nothing of the run is changed
    for name in SENSITIVITY:
        assert f"not drawn: {name}: this run has no such table of sensitivity" in said
    assert "Diagnostics: passed. 13 figures, 39 files" in said


def test_sensitivity_figures_are_drawn_where_their_tables_exist(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, table in sensitivity_tables().items():
        table.to_csv(run_folder / "tables" / "sensitivity" / f"{name}.csv", index=False)
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


def test_figures_that_need_another_study_say_so(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = run_folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"fit_hash": "', '"fit_hash": "other'))
    assert main(["figures", str(run_folder), "--only", "places"]) == 2
    assert "--study" in capsys.readouterr().err
