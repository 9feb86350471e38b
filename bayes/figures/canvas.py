"""The page a figure is drawn on: physical size, type, colours, and the mark of a failed fit.

Styling is local. Every figure is a :class:`PaperFigure`, drawn and saved inside its own ``rc_context`` that starts from
matplotlib's defaults, so neither the user's settings nor the order of calls changes a picture, and none of it leaks.
``pyplot`` is not used. Sizes are physical, and type is 7 to 8 points at that size.
"""

from __future__ import annotations

import io
import math
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.cbook import open_file_cm
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from bayes.errors import UsageError, check_word, closest
from bayes.figures.palette import STYLES, Palette
from bayes.figures.typeface import others, with_faces
from bayes.numbers import mark_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FAILED", "NARROW", "NARROWEST", "STYLES", "TALLEST", "WIDTHS", "Page", "Palette", "PaperFigure", "page",
    "tex_engine", "text_mm", "width_mm",
]  # fmt: skip

WIDTHS: Mapping[str, float] = {"single": 89.0, "double": 183.0}
"""Preset widths in millimetres: one and two columns."""

NARROWEST, WIDEST = 80.0, 400.0
TALLEST = 230.0
"""Height in mm that a figure on a page has at the most, where its rows may be drawn closer together."""
NARROW = 150.0
"""Below this width, in mm, panels are stacked and columns of numbers are few."""

MM = 1 / 25.4
FAILED = "DIAGNOSTICS FAILED"
MARK = "mark"
"""The ``gid`` of the mark of a failed fit."""

SMALL, NORMAL, LARGE = 7.0, 7.5, 8.0
"""Sizes of type in points, at final size."""


_FOREIGN = ("backend", "interactive", "toolbar", "timezone", "webagg", "docstring", "savefig.directory", "tk.",
            "date.epoch", "keymap", "animation")  # fmt: skip


_INK = "#1a1a1a"
_LOOK: Mapping[str, Any] = {
    "font.size": NORMAL, "axes.labelsize": NORMAL, "axes.titlesize": NORMAL, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.titlepad": 3.0, "axes.labelpad": 2.5,
    "text.parse_math": False,  # a label is text: dollars are dollars
    "xtick.labelsize": SMALL, "ytick.labelsize": SMALL, "legend.fontsize": SMALL, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "axes.edgecolor": _INK,
    "axes.labelcolor": _INK, "text.color": _INK, "lines.linewidth": 1.1, "lines.solid_capstyle": "butt",
    **{f"{axis}tick.{key}": value for axis in "xy" for key, value in {
        "color": _INK, "major.width": 0.6, "minor.width": 0.4, "major.size": 2.5, "minor.size": 1.5, "major.pad": 2.0,
    }.items()},
    "patch.linewidth": 0.6, "svg.hashsalt": "bayes", "svg.fonttype": "none", "pdf.fonttype": 42, "ps.fonttype": 42,
    "figure.dpi": 100, "savefig.dpi": 300, "axes.unicode_minus": True, "path.simplify": True,
}  # fmt: skip


def settings(font: str) -> Any:
    """Return complete settings for one typeface, from matplotlib's own defaults."""
    plain: dict[Any, Any] = {key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith(_FOREIGN)}
    return {**plain, **_LOOK, "font.family": font}


class PaperFigure(Figure):
    """A matplotlib figure that carries its table and caption and keeps its style whoever draws or saves it.

    Attributes
    ----------
    table
        Exactly what is drawn.
    caption
        What stands in ``NAME.txt``.
    """

    table: pd.DataFrame
    caption: str

    def __init__(self, *args: Any, font: str = "DejaVu Sans", **kwargs: Any) -> None:
        self._settings: Any = settings(font)
        super().__init__(*args, **kwargs)

    def draw(self, renderer: Any) -> None:
        """Draw in the figure's own style."""
        with mpl.rc_context(self._settings), boxes_told():
            super().draw(renderer)

    def savefig(  # type: ignore[override]
        self, fname: Any, *, format: str | None = None, dpi: float | None = None, transparent: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Save in the figure's own style and size, without dates, so that equal figures are equal files.

        Parameters
        ----------
        fname
            A path or an open file.
        format, dpi, transparent
            As for any matplotlib figure: from the name's ending, 300, and white.
        metadata
            What the file says of itself; by default nothing that changes from day to day.
        """
        word = str(format or fname).lower().rsplit(".", 1)[-1]
        said: Any = {} if word == "pgf" else {"metadata": _METADATA.get(word) if metadata is None else metadata}
        resolution: Any = self._settings["savefig.dpi"] if dpi is None else dpi
        engine: Any = {"pgf.texsystem": tex_engine()} if word == "pgf" else {}
        written: Any = io.StringIO() if word == "svg" else fname
        with mpl.rc_context(self._settings | engine), boxes_told(), labels_are_text(word == "pgf"):
            super().savefig(written, transparent=transparent, format="svg" if word == "svg" else format, dpi=resolution,
                            **said)  # fmt: skip
        if word == "svg":
            text = with_faces(written.getvalue())
            with open_file_cm(fname, "w", encoding="utf-8") as file:
                file.write(text if isinstance(file, io.TextIOBase) else text.encode())

    def _repr_png_(self) -> bytes:
        """Show the figure in a notebook."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=200)
        return buffer.getvalue()


ENGINES = ("xelatex", "lualatex", "pdflatex")


def tex_engine() -> str:
    """Return the engine of TeX that writes pgf.

    Raises
    ------
    UsageError
        If none is installed.
    """
    found = next((name for name in ENGINES if shutil.which(name)), None)
    if found is None:
        raise UsageError("the format pgf needs a TeX engine, and none is installed", key="format", found="pgf",
                         allowed=f"one of {', '.join(ENGINES)} on the path",
                         fix="install TeX, or choose pdf, svg or png")  # fmt: skip
    return found


_METADATA: Mapping[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}


_TEX = str.maketrans({"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", **{c: f"\\{c}" for c in "{}$&#_"}})
"""What TeX takes as a command; matplotlib itself writes its per cent and circumflex as letters."""


@contextmanager
def labels_are_text(wanted: bool) -> Iterator[None]:
    """Have matplotlib write the letters of labels for TeX as letters: it leaves dollars and the like to the caller."""
    from matplotlib.backends import backend_pgf

    writer: Any = backend_pgf
    own = writer._tex_escape
    if wanted:
        writer._tex_escape = lambda text: own(text.translate(_TEX))
    try:
        yield
    finally:
        writer._tex_escape = own


@contextmanager
def boxes_told() -> Iterator[None]:
    """Silence the warning that letters are drawn as boxes: the caption says so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from font", UserWarning)
        yield


@dataclass(frozen=True, slots=True)
class Page:
    """A figure in the making: its size in millimetres and its colours."""

    figure: PaperFigure
    palette: Palette
    width: float
    height: float
    font: str
    narrow: bool = False

    def text_mm(self, text: str, size: float = SMALL, bold: bool = False) -> float:
        """Width of a text in millimetres."""
        return text_mm(text, size, self.font, bold)


def width_mm(width: str | float) -> float:
    """Return a width in millimetres: ``single``, ``double`` or a number.

    >>> width_mm("single")
    89.0
    """
    if isinstance(width, str):
        if width in WIDTHS:
            return WIDTHS[width]
        try:
            width = float(width)
        except ValueError:
            raise UsageError("there is no such width", key="width", found=width,
                             allowed="single (89 mm), double (183 mm) or a number of mm",
                             fix=closest(str(width), WIDTHS) or "give millimetres") from None  # fmt: skip
    if isinstance(width, bool) or not isinstance(width, Real):
        raise UsageError(
            "a width is a word or a number", key="width", found=width, allowed="single, double, millimetres"
        )
    if not (math.isfinite(width) and NARROWEST <= width <= WIDEST):
        raise UsageError("a figure this wide cannot be read", key="width", found=width,
                         allowed=f"{NARROWEST:g} to {WIDEST:g} mm")  # fmt: skip
    return float(width)


@contextmanager
def page(
    table: pd.DataFrame, width: str | float, style: str, height: float, layout: str | None = "constrained"
) -> Iterator[Page]:
    """Give a page to draw on inside its own style; on leaving, mark it if the fit failed.

    Parameters
    ----------
    table
        What will be drawn; its column ``verdict`` decides the mark.
    width, height
        Width as in :func:`width_mm`; height in millimetres.
    style
        One of :data:`STYLES`.
    layout
        Matplotlib's layout engine, or None for a figure that places its own axes.
    """
    check_word(str(style), STYLES, "there is no such style", key="style")
    palette, font = STYLES[style]
    across = width_mm(width)
    with mpl.rc_context(settings(font)):
        figure = PaperFigure(figsize=(across * MM, height * MM), layout=layout, font=font)
        engine = figure.get_layout_engine()
        if engine is not None:
            engine.set(w_pad=0.8 * MM, h_pad=0.8 * MM, wspace=0.03, hspace=0.03)  # type: ignore[call-arg]
        figure.table, figure.caption = table, ""
        yield Page(figure, palette, across, height, font, across < NARROW)
        figure.caption = " ".join([figure.caption, *_letters(figure, font)])
        if "verdict" in table and (table["verdict"] == "failed").any():
            _mark(figure, across, height)


def _letters(figure: PaperFigure, font: str) -> list[str]:
    """Draw letters that the typeface lacks in others, and say what marks and boxes mean."""
    texts = [one for one in figure.findobj(Text) if isinstance(one, Text)]
    written = [str(one.get_text()) for one in texts]
    more, lost = others(font, written)
    for one in texts if more else ():
        one.set_fontfamily([font, *more])
    boxes = f"No typeface on this machine has the letters {lost}: boxes stand for them, but not in SVG." if lost else ""
    return [*filter(None, [boxes]), *mark_words(written)]


def _mark(figure: PaperFigure, width: float, height: float) -> None:
    """Write the mark of a failed fit across the picture, as large as it fits."""
    angle = math.degrees(math.atan2(height, width)) * 0.8
    size = 0.62 * math.hypot(width, height) / text_mm(FAILED, 1.0, "DejaVu Sans", True)
    size = min(size, 0.5 * height / (0.35 * math.cos(math.radians(angle))))
    mark = figure.text(0.5, 0.5, FAILED, fontsize=size, rotation=angle, ha="center", va="center", color="#a00000",
                       alpha=0.28, weight="bold", zorder=1000, gid=MARK)  # fmt: skip
    mark.set_in_layout(False)


@lru_cache(maxsize=4096)
def text_mm(text: str, size: float, font: str, bold: bool = False) -> float:
    """Width of a text in millimetres, at a size in points; spaces around it do not count."""
    shown = text.strip().replace(r"\$", "$")
    families = [font, *others(font, [shown])[0]]
    face = FontProperties(family=families, weight="bold" if bold else "normal", size=size)
    with boxes_told():
        width, _, _ = text_to_path.get_text_width_height_descent(shown, face, False)
    return float(width) / 72 * 25.4


def layers(table: pd.DataFrame, names: Sequence[str]) -> list[pd.DataFrame]:
    """Return the rows of each layer, in order."""
    return [table[table["layer"] == name] for name in names]
