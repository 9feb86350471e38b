"""Where the texts of a figure are, and which of them collide or leave the canvas."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SLACK = 0.25
"""Points by which two boxes may touch: less than the side bearing of a letter."""


def texts(figure: Figure) -> Iterator[Text]:
    """Every visible text of a drawn figure except the mark of a failed fit."""
    found: list[Text] = [*figure.texts]
    for axes in figure.axes:
        if not axes.get_visible():
            continue
        found += [*axes.texts, axes.title, axes._left_title, axes._right_title]
        legend = axes.get_legend()
        found += legend.get_texts() if legend else []
        if axes.axison:
            for axis in (axes.xaxis, axes.yaxis):
                found += [axis.label, axis.get_offset_text()]
                found += [label for tick in axis._update_ticks() for label in (tick.label1, tick.label2)]
    for text in found:
        if text.get_visible() and text.get_text().strip() and text.get_gid() != "mark":
            yield text


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    """Texts with their extents in points."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    scale = 72 / figure.dpi
    renderer = canvas.get_renderer()
    out = []
    for text in texts(figure):
        box = Text.get_window_extent(text, renderer)  # of an annotation without its line
        out.append((text.get_text(), Bbox(box.get_points() * scale)))
    return out


def problems(figure: Figure) -> list[str]:
    """Name each text that leaves the canvas and each pair that overlaps."""
    found = boxes(figure)
    width, height = figure.get_size_inches() * 72
    bad = [
        f"{name!r} leaves the canvas: {box.extents.round(1)} of {width:.0f} x {height:.0f}"
        for name, box in found
        if box.x0 < -SLACK or box.y0 < -SLACK or box.x1 > width + SLACK or box.y1 > height + SLACK
    ]
    for (a, one), (b, two) in combinations(found, 2):
        wide = min(one.x1, two.x1) - max(one.x0, two.x0)
        tall = min(one.y1, two.y1) - max(one.y0, two.y0)
        if wide > SLACK and tall > SLACK:
            bad.append(f"{a!r} overlaps {b!r} by {wide:.1f} x {tall:.1f} pt")
    return bad
