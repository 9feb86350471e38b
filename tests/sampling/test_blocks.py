"""Blocks are independent given the data: their densities add up to the whole, and none shares a variable."""

from __future__ import annotations

import jax
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

import bayes
from bayes.errors import UsageError
from bayes.heroin.model import Structure
from bayes.sampling.blocks import blocks_of, in_jax, log_density
from bayes.sampling.forward import NUMPY, data_of, one_by_one, starting
from bayes.sampling.partition import core_of
from bayes.sampling.programs import double_precision
from tests.montecarlo import LIMIT, mean_z


def parts(model: pm.Model):
    core = core_of(model)
    starts = {name: value[0] for name, value in one_by_one(starting(core))(data_of(core.model), None).items()}
    return core, starts, blocks_of(core, [starts[v.name].shape for v in core.value_vars])


@pytest.mark.parametrize("structure", [Structure(), Structure(effects="t"), Structure(collapse=False)])
def test_densities_of_blocks_add_up_to_the_model(shipped_study, structure) -> None:
    """Differences between points, since a constant of the data belongs to no block; to 1e-9 of sums of some 60 logs."""
    core, starts, blocks = parts(bayes.build_model(shipped_study, structure))
    assert len(blocks) == 4  # offending and ceiling, effects and drift, coverage, retention
    assert sorted(name for block in blocks for name in block.variables) == sorted(v.name for v in core.value_vars)
    whole = core.model.compile_logp(sum=False, mode=NUMPY)
    data, rng, found = data_of(core.model), np.random.default_rng(1), []
    with double_precision(), jax.disable_jit():
        functions = [log_density(core, block) for block in blocks]
        for _ in range(3):
            at = {name: value + rng.normal(0, 0.3, size=value.shape) for name, value in starts.items()}
            flat = [np.concatenate([at[name].ravel() for name in block.variables]) for block in blocks]
            ours = sum(float(f(x, *(data[n] for n in block.data))) for f, x, block in
                       zip(functions, flat, blocks, strict=True))  # fmt: skip
            found.append(ours - sum(float(np.sum(term)) for term in whole(at)))
    np.testing.assert_allclose(found, found[0], rtol=0, atol=1e-8)
    assert abs(found[0]) < 1e-2  # JAX computes log-gammas of whole numbers in single precision: a constant of the data


def test_what_nothing_ties_together_is_sampled_apart_and_right() -> None:
    """Two conjugate pairs and a variable tied to both of the second: exact means, energy by block."""
    with pm.Model() as model:
        a = pm.Normal("a", 0, 1)
        pm.Normal("y", a, 1, observed=pm.Data("seen", 1.0))
        b, c = pm.Normal("b", 0, 1), pm.Normal("c", 0, 1)
        pm.Normal("z", b + c, 1, observed=2.0)
    _, _, blocks = parts(model)
    assert [set(block.variables) for block in blocks] == [{"b", "c"}, {"a"}]
    assert [block.data for block in blocks] == [(), ("seen",)]
    fit = bayes.sample(model, rng=3)
    means = {"a": 0.5, "b": 2 / 3, "c": 2 / 3}  # of b: covariance 1 over variance 3, times 2
    assert {n: round(mean_z(fit["posterior"][n], m), 1) for n, m in means.items()
            if abs(mean_z(fit["posterior"][n], m)) > LIMIT} == {}  # fmt: skip
    assert fit["sample_stats"]["block_energy"].shape == (4, 1000, 2)
    np.testing.assert_allclose(fit["sample_stats"]["block_energy"].sum(axis=2), fit["sample_stats"]["energy"])
    one, other = fit["posterior"]["a"].values.ravel(), fit["posterior"]["b"].values.ravel()
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(400)  # 400: the least effective draws


def test_a_potential_ties_blocks_together() -> None:
    with pm.Model() as model:
        a, b = pm.Normal("a"), pm.Normal("b")
        pm.Potential("tie", -((a - b) ** 2))
    assert len(parts(model)[2]) == 1


def test_a_density_whose_derivatives_are_no_numbers_is_refused_by_name():
    """The branch that is not taken has none: a chain would stand still wherever it begins."""
    with pm.Model() as model:
        x = pm.Normal("x", 0, 1)
        pm.Potential("p", pt.switch(x > -100, -(x**2), pt.sqrt(-1 - x**2)))
    with pytest.raises(UsageError, match="no derivatives") as caught:
        bayes.sample(model, draws=50, tune=50, chains=2)
    assert caught.value.found == ["x"]


def test_a_censored_row_far_out_has_derivatives() -> None:
    """The tail of a tail is the number itself; JAX's own derivative of log(1 - exp(x)) is not a number there."""
    x = pt.vector("x")
    twice = pt.log1mexp(pt.log1mexp(x))
    taken = pt.switch(x > -300, twice, x)  # a branch that is not taken has derivatives too
    with double_precision(), jax.disable_jit():
        (slopes,) = jax.jacobian(in_jax(taken, [x], [], wide=False))(np.array([-1e-30, -0.1, -1, -259, -5000]))
    np.testing.assert_allclose(slopes, np.eye(5), rtol=1e-9)
