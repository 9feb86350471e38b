"""Rows that covary in small clusters: against dense matrices of SciPy and NumPy."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
from scipy import sparse, stats

import bayes
from bayes.clustered import ClusterNormal
from bayes.clusters import backward, clusters_of, draw_clusters, factor, forward, padded, times
from bayes.heroin.model import Structure
from bayes.heroin.model.reduction import design
from bayes.heroin.model.structure import BIASES
from bayes.sampling.forward import NUMPY, log_densities
from bayes.sampling.identity import model_hash
from tests.forward import draw

MEMBERS = np.array([[4, 1, 6], [0, 5, -1], [2, -1, -1], [3, 7, -1]])


@pytest.fixture
def blocks() -> np.ndarray:
    """Covariances of four clusters with up to three places; an empty place has a one."""
    a = np.random.default_rng(1).normal(size=(4, 3, 5))
    there = MEMBERS >= 0
    return np.where(there[:, :, None] & there[:, None, :], a @ a.transpose(0, 2, 1), np.eye(3))


def dense(blocks: np.ndarray) -> np.ndarray:
    v = np.zeros((8, 8))
    for block, rows in zip(blocks, MEMBERS, strict=True):
        found = rows[rows >= 0]
        v[np.ix_(found, found)] = block[: len(found), : len(found)]
    return v


def test_factors_and_solutions_are_those_of_lapack(blocks) -> None:
    root = factor(blocks, 3)
    lower = np.linalg.cholesky(blocks)
    for i in range(3):
        for j in range(i + 1):
            np.testing.assert_allclose(root[i][j], lower[:, i, j], rtol=1e-12)
    x = np.random.default_rng(2).normal(size=(3, 4))
    solved = np.stack(backward(root, forward(root, list(x))))
    np.testing.assert_allclose(solved.T, np.linalg.solve(blocks, x.T[..., None])[..., 0], rtol=1e-10)
    np.testing.assert_allclose(np.stack(times(root, list(x))).T, (lower @ x.T[..., None])[..., 0], rtol=1e-12)


def test_the_density_is_that_of_a_normal_vector_with_the_whole_matrix(blocks) -> None:
    rng = np.random.default_rng(3)
    mean, value = rng.normal(size=8), rng.normal(size=8)
    found = pm.logp(ClusterNormal.dist(mean, blocks, MEMBERS), value).eval()
    assert float(found) == pytest.approx(stats.multivariate_normal(mean, dense(blocks)).logpdf(value), abs=1e-11)


def test_draws_have_its_moments(blocks) -> None:
    """Whitened by the dense matrix: each mean and each product within five of its standard errors, of 44 numbers."""
    n, mean = 20_000, np.arange(8.0)
    as_pymc = pm.draw(ClusterNormal.dist(mean, blocks, MEMBERS), n, random_seed=5, mode=NUMPY)
    for found in (draw_clusters(np.random.default_rng(4), (n,), mean, blocks, MEMBERS), as_pymc):
        white = np.linalg.solve(np.linalg.cholesky(dense(blocks)), (found - mean).T)
        assert np.abs(white.mean(axis=1)).max() < 5 / np.sqrt(n)
        errors = np.sqrt((1 + np.eye(8)) / n)
        assert np.abs((white @ white.T / n - np.eye(8)) / errors).max() < 5


def test_clusters_are_the_connected_components() -> None:
    """Random keys, against the components that SciPy finds; an early row may join two clusters late."""
    rng = np.random.default_rng(6)
    for _ in range(50):
        keys = [rng.integers(0, 25, size=rng.integers(0, 3)).tolist() for _ in range(20)]
        shared = [[bool(set(a) & set(b)) for b in keys] for a in keys]
        count, label = sparse.csgraph.connected_components(np.array(shared))
        expected = sorted([np.flatnonzero(label == i).tolist() for i in range(count)])
        assert sorted(clusters_of(keys)) == expected
        assert sorted(padded(expected)[padded(expected) >= 0].tolist()) == list(range(20))


@pytest.mark.parametrize("effects", ["random", "common", "t"])
def test_the_rows_of_the_shipped_study_have_the_density_of_the_dense_formula(shipped_study, effects: str) -> None:
    """``y ~ N(Z m + B b, Z D Z' + S)`` by SciPy at forty draws of the prior, to 1e-9."""
    model = bayes.build_model(shipped_study, Structure(effects=effects))
    frame = design(shipped_study.rows("trials"), shipped_study.rows("prepost"), BIASES)
    points = draw(model, model.free_RVs, {}, 40, np.random.default_rng(7))
    found = log_densities(model, [model["log_ratio"]], points)["log_ratio"]
    weights = points.get("effect_weight", np.ones((40, len(frame.effects))))
    tau = points.get("tau_theta", np.zeros(40))
    for i in range(40):
        m = np.where(frame.is_theta, points["mu_theta"][i], points["mu_gamma"][i])
        d = np.where(frame.is_theta, tau[i] ** 2 * weights[i], points["tau_gamma"][i] ** 2)
        mean = frame.z @ m + frame.b @ [points[term][i] for term in frame.terms]
        law = stats.multivariate_normal(mean, (frame.z * d) @ frame.z.T + frame.s)
        assert found[i] == pytest.approx(law.logpdf(frame.y), rel=1e-9, abs=1e-9)


def test_predictive_draws_of_rows_of_one_setting_covary(shipped_study) -> None:
    """Replicates of the rows at one point: their covariance is the dense one, entry by entry within five errors."""
    model = bayes.build_model(shipped_study)
    frame = design(shipped_study.rows("trials"), shipped_study.rows("prepost"), BIASES)
    at = {"mu_theta": -0.5, "mu_gamma": -0.2, "tau_theta": 0.6, "tau_gamma": 0.4, **dict.fromkeys(frame.terms, 0.0)}
    n = 20_000
    given = {name: np.full(n, value) for name, value in at.items()}
    y = draw(model, [model["log_ratio"]], given, n, np.random.default_rng(8))["log_ratio"]
    v = (frame.z * np.where(frame.is_theta, 0.36, 0.16)) @ frame.z.T + frame.s
    gap = y - frame.z @ np.where(frame.is_theta, -0.5, -0.2)
    errors = np.sqrt((np.outer(np.diag(v), np.diag(v)) + v**2) / n)
    assert np.abs((gap.T @ gap / n - v) / errors).max() < 5
    assert np.abs(np.triu(v, 1)).max() > 0.1


def test_a_model_with_such_a_vector_has_a_content_hash(shipped_model) -> None:
    """So that its programs are kept; the file that defines its density is part of the hash."""
    found = model_hash(shipped_model)
    assert found is not None
    assert found == model_hash(bayes.build_model(bayes.load_study()))
