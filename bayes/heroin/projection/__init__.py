r"""Scale-up scenarios on posterior draws: arithmetic only, never a new fit.

For draw, scenario :math:`s` and year :math:`t`

.. math::
    \mathrm{avoided} = \big[A(n_{st}) - A(n_0)\big] \cdot m \cdot d \cdot (1 - r), \qquad
    A(n) = \min(n, E)\, g(n) + (n - E)_+\, e^{o_{all}},

with :math:`n_{st}` people in treatment, :math:`n_0` today's patients (0 in a scenario compared with none), :math:`m`
offences a year of an eligible person, :math:`d` drift, :math:`r` rate ratio in a new programme, :math:`E` the eligible
pool (``eligible_share`` x ``opioid_clients``), and the targeting gain :math:`g = 1 - w + w\, L(f)/f` at :math:`f =
\min(n/E, 1)`.

**Within the pool** this is patient-years x offences x drift x targeting x (1 - rate ratio), the estimand as written.
**Beyond it** the estimand as written would go on multiplying by :math:`m`: a pool of some 10,000 people would lend its
rate to 280,000, which is the error of the press arithmetic, and contradicts the national totals that inform
``offset_all_users``. A programme that large reaches people who offend like users in general, :math:`e^{o_{all}}` times
as much, so they count as that. Benefit per place falls as the programme grows.

**Compared with today** both programmes take the heaviest offenders first, so today's patients are subtracted by what
they avoid, not by their number. While built places or demand would not exceed today's patients nothing is added: the
difference is exactly 0, neither benefit nor harm, which is why P(> 0) can be less than P(rate ratio < 1).

People in treatment: :math:`n_{st} = \min(\mathrm{places}_s\, u_{st}\, q,\ \mathrm{demand},\ \mathrm{opiate\ users})`,
:math:`u` the ramp averaged over the year, :math:`q` occupancy (1 where places are a country's coverage, which counts
patients and not places), demand = coverage of a new country x opioid clients (only where the cap is on). Entrants are
the replacements of a stationary programme, people in treatment over the mean stay; those who fill new places for the
first time are not counted.

Many scenarios: a table in place of the inverse of the gamma distribution
(:mod:`bayes.heroin.projection.gain`), quantiles without the draws (:func:`quantiles_of`), and files instead of memory
(:mod:`bayes.streaming`).
"""

from __future__ import annotations

from bayes.heroin.projection.formulas import FORMULAS, Outcome, outcome
from bayes.heroin.projection.inputs import INPUTS, Inputs, inputs_of
from bayes.heroin.projection.pieces import (
    discount,
    people_served,
    press_arithmetic,
    ramp,
    targeting_gain,
    top_share,
)
from bayes.heroin.projection.quantiles import quantiles_of
from bayes.heroin.projection.units import UNIT_OF
from bayes.heroin.projection.whole import (
    chosen_scenarios,
    empty_futures,
    fill,
    horizon_total,
    is_projection,
    project,
    projection_of,
)

__all__ = ["FORMULAS", "INPUTS", "UNIT_OF", "Inputs", "Outcome", "chosen_scenarios", "discount", "empty_futures",
           "fill", "horizon_total", "inputs_of", "is_projection", "outcome", "people_served", "press_arithmetic",
           "project", "projection_of", "quantiles_of", "ramp", "targeting_gain", "top_share"]  # fmt: skip
