"""A writable copy of the shipped study, and one way to ask whether a refusal is a good message."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bayes.errors import InputError
from bayes.heroin.study import load_study, shipped_study
from bayes.study import Study


@dataclass(frozen=True)
class Copy:
    """A copy of the shipped study that a test may spoil."""

    folder: Path

    def load(self) -> Study:
        return load_study(self.folder)

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace a text that occurs in the file; its first occurrence only."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}: the test is out of date"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def append(self, file: str, text: str) -> None:
        path = self.folder / file
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    def rows(self, table: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO((self.folder / "evidence" / f"{table}.csv").read_text("utf-8"))))

    def write_rows(self, table: str, rows: list[dict[str, str]]) -> None:
        out = io.StringIO()
        writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        (self.folder / "evidence" / f"{table}.csv").write_text(out.getvalue(), encoding="utf-8")

    def edit_row(self, table: str, row: str, **cells: str) -> None:
        """Change cells of one row of evidence."""
        rows = self.rows(table)
        (chosen,) = [one for one in rows if one["row"] == row]
        assert set(cells) <= set(chosen)
        chosen.update(cells)
        self.write_rows(table, rows)

    def add_row(self, table: str, like: str, **cells: str) -> None:
        """Add a row that differs from another in some cells."""
        rows = self.rows(table)
        (model,) = [one for one in rows if one["row"] == like]
        self.write_rows(table, [*rows, {**model, **cells}])


def good_message(caught: InputError, file: str, says: dict[str, str]) -> None:
    """Check that a message names the file, and where it applies the table, the key, what was found and allowed."""
    text = str(caught)
    first = text.splitlines()[0]
    assert Path(caught.file or "").name == Path(file).name, text
    assert Path(file).name in first, text
    for word, pattern in (("line", r"line {}\b"), ("table", r"table \[{}\]"), ("key", "key '{}'")):
        if word in says:
            assert re.search(pattern.format(re.escape(says[word])), first), text
    for word in ("found", "allowed"):
        if word in says:
            assert re.search(rf"^  {word}: .*{re.escape(says[word])}", text, re.MULTILINE), text
    assert re.search(r"^  do:      \S.*[.?]$", text, re.MULTILINE), text
    assert says.get("says", "") in text, text


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    folder = tmp_path / "study"
    shutil.copytree(shipped_study(), folder)
    return Copy(folder)


@pytest.fixture
def refused(copy: Copy) -> Callable[..., InputError]:
    """Load the copy, expect a refusal of one class, and check its message; nothing may have been written."""

    def check(error: type[InputError], file: str, **says: str) -> InputError:
        assert set(says) <= {"line", "table", "key", "found", "allowed", "says"}
        before = {path: path.read_bytes() for path in copy.folder.rglob("*") if path.is_file()}
        with pytest.raises(InputError) as caught:
            copy.load()
        assert type(caught.value) is error, str(caught.value)
        assert caught.value.exit_code == 2
        good_message(caught.value, file, says)
        assert before == {path: path.read_bytes() for path in copy.folder.rglob("*") if path.is_file()}
        return caught.value

    return check
