"""What a terminal shows: lists of whole words at any width, progress where somebody looks, no sentence twice."""

import io
import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from bayes.cli import main
from bayes.cli.shared import print_listing, stage_of
from bayes.heroin.study import load_study
from bayes.heroin.words import WORDS
from bayes.runfiles import seconds_of
from bayes.runs import drivers_of
from bayes.terminal import drivers_sentence, progress_stage
from bayes.words import Words


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("command", [["priors", "list"], ["evidence", "list"], ["evidence", "references"]])
def test_lists_fit_a_terminal_in_whole_words(command, width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= width
    monkeypatch.setenv("COLUMNS", "5000")
    assert main(command) == 0
    assert sorted(capsys.readouterr().out.split()) == sorted(shown.split())


def test_names_have_words_beside_them(capsys):
    assert main(["priors", "list"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for name, prior in load_study().priors.items():
        assert f"{name} {WORDS.label(name)}: {prior.family}(" in shown
    assert main(["evidence", "list"]) == 0
    assert "geneva Geneva trial, criminal charges in 6 months; likelihood, derived: mean" in " ".join(
        capsys.readouterr().out.split()
    )


def test_words_stand_under_a_name_where_there_is_no_room_beside_it(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    print_listing([("a" * 30, "some words of it"), ("b", "and more")])
    assert capsys.readouterr().out == f"{'a' * 30}\n    some words of it\nb\n    and more\n"


def of_stage(terminal, before=0.0, steps=(), pause=0.0):
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80)
    with progress_stage(console, "sampling", before) as advance:
        for done in steps:
            advance(done, 4, "draws")
            time.sleep(pause)
    return file.getvalue()


def test_a_stage_shows_nothing_where_nobody_looks():
    assert of_stage(False, 20.0, (1, 4)) == ""


def test_a_stage_tells_its_share_or_what_the_last_run_suggests():
    shown = of_stage(True, 20.0, steps=(1, 2), pause=0.6)
    assert "50%" in shown
    assert "2 of 4 draws, about 1 s left" in " ".join(shown.split())
    assert "about 20 s left" in of_stage(True, 20.0)
    assert "left" not in of_stage(True, 0.0)


def test_the_seconds_of_an_older_run_are_those_of_its_manifest(tmp_path):
    assert seconds_of(None) == seconds_of(tmp_path) == {}
    (tmp_path / "manifest.json").write_text(json.dumps({"timings": {"sampling": 12.5, "odd": "?"}}))
    assert seconds_of(tmp_path) == {"sampling": 12.5}
    with stage_of(SimpleNamespace(quiet=False, out=tmp_path))("sampling"):
        pass


def test_what_a_machine_gives_fits_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out.partition("\n\n")[0]
    assert max(len(line) for line in shown.splitlines() if "/" not in line) <= 60
    assert "GB" in shown
    assert "[" not in shown


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_table_of_a_synthesis_has_whole_words_and_names_what_has_no_room(width, tmp_path, capsys, monkeypatch):
    rows = tmp_path / "trials.csv"
    rows.write_text("study,y,se\nGeneva,-1.7,0.55\nRIOTT with a long label,-0.79,1.18\nNAOMI,-0.46,0.16\n")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(["synthesise", str(rows), "--y", "y", "--se", "se", "--label", "study", "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert ("In a wider terminal: observed (se); median without it." in shown) is (width == 60)
    assert "P(" not in shown


def test_what_moves_it_most_is_not_claimed_over_vectors():
    first = {"input": "step", "share": 0.004, "lower": 0.0, "upper": 0.01, "prob": 0.95, "scale": "target", "flag": ""}
    drivers = {"label": "all", "inputs": [first], "vectors": []}
    assert drivers_sentence(drivers).startswith("Moves it most (all): step, < 1% of the variance of the target")
    told = drivers_sentence({**drivers, "vectors": ["shock", "trend"]})
    assert told.startswith("Of single numbers, moves it most (all): step")
    assert told.endswith("Vectors are not among these, and may move it more: shock, trend; sensitivity ranks them.")
    alone = drivers_sentence({**drivers, "inputs": [], "vectors": ["shock", "trend"]})
    assert alone == "What moves it most (all) is a vector: sensitivity ranks them (shock, trend)."


@pytest.mark.parametrize(("scalars", "vectors"), [(["a"], []), (["a"], ["v"]), ([], ["v"]), ([], [])])
def test_what_moves_it_is_told_of_numbers_and_vectors_wherever_there_are_any(scalars, vectors):
    rng, dims = np.random.default_rng(1), ("chain", "draw")
    names = {name: (dims, rng.normal(size=(4, 200))) for name in scalars}
    names |= {name: ((*dims, "part"), rng.normal(size=(4, 200, 3))) for name in vectors}
    answer = sum((values.reshape(4, 200, -1).sum(-1) for _, values in names.values()), rng.normal(size=(4, 200)))
    futures = xr.Dataset(
        {"answer": ((*dims, "scenario", "year"), answer[..., None, None])},
        {"chain": range(4), "draw": range(200), "scenario": ["all"], "year": [1], "label": ("scenario", ["all"])},
        {"words": Words(target="answer").text()},
    )
    drivers = drivers_of(xr.Dataset(names), futures)
    assert bool(drivers) is bool(scalars or vectors)
    assert [row["input"] for row in drivers.get("inputs", [])] == scalars
    assert drivers.get("vectors", []) == vectors
    said = drivers_sentence(drivers)
    assert all(name in said for name in [*scalars, *vectors])
