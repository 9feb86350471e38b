"""Sensitivity analyses in several processes, from a shell."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pandas as pd
import psutil
import pytest

from bayes.cli import main
from bayes.errors import UsageError
from bayes.heroin.question import QUESTION
from bayes.inputs import posed
from bayes.runs import Options, execute
from bayes.sensitivity import suite
from bayes.sensitivity.case import Request
from tests.processes import left_running

BAYES = [sys.executable, "-m", "bayes", "sensitivity", "--recompute"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processes") / "run"
    execute(posed(QUESTION), folder, Options(draws=250))
    return folder


def tables(run: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in (run / "tables" / "sensitivity").glob("*.csv")}


def test_two_processes_refit_to_the_same_numbers_as_one(run: Path, tmp_path: Path) -> None:
    """Two from a shell; this one, which has JAX; without a number it is one or two."""
    two, one = tmp_path / "two", tmp_path / "one"
    for copy in (two, one):
        shutil.copytree(run, copy)
    only = ["--only", "alternatives", "--quiet"]
    subprocess.run([*BAYES, str(two), *only, "--jobs", "2"], check=True, capture_output=True)
    assert main([*BAYES[3:], str(one), *only, "--jobs", "1"]) == 0
    found = [tables(two), tables(one)]
    assert list(found[0]) == ["alternatives.csv"]
    assert found[0] == found[1]
    assert found[0]["alternatives.csv"].count("refitted") > 2


def test_an_interrupt_ends_every_process_and_leaves_finished_tables_whole(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    names = "budget,powerscale,leave_one_out,alternatives"
    started = subprocess.Popen(
        [*BAYES, str(copy), "--only", names, "--quiet", "--jobs", "2"],
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    folder, end = copy / "tables" / "sensitivity", time.monotonic() + 120
    while not (folder.is_dir() and list(folder.glob("*.csv"))):
        assert started.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    children = psutil.Process(started.pid).children(recursive=True)
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does
    _, printed = started.communicate(timeout=60)
    assert (started.returncode, printed.count("\n")) == (130, 1), printed
    assert "finished tables are in" in printed
    assert not left_running(children, 10)
    assert {path.suffix for path in folder.iterdir()} <= {".csv", ".json"}  # tables, and of which run they were made
    written = list(folder.glob("*.csv"))
    assert written
    assert all(len(pd.read_csv(path)) for path in written)


def test_every_analysis_is_work_for_one_process() -> None:
    known = list(suite.analyses())
    assert sorted(name for group in suite.groups_of(known) for name in group) == sorted(known)
    assert suite.groups_of(known)[0] == ("leave_one_out", "conflict")  # what takes longest, and shares its refits


def test_a_process_is_copied_only_while_that_is_safe() -> None:
    asked = "from bayes.workers import can_split; before = can_split(); import jax; print(before, can_split())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(sys.platform == "linux"), "False"]
    looping = (
        "import asyncio; from bayes.workers import can_split\n"
        "async def asked(): print(can_split())\n"
        "asyncio.run(asked())"
    )
    done = subprocess.run([sys.executable, "-c", looping], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_a_process_that_is_killed_is_one_clear_error(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    command = [*BAYES, str(copy), "--only", "leave_one_out,alternatives", "--quiet", "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as started:
        watched, end = psutil.Process(started.pid), time.monotonic() + 60
        while not (children := watched.children()):
            assert time.monotonic() < end
            time.sleep(0.02)
        children[0].kill()
        _, printed = started.communicate(timeout=60)
    assert started.returncode == 3
    assert "has ended" in printed
    assert "Traceback" not in printed
    assert "--jobs 1" in printed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_processes_end_with_the_one_that_started_them(run: Path, tmp_path: Path, number: int) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    command = [*BAYES, str(copy), "--only", "leave_one_out,alternatives", "--quiet", "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as started:
        watched, end = psutil.Process(started.pid), time.monotonic() + 60
        while len(children := watched.children()) < 2:
            assert time.monotonic() < end
            time.sleep(0.02)
        time.sleep(0.5)
        started.send_signal(number)
        assert not left_running(children, 2 + 8 * (os.getloadavg()[0] > 3))
        started.communicate(timeout=60)
    assert started.returncode == (-number if number == signal.SIGKILL else 128 + number)


def test_where_no_process_can_be_started_one_does_all_the_work(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*arguments: object, **named: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(suite, "Pool", none)
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    assert sorted(
        suite.analyse_run(
            Request(folder=copy), partial(suite.load_case, QUESTION), ["budget", "powerscale"], jobs=2, recompute=True
        ).tables
    ) == [
        "budget",
        "powerscale",
    ]


def test_a_place_that_cannot_be_written_is_one_clear_error(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("sensitivity"))
    (copy / "tables" / "sensitivity").write_text("in the way")
    with pytest.raises(UsageError, match="cannot be written"):
        suite.analyse_run(Request(folder=copy), partial(suite.load_case, QUESTION), ["budget"])


def test_an_analysis_that_does_not_exist_is_named(run: Path) -> None:
    with pytest.raises(UsageError, match="budgett"):
        suite.analyse_run(Request(folder=run), partial(suite.load_case, QUESTION), ["budgett", "powerscale"])


@pytest.mark.parametrize("command", [BAYES, [sys.executable, "-m", "bayes", "check"]])
def test_a_reader_that_has_gone_is_no_failure(run: Path, tmp_path: Path, command: list[str]) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    extra = ["--only", "budget,powerscale", "--quiet"] if command == BAYES else []
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*command, str(copy), *extra], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
