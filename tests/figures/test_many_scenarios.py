"""More scenarios than fit beside their curves: each is told apart, and what is left out is said."""

from dataclasses import replace

import pytest
import xarray as xr

from bayes import figures
from bayes.figures.series import MOST
from bayes.heroin.words import WORDS
from tests.figures.conftest import synthetic_futures


def many(count: int) -> xr.Dataset:
    """A projection with so many scenarios, the headline last."""
    one = synthetic_futures()
    repeats = -(-count // one.sizes["scenario"])
    parts = [one.assign_coords(scenario=[f"{n}{k}" for n in one["scenario"].values]) for k in range(repeats)]
    found = xr.concat(parts, "scenario").isel(scenario=slice(count))
    headline = str(found["scenario"].values[-1])
    return found.assign_attrs(one.attrs, headline=headline, words=replace(WORDS, headline=headline).text())


@pytest.mark.parametrize("width", ["single", "double"])
def test_no_two_curves_look_the_same(width: str) -> None:
    figure = figures.exceedance(many(MOST), width=width)
    looks = [(line.get_color(), str(line._dash_pattern)) for line in figure.axes[0].get_lines()]
    assert len(looks) == len(set(looks)) == MOST


def test_the_headline_is_among_those_shown_and_the_caption_counts_the_rest() -> None:
    futures = many(40)
    for name in ("ridge", "fan", "exceedance"):
        table = getattr(figures, name).table(futures)
        assert table["scenario"].nunique() == MOST
        assert futures.attrs["headline"] in set(table["scenario"])
        assert "12 of 40 scenarios." in getattr(figures, name)(table).caption
    named = figures.ridge.table(futures, scenarios=[str(n) for n in futures["scenario"].values[:15]])
    assert named["scenario"].nunique() == 15
