"""The examples in the docstrings of the input layer run and show what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

MODULES = ("errors", "units", "provenance", "families", "files", "records", "references", "priors", "evidence",
           "scenarios", "study", "overrides")  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(f"bayes.{name}")).failed == 0
