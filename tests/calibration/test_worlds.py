"""Stress: exact where the posterior is known; the same bytes however the work is done."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

import bayes
from bayes import Distortion
from bayes.calibration import replicates, sbc, stress
from bayes.errors import UsageError
from bayes.question import together

Y = np.array([0.4, -0.2, 1.1])
PRECISION = 1 / 4 + 3
SD = PRECISION**-0.5
N = 100
QUICK = {"draws": 250, "tune": 250}


def normal_model():
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 2)
        pm.Deterministic("twice", 2 * mu)
        pm.Normal("y", mu, 1, observed=Y, dims=None)
    return model


def shifted(d):
    """Data that lie d posterior standard deviations too high: the posterior mean moves by 3 d sd / precision."""
    return Distortion(name=f"{d}", data={"y": lambda y: y + d * SD})


@pytest.fixture(scope="module")
def fit():
    return bayes.sample(normal_model(), draws=1000, tune=500, chains=2, rng=2)


@pytest.fixture(scope="module")
def table(fit):
    return stress(normal_model(), fit, [shifted(1.5), shifted(4.0)], "mu", simulations=N, rng=3, **QUICK)


def exact(prob, d):
    """Coverage: truths are N(m, sd) of the posterior, simulated means N(truth, 1/3), the refit's mean 3 ybar/precision.

    Its error is (3/precision - 1) truth + 3 noise/precision + 3 d sd/precision, normal with the moments below.
    """
    shrink, m = 3 / PRECISION, Y.sum() / PRECISION
    mean = (shrink - 1) * m + shrink * d * SD
    spread = np.hypot((shrink - 1) * SD, shrink / np.sqrt(3))
    half = stats.norm.ppf((1 + prob) / 2) * SD
    return stats.norm.cdf(half, mean, spread) - stats.norm.cdf(-half, mean, spread), mean


@pytest.mark.parametrize(("row", "d"), [(0, 0.0), (1, 1.5), (2, 4.0)])
def test_coverage_and_error_of_the_median_are_those_of_the_closed_form(table, row, d):
    """Within 4 errors: six coverages and three medians exceed that once in 1,700 seeds. Ends of intervals of 500 draws
    add half of the error of a coverage of .5 at the most (their own is .02)."""
    found = table.iloc[row]
    for prob in (50, 95):
        truth, _ = exact(prob / 100, d)
        error = np.hypot(np.sqrt(truth * (1 - truth) / N), 0.01)
        assert abs(found[f"coverage_{prob}"] - truth) < 4 * error
    assert abs(found["difference"] - exact(0.5, d)[1]) < 4 * found["mcse_difference"]
    assert np.isnan(found["ratio"]) == (np.mean(stats.norm(Y.sum() / PRECISION, SD).sf(0)) < 0.9)


def test_truths_that_are_moved_move_what_follows_from_them(fit):
    """A world whose mean is 10 lower and where data say so: nothing is hidden, the median follows by 3/precision."""
    lower = Distortion(name="lower", truths={"mu": lambda mu: mu - 10})
    found = stress(normal_model(), fit, [lower], "twice", simulations=20, rng=3, **QUICK)
    moved = found["difference"].iloc[1] - found["difference"].iloc[0]
    assert moved == pytest.approx(2 * 10 * (1 - 3 / PRECISION), abs=0.1)  # the same noise: only the draws differ


def test_worlds_with_the_same_data_are_fitted_once(fit, monkeypatch):
    told = []
    real = replicates._one
    monkeypatch.setattr(replicates, "_one", lambda *one: told.append(1) or real(*one))
    monkeypatch.setattr(replicates.cache, "kept", lambda kind, name: None)  # of an earlier run of this test
    same = Distortion(name="same", data={"y": 1.0})
    found = stress(normal_model(), fit, [same], "mu", simulations=10, rng=987, **QUICK)
    assert len(told) == 10
    assert found.iloc[0]["coverage_50"] == found.iloc[1]["coverage_50"]


def test_of_several_attempts_one_is_published():
    with pm.Model(coords={"row": ["a", "b"]}) as model:
        pm.Normal("y", pm.Normal("mu", 0, 1), 1, observed=[0.1, 0.9], dims="row")
    fit = bayes.sample(model, draws=200, tune=200, chains=2, rng=2)
    seen = []

    def least(y):
        seen.append(y)
        return y.where(y["row"] != "b", y.min("attempt"))

    stress(model, fit, [Distortion(name="s", data={"y": least}, attempts=3)], "mu", simulations=4, rng=1, **QUICK)
    assert seen[0].dims == ("draw", "attempt", "row")
    assert seen[0].sizes["attempt"] == 3


def test_together_is_one_after_the_other_and_counts_stay_counts(fit):
    both = together("both", "both", [shifted(1.0), Distortion(name="x", data={"y": 2.0}, attempts=2)])
    assert both.data["y"](np.array(0.0)) == pytest.approx(2 * SD)
    assert both.attempts == 2
    with pm.Model() as model:
        pm.Poisson("n", pm.Gamma("rate", 2, 1), observed=[3, 5])
    own = bayes.sample(model, draws=200, tune=200, chains=2, rng=2)
    table = stress(model, own, [Distortion(name="h", data={"n": 0.5})], "rate", simulations=4, rng=1, **QUICK)
    assert table["ratio"].iloc[1] < table["ratio"].iloc[0]


@pytest.mark.parametrize(
    ("distortion", "says"),
    [
        (Distortion(name="a", truths={"my": 2.0}), "free variable"),
        (Distortion(name="a", data={"x": 2.0}), "observed variable"),
        (Distortion(name="as fitted", data={"y": 2.0}), "same name"),
        (Distortion(name="a", data={"y": lambda y: y.sum("draw")}), "shape"),
    ],
)
def test_what_cannot_be_is_refused_before_any_fit(fit, distortion, says, monkeypatch):
    monkeypatch.setattr(replicates, "_one", None)
    with pytest.raises(UsageError, match=says):
        stress(normal_model(), fit, [distortion], "mu", simulations=3)


def test_a_distortion_changes_something():
    with pytest.raises(UsageError, match="changes nothing"):
        Distortion(name="a")


# --- however it is done, the same numbers -----------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BAYES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(replicates, "AT_ONCE", 5)


def test_work_that_was_interrupted_goes_on_and_ends_in_the_same_bytes(fit, cache, monkeypatch):
    def run():
        return stress(normal_model(), fit, [shifted(1.5)], "mu", simulations=10, rng=11, **QUICK).to_csv()

    told, real = [], replicates._one

    def counted(*one):
        told.append(1)
        if len(told) == 13:
            raise KeyboardInterrupt
        return real(*one)

    monkeypatch.setattr(replicates, "_one", counted)
    with pytest.raises(KeyboardInterrupt):
        run()
    done = run()
    assert len(told) == 13 + 10  # of 20, ten were finished
    monkeypatch.setattr(replicates.cache, "kept", lambda *entry: None)
    assert run() == done


def test_one_and_two_processes_and_this_one_give_the_same_bytes(monkeypatch):
    """Nothing is read from disk, so that each fits all of them."""
    monkeypatch.setattr(
        replicates.cache,
        "kept",
        lambda kind, name, real=replicates.cache.kept: None if kind == "replicates" else real(kind, name),
    )
    found = [sbc(normal_model(), 20, rng=6, jobs=jobs, **QUICK).to_csv() for jobs in (None, 1, 2)]
    assert found[0] == found[1] == found[2]


def test_progress_says_how_many_are_done_and_of_how_many(fit):
    told = []
    stress(normal_model(), fit, [], "mu", simulations=12, rng=5, advance=lambda *n: told.append(n), **QUICK)
    assert told[0][1] == 12
    assert told[-1] == (12, 12)


# --- posterior calibration ---------------------------------------------------------------------


def test_truths_of_the_posterior_are_uniform_among_fits_to_both_data_sets(fit):
    """mu | y, y' is normal with precision 1/4 + 6: each rank is binomial about its exact probability."""
    from bayes.calibration.simulated import drawn_given, posterior_truths

    ranks = sbc(normal_model(), 60, posterior=fit, rng=6, **QUICK)
    truths = posterior_truths(normal_model(), fit, 60, 6)
    data = drawn_given(normal_model(), truths, 6)
    precision = 1 / 4 + 6
    laws = stats.norm((Y.sum() + data["y"].sum(axis=1)) / precision, precision**-0.5)
    mu = ranks[ranks["quantity"] == "mu"]
    p = laws.cdf(truths["mu"])
    error = np.sqrt(np.maximum(p * (1 - p), 0.01) / 99)
    assert np.max(np.abs(mu["rank"].to_numpy() / 99 - p) / error) < 4
