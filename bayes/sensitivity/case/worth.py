r"""What more evidence would be worth to a decision between the shipped scenarios.

Options are the scenarios that are no stress cases, and doing nothing; the net benefit of each is its discounted total
over the horizon. Proposed studies are simulated from the posterior:

- a **trial** of n people an arm in a new setting: :math:`y \sim N(\mu_\theta, \sqrt{\tau_\theta^2 + 0.6^2 \cdot
  37/n})`, the error of the null trial on file scaled to n;
- a **survey** of m eligible people asked about a year: :math:`\log \bar y \sim N\big(\log \mathrm{offences},
  \sqrt{\sigma_{study}^2 + (1/k + 1/\mathrm{offences})/m}\big)`, k the year's shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayes.projection import INPUTS, horizon_total, project
from bayes.sensitivity.case.levers import NULL_N, NULL_SE
from bayes.sensitivity.case.question import Case
from bayes.sensitivity.voi import evpi, evppi, evsi

__all__ = ["case_inputs", "case_worth"]

_GROUPS = {
    "effect and drift": ("rate_ratio", "drift"),
    "offending": ("offences_per_user_year", "offset_all_users", "shape_year"),
    "demand and delivery": ("coverage_new", "opioid_clients", "occupancy"),
    "money": ("programme_cost", "cost_per_offence"),
}


def case_inputs(case: Case, more: Sequence[str] = ()) -> pd.DataFrame:
    """Return the draws of the projection's inputs that vary, one column each."""
    names = [name for name in (*INPUTS, *more) if name in case.draws and np.ptp(case.draws[name]) > 0]
    return pd.DataFrame({name: case.draws[name] for name in names})


def case_worth(
    case: Case, *, trials: Sequence[int] = (50, 200, 1000), surveys: Sequence[int] = (100, 1000)
) -> pd.DataFrame:
    """Tabulate EVPI, EVPPI of inputs and groups, and EVSI of trials and surveys, in pounds over the horizon.

    Parameters
    ----------
    case
        Its scenario does not matter: all that are no stress cases are options.
    trials, surveys
        People an arm, and people asked.

    Returns
    -------
    DataFrame
        ``quantity, input, estimate, mcse, draws, method, unit``.
    """
    names = [name for name, scenario in case.study.scenarios.items() if not scenario.stress]
    total = horizon_total(project(case.fit, case.study, scenarios=names))["net_benefit"]
    options = pd.DataFrame({name: total.sel(scenario=name).values.ravel() for name in names}).assign(nothing=0.0)
    inputs = case_inputs(case, ("countable_share", "programme_cost", "cost_per_offence"))
    groups = {name: [c for c in columns if c in inputs] for name, columns in _GROUPS.items()}
    tables = [
        evpi(options),
        evppi(inputs, options),
        evppi(inputs, options, groups={k: v for k, v in groups.items() if v}),
    ]
    unknown = pd.DataFrame(
        {
            name: case.draws[name]
            for name in ("mu_theta", "tau_theta", "offences_per_user_year", "sigma_study", "shape_year")
            if name in case.draws
        }
    )
    tables += [evsi(unknown, options, _trial(n), study=f"trial of {n} people an arm") for n in trials]
    tables += [evsi(unknown, options, _survey(m), study=f"survey of {m} people") for m in surveys]
    return pd.concat(tables, ignore_index=True).assign(unit="GBP")


def _trial(people: int) -> Any:
    def simulate(x: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        tau2 = x["tau_theta"] ** 2 if "tau_theta" in x else 0.0
        return pd.DataFrame({"y": rng.normal(x["mu_theta"], np.sqrt(tau2 + NULL_SE**2 * NULL_N / people))})

    return simulate


def _survey(people: int) -> Any:
    def simulate(x: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        offences = x["offences_per_user_year"]
        spread = (1 / x["shape_year"] + 1 / offences) / people
        return pd.DataFrame({"y": rng.normal(np.log(offences), np.sqrt(x["sigma_study"] ** 2 + spread))})

    return simulate
