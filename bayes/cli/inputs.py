"""``priors`` and ``evidence`` with their verbs: what goes in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli import carrying
from bayes.cli.shared import command, folder_of, study_argument
from bayes.errors import UsageError

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``priors`` and ``evidence``."""
    priors = command(
        commands, "priors", None, "declared priors", "bayes priors show offences_per_user_year"
    ).add_subparsers(metavar="VERB", required=True)
    study_argument(command(priors, "list", _priors_list, "list the declared priors", "bayes priors list"))
    show = command(
        priors, "show", _priors_show, "show one declared prior in full", "bayes priors show offences_per_user_year"
    )
    show.add_argument("name", metavar="NAME", help="a quantity")
    study_argument(show)
    _elicitation(priors)
    study_argument(command(priors, "check", _checked, "check a study folder", "bayes priors check my-study"))
    evidence = command(commands, "evidence", None, "rows of evidence", "bayes evidence list").add_subparsers(
        metavar="VERB", required=True
    )
    study_argument(
        command(evidence, "list", _evidence_list, "list all rows and how they are used", "bayes evidence list")
    )
    study_argument(command(evidence, "check", _checked, "check a study folder", "bayes evidence check my-study"))
    carrying.add_to_evidence(evidence)


def _elicitation(priors: Any) -> None:
    """``priors elicit``: from words to a declaration."""
    found = command(
        priors, "elicit", _priors_elicit, "turn what somebody says into a declared prior",
        "bayes priors elicit occupancy --say 'q05=0.6, q50=0.85, q95=0.97' --by 'A. Clinician' --why 'ran a clinic'",
    )  # fmt: skip
    found.add_argument("name", metavar="NAME", help="the quantity")
    found.add_argument(
        "--say", metavar="TEXT", action="append", required=True,
        help="quantiles (q05=50, q50=130, q95=400), chips (0-100*2, 100-200*6) or words (about 400, hardly below 100 "
        "or above 1,500), with 'NAME: ' before them if there are several experts; repeatable",
    )  # fmt: skip
    texts = {"unit": "its unit (default: as declared)", "meaning": "what it is (default: as declared)",
             "family": "the family to take (default: the nearest)", "on": "the day (default: today)",
             "to": "a .toml file to add the declaration to (default: print it)"}  # fmt: skip
    for name, text in texts.items():
        found.add_argument(f"--{name}", metavar=name.upper(), type=Path if name == "to" else str, help=text)
    pools = ("linear", "logarithmic")
    found.add_argument("--pool", choices=pools, default="linear", help="of several experts (default: linear)")
    found.add_argument("--by", metavar="WHO", default="the user", help="whose judgement it is")
    found.add_argument("--why", metavar="TEXT", required=True, help="the reason for the numbers")
    found.add_argument("--source", metavar="KEY", default="toolkit", help="key in references.bib (default: toolkit)")
    study_argument(found)


def _priors_list(options: argparse.Namespace) -> int:
    for prior in _priors(options.study).values():
        print(f"{prior.name:24} {prior.family:17} {_numbers(prior):42} {prior.source.status}")
    return 0


def _priors_show(options: argparse.Namespace) -> int:
    from bayes.errors import closest

    priors = _priors(options.study)
    if options.name not in priors:
        raise UsageError(
            "this quantity is not declared",
            key="name",
            found=options.name,
            allowed=priors,
            fix=closest(options.name, priors) or "see 'bayes priors list'",
        )
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


def _priors_elicit(options: argparse.Namespace) -> int:
    from datetime import date

    from bayes.elicitation import declaration, elicited

    known = _priors(options.study).get(options.name)
    unit = options.unit or (known.unit if known else "")
    if not unit:
        raise UsageError("a new quantity needs a unit", key="--unit", fix="add --unit, as for example --unit share")
    judgements, found, choice, points = elicited(options.say, unit, options.pool, options.family)
    for one in judgements:
        print(f"heard {one.expert or 'you'}: {', '.join(f'P(x < {v:g}) = {p:g}' for p, v in one.points.items())}")
    print(f"\n{'family':17} {'misses by':>9} {'mass off':>8}   quantiles fed back: 1, 5, 25, 50, 75, 95, 99 %")
    for fitted in found:
        shown = "  ".join(f"{value:.4g}" for value in fitted.feedback.values())
        mark = "   <" if fitted is choice else ""
        print(f"{fitted.family:17} {fitted.misfit:9.1%} {fitted.mass_error:8.1%}   {shown}{mark}")
    who = ", ".join(one.expert for one in judgements if one.expert) or options.by
    pool = f", {options.pool} pool" if len(judgements) > 1 else ""
    texts = {
        "meaning": options.meaning or (known.meaning if known else options.name.replace("_", " ")), "unit": unit,
        "key": options.source, "locator": f"elicited from {who}, {options.on or date.today().isoformat()}{pool}",
        "why": options.why, "note": "Said: " + "; ".join(one.said for one in judgements) + ".",
    }  # fmt: skip
    _add_declaration(declaration(options.name, choice, points, texts), options.name, options.to)
    return 0


def _add_declaration(text: str, name: str, path: Path | None) -> None:
    """Print a declaration, or add it to a file, which is written whole or not at all."""
    import tomllib

    from bayes.files import read_text, write_text
    from bayes.priors import parse_prior

    parse_prior(name, tomllib.loads(text)[name], path or "")
    print(f"\n{text}", end="")
    if path is None:
        return
    before = read_text(path) if path.exists() else ""
    if name in tomllib.loads(before):
        raise UsageError("this quantity is declared there", file=path, table=name,
                         fix="remove the old declaration, or make it an alternative")  # fmt: skip
    write_text(path, f"{before.rstrip()}\n\n{text}".lstrip())
    print(f"Added to {path}")


def _checked(options: argparse.Namespace) -> int:
    from bayes.study import load_study

    study = load_study(options.study)
    rows = sum(len(r) for r in study.evidence.values())
    used = sum(len(study.rows(name)) for name in study.evidence)
    print(
        f"{study.folder}: {len(study.priors)} priors, {rows} rows of evidence ({used} in the likelihood), "
        f"{len(study.references)} references, {len(study.scenarios)} scenarios: all checks passed"
    )
    return 0


def _evidence_list(options: argparse.Namespace) -> int:
    from bayes.evidence import read_evidence

    for table, rows in read_evidence(folder_of(options.study) / "evidence").items():
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


def _priors(study: Path | None) -> dict[str, Any]:
    from bayes.priors import read_priors
    from bayes.study import prior_files

    return {name: prior for path in prior_files(folder_of(study)) for name, prior in read_priors(path).items()}
