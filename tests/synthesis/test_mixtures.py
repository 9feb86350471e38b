"""Mixtures as priors: closed forms of conjugate families, and the predictive law they are fitted to."""

import tomllib

import numpy as np
import pytest
from scipy import integrate, stats

from bayes.errors import UsageError
from bayes.priors import parse_prior
from bayes.synthesis.exact import exact_posterior
from bayes.synthesis.mixtures import MixturePrior, beta_mixture, normal_mixture, robust
from bayes.synthesis.priors import mean_law, spread_law
from tests.synthesis.bcg import bcg

BETA = MixturePrior("Beta", np.array([0.8, 0.2]), np.array([10.0, 1.0]), np.array([2.0, 1.0]))
NORMAL = MixturePrior("Normal", np.array([0.8, 0.2]), np.array([-0.5, 0.0]), np.array([0.2, 2.0]))


def test_counts_update_a_mixture_as_integration_does():
    after = BETA.updated_by_counts(3, 20)
    x = np.array([0.1, 0.2, 0.4])
    total = integrate.quad(lambda p: np.exp(BETA.logpdf(p)) * stats.binom(20, p).pmf(3), 0, 1, epsrel=1e-12)[0]
    direct = np.exp(BETA.logpdf(x)) * stats.binom(20, x).pmf(3) / total
    assert np.exp(after.logpdf(x)) == pytest.approx(direct, rel=1e-9)


def test_a_normal_estimate_updates_a_mixture_as_integration_does():
    after = NORMAL.updated_by_normal(0.4, 0.3)
    x = np.array([-0.4, 0.1, 0.6])
    total = integrate.quad(lambda t: float(np.exp(NORMAL.logpdf(t))) * stats.norm(t, 0.3).pdf(0.4), -9, 9,
                           points=[-0.5, 0, 0.4], epsrel=1e-11)[0]  # fmt: skip
    assert np.exp(after.logpdf(x)) == pytest.approx(np.exp(NORMAL.logpdf(x)) * stats.norm(x, 0.3).pdf(0.4) / total,
                                                    rel=1e-8)  # fmt: skip


@pytest.mark.parametrize("method", ["elir", "moment"])
def test_one_part_is_worth_its_parameters(method):
    """Beta(a, b) is worth a + b people; Normal(m, s) (sigma / s)^2: Neuenschwander et al. 2020, Section 2."""
    assert MixturePrior("Beta", np.ones(1), np.array([7.0]), np.array([13.0])).effective_size(method) == pytest.approx(
        20, rel=1e-6)  # fmt: skip
    one = MixturePrior("Normal", np.ones(1), np.array([1.0]), np.array([0.5]))
    assert one.effective_size(method, sigma=5) == pytest.approx(100, rel=1e-6)


AS = MixturePrior("Beta", np.array([0.4612914, 0.1917812, 0.1893896, 0.1575378]),
                  np.array([33.9513487, 19.4400089, 12.2692310, 2.2521243]),
                  np.array([103.0146367, 41.5205219, 55.9202833, 5.4812202]))  # fmt: skip
"""The prior that the article "RBesT for a Binary Endpoint" of RBesT 1.9-0 prints for ankylosing spondylitis."""


def test_effective_sizes_are_those_that_rbest_prints():
    """RBesT 1.9-0, reference/ess.html (bmix, nmix) and articles/introduction.html (38, 24, 95, 27)."""
    rob = MixturePrior("Beta", np.array([0.2, 0.8]), np.array([1.0, 10.0]), np.array([1.0, 2.0]))
    for method, printed in (("elir", 7.65152), ("moment", 3.161034), ("morita", 8.487603)):
        assert rob.effective_size(method) == pytest.approx(printed, abs=6e-6 if method != "moment" else 6e-7)
    wide = MixturePrior("Normal", np.array([0.5, 0.5]), np.array([0.0, 3.0]), np.array([2.0, 4.0]))
    assert wide.effective_size("elir", 10) == pytest.approx(10.82796, abs=6e-6)
    assert wide.effective_size("moment", 10) == pytest.approx(8.163265, abs=6e-7)
    assert wide.effective_size("elir", 20) == pytest.approx(43.31185, abs=6e-6)
    assert [round(AS.effective_size(method)) for method in ("elir", "moment", "morita")] == [38, 24, 95]
    assert round(robust(AS, 0.2, (1, 1)).effective_size("elir")) == 27
    assert round(MixturePrior("Beta", np.ones(1), np.array([5.0]), np.array([15.0])).effective_size("morita")) == 20
    assert AS.moments() == pytest.approx((0.25545885, 0.08662045), abs=1e-7)


def test_the_expected_information_ratio_against_numerical_derivatives():
    def ratio(x, h=1e-4):
        second = (NORMAL.logpdf(x + h) - 2 * NORMAL.logpdf(x) + NORMAL.logpdf(x - h)) / h**2
        return float(-second * 9 * np.exp(NORMAL.logpdf(x)))

    direct = integrate.quad(ratio, -12, 12, points=[-1.2, -0.5, 0.2], limit=200)[0]
    assert NORMAL.effective_size("elir", sigma=3) == pytest.approx(direct, rel=1e-5)


def test_a_new_setting_of_the_bcg_trials_is_a_mixture_of_a_few():
    """Distribution functions within 0.002 of each other everywhere; means and sds within a hundredth of the sd."""
    found = exact_posterior(bcg(), mean_law("Normal(0, 2)"), spread_law("HalfNormal(0.5)"), trials=False)
    place = found.places["theta_new"].start
    fitted = normal_mixture(found.quantiles("theta_new", ((np.arange(999) + 0.5) / 999).tolist())[0])
    x = np.linspace(-3, 2, 21)
    exact = np.array([found.mixture.cdf(one)[place] for one in x])
    assert fitted.cdf(x) == pytest.approx(exact, abs=2e-3)
    new = found.numbers["theta_new"]
    assert fitted.moments() == pytest.approx((float(new["mean"]), float(new["sd"])), abs=0.02 * float(new["sd"]))


def test_beta_parts_are_found_again():
    p = (np.arange(999) + 0.5) / 999
    fitted = beta_mixture(stats.beta(8, 24).ppf(p), 1)
    assert [fitted.a[0], fitted.b[0]] == pytest.approx([8, 24], rel=0.01)


def test_a_robust_prior_reads_back_and_is_worth_less():
    wide = robust(MixturePrior("Normal", np.ones(1), np.array([-0.5]), np.array([0.2])), 0.2, (0.0, 2.0))
    law = mean_law(wide.text())
    assert law.weight.tolist() == [0.8, 0.2]
    assert law.precision**-0.5 == pytest.approx([0.2, 2.0])
    assert wide.effective_size("elir", sigma=1) < 25
    with pytest.raises(UsageError, match="depends on what one"):
        wide.effective_size("elir")
    assert "pm.NormalMixture" in wide.pymc("effect")
    declared = tomllib.loads(wide.toml("effect", "log ratio", "the effect in a new setting"))["effect"]
    assert parse_prior("effect", declared).parameters["sigma"] == (0.2, 2.0)
