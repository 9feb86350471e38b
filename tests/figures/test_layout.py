"""At both column widths no label overlaps another or leaves the canvas, and type is of a size that can be read."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.text import Text

from bayes import figures
from bayes.heroin import figures as own
from bayes.numbers import NOT_APART, NOT_APART_WORDS
from tests.figures.conftest import draw
from tests.figures.extents import problems, texts

NAMES = tuple(dict.fromkeys([*figures.FIGURES, *own.FIGURES]))


@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.parametrize("name", NAMES)
def test_texts_neither_overlap_nor_leave_the_canvas(tables: dict[str, pd.DataFrame], name: str, width: str) -> None:
    figure = draw(name, tables[name], width)
    assert problems(figure) == []
    assert round(figure.get_size_inches()[0] * 25.4, 6) == figures.WIDTHS[width]
    sizes = {text.get_fontsize() for text in texts(figure)}
    assert sizes
    assert min(sizes) >= 7
    assert max(sizes) <= 8


@pytest.mark.parametrize("name", NAMES)
def test_the_mark_of_what_is_not_told_apart_is_defined_in_the_caption(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    figure = draw(name, tables[name], "double")
    marked = any(NOT_APART in text.get_text() for text in figure.findobj(Text))
    assert figure.caption.endswith(NOT_APART_WORDS) == marked
