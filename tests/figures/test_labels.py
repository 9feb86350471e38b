"""Labels are drawn as they are, however nasty: nothing is mathematics, cut, covered or larger than a page.

Every kind of figure that names things draws a table whose names have dollars, 120 letters, other scripts, and markup.
"""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from bayes import figures
from bayes.figures.palette import DARK, STYLES, lettering
from bayes.figures.scales import told_apart
from tests.figures.conftest import draw
from tests.figures.extents import problems, texts
from tests.figures.test_layout import NAMES
from tests.figures.test_many_scenarios import many

LONG = "a label of a hundred and twenty letters, which somebody wrote so that nobody could ask him "
LONG += "afterwards what it had meant"
NASTY = ("from $5 to $10", LONG, "Ελλάδα, Привет, 北京市", r"a^{2} \alpha_b 5 % #1 & <b>", "x")
NAMED = {
    "acceptability": "option", "budget": "step", "chains": "label", "dots": "words", "exceedance": "label",
    "fan": "label", "forest": "label", "funnel": "label", "heterogeneity": "label", "left_out": "left_out",
    "model": "label", "posterior": "words", "predictive": "label", "priors": "label", "retention": "row",
    "ridge": "label", "shapley": "input", "specification": "effects", "tornado": "input", "worlds": "world",
}  # fmt: skip
"""The column that names what a figure shows; the others name nothing."""
PAGE = 250.0
"""Height of a page in mm, without its margins."""


def renamed(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The table with nasty names in place of its own."""
    names = [name for name in table[column].dropna().unique() if name]
    new = [f"{label} {i}" for i, label in zip(range(len(names)), itertools.cycle(NASTY))]
    return table.assign(**{column: table[column].replace(dict(zip(names, new, strict=True)))})


def plain(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("name", sorted(NAMED))
def test_nasty_labels_are_drawn_as_they_are(tables: dict[str, pd.DataFrame], name: str) -> None:
    table = renamed(tables[name], NAMED[name])
    figure = draw(name, table, "single")
    assert problems(figure) == []
    assert figure.get_size_inches()[1] * 25.4 <= PAGE
    drawn = plain("".join(text.get_text() for text in texts(figure)))
    shown = table[table["layer"] == "row"] if name == "funnel" else table  # its contours and mean are no labels of rows
    for label in shown[NAMED[name]].dropna().unique()[:4]:
        assert plain(str(label).replace("_", " ")) in drawn.replace("_", "") or name in ("posterior", "dots")
    assert not any(text.get_parse_math() for text in figure.findobj(Text))


@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.parametrize("name", ["ridge", "fan", "exceedance"])
def test_thirty_scenarios_are_drawn_on_a_page(name: str, width: str) -> None:
    futures = many(30)
    kind = getattr(figures, name)
    figure = kind(kind.table(futures, scenarios=list(map(str, futures["scenario"].values))), width=width)
    assert problems(figure) == []
    assert figure.get_size_inches()[1] * 25.4 <= PAGE


@pytest.mark.parametrize("name", NAMES)
def test_every_text_can_be_read_in_light_and_dark_and_no_caption_names_a_colour(
    tables: dict[str, pd.DataFrame], name: str
) -> None:
    """7 to 1 (WCAG 2.2, 1.4.6), on paper and on either page."""
    figure = draw(name, tables[name], "double")
    colours = {str(text.get_color()) for text in texts(figure)}
    for colour, paper in [(c, "#ffffff") for c in colours] + [(c, "#fdfcf9") for c in colours]:
        assert contrast(colour, paper) >= 7, colour
    assert min(contrast(DARK[colour], DARK["#ffffff"]) for colour in colours) >= 7
    assert not re.search(r"\b(blue|gr[ea]y|black|white|dark|light|orange)\b", figure.caption)


def contrast(one: str, two: str) -> float:
    bright, dim = sorted((luminance(one), luminance(two)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: str) -> float:
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_a_dark_page_has_a_colour_for_each_and_its_bands_are_told_apart() -> None:
    palette, _ = STYLES["journal"]
    own = (palette.main, palette.prior, palette.accent, *palette.bands, *palette.series, palette.ink, palette.muted)
    own += tuple(map(lettering, (palette.accent, *palette.series)))
    assert {*own, palette.rule, "#ffffff", "#a00000"} <= set(DARK)
    grey = [
        float(np.dot((0.2126, 0.7152, 0.0722), to_rgb(DARK[one]))) for one in ("#ffffff", *palette.bands, palette.main)
    ]
    assert all(b - a > 0.08 for a, b in itertools.pairwise(grey))


def test_only_the_naive_sum_is_orange(tables: dict[str, pd.DataFrame]) -> None:
    accent = STYLES["journal"][0].accent
    for name in ("posterior", "ridge", "fan", "dots", "places", "returns", "exceedance", "acceptability"):
        lines = [line for axes in draw(name, tables[name]).axes for line in axes.lines if line.get_color() == accent]
        assert {line.get_gid() for line in lines} <= {"reference"}


def test_a_scenario_has_one_colour_in_every_figure() -> None:
    futures = many(3)
    names = list(map(str, futures["scenario"].values))
    curves = {line.get_gid(): (line.get_color(), str(line.get_linestyle()))
              for line in figures.exceedance(futures).axes[0].lines}  # fmt: skip
    (one,) = figures.exceedance(figures.exceedance.table(futures, scenarios=names[2:])).axes[0].lines
    assert (one.get_color(), str(one.get_linestyle())) == curves[names[2]]
    table = figures.acceptability.table(futures, scenarios=names[1:])
    worth = {line.get_gid(): line.get_color() for line in figures.acceptability(table).axes[0].lines}
    labels = table.dropna(subset=["scenario"]).set_index("scenario")["option"].to_dict()
    assert all(worth[labels[name]] == curves[name][0] for name in names[1:])


def test_ticks_tell_near_numbers_apart() -> None:
    """A thousand million and one is not written as a thousand million, nor hidden in an offset."""
    rng = np.random.default_rng(1)
    near = xr.Dataset({"x": (("chain", "draw"), 1e9 + rng.normal(size=(2, 200)), {"unit": "people"})})
    figure = figures.posterior(figures.posterior.table(near, quantities=["x"]))
    assert problems(figure) == []
    axis = figure.axes[0].xaxis
    ticks = [label.get_text() for label in axis.get_ticklabels() if label.get_text()]
    assert len(set(ticks)) == len(ticks) >= 2
    assert all(tick.startswith(("999,999,99", "1,000,000,00")) for tick in ticks)
    assert axis.get_offset_text().get_text() == ""
    assert told_apart([0.30001, 0.30002]) == ["0.30001", "0.30002"]
