"""The report as plain data: computed once, rendered many ways.

Text is written as templates. ``{name}`` stands for a claim of the results, ``{@key}`` for a reference to a section, a
table or a figure, ``**words**`` for emphasis; everything that comes from a file is a claim or a cell and is never read
as a template. Writers see only what is in a :class:`Report`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from bayes.diagnostics import Check, Verdict

if TYPE_CHECKING:
    from bayes.report.glossary import Term
    from bayes.report.material import Material

__all__ = [
    "PARTS",
    "Banner",
    "Block",
    "Bullets",
    "Card",
    "Cell",
    "Chapter",
    "Claim",
    "Column",
    "Content",
    "Drawing",
    "FigureBlock",
    "Item",
    "Missing",
    "Prose",
    "Report",
    "Section",
    "Table",
    "TableBlock",
    "WhatIf",
    "parts",
]

PARTS = ("Summary", "Report", "Annex")
"""The three depths: a page, some five pages, everything."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A number or a word of the results that text may use.

    Parameters
    ----------
    name
        How templates call it.
    text
        What is printed: digits end where the Monte Carlo error begins.
    value, mcse, unit
        The number behind the text with its Monte Carlo error, and its unit; None for a word.
    source
        Where it stands: the table and its row, or the file.
    href
        A web address to link to.
    """

    name: str
    text: str
    value: float | None = None
    mcse: float = 0.0
    unit: str = ""
    source: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph; ``role`` is ``text``, ``lead`` (the answer) or ``note``."""

    text: str
    role: str = "text"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of short sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A box with a title and labelled lines."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Banner:
    """The verdict; ``tone`` is ``good`` or ``bad``."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A table of the report, by key."""

    key: str


@dataclass(frozen=True, slots=True)
class FigureBlock:
    """One figure, or two narrow ones side by side, by key."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """What the run could not supply: what it is, why, and which command makes it; ``keys`` of the figures lacking."""

    what: str
    reason: str
    fix: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Where the live panel stands; ``reason`` says why it is not there."""

    reason: str = ""


type Block = Prose | Bullets | Card | Banner | TableBlock | FigureBlock | Missing | WhatIf


@dataclass(frozen=True, slots=True)
class Section:
    """A section: ``depth`` 1 to 3 is its part of the report, ``level`` 1 or 2 its heading."""

    key: str
    title: str
    depth: int
    blocks: tuple[Block, ...]
    level: int = 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and ``left`` or ``right``."""

    heading: str
    align: str = "left"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: what is printed, the number behind it with its Monte Carlo error, an address to link to.

    ``below`` stands on a second line; ``refs`` are keys of sections, tables or figures that the cell points to.
    """

    text: str
    value: float | None = None
    mcse: float = 0.0
    href: str = ""
    refs: tuple[str, ...] = ()
    below: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A finished table.

    Parameters
    ----------
    key
        Its name, also of its files.
    caption
        A template.
    columns, rows
        As many cells in a row as there are columns; the first cell is the heading of its row.
    note
        A template below the table.
    """

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished figure: caption (also its text alternative), SVG, size in millimetres, and SVG for narrow screens."""

    key: str
    caption: str
    svg: str
    width: float
    height: float
    narrow: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a reporting checklist, with the status the program found.

    ``status`` is ``met``, ``not met`` or ``author``; ``where`` are keys of sections, tables or figures.
    """

    guideline: str
    label: str
    text: str
    status: str
    where: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What one chapter contributes."""

    sections: tuple[Section, ...]
    claims: tuple[Claim, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of reports: its record stands at the end of the chapter's file as ``CHAPTER``.

    Parameters
    ----------
    name, title
        Key and heading of its first section.
    make
        What it contributes, from the material; without any section it is left out.
    needs
        What it cannot be written without, of :data:`bayes.report.chapters.common.NEEDS`: where that is missing the
        chapter is one line that says so.
    applies
        Whether such a line is worth saying: not where the question has nothing for the chapter.
    """

    name: str
    title: str
    make: Callable[[Material], Content]
    needs: tuple[str, ...] = ()
    applies: Callable[[Material], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a writer needs.

    Parameters
    ----------
    title, subtitle
        Of the document; the subtitle is a template.
    checks
        The verdict, check by check.
    withheld
        Whether the numbers of the answer are held back because a check failed.
    forced
        Whether they are printed although a check failed; then every page says so.
    sections, claims, tables, figures
        The content, by name where it is referred to.
    items
        The reporting checklist.
    terms
        Words of the glossary; the first use of each is linked.
    author, date
        Who wrote it, and the day, in UTC, on which its run was made: as files say it of themselves.
    """

    title: str
    subtitle: str
    checks: tuple[Check, ...]
    withheld: bool
    forced: bool
    sections: tuple[Section, ...]
    claims: Mapping[str, Claim]
    tables: Mapping[str, Table]
    figures: Mapping[str, Drawing] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    terms: tuple[Term, ...] = ()
    author: str = ""
    date: date | None = None

    @property
    def passed(self) -> bool:
        """Whether the verdict is passed."""
        return Verdict(self.checks).passed

    @property
    def missing(self) -> tuple[tuple[Section, Missing], ...]:
        """What the run could not supply, with the section that lacks it."""
        return tuple((s, b) for s in self.sections for b in s.blocks if isinstance(b, Missing))


def parts(report: Report) -> Iterator[tuple[str, tuple[Section, ...]]]:
    """Yield the title and the sections of each part that has any."""
    for depth, title in enumerate(PARTS, start=1):
        found = tuple(s for s in report.sections if s.depth == depth)
        if found:
            yield title, found
