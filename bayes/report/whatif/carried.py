"""What the page carries: tape, draws, priors, scenarios and the run's own summaries, as plain data."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bayes.declared import OWN, priors_in
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
    from xarray import Dataset, DataTree

    from bayes.plans import Asked
    from bayes.study import Study

__all__ = ["Live", "carried", "live_of", "reason_against"]

_LARGEST = 6e6
"""Bytes of draws that a page may carry."""

_SLIDERS: Mapping[str, tuple[str, ...]] = {
    "median": ("Normal", "LogNormal", "ShiftedLogNormal", "pymc.StudentT", "pymc.Cauchy", "pymc.Laplace",
               "pymc.Logistic", "pymc.Weibull"),
    "mean": ("Beta", "Gamma", "Exponential"), "middle": ("Uniform",),
    "scale": ("HalfNormal", "HalfCauchy", "pymc.HalfStudentT", "pymc.InverseGamma"),
}  # fmt: skip
_WORDS = {family: word for word, families in _SLIDERS.items() for family in families}
"""What the first slider of each family sets; priors of other families have no sliders."""
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
    """

    outcomes: Outcomes
    words: Words
    priors: Mapping[str, Prior]
    study: Study | None = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    command: str = "bayes run --changes what-if.toml"
    data: bool = True
    free: tuple[str, ...] = ()


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
    behind = {str(v.name): {*ancestors([v])} & {*model.free_RVs} - {v} for v in model.free_RVs}
    return Live(outcomes=case.outcomes(fit), words=case.words, priors=priors, study=case.study,
                ranges=case.question.ranges, free=tuple(name for name in case.inputs() if not behind[name]),
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
    size = sum(posterior[name].size for name in {*given, *_with_sliders(live, fit)} if name in posterior) * 32 / 3
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
    priors, controls = [_prior(live, fit, prior) for prior in _with_sliders(live, fit).values()], _controls(live, fit)
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
        "without": _without(live, fit, {one["name"] for one in (*priors, *controls)}),
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


def _with_sliders(live: Live, fit: DataTree) -> dict[str, Prior]:
    """Priors of single numbers and a family with sliders, those that the words show first."""
    posterior = fit["posterior"].data_vars
    order = [*live.words.shown, *live.priors]
    found = {name: live.priors[name] for name in dict.fromkeys(order) if name in live.priors}
    return {name: prior for name, prior in found.items() if prior.family in _WORDS and name in posterior
            and {*OWN.get(prior.family.removeprefix(PYMC), prior.parameters)} == {*prior.parameters}
            and posterior[name].ndim == 2 and _variable(prior) in posterior}  # fmt: skip


def _variable(prior: Prior) -> str:
    """The variable that is drawn: what a shifted prior has beyond its shift."""
    return f"{prior.name}_excess" if prior.family == "ShiftedLogNormal" else prior.name


def _prior(live: Live, fit: DataTree, prior: Prior) -> dict[str, Any]:
    shown = [name for name in live.words.shown if name in live.priors]
    main = prior.name in (shown or [*live.priors][:_AT_ONCE])
    unit, variable = UNITS.get(prior.unit), _variable(prior)
    if live.study is not None and live.study.schema.units:
        unit = live.study.schema.units.get(prior.unit)
    drawn = json.loads(fit.attrs.get("forward_variables", "[]"))
    return {
        "name": prior.name, "id": _identifier(prior.name, "prior"), "title": live.words.headed(prior.name),
        "meaning": prior.meaning, "unit": prior.unit or live.words.unit(prior.name),
        "family": prior.family, "parameters": dict(prior.parameters), "main": main,
        "lower": _finite(unit.lower if unit else -np.inf), "upper": _finite(unit.upper if unit else np.inf),
        "word": _WORDS[prior.family], "two": prior.family not in _ONE_SLIDER,
        "declared": live.study is not None and prior.name in live.study.priors, "variable": variable,
        "offset": prior.parameters["shift"] if variable != prior.name else 0.0,
        "forward": variable in drawn, "redrawn": variable in drawn and variable in live.outcomes.alone,
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
    """Data that only the outcomes use, one number for each scenario or one for all, and how a file names them."""
    outcomes, found = live.outcomes, []
    fixed = _fixed(fit)
    for name, value in outcomes.data.items():
        scenario = outcomes.axes[0] and outcomes.dims.get(name, ()) == (outcomes.axes[0],)
        if name in fixed or not (scenario or np.ndim(value) == 0) or np.asarray(value).dtype.kind not in "bifu":
            continue
        table = _table(live, name)
        if table == "data" and not live.data:
            continue
        values = np.broadcast_to(np.asarray(value, dtype=float), len(outcomes.scenarios))
        kind = {"b": "switch", "f": "number"}.get(np.asarray(value).dtype.kind, "whole")
        found.append({
            "name": name, "id": _identifier(name, "data"), "title": live.words.headed(name),
            "words": live.words.label(name), "unit": live.words.unit(name), "kind": kind, "table": table,
            "single": not scenario, "values": values.tolist(), "ranges": [_range(live, name, x) for x in values],
        })  # fmt: skip
    return found


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
