"""``figures``: the pictures of a finished run."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.cli.shared import command, counted, place_argument, place_for, quiet_argument, source_argument, stage_of

if TYPE_CHECKING:
    from xarray import Dataset

    from bayes.figures.gallery import Gallery

__all__ = ["add", "drawn"]


def add(commands: Any) -> None:
    """Add ``figures``."""
    example = "bayes figures runs/latest --only ridge,forest --format pdf,svg"
    figures = command(commands, "figures", _figures, "draw the figures of a run, without fitting anything", example)
    source_argument(figures)
    place_argument(figures)
    figures.add_argument("--only", metavar="NAME,…", help="figures to draw (default: all that the run can supply)")
    figures.add_argument("--format", metavar="pdf,svg,png", default="pdf", help="of pdf, svg, png, pgf (default: pdf)")
    figures.add_argument("--width", metavar="single|double|MM", help="89, 183 or any mm (default: by figure)")
    figures.add_argument("--style", metavar="NAME", default="journal", help="journal, serif or grey (default: journal)")
    figures.add_argument("--dpi", metavar="300|600", type=int, default=300, help="resolution of png (default: 300)")
    figures.add_argument(
        "--study", metavar="STUDY", type=Path, help="the study of the run (default: the one it was made from)"
    )
    quiet_argument(figures)


def _figures(options: argparse.Namespace) -> int:
    from bayes.elsewhere import is_run
    from bayes.figures.gallery import NAMES, check_plan
    from bayes.figures.saving import check_formats

    only = [word.strip() for word in options.only.split(",") if word.strip()] if options.only is not None else []
    formats = [word.strip() for word in options.format.split(",") if word.strip()]
    check_plan(only, options.width, options.style)
    check_formats(formats, options.dpi)
    gallery, verdict = (_of_run if is_run(options.folder) else _of_draws)(options)
    absent, written = drawn(gallery, only or list(NAMES), formats, options)
    for name, why in absent.items():
        print(f"not drawn: {name}: {why}")
    made = f"{counted(len(only or NAMES) - len(absent), 'figure')}, {counted(written, 'file')}"
    print(f"Diagnostics: {verdict}. {made}: {gallery.folder / 'figures'}")
    return 0 if verdict == "passed" else 1


def _of_run(options: argparse.Namespace) -> tuple[Gallery, str]:
    """What a run folder offers, and its verdict."""
    from bayes.figures.gallery import Gallery
    from bayes.runs import load_fit, load_futures, read_manifest

    manifest = read_manifest(options.folder)
    read_fit, read_futures = partial(load_fit, options.folder), partial(load_futures, options.folder)
    return Gallery(options.folder, manifest, read_fit, read_futures, options.study), manifest["verdict"]


def _of_draws(options: argparse.Namespace) -> tuple[Gallery, str]:
    """What draws that are no run offer, and their verdict."""
    from bayes.diagnostics import check
    from bayes.elsewhere import fit_from
    from bayes.errors import StudyError
    from bayes.report.material import Held

    fit = fit_from(options.folder)

    def no_projection() -> Dataset:
        raise StudyError("these draws have no projection", file=options.folder)

    return Held(place_for(options), {}, lambda: fit, no_projection), check(fit).word


def drawn(
    gallery: Gallery, names: list[str], formats: list[str], options: argparse.Namespace
) -> tuple[dict[str, str], int]:
    """Draw figures; which could not be drawn and why, and how many files were written."""
    from bayes.errors import UsageError
    from bayes.figures.gallery import Absent
    from bayes.figures.saving import save

    stage, absent, written = stage_of(options), {}, 0
    excused = Absent if gallery.manifest else UsageError  # draws of anything may lack what a figure shows
    for name in names:
        try:
            gallery.check(name)
            with stage(f"drawing {name}"):
                figure = gallery.draw(name, options.width, options.style)
        except excused as reason:
            if options.only is not None:
                raise
            absent[name] = reason.problem + (f" ({reason.fix})" if reason.fix and gallery.manifest else "")
            continue
        written += len(save(figure, gallery.folder / "figures", name, formats, options.dpi))
    return absent, written
