"""Figures that the shipped question brings beside those of any question, and what its runs offer to all of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayes.figures.record import Figure

FIGURES = ("forest", "funnel", "heterogeneity", "retention", "concentration", "places", "returns", "model",
           "acceptability")  # fmt: skip
"""Figures of the shipped question: ``_NAME.py`` holds ``NAME``."""

__all__ = [*FIGURES, "figures"]


def __getattr__(name: str) -> Figure:
    if name in FIGURES:
        found: Figure = import_module(f"bayes.heroin.figures._{name}").FIGURE
        return found
    raise AttributeError(f"module 'bayes.heroin.figures' has no attribute {name!r}; available: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


def figures() -> tuple[Figure, ...]:
    """Return them all."""
    return tuple(__getattr__(name) for name in FIGURES)
