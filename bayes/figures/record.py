"""A figure: what it needs, how its table is computed, how the table is drawn, and what its caption says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayes.arguments import check_columns
from bayes.draws import Fit
from bayes.errors import UsageError
from bayes.figures.canvas import Page, PaperFigure, page, width_mm
from bayes.figures.captions import caption

if TYPE_CHECKING:
    from bayes.figures.gallery import Gallery

__all__ = ["Data", "Figure"]

type Data = pd.DataFrame | Fit
"""A finished table, or draws in any form that :func:`bayes.load_fit` reads."""


def _as_it_is(table: object) -> pd.DataFrame:
    """A finished table."""
    if isinstance(table, pd.DataFrame):
        return table
    raise UsageError("this figure draws a table", found=type(table).__name__, allowed="a pandas DataFrame",
                     fix="make the table first")  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Figure:
    """A figure: its table computes, its drawing draws; calling it does both, or draws a finished table.

    Parameters
    ----------
    name
        What its user types: the file ``_NAME.py`` holds it.
    title
        A sentence on what it shows.
    needs
        What of a run its table is computed from: ``fit``, ``futures``, ``study``, ``evidence``, ``model``; a tuple
        names tables of sensitivity, of which the first that exists serves.
    columns
        What a finished table has.
    draw
        ``draw(page, table)`` puts the marks on the page; it computes no statistic.
    says
        What the caption says, from the table: a title, and what a reader must know.
    height
        Height in millimetres, from the table and the width.
    table
        The table, from draws or from tables of sensitivity; by default the table that is given.
    of_run
        The table, from a run; by default ``table`` of what is needed.
    ready
        Orders a table, and cuts it to what can be shown.
    width
        ``single``, ``double`` or millimetres, unless another is asked for.
    layout
        Matplotlib's layout engine, or None for a figure that places its own axes.

    Examples
    --------
    >>> import bayes
    >>> bayes.figures.fan(futures, width="single").savefig("fan.pdf")
    >>> bayes.figures.ridge(bayes.figures.ridge.table(futures, year=3)).savefig("ridge.pdf")
    """

    name: str
    title: str
    needs: tuple[str | tuple[str, ...], ...]
    columns: tuple[str, ...]
    draw: Callable[[Page, pd.DataFrame], None]
    says: Callable[[pd.DataFrame], str]
    height: Callable[[pd.DataFrame, float], float]
    table: Callable[..., pd.DataFrame] = _as_it_is
    of_run: Callable[[Gallery], pd.DataFrame] | None = None
    ready: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table
    width: str | float = "double"
    layout: str | None = "constrained"

    def __post_init__(self) -> None:
        own = type(self).__doc__ if self.table is _as_it_is else self.table.__doc__
        object.__setattr__(self, "__doc__", f"{self.title}\n\n{own}")

    def __repr__(self) -> str:
        return f"<figure {self.name}: {self.title}>"

    def __call__(self, data: Data, *, width: str | float | None = None, style: str = "journal") -> PaperFigure:
        """Draw the figure.

        Parameters
        ----------
        data
            The table that ``table`` makes, or what it is made from.
        width, style
            Millimetres, ``single`` (89) or ``double`` (183); one of :data:`bayes.figures.STYLES`.

        Raises
        ------
        UsageError
            If the table lacks a column, naming those it has, is empty, or cannot be made from this kind of data.
        """
        across = self.width if width is None else width
        table = self.ready(self._finished(data))
        check_columns(table, ())
        with page(table, across, style, self.height(table, width_mm(across)), self.layout) as sheet:
            self.draw(sheet, table)
            sheet.figure.caption = caption(table, self.says(table))
        return sheet.figure

    def _finished(self, data: Any) -> pd.DataFrame:
        """The table to draw."""
        finished = isinstance(data, pd.DataFrame) or len(self.needs) > 1
        table = _as_it_is(data) if finished else self.table(data)
        check_columns(table, self.columns)
        return table.reset_index(drop=True)

    def from_run(self, run: Gallery) -> pd.DataFrame:
        """Compute the table from a run: of what it needs, a table of sensitivity that is finished as it is."""
        if self.of_run is not None:
            return self.of_run(run)
        given = [run.given(need) for need in self.needs]
        if isinstance(self.needs[0], str):
            return self.table(*given)
        (table,) = given
        return run.worded(table if {*self.columns} <= {*table} else self.table(table))
