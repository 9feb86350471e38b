"""``priors``: declared priors listed, shown, checked and elicited."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli import elicit
from bayes.cli.shared import check_study, command, declared_priors, print_listing, study_argument
from bayes.errors import check_word

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``priors`` and its verbs."""
    priors = command(
        commands, "priors", None, "list, show, check and elicit declared priors", "bayes priors show tau_theta"
    ).add_subparsers(metavar="VERB", required=True)
    study_argument(command(priors, "list", _list, "list the declared priors", "bayes priors list"))
    show = command(priors, "show", _show, "show one declared prior in full", "bayes priors show tau_theta")
    show.add_argument("name", metavar="NAME", help="a quantity")
    study_argument(show)
    elicit.add(priors)
    study_argument(command(priors, "check", check_study, "check a study folder", "bayes priors check my-study"))


def _list(options: argparse.Namespace) -> int:
    from bayes.heroin.words import WORDS

    print_listing(
        (prior.name, f"{WORDS.label(prior.name)}: {prior.family}({_numbers(prior)}), {prior.source.status}")
        for prior in declared_priors(options.study).values()
    )
    return 0


def _show(options: argparse.Namespace) -> int:
    priors = declared_priors(options.study)
    check_word(options.name, priors, "this quantity is not declared", key="name", otherwise="see 'bayes priors list'")
    prior = priors[options.name]
    print(f"{prior.name}\n  {prior.meaning}\n")
    lines = {"unit": prior.unit, "family": prior.family, "file": Path(prior.file).name,
             "numbers": _numbers(prior),
             "source": f"{prior.source.key}, {prior.source.locator} ({prior.source.kind}, {prior.source.status})",
             "why": prior.why, "note": prior.note}  # fmt: skip
    for key, value in lines.items():
        if value:
            print(_wrapped(key, value))
    for name, other in prior.alternatives.items():
        print(_wrapped(name, f"{other.family}({_numbers(other)}). {other.why}"))
    return 0


def _numbers(prior: Any) -> str:
    """Quantiles or parameters of a declaration, named as in its file."""
    from bayes.priors import labelled

    named = labelled(prior.quantiles) if prior.quantiles else prior.declared
    return ", ".join(f"{key}={value:.10g}" for key, value in named.items())


def _wrapped(key: str, text: str) -> str:
    import textwrap

    return textwrap.fill(text, 98, initial_indent=f"  {key:12} ", subsequent_indent=" " * 15)
