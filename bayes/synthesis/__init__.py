"""Random-effects synthesis of anybody's trials: log ratios with standard errors, or two-arm counts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes.synthesis.answer import Options, Synthesis, synthesise
    from bayes.synthesis.approximate import estimates_of
    from bayes.synthesis.columns import Columns, read_counts, read_estimates, read_log_ratios, read_means, read_rates
    from bayes.synthesis.more import Asked, Found, answered, map_prior
    from bayes.synthesis.rows import Counts, LogRatios, Rates

_NAMES = {"answer": ("Options", "Synthesis", "synthesise"), "approximate": ("estimates_of",),
          "columns": ("Columns", "read_counts", "read_estimates", "read_log_ratios", "read_means", "read_rates"),
          "more": ("Asked", "Found", "answered", "map_prior"),
          "rows": ("Counts", "LogRatios", "Rates")}  # fmt: skip
_HOME = {name: room for room, names in _NAMES.items() for name in names}

__all__ = ["Asked", "Columns", "Counts", "Found", "LogRatios", "Options", "Rates", "Synthesis", "answered",
           "estimates_of", "map_prior", "read_counts", "read_estimates", "read_log_ratios", "read_means", "read_rates",
           "synthesise"]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Resolve a public name when it is first used: reading rows needs no PyMC."""
    if name in _HOME:
        return getattr(import_module(f"bayes.synthesis.{_HOME[name]}"), name)
    raise AttributeError(f"module 'bayes.synthesis' has no attribute {name!r}")
