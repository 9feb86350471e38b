"""A run of the tests always ends, and says which test ended it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MANY = """
import time, pytest

@pytest.mark.parametrize("number", range(600))
def test_slow(number):
    time.sleep(0.5)
"""
CRASHES = """
import os, signal, time

def test_crashes():
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGSEGV)
"""
WAITS = """
import threading

def test_waits():
    threading.Event().wait()

def test_after():
    pass
"""
DEAF = """
def test_deaf():  # one call into C, which hears no signal and lets no other thread run
    sum(range(10**13))
"""


def run(folder, tests, *settings):
    """Run tests as the project's are run: exit code, what is printed, seconds."""
    for name, text in tests.items():
        (folder / f"test_{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder),
               "-p", "tests.conftest", *settings, str(folder)]  # fmt: skip
    start = time.monotonic()
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    made = subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
                          timeout=200)  # fmt: skip
    return made.returncode, made.stdout + made.stderr, time.monotonic() - start


def test_a_crashed_worker_ends_the_run_at_once(tmp_path):
    code, text, seconds = run(tmp_path, {"many": MANY, "crashes": CRASHES})
    assert code != 0
    assert "crashed while running 'test_crashes.py::test_crashes'" in text
    assert "FAILED test_crashes.py::test_crashes" in text
    assert "Fatal Python error: Segmentation fault" in text  # the fault handler is on
    assert seconds < 120  # of the 300 that the other tests would take


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_test_that_waits_for_ever_fails_and_the_others_run(processes, tmp_path):
    code, text, _ = run(tmp_path, {"waits": WAITS}, "-n", processes, "-o", "timeout=2")
    assert code == 1
    assert "FAILED test_waits.py::test_waits" in text
    assert "1 failed, 1 passed" in text


def test_a_test_that_cannot_be_stopped_ends_the_run(tmp_path):
    limits = ("-o", "timeout=1", "-o", "faulthandler_timeout=3")
    code, text, seconds = run(tmp_path, {"many": MANY, "deaf": DEAF}, *limits)
    assert code != 0
    assert "crashed while running 'test_deaf.py::test_deaf'" in text
    assert seconds < 120


def test_everything_a_change_must_pass_is_bounded_too(tmp_path):
    (tmp_path / ".ci").mkdir()
    script = (ROOT / ".ci" / "run").read_text()
    bounded, body = script.split("# --- what a change must pass\n")
    (tmp_path / ".ci" / "run").write_text(bounded + "echo begun; sleep 100 & wait\n")
    outside = {name: value for name, value in os.environ.items() if name != "CI_BOUNDED"}  # set where that runs this
    made = subprocess.run(["bash", str(tmp_path / ".ci" / "run")], capture_output=True, text=True, timeout=60,
                          env={**outside, "CI_SECONDS": "2"})  # fmt: skip
    assert made.returncode == 124
    assert "begun" in made.stdout
    assert "not ended after 2 seconds" in made.stderr
    assert "uv run pytest" in body
