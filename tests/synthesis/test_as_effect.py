"""A study takes the effect in a new setting of a synthesis as its own: declared, read and updated."""

import numpy as np
import pymc as pm
import pytest

import bayes
from bayes.cli import main
from bayes.study import read_study
from bayes.synthesis.mixtures import MixturePrior


def test_a_study_updates_what_a_synthesis_expects_of_it(tmp_path, capsys):
    """The posterior of the study is that of the mixture in closed form, within five Monte Carlo errors."""
    rows, study = tmp_path / "rows.csv", tmp_path / "study"
    rows.write_text("study,y,se\na,-0.5,0.2\nb,-0.2,0.3\nc,-0.9,0.4\nd,-0.4,0.2\n")
    study.mkdir()
    command = ["synthesise", str(rows), "--y", "y", "--se", "se", "--robust", "0.2", "--sigma", "2", "--quiet"]
    assert main([*command, "--no-leave-one-out", "--map", str(study / "priors.toml")]) == 0
    capsys.readouterr()
    declared = read_study(study)
    numbers = {name: np.array(value) for name, value in declared.priors["effect"].parameters.items()}
    expected = MixturePrior("Normal", numbers["w"], numbers["mu"], numbers["sigma"]).updated_by_normal(0.3, 0.25)
    with pm.Model(coords={"row": ["ours"]}) as model:
        effect = bayes.add_priors(model, declared.priors)["effect"]
        pm.Normal("y", effect, 0.25, observed=[0.3], dims="row")
    fit = bayes.sample(model, draws=1000, rng=4)
    found = bayes.summarise(fit, variables=["effect"]).iloc[0]
    mean, sd = expected.moments()
    assert found["mean"] == pytest.approx(mean, abs=5 * found["mcse_mean"])
    assert found["sd"] == pytest.approx(sd, rel=0.1)
