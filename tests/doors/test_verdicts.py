"""Draws are judged by what can be judged; what they came without is not available, neither passed nor failed."""

import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayes
from bayes.diagnostics import Check, Verdict

RNG = np.random.default_rng(1)


def _draws(**more):
    data = {"mu": (("chain", "draw"), RNG.normal(size=(4, 1000))), **more}
    return xr.Dataset(data, coords={"chain": range(4), "draw": range(1000)})


def _tree(posterior, **groups):
    return xr.DataTree.from_dict({"posterior": posterior, **groups})


def _result(verdict, name):
    return next(c for c in verdict.checks if c.name == name).result


def test_draws_without_statistics_are_judged_by_the_rest():
    verdict = bayes.check(_tree(_draws()))
    assert verdict.word == "passed"
    assert [c.name for c in verdict.unavailable] == ["divergences", "E-BFMI"]
    assert _result(verdict, "R-hat of parameters") == "passed"
    assert "not available divergences" in str(verdict)
    assert "FAILED" not in str(verdict)
    assert verdict.table()["passed"].isna().sum() == 2


def test_bad_draws_without_statistics_fail_by_name():
    apart = RNG.normal(size=(4, 1000)) + np.arange(4)[:, None]
    verdict = bayes.check(_tree(xr.Dataset({"mu": (("chain", "draw"), apart)})))
    assert verdict.word == "failed"
    with pytest.raises(bayes.CheckFailed, match="R-hat of parameters"):
        verdict.require()
    assert not {"divergences", "E-BFMI"} & {c.name for c in verdict.failures}


@pytest.mark.parametrize(("statistics", "missing"), [
    ({}, {"divergences", "E-BFMI"}),
    ({"diverging": np.zeros((4, 1000), bool)}, {"E-BFMI"}),
    ({"energy": RNG.normal(size=(4, 1000))}, {"divergences"}),
    ({"accept": RNG.uniform(size=(4, 1000))}, {"divergences", "E-BFMI"}),
])  # fmt: skip
def test_each_statistic_stands_for_itself(statistics, missing):
    stats = xr.Dataset({name: (("chain", "draw"), values) for name, values in statistics.items()})
    verdict = bayes.check(_tree(_draws(), sample_stats=stats))
    assert {c.name for c in verdict.unavailable} == missing
    assert verdict.passed


def test_a_divergence_is_still_a_failure():
    stats = xr.Dataset({"diverging": (("chain", "draw"), np.arange(4000).reshape(4, 1000) == 7)})
    assert _result(bayes.check(_tree(_draws(), sample_stats=stats)), "divergences") == "FAILED"


@pytest.mark.parametrize("other", [
    np.full((4, 1000), "left"), np.full((4, 1000), "left", dtype=object),
    np.full((4, 1000), np.datetime64("2026-01-01", "ns")), RNG.normal(size=(4, 1000)) + 1j,
])  # fmt: skip
def test_words_and_dates_beside_numbers_are_named_and_not_judged(other):
    verdict = bayes.check(_tree(_draws(side=(("chain", "draw"), other))))
    assert verdict.passed
    assert "side" in next(c for c in verdict.unavailable if c.name == "other variables").text
    assert bayes.summarise(_draws(side=(("chain", "draw"), other)))["variable"].tolist() == ["mu"]


def test_a_verdict_with_nothing_judged_has_not_passed():
    verdict = Verdict((Check("divergences", None, math.nan, 0.0, "no record"),))
    assert not verdict.passed
    with pytest.raises(bayes.CheckFailed, match="no record"):
        verdict.require()


def test_a_table_of_checks_is_read_back_as_it_was(tmp_path):
    from bayes.report.material import _verdict

    verdict = bayes.check(_tree(_draws()))
    verdict.table().to_csv(tmp_path / "checks.csv", index=False)
    again = _verdict({"checks": pd.read_csv(tmp_path / "checks.csv")}, tmp_path)
    assert [c.passed for c in again.checks] == [c.passed for c in verdict.checks]
