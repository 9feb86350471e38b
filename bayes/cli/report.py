"""``report``: the report of a finished run, as a page, a document and tables."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli.shared import command, quiet_argument, stage_of

__all__ = ["add", "written_report"]


def add(commands: Any) -> None:
    """Add ``report``."""
    found = command(
        commands,
        "report",
        _report,
        "write the report of a run, without fitting anything",
        "bayes report runs/latest --format html,pdf",
    )
    found.add_argument("folder", metavar="RUN", type=Path, help="a run folder")
    found.add_argument(
        "--format",
        metavar="html,pdf,md,tex",
        default="html,pdf",
        help="of html, pdf, md (tables), tex (tables) (default: html,pdf)",
    )
    found.add_argument(
        "--force", action="store_true", help="print the answer although a check failed, under a banner on every page"
    )
    found.add_argument(
        "--study", metavar="DIR", type=Path, help="the study of the run (default: the one it was made from)"
    )
    quiet_argument(found)


def _report(options: argparse.Namespace) -> int:
    formats = [word.strip() for word in options.format.split(",") if word.strip()]
    return written_report(options.folder, formats, options.study, options.force, stage_of(options))


def written_report(folder: Path, formats: list[str], study: Path | None, force: bool, stage: Any) -> int:
    """Write a report, say where it is and what it lacks, and return the exit code of its verdict.

    Raises
    ------
    StudyError
        If a study is named and the run was made from another.
    """
    from bayes.report import report_of_run

    if study is not None:  # nothing is written in place of a report of the run's own study
        from bayes.runs import study_of

        study_of(folder, study)
    report, written = report_of_run(folder, formats, study=study, force=force, stage=stage)
    for _, gap in report.missing:
        fix = gap.fix.replace("RUN", str(folder))
        print(f"not in the report: {gap.what}: {gap.reason}" + (f" ({fix})" if fix else ""))
    if report.withheld:
        print("The answer is withheld because the diagnostics failed; --force prints it under a banner.")
    print(f"Diagnostics: {'passed' if report.passed else 'failed'}. Report: {', '.join(str(p) for p in written[:4])}")
    return 0 if report.passed else 1
