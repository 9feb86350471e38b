"""The live what-if of a report on the shipped question."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from bayes.heroin.model.structure import Structure
from bayes.heroin.outcomes import live_outcomes, outcome_words
from bayes.report.whatif import Live

if TYPE_CHECKING:
    from xarray import DataTree

    from bayes.study import Study

__all__ = ["live_of"]

_RANGES = {"places": (100.0, 400_000.0), "years_to_full": (0.0, 20.0), "start_year": (0.0, 10.0),
           "discount_rate": (0.0, 0.1)}  # fmt: skip
"""Ranges of sliders."""

_WORDS = {"places": "places", "years_to_full": "years to full scale", "start_year": "start, years from now",
          "demand_cap": "places above demand stay empty", "discount_rate": "discount rate, a year"}  # fmt: skip


def live_of(fit: DataTree, study: Study) -> Live:
    """Return what the what-if of a fit of this study is made from.

    Examples
    --------
    >>> sorted(live_of(fit, bayes.load_study()).ranges)
    ['discount_rate', 'places', 'start_year', 'years_to_full']
    """
    made = json.loads(fit.attrs.get("inputs", "{}")).get("structure", {})
    structure = Structure(**{**made, "biases": tuple(made["biases"])}) if made else None
    words = outcome_words(study)
    own = replace(words, labels={**words.labels, **_WORDS})
    command = "bayes run --changes what-if.toml"
    return Live(outcomes=live_outcomes(fit, study, structure), words=own, priors=study.priors, study=study,
                ranges=_RANGES, command=command, data=False)  # fmt: skip
