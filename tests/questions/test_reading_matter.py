"""What QUESTIONS.md shows works as it stands there."""

import contextlib
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import bayes
from bayes.outcomes import outcome_names, outcomes_of, projection_of, without
from bayes.projection import whole
from bayes.question import Question, built

TEXT = (Path(bayes.__file__).parent / "QUESTIONS.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The script of the first section, as a file."""
    script = tmp_path_factory.mktemp("first") / "question.py"
    script.write_text(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1])
    return script


def test_the_first_script_needs_no_study_and_finds_what_the_second_finds(first, start):
    """Priors differ a little: level has sd 1 or 0.97, uptake is Beta(4, 4) or given by quantiles."""
    from tests.questions.conftest import study_of

    found = []
    for question in (runpy.run_path(str(place))["question"] for place in (first, start / "question.py")):
        model = built(question, study_of(question) if question.study else None)
        fit = bayes.sample(without(model, outcome_names(model, question.words)))
        assert bayes.check(fit).passed
        found.append(
            whole(projection_of(fit, outcomes_of(model, question.words, fit), question.words))["deaths_avoided"]
        )
    for share in ("half", "all"):
        a, b = (np.median(data.sel(scenario=share, year=5)) for data in found)
        assert a == pytest.approx(b, rel=0.02)


def test_it_names_every_optional_part_of_a_question():
    """The table of what a question can be told, and fields that exist."""
    named = set(re.findall(r"^\| `(\w+)", TEXT, re.MULTILINE))
    assert {"reference", "headline", "structures", "levers", "net_benefit", "marginals", "beside"} <= named
    assert named <= set(Question.__dataclass_fields__)


def test_commands_it_shows_are_those_of_a_question(first, tmp_path, capsys):
    """Each parses; a run that is not there is refused."""
    lines = re.findall(r"^\$ python question.py (.*?)(?:\s+#.*)?$", TEXT, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["run", "check", "sensitivity", "figures", "report", "calibrate"]
    question = runpy.run_path(str(first))["question"]
    with contextlib.chdir(tmp_path):
        for line in lines[1:]:
            assert bayes.main(question, line.split()) == 2
            assert "this run folder does not exist" in capsys.readouterr().err


def test_what_it_says_of_the_numbers_holds():
    """One woman in nine, and one in 36."""
    assert (round(4010 / 459), round(3754 / 105)) == (9, 36)
    assert "one woman in nine" in TEXT
    assert "one in 36" in TEXT
