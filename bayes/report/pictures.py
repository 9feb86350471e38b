"""The figures of a report: each drawn once, as SVG that both writers use, in other processes where there is a folder.

SVG is rewritten so that a page with a strict content policy can hold it: style attributes become attributes of
presentation, and names of parts become unique on the page. Nothing that is drawn changes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from bayes import figures
from bayes.figures.canvas import MM, NARROW, NARROWEST
from bayes.figures.gallery import Absent, Gallery, gallery_of
from bayes.figures.record import Figure as FigureRecord
from bayes.report.contract import Drawing
from bayes.report.material import Material
from bayes.workers import Pool, can_split

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bayes.question import Question

__all__ = [
    "Helper",
    "Pictures",
    "check_figure",
    "drawing_of",
    "helper",
    "in_tags",
    "prefixed",
    "record_of",
    "table_of",
    "without_styles",
]

HELPED = ("places", "returns", "model", "priors", "chains", "predictive")
"""Figures that a second process draws from the run folder: nothing that depends on the target."""


@dataclass(frozen=True, eq=False)
class Helper:
    """A process that draws figures while this one reads and composes.

    Parameters
    ----------
    pool
        The process.
    home
        Module and name of the question.
    begun
        Figures that it draws from the run folder, by name.
    """

    pool: Pool
    home: tuple[str, str]
    begun: Mapping[str, Future[Drawing]]

    def offered(self, tables: Mapping[str, pd.DataFrame]) -> dict[str, Future[Drawing]]:
        """Offer to draw figures from their tables, the last one first; each may be cancelled until it is begun."""
        return {name: self.pool.submit(_drawn_at_home, self.home, name, tables[name]) for name in reversed([*tables])}


@contextmanager
def helper(folder: Path, home: tuple[str, str]) -> Iterator[Helper]:
    """Start a process that draws figures of a run folder."""
    with Pool(1, copies=can_split()) as pool:
        yield Helper(pool, home, {name: pool.submit(_drawn_from, folder, home, name) for name in HELPED})


@dataclass(frozen=True, eq=False)
class Pictures:
    """Draws the figures of a report.

    Parameters
    ----------
    material
        What they are drawn from.
    helper
        Another process that draws some of them.
    wanted
        Whether any writer shows figures; nothing is drawn otherwise.
    """

    material: Material
    helper: Helper | None = None
    wanted: bool = True

    def drawn(self, names: Sequence[str]) -> Mapping[str, Drawing]:
        """Return figures by name: this process and the other draw towards each other."""
        if not self.wanted:
            return {}
        gallery, target = self.material.gallery, self.material.target.quantity
        begun = self.helper.begun if self.helper else {}
        tables = {name: table_of(gallery, name, target) for name in names if name not in begun}
        asked = {**begun, **(self.helper.offered(tables) if self.helper else {})}
        own = {name: _drawn(record_of(gallery, name), table) for name, table in tables.items()
               if name not in asked or asked[name].cancel()}  # fmt: skip
        return {name: own[name] if name in own else asked[name].result() for name in names}


def _drawn_from(folder: Path, home: tuple[str, str], name: str) -> Drawing:
    """Draw one figure of a run folder, in a process of its own."""
    gallery = _gallery(folder, home)
    return _drawn(record_of(gallery, name), table_of(gallery, name, ""))


def _drawn_at_home(home: tuple[str, str], name: str, table: pd.DataFrame) -> Drawing:
    """Draw one figure of a question from its table, in a process of its own."""
    own = {one.name: one for one in _at(home).own_figures()}
    return _drawn(own.get(name) or figures.figure(name), table)


def _drawn(figure: FigureRecord, table: pd.DataFrame) -> Drawing:
    """A figure for page and paper; one that is wide once more for narrow screens."""
    whole = figure(table)
    wide = whole.get_size_inches()[0] / MM > NARROW
    return drawing_of(whole, figure.name, figure(table, width=NARROWEST) if wide else None)


def _at(home: tuple[str, str]) -> Question:
    found: Question = getattr(import_module(home[0]), home[1])
    return found


@lru_cache(maxsize=1)
def _gallery(folder: Path, home: tuple[str, str]) -> Gallery:
    """Read a run once in each process."""
    return gallery_of(folder, _at(home))


def record_of(gallery: Gallery, name: str) -> FigureRecord:
    """Return how a figure is drawn: as the question has it, or as any does."""
    return gallery.figures.get(name) or figures.figure(name)


def table_of(gallery: Gallery, name: str, target: str) -> pd.DataFrame:
    """Return what a figure of a report is drawn from."""
    return _OWN[name](gallery, target) if name in _OWN else gallery.table(name)


def _priors(gallery: Gallery, target: str) -> pd.DataFrame:
    """The quantities that decide the answer; all of a fit that has none of them."""
    both = set(gallery.fit["prior"].data_vars) & set(gallery.fit["posterior"].data_vars)
    shown = [name for name in gallery.words.shown if name in both]
    return figures.priors.table(gallery.fit, variables=shown or None, labels=gallery.words.labels,
                                units=gallery.units, exact=gallery.laws)  # fmt: skip


def _dots(gallery: Gallery, target: str) -> pd.DataFrame:
    """Both units of a projection, or the target of a fit."""
    if target not in gallery.fit["posterior"].data_vars:
        return gallery.table("dots")
    return figures.dots.table(gallery.fit, quantities=(target,))


def _predictive(gallery: Gallery, target: str) -> pd.DataFrame:
    """Rows in the words of the evidence, or by their names."""
    try:
        return gallery.table("predictive")
    except Absent:
        return figures.predictive.table(gallery.fit)


_OWN: Mapping[str, Callable[[Gallery, str], pd.DataFrame]] = {
    "priors": _priors,
    "dots": _dots,
    "predictive": _predictive,
}


def check_figure(gallery: Gallery, name: str, target: str) -> None:
    """Raise unless a figure of the report can be drawn.

    Raises
    ------
    Absent
        Saying what is missing and which command makes it.
    """
    if name == "dots" and target in gallery.fit["posterior"].data_vars:
        return
    if name == "predictive":
        if not {"posterior_predictive", "observed_data"} <= set(gallery.fit.children):
            raise Absent("the fit has no posterior predictive draws", fix="sample with bayes.sample")
        return
    (gallery.check if name in HELPED or name in _OWN else gallery.table)(name)


def drawing_of(figure: Figure, name: str, narrow: Figure | None = None) -> Drawing:
    """Save a figure as SVG for a page.

    Returns
    -------
    Drawing
        Its caption, its markup without declarations and styles, its size in millimetres, and the markup of the same
        figure for narrow screens if there is one.
    """
    width, height = (float(inches) * 25.4 for inches in figure.get_size_inches())
    caption = str(getattr(figure, "caption", name))
    small = "" if narrow is None else _markup(narrow, f"{name}-narrow")
    return Drawing(name, caption, _markup(figure, name), width, height, small)


def _markup(figure: Figure, name: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    return prefixed(without_styles(_element(buffer.getvalue())), name)


def _element(svg: str) -> str:
    """The svg element alone, without declarations, metadata and style sheet, to a hundredth of a point."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = in_tags(lambda tag: _LINES.sub(_thinned, re.sub(r"(\d\.\d\d)\d+", r"\1", tag)), svg)
    return re.sub(r">\s+<", "><", svg).strip()


_LINES = re.compile(r"(?:L -?[\d.]+ -?[\d.]+ \n?){3,}")
"""Lines from point to point of a path, as matplotlib writes them."""


def _thinned(found: re.Match[str]) -> str:
    """Leave out points on a level or upright line between their neighbours, such as those of a density of nothing.

    >>> _LINES.sub(_thinned, "L 0 5 L 1 5 L 2 5 L 3 5 L 3 9 L 4 9 ")
    'L 0 5 L 3 5 L 3 9 L 4 9 '
    """
    lines = re.findall(r"L -?[\d.]+ -?[\d.]+ \n?", found.group())
    points = [(float(x), float(y)) for _, x, y in map(str.split, lines)]
    kept = [0]
    for i in range(1, len(points) - 1):
        (x0, y0), (x, y), (x1, y1) = points[kept[-1]], points[i], points[i + 1]
        level, upright = y0 == y == y1 and (x - x0) * (x1 - x) >= 0, x0 == x == x1 and (y - y0) * (y1 - y) >= 0
        if not (level or upright):
            kept.append(i)
    return "".join(lines[i] for i in [*kept, len(lines) - 1])


def without_styles(svg: str) -> str:
    """Write style attributes as attributes of presentation.

    >>> without_styles('<path style="fill: #fff; stroke-width: 0.6"/>')
    '<path fill="#fff" stroke-width="0.6"/>'
    """

    def attributes(found: re.Match[str]) -> str:
        pairs = (part.split(":", 1) for part in found.group(1).split(";") if ":" in part)
        return " ".join(f'{key.strip()}="{value.strip()}"' for key, value in pairs)

    return in_tags(lambda tag: re.sub(r'style="([^"]*)"', attributes, tag), svg)


def in_tags(change: Callable[[str], str], svg: str) -> str:
    """Change the tags of a picture, and not its texts.

    >>> in_tags(str.upper, "<text>a</text>")
    '<TEXT>a</TEXT>'
    """
    return re.sub(r"<[^>]*>", lambda tag: change(tag.group()), svg)


def prefixed(svg: str, name: str) -> str:
    """Make the names of parts unique on a page of several figures.

    >>> prefixed('<g id="a"/><use xlink:href="#a" clip-path="url(#b)"/>', "fan")
    '<g id="fan-a"/><use xlink:href="#fan-a" clip-path="url(#fan-b)"/>'
    """

    def unique(tag: str) -> str:
        return re.sub(r'(href="#|url\(#)', rf"\1{name}-", re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', tag))

    return in_tags(unique, svg)
