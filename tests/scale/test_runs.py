"""Runs of large studies through the command line: streamed, read back by every command, printed in brief."""

from __future__ import annotations

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from bayes import streaming
from bayes.cli import main
from bayes.runfiles import has_futures, read_futures
from tests.conftest import SHORT
from tests.scale.large import larger_study


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    return larger_study(tmp_path_factory.mktemp("study") / "s", 4)


@pytest.fixture(scope="module")
def in_memory(study, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "memory"
    assert main(["run", str(study), "--out", str(folder), *SHORT]) == 1
    return folder


@pytest.fixture(scope="module")
def streamed(study, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "streamed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "LIMIT", 0)
        patch.setattr(streaming, "BLOCK", 100_000)
        assert main(["run", str(study), "--out", str(folder), *SHORT]) == 1
    return folder


def test_a_streamed_run_has_the_same_tables_and_numbers(in_memory, streamed) -> None:
    assert (streamed / "futures.zarr").is_dir()
    assert not (streamed / "futures.nc").exists()
    for name in ("headline", "checks", "parameters", "evidence"):
        one, other = ((run / "tables" / f"{name}.csv").read_bytes() for run in (in_memory, streamed))
        assert one == other, name
    one, other = read_futures(in_memory), read_futures(streamed)
    assert other.chunks["scenario"] != (10,)
    xr.testing.assert_equal(one, other.compute())
    assert one.attrs == other.attrs


def test_the_manifest_counts_a_store_as_one_file(streamed) -> None:
    files = json.loads((streamed / "manifest.json").read_text())["files"]
    assert "futures.zarr" in files
    assert not [name for name in files if name.startswith("futures.zarr/")]


def test_every_reader_takes_either(in_memory, streamed, study, capsys) -> None:
    """Checks, figures, differences and sensitivity print and draw the same from both."""
    commands = (
        ["check", "RUN"],
        ["figures", "RUN", "--only", "ridge,exceedance", "--format", "svg", "--quiet"],
        ["sensitivity", "RUN", "--only", "variance", "--no-refit", "--quiet", "--json"],
    )
    for command in commands:
        shown = []
        for run in (in_memory, streamed):
            main([str(run) if word == "RUN" else word for word in command])
            shown.append(capsys.readouterr().out.replace(str(run), "RUN"))
        assert shown[0] == shown[1], command[0]
        assert len(shown[0]) > 50
    for table in (in_memory / "figures").glob("*.csv"):
        assert table.read_bytes() == (streamed / "figures" / table.name).read_bytes()
    main(["diff", str(in_memory), str(streamed), "--json"])
    assert json.loads(capsys.readouterr().out)


def test_a_cluster_runs_it_too(study, in_memory, tmp_path) -> None:
    from distributed import LocalCluster

    run = tmp_path / "run"
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        command = ["run", str(study), "--out", str(run), "--scheduler", cluster.scheduler_address, *SHORT]
        assert main(command) == 1
    xr.testing.assert_equal(read_futures(run).compute(), read_futures(in_memory))
    assert (run / "tables" / "headline.csv").read_bytes() == (in_memory / "tables" / "headline.csv").read_bytes()
    assert "scheduler" not in json.loads((run / "manifest.json").read_text())["options"]


def test_a_wrong_scheduler_is_found_before_the_first_draw(study, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("bayes.blocks.PATIENCE", 1)
    monkeypatch.setattr("bayes.runs._fitted", lambda *_: pytest.fail("sampling started"))
    command = ["run", str(study), "--out", str(tmp_path / "r"), "--scheduler", "tcp://127.0.0.1:9", *SHORT]
    assert main(command) == 2
    assert "no scheduler answers there" in capsys.readouterr().err
    assert not has_futures(tmp_path / "r")


def test_numbers_of_a_failed_streamed_run_are_withheld(study, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(streaming, "LIMIT", 0)
    assert main(["run", str(study), "--out", str(tmp_path / "r"), "--require", *SHORT]) == 1
    assert not has_futures(tmp_path / "r")
    assert "withheld" in capsys.readouterr().out


@pytest.fixture(scope="module")
def projected(streamed, study, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A streamed run projected again in memory, then streamed once more; and what was printed and found each time."""
    run = tmp_path_factory.mktemp("runs") / "projected"
    shutil.copytree(streamed, run)
    told = {}

    def printed(*options: str) -> tuple[str, str]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            assert main(["project", str(run), str(study), *options]) == 1
        return out.getvalue(), err.getvalue()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bayes.terminal.SHOWN", 8)
        patch.setattr("bayes.terminal.SHOWN_AS_JSON", 7)
        told["text"] = printed("--quiet")[0]
        told["in memory"] = " ".join(sorted(path.name for path in run.iterdir()))
        patch.setattr(streaming, "LIMIT", 0)
        patch.setattr(streaming, "BLOCK", 100_000)
        patch.setenv("FORCE_COLOR", "1")  # as in a terminal
        told["json"], told["progress"] = printed("--json")
    return run, told


def test_a_projection_is_replaced_by_one_of_the_other_kind(projected, in_memory) -> None:
    run, told = projected
    assert "futures.nc" in told["in memory"].split()
    assert "futures.zarr" not in told["in memory"].split()
    assert not (run / "futures.nc").exists()
    xr.testing.assert_equal(read_futures(run).compute(), read_futures(in_memory))


def test_many_scenarios_are_shown_in_brief(projected) -> None:
    """The first of them, and where the rest is; JSON likewise; the table on file has all."""
    run, told = projected
    assert "S 1" in told["text"]
    assert "S 2" not in told["text"]
    assert "And 2 more scenarios" in told["text"]
    found = json.loads(told["json"])
    assert len({row["scenario"] for row in found["headline"]}) == 7
    assert found["scenarios_left_out"] == 3
    assert pd.read_csv(run / "tables" / "headline.csv")["scenario"].nunique() == 10


def test_progress_tells_the_share_that_is_done(projected) -> None:
    _, told = projected
    assert "100%" in told["progress"]
    assert "checking" in told["progress"]
