"""Random-effects synthesis of anybody's trials: log ratios with standard errors, or two-arm counts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes.synthesis.answer import Options, Synthesis, synthesise
    from bayes.synthesis.columns import Columns, read_estimates, read_means
    from bayes.synthesis.rows import Counts, LogRatios, Rates, read_counts, read_log_ratios, read_rates

_HOME = {"Synthesis": "answer", "synthesise": "answer", "Counts": "rows", "LogRatios": "rows", "read_counts": "rows",
         "read_log_ratios": "rows", "Options": "answer", "Columns": "columns", "read_estimates": "columns",
         "read_means": "columns", "Rates": "rows", "read_rates": "rows"}  # fmt: skip

__all__ = ["Columns", "Counts", "LogRatios", "Options", "Rates", "Synthesis", "read_counts", "read_estimates",
           "read_log_ratios", "read_means", "read_rates", "synthesise"]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Resolve a public name when it is first used: reading rows needs no PyMC."""
    if name in _HOME:
        return getattr(import_module(f"bayes.synthesis.{_HOME[name]}"), name)
    raise AttributeError(f"module 'bayes.synthesis' has no attribute {name!r}")
