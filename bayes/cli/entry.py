"""The command line: arguments in, files out. No statistics here, and no numerical library before it is needed."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bayes import __version__
from bayes.cli import calibrating, carrying, chain, drawing, inputs, moving, pooling, report
from bayes.cli.ending import ended
from bayes.cli.shared import command

__all__ = ["main", "parser_of_all"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code, as :func:`bayes.cli.ending.ended` has them."""
    parser = parser_of_all()
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        return 2

    def work() -> int:
        _one_thread_each()
        atexit.register(gc.freeze)  # the system takes the memory back faster than a last collection
        _settle(options)
        return int(options.run(options))

    return ended("bayes", work, debug=options.debug)


def _one_thread_each() -> None:
    """Keep a library of linear algebra from taking every core for matrices of a dozen rows; chains and blocks use them.

    Where cores are busy its threads wait for each other: the sensitivity analyses then took four times as long. A
    variable that is set stays as it is.
    """
    if "numpy" not in sys.modules:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")


def _settle(options: argparse.Namespace) -> None:
    """Fill in what was not given: the study a run was made from, and the run folder of a study."""
    if getattr(options, "study", ...) is None and getattr(options, "folder", None) is not None:
        from bayes.runfiles import recorded_study

        options.study = recorded_study(options.folder)
    if getattr(options, "out", ...) is None:
        options.out = Path("runs") / ("latest" if options.study is None else options.study.resolve().name)


def _completion(options: argparse.Namespace) -> int:
    from bayes.completion import completion_script

    print(completion_script(options.shell, parser_of_all()), end="")
    return 0


def parser_of_all() -> argparse.ArgumentParser:
    """Return the parser of all commands; shell completion reads it too."""
    parser = argparse.ArgumentParser(
        prog="bayes",
        description="Sourced priors and evidence in; credible ranges for crimes avoided out.",
        epilog="example: bayes run --out runs/first",
    )
    parser.add_argument("--version", action="version", version=f"bayes {__version__}")
    parser.add_argument("--debug", action="store_true", help="show a traceback when something is wrong")
    commands = parser.add_subparsers(metavar="COMMAND")
    for room in (chain, drawing, report, pooling, moving, calibrating, carrying, inputs):
        room.add(commands)
    shell = command(
        commands, "completion", _completion, "print a script that completes bayes in a shell", "bayes completion fish"
    )
    shell.add_argument("shell", metavar="SHELL", help="bash, zsh or fish")
    return parser
