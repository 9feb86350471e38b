"""How commands end: exit codes, one message, and no process that stays."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from bayes.cli.ending import ended
from bayes.errors import BayesError, CheckFailed, MachineError, UsageError
from tests.processes import left_running


def _raises(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("no such thing"), 2, "no such thing."),
        (CheckFailed("R-hat"), 1, "R-hat"),
        (MachineError("no room"), 3, "no room"),
        (MemoryError(), 3, "memory has run out"),
        (OSError(errno.ENOSPC, "No space left on device", "runs/x"), 3, "No space left on device at runs/x"),
        (OSError(errno.EMFILE, "Too many open files"), 3, "Too many open files"),
        (shutil.Error([("a", "b", f"[Errno {errno.ENOSPC}] No space left on device")]), 3, "No space left on device"),
        (ValueError("IO_ENOSPC"), 3, "No space left on device"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), 3, "temporary files"),
        (RuntimeError("can't start new thread"), 3, "too many processes"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_an_error_is_one_message_and_its_code(error, code, said, capsys):
    assert ended("bayes", _raises(error)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("bayes: ")
    assert err.count("\n") == 1
    assert said in err


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("x"), RecursionError("x"), OSError(errno.ENOTDIR, "x"), KeyError(1)]
)
def test_a_defect_is_never_a_failed_check(error, capsys):
    assert ended("bayes", _raises(error)) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("bayes: this is a defect of the toolkit")


def test_with_debug_mistakes_show_where_they_were_found_with_the_same_code(capsys):
    assert ended("bayes", _raises(UsageError("no such thing")), debug=True) == 2
    assert "Traceback" in capsys.readouterr().err


def test_every_error_of_ours_has_a_code_of_the_list():
    def tree(kind):
        yield kind
        for one in kind.__subclasses__():
            yield from tree(one)

    assert {kind.exit_code for kind in tree(BayesError)} == {1, 2, 3}


# --- where the answer goes -----------------------------------------------------------------------

BAYES = [sys.executable, "-m", "bayes"]
LIST = [*BAYES, "priors", "list"]


def test_a_full_standard_output_is_the_machines_failure():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(LIST, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_output_that_lacks_signs_prints_the_others(encoding):
    done = subprocess.run(
        LIST, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding)


def test_without_a_standard_output_a_command_works():
    done = subprocess.run(f"{' '.join(LIST)} >&-", shell=True, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# --- processes -----------------------------------------------------------------------------------

WORK = """
    import sys, time
    from bayes.cli.ending import ended
    from bayes.workers import Pool, process

    def work():
        with process("json") as one, Pool(2, copies={copies}) as pool:
            jobs = [pool.submit(time.sleep, 60) for _ in range(2)]
            one.ask(time.sleep, 60)
            print("ready", flush=True)
            one.answer()
        return 0

    if __name__ == "__main__":
        sys.exit(ended("bayes", work))
"""


@pytest.mark.parametrize("copies", [True, False])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_workers_end_with_the_process_that_started_them(number, copies, tmp_path):
    """Within two seconds, without a traceback, with the signal's own code; a terminal signals the whole group."""
    script = tmp_path / "work.py"
    script.write_text(textwrap.dedent(WORK.format(copies=copies)))
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True) as started:  # fmt: skip
        assert started.stdout.readline() == "ready\n"
        time.sleep(0.1)  # workers may still be starting: that is a moment like any other
        children = psutil.Process(started.pid).children(recursive=True)
        assert len(children) >= 3
        if number in (signal.SIGINT, signal.SIGHUP):
            os.killpg(started.pid, number)
        else:
            started.send_signal(number)
        alive = left_running(children, 2 + 8 * (os.getloadavg()[0] > 3))
        _, err = started.communicate(timeout=20)
    assert not alive
    assert started.returncode == (-number if number == signal.SIGKILL else 128 + number), err
    assert "Traceback" not in err
    assert err == ("bayes: interrupted; nothing was written\n" if number == signal.SIGINT else err)
