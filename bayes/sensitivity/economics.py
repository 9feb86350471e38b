r"""A choice between options from draws of what each costs and does: what more effect costs, and what to know is worth.

Options are compared along the efficient frontier: in the order of their mean costs, without those that another beats
(dominated) or a mixture of two others does (extendedly dominated). The ratio of an option to the one before it is

.. math:: \mathrm{ICER} = E[\Delta c] / E[\Delta e],

and its interval holds the prices :math:`\lambda` of one unit of effect at which
:math:`P(\lambda \Delta e - \Delta c > 0)` lies between :math:`\alpha/2` and :math:`1 - \alpha/2`: where effects are
sure to be positive these are the quantiles of the ratio; where they are not the interval may have no end, as Fieller's
has (Heitjan, Moskowitz & Whang 1999, Health Econ. 8:191).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes.arguments import checked
from bayes.errors import UsageError, check_word
from bayes.sensitivity._acceptability import acceptability_curve
from bayes.sensitivity._value import evpi, evppi, evsi, evsi_normal

type Simulator = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]

__all__ = ["DESIGNS", "Design", "design_of", "frontier", "icers", "prices_of", "studies", "worth"]

DESIGNS = {"binomial": "people of whom each has the event or not, with the probability in the column",
           "count": "person-time in which events are counted at the rate in the column",
           "normal": "observations around the column's value, with sd= of one of them"}  # fmt: skip
"""Studies whose value can be computed, and what their sizes are."""


@checked
def icers(costs: pd.DataFrame, effects: pd.DataFrame, *, prob: float = 0.95) -> pd.DataFrame:
    """Tabulate mean costs and effects of options, and what one more unit of effect costs along the frontier.

    Parameters
    ----------
    costs, effects
        Draws by option, shape (n, options), with the same columns and rows.
    prob
        Probability of the interval.

    Returns
    -------
    DataFrame
        ``option, cost, effect, than, icer, lower, upper, note`` in the order of costs; an end that does not exist is
        infinite, and ``note`` says so.

    Examples
    --------
    >>> z = np.random.default_rng(1).normal(size=4000)
    >>> costs = pd.DataFrame({"old": 0 * z, "new": 100 + z})
    >>> effects = pd.DataFrame({"old": 0 * z, "new": 2 + z / 100})
    >>> icers(costs, effects)["icer"].round(1).tolist()
    [nan, 50.0]
    """
    effects = effects[list(costs.columns)]
    cost, effect = costs.mean(), effects.mean()
    rows, before = [], ""
    for name in sorted(costs.columns, key=lambda one: (cost[one], -effect[one])):
        beaten = _beaten(name, cost, effect)
        row = {"option": name, "cost": cost[name], "effect": effect[name], "than": "", "icer": math.nan,
               "lower": math.nan, "upper": math.nan, "note": beaten}  # fmt: skip
        if before and not beaten:
            more, gain = costs[name] - costs[before], effects[name] - effects[before]
            low, high = _interval(more.to_numpy(), gain.to_numpy(), (1 - prob) / 2)
            ends = [word for end, word in ((low, "below"), (high, "above")) if math.isinf(end)]
            note = f"no end {' or '.join(ends)}: the sign of the effect is not sure" if ends else ""
            row |= {"than": before, "icer": more.mean() / gain.mean(), "lower": low, "upper": high, "note": note}
        before = before if beaten else name
        rows.append(row)
    return pd.DataFrame(rows)


def _beaten(name: str, cost: pd.Series, effect: pd.Series) -> str:
    """Why an option is not on the frontier; empty if it is."""
    others = [one for one in cost.index if one != name]
    for one in others:
        same = cost[one] == cost[name] and effect[one] == effect[name]
        if cost[one] <= cost[name] and effect[one] >= effect[name] and not (same and one > name):
            return f"dominated by {one}"
    for less in others:
        for more in others:
            if effect[less] < effect[name] < effect[more]:
                part = (effect[name] - effect[less]) / (effect[more] - effect[less])
                if cost[less] + part * (cost[more] - cost[less]) < cost[name]:
                    return f"extendedly dominated by {less} and {more}"
    return ""


def _interval(cost: np.ndarray, effect: np.ndarray, tail: float) -> tuple[float, float]:
    """Prices between which the probability of a gain lies between both tails; infinite where there is no end."""
    moves = effect != 0
    price = cost[moves] / effect[moves]
    order = np.argsort(price)
    turns = np.where(effect[moves] > 0, 1, -1)[order]  # a draw gains above its price, or loses there
    always = int((effect < 0).sum() + ((effect == 0) & (cost < 0)).sum())
    gains = (always + np.concatenate([[0], np.cumsum(turns)])) / len(cost)  # below each price, and above the last
    open_ = (gains >= tail) & (gains <= 1 - tail)
    if not open_.any():  # the probability jumps over both tails at one price
        at = float(price[order][int(np.argmax(gains > 0.5)) - 1])
        return at, at
    first, last = int(np.argmax(open_)), len(open_) - 1 - int(np.argmax(open_[::-1]))
    sorted_ = price[order]
    return (-math.inf if first == 0 else float(sorted_[first - 1]),
            math.inf if last == len(sorted_) else float(sorted_[last]))  # fmt: skip


@checked
def frontier(costs: pd.DataFrame, effects: pd.DataFrame, *, willingness_to_pay: Sequence[float]) -> pd.DataFrame:
    """Tabulate by willingness to pay which option is best, how probable that is, and what to know all would be worth.

    Parameters
    ----------
    costs, effects, willingness_to_pay
        As :func:`bayes.sensitivity.acceptability_curve`, whose frontier this is.

    Returns
    -------
    DataFrame
        ``willingness_to_pay, option, probability, probability_mcse, net_benefit, evpi, evpi_mcse, note``.

    Raises
    ------
    bayes.errors.UsageError
        As :func:`bayes.sensitivity.acceptability_curve`.

    Examples
    --------
    >>> z = np.random.default_rng(1).normal(size=4000)
    >>> costs = pd.DataFrame({"old": 0 * z, "new": 10 + z})
    >>> effects = pd.DataFrame({"old": 0 * z, "new": 1 + z / 9})
    >>> frontier(costs, effects, willingness_to_pay=[5, 20])["option"].tolist()
    ['old', 'new']
    """
    curve = acceptability_curve(costs, effects, willingness_to_pay=willingness_to_pay)
    best = curve[curve["optimal"]].drop(columns=["optimal", "net_benefit_mcse"]).reset_index(drop=True)
    known = [evpi(price * effects[list(costs.columns)] - costs).iloc[0] for price in best["willingness_to_pay"]]
    return best.assign(evpi=[one["estimate"] for one in known], evpi_mcse=[one["mcse"] for one in known],
                       note=[one["note"] for one in known])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Design:
    """A study that might be done: its kind, the column of draws it tells of, its sizes, and sd of one observation."""

    kind: str
    column: str
    sizes: tuple[float, ...]
    sd: float = math.nan


def design_of(text: str) -> Design:
    """Read a study as ``binomial:COLUMN:50,100``, ``count:COLUMN:TIME,TIME`` or ``normal:COLUMN:10,100:sd=2``.

    Raises
    ------
    UsageError
        If it is none.

    Examples
    --------
    >>> design_of("binomial:p:50,100")
    Design(kind='binomial', column='p', sizes=(50.0, 100.0), sd=nan)
    """
    kind, _, rest = text.partition(":")
    check_word(kind, DESIGNS, "there is no such study", key="--evsi")
    number = r"\d+(?:\.\d+)?(?:e\d+)?"
    match = re.fullmatch(rf"(.+):({number}(?:,{number})*)(?::sd=({number}))?", rest)
    if match is None or (kind == "normal") != (match[3] is not None):
        shape = f"{kind}:COLUMN:{'10,100:sd=2' if kind == 'normal' else '50,100'}"
        raise UsageError("a study has a kind, a column and sizes", key="--evsi", found=text, allowed=shape,
                         fix="write it so")  # fmt: skip
    sizes = tuple(map(float, match[2].split(",")))
    if min(sizes) <= 0 or (kind == "binomial" and any(size % 1 for size in sizes)):
        fix = "give whole numbers of people" if kind == "binomial" else "give numbers above 0"
        raise UsageError("this is no size of a study", key="--evsi", found=match[2], allowed=DESIGNS[kind], fix=fix)
    return Design(kind, match[1], sizes, float(match[3] or "nan"))


def prices_of(text: str, key: str = "--price") -> list[float]:
    """Read the prices of an option: ``20000,30000``, or ``0:50000:5000`` for each 5000 from 0 to 50000.

    >>> prices_of("0:50000:25000"), prices_of("1e4,20000")
    ([0.0, 25000.0, 50000.0], [10000.0, 20000.0])
    """
    try:
        if ":" in text:
            first, last, step = map(float, text.split(":"))
            if not (math.isfinite(first + last) and step > 0 and 0 <= (last - first) / step <= 10_000):
                raise ValueError
            found = [first + i * step for i in range(int((last - first) / step + 1e-9) + 1)]
        else:
            found = [float(word) for word in text.split(",")]
        if not all(0 <= one < math.inf for one in found):
            raise ValueError
        return found
    except ValueError:
        raise UsageError("these are no prices of one unit of effect", key=key, found=text,
                         allowed="20000,30000 or FIRST:LAST:STEP, none below 0",
                         fix="write numbers so") from None  # fmt: skip


def studies(
    draws: pd.DataFrame, net_benefit: pd.DataFrame, designs: Sequence[Design], inputs: Sequence[str] = (), seed: int = 0
) -> pd.DataFrame:
    """Tabulate EVPPI of inputs and EVSI of designs, with the columns of :func:`bayes.sensitivity.evsi_normal`.

    Raises
    ------
    UsageError
        If a column of probabilities or rates holds anything else.
    """
    tables = [evppi(draws[list(inputs)], net_benefit, rng=seed)] if inputs else []
    for one in designs:
        values = draws[one.column]
        if one.kind == "normal":
            tables.append(evsi_normal(values, net_benefit, sd=one.sd, sizes=one.sizes, rng=seed))
            continue
        if (values < 0).any() or (one.kind == "binomial" and (values > 1).any()):
            raise UsageError("this is no probability" if one.kind == "binomial" else "this is no rate", key=one.column,
                             found=[float(values.min()), float(values.max())], fix="name another column")  # fmt: skip
        for size in one.sizes:
            row = evsi(values.to_frame(), net_benefit, _simulator(one, size), study=one.column, rng=seed)
            tables.append(row.assign(size=size))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def worth(best: pd.DataFrame, learnt: pd.DataFrame, price: float) -> pd.DataFrame:
    """Return what it is worth to know at one price: everything (EVPI), inputs and studies, each under its own name.

    Parameters
    ----------
    best, learnt
        As :func:`frontier` and :func:`studies` return them.
    price
        Of one unit of effect. Where it is none of those of ``best``, everything is left out.

    Examples
    --------
    >>> best = pd.DataFrame({"willingness_to_pay": [1.0, 2.0], "evpi": [0.3, 0.5], "evpi_mcse": [0.01, 0.02]})
    >>> learnt = pd.DataFrame({"quantity": "EVSI", "input": "p", "size": [5.0, 50.0], "estimate": [0.1, 0.2],
    ...                        "mcse": 0.01})
    >>> worth(best, learnt, 2.0)["input"].tolist()
    ['all', 'p, 5', 'p, 50']
    """
    everything = best[best["willingness_to_pay"] == price].assign(quantity="EVPI", input="all")
    columns = ["quantity", "input", "estimate", "mcse"]
    found = [everything.rename(columns={"evpi": "estimate", "evpi_mcse": "mcse"})[columns]]
    if len(learnt):
        sizes = learnt["size"] if "size" in learnt else pd.Series(np.nan, index=learnt.index)
        names = [name if math.isnan(size) else f"{name}, {size:g}"
                 for name, size in zip(learnt["input"], sizes.astype(float), strict=True)]  # fmt: skip
        found.append(learnt.assign(input=names)[columns])
    return pd.concat(found, ignore_index=True)


def _simulator(design: Design, size: float) -> Simulator:
    def simulate(x: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        value = x[design.column]
        events = rng.binomial(int(size), value) if design.kind == "binomial" else rng.poisson(size * value)
        return pd.DataFrame({"events": events.astype(float)})

    return simulate
