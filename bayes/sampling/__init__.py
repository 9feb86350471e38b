"""From any ``pm.Model`` to one stamped ``DataTree`` with ArviZ's groups."""

from bayes.sampling.fit import DEFAULT_SEED, SAMPLERS, sample

__all__ = ["DEFAULT_SEED", "SAMPLERS", "sample"]
