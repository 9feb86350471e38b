"""Two runs compared: which changed input moved the answer, and by how much.

What changed is read off the inputs the runs carry, record by record: priors, rows of evidence, scenarios, settings,
data, structure, and how it was sampled. How far each moved the answer is found one at a time, on the same draws:

- **scenarios, settings, data of outcomes**: the draws of run A are projected under one more of run B's;
- **a component of the model** (parameters that share evidence are independent of all others in the posterior), or a
  variable no evidence bears on: its draws in run B, with what is drawn given them, are put in place of those in run A.
  Where several priors or rows changed within a component it is sampled again after each.

Where rows came or went among several changes of a component the move belongs to them jointly, and the table says so.
What is left over is the difference of structure, and Monte Carlo error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes.arguments import checked
from bayes.numbers import label_text
from bayes.plans import plain
from bayes.priors import Prior, labelled
from bayes.ranking import rank_key
from bayes.records import values_of
from bayes.sensitivity.case import Case
from bayes.sensitivity.changes import quantiles_of
from bayes.sensitivity.components import reached
from bayes.sensitivity.refits import layout, refit
from bayes.sensitivity.weights import Quantiles

if TYPE_CHECKING:
    from xarray import Dataset

    from bayes.study import Study

__all__ = ["Changed", "changed_inputs", "diff"]

_SAMPLING = ("seed", "sampler", "draws", "tune", "chains", "versions")


@dataclass(frozen=True, slots=True)
class Changed:
    """One changed input: what it is, how it changed, and the variables of the model it bears on."""

    kind: str
    name: str
    detail: str
    variables: frozenset[str] = frozenset()


@checked
def diff(a: Case, b: Case) -> pd.DataFrame:
    """Say which changed input moved the answer from run A to run B, and by how much.

    Parameters
    ----------
    a, b
        The same target of two runs.

    Returns
    -------
    DataFrame
        ``kind, input, detail, from, to, d_median, d_lower, d_upper, mcse_d_median, unit``. First the headline, then
        each part of the change, largest first, then what is not attributed to any, and changes that move nothing by
        themselves.
    """
    heads = [quantiles_of(case.answer) for case in (a, b)]
    total, error = heads[1].change_from(heads[0], coupled=False)
    name = f"{b.target}, {b.place['scenario']}"
    rows = [_row("headline", name, "", total, error, (heads[0].values[1], heads[1].values[1]))]
    changed = changed_inputs(a, b)
    moves, left, used = _moved(a, b, changed)
    rows += sorted(moves, key=lambda row: rank_key(row["d_median"], row["mcse_d_median"]))
    rows.append(_row("rest", "what is not attributed", "structure and Monte Carlo error", total - left, error))
    rows += [_row(one.kind, one.name, one.detail, None, None) for one in changed if one not in used]
    return pd.DataFrame(rows).assign(unit=str(b.answer.attrs.get("unit", "")))


# --- what changed --------------------------------------------------------------------------------


def changed_inputs(a: Case, b: Case) -> list[Changed]:
    """List what differs between the inputs of two runs, in the words of their files."""
    found = []
    if a.asked.study is not None and b.asked.study is not None:
        found += [*_records(a.asked.study, b.asked.study, _owners(b))]
    found += _data(a, b)
    pair = [_fields(case.asked.structure) for case in (a, b)]
    found += [Changed("structure", key, text) for key, text in _gaps(*pair).items()]
    attrs = [{key: case.fit.attrs.get(key) for key in _SAMPLING} for case in (a, b)]
    return found + [Changed("sampling", key, "differ" if key == "versions" else text)
                    for key, text in _gaps(*attrs).items()]  # fmt: skip


def _records(a: Study, b: Study, owners: Mapping[str, frozenset[str]]) -> Iterator[Changed]:
    """Priors, rows, scenarios and settings that came, went or changed."""
    for name, text in _between(a.priors, b.priors, _prior):
        yield Changed("prior", name, text, frozenset({name, f"{name}_excess"}))
    for table in dict.fromkeys((*a.evidence, *b.evidence)):
        rows = [{row.row: row for row in study.rows(table)} for study in (a, b)]
        for name, text in _between(rows[0], rows[1], values_of):
            yield Changed("evidence", name, text, owners.get(name, owners.get(table, frozenset())))
    for name, text in _between(a.scenarios, b.scenarios, _scenario):
        yield Changed("scenario", name, text)
    for name, text in _gaps(values_of(a.settings), values_of(b.settings)).items():
        yield Changed("setting", name, text)


def _data(a: Case, b: Case) -> Iterator[Changed]:
    """The model's own data that differ: all of them where no study says what was changed in it."""
    named = {key.partition(".")[0] for case in (a, b) for key in case.asked.changes.data}
    whole = a.asked.study is None or b.asked.study is None
    if not named and not whole:
        return
    old, new, behind = _values(a), _values(b), _behind(b)
    for name in new:
        if name in old and (whole or name in named) and not np.array_equal(old[name], new[name]):
            seen = frozenset(key for key, above in behind.items() if name in above)
            yield Changed("data", name, f"{_array(old[name])} to {_array(new[name])}", seen)


def _values(case: Case) -> dict[str, Any]:
    """The data of the whole model by name."""
    return {str(one.name): one.get_value() for one in case.asked.model.data_vars}


def _array(value: Any) -> str:
    """The numbers of an array, the first of many."""
    flat = np.ravel(value)
    return ", ".join(_text(float(x)) for x in flat[:4]) + (", …" if flat.size > 4 else "")


def _behind(case: Case) -> dict[str, set[str]]:
    """Names of all that each observed variable of a model is computed from."""
    from pytensor.graph.traversal import ancestors

    model = case.asked.sampled
    made = {str(v.name): [v, model.rvs_to_values[v]] for v in model.observed_RVs}
    return {name: {str(x.name) for x in ancestors(both) if x.name} for name, both in made.items()}


def _fields(structure: Any) -> dict[str, Any]:
    """What a structure says of itself."""
    found = plain(structure)
    return found if isinstance(found, dict) else {} if found is None else {"structure": found}


def _prior(prior: Prior) -> dict[str, Any]:
    """A prior as its file declares it."""
    numbers = labelled(prior.quantiles) if prior.quantiles else dict(prior.declared)
    return {"family": prior.family, **numbers, "source": prior.source.key}


def _scenario(scenario: Any) -> dict[str, Any]:
    """A scenario without its label, which follows what was changed."""
    return {key: value for key, value in values_of(scenario).items() if key != "label"}


def _between(a: Mapping[str, Any], b: Mapping[str, Any], told: Any) -> Iterator[tuple[str, str]]:
    """Names of records that came, went or changed, with how."""
    for name in dict.fromkeys((*a, *b)):
        gaps = _gaps(told(a[name]), told(b[name])) if name in a and name in b else {}
        text = "; ".join(f"{key} {gap}" for key, gap in gaps.items())
        if text or name not in a or name not in b:
            yield name, text or ("added" if name in b else "left out")


def _gaps(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, str]:
    """Fields that differ, as ``old to new``."""
    return {key: f"{_text(a.get(key))} to {_text(b.get(key))}"
            for key in dict.fromkeys((*a, *b)) if a.get(key) != b.get(key)}  # fmt: skip


def _text(value: Any) -> str:
    """A value as its file has it: a number in full."""
    return "none" if value is None or value == "" else f"{value:.12g}" if isinstance(value, float) else str(value)


def _owners(case: Case) -> dict[str, frozenset[str]]:
    """Observed variables by the rows they have; where none has a row by itself, those that data of its dim enter."""
    plan, model, found = case.asked.plan(), case.asked.sampled, dict[str, frozenset[str]]()
    where, behind = layout(plan), _behind(case)
    for dim, labels in plan.coords.items():
        named = {str(name) for name, dims in model.named_vars_to_dims.items() if dim in (dims or ())}
        beside = frozenset(name for name, above in behind.items() if above & named)
        for label in map(label_text, labels):
            found[label] = found.get(label, frozenset()) | (frozenset(where.holders(label, plan.coords)) or beside)
    return found


# --- how far each moved the answer ---------------------------------------------------------------


@dataclass(eq=False)
class _Walk:
    """From run A towards run B, one change after another: what is in force, and how far each moved the answer."""

    case: Case
    state: Dataset
    study: Study | None
    data: dict[str, Any]
    moves: list[dict[str, Any]] = field(default_factory=list)
    used: list[Changed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start = self.before = self._answer()

    def _answer(self) -> Quantiles:
        return quantiles_of(self.case.projected(self.state, self.study, self.data))

    def moved(self, inputs: list[Changed]) -> None:
        """Note how far the answer moved by what was put in force since the last step."""
        after, several = self._answer(), len(inputs) > 1
        by, error = after.change_from(self.before, coupled=True)
        detail = "; ".join(f"{one.name}: {one.detail}" if several else one.detail for one in inputs)
        kind = "jointly" if several else inputs[0].kind
        self.moves.append(_row(kind, " + ".join(one.name for one in inputs), detail, by, error))
        self.used.extend(inputs)
        self.before = after

    def put(self, draws: Dataset, names: frozenset[str]) -> None:
        """Put draws of some variables in place."""
        self.state = self.state.assign({name: draws[name] for name in names if name in draws})


def _moved(a: Case, b: Case, changed: list[Changed]) -> tuple[list[dict[str, Any]], Any, list[Changed]]:
    """Each move, one after another from run A towards run B; their sum; and the changes that they are of."""
    old, new = _first(a, b)
    same = [name for name in new.data_vars if name in old.data_vars and new[name].sizes == old[name].sizes]
    state = new.assign({name: new[name].copy(data=old[name].transpose(*new[name].dims).values) for name in same})
    named, goal = [one.name for one in changed if one.kind == "data"], b.asked.study
    data = {name: value for name, value in _values(a).items() if name in named} if named else {}
    walk = _Walk(b, state, a.asked.study, data)
    for one in changed:
        walk.data = {name: value for name, value in walk.data.items() if name != one.name}
        further = _study(walk.study, goal, one) if one.kind in ("scenario", "setting") else None
        if further is not None or (one.kind == "data" and not one.variables):
            walk.study = further or walk.study
            walk.moved([one])
    for names, inputs in _parts(b, changed).items():
        left = inputs
        while len(left) > 1 and (further := _study(walk.study, goal, left[0])) is not None:
            found = _again(b, further, inputs, new)
            if found is None:
                break
            walk.put(found, names)
            walk.study = further
            walk.moved(left[:1])
            left = left[1:]
        walk.put(new, names)
        walk.moved(left)
    return walk.moves, walk.before.values - walk.start.values, walk.used


def _again(case: Case, study: Study, inputs: list[Changed], like: Dataset) -> Dataset | None:
    """What moves with some inputs, sampled again for another study, chains end to end; None where rows differ."""
    plan, own = replace(case.asked, study=study).plan(), case.asked.plan()
    if any(list(plan.coords[dim]) != list(own.coords[dim]) for dim in own.coords):
        return None
    changed = frozenset().union(*(one.variables for one in inputs))
    return _flat(refit(plan, case.fit, changed), like.sizes["draw"])


def _study(study: Study | None, goal: Study | None, one: Changed) -> Study | None:
    """The study with one record as in another; None where that says nothing by itself."""
    if study is None or goal is None:
        return None
    if one.kind == "setting":
        return replace(study, settings=replace(study.settings, **{one.name: values_of(goal.settings)[one.name]}))
    if one.kind == "scenario" and one.name in study.scenarios and one.name in goal.scenarios:
        return replace(study, scenarios={**study.scenarios, one.name: goal.scenarios[one.name]})
    if one.kind == "prior" and one.name in study.priors and one.name in goal.priors:
        return replace(study, priors={**study.priors, one.name: goal.priors[one.name]})
    if one.kind == "evidence":
        rows = {row.row: row for table in goal.evidence.values() for row in table}
        tables = {name: tuple(rows.get(one.name, row) if row.row == one.name else row for row in table)
                  for name, table in study.evidence.items()}  # fmt: skip
        return replace(study, evidence=tables)
    return None


def _parts(case: Case, changed: list[Changed]) -> dict[frozenset[str], list[Changed]]:
    """Changed inputs by the variables that move with them: a component, or one no evidence bears on."""
    components = layout(case.asked.plan()).components
    parts: dict[frozenset[str], list[Changed]] = {}
    for one in changed:
        if one.variables:
            groups = [group for group in components if group & one.variables]
            names = frozenset().union(*groups) or one.variables
            parts.setdefault(names, []).append(one)
    return {frozenset(reached(case.asked.sampled, names)): inputs for names, inputs in parts.items()}


def _first(a: Case, b: Case) -> list[Dataset]:
    """The same number of draws of either run, chains end to end."""
    every = [case.fit["posterior"].to_dataset() for case in (a, b)]
    size = min(data.sizes["chain"] * data.sizes["draw"] for data in every)
    return [_flat(data, size) for data in every]


def _flat(data: Dataset, size: int) -> Dataset:
    """So many draws, chains end to end."""
    stacked = data.stack(sample=("chain", "draw"), create_index=False).isel(sample=slice(size))
    flat = stacked.drop_vars(("chain", "draw"), errors="ignore").rename(sample="draw").expand_dims(chain=[0])
    return flat.assign_coords(draw=np.arange(size))


def _row(
    kind: str, name: str, detail: str, moved: Any, error: Any, ends: tuple[Any, Any] = (math.nan, math.nan)
) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": kind, "input": name, "detail": detail, "from": float(ends[0]), "to": float(ends[1])}
    for i, end in enumerate(("lower", "median", "upper")):
        row[f"d_{end}"] = math.nan if moved is None else float(moved[i])
        row[f"mcse_d_{end}"] = math.nan if error is None else float(error[i])
    return row
