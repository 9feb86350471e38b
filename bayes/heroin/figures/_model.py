"""``model``: the graphical model with what is computed from its draws."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayes.figures._model import FIGURE as ANY
from bayes.figures._model import model_table
from bayes.heroin.quantities import INPUTS

if TYPE_CHECKING:
    import pandas as pd

    from bayes.figures.gallery import Gallery

__all__ = ["FIGURE", "OUTCOMES"]

OUTCOMES = {"offences avoided": tuple(INPUTS),
            "victim-counted crimes avoided": ("offences avoided", "countable_share"),
            "net benefit": ("offences avoided", "programme_cost", "cost_per_offence"),
            "entrants needed": ("mean_stay",)}  # fmt: skip
"""Outcomes of a projection, each with what it is computed from."""


def _of_run(run: Gallery) -> pd.DataFrame:
    return run.stamped(model_table(run.model, outcomes=OUTCOMES, labels=run.words.labels))


FIGURE = replace(ANY, of_run=_of_run)
