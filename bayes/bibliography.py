"""References in and out: entries of BibTeX files, moved as they are written, with their keys and all their fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path

from bayes.errors import StudyError, UsageError, closest
from bayes.files import read_text, write_text
from bayes.study import Study, read_references

__all__ = ["add_references", "cited", "entries_of", "write_references"]

_HEAD = re.compile(r"@(\w+)\s*\{\s*([^,\s}]*)")


def entries_of(text: str, path: Path) -> dict[str, str]:
    """Return the entries of a BibTeX text as they are written, by key.

    Raises
    ------
    StudyError
        If a brace is left open, or the file defines abbreviations, which would be lost when entries are moved.

    Examples
    --------
    >>> entries_of("@misc{a, title = {A {B}}}\\n\\n@misc{b, title = {C}}", Path("x.bib"))
    {'a': '@misc{a, title = {A {B}}}', 'b': '@misc{b, title = {C}}'}
    """
    found: dict[str, str] = {}
    at = 0
    while match := _HEAD.search(text, at):
        end = _closing(text, match.start(), path, match[2])
        word = match[1].lower()
        if word in ("string", "preamble"):
            raise StudyError("abbreviations are not carried over", file=path, key=f"@{word}",
                             fix="write them out in the entries that use them")  # fmt: skip
        if word != "comment":
            found[match[2]] = text[match.start() : end]
        at = end
    return found


def _closing(text: str, start: int, path: Path, key: str) -> int:
    depth = 0
    for i in range(text.index("{", start), len(text)):
        if text[i] in "{}" and text[i - 1] != "\\":
            depth += 1 if text[i] == "{" else -1
            if depth == 0:
                return i + 1
    raise StudyError("this entry is not closed", file=path, key=key, fix="check its braces")


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
    read_references(source)
    new = entries_of(read_text(source), source)
    before = read_text(target) if target.is_file() else ""
    old = entries_of(before, target)
    for key in new.keys() & old.keys():
        if _same(new[key]) != _same(old[key]):
            raise StudyError("this key stands for another entry", file=target, key=key, found=_same(new[key]),
                             allowed=_same(old[key]), fix="rename one, or make their fields equal")  # fmt: skip
    added = [key for key in new if key not in old]
    if added:
        write_text(target, "\n\n".join([*filter(None, [before.rstrip()]), *(new[key] for key in added)]) + "\n")
    return added, [key for key in new if key in old]


def write_references(source: Path, target: Path, keys: Collection[str] | None = None) -> list[str]:
    """Write entries of a BibTeX file, all or some, to another as they are written, and return their keys.

    Raises
    ------
    UsageError
        If a key is unknown, or the target is the source.
    """
    entries = entries_of(read_text(source), source)
    for key in keys or ():
        if key not in entries:
            raise UsageError("there is no such reference", file=source, key=key, fix=closest(key, entries))
    if target.resolve() == source.resolve():
        raise UsageError("the references would replace themselves", file=target, fix="name another file")
    chosen = [key for key in entries if keys is None or key in keys]
    write_text(target, "\n\n".join(entries[key] for key in chosen) + "\n")
    return chosen


def cited(study: Study) -> Mapping[str, tuple[str, ...]]:
    """Return the places at which each reference of a study is cited, in the order of ``references.bib``."""
    places: dict[str, list[str]] = {key: [] for key in study.references}
    for prior in study.priors.values():
        for one in (prior, *prior.alternatives.values()):
            places[one.source.key].append(prior.name)
    for rows in study.evidence.values():
        for row in rows:
            places[row.source].append(row.row)
    for field in fields(study.settings):
        if field.name.endswith("_source") and (key := getattr(study.settings, field.name)):
            places[key].append("settings")
    return {key: tuple(dict.fromkeys(found)) for key, found in places.items()}


def _same(entry: str) -> str:
    """An entry without regard to spacing and a last comma."""
    return re.sub(r",}$", "}", re.sub(r"\s+", "", entry))
