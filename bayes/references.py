"""References: a BibTeX file as records by key."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from bayes.errors import CONTROL, StudyError, closest
from bayes.files import read_text
from bayes.provenance import KINDS, Reference

__all__ = ["bibtex_entries", "read_references"]

_ENTRY = re.compile(r"^[ \t]*@(?!comment|string|preamble)\w+\s*[{(]\s*([^,\s}]*)", re.MULTILINE | re.IGNORECASE)
_FIELDS = ("title", "author", "year", "url", "kind")


def read_references(path: Path) -> dict[str, Reference]:
    """Read a BibTeX file into references by key.

    Raises
    ------
    StudyError
        If the file is missing, an entry cannot be read, stands twice, has no title or an unknown ``kind``.
    """
    text = read_text(path)
    control = CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise StudyError("this file has a control character", file=path, table=f"line {line}", found=control[0],
                         allowed="text that can be printed", fix="remove it")  # fmt: skip
    entries = {entry["ID"]: entry for entry in bibtex_entries(text, path)}
    keys = _ENTRY.findall(text)
    for key in keys:
        if keys.count(key) > 1:
            raise StudyError("this reference stands twice", file=path, key=key, found=f"{keys.count(key)} entries",
                             allowed="one", fix="rename or remove one")  # fmt: skip
        if not entries.get(key, {}).get("title"):
            raise StudyError("this entry of the BibTeX file cannot be read", file=path, key=key,
                             found="no title" if key in entries else "no complete entry",
                             allowed="@article{key, title = {…}, author = {…}, year = {…}, url = {…}}",
                             fix="check its braces and commas")  # fmt: skip
    found = {key: Reference(key, *(_unbraced(entries[key].get(name, "")) for name in _FIELDS)) for key in keys}
    for one in found.values():
        if one.kind and one.kind not in KINDS:
            fix = closest(one.kind, KINDS) or "choose one, or leave the field out"
            raise StudyError("this kind of source is not known", file=path, table=one.key, key="kind", found=one.kind,
                             allowed=KINDS, fix=fix)  # fmt: skip
    return found


_JOINED = re.compile(r'=\s*(?:\w+|"[^"{}]*")(?:\s*#\s*(?:\w+|"[^"{}]*"))+')
_PIECE = re.compile(r'"[^"]*"|\b\d+\b')


def _quoted(piece: re.Match[str]) -> str:
    """A number among pieces that are joined, as the parser takes it: 10 # "~" # jan."""
    return f'"{piece[0]}"' if piece[0].isdecimal() else piece[0]


def bibtex_entries(text: str, path: Path | None = None) -> list[dict[str, str]]:
    """Return the entries of a BibTeX text, each with all its fields, ``ID`` and ``ENTRYTYPE``; faulty ones are absent.

    >>> bibtex_entries("@misc{a, title = {A {B}}}")
    [{'title': 'A {B}', 'ENTRYTYPE': 'misc', 'ID': 'a'}]
    """
    return [dict(entry) for entry in _parsed(text, path)]


@lru_cache(maxsize=4)
def _parsed(text: str, path: Path | None) -> list[dict[str, str]]:
    """The entries of a text, which takes a second for a hundred: a study is read more than once."""
    import logging

    import bibtexparser
    from bibtexparser.bibdatabase import UndefinedString
    from bibtexparser.bparser import BibTexParser

    text = _JOINED.sub(lambda joined: _PIECE.sub(_quoted, joined[0]), text)
    log = logging.getLogger("bibtexparser")
    before = log.level
    log.setLevel(logging.CRITICAL)  # what it would warn of is an error here, with file and key
    try:
        parser = BibTexParser(ignore_nonstandard_types=False, common_strings=True)
        parser.bib_database.load_common_strings()
        parser.bib_database.strings["sept"] = "September"
        return list(bibtexparser.loads(text, parser).entries)
    except UndefinedString as error:
        raise StudyError("this abbreviation of a BibTeX file is not defined", file=path, key=str(error.args[0]),
                         found=str(error.args[0]), allowed="@string{name = {…}}, or text in braces",
                         fix="define it, or put braces around it") from None  # fmt: skip
    except RecursionError:
        raise StudyError("this BibTeX file is nested without end", file=path, allowed="braces that close",
                         fix="close every brace and quote") from None  # fmt: skip
    finally:
        log.setLevel(before)


def _unbraced(text: str) -> str:
    """Drop the braces that only protect capitals in BibTeX."""
    return " ".join(text.replace("{", "").replace("}", "").split())
