"""From draws and data to outcomes: the part of a question's graph behind the posterior, recorded once and played.

Outcomes are the Deterministics of a model that have a dim of the target, the target itself and what the question names
beside it. The model without them is what is sampled; the graph from its free variables and data to the outcomes is
written down as a tape (:mod:`bayes.sampling.tape`), which NumPy plays here and JavaScript plays in a report. Where the
graph cannot be recorded PyMC computes it, and the report has no what-if.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import UsageError, check_word, closest
from bayes.numbers import label_text
from bayes.projection import DIMS, Projection, in_threads
from bayes.provenance import fit_id
from bayes.sampling.tape import Tape
from bayes.summaries import row_quantiles
from bayes.words import ANSWER, Words, attributes, words_of

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataArray, Dataset, DataTree

__all__ = ["Outcomes", "dims_of_target", "given_values", "outcome_names", "outcomes_of", "played",
           "projection_of", "quantiles_of", "summed", "whether", "without"]  # fmt: skip

type Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """The calculation of the outcomes of a question.

    Parameters
    ----------
    piece
        ``(values, seed) -> outcomes`` (draw, …) by name: a :class:`~bayes.sampling.tape.Tape` where it could be
        recorded.
    names
        Outcomes in the order of the model, the target first.
    given
        Variables of the posterior it starts from.
    data
        The model's data it takes, by name.
    dims, coords
        Dims of outcomes and data, and labels by dim.
    axes
        The target's own dims for scenario and time; empty where it has none.
    how
        :data:`~bayes.sampling.proof.TAPE`, or in words of PyMC.
    sliced
        Whether each scenario can be computed alone, from the data of this scenario.
    alone
        Those variables it starts from that no other variable of the model is drawn given, observed ones included.
    """

    piece: Callable[..., dict[str, np.ndarray]]
    names: tuple[str, ...]
    given: tuple[str, ...]
    data: Arrays
    dims: Mapping[str, tuple[str, ...]]
    coords: Mapping[str, tuple[Any, ...]]
    axes: tuple[str, str]
    how: str
    sliced: bool = False
    alone: tuple[str, ...] = ()

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Names of the scenarios; :data:`~bayes.words.ANSWER` where there are none."""
        return tuple(label_text(label) for label in self.coords[self.axes[0]]) if self.axes[0] else (ANSWER,)

    @property
    def years(self) -> tuple[int, ...]:
        """Labels of the times as whole numbers: what they are, the years of dates, or from 1 where they are neither."""
        labels = self.coords[self.axes[1]] if self.axes[1] else (1,)
        numbers = [number for label in labels if (number := _whole(label)) is not None]
        return tuple(numbers) if len({*numbers}) == len(labels) else tuple(range(1, len(labels) + 1))

    def times(self) -> dict[str, str]:
        """Labels of the times where their numbers do not say them."""
        labels = self.coords[self.axes[1]] if self.axes[1] else ()
        called = zip(self.years, labels, strict=False)
        return {str(year): label_text(label) for year, label in called if _whole(label) != year}

    def only(self, names: Iterable[str], called: Mapping[str, str] = MappingProxyType({})) -> Outcomes:
        """Return the calculation of some outcomes, in this order; ``called`` has what one is called here, if not so."""
        here = {name: called.get(name, name) for name in names}
        dims = {**self.dims, **{name: self.dims[own] for name, own in here.items()}}
        if not isinstance(self.piece, Tape):
            return replace(self, names=tuple(here.values()))
        piece = Tape(self.piece.cells, {name: self.piece.outputs[own] for name, own in here.items()}).pruned()
        data = {name: value for name, value in self.data.items() if name in piece.inputs}
        given = tuple(name for name in self.given if name in piece.inputs)
        return replace(self, piece=piece, names=tuple(here), given=given, data=data, dims=dims)

    def scenario_data(self) -> tuple[str, ...]:
        """Names of the data that differ by scenario."""
        return tuple(name for name in self.data if self.axes[0] and self.axes[0] in self.dims.get(name, ()))

    def of(self, scenarios: Sequence[int]) -> dict[str, np.ndarray]:
        """Return the data of some scenarios, by their numbers."""
        return {name: np.take(value, scenarios, axis=self.dims[name].index(self.axes[0]))
                if name in self.scenario_data() else value for name, value in self.data.items()}  # fmt: skip


def _whole(label: Any) -> int | None:
    """A whole number that a label of a time stands for: itself, or the year of a date."""
    if isinstance(label, np.datetime64):
        label = label.astype("datetime64[D]").item()
    number = getattr(label, "year", label)
    whole = isinstance(number, Real) and not isinstance(number, bool) and float(number).is_integer()
    return int(float(number)) if whole else None


def dims_of_target(model: pm.Model, target: str) -> tuple[str, str]:
    """Return the target's dims for scenario and time, each empty where it has none.

    The time is ``year``, or the second of two dims; the other is the scenario.

    Raises
    ------
    UsageError
        If there is no such Deterministic, or it has more than two dims or one without a name.
    """
    every = [str(v.name) for v in model.deterministics]
    check_word(target, every, "the model has no such outcome", key="target",
               otherwise=f'add pm.Deterministic("{target}", …)')  # fmt: skip
    dims = tuple(model.named_vars_to_dims.get(target) or ())
    if len(dims) != model[target].ndim or len(dims) > 2:
        raise UsageError("an outcome is one number for each scenario and time", key=target,
                         found=f"{model[target].ndim} axes with the dims {dims}",
                         allowed='dims=("scenario", "year"), one of them, or none',
                         fix="name its dims, or sum over the others")  # fmt: skip
    time = "year" if "year" in dims else dims[1] if len(dims) == 2 else ""
    return next((dim for dim in dims if dim != time), ""), time


def outcome_names(model: pm.Model, words: Words) -> tuple[str, ...]:
    """Return the outcomes of a model, the target first: what has no dim but those of the target, and at least one.

    What the words name beside the target is an outcome too.

    Raises
    ------
    UsageError
        If one that is named does not exist.
    """
    axes = {dim for dim in dims_of_target(model, words.target) if dim}
    every = {str(v.name): set(model.named_vars_to_dims.get(str(v.name)) or ()) for v in model.deterministics}
    beside = [name for name in (*words.beside, *words.reference[1:], words.cost, words.net_benefit) if name]
    for name in beside:
        if name not in every or not every[name] <= axes:
            raise UsageError("the model has no such outcome", key=name, found=sorted(every.get(name, ())) or name,
                             allowed=[n for n, dims in every.items() if dims <= axes],
                             fix=closest(name, every) or "add it as a pm.Deterministic")  # fmt: skip
    found = [name for name, dims in every.items() if dims and dims <= axes]
    return tuple(dict.fromkeys([words.target, *beside, *found]))


def without(model: pm.Model, names: Collection[str]) -> pm.Model:
    """Return a view of a model without some Deterministics, and without the data and dims that only they use.

    It is what is sampled: changed scenarios leave its identity, and so its fit, as they were.
    """
    from pytensor.graph.traversal import ancestors

    kept = [v for v in model.deterministics if v.name not in names]
    values = [value for v, value in model.rvs_to_values.items() if v in model.observed_RVs]
    behind = set(ancestors([*model.basic_RVs, *model.potentials, *kept, *values]))
    data = [v for v in model.data_vars if v in behind]
    gone = {*names} | {str(v.name) for v in model.data_vars if v not in behind}
    view = object.__new__(type(model))
    vars(view).update(vars(model))
    view.deterministics, view.data_vars = type(model.deterministics)(kept), type(model.data_vars)(data)
    view.named_vars = type(model.named_vars)({n: v for n, v in model.named_vars.items() if n not in gone})
    view.named_vars_to_dims = {n: dims for n, dims in model.named_vars_to_dims.items() if n not in gone}
    used = {dim for dims in view.named_vars_to_dims.values() for dim in dims}
    used |= {dim for dim, length in model.dim_lengths.items() if length in behind}
    view._coords = {dim: labels for dim, labels in model.coords.items() if dim in used}
    view._dim_lengths = {dim: length for dim, length in model.dim_lengths.items() if dim in used}
    return view


def outcomes_of(model: pm.Model, words: Words, fit: DataTree) -> Outcomes:
    """Record the outcomes of a model.

    Parameters
    ----------
    model
        The whole model of a question.
    words
        Of the question: its target, and what stands beside it.
    fit
        A fit of the model: what is recorded is compared with PyTensor's own numbers at draws of it.

    Raises
    ------
    UsageError
        If the target is no outcome, or the fit lacks a variable that the outcomes start from.

    Examples
    --------
    >>> import bayes, pymc as pm
    >>> with pm.Model(coords={"scenario": ["few", "many"]}) as model:
    ...     risk = pm.Beta("risk", 3, 7)
    ...     _ = pm.Deterministic("cases", risk * pm.Data("people", [10.0, 90.0], dims="scenario"), dims="scenario")
    >>> draws = bayes.sample(without(model, ["cases"]), draws=50, chains=2)
    >>> found = outcomes_of(model, Words(target="cases"), draws)
    >>> found.how, found.given, found.scenario_data()
    ('tape', ('risk',), ('people',))
    """
    from pytensor.graph.traversal import ancestors

    from bayes.sampling.forward import data_of, following
    from bayes.sampling.proof import TAPE, proved

    names, axes = outcome_names(model, words), dims_of_target(model, words.target)
    ends = [model[name] for name in names]
    behind = set(ancestors(ends, blockers=model.free_RVs))
    given = tuple(str(v.name) for v in model.free_RVs if v in behind)
    data = {name: value for name, value in data_of(model).items() if model[name] in behind}
    values = given_values(fit, given)
    few = _spread(values)
    how = proved(following(model, ends, given), few)
    dims = {name: tuple(model.named_vars_to_dims.get(name) or ()) for name in (*names, *data)}
    used = {dim for own in dims.values() for dim in own}
    coords = {dim: tuple(model.coords[dim]) for dim in used if model.coords.get(dim) is not None}
    lengths = {dim: int(model.dim_lengths[dim].eval()) for dim in used - {*coords}}
    coords |= {dim: tuple(range(length)) for dim, length in lengths.items()}
    found = Outcomes(how.piece, names, given, data, dims, coords, axes, how.how)
    parents = {v for child in (*model.basic_RVs, *model.potentials) for v in ancestors([child]) if v is not child}
    alone = tuple(name for name in given if model[name] not in parents)
    return replace(found, sliced=how.how == TAPE and _can_be_sliced(found, few), alone=alone)


def given_values(fit: DataTree, names: Sequence[str], group: str = "posterior") -> dict[str, np.ndarray]:
    """Return draws (draw, …) of variables of a fit, chains end to end.

    Raises
    ------
    UsageError
        If the fit lacks one.
    """
    node = fit[group]
    lacking = [name for name in names if name not in node.data_vars]
    if lacking:
        raise UsageError("this fit is not of this question's model", key=lacking[0],
                         found=sorted(map(str, node.data_vars)), fix="fit the model of the question")  # fmt: skip
    found = {name: np.asarray(node[name].transpose("chain", "draw", ...).values) for name in names}
    return {name: value.reshape(-1, *value.shape[2:]) for name, value in found.items()}


def played(outcomes: Outcomes, values: Arrays, size: int, data: Arrays | None = None) -> Arrays:
    """Play the calculation on draws (draw, …): outcomes (draw, scenario, year), a lacking axis of length one.

    Parameters
    ----------
    values
        Draws of what it starts from, by name.
    size
        Number of draws.
    data
        Data in place of the model's, by name.
    """
    from bayes.sampling.tree import SIZE

    with np.errstate(all="ignore"):
        found = outcomes.piece({**values, **outcomes.data, **(data or {}), SIZE: np.asarray(size)}, 0)  # its seed
    return {name: _arranged(np.asarray(found[name], dtype=float), outcomes, name, size) for name in outcomes.names}


def _arranged(value: np.ndarray, outcomes: Outcomes, name: str, size: int) -> np.ndarray:
    """An outcome with a draw axis of full length and both of a projection's axes, in their order."""
    value = np.broadcast_to(value, (size, *value.shape[1:]))
    own = outcomes.dims[name]
    if own and outcomes.axes == own[::-1] and len(own) == 2:
        return value.transpose(0, 2, 1)
    for place, axis in enumerate(outcomes.axes):
        value = value if axis and axis in own else np.expand_dims(value, 1 + place)
    return value


def projection_of(fit: DataTree, outcomes: Outcomes, words: Words, *, group: str = "posterior") -> Projection:
    """Return the projection of draws of a fit to outcomes, before it is computed: each with its unit, and the words.

    Examples
    --------
    >>> import bayes, pymc as pm
    >>> with pm.Model(coords={"scenario": ["few", "many"]}) as model:
    ...     risk = pm.Beta("risk", 3, 7)
    ...     _ = pm.Deterministic("cases", risk * pm.Data("people", [10.0, 90.0], dims="scenario"), dims="scenario")
    >>> draws, words = bayes.sample(without(model, ["cases"]), draws=50, chains=2), Words(target="cases")
    >>> dict(bayes.projection.whole(projection_of(draws, outcomes_of(model, words, draws), words)).sizes)
    {'chain': 2, 'draw': 50, 'scenario': 2, 'year': 1}
    """
    import xarray as xr

    node = fit[group]
    labels = [words.labels.get(name, name.replace("_", " ")) for name in outcomes.scenarios]
    coords = {"chain": node["chain"].values, "draw": node["draw"].values, "scenario": list(outcomes.scenarios),
              "year": list(outcomes.years), "label": ("scenario", labels),
              "stress": ("scenario", [name in words.stress for name in outcomes.scenarios])}  # fmt: skip
    attrs = {"verdict": fit.attrs.get("verdict", "not checked"), "inputs_hash": fit.attrs.get("inputs_hash", ""),
             "fit": fit_id(fit.attrs), "group": group}  # fmt: skip
    own = replace(words, scenario=outcomes.axes[0] and words.scenario, time=outcomes.axes[1], times=outcomes.times())
    values, size = given_values(fit, outcomes.given, group), node.sizes["chain"] * node.sizes["draw"]
    empty = xr.Dataset(coords=coords, attrs={**attrs, "words": own.text()})
    return Projection(empty, {name: attributes(name, words) for name in outcomes.names}, _block,
                      (outcomes, values, size), outcomes.sliced)  # fmt: skip


def _block(shared: tuple[Outcomes, Arrays, int], numbers: Sequence[int]) -> Arrays:
    """Some scenarios: arrays (scenario, year, draw) by name."""
    outcomes, values, size = shared
    some = len(numbers) < len(outcomes.scenarios)
    data = outcomes.of(numbers) if some else None
    parts = list(_parts(outcomes, values, size, len(numbers)))
    found = [played(outcomes, part, length, data) for part, length in parts]
    return {name: np.concatenate([one[name] for one in found]).transpose(1, 2, 0) for name in outcomes.names}


_CELLS = 2**14
"""Scenario-years times draws that are played together: some twenty arrays of them fit a processor's cache."""


def _parts(outcomes: Outcomes, values: Arrays, size: int, scenarios: int) -> Iterator[tuple[Arrays, int]]:
    """Draws in parts that fit the cache, where each draw is played by itself."""
    alone = isinstance(outcomes.piece, Tape) and not outcomes.piece.draws
    step = max(1, _CELLS // (scenarios * len(outcomes.years))) if alone else size
    for start in range(0, size, step):
        part = {name: value[start : start + step] for name, value in values.items()}
        yield part, min(step, size - start)


def quantiles_of(projection: Projection, q: Sequence[float]) -> Dataset:
    """Compute a projection and keep only quantiles over all draws: dims ``quantile, scenario, year``.

    Memory does not grow with the number of draws times scenarios. Draws are interpolated linearly, but never between a
    number and infinity; those without a value are left out.

    Raises
    ------
    UsageError
        If a probability is impossible.
    """
    if not q or not all(0 <= p <= 1 for p in q):
        raise UsageError("a quantile lies between 0 and 1", key="q", found=list(q), allowed="one or more of 0 to 1",
                         fix="give probabilities, as 0.025, 0.5, 0.975")  # fmt: skip
    shape = len(q), projection.count, projection.empty.sizes["year"]
    out = {name: np.empty(shape) for name in projection.attributes}

    def fill(numbers: Sequence[int]) -> None:
        for name, values in projection.block(projection.shared, numbers).items():
            rows = row_quantiles(values.reshape(-1, values.shape[-1]), q)
            out[name][:, numbers[0] : numbers[-1] + 1] = rows.reshape(len(q), *values.shape[:2])

    in_threads(lambda i: fill([i] if projection.divisible else range(projection.count)),
               projection.count if projection.divisible else 1)  # fmt: skip
    data = {name: (("quantile", *DIMS[2:]), out[name], dict(told)) for name, told in projection.attributes.items()}
    return projection.empty.drop_vars(["chain", "draw"]).assign(data).assign_coords(quantile=list(q))


def summed(futures: Dataset) -> Dataset:
    """Sum a projection over its times, draw by draw: dims ``chain, draw, scenario``.

    Only what its words say can be added is; ratios are those of the sums (where the lower one is not above zero they
    have no value if the words say so, and are infinite otherwise), and events are whether they happen at any time.
    """
    words, held = words_of(futures), [str(name) for name in futures.data_vars]
    total = futures[[name for name in words.totals or held if name in held and words.added(name)]]
    total = total.map(lambda array: array.sum("year", keep_attrs=True, skipna=False), keep_attrs=True)
    for name in held:
        if name not in total and whether(futures[name]):
            total[name] = futures[name].max("year", keep_attrs=True)
    for name in held:
        upper, lower = words.ratios.get(name, ("", ""))
        if {upper, lower} <= set(total.data_vars):
            some = total[lower] > 0
            value = (total[upper] / total[lower].where(some)).where(some, np.nan if name in words.undefined else np.inf)
            total[name] = value.assign_attrs(futures[name].attrs)
    return total.assign_attrs(futures.attrs)


def whether(array: DataArray) -> bool:
    """Whether draws say of an event that it happens or not: a probability that is 0 or 1 in each."""
    return array.attrs.get("unit") == "probability" and bool(((array == 0) | (array == 1)).all())


def _spread(values: Arrays, count: int = 4) -> dict[str, np.ndarray]:
    """A few draws from all over a fit."""
    size = min((len(value) for value in values.values()), default=0)
    at = np.unique(np.linspace(0, size - 1, count).astype(int)) if size else np.arange(0)
    return {name: value[at] for name, value in values.items()}


def _can_be_sliced(outcomes: Outcomes, few: Arrays) -> bool:
    """Whether each scenario alone has the numbers it has among all."""
    if not outcomes.scenario_data():
        return False
    size = len(next(iter(few.values()), np.zeros(1)))
    whole = played(outcomes, few, size)
    try:
        for i in range(len(outcomes.scenarios)):
            one = played(outcomes, few, size, outcomes.of([i]))
            if any(not np.array_equal(one[name], whole[name][:, [i]], equal_nan=True) for name in whole):
                return False
    except (ValueError, IndexError):
        return False
    return True
