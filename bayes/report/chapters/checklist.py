"""The reporting checklists, filled by looking at what the report holds: no status is typed."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from bayes.report.chapters.common import table
from bayes.report.contract import (
    Block,
    Cell,
    Claim,
    Content,
    FigureBlock,
    Item,
    Missing,
    Prose,
    Section,
    Table,
    TableBlock,
)
from bayes.report.material import Material
from bayes.report.numbers import count, link, word

__all__ = ["ASKED", "chapter", "guidelines", "judged", "supplied"]

STATUS_WORDS = {"met": "met", "not met": "not met", "author": "author must write"}
ASKED = ("versions", "seed", "study")
"""What an item may ask beside sections, tables, figures and claims."""


@lru_cache(maxsize=1)
def guidelines() -> Mapping[str, Any]:
    """Return the checklists as they stand on file."""
    found: Mapping[str, Any] = tomllib.loads(files("bayes.report").joinpath("checklist.toml").read_text("utf-8"))
    return found


def supplied(
    sections: Collection[Section], tables: Collection[Table], claims: Collection[Claim], material: Material
) -> frozenset[str]:
    """Return the keys of what the report holds: what has rows, is drawn, or consists of more than gaps."""
    shown = {key for s in sections for b in s.blocks if isinstance(b, FigureBlock) for key in b.keys}
    placed = {b.key for s in sections for b in s.blocks if isinstance(b, TableBlock)}
    whole = {s.key for s in sections if not all(isinstance(b, Missing) for b in s.blocks)}
    full = {t.key for t in tables if t.rows and t.key in placed}
    said = {c.name for c in claims}
    run = {
        key
        for key, there in (
            ("versions", "versions" in material.manifest),
            ("seed", "seed" in material.manifest),
            ("study", material.study is not None),
        )
        if there
    }
    return frozenset(shown | whole | full | said | run)


def judged(present: Collection[str], study: bool = True) -> tuple[Item, ...]:
    """Return every item that applies with the status that what is present gives it."""
    found = []
    for entry in guidelines().values():
        for item in entry["items"]:
            asked = item.get("met_if", ()) if study else item.get("fit", item.get("met_if", ()))
            if asked == "none":
                continue
            by_author = item.get("author") or asked == "author"
            wanted = () if by_author else tuple(asked)
            absent = [key for key in wanted if key not in present]
            status = "author" if by_author else "not met" if absent else "met"
            found.append(
                Item(
                    entry["title"],
                    item["label"],
                    item["text"],
                    status,
                    wanted if status == "met" else (),
                    ", ".join(absent),
                )
            )
    return tuple(found)


def chapter(items: Collection[Item], places: Collection[str]) -> Content:
    """The checklists as tables, with references to where each item is met."""
    claims: list[Claim] = []
    tables, blocks = [], list[Block]()
    for key, entry in guidelines().items():
        own = [item for item in items if item.guideline == entry["title"]]
        if not own:
            continue
        claims += [
            word(f"list.{key}", entry["name"]),
            link(f"list.{key}.source", entry["source"], entry["url"]),
            count(f"list.{key}.met", sum(i.status == "met" for i in own)),
            count(f"list.{key}.all", len(own)),
        ]
        blocks += [
            Prose(
                f"**{{list.{key}}}.** {{list.{key}.met}} of {{list.{key}.all}} items are met. The published "
                f"wording stands in {{list.{key}.source}}; the items here are paraphrased."
            ),
            TableBlock(f"checklist-{key}"),
        ]
        rows = []
        for item in own:
            where = tuple(place for place in item.where if place in places)
            rows.append([Cell(item.label), Cell(item.text), Cell(STATUS_WORDS[item.status]),
                         Cell(f"lacks {item.why}" if item.why else "" if where else "–", refs=where)])  # fmt: skip
        headings = ("Item", "Asks", "Status", "Where")
        tables.append(table(f"checklist-{key}", f"Checklist: {{list.{key}}}", headings, rows))
    return Content((Section("checklist", "Reporting checklists", 3, tuple(blocks)),), tuple(claims), tuple(tables))
