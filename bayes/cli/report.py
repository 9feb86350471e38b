"""``report``: the report of a finished run, as a page, a document and tables."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Any

from bayes.cli.shared import (
    check_of_a_run,
    command,
    draws_of,
    place_argument,
    place_for,
    question_of,
    quiet_argument,
    source_argument,
    stage_of,
)
from bayes.errors import UsageError
from bayes.files import make_folder
from bayes.question import Question

__all__ = ["add", "written_report"]


def add(commands: Any) -> None:
    """Add ``report``."""
    found = command(commands, "report", _report, "write the report of a run, without fitting anything",
                    "bayes report runs/latest --format html,pdf")  # fmt: skip
    source_argument(found)
    found.add_argument("--target", metavar="NAME", help="of a file of draws: the number that is the answer")
    place_argument(found)
    found.add_argument("--format", metavar="html,pdf,docx,md,tex", default="html,pdf",
                       help="any of html, pdf, docx (Word), md and tex (tables alone) (default: html,pdf)")  # fmt: skip
    found.add_argument(
        "--force", action="store_true", help="print the answer although a check failed, under a banner on every page"
    )
    quiet_argument(found)


def _report(options: argparse.Namespace) -> int:
    from bayes.draws import is_run

    formats = [word.strip() for word in options.format.split(",") if word.strip()]
    if not is_run(options.folder):
        return _report_of_draws(options, formats)
    check_of_a_run(options, "--out", "--target")
    return written_report(options.folder, formats, question_of(options), options.force, stage_of(options))


def _report_of_draws(options: argparse.Namespace, formats: list[str]) -> int:
    from bayes.diagnostics import check
    from bayes.report import write_report
    from bayes.report.material import Cover
    from bayes.report.write import check_report_formats

    if not options.target:
        raise UsageError("a report of draws needs a target", key="--target",
                         fix="name the scalar of the posterior that answers the question")  # fmt: skip
    check_report_formats(formats)
    with stage_of(options)("reading the draws"):
        fit = draws_of(options.folder)
    passed, place = check(fit).passed, place_for(options)
    make_folder(place)
    try:
        with stage_of(options)("drawing and composing"):
            written = [write_report(place / f"report.{one}", fit, target=options.target,
                                    cover=Cover(force=options.force))
                       for one in formats]  # fmt: skip
    finally:
        with suppress(OSError):  # where nothing was written
            place.rmdir()
    print(f"Diagnostics: {'passed' if passed else 'failed'}. Report: {', '.join(map(str, written))}")
    return 0 if passed else 1


def written_report(folder: Path, formats: list[str], question: Question, force: bool, stage: Any) -> int:
    """Write a report, say where it is and what it lacks, and return the exit code of its verdict."""
    from bayes.report import report_of_run

    report, written = report_of_run(folder, question, formats, force=force, stage=stage)
    for fix in dict.fromkeys(gap.fix for _, gap in report.missing):
        gaps = {gap.what: gap.reason for _, gap in report.missing if gap.fix == fix}
        print(f"Not in the report{f'; to make it: {fix}' if fix else ''}".replace("RUN", str(folder)))
        for what, reason in gaps.items():
            print(f"  {what}: {reason}")
    if report.withheld:
        print("The answer is withheld because the diagnostics failed; --force prints it under a banner.")
    print(f"Diagnostics: {'passed' if report.passed else 'failed'}. Report: {', '.join(str(p) for p in written[:4])}")
    return 0 if report.passed else 1
