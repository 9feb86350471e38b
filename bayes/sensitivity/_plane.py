"""The cost-effectiveness plane: cost, effect and net benefit of each option over the horizon."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from bayes.sensitivity.case import Analysis, Case, Request
from bayes.summaries import PROB, summarise


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    """Tabulate ``option, quantity, unit`` and the columns of :func:`bayes.summarise`.

    ``p_positive`` of the net benefit is the probability that the option beats doing nothing.
    """
    choice = None if case.decision is None else case.decision()
    if choice is None or choice.cost is None or choice.effect is None:
        return {}
    totals = {"cost": (choice.cost, choice.money), "effect": (choice.effect, choice.thing),
              "net_benefit": (choice.net_benefit, choice.money)}  # fmt: skip
    options = list(choice.cost.columns.drop(choice.nothing))
    known = {} if choice.tail_shape is None else {"tail_shape": choice.tail_shape}
    shape = *case.answer.transpose("chain", "draw").shape, len(options)
    data = {
        name: (("chain", "draw", "option"), draws[options].to_numpy().reshape(shape),
               {"unit": unit} | ({} if name == "cost" else known))
        for name, (draws, unit) in totals.items()
    }  # fmt: skip
    table = summarise(xr.Dataset(data, coords={"option": options}), prob=PROB)
    return {"plane": table.rename(columns={"variable": "quantity"})}


ANALYSIS = Analysis(_run, "the cost-effectiveness plane", "cost= and net_benefit= of the question",
                    totals=("plane",), beside="value")  # fmt: skip
