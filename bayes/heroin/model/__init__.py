"""The model, part by part: functions that add named, dimensioned variables to a ``pm.Model``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes.heroin.model.joint import build_model
    from bayes.heroin.model.structure import Structure

_HOME = {"Structure": "structure", "build_model": "joint"}

__all__ = ["Structure", "build_model"]


def __getattr__(name: str) -> Any:
    """Resolve a public name when it is first used: hashes and structures need no PyMC."""
    if name in _HOME:
        return getattr(import_module(f"bayes.heroin.model.{_HOME[name]}"), name)
    raise AttributeError(f"module 'bayes.heroin.model' has no attribute {name!r}")
