"""``doctor``: what this machine gives the toolkit, what is slow, and what to do about it."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bayes import __version__
from bayes.cache import state
from bayes.cli.shared import command, counted, json_argument, print_listing
from bayes.folders import swaps
from bayes.provenance import json_text, versions
from bayes.workers import cores, memory

__all__ = ["add"]

LEAST_MEMORY = 2_000_000_000
"""Bytes that a run of the usual length needs, with room for its workers."""
EXTRAS = {"nutpie": "another sampler", "dask": "projections on a cluster", "zarr": "projections larger than memory"}


def add(commands: Any) -> None:
    """Add ``doctor``."""
    found = command(commands, "doctor", _doctor, "say what this machine gives, and what is slow", "bayes doctor")
    json_argument(found)


def _doctor(options: argparse.Namespace) -> int:
    facts = _facts()
    advice = _advice(facts)
    if options.json:
        print(json_text({**facts, "advice": advice}))
        return 0
    print_listing((name, _shown(name, value)) for name, value in facts.items())
    print()
    print("\n".join(f"- {one}" for one in advice) or "Nothing here is slow or missing.")
    return 0


def _shown(name: str, value: Any) -> str:
    """A fact as it is read: lists with commas, memory in gigabytes."""
    if name == "memory" and value is not None:
        return f"{value / 1e9:.1f} GB"
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {one}" for key, one in value.items())
    return (", ".join(value) or "none") if isinstance(value, list) else str("not known" if value is None else value)


def _facts() -> dict[str, Any]:
    """What there is, by name."""
    folder, problem = state()
    kept = {} if folder is None or problem else _kept(folder)
    return {
        "bayes": f"{__version__} in {Path(__file__).parents[1]}",
        "interpreter": f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "processors": cores(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "memory": memory(),
        "cache": str(folder) if folder else "none",
        "kept": kept or "nothing",
        "cache problem": problem or "none",
        "folders": "are exchanged in one step" if swaps() else "are exchanged in two renames under a lock file",
        "output": getattr(sys.stdout, "encoding", None) or "none",
        "versions": dict(versions()),
        "extras": [name for name in EXTRAS if importlib.util.find_spec(name)],
    }


def _kept(folder: Path) -> dict[str, str]:
    """How many entries of each kind the cache holds, and how large they are."""
    found = {}
    for kind in sorted(folder.iterdir() if folder.is_dir() else ()):
        sizes = [path.stat().st_size for path in kind.iterdir()] if kind.is_dir() else []
        if sizes:
            found[kind.name] = f"{counted(len(sizes), 'file')}, {sum(sizes) / 1e6:.1f} MB"
    return found


def _advice(facts: Mapping[str, Any]) -> list[str]:
    """What is slow or missing, and what to do, in sentences."""
    told = []
    if facts["cache problem"] != "none":
        told.append(f"Nothing is kept between runs, so that each compiles again: {facts['cache problem']}.")
    elif facts["kept"] == "nothing":
        told.append("The cache is empty: the first run compiles, which takes some 15 seconds; later ones do not.")
    if facts["processors"] == 1:
        told.append("There is one processor: chains run one after the other. Give the process a second one.")
    if (facts["load"] or 0) > facts["processors"]:
        told.append("Other programs keep the processors busy: runs take longer in proportion. Wait, or end them.")
    if (facts["memory"] or LEAST_MEMORY) < LEAST_MEMORY:
        told.append("There is less than 2 GB of memory: ask for fewer draws (--draws 500), and give --jobs 1.")
    if (facts["output"] or "").lower().replace("-", "") not in ("utf8", "none"):
        told.append("The output is not UTF-8: signs it lacks are printed as '?'. Set PYTHONUTF8=1.")
    if not swaps():
        told.append("This file system cannot exchange two folders in one step: a reader may miss a run for a moment.")
    return told
