"""A fit without the model: the same numbers as with it, a key that knows every change of structure, healing caches."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import bayes
from bayes.heroin.model import Structure
from bayes.heroin.model.numbers import model_numbers
from bayes.heroin.plans import plan_of
from bayes.sampling.fit import sample_plan
from bayes.sampling.identity import model_hash
from tests.sampling.pair import LENGTH, bits, pair, plan_of_pair, unbuilt

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys, bayes
from bayes.heroin.plans import plan_of
from bayes.sampling.fit import sample_plan
from tests.sampling.pair import LENGTH, bits, pair, plan_of_pair, unbuilt
plan_of(bayes.load_study())
print(bits(sample_plan(plan_of_pair(unbuilt), LENGTH, 5)))
print("pymc" in sys.modules, "pytensor" in sys.modules, "numpyro.infer" in sys.modules)
"""


def test_numbers_without_the_model_are_those_with_it(shipped_study, shipped_model) -> None:
    without = sample_plan(plan_of(shipped_study), LENGTH, 5)
    assert bits(without) == bits(bayes.sample(shipped_model, draws=100, tune=100, chains=2, rng=5))


def test_a_warm_fit_builds_and_imports_nothing_and_damage_heals(tmp_path: Path, monkeypatch) -> None:
    """Cold, warm in another process, and after every kept file was damaged: the same numbers, and warm again."""
    monkeypatch.setenv("BAYES_CACHE", str(tmp_path))
    cold = bits(sample_plan(plan_of_pair(), LENGTH, 5))
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    warm = subprocess.run([sys.executable, "-c", PROGRAM], env=here, capture_output=True, text=True, check=True)
    assert warm.stdout.splitlines() == [cold, "False False False"], "it imported what it does not need"
    kept = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert {p.suffix for p in kept} == {".bin", ".exe", ".json"}
    for i, path in enumerate(kept):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if i % 2 else data[:-1] + bytes([data[-1] ^ 1]))
    assert bits(sample_plan(plan_of_pair(), LENGTH, 5)) == cold
    assert bits(sample_plan(plan_of_pair(unbuilt), LENGTH, 5)) == cold


def test_a_plan_and_its_model_share_one_recipe(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("BAYES_CACHE", str(tmp_path))
    bayes.sample(pair(), draws=100, tune=100, chains=2, rng=5)
    monkeypatch.setattr("bayes.sampling.prepare.recipe_of", lambda *_, **__: pytest.fail("it was proved again"))
    sample_plan(plan_of_pair(), LENGTH, 5)


def variants(study):
    """Studies and structures that differ in structure, and those that differ in numbers only."""
    tau = study.priors["tau_theta"]
    family = {**study.priors, "tau_theta": replace(tau, family="HalfCauchy", declared={"beta": 0.3}, quantiles={})}
    trials = study.evidence["trials"]
    likelihood = next(i for i, row in enumerate(trials) if row.use == "likelihood")
    fewer = {**study.evidence, "trials": trials[:likelihood] + trials[likelihood + 1 :]}
    offending = study.evidence["offending"]
    first = next(i for i, row in enumerate(offending) if row.use == "likelihood")

    def moved(**change):
        rows = [replace(row, **change) if i == first else row for i, row in enumerate(offending)]
        return replace(study, evidence={**study.evidence, "offending": tuple(rows)})

    structures = {
        "t": Structure(effects="t"), "common": Structure(effects="common"), "no drift": Structure(drift=False),
        "no ceiling": Structure(ceiling=False), "no targeting": Structure(targeting=False),
        "no biases": Structure(biases=()), "full": Structure(collapse=False),
    }  # fmt: skip
    other = {name: (study, structure) for name, structure in structures.items()}
    other |= {"family": (replace(study, priors=family), None), "row": (replace(study, evidence=fewer), None),
              "population": (moved(population="all_users"), None), "window": (moved(days=200.0), None),
              "measure": (moved(measure="any"), None)}  # fmt: skip
    same = {"prior": (study.with_priors({"tau_theta": "sceptical"}), None), "value": (moved(value=7.0), None),
            "persons": (moved(persons=77), None), "days": (moved(days=31.0), None)}  # fmt: skip
    return other, same


def test_every_change_of_structure_changes_the_key_and_no_change_of_numbers_does(shipped_study) -> None:
    """The key of the plan and the hash of the graph PyMC builds say the same of every pair."""
    other, same = variants(shipped_study)
    key, graph = plan_of(shipped_study).key, model_hash(bayes.build_model(shipped_study))
    assert graph is not None
    keys = {name: plan_of(*args).key for name, args in other.items()}
    graphs = {name: model_hash(bayes.build_model(*args)) for name, args in other.items()}
    assert len({key, *keys.values()}) == len({graph, *graphs.values()}) == 1 + len(other)
    for name, args in same.items():
        assert plan_of(*args).key == key, name
        assert model_hash(bayes.build_model(*args)) == graph, name


@pytest.mark.parametrize("structure", [Structure(), Structure(effects="t", ceiling=False), Structure(drift=False)])
def test_numbers_and_labels_are_those_of_the_model(shipped_study, structure) -> None:
    numbers, model = model_numbers(shipped_study, structure), bayes.build_model(shipped_study, structure)
    assert [v.name for v in model.data_vars] == list(numbers.data)
    for variable in model.data_vars:
        found, expected = variable.get_value(), numbers.data[variable.name]
        assert found.dtype == expected.dtype
        assert found.tolist() == expected.tolist()
    assert {name: list(labels) for name, labels in model.coords.items()} == {
        n: list(c) for n, c in numbers.coords.items()
    }
