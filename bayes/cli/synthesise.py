"""``synthesise``: anybody's trials."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from bayes.cli.shared import check_picture, check_sampling, command, console, json_argument, quiet_argument, stage_of
from bayes.errors import UsageError

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``synthesise``."""
    pool = command(commands, "synthesise", _synthesise, "pool estimates, means or counts of anybody's trials",
                   "bayes synthesise trials.csv --y log_ratio --se se --tau 'HalfNormal(0.3)'")  # fmt: skip
    _row_arguments(pool)
    _prior_arguments(pool)
    _answer_arguments(pool)
    json_argument(pool)
    quiet_argument(pool)


def _row_arguments(pool: argparse.ArgumentParser) -> None:
    """What the rows are."""
    pool.add_argument("file", metavar="FILE", type=Path, nargs="?",
                      help="a table with a header, one trial a line: CSV or .xlsx")  # fmt: skip
    pool.add_argument("--estimate", metavar="TEXT", help="instead of a file: one estimate, as '-0.51 ± 0.18' (with its "
                      "standard error) or '0.60 (0.42 to 0.85)' (a ratio with its interval)")  # fmt: skip
    pool.add_argument("--sheet", metavar="NAME", help="sheet of a workbook (default: its first)")
    pool.add_argument("--y", metavar="COL", help="column of log ratios")
    pool.add_argument("--ratio", metavar="COL", help="instead of --y: column of ratios, whose logarithm is taken")
    pool.add_argument("--scale", choices=("log ratio", "difference"), default="",
                      help="what --y is (default: a difference if its name says so, else a log ratio)")  # fmt: skip
    pool.add_argument("--se", metavar="COL", help="column of standard errors (of logarithms, for ratios)")
    pool.add_argument("--var", metavar="COL", help="instead of --se: column of their variances")
    pool.add_argument("--lower", metavar="COL", help="instead of --se: column of lower ends of intervals")
    pool.add_argument("--upper", metavar="COL", help="with --lower: column of upper ends")
    pool.add_argument(
        "--level", metavar="SHARE", type=float, default=0.95, help="probability of those intervals (default: 0.95)"
    )
    pool.add_argument("--p", metavar="COL", help="column of two-sided p-values, for rows that give nothing else")
    _arm_arguments(pool)
    pool.add_argument("--label", metavar="COL", help="column of names (default: one called label, study, trial, …)")
    pool.add_argument("--confirm", metavar="WORD", action="append", default=[],
                      help="answer a question about the rows; the question names the word; repeatable")  # fmt: skip
    pool.add_argument("--exclude", metavar="LABEL", action="append", default=[], help="leave a row out; repeatable")
    pool.add_argument("--bias", metavar="NAME=COL", action="append", default=[],
                      help="columns of judged biases: internal, internal_sd, external, external_sd, proportional; or a "
                      ".toml that has them by row; shows the result adjusted and unadjusted")  # fmt: skip


def _arm_arguments(pool: argparse.ArgumentParser) -> None:
    """What each arm has where rows are counts or means, and which rows belong together."""
    pool.add_argument("--mean", metavar="COL,COL", help="instead of --y: columns of means, treatment then comparator")
    pool.add_argument(
        "--sd", metavar="COL,COL", help="with --mean: columns of standard deviations; --total has the people"
    )
    pool.add_argument("--time", metavar="COL,COL", help="instead of --total: columns of person-time")
    pool.add_argument(
        "--measure", metavar="NAME", help="of counts: OR (default), RR or RD; of means: MD (default), SMD or ROM"
    )
    pool.add_argument(
        "--study", metavar="COL", help="column of studies that have several rows: a between and a within sd"
    )
    pool.add_argument("--shared", metavar="COL", help="column that names the comparator which rows share")
    pool.add_argument("--arm", metavar="COL", help="column of arms, where each arm has a line (of counts and means); "
                      "--study is then the trial")  # fmt: skip
    pool.add_argument("--comparator", metavar="NAME", help="with --arm: the arm with which the others are compared")
    pool.add_argument("--approximate", action="store_true",
                      help="take counts as estimates with normal errors, a half added to zeros")  # fmt: skip
    pool.add_argument(
        "--events", metavar="COL,COL", help="instead of --y: columns of events, treatment then comparator"
    )
    pool.add_argument(
        "--total", metavar="COL,COL", help="with --events or --mean: columns of people, treatment then comparator"
    )


def _prior_arguments(pool: argparse.ArgumentParser) -> None:
    """Priors, moderators and the model of effects."""
    pool.add_argument("--moderator", metavar="COL", action="append", default=[],
                      help="column that may explain differences, of numbers or of groups; repeatable")  # fmt: skip
    pool.add_argument("--at", metavar="COL=VALUE", action="append", default=[],
                      help="predict where moderators have these values; repeatable")  # fmt: skip
    pool.add_argument(
        "--slope", metavar="PRIOR", default="Normal(0, 2)", help="of each moderator (default: %(default)s)"
    )
    pool.add_argument("--omega", metavar="PRIOR", default="HalfNormal(0.5)",
                      help="of the sd between rows of a study (default: %(default)s)")  # fmt: skip
    pool.add_argument("--mu", metavar="PRIOR", help="of the mean effect (default: Normal(0, 2); of --estimate flat)")
    pool.add_argument("--tau", metavar="PRIOR", help="of the sd between trials (default: HalfNormal(0.5)); or 'tau2 ~ "
                      "InverseGamma(a, b)', flat, 'turner: OUTCOME; COMPARISON', "
                      "'turner 2012: …' or rhodes")  # fmt: skip
    pool.add_argument(
        "--baseline", metavar="PRIOR", help="with counts: of a trial's own log odds (default: Normal(0, 5))"
    )
    pool.add_argument("--baseline-of", choices=("mean", "comparator"),
                      help="log odds of the mean of both arms, or of the comparator (default: mean)")  # fmt: skip
    pool.add_argument(
        "--effects",
        choices=("random", "common", "t"),
        default="random",
        help="how effects differ between trials (default: random)",
    )
    pool.add_argument("--draws", metavar="N", type=int, help="draws kept per chain, 1000 where draws are needed; "
                      "where a quadrature is exact, chains are made beside it only if this is given")  # fmt: skip
    pool.add_argument("--seed", metavar="N", type=int, default=20070222, help="seed (default: 20070222)")


def _answer_arguments(pool: argparse.ArgumentParser) -> None:
    """What is shown, asked and written."""
    pool.add_argument(
        "--prob", metavar="SHARE", type=float, default=0.95, help="of the intervals shown (default: 0.95)"
    )
    pool.add_argument(
        "--interval",
        choices=("eti", "hdi"),
        default="eti",
        help="kind of interval: equal tails or highest density (default: eti)",
    )
    pool.add_argument("--mu-set", metavar="NAME=PRIOR", action="append", default=[],
                      help="another prior of the mean to stand beside; repeatable")  # fmt: skip
    pool.add_argument("--tau-set", metavar="NAME=PRIOR", action="append", default=[],
                      help="another prior of the sd; each is crossed with each of --mu-set; repeatable")  # fmt: skip
    pool.add_argument("--sets", metavar="FILE", type=Path, help="TOML of named pairs: [sceptical] mu = '…', tau = '…'")
    pool.add_argument("--beyond", metavar="X", type=float, action="append", default=[],
                      help="probability below X, a ratio where logarithms are pooled; repeatable")  # fmt: skip
    pool.add_argument("--small-studies", action="store_true", help="regression, trim and fill, and a selection model")
    pool.add_argument("--cumulative", action="store_true", help="the synthesis of the first row, the first two, …")
    pool.add_argument(
        "--tipping",
        action="store_true",
        help="show the sceptical prior that would just not be convinced, and the E-value",
    )
    pool.add_argument("--map", metavar="FILE", type=Path,
                      help="write the effect in a new setting as a prior: .toml, or .py for PyMC")  # fmt: skip
    pool.add_argument(
        "--robust", metavar="SHARE", type=float, help="with --map: the share of that prior which expects no effect"
    )
    pool.add_argument(
        "--sigma",
        metavar="SD",
        type=float,
        help="with --map: sd of one person's outcome, for the effective sample size",
    )
    pool.add_argument(
        "--out", dest="saved", metavar="DIR", type=Path, help="save tables, figures, report and JSON in a new folder"
    )
    pool.add_argument("--no-leave-one-out", action="store_true", help="do not repeat the analysis without each row")
    for name, words in _PICTURES.items():
        pool.add_argument(f"--{name.replace('_', '-')}", metavar="FILE", type=Path,
                          help=f"draw {words}: .pdf, .svg or .png, with its table")  # fmt: skip


_PICTURES = {
    "forest": "the forest",
    "funnel": "the funnel, with contours of significance and trim and fill",
    "left_out": "mean and spread without each row",
}

_KINDS = {"estimates": (("y", "ratio"), ("se", "var", "lower", "upper", "p")),
          "means": (("mean",), ("sd", "total", "measure", "arm", "comparator")),
          "counts": (("events",), ("total", "time", "measure", "baseline", "baseline_of", "arm", "comparator")),
          "one": (("estimate",), ())}  # fmt: skip
"""What tells each kind of row, and what belongs to it."""


def _synthesise(options: argparse.Namespace) -> int:
    pictures = _checked_pictures(options)
    kind = _kind(options)
    if kind == "one":
        options.mu = options.mu or "flat"
        options.effects = options.effects if options.tau else "common"
    options.mu = options.mu or "Normal(0, 2)"
    rows = _excluded(_rows(options, kind), options.exclude)
    with stage_of(options)("integrating"):
        from bayes.synthesis.answer import Options, synthesise

        more = Options(leave_one_out=not options.no_leave_one_out, omega=options.omega, slope=options.slope,
                       at=tuple(map(_at, options.at)), prob=options.prob, kind=options.interval)  # fmt: skip
        found = synthesise(rows, mu=options.mu, tau=options.tau, effects=options.effects, draws=options.draws,
                           rng=options.seed, options=more)  # fmt: skip
        tables, lines = _more(options, found, rows)
    if pictures:
        from bayes.figures import figure
        from bayes.figures.saving import save
        from bayes.synthesis.plotted import TABLES

        for name, path in pictures.items():
            save(figure(name)(TABLES[name](found)), path.parent, path.stem, [path.suffix.removeprefix(".")])
    if options.saved is not None:
        from bayes.report.pooled import save_synthesis

        save_synthesis(found, tables, lines, options.saved)
        lines.append(f"Files: {options.saved}")
    _show(found, lines, options.json)
    return 0 if found.verdict.passed else 1


def _checked_pictures(options: argparse.Namespace) -> dict[str, Path]:
    """The pictures asked for, with their files, once it is known that all that is asked for can be written."""
    if options.draws is not None:
        check_sampling(options, ("draws",))
    pictures = {name: path for name in _PICTURES if (path := getattr(options, name)) is not None}
    for path in pictures.values():
        check_picture(path)
    if options.saved is not None and options.saved.exists():
        raise UsageError("this folder exists", key="--out", found=str(options.saved), fix="name a new one")
    return pictures


def _show(found: Any, lines: list[str], as_json: bool) -> None:
    """Print a synthesis and the lines beside it, or one JSON document."""
    if as_json:
        import json

        print(json.dumps({**found.as_data(), "more": lines}, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        from rich.text import Text

        from bayes.terminal import print_synthesis

        print_synthesis(console(), found)
        console().print(Text("\n".join(lines)))


def _more(options: argparse.Namespace, found: Any, rows: Any) -> tuple[dict[str, Any], list[str]]:
    """Tables, and lines on what else was asked for."""
    from bayes.synthesis.more import Asked, answered, map_prior

    asked = Asked(tuple(options.beyond), _sets(options), options.small_studies, options.cumulative, options.tipping)
    got = answered(found, asked)
    lines = list(got.lines)
    if options.bias:
        lines += _unadjusted(options, rows, found)
    if options.map is not None:
        from bayes.files import write_text

        prior, words = map_prior(found, options.robust, options.sigma, options.map.suffix == ".py")
        lines += words
        text = prior.pymc("effect") + "\n" if options.map.suffix == ".py" else prior.toml(
            "effect", found.rows.scale, f"the effect in a new setting, after {len(found.rows.labels)} rows of "
            f"{options.file.name if options.file else options.estimate}")  # fmt: skip
        write_text(options.map, text)
        lines.append(f"Written: {options.map}")
    return dict(got.tables), lines


def _sets(options: argparse.Namespace) -> dict[str, tuple[str, str]]:
    """Pairs of priors: those of the command line crossed, and those of a file."""
    from bayes.synthesis.answer import DEFAULT_TAU
    from bayes.synthesis.sets import named, read_sets

    mine = {"mu": options.mu, "tau": options.tau or DEFAULT_TAU}
    mu, tau = named(options.mu_set, "--mu-set"), named(options.tau_set, "--tau-set")
    found = {}
    if mu or tau:
        for first, one in ({"as given": mine["mu"]} | mu).items():
            for second, other in ({"as given": mine["tau"]} | tau).items():
                found[first if first == second else f"{first}, {second}" if tau else first] = (one, other)
    pairs = {} if options.sets is None else read_sets(options.sets)
    return found | {name: (pair.get("mu", mine["mu"]), pair.get("tau", mine["tau"])) for name, pair in pairs.items()}


def _excluded(rows: Any, labels: list[str]) -> Any:
    from bayes.errors import check_word

    for label in labels:
        check_word(label, rows.labels, "there is no such row", key="--exclude")
        rows = rows.without(rows.labels.index(label))
    return rows


def _unadjusted(options: argparse.Namespace, rows: Any, found: Any) -> list[str]:
    """The mean without the adjustment for biases, beside it."""
    from bayes.numbers import ranged
    from bayes.synthesis.answer import posterior_of

    plain = _excluded(_rows(options, _kind(options), adjust=False), options.exclude)
    before = posterior_of(plain, found.plan, trials=False)
    assert before is not None
    shown = []
    for name, one in (("adjusted for bias", found.numbers["mu"]), ("unadjusted", before.numbers["mu"])):
        low, middle, high = (float(one[key]) for key in ("q2.5", "q50", "q97.5"))
        ends = " to ".join(ranged(end, high - low) for end in (low, high))
        shown.append(f"mu {name}: {ranged(middle, high - low)} ({ends}, 95% equal-tailed)")
    return shown


def _kind(options: argparse.Namespace) -> str:
    """Which kind of rows was asked for: one, and with nothing that belongs to another."""
    given = {name for kind in _KINDS.values() for names in kind for name in names if getattr(options, name) is not None}
    kinds = [kind for kind, (first, _) in _KINDS.items() if given & set(first)]
    allowed = (
        "--y or --ratio with --se, --var, --lower and --upper or --p; --events and --total; or --mean, --sd, --total; "
        "or --estimate"
    )
    if (options.file is None) != ("estimate" in given):
        raise UsageError("a synthesis reads a file, or one estimate", key="FILE", found=str(options.file),
                         allowed="FILE, or --estimate TEXT", fix="give one of the two")  # fmt: skip
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


def _rows(options: argparse.Namespace, kind: str, adjust: bool = True) -> Any:
    """The rows, adjusted for bias where that is asked for."""
    if kind == "one":
        from bayes.synthesis.columns import estimate_from

        return estimate_from(options.estimate, options.level, options.scale)
    rows = _counts(options) if kind == "counts" else _estimates(options, kind)
    if not options.bias or not adjust:
        return rows
    from bayes.synthesis.bias import adjusted, read_biases
    from bayes.synthesis.rows import LogRatios

    if not isinstance(rows, LogRatios):
        raise UsageError("biases are taken from estimates with their errors, not from counts", key="--bias",
                         found=options.bias, fix="add --approximate, or leave it out")  # fmt: skip
    return adjusted(rows, read_biases(options.file, options.bias, rows.labels, options.sheet))


def _read_with(options: argparse.Namespace) -> dict[str, Any]:
    """What every reader takes."""
    from bayes.synthesis.columns import Columns

    names = ("y", "ratio", "se", "var", "lower", "upper", "p", "level", "label", "study", "shared", "scale", "arm",
             "comparator")  # fmt: skip
    columns = Columns(**{name: getattr(options, name) for name in names}, moderators=tuple(options.moderator))
    return {"columns": columns, "sheet": options.sheet, "confirm": options.confirm}


def _counts(options: argparse.Namespace) -> Any:
    """Counts, or estimates made of them."""
    from bayes.synthesis.approximate import estimates_of
    from bayes.synthesis.columns import read_counts, read_rates

    events, more = _columns(options, "events"), _read_with(options)
    if options.time is not None:
        rows: Any = read_rates(options.file, events, _columns(options, "time"), **more)
    else:
        rows = read_counts(options.file, events, _columns(options, "total"), measure=options.measure or "OR", **more)
        baseline = {key: value for key in ("baseline", "baseline_of") if (value := getattr(options, key)) is not None}
        rows = replace(rows, **baseline)
    return estimates_of(rows) if options.approximate else rows


def _estimates(options: argparse.Namespace, kind: str) -> Any:
    """Estimates with their errors, or means."""
    from bayes.synthesis.columns import read_estimates, read_means

    more = _read_with(options)
    columns = more.pop("columns")
    if options.approximate:
        raise UsageError("counts can be approximated", key="--approximate", fix="leave it out")
    if kind == "means":
        arms = [_columns(options, name) for name in ("mean", "sd", "total")]
        return read_means(options.file, arms, options.measure or "MD", columns=columns, **more)
    if all(getattr(options, name) is None for name in ("se", "var", "lower", "upper", "p")):
        _one_column(options, "se")
    return read_estimates(options.file, columns, **more)


def _at(text: str) -> dict[str, str]:
    from bayes.importing import pairs_of

    return pairs_of([text], "--map")


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
    alone = len(columns) == 1 and (options.arm is not None or name in ("events", "total", "time"))
    if len(columns) != 2 and not alone:
        raise UsageError(f"--{name} names two columns", key=f"--{name}", found=getattr(options, name),
                         allowed="treatment,comparator, or '\"a, b\",c' where a name has a comma",
                         fix="put a comma between them")  # fmt: skip
    return columns
