"""``synthesise``: anybody's trials."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from bayes.cli.shared import check_sampling, command, console, json_argument, quiet_argument, stage_of
from bayes.errors import UsageError

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``synthesise``."""
    pool = command(
        commands,
        "synthesise",
        _synthesise,
        "pool log ratios or two-arm counts of anybody's trials",
        "bayes synthesise trials.csv --y log_ratio --se se --tau 'HalfNormal(0.3)'",
    )
    pool.add_argument("file", metavar="FILE", type=Path, help="a table with a header, one trial a line: CSV or .xlsx")
    pool.add_argument("--sheet", metavar="NAME", help="sheet of a workbook (default: its first)")
    pool.add_argument("--y", metavar="COL", help="column of log ratios")
    pool.add_argument("--ratio", metavar="COL", help="instead of --y: column of ratios, whose logarithm is taken")
    pool.add_argument("--scale", choices=("log ratio", "difference"), default="",
                      help="what --y is (default: a difference if its name says so, else a log ratio)")  # fmt: skip
    pool.add_argument("--se", metavar="COL", help="column of standard errors (of logarithms, for ratios)")
    pool.add_argument("--var", metavar="COL", help="instead of --se: column of their variances")
    pool.add_argument("--lower", metavar="COL", help="instead of --se: column of lower ends of intervals")
    pool.add_argument("--upper", metavar="COL", help="and of upper ends")
    pool.add_argument("--level", metavar="SHARE", type=float, default=0.95, help="of those intervals (default: 0.95)")
    pool.add_argument("--p", metavar="COL", help="column of two-sided p-values, for rows that give nothing else")
    pool.add_argument("--mean", metavar="COL,COL", help="instead: columns of means, treatment then comparator")
    pool.add_argument("--sd", metavar="COL,COL", help="and of standard deviations; people are --total")
    pool.add_argument("--measure", metavar="NAME", help="of means: MD (default), SMD or ROM")
    pool.add_argument(
        "--study", metavar="COL", help="column of studies that have several rows: a between and a within sd"
    )
    pool.add_argument("--shared", metavar="COL", help="column that names the comparator which rows share")
    pool.add_argument("--moderator", metavar="COL", action="append", default=[],
                      help="column that may explain differences, of numbers or of groups; repeatable")  # fmt: skip
    pool.add_argument("--at", metavar="COL=VALUE", action="append", default=[],
                      help="predict where moderators have these values; repeatable")  # fmt: skip
    pool.add_argument(
        "--slope", metavar="PRIOR", default="Normal(0, 2)", help="of each moderator (default: %(default)s)"
    )
    pool.add_argument("--omega", metavar="PRIOR", default="HalfNormal(0.5)",
                      help="of the sd between rows of a study (default: %(default)s)")  # fmt: skip
    pool.add_argument("--events", metavar="COL,COL", help="instead: columns of events, treatment then comparator")
    pool.add_argument("--total", metavar="COL,COL", help="and of people, treatment then comparator")
    pool.add_argument("--label", metavar="COL", help="column of names (default: one called label, study, trial, …)")
    pool.add_argument("--confirm", metavar="WORD", action="append", default=[],
                      help="answer a question about the rows; the question names the word; repeatable")  # fmt: skip
    pool.add_argument("--mu", metavar="PRIOR", default="Normal(0, 2)", help="of the mean effect (default: %(default)s)")
    pool.add_argument("--tau", metavar="PRIOR", help="of the sd between trials (default: HalfNormal(0.5)); or 'tau2 ~ "
                      "InverseGamma(a, b)', flat, 'turner: OUTCOME; COMPARISON' or rhodes")  # fmt: skip
    pool.add_argument(
        "--baseline", metavar="PRIOR", help="with counts: of a trial's own log odds (default: Normal(0, 5))"
    )
    pool.add_argument("--baseline-of", choices=("mean", "comparator"),
                      help="log odds of the mean of both arms, or of the comparator (default: mean)")  # fmt: skip
    pool.add_argument(
        "--effects", choices=("random", "common", "t"), default="random", help="between trials (default: random)"
    )
    pool.add_argument("--draws", metavar="N", type=int, help="draws kept per chain, 1000 where draws are needed; "
                      "where a quadrature is exact, chains are made beside it only if this is given")  # fmt: skip
    pool.add_argument("--seed", metavar="N", type=int, default=20070222, help="seed (default: 20070222)")
    pool.add_argument("--no-leave-one-out", action="store_true", help="do not repeat the analysis without each row")
    pool.add_argument("--forest", metavar="FILE", type=Path, help="draw the forest: .pdf, .svg or .png, with its table")
    json_argument(pool)
    quiet_argument(pool)


_KINDS = {
    "estimates": (("y", "ratio"), ("se", "var", "lower", "upper", "p")),
    "means": (("mean",), ("sd", "total", "measure")),
    "counts": (("events",), ("total", "baseline", "baseline_of")),
}
"""What tells each kind of row, and what belongs to it."""


def _synthesise(options: argparse.Namespace) -> int:
    if options.draws is not None:
        check_sampling(options, ("draws",))
    if options.forest is not None:
        _check_picture(options.forest)
    rows = _rows(options, _kind(options))
    with stage_of(options)("integrating"):
        from bayes.synthesis.answer import Options, synthesise

        more = Options(leave_one_out=not options.no_leave_one_out, omega=options.omega, slope=options.slope,
                       at=tuple(_at(text) for text in options.at))  # fmt: skip
        found = synthesise(rows, mu=options.mu, tau=options.tau, effects=options.effects, draws=options.draws,
                           rng=options.seed, options=more)  # fmt: skip
    if options.forest is not None:
        _draw(found, options.forest)
    if options.json:
        import json

        print(json.dumps(found.as_data(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        from bayes.terminal import print_synthesis

        print_synthesis(console(), found)
    return 0 if found.verdict.passed else 1


def _kind(options: argparse.Namespace) -> str:
    """Which kind of rows was asked for: one, and with nothing that belongs to another."""
    given = {name for kind in _KINDS.values() for names in kind for name in names if getattr(options, name) is not None}
    kinds = [kind for kind, (first, _) in _KINDS.items() if given & set(first)]
    allowed = (
        "--y or --ratio with --se, --var, --lower and --upper or --p; --events and --total; or --mean, --sd, --total"
    )
    if len(kinds) != 1:
        raise UsageError("a synthesis reads log ratios or counts, one of the two, or means", key="--y",
                         found=sorted(given), allowed=allowed, fix="give one of these")  # fmt: skip
    extra = sorted(given - {name for names in _KINDS[kinds[0]] for name in names})
    if {"baseline", "baseline_of"} & set(extra):
        raise UsageError("only counts have a baseline", key="--baseline", fix="leave it out, or give --events")
    if extra:
        raise UsageError(f"this does not belong to {kinds[0]}: log ratios or counts are read, one of the two, or means",
                         key=f"--{extra[0]}", found=sorted(given), allowed=allowed, fix="leave it out")  # fmt: skip
    return kinds[0]


def _rows(options: argparse.Namespace, kind: str) -> Any:
    from bayes.synthesis.columns import Columns, read_estimates, read_means
    from bayes.synthesis.rows import read_counts

    if kind == "counts":
        events, total = (_columns(options, name) for name in ("events", "total"))
        rows = read_counts(options.file, events, total, options.label, options.sheet, confirm=options.confirm)
        baseline = {key: value for key in ("baseline", "baseline_of") if (value := getattr(options, key)) is not None}
        return replace(rows, **baseline)
    where: dict[str, Any] = {"sheet": options.sheet, "confirm": options.confirm}
    columns = Columns(**{name: getattr(options, name) for name in (
        "y", "ratio", "se", "var", "lower", "upper", "p", "level", "label", "study", "shared", "scale")},
        moderators=tuple(options.moderator))  # fmt: skip
    if kind == "means":
        arms = [_columns(options, name) for name in ("mean", "sd", "total")]
        return read_means(options.file, arms, options.measure or "MD", columns=columns, **where)
    if not {"se", "var", "lower", "upper", "p"} & {
        name for name in vars(options) if getattr(options, name) is not None
    }:
        _one_column(options, "se")
    return read_estimates(options.file, columns, **where)


def _at(text: str) -> dict[str, str]:
    from bayes.importing import pairs_of

    return pairs_of([text], "--map")


def _check_picture(path: Path) -> None:
    """The format of the picture, before anything is sampled."""
    from bayes.figures.saving import check_formats

    check_formats([path.suffix.removeprefix(".")])


def _draw(found: Any, path: Path) -> None:
    from bayes.figures import forest
    from bayes.figures.saving import save
    from bayes.synthesis.plotted import forest_table

    save(forest(forest_table(found)), path.parent, path.stem, [path.suffix.removeprefix(".")])


def _one_column(options: argparse.Namespace, name: str) -> str:
    value = getattr(options, name)
    if value is None:
        raise UsageError(f"--{name} is missing", key=f"--{name}", allowed="the name of a column",
                         fix=f"add --{name} COL")  # fmt: skip
    return str(value)


def _columns(options: argparse.Namespace, name: str) -> list[str]:
    """Two columns: the arm treated and the arm it is compared with; a name with a comma stands in quotes."""
    from bayes.importing import words_of

    columns = words_of(_one_column(options, name))
    if len(columns) != 2:
        raise UsageError(f"--{name} names two columns", key=f"--{name}", found=getattr(options, name),
                         allowed="treatment,comparator, or '\"a, b\",c' where a name has a comma",
                         fix="put a comma between them")  # fmt: skip
    return columns
