"""The projection as Deterministics of the model: the outcomes of :mod:`bayes.heroin.projection` as one graph.

It is what the live what-if of a report plays: numbers of a scenario are ``pm.Data`` by their names in
``scenarios.toml``, so that each can be moved. NumPy computes projections (:func:`bayes.project`), with each gain solved
once; a test holds both to the same numbers.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.cache import keep, kept, key_of
from bayes.heroin.model.structure import Structure
from bayes.heroin.projection.pieces import AT_ONCE, LEAST
from bayes.heroin.words import WORDS
from bayes.records import values_of
from bayes.words import study_words

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

    from bayes.outcomes import Outcomes
    from bayes.study import Study
    from bayes.words import Words

__all__ = ["add_outcomes", "outcome_words", "outcomes_of_fit"]


def outcomes_of_fit(fit: DataTree, study: Study, structure: Structure | None = None) -> Outcomes:
    """Return the calculation from the draws of a fit of this study and structure to the outcomes, recorded once.

    Examples
    --------
    >>> outcomes_of_fit(fit, bayes.load_study()).how
    'tape'
    """
    chosen, found = structure or Structure(), fit["posterior"].data_vars
    parts = [values_of(one) for one in (*study.scenarios.values(), study.settings)]
    priors = [prior.as_data() for prior in study.priors.values()]
    key = key_of("outcomes", list(study.scenarios), parts, priors, chosen.as_data(), sorted(map(str, found)),
                 [str(country) for country in fit["posterior"].coords["country"].values])  # fmt: skip
    content = kept("tapes", key)
    if content is not None:
        recorded: Outcomes = pickle.loads(content)
        return recorded
    recorded = _recorded(fit, study, chosen)
    keep("tapes", key, pickle.dumps(recorded))
    return recorded


def _recorded(fit: DataTree, study: Study, structure: Structure) -> Outcomes:
    from bayes.heroin.model import build_model
    from bayes.outcomes import outcomes_of

    model = build_model(study, structure)
    add_outcomes(model, study)
    return outcomes_of(model, outcome_words(study), fit)


def outcome_words(study: Study) -> Words:
    """Return what is said of a study's scenarios without what is not among these outcomes."""
    return replace(study_words(WORDS, study), size="", reference=(), cost="", ratios={})


def add_outcomes(model: pm.Model, study: Study) -> None:
    """Add to a study's model what its scenarios avoid in each year, as in :mod:`bayes.heroin.projection`."""
    import pymc as pm
    import pytensor.tensor as pt

    horizon = study.settings.horizon_years
    with model:
        model.add_coord("scenario", list(study.scenarios))
        model.add_coord("year", np.arange(1, horizon + 1))
        v = dict(model.named_vars) | _plans(study, list(model.coords["country"]))
        served, present = _served(v, horizon), v["against_today"][:, None] * v["current_patients"]
        gained = _weighted(v, served) - v["against_today"][:, None] * _weighted(v, v["current_patients"])
        per_unit = v["offences_per_user_year"] * v["drift"] * (1 - v["rate_ratio"])
        avoided = pt.switch(pt.le(served, present), 0.0, gained * per_unit)
        added = served - pt.minimum(present, served)
        rate = pm.Data("discount_rate", float(study.settings.discount_rate))
        net = avoided * v["cost_per_offence"] - added * v["programme_cost"]
        outcomes = {"offences_avoided": avoided, "victim_crimes_avoided": avoided * v["countable_share"],
                    "net_benefit": net * (1 + rate) ** -np.arange(horizon, dtype=float)}  # fmt: skip
        for name, value in outcomes.items():
            pm.Deterministic(name, value, dims=("scenario", "year"))


def _plans(study: Study, countries: list[Any]) -> dict[str, Any]:
    """What the scenarios state, as data by scenario; what they state as words, as truths."""
    import pymc as pm

    plans = study.scenarios.values()
    numbers = {"places": [float(s.places or 0) for s in plans], "start_year": [float(s.start_year) for s in plans],
               "years_to_full": [float(s.years_to_full) for s in plans],
               "demand_cap": [bool(s.demand_cap) for s in plans], "logistic": [s.ramp == "logistic" for s in plans],
               "against_today": [float(s.against == "today") for s in plans]}  # fmt: skip
    found = {name: pm.Data(name, np.array(values), dims="scenario") for name, values in numbers.items()}
    chosen = [[float(s.coverage_of == country) for country in countries] for s in plans]
    return {**found, "coverage_of": pm.Data("coverage_of", np.array(chosen), dims=("scenario", "country"))}


def _served(v: Mapping[str, Any], horizon: int) -> Any:
    """People in treatment by scenario and year: places built and filled, no more than demand and than there are."""
    import pytensor.tensor as pt

    abroad = pt.gt(v["coverage_of"].sum(axis=1), 0)
    clients = v["opioid_clients"]
    places = pt.switch(abroad, (v["coverage_of"] * v["coverage"]).sum(axis=1) * clients, v["places"])
    filled = pt.switch(abroad, 1.0, v["occupancy"])
    demand = pt.switch(v["demand_cap"], v["coverage_new"] * clients, np.inf)
    wanted = pt.minimum(_built(v, horizon) * (places * filled)[:, None], demand[:, None])
    return pt.minimum(wanted, v["opiate_users"])


def _built(v: Mapping[str, Any], horizon: int) -> Any:
    """Built share of the places, averaged over each year, by scenario: :func:`bayes.heroin.projection.ramp`."""
    import pytensor.tensor as pt

    x = np.arange(horizon + 1, dtype=float) - v["start_year"][:, None]
    d = pt.maximum(v["years_to_full"], AT_ONCE)[:, None]
    steepness = 2 * np.log(99) / d
    linear = pt.switch(pt.lt(x, d), pt.maximum(x, 0) ** 2 / (2 * d), x - d / 2)
    logistic = pt.softplus(steepness * (x - d / 2)) / steepness
    whole = pt.switch(v["logistic"][:, None], logistic, linear)
    integral = pt.switch(pt.lt(v["years_to_full"], AT_ONCE)[:, None], pt.maximum(x, 0), whole)
    return integral[:, 1:] - integral[:, :-1]


def _weighted(v: Mapping[str, Any], people: Any) -> Any:
    """People in treatment, each counted by mean offending relative to the eligible pool."""
    import pytensor.tensor as pt

    pool, shape, strength = v["eligible_share"] * v["opioid_clients"], v["shape_year"], v.get("targeting_strength", 0.0)
    inside = pt.minimum(people, pool)
    share = pt.clip(inside / pool, LEAST, 1.0)
    top = pt.gammaincc(shape + 1, pt.gammainccinv(shape, share))
    gain = pt.switch(pt.lt(share, 1), 1 - strength + strength * top / share, 1.0)
    return inside * gain + (people - inside) * pt.exp(v["offset_all_users"])
