"""``calibrate``: whether posteriors of this model are computed right."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from bayes.arguments import check_seed
from bayes.cli.shared import command, console, json_argument, question_of, quiet_argument
from bayes.errors import UsageError

__all__ = ["add", "ranks_text"]


def add(commands: Any) -> None:
    """Add ``calibrate``."""
    found = command(commands, "calibrate", _calibrate, "check by simulation that posteriors are computed right",
                    "bayes calibrate runs/latest --simulations 200")  # fmt: skip
    found.add_argument("folder", metavar="RUN", type=Path, help="a run folder: the tables are written there")
    for name, number, text in (
        ("simulations", 100, "data sets to simulate and fit"), ("draws", 500, "draws kept of each of two chains"),
        ("tune", 500, "warm-up draws"), ("seed", 20070222, "seed"),
    ):  # fmt: skip
        found.add_argument(f"--{name}", metavar="N", type=int, default=number, help=f"{text} (default: {number})")
    json_argument(found)
    quiet_argument(found)


def _calibrate(options: argparse.Namespace) -> int:
    for name, least in (("simulations", 20), ("draws", 100), ("tune", 100)):
        if getattr(options, name) < least:
            raise UsageError(f"--{name} is too small", key=f"--{name}", found=getattr(options, name),
                             allowed=f"{least} or more")  # fmt: skip
    check_seed(options.seed, "--seed")
    from bayes.calibration import sbc, uniformity
    from bayes.files import csv_text, write_text
    from bayes.inputs import asked_of

    model = asked_of(options.folder, question_of(options)).sampled
    with _fits(options) as stage:
        ranks = sbc(model, options.simulations, draws=options.draws, tune=options.tune, rng=options.seed, stage=stage)
    found = uniformity(ranks)
    tables = options.folder / "tables"
    tables.mkdir(exist_ok=True)
    for name, table in (("calibration_ranks", ranks), ("calibration", found)):
        write_text(tables / f"{name}.csv", csv_text(table))
    text = ranks_text(found, ranks, tables)
    print(found.to_json(orient="records", indent=2, force_ascii=False) if options.json else text)
    return 0 if found["uniform"].all() else 1


@contextmanager
def _fits(options: argparse.Namespace) -> Iterator[Any]:
    """A bar on standard error that moves by one with each fit."""
    if options.quiet:
        yield lambda name: nullcontext()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("simulating and fitting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True)) as progress:
        task = progress.add_task("fits", total=options.simulations)

        @contextmanager
        def stage(name: str) -> Iterator[None]:
            yield
            progress.update(task, advance=1)

        yield stage


def ranks_text(found: Any, ranks: Any, tables: Path) -> str:
    """Say what a calibration found, and where its tables are."""
    bad, diverged = found[~found["uniform"]], ranks.loc[ranks["divergences"] > 0, "simulation"].nunique()
    lines = [
        f"{len(found)} quantities ranked in {ranks['simulation'].nunique()} simulated data sets: "
        f"{'ranks of all are uniform as far as these tell' if bad.empty else f'{len(bad)} are not uniform'}",
        *(f"  {row.quantity}: {row.says} (p {row.p_value:.1g}, location {row.z_location:+.1f}, "
          f"spread {row.z_spread:+.1f} standard errors)" for row in bad.itertuples()),
        f"Fits with divergences: {diverged}. Simulations that could not be fitted, and have no ranks: "
        f"{len(ranks.attrs['failed'])}.",
        "This checks the computation on the model's own terms; it cannot show that model or priors are true.",
        f"Files: {tables / 'calibration.csv'}, {tables / 'calibration_ranks.csv'}",
    ]  # fmt: skip
    return "\n".join(lines)
