"""``run``: from a study to a run folder with its verdict, its answer and its tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayes.cli.fit import sampler_for
from bayes.cli.shared import (
    command,
    console,
    json_argument,
    options_of,
    posed_by,
    question_of,
    sampling_arguments,
    scheduler_argument,
    stage_of,
    study_argument,
)

if TYPE_CHECKING:
    from bayes.runs import Run

__all__ = ["add", "show_run"]


def add(commands: Any) -> None:
    """Add ``run``."""
    run = command(commands, "run", _run, "fit, check and project a study, and write its run folder",
                  "bayes run --draws 2000 --out runs/long")  # fmt: skip
    study_argument(run)
    sampling_arguments(run)
    scheduler_argument(run)
    json_argument(run)
    run.add_argument("--require", action="store_true", help="withhold all numbers if the diagnostics fail")
    run.add_argument("--report", action="store_true", help="then run the sensitivity analyses and write the report")


def _run(options: argparse.Namespace) -> int:
    with sampler_for(options) as elsewhere:  # it gets ready while the study is read
        settings = options_of(options)
        case = posed_by(options)
        from bayes.runs import execute

        run = execute(case, options.out, settings, stage=stage_of(options), elsewhere=elsewhere)
    withheld = options.require and not run.verdict.passed
    show_run(run, options, withheld)
    if options.report:
        try:
            _analysed(options, run.verdict.passed)
        except KeyboardInterrupt:
            print(f"bayes: interrupted; the run is in {options.out}", file=sys.stderr)
            return 130
    return 0 if run.verdict.passed else 1


def _analysed(options: argparse.Namespace, passed: bool) -> None:
    """The sensitivity analyses of a run that passed, and its report; with ``--json`` nothing more is printed."""
    import contextlib

    from bayes.cli.report import written_report

    if passed:
        from functools import partial

        from bayes.sensitivity.case import Request
        from bayes.sensitivity.suite import analyse_run, load_case

        load, progress = partial(load_case, question_of(options)), None if options.quiet else console(stderr=True)
        analyse_run(Request(folder=options.out), load, console=progress)
    with contextlib.redirect_stdout(sys.stderr) if options.json else contextlib.nullcontext():
        written_report(options.out, ["html", "pdf"], question_of(options), False, stage_of(options))


def show_run(run: Run, options: argparse.Namespace, withheld: bool) -> None:
    """Print the answer of a run, or its verdict alone where the answer is withheld."""
    from bayes.runs import drivers_of
    from bayes.terminal import as_json, drivers_sentence, print_run

    drivers: Mapping[str, Any] = {}
    if not withheld:
        known = run.drivers
        drivers = drivers_of(run.fit["posterior"].to_dataset(), run.futures) if known is None else known
    if options.json:
        print(as_json(run, drivers, withheld))
    else:
        print_run(console(), run, drivers_sentence(drivers), withheld)
    if getattr(options, "verbose", False):
        for name, seconds in run.timings.items():
            print(f"{seconds:8.2f} s  {name}", file=sys.stderr)
