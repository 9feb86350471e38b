"""Declared priors: TOML tables become frozen records, or an error that says where and why.

A declaration is data only. It names a quantity, its unit, a family with quantiles or
parameters, the source of the number and the reason for its width::

    [offences_per_user_year]
    meaning   = "mean self-reported offences a year of an eligible person"
    unit      = "offences/person-year"
    family    = "LogNormal"
    quantiles = { q05 = 108, q50 = 432, q95 = 1728 }
    source    = { key = "dwc2007", locator = "para. 2", kind = "press", status = "secondary" }
    why       = "One sentence: why this source and this width."

The same field table drives the checks here and the JSON Schema that editors use.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bayes.errors import PriorError, closest
from bayes.families import FAMILIES, Family, family, fit_quantiles, misfit
from bayes.files import read_text
from bayes.provenance import KINDS, STATUSES, Source
from bayes.units import UNITS

__all__ = ["MISFIT", "Prior", "json_schema", "parse_prior", "read_priors", "with_alternative"]

MISFIT = 0.01
"""Largest relative error a quantile fit may have (see :func:`bayes.families.misfit`)."""

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_QUANTILE = re.compile(r"q(\d{2,4})\Z")
_TEXT = ("meaning", "unit", "family", "why")
_OPTIONAL = ("quantiles", "parameters", "note", "alternatives")
_SOURCE = ("key", "locator", "kind", "status")
_SOURCE_OPTIONAL = ("data_set",)
_ALTERNATIVE = ("family", "quantiles", "parameters", "why")


def _frozen(values: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(dict(values))


@dataclass(frozen=True, slots=True)
class Prior:
    """One declared prior.

    Parameters
    ----------
    name
        The quantity, also the name of the variable in the model.
    meaning, unit, why, note
        What it is, its unit, why this source and width, what else a reader should know.
    family
        A name of :data:`bayes.families.FAMILIES`.
    quantiles
        Probability to value; empty when parameters are declared.
    declared
        Parameters as written; empty when quantiles are declared.
    source
        Where the number was read.
    alternatives
        Other declarations of the same quantity, by name (``"sceptical"``, …).
    file
        The file it was read from.

    Examples
    --------
    >>> from bayes import load_study
    >>> prior = load_study().priors["offences_per_user_year"]
    >>> prior.quantiles[0.5], prior.family
    (432.0, 'LogNormal')
    """

    name: str
    meaning: str
    unit: str
    family: str
    source: Source
    why: str
    quantiles: Mapping[float, float] = field(default_factory=dict)
    declared: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    alternatives: Mapping[str, Prior] = field(default_factory=dict)
    file: str = ""

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters in PyMC's parameterisation: as declared, or fitted to the quantiles.

        Raises
        ------
        PriorError
            If the fit misses a declared quantile by more than 1 %.
        """
        if self.declared:
            return dict(self.declared)
        fitted = fit_quantiles(self.family, self.quantiles)
        error = misfit(self.family, fitted, self.quantiles)
        if not error <= MISFIT:
            raise PriorError(
                f"no {self.family} has these quantiles: the nearest misses by {error:.1%}",
                file=self.file, table=self.name, key="quantiles",
                found={f"q{p:g}".replace("0.", ""): q for p, q in self.quantiles.items()},
                allowed=f"a misfit of at most {MISFIT:.0%}",
                fix="drop one quantile, change it, or choose a family with that skew",
            )
        return fitted

    def as_data(self) -> dict[str, Any]:
        """Plain data that decide the prior's numbers, for content hashes."""
        return {
            "name": self.name, "unit": self.unit, "family": self.family,
            "quantiles": {str(p): q for p, q in self.quantiles.items()}, "declared": dict(self.declared),
        }  # fmt: skip


def read_priors(path: Path) -> dict[str, Prior]:
    """Read one TOML file of declared priors.

    Raises
    ------
    PriorError
        With file, table and key, for anything that is not a valid declaration.
    """
    try:
        tables = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise PriorError("this is not valid TOML", file=path, found=str(error), fix="correct the syntax") from None
    return {name: parse_prior(name, table, path) for name, table in tables.items()}


def parse_prior(name: str, table: object, path: Path | str = "") -> Prior:
    """Turn one TOML table into a :class:`Prior`, checking every key and value."""
    at = _Place(str(path), name)
    if not _NAME.match(name):
        raise at.error("a quantity's name is lower case with underscores", found=name)
    if not isinstance(table, Mapping):
        raise at.error("a declared prior is a table", found=table, fix="put it under [name]")
    at.keys(table, (*_TEXT, "source"), _OPTIONAL)
    for key in _TEXT:
        at.text(table, key)
    _in(at, "unit", table["unit"], UNITS)
    source = _source(at, table["source"])
    quantiles, declared = _numbers(at, table, table["family"], table["unit"])
    prior = Prior(
        name, table["meaning"], table["unit"], table["family"], source, table["why"],
        quantiles, declared, at.text(table, "note") if "note" in table else "", {}, str(path),
    )  # fmt: skip
    return replace(prior, alternatives=_frozen(_alternatives(at, prior, table.get("alternatives", {}))))


def with_alternative(prior: Prior, name: str) -> Prior:
    """Return the prior with one of its declared alternatives in force.

    Raises
    ------
    PriorError
        If the alternative is not declared.
    """
    if name not in prior.alternatives:
        raise PriorError("this alternative is not declared", file=prior.file, table=prior.name,
                         key="alternatives", found=name, allowed=prior.alternatives or "none is declared")
    return replace(prior.alternatives[name], alternatives=prior.alternatives)


# --- checks ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """File and table, so that every message says where."""

    file: str
    table: str

    def error(self, problem: str, **details: Any) -> PriorError:
        return PriorError(problem, file=self.file or None, table=self.table, **details)

    def keys(self, table: Mapping[str, object], needed: tuple[str, ...], optional: tuple[str, ...]) -> None:
        for key in table:
            if key not in (*needed, *optional):
                raise self.error("this key is not known", key=key, found=table[key], allowed=(*needed, *optional),
                                 fix=closest(key, (*needed, *optional)) or "remove it")
        for key in needed:
            if key not in table:
                raise self.error("this key is missing", key=key, fix=f"add {key} = …")

    def text(self, table: Mapping[str, object], key: str) -> str:
        value = table[key]
        if not isinstance(value, str) or not value.strip():
            raise self.error("this must be a text that says something", key=key, found=value)
        return value

    def number(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.error("this must be a finite number", key=key, found=value)
        return float(value)


def _in(at: _Place, key: str, value: object, allowed: Mapping[str, object]) -> None:
    if value not in allowed:
        raise at.error(f"this {key} is not known", key=key, found=value, allowed=allowed,
                       fix=closest(str(value), allowed) or "choose one that is allowed")


def _source(at: _Place, table: object) -> Source:
    if not isinstance(table, Mapping):
        raise at.error("a source is a table", key="source", found=table,
                       fix='write source = { key = "…", locator = "…", kind = "…", status = "…" }')
    at.keys(table, _SOURCE, _SOURCE_OPTIONAL)
    for key in table:
        at.text(table, key)
    _in(at, "kind", table["kind"], KINDS)
    _in(at, "status", table["status"], STATUSES)
    return Source(**table)


def _numbers(at: _Place, table: Mapping[str, Any], name: object, unit: str) -> tuple[Any, Any]:
    """Quantiles or parameters of a declaration, checked against family and unit."""
    _in(at, "family", name, FAMILIES)
    found = family(str(name))
    if ("quantiles" in table) == ("parameters" in table):
        raise at.error("a prior has quantiles or parameters, one of the two", key="quantiles",
                       found=[key for key in ("quantiles", "parameters") if key in table],
                       fix="keep one of the two keys")
    key = "quantiles" if "quantiles" in table else "parameters"
    if not isinstance(table[key], Mapping) or not table[key]:
        raise at.error("this must be a table of numbers", key=key, found=table[key])
    if key == "quantiles":
        return _frozen(_quantiles(at, table[key], found, unit)), {}
    return {}, _frozen(_parameters(at, table[key], found))


def _quantiles(at: _Place, table: Mapping[str, object], found: Family, unit: str) -> dict[float, float]:
    points: dict[float, float] = {}
    for key, value in table.items():
        match = _QUANTILE.match(key)
        if not match or not 0 < float(f"0.{match[1]}") < 1:
            raise at.error("a quantile is called q and its decimals", key=f"quantiles.{key}", found=key,
                           allowed="q05, q50, q95, q025, …", fix="rename the key")
        points[float(f"0.{match[1]}")] = at.number(f"quantiles.{key}", value)
    points = dict(sorted(points.items()))
    values = list(points.values())
    if any(b <= a for a, b in zip(values, values[1:], strict=False)):
        raise at.error("quantiles must rise with their probability", key="quantiles", found=dict(table),
                       fix="put them in order")
    for key, value in table.items():
        number = at.number(key, value)
        if not UNITS[unit].admits(number):
            raise at.error(f"this quantile cannot be measured in {unit}", key=f"quantiles.{key}", found=value,
                           allowed=UNITS[unit].support, fix="correct the number or the unit")
        if not found.lower <= number <= found.upper:
            raise at.error(f"this quantile is outside the support of {found.name}", key=f"quantiles.{key}",
                           found=value, allowed=f"{found.lower:g} to {found.upper:g}")
    if len(points) < len(found.parameters) and not len(found.parameters) == 1:
        raise at.error(f"{found.name} needs {len(found.parameters)} quantiles or more", key="quantiles",
                       found=dict(table), fix="add a quantile, or give parameters instead")
    return points


def _parameters(at: _Place, table: Mapping[str, object], found: Family) -> dict[str, float]:
    for key in table:
        if key not in found.parameters:
            raise at.error(f"{found.name} has no such parameter", key=f"parameters.{key}", found=table[key],
                           allowed=found.parameters, fix=closest(key, found.parameters) or "remove it")
    for key in found.parameters:
        if key not in table:
            raise at.error(f"{found.name} needs this parameter", key=f"parameters.{key}", fix=f"add {key} = …")
    values = {key: at.number(f"parameters.{key}", table[key]) for key in found.parameters}
    for key in found.positive:
        if values[key] <= 0:
            raise at.error("this parameter must be greater than zero", key=f"parameters.{key}", found=values[key])
    return values


def _alternatives(at: _Place, prior: Prior, table: object) -> dict[str, Prior]:
    if not isinstance(table, Mapping):
        raise at.error("alternatives are tables", key="alternatives", found=table,
                       fix=f"write [{at.table}.alternatives.sceptical]")
    found = {}
    for name, body in table.items():
        place = _Place(at.file, f"{at.table}.alternatives.{name}")
        if not isinstance(body, Mapping):
            raise place.error("an alternative is a table", found=body)
        place.keys(body, ("why",), tuple(key for key in _ALTERNATIVE if key != "why"))
        chosen = body.get("family", prior.family)
        quantiles, declared = _numbers(place, body, chosen, prior.unit)
        found[name] = replace(prior, family=chosen, quantiles=quantiles, declared=declared,
                              why=place.text(body, "why"))
    return found


# --- schema ----------------------------------------------------------------------------------


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a file of declared priors, made from the tables used above."""
    number, text = {"type": "number"}, {"type": "string", "minLength": 1}
    numbers = {
        "quantiles": {
            "type": "object", "minProperties": 1, "additionalProperties": False,
            "patternProperties": {r"^q[0-9]{2,4}$": number},
            "description": "values at cumulative probabilities: q05 is the 5 % point",
        },
        "parameters": {
            "type": "object", "additionalProperties": False,
            "properties": {name: number for f in FAMILIES.values() for name in f.parameters},
            "description": "parameters of the family as PyMC names them",
        },
    }  # fmt: skip
    one_of = [{"required": ["quantiles"]}, {"required": ["parameters"]}]
    families = {"enum": list(FAMILIES)}
    source = {
        "type": "object", "additionalProperties": False, "required": list(_SOURCE),
        "properties": {**dict.fromkeys((*_SOURCE, *_SOURCE_OPTIONAL), text),
                       "kind": {"enum": list(KINDS)}, "status": {"enum": list(STATUSES)}},
    }  # fmt: skip
    alternative = {
        "type": "object", "additionalProperties": False, "required": ["why"], "oneOf": one_of,
        "properties": {"family": families, "why": text, **numbers},
    }  # fmt: skip
    prior = {
        "type": "object", "additionalProperties": False, "required": [*_TEXT, "source"], "oneOf": one_of,
        "properties": {
            "meaning": text, "unit": {"enum": list(UNITS)}, "family": families, "why": text, "note": text,
            "source": source, **numbers,
            "alternatives": {"type": "object", "additionalProperties": alternative},
        },
    }  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Declared priors",
        "type": "object",
        "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
        "additionalProperties": prior,
    }
