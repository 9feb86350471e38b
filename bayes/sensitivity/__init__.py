"""What moves the answer, in the unit of the answer, beside the usual diagnostics.

Functions here take a fitted ``DataTree``, or plain draws, and a target; they know nothing of the model behind them.
What a question brings to them is a :class:`bayes.sensitivity.case.Case`; each analysis of a run is a file ``_NAME.py``.
Names are resolved when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayes.sensitivity._acceptability import acceptability_curve as acceptability_curve
    from bayes.sensitivity._alternatives import alternatives as alternatives
    from bayes.sensitivity._break_even import break_even as break_even
    from bayes.sensitivity._budget import Step as Step
    from bayes.sensitivity._budget import budget as budget
    from bayes.sensitivity._conflict import Source as Source
    from bayes.sensitivity._conflict import conflict as conflict
    from bayes.sensitivity._conflict import predictive_p as predictive_p
    from bayes.sensitivity._leave_one_out import leave_one_out as leave_one_out
    from bayes.sensitivity._powerscale import powerscale as powerscale
    from bayes.sensitivity._powerscale import top_level_priors as top_level_priors
    from bayes.sensitivity._structure import spread_by_choice as spread_by_choice
    from bayes.sensitivity._structure import structure as structure
    from bayes.sensitivity._tipping import tipping as tipping
    from bayes.sensitivity._value import evpi as evpi
    from bayes.sensitivity._value import evppi as evppi
    from bayes.sensitivity._value import evsi as evsi
    from bayes.sensitivity._value import evsi_normal as evsi_normal
    from bayes.sensitivity._variance import variance_indices as variance_indices
    from bayes.sensitivity.changes import Change as Change
    from bayes.sensitivity.changes import compare as compare
    from bayes.sensitivity.crossing import Lever as Lever
    from bayes.sensitivity.difference import diff as diff
    from bayes.sensitivity.drivers import rank_drivers as rank_drivers

_NAMES = {
    "_acceptability": ("acceptability_curve",), "_alternatives": ("alternatives",), "_break_even": ("break_even",),
    "_budget": ("Step", "budget"), "_conflict": ("Source", "conflict", "predictive_p"),
    "_leave_one_out": ("leave_one_out",), "_powerscale": ("powerscale", "top_level_priors"),
    "_structure": ("spread_by_choice", "structure"), "_tipping": ("tipping",),
    "_value": ("evpi", "evppi", "evsi", "evsi_normal"), "_variance": ("variance_indices",),
    "changes": ("Change", "compare"), "crossing": ("Lever",), "difference": ("diff",), "drivers": ("rank_drivers",),
}  # fmt: skip
_HOME = {name: home for home, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"bayes.sensitivity.{_HOME[name]}"), name)
    raise AttributeError(f"module 'bayes.sensitivity' has no attribute {name!r}; available: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
