"""The dialogue of ``bayes priors elicit`` in a real terminal: bad answers are explained and asked for again."""

import os
import pty
import select
import subprocess
import sys
import time
import tomllib

import pytest


def _read(terminal, until=None, seconds=30):
    """What comes until a prompt stands at the end and nothing follows it, the other side closes, or patience ends."""
    seen, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                chunk = os.read(terminal, 4096)
            except OSError:  # the other side has closed
                break
            seen += chunk
        elif until and seen.endswith(until):
            break
    return seen


@pytest.fixture
def talk(tmp_path):
    """Run the command in a terminal, type lines, and return exit code and screen."""

    def run(lines, *arguments):
        main, side = pty.openpty()
        command = [sys.executable, "-m", "bayes", "priors", "elicit", *arguments]
        with subprocess.Popen(command, cwd=tmp_path, preexec_fn=lambda: os.login_tty(side)) as process:
            os.close(side)
            screen = b""
            for line in lines:
                screen += _read(main, until=b": ")
                os.write(main, line if isinstance(line, bytes) else f"{line}\n".encode())
            screen += _read(main)
            try:
                code = process.wait(timeout=60)
            finally:
                process.kill()
        os.close(main)
        return code, screen.decode().replace("\r\n", "\n")

    return run


def test_it_asks_until_it_understands_and_writes_the_declaration(talk, tmp_path):
    code, screen = talk(
        ["Ann: dunno", "Ann: q05=0.6, q50=0.85, q95=0.97", "Bob: about 0.8, hardly below 0.5 or above 0.95", "",
         "Betta", "again", "q05=0.6, q50=0.85, q95=0.97", "", "Beta", "", "Ran a clinic for ten years.", "mine.toml"],
        "occupancy",
    )  # fmt: skip
    assert code == 0, screen
    assert "this is no judgement" in screen
    assert "did you mean 'Beta'" in screen
    assert "a judgement has a reason" in screen
    assert screen.count("quantiles fed back") == 2
    written = tomllib.loads((tmp_path / "mine.toml").read_text())["occupancy"]
    assert (written["family"], written["unit"], written["why"]) == ("Beta", "share", "Ran a clinic for ten years.")
    assert "q05=0.6" in written["note"]


def test_leaving_it_writes_nothing(talk, tmp_path):
    code, screen = talk(["about 400, hardly below 100 or above 1,500", b"\x03"], "offences_per_user_year")
    assert code == 130
    assert "nothing was written" in screen
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_it_says_which_option_is_missing(tmp_path):
    command = [sys.executable, "-m", "bayes", "priors", "elicit", "occupancy"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "--say" in done.stderr
