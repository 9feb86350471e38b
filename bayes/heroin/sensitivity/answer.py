"""One question put to a fit of the shipped model: which quantity, in which scenario, in which year.

A :class:`Answer` computes its targets from any draws of the model's variables, and knows how a changed study is fitted
again. The rest of :mod:`bayes.sensitivity` sees only targets and callables.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError, check_word
from bayes.evidence import Row
from bayes.heroin.evidence import TABLES
from bayes.heroin.model import Structure
from bayes.heroin.model.stamp import fit_hash
from bayes.heroin.outcomes import GIVEN, calculation
from bayes.heroin.plans import plan_of
from bayes.heroin.projection import attributes, with_absent
from bayes.heroin.quantities import UNIT_OF
from bayes.heroin.sensitivity.exact import exact_effects_part
from bayes.heroin.sensitivity.rows import Cluster, Reduction, clusters
from bayes.heroin.tail import shape_by_model
from bayes.outcomes import given_values, played
from bayes.scenarios import middle_scenario
from bayes.sensitivity.components import Layout
from bayes.sensitivity.refits import Part, completed, flat_draws, layout, resampled
from bayes.sensitivity.weights import Floats
from bayes.study import Study

if TYPE_CHECKING:
    from xarray import DataArray, Dataset, DataTree

    from bayes.sampling.fit import Plan

__all__ = ["BEARS", "EFFECTS", "Answer", "default_scenario", "without_rows"]

EFFECTS = {"mu_theta": "log ratio", "tau_theta": "log sd", "theta_new": "log ratio"}
"""Pooled effect, spread between settings and predictive effect, followed beside the target, with their units."""

ANCHORS = ("mu_theta", "offences_per_user_year", "mu_coverage", "retention_scale")
"""One variable of each component of the model, by which it is called."""
BEARS = {"effects": "mu_theta", "biases": "mu_theta", "drift": "mu_theta", "small_studies": "mu_theta",
         "ceiling": "offences_per_user_year", "retention_varies": "retention_scale",
         "unmet_demand": "mu_coverage"}  # fmt: skip
"""Switches of the structure that change a component, with its name; the others change the projection alone."""
_FOLLOW = ("fidelity", "theta_new", "gamma_new")
"""Variables that decide inputs of the projection."""
_OF_ROWS = ("offset", "ceiling_fitted", "sigma_study", "log_study_mean", "shape_month", "mu_gamma", "tau_gamma",
            "effect_weight", "mu_coverage", "tau_coverage", "logit_coverage", "retention_scale", "retention_shape",
            "sigma_retention", "log_retention_scale")  # fmt: skip
WANTED = frozenset({*GIVEN, *EFFECTS, *_OF_ROWS, "gamma_new", "fidelity"})
"""What targets, effects and the densities of rows are computed from."""


@dataclass(frozen=True, eq=False)
class Answer:
    """A quantity of a projection, and the fit behind it.

    Parameters
    ----------
    fit, study, structure
        A fit, the study it was made from and the structure of its model.
    scenario, quantity
        A scenario of the study and a quantity of :data:`bayes.heroin.quantities.UNIT_OF`.
    year
        Year of the horizon, from 1; the last by default.

    Raises
    ------
    UsageError
        If scenario, quantity or year do not exist.
    """

    fit: DataTree
    study: Study
    structure: Structure
    scenario: str
    quantity: str = "offences_avoided"
    year: int | None = None
    kept: dict[Any, Any] = field(default_factory=dict, init=False)  # components and programs of refits
    _refits: dict[Any, Dataset] = field(default_factory=dict, init=False)
    _of_refits: dict[int, dict[str, DataArray]] = field(default_factory=dict, init=False)
    _parts: dict[Any, Part] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for key, value, allowed in (
            ("scenario", self.scenario, self.study.scenarios),
            ("target", self.quantity, UNIT_OF),
        ):
            check_word(value, allowed, f"there is no such {key}", key=key)
        if not 1 <= self.asked_year <= self.study.settings.horizon_years:
            years = f"1 to {self.study.settings.horizon_years}"
            raise UsageError("the projection has no such year", key="year", found=self.year, allowed=years)

    @property
    def asked_year(self) -> int:
        """The year asked for."""
        return self.study.settings.horizon_years if self.year is None else self.year

    @property
    def unit(self) -> str:
        """Unit of the target."""
        return UNIT_OF[self.quantity]

    @cached_property
    def posterior(self) -> Dataset:
        """Posterior draws of the fit."""
        return self.fit["posterior"].to_dataset()

    @cached_property
    def _read(self) -> Dataset:
        """What targets are computed from: the rest of the posterior would only be carried along."""
        return self.posterior[[name for name in self.posterior.data_vars if name in WANTED]]

    @cached_property
    def draws(self) -> dict[str, Floats]:
        """Posterior draws (draw, …) by variable."""
        return flat_draws(self.posterior)

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Numbers of chains and draws."""
        return self.posterior.sizes["chain"], self.posterior.sizes["draw"]

    @cached_property
    def targets(self) -> dict[str, DataArray]:
        """The target and the effects of :data:`EFFECTS`, as fitted."""
        return self.targets_of(self.posterior)

    @cached_property
    def tail_shape(self) -> float | None:
        """Shape of the tail of what is avoided and of its worth, where the priors tell it."""
        return shape_by_model(self.posterior.data_vars, self.study.priors)

    @cached_property
    def clusters(self) -> list[Cluster]:
        """The evidence, cluster by cluster."""
        return clusters(self.draws, self.study, self.structure, self.reduction)

    @cached_property
    def reduction(self) -> Reduction:
        """The log ratios at the draws of the fit."""
        return Reduction.of(self.draws, self.study, self.structure)

    def shaped(self, values: Floats) -> Floats:
        """Give draws (draw,) their chains: (chain, draw)."""
        return np.asarray(values, dtype=float).reshape(self.shape)

    def target_of(self, posterior: Dataset, quantity: str | None = None, cap: bool | None = None) -> DataArray:
        """Project draws and return the target (chain, draw); ``cap`` overrules whether demand limits the scenario."""
        from xarray import DataArray, DataTree

        quantity = quantity or self.quantity
        chosen = self.study.scenarios[self.scenario]
        chosen = chosen if cap is None else replace(chosen, demand_cap=cap)
        known = with_absent(DataTree.from_dict({"posterior": posterior}))
        countries = list(map(str, posterior["country"].values))
        outcomes = calculation([chosen], self.study.settings, countries, [self.asked_year]).only([quantity])
        size = posterior.sizes["chain"] * posterior.sizes["draw"]
        values = played(outcomes, given_values(known, outcomes.given), size)[quantity]
        labels = {"chain": posterior["chain"].values, "draw": posterior["draw"].values}
        shape = len(labels["chain"]), len(labels["draw"])
        return DataArray(values.reshape(shape), labels, tuple(labels), quantity, attributes(quantity, self.tail_shape))

    def targets_of(self, posterior: Dataset) -> dict[str, DataArray]:
        """Compute the target and the effects from draws of the model's variables."""
        found = {self.quantity: self.target_of(posterior)}
        return found | {
            name: posterior[name].assign_attrs(unit=unit) for name, unit in EFFECTS.items() if name in posterior
        }

    def with_values(self, values: Mapping[str, Floats | float]) -> Dataset:
        """Return the posterior with variables replaced, by draws (chain, draw) or numbers, and what follows."""
        new = {name: (("chain", "draw"), np.broadcast_to(value, self.shape)) for name, value in values.items()}
        posterior = self._read.assign(new)
        if "rate_ratio" not in values:
            posterior = posterior.assign(rate_ratio=np.exp(posterior["fidelity"] * posterior["theta_new"]))
        if "gamma_new" in values and "drift" not in values:
            posterior = posterior.assign(drift=np.exp(posterior["gamma_new"]))
        return posterior

    @cached_property
    def _plan(self) -> Plan:
        return plan_of(self.study, self.structure)

    @cached_property
    def layout(self) -> Layout:
        """Components of the model, and the dims of observed variables whose rows can be left out by a weight."""
        return layout(self._plan, self.kept)

    @cached_property
    def owners(self) -> dict[str, str]:
        """Rows that can be left out by a weight, with the observed variable each is an element of."""
        return self.layout.owners(self._plan.coords)

    @cached_property
    def component(self) -> dict[str, str]:
        """Name of the component each variable belongs to: one of :data:`ANCHORS`."""
        found: dict[str, str] = {}
        for group in self.layout.components:
            found |= dict.fromkeys((*group, *(name.removesuffix("_excess") for name in group)), _anchor(group))
        return found

    def with_known(self, values: Mapping[str, Floats | float]) -> DataArray:
        """Return the target with variables replaced, and what follows from them."""
        if not values.keys() & {*GIVEN, *_FOLLOW}:
            return self.targets[self.quantity]
        return self.target_of(self.with_values(values))

    def targets_with(self, values: Mapping[str, Floats | float]) -> dict[str, DataArray]:
        """Return the target and the effects with variables replaced."""
        effects = {
            name: old.copy(data=np.broadcast_to(values[name], self.shape))
            for name, old in self.targets.items()
            if name in values
        }
        return self.targets | effects | {self.quantity: self.with_known(values)}

    def refitted(
        self, study: Study, structure: Structure, changed: Collection[str], without: Collection[str] = ()
    ) -> Dataset:
        """Fit a changed study without some rows, sampling only the components that changed; each change once.

        A component is sampled from the study as fitted but for what bears on this component, so that its draws serve
        every change that does the same to it.
        """
        gone = {row for row in without if row in self.owners}
        study = without_rows(study, {*without} - gone)
        key = (fit_hash(study), repr(structure), *(tuple(sorted(names)) for names in ({*changed}, gone)))
        if key not in self._refits:
            plan = plan_of(study, structure)
            changed = {*changed, *(self.owners[row] for row in gone)}
            groups = [group for group in layout(plan, self.kept).components if group & changed]
            before = {name for group in self.layout.components if group & changed for name in group}
            changed |= before.difference(*groups)  # what no evidence bears on any more returns to its prior
            parts = {group: self._part(group, study, structure, gone) for group in groups}
            self._refits[key] = completed(plan, self.fit, parts, changed, wanted=WANTED, kept=self.kept)
        return self._refits[key]

    def _part(self, group: frozenset[str], study: Study, structure: Structure, gone: Collection[str]) -> Part:
        """Sample a component of a changed study, exactly where that is possible; once for each change of it."""
        anchor = _anchor(group)
        own = self._own(study, anchor)
        mine = {name: getattr(structure, name) for name, bears in BEARS.items() if bears == anchor}
        structure = replace(self.structure, **mine)
        rows = sorted(row for row in gone if self.owners[row] in group)
        key = (anchor, fit_hash(own), repr(structure), *rows)
        if key not in self._parts:
            part = None
            if anchor == "mu_theta" and not rows:
                part = exact_effects_part(own, structure, self.shape)
            if part is None or (group - part.draws.keys()) & {*self.posterior.data_vars, *own.priors}:
                part = resampled(plan_of(own, structure), self.fit, group, without=rows, kept=self.kept)
            self._parts[key] = part
        return self._parts[key]

    def _own(self, study: Study, anchor: str) -> Study:
        """The study as fitted, but for the priors and the evidence of one component."""
        moved = {name for name in study.priors if self.component.get(name) == anchor}
        priors = {name: (study if name in moved else self.study).priors[name] for name in study.priors}
        tables = {name: name in TABLES and TABLES[name].informs == anchor for name in study.evidence}
        evidence = {name: (study if mine else self.study).evidence[name] for name, mine in tables.items()}
        return replace(study, priors=priors, evidence=evidence)

    def refit(
        self, study: Study, structure: Structure, changed: Collection[str], without: Collection[str] = ()
    ) -> dict[str, DataArray]:
        """Fit a changed study and return its targets, stamped with the quality of the chains; see :meth:`refitted`."""
        posterior = self.refitted(study, structure, changed, without)
        if id(posterior) not in self._of_refits:
            targets = replace(self, study=study, structure=structure).targets_of(posterior)
            stamped = {name: target.assign_attrs(posterior.attrs) for name, target in targets.items()}
            self._of_refits[id(posterior)] = stamped
        return self._of_refits[id(posterior)]


def _anchor(group: Collection[str]) -> str:
    """What a component is called."""
    return next((name for name in ANCHORS if name in group), min(group))


def without_rows(study: Study, rows: Collection[str]) -> Study:
    """Return the study with rows kept out of the likelihood."""
    if not rows:
        return study

    def kept(row: Row) -> Row:
        return replace(row, use="excluded") if row.row in rows else row

    return replace(study, evidence={name: tuple(kept(row) for row in table) for name, table in study.evidence.items()})


def default_scenario(study: Study) -> str:
    """Return the scenario of the headline: the one its settings name, or the middle one."""
    return study.settings.headline or middle_scenario({name: s.stress for name, s in study.scenarios.items()})
