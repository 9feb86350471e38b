"""Reading text and writing files whole or not at all."""

from __future__ import annotations

import secrets
import shutil
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bayes.errors import InputError, StudyError, UsageError, syntax_fix

__all__ = ["edited_toml", "make_folder", "read_text", "read_toml", "replace_folder", "write_text"]


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


def read_toml(path: Path, kind: type[InputError]) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        Of this kind, if it is no TOML, with the line.
    """
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a fault of syntax, or digits and nesting without end
        raise kind("this is not valid TOML", file=path, found=str(error), allowed="TOML 1.0",
                   fix=syntax_fix(text, error)) from None  # fmt: skip


def edited_toml(text: str, at: Sequence[str], values: Mapping[str, Any], drop: Collection[str] = ()) -> str:
    """Return a TOML text with some values of one of its tables set and others dropped; all else stays as it is.

    A key keeps its place and its comment, a new one comes after the last.

    Parameters
    ----------
    at
        The table, as ``["scenarios", "wide"]``; made at the end if it is not there.

    Raises
    ------
    UsageError
        If the table is written in a way that cannot be edited alone.

    Examples
    --------
    >>> print(edited_toml("[a]\\nx = 1  # one\\n\\n# two\\n[b]\\ny = 2\\n", ["a"], {"x": 3, "z": "new"}))
    [a]
    x = 3  # one
    z = "new"
    <BLANKLINE>
    # two
    [b]
    y = 2
    <BLANKLINE>
    """
    import tomlkit
    from tomlkit.items import Table

    end = "\r\n" if "\r\n" in text else "\n"
    document: Any = tomlkit.parse(text if not text or text.endswith("\n") else text + end)
    wanted: dict[str, Any] = document.unwrap()
    table, inside = document, wanted
    for name in at:
        table, inside = table.setdefault(name, tomlkit.table()), inside.setdefault(name, {})
    lines = {name: f"{name} = {_toml(value)}{end}" for name, value in values.items()}
    fresh = {name: tomlkit.parse(line).body[0] for name, line in lines.items()}
    body = table.value.body
    body[:] = [(key, item) for key, item in body if key is None or key.key not in drop]
    last = max((i for i, (key, item) in enumerate(body) if key and not isinstance(item, Table)), default=-1)
    for i, (key, item) in enumerate(body):
        if key and key.key in fresh:
            new = fresh.pop(key.key)[1]
            for part in ("comment_ws", "comment", "trail"):
                setattr(new.trivia, part, getattr(item.trivia, part))
            body[i] = key, new
    body[last + 1 : last + 1] = fresh.values()
    after = tomlkit.dumps(document)
    kept = {key: value for key, value in inside.items() if key not in drop} | tomllib.loads("".join(lines.values()))
    inside.clear()
    inside |= kept
    if tomllib.loads(after) != wanted:
        raise UsageError("this table cannot be edited alone", table=".".join(at), found=sorted(inside),
                         allowed=f"a heading [{'.'.join(at)}] with keys below it", fix="edit it by hand")  # fmt: skip
    return after


def _toml(value: Any) -> str:
    """A value as TOML, a mapping on one line."""
    import tomlkit

    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{tomlkit.key(key).as_string()} = {_toml(one)}' for key, one in value.items())} }}"
    return str(tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string())


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
