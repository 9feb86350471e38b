"""Tipping points of conjugate normal models against closed forms: with a model to fit, and without one.

A mean has the prior N(m, s) and one observation y with standard error se. Levers are the prior's standard deviation,
the prior's mean and a bias of the observation; conflicts of prior and observation run from 0 to 6 standard errors, so
that some tipping points lie where weights hold, some far beyond, and some nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from scipy import optimize, stats

from bayes.sensitivity import Lever, tipping
from bayes.sensitivity.weights import Floats

SHAPE = (4, 1000)
SIGMAS = 4


class Conjugate:
    """Posterior of a mean, fitted under the prior N(mean, sd), and what other priors and observations would give."""

    def __init__(self, y: float, se: float, mean: float = 0.0, sd: float = 2.0, seed: int = 1) -> None:
        self.y, self.se, self.mean, self.sd, self.seed = y, se, mean, sd, seed
        self.x = self.draws(mean, sd, y, seed)
        self.fits = 0

    def posterior(self, mean: float, sd: float, y: float) -> tuple[float, float]:
        precision = 1 / self.se**2 + 1 / sd**2
        return (y / self.se**2 + mean / sd**2) / precision, precision**-0.5

    def draws(self, mean: float, sd: float, y: float, seed: int) -> Floats:
        return np.random.default_rng(seed).normal(*self.posterior(mean, sd, y), size=SHAPE)

    def of(self, name: str, value: float) -> tuple[float, float, float]:
        return {"sd": (self.mean, value, self.y), "mean": (value, self.sd, self.y),
                "bias": (self.mean, self.sd, self.y - value)}[name]  # fmt: skip

    def chance(self, name: str, value: float, cut: float) -> float:
        return float(stats.norm.sf(cut, *self.posterior(*self.of(name, value))))

    def lever(self, name: str, low: float, high: float, model: bool = True) -> Lever:
        def at(value: float) -> tuple[None, Floats]:
            mean, sd, y = self.of(name, value)
            new = stats.norm(mean, sd).logpdf(self.x) + stats.norm(self.x, self.se).logpdf(y)
            return None, np.asarray(
                new - stats.norm(self.mean, self.sd).logpdf(self.x) - stats.norm(self.x, self.se).logpdf(self.y)
            )

        def refit(value: float) -> Floats:
            self.fits += 1
            return self.draws(*self.of(name, value), seed=int(abs(value) * 1e9) % 2**32 + self.seed)

        current = {"sd": self.sd, "mean": self.mean, "bias": 0.0}[name]
        called = {"sd": "sceptical prior sd", "mean": "prior mean", "bias": "bias"}[name]
        return Lever(called, "", low, high, at, current, refit if model else None)


def _roots(chance: Callable[[float], float], level: float, low: float, high: float) -> list[float]:
    grid = np.linspace(low, high, 4001)
    gaps = np.array([chance(float(v)) for v in grid]) - level
    return [optimize.brentq(lambda v: chance(v) - level, grid[i], grid[i + 1])
            for i in np.flatnonzero(gaps[:-1] * gaps[1:] < 0)]  # fmt: skip


NAMED = Conjugate(-0.714532, 0.179782)
EXACT = {0.95: 0.0817, 0.975: 0.1019, 0.99: 0.1298}


def test_the_closed_form_of_a_sceptical_prior() -> None:
    """P(< 0) = Phi(z / (1 + se^2 / s^2)^(1/2)), z = |y| / se."""
    z = abs(NAMED.y) / NAMED.se
    for level, value in EXACT.items():
        assert value == pytest.approx(NAMED.se / np.sqrt((z / stats.norm.ppf(level)) ** 2 - 1), abs=5e-5)
        assert 1 - NAMED.chance("sd", value, 0.0) == pytest.approx(level, abs=5e-4)


@pytest.mark.parametrize("confirm", [True, False])
def test_weights_that_fail_are_not_the_end_of_a_search(confirm: bool) -> None:
    lever = NAMED.lever("sd", 0.02, 5)
    table = tipping(-NAMED.x, [_mirrored(lever)], threshold=0.0, levels=list(EXACT), confirm=confirm)
    for row, exact in zip(table.head(3).itertuples(), EXACT.values(), strict=True):
        assert abs(row.value - exact) < SIGMAS * row.mcse
        assert row.mcse < 0.1 * exact
        assert (row.method, row.confirmed) == ("refitted", "yes")
        assert abs(row.refitted - row.probability) <= row.mcse_refitted
        assert "confirmed by a fit" in row.sentence


def _mirrored(lever: Lever) -> Lever:
    """The lever of a target with the opposite sign."""
    refit = lever.refit
    return Lever(lever.name, lever.unit, lever.low, lever.high, lever.at, lever.current,
                 None if refit is None else lambda value: -refit(value))  # fmt: skip


def test_without_a_model_it_is_not_reached() -> None:
    table = tipping(-NAMED.x, [_mirrored(NAMED.lever("sd", 0.02, 5, model=False))], threshold=0.0, levels=list(EXACT))
    for row in table.itertuples():
        assert np.isnan(row.value)
        assert (row.method, row.confirmed) == ("not reached", "")
        assert "not reached with these draws; refit to know" in row.sentence
        assert "at no value" not in row.sentence


GRID = list(product((0.0, 1.0, 2.0, 4.0, 6.0), (0.2,), (0.5, 0.95), ("sd", "mean", "bias"), (1, -1)))
FINE = list(
    product(np.arange(0, 6.5, 1.0), (0.02, 1.0), (0.05, 0.5, 0.9, 0.975, 0.99), ("sd", "mean", "bias"), (1, -1))
)


@pytest.mark.zoo
@pytest.mark.parametrize(("conflict", "se", "level", "name", "sign"), FINE)
def test_a_fine_grid_of_models(conflict: float, se: float, level: float, name: str, sign: int) -> None:
    """420 models, four minutes on one core."""
    test_every_tipping_point_is_found_and_no_other(conflict, se, level, name, sign)


@pytest.mark.parametrize(("conflict", "se", "level", "name", "sign"), GRID)
def test_every_tipping_point_is_found_and_no_other(
    conflict: float, se: float, level: float, name: str, sign: int
) -> None:
    """P(x > 0) = level, and the median halved, for observations ``conflict`` standard errors above or below zero."""
    case = Conjugate(sign * conflict * se, se, mean=0.3 * se, sd=3 * se)
    low, high = {"sd": (0.05 * se, 12 * se), "mean": (-20 * se, 20 * se), "bias": (-9 * se, 9 * se)}[name]
    median = float(np.median(case.x))
    table = tipping(case.x, [case.lever(name, low, high)], threshold=0.0, levels=[level], confirm=True)
    for row, cut in zip(table.itertuples(), (0.0, median / 2), strict=True):
        if cut and not conflict:
            continue  # a median that is not told apart from 0 has no half
        roots = _roots(lambda v, cut=cut: case.chance(name, v, cut), row.probability, low, high)  # type: ignore[misc]
        if np.isnan(row.value):
            near = min(abs(case.chance(name, float(v), cut) - row.probability) for v in np.linspace(low, high, 2001))
            assert not roots or near < 0.02 or _touches(case, name, cut, row.probability, low, high), row
            assert row.method == "no root"
            continue
        assert row.confirmed == "yes", row
        assert abs(row.refitted - row.probability) <= row.mcse_refitted
        there = case.chance(name, row.value, cut)  # the value is one at which the exact probability is the level
        assert abs(there - row.probability) < SIGMAS * row.mcse_refitted
        if np.isfinite(row.mcse) and roots:
            assert min(abs(row.value - root) for root in roots) < 5 * row.mcse + 1e-3 * (high - low)
    assert case.fits < 80


def _touches(case: Conjugate, name: str, cut: float, level: float, low: float, high: float) -> bool:
    """Whether the probability crosses and comes back between two of the values tried."""
    tried = np.linspace(low, high, 7)
    sides = {np.sign(case.chance(name, float(v), cut) - level) for v in tried}
    return len(sides) == 1


def test_a_search_without_a_model_reaches_as_far_as_weights_hold() -> None:
    """A tipping point between values tried, of which one is beyond the weights, is found all the same."""
    case = Conjugate(0.0, 0.2, sd=2.0)
    lever = case.lever("bias", -2.0, 2.0, model=False)
    row = tipping(case.x, [lever], threshold=0.0, levels=[0.75]).iloc[0]
    exact = _roots(lambda v: case.chance("bias", v, 0.0), 0.75, -2.0, 2.0)[0]
    assert abs(row["value"] - exact) < SIGMAS * row["mcse"]
    assert (row["method"], row["confirmed"]) == ("reweighted", "not asked")


def test_what_does_not_exist_is_at_no_value() -> None:
    case = Conjugate(1.0, 0.2)
    row = tipping(case.x, [case.lever("sd", 0.5, 5)], threshold=0.0, levels=[0.5]).iloc[0]
    assert (row["method"], np.isnan(row["value"])) == ("no root", True)
    assert "at no value of sceptical prior sd between 0.5 and 5" in row["sentence"]


def test_fits_that_fail_their_checks_leave_it_unknown() -> None:
    import xarray as xr

    def broken(value: float) -> xr.DataArray:
        return xr.DataArray(NAMED.x, dims=("chain", "draw"), attrs={"rhat": 1.4})

    lever = NAMED.lever("sd", 0.02, 5)
    broken_lever = Lever(lever.name, "", lever.low, lever.high, lever.at, lever.current, broken)
    row = tipping(NAMED.x, [broken_lever], threshold=0.0, levels=[0.05]).iloc[0]
    assert row["method"] == "not reached"
    assert "not reached with these draws" in row["sentence"]
    assert "R-hat 1.40" in row["sentence"]


def test_ratios_of_positive_targets() -> None:
    """The median of a rate ratio halves where the mean of its logarithm falls by log 2."""
    case = Conjugate(np.log(3.0), 0.1, sd=5.0)
    plain = case.lever("bias", -3.0, 3.0)
    refit = plain.refit
    assert refit is not None
    lever = Lever("bias", "", -3.0, 3.0, plain.at, 0.0, lambda value: np.exp(refit(value)))
    row = tipping(np.exp(case.x), [lever], confirm=True).iloc[0]
    shrink = case.posterior(*case.of("bias", 0.0))[0] / case.y
    assert abs(row["value"] - np.log(2) / shrink) < SIGMAS * np.hypot(row["mcse"], case.se * np.sqrt(np.pi / 2 / 4000))
    assert row["confirmed"] == "yes"
