"""Each structure that changes the reduction, sampled: the verdict passes, and what it switches off is off."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import bayes
from bayes.declared import Declared
from bayes.heroin.model import Structure
from bayes.heroin.model.design import design_of
from bayes.heroin.model.reduction import add_reduction

PARTS = {
    "common": Structure(effects="common"),
    "no drift": Structure(drift=False),
    "heavy tails": Structure(effects="t"),
}


def assert_passed(fit: xr.DataTree) -> None:
    verdict = bayes.check(fit)
    assert verdict.passed, [check for check in verdict.checks if not check.passed]


@pytest.mark.parametrize("name", PARTS)
def test_what_a_structure_changes_is_sampled_with_a_passed_verdict(shipped_study, shipped_fit, name: str) -> None:
    """Effects and drift, a block of their own: with all other blocks as they are shipped they project."""
    structure = PARTS[name]
    frame = design_of(shipped_study, structure)
    used = ["mu_theta", "tau_theta", "mu_gamma", "tau_gamma", *frame.terms, "fidelity"]
    with pm.Model() as model:
        declared = Declared(shipped_study.priors, used)
        add_reduction(frame, declared, structure.effects, structure.drift, structure.collapse)
    fit = bayes.sample(model, draws=1000, tune=1000, chains=4)
    assert_passed(fit)
    posterior = fit["posterior"]
    if name == "common":
        np.testing.assert_array_equal(posterior["theta_new"].values, posterior["mu_theta"].values)
        assert "tau_theta" not in posterior
    elif name == "no drift":
        assert (posterior["drift"].values == 1).all()
        assert "mu_gamma" not in posterior
    else:
        assert posterior["effect_weight"].sizes["group_effect"] == posterior["effect"].sizes["group_effect"]
    whole = shipped_fit.copy()
    changed = {name: posterior[name].variable for name in ("rate_ratio", "drift")}
    whole["posterior"] = xr.DataTree(whole["posterior"].to_dataset().assign(changed))
    assert np.isfinite(bayes.project(whole, shipped_study)["offences_avoided"].values).all()
