"""Simulation-based calibration: exact where the posterior is known, silent on right models, loud on wrong ones."""

import numpy as np
import pymc as pm
import pytest
from pymc.distributions.transforms import ordered
from scipy import stats

from bayes.calibration import LOG_LIKELIHOOD, sbc, simulate, uniformity
from bayes.calibration.simulated import conditioned
from bayes.errors import UsageError

Y = np.array([0.4, -0.2, 1.1])
SHORT = {"draws": 250, "tune": 250}


def normal_model(sd=1.0):
    with pm.Model() as model:
        mu = pm.Normal("mu", 0, 2)
        pm.Normal("y", mu, sd, observed=Y)
    return model


@pytest.fixture(scope="module")
def ranks():
    return sbc(normal_model(), 60, rng=6, **SHORT)


def test_ranks_are_those_of_the_closed_form(ranks):
    """mu | y is normal with precision 1/4 + 3 and mean sum(y)/precision: rank/99 estimates its distribution function.

    Each rank is binomial about the exact probability (99 thinned draws, a little dependent: 4 standard errors, which
    60 binomials exceed once in 300 seeds).
    """
    _, data = simulate(normal_model(), 60, rng=6)
    precision = 1 / 4 + 3
    exact = stats.norm(data["y"].sum(axis=1) / precision, precision**-0.5)
    mu = ranks[ranks["quantity"] == "mu"]
    p = exact.cdf(mu["truth"].to_numpy())
    error = np.sqrt(np.maximum(p * (1 - p), 0.01) / 99)
    assert np.max(np.abs(mu["rank"].to_numpy() / 99 - p) / error) < 4


def test_simulated_truths_and_data_have_their_joint_distribution():
    """20,000 pairs: the closed-form posterior puts uniform probability below the truth (no sampler involved)."""
    truths, data = simulate(normal_model(), 20_000, rng=4)
    u = stats.norm(data["y"].sum(axis=1) / 3.25, 3.25**-0.5).cdf(truths["mu"])
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    assert truths["mu"].std() == pytest.approx(2, rel=4 / np.sqrt(2 * 20_000))  # 4 standard errors


def test_a_right_model_is_uniform(ranks):
    table = uniformity(ranks)
    assert set(table["quantity"]) == {"mu", LOG_LIKELIHOOD}
    assert table["uniform"].all(), table
    assert (ranks["divergences"] == 0).all()


def test_a_posterior_too_narrow_or_shifted_is_found(ranks):
    """Ranks of a posterior with half the sd, or moved by one sd, follow from the exact ones by the normal scores."""
    mu = ranks[ranks["quantity"] == "mu"]
    z = stats.norm.ppf((mu["rank"].to_numpy() + 0.5) / 100)
    narrow = mu.assign(rank=np.floor(100 * stats.norm.cdf(2 * z)).astype(int))
    shifted = mu.assign(rank=np.floor(100 * stats.norm.cdf(z + 1)).astype(int))
    assert "too narrow" in uniformity(narrow)["says"].iloc[0]
    assert "too low" in uniformity(shifted)["says"].iloc[0]


@pytest.mark.parametrize("n", [20, 100])
def test_both_scores_are_standard_normal_of_few_simulations_too(n):
    """300 quantities with uniform ranks: Kolmogorov and Smirnov's p below 1e-4 once in 10,000 seeds."""
    import pandas as pd

    ranks = np.random.default_rng(n).integers(100, size=300 * n)
    table = uniformity(pd.DataFrame({"quantity": np.repeat(np.arange(300), n), "rank": ranks, "draws": 99}))
    for column in ("z_location", "z_spread"):
        assert stats.kstest(table[column], "norm").pvalue > 1e-4


def test_only_the_log_likelihood_finds_a_posterior_that_ignores_the_data():
    """Truths ranked among prior draws: mu is uniform, the likelihood is not (Modrák et al. 2023)."""
    rng, model = np.random.default_rng(8), normal_model()
    truths, data = simulate(model, 200, rng=9)
    other = rng.normal(0, 2, size=(200, 99))

    def score(mu):
        return stats.norm.logpdf(data["y"][:, None, :], mu[..., None]).sum(-1)

    import pandas as pd

    true = score(truths["mu"][:, None])
    ranks = pd.concat([
        pd.DataFrame({"quantity": "mu", "rank": (other < truths["mu"][:, None]).sum(1), "draws": 99}),
        pd.DataFrame({"quantity": LOG_LIKELIHOOD, "rank": (score(other) < true).sum(1), "draws": 99}),
    ])  # fmt: skip
    assert uniformity(ranks)["uniform"].tolist() == [True, False]


def test_data_that_are_data_variables_of_the_model_are_set_too():
    with pm.Model() as model:
        y = pm.Data("counts", np.array([3, 5]))
        rate = pm.Gamma("rate", 2, 1)
        pm.Poisson("y", rate, observed=y)
    again, slots = conditioned(model)
    slots["y"].set_value(np.array([7, 9], dtype=slots["y"].dtype))
    assert float(again.compile_logp()({"rate_log__": 0.0})) != float(model.compile_logp()({"rate_log__": 0.0}))
    assert model["counts"].get_value().tolist() == [3, 5]
    assert uniformity(sbc(model, 20, rng=1, **SHORT))["uniform"].all()


def test_deterministic_quantities_may_be_ranked():
    with pm.Model(coords={"arm": ["a", "b"]}) as model:
        mu = pm.Normal("mu", 0, 1, dims="arm")
        pm.Deterministic("gap", mu[1] - mu[0])
        pm.Normal("y", mu, 1, observed=[0.1, 0.9], dims="arm")
    found = sbc(model, 2, quantities=["gap", "mu"], rng=2, **SHORT)
    assert list(found["quantity"].unique()) == ["gap", "mu[a]", "mu[b]", LOG_LIKELIHOOD]


def test_errors_say_what_to_do():
    with pm.Model() as empty:
        pm.Normal("mu", 0, 1)
    with pytest.raises(UsageError, match="no observed variable, so that no data can be simulated"):
        sbc(empty)
    with normal_model() as odd:
        pm.Potential("p", odd["mu"] ** 2)
    with pytest.raises(UsageError, match="potential"):
        sbc(odd)
    with pytest.raises(UsageError, match="no prior to draw"):
        sbc(normal_model(), quantities=["nu"])
    with pytest.raises(UsageError, match="too few draws"):
        sbc(normal_model(), draws=40)
    with pytest.raises(UsageError, match="whole number"):
        simulate(normal_model(), 0)


@pytest.mark.parametrize("improper", [pm.Flat, lambda name: pm.ICAR(name, W=np.array([[0, 1], [1, 0]]))])
def test_what_cannot_be_drawn_is_named(improper):
    with pm.Model() as model:
        near, level = improper("near"), pm.Normal("level")
        pm.Normal("y", level + near.sum(), 1, observed=Y)
    with pytest.raises(UsageError, match="near"):
        simulate(model, 3, rng=1)


def test_observed_values_that_enter_a_distribution_are_refused():
    """Data simulated from such a model would be fitted by another: a right posterior would be called wrong."""
    with pm.Model() as model:
        y = pm.Data("heights", [1.0, 2.0, 4.0])
        mu = pm.Normal("mu", 0, y.std())
        pm.Normal("y", mu, 1, observed=y)
    with pytest.raises(UsageError, match=r"heights[\s\S]*used by mu'"):
        sbc(model, 20, draws=100, tune=100)


def test_the_length_of_observed_data_is_no_such_use():
    with pm.Model() as model:
        y = pm.Data("heights", [1.0, 2.0, 4.0], dims="row")
        pm.Normal("y", pm.Normal("mu", 0, 1), 1, observed=y, shape=y.shape)
    assert len(sbc(model, 2, draws=100, tune=100, rng=1)) == 4


def test_data_that_only_ordered_truths_allow_are_simulated():
    """Cut points are ordered by their transform alone: data are drawn given those that are, as others have none."""
    with pm.Model() as model:
        cut = pm.Normal("cut", np.array([-1.0, 1.0]), 1.5, transform=ordered, initval=[-1.0, 1.0])
        below = pm.math.sigmoid(cut)
        shares = pm.math.stack([below[0], below[1] - below[0], 1 - below[1]])
        pm.Multinomial("answers", 20, shares, observed=[5, 8, 7])
    truths, data = simulate(model, 200, rng=1)
    assert (np.diff(truths["cut"]) > 0).all()
    assert (data["answers"].sum(1) == 20).all()
    expected = 20 / (1 + np.exp(-truths["cut"][:, 0]))
    assert np.corrcoef(expected, data["answers"][:, 0])[0, 1] > 0.9
