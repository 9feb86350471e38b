"""First-order shares of ranks, against closed forms."""

import numpy as np
import pytest

from bayes.sensitivity import rank_drivers


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.5])
def test_linear_gaussian_with_correlation(rho):
    """Y = X1 + X2: Cor(Y, Xi)^2 is the first-order share; normal scores of a normal target change nothing.

    5 standard errors: three correlations and two inputs at once.
    """
    rng = np.random.default_rng(7)
    x = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=8000)
    table = rank_drivers({"a": x[:, 0], "b": x[:, 1]}, x.sum(axis=1)).set_index("input")
    truth = (1 + rho) ** 2 / (2 + 2 * rho)
    for name in ("a", "b"):
        error = (table.loc[name, "upper"] - table.loc[name, "share"]) / 1.96
        assert abs(table.loc[name, "share"] - truth) < 5 * error


def test_heavy_tails_do_not_decide():
    """A product of lognormals has normal scores linear in the logs: shares are those of the log variances."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3, 8000)) * np.array([[2.0], [1.0], [0.5]])
    table = rank_drivers({"a": np.exp(x[0]), "b": np.exp(x[1]), "c": np.exp(x[2])}, np.exp(x.sum(axis=0))).set_index(
        "input"
    )
    for name, variance in (("a", 4.0), ("b", 1.0), ("c", 0.25)):
        error = (table.loc[name, "upper"] - table.loc[name, "share"]) / 1.96
        assert abs(table.loc[name, "share"] - variance / 5.25) < 5 * max(error, 0.002)


def test_an_input_that_does_not_matter_has_share_zero_and_a_u_shape_is_seen():
    rng = np.random.default_rng(5)
    x, inert = rng.normal(size=(2, 8000))
    table = rank_drivers({"x": x, "inert": inert, "constant": np.ones(8000)}, x**2).set_index("input")
    assert list(table.index) == ["x", "inert"]
    assert table.loc["x", "share"] > 0.9  # the target is a function of x
    assert (
        abs(table.loc["inert", "share"])
        < 5 * (table.loc["inert", "upper"] - table.loc["inert", "share"]) / 1.96 + 0.005
    )


@pytest.mark.parametrize("levels", [2, 3, 10])
def test_an_input_equal_to_the_target_explains_all_of_it(levels):
    """Ties: a share is 1 where the target is the input, and never above."""
    rng = np.random.default_rng(11)
    a, b = rng.integers(0, levels, (2, 4000)).astype(float)
    table = rank_drivers({"a": a, "b": b}, a).set_index("input")
    assert table.loc["a", "share"] == pytest.approx(1.0, abs=1e-3)  # the ridge, of about ten draws in 4,000
    assert abs(table.loc["b", "share"]) < 0.01
