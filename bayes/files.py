"""Reading text and writing files whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.errors import MACHINE, InputError, MachineError, StudyError, UsageError, syntax_fix
from bayes.folders import beside, carry, clean, exchange, held, note, recovered, steady

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_place", "csv_cell", "csv_text", "edited_toml", "make_folder", "read_bytes", "read_table", "read_text",
           "read_toml", "replace_folder", "told_cell", "toml_text", "unwritable", "write_bytes",
           "write_text"]  # fmt: skip

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""How cells begin that a spreadsheet takes for formulas, after the apostrophes by which :func:`csv_cell` marks them."""


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, or say which file is missing or not UTF-8.

    Raises
    ------
    StudyError
        If the file does not exist, cannot be read, or is not UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError("this file is not UTF-8 text", file=path,
                         found=f"byte 0x{error.object[error.start]:02x} at offset {error.start}", allowed="UTF-8",
                         fix="save it again with the encoding UTF-8") from None  # fmt: skip


def read_bytes(path: Path, number: int = -1) -> bytes:
    """Read a file, or so many bytes of it, or say that it is missing or cannot be read.

    Raises
    ------
    StudyError
        If the file does not exist or cannot be read.
    """
    try:
        if path.is_char_device() or (path.is_fifo() and path.parts[:2] != ("/", "dev")):  # but a shell's <(…) is there
            raise OSError(errno.EINVAL, "a device or a pipe")
        with path.open("rb") as file:
            return file.read(number)
    except FileNotFoundError:
        raise StudyError("this file is missing", file=path, fix="create it, or name the folder that holds it") from None
    except OSError as error:
        raise StudyError("this file cannot be read", file=path, found=error.strerror or str(error),
                         allowed="a text file that you may read",
                         fix="correct its kind or its permissions") from None  # fmt: skip


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
    lines = {name: f"{name} = {toml_text(value)}{end}" for name, value in values.items()}
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


def toml_text(value: Any) -> str:
    """Return a value as TOML writes it, a mapping on one line."""
    import tomlkit

    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{tomlkit.key(key).as_string()} = {toml_text(one)}' for key, one in value.items())} }}"
    return str(tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string())


def csv_cell(value: Any) -> Any:
    """Return a cell of a CSV table: a text that a spreadsheet would take for a formula has an apostrophe before it.

    Numbers, and texts that are numbers, stay as they are; :func:`told_cell` takes the apostrophe away again.

    Examples
    --------
    >>> csv_cell("=1+2"), csv_cell("-1.5"), csv_cell(-1.5), told_cell(csv_cell("@you"))
    ("'=1+2", '-1.5', -1.5, '@you')
    """
    if not isinstance(value, str) or not _FORMULA.match(value):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def told_cell(value: Any) -> Any:
    """Return what was written as this cell by :func:`csv_cell`.

    >>> told_cell("'=1+2"), told_cell("'tis")
    ('=1+2', "'tis")
    """
    return value[1:] if isinstance(value, str) and value[:1] == "'" and _FORMULA.match(value) else value


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV, none of whose cells is a formula (:func:`csv_cell`)."""
    texts = table.select_dtypes(["object", "string", "category"])
    safe = table.assign(**{name: texts[name].astype(object).map(csv_cell) for name in texts})
    text: str = safe.rename(columns=csv_cell).to_csv(index=False, lineterminator="\n")
    return text


def read_table(path: Path) -> pd.DataFrame:
    """Read a table that :func:`csv_text` has written; a unit that is not given is an empty text.

    Raises
    ------
    StudyError
        If the file is missing, or no such table.
    """
    import pandas as pd

    text = read_text(path)
    try:
        table = pd.read_csv(StringIO(text)).rename(columns=told_cell)
    except ValueError as error:
        raise StudyError("this is no table that was written here", file=path, found=str(error),
                         allowed="CSV", fix="make it again with the command that wrote it") from None  # fmt: skip
    if "unit" in table:
        table["unit"] = table["unit"].astype(object).where(table["unit"].notna(), "")
    return table.assign(**{name: table[name].map(told_cell) for name in table.select_dtypes(["object", "string"])})


def write_text(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never a part.

    Raises
    ------
    UsageError
        If the place cannot be written; an old file is then as it was.
    MachineError
        If the disk is full.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part.

    Raises
    ------
    UsageError, MachineError
        As :func:`write_text`.
    """
    temporary = beside(path, "new")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
        note(path)
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def replace_folder(target: Path, mark: str = "manifest.json") -> Iterator[Path]:
    """Give a scratch folder beside ``target`` that takes its place in one step, if the block succeeds.

    The old folder, if any, is untouched until then and is removed afterwards; what somebody put into it is carried
    over. A folder that holds other things is never replaced: an old folder must be empty or contain the file ``mark``.
    A link to a folder stays, and the folder it leads to is replaced. What killed processes left is removed.

    Raises
    ------
    UsageError
        If the place cannot be written, or holds something that is not an old result.
    MachineError
        If the disk is full, or the result could not take its place; it is then kept, and the error says where.
    """
    target = check_place(target, mark)
    with ExitStack() as stack:
        try:
            scratch = stack.enter_context(held(target))
        except OSError as error:
            raise unwritable(target, error) from None
        yield scratch
        try:
            carry(target, scratch, mark)
            exchange(scratch, target)
        except OSError as error:
            raise _kept(scratch, target, error) from None
        if scratch.exists():
            with suppress(OSError):
                carry(scratch, target, mark)  # what was put there in the last moment


def _kept(scratch: Path, target: Path, error: OSError) -> MachineError:
    """Leave a finished result where it can be found, and say so."""
    place = target.with_name(f"{target.name}-{scratch.name.rpartition('.')[2]}")
    why = error.strerror or error
    try:
        scratch.rename(place)
    except OSError:
        return MachineError(f"the result could not take its place at {target} ({why})")
    return MachineError(f"the result could not take its place at {target} ({why}); it is in {place}")


def check_place(target: Path, mark: str = "manifest.json") -> Path:
    """Make the folders above a place where a folder may be written, and return it with links followed.

    Raises
    ------
    UsageError, MachineError
        As :func:`replace_folder`.
    """
    try:
        if target.is_symlink():
            target = target.resolve(strict=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        recovered(target)
        with steady(target):
            _check_replaceable(target, mark)
            clean(target)
    except RuntimeError as error:  # links in a circle, of Python 3.12
        raise unwritable(target, OSError(errno.ELOOP, str(error))) from None
    except OSError as error:
        raise unwritable(target, error) from None
    _check_access(target.parent)
    return target


def _check_replaceable(target: Path, mark: str) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError("this is a file, not a folder", file=target, fix="choose another folder with --out")
    if any(target.iterdir()) and not (target / mark).is_file():
        raise UsageError("this folder holds something else", file=target,
                         found=sorted(path.name for path in target.iterdir())[:5],
                         allowed=f"a new folder, an empty one, or an old result (with {mark})",
                         fix="choose another folder with --out")  # fmt: skip


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are not there; called before what is to be written is computed.

    Raises
    ------
    UsageError
        If that is not possible, or nothing can be written there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from None
    _check_access(path)


def _check_access(path: Path) -> None:
    if not os.access(path, os.W_OK):
        raise unwritable(path, OSError(errno.EACCES, os.strerror(errno.EACCES)))


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:  # too long a name
        return False


def unwritable(path: Path, error: OSError) -> UsageError | MachineError:
    """Return the error of a place that cannot be written: the user's to mend, or the machine's."""
    if error.errno in MACHINE:
        return MachineError(f"{path} could not be written ({error.strerror or error}); what stood there is as it was")
    leads = "; a link that leads nowhere" if _is_link(path) else ""
    return UsageError("this place cannot be written", file=path, found=f"{error.strerror or error}{leads}",
                      allowed="a place that you may write to",
                      fix="choose another place, with --out where the command has it; a run can be copied there",
    )  # fmt: skip
