"""``fit``: the posterior of a study."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from bayes.cli.shared import command, options_of, posed_by, print_lines, sampling_arguments, stage_of, study_argument

if TYPE_CHECKING:
    from bayes.sampling.fit import Worker

__all__ = ["add", "sampler_for"]

NEXT = ("xarray", "netCDF4", "rich.table", "bayes.tables", "bayes.arraystats", "bayes.heroin.oracle")
"""What a command needs once the draws are there."""


def add(commands: Any) -> None:
    """Add ``fit``."""
    fit = command(commands, "fit", _fit, "sample the posterior of a study", "bayes fit my-study --out runs/mine")
    study_argument(fit)
    sampling_arguments(fit)


def _fit(options: argparse.Namespace) -> int:
    with sampler_for(options) as elsewhere:
        settings = options_of(options)
        case = posed_by(options)
        from bayes.runs import write_fit

        _, verdict = write_fit(case, options.out, settings, stage_of(options), elsewhere)
    print_lines(case.words.worded(str(verdict), ids=True))
    print(f"Files: {options.out}")
    return 0 if verdict.passed else 1


def sampler_for(options: argparse.Namespace) -> AbstractContextManager[Worker | None]:
    """A process that samples the shipped question; a model that a script builds stays in this one."""
    from bayes.sampling.process import worker

    return worker(NEXT) if options.question is None else nullcontext()
