"""Seeds have one reading everywhere: what is no seed is refused by name before anything is drawn."""

import inspect
from importlib import import_module

import numpy as np
import pymc as pm
import pytest

import bayes
from bayes.arguments import checked, seed_number
from bayes.errors import UsageError
from bayes.figures import Figure

PLACES = ("bayes", "bayes.sensitivity", "bayes.calibration", "bayes.figures", "bayes.synthesis")
WRONG = (None, -1, 1.5, True, "1", 2**63, 2**64, [1, 2], np.float64(3), np.random.RandomState(1))


def _seeded():
    """Every public function that takes a seed."""
    for place in PLACES:
        module = import_module(place)
        for name in module.__all__:
            found = getattr(module, name)
            found = found.table if isinstance(found, Figure) else found
            known = inspect.signature(found).parameters if inspect.isfunction(found) else {}
            if {"rng", "seed", "random_seed"} & set(known):
                yield pytest.param(found, known, id=f"{place}.{name}")


@pytest.mark.parametrize(("function", "known"), list(_seeded()))
def test_every_function_with_a_seed_takes_both_names_and_refuses_what_is_none(function, known):
    assert {"rng", "random_seed"} <= set(known)
    needed = {n: object() for n, p in known.items() if p.default is p.empty}
    for name in ("rng", "random_seed"):
        for wrong in WRONG:
            with pytest.raises(UsageError, match=name) as caught:
                function(**needed, **{name: wrong})
            assert "a whole number from 0 to 2**63 - 1" in str(caught.value)
    with pytest.raises(UsageError, match="twice"):
        function(**needed, rng=1, random_seed=1)


def test_there_are_functions_with_a_seed():
    assert len(list(_seeded())) >= 8


def test_a_generator_and_any_whole_number_are_seeds():
    assert seed_number(np.int64(5)) == 5
    assert seed_number(2**63 - 1) == 2**63 - 1
    assert seed_number(np.random.default_rng(1)) == int(np.random.default_rng(1).integers(2**31))


def test_the_names_give_the_same_numbers_and_the_default_stays():
    @checked
    def throw(*, rng=7):
        return rng

    assert (throw(), throw(rng=3), throw(random_seed=3), throw(seed=3)) == (7, 3, 3, 3)


def test_a_fit_by_either_name_is_the_same_and_the_largest_seed_is_written(tmp_path):
    with pm.Model() as model:
        pm.Normal("y", pm.Normal("mu", 0, 1), 1, observed=[0.3, 0.9])
    one, other = (
        bayes.sample(model, draws=20, tune=50, chains=1, **{name: 2**63 - 1}) for name in ("rng", "random_seed")
    )
    assert one.identical(other)
    one.to_netcdf(tmp_path / "fit.nc")


@pytest.mark.parametrize("wrong", [None, "model", 3, {"a": 1}])
def test_what_is_no_model_is_refused_by_name(wrong):
    with pytest.raises(UsageError, match="a pymc Model"):
        bayes.sample(wrong)


def test_a_study_in_place_of_a_model_says_how_to_build_it():
    for given in (bayes.load_study(), "priors"):
        with pytest.raises(UsageError, match="build_model"):
            bayes.sample(given)
