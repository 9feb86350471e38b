"""Templates to runs of text: every number a token of the results, every reference a link."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bayes.errors import UsageError, closest
from bayes.report.contract import Block, FigureBlock, Missing, Report, TableBlock
from bayes.report.glossary import KEY, first_uses
from bayes.words import capital

__all__ = ["Index", "Run", "anchor", "index_of", "plain", "runs", "safe_address", "templates"]

_TOKEN = re.compile(r"\{(@?)([^{}]+)\}|(\*\*)")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text: ``kind`` is ``text``, ``claim``, ``ref`` or ``term``.

    ``name`` is that of the claim, ``target`` that of the link, ``title`` what more is told of it.
    """

    kind: str
    text: str
    strong: bool = False
    name: str = ""
    target: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """Numbers of sections, tables and figures by key, and the section where a missing figure would stand.

    ``terms`` holds by template the words that are linked to the glossary, with their meaning.
    """

    sections: Mapping[str, str]
    tables: Mapping[str, int]
    figures: Mapping[str, int]
    absent: Mapping[str, str]
    terms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def words(self, key: str) -> str:
        """Return how text refers to a section, table or figure.

        Raises
        ------
        UsageError
            If there is none with this key.
        """
        if key in self.sections:
            return f"section {self.sections[key]}"
        if key in self.tables:
            return f"table {self.tables[key]}"
        if key in self.figures:
            return f"figure {self.figures[key]}"
        if key in self.absent:
            return f"a figure that section {self.sections[self.absent[key]]} lacks"
        known = [*self.sections, *self.tables, *self.figures]
        raise UsageError("text refers to what the report lacks", key=key, fix=closest(key, known))

    def anchor(self, key: str) -> str:
        """Return the anchor of a section, table or figure."""
        key = self.absent.get(key, key)
        return anchor("s" if key in self.sections else "t" if key in self.tables else "f", key)


def anchor(kind: str, key: str) -> str:
    """Return the anchor of a section (s), table (t) or figure (f).

    >>> anchor("s", "all_priors")
    's-all-priors'
    """
    return f"{kind}-{re.sub(r'[^a-z0-9]+', '-', key.lower())}"


def index_of(report: Report) -> Index:
    """Number sections within their part, tables and figures in the order in which they appear."""
    numbers, first, second, part = {}, 0, 0, 0
    tables: dict[str, int] = {}
    figures: dict[str, int] = {}
    absent: dict[str, str] = {}
    for section in report.sections:
        if section.depth != part:
            part, first, second = section.depth, 0, 0
        first, second = (first + 1, 0) if section.level == 1 else (first, second + 1)
        head = {1: "S", 2: "", 3: "A"}[part] + str(first)
        numbers[section.key] = head if section.level == 1 else f"{head}.{second}"
        for block in section.blocks:
            if isinstance(block, TableBlock):
                tables.setdefault(block.key, len(tables) + 1)
            elif isinstance(block, FigureBlock):
                for key in block.keys:
                    figures.setdefault(key, len(figures) + 1)
            elif isinstance(block, Missing):
                absent |= dict.fromkeys(block.keys, section.key)
    texts = (text for section in report.sections for block in section.blocks for text in _of_block(block, report))
    terms = first_uses(report.terms, texts) if KEY in tables else {}
    return Index(numbers, tables, figures, absent, terms)


def runs(template: str, report: Report, index: Index) -> tuple[Run, ...]:
    """Resolve a template.

    Raises
    ------
    UsageError
        If it names a claim or a reference that does not exist.
    """
    return tuple(_runs(template, report, index))


def _runs(template: str, report: Report, index: Index) -> Iterator[Run]:
    at, strong, terms = 0, False, dict(index.terms.get(template, {}))
    for token in _TOKEN.finditer(template):
        yield from _linked(template[at : token.start()], strong, terms)
        at = token.end()
        reference, name, stars = token.groups()
        if stars:
            strong = not strong
        elif reference:
            words = index.words(name)
            first = template[: token.start()].rstrip(" *")
            words = capital(words) if not first or first[-1] in ".!?" else words
            yield Run("ref", words, strong, name, f"#{index.anchor(name)}")
        else:
            yield _claimed(name, report, strong)
    yield from _linked(template[at:], strong, terms)


def _linked(text: str, strong: bool, terms: dict[str, str]) -> Iterator[Run]:
    """Text, with the first of each of some words linked to the glossary; those found are taken out."""
    while text:
        found = ((seen, word) for word in terms if (seen := re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)))
        seen, word = min(found, key=lambda one: one[0].start(), default=(None, ""))
        if seen is None:
            yield Run("text", text, strong)
            return
        if seen.start():
            yield Run("text", text[: seen.start()], strong)
        yield Run("term", word, strong, word, f"#{anchor('t', KEY)}", terms.pop(word))
        text = text[seen.end() :]


def _claimed(name: str, report: Report, strong: bool) -> Run:
    if name not in report.claims:
        raise UsageError("text names a claim that the results lack", key=name, fix=closest(name, report.claims))
    claim = report.claims[name]
    title = "; ".join(part for part in (claim.unit, claim.source) if part)
    return Run("claim", claim.text, strong, name, safe_address(claim.href), title)


def plain(template: str, report: Report, index: Index) -> str:
    """Resolve a template to text without marks."""
    return "".join(run.text for run in runs(template, report, index))


def safe_address(text: str) -> str:
    """Return a web address, or nothing if the text is not one of the web.

    >>> safe_address("https://example.org/a"), safe_address("javascript:alert(1)")
    ('https://example.org/a', '')
    """
    return text if re.fullmatch(r"https?://[^\s<>\"']+", text) else ""


def _of_block(block: Block, report: Report | None = None) -> Iterator[str]:
    """Templates of a block; of a table, where the report is given, its caption and note."""
    plain = () if report is None else ("what",)  # printed as it is, without links
    yield from (
        getattr(block, name) for name in ("text", "title", "what") if hasattr(block, name) and name not in plain
    )
    yield from getattr(block, "items", ())
    yield from (text for line in getattr(block, "lines", ()) for text in line)
    if report is not None and isinstance(block, TableBlock):
        yield from (report.tables[block.key].caption, report.tables[block.key].note)


def templates(report: Report) -> Iterator[str]:
    """Yield every template of a report, in no particular order."""
    yield report.subtitle
    for section in report.sections:
        yield section.title
        for block in section.blocks:
            yield from _of_block(block)
    for table in report.tables.values():
        yield from (table.caption, table.note, *(column.heading for column in table.columns))
