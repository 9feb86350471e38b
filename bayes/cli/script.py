"""``python question.py COMMAND``: a question of one's own through run, check, sensitivity, figures, report, calibrate.

A run of such a question is a folder with its fit, its projection, tables, and under ``inputs/`` its script and study.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.arguments import checked
from bayes.errors import check_word
from bayes.question import Question, built

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    from xarray import DataArray, Dataset, DataTree

    from bayes.study import Study

__all__ = ["asked_here", "main", "report_own"]


@checked
def main(question: Question, arguments: Sequence[str] | None = None) -> int:
    """Run one command of a question and return its exit code: 0 done, 1 a check failed, 2 bad input or usage, 3 the
    machine failed.

    Parameters
    ----------
    question
        The question.
    arguments
        As on the command line; those of the process by default, which then ends with the exit code.

    Examples
    --------
    >>> import bayes, pymc as pm
    >>> def build():
    ...     with pm.Model() as model:
    ...         rate = pm.Gamma("rate", 2, 1)
    ...         pm.Poisson("count", rate, observed=[3], dims=None)
    ...         pm.Deterministic("cases", 10 * rate)
    ...     return model
    >>> question = bayes.Question(model=build, target="cases", units={"cases": "cases/year"})
    >>> bayes.main(question, ["run", "--out", "counted", "--quiet"])
    Verdict of the diagnostics: passed
    ...
    0
    """
    from bayes.cli.entry import main as command

    try:
        code = command(arguments, question)
    except SystemExit as end:  # help was asked for, or this is no command
        if arguments is None:
            raise
        return int(end.code or 0)
    if arguments is None:
        sys.exit(code)
    return code


def asked_here(options: argparse.Namespace) -> Question:
    """Return the question with the study that a run carries, and with the data of its model as they were changed."""
    from bayes.inputs import asked_of
    from bayes.overrides import change_data

    case = asked_of(options.folder, options.question)

    @wraps(case.question.model)
    def build(*given: Any) -> pm.Model:
        model = case.question.model(*given)
        change_data(model, case.changes)
        return model

    return replace(case.question, model=build, study=case.study)


# --- what a question is made of ----------------------------------------------------------------


def _study(question: Question) -> Study | None:
    """The study of a question."""
    return question.study  # type: ignore[no-any-return]


def _words(question: Question, study: Study | None) -> Any:
    """The words of a question, with the labels and units of its study."""
    from bayes.words import study_words

    return study_words(question.words, study)


def _read(folder: Path) -> tuple[DataTree, Dataset]:
    """The fit and the projection of a run."""
    from bayes.runfiles import read_fit, read_futures

    return read_fit(folder), read_futures(folder)


def _answer(question: Question, futures: Dataset) -> DataArray:
    """The target in the headline scenario, at the last time."""
    names = [str(one) for one in futures["scenario"].values]
    name = question.headline or names[0]
    check_word(name, names, "there is no such scenario", key="headline")
    return futures[question.target].sel(scenario=name).isel(year=-1)


# --- commands ----------------------------------------------------------------------------------


def _sensitivity_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The finished tables of sensitivity of a run, by name."""
    import pandas as pd

    paths = [*sorted((folder / "tables" / "sensitivity").glob("*.csv")), folder / "tables" / "calibration.csv"]
    return {path.stem: pd.read_csv(path) for path in paths if path.is_file()}


def report_own(question: Question, options: argparse.Namespace) -> int:
    """Write the report of a question."""
    from bayes.cli.shared import stage_of
    from bayes.diagnostics import check
    from bayes.report import write_report
    from bayes.report.material import Cover
    from bayes.report.write import check_report_formats

    formats = [word.strip() for word in options.format.split(",") if word.strip()]
    check_report_formats(formats)
    fit, futures = _read(options.folder)
    study, words = _study(question), _words(question, _study(question))
    live = _live(question, study, fit, futures)
    cover = Cover(live=live, labels=words.labels, units={name: unit for name, unit in words.units.items()
                                              if name in fit["posterior"].data_vars},
                  command=f"python {question.script.name}" if question.script else "")  # fmt: skip
    tables = _sensitivity_tables(options.folder)
    for table in tables.values():
        for column in {"input", "component", "change"} & set(table):
            table[column] = table[column].map(words.label, na_action="ignore")
    written = []
    for one in formats:
        with stage_of(options)(f"writing {one}"):
            written.append(write_report(options.folder / f"report.{one}", fit, futures, study=study,
                                        target=question.target, sensitivity=tables, cover=cover))  # fmt: skip
    passed = check(fit, futures).passed
    print(f"Diagnostics: {'passed' if passed else 'failed'}. Report: {', '.join(map(str, written))}")
    return 0 if passed else 1


def _live(question: Question, study: Study | None, fit: DataTree, futures: Dataset) -> Any:
    """What the live what-if of the report is made from, or why there is none."""
    from bayes.report.whatif import live_of

    if question.project is not None:
        return "the outcomes of this question are computed by a function, which a page cannot play"
    live = live_of(question, _words(question, study), built(question, study), fit, study)
    return replace(live, futures=futures)
