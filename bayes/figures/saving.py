"""Files of a figure: the picture in each format, its table and its caption, written whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from bayes.arguments import checked
from bayes.errors import UsageError, check_word
from bayes.figures.canvas import PaperFigure, tex_engine
from bayes.files import csv_text, make_folder, write_bytes

__all__ = ["DPI", "FORMATS", "check_formats", "save"]

FORMATS = ("pdf", "svg", "png", "pgf")
DPI = (300, 600)


def check_formats(formats: Sequence[str], dpi: int = DPI[0]) -> None:
    """Raise unless every format can be written here.

    Raises
    ------
    UsageError
        If a format is unknown, or ``pgf`` is asked for without a TeX engine.
    """
    if not formats:
        raise UsageError("no format is given", key="format", allowed=FORMATS)
    for name in formats:
        check_word(name, FORMATS, "there is no such format", key="format", otherwise="choose from these")
    if "pgf" in formats:
        tex_engine()
    if dpi not in DPI:
        raise UsageError("not a resolution for print", key="dpi", found=dpi, allowed="300 or 600")


@checked
def save(
    figure: PaperFigure, folder: Path, name: str, formats: Sequence[str] = ("pdf",), dpi: int = DPI[0]
) -> list[Path]:
    """Write ``NAME.csv``, ``NAME.txt`` and ``NAME.FORMAT`` for each format.

    Everything is rendered before the first file is written, and every file is replaced in one step. Equal figures give
    equal bytes
    in PDF and SVG.

    Parameters
    ----------
    figure
        What a function of :mod:`bayes.figures` returned.
    folder, name
        Where to write, and the name without its ending.
    formats, dpi
        Of :data:`FORMATS`; the resolution of PNG, 300 or 600.

    Returns
    -------
    list of Path
        The files written.
    """
    check_formats(formats, dpi)
    content = {f"{name}.csv": csv_text(figure.table).encode(),
               f"{name}.txt": f"{figure.caption}\n".encode()}  # fmt: skip
    for word in formats:
        content[f"{name}.{word}"] = _rendered(figure, word, dpi)
    make_folder(folder)
    for file, data in content.items():
        write_bytes(folder / file, data)
    return [folder / file for file in content]


def _rendered(figure: PaperFigure, word: str, dpi: int) -> bytes:
    if word == "pgf":
        text = io.StringIO()
        figure.savefig(text, format="pgf")
        return text.getvalue().encode()
    buffer = io.BytesIO()
    figure.savefig(buffer, format=word, dpi=dpi)
    return buffer.getvalue()
