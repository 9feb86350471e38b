"""Processes of a test, asked whether they have ended."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psutil


def running(process: psutil.Process) -> bool:
    """Whether a process still runs: one that has ended and that nobody has asked about yet does not.

    In a container whose first process never asks about orphans they stay listed as zombies.
    """
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def left_running(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """The processes that still run after so many seconds; these are killed."""
    end = time.monotonic() + seconds
    while (alive := [one for one in processes if running(one)]) and time.monotonic() < end:
        time.sleep(0.02)
    for one in alive:
        one.kill()
    return alive
