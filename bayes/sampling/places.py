"""Where compiled programs and fits are kept, and the processor they are compiled for."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

__all__ = ["cache_folder", "processor"]


def cache_folder() -> Path:
    """Return the cache folder: ``$BAYES_CACHE``, or ``bayes`` in the user's cache folder."""
    base = os.environ.get("BAYES_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bayes"


def processor() -> str:
    """Return what compiled code depends on: kind of machine, and model and flags of the processor where known."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    wanted = sorted({line for line in lines if line.startswith(("model name", "flags"))})
    return hashlib.sha256("\n".join([platform.machine(), platform.processor(), *wanted]).encode()).hexdigest()
