"""Two models that differ never share a hash; what cannot be described has none, and then nothing is kept."""

import numpy as np
import pymc as pm
import pytensor

import bayes
from bayes.sampling.identity import model_hash


def looped(swapped):
    with pm.Model() as model:
        a, b = pm.Normal("a"), pm.Normal("b")
        x = pm.Data("x", np.arange(5.0))

        def step(p, q):
            return q - p * p if swapped else p - q * q

        found = pytensor.scan(step, sequences=[x * a, x + b], return_updates=False)
        pm.Normal("y", found.sum(), 0.1, observed=1.0)
    return model


def long(n):
    with pm.Model() as model:
        model.add_coord("d", length=n)
        x = pm.Normal("x", dims="d")
        pm.Normal("y", x.sum(), 1.0, observed=3.0)
    return model


def censored(lower):
    with pm.Model() as model:
        mu = pm.Normal("mu")
        pm.Censored("y", pm.Normal.dist(mu, 1), lower=lower, upper=None, observed=[0.5, 1.0])
    return model


def test_a_loop_has_no_hash():
    assert [model_hash(looped(swapped)) for swapped in (False, True)] == [None, None]


def test_a_dim_without_labels_counts_by_its_length():
    assert model_hash(long(3)) != model_hash(long(6))
    assert model_hash(long(3)) == model_hash(long(3))


def test_models_with_such_dims_are_each_sampled_as_they_are():
    """x given their sum: mean 3/(n + 1) each, sd below 1, 800 draws of which at least 200 count: 4 errors."""
    for n in (3, 6):
        x = bayes.sample(long(n), draws=400, tune=300, chains=2, rng=1)["posterior"]["x"]
        assert x.shape == (2, 400, n)
        assert np.max(np.abs(x.mean(("chain", "draw")).values - 3 / (n + 1))) < 4 / 200**0.5


def test_a_distribution_built_from_others_is_described_inside():
    hashes = [model_hash(censored(lower)) for lower in (0.0, 0.25)]
    assert None not in hashes
    assert hashes[0] != hashes[1]
