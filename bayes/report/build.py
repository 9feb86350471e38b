"""From material to a finished report: chapters, figures, checklists, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from types import MappingProxyType

from bayes.errors import UsageError
from bayes.report.chapters import CHAPTERS, answer, checklist
from bayes.report.chapters.common import written
from bayes.report.contract import Claim, Content, FigureBlock, Missing, Report, Section
from bayes.report.material import Material
from bayes.report.pictures import Pictures

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
    items = checklist.judged(
        checklist.supplied(
            _all(everything, "sections"), _all(everything, "tables"), _all(everything, "claims"), material
        ),
        study=material.study is not None,
    )
    gaps = _gaps([first, *body])
    first = answer.chapter(material, items, gaps)
    places = {
        *(s.key for s in _all(everything, "sections")),
        *(t.key for t in _all(everything, "tables")),
        *wanted_figures(everything),
    }
    lists = checklist.chapter(items, places)
    whole = _in_order([first, *body, lists])
    return Report(
        title=material.words.title or "Report on a Bayesian fit",
        subtitle="{report.subtitle}",
        checks=material.verdict.checks,
        withheld=material.withheld,
        forced=not material.verdict.passed and not material.withheld,
        sections=whole,
        claims=_named([_subtitle(material), *_all([first, *body, lists], "claims")]),
        tables=MappingProxyType({t.key: t for t in _all([first, *body, lists], "tables")}),
        figures=MappingProxyType(pictures.drawn(wanted_figures([first, *body]))),
        items=items,
    )


def _all(chapters: Iterable[Content], field: str) -> tuple:  # type: ignore[type-arg]
    return tuple(chain.from_iterable(getattr(chapter, field) for chapter in chapters))


def _gaps(chapters: Sequence[Content]) -> list[tuple[Section, Missing]]:
    return [(s, b) for c in chapters for s in c.sections for b in s.blocks if isinstance(b, Missing)]


def wanted_figures(chapters: Iterable[Content]) -> list[str]:
    """Return the figures that chapters show, in order, each once."""
    found = (
        key for c in chapters for s in c.sections for b in s.blocks if isinstance(b, FigureBlock) for key in b.keys
    )
    return list(dict.fromkeys(found))


ANNEX_ORDER = (
    "checklist",
    "ledger",
    "allpriors",
    "agreement",
    "allscenarios",
    "moves-in-full",
    "allchecks",
    "parameters",
    "model",
    "rerun",
)


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
    manifest = material.manifest
    parts = [material.cover.author] if material.cover.author else []
    if "bayes" in manifest:
        parts.append(f"bayes {manifest['bayes']}")
    if "seed" in manifest:
        parts.append(f"seed {manifest['seed']}")
    if manifest.get("fit_hash"):
        parts.append(f"inputs {str(manifest['fit_hash'])[:12]}")
    sizes = material.fit["posterior"].sizes
    parts.append(f"{sizes['chain'] * sizes['draw']:,} draws from {sizes['chain']} chains")
    return Claim("report.subtitle", ", ".join(parts), source="manifest.json")
