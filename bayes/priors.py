"""Declared priors: TOML tables become frozen records, or an error that says where and why.

A declaration is data only. It names a quantity, its unit, a family with quantiles or
parameters, the source of the number and the reason for its width::

    [cases_per_year]
    meaning   = "new cases a year among 1,000 people"
    unit      = "cases/year"
    family    = "LogNormal"
    quantiles = { q05 = 1, q50 = 4, q95 = 16 }
    source    = { key = "who2007", locator = "Table 2", kind = "statistic", status = "primary" }
    why       = "One sentence: why this source and this width."

The records :class:`Declaration` and :class:`Alternative` drive the checks here and the JSON Schema that editors use.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from bayes.errors import PriorError, check_word, closest, number_fix
from bayes.families import FAMILIES, PYMC, Family, family, fit_quantiles, mass_outside, misfit, quantile
from bayes.files import read_toml
from bayes.provenance import Source
from bayes.records import Place, frozen, record_of, record_schema, subtable
from bayes.units import Unit, unit_of

__all__ = ["LEAKAGE", "MISFIT", "Prior", "check_numbers", "json_schema", "labelled", "parse_prior", "read_priors",
           "with_alternative"]  # fmt: skip

MISFIT = 0.01
"""Largest relative error a quantile fit may have (see :func:`bayes.families.misfit`)."""

LEAKAGE = 0.001
"""Largest probability a prior may give to values that its unit cannot take."""

_QUANTILE = re.compile(r"q(\d{2,4})\Z")
_FOREIGN = re.compile(re.escape(PYMC) + r"[A-Za-z]\w*\Z")

NOT_GIVEN = Source("", "not given", "judgement", "judgement")
"""The source of a prior that names none."""


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
        A name of :data:`bayes.families.FAMILIES`, or ``pymc.`` and the name of any other distribution of PyMC.
    quantiles
        Probability to value; empty when parameters are declared.
    declared
        Parameters as written; empty when quantiles are declared. Only a distribution of PyMC's own takes vectors.
    source
        Where the number was read.
    alternatives
        Other declarations of the same quantity, by name (``"sceptical"``, …). One that names no source of
        its own is our judgement, and its source says so.
    file
        The file it was read from.
    country
        The country whose number it is; empty where it is that of no one country.

    Examples
    --------
    >>> told = {"meaning": "cases", "unit": "cases/year", "family": "LogNormal", "why": "a register",
    ...         "quantiles": {"q05": 1, "q50": 4, "q95": 16}}
    >>> prior = parse_prior("cases", told)
    >>> prior.quantiles[0.5], round(prior.parameters["sigma"], 3), prior.source.locator
    (4.0, 0.843, 'not given')
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
    country: str = ""

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters in PyMC's parameterisation: as declared, or fitted to the quantiles.

        Raises
        ------
        PriorError
            If the fit misses a declared quantile by more than 1 %.
        """
        return _parameters_of(self, self.name)

    def as_data(self) -> dict[str, Any]:
        """Plain data that decide the prior's numbers, for content hashes."""
        return {
            "name": self.name, "unit": self.unit, "family": self.family,
            "quantiles": {str(p): q for p, q in self.quantiles.items()}, "declared": dict(self.declared),
        }  # fmt: skip


def read_priors(path: Path, units: Mapping[str, Unit] | None = None) -> dict[str, Prior]:
    """Read one TOML file of declared priors; where ``units`` are given no others are known.

    Raises
    ------
    PriorError
        With file, table and key, for anything that is not a valid declaration.
    """
    return {name: parse_prior(name, table, path, units) for name, table in read_toml(path, PriorError).items()}


def parse_prior(
    name: str, table: object, path: Path | str = "", units: Mapping[str, Unit] | None = None
) -> Prior:  # fmt: skip
    """Turn one TOML table into a :class:`Prior`, checking every key and value.

    Where ``units`` are given no others are known, and numbers keep to what theirs permits.
    """
    at = Place(PriorError, str(path), name)
    at.named(name, "a quantity's name", "cases_per_year")
    if not isinstance(table, Mapping):
        raise at.error("a declared prior is a table", found=table, fix="put it under a heading [name]")
    told = record_of(Declaration, table, at)
    if units:
        check_word(told.unit, units, "this unit is not known", key="unit", otherwise="choose one that is allowed",
                   raises=at.error)  # fmt: skip
        at.keys(table, ("source",), table)
    unit = unit_of(told.unit, units or {})
    _judged(told.source, at)
    quantiles, declared = _numbers(at, told, told.family, unit)
    prior = Prior(name, told.meaning, told.unit, told.family, told.source, told.why, quantiles, declared, told.note, {},
                  str(path), told.country)  # fmt: skip
    return replace(prior, alternatives=frozen(_alternatives(at, prior, told.alternatives, unit)))


def with_alternative(prior: Prior, name: str) -> Prior:
    """Return the prior with one of its declared alternatives in force.

    Raises
    ------
    PriorError
        If the alternative is not declared.
    """
    if name not in prior.alternatives:
        raise PriorError("this alternative is not declared", file=prior.file, table=prior.name, key="alternatives",
                         found=name, allowed=prior.alternatives or "none is declared",
                         fix=closest(name, prior.alternatives) or "choose one, or declare it")  # fmt: skip
    return replace(prior.alternatives[name], alternatives=prior.alternatives)


def check_numbers(prior: Prior, units: Mapping[str, Unit] | None = None) -> None:
    """Check that a prior and its alternatives are distributions that mean what they declare.

    Each must meet its quantiles within :data:`MISFIT`, and give values that its unit, where it is one of ``units``,
    cannot take a probability of at most :data:`LEAKAGE`. Unlike reading, this may need SciPy.

    Raises
    ------
    PriorError
        Naming the alternative, if the fault is in one.
    """
    alternatives = {f"{prior.name}.alternatives.{name}": other for name, other in prior.alternatives.items()}
    for table, declared in {prior.name: prior, **alternatives}.items():
        unit = unit_of(declared.unit, units or {})
        outside = mass_outside(declared.family, _parameters_of(declared, table), unit.lower, unit.upper)
        if not outside <= LEAKAGE:
            raise Place(PriorError, declared.file, table).error(
                f"this {declared.family} takes values that cannot be measured in {declared.unit}",
                key="family",
                found=f"probability {outside:.2g} outside",
                allowed=f"{unit.support}, but for a probability of {LEAKAGE:g}",
                fix="choose a family with the support of the unit, or correct the numbers",
            )


def _parameters_of(prior: Prior, table: str) -> dict[str, float]:
    if prior.declared:
        return dict(prior.declared)
    at = Place(PriorError, prior.file, table)
    try:
        parameters, error = _fitted(prior.family, tuple(prior.quantiles.items()))
    except PriorError as wrong:
        raise at.error(
            wrong.problem, key="quantiles", found=labelled(prior.quantiles), allowed=wrong.allowed, fix=wrong.fix
        ) from None
    if not error <= MISFIT:
        has = labelled({p: quantile(prior.family, dict(parameters), p) for p in prior.quantiles})
        nearest = ", ".join(f"{key}={value:.4g}" for key, value in has.items())
        raise at.error(
            f"no {prior.family} has these quantiles: the nearest misses by {error:.1%} "
            f"(nearest {prior.family}: {nearest})",
            key="quantiles",
            found=labelled(prior.quantiles),
            allowed=f"a misfit of at most {MISFIT:.0%}",
            fix="drop one quantile, change it, or choose a family with that skew",
        )
    return dict(parameters)


@lru_cache(maxsize=4096)
def _fitted(name: str, points: tuple[tuple[float, float], ...]) -> tuple[tuple[tuple[str, float], ...], float]:
    """Return fitted parameters and their misfit, from memory where these quantiles were fitted before."""
    fitted = fit_quantiles(name, dict(points))
    return tuple(fitted.items()), misfit(name, fitted, dict(points))


def labelled(quantiles: Mapping[float, float]) -> dict[str, float]:
    """Name quantiles as files name them.

    >>> labelled({0.025: 1.0, 0.5: 2.0})
    {'q025': 1.0, 'q50': 2.0}
    """
    return {f"q{f'{p:.4f}'[2:4]}{f'{p:.4f}'[4:].rstrip('0')}": q for p, q in quantiles.items()}


# --- what a table says -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another declaration of a quantity, in a table below it; what it does not say is as declared."""

    family: str = ""
    source: Source | None = subtable(Source, default=None)
    why: str
    quantiles: Any = subtable(default=None, instead_of="parameters")
    parameters: Any = subtable(default=None, instead_of="quantiles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """The declaration of a quantity."""

    meaning: str
    unit: str
    family: str
    why: str
    source: Source = subtable(Source, default=NOT_GIVEN)
    quantiles: Any = subtable(default=None, instead_of="parameters")
    parameters: Any = subtable(default=None, instead_of="quantiles")
    note: str = ""
    country: str = ""
    alternatives: Any = subtable(default=frozen({}))


def _judged(source: Source | None, at: Place) -> Source | None:
    """Return a source after checking that a judgement has the status of one."""
    if source and source.kind == "judgement" and source.status != "judgement":
        raise at.error("a judgement is called one", key="source.status", found=source.status, allowed="judgement",
                       fix='write status = "judgement", or say of what kind the publication is')  # fmt: skip
    return source


def _number(at: Place, key: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max:
        return float(value)
    raise at.error("this must be a finite number", key=key, found=value, allowed="digits, for example 43 or 0.6",
                   fix=number_fix(value) or "write a number without quotes")  # fmt: skip


def _numbers(at: Place, told: Declaration | Alternative, name: str, unit: Unit) -> tuple[Any, Any]:
    """Quantiles or parameters of a declaration, checked against family and unit."""
    foreign = _FOREIGN.match(name) is not None
    if not foreign:
        _family_known(at, name)
    key = "parameters" if told.quantiles is None else "quantiles"
    table = getattr(told, key)
    if not isinstance(table, Mapping) or not table:
        blanks = "name = …" if foreign else ", ".join(f"{parameter} = …" for parameter in family(name).parameters)
        example = "q05 = 1, q95 = 2" if key == "quantiles" else blanks
        raise at.error("this must be a table of numbers", key=key, found=table, fix=f"write {{ {example} }}")
    if foreign and key == "quantiles":
        raise at.error("a distribution of PyMC's own is given by parameters", key=key, found=dict(table),
                       allowed=FAMILIES, fix="give parameters, or take one of these families")  # fmt: skip
    if key == "quantiles":
        return frozen(_quantiles(at, table, family(name), unit)), {}
    return {}, frozen(_foreign(at, table) if foreign else _parameters(at, table, family(name)))


def _family_known(at: Place, name: str) -> None:
    if name not in FAMILIES:
        allowed = (*FAMILIES, f"or {PYMC}NAME, any distribution of PyMC, with parameters")
        near = closest(name, FAMILIES)
        fix = f"{near + ' ' if near else ''}(for a distribution of PyMC write {PYMC}{name})"
        raise at.error("this family is not known", key="family", found=name, allowed=allowed, fix=fix)


def _foreign(at: Place, table: Mapping[str, object]) -> dict[str, Any]:
    """Read numbers and lists of numbers; :func:`check_numbers` asks PyMC whether they are parameters of it."""
    return {key: tuple(_number(at, f"parameters.{key}", one) for one in value) if isinstance(value, list) and value
            else _number(at, f"parameters.{key}", value) for key, value in table.items()}  # fmt: skip


def _quantiles(at: Place, table: Mapping[str, object], found: Family, unit: Unit) -> dict[float, float]:
    points: dict[float, float] = {}
    for key, value in table.items():
        probability, error = _probability(at, key), partial(at.error, key=f"quantiles.{key}", found=value)
        if probability in points:
            raise error("this quantile stands twice", fix="remove one")
        number = points[probability] = _number(at, f"quantiles.{key}", value)
        if not unit.admits(number):
            raise error(f"this quantile cannot be measured in {unit.name}", allowed=unit.support,
                        fix="correct the number or the unit")  # fmt: skip
        if not found.lower < number < found.upper:
            raise error(f"this quantile is outside the support of {found.name}",
                        allowed=f"greater than {found.lower:g} and less than {found.upper:g}",
                        fix="correct the number or the family")  # fmt: skip
    points = dict(sorted(points.items()))
    wrong = partial(at.error, key="quantiles", found=dict(table))
    if not all(a < b for a, b in pairwise(points.values())):
        raise wrong("quantiles must rise with their probability", allowed="each greater than the one before",
                    fix="put them in order")  # fmt: skip
    if len(points) < len(found.parameters):
        raise wrong(f"{found.name} needs {len(found.parameters)} quantiles or more",
                    fix="add a quantile, or give parameters instead")  # fmt: skip
    return points


def _probability(at: Place, key: str) -> float:
    match = _QUANTILE.match(key)
    if not match or not 0 < float(f"0.{match[1]}") < 1:
        raise at.error("a quantile is called q and its decimals", key=f"quantiles.{key}", found=key,
                       allowed="q05, q50, q95, q025, …", fix="rename the key")  # fmt: skip
    return float(f"0.{match[1]}")


def _parameters(at: Place, table: Mapping[str, object], found: Family) -> dict[str, float]:
    for key in table:
        if key not in found.parameters:
            raise at.error(f"{found.name} has no such parameter", key=f"parameters.{key}", found=table[key],
                           allowed=found.parameters, fix=closest(key, found.parameters) or "remove it")  # fmt: skip
    for key in found.parameters:
        if key not in table:
            raise at.error(f"{found.name} needs this parameter", key=f"parameters.{key}", allowed=found.parameters,
                           fix=f"add {key} = …")  # fmt: skip
    values = {key: _number(at, f"parameters.{key}", table[key]) for key in found.parameters}
    for key in found.positive:
        if values[key] <= 0:
            raise at.error("this parameter must be greater than zero", key=f"parameters.{key}", found=values[key],
                           allowed="greater than 0", fix="correct the number")  # fmt: skip
    if found.name == "Uniform" and not values["lower"] < values["upper"]:
        raise at.error("lower must be less than upper", key="parameters.lower", found=values["lower"],
                       allowed=f"less than {values['upper']:g}", fix="put them in order")  # fmt: skip
    return values


def _alternatives(at: Place, prior: Prior, tables: object, unit: Unit) -> dict[str, Prior]:
    if not isinstance(tables, Mapping):
        raise at.error("alternatives are tables", key="alternatives", found=tables,
                       fix=f"write [{at.table}.alternatives.sceptical]")  # fmt: skip
    judged = replace(prior.source, kind="judgement", status="judgement", locator="reasoned under why")
    found = {}
    for name, body in tables.items():
        at.named(name, "an alternative's name", "sceptical")
        place = replace(at, table=f"{at.table}.alternatives.{name}")
        told = record_of(Alternative, body, place)
        chosen = told.family or prior.family
        quantiles, declared = _numbers(place, told, chosen, unit)
        found[name] = replace(prior, family=chosen, quantiles=quantiles, declared=declared, why=told.why,
                              source=_judged(told.source, place) or judged)  # fmt: skip
    return found


# --- schema ----------------------------------------------------------------------------------


def json_schema(units: Mapping[str, Unit] | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a file of declared priors, made from the records that read it.

    It says all that can be said of one key or of two keys together; that quantiles rise, that a family fits them
    and that a source exists is left to reading the study. Where ``units`` are given no others are known.
    """
    names = {"pattern": "^[a-z][a-z0-9_]*$"}
    prior, alternative = record_schema(Declaration), record_schema(Alternative)
    for one in (prior, alternative):
        shared = {key: {"$ref": f"#/$defs/{key}"} for key in ("family", "source", "quantiles", "parameters")}
        one["properties"] |= shared
        one["allOf"].append({"$ref": "#/$defs/by_family"})
    prior["properties"]["alternatives"] = {"type": "object", "propertyNames": names,
                                           "additionalProperties": {"$ref": "#/$defs/alternative"}}  # fmt: skip
    prior["allOf"].append({"$ref": "#/$defs/by_unit"})
    if units:
        prior["properties"]["unit"] = {"enum": list(units)}
        prior["required"].append("source")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Declared priors", "type": "object",
        "propertyNames": names, "additionalProperties": prior,
        "$defs": {"alternative": alternative, **_schema_parts(units or {})},
    }  # fmt: skip


def _schema_parts(units: Mapping[str, Unit]) -> dict[str, Any]:
    number = {"type": "number"}
    vector = {"type": "array", "items": number, "minItems": 1}
    bounded = [unit for unit in units.values() if unit.support != "any real number"]
    # a distribution that only PyMC knows is given by parameters
    foreign = {"if": {"properties": {"family": {"pattern": rf"^{re.escape(PYMC)}"}}, "required": ["family"]},
               "then": {"properties": {"quantiles": False}}}  # fmt: skip
    return {
        "family": {"anyOf": [{"enum": list(FAMILIES)}, {"pattern": rf"^{re.escape(PYMC)}[A-Za-z]\w*$"}],
                   "type": "string"},
        "source": record_schema(Source) | {
            "if": {"properties": {"kind": {"const": "judgement"}}, "required": ["kind"]},
            "then": {"properties": {"status": {"const": "judgement"}}},
        },
        "quantiles": {
            "type": "object", "minProperties": 1, "additionalProperties": False,
            "patternProperties": {"^q(?!0+$)[0-9]{2,4}$": number},
            "description": "values at cumulative probabilities: q05 is the 5 % point",
        },
        "parameters": {
            "type": "object", "minProperties": 1, "additionalProperties": False,
            "patternProperties": {r"^[A-Za-z]\w*$": {"anyOf": [number, vector]}},
            "description": "parameters of the family as PyMC names them",
        },
        "by_family": {"allOf": [*(_family_schema(one) for one in FAMILIES.values()), foreign]},
        "by_unit": {"allOf": [_unit_schema(unit) for unit in bounded]},
    }  # fmt: skip


def _family_schema(found: Family) -> dict[str, Any]:
    """What a family says about its own parameters and quantiles, where a table names the family."""
    positive = {"type": "number", "exclusiveMinimum": 0}
    ends = {"exclusiveMinimum": found.lower, "exclusiveMaximum": found.upper}
    bounds = {key: end for key, end in ends.items() if math.isfinite(end)}
    return {
        "if": {"properties": {"family": {"const": found.name}}, "required": ["family"]},
        "then": {"properties": {
            "quantiles": {"minProperties": len(found.parameters), "additionalProperties": bounds},
            "parameters": {"required": list(found.parameters), "propertyNames": {"enum": list(found.parameters)},
                           "additionalProperties": {"type": "number"},
                           "properties": dict.fromkeys(sorted(found.positive), positive)},
        }},
    }  # fmt: skip


def _unit_schema(unit: Unit) -> dict[str, Any]:
    """What a unit says about quantiles and their alternatives."""
    ends = {"minimum": unit.lower, "maximum": unit.upper}
    quantiles = {"additionalProperties": {key: end for key, end in ends.items() if math.isfinite(end)}}
    return {
        "if": {"properties": {"unit": {"const": unit.name}}, "required": ["unit"]},
        "then": {"properties": {
            "quantiles": quantiles,
            "alternatives": {"additionalProperties": {"properties": {"quantiles": quantiles}}},
        }},
    }  # fmt: skip
