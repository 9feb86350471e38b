"""The synthesis: what a question says of the effects it pools, with their pictures."""

from __future__ import annotations

from bayes.report.chapters.common import drawn, said
from bayes.report.contract import Block, Chapter, Claim, Content, Section
from bayes.report.material import Material

__all__ = ["CHAPTER"]


def _applies(material: Material) -> bool:
    words = material.words.sentences
    return "synthesis" in words and set(words.get("synthesis.needs", "").split()) <= set(material.fit["posterior"])


def _chapter(material: Material) -> Content:
    """Effects and what differs between settings; nothing where the question says nothing of a synthesis."""
    if not _applies(material):
        return Content(())
    claims = list[Claim]()
    blocks: list[Block] = [*said(material, claims, "synthesis"), drawn(material, "the forest of trials", "forest")]
    blocks += [block for place in ("synthesis.drift", "synthesis.scale") for block in said(material, claims, place)]
    more: list[Block] = [
        *said(material, claims, "synthesis.agreement"),
        drawn(material, "the funnel", "funnel"),
        drawn(material, "differences between settings, and drift", "heterogeneity"),
    ]
    sections = (
        Section("synthesis", CHAPTER.title, 2, tuple(blocks)),
        Section("agreement", "Do the trials agree?", 3, tuple(more)),
    )
    return Content(sections, tuple(claims))


CHAPTER = Chapter("synthesis", "Synthesis of the trials", _chapter, ("numbers",), _applies)
