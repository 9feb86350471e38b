"""The examples in the docstrings of the input layer run and show what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = ("errors", "units", "provenance", "families", "files", "priors", "evidence", "scenarios", "study")


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"bayes.{name}")).failed == 0
