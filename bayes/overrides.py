"""Changes to a question given on the command line: other priors, scenarios and settings, other data of its model.

``name=Family(…)`` replaces the numbers of one declared prior. ``key=value`` changes a field of the settings
(``horizon_years=20``), of every scenario (``ramp=logistic``; ``places=20000`` where a scenario states places), or, as
``wide.places=20000``, of one scenario; ``data.people=20`` and ``data.people.wide=20`` set a ``pm.Data`` of the model,
whole or at one label. Nothing is evaluated, a changed study passes every check of one read from files, and the changes
are stamped in the manifest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bayes.errors import ScenarioError, UsageError, check_word, closest, number_fix
from bayes.files import read_toml
from bayes.numbers import label_text
from bayes.priortext import EXAMPLE, prior_text, replaced_prior
from bayes.provenance import Reference
from bayes.records import Place, changed_record, values_of
from bayes.study import Study, check_study

if TYPE_CHECKING:
    import numpy as np
    import pymc as pm

__all__ = ["Overrides", "change_data", "changed_study", "notes_on", "parse_overrides", "read_overrides"]

_GIVEN = Reference("command_line", "Given on the command line", "", "", "")


@dataclass(frozen=True, slots=True)
class Overrides:
    """Changes as text, by what they change.

    Parameters
    ----------
    priors
        Quantity to prior, as ``{"tau_theta": "HalfNormal(0.2)"}``.
    settings
        Key to value, as ``{"wide.places": "20000"}``.
    data
        A ``pm.Data`` of the model, with a label of its first dim or without, to value: ``{"people.wide": "20"}``.
    """

    priors: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.priors or self.settings or self.data)

    def as_data(self) -> dict[str, dict[str, str]]:
        """Plain data for the manifest."""
        found = {"priors": dict(self.priors), "settings": dict(self.settings)}
        return found | ({"data": dict(self.data)} if self.data else {})

    def and_then(self, later: Overrides) -> Overrides:
        """Return both, the later winning."""
        return Overrides({**self.priors, **later.priors}, {**self.settings, **later.settings},
                         {**self.data, **later.data})  # fmt: skip


def parse_overrides(priors: Iterable[str] = (), settings: Iterable[str] = ()) -> Overrides:
    """Split ``name=value`` texts.

    Raises
    ------
    UsageError
        If one has no ``=``, or a name stands twice.

    Examples
    --------
    >>> parse_overrides(["tau_theta=HalfNormal(0.2)"], ["wide.places=20000"]).settings
    {'wide.places': '20000'}
    """
    pairs = _pairs(settings, "--set", "coverage=0.5, wide.coverage=0.5 or data.people=20")
    data = {key.removeprefix("data."): pairs.pop(key) for key in [*pairs] if key.startswith("data.")}
    return Overrides(_pairs(priors, "--prior", f"name={EXAMPLE.partition(' or ')[0]}"), pairs, data)


def read_overrides(path: Path) -> Overrides:
    """Read changes from a TOML file, as the what-if of a report writes it.

    ::

        [priors]
        tau_theta = "HalfNormal(0.2)"

        [settings]
        horizon_years = 20

        [scenarios.wide]
        places = 20000

        [data]
        cost = 12

        [data.people]
        wide = 20

        [data.people_by_age.wide]
        old = 8

    Raises
    ------
    UsageError
        With table and key, for anything else; what the values mean is checked by :func:`changed_study`.
    StudyError
        If the file cannot be read.

    Examples
    --------
    >>> Path("mine.toml").write_text("[scenarios.wide]\\nplaces = 20000")
    31
    >>> read_overrides(Path("mine.toml")).settings
    {'wide.places': '20000'}
    """
    tables = read_toml(path, UsageError)
    for name in tables:
        if name not in _TABLES:
            raise UsageError("this table is not known", file=path, table=name, allowed=_TABLES,
                             fix=closest(name, _TABLES) or "remove it")  # fmt: skip
    scenarios = _entries(tables.get("scenarios", {}), path, "scenarios", dict)
    priors = _entries(tables.get("priors", {}), path, "priors", str)
    settings = _entries(tables.get("settings", {}), path, "settings", (str, int, float))
    found = {f"settings.{key}": _text(value) for key, value in settings.items()}
    for name, table in scenarios.items():
        values = _entries(table, path, f"scenarios.{name}", (str, int, float))
        found |= {f"{name}.{key}": _text(value) for key, value in values.items()}
    data: dict[str, str] = {}
    for name, value in _entries(tables.get("data", {}), path, "data", (int, float, dict)).items():
        data |= _numbers(name, value, path)
    return Overrides(priors, found, data)


def _numbers(name: str, value: Any, path: Path) -> dict[str, str]:
    """The numbers of a ``pm.Data`` in a file, by its name and labels with dots between."""
    if not isinstance(value, dict):
        return {name: _text(value)}
    inside = _entries(value, path, f"data.{name}", (int, float, dict)).items()
    return {key: text for label, one in inside for key, text in _numbers(f"{name}.{label}", one, path).items()}


_TABLES = ("priors", "settings", "scenarios", "data")
_KINDS = {str: 'text in quotes, as "HalfNormal(0.2)"', dict: "a table with keys and values"}


def _entries(table: object, path: Path, name: str, kind: Any) -> dict[str, Any]:
    """Return the entries of a table after checking their kind."""
    if not isinstance(table, Mapping):
        raise UsageError("this must be a table", file=path, key=name, found=table, fix=f"write [{name}]")
    for key, value in table.items():
        if not isinstance(value, kind):
            raise UsageError("this value is of another kind", file=path, table=name, key=key, found=value,
                             allowed=_KINDS.get(kind, "a number, a text, true or false"), fix="correct it")  # fmt: skip
    return dict(table)


def _text(value: object) -> str:
    """A value as the command line writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def changed_study(study: Study, overrides: Overrides) -> Study:
    """Return the study with overrides in force, cross-checked like one read from files.

    Raises
    ------
    PriorError, ScenarioError, UsageError
        With the text that is wrong.
    """
    if not (overrides.priors or overrides.settings):
        return study
    priors = dict(study.priors)
    for name, text in overrides.priors.items():
        check_word(name, priors, "this quantity is not declared", key="--prior", otherwise="see 'bayes priors list'")
        priors[name] = replaced_prior(priors[name], text, study.schema.units or {})
    settings, scenarios = study.settings, dict(study.scenarios)
    for key, text in overrides.settings.items():
        settings, scenarios = _set(settings, scenarios, key, text)
    references = {**study.references, _GIVEN.key: _GIVEN} if overrides.priors else study.references
    changed = replace(study, priors=MappingProxyType(priors), scenarios=MappingProxyType(scenarios), settings=settings,
                      references=MappingProxyType(references))  # fmt: skip
    return check_study(changed)


def change_data(model: pm.Model, overrides: Overrides) -> None:
    """Set the ``pm.Data`` of a model that the overrides name, each whole or at one label of its first dims.

    Raises
    ------
    UsageError
        If the model has no such data or label, or the value is no number of its kind.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model(coords={"scenario": ["low", "high"]}) as model:
    ...     people = pm.Data("people", [10.0, 20.0], dims="scenario")
    >>> change_data(model, parse_overrides([], ["data.people.high=30"]))
    >>> people.get_value().tolist()
    [10.0, 30.0]
    """
    import numpy as np

    known = {str(one.name): one for one in model.data_vars}
    for key, text in overrides.data.items():
        name = key if key in known else key.partition(".")[0]
        check_word(name, known, "the model has no such pm.Data", key="data", otherwise="choose one")
        values = np.array(known[name].get_value())
        at = _place(model, name, key[len(name) + 1 :], values.shape)
        values[at] = _number(text, values.dtype, f"data.{key}")
        known[name].set_value(values)


def _place(model: pm.Model, name: str, path: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Where labels with dots between stand in a ``pm.Data``, dim by dim; a label may have dots itself."""
    found: list[int] = []
    dims = model.named_vars_to_dims.get(name) or (None,) * len(shape)
    for dim, length in zip(dims, shape, strict=True):
        if not path:
            break
        labels = [label_text(one) for one in model.coords.get(dim) or range(length)]
        label = max((one for one in labels if f"{path}.".startswith(f"{one}.")), key=len, default=path)
        check_word(label, labels, f"{name} has no such label", key=f"data.{name}", otherwise="choose one")
        found.append(labels.index(label))
        path = path[len(label) + 1 :]
    if path:
        raise UsageError("these data have no further dim", key=f"data.{name}", found=path, allowed=list(map(str, dims)),
                         fix="leave it out")  # fmt: skip
    return tuple(found)


def _number(text: str, kind: np.dtype, key: str) -> float:
    """A number as text, finite, and whole where the data are."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    whole = kind.kind in "iub"
    if not math.isfinite(value) or (whole and value != math.floor(value)):
        raise UsageError("this must be a whole number" if whole else "this must be a number", key=key, found=text,
                         allowed="0, 1, 2, …" if whole else "digits with a decimal point",
                         fix=number_fix(text) or "correct it")  # fmt: skip
    return value


def notes_on(study: Study, overrides: Overrides) -> list[str]:
    """Return, for each given prior whose quantiles its family cannot have exactly, which numbers are in force."""
    given = (study.priors[name] for name in overrides.priors)
    return [f"{prior.name}: {prior.note}; in force is {prior_text(prior)}" for prior in given if prior.note]


def _pairs(texts: Iterable[str], option: str, example: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(
                "this is no name and value", key=option, found=text, allowed=example, fix="put = between them"
            )
        if name in found:
            raise UsageError("this name stands twice", key=option, found=name, fix="give it once")
        found[name] = value
    return found


def _set(settings: Any, scenarios: Mapping[str, Any], key: str, text: str) -> tuple[Any, dict[str, Any]]:
    """Change one field of the settings, of one scenario, or of all."""
    owner, dot, name = key.rpartition(".")
    at, own = Place(ScenarioError, f"--set {key}", "settings"), list(values_of(settings))
    if (owner == "settings" or not dot) and name in own:
        return changed_record(settings, {name: text}, at, ()), dict(scenarios)
    if dot:
        check_word(owner, scenarios, "there is no such scenario", key="--set",
                   otherwise="choose one, or leave it out to change all")  # fmt: skip
    having = {s: values_of(one) for s, one in scenarios.items() if name != "name" and name in values_of(one)}
    if not having or (dot and owner not in having):
        allowed = [f for f in dict.fromkeys(f for one in scenarios.values() for f in values_of(one)) if f != "name"]
        allowed += [] if dot else own
        raise UsageError("there is no such field", key="--set", found=name, allowed=allowed,
                         fix=closest(name, allowed) or "choose one")  # fmt: skip
    either = [f.name for f in fields(scenarios[next(iter(having))]) if f.name == name and f.metadata.get("instead_of")]
    chosen = [owner] if dot else [s for s, found in having.items() if not either or found[name] not in (None, "")]
    if not chosen:
        raise UsageError("no scenario states this field", key="--set", found=name, allowed=scenarios,
                         fix=f"name a scenario: NAME.{name}={text}")  # fmt: skip
    changed = dict(scenarios)
    for s in chosen:
        label = {} if name == "label" else {"label": f"{scenarios[s].label} [{name}={text}]"}
        changed[s] = changed_record(scenarios[s], {name: text, **label}, replace(at, table=f"scenarios.{s}"))
    return settings, changed
