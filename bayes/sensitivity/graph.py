"""A case read off the graph of a question's model: nothing has to be said of it but what no graph can tell.

Where a variable is moved, what is drawn given it is drawn again with the same random numbers, and the outcomes are
played again. Where a prior, a row or the structure changes and weights fail, the model is sampled again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes.errors import UsageError, check_word
from bayes.outcomes import Outcomes, given_values, played
from bayes.question import applied
from bayes.sensitivity._acceptability import prices_of
from bayes.sensitivity._budget import Step
from bayes.sensitivity._conflict import Source
from bayes.sensitivity._leave_one_out import row_changes
from bayes.sensitivity._worlds import study_in
from bayes.sensitivity.case import Case, Decision, Inputs, Lived, Request
from bayes.sensitivity.changes import Change
from bayes.sensitivity.components import Row, reached
from bayes.sensitivity.crossing import Lever
from bayes.sensitivity.refits import layout, part_of, refit
from bayes.summaries import element_names
from bayes.words import headline, words_of

if TYPE_CHECKING:
    from xarray import DataArray, Dataset, DataTree

    from bayes.plans import Asked
    from bayes.question import World
    from bayes.sampling.forward import Piece
    from bayes.study import Study

__all__ = ["case_of"]

type Arrays = dict[str, np.ndarray]

_SEED = 1
"""Of what is drawn again: the same for every value of a lever."""
_LONG = 40
"""Elements of a vector beyond which it is no input whose share of the variance could be told."""


def case_of(asked: Asked, fit: DataTree, futures: Dataset, request: Request) -> Case:
    """Return what analyses of a question's answer start from.

    Parameters
    ----------
    asked
        The question put to its study.
    fit, futures
        Of a run: its fit and its projection.
    request
        Scenario, outcome and time; the question's own by default.

    Raises
    ------
    UsageError
        If scenario, outcome or time do not exist.
    """
    words, scenarios = asked.words, [str(name) for name in futures["scenario"].values]
    chosen = {"scenario": request.scenario or words.headline or headline(futures),
              "target": request.quantity or asked.question.target}  # fmt: skip
    for key, allowed in (("scenario", scenarios), ("target", [str(name) for name in futures.data_vars])):
        check_word(chosen[key], allowed, f"there is no such {key}", key=key)
    years = [int(year) for year in futures["year"].values]
    year = years[-1] if request.year is None else request.year
    if year not in years:
        raise UsageError("the projection has no such year", key="year", found=year, allowed=map(str, years))
    target = futures[chosen["target"]].sel(scenario=chosen["scenario"], year=year).transpose("chain", "draw").load()
    answer = _Answer(asked, fit, None if asked.computed else asked.outcomes(fit), target)
    question, study = asked.question, asked.study
    return Case(
        asked=asked, projected=answer.projected, fit=fit, target=answer.name, targets={answer.name: target},
        place={"scenario": chosen["scenario"], "year": year}, words=words, times=years,
        priors={} if study is None else {name: one for name, one in study.priors.items() if answer.has(name)},
        moved=answer.moved, again=answer.with_priors, rows=answer.rows if answer.observed else None,
        variants=answer.variants, world=answer.world, levers=answer.levers,
        steps=answer.steps if question.steps else None,
        sources=answer.sources if "posterior_predictive" in fit.children and answer.observed else None,
        inputs=answer.inputs, decision=cache(partial(_decision, answer, futures)) if words.net_benefit else None,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Answer:
    """The target of a question, its fit and the calculation from draws to outcomes, where no function computes them."""

    asked: Asked
    fit: DataTree
    outcomes: Outcomes | None
    target: DataArray
    kept: dict[Any, Any] = field(default_factory=dict, init=False)  # what refits and calculations share

    @property
    def name(self) -> str:
        return str(self.target.name)

    @property
    def observed(self) -> bool:
        """Whether rows of evidence are known one by one."""
        return "log_likelihood" in self.fit.children or self.asked.question.marginals is not None

    @cached_property
    def free(self) -> list[str]:
        """Free variables of the model that the fit has."""
        return [str(v.name) for v in self.asked.sampled.free_RVs if v.name in self.fit["posterior"].data_vars]

    @cached_property
    def draws(self) -> Arrays:
        """Draws (draw, …) of the free variables, chains end to end."""
        return given_values(self.fit, self.free)

    def has(self, name: str) -> bool:
        """Whether a declared quantity is a variable of the fit."""
        return name in self.fit["posterior"].data_vars

    @cached_property
    def given(self) -> list[str]:
        """Free variables that the outcomes start from."""
        return self.asked.inputs() if self.outcomes is None else list(self.outcomes.given)

    @property
    def held(self) -> Mapping[str, np.ndarray]:
        """Data that the outcomes take."""
        return {} if self.outcomes is None else self.outcomes.data

    def values(self, values: Mapping[str, np.ndarray], size: int, data: Arrays | None = None) -> np.ndarray:
        """The target (draw,) of other draws (draw, …) and data."""
        if self.outcomes is None:
            return self._computed(values, size)
        found = played(self.outcomes, values, size, data)[self.name]
        scenario = self.outcomes.scenarios.index(str(self.target["scenario"].values))
        return np.asarray(found[:, scenario, self.outcomes.years.index(int(self.target["year"]))])

    def _computed(self, values: Mapping[str, np.ndarray], size: int) -> np.ndarray:
        """The same by the question's own function, of these draws and all that the model computes from them."""
        import xarray as xr

        from bayes.projection import whole
        from bayes.sampling.forward import data_of, following
        from bayes.sampling.proof import proved
        from bayes.sampling.tree import SIZE

        model, posterior = self.asked.sampled, self.fit["posterior"]
        names = [str(v.name) for v in model.deterministics if v.name in posterior.data_vars]
        known = {name: values[name] for name in self.free}
        if names and "deterministics" not in self.kept:
            calculation = following(model, [model[name] for name in names], self.free)
            self.kept["deterministics"] = proved(calculation, known).piece
        if names:
            found = self.kept["deterministics"]({**known, **data_of(model), SIZE: np.asarray(size)}, _SEED)
            known |= {name: np.broadcast_to(found[name], (size, *found[name].shape[1:])) for name in names}
        data = {name: (posterior[name].transpose("chain", "draw", ...).dims, value[None])
                for name, value in known.items()}  # fmt: skip
        coords = {name: posterior[name] for name in map(str, posterior.coords) if name not in ("chain", "draw")}
        draws = xr.Dataset(data, {"chain": [0], "draw": np.arange(size), **coords})
        tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs=self.fit.attrs), "posterior": draws})
        place = {"scenario": str(self.target["scenario"].values), "year": int(self.target["year"])}
        return np.ravel(whole(self.asked.projection(tree))[self.name].sel(place).values)

    def played(self, values: Mapping[str, np.ndarray], data: Arrays | None = None) -> DataArray:
        """The same by chain and draw, as many as were fitted."""
        return self.target.copy(data=self.values(values, self.target.size, data).reshape(self.target.shape))

    def projected(self, posterior: Dataset, study: Study | None, data: Mapping[str, Any]) -> DataArray:
        """The target of draws of any number, with the data of another study, or these, where they are of its shape."""
        import xarray as xr

        shape = posterior.sizes["chain"], posterior.sizes["draw"]
        other = replace(self, asked=replace(self.asked, study=study))
        values = given_values(xr.DataTree.from_dict({"posterior": posterior}), self.given if self.held else self.free)
        fitting = {name: value for name, value in {**other.data(), **data}.items()
                   if name in self.held and value.shape == self.held[name].shape}  # fmt: skip
        found = other.values(values, shape[0] * shape[1], fitting).reshape(shape)
        return xr.DataArray(found, dims=("chain", "draw"), name=self.name, attrs=self.target.attrs)

    def data(self) -> Arrays:
        """What the outcomes take of the model's data."""
        return {name: np.asarray(self.asked.model[name].get_value()) for name in self.held}

    # --- moved ------------------------------------------------------------------------------------

    def moved(self, changed: Mapping[str, Any]) -> dict[str, DataArray]:
        """The target with other draws (chain, draw) of variables, or one value, and of what is drawn given them."""
        data = {name: np.full_like(self.held[name], value) for name, value in changed.items() if name in self.held}
        own = dict(self.own(name, value) for name, value in changed.items() if name not in data)
        return {self.name: self.played({**self.draws, **own, **self._following(own)}, data)}

    def own(self, name: str, value: Any) -> tuple[str, np.ndarray]:
        """The free variable behind a quantity, with draws (draw, …): a shifted one is its excess."""
        variable = name if name in self.free else f"{name}_excess"
        if variable not in self.free:
            raise UsageError("a lever moves a free variable, or data that the answer starts from", key="levers",
                             found=name, allowed=[*self.free, *self.held])  # fmt: skip
        like, shift = self.draws[variable], 0.0
        if variable != name:
            shift = float(given_values(self.fit, [name])[name].flat[0] - like.flat[0])
        draws = np.asarray(value, dtype=float)
        each = draws.ndim and draws.shape != like.shape
        shaped = draws.reshape(-1, *[1] * (like.ndim - 1)) if each else draws
        return variable, np.broadcast_to(shaped, like.shape) - shift

    def _following(self, own: Mapping[str, np.ndarray]) -> Arrays:
        """Draws of what is drawn given other variables, no evidence bearing on it, where these were moved."""
        from bayes.sampling.forward import data_of
        from bayes.sampling.tree import SIZE

        if not own:
            return {}
        place = "following", frozenset(own)
        if place not in self.kept:
            self.kept[place] = self._drawing({*own})
        wanted, piece = self.kept[place]
        if piece is None:
            return {}
        size = np.asarray(self.target.size)
        found = piece({**self.draws, **data_of(self.asked.sampled), **own, SIZE: size}, _SEED)
        return {name: np.broadcast_to(found[name], self.draws[name].shape) for name in wanted}

    def _drawing(self, moved: set[str]) -> tuple[list[str], Piece | None]:
        """Which variables are drawn again where some are moved, and the calculation."""
        from bayes.sampling.forward import following
        from bayes.sampling.proof import proved

        model = self.asked.sampled
        forward = {*json.loads(self.fit.attrs.get("forward_variables", "[]"))}
        after = (reached(model, moved) - moved) & forward
        wanted = [name for name in self.given if name in after]
        given = [name for name in self.free if name not in after]
        calculation = following(model, [model[name] for name in wanted], given) if wanted else None
        return wanted, None if calculation is None else proved(calculation, self.draws).piece

    def levers(self) -> list[Lever]:
        """The numbers that may tip the answer."""
        words, found = self.asked.words, []
        for one in self.asked.question.levers:
            data = self.held.get(one.name)
            now = data if data is not None else self.draws[self.own(one.name, 0.0)[0]]
            now = now if data is not None or one.name in self.free else given_values(self.fit, [one.name])[one.name]

            def at(value: float, name: str = one.name) -> tuple[Any, None]:
                return self.moved({name: value})[self.name], None

            label, unit = one.label or words.label(one.name), one.unit or words.unit(one.name)
            found.append(Lever(label, unit, one.low, one.high, at, float(np.median(now))))
        return found

    def steps(self) -> list[Step]:
        """The budget: all that later steps free is fixed at its median."""
        every, found = dict(self.asked.question.steps), []
        for place, name in enumerate(every):
            later = {variable for names in list(every.values())[place + 1 :] for variable in names}
            draws = given_values(self.fit, sorted(later - {*self.held}))
            fixed = {variable: np.broadcast_to(np.median(x, axis=0), x.shape) for variable, x in draws.items()}
            target = self.moved(fixed)[self.name] if fixed else self.target
            found.append(Step(name, target, note=f"fixed: {', '.join(sorted(fixed))}" if fixed else "the answer"))
        return found

    # --- sampled again -----------------------------------------------------------------------------

    def again(self, asked: Asked, changed: Collection[str], without: Sequence[Row] = ()) -> dict[str, DataArray]:
        """The target of a model sampled again, stamped with the quality of its chains."""
        wanted = self.free if self.outcomes is None else self.given
        found = refit(asked.sampled, self.fit, changed, without=without, wanted=wanted, kept=self.kept)
        values = {name: found[name].transpose("chain", "draw", ...).values for name in wanted}
        flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in values.items()}
        other = replace(self, asked=asked)
        return {self.name: other.played(flat, other.data()).assign_attrs(found.attrs)}

    def with_priors(self, chosen: Mapping[str, str], components: Sequence[str]) -> dict[str, DataArray]:
        """The target with alternatives of priors in force."""
        changed = [own for name in {*components, *chosen} for own in (name, f"{name}_excess") if own in self.free]
        study = self.asked.study
        assert study is not None  # alternatives are a study's
        return self.again(replace(self.asked, study=study.with_priors(chosen)), changed)

    def rows(self) -> list[Change]:
        """Each row of evidence left out; one that no outcome can depend on changes nothing, exactly."""
        return [one if bears else Change(one.name, one.group) for one, bears in self._rows()]

    @cached_property
    def _behind(self) -> set[str]:
        """Names of what the outcomes start from and of all that stands behind it in the model."""
        from pytensor.graph.traversal import ancestors

        model = self.asked.sampled
        return {str(v.name) for v in ancestors([model[name] for name in self.given])}

    def _rows(self) -> list[tuple[Change, bool]]:
        """Each row of evidence left out, by its marginal likelihood where the question gives it, and whether its part
        of the model stands behind the outcomes.
        """
        from bayes.sampling.fit import plan_of_model

        asked, marginals = self.asked, self.asked.question.marginals
        where, coords = layout(plan := plan_of_model(asked.sampled), self.kept), plan.coords
        if marginals is not None:
            found = [(Change(name, "row", {"row": -np.asarray(values)}), name)
                     for name, values in applied(marginals, "marginals", self.fit, asked.study).items()]  # fmt: skip
        else:
            found = [(one, (*one.log_ratio, one.name.partition("[")[2][:-1])) for one in row_changes(self.fit)]

        def without(row: Row) -> Any:
            return lambda _: self.again(asked, (), (row,))

        changes = []
        for one, row in ((replace(one, note=asked.apart), row) for one, row in found):
            holders = where.holders(row, coords)
            own = [group for group in where.components if group & holders]
            bears = not own or any(group & self._behind for group in own)
            changes.append((replace(one, refit=without(row)) if holders else one, bears))
        return changes

    def variants(self) -> list[Change]:
        """Other structures of the model, sampled."""
        return [Change(name, one.choice, refit=partial(self._variant, one.structure), note=one.note,
                       estimand_changed=one.estimand_changed)
                for name, one in self.asked.question.variants.items()]  # fmt: skip

    def world(self, world: World) -> Callable[[], Lived]:
        """A world, to be sampled: its structure is one of the question's by name."""
        asked = self.asked
        if world.structure:
            check_word(world.structure, asked.question.variants, "the question has no such structure", key="structure")
            asked = replace(asked, structure=asked.question.variants[world.structure].structure)
        if world.priors:
            if asked.study is None:
                raise UsageError("a question without a study has no priors to change", key="priors",
                                 found=[*world.priors], fix="declare priors in a study")  # fmt: skip
            asked = replace(asked, study=study_in(asked.study, world))
        if asked is self.asked:
            return lambda: Lived(self.target)
        return lambda: Lived(self._sampled(asked))

    def _variant(self, structure: Any, components: Sequence[str]) -> dict[str, DataArray]:
        return {self.name: self._sampled(replace(self.asked, structure=structure))}

    def _sampled(self, asked: Asked) -> DataArray:
        """The target of a model sampled whole, stamped with the quality of its chains."""
        from bayes.sampling import sample

        sizes = self.fit["posterior"].sizes
        fit = sample(asked.sampled, draws=sizes["draw"], chains=sizes["chain"], rng=int(self.fit.attrs["seed"]))
        other = replace(self, asked=asked, fit=fit, outcomes=None if self.outcomes is None else asked.outcomes(fit))
        target = other.played(other.draws)
        names = json.loads(fit.attrs["mcmc_variables"])
        parts = [fit["posterior"][name].transpose("chain", "draw", ...).values for name in names]
        none = np.empty((*target.shape, 0))
        z = np.concatenate([none, *(part.reshape(*part.shape[:2], -1) for part in parts)], axis=2)
        part = part_of({}, z, int(fit["sample_stats"]["diverging"].sum()) if "sample_stats" in fit.children else 0)
        return target.assign_attrs(rhat=part.rhat, ess=part.ess, divergences=part.divergences)

    # --- what is read off draws ---------------------------------------------------------------------

    def sources(self) -> list[Source]:
        """Each row of evidence against all the others, by replications of it."""
        seen, observed = self.fit["posterior_predictive"], self.fit["observed_data"]
        rows = {one.name: one for one, _ in self._rows()}
        found = []
        for name in map(str, seen.data_vars):
            drawn = seen[name].transpose("chain", "draw", ...)
            values, actual = np.asarray(drawn.values), np.asarray(observed[name].values)
            for text, index in zip(element_names(drawn), np.ndindex(actual.shape), strict=True):
                change = rows.get(text) or rows.get(text.partition("[")[2][:-1])
                if change is not None:
                    one, y = values[(slice(None), slice(None), *index)], actual[index]
                    found.append(Source(change, np.stack([one < y, one <= y], axis=-1).astype(float)))
        return found

    def inputs(self) -> Inputs:
        """What the outcomes start from and that varies: a vector is one input of several columns."""
        draws: dict[str, np.ndarray] = {}
        columns: dict[str, list[str]] = {}
        long = []
        for name in self.given:
            array = self.fit["posterior"][name].transpose("chain", "draw", ...)
            values = array.values.reshape(self.target.size, -1)
            moving = {text: x for text, x in zip(element_names(array), values.T, strict=True) if np.ptp(x)}
            if 0 < len(moving) <= _LONG:
                draws |= moving
                columns[name] = list(moving)
            elif moving:
                long.append(name)
        several = any(len(names) > 1 for names in columns.values())
        return Inputs(pd.DataFrame(draws), columns if several else None, tuple(long))


def _decision(answer: _Answer, futures: Dataset) -> Decision:
    """The choice between the scenarios that are no stress cases, or none of them.

    What is added over all times is: a stock, and what has no unit per time, is that of the last time.
    """
    words = words_of(futures)
    names = [str(name) for name in futures["scenario"].values if str(name) not in words.stress]

    def total(name: str) -> pd.DataFrame:
        draws = words.over_times(futures[name]).transpose("chain", "draw", "scenario")
        return pd.DataFrame({one: np.ravel(draws.sel(scenario=one).values) for one in names}).assign(nothing=0.0)

    money, thing = (words.unit_over_times(name) for name in (words.net_benefit, words.target))
    common = Decision(net_benefit=total(words.net_benefit), inputs=answer.inputs(), money=money, thing=thing)
    if not words.cost:
        return common
    cost, effect = total(words.cost), total(words.target)
    return replace(common, cost=cost, effect=effect, price=f"{money}/{thing}", prices=prices_of(cost, effect))
