"""A thousand rows of evidence: every array that a density, its gradient or a draw needs grows with the rows, no faster.

What is asserted are sizes of arrays, never seconds; ``tests/benchmarks/scale.py`` runs the whole chain and takes the
time. Growth is told from four and eight copies of the shipped rows: what grows as their square is seen there too. The
rows are simulated from a known truth.
"""

from __future__ import annotations

import jax
import numpy as np
import pytest

import bayes
from bayes.heroin.model.numbers import model_numbers
from bayes.heroin.oracle import PRECISION, exact_effects
from bayes.sampling import tape
from bayes.sampling.blocks import blocks_of, log_density
from bayes.sampling.forward import one_by_one, starting
from bayes.sampling.partition import core_of
from bayes.sampling.prepare import recipe_of
from bayes.sampling.programs import double_precision
from bayes.sampling.tree import SIZE
from tests.scale.large import TRUTH, study_of_rows, with_evidence

COPIES, FEW = 34, 4
DRAWS = 3
PREDICTIVE = {"theta_new", "gamma_new"}
"""Effects in a new setting: what is drawn from the means and the spreads has no one truth."""


def rows_of(study) -> int:
    return sum(len(study.rows(name)) for name in study.evidence)


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    """A folder with more than 1,000 rows, read and checked as any study."""
    simulated = study_of_rows(COPIES)
    return bayes.load_study(with_evidence(tmp_path_factory.mktemp("rows") / "study", simulated.evidence))


@pytest.fixture(scope="module")
def eight():
    return study_of_rows(2 * FEW)


@pytest.fixture(scope="module")
def four():
    return study_of_rows(FEW)


def of_gradients(study) -> list[int]:
    """Sizes of all arrays that are made for the log density of the blocks of a model and its gradient."""
    core = core_of(bayes.build_model(study))
    data = {v.name: v.get_value() for v in core.model.data_vars}
    starts = one_by_one(starting(core))(data, None)
    found: list[int] = []
    with double_precision():
        for block in blocks_of(core, [starts[v.name].shape[1:] for v in core.value_vars]):
            gradient = jax.value_and_grad(log_density(core, block))
            given = [np.zeros(block.size), *(data[name] for name in block.data)]
            found += _sizes(jax.make_jaxpr(gradient)(*given).jaxpr)
    return found


def _sizes(jaxpr) -> list[int]:
    found = [int(np.prod(v.aval.shape)) for equation in jaxpr.eqns for v in equation.outvars]
    inner = [value for equation in jaxpr.eqns for value in equation.params.values()]
    for one in inner:
        body = getattr(one, "jaxpr", one)
        if hasattr(body, "eqns"):
            found += _sizes(body)
    return found


def test_a_gradient_makes_arrays_of_the_size_of_the_rows(eight, four) -> None:
    """Twice the rows, twice the numbers, within a tenth; a matrix of rows by rows would make it four times."""
    assert rows_of(eight) == 2 * rows_of(four)
    more, less = of_gradients(eight), of_gradients(four)
    assert 1.5 < sum(more) / sum(less) < 2.2
    assert max(more) < 8 * rows_of(eight)


def test_what_follows_from_draws_makes_arrays_of_the_size_of_the_rows(eight, monkeypatch) -> None:
    """Effects, fitted values, replicates and densities: no array has more than a few numbers a row and draw."""
    recipe = recipe_of(bayes.build_model(eight))
    data, sizes = dict(model_numbers(eight).data), []
    one = tape._one

    def watched(*given):
        value = one(*given)
        sizes.append(np.size(value))
        return value

    monkeypatch.setattr(tape, "_one", watched)
    size = {SIZE: np.asarray(DRAWS)}
    before = recipe.pieces["before"]({**data, **size}, 1)
    sampled = {name: before[name] for name in recipe.names["sampled"]}
    after = recipe.pieces["after"]({**data, **size, **sampled}, 2)
    rows = [*eight.rows("trials"), *eight.rows("prepost")]
    under_heroin = sum(getattr(row, "arm", "") == "heroin" for row in rows)  # these measure two effects
    assert after["effect"].shape == (DRAWS, len(rows) + under_heroin)
    assert max(sizes) < 8 * rows_of(eight) * DRAWS


def test_the_numbers_of_a_model_take_memory_as_its_rows(thousand) -> None:
    assert rows_of(thousand) > 1000
    assert sum(value.size for value in model_numbers(thousand).data.values()) < 8 * rows_of(thousand)


def test_the_truth_of_a_thousand_rows_is_found_by_quadrature(thousand) -> None:
    """Means, biases and spreads that the rows were simulated with lie within four posterior standard deviations.

    And the posterior is narrow: the rows, not the priors, say so. The two effects in a new setting are predictive.
    """
    found = exact_effects(thousand)
    assert found is not None
    assert found.change < PRECISION
    at = dict(zip(found.names, zip(found.mean, found.sd, strict=True), strict=True))
    names = {name for name in at if not name.startswith("effect: ")} - PREDICTIVE
    assert names <= set(TRUTH)
    assert len(names) == 11
    assert {name: at[name] for name in names if abs(at[name][0] - TRUTH[name]) > 4 * at[name][1]} == {}
    assert all(at[name][1] < 0.1 for name in ("mu_theta", "tau_theta", "mu_gamma", "tau_gamma"))
