"""ArviZ's statistics of arrays, without JAX.

ArviZ leaves a placeholder for JAX among the modules; SciPy's functions, which ask of every array whether it is JAX's,
would turn it into JAX: a third of a second and 130 MB in every process. The placeholder is taken away again.
"""

from __future__ import annotations

import sys
from types import ModuleType

from arviz_stats.base import array_stats
from arviz_stats.ecdf_utils import ecdf_pit

__all__ = ["array_stats", "ecdf_pit"]

if type(sys.modules.get("jax")) not in (ModuleType, type(None)):
    del sys.modules["jax"]
