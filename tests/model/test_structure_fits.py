"""Each structure that changes the reduction, sampled: the verdict passes, and what it switches off is off."""

from __future__ import annotations

import numpy as np
import pytest

import bayes
from bayes.heroin.model import Structure

STRUCTURES = {
    "common": Structure(effects="common"),
    "heavy-tailed": Structure(effects="t"),
    "no drift": Structure(drift=False),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_is_sampled_with_a_passed_verdict(shipped_study, name: str) -> None:
    fit = bayes.sample(bayes.build_model(shipped_study, STRUCTURES[name]), draws=1000, tune=1000, chains=4)
    verdict = bayes.check(fit)
    assert verdict.passed, [check for check in verdict.checks if not check.passed]
    posterior = fit["posterior"]
    if name == "common":
        np.testing.assert_array_equal(posterior["theta_new"].values, posterior["mu_theta"].values)
    elif name == "heavy-tailed":
        assert posterior["effect_weight"].sizes["group_effect"] == posterior["effect"].sizes["group_effect"]
    else:
        assert (posterior["drift"].values == 1).all()
    futures = bayes.project(fit, shipped_study)
    assert np.isfinite(futures["offences_avoided"].values).all()
