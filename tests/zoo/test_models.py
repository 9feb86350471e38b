"""Every model of the zoo means here what it means to PyMC, or is refused by name.

``pytest -m zoo tests/zoo/test_models.py`` tries all of them.
"""

from __future__ import annotations

import pytest

from tests.zoo.check import refusal, wrong_posterior, wrongs
from tests.zoo.models import ZOO

pytestmark = pytest.mark.zoo

SAMPLED = [name for name, kind in ZOO.items() if kind.refused is None]
REFUSED = [name for name, kind in ZOO.items() if kind.refused is not None]


@pytest.mark.parametrize("name", SAMPLED)
def test_densities_and_draws_are_those_of_pymc(name: str) -> None:
    assert wrongs(ZOO[name]) == {}


@pytest.mark.parametrize("name", [name for name in SAMPLED if ZOO[name].posterior])
def test_the_posterior_is_that_of_pymc(name: str) -> None:
    assert wrong_posterior(ZOO[name]) == {}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_sampled_is_refused_by_name(name: str) -> None:
    assert ZOO[name].refused in refusal(ZOO[name])


@pytest.mark.parametrize("name", [name for name in REFUSED if ZOO[name].by_pymc])
def test_what_is_refused_is_sampled_by_pymc_where_asked(name: str) -> None:
    assert wrong_posterior(ZOO[name], sampler="pymc") == {}
    assert wrongs(ZOO[name], sampler="pymc") == {}
