"""A prior written on one line, as on a command line: ``Normal(0, 2)`` or ``LogNormal(q05=50, q50=130, q95=400)``.

The text is read by a grammar of names, numbers and commas; nothing is ever evaluated. Arguments without a name are
the family's parameters in PyMC's order; names are parameters or quantiles. ``pymc.NAME(…)`` is any other distribution
of PyMC, its parameters by name. What is read passes the checks of a
declaration in a file, but for one: three quantiles typed by hand are round numbers that no family may have exactly,
so the nearest member of the family is taken if it misses none by more than :data:`ROUGH`, and ``note`` says which
quantiles it has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bayes.errors import PriorError, closest, number_fix
from bayes.families import FAMILIES, PYMC, fit_quantiles, misfit, quantile
from bayes.priors import MISFIT, Prior, check_numbers, labelled, parse_prior
from bayes.units import UNITS, Unit

__all__ = ["EXAMPLE", "ROUGH", "prior_from_text", "prior_text", "replaced_prior"]

EXAMPLE = "LogNormal(q05=50, q50=130, q95=400) or Normal(0, 2)"

ROUGH = 0.10
"""Largest relative miss of a quantile typed on a command line; a file is held to :data:`bayes.priors.MISFIT`."""

_CALL = re.compile(rf"\s*((?:{re.escape(PYMC)})?[A-Za-z]\w*)\s*\(([^()]*)\)\s*\Z")
_ARGUMENT = re.compile(r"\s*(?:([A-Za-z]\w*)\s*=)?\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*\Z")
_QUANTILE = re.compile(r"q\d{2,4}\Z")
_GIVEN = {"key": "command_line", "locator": "given on the command line", "kind": "judgement", "status": "judgement"}
_WHY = "given on the command line"


def prior_from_text(
    name: str, text: str, unit: str, meaning: str = "given on the command line",
    units: Mapping[str, Unit] = UNITS,
) -> Prior:  # fmt: skip
    """Read one prior.

    Parameters
    ----------
    name
        The quantity; errors say it.
    text
        ``Family(…)``.
    unit
        Its unit; where it is one of ``units``, values it cannot take are refused.

    Raises
    ------
    PriorError
        If the text is no family with numbers, or not a distribution that means what it says.

    Examples
    --------
    >>> prior_from_text("tau", "HalfNormal(0.5)", "log sd").parameters
    {'sigma': 0.5}
    """
    family, arguments = _call(name, text)
    table = {"meaning": meaning, "unit": unit, "family": family, "why": _WHY, "source": dict(_GIVEN), **arguments}
    known = units if unit in units else None
    prior = _nearest(parse_prior(name, table, "", known))
    check_numbers(prior, known)
    return prior


def _nearest(prior: Prior) -> Prior:
    """Return the nearest member of the family where no member has the quantiles exactly; its note says so."""
    if not prior.quantiles:
        return prior
    parameters = fit_quantiles(prior.family, prior.quantiles)
    error = misfit(prior.family, parameters, prior.quantiles)
    if not MISFIT < error <= ROUGH:
        return prior
    has = labelled({p: quantile(prior.family, parameters, p) for p in prior.quantiles})
    asked = ", ".join(f"{key}={value:g}" for key, value in labelled(prior.quantiles).items())
    taken = ", ".join(f"{key}={value:.4g}" for key, value in has.items())
    note = f"no {prior.family} has {asked}; the nearest is taken: {taken}"
    return replace(prior, quantiles={}, declared=parameters, note=note)


def replaced_prior(prior: Prior, text: str, units: Mapping[str, Unit] = UNITS) -> Prior:
    """Return a declared prior with other numbers; its meaning, unit and alternatives stay, its source changes."""
    new = prior_from_text(prior.name, text, prior.unit, prior.meaning, units)
    return replace(new, alternatives=prior.alternatives, file=prior.file, country=prior.country)


def prior_text(prior: Prior) -> str:
    """Write a prior on one line, so that :func:`prior_from_text` reads it back.

    >>> prior_text(prior_from_text("tau", "HalfNormal(0.5)", "log sd"))
    'HalfNormal(sigma=0.5)'
    """
    numbers = labelled(prior.quantiles) if prior.quantiles else prior.declared
    return f"{prior.family}({', '.join(f'{key}={value!r}' for key, value in numbers.items())})"


def _call(name: str, text: str) -> tuple[str, dict[str, Any]]:
    """Family and its table of ``parameters`` or ``quantiles``."""
    match = _CALL.match(text)
    if not match:
        raise PriorError("this is not a prior", key=name, found=text, allowed=EXAMPLE, fix="write Family(numbers)")
    family, inside = match.groups()
    if family not in FAMILIES and not family.startswith(PYMC):
        raise PriorError("this family is not known", key=name, found=family,
                         allowed=(*FAMILIES, f"or {PYMC}NAME, any distribution of PyMC"),
                         fix=closest(family, FAMILIES) or "choose one of the allowed families")  # fmt: skip
    numbers = _arguments(name, family, inside.split(",") if inside.strip() else [])
    kinds = {"quantiles" if _QUANTILE.match(key) else "parameters" for key in numbers}
    if len(kinds) > 1:
        raise PriorError("a prior has quantiles or parameters, one of the two", key=name, found=text, allowed=EXAMPLE,
                         fix="give one of the two")  # fmt: skip
    return family, {kinds.pop() if kinds else "parameters": numbers}


def _arguments(name: str, family: str, parts: list[str]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    order = FAMILIES[family].parameters if family in FAMILIES else ()
    for position, part in enumerate(parts):
        match = _ARGUMENT.match(part)
        if not match:
            raise PriorError("this is no number", key=name, found=part.strip(),
                             allowed="0.5, or a name and a number: sigma=0.5",
                             fix=number_fix(part.rpartition("=")[2])
                             or "write numbers with a decimal point, and commas between them")  # fmt: skip
        key = match[1]
        if key is None and position and _QUANTILE.match(parts[position - 1].partition("=")[0].strip()):
            both = f"{parts[position - 1].strip()},{part.strip()}"
            raise PriorError("this number has no name", key=name, found=both, allowed=EXAMPLE,
                             fix=number_fix(both.partition("=")[2]) or "give each quantile its name")  # fmt: skip
        if key is None and not order:
            raise PriorError("numbers of a distribution of PyMC's own have names", key=name, found=part.strip(),
                             allowed="pymc.StudentT(nu=4, mu=0, sigma=1)", fix="give each its name")  # fmt: skip
        if key is None and position >= len(order):
            raise PriorError(f"{family} has fewer parameters", key=name,
                             found=", ".join(p.strip() for p in parts), allowed=order,
                             fix="leave the last out, or give quantiles by name (q50=…)")  # fmt: skip
        key = key or order[position]
        if key in found:
            raise PriorError("this argument stands twice", key=name, found=key, fix="remove one")
        found[key] = float(match[2])
    return found
