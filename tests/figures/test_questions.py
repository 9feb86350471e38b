"""Figures of anybody's question speak its words, and none of another's; a question brings figures of its own."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayes import figures
from bayes.errors import UsageError
from bayes.figures.gallery import Absent, Gallery
from bayes.numbers import number
from bayes.words import Words
from tests.figures.extents import problems

WORDS = Words(
    target="deaths_avoided",
    labels={"deaths_avoided": "deaths avoided", "clinics": "Clinics", "k": "thousands"},
    units={"deaths_avoided": "k"},
    reference=("crude sum", "crude"),
    sentences={"reference": "Crude sum: all at once."},
    headline="clinics",
)
DRAWN = ("posterior", "ridge", "fan", "exceedance", "dots")
CASE = ("heroin", "crime", "offence", "press", "places", "avoids")


def question(years: int = 4, words: Words = WORDS) -> xr.Dataset:
    """A projection of a question, of so many years."""
    rng = np.random.default_rng(4)
    draws = rng.gamma(2.0, 20.0, size=(2, 150, 2, years))
    dims = ("chain", "draw", "scenario", "year")
    return xr.Dataset(
        {"deaths_avoided": (dims, draws, {"unit": "k"}), "crude": (dims, np.full_like(draws, 60.0))},
        {"scenario": ["clinics", "law"], "label": ("scenario", ["Clinics", "A law"]), "year": range(1, years + 1)},
        {"words": words.text(), "verdict": "passed"},
    )


@pytest.mark.parametrize("name", DRAWN)
def test_words_are_those_of_the_question(name: str) -> None:
    figure = getattr(figures, name)(question())
    figure.canvas.draw()
    labels = " ".join(axes.get_xlabel() for axes in figure.axes)
    texts = " ".join([figure.caption, labels, *(t.get_text() for axes in figure.axes for t in axes.texts)]).lower()
    assert not [word for word in CASE if word in texts]
    assert "deaths avoided" in texts
    if name != "exceedance":
        assert "the crude sum" in figure.caption
        assert "Crude sum: all at once." in figure.caption
    assert "thousands" in f"{labels} {getattr(figure, '_supylabel', None) and figure._supylabel.get_text()}"


@pytest.mark.parametrize(("first", "years"), [(1, 4), (1, 40), (1995, 2), (2000, 31), (2001, 30), (2026, 4), (-20, 41)])
def test_times_are_written_as_they_are_said(first: int, years: int) -> None:
    """2026, not 2,026 nor 2.03k."""
    futures = question(years)
    figure = figures.fan(futures.assign_coords(year=np.arange(first, first + years)))
    figure.canvas.draw()
    for axes in figure.axes:
        low, high = axes.get_xlim()
        told = {x: text.get_text() for x, text in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)}
        shown = {x: text for x, text in told.items() if low <= x <= high}
        assert shown == {x: f"{x:.0f}".replace("-", "−") for x in shown}
        assert shown


def shifted(by: float, scale: float = 1.0) -> xr.Dataset:
    """The projection with all draws of the first scenario zero and those of the second shifted and scaled."""
    futures = question(words=replace(WORDS, reference=()))
    futures["deaths_avoided"] = (futures["deaths_avoided"] * scale - by) * xr.DataArray([0.0, 1.0], dims="scenario")
    return futures


@pytest.mark.parametrize(("by", "scale", "axis"), [(0.0, 1.0, "log"), (2.0, 1.0, "log"), (60.0, 1.0, "linear"),
                                                   (0.0, -1.0, "linear"), (0.0, 0.0, "linear")])  # fmt: skip
@pytest.mark.parametrize("width", ["single", "double"])
def test_the_axis_of_densities_shows_what_there_is(by: float, scale: float, axis: str, width: str) -> None:
    """Draws below zero are not left out: where a tenth lie there the axis is linear, with zero on it."""
    figure = figures.ridge(shifted(by, scale), width=width)
    assert set(figure.table["axis"]) == {axis}
    assert figure.axes[0].get_xscale() == axis
    low, high = figure.axes[0].get_xlim()
    assert axis == "log" or low < 0 < high
    drawn = figure.table[figure.table["layer"] == "density"]
    if axis == "linear" and len(drawn):  # the areas of densities are 1, but for what lies beyond the ends
        assert np.trapezoid(drawn["y"], drawn["x"]) == pytest.approx(0.99, abs=0.02)
    assert ("log scale" in figure.axes[0].get_xlabel()) == ("logarithmic" in figure.caption) == (axis == "log")
    assert not problems(figure)


@pytest.mark.parametrize("name", ["fan", "ridge"])
def test_a_scenario_that_does_nothing_has_no_names_of_bands(name: str) -> None:
    figure = getattr(figures, name)(shifted(60.0))
    assert not problems(figure)


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_is_said_of_a_sum_that_is_not_there(name: str) -> None:
    figure = getattr(figures, name)(question(words=replace(WORDS, reference=())))
    assert "dashed" not in figure.caption.lower()
    assert "crude" not in figure.caption.lower()


@pytest.mark.parametrize("time", ["year", "", "month"])
@pytest.mark.parametrize("name", DRAWN)
def test_one_time_and_none_are_drawn_without_a_warning(name: str, time: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = getattr(figures, name)(question(1, replace(WORDS, time=time)))
        assert problems(figure) == []
    assert ("in year" in figure.caption or "a year" in figure.caption) == (time == "year")
    assert ("month" in figure.caption) == (time == "month")


def test_a_question_brings_figures_of_its_own(tmp_path: Path) -> None:
    own = replace(figures.ridge, name="mountains")
    assert own.table is figures.ridge.table
    gallery = Gallery(tmp_path, {}, dict, question, own=(own,))  # type: ignore[arg-type]
    assert [*gallery.figures][-1] == "mountains"
    assert gallery.draw("mountains").caption == gallery.draw("ridge").caption
    with pytest.raises(Absent, match="no such figure"):
        gallery.check("forest")  # this question has no trials


def test_a_finished_table_is_drawn_as_it_is() -> None:
    table = figures.ridge.table(question())
    again = figures.ridge(table)
    assert again.table.equals(table)
    assert again.caption == figures.ridge(question()).caption


@pytest.mark.parametrize("spread", [1.0, 1.5])
def test_a_known_prior_is_drawn_exactly_and_another_from_its_draws(spread: float) -> None:
    law, rng = stats.lognorm(0.5, scale=3.0), np.random.default_rng(2)
    prior = 3.0 * np.exp(0.5 * spread * rng.normal(size=(2, 500)) + spread - 1)
    posterior = 3.0 + 0.2 * rng.normal(size=(2, 500))
    tree = xr.DataTree.from_dict({name: xr.Dataset({"rate": (("chain", "draw"), values)})
                                  for name, values in (("prior", prior), ("posterior", posterior))})  # fmt: skip
    table = figures.priors.table(tree, exact={"rate": law})
    rows = table[(table["layer"] == "density") & (table["group"] == "prior")]
    ratio = rows["y"] / law.pdf(rows["x"])
    assert np.allclose(ratio, ratio.iloc[0]) == (spread == 1.0)


def test_a_stock_is_of_its_time_and_what_is_per_time_is_a_year() -> None:
    stock = figures.fan(question())
    assert stock.caption.startswith("Deaths avoided, by scenario")
    assert "a year" not in stock._supylabel.get_text()
    rate = figures.fan(question(words=replace(WORDS, units={"deaths_avoided": "deaths/year"})))
    assert rate.caption.startswith("Deaths avoided a year, by scenario")


@pytest.mark.parametrize(("unit", "held"), [("k", "last"), ("k/year", "sum")])
def test_a_choice_adds_up_what_is_per_time_and_takes_the_last_of_a_stock(unit: str, held: str) -> None:
    """In words of its own: no pounds where the question has no unit of money, and prices where its choice lies."""
    futures = question(words=replace(WORDS, units={"deaths_avoided": unit}, cost="cost"))
    effect = futures["deaths_avoided"]
    futures["cost"] = xr.full_like(effect, 0.0) + np.array([5e4, 2e4])[:, None]
    table = figures.acceptability.table(futures)
    total = (effect.sum("year") if held == "sum" else effect.isel(year=-1)).stack(n=("chain", "draw"))
    ends = 5e4 / total.sel(scenario="clinics").mean(), 2e4 / total.sel(scenario="law").mean()
    assert table["willingness_to_pay"].max() == pytest.approx(2 * float(max(ends)), rel=0.5)
    price = float(table["willingness_to_pay"].iloc[30])
    benefit = price * total - xr.DataArray([5e4, 2e4], dims="scenario")
    never = float((benefit.max("scenario") < 0).mean())
    row = table[(table["willingness_to_pay"] == price) & (table["option"] == "as today")]
    assert row["probability"].iloc[0] == pytest.approx(never, abs=1e-12)
    assert "£" not in figures.acceptability(table).axes[0].get_xlabel()


@pytest.mark.parametrize("idle", [False, True])
def test_a_scenario_that_does_nothing_is_the_choice_to_do_nothing(idle: bool) -> None:
    """One option then, whose probability is not halved with a copy of it; and the price where the choice turns."""
    futures = question(words=replace(WORDS, units={"deaths_avoided": "k"}, cost="cost")).isel(year=[-1])
    acts = xr.DataArray([0.0 if idle else 2.0, 1.0], dims="scenario")
    futures["deaths_avoided"] = futures["deaths_avoided"] * acts
    futures["cost"] = xr.full_like(futures["deaths_avoided"], 1e4) * acts
    table = figures.acceptability.table(futures)
    effect = futures["deaths_avoided"].sel(scenario="law").values.ravel()
    price = float(table["willingness_to_pay"].iloc[30])
    same = table[table["willingness_to_pay"] == price].set_index("option")["probability"]
    assert set(same.index) == {"Clinics", "A law"} | (set() if idle else {"as today"})
    if idle:
        assert same["Clinics"] == pytest.approx((price * effect < 1e4).mean(), abs=1e-12)
        caption = figures.acceptability(table).caption
        assert f"Clinics up to {number(1e4 / effect.mean())}, A law above that" in caption


def test_a_choice_over_uneven_years_says_which_and_discounts_by_the_years_between() -> None:
    """At 50 % a year, 2012 and 2015 count 1/1.5² and 1/1.5⁵ of 2010; the only option pays above cost over effect."""
    futures = question(words=replace(WORDS, units={"deaths_avoided": "k/year", "cost": "GBP/year"}, cost="cost"))
    futures = futures.isel(year=slice(3), scenario=[0]).assign_coords(year=[2010, 2012, 2015])
    futures["deaths_avoided"] = xr.ones_like(futures["deaths_avoided"])
    futures["cost"] = futures["deaths_avoided"] * np.array([0.0, 0.0, 1.0])
    futures.attrs["discount_rate"] = 0.5
    price = 1.5**-5 / (1 + 1.5**-2 + 1.5**-5)
    table = figures.acceptability.table(futures, willingness_to_pay=[0.999 * price, 1.001 * price])
    best = table[table["optimal"]].sort_values("willingness_to_pay")
    assert (best["option"] == "as today").tolist() == [True, False]
    assert "net benefit over 3 years of 2010 to 2015, by willingness" in figures.acceptability(table).caption


@pytest.mark.parametrize(("value", "share", "drawn"), [(np.nan, 0.05, False), (np.inf, 0.05, False),
                                                       (-np.inf, 0.05, False), (np.inf, 0.001, True)])  # fmt: skip
@pytest.mark.parametrize("name", DRAWN)
def test_draws_without_a_value_are_refused_by_name(name: str, value: float, share: float, drawn: bool) -> None:
    """But for a few infinite ones, beyond the ends of every interval."""
    futures = question()
    draws = futures["deaths_avoided"]
    chosen = np.random.default_rng(1).random(draws.shape) < share
    futures["deaths_avoided"] = draws.where(~chosen, value)
    if drawn:
        getattr(figures, name)(futures).canvas.draw()
        return
    with pytest.raises(UsageError, match=r"deaths_avoided.*cannot show draws that are"):
        getattr(figures, name)(futures)
