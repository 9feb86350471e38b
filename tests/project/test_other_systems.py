"""What only POSIX has is used where something else is done on other systems: every place is listed here."""

from __future__ import annotations

import ast
import errno
import os
import signal
from pathlib import Path

import pytest

import bayes
from bayes import cache, folders, workers
from bayes.cli import ending
from bayes.files import replace_folder
from bayes.workers import call_within, cores

ROOT = Path(bayes.__file__).parent
POSIX = {
    "os": {"O_CLOEXEC", "fork", "geteuid", "getloadavg", "getpgid", "getppid", "getuid", "kill", "killpg", "mkfifo",
           "sched_getaffinity", "setsid", "sysconf", "wait"},
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "SIGXCPU", "SIG_BLOCK", "SIG_SETMASK",
               "alarm", "pthread_sigmask", "setitimer"},
}  # fmt: skip
MODULES = {"fcntl", "grp", "pwd", "resource", "termios"}
OTHERWISE = {
    ("cache.py", "_shared", "geteuid"): "where the system has no owners nothing is asked",
    ("cli/doctor.py", "_facts", "getloadavg"): "the load is not told",
    ("workers.py", "memory", "sysconf"): "the memory is not told, and no draws are too many for it",
    ("folders.py", "", "fcntl"): "scratch folders are told from left ones by their age",
    ("folders.py", "_marked", "O_CLOEXEC"): "after the question whether there are locks",
    ("folders.py", "_unmarked", "O_CLOEXEC"): "likewise",
    ("workers.py", "_follow", "getppid"): "Windows waits for the parent's handle",
    ("workers.py", "_limited", "resource"): "the caller's clock ends what computes for too long",
    ("workers.py", "_shielded", "pthread_sigmask"): "interrupts are not held back",
    ("workers.py", "_shielded", "SIG_BLOCK"): "likewise",
    ("workers.py", "_shielded", "SIG_SETMASK"): "likewise",
    ("workers.py", "_shielded", "SIGHUP"): "likewise",
    ("workers.py", "cores", "sched_getaffinity"): "the number of processors",
}
"""File, function and what it uses; what is done without it."""


def used(tree, scope=""):
    """Names of POSIX that a syntax tree uses, with the function around each."""
    for node in ast.iter_child_nodes(tree):
        inner = node.name if isinstance(node, ast.FunctionDef) else scope
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module]
            yield from ((scope, name) for name in names if name in MODULES)
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.attr in POSIX.get(node.value.id, ())
        ):
            yield scope, node.attr
        yield from used(node, inner)


def test_every_call_of_posix_has_its_other_way():
    found = {(path.relative_to(ROOT).as_posix(), *one)
             for path in ROOT.rglob("*.py") for one in used(ast.parse(path.read_text(encoding="utf-8")))}  # fmt: skip
    assert found == set(OTHERWISE)


@pytest.fixture
def elsewhere(monkeypatch):
    """A system that has none of it."""
    for name in ("geteuid", "getloadavg", "sched_getaffinity", "sysconf"):
        monkeypatch.delattr(os, name, raising=False)
    for name in ("SIGHUP", "SIGXCPU", "SIG_BLOCK", "SIG_SETMASK", "pthread_sigmask"):
        monkeypatch.delattr(signal, name, raising=False)
    monkeypatch.setattr(folders, "fcntl", None)
    monkeypatch.setattr(folders, "_swap", lambda: None)


def test_without_it_folders_take_places_and_commands_end(elsewhere, tmp_path, capsys):
    for word in ("old", "new"):
        with replace_folder(tmp_path / "run") as scratch:
            (scratch / "manifest.json").write_text(word)
    assert (tmp_path / "run" / "manifest.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert cores() >= 1
    assert cache._shared(tmp_path, tmp_path.stat(), 0o022) == ""
    assert ending.ended("bayes", lambda: 0) == 0


def test_without_it_a_call_is_made_and_ended(elsewhere, monkeypatch):
    assert call_within(20, divmod, 7, 2) == (3, 1)
    monkeypatch.setattr(workers, "PATIENCE", 0.1)
    with pytest.raises(TimeoutError):
        call_within(5, pow, 3, 10**9)


def test_a_folder_that_is_open_elsewhere_is_kept_beside(monkeypatch, tmp_path):
    """Windows renames no folder that another program has open: the new result is kept, and the error says where."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("old")

    def denied(scratch, target):
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr("bayes.files.exchange", denied)
    with pytest.raises(bayes.BayesError, match="it is in"), replace_folder(tmp_path / "run") as scratch:
        (scratch / "manifest.json").write_text("new")
    assert (tmp_path / "run" / "manifest.json").read_text() == "old"
