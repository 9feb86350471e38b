"""A run carries the study it was made from, and a study of one's own does not overwrite the shipped run."""

import json

import pytest

from bayes.cli import main
from tests.conftest import SHORT


@pytest.fixture
def own(tmp_path, monkeypatch, study_copy):
    monkeypatch.chdir(tmp_path)
    text = (study_copy / "scenarios.toml").read_text()
    (study_copy / "scenarios.toml").write_text(text.replace("= 1000\n", "= 1010\n"))
    return study_copy


def test_its_run_stands_beside_the_shipped_one_and_needs_no_study_named_again(own, tmp_path, capsys):
    assert main(["run", str(own), *SHORT]) == 1
    run = tmp_path / "runs" / own.name
    for path in (run / "inputs").rglob("*.toml"):
        assert path.read_bytes() == (own / path.relative_to(run / "inputs")).read_bytes()
    own.rename(tmp_path / "elsewhere")
    assert not (tmp_path / "runs" / "latest").exists()
    assert main(["check", str(run)]) == 1
    capsys.readouterr()
    assert main(["project", str(run), "--quiet", "--json"]) == 1
    assert any(row["median"] == 1010 * 432 * 0.6 for row in json.loads(capsys.readouterr().out)["headline"])
