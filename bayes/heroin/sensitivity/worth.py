r"""What more evidence would be worth to a decision between the shipped scenarios.

Options are the scenarios compared with today that are no stress cases, and staying as today; the net benefit of each
is its discounted total over the horizon. Expected net benefit decides, not the acceptability curve. Proposed studies
are simulated from the posterior:

- a **trial** of n people an arm in a new setting: :math:`y \sim N(\mu_\theta, \sqrt{\tau_\theta^2 + 0.6^2 \cdot
  37/n})`, the error of the null trial on file scaled to n;
- a **survey** of m eligible people asked about a year: :math:`\log \bar y \sim N\big(\log \mathrm{offences},
  \sqrt{\sigma_{study}^2 + (1/k + 1/\mathrm{offences})/m}\big)`, k the year's shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from bayes.heroin.projection import project
from bayes.heroin.quantities import INPUTS
from bayes.heroin.sensitivity.answer import Answer
from bayes.heroin.sensitivity.levers import NULL_N, NULL_SE
from bayes.scenarios import AS_TODAY
from bayes.sensitivity.case import Decision, Inputs

__all__ = ["case_decision", "case_inputs"]

_TRIALS, _SURVEYS = (50, 200, 1000), (100, 1000)
"""People an arm, and people asked, of proposed studies."""
_OF_TRIALS, _OF_SURVEYS = ("mu_theta", "tau_theta"), ("offences_per_user_year", "sigma_study", "shape_year")
"""What the data of each kind of study depend on."""
_PRICES = tuple(float(price) for price in range(0, 501, 10))
"""Of an offence avoided, in pounds."""
_GROUPS = {
    "effect and drift": ("rate_ratio", "drift", "untreated_share", "bias_untreated"),
    "offending": ("offences_per_user_year", "offset_all_users", "shape_year", "yearly_decline", "persistent_spread"),
    "demand and delivery": ("coverage_new", "opioid_clients", "occupancy"),
    "money": ("programme_cost", "cost_per_offence"),
}


def case_inputs(answer: Answer, more: Sequence[str] = ()) -> Inputs:
    """Return the draws of the projection's inputs that vary, one column each."""
    names = [name for name in (*INPUTS, *more) if name in answer.draws and np.ptp(answer.draws[name]) > 0]
    return Inputs(pd.DataFrame({name: answer.draws[name] for name in names}))


def case_decision(answer: Answer) -> Decision:
    """Return the choice between the scenarios, in pounds over the horizon.

    The scenario of the answer does not matter: all that are no stress cases are options.
    """
    totals = _totals(answer)
    inputs = case_inputs(answer, ("countable_share", "programme_cost", "cost_per_offence"))
    groups = {name: [c for c in columns if c in inputs.draws] for name, columns in _GROUPS.items()}
    trials = {f"trial of {n} people an arm": partial(_trial, people=n) for n in _TRIALS}
    surveys = {f"survey of {m} people": partial(_survey, people=m) for m in _SURVEYS}
    unknown = [name for name in (*_OF_TRIALS, *_OF_SURVEYS) if name in answer.draws]
    return Decision(
        net_benefit=totals["net_benefit"], cost=totals["cost"], effect=totals["effect"], nothing=AS_TODAY,
        study=f"trial of {_TRIALS[1]} people an arm",
        inputs=inputs, groups={name: columns for name, columns in groups.items() if columns},
        unknown=pd.DataFrame({name: answer.draws[name] for name in unknown}), studies=trials | surveys,
        depends=dict.fromkeys(trials, _OF_TRIALS) | dict.fromkeys(surveys, _OF_SURVEYS),
        money="GBP", thing="offences", price="GBP/offence", prices=_PRICES, tail_shape=answer.tail_shape,
    )  # fmt: skip


def _totals(answer: Answer) -> dict[str, pd.DataFrame]:
    """Draws by option of the discounted cost, offences avoided and net benefit over the horizon."""
    chosen = [n for n, s in answer.study.scenarios.items() if not s.stress and s.against == "today"]
    futures = project(answer.fit, answer.study, scenarios=chosen)
    factor = (1 + answer.study.settings.discount_rate) ** (1.0 - futures["year"])
    totals = {
        "cost": (futures["programme_cost"] * factor).sum("year"),
        "effect": (futures["offences_avoided"] * factor).sum("year"),
        "net_benefit": futures["net_benefit"].sum("year"),
    }
    return {
        name: pd.DataFrame({c: total.sel(scenario=c).values.ravel() for c in chosen}).assign(**{AS_TODAY: 0.0})
        for name, total in totals.items()
    }


def _trial(x: pd.DataFrame, rng: np.random.Generator, people: int) -> pd.DataFrame:
    tau2 = x["tau_theta"] ** 2 if "tau_theta" in x else 0.0
    return pd.DataFrame({"y": rng.normal(x["mu_theta"], np.sqrt(tau2 + NULL_SE**2 * NULL_N / people))})


def _survey(x: pd.DataFrame, rng: np.random.Generator, people: int) -> pd.DataFrame:
    offences = x["offences_per_user_year"]
    spread = (1 / x["shape_year"] + 1 / offences) / people
    return pd.DataFrame({"y": rng.normal(np.log(offences), np.sqrt(x["sigma_study"] ** 2 + spread))})
