"""Every analysis of a run: which there are, work for several processes, tables written as they are finished.

An analysis is a file ``_NAME.py`` of this room with a record ``ANALYSIS`` (:class:`bayes.sensitivity.case.Analysis`);
nothing else has to name it. Finished tables are kept under the content hash of the run, of what was asked and of the
code (:mod:`bayes.cache`), so that to ask the same of the same run again costs nothing.
"""

from __future__ import annotations

import pickle
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from functools import cache as once
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes import cache
from bayes.errors import MachineError, check_word
from bayes.files import csv_text, make_folder, write_text
from bayes.runfiles import made_of, note_made
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.words import Words
from bayes.workers import Pool, can_split, cores

if TYPE_CHECKING:
    from rich.console import Console

    from bayes.question import Question

type Made = Mapping[str, pd.DataFrame]
type Named = tuple[str, Made]

__all__ = ["Analysed", "analyse", "analyse_run", "analyses", "chosen_analyses", "groups_of", "load_case"]


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """What analyses of a run found.

    Parameters
    ----------
    tables
        Finished tables by name.
    absent
        Analyses that the question has nothing for, with what would bring each.
    words, target
        What is said of the question, and the name of the target.
    """

    tables: Mapping[str, pd.DataFrame]
    absent: Mapping[str, str]
    words: Words
    target: str


@once
def analyses() -> dict[str, Analysis]:
    """Return every analysis by name, the quickest first."""
    room = Path(__file__).parent
    names = [one.name for one in pkgutil.iter_modules([str(room)]) if one.name.startswith("_")]
    found = {name[1:]: import_module(f"bayes.sensitivity.{name}").ANALYSIS for name in names}
    return dict(sorted(found.items(), key=lambda item: item[1].weight))


def chosen_analyses(only: str | None) -> list[str]:
    """Return the analyses asked for, by their own names or those of their tables, in their order.

    Raises
    ------
    UsageError
        If one is unknown.
    """
    known = analyses()
    owners = {name: owner for owner, one in known.items() for name in (owner, *one.tables)}
    names = [name.strip().replace("-", "_") for name in only.split(",")] if only else list(known)
    for name in names:
        check_word(name, owners, "there is no such analysis", key="--only")
    return [name for name in known if name in {owners[one] for one in names}]


def groups_of(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return analyses that share refits or tables, the longest first: each group is work for one process."""
    known = analyses()
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(known[name].beside or name, []).append(name)
    return [tuple(group) for group in sorted(groups.values(), key=lambda g: -sum(known[name].weight for name in g))]


def analyse(case: Case, name: str, request: Request) -> Made:
    """Run one analysis; every row of its tables carries scenario, time and the verdict of the fit.

    One that is summed over times says in ``times`` over which.
    """
    stamp, one = {**case.place, "verdict": case.fit.attrs.get("verdict", "not checked")}, analyses()[name]
    return {key: (_timed(case, table) if key in one.totals else table).assign(**stamp)
            for key, table in one.run(case, request).items()}  # fmt: skip


def _timed(case: Case, table: pd.DataFrame) -> pd.DataFrame:
    """Say over which times each row is summed: a cost or an effect over those of its own outcome."""
    words = case.words
    named = {"cost": words.cost, "effect": words.target, "net_benefit": words.net_benefit}
    over = {key: words.summed(name, case.times) for key, name in named.items()}
    of = table["quantity"] if "quantity" in table else pd.Series("net_benefit", table.index)
    return table.assign(times=of.map(over).fillna(over["net_benefit"]))


def analyse_run(
    request: Request, load: Callable[[Request], Case], names: Sequence[str] | None = None, *,
    jobs: int | None = None, console: Console | None = None, recompute: bool = False,
) -> Analysed:  # fmt: skip
    """Run analyses of a run and write ``tables/sensitivity/NAME.csv`` as each is finished.

    Parameters
    ----------
    request
        What is asked of which run.
    load
        Reads a run and says what its analyses start from.
    names
        Analyses, from :func:`analyses`; all by default.
    jobs
        Processes; 1 works in this one. By default 2 where there are two cores and :func:`can_split` holds, otherwise 1.
    console
        Where progress is shown; none without.
    recompute
        Whether tables are computed again that are kept of this run.

    Returns
    -------
    Analysed
        An interruption leaves the files that were finished whole. A table that an earlier call wrote, of an analysis
        for which there is nothing now, is removed.
    """
    known = analyses()
    chosen = list(known) if names is None else list(names)
    for name in chosen:
        check_word(name, known, "there is no such analysis", key="names")
    folder, found = request.folder / "tables" / "sensitivity", dict[str, Made]()
    case = load(request)
    make_folder(folder)
    entries = _entries(case, request, chosen)
    kept = {} if recompute else _kept(entries)
    with _working(case, partial(load, request), request, [name for name in chosen if name not in kept], jobs) as work:
        for name, made in _shown(chain(kept.items(), work), len(chosen), console):
            if name in entries and name not in kept:
                cache.keep(_TABLES, entries[name], pickle.dumps(dict(made)))
            paths = {key: folder / f"{key}.csv" for key in known[name].tables or (name,)}
            for key, path in paths.items():
                if key in made:
                    write_text(path, csv_text(made[key]))
                else:
                    path.unlink(missing_ok=True)
            note_made(request.folder, paths.values())
            found[name] = made
    tables = {key: table for name in chosen for key, table in found[name].items()}
    absent = {name: known[name].brings for name in chosen if not found[name]}
    return Analysed(tables, absent, case.words, case.target)


_TABLES = "tables"
"""Kind of the entries of the store that hold the tables of an analysis."""


def _entries(case: Case, request: Request, names: Sequence[str]) -> dict[str, str]:
    """What the tables of analyses are kept under: none where code outside this package decides their numbers."""
    home = case.asked.question.home
    if home is None or not home[0].startswith(f"{__package__.partition('.')[0]}."):
        return {}
    told = {key.name: getattr(request, key.name) for key in fields(request) if key.name != "folder"}
    return {name: cache.key_of(name, made_of(request.folder), told, compiled=True) for name in names}


def _kept(entries: Mapping[str, str]) -> dict[str, Made]:
    """Tables that are kept."""
    found = {name: cache.kept(_TABLES, entry) for name, entry in entries.items()}
    return {name: pickle.loads(made) for name, made in found.items() if made is not None}


def load_case(question: Question, request: Request) -> Case:
    """Read a run and the study it carries, and say what its analyses start from.

    Raises
    ------
    StudyError
        If the run was made by another question, or from something else than it carries.
    UsageError
        If scenario, outcome or time do not exist.
    """
    from bayes.inputs import asked_of
    from bayes.runfiles import read_fit, read_futures

    asked = asked_of(request.folder, question)
    if question.case is not None:
        fit = read_fit(request.folder, ("posterior", "log_prior", "log_likelihood"))
        asked.refuse(fit)
        case: Case = question.case(asked, fit, request)
        return case
    from bayes.sensitivity.graph import case_of

    fit = read_fit(request.folder)
    asked.refuse(fit)
    return case_of(asked, fit, read_futures(request.folder), request)


@contextmanager
def _working(
    case: Case, load: Callable[[], Case], request: Request, names: Sequence[str], jobs: int | None
) -> Iterator[Iterator[Named]]:
    """Give tables as they are finished. Analyses that share refits stay in one process."""
    groups, splits = groups_of(names), can_split()
    jobs = min(jobs or (min(2, cores()) if splits else 1), len(groups))
    _HELD[:] = [case]
    try:
        with ExitStack() as stack:
            calls = [(None if splits else load, request, group) for group in groups]
            waiting = _submitted(calls, jobs, splits, stack) if jobs > 1 else ()
            if waiting:
                yield (found for done in as_completed(waiting) for found in done.result())
            else:
                yield ((name, analyse(case, name, request)) for name in names)
    except BrokenProcessPool:
        guard = "" if splits else ", and in a script put the call under if __name__ == '__main__':"
        raise MachineError(
            "a process that was started for some analyses has ended. Memory may have run out: close other programs, "
            f"or work in one process (--jobs 1){guard}"
        ) from None
    finally:
        _HELD.clear()


_HELD: list[Case] = []
"""What analyses start from: there already in a process that is a copy, read once in any other."""


def _submitted(
    calls: Sequence[tuple[Any, ...]], jobs: int, splits: bool, stack: ExitStack
) -> Sequence[Future[list[Named]]]:
    """Work handed to processes, which end with the stack; none where the system has none to give."""
    try:
        pool = stack.enter_context(Pool(jobs, copies=splits))
        return [pool.submit(_finished, *call) for call in calls]
    except (OSError, NotImplementedError, ImportError):
        return ()


def _finished(load: Callable[[], Case] | None, request: Request, names: Sequence[str]) -> list[Named]:
    if load is not None and not _HELD:
        _HELD.append(load())
    return [(name, analyse(_HELD[0], name, request)) for name in names]


def _shown(work: Iterator[Named], total: int, console: Console | None) -> Iterator[Named]:
    if console is None:
        yield from work
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("sensitivity", total=total)
        for name, made in work:
            progress.update(task, advance=1, description=name)
            yield name, made
