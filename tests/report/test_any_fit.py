"""A report of any model: of arrays only, of large arrays, of one's own projection, in one's own words."""

import re
import time

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr

import bayes
from bayes.errors import UsageError
from bayes.report.chapters.annex import _parameter, _parameters
from bayes.report.chapters.evidence import _statuses
from bayes.report.chapters.priors import _quantiles

RNG = np.random.default_rng(1)
Y = RNG.normal(1, 1, 20)


def _draws(**shapes):
    data = {
        name: (("chain", "draw", *dims), RNG.normal(size=(4, 1000, *sizes))) for name, (dims, sizes) in shapes.items()
    }
    return xr.DataTree.from_dict({"posterior": xr.Dataset(data)})


@pytest.fixture(scope="module")
def vectors():
    with pm.Model(coords={"g": list("abc")}) as model:
        b = pm.Normal("b", 0, 1, dims="g")
        pm.Deterministic("total", b.sum())
        pm.Normal("y", b.mean(), 1, observed=Y)
    return bayes.sample(model, rng=1)


def test_a_model_of_arrays_only_is_reported_with_its_pictures(vectors, tmp_path):
    text = bayes.write_report(tmp_path / "r.html", vectors, target="total").read_text()
    assert text.count("<svg") >= 3
    assert "b[a]" in text
    assert {"b[a]", "b[b]", "b[c]"} <= set(bayes.figures.priors.table(vectors)["variable"])


def test_the_label_of_a_row_keeps_its_underscores():
    for names, wanted in (({}, "new cases[north_1]"), ({"new_cases": "cases"}, "cases[north_1]")):
        assert _parameter("new_cases[north_1]", names).text == wanted


def test_words_and_units_are_those_given_and_the_fit_says_how_it_was_made(vectors, tmp_path):
    text = bayes.write_report(tmp_path / "r.html", vectors, target="total", title="Wards & <beds>?", author="A. Writer",
                              labels={"total": "beds in all"}, units={"total": "beds"}).read_text()  # fmt: skip
    for words in ("Wards", "A. Writer", "beds in all", "seed 1", "pymc", "numpyro"):
        assert words in text
    plain = " ".join(re.sub(r"<[^>]+>", "", text).split())
    assert "1 quantity is sampled by" in plain
    assert "A. Writer. Wards &amp; &lt;beds&gt;? " in plain  # no stop after a mark of its own
    assert "unit" not in vectors["posterior"]["total"].attrs  # the fit is left as it was
    with pytest.raises(UsageError, match="labels"):
        bayes.write_report(tmp_path / "r.md", vectors, target="total", labels="beds")
    with pytest.raises(UsageError, match="no such variable"):
        bayes.write_report(tmp_path / "r.md", vectors, target="total", units={"nothing": "beds"})


def test_the_checklist_counts_what_applies(vectors, tmp_path):
    page = bayes.write_report(tmp_path / "r.html", vectors, target="total").read_text()
    text = re.sub(r"<[^>]+>", "", page)
    met, asked = map(int, re.search(r"(\d+) of (\d+) items of the reporting checklists", text).groups())
    assert asked < 30
    assert met >= 9
    for key in ("versions", "seed"):
        assert f"lacks {key}" not in text
    assert "perfect information" not in text


def test_a_scalar_beside_one_that_nothing_touches(tmp_path):
    with pm.Model() as model:
        a = pm.Normal("a", 0, 1)
        pm.Deterministic("twice", 2 * a)
        pm.Normal("loose", 0, 1)
        pm.Normal("y", a, 1, observed=Y)
    assert bayes.write_report(tmp_path / "r.html", bayes.sample(model, rng=1), target="twice").is_file()


def test_a_large_array_is_judged_in_part_and_not_listed(tmp_path):
    scale = RNG.normal(size=(4, 1000, 1))
    data = {
        "a": (("chain", "draw"), scale[..., 0]),
        "path": (("chain", "draw", "t"), scale * np.linspace(0, 1, 40_000)),
    }
    fit = xr.DataTree.from_dict({"posterior": xr.Dataset(data)})
    start = time.process_time()
    text = bayes.write_report(tmp_path / "r.html", fit, target="a").read_text()
    assert time.process_time() - start < 20  # the promise of the README; about 5 s of one core
    assert "path (40,000 elements)" in text
    assert "1,000 evenly spaced elements" in text


@pytest.mark.parametrize("dims", [("scenario",), ("policy",), ("scenario", "period"), ("region", "age", "sex"), ()])
def test_a_projection_of_ones_own_needs_no_year(dims, tmp_path):
    fit = _draws(mu=((), ()))
    coords = {dim: [f"{dim}{i}" for i in range(2)] for dim in dims}
    values = RNG.normal(5, 1, size=(4, 1000, *(2 for _ in dims)))
    own = xr.Dataset({"beds": (("chain", "draw", *dims), values, {"unit": "beds"})}, coords=coords)
    text = bayes.write_report(tmp_path / "r.html", fit, own).read_text()
    assert "beds" in text
    for dim in dims:
        assert f"{dim}1" in text


def test_a_projection_of_other_draws_is_refused(tmp_path):
    own = xr.Dataset({"beds": (("chain", "draw"), RNG.normal(size=(2, 50)))})
    with pytest.raises(UsageError, match="different draws"):
        bayes.write_report(tmp_path / "r.md", _draws(mu=((), ())), own)


def test_swapped_arguments_say_so(vectors, tmp_path):
    with pytest.raises(UsageError, match="path"):
        bayes.write_report(vectors, tmp_path / "r.md")
    with pytest.raises(UsageError):
        bayes.write_report(tmp_path / "r.md", pd.DataFrame({"a": [1.0]}))


def test_rows_that_do_not_say_how_they_were_read_are_not_counted_by_it():
    """A question's own table need have no status; a table of zeros would tell nothing."""
    rows = pd.DataFrame({"status": [np.nan, np.nan], "use": ["likelihood", "likelihood"]})
    assert _statuses(rows) == []
    (made,) = _statuses(rows.assign(status=["primary", np.nan]))
    assert made.rows[0][2].text == "1"


def test_quantiles_of_a_parameter_have_no_digits_that_their_errors_do_not_support():
    """A median of 0.0045 ± 0.01 is not told apart from 0, and 32.74 ± 0.7 is 33."""
    error = {"q0.025": 0.02, "q0.05": 0.02, "q0.5": 0.01, "q0.95": 0.02, "q0.975": 0.7}
    value = {"q0.025": -0.9584, "q0.05": -0.8, "q0.5": 0.0045, "q0.95": 0.8246, "q0.975": 32.74}
    row = {"parameter": "gain", "unit": "", "rhat": 1.0, "ess_bulk": 4000.0, "ess_tail": 4000.0}
    for group in ("prior", "posterior"):
        row |= {f"{group}_{key}": one for key, one in value.items()}
        row |= {f"{group}_mcse_{key}": one for key, one in error.items()}
    assert [cell.text for cell in _parameters(pd.DataFrame([row]), {}).rows[0][2:5]] == [
        "0† (−0.96 to 33)", "0†", "−0.96 to 33"]  # fmt: skip
    assert _quantiles(row, "prior").text == "−0.80 · 0† · 0.82"
    fine = {
        "prior_q0.05": 0.60583,
        "prior_q0.5": 13_004.0,
        "prior_q0.95": 2.0,
        "prior_mcse_q0.5": 3.0,
        "prior_mcse_q0.05": 0.002,
    }
    assert _quantiles(fine, "prior").text == "0.61 · 13k · 2"  # two digits are enough here
