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

from collections.abc import Sequence
from typing import Any

import pymc as pm
import pytensor.tensor as pt

from bayes.declared import Declared
from bayes.heroin.evidence import CeilingRow
from bayes.heroin.model.parts import ceiling_part, range_to_normal

__all__ = ["add_ceiling", "range_to_normal"]


def add_ceiling(rows: Sequence[CeilingRow], declared: Declared, offset: Any, on: bool) -> None:
    """Add ``countable_share`` and, when the ceiling is on, the national totals that inform it."""
    share, population = declared["countable_share"], declared["population"]
    if not on or not rows:
        return
    part = ceiling_part(rows)
    pm.modelcontext(None).add_coord("ceiling_row", part.coords["ceiling_row"])
    per_user = declared["offences_per_user_year"] * pt.exp(offset[3])
    expected = pt.log(share) + pt.log(per_user) + pt.log(population) + pt.zeros(len(rows))
    pm.Deterministic("ceiling_fitted", expected, dims="ceiling_row")
    observed, sd = (pm.Data(name, value, dims="ceiling_row") for name, value in part.data.items())
    pm.Normal("ceiling", expected, sd, observed=observed, dims="ceiling_row")
