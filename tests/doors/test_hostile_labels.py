"""Identity is the name; a label is text. Labels that collide are told apart, and dims may be called like columns."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

import bayes
from bayes import figures, sensitivity
from bayes.heroin.scenarios import Scenario
from bayes.scenarios import AS_TODAY, distinct_labels
from bayes.sensitivity.columns import read_draws
from bayes.summaries import element_names
from bayes.tables import headline, parameter_table
from bayes.terminal import headline_table

LABELS = {"unit": "As today", "mean": "$x^2$ & <b>[red]%_$", "lower": "_private", "ten_a": "Ten", "ten_b": " ten",
          "hidden": "Ten (ten_a)"}  # fmt: skip
COLUMNS = ["unit", "mean", "estimate", "lower", "kind", "prob", "variable", "note", "verdict", "label", "input",
           "measure", "quantity", "x", "sd", "parameter", "joint", "change", "option"]  # fmt: skip
names = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
texts = st.one_of(
    st.sampled_from(["Ten", "ten", "Ten ", AS_TODAY, "As  Today", "Ten (a)", "Ten (b)"]), st.text(min_size=1)
)


@given(st.dictionaries(names, texts, min_size=1, max_size=6))
@example({"a": "ten", "d": "Ten (a)", "o": "Ten"})
def test_what_is_printed_tells_scenarios_apart_and_keeps_a_label_that_stands_alone(labels):
    shown = distinct_labels(labels)
    assert list(shown) == list(labels)
    assert len(set(shown.values())) == len(shown)
    assert AS_TODAY not in shown.values()
    for name, text in shown.items():
        assert text in (labels[name], f"{labels[name].strip()} ({name})")
    assert distinct_labels(shown) == shown


def test_shipped_labels_are_printed_as_they_are(shipped_study):
    labels = {name: scenario.label for name, scenario in shipped_study.scenarios.items()}
    assert distinct_labels(labels) == labels


@pytest.fixture(scope="module")
def hostile(shipped_fit, shipped_study):
    """The shipped fit in scenarios whose labels collide, and which are called like columns."""
    scenarios = {name: Scenario(name, label, places=1000.0 * (i + 1)) for i, (name, label) in enumerate(LABELS.items())}
    study = replace(shipped_study, scenarios=scenarios,
                    settings=replace(shipped_study.settings, headline="", horizon_years=2))  # fmt: skip
    return study, bayes.project(shipped_fit, study)


def test_every_scenario_keeps_its_rows_in_tables_and_in_the_terminal(hostile):
    _, futures = hostile
    table = headline(futures, "passed")
    assert (table.groupby("scenario").size() == len(table) / len(LABELS)).all()
    assert set(table["scenario"]) == set(LABELS)
    console = Console(record=True, width=120)
    console.print(headline_table(table, futures, "passed")[0])
    printed = " ".join(console.export_text().split())
    for text in ("Ten (ten_a)", "ten (ten_b)", "As today (unit)", "_private", "$x^2$ & <b>[red]%_$"):
        assert text in printed


def test_every_scenario_is_told_apart_in_every_figure(hostile):
    _, futures = hostile
    for name in ("ridge", "fan", "exceedance"):
        found = getattr(figures, name)(futures)
        labels = found.table.groupby("scenario")["label"].agg(["nunique", "first"])
        assert (labels["nunique"] == 1).all()
        assert labels["first"].is_unique
        drawn = " ".join(
            " ".join(text.get_text().split()) for text in found.findobj(lambda one: hasattr(one, "get_text"))
        )
        for text in labels["first"]:
            assert " ".join(text.split()) in drawn, (name, text)


def test_options_are_scenarios_by_name_and_the_baseline_is_nobody_elses(hostile):
    _, futures = hostile
    table = figures.acceptability.table(futures, scenarios=list(LABELS), willingness_to_pay=[0.0, 100.0, 200.0])
    assert (table.groupby("willingness_to_pay")["probability"].sum() - 1).abs().max() < 1e-9
    assert dict(zip(table["scenario"], table["option"], strict=True)) == {**distinct_labels(LABELS), "": AS_TODAY}
    drawn = {"".join(text.get_text().split()) for text in figures.acceptability(table).axes[0].texts}
    assert drawn == {"".join(option.split()) for option in table["option"]}


def test_the_report_tells_scenarios_apart(hostile, shipped_fit, tmp_path):
    study, futures = hostile
    path = bayes.write_report(tmp_path / "report.html", shipped_fit, futures, study=study, force=True)
    page = path.read_text(encoding="utf-8")
    for text in ("Ten (ten_a)", "ten (ten_b)", "As today (unit)", "_private", "$x^2$ &amp; &lt;b&gt;[red]%_$"):
        assert text in page
    assert "<b>[red]" not in page


def test_labels_of_scenarios_come_from_a_file_as_text(tmp_path):
    text = "\n".join(f"[scenarios.{name}]\nlabel = {label!r}\nplaces = 10" for name, label in LABELS.items())
    assert tomllib.loads(text)["scenarios"]["mean"]["label"] == LABELS["mean"]
    from bayes.scenarios import read_scenarios

    path = tmp_path / "scenarios.toml"
    path.write_text(text, encoding="utf-8")
    assert {name: one.label for name, one in read_scenarios(path)[1].items()} == LABELS


# --- dims and variables called like columns ---------------------------------------------------


def draws(*dims: str) -> xr.Dataset:
    """Variables called like columns, and one with these dims, two labels each, one dim with its label twice."""
    rng = np.random.default_rng(1)
    found = {name: (("chain", "draw"), rng.normal(size=(4, 100))) for name in COLUMNS if name not in dims}
    coords = {dim: ["a", "a"] if i == 0 else ["a", "b"] for i, dim in enumerate(dims)}
    shape = (4, 100, *(2 for _ in dims))
    return xr.Dataset({**found, "theta": (("chain", "draw", *dims), rng.normal(size=shape))},
                      coords={**coords, "chain": range(4), "draw": range(100)})  # fmt: skip


def test_every_column_of_a_summary_may_be_the_name_of_a_dim():
    """Those that a later version adds, too."""
    for dim in bayes.summarise(draws("row"), variables=["theta"]).columns:
        if dim != "row":
            table = bayes.summarise(draws("row", dim), variables=["theta"])
            assert table.columns.is_unique
            assert table[f"{dim} (dim)"].tolist() == ["a", "b", "a", "b"]


@pytest.mark.parametrize("dim", COLUMNS)
def test_a_dim_called_like_a_column_hides_none(dim):
    """Every column of the summary is there with what it means, and the dim beside them."""
    data = draws("row", dim)
    table = bayes.summarise(data, variables=["theta"])
    plain = bayes.summarise(data.rename({dim: "other"}), variables=["theta"])
    assert table.columns.is_unique
    kept = [column for column in plain.columns if column != "other"]
    pd.testing.assert_frame_equal(table[kept], plain[kept])
    (own,) = [column for column in table.columns if column not in kept]
    assert own in (dim, f"{dim} (dim)")
    assert table[own].tolist() == ["a", "b", "a", "b"]


def test_every_element_has_a_name_of_its_own_wherever_elements_are_rows(tmp_path):
    data = draws("unit", "mean")
    assert len(set(element_names(data["theta"]))) == 4
    fit = xr.DataTree.from_dict({"posterior": data, "log_likelihood": data[["theta"]]})
    assert parameter_table(fit, "passed")["parameter"].is_unique
    assert len(parameter_table(fit, "passed")) == len(COLUMNS) - 2 + 4
    fit.to_netcdf(tmp_path / "draws.nc")
    assert len(read_draws(tmp_path / "draws.nc").columns) == len(COLUMNS) - 2 + 4
    left_out = sensitivity.leave_one_out(fit, {"estimate": data["estimate"]})
    assert left_out["change"].is_unique
    assert len(left_out) == 5


def test_inputs_called_like_columns_keep_their_rows():
    rng = np.random.default_rng(2)
    inputs = pd.DataFrame({name: rng.normal(size=600) for name in COLUMNS})
    y = inputs["joint"] + 2 * inputs["estimate"]
    found = sensitivity.variance_indices(inputs, y)
    assert not found[["input", "measure"]].duplicated().any()
    assert set(COLUMNS) <= set(found["input"])
    arrays = {name: inputs[name].to_numpy() for name in COLUMNS}
    assert sensitivity.rank_drivers(arrays, y.to_numpy())["input"].tolist()[:2] == ["estimate", "joint"]
    options = pd.DataFrame({"option": y, AS_TODAY: np.zeros(600)})
    assert sensitivity.evppi(inputs, options)["input"].tolist() == COLUMNS
