"""Reading files costs nothing heavy: parsing needs no NumPy, SciPy or PyMC."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bayes.heroin.study import shipped_study

HEAVY = ("numpy", "scipy", "pandas", "xarray", "pymc", "pytensor", "arviz", "jax", "matplotlib")
READ = {
    "priors": "from bayes.priors import read_priors; from bayes.study import prior_files;"
    "[read_priors(path) for path in prior_files(folder)]",
    "schema": "from bayes.priors import json_schema; json_schema()",
    "evidence": "from bayes.evidence import read_evidence; from bayes.heroin.evidence import TABLES;"
    "read_evidence(folder / 'evidence', TABLES)",
    "scenarios": "from bayes.scenarios import read_scenarios; from bayes.heroin.scenarios import Scenario, Settings;"
    "read_scenarios(folder / 'scenarios.toml', Settings, Scenario)",
    "references": "from bayes.references import read_references; read_references(folder / 'references.bib')",
}


def modules_after(code: str) -> set[str]:
    script = f"import sys, pathlib; folder = pathlib.Path({str(shipped_study())!r})\n{code}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("what", READ)
def test_reading_imports_no_heavy_library(what: str) -> None:
    assert modules_after(READ[what]).isdisjoint(HEAVY)


def test_a_study_needs_a_few_functions_of_scipy_and_no_more() -> None:
    found = modules_after("from bayes.heroin.study import load_study; load_study()")
    assert found.isdisjoint(set(HEAVY) - {"numpy", "scipy"})
    assert "scipy.stats" not in found  # it takes longer to import than a study to load


@pytest.mark.parametrize(("given", "wanted"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_the_command_line_keeps_linear_algebra_to_one_thread_unless_told(given: dict[str, str], wanted: str) -> None:
    code = "import os; from bayes.cli import main; main(['priors', 'list']); print(os.environ['OPENBLAS_NUM_THREADS'])"
    here = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")} | given
    done = subprocess.run([sys.executable, "-c", code], env=here, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == wanted
