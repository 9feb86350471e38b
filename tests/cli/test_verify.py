"""``bayes verify``: a run is repeated from the inputs it carries, and differences are told in Monte Carlo errors."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pymc as pm
import pytest

import bayes
from bayes.verify import compared
from tests.conftest import SHORT


def _build():
    with pm.Model(coords={"scenario": ["few", "many"]}) as model:
        rate = pm.Gamma("rate", 2, 1)
        pm.Poisson("count", rate, observed=[3], dims=None)
        pm.Deterministic("cases", rate * pm.Data("people", [10.0, 20.0], dims="scenario"), dims="scenario")
    return model


QUESTION = bayes.Question(model=_build, target="cases", name="counted")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verified") / "run"
    bayes.main(QUESTION, ["run", "--out", str(folder), *SHORT])
    return folder


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


def _changed(folder, by, versions=None):
    """Estimates moved by so many of their errors, made with other versions."""
    path = folder / "tables" / "headline.csv"
    table = pd.read_csv(path)
    table["median"] += by * table["mcse_median"]
    table.to_csv(path, index=False)
    made = json.loads((folder / "manifest.json").read_text())
    made["versions"] |= versions or {}
    (folder / "manifest.json").write_text(json.dumps(made))
    return folder


def test_a_run_is_repeated_byte_by_byte(run, capsys):
    assert bayes.main(QUESTION, ["verify", str(run), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "files are the same bytes" in said
    assert "The run is repeated." in said
    assert "Another content" not in said


def test_a_number_that_was_changed_is_found(run, capsys):
    assert bayes.main(QUESTION, ["verify", str(_changed(run, 1)), "--quiet"]) == 1
    assert "Another content: tables/headline.csv." in capsys.readouterr().out


@pytest.mark.parametrize(("by", "repeated"), [(1, True), (20, False)])
def test_with_other_versions_estimates_are_compared_in_their_errors(run, tmp_path, by, repeated):
    other = _changed(shutil.copytree(run, tmp_path / "other"), by, {"numpy": "0.1"})
    found = compared(run, other)
    assert found.repeated is repeated
    assert found.other == ("tables/headline.csv",)
    assert found.versions["numpy"][1] == "0.1"
    assert found.largest == pytest.approx(by / 2**0.5, rel=1e-6)
    assert 3 < found.allowed < 5


def test_a_file_that_is_gone_is_told(run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    (other / "tables" / "headline.csv").unlink()
    found = compared(run, other)
    assert not found.repeated
    assert found.missing == ("tables/headline.csv",)


def test_the_doctor_says_what_there_is(capsys):
    from bayes.cli import main

    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["processors"] >= 1
    assert {"cache", "cache problem", "interpreter", "system", "versions", "advice"} <= set(facts)
    assert main(["doctor"]) == 0
    assert "interpreter" in capsys.readouterr().out
