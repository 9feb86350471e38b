"""What the page carries: tape, draws, priors, scenarios and the run's own summaries, as plain data."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bayes.declared import OWN, TRUNCATED, priors_in
from bayes.families import PYMC
from bayes.numbers import APART, LEAST_CHANCE, NOT_APART, NOT_APART_WORDS
from bayes.outcomes import Outcomes, given_values
from bayes.priors import Prior
from bayes.report.whatif.player import lacking
from bayes.sampling.tape import Tape
from bayes.sampling.tree import SIZE
from bayes.sensitivity.weights import rules
from bayes.summaries import PROB, summarise
from bayes.units import UNITS
from bayes.words import Words

if TYPE_CHECKING:
    from xarray import DataArray, Dataset, DataTree

    from bayes.plans import Asked
    from bayes.study import Study

__all__ = ["Live", "carried", "live_of", "reason_against"]

_LARGEST = 6e6
"""Bytes of draws that a page may carry."""

_SLIDERS: Mapping[str, tuple[str, ...]] = {
    "median": ("Normal", "LogNormal", "ShiftedLogNormal", "pymc.StudentT", "pymc.Cauchy", "pymc.Laplace",
               "pymc.Logistic", "pymc.Weibull"),
    "mean": ("Beta", "Gamma", "Exponential"), "middle": ("Uniform",), "mode": ("pymc.Triangular",),
    "scale": ("HalfNormal", "HalfCauchy", "pymc.HalfStudentT", "pymc.InverseGamma"),
    "median before it is cut off": ("pymc.TruncatedNormal",),
}  # fmt: skip
_WORDS = {family: word for word, families in _SLIDERS.items() for family in families}
_WORDS |= {f"{TRUNCATED}{family}": f"{word} before it is cut off" for family, word in _WORDS.items()}
"""What the first slider of each family sets; priors of other families have no sliders."""
_MOST = 12
"""Elements of a vector, or of data beside the scenarios, that have sliders of their own."""
_ONE_SLIDER = (*_SLIDERS["scale"], "Exponential")
_AT_ONCE = 8
"""Priors shown at once where the words name none; the others open on demand."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Live:
    """What a live what-if is made from, besides a fit and its projection.

    Parameters
    ----------
    outcomes
        The calculation from draws and data to outcomes.
    words
        What is said of the question.
    priors
        Declared priors by name.
    study
        The study whose scenarios and settings are changed by name; None where the model's data are.
    ranges
        Range of the slider of a ``pm.Data`` by name; from half to double its value where not named.
    command
        How the downloaded changes are put in force.
    data
        Whether that command takes changes of any ``pm.Data``.
    free
        Variables whose priors depend on no other variable: those without a slider are named on the page.
    follows
        The other variables, each with those that its prior depends on: their sliders move it too.
    """

    outcomes: Outcomes
    words: Words
    priors: Mapping[str, Prior]
    study: Study | None = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    command: str = "bayes run --changes what-if.toml"
    data: bool = True
    free: tuple[str, ...] = ()
    follows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def live_of(case: Asked, fit: DataTree) -> Live:
    """Return what the what-if of a question is made from, its outcomes recorded.

    Parameters
    ----------
    case
        The question, put to its study.
    fit
        A fit of its model.

    Examples
    --------
    >>> import pymc as pm, bayes
    >>> from bayes.plans import Asked
    >>> def build():
    ...     with pm.Model() as model:
    ...         pm.Deterministic("cases", 10 * pm.Gamma("rate", 2, 1))
    ...     return model
    >>> case = Asked(bayes.Question(model=build, target="cases"))
    >>> live = live_of(case, bayes.sample(case.sampled, draws=50, chains=2))
    >>> live.outcomes.how, list(live.priors)
    ('tape', ['rate'])
    """
    from pytensor.graph.traversal import ancestors

    model = case.model
    priors = {**priors_in(model), **({} if case.study is None else case.study.priors)}
    others = {v: {*model.free_RVs} - {v} for v in model.free_RVs}
    above = {str(v.name): {*ancestors([v], blockers=rest)} & rest for v, rest in others.items()}
    behind = {name: tuple(sorted(str(one.name) for one in parents)) for name, parents in above.items()}
    return Live(outcomes=case.outcomes(fit), words=case.words, priors=priors, study=case.study,
                ranges=case.question.ranges, free=tuple(name for name in case.inputs() if not behind[name]),
                follows={name: behind[name] for name in case.inputs() if behind[name]},
                command=f"{case.question.program} run --changes what-if.toml")  # fmt: skip


def reason_against(live: Live, fit: DataTree) -> str:
    """Say why a page cannot play the outcomes of a question; nothing where it can.

    Examples
    --------
    >>> study = bayes.load_study()
    >>> reason_against(study.schema.live(fit, study), fit)
    ''
    """
    piece, given = live.outcomes.piece, live.outcomes.given
    if not isinstance(piece, Tape):
        return f"the outcomes of this model cannot be written down for a page: they are computed {live.outcomes.how}"
    missing = lacking(piece)
    if missing:
        return f"the outcomes of this model use what a page cannot compute: {', '.join(missing)}"
    posterior = fit["posterior"]
    names = {*given, *(one.variable for one in _with_sliders(live, fit))}
    size = sum(posterior[name].size for name in names if name in posterior) * 32 / 3
    if size > _LARGEST:
        return f"the draws that the outcomes start from are too many for a page ({size / 1e6:.0f} MB)"
    return ""


def carried(live: Live, fit: DataTree, futures: Dataset, default: str) -> dict[str, Any]:
    """Collect what the page carries.

    Parameters
    ----------
    live
        The question.
    fit, futures
        A fit of its model, and the projection over every scenario.
    default
        The scenario shown first.

    Returns
    -------
    dict
        Plain data for JSON: ``tape``, the calculation; ``draws`` as base64 of little-endian 64-bit floats, chains end
        to end; ``rules``, by which weights are relied on; ``apart``, by which numbers are marked as not told apart
        from 0; ``least_chance``, beyond which a probability is written as such.

    Raises
    ------
    UsageError
        If the fit lacks what the outcomes start from.
    """
    outcomes, words, posterior = live.outcomes, live.words, fit["posterior"]
    priors, controls = [_prior(live, fit, one) for one in _with_sliders(live, fit)], _controls(live, fit)
    draws = given_values(fit, list(dict.fromkeys([*outcomes.given, *(p["variable"] for p in priors)])))
    count = posterior.sizes["chain"] * posterior.sizes["draw"]
    rows = _rows(live)
    return {
        "tape": cast(Tape, outcomes.piece).as_data(), "size": SIZE, "sliced": outcomes.sliced,
        "given": list(outcomes.given), "axes": [list(outcomes.dims[name]) for name in outcomes.names],
        "outcomes": list(outcomes.names), "dims": list(outcomes.axes),
        "chains": posterior.sizes["chain"], "draws_per_chain": posterior.sizes["draw"], "prob": PROB,
        "scenarios": [{"name": name, "label": words.labels.get(name, name.replace("_", " "))}
                      for name in outcomes.scenarios],
        "default_scenario": default, "scenario_word": words.scenario or "scenario",
        "years": list(outcomes.years), "time": (words.time or "year") if len(outcomes.years) > 1 else "",
        "rows": rows, "scheme": _scheme(live), "threshold": _threshold(futures, words.target, default),
        "data": {name: _data(outcomes, name) for name in outcomes.data}, "controls": controls,
        "without": _without(live, fit, {one["of"] for one in (*priors, *controls)}),
        "follows": _follows(live, {one["of"] for one in priors}),
        "rules": rules(count), "apart": {"errors": APART, "mark": NOT_APART, "words": NOT_APART_WORDS},
        "least_chance": LEAST_CHANCE,
        "priors": priors, "published": _published(futures, rows), "command": live.command,
        "draws": {name: {"values": _encoded(value), "shape": list(value.shape)} for name, value in draws.items()},
    }  # fmt: skip


def _rows(live: Live) -> list[dict[str, Any]]:
    """What is shown: the target and what stands beside it, at a time and summed up to it."""
    words, outcomes = live.words, live.outcomes
    several = len(outcomes.years) > 1
    shown = [name for name in dict.fromkeys([words.target, *words.beside]) if name in outcomes.names]
    found = [_row(live, name, total=False) for name in shown]
    money = [words.net_benefit] if words.net_benefit in outcomes.names else []
    adding = [name for name in dict.fromkeys([*shown, *money])
              if several and outcomes.axes[1] in outcomes.dims[name] and words.added(name)]  # fmt: skip
    found += [_row(live, name, total=False) for name in money if name not in [*shown, *adding]]
    return found + [_row(live, name, total=True) for name in adding]


def _scheme(live: Live) -> dict[str, Any] | None:
    """The outcome that says how large a scenario is, time after time: its course is drawn."""
    words, outcomes = live.words, live.outcomes
    drawn = words.size in outcomes.names and len(outcomes.years) > 1 and outcomes.axes[1] in outcomes.dims[words.size]
    return _row(live, words.size, total=False) if drawn else None


def _row(live: Live, name: str, *, total: bool) -> dict[str, Any]:
    timed = len(live.outcomes.years) > 1 and live.outcomes.axes[1] in live.outcomes.dims[name]
    return {"key": f"{name}{'.total' if total else ''}", "outcome": name, "total": total, "timed": timed,
            "title": live.words.headed(name), "words": live.words.label(name),
            "unit": live.words.unit_over_times(name) if total else live.words.unit(name)}  # fmt: skip


# --- priors ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Moved:
    """What one set of sliders moves: a prior, or that of one element of a vector, and the draws that it bears on."""

    prior: Prior
    of: str
    variable: str
    title: str
    place: int | None = None


def _with_sliders(live: Live, fit: DataTree) -> list[_Moved]:
    """Priors of a family with sliders, those that the words show first; of vectors as :func:`_of_vector` has them."""
    posterior, found = fit["posterior"].to_dataset(), list[_Moved]()
    order = [*live.words.shown, *live.priors]
    for prior in (live.priors[name] for name in dict.fromkeys(order) if name in live.priors):
        own = {*OWN.get(prior.family.removeprefix(PYMC), prior.parameters)}
        ends = {"lower", "upper"} if prior.family == "pymc.TruncatedNormal" else set[str]()
        variable, named = _variable(prior), own - ends <= {*prior.parameters} <= own
        if prior.family in _WORDS and named and {prior.name, variable} <= posterior.data_vars.keys():
            found += _of_vector(prior, variable, posterior[variable], live.words.headed(prior.name))
    return found


def _of_vector(prior: Prior, variable: str, drawn: DataArray, title: str) -> list[_Moved]:
    """One set of sliders for all elements that share their parameters, else one for each where they are not many."""
    parameters: Mapping[str, Any] = prior.parameters
    if not any(np.ndim(value) for value in parameters.values()):
        each = f" (each of {drawn[0, 0].size})" if drawn.ndim > 2 else ""
        return [_Moved(prior, prior.name, variable, f"{title}{each}")]
    found, labels = list[_Moved](), drawn[drawn.dims[-1]].values.tolist()
    for i, label in enumerate(labels if len(labels) <= _MOST else []):
        own = {key: float(value[i] if np.ndim(value) else value) for key, value in parameters.items()}
        element = replace(prior, name=f"{prior.name}[{label}]", declared=own)
        found.append(_Moved(element, prior.name, variable, f"{title}: {label}", i))
    return found


def _variable(prior: Prior) -> str:
    """The variable that is drawn: what a shifted prior has beyond its shift."""
    return f"{prior.name}_excess" if prior.family == "ShiftedLogNormal" else prior.name


def _prior(live: Live, fit: DataTree, moved: _Moved) -> dict[str, Any]:
    prior, of, variable = moved.prior, moved.of, moved.variable
    shown = [name for name in live.words.shown if name in live.priors]
    unit = UNITS.get(prior.unit)
    if live.study is not None and live.study.schema.units:
        unit = live.study.schema.units.get(prior.unit)
    drawn, first = json.loads(fit.attrs.get("forward_variables", "[]")), shown or [*live.priors][:_AT_ONCE]
    mapped = not prior.family.startswith((TRUNCATED, f"{PYMC}Truncated"))
    return {
        "name": prior.name, "of": of, "id": _identifier(prior.name, "prior"), "title": moved.title,
        "meaning": prior.meaning, "unit": prior.unit or live.words.unit(of),
        "family": prior.family, "parameters": dict(prior.parameters), "main": of in first,
        "lower": _finite(unit.lower if unit else -np.inf), "upper": _finite(unit.upper if unit else np.inf),
        "word": _WORDS[prior.family], "two": prior.family.removeprefix(TRUNCATED) not in _ONE_SLIDER,
        "declared": live.study is not None and prior.name in live.study.priors, "variable": variable,
        "place": moved.place, "offset": prior.parameters["shift"] if variable != of else 0.0,
        "forward": variable in drawn, "redrawn": mapped and variable in drawn and variable in live.outcomes.alone,
    }  # fmt: skip


def _identifier(name: str, kind: str) -> str:
    """A name as part of an identifier of the page."""
    return name if re.fullmatch(r"[A-Za-z]\w*", name) else kind + "-" + name.encode().hex()


def _finite(end: float) -> float:
    """An end of a support as JSON can have it: beyond any quantity where there is none."""
    return float(np.clip(end, -1e300, 1e300))


# --- data --------------------------------------------------------------------------------------


def _data(outcomes: Outcomes, name: str) -> dict[str, Any]:
    """A ``pm.Data``: its numbers, and which of its axes is that of the scenarios."""
    value, dims = np.asarray(outcomes.data[name], dtype=float), outcomes.dims.get(name, ())
    axis = dims.index(outcomes.axes[0]) if outcomes.axes[0] and outcomes.axes[0] in dims else None
    return {"values": _encoded(value), "shape": list(value.shape), "axis": axis}


def _controls(live: Live, fit: DataTree) -> list[dict[str, Any]]:
    """Data that only the outcomes use, a number for each scenario or one for all, of each label of their other dims."""
    outcomes, fixed, found = live.outcomes, _fixed(fit), list[dict[str, Any]]()
    for name, value in ((name, np.asarray(value)) for name, value in outcomes.data.items()):
        dims = outcomes.dims.get(name, ())
        lengths = [1 if dim == outcomes.axes[0] else length for dim, length in zip(dims, value.shape, strict=False)]
        known = name not in fixed and value.dtype.kind in "bifu" and len(dims) == value.ndim and all(dims)
        table = _table(live, name) if known and np.prod(lengths) == 1 else "data"
        if known and np.prod(lengths) <= _MOST and (table != "data" or live.data):
            found += [_control(live, name, table, place) for place in np.ndindex(*lengths)]
    return found


def _control(live: Live, name: str, table: str, place: tuple[int, ...]) -> dict[str, Any]:
    """What one slider of data sets; ``at`` and ``path`` have None on the axis of the scenarios."""
    outcomes, words = live.outcomes, live.words
    value, dims = np.asarray(outcomes.data[name]), outcomes.dims.get(name, ())
    at = [None if dim == outcomes.axes[0] else i for dim, i in zip(dims, place, strict=True)]
    path = [None if i is None else str(outcomes.coords[dim][i]) for dim, i in zip(dims, at, strict=True)]
    cell = ", ".join(label for label in path if label is not None)
    chosen = np.asarray(value[tuple(slice(None) if i is None else i for i in at)], dtype=float)
    values = np.broadcast_to(chosen, len(outcomes.scenarios))
    called = f"{name}[{cell}]" if cell else name
    return {
        "name": called, "of": name, "id": _identifier(called, "data"),
        "title": words.headed(name) + (cell and f": {cell}"), "words": words.label(name) + (cell and f": {cell}"),
        "unit": words.unit(name), "kind": {"b": "switch", "f": "number"}.get(value.dtype.kind, "whole"), "table": table,
        "at": at, "path": path, "values": values.tolist(), "ranges": [_range(live, name, x) for x in values],
    }  # fmt: skip


def _fixed(fit: DataTree) -> set[str]:
    """Data that the fit was made from: no change of them is seen by its draws."""
    return set(map(str, fit["constant_data"].data_vars)) if "constant_data" in fit.children else set()


def _range(live: Live, name: str, value: float) -> list[float] | None:
    """Ends of a slider; none for a zero that no range is named for."""
    low, high = live.ranges.get(name) or sorted((value / 2, 2 * value))
    unit = UNITS.get(live.words.unit(name))
    low, high = (np.clip(end, unit.lower, unit.upper) if unit else end for end in (low, high))
    return [float(min(low, value)), float(max(high, value))] if low < high else None


def _table(live: Live, name: str) -> str:
    """The table of a file of changes that holds a ``pm.Data``: what a study states under its name, or the model's."""
    if live.study is None:
        return "data"
    outcomes, scenarios = live.outcomes, live.study.scenarios
    value = np.asarray(outcomes.data[name], dtype=float)
    if value.ndim and all(label in scenarios for label in outcomes.scenarios):
        stated = [getattr(scenarios[label], name, None) or 0.0 for label in outcomes.scenarios]
        known = any(hasattr(scenarios[label], name) for label in outcomes.scenarios)
        return "scenarios" if known and all(map(_same, stated, value)) else "data"
    setting = getattr(live.study.settings, name, None)
    return "settings" if value.ndim == 0 and _same(setting, float(value)) else "data"


def _same(stated: Any, value: float) -> bool:
    return isinstance(stated, int | float) and float(stated) == value


def _without(live: Live, fit: DataTree, shown: Collection[str]) -> list[str]:
    """Words for what the outcomes start from and no slider changes: priors and, where a file may change it, data."""
    priors = [name for name in dict.fromkeys([*live.priors, *live.free]) if name in fit["posterior"]]
    data = [name for name in live.outcomes.data if live.data and name not in _fixed(fit)]
    return [live.words.label(name) for name in (*priors, *data) if name not in shown]


def _follows(live: Live, shown: Collection[str]) -> list[str]:
    """Words for what has a prior that depends on others, with those of them that have sliders, which move it."""
    by = {name: [live.words.label(one) for one in parents if one in shown] for name, parents in live.follows.items()}
    return [f"{live.words.label(name)} (by {', '.join(names)})" for name, names in by.items() if names]


# --- numbers of the run ------------------------------------------------------------------------


def _encoded(values: np.ndarray) -> str:
    """Numbers as base64 of little-endian 64-bit floats: nothing is rounded."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f8").tobytes()).decode("ascii")


def _threshold(futures: Dataset, target: str, scenario: str) -> float:
    """A round number to begin with: the median of the last year, to one digit."""
    median = float(np.nanmedian(futures[target].sel(scenario=scenario).isel(year=-1)))
    return float(f"{median:.0e}") if np.isfinite(median) else 0.0


def _published(futures: Dataset, rows: list[dict[str, Any]]) -> dict[str, dict[str, list[list[float | None]]]]:
    """The run's own summaries by scenario and row of the panel: a list over years, or the one of all years."""
    found: dict[str, dict[str, list[list[float | None]]]] = {str(name): {} for name in futures["scenario"].values}
    for total in (False, True):
        keys = {row["outcome"]: row["key"] for row in rows if row["total"] == total and row["outcome"] in futures}
        if not keys:
            continue
        chosen = futures[list(keys)].sum("year", keep_attrs=True, skipna=False) if total else futures[list(keys)]
        for row in summarise(chosen, prob=PROB, kind="eti").itertuples():
            found[str(row.scenario)].setdefault(keys[row.variable], []).append(_numbers(row))
    return found


def _numbers(row: Any) -> list[float | None]:
    """Median, lower and upper end, each with its Monte Carlo error; None for an error that cannot be told."""
    ends = (row.estimate, row.mcse, row.lower, row.mcse_lower, row.upper, row.mcse_upper)
    return [float(number) if np.isfinite(number) else None for number in ends]
