"""The table of the acceptability curve, from a projection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayes.arguments import checked
from bayes.elsewhere import Futures, futures_from
from bayes.errors import UsageError
from bayes.figuredata.base import available, draws_of, pick, stamp
from bayes.figuredata.outcomes import label, shown
from bayes.heroin.projection import discount
from bayes.scenarios import AS_TODAY
from bayes.words import words_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["acceptability"]


@checked
def acceptability(
    futures: Futures,
    *,
    scenarios: Sequence[str],
    willingness_to_pay: Sequence[float] | None = None,
    baseline: str = AS_TODAY,
    cost: str | None = None,
    effect: str | None = None,
) -> pd.DataFrame:
    """Tabulate how often each scenario has the highest net benefit over the horizon, by willingness to pay.

    Parameters
    ----------
    futures
        What :func:`bayes.project` returned; costs and effects are discounted at its ``discount_rate``.
    scenarios
        The options; they must have one baseline in common, which is an option too, with no costs and no effects.
    willingness_to_pay
        For one unit of the effect; by default that of the table ``acceptability.csv``.
    baseline
        Name of the option to change nothing.
    cost, effect
        What is paid, and what is avoided; by default what the projection says they are.

    Returns
    -------
    DataFrame
        As :func:`bayes.sensitivity.acceptability_curve`, stamped; ``option`` is what is printed and ``scenario`` the
        name, empty for the baseline.

    Raises
    ------
    UsageError
        If a scenario or a quantity does not exist.
    """
    import pandas as pd

    from bayes.sensitivity import acceptability_curve
    from bayes.sensitivity.voi import WILLINGNESS_TO_PAY

    futures = futures_from(futures)
    names = [cost or words_of(futures).cost or "cost", effect or shown(futures, None)[0]]
    available(futures, names, "quantity")
    prices = WILLINGNESS_TO_PAY if willingness_to_pay is None else willingness_to_pay
    if not scenarios:
        raise UsageError(
            "there is no scenario to choose", key="scenarios", allowed=map(str, futures["scenario"].values)
        )
    if baseline in scenarios:
        raise UsageError("the baseline has the name of a scenario", key="baseline", found=baseline,
                         fix="give it another name")  # fmt: skip
    factor = discount(float(futures.attrs.get("discount_rate", 0.0)), futures.sizes["year"])
    weight = futures["year"].copy(data=factor).astype(float)
    for name in scenarios:
        pick(futures["scenario"], "scenario", name)
    named = {name: label(futures, name) for name in scenarios}
    totals = []
    for quantity in names:
        now = (futures[quantity] * weight).sum("year")
        draws = {name: draws_of(pick(now, "scenario", name)) for name in named}
        totals.append(pd.DataFrame(draws).assign(**{baseline: 0.0}))
    curve = acceptability_curve(totals[0], totals[1], willingness_to_pay=prices)
    options = {name: str(name) for name in named} | {baseline: ""}
    words = {**named, baseline: baseline}
    return curve.assign(scenario=curve["option"].map(options), option=curve["option"].map(words), **stamp(futures))
