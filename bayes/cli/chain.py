"""From a study to a run folder, at once or stage by stage: ``run``, ``fit``, ``check``, ``project``, ``init``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.cli.shared import (
    command,
    console,
    json_argument,
    one_or_several,
    options_of,
    posed_by,
    question_of,
    quiet_argument,
    sampling_arguments,
    scheduler_argument,
    setting_arguments,
    source_argument,
    stage_of,
    study_argument,
)
from bayes.errors import UsageError

if TYPE_CHECKING:
    from bayes.runs import Run
    from bayes.sampling.fit import Worker

__all__ = ["add"]

NEXT = ("xarray", "netCDF4", "rich.table", "bayes.tables", "bayes.arraystats", "bayes.heroin.oracle")
"""What a command needs once the draws are there."""


def add(commands: Any) -> None:
    """Add ``run``, ``init``, ``fit``, ``check`` and ``project``."""
    run = command(
        commands,
        "run",
        _run,
        "fit, check and project a study, and write its run folder",
        "bayes run --draws 2000 --out runs/long",
    )
    study_argument(run)
    sampling_arguments(run)
    scheduler_argument(run)
    json_argument(run)
    run.add_argument("--require", action="store_true", help="withhold all numbers if the diagnostics fail")
    run.add_argument("--report", action="store_true", help="then run the sensitivity analyses and write the report")
    init = command(
        commands, "init", _init, "make a study folder of one's own from the shipped one", "bayes init my-study"
    )
    init.add_argument("folder", metavar="DIR", type=Path, help="a folder that does not exist yet, or is empty")
    init.add_argument("--question", action="store_true", help="a small question of another kind with its own study")
    fit = command(commands, "fit", _fit, "sample the posterior of a study", "bayes fit my-study --out runs/mine")
    study_argument(fit)
    sampling_arguments(fit)
    check = command(commands, "check", _check, "run the diagnostics of a run again", "bayes check runs/latest")
    source_argument(check)
    check.add_argument("others", metavar="FILE", nargs="*", type=Path, help="of draws: files of further chains")
    project = command(
        commands,
        "project",
        _project,
        "project the fit of a run over the scenarios of a study",
        "bayes project runs/mine my-study",
    )
    project.add_argument("folder", metavar="RUN", type=Path, help="a run folder with fit.nc")
    study_argument(project)
    setting_arguments(project)
    scheduler_argument(project)
    quiet_argument(project)
    json_argument(project)


def _run(options: argparse.Namespace) -> int:
    with _elsewhere(options) as elsewhere:  # it gets ready while the study is read
        settings = options_of(options)
        case = posed_by(options)
        from bayes.runs import execute

        run = execute(case, options.out, settings, stage=stage_of(options), elsewhere=elsewhere)
    withheld = options.require and not run.verdict.passed
    _show(run, options, withheld)
    if options.report:
        try:
            _analysed(options, run.verdict.passed)
        except KeyboardInterrupt:
            print(f"bayes: interrupted; the run is in {options.out}", file=sys.stderr)
            return 130
    return 0 if run.verdict.passed else 1


def _elsewhere(options: argparse.Namespace) -> AbstractContextManager[Worker | None]:
    """A process that samples the shipped question; a model that a script builds stays in this one."""
    from bayes.sampling.apart import worker

    return worker(NEXT) if options.question is None else nullcontext()


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


def _show(run: Run, options: argparse.Namespace, withheld: bool) -> None:
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


def _init(options: argparse.Namespace) -> int:
    if options.question:
        from bayes.starter import start_question as start
    else:
        from bayes.heroin.starter import start_study as start
    for line in start(options.folder):
        print(line)
    return 0


def _fit(options: argparse.Namespace) -> int:
    with _elsewhere(options) as elsewhere:
        settings = options_of(options)
        case = posed_by(options)
        from bayes.runs import write_fit

        _, verdict = write_fit(case, options.out, settings, stage_of(options), elsewhere)
    print(verdict)
    print(f"Files: {options.out}")
    return 0 if verdict.passed else 1


def _check(options: argparse.Namespace) -> int:
    from bayes.elsewhere import is_run

    if is_run(options.folder):
        return _check_run(options)
    from bayes.diagnostics import check
    from bayes.elsewhere import fit_from

    verdict = check(fit_from(one_or_several([options.folder, *options.others])))
    print(verdict)
    return 0 if verdict.passed else 1


def _check_run(options: argparse.Namespace) -> int:
    from bayes.inputs import asked_of
    from bayes.runfiles import has_futures
    from bayes.runs import load_fit, load_futures, verdict_on

    if options.others:
        raise UsageError("a run has all its chains", key="FILE", found=[str(one) for one in options.others],
                         fix="name the run alone")  # fmt: skip
    case, fit = asked_of(options.folder, question_of(options)), load_fit(options.folder)
    futures = load_futures(options.folder) if has_futures(options.folder) else None
    verdict = verdict_on(fit, case, futures)
    print(verdict)
    return 0 if verdict.passed else 1


def _project(options: argparse.Namespace) -> int:
    from bayes.overrides import parse_overrides
    from bayes.runs import project_run

    changes = parse_overrides((), options.set or ())
    run = project_run(question_of(options), options.folder, stage_of(options), options.study, changes,
                      options.scheduler)  # fmt: skip
    _show(run, options, withheld=False)
    return 0 if run.verdict.passed else 1
