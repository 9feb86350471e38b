"""What chapters share: figures that may be missing, names of sources, tables from frames."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bayes.figures.gallery import Absent
from bayes.numbers import NONE
from bayes.report.contract import (
    Block,
    Cell,
    Chapter,
    Claim,
    Column,
    Content,
    FigureBlock,
    Missing,
    Prose,
    Section,
    Table,
)
from bayes.report.lookup import looked_up, named_claims
from bayes.report.material import Material
from bayes.report.numbers import word
from bayes.report.pictures import check_figure
from bayes.report.prose import safe_address
from bayes.words import spaced

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NEEDS", "columns", "drawn", "on_file", "said", "source_cell", "table", "written"]

NEEDS: Mapping[str, Callable[[Material], Missing | None]] = {
    "numbers": lambda m: (
        m.lacks("", "they are withheld because a check failed", m.command("report --force")) if m.withheld else None
    ),
    "projection": lambda m: (
        None
        if m.projected
        else m.lacks(
            "", "this fit was not projected over scenarios", m.command("project", "pass futures= to bayes.write_report")
        )
    ),
    "prior": lambda m: None if "prior" in m.fit.children and "parameters" in m.tables else _without_prior(m),
}
"""What a chapter may need, each with what is said where it is missing."""


def _without_prior(material: Material) -> Missing:
    """Say why there are no draws of the prior: what sampling said, or that it was not asked for them."""
    why = json.loads(material.fit.attrs.get("left_out", "{}")).get("prior")
    if why:
        return material.lacks("", f"the prior of this model cannot be drawn: {why}")
    return material.lacks("", "the fit has no draws of its prior", "sample with bayes.sample")


def written(chapter: Chapter, material: Material) -> Content:
    """Return what a chapter contributes, or the one line that says what it needs."""
    for need in chapter.needs:
        gap = NEEDS[need](material)
        if gap is not None:
            if not chapter.applies(material):
                return Content(())
            what = f"{chapter.title[:1].lower()}{chapter.title[1:]}"
            return Content((Section(chapter.name, chapter.title, 2, (replace(gap, what=what),)),))
    return chapter.make(material)


def said(material: Material, claims: list[Claim], place: str, plain: str = "", role: str = "text") -> list[Block]:
    """Return the question's own sentences for a place of the report, or plain ones, with the claims that they name.

    Where the results lack a number that they name, the plain ones are said, or that they are missing.
    """
    text = material.words.sentences.get(place, "")
    found = {name: looked_up(material, name) for name in named_claims(text)}
    lost = [name for name, group in found.items() if not group]
    if not text or (lost and plain):
        return [Prose(plain, role)] if plain else []
    if lost:
        return [material.lacks(f"the sentence on {spaced(place)}", f"these results hold no {', '.join(lost)}")]
    claims += [one for group in found.values() for one in group]
    return [Prose(text, role)]


def on_file(name: str, frame: pd.DataFrame, claims: list[Claim]) -> list[Block]:
    """Say who computed a table that this run shows and has not made; nothing of the run's own."""
    if "computed_by" not in frame:
        return []
    claims.append(word(f"{name}.by", str(frame["computed_by"].iloc[0]), f"{name}.csv"))
    text = (
        "This table was not made with this run: it is on file with the study, for the very model, priors and evidence "
        "of this run, and was computed with {NAME.by}."
    )
    return [Prose(text.replace("NAME", name))]


def drawn(material: Material, what: str, *names: str) -> Block:
    """Return the figures of these names, or what is missing for them."""
    for name in names:
        try:
            check_figure(material.gallery, name, material.target.quantity)
        except Absent as reason:
            return replace(material.lacks(what, reason.problem, _fix(material, reason)), keys=names)
    return FigureBlock(names)


def _fix(material: Material, reason: Absent) -> str:
    """Return the command that makes what is absent."""
    fix = reason.fix or ""
    made = next((name for name in ("sensitivity", "project") if f"bayes {name}" in fix), "")
    return material.command(made, fix) if made else fix


def columns(*headings: str) -> tuple[Column, ...]:
    """Columns by heading; one that begins with ``>`` is aligned right."""
    return tuple(Column(h.removeprefix(">"), "right" if h.startswith(">") else "left") for h in headings)


def table(key: str, caption: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]], note: str = "") -> Table:
    """A finished table."""
    return Table(key, caption, columns(*headings), tuple(tuple(row) for row in rows), note)


def source_cell(material: Material, key: str, locator: str) -> Cell:
    """A source by author and year, linked to where it can be read, with the place in it below."""
    study = material.study
    reference = study.references.get(key) if study is not None else None
    name = reference.short if reference is not None else key
    place = locator if locator and locator != "nan" else ""
    return Cell(name or NONE, href=safe_address(reference.url) if reference is not None else "", below=place)
