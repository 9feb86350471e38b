"""The quadrature where prior and data disagree: against a brute sum over a dense grid in log tau.

The sum (Simpson's rule) shares no code with the package: rows enter one after another, each by its predictive density,
and the distribution functions are averages over the grid.
"""

import numpy as np
import pytest
from scipy import stats

from bayes.priortext import prior_from_text
from bayes.synthesis import LogRatios
from bayes.synthesis.exact import PRECISION, exact_posterior

GRID = 40_001
CLOSE = 2e-6
"""The grid's own error is below 1e-6 of a posterior sd in these cases (doubling it was tried)."""

FAMILIES = {
    "HalfNormal": lambda s: (f"HalfNormal({s!r})", stats.halfnorm(scale=s)),
    "HalfCauchy": lambda s: (f"HalfCauchy({s!r})", stats.halfcauchy(scale=s)),
    "Exponential": lambda s: (f"Exponential({1 / s!r})", stats.expon(scale=s)),
    "LogNormal": lambda s: (f"LogNormal({np.log(s).item()!r}, 0.5)", stats.lognorm(0.5, scale=s)),
    "Gamma": lambda s: (f"Gamma(2, {2 / s!r})", stats.gamma(2, scale=s / 2)),
    "Uniform": lambda s: (f"Uniform(0, {2 * s!r})", stats.uniform(0, 2 * s)),
}


def brute(y, se, m0, s0, prior):
    """Grid of tau, its posterior mass, and mean and sd of mu given tau: a Kalman filter over the rows."""
    top = min(np.log(max(se.max(), np.abs(y - m0).max(), s0)) + 12, np.log(prior.support()[1]) - 1e-12)
    x = np.linspace(np.log(se.min()) - 20, top, GRID)
    for _ in range(4):  # zoom in on where the mass of tau and of its square is
        tau = np.exp(x)
        mean, variance = np.full_like(tau, m0), np.full_like(tau, s0**2)
        logs = prior.logpdf(tau) + x
        for one, error in zip(y, se, strict=True):
            total = variance + tau**2 + error**2
            logs = logs - (np.log(2 * np.pi * total) + (one - mean) ** 2 / total) / 2
            gain = variance / total
            mean, variance = mean + gain * (one - mean), variance * (1 - gain)
        kept = np.flatnonzero((logs > logs.max() - 40) | (logs + 2 * x > (logs + 2 * x).max() - 40))
        if len(kept) > 0.9 * GRID:
            break
        x = np.linspace(x[max(kept[0] - 1, 0)], x[min(kept[-1] + 1, GRID - 1)], GRID)
    mass = np.exp(logs - logs.max()) * np.where(np.arange(GRID) % 2, 4, 2)  # Simpson
    mass[[0, -1]] /= 2
    return tau, mass / mass.sum(), mean, np.sqrt(variance)


def cases(count, seed):
    rng = np.random.default_rng(seed)
    for i in range(count):
        n = int(rng.integers(2, 41)) if i % 4 else 2
        se = rng.uniform(0.05, 0.5, n) * 10.0 ** rng.choice([-3, 0, 0, 0, 2])
        spread = float(np.median(se)) * rng.choice([0.0, 0.3, 1.0, 10.0, 60.0])
        y = rng.normal(rng.normal() * se.max(), np.hypot(spread, se))
        m0, s0 = (0.0, 2.0) if i % 3 else (float(20 * se.max()), float(se.max()))  # every third: mu in conflict
        scale = max(spread, float(np.median(se))) * 10.0 ** rng.uniform(-2, 2)
        yield y, se, m0, s0, list(FAMILIES)[i % len(FAMILIES)], float(scale)


CASES = list(cases(36, 20260214))


@pytest.mark.parametrize("number", range(len(CASES)))
def test_any_data_against_a_dense_grid(number):
    y, se, m0, s0, family, scale = CASES[number]
    text, prior = FAMILIES[family](scale)
    rows = LogRatios(tuple(f"t{i}" for i in range(len(y))), y, se)
    found = exact_posterior(rows, prior_from_text("mu", f"Normal({m0!r}, {s0!r})", "log ratio"),
                            prior_from_text("tau", text, "log sd"))  # fmt: skip
    assert found.converged
    assert found.change < PRECISION
    tau, mass, mean, sd = brute(y, se, m0, s0, prior)
    ours = found.numbers
    center = mass @ tau
    spread = np.sqrt(mass @ (tau - center) ** 2)
    assert ours["tau"]["mean"] == pytest.approx(center, abs=CLOSE * spread)
    assert ours["tau"]["sd"] == pytest.approx(spread, rel=2e-4 if family == "HalfCauchy" else CLOSE * 10)
    assert ours["mu"]["mean"] == pytest.approx(mass @ mean, abs=CLOSE * float(ours["mu"]["sd"]))
    even = mass[::2].copy()
    even[1:-1] /= 2
    below = np.concatenate([[0], np.cumsum(even[:-1] + mass[1::2] + even[1:])])
    for key, p in (("q2.5", 0.025), ("q50", 0.5), ("q97.5", 0.975)):
        assert np.interp(ours["tau"][key], tau[::2], below) == pytest.approx(p, abs=CLOSE * 50)  # linear between
        assert mass @ stats.norm.cdf(ours["mu"][key], mean, sd) == pytest.approx(p, abs=CLOSE)
        assert mass @ stats.norm.cdf(ours["theta_new"][key], mean, np.hypot(sd, tau)) == pytest.approx(p, abs=CLOSE)


@pytest.mark.parametrize(
    ("size", "prior", "tau", "new"),
    [(7.5, "HalfNormal(0.5)", (2.51, 2.94, 3.46), 6.17), (4.0, "HalfNormal(0.1)", (0.88, 0.97, 1.08), 2.07)],
)
def test_a_scale_many_prior_deviations_out(size, prior, tau, new):
    """Six trials in two camps: an independent grid's numbers, two decimals."""
    rows = LogRatios(tuple("ABCDEF"), np.array([-size, size] * 3), np.full(6, 0.1))
    found = exact_posterior(
        rows, prior_from_text("mu", "Normal(0, 2)", "log ratio"), prior_from_text("tau", prior, "log sd")
    )
    assert [float(found.numbers["tau"][k]) for k in ("q2.5", "q50", "q97.5")] == pytest.approx(list(tau), abs=0.006)
    assert float(found.numbers["theta_new"]["q97.5"]) == pytest.approx(new, abs=0.006)
    assert found.converged


@pytest.mark.parametrize(
    "prior",
    ["HalfNormal(1e-12)", "Gamma(0.01, 0.01)", "LogNormal(-1, 50)", "LogNormal(-30, 1)", "Uniform(0.3, 0.30001)"],
)
def test_spikes_and_priors_of_many_orders_of_magnitude_converge(prior):
    rows = LogRatios(tuple("ABCDEF"), np.array([-0.5, -0.2, 0.1, -0.4, -0.9, -0.3]), np.full(6, 0.2))
    mu, tau = prior_from_text("mu", "Normal(0, 2)", "log ratio"), prior_from_text("tau", prior, "log sd")
    found = exact_posterior(rows, mu, tau)
    assert found.converged
    if tau.family in ("HalfNormal", "LogNormal") and float(found.numbers["tau"]["q97.5"]) < 1e-9:
        common = exact_posterior(rows, mu, None)  # a scale that is nothing is a common effect
        assert found.numbers["mu"]["sd"] == pytest.approx(float(common.numbers["mu"]["sd"]), rel=1e-9)
        assert found.log_evidence == pytest.approx(common.log_evidence, abs=1e-9)


def test_a_density_the_rule_cannot_resolve_is_not_called_exact():
    """Beta(0.5, 0.5) is infinite at 1: the halved panels still move a number, and it is said."""
    rows = LogRatios(("a", "b", "c"), np.array([-2.0, 0.1, 1.4]), np.full(3, 0.2))
    found = exact_posterior(
        rows, prior_from_text("mu", "Normal(0, 2)", "log ratio"), prior_from_text("tau", "Beta(0.5, 0.5)", "log sd")
    )
    assert not found.converged
    assert found.change > PRECISION
