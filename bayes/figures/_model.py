"""``model``: the graphical model, boxes for quantities, arrows for what depends on what, observed nodes filled."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bayes.arguments import checked
from bayes.errors import UsageError
from bayes.figures.canvas import NARROW, SMALL, Page, text_mm
from bayes.figures.layered import Layout, layered
from bayes.figures.record import Figure
from bayes.figures.tabulation import Rows

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    from matplotlib.axes import Axes

    from bayes.figures.gallery import Gallery

__all__ = ["FIGURE", "model_table"]

LEADING = 1.18
LINE = LEADING * SMALL * 25.4 / 72
"""Height of a line of small type in mm."""
PAD = 1.1
_PAD_LISTED = 0.6
_GAP_LISTED = 0.8
"""Above and below the lines of a box, and between boxes, in mm; where boxes are a list, less of it."""
FEWEST, LETTERS = 14, 26
"""Letters on a line of a box, at the least (a list is read more easily than narrower boxes) and at the most."""
INDENT = 0.68
"""Width of a space in mm at the small size."""
INDENTED = "\u00a0\u00a0"
"""Before a line that goes on: pictures on a page drop plain spaces."""
_KINDS = {"free": "sampled", "observed": "observed", "potential": "term of the log density",
          "deterministic": "computed in the model", "outcome": "computed from draws"}  # fmt: skip
_ENDS = ("observed", "potential")
"""Kinds that no other variable depends on."""

Parents = dict[str, set[str]]


@checked
def model_table(
    model: pm.Model, *, outcomes: Mapping[str, Iterable[str]] | None = None, labels: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Tabulate the nodes and arrows of a model, small enough to be read.

    Data, variables that touch no other, and deterministic variables that nothing else uses or that only pass on to one
    observed
    variable or restate one variable are left out, with arrows led through them. Quantities of one kind with the same
    parents and children share a box.

    Parameters
    ----------
    model
        Any ``pm.Model``.
    outcomes
        Outcomes: each with the names it is computed from, where the model does not hold it; those absent from the model
        are ignored.
    labels
        Words by variable; the name otherwise.

    Returns
    -------
    DataFrame
        ``layer`` node (box, name, label, kind: free, observed, potential, deterministic, outcome, dims) or edge (source
        and target box).

    Raises
    ------
    UsageError
        If the model has no variables, or none of them touches another.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu")
    ...     _ = pm.Normal("y", mu, observed=[0.3, 0.9])
    >>> model_table(model)["kind"].dropna().tolist()
    ['free', 'observed']
    """
    import pandas as pd

    parents, kinds = _read(model)
    if not parents:
        raise UsageError("this model has no variables", key="model", fix="give a pm.Model with free variables")
    keep: set[str] = set()
    for outcome, inputs in (outcomes or {}).items():
        wanted = parents.get(outcome) or {name for name in inputs if name in parents}
        if wanted:
            parents[outcome], kinds[outcome] = wanted, "outcome"
            keep |= {*wanted, outcome}
    _prune(parents, kinds, keep)
    if not parents:
        raise UsageError("no variable of this model touches another", key="model", fix="there is nothing to draw")
    boxes = _shared(parents, kinds)
    dims = {name: ", ".join(map(str, d)) for name, d in model.named_vars_to_dims.items()}
    rows: Rows = [{"layer": "node", "box": boxes[n], "name": n, "label": (labels or {}).get(n, n.replace("_", " ")),
                   "kind": kinds[n], "dims": dims.get(n, "")} for n in parents]  # fmt: skip
    edges = sorted({(boxes[p], boxes[n]) for n, found in parents.items() for p in found if boxes[p] != boxes[n]})
    rows += [{"layer": "edge", "source": a, "target": b} for a, b in edges]
    return pd.DataFrame(rows)


def _read(model: pm.Model) -> tuple[Parents, dict[str, str]]:
    """Parents and kind of each variable of the model, data led through."""
    from pymc.model_graph import ModelGraph

    named = {"observed": model.observed_RVs, "free": model.free_RVs, "potential": model.potentials}
    known = {v.name: kind for kind, variables in named.items() for v in variables}
    found = {str(k): {str(p) for p in v} for k, v in ModelGraph(model).make_compute_graph().items()}
    data = {v.name for v in model.data_vars}
    parents = {name: {p for p in found[name] if p not in data} for name in found if name not in data}
    return parents, {name: known.get(name, "deterministic") for name in parents}


def _prune(parents: Parents, kinds: dict[str, str], keep: set[str]) -> None:
    """Remove what only restates or passes on, leading arrows through, until nothing is left to remove."""
    while (gone := next((n for n in parents if _superfluous(n, parents, kinds, keep)), None)) is not None:
        through = parents.pop(gone)
        for found in parents.values():
            if gone in found:
                found.discard(gone)
                found.update(through)
    for name in [n for n in parents if kinds[n] == "deterministic" and len(parents[n]) == 1]:
        (parent,) = parents[name]
        if kinds[parent] == "free" and _children(parent, parents) == [name]:  # transformed: keep its natural scale
            parents[name], kinds[name] = parents.pop(parent), "free"
    for name in [n for n, found in parents.items() if not found and not _children(n, parents) and len(parents) > 1]:
        del parents[name]


def _superfluous(name: str, parents: Parents, kinds: Mapping[str, str], keep: set[str]) -> bool:
    if kinds[name] != "deterministic" or name in keep:
        return False
    used = _children(name, parents)
    return not used or len(parents[name]) <= 1 or (len(used) == 1 and kinds[used[0]] in _ENDS)


def _children(name: str, parents: Parents) -> list[str]:
    return [child for child, found in parents.items() if name in found]


def _shared(parents: Parents, kinds: Mapping[str, str]) -> dict[str, str]:
    """Name of the box of each node: nodes of one kind with the same parents and children share the first one's."""
    children = {n: frozenset(_children(n, parents)) for n in parents}
    first: dict[Any, str] = {}
    return {n: first.setdefault((kinds[n], frozenset(parents[n]), children[n]) if kinds[n] != "deterministic" else n, n)
            for n in parents}  # fmt: skip


def _of_run(run: Gallery) -> pd.DataFrame:
    words = run.words
    outcomes: dict[str, tuple[str, ...]] = dict.fromkeys((words.target, *words.beside), ())
    return run.stamped(model_table(run.model, outcomes=outcomes, labels=words.labels))


@dataclass(frozen=True, slots=True)
class _Box:
    """Lines of text, centred or from the left."""

    lines: tuple[str, ...]
    kind: str
    left: bool = False
    pad: float = PAD

    @property
    def height(self) -> float:
        return LINE * len(self.lines) + 2 * self.pad


def _edges(table: pd.DataFrame) -> list[tuple[str, str]]:
    return [(str(r.source), str(r.target)) for r in table[table["layer"] == "edge"].itertuples()]


def _laid_out(table: pd.DataFrame, width: float) -> tuple[dict[str, _Box], Layout | None]:
    """The boxes of a table, and where they stand on a page of this width; nowhere where it has no room for them."""
    layers = layered(dict.fromkeys(_names(table), 1.0), _edges(table)).layer
    gaps = max(layers.values())
    boxes = _fitting(table, layers, width - 2 - (3.0 if width < NARROW else 9.0) * gaps)
    if sum(_widths(boxes, layers, "DejaVu Sans")) > width - 2:
        return _listed(table, layers, width), None
    return boxes, layered({name: box.height for name, box in boxes.items()}, _edges(table))


def _height(table: pd.DataFrame, width: float) -> float:
    boxes, layout = _laid_out(table, width)
    return 9 + (layout.height if layout else sum(box.height + _GAP_LISTED for box in boxes.values()))


def _draw(sheet: Page, table: pd.DataFrame) -> None:
    boxes, layout = _laid_out(table, sheet.width)
    axes = sheet.figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, sheet.width), ylim=(0, sheet.height))
    axes.axis("off")
    if layout:
        columns = _columns(sheet, boxes, layout)
        for edge in _edges(table):
            _arrow(sheet, axes, edge, layout, columns)
        for name, box in boxes.items():
            _put(sheet, axes, box, *columns[layout.layer[name]], sheet.height - 2 - layout.y[name])
    else:
        top = sheet.height - 1
        for box in boxes.values():
            _put(sheet, axes, box, 1.0, sheet.width - 2, top - box.height / 2)
            top -= box.height + _GAP_LISTED
    _key(sheet, axes, {box.kind for box in boxes.values()})


def _says(table: pd.DataFrame) -> str:
    counts = table.loc[table["layer"] == "node", "kind"].value_counts()
    said = ", ".join(f"{counts[k]} {words}" for k, words in _KINDS.items() if k in counts)
    return (
        f"Quantities of the model: {said}. Arrows run from a quantity to what depends on it; where a page is too "
        "narrow for them, a box names what it depends on after an arrow, and what depends on nothing is named "
        "there alone. Quantities with the same parents and children share a box; data and restatements are left out. "
        "This is the structure of the model, not a result."
    )


def _names(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table.loc[table["layer"] == "node", "box"]))


def _boxes(nodes: Mapping[str, tuple[str, list[str]]], letters: int) -> dict[str, _Box]:
    """Text of each box, wrapped; in a shared box the second line of an item is indented."""
    boxes = {}
    for name, (kind, labels) in nodes.items():
        indent = INDENTED if len(labels) > 1 else ""
        wrapped = [
            textwrap.wrap(text, letters, subsequent_indent=indent, break_long_words=_long(text)) for text in labels
        ]
        lines = tuple(line for part in wrapped for line in part)
        boxes[name] = _Box(lines, kind, left=1 < len(labels) < len(lines))
    return boxes


def _listed(table: pd.DataFrame, layers: Mapping[str, int], width: float) -> dict[str, _Box]:
    """Boxes as wide as the page, the answer first, each with all that it depends on; priors are named there alone."""
    nodes, edges = _nodes(table), _edges(table)
    parents = {name: [label for a, b in edges if b == name for label in nodes[a][1]] for name in nodes}
    used = [a for a, _ in edges]
    shown = [name for name, (kind, _) in nodes.items() if kind != "free" or parents[name] or name not in used]
    shown.sort(key=lambda name: (-used.count(name) if nodes[name][0] == "outcome" else 1, -layers[name]))
    alike: dict[tuple[str, ...], list[str]] = {}
    for name in shown:
        alike.setdefault((nodes[name][0], *parents[name]), []).append(name)
    boxes = {}
    for names in alike.values():
        lines = _filled("; ".join(label for name in names for label in nodes[name][1]), width)
        lines += _filled("← " + "; ".join(parents[names[0]]), width) if parents[names[0]] else []
        boxes[names[0]] = _Box(tuple(lines), nodes[names[0]][0], left=True, pad=_PAD_LISTED)
    return boxes


def _filled(text: str, width: float) -> list[str]:
    """Wrap a text to what a box across the page has room for; screens set type up to 3 % wider than it is."""
    lines = [""]
    for word in (part for long in text.split() for part in textwrap.wrap(long, LETTERS)):
        longer = f"{lines[-1]} {word}".lstrip(" ")
        fits = 1.03 * text_mm(longer, SMALL, "DejaVu Sans") <= width - 4
        lines = [*lines[:-1], longer] if fits else [*lines, INDENTED + word]
    return lines


def _long(text: str) -> bool:
    """Whether a text has a word that no column has room for."""
    return max(map(len, text.split()), default=0) > LETTERS


def _nodes(table: pd.DataFrame) -> dict[str, tuple[str, list[str]]]:
    """Kind and labels of each box."""
    shared = table[table["layer"] == "node"].groupby("box", sort=False)
    return {str(name): (str(rows["kind"].iloc[0]), [*map(str, rows["label"])]) for name, rows in shared}


def _fitting(table: pd.DataFrame, layers: Mapping[str, int], room: float) -> dict[str, _Box]:
    """Wrap the labels as little as the width of the page allows."""
    nodes = _nodes(table)
    for letters in range(LETTERS, FEWEST - 1, -1):
        boxes = _boxes(nodes, letters)
        if sum(_widths(boxes, layers, "DejaVu Sans")) <= room:
            break
    return boxes


def _widths(boxes: Mapping[str, _Box], layers: Mapping[str, int], font: str) -> list[float]:
    """Width of each layer: that of its longest line, indents included."""
    wide = {name: max(text_mm(line, SMALL, font) + INDENT * (len(line) - len(line.lstrip())) for line in box.lines)
            for name, box in boxes.items()}  # fmt: skip
    return [max(wide[n] for n, k in layers.items() if k == layer) + 2 * PAD + 0.8
            for layer in range(max(layers.values()) + 1)]  # fmt: skip


def _columns(sheet: Page, boxes: Mapping[str, _Box], layout: Layout) -> list[tuple[float, float]]:
    """Left edge and width of each layer: as wide as its text, with equal gaps between."""
    widths = _widths(boxes, layout.layer, sheet.font)
    depth = len(widths)
    gap = (sheet.width - 2 - sum(widths)) / max(1, depth - 1)
    return [(1 + sum(widths[:k]) + gap * k, widths[k]) for k in range(depth)]


def _arrow(sheet: Page, axes: Axes, edge: tuple[str, str], layout: Layout, columns: list[tuple[float, float]]) -> None:
    """Draw an arrow through its lanes: straight across a layer, a smooth bend between layers."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

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
    arrow = FancyArrowPatch(path=path, arrowstyle="-|>,head_length=2.2,head_width=1.1", mutation_scale=1.0,
                            color=sheet.palette.muted, linewidth=0.5, shrinkA=0, shrinkB=0, gid="edge")  # fmt: skip
    axes.add_patch(arrow)


def _put(sheet: Page, axes: Axes, box: _Box, x: float, width: float, y: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    colours = sheet.palette
    look = {"free": ("white", colours.main, "-", 0.7), "observed": (colours.bands[1], colours.main, "-", 0.7),
            "potential": (colours.bands[1], colours.main, (0, (3, 1.5)), 0.7),
            "deterministic": ("white", colours.muted, (0, (3, 1.5)), 0.6),
            "outcome": ("white", colours.ink, "-", 1.3)}  # fmt: skip
    face, edge, dash, thick = look[box.kind]
    style = "round,pad=0.3,rounding_size=0.9" if box.kind not in _ENDS else "square,pad=0.3"
    corner = (x + 0.3, y - box.height / 2 + 0.3)
    axes.add_patch(FancyBboxPatch(corner, width - 0.6, box.height - 0.6, boxstyle=style, facecolor=face, edgecolor=edge,
                                  linestyle=dash, linewidth=thick, gid=f"box {box.kind}"))  # fmt: skip
    align = "left" if box.left else "center"
    axes.text(x + PAD + 0.4 if box.left else x + width / 2, y, "\n".join(box.lines), fontsize=SMALL, ha=align,
              va="center", linespacing=LEADING, multialignment=align)  # fmt: skip


def _key(sheet: Page, axes: Axes, kinds: set[str]) -> None:
    """Say at the bottom what the outlines mean."""
    x = 2.0
    for kind, words in _KINDS.items():
        if kind in kinds:
            label = words if not sheet.narrow else words.split(" ")[0] if kind != "outcome" else "outcome"
            _put(sheet, axes, _Box(("",), kind), x, 5.0, 3.2)
            axes.text(x + 6.0, 3.2, label, fontsize=SMALL, ha="left", va="center")
            x += 8.0 + sheet.text_mm(label)


FIGURE = Figure(name="model", title="The graphical model: boxes for quantities, arrows for what depends on what.",
                needs=("model",), columns=("layer", "box", "label", "kind"), table=model_table, of_run=_of_run,
                draw=_draw, says=_says, height=_height, layout=None)  # fmt: skip
