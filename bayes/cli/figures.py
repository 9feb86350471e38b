"""``figures``: the pictures of a finished run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bayes.cli.shared import (
    check_of_a_run,
    command,
    counted,
    draws_of,
    place_argument,
    place_for,
    question_of,
    quiet_argument,
    source_argument,
    stage_of,
)

if TYPE_CHECKING:
    from xarray import Dataset

    from bayes.figures.gallery import Gallery

__all__ = ["add", "add_options", "draw_all"]


def add(commands: Any) -> None:
    """Add ``figures``."""
    example = "bayes figures runs/latest --only ridge,forest --format pdf,svg"
    figures = command(commands, "figures", _figures, "draw the figures of a run, without fitting anything", example)
    source_argument(figures)
    place_argument(figures)
    add_options(figures)
    quiet_argument(figures)


def add_options(figures: argparse.ArgumentParser) -> None:
    """Add which figures are drawn, and how."""
    figures.add_argument("--only", metavar="NAME,…", help="figures to draw (default: all that the run can supply)")
    figures.add_argument(
        "--format", metavar="pdf,svg,png", default="pdf", help="any of pdf, svg, png and pgf (default: pdf)"
    )
    figures.add_argument("--width", metavar="single|double|MM", help="89, 183 or any mm (default: by figure)")
    figures.add_argument("--style", metavar="NAME", default="journal", help="journal, serif or grey (default: journal)")
    figures.add_argument("--dpi", metavar="300|600", type=int, default=300, help="resolution of png (default: 300)")


def _figures(options: argparse.Namespace) -> int:
    from bayes.draws import is_run

    gallery, verdict = (_of_run if is_run(options.folder) else _of_draws)(options)
    return draw_all(gallery, verdict, options)


def _of_run(options: argparse.Namespace) -> tuple[Gallery, str]:
    """What a run folder offers, and its verdict."""
    from bayes.figures.gallery import gallery_of

    check_of_a_run(options, "--out")
    found = gallery_of(options.folder, question_of(options))
    return found, found.manifest["verdict"]


def _of_draws(options: argparse.Namespace) -> tuple[Gallery, str]:
    """What draws that are no run offer, and their verdict."""
    from bayes.diagnostics import check
    from bayes.errors import StudyError
    from bayes.figures.gallery import Gallery

    fit = draws_of(options.folder)

    def no_projection() -> Dataset:
        raise StudyError("these draws have no projection", file=options.folder)

    return Gallery(place_for(options), {}, lambda: fit, no_projection), check(fit).word


def draw_all(gallery: Gallery, verdict: str, options: argparse.Namespace) -> int:
    """Draw the figures asked for, or all that the run can supply, and say which it cannot and why."""
    from bayes.errors import UsageError
    from bayes.figures import FIGURES
    from bayes.figures.gallery import Absent, check_plan
    from bayes.figures.saving import check_formats, save

    only = [word.strip() for word in options.only.split(",") if word.strip()] if options.only is not None else []
    formats = [word.strip() for word in options.format.split(",") if word.strip()]
    check_plan(only, options.width, options.style, [*gallery.figures, *FIGURES])
    check_formats(formats, options.dpi)
    stage, written, names = stage_of(options), 0, only or [*gallery.figures]
    excused = Absent if gallery.manifest else UsageError  # draws of anything may lack what a figure shows
    drawn = 0
    for name in names:
        try:
            gallery.check(name)
            with stage(f"drawing {name}"):
                figure = gallery.draw(name, options.width, options.style)
        except excused as reason:
            if options.only is not None:
                raise
            fix = f" ({reason.fix})" if reason.fix and gallery.manifest else ""
            print(f"not drawn: {name}: {reason.problem}{fix}")
            continue
        written += len(save(figure, gallery.folder / "figures", name, formats, options.dpi))
        drawn += 1
    made = f"{counted(drawn, 'figure')}, {counted(written, 'file')}"
    print(f"Diagnostics: {verdict}. {made}: {gallery.folder / 'figures'}")
    return 0 if verdict == "passed" else 1
