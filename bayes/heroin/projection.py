"""Scale-up scenarios projected on the draws of a fit, by :mod:`bayes.heroin.outcomes`: arithmetic, never a new fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit, Futures, fit_from, futures_from
from bayes.errors import StudyError, UsageError, check_word
from bayes.heroin.model.stamp import fit_hash
from bayes.heroin.outcomes import ABSENT, GIVEN, calculation
from bayes.heroin.quantities import UNIT_OF
from bayes.heroin.tail import LIGHT, TAILED, shape_by_model
from bayes.heroin.words import WORDS, words_of_study
from bayes.outcomes import given_values, summed
from bayes.outcomes import projection_of as projection_of_outcomes
from bayes.projection import Projection, whole
from bayes.study import Study
from bayes.words import attributes as told

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["attributes", "horizon_total", "project", "projection_of", "with_absent"]


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
        Dims ``chain, draw, scenario, year``; variables as in :data:`~bayes.heroin.quantities.UNIT_OF`, each with its
        ``unit`` as an attribute. ``year`` counts from 1. Attributes carry the fit's stamp and verdict.

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
    made = json.loads(fit.attrs.get("inputs", "{}")).get("study")
    if made and made != fit_hash(study):
        raise StudyError("this fit was made from other priors or other evidence", found=made, allowed=fit_hash(study),
                         fix="name the study it was made from, or fit again")  # fmt: skip
    for name in scenarios or ():
        check_word(name, study.scenarios, "there is no such scenario", key="scenarios")
    chosen, known = [study.scenarios[name] for name in scenarios or study.scenarios], with_absent(fit, group)
    given_values(known, GIVEN, group)
    outcomes = calculation(chosen, study.settings, [str(country) for country in known[group].coords["country"].values])
    found = projection_of_outcomes(known, outcomes, words_of_study(study), group=group)
    tail = shape_by_model(fit[group].data_vars, study.priors)
    empty = found.empty.assign_attrs(discount_rate=study.settings.discount_rate)
    return replace(found, empty=empty, attributes={name: attributes(name, tail) for name in UNIT_OF})


def with_absent(fit: DataTree, group: str = "posterior") -> DataTree:
    """Return a group of draws with what a model without some part has in its place."""
    from xarray import DataTree

    node: Dataset = fit[group].to_dataset()
    shape = node.sizes["chain"], node.sizes["draw"]
    absent = {name: (("chain", "draw"), np.full(shape, value)) for name, value in ABSENT.items() if name not in node}
    found = DataTree.from_dict({group: node.assign(absent)})
    found.attrs = dict(fit.attrs)
    return found


def attributes(name: str, tail_shape: float | None = None) -> dict[str, str | float]:
    """Return the attributes of a projected quantity: its unit, where it is undefined, its tail where that is known."""
    found: dict[str, str | float] = dict(told(name, WORDS))
    if name in TAILED | LIGHT and tail_shape is not None:
        found["tail_shape"] = tail_shape if name in TAILED else 0.0
    return found | {"unit": UNIT_OF[name]}


@checked
def horizon_total(futures: Futures) -> Dataset:
    """Sum a projection over its years, draw by draw: dims ``chain, draw, scenario``.

    Flows are summed; ``net_benefit`` is already discounted year by year, ``programme_cost`` and offences are not.
    Ratios are recomputed from the sums, and probabilities become whether the event happens in any year.
    """
    futures = futures_from(futures)
    if not ({"scenario", "year"} <= set(futures.dims) and set(UNIT_OF) <= set(map(str, futures.data_vars))):
        raise UsageError("this is not what bayes.project returned", key="futures", found=list(map(str, futures)),
                         allowed=f"the quantities {', '.join(UNIT_OF)} by scenario and year",
                         fix="project the fit first")  # fmt: skip
    return summed(futures if "words" in futures.attrs else futures.assign_attrs(words=WORDS.text()))
