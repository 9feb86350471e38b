"""Tails: what draws tell of them, what the model tells, and that a mean covers with its error where one is printed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bayes.summaries import summarise
from bayes.tails import FINITE, HEAVY, UNJUDGED, Tail, atoms_of, exponential_shape, judge_tail
from tests.test_summaries import dataset

LIGHT = {"normal": stats.norm(), "far from zero": stats.norm(30, 1), "exponential": stats.expon(),
         "lognormal": stats.lognorm(0.5), "uniform": stats.uniform(), "counts": stats.poisson(0.1),
         "many counts": stats.poisson(40), "share": stats.beta(2, 3)}  # fmt: skip


def outcome(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draws shaped as those of the shipped outcomes: effect and drift of a new setting, tau ~ HalfNormal(0.4)."""
    ratio = np.exp(rng.normal(-0.7, 0.15, n) + rng.normal(size=n) * np.abs(rng.normal(0, 0.4, n)))
    drift = np.exp(rng.normal(-0.4, 0.1, n) + rng.normal(size=n) * np.abs(rng.normal(0, 0.4, n)))
    size = rng.lognormal(0, 0.5, n) * np.exp(rng.normal(0, 1, n)).clip(0, 3)
    return np.where(rng.random(n) < 0.016, 0.0, drift * (1 - ratio) * size)


@pytest.mark.parametrize("name", LIGHT)
@pytest.mark.parametrize("sign", [1, -1])
def test_light_tails_are_finite(name: str, sign: int) -> None:
    rng = np.random.default_rng(1)
    words = [judge_tail(sign * LIGHT[name].rvs((4, 1000), random_state=rng)).word for _ in range(20)]
    assert words == [FINITE] * 20


@pytest.mark.parametrize("atom", [0.0, 0.01, 0.4])
@pytest.mark.parametrize("shape", [1.0, 1.5])
@pytest.mark.parametrize("sign", [1, -1])
def test_heavy_tails_are_told_beside_atoms_too(atom: float, shape: float, sign: int) -> None:
    rng = np.random.default_rng(2)
    draws = sign * stats.genpareto(shape).rvs(8000, random_state=rng)
    found = judge_tail(np.where(rng.random(8000) < atom, 0.0, draws))
    assert found.word == HEAVY
    assert not found.sound
    assert ("no finite mean" in found.why) == (found.shape > 1)


@pytest.mark.parametrize("shape", [0.3, 0.45, 0.55])
def test_draws_near_the_limit_are_not_called_heavy(shape: float) -> None:
    """One-sided 95 %: at a finite variance at most 5 % of samples of 4,000, and some for the bias of a fit."""
    rng = np.random.default_rng(3)
    words = [judge_tail(stats.genpareto(shape).rvs(4000, random_state=rng)).word for _ in range(100)]
    assert words.count(HEAVY) <= (6 if shape < 0.5 else 20)
    assert UNJUDGED in words


def test_an_atom_between_gains_and_rare_harms_is_no_heavy_tail() -> None:
    """Gains, 1.6 % exactly nothing and 2.4 % harms: one tail of all three looks as if it had no variance."""
    draws = outcome(4000, np.random.default_rng(4))
    from bayes.arraystats import array_stats

    mixed = float(array_stats.pareto_khat(draws[None], chain_axis=0, draw_axis=1, r_eff=1.0, tail="left"))
    assert mixed > 0.7
    assert judge_tail(draws).word != HEAVY
    assert atoms_of(draws).tolist() == [0.0]


@pytest.mark.parametrize(("family", "parameters", "shape"), [
    ("HalfNormal", {"sigma": 0.4}, 0.4), ("pymc.TruncatedNormal", {"mu": 0.1, "sigma": 0.3, "lower": 0}, 0.3),
    ("pymc.TruncatedNormal", {"mu": 0.1, "sigma": 0.3, "lower": 0, "upper": 2}, 0.0),
    ("Uniform", {"lower": 0, "upper": 3}, 0.0), ("pymc.Weibull", {"alpha": 2, "beta": 0.4 * 2**0.5}, 0.4),
    ("pymc.HalfCauchy", {"beta": 0.1}, math.inf), ("pymc.HalfStudentT", {"nu": 30, "sigma": 0.1}, math.inf),
    ("Exponential", {"lam": 20}, math.inf), ("Gamma", {"alpha": 2, "beta": 20}, math.inf),
    ("LogNormal", {"mu": -2, "sigma": 0.3}, math.inf), ("pymc.Moyal", {"mu": 0, "sigma": 1}, math.nan),
])  # fmt: skip
def test_the_law_of_a_spread_decides_the_tail(family: str, parameters: dict[str, float], shape: float) -> None:
    assert exponential_shape(family, parameters) == pytest.approx(shape, nan_ok=True)


def _log_survival(density, t: float) -> float:
    """log P(theta > t) for theta ~ N(0, tau), by quadrature over the logarithm of tau."""
    grid = np.linspace(-8, 12, 40_001)
    tau = np.exp(grid)
    terms = stats.norm.logsf(t / tau) + density.logpdf(tau) + grid
    return float(np.logaddexp.reduce(terms) + math.log(grid[1] - grid[0]))


@pytest.mark.parametrize("s", [0.2, 0.4, 0.8])
def test_a_half_normal_spread_has_the_tail_index_of_its_scale(s: float) -> None:
    """Quadrature far out: P(theta > t) falls as exp(-t/s), but for a power of t."""
    density = stats.halfnorm(scale=s)
    slope = -(_log_survival(density, 401 * s) - _log_survival(density, 400 * s)) / s
    assert 1 / slope == pytest.approx(s, rel=0.01)


@pytest.mark.parametrize("density", [stats.expon(scale=0.05), stats.gamma(2, scale=0.05), stats.halfcauchy(scale=0.1),
                                     stats.lognorm(0.3, scale=0.15)])  # fmt: skip
def test_slower_spreads_leave_no_moment(density) -> None:
    """The slope of log P(theta > t), the tail index of exp(theta), goes to zero: below 1 far out, and falling."""
    slopes = [_log_survival(density, t) - _log_survival(density, t + 1) for t in (100.0, 1_000.0, 10_000.0)]
    assert slopes[0] > slopes[1] > slopes[2]
    assert slopes[2] < 1


def test_the_mean_beside_its_error_covers_for_outcomes_with_gains_harms_and_nothing() -> None:
    """exp(Normal(mu, tau)), tau ~ HalfNormal(0.4), the shape of the shipped outcomes: index 2.5, finite variance.

    4,000 draws: half the samples hide the far tail and their errors are a little short, so 90 % and not 95 %.
    """
    rng = np.random.default_rng(5)
    truth = np.mean([outcome(1_000_000, rng).mean() for _ in range(8)])
    inside = []
    for _ in range(200):
        data = dataset(x=outcome(4000, rng).reshape(4, -1))
        data["x"].attrs["tail_shape"] = exponential_shape("HalfNormal", {"sigma": 0.4})
        row = summarise(data).iloc[0]
        assert (row["tail"], row["note"]) == (FINITE, "")
        inside.append(abs(row["mean"] - truth) < 1.96 * row["mcse_mean"])
    assert 0.90 <= np.mean(inside) <= 0.99


def test_the_model_is_believed_before_the_draws() -> None:
    draws = np.random.default_rng(6).normal(size=(4, 1000))
    data = dataset(x=draws)
    data["x"].attrs["tail_shape"] = math.inf
    row = summarise(data).iloc[0]
    assert row["tail"] == HEAVY
    assert math.isnan(row["mean"])
    assert "by the model" in row["note"]
    assert "no finite mean" in row["note"]
    assert np.isfinite(row[["estimate", "lower", "upper"]].astype(float)).all()


def test_every_word_says_what_becomes_of_the_mean() -> None:
    assert Tail(FINITE, 0.2, 0.1).why == ""
    assert "n^-0.30" in Tail(HEAVY, 0.7, 0.05).why
    assert "0.45 ± 0.12" in Tail(UNJUDGED, 0.45, 0.12).why
    assert Tail(UNJUDGED, 0.45, 0.12).sound
    assert not Tail(UNJUDGED, 0.55, 0.12).sound
    assert not Tail(UNJUDGED, math.nan, math.nan).sound
