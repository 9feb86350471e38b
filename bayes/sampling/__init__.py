"""From any ``pm.Model`` to one stamped ``DataTree`` with ArviZ's groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes.sampling.fit import DEFAULT_SEED, SAMPLERS, sample

__all__ = ["DEFAULT_SEED", "SAMPLERS", "sample"]


def __getattr__(name: str) -> Any:
    """Resolve a public name when it is first used: where things are kept needs no PyMC."""
    if name in __all__:
        from bayes.sampling import fit

        return getattr(fit, name)
    raise AttributeError(f"module 'bayes.sampling' has no attribute {name!r}")
