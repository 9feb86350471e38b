"""``init``: a study or a question of one's own to start from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli.shared import command

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``init``."""
    init = command(
        commands, "init", _init, "make a study folder of one's own from the shipped one", "bayes init my-study"
    )
    init.add_argument("folder", metavar="DIR", type=Path, help="a folder that does not exist yet, or is empty")
    init.add_argument(
        "--country", metavar="NAME", default="", help="of another country: say which numbers must be its own"
    )
    init.add_argument("--question", action="store_true", help="a small question of another kind with its own study")


def _init(options: argparse.Namespace) -> int:
    if options.question:
        from bayes.starter import start_question

        lines = start_question(options.folder)
    else:
        from bayes.heroin.starter import start_study

        lines = start_study(options.folder, options.country)
    print("\n".join(lines))
    return 0
