"""Reading text and writing files whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bayes.errors import StudyError, UsageError

__all__ = ["read_text", "replace_folder", "write_text"]


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
        raise StudyError(
            "this file is missing", file=path, fix="create it, or name the folder that holds it"
        ) from None
    except UnicodeDecodeError as error:
        raise StudyError(
            "this file is not UTF-8 text",
            file=path,
            found=f"byte 0x{error.object[error.start]:02x} at offset {error.start}",
            allowed="UTF-8",
            fix="save it again with the encoding UTF-8",
        ) from None
    except OSError as error:
        raise StudyError("this file cannot be read", file=path, found=error.strerror or str(error)) from None


def write_text(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never a part."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def replace_folder(target: Path) -> Iterator[Path]:
    """Give a scratch folder beside ``target`` that takes its place only if the block succeeds.

    The old folder, if any, is untouched until then and is removed afterwards.

    Raises
    ------
    UsageError
        If the place cannot be written.
    """
    parent = target.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=parent, prefix=f".{target.name}."))
    except OSError as error:
        raise UsageError(
            "this folder cannot be written", file=target, found=error.strerror or str(error),
            fix="choose another folder with --out",
        ) from None
    try:
        scratch.chmod(0o755)
        yield scratch
        old = None
        if target.exists():
            old = Path(tempfile.mkdtemp(dir=parent, prefix=f".{target.name}.old."))
            os.replace(target, old / target.name)
        os.replace(scratch, target)
        if old is not None:
            shutil.rmtree(old)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
