"""``tables``: the tables of a run as a workbook."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli.shared import command, counted
from bayes.errors import UsageError

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``tables``."""
    found = command(commands, "tables", _tables, "write the tables of a run as one Excel workbook",
                    "bayes tables runs/latest --to tables.xlsx")  # fmt: skip
    found.add_argument("folder", metavar="RUN", type=Path, help="a run folder")
    found.add_argument("--to", metavar="FILE.xlsx", type=Path, help="the workbook (default: RUN/tables.xlsx)")


def _tables(options: argparse.Namespace) -> int:
    from bayes.workbook import write_workbook

    target = options.to or options.folder / "tables.xlsx"
    if target.suffix != ".xlsx":
        raise UsageError("a workbook ends in .xlsx", key="--to", found=target.name, fix="name it so")
    names = write_workbook(options.folder, target)
    print(f"{target}: {counted(len(names), 'sheet')}")
    return 0
