"""``project``: the fit of a run over the scenarios of a study."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli.run import show_run
from bayes.cli.shared import (
    command,
    json_argument,
    question_of,
    quiet_argument,
    scheduler_argument,
    setting_arguments,
    stage_of,
    study_argument,
)

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``project``."""
    project = command(commands, "project", _project, "project the fit of a run over the scenarios of a study",
                      "bayes project runs/mine my-study")  # fmt: skip
    project.add_argument("folder", metavar="RUN", type=Path, help="a run folder with fit.nc")
    study_argument(project)
    setting_arguments(project)
    scheduler_argument(project)
    quiet_argument(project)
    json_argument(project)


def _project(options: argparse.Namespace) -> int:
    from bayes.overrides import parse_overrides
    from bayes.runs import project_run

    changes = parse_overrides((), options.set or ())
    run = project_run(question_of(options), options.folder, stage_of(options), options.study, changes,
                      options.scheduler)  # fmt: skip
    show_run(run, options, withheld=False)
    return 0 if run.verdict.passed else 1
