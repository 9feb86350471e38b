"""What a run looks like in a terminal, and as one JSON document. Nothing is computed here but widths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bayes.numbers import chance, compact, mark_words
from bayes.provenance import json_text
from bayes.summaries import PROB

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from bayes.blocks import Advance
    from bayes.runs import Run
    from bayes.synthesis import Synthesis

__all__ = ["as_json", "drivers_sentence", "headline_table", "print_run", "print_synthesis",
           "progress_stage"]  # fmt: skip

SHOWN = 20
"""Scenarios in the table of a terminal."""
SHOWN_AS_JSON = 500
"""Scenarios in a JSON document."""


@contextmanager
def progress_stage(console: Console, name: str) -> Iterator[Advance]:
    """Show a spinner and the elapsed time while a stage runs, and a line when it is done.

    A stage that calls what it is given, with how much is done and of how much, has its share shown too.
    """
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=1)

        def advance(done: int, total: int) -> None:
            bar = "━" * (20 * done // total)
            progress.update(task, description=f"{name}  {bar:┄<20} {done / total:4.0%}")

        yield advance
        progress.update(task, completed=1)


def print_run(console: Console, run: Run, drivers: str, withheld: bool = False) -> None:
    """Print verdict, headline table and the line about what moves the answer."""
    from rich.text import Text

    style = "bold green" if run.verdict.passed else "bold red"
    console.print(Text(f"Verdict of the diagnostics: {run.verdict.word}", style=style))
    for failure in run.verdict.failures:
        console.print(Text(f"  {failure.name}: {failure.text}", style="red"))
    if withheld:
        console.print("The numbers are withheld because the diagnostics failed (--require).")
        return
    wide = console.width >= WIDE
    years = int(run.futures.sizes["year"])
    rest = run.futures.sizes["scenario"] - SHOWN
    table = headline_table(run.headline, run.futures, run.verdict.word, wide)
    console.print(table)
    atoms = atom_lines(run.headline, run.futures)
    lines = [
        *([f"And {rest:,} more scenarios, in {run.folder}/tables/headline.csv."] if rest > 0 else []),
        f"Median, and {PROB:.0%} equal-tailed credible range. 'A year' is year {years}, at full scale.",
        "Offences are self-reported; victim-counted crimes are those a crime survey would count.",
        "Press sum: places × offences × reduction as in the newspaper, for comparison only."
        if wide
        else "Patient-years and the press sum: in a terminal of 100 columns, or tables/headline.csv.",
        *mark_words([*(str(cell) for column in table.columns for cell in column.cells), *atoms]),
        *atoms,
    ]
    console.print(Text("\n".join(lines), style="dim"))
    if drivers:
        console.print(Text(drivers))
    console.print(Text(f"Files: {run.folder}", style="dim"))


def print_synthesis(console: Console, found: Synthesis) -> None:
    """Print the verdict, the table and the notes of a synthesis."""
    from rich.text import Text

    from bayes.synthesis.shown import notes, synthesis_table

    style = "bold green" if found.verdict.passed else "bold red"
    judged = "diagnostics" if found.exact is None else "quadrature"
    console.print(Text(f"Verdict of the {judged}: {found.verdict.word}", style=style))
    for failure in found.verdict.failures:
        console.print(Text(f"  {failure.name}: {failure.text}", style="red"))
    console.print(synthesis_table(found, console.width >= WIDE))
    console.print(Text("\n".join(notes(found)), style="dim"))


WIDE = 100
"""Columns of a terminal that take the whole table; a narrower one gets what is avoided only."""


def headline_table(frame: pd.DataFrame, futures: Any, verdict: str, wide: bool = True) -> Table:
    """The headline as a table that fits 100 columns, or 80, of the first :data:`SHOWN` scenarios."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    mark = "" if verdict == "passed" else "  [DIAGNOSTICS FAILED: do not use]"
    table = Table(
        title=f"Crimes avoided, by scenario{mark}",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title_style="bold" if verdict == "passed" else "bold red",
    )
    years = int(futures.sizes["year"])
    table.add_column("Scenario", width=20)
    columns = {"Patient-years a year": 14, "Offences avoided a year": 13, f"Offences avoided in {years} years": 13,
               "Victim-counted crimes a year": 14, "P(>0)": 6, "Press sum a year": 6}  # fmt: skip
    kept = slice(None) if wide else slice(1, 5)
    for title, width in [*columns.items()][kept]:
        table.add_column(title, justify="right", width=width)
    last = str(years)
    shown = ((last, "patient_years"), (last, "offences_avoided"), ("total", "offences_avoided"),
             (last, "victim_crimes_avoided"))  # fmt: skip
    names = futures["scenario"].values[:SHOWN]
    frame = frame[frame["scenario"].isin(names)]
    for name, label in zip(names, futures["label"].values[:SHOWN], strict=True):
        rows = {(r.year, r.quantity): r for r in frame[frame["scenario"] == name].itertuples()}
        cells = [*(_cell(rows[key]) for key in shown), chance(rows[last, "offences_avoided"].p_positive),
                 compact(rows[last, "press_arithmetic"].median)]  # fmt: skip
        table.add_row(Text(str(label)), *cells[kept])
    return table


def _cell(row: Any) -> str:
    """Median on the first line, range on the second."""
    middle = compact(row.median, row.mcse_median)
    return f"{middle}\n{_ends(row)}"


def _ends(row: Any) -> str:
    return f"{compact(row.lower, row.mcse_lower)} to {compact(row.upper, row.mcse_upper)}"


def atom_lines(frame: pd.DataFrame, futures: Any) -> list[str]:
    """What stands in the table as 0: how often nothing is avoided, or harm done, and the range of the other draws."""
    from bayes.figuredata.outcomes import headline
    from bayes.tables import scale_up

    last = frame[(frame["quantity"] == "offences_avoided") & (frame["year"] == str(int(futures["year"][-1])))]
    some = last[(last["p_zero"] > 0) & (last["p_zero"] < 1)]
    if not len(some) or futures.chunks:
        return []
    name, labels = headline(futures), _labels(futures)
    row = (some[some["scenario"] == name] if name in set(some["scenario"]) else some).iloc[0]
    given = scale_up(futures.sel(scenario=[row.scenario]), "").iloc[0]
    others = f" So too in {len(some) - 1} more scenarios: tables/scale_up.csv." if len(some) > 1 else ""
    return [
        f"{labels[row.scenario]} avoids exactly 0 where no more patients come than are treated today:",
        f"P(<0) {chance(row.p_negative)}, P(=0) {chance(row.p_zero)}, P(>0) {chance(row.p_positive)}. Given that more "
        f"come: {compact(given['median'], given.mcse_median)} ({_ends(given)}) a year.{others}",
    ]


def as_json(run: Run, drivers: Mapping[str, Any], withheld: bool = False) -> str:
    """The same as one JSON document; numbers that are not finite are null.

    ``scenarios_left_out`` of the headline, beyond :data:`SHOWN_AS_JSON`, are in ``tables/headline.csv``.
    """
    names = run.futures["scenario"].values
    shown = run.headline[run.headline["scenario"].isin(names[:SHOWN_AS_JSON])]
    document = {
        "verdict": run.verdict.word,
        "checks": [{"name": c.name, "passed": c.passed, "value": c.value, "threshold": c.threshold, "text": c.text}
                   for c in run.verdict.checks],
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
    """One line: the input that moves the answer most, with its interval, and the next two."""
    if not drivers:
        return ""
    first, *rest = drivers["inputs"][:3]
    then = "; then " + ", ".join(f"{r['input']} {r['share']:.0%}" for r in rest) if rest else ""
    doubt = f" With care: {first['flag']}." if first["flag"] else ""
    return (
        f"Moves it most ({drivers['label']}): {first['input']}, {first['share']:.0%} of the variance of the "
        f"{first['scale']} ({first['prob']:.0%} confidence interval {first['lower']:.0%} to {first['upper']:.0%})"
        f"{then}.{doubt}"
    )
