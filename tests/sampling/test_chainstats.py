"""Statistics of chains against ArviZ, which computes them series by series, and against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arviz_stats.base import array_stats

from bayes import chainstats

AT = {"chain_axis": 0, "draw_axis": 1}


def chains(shape: tuple[int, int]) -> np.ndarray:
    """Series of every temper: white, sticky, antithetic, drifting, heavy, rounded, of two values, alike but for one."""
    rng = np.random.default_rng(sum(shape))
    white = rng.normal(size=(*shape, 8))
    ar = {1: 0.95, 2: -0.6, 3: 0.5}
    for series, rho in ar.items():
        for t in range(1, shape[1]):
            white[:, t, series] += rho * white[:, t - 1, series]
    white[:, :, 3] += np.arange(shape[0])[:, None]
    white[:, :, 4] = rng.standard_cauchy(size=shape)
    white[:, :, 5] = np.round(white[:, :, 5])
    white[:, :, 6] = white[:, :, 1] > 1
    white[:, :, 7] = np.eye(1, shape[0] * shape[1]).reshape(shape)
    return white


PAIRS = {
    "ess_mean": (chainstats.ess_mean, lambda v: array_stats.ess(v, method="mean", **AT)),
    "ess_bulk": (chainstats.ess_bulk, lambda v: array_stats.ess(v, method="bulk", **AT)),
    "ess_tail": (chainstats.ess_tail, lambda v: array_stats.ess(v, method="tail", prob=(0.05, 0.95), **AT)),
    "ess_quantile": (lambda v: chainstats.ess_quantile(v, 0.3),
                     lambda v: array_stats.ess(v, method="quantile", prob=0.3, **AT)),
    "rhat_rank": (chainstats.rhat_rank, lambda v: array_stats.rhat(v, method="rank", **AT)),
    "rhat_split": (chainstats.rhat_split, lambda v: array_stats.rhat(v, method="split", **AT)),
    "mcse_mean": (chainstats.mcse_mean, lambda v: array_stats.mcse(v, method="mean", **AT)),
    "mcse_sd": (chainstats.mcse_sd, lambda v: array_stats.mcse(v, method="sd", **AT)),
    "mcse_median": (lambda v: chainstats.mcse_quantile(v, 0.5),
                    lambda v: array_stats.mcse(v, method="quantile", prob=0.5, **AT)),
    "mcse_end": (lambda v: chainstats.mcse_quantile(v, 0.975),
                 lambda v: array_stats.mcse(v, method="quantile", prob=0.975, **AT)),
}  # fmt: skip


@pytest.mark.parametrize("shape", [(4, 1000), (2, 101), (1, 250), (3, 8), (4, 4)])
@pytest.mark.parametrize("name", PAIRS)
def test_every_statistic_is_that_of_arviz(name: str, shape: tuple[int, int]) -> None:
    """To 1e-9 relative: the same sums in another order."""
    ours, theirs = PAIRS[name]
    draws = chains(shape)
    with np.errstate(all="ignore"):
        expected = [float(theirs(draws[:, :, i])) for i in range(draws.shape[2])]
    np.testing.assert_allclose(ours(draws), expected, rtol=1e-9, atol=1e-12)


def test_tail_shapes_and_energies_are_those_of_arviz() -> None:
    rng = np.random.default_rng(5)
    for draws in (
        rng.normal(size=4000),
        rng.standard_cauchy(size=4000),
        rng.exponential(size=999),
        rng.beta(2, 2, 500),
    ):
        number = int(3 * math.sqrt(draws.size)) if draws.size > 225 else draws.size // 5
        ordered = np.sort(draws)
        ours = chainstats.pareto_shape((ordered[-number:] - ordered[-number - 1])[None])[0]
        theirs = array_stats.pareto_khat(draws[None], r_eff=1.0, tail="right", **AT)
        assert ours == pytest.approx(float(theirs), rel=1e-9)
    energy = rng.normal(size=(3, 400)).cumsum(axis=1)
    np.testing.assert_allclose(chainstats.bfmi(energy), array_stats.bfmi(energy), rtol=1e-12)


def test_an_autoregression_has_its_textbook_size() -> None:
    """n (1 - rho) / (1 + rho), within 10 % at 40,000 draws."""
    rng, rho = np.random.default_rng(6), 0.8
    draws = rng.normal(size=(4, 10_000, 1))
    for t in range(1, draws.shape[1]):
        draws[:, t] += rho * draws[:, t - 1]
    assert chainstats.ess_mean(draws)[0] == pytest.approx(40_000 * (1 - rho) / (1 + rho), rel=0.1)
