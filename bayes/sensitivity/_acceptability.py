"""How sure a choice between options is, by what one unit of effect is worth.

Expected net benefit decides between options; the acceptability curve only says how sure that decision is
(Fenwick, Claxton & Sculpher 2001).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayes.arguments import checked
from bayes.errors import UsageError
from bayes.sensitivity._value import options_of
from bayes.sensitivity._variance import aligned
from bayes.sensitivity.case import Analysis, Case, Request

__all__ = ["acceptability_curve", "does_nothing", "prices_of"]


def prices_of(costs: pd.DataFrame, effects: pd.DataFrame) -> tuple[float, ...]:
    """Prices of one unit of effect, up to about twice the one at which the last option pays: that is where choices lie.

    >>> prices_of(pd.DataFrame({"new": [10.0, 14.0]}), pd.DataFrame({"new": [2.0, 4.0]}))[::25]
    (0.0, 4.0, 8.0)
    """
    cost, effect = costs.mean(), effects.mean()
    last = (cost / effect)[(cost > 0) & (effect > 0)].max()
    return tuple(np.linspace(0.0, float(f"{2 * last if last > 0 else 2.0:.1g}"), 51).tolist())


def does_nothing(outcomes: Sequence[pd.DataFrame]) -> str | None:
    """The option of several that costs and brings nothing in any draw: doing nothing is then no other.

    >>> does_nothing([pd.DataFrame({"old": [0.0, 0.0], "new": [1.0, 2.0]})])
    'old'
    """
    first = outcomes[0]
    idle = [str(name) for name in first if not any(table[name].any() for table in outcomes)]
    return idle[0] if idle and first.shape[1] > 1 else None


@checked
def acceptability_curve(
    costs: pd.DataFrame, effects: pd.DataFrame, *, willingness_to_pay: Sequence[float]
) -> pd.DataFrame:
    """Tabulate the cost-effectiveness acceptability curve and the decision it goes with.

    NB_k = wtp * effect_k - cost_k. For each willingness to pay and option: the probability that its net
    benefit is highest (ties share equally), its expected net benefit, and whether that is the highest
    (``optimal``). The probabilities of the optimal options are the acceptability frontier.

    Parameters
    ----------
    costs, effects
        Draws by option, shape (n, options), with the same columns and rows.
    willingness_to_pay
        Units of cost per unit of effect.

    Returns
    -------
    DataFrame
        ``willingness_to_pay, option, probability, probability_mcse, net_benefit, net_benefit_mcse, optimal``.

    Raises
    ------
    bayes.errors.UsageError
        A column is missing, infinite or too short, the two tables do not match, or a willingness to pay is not finite.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> z = np.random.default_rng(1).normal(size=1000)
    >>> costs = pd.DataFrame({"old": 0 * z, "new": 10 + z})
    >>> effects = pd.DataFrame({"old": 0 * z, "new": 1 + z / 9})
    >>> curve = acceptability_curve(costs, effects, willingness_to_pay=[5, 20])
    >>> curve.query("optimal")["option"].tolist()
    ['old', 'new']
    """
    cost, effect = options_of(costs), options_of(effects)
    prices = np.atleast_1d(np.asarray(willingness_to_pay, dtype=float))
    if not prices.size or not (np.isfinite(prices) & (prices >= 0)).all():
        bad = [float(p) for p in prices if not 0 <= p < math.inf]
        raise UsageError("not a finite price of 0 or more", key="willingness_to_pay", found=bad,
                         allowed="one number or more")  # fmt: skip
    for column in cost.columns.symmetric_difference(effect.columns):
        raise UsageError("an option has no costs or no effects", key=str(column))
    aligned(cost, effect, True)
    n = len(cost)
    tables = []
    for wtp in prices.tolist():
        benefit = wtp * effect[cost.columns] - cost
        best = benefit.eq(benefit.max(axis=1), axis=0)
        share = best.div(best.sum(axis=1), axis=0)
        mean = benefit.mean()
        columns = {
            "willingness_to_pay": float(wtp),
            "option": list(cost.columns),
            "probability": share.mean().to_numpy(),
            "probability_mcse": share.std(ddof=0).to_numpy() / math.sqrt(n),
            "net_benefit": mean.to_numpy(),
            "net_benefit_mcse": benefit.std(ddof=0).to_numpy() / math.sqrt(n),
            "optimal": np.arange(len(mean)) == mean.to_numpy().argmax(),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    choice = None if case.decision is None else case.decision()
    if choice is None or choice.cost is None or choice.effect is None:
        return {}
    options = [table.drop(columns=choice.nothing) for table in (choice.cost, choice.effect)]
    if does_nothing(options) is None:
        options = [choice.cost, choice.effect]
    curve = acceptability_curve(*options, willingness_to_pay=choice.prices)
    return {"acceptability": curve.assign(unit=choice.price)}


ANALYSIS = Analysis(
    _run,
    "the acceptability curve",
    "cost= and net_benefit= of the question, and scenarios to choose from",
    totals=("acceptability",),
    beside="value",
)
