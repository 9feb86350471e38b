"""Many declared quantities in a model of one's own: read, placed, sampled, checked and summarised."""

from __future__ import annotations

import numpy as np
import pymc as pm

import bayes
from bayes.priors import read_priors

COUNT = 60
DECLARATION = """
[rate_{i}]
meaning   = "rate number {i}"
unit      = "log ratio"
family    = "Normal"
quantiles = {{ q05 = {low}, q50 = {middle}, q95 = {high} }}
why       = "made up, to be many"
source    = {{ key = "toolkit", locator = "made up", kind = "judgement", status = "judgement" }}
"""


def test_many_quantities_run_from_their_file_to_their_table(tmp_path) -> None:
    """Each is seen once with standard error 0.5: the posterior of each is the conjugate one."""
    path = tmp_path / "many.toml"
    half = 1.6448536
    path.write_text("".join(
        DECLARATION.format(i=i, low=i / 100 - half, middle=i / 100, high=i / 100 + half) for i in range(COUNT)
    ))  # fmt: skip
    priors = read_priors(path)
    assert len(priors) == COUNT
    seen = np.random.default_rng(1).normal(0, 1, COUNT)
    with pm.Model() as model:
        rates = bayes.add_priors(model, priors)
        pm.Normal("seen", pm.math.stack([rates[f"rate_{i}"] for i in range(COUNT)]), 0.5, observed=seen)
    fit = bayes.sample(model, draws=150, tune=250, chains=2, rng=1)
    table = bayes.summarise(fit["posterior"].to_dataset(), prob=0.95).set_index("variable")
    exact = (np.arange(COUNT) / 100 + 4 * seen) / 5
    found = table.loc[[f"rate_{i}" for i in range(COUNT)]]
    z = (found["mean"] - exact) / found["mcse_mean"]
    assert np.abs(z).max() < 5.5  # the largest of 60 normal deviates, and the error of the errors
    assert 0.8 < np.mean(found["sd"]) / np.sqrt(0.2) < 1.2
    assert bayes.check(fit).checks
