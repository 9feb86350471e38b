"""``priors elicit``: from what somebody says to a declared prior, by options or as a dialogue at the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bayes.cli.shared import command, declared_priors, study_argument
from bayes.errors import BayesError, UsageError

__all__ = ["add"]

_FORMS = (
    "quantiles (q05=50, q50=130, q95=400), chips (0-100*2, 100-200*6) or words (about 400, hardly below 100 or "
    "above 1,500)"
)


def add(priors: Any) -> None:
    """Add ``priors elicit``."""
    found = command(
        priors, "elicit", _elicit, "turn what somebody says into a declared prior; without --say, by a dialogue",
        "bayes priors elicit occupancy --say 'q05=0.6, q50=0.85, q95=0.97' --by 'A. Clinician' --why 'ran a clinic'",
    )  # fmt: skip
    found.add_argument("name", metavar="NAME", help="the quantity")
    found.add_argument(
        "--say", metavar="TEXT", action="append",
        help=f"{_FORMS}, with 'NAME: ' before them if there are several experts; repeatable (default: asked for)",
    )  # fmt: skip
    texts = {"unit": "its unit (default: as declared)", "meaning": "what it is (default: as declared)",
             "family": "the family to take (default: the nearest)", "on": "the day (default: today)",
             "to": "a .toml file to add the declaration to (default: print it)"}  # fmt: skip
    for name, text in texts.items():
        found.add_argument(f"--{name}", metavar=name.upper(), type=Path if name == "to" else str, help=text)
    pools = ("linear", "logarithmic")
    found.add_argument("--pool", choices=pools, default="linear", help="of several experts (default: linear)")
    found.add_argument("--replace", action="store_true", help="replace the declaration that --to has of it")
    found.add_argument("--by", metavar="WHO", default="the user", help="whose judgement it is")
    found.add_argument("--why", metavar="TEXT", help="the reason for the numbers (default: asked for)")
    found.add_argument("--source", metavar="KEY", default="toolkit", help="key in references.bib (default: toolkit)")
    study_argument(found)


class _Wanted(NamedTuple):
    """What is elicited, and what was settled about it."""

    name: str
    unit: str
    meaning: str
    say: Sequence[str]
    family: str | None
    why: str
    to: Path | None
    replace: bool


def _elicit(options: argparse.Namespace) -> int:
    known = _known(options)
    unit = options.unit or _unit(options.name, known)
    meaning = options.meaning or (known.meaning if known else options.name.replace("_", " "))
    wanted = _Wanted(
        options.name, unit, meaning, options.say or (), options.family, options.why or "", options.to, options.replace
    )
    _check_place(wanted, options.to)
    if not options.say:
        wanted = _asked(wanted, options.pool)
    elif not options.why:
        raise UsageError("a judgement has a reason", key="--why", fix="add --why 'one sentence'")
    if not wanted.unit:
        raise UsageError("a new quantity needs a unit", key="--unit", fix="add --unit, as for example --unit share")
    text = _declared(options, wanted)
    _add_declaration(text, wanted)
    return 0


def _known(options: argparse.Namespace) -> Any:
    """The declaration in the study, or else in the shipped one; a name near a known one is taken for misspelt."""
    from bayes.errors import closest
    from bayes.heroin.quantities import QUANTITIES

    known = {**declared_priors(None), **declared_priors(options.study)}
    near = closest(options.name, {**known, **QUANTITIES})
    if options.name not in {**known, **QUANTITIES} and near and not options.unit:
        raise UsageError("no quantity of this name is known", key="NAME", found=options.name,
                         allowed="a declared quantity, or a new one with --unit", fix=near)  # fmt: skip
    return known.get(options.name)


def _unit(name: str, known: Any) -> str:
    from bayes.heroin.quantities import QUANTITIES

    return known.unit if known else QUANTITIES.get(name, "")


def _measured(unit: str) -> Any:
    """What a unit permits; one that is nearly a known one is told."""
    from bayes.heroin.quantities import UNITS
    from bayes.units import near_unit, unit_of

    near = near_unit(unit, UNITS)
    if near:
        print(f"bayes: unit {unit!r} is none of the known ones; {near}", file=sys.stderr)
    return unit_of(unit, UNITS)


def _declared(options: argparse.Namespace, wanted: _Wanted) -> str:
    """Show what was heard and what fits it, and write the declaration."""
    from datetime import date

    from bayes.elicitation import check_near, declaration, fitted

    unit = _measured(wanted.unit)
    judgements, found, choice, edges = fitted(wanted.say, unit, options.pool, wanted.family)
    if options.say:
        _show(judgements, found, choice)
    if wanted.family is None:
        check_near(choice, edges, unit)
    who = ", ".join(one.expert for one in judgements if one.expert) or options.by
    pool = f", {options.pool} pool" if len(judgements) > 1 else ""
    texts = {
        "meaning": wanted.meaning, "unit": wanted.unit, "key": options.source,
        "locator": f"elicited from {who}, {options.on or date.today().isoformat()}{pool}",
        "why": wanted.why, "note": "Said: " + "; ".join(one.said for one in judgements) + ".",
    }  # fmt: skip
    return declaration(wanted.name, choice, edges, texts, unit)


def _show(judgements: Sequence[Any], found: Sequence[Any], choice: Any) -> None:
    from bayes.numbers import level

    for one in judgements:
        print(f"heard {one.expert or 'you'}: {', '.join(f'{level(p)} below {_shown(v)}' for p, v in one.edges)}")
    print(f"\n{'family':17} {'misses by':>9} {'mass off':>8}   quantiles fed back: 1, 5, 25, 50, 75, 95, 99 %")
    for fitted in found:
        shown = "  ".join(_shown(value) for value in fitted.feedback.values())
        mark = "   <" if fitted is choice else ""
        print(f"{fitted.family:17} {fitted.misfit:9.1%} {fitted.mass_error:8.1%}   {shown}{mark}")


def _shown(value: float) -> str:
    """Four significant digits, without a power of ten where people write none."""
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if 1e4 <= abs(rounded) < 1e12 else f"{rounded:.4g}"


# --- the dialogue ----------------------------------------------------------------------------


def _asked(wanted: _Wanted, pool: str) -> _Wanted:
    """Ask for everything that is missing; a bad answer is explained and asked for again."""
    if not sys.stdin.isatty():
        raise UsageError("nothing was said", key="--say", allowed=_FORMS, fix="add --say, or use a terminal")
    from bayes.heroin.quantities import UNITS

    print(
        f"{wanted.name}: {wanted.meaning}\nSay it as {_FORMS}. End with Ctrl-C: nothing is written.\n"
        "The reason is asked for afterwards.\n"
    )
    unit = wanted.unit or _answer("Unit", lambda text: _one_of(text, UNITS))
    say, family = _settled(unit, pool, wanted.family)
    why = wanted.why or _answer("Why these numbers, in one sentence", _said)
    to = wanted.to or _answer("Add to which .toml file (empty: print only)",
                               lambda text: _place(wanted, text))  # fmt: skip
    return wanted._replace(unit=unit, say=say, family=family, why=why, to=Path(to) if to else None)


def _settled(unit: str, pool: str, family: str | None) -> tuple[list[str], str | None]:
    """What the experts say, and the family they accept once its quantiles were fed back; 'again' starts over."""
    from bayes.elicitation import check_near, fitted, heard

    measured = _measured(unit)
    while True:
        say: list[str] = []
        while not say or (text := _answer("Another expert, as 'NAME: …' (empty: no more)", _maybe(heard))):
            say.append(text if say else _answer("What do you say, as '…' or 'NAME: …'", _maybe(heard, empty=False)))
        try:
            judgements, found, choice, edges = fitted(say, measured, pool, family)
            _show(judgements, found, choice)
            if family is None:
                check_near(choice, edges, measured)
        except BayesError as error:
            print(f"bayes: {error}\n")
            continue
        names = {one.family: one for one in found}
        taken = _answer(f"\nFamily, if its quantiles are what you meant (empty: {choice.family}; or: again)",
                        lambda text, names=names: _one_of(text, {"": 0, "again": 0, **names}))  # type: ignore[misc]  # fmt: skip
        if taken != "again":
            return say, taken or choice.family


def _answer(prompt: str, check: Callable[[str], str]) -> str:
    while True:
        try:
            return check(input(f"{prompt}: ").strip())
        except BayesError as error:
            print(f"bayes: {error}")
        except EOFError:
            raise KeyboardInterrupt from None


def _one_of(text: str, allowed: Mapping[str, object]) -> str:
    from bayes.errors import check_word

    if text or "" not in allowed:
        check_word(text, [name for name in allowed if name], "this is not one of them", key=None)
    return text


def _maybe(check: Callable[[str], object], empty: bool = True) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if text or not empty:
            check(text)
        return text

    return checked


def _said(text: str) -> str:
    if not text:
        raise UsageError("a judgement has a reason", fix="say it in one sentence")
    return text


# --- the file --------------------------------------------------------------------------------


def _place(wanted: _Wanted, text: str) -> str:
    _check_place(wanted, Path(text) if text else None)
    return text


def _check_place(wanted: _Wanted, path: Path | None) -> None:
    """Refuse a file that declares the quantity, before anybody is asked, unless it is to be replaced."""
    from bayes.priors import read_priors

    if path is not None and path.exists() and wanted.name in read_priors(path) and not wanted.replace:
        raise UsageError("this quantity is declared there", file=path, table=wanted.name,
                         fix="add --replace, or make it an alternative")  # fmt: skip


def _add_declaration(text: str, wanted: _Wanted) -> None:
    """Print a declaration, or put it into a file, which is written whole or not at all."""
    import tomllib

    from bayes.files import read_text, write_text
    from bayes.priors import parse_prior

    name, path = wanted.name, wanted.to
    parse_prior(name, tomllib.loads(text)[name], path or "")
    print(f"\n{text}", end="")
    if path is None:
        return
    before = read_text(path) if path.exists() else ""
    there = name in tomllib.loads(before)
    write_text(path, _replaced(before, name, text, path) if there else f"{before.rstrip()}\n\n{text}".lstrip())
    print(f"Replaced in {path}" if there else f"Added to {path}")


def _replaced(before: str, name: str, text: str, path: Path) -> str:
    """The file with the numbers and words of one declaration replaced; alternatives and all else stay as they are."""
    import tomllib

    from bayes.files import edited_toml
    from bayes.priors import check_numbers, parse_prior

    values = tomllib.loads(text)[name]
    gone = {key for key in tomllib.loads(before)[name] if key not in values and key != "alternatives"}
    try:
        after = edited_toml(before, [name], values, gone)
    except UsageError as error:
        raise UsageError("this declaration cannot be replaced alone", file=path, table=name, allowed=error.allowed,
                         fix="replace it by hand") from None  # fmt: skip
    check_numbers(parse_prior(name, tomllib.loads(after)[name], path))
    return after
