"""A model that compiles in a tenth of the time of the shipped one, with all that one has: blocks, forward draws, data.

What is asked of caches, processes and damaged files does not hang on what a model is about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from bayes.cache import key_of
from bayes.sampling.fit import Plan
from bayes.sampling.nuts import Length

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

__all__ = ["DATA", "LENGTH", "bits", "pair", "plan_of_pair", "unbuilt"]

LENGTH = Length(100, 100, 2, 0.97)
"""As the short runs of other tests, whose programs serve here too."""
DATA = {"seen": np.array([0.3, 0.9]), "counted": np.array([3, 5], dtype="int32")}
ROWS = ["a", "b"]


def pair() -> pm.Model:
    """Two blocks, and a variable that is drawn forward."""
    import pymc as pm

    with pm.Model(coords={"row": ROWS}) as model:
        seen, counted = (pm.Data(name, value, dims="row") for name, value in DATA.items())
        mu, rate = pm.Normal("mu", 0, 1), pm.Gamma("rate", 2, 1)
        pm.Normal("y", mu, 1, observed=seen, dims="row")
        pm.Poisson("n", rate, observed=counted, dims="row")
        pm.Normal("new", mu, 1)
    return model


def unbuilt() -> pm.Model:
    """In place of a model: nothing may need it."""
    raise AssertionError("a warm fit builds no model")


def plan_of_pair(model: Callable[[], pm.Model] = pair) -> Plan:
    return Plan(key_of("pair", compiled=True), DATA, {"row": ROWS}, {}, model)


def bits(fit: DataTree) -> str:
    """A digest of every number of a fit."""
    numbers = (np.ascontiguousarray(fit[g][v].values) for g in sorted(fit.children) for v in sorted(fit[g].data_vars))
    return hashlib.sha256(b"".join(v.tobytes() for v in numbers if v.dtype.kind in "fib")).hexdigest()
