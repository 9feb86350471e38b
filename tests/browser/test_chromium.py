"""A browser is found, or installed, or asked for in words: never are tests skipped."""

import os

import pytest

from tests.browser import chromium
from tests.browser.chromium import NoBrowser, find, find_or_install


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without a browser; what would be run is noted instead."""
    ran = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "_tried", lambda command: ran.append(command) or f"  {' '.join(command)}: failed")
    return ran


def program(path):
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_one_that_is_named_comes_first(bare, monkeypatch, tmp_path):
    own, on_path, named = (program(tmp_path / name) for name in ("own", "chromium", "mine"))
    assert find(own) == on_path
    monkeypatch.setenv("CHROMIUM", named)
    assert find(own) == named
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "nowhere"))
    with pytest.raises(NoBrowser, match="CHROMIUM"):
        find(own)


def test_playwrights_own_is_the_last(bare, tmp_path):
    assert find(str(tmp_path / "own")) is None
    assert find(program(tmp_path / "own")) == str(tmp_path / "own")


def test_what_is_installed_meanwhile_is_used(bare, monkeypatch, tmp_path):
    monkeypatch.setattr(chromium, "_tried", lambda command: program(tmp_path / "own"))
    assert find_or_install(str(tmp_path / "own")) == str(tmp_path / "own")


def test_where_nothing_helps_the_message_says_what_to_install(bare, monkeypatch, tmp_path):
    program(tmp_path / "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(NoBrowser, match="apt-get install chromium") as error:
        find_or_install(str(tmp_path / "own"))
    assert [command[:2] for command in bare][1:] == [["apt-get", "update"], ["apt-get", "install"]]
    assert bare[0][-3:] == ["playwright", "install", "chromium"]
    assert "failed" in str(error.value)
