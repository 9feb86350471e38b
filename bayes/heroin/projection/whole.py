"""The projection as one dataset in memory, and its sums over the horizon."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.elsewhere import Fit, Futures, fit_from, futures_from
from bayes.errors import UsageError, check_word
from bayes.heroin.projection.formulas import FORMULAS, outcome
from bayes.heroin.projection.inputs import Inputs, inputs_of
from bayes.heroin.projection.tail import shape_by_model
from bayes.heroin.projection.units import attributes
from bayes.heroin.scenarios import Scenario, Settings
from bayes.heroin.words import WORDS, words_for
from bayes.outcomes import summed
from bayes.scenarios import distinct_labels
from bayes.study import Study
from bayes.workers import cores

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["DIMS", "by_draw", "chosen_scenarios", "empty_futures", "fill", "horizon_total", "is_projection", "project"]

DIMS = ("chain", "draw", "scenario", "year")


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
    fit = fit_from(fit)
    check_word(group, list(fit.children), "the fit has no such group of draws", key="group")
    chosen = chosen_scenarios(study, scenarios)
    inputs = inputs_of(fit, group=group, rows=len(chosen) * study.settings.horizon_years)
    shape = (len(chosen), study.settings.horizon_years, inputs.size)
    out = {name: np.empty(shape) for name in FORMULAS}
    in_threads(lambda i: fill(inputs, chosen[i : i + 1], study.settings, _at(out, i)), len(chosen))
    tail = shape_by_model(fit[group].data_vars, study.priors)
    data = {name: (DIMS, by_draw(inputs, out.pop(name)), attributes(name, tail)) for name in FORMULAS}
    return empty_futures(fit, study, chosen, group).assign(data)


def fill(
    inputs: Inputs, scenarios: Sequence[Scenario], settings: Settings, out: Mapping[str, np.ndarray]
) -> Mapping[str, np.ndarray]:
    """Compute quantities into arrays (scenario, year, draw), by name, and return them."""
    for i, scenario in enumerate(scenarios):
        found = outcome(inputs, scenario, settings)
        for name, values in out.items():
            values[i] = found(name)
    return out


def by_draw(inputs: Inputs, values: np.ndarray) -> np.ndarray:
    """Return values (scenario, year, draw) as a projection keeps them: (chain, draw, scenario, year)."""
    whole = values.reshape(*values.shape[:2], len(inputs.chain), -1)
    return np.ascontiguousarray(whole.transpose(2, 3, 0, 1))


def _at(out: Mapping[str, np.ndarray], i: int) -> Mapping[str, np.ndarray]:
    return {name: values[i : i + 1] for name, values in out.items()}


def in_threads(task: Callable[[int], object], count: int) -> None:
    """Call a task for 0, 1, …; NumPy lets threads compute at once."""
    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(task, range(count)):
            pass


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
    attrs = {
        "verdict": fit.attrs.get("verdict", "not checked"),
        "inputs_hash": fit.attrs.get("inputs_hash", ""),
        "discount_rate": study.settings.discount_rate,
        "group": group,
        "words": words_for(study).text(),
    }
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
