"""The work behind ``bayes sensitivity`` and ``bayes diff``: tables written one by one, with progress and a summary."""

from __future__ import annotations

import math
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes.drawfiles import element_of
from bayes.errors import MachineError, UsageError, check_word, closest
from bayes.files import make_folder, write_text
from bayes.numbers import compact, error_text, mark_words
from bayes.ranking import LAST_WORDS, extra_digits, ranked
from bayes.sensitivity.variance import quoted, variance_indices
from bayes.sensitivity.voi import evpi, evppi
from bayes.summaries import element_names
from bayes.workers import Pool, cores

if TYPE_CHECKING:
    from rich.console import Console

    from bayes.heroin.sensitivity import Case, Question

type Named = tuple[str, pd.DataFrame]

__all__ = [
    "analyse_draws",
    "analyse_run",
    "can_split",
    "chosen_analyses",
    "diff_text",
    "draws_text",
    "named_columns",
    "print_summary",
    "ranked_moves",
    "read_draws",
]

_TOP = 12
_LEAST_SHARE = 0.005
"""Shares below it would be printed as 0 %."""


def chosen_analyses(only: str | None) -> list[str]:
    """Return the analyses asked for, in their order.

    Raises
    ------
    UsageError
        If one is unknown.
    """
    from bayes.heroin.sensitivity import ANALYSES

    names = [name.strip().replace("-", "_") for name in only.split(",")] if only else list(ANALYSES)
    for name in names:
        check_word(name, ANALYSES, "there is no such analysis", key="--only")
    return [name for name in ANALYSES if name in names]


def analyse_run(
    question: Question, names: Sequence[str], *, jobs: int | None = None, console: Console | None = None
) -> dict[str, pd.DataFrame]:
    """Run analyses of a run and write ``tables/sensitivity/NAME.csv`` as each is finished.

    Parameters
    ----------
    question
        What is asked of which run.
    names
        Analyses, from :data:`bayes.heroin.sensitivity.ANALYSES`.
    jobs
        Processes; 1 works in this one. By default 2 where there are two cores and :func:`can_split` holds, otherwise 1.
    console
        Where progress is shown; none without.

    Returns
    -------
    dict
        Tables by name. An interruption leaves the files that were finished whole.
    """
    from bayes.heroin.sensitivity import ANALYSES

    for name in names:
        check_word(name, ANALYSES, "there is no such analysis", key="names")
    folder = question.folder / "tables" / "sensitivity"
    found: dict[str, pd.DataFrame] = {}
    with _working(question, names, jobs) as work:
        make_folder(folder)
        for name, table in _shown(work, len(names), console):
            write_text(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))
            found[name] = table
    return {name: found[name] for name in names}


@contextmanager
def _working(question: Question, names: Sequence[str], jobs: int | None) -> Iterator[Iterator[Named]]:
    """Give tables as they are finished. Analyses that share refits stay in one process."""
    from bayes.heroin.sensitivity import TOGETHER

    groups = [tuple(name for name in group if name in names) for group in TOGETHER]
    groups = [group for group in groups if group]
    splits = can_split()
    jobs = min(jobs or (min(2, cores()) if splits else 1), len(groups))
    try:
        _loaded(question)  # finds mistakes before any process starts
        with ExitStack() as stack:
            waiting = _submitted(question, groups, jobs, stack) if jobs > 1 else ()
            if waiting:
                yield (found for done in as_completed(waiting) for found in done.result())
            else:
                yield (found for name in names for found in _finished(question, (name,)))
    except BrokenProcessPool:
        guard = "" if splits else ", and in a script put the call under if __name__ == '__main__':"
        raise MachineError(
            "a process that was started for some analyses has ended. Memory may have run out: close other programs, "
            f"or work in one process (--jobs 1){guard}"
        ) from None
    finally:
        _loaded.cache_clear()  # the files may change


def _submitted(
    question: Question, groups: Sequence[Sequence[str]], jobs: int, stack: ExitStack
) -> Sequence[Future[list[Named]]]:
    """Work handed to processes, which end with the stack; none where the system has none to give."""
    try:
        pool = stack.enter_context(Pool(jobs, copies=can_split()))
        return [pool.submit(_finished, question, group) for group in groups]
    except (OSError, NotImplementedError, ImportError):
        return ()


def can_split() -> bool:
    """Whether a process can be copied as it is (``fork``), with the run it has read: on Linux, without threads."""
    return sys.platform == "linux" and threading.active_count() == 1 and "jax" not in sys.modules


def _finished(question: Question, names: Sequence[str]) -> list[Named]:
    from bayes.heroin.sensitivity import analyse

    return [(name, analyse(_loaded(question), name, question)) for name in names]


@lru_cache(maxsize=1)
def _loaded(question: Question) -> Case:
    """Read a run once in each process, so that analyses share its refits."""
    from bayes.heroin.sensitivity import load_case

    return load_case(question)


def _shown(work: Iterator[Named], total: int, console: Console | None) -> Iterator[Named]:
    if console is None:
        yield from work
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("sensitivity", total=total)
        for name, table in work:
            progress.update(task, advance=1, description=name)
            yield name, table


# --- the summary -------------------------------------------------------------------------------


def print_summary(console: Console, tables: Mapping[str, pd.DataFrame], question: Question) -> None:
    """Print what moves the target, ranked by the change of its median, then shares of variance and tipping points."""
    from rich.table import Table
    from rich.text import Text

    moves = ranked_moves(tables, question.quantity)
    if len(moves):
        view = Table(title=f"What moves {question.quantity}: change of the median", title_justify="left")
        for title, justify in (
            ("change", "left"),
            ("kind", "left"),
            ("by", "right"),
            ("± error", "right"),
            ("how", "left"),
        ):
            view.add_column(title, justify=justify)  # type: ignore[arg-type]
        for row in moves.head(_TOP).itertuples():
            error = float(str(row.mcse))
            view.add_row(
                Text(str(row.change)),
                str(row.kind),
                _signed(float(str(row.by)), error, int(str(row.extra))),
                error_text(error),
                str(row.method),
            )
        console.print(view)
        console.print(Text(LAST_WORDS, style="dim"))
    if "variance" in tables and len(tables["variance"]):
        console.print(Text(_variance_line(tables["variance"])))
    if "tipping" in tables:
        none = tables["tipping"]["method"] == "no root"
        sentences = [str(one) for one in tables["tipping"].loc[~none, "sentence"]]
        for sentence in sentences:
            console.print(Text(f"· {sentence}"))
        for line in [] if len(moves) else mark_words(sentences):  # the words beside the moves define the mark
            console.print(Text(line, style="dim"))
        if none.any():
            console.print(Text(f"· {none.sum()} questions have no answer in the range tried: see tipping.csv"))
    console.print(Text(f"Files: {question.folder / 'tables' / 'sensitivity'}"))


def _signed(by: float, error: float, extra: int) -> str:
    text = compact(by, error, extra)
    return f"+{text}" if by > 0 and text[0].isdigit() else text


def ranked_moves(tables: Mapping[str, pd.DataFrame], quantity: str) -> pd.DataFrame:
    """Rank every change of the median over all tables (:func:`bayes.ranking.rank_key`).

    Returns
    -------
    DataFrame
        ``change, kind, by, mcse, method, extra``; ``extra`` digits of ``by`` make the order visible.
    """
    parts = []
    for name, kind in (("alternatives", "prior"), ("leave_one_out", "without"), ("structure", "structure")):
        if name in tables:
            table = tables[name]
            keep = (table["quantity"] == quantity) & (table["method"] != "as fitted") & ~table["estimand_changed"]
            parts.append(table[keep].assign(kind=kind).rename(columns={"d_median": "by", "mcse_d_median": "mcse"}))
    if "powerscale" in tables:
        table = tables["powerscale"].rename(columns={"component": "change", "d_median": "by", "mcse_d_median": "mcse"})
        parts.append(table.assign(kind="doubled " + table["role"], method="power-scaled"))
    columns = ["change", "kind", "by", "mcse", "method"]
    if not parts:
        return pd.DataFrame(columns=[*columns, "extra"])
    return ranked(pd.concat([part[columns] for part in parts], ignore_index=True), "by", "mcse")


def _variance_line(table: pd.DataFrame) -> str:
    shares = quoted(table)
    most = shares[shares["estimate"] >= _LEAST_SHARE].head(5)
    words = [f"{row.input} {float(str(row.estimate)):.0%}" for row in most.itertuples()]
    doubts = "".join(f" With care: {flag}." for flag in dict.fromkeys(most["flag"].dropna()) if flag)
    return f"Shapley shares of the variance of the {shares['scale'].iloc[0]}: {', '.join(words) or 'none'}.{doubts}"


# --- anybody's draws ---------------------------------------------------------------------------


def analyse_draws(
    source: object, target: str, inputs: Sequence[str] = (), net_benefit: Sequence[str] = ()
) -> dict[str, Any]:
    """Variance shares of a column of draws, and the value of information where net benefits are named.

    Parameters
    ----------
    source
        Draws in any form that :func:`bayes.elsewhere.fit_from` takes, files among them.
    target
        The column to explain: a scalar of the posterior, as ``mu`` or ``theta[1]``.
    inputs
        Columns that explain it; all others by default.
    net_benefit
        Columns of net benefits of the options; a single one is compared with doing nothing.

    Returns
    -------
    dict
        ``target``, ``draws``, ``variance`` (records of measure, input, scale, estimate, lower, upper, prob, …, on the
        scale that ``auto`` chooses) and, with net benefits, ``evpi`` and ``evppi``.

    Raises
    ------
    UsageError
        If a column does not exist, or is constant, missing, infinite or too short.
    """
    table = read_draws(source)
    target = _column(target, table)
    inputs, net_benefit = ([_column(name, table) for name in names] for names in (inputs, net_benefit))
    chosen = list(inputs) or [name for name in table.columns if name not in (target, *net_benefit)]
    if not chosen:
        raise UsageError("there are no inputs", key="--inputs", fix="name columns that explain the target")
    result: dict[str, Any] = {"target": target, "draws": len(table), "inputs": chosen}
    result["variance"] = variance_indices(table[chosen], table[target], scale="auto").to_dict(orient="records")
    if net_benefit:
        options = table[list(net_benefit)]
        options = options.assign(nothing=0.0) if len(net_benefit) == 1 else options
        result["evpi"] = evpi(options).to_dict(orient="records")[0]
        result["evppi"] = evppi(table[chosen], options).to_dict(orient="records")
    return result


def named_columns(text: str) -> list[str]:
    """Names between commas; those inside brackets belong to a name.

    >>> named_columns("mu, theta[1,2],b[2]")
    ['mu', 'theta[1,2]', 'b[2]']
    """
    return [name.strip() for name in re.split(r",(?![^\[\]]*\])", text) if name.strip()]


def _column(name: str, table: pd.DataFrame) -> str:
    """A column by its name, or by another way to write it: ``theta.1``, ``theta[1]``."""
    if name in table:
        return name
    place = element_of(name)
    known = {element_of(column): str(column) for column in table.columns}
    if place is not None and place in known:
        return known[place]
    raise UsageError("there is no such column", key=name, allowed=[str(one) for one in table.columns[:40]],
                     fix=closest(name, table.columns) or "name a scalar of the posterior")  # fmt: skip


def read_draws(source: object) -> pd.DataFrame:
    """Read draws as one table, a row a draw; elements of an array are named ``variable[label]``.

    Variables of the posterior that are not numbers are left out.

    Raises
    ------
    StudyError, UsageError
        As :func:`bayes.elsewhere.fit_from`.
    """
    from bayes.elsewhere import fit_from

    columns: dict[str, Any] = {}
    for array in fit_from(source)["posterior"].to_dataset().data_vars.values():
        if {"chain", "draw"} <= set(array.dims) and array.dtype.kind in "biuf":
            rest = [d for d in array.dims if d not in ("chain", "draw")]
            values = array.transpose("chain", "draw", *rest).values.reshape(
                array.sizes["chain"] * array.sizes["draw"], -1
            )
            columns |= dict(zip(element_names(array), values.T, strict=True))
    return pd.DataFrame(columns)


def draws_text(result: Mapping[str, Any]) -> str:
    """Write the result of :func:`analyse_draws` as a table for a terminal."""
    table = pd.DataFrame(result["variance"])
    joint = table[table["measure"] == "joint"].iloc[0]
    wide = table[table["measure"] != "joint"].pivot(index="input", columns="measure", values="estimate")
    shares = wide[["first", "total", "shapley"]].sort_values("shapley", ascending=False)
    parts = [
        f"Shares of the variance of the {joint['scale']}, {result['target']} ({result['draws']:,} draws)",
        shares.to_string(float_format="%.3f"),
        f"All inputs together: {joint['estimate']:.3f}",
        *(f"{', '.join(part['measure'].unique())}: {flag}" for flag, part in table.groupby("flag") if flag),
    ]
    if "evpi" in result:
        worth = pd.DataFrame([result["evpi"], *result["evppi"]])[["quantity", "input", "estimate", "mcse"]]
        parts.append(worth.to_string(index=False, float_format="%.4g"))
    return "\n\n".join(parts)


def _extra(table: pd.DataFrame) -> list[int]:
    """Extra digits of a table of changes: those of single inputs stand in order, between the headline and the rest."""
    single = ~table["kind"].isin(["headline", "rest"]) & table["d_median"].notna()
    rows = [i for i, one in enumerate(single) if one]
    part = table.iloc[rows]
    found = dict(zip(rows, extra_digits(part["d_median"].tolist(), part["mcse_d_median"].tolist()), strict=True))
    return [found.get(i, 0) for i in range(len(table))]


def diff_text(table: pd.DataFrame) -> str:
    """Write the table of :func:`bayes.sensitivity.diff` for a terminal."""
    lines = []
    by_error = [[float(str(v)) for v in table[column]] for column in ("d_median", "mcse_d_median")]
    for row, value, error, extra in zip(table.itertuples(), *by_error, _extra(table), strict=True):
        by = "–" if math.isnan(value) else compact(value, error, extra)
        lines.append(f"{row.input:44} {by:>10}  {row.detail}".rstrip())
    return "\n".join([*lines, *mark_words(lines)])
