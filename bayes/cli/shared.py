"""What several commands share: arguments, options, progress."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.arguments import check_seed
from bayes.cli.ending import Escaping
from bayes.errors import StudyError, UsageError, printable

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from bayes.overrides import Overrides
    from bayes.plans import Asked
    from bayes.question import Question
    from bayes.runs import Options

__all__ = ["check_of_a_run", "check_sampling", "command", "console", "counted", "declared_priors", "draws_of",
           "effort_arguments", "effort_of", "effort_text", "folder_of", "json_argument", "one_or_several", "options_of",
           "place_argument", "place_for", "posed_by", "print_lines", "print_listing", "print_notes", "question_of",
           "quiet_argument", "sampling_arguments", "scheduler_argument", "setting_arguments", "source_argument",
           "stage_of", "study_argument", "write_made"]  # fmt: skip


def command(commands: Any, name: str, run: Any, text: str, example: str) -> argparse.ArgumentParser:
    """Add one command with its help and an example."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", epilog=f"example: {example}"
    )
    if run is not None:
        parser.set_defaults(run=run, called=name)
    return parser


def one_or_several(paths: Sequence[Path]) -> Path | list[Path]:
    """Return a path, or paths of CSV files one a chain, as :func:`bayes.draws.fit_from` takes them."""
    return paths[0] if len(paths) == 1 else list(paths)


def draws_of(source: Path | list[Path], quiet: bool = False) -> DataTree:
    """Return draws that are no run, and print what there is to know of how their table was read."""
    from bayes.draws import fit_from

    fit = fit_from(source)
    if "read" in fit.attrs and not quiet:
        print(f"Draws: {fit.attrs['read']}.")
    return fit


def check_picture(path: Path) -> None:
    """Raise unless a picture can be written in the format that its ending names: before anything is computed."""
    from bayes.figures.saving import check_formats

    check_formats([path.suffix.removeprefix(".")])


def place_for(options: argparse.Namespace) -> Path:
    """Return the folder for what is made of draws that are no run: ``--out``, or ``runs/NAME`` of a file NAME.

    Raises
    ------
    UsageError
        If that is a run, whose files stay its own.
    """
    place: Path = options.place or Path("runs") / options.folder.resolve().stem
    if (place / "manifest.json").exists() or (place / "fit.nc").exists():
        raise UsageError("this folder is a run, whose files stay its own", file=place,
                         fix="choose another folder with --out")  # fmt: skip
    return place


def check_of_a_run(options: argparse.Namespace, *names: str) -> None:
    """Refuse options that only draws need, where a run is given: it has an answer and a place of its own.

    Raises
    ------
    UsageError
        Names the option.
    """
    for name in names:
        dest = {"--out": "place"}.get(name, name.removeprefix("--").replace("-", "_"))
        if getattr(options, dest) is not None:
            raise UsageError("this option is for a file of draws, and has no effect on a run", key=name,
                             found=str(getattr(options, dest)), fix="leave it away: a run has its own")  # fmt: skip


def source_argument(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    """``RUN``, or draws that are no run."""
    text = "a run folder, or anybody's draws: .nc, .zarr, .csv, a folder of CmdStan's files"
    parser.add_argument("folder", metavar="RUN", nargs=nargs, type=Path, help=text)


def place_argument(parser: argparse.ArgumentParser) -> None:
    """``--out``, of what is made of draws."""
    text = "of a file of draws: where to write (default: runs/NAME of a file NAME)"
    parser.add_argument("--out", dest="place", metavar="DIR", type=Path, help=text)


def study_argument(parser: argparse.ArgumentParser) -> None:
    """``STUDY``."""
    text = "a study folder (default: that of the question)"
    parser.add_argument("study", metavar="STUDY", nargs="?", type=Path, default=None, help=text)


def setting_arguments(parser: argparse.ArgumentParser) -> None:
    """``--set``."""
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append",
        help="change a setting (SETTING=20), a field of every scenario (FIELD=20) or of one (SCENARIO.FIELD=20), or "
        "data of the model (data.NAME=20, data.NAME.LABEL=20); repeatable",
    )  # fmt: skip


def sampling_arguments(parser: argparse.ArgumentParser) -> None:
    """``--out``, draws, seed, sampler, ``--prior``, ``--set`` and ``--changes``."""
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="run folder (default: runs/latest, or runs/NAME of a study named NAME)"
    )
    parser.add_argument("--draws", metavar="N", type=int, help="draws kept per chain (default: 1000)")
    parser.add_argument("--tune", metavar="N", type=int, help="warm-up draws per chain (default: 1000)")
    parser.add_argument("--chains", metavar="N", type=int, help="chains (default: 4)")
    parser.add_argument("--seed", metavar="N", type=int, help="seed (default: 20070222)")
    parser.add_argument("--sampler", choices=("numpyro", "nutpie", "pymc"), help="sampler (default: numpyro)")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the seconds each stage took")
    parser.add_argument("--prior", metavar="NAME=PRIOR", action="append",
                        help="another prior, as 'NAME=HalfNormal(0.2)'; repeatable")  # fmt: skip
    setting_arguments(parser)
    parser.add_argument(
        "--changes", metavar="FILE", type=Path, help="such changes in a TOML file, as a report's what-if downloads it"
    )
    parser.add_argument("--refit", action="store_true", help="sample again even if the same fit is on disk")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def json_argument(parser: argparse.ArgumentParser) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output, nothing else")


def quiet_argument(parser: argparse.ArgumentParser) -> None:
    """``--quiet``."""
    parser.add_argument("--quiet", action="store_true", help="no progress")


def scheduler_argument(parser: argparse.ArgumentParser) -> None:
    """``--scheduler``."""
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", default="",
        help="project on the workers of a Dask scheduler, as tcp://localhost:8786, which see the same files; the "
        "projection is then kept as Zarr (needs the extra 'scale')",
    )  # fmt: skip


def effort_arguments(parser: argparse.ArgumentParser) -> None:
    """Simulations, their chains, seed, who works, and what is printed, of commands that fit simulated data."""
    parser.add_argument("folder", metavar="RUN", type=Path, help="a run folder: the tables are written there")
    for name, number, text in (
        ("simulations", 100, "data sets to simulate and fit"), ("draws", 500, "draws kept of each of two chains"),
        ("tune", 500, "warm-up draws"), ("seed", 20070222, "seed"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", metavar="N", type=int, default=number, help=f"{text} (default: {number})")
    parser.add_argument("--jobs", metavar="N", type=int, help="processes (default: one for each processor)")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="also keep the table with the study, so that runs of the same model show it",
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", default="",
                        help="a Dask scheduler whose workers fit, as tcp://localhost:8786 (extra 'scale')")  # fmt: skip
    json_argument(parser)
    quiet_argument(parser)


def write_made(options: argparse.Namespace, asked: Asked, name: str, tables: Mapping[str, pd.DataFrame]) -> list[Path]:
    """Write tables made of a run beside its own, with ``--keep`` the one of a name on file too; return the files."""
    from bayes.filed import file_table
    from bayes.runfiles import note_made, write_tables

    files = write_tables(options.folder, tables)
    note_made(options.folder, files)
    return [*files, file_table(asked, name, tables[name], effort_text(options))] if options.keep else files


def effort_text(options: argparse.Namespace) -> str:
    """Write a command that fits simulated data as it was given, for the record of what it made."""
    told = [f"--{key} {getattr(options, key)}" for key in ("simulations", "draws", "tune", "seed")]
    told += ["--posterior"] if getattr(options, "posterior", False) else []
    return f"{question_of(options).program} {options.called} RUN {' '.join(told)}"


@contextmanager
def effort_of(options: argparse.Namespace) -> Iterator[Any]:
    """How simulated data are fitted, with a bar on standard error that estimates the time left.

    Work that is interrupted says that it goes on where it stopped.
    """
    for name, least in (("simulations", 20), ("draws", 100), ("tune", 100), ("jobs", 1)):
        if (found := getattr(options, name)) is not None and found < least:
            raise UsageError(f"--{name} is too small", key=f"--{name}", found=found, allowed=f"{least} or more")
    check_seed(options.seed, "--seed")
    from bayes.calibration import Effort
    from bayes.workers import cores

    effort = Effort(options.draws, options.tune, options.jobs or cores(), options.scheduler)
    with ExitStack() as stack:
        try:
            yield effort if options.quiet else replace(effort, advance=_bar(stack))
        except KeyboardInterrupt:
            stack.close()
            print("bayes: interrupted; what is finished is kept: run it again to go on", file=sys.stderr)
            raise


def _bar(stack: ExitStack) -> Callable[[int, int], None]:
    """A bar that appears when work has begun: its thread would keep processes from being copies of this one."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("simulated data sets fitted"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TextColumn("left:"), TimeRemainingColumn())  # fmt: skip
    shown = console(stderr=True)
    progress = Progress(*columns, console=shown, speed_estimate_period=1e4, disable=not shown.is_terminal)

    def advance(done: int, total: int) -> None:
        if not progress.task_ids:
            stack.enter_context(progress)
            progress.add_task("", total=total, completed=done)
        progress.update(progress.task_ids[0], completed=done)

    return advance


def check_sampling(options: argparse.Namespace, names: Sequence[str]) -> None:
    """Check the numbers before anything is read."""
    from bayes.runs import Options

    least = {"draws": 4, "tune": 1, "chains": 1}
    for name in names:
        value = getattr(options, name)
        if value < least[name]:
            raise UsageError(f"--{name} is too small", key=f"--{name}", found=value,
                             allowed=f"{least[name]} or more",
                             fix=f"leave it out for the default {getattr(Options(), name)}")  # fmt: skip
    check_seed(options.seed, "--seed")


def options_of(options: argparse.Namespace) -> Options:
    """Return how a run is computed: as given, as the run that these inputs are of, or by default."""
    from bayes.inputs import record_of
    from bayes.runs import Options

    record = record_of(question_of(options), options.study)
    known = {**Options().carried(), **(record.options if record else {})}
    for name, value in known.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    check_sampling(options, ("draws", "tune", "chains"))
    return Options(options.draws, options.tune, options.chains, options.seed, options.sampler,
                   getattr(options, "require", False), options.refit, getattr(options, "scheduler", ""))  # fmt: skip


def changes_of(options: argparse.Namespace) -> Overrides:
    """Return what the command line changes in a question."""
    from bayes.overrides import Overrides, parse_overrides, read_overrides

    filed = Overrides() if options.changes is None else read_overrides(options.changes)
    return filed.and_then(parse_overrides(options.prior or (), options.set or ()))


def posed_by(options: argparse.Namespace) -> Asked:
    """Return the question put to its study, with what the command line changes.

    A prior that had to be rounded, what is perhaps a mistake of the study, and data that are missing are told on
    standard error.
    """
    from bayes.inputs import posed
    from bayes.overrides import notes_on
    from bayes.study import study_notes

    changes = changes_of(options)
    case = posed(question_of(options), options.study, changes)
    if case.study is not None:
        print_notes([*notes_on(case.study, changes), *study_notes(case.study)])
    print_notes(case.notes())
    return case


def print_notes(notes: Sequence[str]) -> None:
    """Print what is perhaps a mistake of a study, a line each, on standard error."""
    for note in notes:
        print(f"bayes: note: {note}", file=sys.stderr)


def question_of(options: argparse.Namespace) -> Question:
    """Return the question that a command is about: the one a script holds, or the shipped one."""
    found: Question | None = options.question
    if found is None:
        from bayes.heroin.question import QUESTION

        found = QUESTION
    return found


def folder_of(study: Path | None) -> Path:
    """Return the study folder, the shipped one by default."""
    from bayes.heroin.study import shipped_study

    return shipped_study() if study is None else study


def declared_priors(study: Path | None) -> dict[str, Any]:
    """Return the declared priors of a study folder, without checking the study as a whole."""
    from bayes.heroin.study import SCHEMA
    from bayes.priors import read_priors
    from bayes.study import prior_files

    files = prior_files(folder := folder_of(study))
    if not files:
        raise StudyError(
            "there are no priors in this study folder", file=folder, fix="name a folder with a priors.toml"
        )
    return {name: prior for path in files for name, prior in read_priors(path, SCHEMA.units).items()}


def console(stderr: bool = False) -> Any:
    """Return a console, 100 columns wide where there is no terminal, that escapes what texts would do to it."""
    from rich.console import Console
    from rich.segment import Segment

    class Plain(Console):
        """A console that leaves it to the command line what follows when the reader has gone."""

        def on_broken_pipe(self) -> None:
            """Raise the error that is being handled again."""
            raise

        def render(self, renderable: Any, options: Any = None) -> Iterator[Segment]:
            """Render what is shown; only Rich's own segments steer the terminal."""
            for one in super().render(renderable, options):
                yield one if one.control else Segment(printable(one.text), one.style)

    stream = sys.stderr if stderr else sys.stdout
    file = stream.inner if isinstance(stream, Escaping) else stream
    plain = Plain(file=file)
    return plain if plain.is_terminal else Plain(file=file, width=100)


def stage_of(options: argparse.Namespace) -> Any:
    """Progress on standard error, or none."""
    if options.quiet:
        return lambda name: nullcontext()
    from bayes.runfiles import seconds_of
    from bayes.terminal import progress_stage

    before = seconds_of(getattr(options, "out", None))

    def stage(name: str) -> AbstractContextManager[object]:
        return progress_stage(console(stderr=True), name, before.get(name, 0.0))

    return stage


WORDS_NEED = 24
"""Letters of a line below which words stand under the name that they explain, and not beside it."""


def print_listing(rows: Iterable[tuple[str, str]]) -> None:
    """Print names with words beside them, as wide as the terminal (100 columns without one), in whole words."""
    import shutil
    import textwrap

    found, width = list(rows), shutil.get_terminal_size((100, 24)).columns
    start = max((len(name) for name, _ in found), default=0) + 2
    beside = width - start >= WORDS_NEED
    indent = " " * (start if beside else 4)
    for name, words in found:
        lines = textwrap.fill(words, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
        print(f"{name:{start}}{lines[start:]}" if beside else f"{name}\n{lines}")


def print_lines(text: object) -> None:
    """Print lines; in a terminal as wide as that, in whole words, where what goes on is indented."""
    import shutil
    import textwrap

    if not sys.stdout.isatty():
        print(text)
        return
    width = shutil.get_terminal_size().columns
    for line in str(text).splitlines():
        print(textwrap.fill(line, width, subsequent_indent=" " * 9, break_on_hyphens=False))


def counted(number: int, what: str) -> str:
    """Write a number of things.

    >>> counted(1, "figure"), counted(3, "file")
    ('1 figure', '3 files')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def check_study(options: argparse.Namespace) -> int:
    """Check a study folder, and say what it holds."""
    from bayes.heroin.country import numbers_of_country
    from bayes.heroin.study import load_study
    from bayes.study import study_notes

    study = load_study(options.study)
    print_notes(study_notes(study))
    if study.settings.country:
        told = "; ".join(f"{one.value} {one.words}" for one in numbers_of_country(study))
        print(f"{study.settings.country}: {told}")
    rows = sum(len(r) for r in study.evidence.values())
    used = sum(len(study.rows(name)) for name in study.evidence)
    print(
        f"{study.folder}: {len(study.priors)} priors, {rows} rows of evidence ({used} in the likelihood), "
        f"{len(study.references)} references, {len(study.scenarios)} scenarios: all checks passed"
    )
    return 0
