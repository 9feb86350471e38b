"""Places that cannot be written: one message before anything is computed, whatever the command."""

import os
import shutil

import pytest

from bayes.cli import main

COMPUTES = {
    "report": "bayes.report.write.material_of_run", "sensitivity": "bayes.sensitivity.suite._working",
    "calibrate": "bayes.calibration.sbc", "stress": "bayes.calibration.stress",
    "project": "bayes.runs.project_into",
}  # fmt: skip
"""The first thing that each command computes."""


@pytest.mark.parametrize("command", COMPUTES)
def test_a_run_that_cannot_be_written_is_refused_before_anything_is_computed(
    command, finished_run, tmp_path, monkeypatch, capsys
):
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    before = {path.relative_to(run).as_posix() for path in run.rglob("*")} - {"tables/sensitivity"}
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: mode != os.W_OK and may(path, mode, **more))
    monkeypatch.setattr(COMPUTES[command], lambda *_, **__: pytest.fail("it was computed"))
    assert main([command, str(run), "--quiet"]) == 2
    told = capsys.readouterr().err
    assert "this place cannot be written" in told
    assert "a run can be copied there" in told
    monkeypatch.undo()
    left = {path.relative_to(run).as_posix() for path in run.rglob("*")}
    assert left - {"tables/sensitivity"} == before
