"""What the page carries: draws, declared priors, scenarios and the run's own summaries, as plain data."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError
from bayes.heroin.projection import horizon_total
from bayes.heroin.projection.names import TITLES, named
from bayes.heroin.quantities import UNITS
from bayes.heroin.scenarios import Scenario
from bayes.numbers import APART, NOT_APART, NOT_APART_WORDS
from bayes.priors import Prior
from bayes.scenarios import distinct_labels
from bayes.sensitivity.weights import rules
from bayes.study import Study
from bayes.summaries import PROB, summarise

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["MAIN", "carried"]

MAIN = ("offences_per_user_year", "mu_theta", "tau_theta", "fidelity", "mu_gamma", "mu_coverage", "targeting_strength",
        "countable_share")  # fmt: skip
"""Priors shown at once: those that decide the offences avoided. The others open on demand."""

NEEDED = ("theta_new", "drift", "coverage_new", "fidelity", "offences_per_user_year", "shape_year", "offset_all_users",
          "opioid_clients", "occupancy", "current_patients", "eligible_share", "opiate_users", "programme_cost",
          "cost_per_offence", "countable_share")  # fmt: skip
"""Variables the projection in the page computes with."""

WITHOUT_SLIDERS = ("retention_scale", "retention_shape", "sigma_study", "shape_month", "offset_entrants",
                   "offset_arrestees")  # fmt: skip
"""Priors without sliders: they decide how long people stay, or only how single studies are read."""

_WORDS = {"Normal": "median", "LogNormal": "median", "ShiftedLogNormal": "median", "Beta": "mean", "Gamma": "mean",
          "Exponential": "mean", "HalfNormal": "scale", "HalfCauchy": "scale", "Uniform": "middle"}  # fmt: skip
"""What the first slider of each family sets; priors of other families have no sliders."""
_ONE_SLIDER = ("HalfNormal", "HalfCauchy", "Exponential")
_ROWS = {"offences_avoided": ("offencesYear", "offencesTotal"),
         "victim_crimes_avoided": ("crimesYear", "crimesTotal"), "net_benefit": ("", "netBenefit")}  # fmt: skip


def carried(fit: DataTree, study: Study, futures: Dataset, default: str) -> dict[str, Any]:
    """Collect what the page carries.

    Parameters
    ----------
    fit, study, futures
        A fit of the shipped model, its study, and its projection over every scenario.
    default
        The scenario shown first.

    Returns
    -------
    dict
        Plain data for JSON: ``draws`` as base64 of little-endian 64-bit floats, chains end to end, ``rules``, by
        which weights are relied on, and ``apart``, by which numbers are marked as not told apart from 0.

    Raises
    ------
    UsageError
        If the fit or the projection lacks what the page computes with.
    """
    posterior = fit["posterior"].to_dataset()
    ordered = sorted(study.priors.values(), key=lambda p: [*TITLES, p.name].index(p.name))
    priors = [
        _prior(p, fit) for p in ordered if p.name in posterior and p.name not in WITHOUT_SLIDERS and p.family in _WORDS
    ]
    names = [*NEEDED, *(["targeting_strength"] if "targeting_strength" in posterior else [])]
    draws = {name: _draws(posterior, name) for name in dict.fromkeys([*names, *(p["name"] for p in priors)])}
    labels = distinct_labels({name: scenario.label for name, scenario in study.scenarios.items()})
    countries = {s.coverage_of for s in study.scenarios.values() if s.coverage_of}
    draws |= {f"coverage {name}": _encoded(posterior["coverage"].sel(country=name)) for name in sorted(countries)}
    return {
        "chains": posterior.sizes["chain"], "draws_per_chain": posterior.sizes["draw"], "prob": PROB,
        "settings": {"horizon_years": study.settings.horizon_years, "discount_rate": study.settings.discount_rate},
        "default_scenario": default, "threshold": _threshold(futures, default),
        "scenarios": [_scenario(s, labels[name]) for name, s in study.scenarios.items()],
        "rules": rules(posterior.sizes["chain"] * posterior.sizes["draw"]),
        "apart": {"errors": APART, "mark": NOT_APART, "words": NOT_APART_WORDS},
        "priors": priors, "published": _published(futures), "draws": draws,
    }  # fmt: skip


def _prior(prior: Prior, fit: DataTree) -> dict[str, Any]:
    forward = set(json.loads(fit.attrs.get("forward_variables", "[]")))
    unit = UNITS[prior.unit]
    return {
        "name": prior.name, "title": _title(prior.name), "meaning": prior.meaning, "unit": prior.unit,
        "family": prior.family, "parameters": prior.parameters,
        "lower": _finite(unit.lower), "upper": _finite(unit.upper), "word": _WORDS[prior.family],
        "two": prior.family not in _ONE_SLIDER, "main": prior.name in MAIN,
        "forward": bool(forward & {prior.name, f"{prior.name}_excess"}),
    }  # fmt: skip


def _title(name: str) -> str:
    words = named(name)
    return TITLES.get(name, words[0].upper() + words[1:])


def _finite(end: float) -> float:
    """An end of a support as JSON can have it: beyond any quantity where there is none."""
    return float(np.clip(end, -1e300, 1e300))


def _scenario(scenario: Scenario, label: str) -> dict[str, Any]:
    return {"label": label} | {key: getattr(scenario, key) for key in ("name", "places", "coverage_of", "start_year",
            "years_to_full", "ramp", "demand_cap", "against", "stress")}  # fmt: skip


def _draws(posterior: Dataset, name: str) -> str:
    if name not in posterior:
        found = sorted(map(str, posterior.data_vars))
        raise UsageError(
            "the fit lacks a variable that the what-if needs",
            key=name,
            found=found,
            fix="fit the model of bayes.build_model",
        )
    return _encoded(posterior[name])


def _encoded(array: Any) -> str:
    """Draws (chain, draw) end to end as base64 of little-endian 64-bit floats: nothing is rounded."""
    values = np.asarray(array.transpose("chain", "draw").values, dtype="<f8")
    return base64.b64encode(values.tobytes()).decode("ascii")


def _threshold(futures: Dataset, scenario: str) -> float:
    """A round number of offences to begin with: the median of the last year, to one digit."""
    median = float(np.median(futures["offences_avoided"].sel(scenario=scenario).isel(year=-1)))
    return float(f"{max(median, 1.0):.0e}")


def _published(futures: Dataset) -> dict[str, dict[str, list[list[float | None]]]]:
    """The run's own summaries by scenario and row of the panel: a list over years, or the one of the horizon."""
    names = list(_ROWS)
    chosen = futures[names]
    yearly = summarise(chosen, prob=PROB, kind="eti", variables=names[:2])
    total = summarise(horizon_total(futures)[names], prob=PROB, kind="eti")
    found: dict[str, dict[str, list[list[float | None]]]] = {str(name): {} for name in futures["scenario"].values}
    for table, at in ((yearly, 0), (total, 1)):
        for row in table.itertuples():
            found[row.scenario].setdefault(_ROWS[row.variable][at], []).append(_numbers(row))
    return found


def _numbers(row: Any) -> list[float | None]:
    """Median, lower and upper end, each with its Monte Carlo error; None for an error that cannot be told."""
    ends = (row.estimate, row.mcse, row.lower, row.mcse_lower, row.upper, row.mcse_upper)
    return [float(number) if np.isfinite(number) else None for number in ends]
