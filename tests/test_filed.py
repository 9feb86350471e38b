"""Tables on file with a study are shown by runs of the very model and data that they are about, and by no other."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pymc as pm
import pytest

import bayes
from bayes.cli.shared import effort_text
from bayes.errors import StudyError, UsageError
from bayes.filed import RECORDS, file_table, filed, records_of
from bayes.heroin.question import QUESTION
from bayes.inputs import posed
from bayes.plans import Asked
from bayes.report.chapters.common import on_file
from bayes.report.contract import Claim, Prose

TABLE = pd.DataFrame({"quantity": ["mu", "tau"], "uniform": [True, False]})
COMMAND = "bayes calibrate RUN --simulations 1000 --draws 500 --tune 500 --seed 20070222"


def question(folder: Path | None, seen: float = 0.3, sd: float | None = None) -> Asked:
    """A mean and one observation; with a spread of its own where ``sd`` is given."""

    def build() -> pm.Model:
        with pm.Model() as model:
            mu = pm.Normal("mu", 0, 1)
            spread = 1 if sd is None else pm.HalfNormal("sd", sd)
            pm.Normal("y", mu, spread, observed=pm.Data("seen", [seen]))
            pm.Deterministic("twice", 2 * mu)
        return model

    return Asked(bayes.Question(model=build, target="twice", study=folder and str(folder)))


def test_the_same_model_and_data_show_the_table_and_say_who_made_it(tmp_path: Path) -> None:
    path = file_table(question(tmp_path), "calibration", TABLE, COMMAND)
    assert path == tmp_path / "checks" / "calibration.csv"
    found = filed(question(tmp_path))["calibration"]
    assert found.drop(columns="computed_by").equals(TABLE)
    assert set(found["computed_by"]) == {str(records_of(question(tmp_path).question)["calibration"])}
    assert found["computed_by"].iloc[0].startswith(f"version {bayes.__version__} on 20")
    assert found["computed_by"].iloc[0].endswith(COMMAND)


@pytest.mark.parametrize("other", [{"seen": 0.4}, {"sd": 1.0}])
def test_other_data_or_another_model_do_not(tmp_path: Path, other: dict[str, float]) -> None:
    file_table(question(tmp_path), "calibration", TABLE, COMMAND)
    assert filed(question(tmp_path, **other)) == {}


def test_a_table_that_somebody_edited_is_left_out_and_a_record_that_is_none_is_refused(tmp_path: Path) -> None:
    path = file_table(question(tmp_path), "calibration", TABLE, COMMAND)
    file_table(question(tmp_path), "stress", TABLE, COMMAND)
    path.write_text(path.read_text().replace("False", "True"))
    assert list(filed(question(tmp_path))) == ["stress"]
    for text in ("[]", "{", json.dumps({"calibration": {"key": "a"}})):
        (tmp_path / "checks" / RECORDS).write_text(text)
        with pytest.raises(StudyError, match="no records"):
            filed(question(tmp_path))


def test_a_question_without_a_folder_keeps_nothing() -> None:
    assert filed(question(None)) == {}
    with pytest.raises(UsageError, match="nothing can be kept"):
        file_table(question(None), "calibration", TABLE, COMMAND)


def test_what_is_on_file_with_the_shipped_study_is_about_todays_model() -> None:
    assert list(filed(posed(QUESTION))) == list(records_of(QUESTION))


def test_the_command_is_recorded_as_it_was_given() -> None:
    options: Any = SimpleNamespace(question=None, called="calibrate", simulations=1000, draws=500, tune=500,
                                   seed=20070222, posterior=True)  # fmt: skip
    assert effort_text(options) == f"{COMMAND} --posterior"


def test_a_report_says_who_computed_what_it_shows() -> None:
    claims: list[Claim] = []
    assert on_file("stress", TABLE, claims) == []
    (block,) = on_file("stress", TABLE.assign(computed_by="version 1 on 2026-01-01, by bayes stress RUN"), claims)
    assert isinstance(block, Prose)
    assert "{stress.by}" in block.text
    assert claims[0].text == "version 1 on 2026-01-01, by bayes stress RUN"
