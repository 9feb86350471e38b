"""``check``: the diagnostics of a run, or of anybody's draws."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli.shared import command, draws_of, one_or_several, print_lines, print_notes, question_of, source_argument
from bayes.errors import UsageError

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``check``."""
    check = command(commands, "check", _check, "run the diagnostics of a run again", "bayes check runs/latest")
    source_argument(check)
    check.add_argument("others", metavar="FILE", nargs="*", type=Path, help="of draws: files of further chains")


def _check(options: argparse.Namespace) -> int:
    from bayes.draws import is_run

    if is_run(options.folder):
        return _check_run(options)
    from bayes.diagnostics import check

    verdict = check(draws_of(one_or_several([options.folder, *options.others])))
    print_lines(verdict)
    return 0 if verdict.passed else 1


def _check_run(options: argparse.Namespace) -> int:
    from bayes.inputs import asked_of
    from bayes.runfiles import has_futures
    from bayes.runs import load_fit, load_futures, verdict_on
    from bayes.study import study_notes

    if options.others:
        raise UsageError("a run has all its chains", key="FILE", found=[str(one) for one in options.others],
                         fix="name the run alone")  # fmt: skip
    case, fit = asked_of(options.folder, question_of(options)), load_fit(options.folder)
    futures = load_futures(options.folder) if has_futures(options.folder) else None
    if case.study is not None:
        print_notes(study_notes(case.study))
    verdict = verdict_on(fit, case, futures)
    print_lines(case.words.worded(str(verdict), ids=True))
    return 0 if verdict.passed else 1
