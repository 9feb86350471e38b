"""``figures``: the pictures of a finished run."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from bayes.cli.shared import command, counted, quiet_argument, stage_of

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``figures``."""
    example = "bayes figures runs/latest --only ridge,forest --format pdf,svg"
    figures = command(commands, "figures", _figures, "draw the figures of a run, without fitting anything", example)
    figures.add_argument("folder", metavar="RUN", type=Path, help="a run folder")
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
    from bayes.figures.gallery import NAMES, Absent, Gallery, check_plan
    from bayes.figures.saving import check_formats, save
    from bayes.runs import load_fit, load_futures, read_manifest

    only = [word.strip() for word in options.only.split(",") if word.strip()] if options.only is not None else []
    names = only or list(NAMES)
    formats = [word.strip() for word in options.format.split(",") if word.strip()]
    check_plan(names, options.width, options.style)
    check_formats(formats, options.dpi)
    manifest = read_manifest(options.folder)
    read_fit, read_futures = partial(load_fit, options.folder), partial(load_futures, options.folder)
    gallery, verdict = Gallery(options.folder, manifest, read_fit, read_futures, options.study), manifest["verdict"]
    stage, absent, written = stage_of(options), {}, 0
    for name in names:
        try:
            gallery.check(name)
        except Absent as reason:
            if only:
                raise
            absent[name] = reason.problem + (f" ({reason.fix})" if reason.fix else "")
            continue
        with stage(f"drawing {name}"):
            figure = gallery.draw(name, options.width, options.style)
            written += len(save(figure, options.folder / "figures", name, formats, options.dpi))
    for name, why in absent.items():
        print(f"not drawn: {name}: {why}")
    made = f"{counted(len(names) - len(absent), 'figure')}, {counted(written, 'file')}"
    print(f"Diagnostics: {verdict}. {made}: {options.folder / 'figures'}")
    return 0 if verdict == "passed" else 1
