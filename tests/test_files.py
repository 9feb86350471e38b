"""Files and folders are written whole or not at all, and nothing foreign is ever replaced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bayes.errors import CheckFailed, InputError, MachineError, StudyError, UsageError, closest
from bayes.files import edited_toml, read_table, read_text, replace_folder, write_text
from bayes.provenance import KINDS, STATUSES, Reference, canonical, digest, file_digest, versions


def test_a_text_is_written_and_read_back_unchanged(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "größe,1\r\nb,2\n")
    assert (tmp_path / "a.csv").read_bytes() == "größe,1\r\nb,2\n".encode()
    write_text(tmp_path / "a.csv", "new\n")
    assert read_text(tmp_path / "a.csv") == "new\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_written_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    write_text(tmp_path / "ours", "")
    (tmp_path / "plain").write_text("")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "plain")}
    assert len(modes) == 1


def test_a_device_and_a_pipe_that_nobody_writes_to_are_no_files(tmp_path: Path) -> None:
    """Reading them would not end; a folder that somebody mails may hold them, or a link to them."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "link", Path("/dev/zero")):
        with pytest.raises(StudyError, match="a device or a pipe"):
            read_text(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n3,4,5,6\n"])
def test_a_damaged_table_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(StudyError, match=r"a\.csv"):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize("place", ["missing/a.csv", "file/a.csv", "folder"])
def test_a_place_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be written"):
        write_text(tmp_path / place, "text")
    assert (tmp_path / "file").read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_folder_takes_its_place_only_when_the_block_succeeds(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "run"
    with replace_folder(target) as scratch:
        (scratch / "manifest.json").write_text("1")
        assert not target.exists()
    with pytest.raises(CheckFailed):
        fail_while_writing(target)
    assert (target / "manifest.json").read_text() == "1"
    with replace_folder(target) as scratch:
        (scratch / "manifest.json").write_text("3")
    assert (target / "manifest.json").read_text() == "3"
    assert [path.name for path in target.parent.iterdir()] == ["run"]


def fail_while_writing(target: Path) -> None:
    with replace_folder(target) as scratch:
        (scratch / "manifest.json").write_text("2")
        raise CheckFailed("stop")


def test_the_old_folder_comes_back_when_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "run"
    target.mkdir()
    (target / "manifest.json").write_text("old")
    move = Path.replace

    def failing(self: Path, to: Path) -> Path:
        if ".new." in self.name:
            raise OSError(28, os.strerror(28))
        return move(self, to)

    monkeypatch.setattr("bayes.folders._swap", lambda: None)
    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(MachineError, match="space"), replace_folder(target) as scratch:
        (scratch / "manifest.json").write_text("new")
    assert (target / "manifest.json").read_text() == "old"
    (kept,) = (path for path in tmp_path.iterdir() if path.name != "run")
    assert (kept / "manifest.json").read_text() == "new"


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with replace_folder(tmp_path / "run") as scratch:
        (scratch / "manifest.json").write_text("1")
    assert (tmp_path / "run" / "manifest.json").is_file()


def test_what_is_not_an_old_result_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "love.txt").write_text("kept")
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError, match="holds something else"), replace_folder(tmp_path / "letters"):
        pass
    with pytest.raises(UsageError, match="a file, not a folder"), replace_folder(tmp_path / "file"):
        pass
    with pytest.raises(UsageError, match="cannot be written"), replace_folder(tmp_path / "file" / "run"):
        pass
    assert (tmp_path / "letters" / "love.txt").read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "letters"]


def test_reading_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"ab\xe9")
    for name, says in (("none", "missing"), ("latin", "byte 0xe9 at offset 2"), (".", "cannot be read")):
        with pytest.raises(StudyError, match=says):
            read_text(tmp_path / name)


# --- errors and provenance -------------------------------------------------------------------


def test_a_message_says_where_what_and_what_to_do() -> None:
    error = InputError("this is wrong", file="a.toml", table="t", key="k", found="x", allowed=["y", "z"], fix="write y")
    assert str(error).splitlines() == [
        "a.toml, table [t], key 'k': this is wrong.",
        "  found:   'x'",
        "  allowed: y, z",
        "  do:      write y.",
    ]
    assert str(InputError("this is wrong")) == "this is wrong."
    assert str(InputError("wrong", fix="did you mean 'y'?")).endswith("do:      did you mean 'y'?")


def test_exit_codes() -> None:
    assert (InputError("wrong").exit_code, CheckFailed("failed").exit_code) == (2, 1)


def test_a_suggestion_is_near_or_none() -> None:
    assert closest("LogNormale", ["Beta", "LogNormal"]) == "did you mean 'LogNormal'?"
    assert closest("xyz", ["Beta", "LogNormal"]) is None


def test_digests_are_sha256(tmp_path: Path) -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # FIPS 180-4 example: no bytes
    (tmp_path / "empty").touch()
    assert digest("") == digest(b"") == file_digest(tmp_path / "empty") == empty


def test_equal_data_have_equal_text() -> None:
    assert canonical({"b": 1, "a": [1.0, "x"]}) == canonical({"a": [1.0, "x"], "b": 1}) == '{"a":[1.0,"x"],"b":1}'


def test_versions_name_what_decides_the_numbers() -> None:
    found = versions(("no-such-package",))
    assert {"python", "machine", "numpy", "scipy", "pymc"} <= set(found)
    assert "no-such-package" not in found


def test_every_status_and_kind_is_explained() -> None:
    assert all(words.strip() for words in (*STATUSES.values(), *KINDS.values()))


def test_short_references() -> None:
    assert Reference("k", "T", "van den Brink, W. and others", "2003").short == "van den Brink 2003"
    assert Reference("k", "T").short == "k"


# --- edits of TOML ---------------------------------------------------------------------------

EDITS: dict[str, tuple[str, list[str], dict[str, object], set[str], str]] = {
    # what: (before, table, values, dropped, after)
    "a value keeps its place and comment": ("[a]\nx   = 1  # one\ny=2\n", ["a"], {"x": 3}, set(),
                                            "[a]\nx   = 3  # one\ny=2\n"),
    "a new key comes before the next heading's comment": (
        "[a]\nx = 1\n\n# of b\n[b]\ny = 2\n", ["a"], {"z": "q"}, set(), '[a]\nx = 1\nz = "q"\n\n# of b\n[b]\ny = 2\n'),
    "tables below stay": ("[a]\nx = 1\n\n[a.c]\ny = 2\n", ["a"], {"x": {"q05": 1.0}, "z": True}, set(),
                          "[a]\nx = { q05 = 1.0 }\nz = true\n\n[a.c]\ny = 2\n"),
    "a key is dropped": ("[a]\nx = 1\ny = 2 # two\n[b]\n", ["a"], {}, {"x"}, "[a]\ny = 2 # two\n[b]\n"),
    "a table below a table": ("[s.a]\nx = 1\n# tail\n[s.b]\nx = 2\n", ["s", "b"], {"x": [1, 2]}, set(),
                              "[s.a]\nx = 1\n# tail\n[s.b]\nx = [1, 2]\n"),
    "a table that is not there": ("x = 1\n", ["a"], {"y": 2}, set(), "x = 1\n\n[a]\ny = 2\n"),
    "an inline table": ("a = { x = 1, y = 2 }  # both\n", ["a"], {"x": 5}, set(), "a = { x = 5, y = 2 }  # both\n"),
    "dotted keys": ("a.x = 1\nb = 2\n", ["a"], {"x": 5}, set(), "a.x = 5\nb = 2\n"),
    "Windows line ends, none at the end": ("[a]\r\nx = 1\r\n[b]\r\ny = 2", ["b"], {"y": 3, "z": 4}, set(),
                                           "[a]\r\nx = 1\r\n[b]\r\ny = 3\r\nz = 4\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_of_toml_changes_what_it_says_and_no_more(what: str) -> None:
    before, table, values, dropped, after = EDITS[what]
    assert edited_toml(before, table, values, dropped) == after
