"""What helps to read a report: the words that it uses, and its sources in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bayes.report.chapters.common import table
from bayes.report.contract import Cell, Claim, Content, Prose, Section, Table, TableBlock
from bayes.report.glossary import KEY, Term, forms, of_method
from bayes.report.material import Material
from bayes.report.prose import safe_address
from bayes.words import capital

__all__ = ["chapter", "terms_of"]


def terms_of(material: Material) -> tuple[Term, ...]:
    """Return the words of method and those that the question explains: its sentences ``glossary.WORD``."""
    own = {
        place.removeprefix("glossary."): text
        for place, text in material.words.sentences.items()
        if place.startswith("glossary.")
    }
    return forms({**of_method(), **own})


def chapter(material: Material, terms: Sequence[Term], tables: Iterable[Table]) -> Content:
    """Return the glossary of terms that are used, and the sources of the study with the tables that name them."""
    rows = [[Cell(capital(term.forms[0])), Cell(term.meaning)] for term in terms]
    sections = [Section(KEY, "Words", 3, (TableBlock(KEY),))] if rows else []
    made = [table(KEY, "What words mean here", ("Word", "Meaning"), rows)] if rows else []
    references = {} if material.study is None else material.study.references
    if references:
        sections.append(Section("references", "Sources", 3, (Prose(_SOURCES), TableBlock("references"))))
        made.append(_references(material, tuple(tables)))
    return Content(tuple(sections), (Claim("references.count", f"{len(references):,}"),), tuple(made))


_SOURCES = "{references.count} sources stand behind the figures on file, each with the tables that name it."


def _references(material: Material, tables: Sequence[Table]) -> Table:
    """Every source in full, with where it can be read and which tables name it."""
    assert material.study is not None
    rows = []
    for one in sorted(material.study.references.values(), key=lambda one: one.short.lower()):
        named = tuple(t.key for t in tables if any(c.text.startswith(one.short) for row in t.rows for c in row))
        people = one.author.replace(" and ", "; ") if "," in one.author else one.author  # an institution has no comma
        full = ". ".join(part.rstrip(".") for part in (people, one.title, one.year) if part)
        rows.append(
            [Cell(one.short, href=safe_address(one.url)), Cell(f"{full}."), Cell("" if named else "–", refs=named)]
        )
    return table("references", "Sources in full", ("Short", "Source", "Named in"), rows)
