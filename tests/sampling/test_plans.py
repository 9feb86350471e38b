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
from bayes.sampling.identity import model_hash

ROOT = Path(__file__).parents[2]

PROGRAM = """
import hashlib, sys, numpy as np, bayes
from bayes.heroin.plans import plan_of
from bayes.sampling.fit import sample, sample_plan
from bayes.sampling.nuts import Length
study = bayes.load_study()
if sys.argv[1] == "plan":
    fit = sample_plan(plan_of(study), Length(60, 50, 2, 0.97), 5)
else:
    fit = sample(bayes.build_model(study), draws=50, tune=60, chains=2, rng=5)
print(hashlib.sha256(b"".join(np.ascontiguousarray(fit[g][v].values).tobytes()
      for g in sorted(fit.children) for v in sorted(fit[g].data_vars) if fit[g][v].dtype.kind in "fib")).hexdigest())
print("pymc" in sys.modules, "pytensor" in sys.modules, "numpyro.infer" in sys.modules)
"""


def run(word: str, cache: Path) -> list[str]:
    here = {**os.environ, "BAYES_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", PROGRAM, word], env=here, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_numbers_without_the_model_are_those_with_it_and_damage_heals(tmp_path: Path) -> None:
    """Cold from the study, warm from the study, from the model, and after every kept file was damaged."""
    cold, warm = run("plan", tmp_path), run("plan", tmp_path)
    assert warm[1] == "False False False", "a warm fit imported what it does not need"
    assert cold[0] == warm[0] == run("model", tmp_path)[0]
    kept = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert {p.suffix for p in kept} == {".bin", ".exe", ".json"}
    for i, path in enumerate(kept):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if i % 2 else data[:-1] + bytes([data[-1] ^ 1]))
    assert run("plan", tmp_path)[0] == cold[0]
    assert run("plan", tmp_path) == warm


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
