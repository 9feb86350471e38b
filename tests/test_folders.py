"""Folders take places in one step: many at once, killed at any moment, beside files that somebody put there."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bayes
from bayes import folders
from bayes.errors import MachineError, UsageError
from bayes.files import check_place, replace_folder, write_text
from tests.conftest import soaked

PATH = os.pathsep.join([str(Path(bayes.__file__).parents[1]), *filter(None, sys.path)])
HERE = {**os.environ, "PYTHONPATH": PATH}


def made(run, word):
    with replace_folder(run) as scratch:
        (scratch / "a.txt").write_text(word)
        (scratch / "manifest.json").write_text(word)


SWAPS = """
import os, sys
from pathlib import Path
from bayes import folders
from bayes.files import replace_folder
if sys.argv[4] == "two renames":
    folders._swap = lambda: None
for i in range(int(sys.argv[3])):
    with replace_folder(Path(sys.argv[1])) as scratch:
        for name in ("a.txt", "manifest.json"):
            (scratch / name).write_text(f"{sys.argv[2]}.{i}")
"""


def many_at_once(run, way, processes, times):
    """Start processes that replace one folder over and over, and count what a reader sees meanwhile."""
    made(run, "first")
    jobs = [subprocess.Popen([sys.executable, "-c", SWAPS, str(run), str(k), str(times), way], env=HERE,
                             stderr=subprocess.PIPE) for k in range(processes)]  # fmt: skip
    seen = {"whole": 0, "missing": 0}
    while any(job.poll() is None for job in jobs):
        try:
            handle = os.open(run, os.O_RDONLY)  # one folder, whatever its name is a moment later
            os.close(handle)
            seen["whole"] += 1
        except FileNotFoundError:
            seen["missing"] += 1
    return [job.communicate()[1].decode() for job in jobs], seen


@pytest.mark.parametrize("way", ["exchange", "two renames"])
def test_many_processes_replace_one_folder(way, tmp_path):
    said, seen = many_at_once(tmp_path / "run", way, 4, 30)
    assert said == [""] * 4
    assert (tmp_path / "run" / "a.txt").read_text() == (tmp_path / "run" / "manifest.json").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    if folders._swap() is not None and way == "exchange":
        assert seen["missing"] == 0
        assert seen["whole"] > 0


@pytest.mark.soak
def test_two_thousand_swaps(tmp_path, record_property):
    record_property("swaps of a folder by eight processes", 8 * soaked(250))
    said, seen = many_at_once(tmp_path / "run", "exchange", 8, soaked(250))
    assert said == [""] * 8
    assert seen["missing"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def killed(run, way, after):
    job = subprocess.Popen([sys.executable, "-c", SWAPS, str(run), "killed", "100000", way], env=HERE)
    time.sleep(after)
    job.send_signal(signal.SIGKILL)
    job.wait()


def no_longer_waited_for(folder):
    """Locks of processes that died: others wait some seconds for them."""
    for lock in folder.glob(".run.lock"):
        os.utime(lock, (0, 0))


@pytest.mark.parametrize("way", ["exchange", "two renames"])
@pytest.mark.parametrize("times", [4, pytest.param(100, marks=pytest.mark.soak)])
def test_killed_at_any_moment_a_whole_folder_is_there_or_comes_back_and_nothing_stays(
    way, times, tmp_path, monkeypatch, record_property
):
    times = soaked(times) if times > 4 else times
    record_property("kills while a folder takes its place", times)
    if way == "two renames":
        monkeypatch.setattr(folders, "_swap", lambda: None)
    moments = random.Random(17)
    run = tmp_path / "run"
    made(run, "first")
    (run / "notes.txt").write_text("mine")
    for _ in range(times):
        killed(run, way, 0.2 + 0.3 * moments.random())
        no_longer_waited_for(tmp_path)
        assert folders.recovered(run)
        assert (run / "a.txt").read_text() == (run / "manifest.json").read_text()
        assert (run / "notes.txt").read_text() == "mine"
    made(run, "last")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (run / "a.txt").read_text() == "last"


def test_a_folder_that_died_between_two_renames_comes_back_for_readers_too(tmp_path):
    made(tmp_path / "run", "old")
    (tmp_path / "run").rename(tmp_path / ".run.old.0123abcd")
    assert folders.recovered(tmp_path / "run")
    assert (tmp_path / "run" / "a.txt").read_text() == "old"


def files_of(run):
    return {path.relative_to(run).as_posix() for path in run.rglob("*") if not path.is_dir()} - {".written"}


def test_what_somebody_put_into_a_folder_stays_and_what_is_ours_goes(tmp_path):
    run = tmp_path / "run"
    with replace_folder(run) as scratch:
        (scratch / "tables").mkdir()
        (scratch / "tables" / "old.csv").write_text("1")
        (scratch / "manifest.json").write_text('{"files": ["tables/old.csv"]}')
    assert not (run / ".written").exists()
    (run / "figures").mkdir()
    for place in ("tables/later.csv", "figures/fan.svg"):  # as the analyses and figures are written
        write_text(run / place, "by a command")
    (run / "letters").mkdir()
    for place in ("tables/mine.csv", "figures/mine.pdf", "letters/love.txt", "notes.md"):
        (run / place).write_text("kept")
    (run / "link").symlink_to("nowhere")
    kept = {"tables/mine.csv", "figures/mine.pdf", "letters/love.txt", "notes.md", "link"}
    for _ in range(2):
        with replace_folder(run) as scratch:
            (scratch / "manifest.json").write_text('{"files": []}')
        assert files_of(run) == {"manifest.json", *kept}
    assert (run / "letters" / "love.txt").read_text() == "kept"
    assert (run / "link").readlink() == Path("nowhere")


def test_of_a_folder_without_a_list_only_what_is_surely_ours_goes(tmp_path):
    run = tmp_path / "run"
    (run / "tables").mkdir(parents=True)
    for name in ("manifest.json", "fit.nc", "notes.txt", "tables/checks.csv"):
        (run / name).write_text("old")
    made(run, "new")
    assert files_of(run) == {"a.txt", "manifest.json", "notes.txt"}


def test_links_are_followed_and_those_that_lead_nowhere_are_refused_before_anything_is_done(tmp_path):
    (tmp_path / "real").mkdir()
    for link, to in (("good", "real"), ("dangling", "missing"), ("one", "two"), ("two", "one")):
        (tmp_path / link).symlink_to(to)
    made(tmp_path / "good", "new")
    assert (tmp_path / "good").is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == "new"
    for place in ("dangling", "one", "dangling/run", "one/run", "x" * 300, "/".join(["x" * 200] * 30)):
        with pytest.raises(UsageError, match="cannot be written"):
            check_place(tmp_path / place)
    assert {path.name for path in tmp_path.iterdir()} == {"real", "good", "dangling", "one", "two"}


def test_a_result_that_cannot_take_its_place_is_kept_and_told(tmp_path, monkeypatch):
    made(tmp_path / "run", "old")

    def failing(scratch, target):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("bayes.files.exchange", failing)
    with pytest.raises(MachineError, match="it is in ") as caught:
        made(tmp_path / "run", "new")
    assert (tmp_path / "run" / "a.txt").read_text() == "old"
    assert (Path(str(caught.value).rpartition("it is in ")[2]) / "a.txt").read_text() == "new"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE, errno.EFBIG])
def test_a_full_disk_is_the_machines_failure_and_the_old_file_stays(number, tmp_path, monkeypatch):
    write_text(tmp_path / "a.csv", "old")

    def failing(self, content):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises(MachineError, match=r"a\.csv could not be written") as caught:
        write_text(tmp_path / "a.csv", "new")
    assert caught.value.exit_code == 3
    assert (tmp_path / "a.csv").read_text() == "old"
