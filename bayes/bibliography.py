"""References in and out: entries of BibTeX files, with their keys and all their fields."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from bayes.errors import PriorError, StudyError, UsageError, closest
from bayes.files import read_text, write_text
from bayes.references import bibtex_entries, read_references
from bayes.study import Study, citations

__all__ = ["add_references", "cited", "entries_of", "write_references"]

_FIRST = ("author", "title", "journal", "year", "volume", "number", "pages")


def entries_of(path: Path) -> dict[str, dict[str, str]]:
    """Return the entries of a BibTeX file by key, with all their fields; abbreviations are written out.

    Raises
    ------
    StudyError
        If an entry cannot be read, as :func:`bayes.references.read_references`.
    """
    read_references(path)
    return {entry["ID"]: entry for entry in bibtex_entries(read_text(path), path)}


def _as_bibtex(entries: Iterable[Mapping[str, str]]) -> str:
    from bibtexparser.bibdatabase import BibDatabase
    from bibtexparser.bwriter import BibTexWriter

    database, writer = BibDatabase(), BibTexWriter()
    database.entries = [dict(entry) for entry in entries]
    writer.indent, writer.order_entries_by, writer.display_order = "  ", None, _FIRST
    return str(writer.write(database)).rstrip() + "\n"


def add_references(source: Path, target: Path) -> tuple[list[str], list[str]]:
    """Add the entries of a BibTeX file to ``references.bib``, whole or not at all.

    Parameters
    ----------
    source
        A BibTeX file.
    target
        The ``references.bib`` of a study; made if it does not exist.

    Returns
    -------
    added, known
        Keys that were added, and keys that stood there already with the same fields.

    Raises
    ------
    StudyError
        If an entry cannot be read, or its key belongs to another publication in the target.
    """
    new, old = entries_of(source), entries_of(target) if target.is_file() else {}
    for key in new.keys() & old.keys():
        if new[key] != old[key]:
            raise StudyError("this key stands for another entry", file=target, key=key, found=_as_bibtex([new[key]]),
                             allowed=_as_bibtex([old[key]]), fix="rename one, or make their fields equal")  # fmt: skip
    added = [key for key in new if key not in old]
    if added:
        before = [read_text(target).rstrip()] if target.is_file() else []
        write_text(target, "\n\n".join([*before, _as_bibtex(new[key] for key in added)]))
    return added, [key for key in new if key in old]


def write_references(source: Path, target: Path, keys: Collection[str] | None = None) -> list[str]:
    """Write entries of a BibTeX file, all or some, to another with all their fields, and return their keys.

    Raises
    ------
    UsageError
        If a key is unknown, or the target is the source.
    """
    entries = entries_of(source)
    for key in keys or ():
        if key not in entries:
            raise UsageError("there is no such reference", file=source, key=key, fix=closest(key, entries))
    if target.resolve() == source.resolve():
        raise UsageError("the references would replace themselves", file=target, fix="name another file")
    chosen = [key for key in entries if keys is None or key in keys]
    write_text(target, _as_bibtex(entries[key] for key in chosen))
    return chosen


def cited(study: Study) -> Mapping[str, tuple[str, ...]]:
    """Return the places at which each reference of a study is cited, in the order of ``references.bib``."""
    places: dict[str, list[str]] = {key: [] for key in study.references}
    for key, error, _, table, _ in citations(study):
        if key:
            places[key].append(table.partition(".")[0] if error is PriorError else table)
    return {key: tuple(dict.fromkeys(found)) for key, found in places.items()}
