"""A small question of one's own, ready to run: the one that ``QUESTIONS.md`` works out, with its study."""

from __future__ import annotations

import re
from pathlib import Path

from bayes.errors import UsageError
from bayes.files import read_text, replace_folder, write_text

__all__ = ["check_free", "question_files", "start_question"]


def question_files() -> dict[str, str]:
    """Return the files of the question that ``QUESTIONS.md`` works out, by path: what it shows is what is written.

    >>> sorted(question_files())[0]
    'question.py'
    """
    text = read_text(Path(__file__).parent / "QUESTIONS.md")
    return dict(re.findall(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def start_question(folder: Path) -> list[str]:
    """Make a small question with its study and return the lines that say what to do next.

    Raises
    ------
    UsageError
        If the folder exists and holds anything, or cannot be written; nothing is then written.
    """
    check_free(folder)
    files = question_files()
    with replace_folder(folder) as scratch:
        for name, text in files.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            write_text(scratch / name, text)
    return [f"Made {folder}: {', '.join(sorted(files))}.", next_line(f"python {folder / 'question.py'} run")]


def next_line(command: str) -> str:
    """Say which command comes next, as it is typed with uv and without it."""
    return f"Next: {command}   (with uv: uv run {command})"


def check_free(folder: Path) -> None:
    """Refuse a folder that holds anything.

    Raises
    ------
    UsageError
        If it is a file, or a folder that is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("this place is taken", file=folder, allowed="a new folder, or an empty one",
                         fix="choose another name")  # fmt: skip
