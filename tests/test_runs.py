"""A study named where a run is wanted, and a run where a study is: the message says which it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayes.errors import StudyError
from bayes.heroin.study import load_study, shipped_study
from bayes.runfiles import read_fit, read_manifest
from bayes.runs import load_fit


def test_a_study_is_no_run() -> None:
    study = shipped_study()
    for read in (read_manifest, read_fit):
        with pytest.raises(StudyError) as caught:
            read(study)
        assert f"{study} is a study folder, not a run" in str(caught.value)
        assert f"bayes run {study} --out runs/NAME" in str(caught.value)


def test_a_run_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="this run folder does not exist"):
        read_manifest(tmp_path / "none")
    (tmp_path / "scenarios.toml").write_text("")
    with pytest.raises(StudyError, match="this run folder does not exist"):
        load_fit(tmp_path / "none")  # whatever stands beside it


def test_a_run_without_its_fit_is_still_a_run(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "changes.toml").write_text("")
    with pytest.raises(StudyError, match="this run has no such file"):
        read_fit(tmp_path)


def test_a_run_is_no_study(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(StudyError, match="is a run, not a study"):
        load_study(tmp_path)
