r"""How many victim-counted crimes a self-reported offence amounts to.

National totals bound what users can commit: with :math:`C` the drug-related victim-counted crimes of a year,

.. math::
    \log C \sim N\big(\log(s \cdot m \cdot e^{o_{all}} \cdot N),\ \sigma_C\big),

:math:`s` ``countable_share``, :math:`m\, e^{o_{all}}` the mean self-reported offences of *all* users and :math:`N`
``population``. :math:`\log C` and :math:`\sigma_C` come from the published range, read as an interval of stated
probability. The mean of all users, not of arrestees or refractory patients, multiplies the population: using 432 there
is the error the totals expose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes.evidence import CeilingRow
from bayes.model.declared import Declared

__all__ = ["add_ceiling", "range_to_normal"]


def range_to_normal(lower: float, upper: float, prob: float) -> tuple[float, float]:
    """Return mean and sd of the log of a quantity whose central ``prob`` interval is lower to upper.

    >>> mean, sd = range_to_normal(3e6, 9e6, 0.9)
    >>> round(math.exp(mean) / 1e6, 2), round(sd, 3)
    (5.2, 0.334)
    """
    z = NormalDist().inv_cdf((1 + prob) / 2)
    return (math.log(lower) + math.log(upper)) / 2, (math.log(upper) - math.log(lower)) / (2 * z)


def add_ceiling(rows: Sequence[CeilingRow], declared: Declared, offset: Any, on: bool) -> None:
    """Add ``countable_share`` and, when the ceiling is on, the national totals that inform it."""
    share, population = declared["countable_share"], declared["population"]
    if not on or not rows:
        return
    pm.modelcontext(None).add_coord("ceiling_row", [row.row for row in rows])
    per_user = declared["offences_per_user_year"] * pt.exp(offset[3])
    expected = pt.log(share) + pt.log(per_user) + pt.log(population) + pt.zeros(len(rows))
    pm.Deterministic("ceiling_fitted", expected, dims="ceiling_row")
    numbers = np.array([range_to_normal(row.lower or 0, row.upper or 0, row.prob or 0) for row in rows])
    observed = pm.Data("ceiling__observed", numbers[:, 0], dims="ceiling_row")
    sd = pm.Data("ceiling__se", numbers[:, 1], dims="ceiling_row")
    pm.Normal("ceiling", expected, sd, observed=observed, dims="ceiling_row")
