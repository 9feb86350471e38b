"""``evidence``: rows listed, checked and imported, and the references they cite."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bayes.cli.shared import check_study, command, counted, folder_of, print_listing, study_argument
from bayes.errors import UsageError

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add ``evidence`` and its verbs."""
    verbs = command(
        commands, "evidence", None, "list, check and import rows of evidence", "bayes evidence list"
    ).add_subparsers(metavar="VERB", required=True)
    study_argument(command(verbs, "list", _list, "list all rows and how they are used", "bayes evidence list"))
    study_argument(command(verbs, "check", check_study, "check a study folder", "bayes evidence check my-study"))
    found = command(verbs, "import", _import, "add rows of a CSV file or Excel sheet to a table of evidence",
                    "bayes evidence import trials.xlsx --map 'row=Trial,study=Trial,y=logRR,se=SE' "
                    "--give source=smith2020 --to study/evidence/trials.csv")  # fmt: skip
    found.add_argument("file", metavar="FILE", type=Path, help="a table with a header: CSV or .xlsx")
    found.add_argument("--to", metavar="TABLE.csv", type=Path, required=True, help="a table in evidence/ of a study")
    found.add_argument("--sheet", metavar="NAME", help="sheet of a workbook (default: its first)")
    found.add_argument("--map", metavar="NAME=COLUMN,…", action="append", default=[],
                       help="column of the table = column of the sheet; columns of one name need none")  # fmt: skip
    found.add_argument("--give", metavar="NAME=TEXT", action="append", default=[],
                       help="column of the table = one text for every row; repeatable")  # fmt: skip
    refs = command(verbs, "references", _references, "list the references of a study, or carry them in and out",
                   "bayes evidence references my-study --add library.bib")  # fmt: skip
    refs.add_argument(
        "study", metavar="STUDY", nargs="?", type=Path, help="a study folder (default: the shipped study)"
    )
    refs.add_argument("--add", metavar="FILE.bib", type=Path, help="add the entries of a BibTeX file to the study's")
    refs.add_argument("--to", metavar="FILE.bib", type=Path, help="write the study's entries to another file")
    refs.add_argument("--cited", action="store_true", help="only those that a prior, row or setting cites")


def _list(options: argparse.Namespace) -> int:
    from bayes.evidence import read_evidence
    from bayes.heroin.study import SCHEMA

    for table, rows in read_evidence(folder_of(options.study) / "evidence", SCHEMA.tables).items():
        print(f"\n{table}")
        print_listing(map(_told, rows))
    return 0


def _told(row: Any) -> tuple[str, str]:
    """A row of evidence and what it is: its data, how it is used and was read, and why."""
    data = f"{row.data_set}; " if row.data_set else ""
    return row.row, f"{data}{row.use}, {row.status}: {row.why}"


def _import(options: argparse.Namespace) -> int:
    from bayes.heroin.study import SCHEMA
    from bayes.importing import import_rows, pairs_of, taken_note

    columns, given = pairs_of(options.map, "--map"), pairs_of(options.give, "--give")
    added = import_rows(options.file, options.to, columns, given, sheet=options.sheet, schema=SCHEMA)
    print_listing(map(_told, added))
    print(f"{counted(len(added), 'row')} added to {options.to}: all checks passed")
    note = taken_note(options.file, SCHEMA.tables[options.to.stem], columns, given, options.sheet)
    if note:
        print(f"note: {note}")
    return 0


def _references(options: argparse.Namespace) -> int:
    from bayes.bibliography import add_references, cited, write_references
    from bayes.heroin.study import load_study

    file = folder_of(options.study) / "references.bib"
    if options.add is not None:
        if options.study is None:
            raise UsageError("references are added to a study of your own", key="STUDY", allowed="a study folder",
                             fix="make one with 'bayes init DIR', and name it")  # fmt: skip
        added, known = add_references(options.add, file)
        print(
            f"{counted(len(added), 'reference')} added to {file}, {len(known)} known: {', '.join(added)}".removesuffix(
                ": "
            )
        )
        return 0
    study = load_study(options.study)
    places = cited(study)
    keys = [key for key, found in places.items() if found or not options.cited]
    if options.to is not None:
        print(f"{counted(len(write_references(file, options.to, keys)), 'reference')} written to {options.to}")
        return 0
    told = ((key, study.references[key], ", ".join(places[key]) or "nothing") for key in keys)
    print_listing((key, f"{one.short} ({one.kind}): cited by {by}") for key, one, by in told)
    return 0
