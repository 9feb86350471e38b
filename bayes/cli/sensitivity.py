"""``sensitivity``: what moves the answer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from bayes.cli.shared import (
    check_of_a_run,
    command,
    console,
    json_argument,
    one_or_several,
    question_of,
    quiet_argument,
    source_argument,
)
from bayes.errors import UsageError
from bayes.provenance import json_text
from bayes.workers import import_all

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``sensitivity``."""
    found = command(commands, "sensitivity", _sensitivity, "say what moves the answer of a run, or of a file of draws",
                "bayes sensitivity runs/latest --only powerscale,tipping --threshold 100000")  # fmt: skip
    source_argument(found, nargs="?")
    found.add_argument("--target", metavar="NAME", help="an outcome of the projection (default: the answer)")
    found.add_argument("--scenario", metavar="NAME", help="a scenario (default: the headline of the study)")
    found.add_argument("--year", metavar="N", type=int, help="year of the horizon (default: the last)")
    found.add_argument("--only", metavar="A,B", help="analyses (default: all)")
    found.add_argument("--threshold", metavar="X", type=float, help="for tipping points, in the target's unit")
    found.add_argument(
        "--no-refit", action="store_true", help="do not fit again where weights fail, but mark what rests on them"
    )
    found.add_argument("--no-confirm", action="store_true", help="do not fit again at the tipping points found")
    found.add_argument(
        "--recompute", action="store_true", help="compute the tables anew, although they are kept on disk"
    )
    found.add_argument("--jobs", metavar="N", type=int, help="processes (default: 2 on Linux, otherwise 1)")
    found.add_argument(
        "--draws", metavar="FILE", nargs="+", type=Path, help="anybody's draws; of CSV files, one for each chain"
    )
    found.add_argument("--inputs", metavar="A,B", help="of draws: columns that explain the target (default: all)")
    found.add_argument("--net-benefit", metavar="A,B", help="of draws: columns of net benefit, one for each option")
    json_argument(found)
    quiet_argument(found)


def _sensitivity(options: argparse.Namespace) -> int:
    from bayes.draws import is_run

    if (options.folder is None) == (options.draws is None):
        raise UsageError("name a run folder or a file of draws, or files with --draws", key="RUN",
                         fix="give one of the two")  # fmt: skip
    if options.draws is not None or not is_run(options.folder):
        return _sensitivity_of_draws(options)
    check_of_a_run(options, "--inputs", "--net-benefit")
    import_all(["bayes.sensitivity.graph"])
    from functools import partial

    from bayes.sensitivity.case import Request
    from bayes.sensitivity.suite import analyse_run, chosen_analyses, load_case
    from bayes.sensitivity.summary import print_summary

    request = Request(
        folder=options.folder, scenario=options.scenario, quantity=options.target, year=options.year,
        threshold=options.threshold, refit=not options.no_refit, confirm=not options.no_confirm,
    )  # fmt: skip
    if options.jobs is not None and options.jobs < 1:
        raise UsageError("--jobs is too small", key="--jobs", found=options.jobs, allowed="1 or more")
    names, folder = chosen_analyses(options.only), options.folder / "tables" / "sensitivity"
    try:
        found = analyse_run(request, partial(load_case, question_of(options)), names, jobs=options.jobs,
                            console=None if options.quiet else console(stderr=True),
                            recompute=options.recompute)  # fmt: skip
    except KeyboardInterrupt:
        print(f"bayes: interrupted; finished tables are in {folder}", file=sys.stderr)
        return 130
    if options.json:
        print(json_text(found.tables))
        return 0
    for name, brings in found.absent.items():
        print(f"left out: {name}: it needs {brings}")
    print_summary(console(), found.tables, found.words, found.target, folder)
    return 0


def _sensitivity_of_draws(options: argparse.Namespace) -> int:
    from bayes.sensitivity import columns

    if not options.target:
        raise UsageError("draws need a target", key="--target", fix="name the column to explain")
    inputs, benefits = (columns.named_columns(text or "") for text in (options.inputs, options.net_benefit))
    source = one_or_several(options.draws or [options.folder])
    result = columns.analyse_draws(source, options.target, inputs, benefits)
    print(json_text(result) if options.json else columns.draws_text(result))
    return 0
