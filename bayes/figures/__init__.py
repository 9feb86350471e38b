"""Figures that a journal prints as they are.

Each name here is a :class:`~bayes.figures.record.Figure`: ``ridge.table(futures)`` computes the numbers as a tidy
table, ``ridge(table)`` draws it, and ``ridge(futures)`` does both, and returns a matplotlib ``Figure`` that carries its
``table`` and ``caption``. Sizes are physical: ``width`` is ``"single"`` (89 mm), ``"double"`` (183 mm) or a number of
millimetres, and type is 7 to 8 points at that size::

    import bayes
    bayes.figures.fan(futures).savefig("fan.pdf")
    bayes.figures.save(bayes.figures.ridge(futures, width="single"), Path("figures"), "ridge", ["pdf", "svg"])

The pictures are our own small marks on matplotlib's objects rather than ArviZ-plots: those compute while they draw and
go through ``pyplot``, so that the drawn numbers could not be handed over beside the picture, nor the reader's settings
be left alone. Names are resolved when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes.figures.canvas import STYLES, WIDTHS, PaperFigure
    from bayes.figures.record import Figure
    from bayes.figures.saving import save

FIGURES = ("posterior", "ridge", "fan", "forest", "funnel", "left_out", "priors", "exceedance", "dots", "predictive",
           "loo_pit", "chains", "model", "tornado", "shapley", "budget", "specification", "worlds",
           "acceptability")  # fmt: skip
"""Figures that any question has, as far as it has what they need, in order: ``_NAME.py`` holds ``NAME``."""

_HOME = {"STYLES": "canvas", "WIDTHS": "canvas", "PaperFigure": "canvas", "Figure": "record", "save": "saving"}

__all__ = ["STYLES", "WIDTHS", "Figure", "PaperFigure", "save", *FIGURES]


def figure(name: str) -> Figure:
    """Return the figure of a name of :data:`FIGURES`."""
    found: Figure = import_module(f"bayes.figures._{name}").FIGURE
    return found


def __getattr__(name: str) -> Figure:
    if name in FIGURES:
        return figure(name)
    if name in _HOME:
        found: Any = getattr(import_module(f"bayes.figures.{_HOME[name]}"), name)
        return found  # type: ignore[no-any-return]
    raise AttributeError(f"module 'bayes.figures' has no attribute {name!r}; available: {', '.join(sorted(__all__))}")


def __dir__() -> list[str]:
    return sorted(__all__)
