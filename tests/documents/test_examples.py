"""The worked examples run as printed, on the real sampler, and give the numbers their sources give."""

import runpy
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks" / "examples"
NAMES = ("cost_effectiveness", "dose_response", "retention")


@pytest.fixture(scope="module")
def ran():
    """Each example's names after it has run."""
    return {name: runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__") for name in NAMES}


def median(fit, name, **where):
    return float(fit["posterior"][name].sel(where).median())


def ends(fit, name, **where):
    return fit["posterior"][name].sel(where).quantile([0.025, 0.975]).values


def test_there_are_three_and_each_is_under_60_lines():
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted(NAMES)
    for name in NAMES:
        assert len((FOLDER / f"{name}.py").read_text().splitlines()) < 60


def test_dose_response_agrees_with_the_printed_maximum_likelihood(ran):
    """Dobson and Barnett (2008), Table 7.3: slope 34.27 (se 2.91), and the dose 60.72/34.27.

    The priors hardly matter here (power-scaling says so): medians lie within a quarter of a standard error.
    """
    fit = ran["dose_response"]["fit"]
    assert median(fit, "slope") == pytest.approx(34.27, abs=2.91 / 4)
    assert median(fit, "half_killed") == pytest.approx(60.717 / 34.270, abs=0.0039 / 4)  # se by the delta method


def test_retention_agrees_with_the_printed_curve(ran):
    """Kaplan and Meier's estimate from the same data: 0.753 at 12 weeks on the drug, 14/21 at 4 weeks on placebo."""
    fit = ran["retention"]["fit"]
    for value, week, arm in ((0.753, 12, "drug"), (14 / 21, 4, "placebo"), (4 / 21, 12, "placebo")):
        low, high = ends(fit, "still_in_remission", week=week, arm=arm)
        assert low < value < high
    low, high = ends(fit, "hazard_ratio")
    assert low < np.exp(-1.731) < high  # Weibull maximum likelihood, survreg(): 1.267/0.732 on the log scale


def test_cost_effectiveness_agrees_with_the_book():
    """Briggs, Claxton and Sculpher (2006), ch. 2: 44,663 and 50,602 pounds, 6,276 a year of life, to the pound."""
    names = runpy.run_path(str(FOLDER / "cost_effectiveness.py"))
    moves = [np.array([counts]) / sum(counts) for counts in names["MOVES"].values()]
    (one,), (life,) = names["project"](moves, np.array([1.0]))
    (both,), (more,) = names["project"](moves, np.array([0.509]))
    assert (round(one), round(both)) == (44_663, 50_602)
    assert round((both - one) / (more - life)) == 6_276


def test_a_posterior_of_moves_is_its_closed_form(ran):
    """A flat Dirichlet and multinomial counts: the mean of A to A is (1251 + 1)/(1734 + 4), within 4 errors."""
    draws = ran["cost_effectiveness"]["fit"]["posterior"]["moves_A"][..., 0].values
    from tests.montecarlo import LIMIT, mean_z

    assert abs(mean_z(draws, 1252 / 1738)) < LIMIT
