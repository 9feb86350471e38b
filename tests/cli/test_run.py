"""``bayes run`` on the shipped study: the answer, the files, and the same numbers again."""

import io
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rich.console import Console

from bayes.cli import main
from bayes.heroin.study import load_study
from bayes.heroin.words import WORDS
from bayes.netcdf import read_netcdf
from bayes.numbers import compact
from bayes.runfiles import read_futures
from bayes.runs import load_futures
from bayes.terminal import headline_table
from bayes.words import spaced
from tests.conftest import FIRST, SHORT


@pytest.fixture(scope="module")
def headline(shipped_run):
    return pd.read_csv(shipped_run / "tables" / "headline.csv", dtype={"year": str})


def value(table, scenario, year, quantity):
    found = table.query("scenario == @scenario and year == @year and quantity == @quantity")
    assert len(found) == 1
    return found.iloc[0]


def test_verdict_passed_with_no_divergence_and_every_ess_over_400(shipped_run):
    checks = pd.read_csv(shipped_run / "tables" / "checks.csv").set_index("check")
    assert checks["passed"].all()
    assert checks.loc["divergences", "value"] == 0
    parameters = pd.read_csv(shipped_run / "tables" / "parameters.csv")
    for column in ("ess_bulk", "ess_tail"):
        assert parameters[column].min() > 400
    assert parameters["rhat"].max() < 1.01


def test_median_for_ten_thousand_places_lies_where_the_evidence_puts_it(headline):
    """A prototype on the same evidence gave about 0.5 million a year, 95 % from 0.02 to 2.8 million.

    The median may differ by a factor of 2 with the choice of priors that the evidence leaves open.
    """
    row = value(headline, "hardcore", "10", "offences_avoided")
    assert 0.25e6 < row["median"] < 1.0e6
    assert row["lower"] < 0.1e6
    assert 1.4e6 < row["upper"] < 5.6e6
    assert value(headline, "hardcore", "10", "press_arithmetic")["median"] == pytest.approx(
        10_000 * 432 * 0.6, rel=1e-3
    )


def test_range_is_lower_than_the_press_arithmetic_in_every_scenario(headline):
    for scenario in load_study().scenarios:
        assert (
            value(headline, scenario, "10", "offences_avoided")["median"]
            < value(headline, scenario, "10", "press_arithmetic")["median"]
        )


def test_headline_has_the_promised_columns_and_both_units(headline):
    assert list(headline.columns[: len(FIRST)]) == FIRST
    assert set(headline["year"]) == {*(str(y) for y in range(1, 11)), "total"}
    assert {"offences_avoided", "victim_crimes_avoided", "patient_years", "press_arithmetic"} <= set(
        headline["quantity"]
    )
    intervals = headline[headline["kind"] == "eti"]
    assert (intervals["prob"] == 0.95).all()
    undefined = intervals["median"].isna()
    assert intervals.loc[undefined, "note"].str.startswith("undefined").all()
    assert (intervals.loc[~undefined, "lower"] <= intervals.loc[~undefined, "upper"]).all()
    assert (headline["verdict"] == "passed").all()


def test_means_are_there_where_the_variance_is_finite_and_withheld_with_a_reason_elsewhere(headline):
    withheld = headline[headline["note"].fillna("").str.startswith("mean withheld")]
    assert withheld["mean"].isna().all()
    assert set(withheld["quantity"]) <= {"cost_per_offence_avoided", "places_per_1000_offences"}  # infinite draws
    kept = headline[(headline["kind"] == "eti") & headline["mean"].notna()]
    assert (kept["tail_shape"].fillna(-1) <= 0.5).all()
    avoided = headline[headline["quantity"].isin(["offences_avoided", "victim_crimes_avoided", "net_benefit"])]
    assert avoided[["mean", "mcse_mean"]].notna().all(axis=None)
    assert (avoided["tail"] == "finite").all()
    nothing = avoided["tail_shape"] == -np.inf  # years in which no draw avoids anything
    assert (avoided.loc[nothing, ["lower", "upper"]] == 0).all(axis=None)
    assert (avoided.loc[~nothing, "tail_shape"] == 0.4).all()  # of HalfNormal(0.4), by the model


def test_an_atom_is_told_with_its_probability_and_the_range_without_it(headline, shipped_run):
    table = pd.read_csv(shipped_run / "tables" / "scale_up.csv", dtype={"year": str})
    keys = ["scenario", "year", "quantity"]
    some = headline[headline["quantity"].isin(["offences_avoided", "victim_crimes_avoided"])
                    & headline["year"].isin(["10", "total"]) & (headline["p_zero"] > 0)]  # fmt: skip
    assert len(some)
    assert set(map(tuple, table[keys].values)) == set(map(tuple, some[keys].values))
    both = table.merge(headline, on=keys, suffixes=("", "_all"))
    for name in ("p_negative", "p_zero", "p_positive"):
        np.testing.assert_allclose(both[name], both[f"{name}_all"])
    np.testing.assert_allclose(both[["p_negative", "p_zero", "p_positive"]].sum(axis=1), 1)
    draws = read_futures(shipped_run)["offences_avoided"].sel(scenario="hardcore", year=10).values.ravel()
    row = table[(table["scenario"] == "hardcore") & (table["year"] == "10")
                & (table["quantity"] == "offences_avoided")].iloc[0]  # fmt: skip
    found = row[["lower", "median", "upper"]].astype(float)
    np.testing.assert_allclose(found, np.quantile(draws[draws != 0], [0.025, 0.5, 0.975]))


def test_evidence_table_has_every_row_with_its_use_and_residual(shipped_run):
    table = pd.read_csv(shipped_run / "tables" / "evidence.csv").set_index("row")
    study = load_study()
    assert len(table) == sum(len(rows) for name, rows in study.evidence.items() if name != "facts")
    used = table[table["use"] == "likelihood"]
    assert used[["observed", "fitted", "residual"]].notna().all().all()
    np.testing.assert_allclose(used["residual"], used["observed"] - used["fitted"], rtol=1e-12)
    assert table[table["use"] != "likelihood"]["fitted"].isna().all()


def test_manifest_says_what_was_computed_from_what(shipped_run):
    manifest = json.loads((shipped_run / "manifest.json").read_text())
    assert manifest["verdict"] == "passed"
    assert manifest["inputs"] == dict(load_study().hashes)
    assert manifest["seed"] == 20070222
    assert manifest["versions"]["pymc"]
    assert manifest["timings"]
    on_disk = {p.relative_to(shipped_run).as_posix() for p in shipped_run.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(manifest["files"]) == on_disk


def test_fit_opens_with_arviz_and_carries_its_stamp(shipped_run):
    import arviz as az

    fit = az.from_netcdf(shipped_run / "fit.nc")
    assert {"posterior", "prior", "posterior_predictive", "prior_predictive", "log_likelihood", "log_prior",
    "observed_data",
            "constant_data", "sample_stats"} <= set(fit.children)  # fmt: skip
    assert fit.attrs["verdict"] == "passed"
    assert fit.attrs["sampler"] == "numpyro"
    assert len(az.summary(fit, var_names=["mu_theta"], ci_prob=0.95, ci_kind="eti")) == 1


def test_the_same_seed_gives_the_same_numbers_in_another_process(shipped_run, tmp_path):
    code = f"from bayes.cli import main; raise SystemExit(main(['run', '--quiet', '--refit', '--out', {
        str(tmp_path / 'again')!r
    }]))"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    for name in ("fit.nc", "futures.nc"):
        one = read_netcdf(shipped_run / name)
        two = read_netcdf(tmp_path / "again" / name)
        xr.testing.assert_identical(one, two)
    for name in ("headline", "parameters", "evidence", "checks"):
        assert (shipped_run / "tables" / f"{name}.csv").read_bytes() == (
            tmp_path / "again" / "tables" / f"{name}.csv"
        ).read_bytes()


def test_an_unchanged_study_is_not_refitted_and_json_is_one_document_and_nothing_else(
    shipped_run, capsys, tmp_path, no_sampling
):
    assert main(["run", "--quiet", "--json", "--out", str(tmp_path / "json")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "passed"
    assert document["interval"] == {"prob": 0.95, "kind": "eti"}
    table = pd.read_csv(shipped_run / "tables" / "headline.csv")
    assert len(document["headline"]) == len(table)
    assert document["moves_the_answer"]["inputs"][0]["share"] > 0.1


def test_terminal_table_fits_100_columns_and_states_kind_and_probability(shipped_run_said):
    _, text = shipped_run_said
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert text.index("Verdict of the diagnostics: passed") < text.index("Crimes avoided")
    for words in ("95% equal-tailed credible range", "Press sum", "above", "zero", "Stress: 327,000", "Moves it most"):
        assert words in " ".join(text.split())


def test_check_and_project_read_a_run_back_and_a_new_scenario_needs_no_new_fit(
    shipped_run, study_copy, tmp_path, capsys, no_sampling
):
    """The exact posterior of the effects stands among the checks; what was projected before keeps every byte."""
    folder = tmp_path / "copy"
    shutil.copytree(shipped_run, folder)
    checks = pd.read_csv(folder / "tables" / "checks.csv").set_index("check")
    assert checks.loc["effects against quadrature", "threshold"] == 4
    assert main(["check", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "verdict: passed" in said
    assert "effects against quadrature: worst of" in said
    names = re.findall(r"worst [\d.,]+ \((\w+)", said)
    assert len(names) == 8
    for name in names:  # its words stand beside it, where they say more
        words = WORDS.labels.get(name, spaced(name))
        assert words == spaced(name) or f"({name}, {words})" in said
    with (study_copy / "scenarios.toml").open("a") as stream:
        stream.write('\n[scenarios.mine]\nlabel = "20,000 places"\nplaces = 20000\nyears_to_full = 3\n')
    assert main(["project", str(folder), str(study_copy), "--quiet"]) == 0
    before, after = ((run / "tables" / "headline.csv").read_text().splitlines() for run in (shipped_run, folder))
    assert "mine" in set(pd.read_csv(folder / "tables" / "headline.csv")["scenario"])
    assert [line for line in after if not line.startswith("mine,")] == before


def test_a_failed_verdict_is_marked_everywhere_and_can_withhold_the_numbers(tmp_path, capsys):
    """Two chains of 100 draws have an effective sample size below 400: the verdict fails."""
    short = ["run", *SHORT, "--out", str(tmp_path / "short")]
    assert main(short) == 1
    text = capsys.readouterr().out
    assert "failed" in text
    assert "do not use" in text
    for name in ("headline", "parameters", "evidence"):
        table = pd.read_csv(tmp_path / "short" / "tables" / f"{name}.csv")
        assert (table["verdict"] == "failed").all()
    assert json.loads((tmp_path / "short" / "manifest.json").read_text())["verdict"] == "failed"
    assert main([*short, "--require"]) == 1
    assert "withheld" in capsys.readouterr().out
    assert not (tmp_path / "short" / "tables" / "headline.csv").exists()
    assert not (tmp_path / "short" / "futures.nc").exists()


@pytest.mark.parametrize("width", [80, 100])
def test_the_headline_fits_the_terminal(shipped_run, width):
    """Every median and every end of a range stands whole on a line; nothing is cut by an ellipsis."""
    run = load_futures(shipped_run)
    table = pd.read_csv(shipped_run / "tables" / "headline.csv", dtype={"year": str})
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(headline_table(table, run, "passed", width)[0])
    text = console.export_text()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    row = table[(table["scenario"] == "hardcore") & (table["year"] == "10")].set_index("quantity")
    one = row.loc["offences_avoided"]
    assert compact(one["median"], one["mcse_median"]) in text
    assert f"{compact(one['lower'], one['mcse_lower'])} to {compact(one['upper'], one['mcse_upper'])}" in text
    assert ("Press" in text) == (width == 100)
