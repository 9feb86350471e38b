"""The graphical model: boxes for quantities, arrows for what depends on what, observed nodes filled."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from bayes import figuredata
from bayes.arguments import checked
from bayes.figures.canvas import NARROW, SMALL, Page, PaperFigure, page, text_mm, width_mm
from bayes.figures.captions import caption
from bayes.figures.layered import Layout, layered
from bayes.figures.tables import finished

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    from matplotlib.axes import Axes

__all__ = ["graph"]

COLUMNS = ("layer", "box", "label", "kind", "source", "target")
LINE = 2.75
PAD = 1.1
INDENT = 0.68
"""Width of a space in mm at the small size."""
_KINDS = {
    "free": "sampled",
    "observed": "observed",
    "deterministic": "computed in the model",
    "outcome": "computed from draws",
}


@dataclass(frozen=True, slots=True)
class _Box:
    lines: tuple[str, ...]
    kind: str
    items: int = 1

    @property
    def height(self) -> float:
        return LINE * len(self.lines) + 2 * PAD


@checked
def graph(data: pd.DataFrame | pm.Model, *, width: str | float = "double", style: str = "journal") -> PaperFigure:
    """Draw a graphical model.

    Parameters
    ----------
    data
        The table :func:`bayes.figuredata.graph` makes, or any PyMC model.
    width, style
        Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

    Examples
    --------
    >>> bayes.figures.graph(bayes.figuredata.graph(model)).savefig("model.pdf")
    """
    table = finished(data, figuredata.graph, COLUMNS[:4])
    edges = [(str(r.source), str(r.target)) for r in table[table["layer"] == "edge"].itertuples()]
    across = width_mm(width)
    gap = 3.0 if across < NARROW else 9.0
    layers = layered(dict.fromkeys(_names(table), 1.0), edges).layer
    boxes = _fitting(table, layers, across - 2 - gap * max(layers.values()))
    layout = layered({name: box.height for name, box in boxes.items()}, edges)
    with page(table, width, style, layout.height + 9, layout=None) as sheet:
        axes = sheet.figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, sheet.width), ylim=(0, sheet.height))
        axes.axis("off")
        columns = _columns(sheet, boxes, layout)
        for edge in edges:
            _arrow(sheet, axes, edge, layout, columns)
        for name, box in boxes.items():
            _draw(sheet, axes, box, *columns[layout.layer[name]], sheet.height - 2 - layout.y[name])
        _key(sheet, axes, {box.kind for box in boxes.values()})
        sheet.figure.caption = _caption(table)
    return sheet.figure


def _caption(table: pd.DataFrame) -> str:
    nodes = table[table["layer"] == "node"]
    counts = nodes["kind"].value_counts()
    said = ", ".join(f"{counts[k]} {words}" for k, words in _KINDS.items() if k in counts)
    return caption(
        table,
        f"The model as a directed graph: {said}.",
        "Arrows run from a quantity to what depends on it; quantities with the same parents and children "
        "share a box; data and restatements are left out. This is the structure of the model, not a result.",
    )


def _names(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table.loc[table["layer"] == "node", "box"]))


def _boxes(table: pd.DataFrame, letters: int) -> dict[str, _Box]:
    """Text of each box, wrapped; in a shared box the second line of an item is indented."""
    nodes = table[table["layer"] == "node"]
    boxes = {}
    for name in _names(table):
        labels = [str(v) for v in nodes.loc[nodes["box"] == name, "label"]]
        lines = [
            line
            for label in labels
            for line in textwrap.wrap(
                label, letters, subsequent_indent="  " if len(labels) > 1 else "", break_long_words=False
            )
        ]
        boxes[name] = _Box(tuple(lines), str(nodes.loc[nodes["box"] == name, "kind"].iloc[0]), len(labels))
    return boxes


def _fitting(table: pd.DataFrame, layers: Mapping[str, int], room: float) -> dict[str, _Box]:
    """Wrap the labels as little as the width of the page allows."""
    for letters in range(26, 9, -1):
        boxes = _boxes(table, letters)
        if sum(_widths(boxes, layers, "DejaVu Sans")) <= room:
            break
    return boxes


def _widths(boxes: Mapping[str, _Box], layers: Mapping[str, int], font: str) -> list[float]:
    """Width of each layer: that of its longest line, indents included."""
    wide = {
        name: max(text_mm(line, SMALL, font) + INDENT * (len(line) - len(line.lstrip())) for line in box.lines)
        for name, box in boxes.items()
    }
    return [
        max(wide[n] for n, k in layers.items() if k == layer) + 2 * PAD + 0.8
        for layer in range(max(layers.values()) + 1)
    ]


def _columns(sheet: Page, boxes: Mapping[str, _Box], layout: Layout) -> list[tuple[float, float]]:
    """Left edge and width of each layer: as wide as its text, with equal gaps between."""
    widths = _widths(boxes, layout.layer, sheet.font)
    depth = len(widths)
    gap = (sheet.width - 2 - sum(widths)) / max(1, depth - 1)
    return [(1 + sum(widths[:k]) + gap * k, widths[k]) for k in range(depth)]


def _arrow(sheet: Page, axes: Axes, edge: tuple[str, str], layout: Layout, columns: list[tuple[float, float]]) -> None:
    """Draw an arrow through its lanes: straight across a layer, a smooth bend between layers."""
    first, last = layout.layer[edge[0]], layout.layer[edge[1]]
    points: list[tuple[float, float]] = []
    codes: list[Any] = []
    heights = [sheet.height - 2 - y for y in layout.paths[edge]]
    for k, (a, b) in enumerate(pairwise(heights)):
        layer = first + k
        x0 = columns[layer][0] + columns[layer][1]
        x1 = columns[layer + 1][0]
        bend = 0.5 * (x1 - x0)
        if k == 0:
            points.append((x0, a))
            codes.append(Path.MOVETO)
        points += [(x0 + bend, a), (x1 - bend, b), (x1, b)]
        codes += [Path.CURVE4] * 3
        if layer + 1 < last:
            points.append((x1 + columns[layer + 1][1], b))
            codes.append(Path.LINETO)
    path: Any = Path(points, codes)
    axes.add_patch(
        FancyArrowPatch(
            path=path,
            arrowstyle="-|>,head_length=2.2,head_width=1.1",
            mutation_scale=1.0,
            color=sheet.palette.muted,
            linewidth=0.5,
            shrinkA=0,
            shrinkB=0,
            gid="edge",
        )
    )


def _draw(sheet: Page, axes: Axes, box: _Box, x: float, width: float, y: float) -> None:
    colours = sheet.palette
    look = {
        "free": ("white", colours.main, "-", 0.7),
        "observed": (colours.bands[1], colours.main, "-", 0.7),
        "deterministic": ("white", colours.muted, (0, (3, 1.5)), 0.6),
        "outcome": ("white", colours.accent, "-", 1.1),
    }
    face, edge, dash, thick = look[box.kind]
    axes.add_patch(
        FancyBboxPatch(
            (x + 0.3, y - box.height / 2 + 0.3),
            width - 0.6,
            box.height - 0.6,
            boxstyle="round,pad=0.3,rounding_size=0.9" if box.kind != "observed" else "square,pad=0.3",
            facecolor=face,
            edgecolor=edge,
            linestyle=dash,
            linewidth=thick,
            gid=f"box {box.kind}",
        )
    )
    shared = box.items > 1 and len(box.lines) > box.items
    axes.text(
        x + PAD + 0.4 if shared else x + width / 2,
        y,
        "\n".join(box.lines),
        fontsize=SMALL,
        ha="left" if shared else "center",
        va="center",
        linespacing=1.18,
        multialignment="left" if shared else "center",
    )


def _key(sheet: Page, axes: Axes, kinds: set[str]) -> None:
    """Say at the bottom what the outlines mean."""
    x = 2.0
    for kind, words in _KINDS.items():
        if kind in kinds:
            label = words if not sheet.narrow else words.split(" ")[0] if kind != "outcome" else "from draws"
            _draw(sheet, axes, _Box(("",), kind), x, 5.0, 3.2)
            axes.text(x + 6.0, 3.2, label, fontsize=SMALL, ha="left", va="center")
            x += 9.5 + sheet.text_mm(label)
