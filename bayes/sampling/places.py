"""Where compiled programs and fits are kept."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Return the cache folder: ``$BAYES_CACHE``, or ``bayes`` in the user's cache folder."""
    base = os.environ.get("BAYES_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bayes"
