"""From material to a finished report: chapters, figures, checklists, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from types import MappingProxyType

from bayes.errors import UsageError
from bayes.report.chapters import CHAPTERS, answer, checklist, reading
from bayes.report.chapters.common import written
from bayes.report.contract import Claim, Content, FigureBlock, Missing, Report, Section
from bayes.report.glossary import used
from bayes.report.material import Material
from bayes.report.pictures import Pictures
from bayes.report.prose import templates

__all__ = ["build_report", "wanted_figures"]


def build_report(material: Material, pictures: Pictures) -> Report:
    """Build the report of a run or a fit.

    Parameters
    ----------
    material
        What there is; nothing of it is changed.
    pictures
        Draws the figures.

    Raises
    ------
    UsageError
        If two chapters claim the same name.
    """
    body = [written(one, material) for one in CHAPTERS]
    first = answer.chapter(material, (), ())
    everything = [first, *body]
    sections, tables = _all(everything, "sections"), _all(everything, "tables")
    supplied = checklist.supplied(sections, tables, _all(everything, "claims"), material)
    items = checklist.judged(supplied, study=material.study is not None)
    gaps = [(s, b) for s in sections for b in s.blocks if isinstance(b, Missing)]
    first = answer.chapter(material, items, gaps)
    places = {*(s.key for s in sections), *(t.key for t in tables), *wanted_figures(everything)}
    lists = checklist.chapter(items, places)
    told = Content(_in_order([first, *body, lists]), (), _all([first, *body, lists], "tables"))
    drawn = pictures.drawn(wanted_figures([first, *body]))
    terms = used(reading.terms_of(material), [*_texts(told), *(one.caption for one in drawn.values())])
    last = reading.chapter(material, terms, told.tables)
    every = [first, *body, lists, last]
    return Report(
        title=material.words.title or "Report on a Bayesian fit",
        subtitle="{report.subtitle}",
        checks=material.verdict.checks,
        withheld=material.withheld,
        forced=not material.verdict.passed and not material.withheld,
        sections=_in_order(every),
        claims=_named([_subtitle(material), *_all(every, "claims")]),
        tables=MappingProxyType({t.key: t for t in _all(every, "tables")}),
        figures=MappingProxyType(drawn),
        items=items,
        terms=terms,
        author=material.cover.author,
        date=material.made,
    )


def _all(chapters: Iterable[Content], field: str) -> tuple:  # type: ignore[type-arg]
    return tuple(chain.from_iterable(getattr(chapter, field) for chapter in chapters))


def wanted_figures(chapters: Iterable[Content]) -> list[str]:
    """Return the figures that chapters show, in order, each once."""
    found = (
        key for c in chapters for s in c.sections for b in s.blocks if isinstance(b, FigureBlock) for key in b.keys
    )
    return list(dict.fromkeys(found))


def _texts(content: Content) -> list[str]:
    """Every template of some content, without the names of claims."""
    every = Report("", "", (), False, False, content.sections, {}, {table.key: table for table in content.tables})
    return [re.sub(r"\{[^{}]*\}", "", text) for text in templates(every)]


ANNEX_ORDER = (
    "glossary", "checklist", "ledger", "allpriors", "agreement", "allscenarios", "moves-in-full", "allchecks",
    "parameters", "mathematics", "model", "rerun", "references",
)  # fmt: skip


def _in_order(chapters: Sequence[Content]) -> tuple[Section, ...]:
    """Sections by part; the annex in its own order."""
    every = _all(chapters, "sections")
    last = [s for s in every if s.depth == 3]
    ranked = sorted(last, key=lambda s: ANNEX_ORDER.index(s.key) if s.key in ANNEX_ORDER else len(ANNEX_ORDER))
    return (*(s for s in every if s.depth == 1), *(s for s in every if s.depth == 2), *ranked)


def _named(claims: Iterable[Claim]) -> MappingProxyType[str, Claim]:
    found: dict[str, Claim] = {}
    for claim in claims:
        if claim.name in found and found[claim.name] != claim:
            raise UsageError("two chapters claim the same name", key=claim.name, found=claim.text)
        found[claim.name] = claim
    return MappingProxyType(found)


def _subtitle(material: Material) -> Claim:
    """Version, seed and fit, as far as they are known."""
    parts = [*filter(None, [material.cover.author]), *material.stamps]
    sizes = material.fit["posterior"].sizes
    parts.append(f"{sizes['chain'] * sizes['draw']:,} draws from {sizes['chain']} chains")
    return Claim("report.subtitle", ", ".join(parts), source="manifest.json")
