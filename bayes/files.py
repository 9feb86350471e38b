"""Reading text and writing files whole or not at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bayes.errors import StudyError, UsageError

__all__ = ["make_folder", "read_text", "replace_folder", "write_text"]


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, or say which file is missing or not UTF-8.

    Raises
    ------
    StudyError
        If the file does not exist, cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise StudyError("this file is missing", file=path, fix="create it, or name the folder that holds it") from None
    except UnicodeDecodeError as error:
        raise StudyError(
            "this file is not UTF-8 text",
            file=path,
            found=f"byte 0x{error.object[error.start]:02x} at offset {error.start}",
            allowed="UTF-8",
            fix="save it again with the encoding UTF-8",
        ) from None
    except OSError as error:
        raise StudyError(
            "this file cannot be read",
            file=path,
            found=error.strerror or str(error),
            allowed="a text file that you may read",
            fix="correct its kind or its permissions",
        ) from None


def write_text(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never a part.

    Raises
    ------
    UsageError
        If the place cannot be written; an old file is then as it was.
    """
    temporary = _beside(path, "new")
    try:
        temporary.write_text(text, encoding="utf-8", newline="")
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def replace_folder(target: Path, mark: str = "manifest.json") -> Iterator[Path]:
    """Give a scratch folder beside ``target`` that takes its place only if the block succeeds.

    The old folder, if any, is untouched until then and is removed afterwards. A folder that holds other things is
    never replaced: an old folder must be empty or contain the file ``mark``.

    Raises
    ------
    UsageError
        If the place cannot be written, or holds something that is not an old result.
    """
    _check_replaceable(target, mark)
    scratch, old = _beside(target, "new"), _beside(target, "old")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch.mkdir()
    except OSError as error:
        raise _unwritable(target, error) from None
    try:
        yield scratch
        if target.exists():
            target.replace(old)
        try:
            scratch.replace(target)
        except OSError:
            if old.exists():
                old.replace(target)
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def _check_replaceable(target: Path, mark: str) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError("this is a file, not a folder", file=target, fix="choose another folder with --out")
    if any(target.iterdir()) and not (target / mark).is_file():
        raise UsageError(
            "this folder holds something else",
            file=target,
            found=sorted(path.name for path in target.iterdir())[:5],
            allowed=f"a new folder, an empty one, or an old result (with {mark})",
            fix="choose another folder with --out",
        )


def _beside(path: Path, word: str) -> Path:
    return path.parent / f".{path.name}.{word}.{secrets.token_hex(4)}"


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are not there.

    Raises
    ------
    UsageError
        If that is not possible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        "this place cannot be written",
        file=path,
        found=error.strerror or str(error),
        allowed="a place that you may write to",
        fix="choose another folder with --out",
    )
