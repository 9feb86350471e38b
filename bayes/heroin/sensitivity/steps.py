"""The budget of the shipped study: from a trial report's interval to the policy interval.

1. **sampling error**: one effect for all trials, no biases, as a fixed-effect meta-analysis of the contrasts would
  print it; 432 offences a
   year, every place filled, no drift, everything else at its median;
2. **heterogeneity**: the predictive effect of random effects, no biases;
3. **design bias**: the bias terms;
4. **transport**: fidelity, drift, offences and their spread and targeting in the population served;
5. **delivery**: occupancy, present patients, users;
6. **demand**: coverage and clients, with the scenario's cap;
7. **ceiling**: national totals; with victim-counted crimes the countable share. This is the run's own interval.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from bayes.heroin.model import Structure
from bayes.heroin.model.design import design
from bayes.heroin.outcomes import ABSENT
from bayes.heroin.sensitivity.answer import Answer
from bayes.heroin.sensitivity.rows import Reduction
from bayes.sensitivity._budget import Step
from bayes.sensitivity.weights import Floats

__all__ = ["case_steps"]

_TRANSPORT = ("drift", "offences_per_user_year", "offset_all_users", "shape_year", "eligible_share",
              "targeting_strength", "yearly_decline", "untreated_share", "persistent_spread")  # fmt: skip
_DELIVERY = ("occupancy", "current_patients", "opiate_users")
_DEMAND = ("coverage_new", "opioid_clients")


def case_steps(answer: Answer) -> list[Step]:
    """Return the seven steps of the budget for the case's target."""
    names = [name for name in (*_TRANSPORT, *_DELIVERY, *_DEMAND, "countable_share") if name in answer.draws]
    fixed: dict[str, Any] = {name: float(np.median(answer.draws[name])) for name in names}
    fixed |= {name: value for name, value in ABSENT.items() if name in _TRANSPORT and name in answer.draws}
    fixed |= {"drift": 1.0, "offences_per_user_year": answer.study.settings.press_offences}
    theta = answer.draws["theta_new"]
    without_bias, without_ceiling = _bias_ratio(answer), _ceiling_ratio(answer)

    def step(name: str, effect: Floats | None, ratio: Floats | None, note: str, cap: bool = False) -> Step:
        values = dict(fixed) if effect is None else fixed | {"rate_ratio": np.exp(answer.shaped(effect))}
        return Step(name, answer.target_of(answer.with_values(values), cap=None if cap else False), ratio, note)

    steps = [
        step("sampling error", _fixed_effect(answer), None, "one effect, 432 offences, every place filled, no drift"),
        step("heterogeneity", theta, without_bias, "the effect of a new setting"),
        step("design bias", theta, None, "outcome, completers, untreated comparators"),
    ]
    for name, freed, note in (
        ("transport", _TRANSPORT, "fidelity, drift, offences and targeting in the population served"),
        ("delivery", _DELIVERY, "occupancy, present patients, users"),
        ("demand", _DEMAND, "coverage and clients; places above demand stay empty"),
    ):
        fixed = {key: value for key, value in fixed.items() if key not in freed}
        steps.append(step(name, None, without_ceiling, note, cap=name == "demand"))
    last = "national totals of crime: the interval of this run"
    return [*steps, Step("ceiling", answer.targets[answer.quantity], None, last)]


def _fixed_effect(answer: Answer) -> Floats:
    """Draws of a common effect of the contrasts under a flat prior: normal, in the order of the fitted mean's draws."""
    frame = design(answer.study.rows("trials"), [], ())
    weight = np.linalg.solve(frame.s, np.ones(len(frame.y)))
    mean, sd = weight @ frame.y / weight.sum(), weight.sum() ** -0.5
    x = answer.draws["mu_theta"]
    return np.asarray(mean + sd * stats.norm.ppf((stats.rankdata(x) - 0.5) / len(x)))


def _bias_ratio(answer: Answer) -> Floats | None:
    if not answer.structure.biases:
        return None
    plain: Structure = replace(answer.structure, biases=())
    new, old = Reduction.of(answer.draws, answer.study, plain), answer.reduction
    return answer.shaped(new.log_density(new.frame.rows) - old.log_density(old.frame.rows))


def _ceiling_ratio(answer: Answer) -> Floats | None:
    rows = {row.row for row in answer.study.rows("ceiling")}
    found = [cluster for cluster in answer.clusters if rows & set(cluster.rows)]
    return answer.shaped(found[0].without(rows)[0]) if found else None
