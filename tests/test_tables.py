"""Finished tables: the columns others read, and numbers that can be recomputed from the draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes.heroin.projection import horizon_total
from bayes.heroin.quantities import UNIT_OF
from bayes.summaries import quantile_error
from bayes.tables import (
    GIVEN,
    HEADLINE_COLUMNS,
    ROUNDED,
    evidence_table,
    headline,
    parameter_table,
    rounded_in,
    scale_up,
)
from bayes.terminal import atom_lines, rounding_lines
from bayes.words import Words, study_words
from tests.conftest import FIRST


@pytest.fixture(scope="module")
def table(shipped_futures) -> pd.DataFrame:
    return headline(shipped_futures, "passed")


@pytest.fixture(scope="module")
def parameters(shipped_fit, shipped_study) -> pd.DataFrame:
    return parameter_table(shipped_fit, "passed", units=study_words(shipped_study.words, shipped_study).units)


@pytest.fixture(scope="module")
def evidence(shipped_fit, shipped_study) -> pd.DataFrame:
    return evidence_table(shipped_fit, shipped_study, "passed")


def test_the_headline_has_its_columns_years_and_quantities(table, shipped_study) -> None:
    assert list(table.columns[:12]) == FIRST
    assert set(table["year"]) == {*map(str, range(1, 11)), "total"}
    assert set(table["scenario"]) == set(shipped_study.scenarios)
    assert set(table["quantity"]) == set(UNIT_OF)
    assert (table["verdict"] == "passed").all()
    assert not table.duplicated(["scenario", "year", "quantity"]).any()


@pytest.mark.parametrize("quantity", ["offences_avoided", "victim_crimes_avoided", "patient_years"])
@pytest.mark.parametrize("scenario", ["p1000", "hardcore", "everyone"])
def test_headline_numbers_are_quantiles_of_the_draws(table, shipped_futures, quantity: str, scenario: str) -> None:
    found = table.set_index(["scenario", "year", "quantity"])
    yearly = shipped_futures[quantity].sel(scenario=scenario, year=10).values
    total = horizon_total(shipped_futures)[quantity].sel(scenario=scenario).values
    for year, draws in (("10", yearly), ("total", total)):
        row = found.loc[(scenario, year, quantity)]
        np.testing.assert_allclose(
            row[["lower", "median", "upper"]].astype(float), np.quantile(draws, [0.025, 0.5, 0.975])
        )
        assert row["p_positive"] == pytest.approx((draws > 0).mean())
        assert (row["prob"], row["kind"], row["unit"]) == (0.95, "eti", UNIT_OF[quantity])
        assert row["mean"] == pytest.approx(draws.mean())
        assert row["tail"] == "finite"
        if quantity != "patient_years":
            assert row["tail_shape"] == 0.4  # of the priors of tau_theta and tau_gamma


def test_constants_and_events_do_not_pretend_to_be_intervals(table) -> None:
    press = table[
        (table["quantity"] == "press_arithmetic") & (table["scenario"] == "hardcore") & (table["year"] == "10")
    ].iloc[0]
    assert press["kind"] == "constant"
    assert np.isnan(press["prob"])
    assert press["median"] == pytest.approx(10_000 * 432 * 0.6, rel=1e-4)  # the logistic ramp is at 99.99 % in year 10
    events = table[table["kind"] == "event"]
    assert set(events["quantity"]) == {"demand_binds", "harm"}
    assert events[["median", "lower", "upper", "prob"]].isna().all(axis=None)
    assert events["mean"].between(0, 1).all()
    binomial = np.sqrt(events["mean"] * (1 - events["mean"]) / 4000)  # all of these draws are nearly independent
    assert (events["mcse_mean"] <= 1.6 * binomial + 1e-12).all()


def test_every_parameter_stands_beside_its_prior(parameters, shipped_fit) -> None:
    assert not parameters["parameter"].duplicated().any()
    assert (parameters["unit"] != "").all()
    found = parameters.set_index("parameter")
    size = sum(array[0, 0].size for array in shipped_fit["posterior"].data_vars.values())
    assert len(found) == size
    row = found.loc["mu_theta"]
    draws, before = (shipped_fit[group]["mu_theta"].values for group in ("posterior", "prior"))
    for prefix, values in (("posterior", draws), ("prior", before)):
        assert row[f"{prefix}_mean"] == pytest.approx(values.mean())
        assert row[f"{prefix}_sd"] == pytest.approx(values.std(ddof=1))
        assert row[f"{prefix}_q0.025"] == pytest.approx(np.quantile(values, 0.025))
    assert row["rhat"] < 1.01
    assert min(row["ess_bulk"], row["ess_tail"]) > 400
    assert found.loc["effect[theta: RIOTT]", "prior_note"] == "no prior of its own"


def test_quantiles_of_parameters_have_their_errors(parameters, shipped_fit) -> None:
    """As ArviZ finds them, which counts the effective draws of each quantile by itself."""
    row = parameters.set_index("parameter").loc["mu_theta"]
    for group in ("posterior", "prior"):
        for p in (0.025, 0.5, 0.95):
            expected = quantile_error(shipped_fit[group]["mu_theta"].values, p)
            assert row[f"{group}_mcse_q{p:g}"] == pytest.approx(expected, rel=0.35)


def test_every_row_of_evidence_is_there_with_its_use(evidence, shipped_study) -> None:
    tables = [rows for name, rows in shipped_study.evidence.items() if name != "facts"]
    records = [record for rows in tables for record in rows]
    assert evidence["row"].tolist() == [record.row for record in records]
    used = evidence["use"] == "likelihood"
    numbers = ["observed", "fitted", "residual", "z"]
    assert evidence.loc[used, numbers].notna().all(axis=None)
    assert evidence.loc[~used, numbers].isna().all(axis=None)
    assert (evidence.loc[used, "scale"] != "").all()
    np.testing.assert_allclose(
        evidence.loc[used, "residual"], evidence.loc[used, "observed"] - evidence.loc[used, "fitted"]
    )


def test_no_row_of_evidence_contradicts_the_model(evidence) -> None:
    """Of some 25 standardised residuals none beyond 4, and their squares no more than chi-squared allows."""
    z = evidence["z"].dropna()
    assert z.abs().max() < 4
    assert np.square(z).sum() < 2 * len(z)


def test_fitted_values_and_residuals_are_on_the_observed_scale(evidence, shipped_fit) -> None:
    found = evidence.set_index("row")
    retained = shipped_fit["posterior"]["retention_fitted"].sel(retention_row="germany_2y")
    assert found.loc["germany_2y", "observed"] == 278
    assert found.loc["germany_2y", "fitted"] == pytest.approx(float(retained.median()))
    replicates = shipped_fit["posterior_predictive"]["retention"].sel(retention_row="germany_2y").values
    assert found.loc["germany_2y", "z"] == pytest.approx((278 - replicates.mean()) / replicates.std())


def test_a_row_whose_replications_are_all_the_same_has_no_z(shipped_fit, shipped_study):
    """As where nobody of any cohort stayed in treatment: legal counts."""
    fit = shipped_fit.copy()
    same = fit["posterior_predictive"].to_dataset()
    (name,) = [one for one in same.data_vars if "ret" in str(one)][:1]
    fit["posterior_predictive"] = xr.DataTree(same.assign({name: 0 * same[name]}))
    table = evidence_table(fit, shipped_study, "passed").set_index("row")
    rows = [str(row) for row in same[name].coords[same[name].dims[-1]].values]
    assert table.loc[rows, "z"].isna().all()
    assert table["z"].notna().any()


def _three(first: np.ndarray) -> tuple[xr.Dataset, pd.DataFrame]:
    """Draws in three scenarios and their headline: the first, one of size 1,000, and one a billionth of it about 0."""
    rng = np.random.default_rng(1)
    size = 1000 + rng.normal(size=(4, 250))
    draws = np.stack([first, size, 1e-9 * size * rng.choice([-1, 1], size.shape)], axis=-1)[..., None]
    names = ["same", "new", "tiny"]
    futures = xr.Dataset({"cases": (("chain", "draw", "scenario", "year"), draws)},
                         {"scenario": names, "label": ("scenario", names), "year": [1]},
                         {"words": Words(target="cases").text()})  # fmt: skip
    return futures, headline(futures, "passed")


def test_what_rounding_left_is_told() -> None:
    """Two equal sums of seven numbers in two orders; a billionth in every draw is no rounding."""
    terms = np.random.default_rng(2).gamma(4, 300, size=(4, 250, 7))
    noise = terms.sum(axis=-1) - terms[..., ::-1].cumsum(axis=-1)[..., -1]
    assert 0 < (noise < 0).mean() < 1
    futures, found = _three(noise)
    assert rounded_in(found, "cases", "1") == ["same"]
    assert found["p_negative"].iloc[0] == pytest.approx((noise < 0).mean())  # numbers stay as they are
    assert list(found) == list(HEADLINE_COLUMNS)
    assert atom_lines(found, futures) == []  # it is not "exactly 0 in some draws"
    assert rounding_lines(found, futures) == [f"same: {ROUNDED}."]
    assert 0 < (noise == 0).mean() < 1
    futures["cases"].loc[{"scenario": "tiny", "chain": 0}] = 0
    notes = scale_up(futures, "passed").set_index(["scenario", "year"])["note"]
    assert notes[("same", "1")] == ROUNDED
    assert notes[("tiny", "1")] == GIVEN


@pytest.mark.parametrize("some", [[], [1.0, -1e-13, 1e-13], [-1e-9, 1e-9] * 125], ids=["none", "a draw", "larger"])
def test_what_is_exactly_zero_or_not_small_in_every_draw_is_no_rounding(some: list[float]) -> None:
    draws = np.zeros((4, 250))
    draws[0, : len(some)] = some
    assert rounded_in(_three(draws)[1], "cases", "1") == []


def test_all_of_a_sign_is_no_rounding() -> None:
    assert rounded_in(_three(1e-13 * np.arange(1, 1001).reshape(4, 250))[1], "cases", "1") == []
