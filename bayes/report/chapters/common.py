"""What chapters share: figures that may be missing, names of sources, tables from frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bayes.figures.gallery import Absent
from bayes.numbers import NONE
from bayes.report.contract import Block, Cell, Column, FigureBlock, Table
from bayes.report.material import Material
from bayes.report.pictures import check_figure
from bayes.report.prose import safe_address

__all__ = ["columns", "drawn", "source_cell", "table", "titled"]


def drawn(material: Material, what: str, *names: str) -> Block:
    """Return the figures of these names, or what is missing for them."""
    for name in names:
        try:
            check_figure(material.gallery, name, material.target.quantity)
        except Absent as reason:
            return replace(material.lacks(what, reason.problem, command(reason)), keys=names)
    return FigureBlock(names)


def command(reason: Absent) -> str:
    """Return the command that makes what is absent."""
    fix = reason.fix or ""
    for word in ("sensitivity", "project"):
        if f"bayes {word}" in fix:
            return f"bayes {word} RUN"
    return fix


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


def titled(name: str) -> str:
    """Write the name of a variable in words."""
    return name.replace("_", " ")
