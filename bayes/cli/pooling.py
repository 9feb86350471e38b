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
    pool.add_argument("--se", metavar="COL", help="column of their standard errors")
    pool.add_argument("--var", metavar="COL", help="instead of --se: column of their variances")
    pool.add_argument("--events", metavar="COL,COL", help="instead: columns of events, treatment then comparator")
    pool.add_argument("--total", metavar="COL,COL", help="and of people, treatment then comparator")
    pool.add_argument("--label", metavar="COL", help="column of names (default: one called label, study, trial, …)")
    pool.add_argument("--confirm", metavar="WORD", action="append", default=[],
                      help="answer a question about the rows; the question names the word; repeatable")  # fmt: skip
    pool.add_argument("--mu", metavar="PRIOR", default="Normal(0, 2)", help="of the mean effect (default: %(default)s)")
    pool.add_argument(
        "--tau", metavar="PRIOR", default="HalfNormal(0.5)", help="of the sd between trials (default: %(default)s)"
    )
    pool.add_argument(
        "--baseline", metavar="PRIOR", help="with counts: of a trial's own log odds (default: Normal(0, 5))"
    )
    pool.add_argument("--baseline-of", choices=("mean", "comparator"),
                      help="log odds of the mean of both arms, or of the comparator (default: mean)")  # fmt: skip
    pool.add_argument(
        "--effects", choices=("random", "common", "t"), default="random", help="between trials (default: random)"
    )
    pool.add_argument("--draws", metavar="N", type=int, default=1000, help="draws kept per chain (default: 1000)")
    pool.add_argument("--seed", metavar="N", type=int, default=20070222, help="seed (default: 20070222)")
    pool.add_argument("--no-leave-one-out", action="store_true", help="do not repeat the analysis without each row")
    pool.add_argument("--forest", metavar="FILE", type=Path, help="draw the forest: .pdf, .svg or .png, with its table")
    json_argument(pool)
    quiet_argument(pool)


def _synthesise(options: argparse.Namespace) -> int:
    check_sampling(options, ("draws",))
    if options.forest is not None:
        _check_picture(options.forest)
    counts = options.events is not None or options.total is not None
    if counts == any(getattr(options, name) is not None for name in ("y", "se", "var")):
        raise UsageError(
            "a synthesis reads log ratios or counts, one of the two", key="--y",
            found=[name for name in ("y", "se", "var", "events", "total") if getattr(options, name) is not None],
            allowed="--y COL --se COL, or --events COL,COL --total COL,COL", fix="give one of the two pairs",
        )  # fmt: skip
    baseline = {key: value for key in ("baseline", "baseline_of") if (value := getattr(options, key)) is not None}
    if baseline and not counts:
        raise UsageError("only counts have a baseline", key="--baseline", fix="leave it out, or give --events")
    rows = _rows(options, counts)
    rows = replace(rows, **baseline) if baseline else rows
    with stage_of(options)("sampling and integrating"):
        from bayes.synthesis.answer import synthesise

        found = synthesise(rows, mu=options.mu, tau=options.tau, effects=options.effects, draws=options.draws,
                           rng=options.seed, leave_one_out=not options.no_leave_one_out)  # fmt: skip
    if options.forest is not None:
        _draw(found, options.forest)
    if options.json:
        import json

        print(json.dumps(found.as_data(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        from bayes.terminal import print_synthesis

        print_synthesis(console(), found)
    return 0 if found.verdict.passed else 1


def _rows(options: argparse.Namespace, counts: bool) -> Any:
    from bayes.synthesis.rows import read_counts, read_log_ratios

    where: dict[str, Any] = {"label": options.label, "sheet": options.sheet, "confirm": options.confirm}
    if counts:
        events, total = (_columns(options, name) for name in ("events", "total"))
        return read_counts(options.file, events, total, **where)
    y = _one_column(options, "y")
    se = None if options.var is not None and options.se is None else _one_column(options, "se")
    return read_log_ratios(options.file, y, se, var=options.var, **where)


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
