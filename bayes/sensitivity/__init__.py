"""What moves the answer, in the unit of the answer, beside the usual diagnostics.

Functions here take a fitted ``DataTree``, or plain draws, and a target; they know nothing of the model behind them.
What has to know the shipped study (its rows, structures, levers and steps) is in :mod:`bayes.heroin.sensitivity`. Names
are resolved when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes.sensitivity.bridge import Step, budget
    from bayes.sensitivity.changes import Change, compare
    from bayes.sensitivity.crossing import Lever
    from bayes.sensitivity.declared import alternatives
    from bayes.sensitivity.deletion import leave_one_out
    from bayes.sensitivity.difference import diff
    from bayes.sensitivity.drivers import rank_drivers
    from bayes.sensitivity.levers import tipping
    from bayes.sensitivity.scaling import powerscale, top_level_priors
    from bayes.sensitivity.sources import Source, conflict, predictive_p
    from bayes.sensitivity.variance import variance_indices
    from bayes.sensitivity.variants import spread_by_choice, structure
    from bayes.sensitivity.voi import acceptability_curve, break_even, evpi, evppi, evsi, evsi_normal

_HOME = {
    "Change": "changes",
    "Lever": "crossing",
    "Source": "sources",
    "Step": "bridge",
    "acceptability_curve": "voi",
    "alternatives": "declared",
    "break_even": "voi",
    "budget": "bridge",
    "compare": "changes",
    "conflict": "sources",
    "diff": "difference",
    "evpi": "voi",
    "evppi": "voi",
    "evsi": "voi",
    "evsi_normal": "voi",
    "leave_one_out": "deletion",
    "powerscale": "scaling",
    "predictive_p": "sources",
    "rank_drivers": "drivers",
    "spread_by_choice": "variants",
    "structure": "variants",
    "tipping": "levers",
    "top_level_priors": "scaling",
    "variance_indices": "variance",
}

__all__ = [
    "Change",
    "Lever",
    "Source",
    "Step",
    "acceptability_curve",
    "alternatives",
    "break_even",
    "budget",
    "compare",
    "conflict",
    "diff",
    "evpi",
    "evppi",
    "evsi",
    "evsi_normal",
    "leave_one_out",
    "powerscale",
    "predictive_p",
    "rank_drivers",
    "spread_by_choice",
    "structure",
    "tipping",
    "top_level_priors",
    "variance_indices",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"bayes.sensitivity.{_HOME[name]}"), name)
    raise AttributeError(f"module 'bayes.sensitivity' has no attribute {name!r}; available: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
