"""``calibrate``: whether posteriors of this model are computed right."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli.shared import command, effort_arguments, effort_of, question_of, write_made
from bayes.numbers import formed

__all__ = ["add", "ranks_text"]


def add(commands: Any) -> None:
    """Add ``calibrate``."""
    found = command(commands, "calibrate", _calibrate, "check by simulation that posteriors are computed right",
                    "bayes calibrate runs/latest --simulations 200")  # fmt: skip
    effort_arguments(found)
    found.add_argument("--posterior", action="store_true",
                       help="draw truths from the fitted posterior, and fit to real and simulated data")  # fmt: skip


def _calibrate(options: argparse.Namespace) -> int:
    with effort_of(options) as effort:
        from bayes.calibration import sbc, uniformity
        from bayes.filed import check_fileable
        from bayes.files import make_folder
        from bayes.inputs import asked_of
        from bayes.runfiles import read_fit

        asked = asked_of(options.folder, question_of(options))
        make_folder(options.folder / "tables")
        if options.keep:
            check_fileable(asked)
        fit = read_fit(options.folder, ("posterior",)) if options.posterior else None
        if fit is not None:
            asked.refuse(fit)
        ranks = sbc(asked.sampled, options.simulations, posterior=fit, rng=options.seed, effort=effort)
    diverged = ranks.loc[ranks["divergences"] > 0, "simulation"].nunique()
    found = uniformity(ranks).assign(divergent=diverged, stuck=len(ranks.attrs["failed"]))
    found.attrs["failed"] = ranks.attrs["failed"]
    name = f"calibration{'_posterior' if options.posterior else ''}"
    files = write_made(options, asked, name, {f"{name}_ranks": ranks, name: found})
    text = ranks_text(found, files)
    print(found.to_json(orient="records", indent=2, force_ascii=False) if options.json else text)
    return 0 if found["uniform"].all() else 1


def ranks_text(found: Any, files: list[Path]) -> str:
    """Say what a calibration found, and where its tables are."""
    bad, first = found[~found["uniform"]], found.iloc[0]
    why = "; ".join(dict.fromkeys(found.attrs.get("failed", {}).values()))
    lines = [
        f"{len(found)} quantities ranked in {first['simulations']} simulated data sets: "
        f"{'ranks of all are uniform as far as these tell' if bad.empty else f'{len(bad)} are not uniform'}",
        *(f"  {row.quantity}: {row.says} (p {row.p_value:.1g}, location {formed(row.z_location, '+.1f')}, "
          f"spread {formed(row.z_spread, '+.1f')} standard errors)" for row in bad.itertuples()),
        f"Fits with divergences: {first['divergent']}. Simulations that could not be fitted, and have no ranks: "
        f"{first['stuck']}{f' ({why})' if why else ''}.",
        "This checks the computation on the model's own terms; it cannot show that model or priors are true.",
        f"Files: {', '.join(map(str, reversed(files)))}",
    ]  # fmt: skip
    return "\n".join(lines)
