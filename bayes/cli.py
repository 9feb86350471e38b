"""The command line: arguments in, files out. No statistics here, and no numerical library before it is needed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes import __version__
from bayes.errors import BayesError, UsageError

if TYPE_CHECKING:
    from bayes.overrides import Overrides
    from bayes.runs import Options, Run
    from bayes.study import Study

__all__ = ["main"]

DEFAULT_OUT = Path("runs") / "latest"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 a check failed, 2 bad input or usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        return 2
    try:
        return int(options.run(options))
    except BayesError as error:
        if options.debug:
            raise
        print(f"bayes: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("bayes: interrupted; nothing was written", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in 'bayes … | head'
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


# --- commands --------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> int:
    from bayes.study import load_study

    settings = _options(options)
    study = _changed(load_study(options.study), settings.overrides)
    from bayes.runs import execute

    run = execute(study, options.out, settings, stage=_stage(options))
    withheld = options.require and not run.verdict.passed
    _show(run, options, withheld)
    return 0 if run.verdict.passed else 1


def _show(run: Run, options: argparse.Namespace, withheld: bool) -> None:
    from bayes.terminal import as_json, drivers_of, drivers_sentence, print_run

    drivers = {} if withheld else drivers_of(run)
    if options.json:
        print(as_json(run, drivers, withheld))
    else:
        print_run(_console(), run, drivers_sentence(drivers), withheld)
    if getattr(options, "verbose", False):
        for name, seconds in run.timings.items():
            print(f"{seconds:8.2f} s  {name}", file=sys.stderr)


def _init(options: argparse.Namespace) -> int:
    from bayes.starter import start_study

    for line in start_study(options.folder):
        print(line)
    return 0


def _fit(options: argparse.Namespace) -> int:
    from bayes.study import load_study

    settings = _options(options)
    study = _changed(load_study(options.study), settings.overrides)
    from bayes.runs import write_fit

    _, verdict = write_fit(study, options.out, settings, None, _stage(options))
    print(verdict)
    print(f"Files: {options.out}")
    return 0 if verdict.passed else 1


def _check(options: argparse.Namespace) -> int:
    from bayes.model.stamp import fit_hash
    from bayes.overrides import changed_study
    from bayes.runs import load_fit, load_futures, overrides_of, read_manifest, verdict_on
    from bayes.study import load_study

    made_from = read_manifest(options.folder).get("fit_hash")
    study = changed_study(load_study(options.study), overrides_of(options.folder))
    fit = load_fit(options.folder)
    futures = load_futures(options.folder) if (options.folder / "futures.nc").is_file() else None
    verdict = verdict_on(fit, study, futures)
    print(verdict)
    if made_from != fit_hash(study):
        print("  not compared with the exact posterior: name the study of this fit, bayes check RUN STUDY")
    return 0 if verdict.passed else 1


def _project(options: argparse.Namespace) -> int:
    from bayes.overrides import parse_overrides
    from bayes.runs import project_run
    from bayes.study import load_study

    changes = parse_overrides((), options.set or ())
    run = project_run(load_study(options.study), options.folder, _stage(options), changes)
    _show(run, options, withheld=False)
    return 0 if run.verdict.passed else 1


def _figures(options: argparse.Namespace) -> int:
    from bayes.figures.gallery import NAMES, Absent, Gallery, check_plan
    from bayes.figures.saving import check_formats, save
    from bayes.runs import load_fit, load_futures, read_manifest

    only = [word.strip() for word in options.only.split(",") if word.strip()] if options.only is not None else []
    names = only or list(NAMES)
    formats = [word.strip() for word in options.format.split(",") if word.strip()]
    check_plan(names, options.width, options.style)
    check_formats(formats, options.dpi)
    manifest = read_manifest(options.folder)
    read_fit, read_futures = partial(load_fit, options.folder), partial(load_futures, options.folder)
    gallery, verdict = Gallery(options.folder, manifest, read_fit, read_futures, options.study), manifest["verdict"]
    stage, absent, written = _stage(options), {}, 0
    for name in names:
        try:
            gallery.check(name)
        except Absent as reason:
            if only:
                raise
            absent[name] = reason.problem + (f" ({reason.fix})" if reason.fix else "")
            continue
        with stage(f"drawing {name}"):
            figure = gallery.draw(name, options.width, options.style)
            written += len(save(figure, options.folder / "figures", name, formats, options.dpi))
    for name, why in absent.items():
        print(f"not drawn: {name}: {why}")
    print(f"Diagnostics: {verdict}. {len(names) - len(absent)} figures, {written} files: {options.folder / 'figures'}")
    return 0 if verdict == "passed" else 1


def _completion(options: argparse.Namespace) -> int:
    from bayes.completion import completion_script

    print(completion_script(options.shell, _parser()), end="")
    return 0


def _synthesise(options: argparse.Namespace) -> int:
    from bayes.synthesis.rows import read_counts, read_log_ratios

    _check_sampling(options, ("draws",))
    counts = options.events is not None or options.total is not None
    if counts == (options.y is not None or options.se is not None):
        raise UsageError(
            "a synthesis reads log ratios or counts, one of the two", key="--y",
            found=[name for name in ("y", "se", "events", "total") if getattr(options, name) is not None],
            allowed="--y COL --se COL, or --events COL,COL --total COL,COL", fix="give one of the two pairs",
        )  # fmt: skip
    if counts:
        events, total = (_columns(options, name) for name in ("events", "total"))
        rows: Any = read_counts(options.file, events, total, options.label)
    else:
        y, se = (_one_column(options, name) for name in ("y", "se"))
        rows = read_log_ratios(options.file, y, se, options.label)
    with _stage(options)("sampling and integrating"):
        from bayes.synthesis.answer import synthesise

        found = synthesise(rows, mu=options.mu, tau=options.tau, effects=options.effects, draws=options.draws,
                           rng=options.seed, leave_one_out=not options.no_leave_one_out)  # fmt: skip
    if options.json:
        import json

        print(json.dumps(found.as_data(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        from bayes.terminal import print_synthesis

        print_synthesis(_console(), found)
    return 0 if found.verdict.passed else 1


def _one_column(options: argparse.Namespace, name: str) -> str:
    value = getattr(options, name)
    if value is None:
        raise UsageError(f"--{name} is missing", key=f"--{name}", allowed="the name of a column",
                         fix=f"add --{name} COL")  # fmt: skip
    return str(value)


def _columns(options: argparse.Namespace, name: str) -> list[str]:
    """Two columns: the arm treated and the arm it is compared with."""
    columns = [word.strip() for word in _one_column(options, name).split(",")]
    if len(columns) != 2:
        raise UsageError(f"--{name} names two columns", key=f"--{name}", found=getattr(options, name),
                         allowed="treatment,comparator", fix="put a comma between them")  # fmt: skip
    return columns


def _sensitivity(options: argparse.Namespace) -> int:
    if (options.folder is None) == (options.draws is None):
        raise UsageError("name a run folder, or a file of draws with --draws", key="RUN", fix="give one of the two")
    if options.jobs < 1:
        raise UsageError("--jobs is too small", key="--jobs", found=options.jobs, allowed="1 or more")
    from bayes.sensitivity import commands

    if options.draws is not None:
        return _sensitivity_of_draws(options)
    from bayes.sensitivity.case import Question

    target = options.target or "offences_avoided"
    question = Question(options.folder, options.study, options.scenario, target, options.year, options.threshold,
                        not options.no_refit)  # fmt: skip
    names = commands.chosen_analyses(options.only)
    progress = None if options.quiet else _console(stderr=True)
    try:
        tables = commands.analyse_run(question, names, jobs=options.jobs, console=progress)
    except KeyboardInterrupt:
        folder = options.folder / "tables" / "sensitivity"
        print(f"bayes: interrupted; finished tables are in {folder}", file=sys.stderr)
        return 130
    if options.json:
        print(commands.as_json(tables))
    else:
        commands.print_summary(_console(), tables, question)
    return 0


def _sensitivity_of_draws(options: argparse.Namespace) -> int:
    from bayes.sensitivity import commands

    if not options.target:
        raise UsageError("a file of draws needs a target", key="--target", fix="name the column to explain")
    inputs, options_ = ([c for c in (text or "").split(",") if c] for text in (options.inputs, options.net_benefit))
    result = commands.analyse_draws(options.draws, options.target, inputs, options_)
    print(commands.as_json(result) if options.json else commands.draws_text(result))
    return 0


def _diff(options: argparse.Namespace) -> int:
    from bayes.sensitivity.commands import as_json, diff_text
    from bayes.sensitivity.difference import diff

    table = diff(options.run_a, options.run_b, quantity=options.target, scenario=options.scenario, study=options.study)
    print(as_json(table) if options.json else diff_text(table))
    return 0


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

    for table, rows in read_evidence(_folder(options.study) / "evidence").items():
        print(table)
        for row in rows:
            print(f"  {row.row:24} {row.use:11} {row.status:10} {row.why}")
    return 0


# --- helpers ---------------------------------------------------------------------------------


def _numbers(prior: Any) -> str:
    """Quantiles or parameters of a declaration, named as in its file."""
    from bayes.priors import labelled

    named = labelled(prior.quantiles) if prior.quantiles else prior.declared
    return ", ".join(f"{key}={value:.10g}" for key, value in named.items())


def _wrapped(key: str, text: str) -> str:
    import textwrap

    return textwrap.fill(text, 98, initial_indent=f"  {key:12} ", subsequent_indent=" " * 15)


def _folder(study: Path | None) -> Path:
    from bayes.study import shipped_study

    return shipped_study() if study is None else study


def _priors(study: Path | None) -> dict[str, Any]:
    from bayes.priors import read_priors
    from bayes.study import prior_files

    return {name: prior for path in prior_files(_folder(study)) for name, prior in read_priors(path).items()}


def _check_sampling(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Check the numbers before anything is read."""
    from bayes.runs import Options

    least = {"draws": 4, "tune": 1, "chains": 1}
    for name in names:
        value = getattr(options, name)
        if value < least[name]:
            raise UsageError(
                f"--{name} is too small",
                key=f"--{name}",
                found=value,
                allowed=f"{least[name]} or more",
                fix=f"leave it out for the default {getattr(Options(), name)}",
            )
    if options.seed < 0:
        raise UsageError("a seed is not negative", key="--seed", found=options.seed, allowed="0 or more")


def _options(options: argparse.Namespace) -> Options:
    from bayes.overrides import parse_overrides
    from bayes.runs import Options

    _check_sampling(options, ("draws", "tune", "chains"))
    return Options(
        options.draws,
        options.tune,
        options.chains,
        options.seed,
        options.sampler,
        getattr(options, "require", False),
        options.refit,
        parse_overrides(options.prior or (), options.set or ()),
    )


def _changed(study: Study, overrides: Overrides) -> Study:
    """The study with what the command line changes; a prior that had to be rounded is told on standard error."""
    from bayes.overrides import changed_study, notes_on

    changed = changed_study(study, overrides)
    for note in notes_on(changed, overrides):
        print(f"bayes: {note}", file=sys.stderr)
    return changed


def _console(stderr: bool = False) -> Any:
    from rich.console import Console

    plain = Console(stderr=stderr)
    return plain if plain.is_terminal else Console(stderr=stderr, width=100)


def _stage(options: argparse.Namespace) -> Any:
    """Progress on standard error, or none."""
    if options.quiet:
        return lambda name: nullcontext()
    from bayes.terminal import progress_stage

    def stage(name: str) -> AbstractContextManager[object]:
        return progress_stage(_console(stderr=True), name)

    return stage


# --- parser ----------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bayes",
        description="Sourced priors and evidence in; credible ranges for crimes avoided out.",
        epilog="example: bayes run --out runs/first",
    )
    parser.add_argument("--version", action="version", version=f"bayes {__version__}")
    parser.add_argument("--debug", action="store_true", help="show a traceback when something is wrong")
    commands = parser.add_subparsers(metavar="COMMAND")
    add = partial(_command, commands)
    run = add(
        "run",
        _run,
        "fit, check and project a study, and write its run folder",
        "bayes run --draws 2000 --out runs/long",
    )
    _study(run)
    _sampling(run)
    run.add_argument("--json", action="store_true", help="print one JSON document on standard output and nothing else")
    run.add_argument("--require", action="store_true", help="withhold all numbers if the diagnostics fail")
    init = add("init", _init, "make a study folder of one's own from the shipped one", "bayes init my-study")
    init.add_argument("folder", metavar="DIR", type=Path, help="a folder that does not exist yet, or is empty")
    fit = add("fit", _fit, "sample the posterior of a study", "bayes fit my-study --out runs/mine")
    _study(fit)
    _sampling(fit)
    check = add("check", _check, "run the diagnostics of a run again", "bayes check runs/latest")
    check.add_argument("folder", metavar="RUN", type=Path, help="a run folder")
    _study(check)
    project = add(
        "project",
        _project,
        "project the fit of a run over the scenarios of a study",
        "bayes project runs/mine my-study",
    )
    project.add_argument("folder", metavar="RUN", type=Path, help="a run folder with fit.nc")
    _study(project)
    _setting(project)
    project.add_argument("--quiet", action="store_true", help="no progress")
    project.add_argument(
        "--json", action="store_true", help="print one JSON document on standard output and nothing else"
    )
    _drawing(add)
    _pooling(add)
    _moving(add)
    _nouns(commands)
    shell = add("completion", _completion, "print a script that completes bayes in a shell", "bayes completion fish")
    shell.add_argument("shell", metavar="SHELL", help="bash, zsh or fish")
    return parser


def _pooling(add: Any) -> None:
    """``synthesise``: anybody's trials."""
    pool = add(
        "synthesise",
        _synthesise,
        "pool log ratios or two-arm counts of anybody's trials",
        "bayes synthesise trials.csv --y log_ratio --se se --tau 'HalfNormal(0.3)'",
    )
    pool.add_argument("file", metavar="FILE.csv", type=Path, help="a table with a header, one trial a line")
    pool.add_argument("--y", metavar="COL", help="column of log ratios")
    pool.add_argument("--se", metavar="COL", help="column of their standard errors")
    pool.add_argument("--events", metavar="COL,COL", help="instead: columns of events, treatment then comparator")
    pool.add_argument("--total", metavar="COL,COL", help="and of people, treatment then comparator")
    pool.add_argument("--label", metavar="COL", help="column of names (default: one called label, study, trial, …)")
    pool.add_argument("--mu", metavar="PRIOR", default="Normal(0, 2)", help="of the mean effect (default: %(default)s)")
    pool.add_argument(
        "--tau", metavar="PRIOR", default="HalfNormal(0.5)", help="of the sd between trials (default: %(default)s)"
    )
    pool.add_argument(
        "--effects", choices=("random", "common", "t"), default="random", help="between trials (default: random)"
    )
    pool.add_argument("--draws", metavar="N", type=int, default=1000, help="draws kept per chain (default: 1000)")
    pool.add_argument("--seed", metavar="N", type=int, default=20070222, help="seed (default: 20070222)")
    pool.add_argument("--no-leave-one-out", action="store_true", help="do not repeat the analysis without each row")
    pool.add_argument("--json", action="store_true", help="print one JSON document on standard output and nothing else")
    pool.add_argument("--quiet", action="store_true", help="no progress")


def _drawing(add: Any) -> None:
    """``figures``: the pictures of a finished run."""
    example = "bayes figures runs/latest --only ridge,forest --format pdf,svg"
    figures = add("figures", _figures, "draw the figures of a run, without fitting anything", example)
    figures.add_argument("folder", metavar="RUN", type=Path, help="a run folder")
    figures.add_argument("--only", metavar="NAME,…", help="figures to draw (default: all that the run can supply)")
    figures.add_argument("--format", metavar="pdf,svg,png", default="pdf", help="of pdf, svg, png, pgf (default: pdf)")
    figures.add_argument("--width", metavar="single|double|MM", help="89, 183 or any mm (default: by figure)")
    figures.add_argument("--style", metavar="NAME", default="journal", help="journal, serif or grey (default: journal)")
    figures.add_argument("--dpi", metavar="300|600", type=int, default=300, help="resolution of png (default: 300)")
    figures.add_argument(
        "--study", metavar="STUDY", type=Path, help="the study of the run (default: the shipped study)"
    )
    figures.add_argument("--quiet", action="store_true", help="no progress")


def _moving(add: Any) -> None:
    """``sensitivity`` and ``diff``."""
    found = add("sensitivity", _sensitivity, "say what moves the answer of a run, or of a file of draws",
                "bayes sensitivity runs/latest --only powerscale,tipping --threshold 100000")  # fmt: skip
    found.add_argument("folder", metavar="RUN", nargs="?", type=Path, help="a run folder")
    found.add_argument("--study", metavar="DIR", type=Path, help="the study of the run (default: the shipped study)")
    found.add_argument("--target", metavar="NAME", help="a quantity of the projection (default: offences_avoided)")
    found.add_argument("--scenario", metavar="NAME", help="a scenario (default: the middle one)")
    found.add_argument("--year", metavar="N", type=int, help="year of the horizon (default: the last)")
    found.add_argument("--only", metavar="A,B", help="analyses (default: all)")
    found.add_argument("--threshold", metavar="X", type=float, help="for tipping points, in the target's unit")
    found.add_argument("--no-refit", action="store_true", help="never fit again: unreliable weights are marked instead")
    found.add_argument("--jobs", metavar="N", type=int, default=1, help="processes (default: 1)")
    found.add_argument("--draws", metavar="FILE", type=Path, help="anybody's draws, .csv or .nc, instead of a run")
    found.add_argument("--inputs", metavar="A,B", help="with --draws: columns that explain the target (default: all)")
    found.add_argument("--net-benefit", metavar="A,B", help="with --draws: columns of net benefit, one an option")
    diff = add("diff", _diff, "say which changed input moved the headline of two runs", "bayes diff runs/a runs/b")
    diff.add_argument("run_a", metavar="RUN_A", type=Path, help="a run folder")
    diff.add_argument("run_b", metavar="RUN_B", type=Path, help="another")
    diff.add_argument("--study", metavar="DIR", type=Path, help="the study of RUN_B (default: the shipped study)")
    diff.add_argument("--target", metavar="NAME", default="offences_avoided", help="default: offences_avoided")
    diff.add_argument("--scenario", metavar="NAME", help="a scenario (default: the middle one)")
    for parser in (found, diff):
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    found.add_argument("--quiet", action="store_true", help="no progress")


def _nouns(commands: Any) -> None:
    """``priors`` and ``evidence`` with their verbs."""
    priors = _command(
        commands, "priors", None, "declared priors", "bayes priors show offences_per_user_year"
    ).add_subparsers(metavar="VERB", required=True)
    _study(_command(priors, "list", _priors_list, "list the declared priors", "bayes priors list"))
    show = _command(
        priors, "show", _priors_show, "show one declared prior in full", "bayes priors show offences_per_user_year"
    )
    show.add_argument("name", metavar="NAME", help="a quantity")
    _study(show)
    _elicitation(priors)
    _study(_command(priors, "check", _checked, "check a study folder", "bayes priors check my-study"))
    evidence = _command(commands, "evidence", None, "rows of evidence", "bayes evidence list").add_subparsers(
        metavar="VERB", required=True
    )
    _study(_command(evidence, "list", _evidence_list, "list all rows and how they are used", "bayes evidence list"))
    _study(_command(evidence, "check", _checked, "check a study folder", "bayes evidence check my-study"))


def _elicitation(priors: Any) -> None:
    """``priors elicit``: from words to a declaration."""
    found = _command(
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
    _study(found)


def _command(commands: Any, name: str, run: Any, text: str, example: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text.capitalize() + ".", epilog=f"example: {example}"
    )
    if run is not None:
        parser.set_defaults(run=run)
    return parser


def _study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "study", metavar="STUDY", nargs="?", type=Path, default=None, help="a study folder (default: the shipped study)"
    )


def _setting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append",
        help="change a setting (horizon_years=20), a field of every scenario (places=20000) or of one "
        "(hardcore.places=20000); repeatable",
    )  # fmt: skip


def _sampling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=DEFAULT_OUT, help=f"run folder (default: {DEFAULT_OUT})"
    )
    parser.add_argument("--draws", metavar="N", type=int, default=1000, help="draws kept per chain (default: 1000)")
    parser.add_argument("--tune", metavar="N", type=int, default=1000, help="warm-up draws per chain (default: 1000)")
    parser.add_argument("--chains", metavar="N", type=int, default=4, help="chains (default: 4)")
    parser.add_argument("--seed", metavar="N", type=int, default=20070222, help="seed (default: 20070222)")
    parser.add_argument(
        "--sampler", choices=("numpyro", "nutpie", "pymc"), default="numpyro", help="sampler (default: numpyro)"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="print the seconds each stage took")
    parser.add_argument(
        "--prior",
        metavar="NAME=PRIOR",
        action="append",
        help="another prior, as 'tau_theta=HalfNormal(0.2)'; repeatable",
    )
    _setting(parser)
    parser.add_argument("--refit", action="store_true", help="sample again even if the same fit is on disk")
    parser.add_argument("--quiet", action="store_true", help="no progress")
