"""Numbers that the sentences of a question name: found in the results when they are named.

``{outcome.NAME.median}`` is the answer's scenario and time in an outcome; ``posterior`` and ``ratio`` (of draws of a
logarithm) are of a variable of the fit; ``settings``, ``scenario``, ``prior``, ``rows`` and ``reference`` are of the
study, and ``check`` is of the verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.numbers import chance, level, per_cent
from bayes.priortext import prior_text
from bayes.report.contract import Claim
from bayes.report.numbers import claim, count, interval_claims, link, word
from bayes.report.prose import safe_address
from bayes.summaries import summarise

if TYPE_CHECKING:
    from bayes.priors import Prior
    from bayes.report.material import Material

__all__ = ["declared_words", "looked_up", "named_claims"]


def named_claims(template: str) -> list[str]:
    """Return the claims that a template names, of the kinds that are looked up.

    >>> named_claims("{answer.median} of {settings.top} ({@scenarios})")
    ['settings.top']
    """
    return [name for name in re.findall(r"\{([^@{}]+)\}", template) if name.partition(".")[0] in _KINDS]


def looked_up(material: Material, name: str) -> list[Claim]:
    """Return a claim by its name with those that belong to it, as the ends of an interval; none if results lack it."""
    kind, _, rest = name.partition(".")
    found = _KINDS[kind](material, rest)
    return found if any(one.name == name for one in found) else []


def _outcome(material: Material, rest: str) -> list[Claim]:
    name = rest.rpartition(".")[0]
    row, key = material.answer(name), f"outcome.{name}"
    if row is None:
        return []
    where = f"headline.csv, {material.target.scenario}, {name}"
    return [*interval_claims(key, row, where), word(f"{key}.chance", chance(float(row["p_positive"])), where)]


def _posterior(material: Material, rest: str, kind: str = "posterior") -> list[Claim]:
    name = rest.rpartition(".")[0]
    posterior = material.fit["posterior"].to_dataset()
    if name not in posterior:
        return []
    draws = posterior[[name]] if kind == "posterior" else posterior[[name]].map(np.exp)
    row, key, where = summarise(draws).iloc[0], f"{kind}.{name}", f"posterior, {name}"
    unit = "ratio" if kind == "ratio" else material.words.unit(name)
    one = float((np.asarray(draws[name]) >= 1).mean())
    return [*interval_claims(key, {**row.to_dict(), "unit": unit}, where),
            word(f"{key}.above", chance(float(row["p_positive"])), where),
            word(f"{key}.no_less", chance(one), where)]  # fmt: skip


def _field(material: Material, record: Any, kind: str, name: str) -> list[Claim]:
    """A number or word of a record of the study."""
    value = getattr(record, name, None)
    key, where, unit = f"{kind}.{name}", f"scenarios.toml, {name}", material.words.unit(name)
    if value is None or value == "":
        return []
    if isinstance(value, str | bool):
        return [word(key, value, where)]
    if unit == "share":
        return [word(key, per_cent(float(value)), where)]
    return [count(key, int(value), where) if float(value).is_integer() else claim(key, float(value), 0.0, unit, where)]


def _settings(material: Material, rest: str) -> list[Claim]:
    return [] if material.study is None else _field(material, material.study.settings, "settings", rest)


def _scenario(material: Material, rest: str) -> list[Claim]:
    scenario = None if material.study is None else material.study.scenarios.get(material.target.scenario)
    return _field(material, scenario, "scenario", rest)


def _prior(material: Material, rest: str) -> list[Claim]:
    name = rest.rpartition(".")[0]
    prior = None if material.study is None else material.study.priors.get(name)
    if prior is None:
        return []
    texts = {"note": prior.note or prior.why, "why": prior.why, "status": prior.source.status,
             "declared": declared_words(prior)}  # fmt: skip
    return [word(f"prior.{name}.{key}", text, f"{name}, {key}") for key, text in texts.items()]


def declared_words(prior: Prior) -> str:
    """Write a declared prior in words: its family with its quantiles, or its parameters."""
    if prior.quantiles:
        return f"{prior.family} with " + ", ".join(f"{level(p)} below {v:g}" for p, v in prior.quantiles.items())
    return prior_text(prior)


def _rows(material: Material, rest: str) -> list[Claim]:
    frame = material.tables.get("evidence")
    if frame is None:
        return []
    used = int(((frame["table"] == rest) & (frame["use"] == "likelihood")).sum())
    return [count(f"rows.{rest}", used, "evidence.csv")]


def _reference(material: Material, rest: str) -> list[Claim]:
    """A reference by its key, or by the setting that holds its key."""
    study = material.study
    key = str(getattr(study.settings, rest, "") or rest) if study is not None else ""
    found = study.references.get(key) if study is not None else None
    return [] if found is None else [link(f"reference.{rest}", found.short, safe_address(found.url))]


def _check(material: Material, rest: str) -> list[Claim]:
    return [word(f"check.{rest}", one.text, "checks.csv") for one in material.verdict.checks if one.name == rest]


_KINDS: Mapping[str, Callable[[Material, str], list[Claim]]] = {
    "outcome": _outcome, "posterior": _posterior, "ratio": partial(_posterior, kind="ratio"), "settings": _settings,
    "scenario": _scenario, "prior": _prior, "rows": _rows, "reference": _reference, "check": _check,
}  # fmt: skip
