"""The pages of the documentation site hold every command and every public name; the site itself is built by .ci/run."""

import importlib.util
from pathlib import Path

import pytest

import bayes
from bayes.cli.entry import ROOMS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("site_build", ROOT / ".site" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_has_its_help(build):
    page = build.commands()
    assert [room for room in ROOMS if f"bayes {room}" not in page and f"bayes {room}"[:-1] not in page] == []
    assert page.count("```text") > len(ROOMS)


def test_documents_that_exist_are_copied_and_linked(build, tmp_path):
    (tmp_path / "notebooks").mkdir()
    build.documents(tmp_path)
    assert {path.name for path in tmp_path.glob("*.md")} == {*build.DOCUMENTS.values(), "notebooks.md"}
    assert "](questions.md)" in (tmp_path / "rooms.md").read_text(encoding="utf-8")
    assert len(list((tmp_path / "notebooks").glob("*.ipynb"))) == 6


def test_every_public_name_has_an_entry(build, monkeypatch):
    monkeypatch.setattr(build, "_numpy", lambda lines: lines)
    page = build.api()
    names = [f"bayes.{name}" for name in bayes.__all__ if not name.startswith("__")]
    names += [f"bayes.{space}.{name}" for space in ("figures", "sensitivity", "synthesis", "calibration")
              for name in getattr(bayes, space).__all__]  # fmt: skip
    assert [name for name in names if f":: {name}" not in page and f"module:: {name}" not in page] == []
