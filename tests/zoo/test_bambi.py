"""Models that Bambi builds from formulas, with group effects and splines and the names it gives them."""

from __future__ import annotations

from collections.abc import Callable

import bambi
import numpy as np
import pandas as pd
import pymc as pm
import pytest

from tests.zoo.check import wrongs
from tests.zoo.models import Kind

RNG = np.random.default_rng(4)
TABLE = pd.DataFrame({"g": np.repeat(list("abcd"), 6), "x": RNG.normal(size=24), "my weight": RNG.uniform(1, 2, 24)})
TABLE["y"] = 1 + 0.5 * TABLE["x"] + np.repeat([-0.4, 0.1, 0.5, -0.2], 6) + RNG.normal(0, 0.5, 24)
TABLE["count"] = RNG.poisson(np.exp(0.5 + 0.3 * TABLE["x"]))
TABLE["seen"] = (TABLE["y"] > 1).astype(int)

FORMULAS = {
    "y ~ 1 + x + (1|g)": "gaussian",
    "count ~ x + (x|g)": "negativebinomial",
    "seen ~ bs(x, df=4) + (1|g)": "bernoulli",
}
"""Each formula and the family of its response."""

PRIORS = {"Intercept": bambi.Prior("Normal", mu=0, sigma=2), "bs(x, df=4)": bambi.Prior("Normal", mu=0, sigma=2),
          "1|g": bambi.Prior("Normal", mu=0, sigma=bambi.Prior("HalfNormal", sigma=1))}  # fmt: skip


def built(formula: str) -> Callable[[], pm.Model]:
    def build() -> pm.Model:
        priors = PRIORS if "bs(" in formula else {}  # Bambi's own scales do not take a spline on every NumPy
        model = bambi.Model(formula, TABLE, family=FORMULAS[formula], priors=priors, auto_scale=not priors)
        model.build()
        return model.backend.model

    return build


def test_a_spline_with_group_effects_is_that_of_pymc() -> None:
    formula = list(FORMULAS)[2]
    assert {"1|g", "bs(x, df=4)"} <= {v.name for v in built(formula)().unobserved_RVs}
    assert wrongs(Kind(built(formula))) == {}


@pytest.mark.zoo
@pytest.mark.parametrize("formula", list(FORMULAS)[:2])
def test_formulas_with_group_effects_are_those_of_pymc(formula: str) -> None:
    assert wrongs(Kind(built(formula))) == {}
