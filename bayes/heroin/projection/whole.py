"""The projection as one dataset in memory, and its sums over the horizon."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit, Futures, fit_from, futures_from
from bayes.errors import StudyError, UsageError, check_word
from bayes.heroin.model.stamp import fit_hash
from bayes.heroin.projection.formulas import FORMULAS, outcome
from bayes.heroin.projection.inputs import Inputs, inputs_of
from bayes.heroin.projection.tail import shape_by_model
from bayes.heroin.projection.units import attributes
from bayes.heroin.scenarios import Scenario, Settings
from bayes.heroin.words import WORDS
from bayes.outcomes import summed
from bayes.projection import Projection, whole
from bayes.provenance import fit_id
from bayes.scenarios import distinct_labels
from bayes.study import Study
from bayes.words import study_words

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["chosen_scenarios", "empty_futures", "fill", "horizon_total", "is_projection", "project", "projection_of"]


@checked
def project(fit: Fit, study: Study, *, scenarios: Sequence[str] | None = None, group: str = "posterior") -> Dataset:
    """Project draws over scenarios and years.

    Parameters
    ----------
    fit
        What :func:`bayes.sample` returned for the model of this study, or a run folder or file that holds it.
    study
        Scenarios and settings come from here.
    scenarios
        Names to project; all by default.
    group
        ``posterior``, or ``prior`` for what the priors alone imply.

    Returns
    -------
    Dataset
        Dims ``chain, draw, scenario, year``; variables as in :data:`UNIT_OF`, each with its ``unit`` as an attribute.
        ``year`` counts from 1. Attributes carry the fit's stamp and verdict.

    Raises
    ------
    UsageError
        If a scenario is unknown or the fit lacks a variable.

    Examples
    --------
    >>> import bayes
    >>> futures = bayes.project(fit, bayes.load_study())
    """
    return whole(projection_of(fit, study, scenarios=scenarios, group=group))


def projection_of(
    fit: Fit, study: Study, *, scenarios: Sequence[str] | None = None, group: str = "posterior"
) -> Projection:
    """Return what :func:`project` computes, before it is computed: it can be cut into blocks of scenarios."""
    fit = fit_from(fit)
    check_word(group, list(fit.children), "the fit has no such group of draws", key="group")
    _refuse_other(fit, study)
    chosen = chosen_scenarios(study, scenarios)
    inputs = inputs_of(fit, group=group, rows=len(chosen) * study.settings.horizon_years)
    tail = shape_by_model(fit[group].data_vars, study.priors)
    return Projection(empty_futures(fit, study, chosen, group), {name: attributes(name, tail) for name in FORMULAS},
                      _block, (inputs, chosen, study.settings))  # fmt: skip


def _refuse_other(fit: DataTree, study: Study) -> None:
    """Refuse a fit that says it was made from other priors or evidence."""
    made = json.loads(fit.attrs.get("inputs", "{}")).get("study")
    if made and made != fit_hash(study):
        raise StudyError("this fit was made from other priors or other evidence", found=made, allowed=fit_hash(study),
                         fix="name the study it was made from, or fit again")  # fmt: skip


def _block(shared: tuple[Inputs, Sequence[Scenario], Settings], numbers: Sequence[int]) -> Mapping[str, np.ndarray]:
    """Some scenarios: arrays (scenario, year, draw) by name."""
    inputs, chosen, settings = shared
    shape = len(numbers), settings.horizon_years, inputs.size
    return fill(inputs, [chosen[i] for i in numbers], settings, {name: np.empty(shape) for name in FORMULAS})


def fill(
    inputs: Inputs, scenarios: Sequence[Scenario], settings: Settings, out: Mapping[str, np.ndarray]
) -> Mapping[str, np.ndarray]:
    """Compute quantities into arrays (scenario, year, draw), by name, and return them."""
    for i, scenario in enumerate(scenarios):
        found = outcome(inputs, scenario, settings)
        for name, values in out.items():
            values[i] = found(name)
    return out


def empty_futures(fit: DataTree, study: Study, scenarios: Sequence[Scenario], group: str = "posterior") -> Dataset:
    """Return the coordinates and attributes of a projection."""
    import xarray as xr

    node = fit[group]
    labels = distinct_labels({name: scenario.label for name, scenario in study.scenarios.items()}
                             | {scenario.name: scenario.label for scenario in scenarios})  # fmt: skip
    coords = {"chain": node["chain"].values, "draw": node["draw"].values, "scenario": [s.name for s in scenarios],
              "year": np.arange(1, study.settings.horizon_years + 1),
              "label": ("scenario", [labels[s.name] for s in scenarios]),
              "stress": ("scenario", [s.stress for s in scenarios])}  # fmt: skip
    attrs = {"verdict": fit.attrs.get("verdict", "not checked"), "inputs_hash": fit.attrs.get("inputs_hash", ""),
             "fit": fit_id(fit.attrs), "discount_rate": study.settings.discount_rate, "group": group,
             "words": study_words(WORDS, study).text()}  # fmt: skip
    return xr.Dataset(coords=coords, attrs=attrs)


def chosen_scenarios(study: Study, names: Sequence[str] | None) -> list[Scenario]:
    """Return scenarios by name, all by default.

    Raises
    ------
    UsageError
        If there is no such scenario.
    """
    for name in names or ():
        if name not in study.scenarios:
            raise UsageError("there is no such scenario", key="scenarios", found=name, allowed=study.scenarios)
    return [study.scenarios[name] for name in (names or study.scenarios)]


def is_projection(futures: Dataset) -> bool:
    """Return whether a dataset has the quantities, scenarios and years that :func:`project` returns."""
    return {"scenario", "year"} <= set(futures.dims) and set(FORMULAS) <= set(map(str, futures.data_vars))


@checked
def horizon_total(futures: Futures) -> Dataset:
    """Sum a projection over its years, draw by draw: dims ``chain, draw, scenario``.

    Flows are summed; ``net_benefit`` is already discounted year by year, ``programme_cost`` and offences are not.
    Ratios are recomputed from the sums, and probabilities become whether the event happens in any year.
    """
    futures = futures_from(futures)
    if not is_projection(futures):
        raise UsageError("this is not what bayes.project returned", key="futures", found=list(map(str, futures)),
                         allowed=f"the quantities {', '.join(FORMULAS)} by scenario and year",
                         fix="project the fit first")  # fmt: skip
    return summed(futures if "words" in futures.attrs else futures.assign_attrs(words=WORDS.text()))
