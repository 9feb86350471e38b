"""The tabulated gain against the function it stands for, and against a closed form."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit

from bayes.heroin.projection.gain import gain_table
from bayes.heroin.projection.pieces import targeting_gain, top_share


def between_nodes() -> np.ndarray:
    """Log odds of being served, off the nodes, over all of the table."""
    return np.random.default_rng(1).uniform(-20.7, 23.9, 20_000)


@pytest.mark.parametrize(("shape", "limit"), [(0.02, 5e-10), (0.05, 4e-10), (0.1, 2e-10), (0.3, 5e-11), (1.0, 2e-11),
                                              (4.0, 1e-11), (20.0, 1e-11)])  # fmt: skip
def test_the_table_is_the_gain(shape: float, limit: float) -> None:
    """Relative error between nodes; with nodes 1/4 apart each limit is missed."""
    t = between_nodes()
    inside, outside = expit(t), expit(-t)
    t = np.log(inside / outside)
    exact = top_share(inside, np.array(shape)) / inside
    table = gain_table(np.array([shape]))(inside[:, None], np.array([1.0]))[:, 0]
    plain = inside < 0.999  # closer to 1 the exact function loses the digits of 1 - f
    assert np.abs(table / exact - 1)[plain].max() < limit
    assert np.abs(table * inside - 1)[inside > 1 - 1e-9].max() < 1e-9


def test_the_exponential_has_its_closed_form() -> None:
    """Gamma(1): the most active share f commits f (1 - log f)."""
    f = np.geomspace(1e-8, 0.999, 500)
    np.testing.assert_allclose(
        gain_table(np.array([1.0]))(f[:, None], np.array([1.0]))[:, 0], 1 - np.log(f), rtol=2e-11
    )


def test_each_draw_has_its_own_row() -> None:
    shapes = np.random.default_rng(2).uniform(0.1, 3, 1201)  # more than two blocks
    pools = np.random.default_rng(3).uniform(500, 2e4, 1201)
    people = np.array([[10.0], [400.0]])
    found = gain_table(shapes)(people, pools)
    np.testing.assert_allclose(found, targeting_gain(people / pools, shapes, np.ones(1)), rtol=5e-10)


def test_a_pool_served_whole_has_no_gain_and_nobody_the_greatest() -> None:
    table, pool = gain_table(np.array([0.3, 2.0])), np.array([100.0, 100.0])
    assert table(pool, pool).tolist() == [1.0, 1.0]
    few, fewer = table(1e-10 * pool, pool), table(0.0 * pool, pool)
    assert few.tolist() == fewer.tolist()
    assert (few > table(1e-6 * pool, pool)).all()


def test_the_gain_falls_everywhere() -> None:
    """Across nodes too, where two polynomials meet."""
    t = np.linspace(-20.5, 12, 40_001)
    gain = gain_table(np.array([0.4]))(expit(t)[:, None], np.array([1.0]))[:, 0]
    assert all(a > b for a, b in pairwise(gain.tolist()))
