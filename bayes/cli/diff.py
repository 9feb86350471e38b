"""``diff``: which changed input moved the answer between two runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli.shared import command, json_argument, question_of
from bayes.provenance import json_text

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``diff``."""
    diff = command(
        commands, "diff", _diff, "say which changed input moved the headline of two runs", "bayes diff runs/a runs/b"
    )
    diff.add_argument("run_a", metavar="RUN_A", type=Path, help="a run folder")
    diff.add_argument("run_b", metavar="RUN_B", type=Path, help="another")
    diff.add_argument("--target", metavar="NAME", help="an outcome of the projection (default: the answer)")
    diff.add_argument("--scenario", metavar="NAME", help="a scenario (default: the headline of the study)")
    json_argument(diff)


def _diff(options: argparse.Namespace) -> int:
    from bayes.sensitivity.case import Request
    from bayes.sensitivity.difference import diff
    from bayes.sensitivity.suite import load_case
    from bayes.sensitivity.summary import diff_text

    runs = [Request(folder=run, scenario=options.scenario, quantity=options.target)
            for run in (options.run_a, options.run_b)]  # fmt: skip
    table = diff(*(load_case(question_of(options), run) for run in runs))
    print(json_text(table) if options.json else diff_text(table))
    return 0
