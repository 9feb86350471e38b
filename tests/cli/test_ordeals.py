"""What machines do to commands: kills at any moment, full disks, no home folder, many processes with one cache.

Results that were there stay as they are, every command ends with its code and one sentence, and nothing is left over. A
short version runs with the other tests; ``pytest -m soak`` has many kills, every stage and eight processes.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from bayes.cli import main
from bayes.provenance import file_digest
from tests.cli.conftest import snapshot
from tests.conftest import SHORT, soaked
from tests.processes import running

COMMANDS = {
    "run": (["run", *SHORT, "--refit", "--out", "RUN"], 12.0),
    "fit": (["fit", *SHORT, "--refit", "--out", "RUN"], 10.0),
    "project": (["project", "RUN", "--set", "horizon_years=3", "--quiet"], 8.0),
    "figures": (["figures", "RUN", "--only", "fan,ridge", "--quiet"], 7.0),
    "report": (["report", "RUN", "--quiet", "--force"], 15.0),
    "sensitivity": (["sensitivity", "RUN", "--only", "variance,tipping", "--no-refit", "--quiet"], 8.0),
    "tables": (["tables", "RUN", "--to", "PLACE/book.xlsx"], 2.0),
    "init": (["init", "PLACE/study"], 0.8),
}  # fmt: skip
"""Commands that write, and seconds of processor time in which they are nearly done."""
REPLACING = {"run", "fit", "project"}
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
BEGUN = 0.2
"""Seconds of processor time in which Python itself has started."""


@pytest.fixture(scope="session")
def short_run(tmp_path_factory):
    """A short run of the shipped study. To be copied."""
    folder = tmp_path_factory.mktemp("short") / "run"
    assert main(["run", *SHORT, "--out", str(folder)]) in (0, 1)  # so few draws pass no check
    return folder


@pytest.fixture
def run(short_run, tmp_path):
    return Path(shutil.copytree(short_run, tmp_path / "run"))


def words(command, run):
    given = [word.replace("RUN", str(run)).replace("PLACE", str(run.parent)) for word in command]
    return [sys.executable, "-m", "bayes", *given]


def spent(process):
    """Processor time of a process and those it started."""
    total = 0.0
    try:
        for one in (process, *process.children(recursive=True)):
            total += sum(one.cpu_times()[:4])
    except psutil.NoSuchProcess:
        pass
    return total


def is_whole(run):
    """Whether a run holds what its manifest says, file by file."""
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert all((run / name).exists() for name in manifest["files"])
    assert all(file_digest(run / name) == content for name, content in manifest["contents"].items())


def harmed(before, run):
    """Files of a snapshot that are not as they were; notes of what was written may have grown by what was finished."""
    after = snapshot(run)
    changed = {file for file, old in before.items() if old != after.get(file)}
    return {file for file in changed if not grown(file, before[file], after.get(file, b""))}


def grown(file, old, new):
    if file.endswith("made.json"):
        return json.loads(old)["contents"].items() <= json.loads(new)["contents"].items()
    return file == ".written" and new.startswith(old)


def killed(name, run, number, moments):
    """Send a signal to a command at a random moment, and check how it ends and what it leaves."""
    before, beside = snapshot(run), set(run.parent.iterdir())
    (run.parent / "book.xlsx").unlink(missing_ok=True)
    shutil.rmtree(run.parent / "study", ignore_errors=True)
    command, seconds = COMMANDS[name]
    with subprocess.Popen(words(command, run), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, start_new_session=True) as started:  # fmt: skip
        process, moment = psutil.Process(started.pid), moments.uniform(BEGUN, seconds)
        while started.poll() is None and spent(process) < moment:
            time.sleep(0.03)
        children = [] if started.poll() is not None else process.children(recursive=True)
        if started.poll() is None:
            os.killpg(started.pid, number) if number == signal.SIGINT else started.send_signal(number)
        _, said = started.communicate(timeout=60)
    what = f"{name}, {number.name} after {moment:.2f} s: {said}"
    end = time.monotonic() + 10
    while (alive := [child for child in children if running(child)]) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive, what
    assert started.returncode in (0, 1, -number, CODES.get(number)), what
    assert "Traceback" not in said, what
    assert "Error" not in said, what
    if started.returncode == 130:
        assert [line for line in said.splitlines() if "interrupted" in line] == said.splitlines()[-1:], what
    if name in REPLACING:
        is_whole(run)
    else:
        assert not harmed(before, run), what
    left = {path.name for path in {*run.parent.iterdir()} - beside if path.name.startswith(".")}
    assert not left or number == signal.SIGKILL, what  # what that one leaves, the next one removes that gets so far


@pytest.mark.parametrize(("name", "signals"), [("run", "INT"), ("figures", "TERM"), ("report", "INT")])
def test_a_command_that_is_stopped_leaves_older_results_and_says_one_line(name, signals, run):
    killed(name, run, signal.Signals[f"SIG{signals}"], random.Random(name))


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", COMMANDS)
def test_kills_at_random_moments_of_every_command_that_writes(name, run, record_property):
    moments, times = random.Random(name), soaked(25)
    record_property("kills of commands that write", times)
    for i in range(times):
        killed(name, run, [*CODES, signal.SIGKILL][i % 4], moments)
    if name in REPLACING:
        done = subprocess.run(words(COMMANDS["run"][0], run), capture_output=True, text=True, timeout=500)
        assert done.returncode in (0, 1), done.stderr
        assert {path.name for path in run.parent.iterdir()} <= {"run", "study", "book.xlsx"}  # cleaned up


# --- a full disk ----------------------------------------------------------------------------------

STAGES = [("init", 3_000), ("run", 300_000), ("figures", 3_000)]


def full(size):
    """Let no file of this process grow beyond a size, as on a disk with so much room."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def filled(name, run, size):
    before = snapshot(run)
    shutil.rmtree(run.parent / "study", ignore_errors=True)
    quiet = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # Python leaves byte code cut short where the room ends
    done = subprocess.run(words(COMMANDS[name][0], run), capture_output=True, text=True, timeout=500, env=quiet,
                          preexec_fn=partial(full, size))  # fmt: skip
    what = f"{name}, {size:,} bytes: {done.stderr}"
    if done.returncode in (0, 1):  # there was room
        return
    assert done.returncode == 3, what
    assert done.stderr.count("\n") == 1, what
    assert done.stderr.startswith("bayes: "), what
    assert not harmed(before, run), what
    assert not [path for path in run.parent.iterdir() if path.name.startswith(".")], what


@pytest.mark.parametrize(("name", "size"), STAGES)
def test_a_full_disk_is_one_sentence_and_code_3(name, size, run):
    filled(name, run, size)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_disk_that_is_full_at_each_stage(name, run, record_property):
    sizes = (0, 300, 3_000, 10_000, 30_000, 100_000, 300_000, 900_000)[:: round(1 / max(soaked(8) / 8, 1 / 8))]
    record_property("commands on a full disk", len(sizes))
    for size in sizes:
        filled(name, run, size)


# --- no home, one cache ---------------------------------------------------------------------------

NOBODY = """
import pwd, sys
def unknown(number):
    raise KeyError(number)
pwd.getpwuid = unknown
from bayes.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("home", [None, "/nonexistent"])
def test_a_user_without_a_name_and_a_home_has_whole_results(home, run):
    """As in a container whose user id has no entry among the passwords; figures load every library that asks."""
    without = {name: value for name, value in os.environ.items()
               if not name.startswith(("XDG_", "BAYES_")) and name not in ("HOME", "USER", "LOGNAME")}  # fmt: skip
    command = [sys.executable, "-c", NOBODY, "figures", str(run), "--only", "model", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500,
                          env={**without, **({"HOME": home} if home else {})})  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    assert "there is no home folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert (run / "figures" / "model.pdf").is_file()


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_cold_runs_at_once_with_one_cache_are_the_same(short_run, tmp_path, record_property):
    many = max(2, soaked(8))
    record_property("cold runs at once with one cache", many)
    environment = {**os.environ, "BAYES_CACHE": str(tmp_path / "cache")}
    jobs = [subprocess.Popen(words(COMMANDS["run"][0], tmp_path / f"run{i}"), env=environment,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for i in range(many)]  # fmt: skip
    for job in jobs:
        said = job.communicate(timeout=1500)[1]
        assert job.returncode in (0, 1), said
    for i in range(many):
        assert file_digest(tmp_path / f"run{i}" / "fit.nc") == file_digest(short_run / "fit.nc")
