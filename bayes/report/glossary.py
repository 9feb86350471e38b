"""The glossary of a report: the words of method and of the question that it uses, each linked from its first use."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

__all__ = ["KEY", "Term", "first_uses", "forms", "of_method", "used"]

KEY = "glossary"
"""Key of the glossary's section and of its table."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word with its forms, the first of which names it, and what it means."""

    forms: tuple[str, ...]
    meaning: str


@lru_cache(maxsize=1)
def of_method() -> Mapping[str, str]:
    """Return the words of method: forms, separated by bars, and meaning."""
    found = tomllib.loads(files("bayes.report").joinpath("glossary.toml").read_text("utf-8"))
    return {str(key): str(text) for key, text in found.items()}


def forms(told: Mapping[str, str]) -> tuple[Term, ...]:
    """Return terms from their forms and meanings; of two that share their first form the later one holds."""
    found = {key.split("|")[0]: Term(tuple(key.split("|")), text) for key, text in told.items()}
    return tuple(found.values())


@lru_cache(maxsize=256)
def _pattern(term: Term) -> re.Pattern[str]:
    choice = "|".join(re.escape(form) for form in sorted(term.forms, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{choice})(?![\w-])", re.IGNORECASE)


def used(terms: Iterable[Term], texts: Iterable[str]) -> tuple[Term, ...]:
    """Return the terms that texts use, in the order of the alphabet."""
    text = "\n".join(texts)
    return tuple(sorted((t for t in terms if _pattern(t).search(text)), key=lambda term: term.forms[0].lower()))


def first_uses(terms: Sequence[Term], templates: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return by template which words in it are the first use of a term, with its meaning.

    >>> first_uses(forms({"prior|priors": "Before."}), ["No word.", "Two priors {prior.x}.", "A prior."])
    {'Two priors {prior.x}.': {'priors': 'Before.'}}
    """
    left, found = list(terms), dict[str, dict[str, str]]()
    for template in templates:
        bare = re.sub(r"\{[^{}]*\}", "\0", template)
        for term in tuple(left):
            if (seen := _pattern(term).search(bare)) is not None:
                found.setdefault(template, {})[seen[0]] = term.meaning
                left.remove(term)
    return found
