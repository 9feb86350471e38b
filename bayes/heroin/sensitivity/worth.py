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

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes.heroin.projection import INPUTS, discount, project
from bayes.heroin.sensitivity.levers import NULL_N, NULL_SE
from bayes.heroin.sensitivity.question import Case
from bayes.scenarios import AS_TODAY
from bayes.sensitivity.voi import TOLD_APART, WILLINGNESS_TO_PAY, acceptability_curve, break_even, evpi, evppi, evsi
from bayes.sensitivity.weights import KHAT_LIMIT
from bayes.summaries import PROB, summarise
from bayes.tails import judge_tail

__all__ = ["case_acceptability", "case_break_even", "case_inputs", "case_plane", "case_worth"]

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
        ``quantity, input, estimate, mcse, draws, method, khat, note, unit``; ``note`` says where the tails of the net
        benefits are too heavy for the mean, and why the value of a study is withheld (NaN).
    """
    options, tail = _totals(case)["net_benefit"], case.tail_shape
    inputs = case_inputs(case, ("countable_share", "programme_cost", "cost_per_offence"))
    groups = {name: [c for c in columns if c in inputs] for name, columns in _GROUPS.items()}
    tables = [
        evpi(options, tail_shape=tail),
        evppi(inputs, options, tail_shape=tail),
        evppi(inputs, options, groups={k: v for k, v in groups.items() if v}, tail_shape=tail),
    ]
    unknown = pd.DataFrame(
        {
            name: case.draws[name]
            for name in ("mu_theta", "tau_theta", "offences_per_user_year", "sigma_study", "shape_year")
            if name in case.draws
        }
    )
    studies = [evsi(unknown, options, _trial(n), study=f"trial of {n} people an arm", tail_shape=tail) for n in trials]
    studies += [evsi(unknown, options, _survey(m), study=f"survey of {m} people", tail_shape=tail) for m in surveys]
    return pd.concat([*tables, *map(withheld, studies)], ignore_index=True).assign(unit="GBP")


def withheld(studies: pd.DataFrame) -> pd.DataFrame:
    """Take away values of studies that are not told from nothing or rest on few draws; notes say why."""
    unclear = (studies["estimate"] < TOLD_APART * studies["mcse"]) | (studies["khat"] > KHAT_LIMIT)
    notes = ("withheld: " + studies["note"]).where(unclear, studies["note"])
    return studies.assign(estimate=studies["estimate"].where(~unclear), note=notes)


def case_acceptability(case: Case, *, willingness_to_pay: Sequence[float] = WILLINGNESS_TO_PAY) -> pd.DataFrame:
    """Tabulate the acceptability curve of the options, and the option that expected net benefit chooses.

    Parameters
    ----------
    willingness_to_pay
        Pounds for each self-reported offence avoided.

    Returns
    -------
    DataFrame
        As :func:`bayes.sensitivity.acceptability_curve`, with ``unit``.
    """
    totals = _totals(case)
    curve = acceptability_curve(totals["cost"], totals["effect"], willingness_to_pay=willingness_to_pay)
    return curve.assign(unit="GBP/offence")


def case_break_even(case: Case) -> pd.DataFrame:
    """Find the cost of an offence at which each option's expected net benefit is zero.

    Returns
    -------
    DataFrame
        ``option`` and the columns of :func:`bayes.sensitivity.break_even`, with ``unit`` and ``note``; no number for
        an option that is expected to avoid nothing.
    """
    totals = _totals(case)
    tables = []
    for option in totals["cost"].columns.drop(AS_TODAY):
        cost, effect = (totals[name][option].to_numpy() for name in ("cost", "effect"))
        if not effect.mean() > 0 or not cost.mean() > 0:
            words = {"quantity": "break-even", "estimate": math.nan, "mcse": math.nan, "slope": effect.mean()}
            table = pd.DataFrame([words | {"draws": effect.size, "method": "no root"}])
            note = "it avoids or costs nothing"
        else:
            high = 2 * cost.mean() / effect.mean()
            table = break_even(lambda price, effect=effect, cost=cost: price * effect - cost, 0.0, high)  # type: ignore[misc]
            note = judge_tail(effect, case.tail_shape).why
        tables.append(table.assign(option=option, unit="GBP/offence", note=note))
    return pd.concat(tables, ignore_index=True)


def case_plane(case: Case, *, prob: float = PROB) -> pd.DataFrame:
    """Tabulate the cost-effectiveness plane: discounted cost, offences avoided and net benefit of each option.

    Returns
    -------
    DataFrame
        ``option, quantity, unit`` and the columns of :func:`bayes.summarise`; ``p_positive`` of the net benefit is the
        probability that the option beats staying as today at the cost per offence on file.
    """
    units = {"cost": "GBP", "effect": "offences", "net_benefit": "GBP"}
    shape = case.fit["posterior"].sizes["chain"], case.fit["posterior"].sizes["draw"]
    totals = {name: draws.drop(columns=AS_TODAY) for name, draws in _totals(case).items()}
    options = list(totals["cost"].columns)
    known = {} if case.tail_shape is None else {"tail_shape": case.tail_shape}
    data = {
        name: (("chain", "draw", "option"), draws.to_numpy().reshape(*shape, len(options)),
               {"unit": units[name]} | ({} if name == "cost" else known))
        for name, draws in totals.items()
    }  # fmt: skip
    table = summarise(xr.Dataset(data, coords={"option": options}), prob=prob)
    return table.rename(columns={"variable": "quantity"})


def _totals(case: Case) -> dict[str, pd.DataFrame]:
    """Draws by option of the discounted cost, offences avoided and net benefit over the horizon."""
    chosen = [n for n, s in case.study.scenarios.items() if not s.stress and s.against == "today"]
    futures = project(case.fit, case.study, scenarios=chosen)
    factor = xr.DataArray(discount(case.study.settings.discount_rate, futures.sizes["year"]), dims="year")
    totals = {
        "cost": (futures["programme_cost"] * factor).sum("year"),
        "effect": (futures["offences_avoided"] * factor).sum("year"),
        "net_benefit": futures["net_benefit"].sum("year"),
    }
    return {
        name: pd.DataFrame({c: total.sel(scenario=c).values.ravel() for c in chosen}).assign(**{AS_TODAY: 0.0})
        for name, total in totals.items()
    }


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
