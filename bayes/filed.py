"""Long computations on file with a study: made once by a command, shown by every run of the same model and data.

``bayes calibrate`` and ``bayes stress`` take minutes that few readers have. With ``--keep`` their tables are written to
the folder ``checks`` of the question's study, each with a record of what it is about and how it was made. A run gets
the tables whose record has the content of its own model, priors and evidence, and no other; each row says who computed
them.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes import __version__, cache
from bayes.errors import StudyError, UsageError
from bayes.files import csv_text, make_folder, read_table, read_text, write_text
from bayes.plans import Asked
from bayes.provenance import canonical, digest, file_digest
from bayes.question import Question

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FILED", "RECORDS", "STRESS", "Record", "check_fileable", "file_table", "filed", "graph_of", "records_of"]

FILED, RECORDS = "checks", "made.json"
"""Folder of a study that holds them, and the file of their records."""
STRESS = "stress"
"""The table that depends on the scenarios too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a table on file is about, and how it was made.

    Parameters
    ----------
    graph
        Content hash of the structure of the model; no number of it.
    data
        Content hash of its data, priors and evidence, and of a stress of the scenarios.
    content
        SHA-256 of the file.
    version, date, command
        With which version it was computed, when, and by what.
    """

    graph: str
    data: str
    content: str
    version: str
    date: str
    command: str

    def __str__(self) -> str:
        return f"version {self.version} on {self.date}, by {self.command}"


def check_fileable(asked: Asked) -> Path:
    """Return the folder where tables of a question are filed; commands ask before they compute.

    Raises
    ------
    UsageError
        If the question has no folder of a study, or its model cannot be told from others.
    """
    folder = _folder(asked.question)
    if folder is None or graph_of(asked) is None:
        raise UsageError("nothing can be kept with this question", key="--keep", found=asked.question.called,
                         allowed="a question with a study folder, whose model PyMC can describe",
                         fix="leave out --keep: the table stands in the run")  # fmt: skip
    return folder


def file_table(asked: Asked, name: str, table: pd.DataFrame, command: str) -> Path:
    """Write a table to the folder of the question's study, with its record, and return its file.

    Raises
    ------
    UsageError
        If it cannot be filed (:func:`check_fileable`).
    """
    folder = check_fileable(asked)
    path = folder / f"{name}.csv"
    make_folder(folder)
    write_text(path, csv_text(table))
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    record = Record(graph=str(graph_of(asked)), data=_data(asked, name), content=file_digest(path), version=__version__,
                    date=today, command=command)  # fmt: skip
    known = {other: asdict(one) for other, one in records_of(asked.question).items()} | {name: asdict(record)}
    write_text(folder / RECORDS, json.dumps(known, indent=1, sort_keys=True) + "\n")
    return path


def records_of(question: Question) -> dict[str, Record]:
    """Return the records of a question's study by name of the table; none where nothing is on file.

    Raises
    ------
    StudyError
        If the file is no such record.
    """
    folder = _folder(question)
    path = None if folder is None else folder / RECORDS
    if path is None or not path.is_file():
        return {}
    try:
        return {str(name): Record(**found) for name, found in json.loads(read_text(path)).items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise StudyError("these are no records of tables on file", file=path, found=str(error),
                         fix="remove the file, and compute the tables again with --keep") from None  # fmt: skip


def filed(asked: Asked) -> dict[str, pd.DataFrame]:
    """Return the tables on file that are about this very model, priors and evidence, by name.

    Each row says in ``computed_by`` with which version, when and by which command. A table that is not as it was
    written is left out.
    """
    found, folder = {}, _folder(asked.question)
    for name, record in records_of(asked.question).items():
        assert folder is not None
        path = folder / f"{name}.csv"
        if record.data != _data(asked, name) or not path.is_file() or file_digest(path) != record.content:
            continue
        if record.graph == graph_of(asked):  # the model is built only if this code has never built it
            found[name] = read_table(path).assign(computed_by=str(record))
    return found


def _folder(question: Question) -> Path | None:
    """Where tables of a question are on file: beside the numbers of its own study."""
    if not isinstance(question.study, str | Path):
        return None
    home = Path(question.study)
    return (home if question.script is None else question.script.parent / home) / FILED


def _data(asked: Asked, name: str) -> str:
    """The content hash of the numbers of a model, and for a stress of its scenarios."""
    arrays: Mapping[str, Any] = asked.plan().data
    told: list[object] = [[key, list(np.shape(value)), digest(np.ascontiguousarray(value).tobytes())]
                          for key, value in sorted(arrays.items())]  # fmt: skip
    if name == STRESS:
        told += [asked.question.target, *([] if asked.study is None else
                                          [repr(dict(asked.study.scenarios)), repr(asked.study.settings)])]  # fmt: skip
        told += [[one.name, one.label] for one in asked.question.own_distortions(asked.study)]
    return digest(canonical(told))


def graph_of(asked: Asked) -> str | None:
    """Return the content hash of the structure of a question's model; None where it cannot be told."""
    key = asked.plan().key
    if key is None:
        return None
    entry = cache.key_of("graph", key)
    known = cache.kept("graphs", entry)
    if known is not None:
        return known.decode()
    from bayes.sampling.identity import graph_hash

    found = graph_hash(asked.sampled)
    if found is not None:
        cache.keep("graphs", entry, found.encode())
    return found
