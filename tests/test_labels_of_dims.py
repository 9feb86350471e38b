"""Labels of rows, scenarios and times of any kind: dates, numbers of any type, words; and of what has fewer axes."""

import datetime

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes import figures
from bayes.numbers import label_text
from bayes.outcomes import Outcomes
from bayes.sampling.tree import tree_of
from bayes.sensitivity.components import Layout
from bayes.summaries import element_names
from bayes.words import Words

MONTHS = pd.date_range("2010-11-01", periods=3, freq="MS")


@pytest.mark.parametrize("labels", [MONTHS, list(MONTHS), MONTHS.to_numpy(), [day.date() for day in MONTHS],
                                    MONTHS.to_numpy().astype("datetime64[D]")])  # fmt: skip
def test_days_have_no_hours(labels):
    wanted = ["2010-11-01", "2010-12-01", "2011-01-01"]
    assert [label_text(label) for label in labels] == wanted
    owners = Layout((frozenset({"y"}),), {"y": "month"}).owners({"month": labels})
    assert list(owners) == wanted
    array = xr.DataArray(np.zeros((1, 2, 3)), {"month": MONTHS}, ("chain", "draw", "month"), "y")
    assert element_names(array) == [f"y[{day}]" for day in wanted]


@pytest.mark.parametrize("label", ["2010-11-01T00:00:00", "1.0", 2.5, True, ("a", 1), pd.Period("2010-11", "M")])
def test_other_labels_are_left_as_they_are(label):
    assert label_text(label) == str(label)


def test_hours_are_kept_where_there_are_some():
    moments = pd.date_range("2010-11-01", periods=2, freq="90min")
    assert [label_text(one) for one in moments.to_numpy()] == ["2010-11-01", "2010-11-01T01:30:00"]


def years_of(labels):
    outcomes = Outcomes(None, (), (), {}, {}, {"when": tuple(labels)}, ("", "when"), "")
    words = Words(target="cases", time="year", times=outcomes.times())
    return outcomes.years, [words.moment(year) for year in outcomes.years]


@pytest.mark.parametrize(
    "labels",
    [[2026, 2028], np.array([2026.0, 2028.0]), np.array([2026, 2028], dtype=np.uint16),
     pd.to_datetime(["2026-01-01", "2028-01-01"]), np.array(["2026", "2028"], dtype="datetime64[Y]"),
     [datetime.date(2026, 6, 30), datetime.date(2028, 6, 30)], pd.period_range("2026", periods=3, freq="Y")[::2]],
)  # fmt: skip
def test_whole_numbers_and_dates_of_years_are_years(labels):
    assert years_of(labels) == ((2026, 2028), ["year 2026", "year 2028"])


@pytest.mark.parametrize(
    ("labels", "called"),
    [([2025.5, 2026.5], ["2025.5", "2026.5"]), (["2025/26", "2026/27"], ["2025/26", "2026/27"]),
     (pd.to_datetime(["2026-01-01", "2026-02-01"]), ["2026-01-01", "2026-02-01"]), ([True, False], ["True", "False"])],
)  # fmt: skip
def test_times_that_are_no_whole_numbers_are_counted_and_told_with_their_labels(labels, called):
    assert years_of(labels) == ((1, 2), [f"year {i} ({text})" for i, text in enumerate(called, 1)])


def test_a_density_of_vectors_has_the_labels_of_the_vectors():
    """A vector of three arms in each of two trials is one observation: its density has the dim of the trials."""
    coords = {"trial": ["Oslo", "Bern"], "arm": ["a", "b", "c"]}
    groups = {"log_likelihood": {"y": np.zeros((1, 5, 2))}, "posterior_predictive": {"y": np.zeros((1, 5, 2, 3))}}
    tree = tree_of(groups, {"y": ("trial", "arm")}, coords)
    assert tree["log_likelihood"]["y"].dims == ("chain", "draw", "trial")
    assert element_names(tree["log_likelihood"]["y"]) == ["y[Oslo]", "y[Bern]"]
    assert tree["posterior_predictive"]["y"].dims == ("chain", "draw", "trial", "arm")


def test_figures_say_times_with_their_labels():
    """In a caption beside the number, on an axis in its place; years are only numbers."""

    def projected(years, times):
        words = Words(target="cases", title="Cases", times=times)
        draws = np.random.default_rng(1).normal(5.0, 1.0, (4, 250, 1, len(years)))
        coords = {"scenario": ["few"], "year": years, "chain": range(4), "draw": range(250)}
        attrs = {"words": words.text(), "target": "cases"}
        return xr.Dataset({"cases": (("chain", "draw", "scenario", "year"), draws)}, coords, attrs)

    named = projected([1, 2, 3], {"1": "spring 2026", "2": "summer 2026", "3": "autumn 2026"})
    plain = projected([2026, 2027, 2028], {})
    assert "in year 3 (autumn 2026)" in figures.fan(named).caption
    assert "in year 3 (autumn 2026)" in figures.dots(named).caption
    assert "in year 2028 " in figures.fan(plain).caption
    drawn = figures.fan(named)
    drawn.draw_without_rendering()
    ticks = [text.get_text() for text in drawn.axes[0].get_xticklabels()]
    assert {*ticks} - {""} <= {"spring 2026", "summer 2026", "autumn 2026"}
    assert len({*ticks} - {""}) > 1
