"""``stress``: what the answer is worth in worlds that the model does not contain."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bayes.cli.shared import command, console, effort_arguments, effort_of, question_of, write_made

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from bayes.plans import Asked

__all__ = ["add", "stress_table"]


def add(commands: Any) -> None:
    """Add ``stress``."""
    effort_arguments(command(commands, "stress", _stress, "simulate worlds that the model does not contain, and say "
                             "how often its ranges hold the truth there", "bayes stress runs/latest"))  # fmt: skip


def _stress(options: argparse.Namespace) -> int:
    with effort_of(options) as effort:
        made = _stressed(options, effort)
    if made is None:
        print("nothing to stress: distortions=, worlds that differ from the model, are not declared by this question")
        return 0
    asked, table = made
    files = write_made(options, asked, "stress", {"stress": table})
    if options.json:
        print(table.to_json(orient="records", indent=2, force_ascii=False))
        return 0
    console().print(stress_table(table))
    from bayes.report.chapters.stress import ROBUST

    stuck = int(table["stuck"].sum())
    print(f"In each world, data were simulated from {table['simulations'].iloc[0]} draws of the fitted posterior, and "
          f"fitted. Fits with divergences: {table['divergent'].sum()}. Simulations that could not be fitted: {stuck}. "
          f"After ±: Monte Carlo errors.\n{ROBUST}\n"
          f"Files: {', '.join(map(str, files))}")  # fmt: skip
    return 0


def _stressed(options: argparse.Namespace, effort: Any) -> tuple[Asked, pd.DataFrame] | None:
    """A run's question and the table of its stress; None where the question declares no distortions."""
    from functools import partial

    from bayes.calibration import stress
    from bayes.calibration.worlds import Target
    from bayes.filed import check_fileable
    from bayes.files import make_folder
    from bayes.inputs import asked_of
    from bayes.provenance import canonical, digest
    from bayes.runfiles import read_manifest
    from bayes.sensitivity.case import Request
    from bayes.sensitivity.suite import load_case

    question = question_of(options)
    distortions = question.own_distortions(asked_of(options.folder, question).study)
    if not distortions:
        return None
    make_folder(options.folder / "tables")
    manifest, case = read_manifest(options.folder), load_case(question, Request(folder=options.folder))
    if options.keep:
        check_fileable(case.asked)
    place = {"quantity": case.target, **case.place}
    content = digest(canonical([manifest["inputs_hash"], place]))
    found = stress(case.asked.sampled, case.fit, distortions,
                   Target(partial(_projected, case.projected, case.asked.study), content),
                   simulations=options.simulations, rng=options.seed, effort=effort)  # fmt: skip
    return case.asked, found.assign(**place, unit=case.asked.words.unit(case.target))


def _projected(project: Any, study: Any, posterior: Any) -> Any:
    return project(posterior, study, {})


def stress_table(table: pd.DataFrame) -> Table:
    """The table of a stress as a terminal shows it."""
    from rich import box
    from rich.table import Table

    from bayes.calibration.worlds import PROBS, off_by, share

    shown = Table(box=box.SIMPLE_HEAD, padding=0)
    shown.add_column("World")
    for heading in (*(f"{prob:.0%} range holds the truth" for prob in PROBS), "Median over truth"):
        shown.add_column(heading, justify="right")
    for _, row in table.iterrows():
        shown.add_row(row["label"], *(share(row, prob) for prob in PROBS), off_by(row))
    return shown
