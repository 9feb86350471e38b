"""The shipped questions, and the one that QUESTIONS.md works out, as their scripts give them."""

import runpy
from pathlib import Path

import pandas as pd
import pytest

from bayes.study import read_study

FOLDER = Path(__file__).resolve().parents[2] / "notebooks" / "examples"


def script(name):
    """The names of a question's script, which is not run."""
    return runpy.run_path(str(FOLDER / name / "question.py"))


def study_of(question):
    """The study beside a question's script."""
    return read_study(question.script.parent / question.study)


def evidence(name, table):
    """A table of evidence as it stands in its file."""
    return pd.read_csv(FOLDER / name / "study" / "evidence" / f"{table}.csv")


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """The folder that ``bayes init --question`` makes."""
    from bayes.cli import main

    folder = tmp_path_factory.mktemp("start") / "mine"
    assert main(["init", "--question", str(folder)]) == 0
    return folder
