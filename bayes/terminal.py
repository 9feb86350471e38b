"""What a run looks like in a terminal, and as one JSON document. Nothing is computed here but widths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayes.numbers import ABOVE_ZERO, chance, compact, mark_words, per_cent
from bayes.provenance import json_text
from bayes.summaries import PROB
from bayes.words import capital, words_of

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from rich.console import Console
    from rich.table import Table
    from xarray import Dataset

    from bayes.diagnostics import Verdict
    from bayes.runs import Run
    from bayes.synthesis import Synthesis
    from bayes.words import Words
    from bayes.workers import Advance

__all__ = ["as_json", "drivers_sentence", "headline_table", "print_answer", "print_run", "print_synthesis",
           "print_verdict", "progress_stage"]  # fmt: skip

SHOWN = 20
"""Scenarios in the table of a terminal."""
SHOWN_AS_JSON = 500
"""Scenarios in a JSON document."""


@contextmanager
def progress_stage(console: Console, name: str, before: float = 0.0) -> Iterator[Advance]:
    """Show a spinner and the elapsed time while a stage runs, and a line when it is done; nothing off a terminal.

    A stage that calls what it is given, with how much is done, of how much and of what, has that shown, its share and
    the time left. Of one that has not told yet, share and time left are those that the seconds which it took ``before``
    suggest.
    """
    import time

    from rich.progress import Progress, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
    from rich.text import Text

    told: dict[str, tuple[float, int]] = {}

    class Left(TextColumn):
        """Share and time left."""

        def render(self, task: Task) -> Text:
            return Text("" if task.finished else task.fields["left"] or left_words(task.elapsed or 0.0, before))

    columns = (SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description}"), TimeElapsedColumn(),
               Left(""))  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=1, left="")

        def advance(done: int, total: int, what: str) -> None:
            now, bar = time.monotonic(), "━" * (10 * done // total)
            begun, first = told.setdefault(what, (now, done))
            seconds = (now - begun) / (done - first) * (total - done) if done > first else 0.0
            left = f", about {seconds:.0f} s left" if seconds >= 1 else ""
            progress.update(task, description=f"{name}  {bar:┄<10} {done / total:4.0%}",
                            left=f"{done:,} of {total:,} {what}{left}")  # fmt: skip

        yield advance
        progress.update(task, completed=1)


SHORT = 3.0
"""Seconds of a stage below which nobody asks how long it will take."""


def left_words(elapsed: float, before: float) -> str:
    """Say how much of a stage is done and how long it will take, if it takes as long as before.

    >>> left_words(6.0, 24.0), left_words(30.0, 24.0), left_words(6.0, 0.0)
    ('25%, about 18 s left', 'longer than the 24 s of the last run', '')
    """
    if before < SHORT:
        return ""
    if elapsed > before:
        return f"longer than the {before:.0f} s of the last run"
    return f"{elapsed / before:.0%}, about {before - elapsed:.0f} s left"


def print_run(console: Console, run: Run, drivers: str, withheld: bool = False) -> None:
    """Print verdict, headline table and the line about what moves the answer."""
    from rich.text import Text

    print_verdict(console, "diagnostics", run.verdict, words_of(run.futures))
    if withheld:
        console.print("The numbers are withheld because the diagnostics failed (--require).")
        return
    print_answer(console, run.headline, run.futures, run.verdict, run.folder)
    if drivers:
        console.print(Text(drivers))
    console.print(Text(f"Files: {run.folder}", style="dim"))


def print_verdict(console: Console, judges: str, verdict: Verdict, words: Words | None = None) -> None:
    """Print a verdict and what failed, with words for what is named."""
    from rich.text import Text

    style = "bold green" if verdict.passed else "bold red"
    console.print(Text(f"Verdict of the {judges}: {verdict.word}", style=style))
    for failure in verdict.failures:
        text = words.worded(failure.text, ids=True) if words else failure.text
        console.print(Text(f"  {failure.name}: {text}", style="red"))
    for advice in dict.fromkeys(failure.advice for failure in verdict.failures if failure.advice):
        console.print(Text(f"  do: {advice}"))


def print_answer(console: Console, frame: pd.DataFrame, futures: Dataset, verdict: Verdict, folder: Path) -> None:
    """Print what each scenario does, as wide as the terminal, and what the numbers are."""
    from rich.text import Text

    words, rest = words_of(futures), futures.sizes["scenario"] - SHOWN
    table, left = headline_table(frame, futures, verdict.word, console.width)
    console.print(table)
    atoms = [*atom_lines(frame, futures), *rounding_lines(frame, futures)]
    last = futures["year"].values[-1]
    when = f", in {words.moment(last)}" if words.time and futures.sizes["year"] > 1 else ""
    naive = f"{capital(words.reference[0])}: a naive sum, for comparison only." if words.reference else ""
    reference = words.sentences.get("reference") or naive
    lines = [
        *([f"And {rest:,} more scenarios, in {folder}/tables/headline.csv."] if rest > 0 else []),
        f"Median, and {PROB:.0%} equal-tailed credible range{when}.",
        *([text] if (text := words.sentences.get("outcomes")) else []),
        *([reference] if reference and words.heading(words.reference[1]) not in left else []),
        *([f"In a wider terminal, or tables/headline.csv: {'; '.join(left)}."] if left else []),
        *mark_words([*(str(cell) for column in table.columns for cell in column.cells), *atoms]),
        *atoms,
    ]
    console.print(Text("\n".join(lines), style="dim"))


def print_synthesis(console: Console, found: Synthesis) -> None:
    """Print the verdict, the table and the notes of a synthesis."""
    from rich.text import Text

    from bayes.synthesis.shown import notes, synthesis_table

    print_verdict(console, "diagnostics" if found.exact is None else "quadrature", found.verdict)
    console.print(synthesis_table(found, console.width))
    console.print(Text("\n".join(notes(found)), style="dim"))


WIDE = 100
"""Columns of a terminal that take the whole table of a synthesis."""


def headline_table(frame: pd.DataFrame, futures: Dataset, verdict: str, width: int = WIDE) -> tuple[Table, list[str]]:
    """The headline of the first :data:`SHOWN` scenarios as a table, and the titles of columns for which it has no room.

    The target and its probability stay; what is left out first is the naive sum, then the size of the scenarios.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    words = words_of(futures)
    good = verdict == "passed"
    title = (words.title or words.headed(words.target)) + ("" if good else "  [DIAGNOSTICS FAILED: do not use]")
    table = Table(title=Text(title), box=box.SIMPLE_HEAD, padding=0,
                  title_style="bold" if good else "bold red")  # fmt: skip
    names = [str(name) for name in futures["scenario"].values[:SHOWN]]
    labels = [str(label) for label in futures["label"].values[:SHOWN]]
    columns = _columns(frame[frame["scenario"].isin(names)], futures, names)
    first = min(20, max(map(len, [*labels, words.scenario])))
    room, kept = width - first - 3, set[str]()
    for column in sorted(columns, key=lambda column: column.rank):
        room -= column.width + 1
        kept |= {column.title} if room >= 0 or not column.rank else set()
    table.add_column(capital(words.scenario), width=first)
    for column in (column for column in columns if column.title in kept):
        table.add_column(Text(column.title), justify="right", width=column.width)
    for i, label in enumerate(labels):
        table.add_row(Text(label), *(column.cells[i] for column in columns if column.title in kept))
    return table, [column.title for column in columns if column.title not in kept]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the headline; of those for which a terminal has no room the highest ranks are left out."""

    rank: int
    title: str
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        """Letters of the longest line of a cell, and of the longest word of the title where it has four lines."""
        fourth = -(-len(self.title) // 4)
        lines = [line for cell in self.cells for line in cell.split("\n")]
        return max(fourth, *map(len, [*self.title.split(), *lines]))


def _columns(frame: pd.DataFrame, futures: Dataset, names: Sequence[str]) -> list[_Column]:
    """Columns of the headline, from left to right."""
    words, last = words_of(futures), str(futures["year"].values[-1])
    rows = {(str(r.scenario), str(r.year), str(r.quantity)): r for r in frame.itertuples()}

    def column(rank: int, title: str, quantity: str, year: str = last, text: Callable[[Any], str] = _cell) -> _Column:
        return _Column(rank, title, tuple(text(rows[name, year, quantity]) for name in names))

    target, found = words.target, list[_Column]()
    if words.size:
        found.append(column(8, words.heading(words.size), words.size))
    found.append(column(0, words.heading(target), target))
    if words.added(target) and futures.sizes["year"] > 1:
        found.append(column(2, words.over_all(target, futures["year"].values.tolist()), target, "total"))
    found += [column(3 + i, words.heading(name), name) for i, name in enumerate(words.beside)]
    found.append(column(1, capital(ABOVE_ZERO), target, text=lambda row: chance(row.p_positive)))
    naive = words.reference[1:]
    return found + [column(9, words.sentences.get(f"heading.{name}", capital(words.reference[0])), name,
                           text=lambda row: compact(row.median)) for name in naive]  # fmt: skip


def _cell(row: Any) -> str:
    """Median on the first line, range on the second; of an event its probability."""
    if row.kind == "event":
        return chance(row.mean)
    middle = compact(row.median, row.mcse_median)
    return middle if row.lower == row.upper else f"{middle}\n{_ends(row)}"


def _ends(row: Any) -> str:
    return f"{compact(row.lower, row.mcse_lower)} to {compact(row.upper, row.mcse_upper)}"


def atom_lines(frame: pd.DataFrame, futures: Dataset) -> list[str]:
    """What stands in the table as 0: how often the target is exactly 0, and the range of the other draws."""
    from bayes.tables import ROUNDED, scale_up
    from bayes.words import headline

    words, year = words_of(futures), str(futures["year"].values[-1])
    last = frame[(frame["quantity"] == words.target) & (frame["year"].astype(str) == year)]
    some = last[(last["p_zero"] > 0) & (last["p_zero"] < 1) & (last["note"] != ROUNDED)]
    if not len(some) or futures.chunks:
        return []
    name, labels = headline(futures), _labels(futures)
    row = (some[some["scenario"] == name] if name in set(some["scenario"]) else some).iloc[0]
    given = scale_up(futures.sel(scenario=[row.scenario]), "").iloc[0]
    others = f" So too in {len(some) - 1} more scenarios: tables/scale_up.csv." if len(some) > 1 else ""
    return [
        f"{labels[row.scenario]}: {words.sentences.get('zero', 'the answer is exactly 0 in some draws')}.",
        f"It is below zero with probability {chance(row.p_negative)}, zero with {chance(row.p_zero)}, and above zero "
        f"with {chance(row.p_positive)}; {given['note']}, {compact(given['median'], given.mcse_median)} "
        f"({_ends(given)}).{others}",
    ]


def rounding_lines(frame: pd.DataFrame, futures: Dataset) -> list[str]:
    """In which scenarios the target is zero but for rounding."""
    from bayes.tables import ROUNDED, rounded_in

    labels = _labels(futures)
    names = rounded_in(frame, words_of(futures).target, str(futures["year"].values[-1]))
    return [f"{', '.join(labels[name] for name in names)}: {ROUNDED}."] if names else []


def as_json(run: Run, drivers: Mapping[str, Any], withheld: bool = False) -> str:
    """The same as one JSON document; numbers that are not finite are null.

    ``scenarios_left_out`` of the headline, beyond :data:`SHOWN_AS_JSON`, are in ``tables/headline.csv``.
    """
    names = run.futures["scenario"].values
    shown = run.headline[run.headline["scenario"].isin(names[:SHOWN_AS_JSON])]
    document = {
        "verdict": run.verdict.word,
        "checks": [one.as_data() for one in run.verdict.checks],
        "interval": {"prob": PROB, "kind": "eti"},
        "moves_the_answer": dict(drivers),
        "headline": [] if withheld else shown.to_dict(orient="records"),
        "scenarios_left_out": max(0, len(names) - SHOWN_AS_JSON),
        "scenarios": _labels(run.futures),
        "folder": str(run.folder),
        "timings": dict(run.timings),
    }  # fmt: skip
    return json_text(document)


def _labels(futures: Any) -> dict[str, str]:
    return dict(zip(futures["scenario"].values.tolist(), futures["label"].values.tolist(), strict=True))


def drivers_sentence(drivers: Mapping[str, Any]) -> str:
    """One line: the input that moves the answer most, with its interval, and the next two.

    Of single numbers alone where there are vectors, which the sensitivity analyses rank beside them.
    """
    if not drivers:
        return ""
    named = ", ".join(drivers["vectors"])
    if not drivers["inputs"]:
        return f"What moves it most ({drivers['label']}) is a vector: sensitivity ranks them ({named})."
    first, *rest = drivers["inputs"][:3]
    then = "; then " + ", ".join(f"{r['input']} {per_cent(r['share'], blank='')}" for r in rest) if rest else ""
    doubt = f" With care: {first['flag']}." if first["flag"] else ""
    share, *ends = (per_cent(first[name], blank="") for name in ("share", "lower", "upper"))
    vectors = f" Vectors are not among these, and may move it more: {named}; sensitivity ranks them." if named else ""
    moves = "Of single numbers, moves it most" if named else "Moves it most"
    return (
        f"{moves} ({drivers['label']}): {first['input']}, {share} of the variance of the "
        f"{first['scale']} ({first['prob']:.0%} confidence interval {ends[0]} to {ends[1]})"
        f"{then}.{doubt}{vectors}"
    )
