"""Random models mean here what they mean to PyMC, or are refused for a reason that is known.

The ordinary tests try a dozen of up to four variables, the same ones each time;
``pytest -m zoo tests/zoo/test_generator.py --dist load`` tries 2,000 of up to eight.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.zoo.check import wrong_recipe
from tests.zoo.generator import built, models

REFUSALS = ("NUTS cannot sample discrete variables", "no starting point of finite density")
"""Reasons for which a random model may be refused. Data outside a support that depends on parents have no start."""

FOUND = {
    "an ordered vector that no data inform": """
v0 = pm.Exponential("v0", 0.7, default_transform=None)
v1 = pm.GaussianRandomWalk("v1", mu=-0.5, sigma=2, init_dist=pm.Normal.dist(0, 1), shape=3)
v2 = pm.Cauchy("v2", np.zeros(3), np.full(3, 1.3), shape=3, transform=ordered, initval=np.array([-0.5, 0.2, 1.0]))
v3 = pm.Laplace("v3", v1[:2], np.full(2, 1.3), dims="h", transform=Interval(None, 0.8), initval=np.full(2, 0.5))""",
    "an ordered vector below others and a Potential": """
v0 = pm.AR("v0", [0.4], sigma=1.8, init_dist=pm.Normal.dist(0, 1), shape=3)
pm.Potential("v1", -0.3 * (v0.max() - 0.4) ** 2)
v2 = pm.SkewNormal("v2", mu=pt.sort(v0), sigma=np.full(3, 1.3), alpha=2, shape=3, transform=ordered,
                   initval=np.array([-0.5, 0.2, 1.0]))
v3 = pm.Kumaraswamy("v3", pt.exp(0.3 * pt.clip(v2, -2, 2)), np.full(3, 1.3), dims="g", default_transform=None)""",
    "a sampled variable below an observed one": """
v0 = pm.SkewNormal("v0", mu=np.ones((2, 3)), sigma=1.3, alpha=2, dims=("h", "g"))
v1 = pm.Gamma("v1", 0.5 + pt.softplus(v0.sum(axis=1)), 1.0, dims="h", observed=[1.4, 1.4])
v2 = pm.LogNormal("v2", pt.clip(0.5 - 0.5 * v0, -2, 2) - v1[:, None], 0.7, dims=("h", "g"))
pm.Potential("v3", -0.3 * (v2.mean(axis=0) - 0.5 * v0.mean(axis=0) - 0.4) ** 2)""",
}
"""Random models that were once wrong, shortened."""

BATCH, BATCHES = 50, 40
_ALL = settings(max_examples=BATCH, database=None, deadline=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck))  # fmt: skip


def is_refused(text: str) -> bool:
    """Whether a model is refused; where it is not, it means what it means to PyMC."""
    found = wrong_recipe(built(text))
    if isinstance(found, str):
        assert found.startswith(REFUSALS)
        return True
    assert found == {}, text
    return False


@pytest.mark.parametrize("name", list(FOUND))
def test_a_random_model_that_was_once_wrong(name: str) -> None:
    assert not is_refused(FOUND[name])


@settings(_ALL, max_examples=12, derandomize=True)
@given(models(most=4))
def test_a_dozen_random_models(text: str) -> None:
    is_refused(text)


@pytest.mark.zoo
@pytest.mark.parametrize("batch", range(BATCHES))
def test_two_thousand_random_models(batch: int) -> None:
    refused: list[bool] = []

    @seed(batch)
    @_ALL
    @given(models())
    def try_all(text: str) -> None:
        refused.append(is_refused(text))

    try_all()
    assert sum(refused) < BATCH / 2
