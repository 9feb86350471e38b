"""``priors`` and ``evidence`` with their verbs: what goes in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli import carrying, eliciting
from bayes.cli.shared import command, declared_priors, folder_of, study_argument
from bayes.errors import check_word

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``priors`` and ``evidence``."""
    priors = command(commands, "priors", None, "declared priors", "bayes priors show tau_theta").add_subparsers(
        metavar="VERB", required=True
    )
    study_argument(command(priors, "list", _priors_list, "list the declared priors", "bayes priors list"))
    show = command(priors, "show", _priors_show, "show one declared prior in full", "bayes priors show tau_theta")
    show.add_argument("name", metavar="NAME", help="a quantity")
    study_argument(show)
    eliciting.add(priors)
    study_argument(command(priors, "check", _checked, "check a study folder", "bayes priors check my-study"))
    evidence = command(commands, "evidence", None, "rows of evidence", "bayes evidence list").add_subparsers(
        metavar="VERB", required=True
    )
    study_argument(
        command(evidence, "list", _evidence_list, "list all rows and how they are used", "bayes evidence list")
    )
    study_argument(command(evidence, "check", _checked, "check a study folder", "bayes evidence check my-study"))
    carrying.add_to_evidence(evidence)


def _priors_list(options: argparse.Namespace) -> int:
    for prior in declared_priors(options.study).values():
        print(f"{prior.name:24} {prior.family:17} {_numbers(prior):42} {prior.source.status}")
    return 0


def _priors_show(options: argparse.Namespace) -> int:
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


def _checked(options: argparse.Namespace) -> int:
    from bayes.heroin.study import load_study
    from bayes.study import unit_notes

    study = load_study(options.study)
    for note in unit_notes(study):
        print(f"note: {note}")
    rows = sum(len(r) for r in study.evidence.values())
    used = sum(len(study.rows(name)) for name in study.evidence)
    print(
        f"{study.folder}: {len(study.priors)} priors, {rows} rows of evidence ({used} in the likelihood), "
        f"{len(study.references)} references, {len(study.scenarios)} scenarios: all checks passed"
    )
    return 0


def _evidence_list(options: argparse.Namespace) -> int:
    from bayes.evidence import read_evidence
    from bayes.heroin.study import SCHEMA

    for table, rows in read_evidence(folder_of(options.study) / "evidence", SCHEMA.tables).items():
        print(table)
        for row in rows:
            print(f"  {row.row:24} {row.use:11} {row.status:10} {row.why}")
    return 0


def _numbers(prior: Any) -> str:
    """Quantiles or parameters of a declaration, named as in its file."""
    from bayes.priors import labelled

    named = labelled(prior.quantiles) if prior.quantiles else prior.declared
    return ", ".join(f"{key}={value:.10g}" for key, value in named.items())


def _wrapped(key: str, text: str) -> str:
    import textwrap

    return textwrap.fill(text, 98, initial_indent=f"  {key:12} ", subsequent_indent=" " * 15)
