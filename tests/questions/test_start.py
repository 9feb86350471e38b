"""``bayes init --question`` writes what QUESTIONS.md shows, and harms nothing."""

import json
from unittest.mock import Mock

import numpy as np
import pymc as pm
import pytest
from xarray import Dataset, DataTree

import bayes
from bayes.cli import main
from bayes.cli.entry import parser_of_all
from bayes.errors import UsageError
from bayes.figures.tabulation import group
from bayes.question import _given, built
from bayes.report.chapters.common import NEEDS
from bayes.starter import question_files
from bayes.study import read_study


def test_what_is_written_is_what_is_shown(start):
    shown = question_files()
    assert set(shown) == {"question.py", "study/priors.toml", "study/scenarios.toml", "study/references.bib",
                          "study/evidence/clinics.csv"}  # fmt: skip
    found = {str(path.relative_to(start)): path.read_text() for path in start.rglob("*") if path.is_file()}
    assert found == shown
    study = read_study(start / "study")
    assert (len(study.priors), len(study.rows("clinics")), list(study.scenarios)) == (5, 4, ["half", "all"])


@pytest.mark.parametrize("kind", [(), ("--question",)])
def test_a_place_that_is_taken_is_left_alone(tmp_path, capsys, kind):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert main(["init", *kind, str(tmp_path / "mine")]) == 2
    assert "taken" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_build_takes_what_it_names():
    """Values of its own stay where nothing is asked for; structures without a parameter for them are refused."""

    def build(years=10, structure="equal"):
        with pm.Model() as model:
            pm.Normal(f"{structure}_{years}")
        return model

    question = bayes.Question(model=build, target="t", structures={"unequal": "unequal"})
    assert [*built(question).named_vars] == ["equal_10"]
    assert [*built(question, None, "unequal").named_vars] == ["unequal_10"]
    with pytest.raises(UsageError, match=r"one structure(?s:.*)'unequal'(?s:.*)a parameter called structure"):
        bayes.Question(model=lambda study: build(), target="t", structures={"unequal": "unequal"})
    for takes in (lambda s, t: (s, t), lambda *a: a, lambda structure, study=None: (study, structure)):
        assert _given(takes, "study", "structure")() == ("study", "structure")


def test_the_help_of_a_script_names_its_own_run_and_no_number_of_the_shipped_study():
    question = bayes.Question(model=lambda: None, target="cases", name="mine")
    commands = next(iter(parser_of_all(question)._subparsers._group_actions)).choices
    told = {name: command.format_help() for name, command in commands.items()}
    assert "runs/mine" in told["check"]
    of_another = ("runs/latest", "shipped", "tau_theta", "hardcore", "places=", "horizon_years")
    assert [(name, word) for name, text in told.items() for word in of_another if word in text] == []


def test_a_prior_that_cannot_be_drawn_is_told_with_its_reason():
    """By what sampling wrote down, in place of advice that does not help."""
    fit = DataTree.from_dict({"posterior": Dataset({"rate": (("chain", "draw"), np.ones((2, 9)))})})
    fit.attrs["left_out"] = json.dumps({"prior": "rate cannot be computed: no probabilities"})
    with pytest.raises(UsageError, match="no group 'prior': rate cannot be computed: no probabilities"):
        group(fit, "prior")
    material = Mock(fit=fit, tables={}, lacks=lambda *told: told)
    assert NEEDS["prior"](material) == ("", "the prior of this model cannot be drawn: rate cannot be computed: "
                                            "no probabilities")  # fmt: skip
