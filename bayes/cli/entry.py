"""The command line: arguments in, files out. No statistics here, and no numerical library before it is needed."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, NoReturn

from bayes import __version__
from bayes.cli.ending import ended
from bayes.cli.shared import command
from bayes.errors import closest, printable

if TYPE_CHECKING:
    from bayes.question import Question

__all__ = ["main", "parser_of_all"]


def main(arguments: Sequence[str] | None = None, question: Question | None = None) -> int:
    """Run a command, of the shipped question or another, and return its exit code (:func:`bayes.cli.ending.ended`)."""
    parser = parser_of_all(question)
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        return 2

    def work() -> int:
        from bayes.workers import collect_seldom

        _one_thread_each()
        _some_home()
        if question is None:
            atexit.register(gc.freeze)  # the system takes the memory back faster than a last collection
            collect_seldom()
        _settle(options, question)
        return int(options.run(options))

    return ended("bayes" if question is None else parser.prog, work, debug=options.debug)


def _one_thread_each() -> None:
    """Keep a library of linear algebra from taking every core for matrices of a dozen rows; chains and blocks use them.

    Where cores are busy its threads wait for each other: the sensitivity analyses then took four times as long. A
    variable that is set stays as it is.
    """
    if "numpy" not in sys.modules:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")


def _some_home() -> None:
    """Give a process that has no home folder it may write to one of its own: libraries look for theirs at import.

    In containers a user id often has no name, or ``/`` for its home.
    """
    try:
        if os.access(Path.home(), os.W_OK):
            return
    except RuntimeError:  # nobody knows this user id
        pass
    os.environ["HOME"] = home = mkdtemp(prefix="bayes-home-")
    atexit.register(rmtree, home, ignore_errors=True)
    told = "there is no home folder that may be written; nothing is kept between runs, which only costs time"
    if not os.environ.get("BAYES_CACHE") or not os.environ.get("XDG_CONFIG_HOME"):
        print(f"bayes: {told}. Set BAYES_CACHE and XDG_CONFIG_HOME to folders of your own", file=sys.stderr)


def _settle(options: argparse.Namespace, question: Question | None) -> None:
    """Fill in what was not given: the folder of a new run, and of a question in a script its usual run."""
    usual = Path("runs") / ("latest" if question is None else question.called)
    if question is not None and getattr(options, "folder", ...) is None:
        options.folder = usual
    if getattr(options, "out", ...) is None:
        from bayes.inputs import RECORD

        study = getattr(options, "study", None)
        again = study is not None and (study / RECORD).is_file()
        options.out = usual if study is None else Path("runs") / ("again" if again else study.resolve().name)


def _completion(options: argparse.Namespace) -> int:
    from bayes.cli.shared import declared_priors, folder_of
    from bayes.completion import completion_script

    priors = list(declared_priors(None))
    scenarios = list(tomllib.loads((folder_of(None) / "scenarios.toml").read_text("utf-8"))["scenarios"])
    names = {"priors show": priors, "priors elicit": priors, "sensitivity": scenarios, "diff": scenarios}
    print(completion_script(options.shell, parser_of_all(), names), end="")
    return 0


def parser_of_all(question: Question | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands, or of those that a question in a script has; shell completion reads it too."""
    parser = _Parser(
        prog="bayes" if question is None else f"python {question.called}.py",
        description="Sourced priors and evidence in; credible ranges for what a policy does out."
        if question is None else question.title or None,
        epilog="example: bayes run --out runs/first" if question is None else None,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"bayes {__version__}")
    parser.add_argument("--debug", action="store_true", help="show a traceback when something is wrong")
    parser.set_defaults(question=question)
    commands = parser.add_subparsers(metavar="COMMAND")
    some = commands if question is None else _Some(commands, parser.prog)
    for room in ROOMS:
        import_module(f"bayes.cli.{room}").add(some)
    if question is not None:
        usual = ("runs/latest", f"runs/{question.called}")
        for one in commands.choices.values():
            one.epilog = (one.epilog or "").replace(*usual)
            for action in one._actions:
                action.help = (action.help or "").replace(*usual)
                if action.metavar == "RUN":  # a run that is not named is the usual one
                    action.nargs, action.required = "?", False
    else:
        shell = command(
            commands, "completion", _completion, "print a script that completes bayes in a shell",
            "bayes completion fish",
        )  # fmt: skip
        shell.add_argument("shell", metavar="SHELL", help="bash, zsh or fish")
    return parser


def _place(text: str) -> Path:
    """A path that the system can look up, with the name of a file in it, whether or not something is there."""
    path = Path(text)
    try:
        (path / ("x" * 80)).exists()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{printable(text)[:80]!r} cannot be looked up: {error.strerror}") from None
    return path


class _Parser(argparse.ArgumentParser):
    """A parser that looks paths up, and suggests the command or option that a misspelt one is nearly."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.register("type", Path, _place)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, with a suggestion where one is near, and leave with exit code 2."""
        from bayes.completion import words

        wrong = re.search(r"invalid choice: '([^']+)'|unrecognized arguments: .*?(--[\w-]+)", message)
        table = words(self)
        known = table[""] if wrong and wrong[1] else {word for found in table.values() for word in found}
        near = closest(wrong[1] or wrong[2], known) if wrong else None
        owners = [f"{self.prog} {name}" for name, found in table.items() if name and wrong and wrong[2] in found]
        near = f"{wrong[2]} belongs to {', '.join(owners)}" if wrong and owners else near
        super().error(f"{message}\n  do:      {near}" if near else message)


ROOMS = ("run", "init", "fit", "check", "project", "figures", "report", "synthesise", "sensitivity", "value", "diff",
         "calibrate", "stress", "verify", "tables", "priors", "evidence", "doctor")  # fmt: skip
"""Modules of commands, in the order in which they are listed."""
OWN = ("run", "fit", "check", "project", "sensitivity", "figures", "report", "calibrate", "stress",
       "verify", "diff", "tables")  # fmt: skip
"""Commands of a question in a script: those that ask something of it."""


@dataclass(frozen=True, slots=True)
class _Some:
    """Commands of which only some are added."""

    commands: Any
    prog: str

    def add_parser(self, name: str, *, help: str, description: str, epilog: str) -> argparse.ArgumentParser:
        """Add a command, or return a parser that leads nowhere."""
        if name not in OWN:
            return argparse.ArgumentParser(prog=name)
        parser: argparse.ArgumentParser = self.commands.add_parser(
            name, help=help, description=description, epilog=epilog.replace("bayes ", f"{self.prog} ")
        )
        return parser
