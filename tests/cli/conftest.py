import shutil
from pathlib import Path

import pytest

from bayes.heroin.study import shipped_study
from tests.conftest import run_once


@pytest.fixture(scope="session")
def shipped_run_said(tmp_path_factory):
    """The shipped study, run once with the default settings through the command line: its folder, what was printed."""
    return run_once(tmp_path_factory, "shipped")


@pytest.fixture(scope="session")
def shipped_run(shipped_run_said):
    """The folder of the shipped study's run. Not to be changed."""
    return shipped_run_said[0]


@pytest.fixture
def study_copy(tmp_path):
    """The shipped study in a folder of one's own, free to be changed."""
    folder = tmp_path / "study"
    shutil.copytree(shipped_study(), folder)
    return folder


@pytest.fixture
def no_sampling(monkeypatch):
    """Make sampling an error: what must be found before the first draw is found without it."""
    import bayes.sampling.fit as fit

    def never(*_: object, **__: object) -> None:
        raise AssertionError("sampling started")

    monkeypatch.setattr(fit, "sample_plan", never)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
