"""Finding a Chromium, or installing one: tests of pages run in a real browser or fail, they are never skipped."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APT = ("apt-get install -y --no-install-recommends chromium", "apt-get update")


class NoBrowser(Exception):
    """There is no Chromium and none could be installed."""


def find(own: str) -> str | None:
    """The browser that $CHROMIUM names, one on the PATH, or Playwright's ``own``."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not os.access(named, os.X_OK):
            raise NoBrowser(f"$CHROMIUM names {named!r}, which is no program: correct it, or unset it")
        return named
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    return found or (own if Path(own).is_file() else None)


def find_or_install(own: str) -> str:
    """A Chromium; one is installed if there is none, by one process at a time."""
    found = find(own)
    if found:
        return found
    with _lock(Path(tempfile.gettempdir()) / f"chromium-for-tests-{os.getuid()}.lock"):
        told = []
        for commands in _ways():
            found = find(own)  # another process may have been faster
            if found:
                return found
            told += [_tried(command) for command in commands]
        found = find(own)
    if found:
        return found
    raise NoBrowser(
        "these tests run in a real browser, and there is none. Install Debian's package (apt-get install chromium) or "
        "Playwright's (python -m playwright install chromium), or name a Chromium in $CHROMIUM. Tried:\n"
        + "\n".join(told)
    )


def _ways() -> list[list[list[str]]]:
    ways = [[[sys.executable, "-m", "playwright", "install", "chromium"]]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        ways.append([command.split() for command in reversed(APT)])
    return ways


def _tried(command: list[str]) -> str:
    """Run a command for at most three minutes and say how it ended."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=180, env=environment, check=False, stdin=subprocess.DEVNULL
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        return f"  {' '.join(command)}: {error}"
    last = (done.stderr or done.stdout).strip().splitlines()[-1:] or [""]
    return f"  {' '.join(command)}: exit code {done.returncode}; {last[0]}"


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
