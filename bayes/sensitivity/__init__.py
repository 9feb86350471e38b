"""What moves the answer: where the variance of a target comes from, and what it is worth to know more.

Everything here takes plain tables of draws and knows nothing of the model behind them.
"""

from __future__ import annotations

from bayes.sensitivity.drivers import rank_drivers
from bayes.sensitivity.variance import variance_indices
from bayes.sensitivity.voi import acceptability_curve, break_even, evpi, evppi, evsi, evsi_normal

__all__ = [
    "rank_drivers",
    "acceptability_curve",
    "break_even",
    "evpi",
    "evppi",
    "evsi",
    "evsi_normal",
    "variance_indices",
]
