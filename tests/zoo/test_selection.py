"""A selection of the zoo for the ordinary tests: kinds of models that were once fitted wrongly, and all refusals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pymc as pm
import pytest

from tests.zoo.check import refusal, wrongs
from tests.zoo.models import ZOO, Kind


def test_the_zoo_is_large_enough() -> None:
    sampled = [kind for kind in ZOO.values() if kind.refused is None]
    assert len(ZOO) >= 60
    assert sum(kind.posterior for kind in sampled) >= len(sampled) / 3


@pytest.mark.parametrize("name", [name for name, kind in ZOO.items() if kind.short])
def test_densities_and_draws_are_those_of_pymc(name: str) -> None:
    assert wrongs(ZOO[name]) == {}


@pytest.mark.parametrize("name", [name for name, kind in ZOO.items() if kind.refused is not None])
def test_what_cannot_be_sampled_is_refused_by_name(name: str) -> None:
    assert ZOO[name].refused in refusal(ZOO[name])


@pytest.mark.zoo
@pytest.mark.parametrize(("name", "changes"), [
    ("data_as_mask", [{"mask": np.array([False, True, True])}, {"mask": np.array([False, False, True])}]),
    ("data_as_index", [{"where": np.array(0)}, {"index": np.array([2, 2, 1, 1, 0, 0, 0, 0])}]),
    ("data_as_slice", [{"n": np.array(1)}, {"n": np.array(3)}]),
    ("data_set_to_another_length", [{"x": np.array([1.0, 2.0]), "seen": np.array([0.5, 1.5])}]),
])  # fmt: skip
def test_a_kept_recipe_follows_the_data(name: str, changes: list[Mapping[str, np.ndarray]]) -> None:
    assert wrongs(ZOO[name]) == {}
    for change in changes:

        def build(change: Mapping[str, np.ndarray] = change) -> pm.Model:
            model = ZOO[name].build()
            pm.set_data(change, model=model)
            return model

        assert wrongs(Kind(build)) == {}
