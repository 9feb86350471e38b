"""A question put to a study: what is sampled, projected and said, each made when it is first asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import StudyError, UsageError
from bayes.facts import check_facts
from bayes.overrides import Overrides, change_data, changed_study
from bayes.provenance import canonical, digest
from bayes.question import Question, applied, built
from bayes.study import Study
from bayes.words import Words, study_words

if TYPE_CHECKING:
    import pymc as pm
    from xarray import Dataset, DataTree

    from bayes.outcomes import Outcomes
    from bayes.projection import Projection
    from bayes.sampling.fit import Plan

__all__ = ["Asked", "asked", "plain"]


@dataclass(frozen=True, eq=False)
class Asked:
    """A question put to a study.

    Parameters
    ----------
    question, study, structure
        The question, its study as used, and which variant of its model; None where it has none.
    changes
        What was changed in study and model; in the study it is in force already.
    """

    question: Question
    study: Study | None = None
    structure: Any = None
    changes: Overrides = field(default_factory=Overrides)

    @cached_property
    def words(self) -> Words:
        """What is said of it, with the labels and units of the study, and what studies of its kind add."""
        if self.study is None or self.study.schema.words is None:
            return study_words(self.question.words, self.study)
        return self.study.schema.words(self.study, self.question.words)

    @cached_property
    def model(self) -> pm.Model:
        """The whole model."""
        return self.variant(self.structure)

    def variant(self, structure: Any) -> pm.Model:
        """Build the whole model in another structure."""
        model = built(self.question, self.study, structure)
        if self.changes.data:
            change_data(model, self.changes)
        return model

    @cached_property
    def sampled(self) -> pm.Model:
        """The model without its outcomes: what is sampled."""
        from bayes.outcomes import outcome_names, without

        return self.model if self.computed else without(self.model, outcome_names(self.model, self.words))

    @property
    def computed(self) -> bool:
        """Whether outcomes are computed by a function of the question, and not by its model."""
        return self.question.project is not None or self.question.blocks is not None

    def plan(self) -> Plan:
        """Return what sampling takes: numbers, and how to build the model."""
        if self.question.plan is not None:
            plan: Plan = self.question.plan(self.study, self.structure)
            return plan
        from bayes.sampling.fit import plan_of_model

        plan = plan_of_model(self.sampled)
        return replace(plan, stamp={**plan.stamp, **self._stamp(plan)})

    def _stamp(self, plan: Plan) -> dict[str, object]:
        """What a fit of the question is made from, as plain data."""
        from bayes.sampling.identity import graph_hash

        data = {
            name: [list(value.shape), digest(np.ascontiguousarray(value).tobytes())]
            for name, value in plan.data.items()
        }
        return {"question": self.question.called, "model": graph_hash(self.sampled) or "",
                "data": digest(canonical(data)), "files": {} if self.study is None else dict(self.study.hashes),
                "structure": plain(self.structure)}  # fmt: skip

    def cells(self) -> int:
        """Return how many numbers a draw of the projection holds, 0 where that is known only once it is computed."""
        if self.question.cells is not None:
            return int(self.question.cells(self.study))
        if self.computed:
            return 0
        from bayes.outcomes import dims_of_target, outcome_names

        lengths = [
            int(self.model.dim_lengths[dim].eval()) for dim in dims_of_target(self.model, self.words.target) if dim
        ]
        return len(outcome_names(self.model, self.words)) * math.prod(lengths)

    def notes(self) -> list[str]:
        """Say how much of partly observed variables is missing, and what misses potentials; nothing of a plan."""
        if self.question.plan is not None:
            return []
        held, said = self.model.named_vars, []
        for name in (str(v.name).removesuffix("_unobserved") for v in self.model.free_RVs):
            parts = [held.get(f"{name}{part}") for part in ("_unobserved", "_observed", "")]
            if None not in parts:
                gone, seen, whole = map(_size, (parts[0], self.model.rvs_to_values[parts[1]], parts[2]))
                whole = gone + seen if whole is None and gone is not None and seen is not None else whole
                some = "some" if whole is None or seen is None else f"{whole - seen} of {whole}"
                said.append(f"{some} values of {name} are missing: they are sampled, as {name}_unobserved")
        return [*said, *([f"{self.apart}; write what is part of the likelihood as an observed variable, such as "
                          "pm.Truncated"] if self.apart else [])]  # fmt: skip

    @property
    def apart(self) -> str:
        """Say what no row and no prior holds of a model with potentials beside its rows; nothing of a plan."""
        model = None if self.question.plan is not None else self.model
        if model is None or not model.potentials or not model.observed_RVs:
            return ""
        names = ", ".join(str(v.name) for v in model.potentials)
        return (f"what potentials add ({names}) belongs to no row and no prior: rows left out, priors and evidence "
                "scaled and data replicated leave it as it is")  # fmt: skip

    def inputs(self) -> list[str]:
        """Return the free variables that the target starts from; all of them where a function computes it."""
        free = [str(v.name) for v in self.model.free_RVs]
        if self.computed:
            return free
        from pytensor.graph.traversal import ancestors

        behind = {str(v.name) for v in ancestors([self.model[self.words.target]], blockers=self.model.free_RVs)}
        return [name for name in free if name in behind]

    def outcomes(self, fit: DataTree) -> Outcomes:
        """Record the calculation from draws to outcomes.

        Raises
        ------
        UsageError
            If outcomes are computed by a function of the question.
        """
        from bayes.outcomes import outcomes_of

        if self.computed:
            raise UsageError("the outcomes of this question are computed by a function", key="project",
                             found=self.question.project or self.question.blocks,
                             fix="add them to the model as pm.Deterministic")  # fmt: skip
        return outcomes_of(self.model, self.words, fit)

    def projection(self, fit: DataTree) -> Projection:
        """Return the projection of a fit, before it is computed."""
        from bayes.outcomes import projection_of

        if self.question.blocks is not None:
            found: Projection = applied(self.question.blocks, "blocks", fit, self.study)
            return found
        if self.question.project is not None:
            return _given(applied(self.question.project, "project", fit, self.study), self.words)
        return projection_of(fit, self.outcomes(fit), self.words)

    def refuse(self, fit: DataTree) -> None:
        """Refuse a fit that was made from something else than this question and study.

        Raises
        ------
        StudyError
            If what it was made from is known, and is another.
        """
        made, known = json.loads(fit.attrs.get("inputs", "{}")), self.plan().stamp
        other = [key for key in made if key != "files" and key in known and made[key] != known[key]]
        if other:
            raise StudyError("this fit was made from other priors or other evidence", key=other[0],
                             found=made[other[0]], allowed=str(known[other[0]]),
                             fix="name the study it was made from, or fit again")  # fmt: skip


def _size(variable: Any) -> int | None:
    """How many values a variable has, where that is known before it is computed."""
    return None if None in variable.type.shape else math.prod(variable.type.shape)


def asked(
    question: Question, study: Study | None = None, structure: Any = None, changes: Overrides | None = None
) -> Asked:
    """Return a question put to a study, with what is changed in it in force.

    Raises
    ------
    UsageError
        If priors or scenarios are changed of a question that has no study.
    """
    chosen = changes or Overrides()
    if study is None and (chosen.priors or chosen.settings):
        raise UsageError("this question has no study to change", found=[*chosen.priors, *chosen.settings],
                         allowed="data.NAME=NUMBER", fix="name one of the model's pm.Data")  # fmt: skip
    check_facts(study, question.facts)
    return Asked(question, study and changed_study(study, chosen), structure, chosen)


def plain(structure: Any) -> Any:
    """Return a structure as plain data: what it says of itself, a word, a number, a mapping."""
    return structure.as_data() if hasattr(structure, "as_data") else structure


def _given(futures: Dataset, words: Words) -> Projection:
    """A projection that somebody's function computed, as one block."""
    from bayes.projection import DIMS, Projection
    from bayes.words import attributes

    arrays = {str(name): array for name, array in futures.data_vars.items()}
    named = words.target not in arrays
    if named or any(not {"chain", "draw"} <= set(array.dims) <= set(DIMS) for array in arrays.values()):
        raise UsageError("a projection is a Dataset of outcomes by chain, draw, scenario and year", key="project",
                         found={name: array.dims for name, array in arrays.items()}, allowed=words.target,
                         fix="return them so")  # fmt: skip
    whole = futures.expand_dims([dim for dim in DIMS if dim not in futures.dims]).transpose(*DIMS, ...)
    for dim, default in (("scenario", "answer"), ("year", 1)):
        if dim not in whole.coords:
            whole = whole.assign_coords({dim: [default] if whole.sizes[dim] == 1 else range(1, whole.sizes[dim] + 1)})
    names = [str(name) for name in whole["scenario"].values]
    labels = [words.labels.get(name, name.replace("_", " ")) for name in names]
    empty = (
        whole.drop_vars(list(arrays))
        .assign_coords(
            scenario=names, label=("scenario", labels), stress=("scenario", [name in words.stress for name in names])
        )
        .assign_attrs(words=words.text())
    )
    order = ("scenario", "year", "chain", "draw")
    full = {name: whole[name].broadcast_like(whole[words.target]).transpose(*order).values for name in arrays}
    values = {name: array.reshape(*array.shape[:2], -1) for name, array in full.items()}
    return Projection(empty, {name: attributes(name, words) for name in arrays}, _all, values, divisible=False)


def _all(values: Mapping[str, np.ndarray], numbers: Any) -> Mapping[str, np.ndarray]:
    """Every scenario of a projection that is there already."""
    return values
