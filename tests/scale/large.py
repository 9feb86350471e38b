"""Large studies for tests and benchmarks: simulated from a known truth, and never a source of any number."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

import bayes
from bayes.heroin.evidence import TABLES
from bayes.heroin.study import shipped_study
from tests.heroin.model.test_recovery import TRUTH, simulated

__all__ = ["TRUTH", "larger_study", "study_of_rows", "with_evidence"]


def study_of_rows(copies: int, seed: int = 1) -> Any:
    """The shipped study with each likelihood row so many times, as studies of their own with simulated results."""
    return simulated(bayes.load_study(), TRUTH, np.random.default_rng(seed), copies)


def with_evidence(folder: Path, evidence: Mapping[str, Any]) -> Path:
    """A folder of the shipped study with other evidence; every row says that it is simulated."""
    shutil.copytree(shipped_study(), folder)
    for name, rows in evidence.items():
        columns = [field.name for field in fields(TABLES[name].row)]
        with (folder / "evidence" / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            for row in rows:
                cells = {column: getattr(row, column) for column in columns} | {"note": "simulated"}
                writer.writerow("" if value is None else value for value in cells.values())
    return folder


def larger_study(folder: Path, scenarios: int, years: int | None = 3) -> Path:
    """The shipped study with more scenarios, over so many years, or as many as shipped."""
    shutil.copytree(shipped_study(), folder)
    rng = np.random.default_rng(1)
    more = [
        f'[scenarios.s{i}]\nlabel = "S {i}"\nplaces = {int(np.exp(rng.uniform(5, 12)))}\n'
        f"years_to_full = {rng.integers(0, 10)}\ndemand_cap = {'true' if i % 2 else 'false'}\n"
        for i in range(scenarios)
    ]
    path = folder / "scenarios.toml"
    text = path.read_text()
    if years is not None:
        text = re.sub(r"(?m)^horizon_years .*$", f"horizon_years = {years}", text)
    path.write_text(text + "\n" + "\n".join(more))
    return folder
