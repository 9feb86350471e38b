"""``verify``: whether a run gives the same again, from the inputs it carries."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bayes.cli.shared import command, json_argument, question_of, quiet_argument, stage_of
from bayes.provenance import json_text

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``verify``."""
    text = "repeat a run from the inputs it carries, and say what differs"
    found = command(commands, "verify", _verify, text, "bayes verify runs/latest")
    found.add_argument("folder", metavar="RUN", type=Path, help="a run folder")
    quiet_argument(found)
    json_argument(found)


def _verify(options: argparse.Namespace) -> int:
    from bayes.inputs import INPUTS, asked_of, read_inputs
    from bayes.runs import Options, execute
    from bayes.verify import compared

    case, made = asked_of(options.folder, question_of(options)), read_inputs(options.folder / INPUTS)
    with TemporaryDirectory(prefix="bayes-verify-") as place:
        again = Path(place) / "run"
        execute(case, again, Options(**made.options, refit=True), stage=stage_of(options))
        found = compared(options.folder, again)
    if options.json:
        print(json_text({**asdict(found), "repeated": found.repeated}))
    else:
        print("\n".join([*found.sentences(), "The run is repeated." if found.repeated else "The run is NOT repeated."]))
    return 0 if found.repeated else 1
