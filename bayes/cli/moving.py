"""``sensitivity`` and ``diff``: what moves the answer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from bayes.cli.shared import command, console, json_argument, one_or_several, quiet_argument, source_argument
from bayes.errors import UsageError
from bayes.provenance import json_text
from bayes.workers import import_all

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``sensitivity`` and ``diff``."""
    found = command(commands, "sensitivity", _sensitivity, "say what moves the answer of a run, or of a file of draws",
                "bayes sensitivity runs/latest --only powerscale,tipping --threshold 100000")  # fmt: skip
    source_argument(found, nargs="?")
    found.add_argument("--target", metavar="NAME", help="a quantity of the projection (default: offences_avoided)")
    found.add_argument("--scenario", metavar="NAME", help="a scenario (default: the headline of the study)")
    found.add_argument("--year", metavar="N", type=int, help="year of the horizon (default: the last)")
    found.add_argument("--only", metavar="A,B", help="analyses (default: all)")
    found.add_argument("--threshold", metavar="X", type=float, help="for tipping points, in the target's unit")
    found.add_argument("--no-refit", action="store_true", help="never fit again: unreliable weights are marked instead")
    found.add_argument("--no-confirm", action="store_true", help="do not fit again at the tipping points found")
    found.add_argument("--jobs", metavar="N", type=int, help="processes (default: 2 on Linux, otherwise 1)")
    found.add_argument("--draws", metavar="FILE", nargs="+", type=Path, help="anybody's draws; CSV files one a chain")
    found.add_argument("--inputs", metavar="A,B", help="of draws: columns that explain the target (default: all)")
    found.add_argument("--net-benefit", metavar="A,B", help="of draws: columns of net benefit, one an option")
    diff = command(
        commands, "diff", _diff, "say which changed input moved the headline of two runs", "bayes diff runs/a runs/b"
    )
    diff.add_argument("run_a", metavar="RUN_A", type=Path, help="a run folder")
    diff.add_argument("run_b", metavar="RUN_B", type=Path, help="another")
    diff.add_argument("--target", metavar="NAME", default="offences_avoided", help="default: offences_avoided")
    diff.add_argument("--scenario", metavar="NAME", help="a scenario (default: the headline of the study)")
    for parser in (found, diff):
        json_argument(parser)
    quiet_argument(found)


def _sensitivity(options: argparse.Namespace) -> int:
    from bayes.elsewhere import is_run

    if (options.folder is None) == (options.draws is None):
        raise UsageError("name a run folder or a file of draws, or files with --draws", key="RUN",
                         fix="give one of the two")  # fmt: skip
    if options.jobs is not None and options.jobs < 1:
        raise UsageError("--jobs is too small", key="--jobs", found=options.jobs, allowed="1 or more")
    if options.draws is not None or not is_run(options.folder):
        return _sensitivity_of_draws(options)
    if options.question is not None:
        from bayes.cli.script import asked_here, sensitivity_own

        return sensitivity_own(asked_here(options), options)
    import_all(["bayes.heroin.sensitivity"])
    from bayes.heroin.sensitivity import Question
    from bayes.sensitivity import commands

    target = options.target or "offences_avoided"
    question = Question(options.folder, options.scenario, target, options.year, options.threshold,
                        not options.no_refit, not options.no_confirm)  # fmt: skip
    names = commands.chosen_analyses(options.only)
    progress = None if options.quiet else console(stderr=True)
    try:
        tables = commands.analyse_run(question, names, jobs=options.jobs, console=progress)
    except KeyboardInterrupt:
        folder = options.folder / "tables" / "sensitivity"
        print(f"bayes: interrupted; finished tables are in {folder}", file=sys.stderr)
        return 130
    if options.json:
        print(json_text(tables))
    else:
        commands.print_summary(console(), tables, question)
    return 0


def _sensitivity_of_draws(options: argparse.Namespace) -> int:
    from bayes.sensitivity import commands

    if not options.target:
        raise UsageError("draws need a target", key="--target", fix="name the column to explain")
    inputs, benefits = (commands.named_columns(text or "") for text in (options.inputs, options.net_benefit))
    source = one_or_several(options.draws or [options.folder])
    result = commands.analyse_draws(source, options.target, inputs, benefits)
    print(json_text(result) if options.json else commands.draws_text(result))
    return 0


def _diff(options: argparse.Namespace) -> int:
    from bayes.sensitivity.commands import diff_text
    from bayes.sensitivity.difference import diff

    table = diff(options.run_a, options.run_b, quantity=options.target, scenario=options.scenario)
    print(json_text(table) if options.json else diff_text(table))
    return 0
