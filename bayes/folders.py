"""A folder that takes another's place in one step, and what it keeps of the other: files that somebody put there.

Where the system can exchange two names (Linux, macOS), a reader sees one whole folder or the other at every moment.
Elsewhere there are two renames, one process at a time; what a process that died between them leaves is put back.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from glob import escape
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["beside", "carry", "clean", "exchange", "held", "note", "recovered", "steady", "swaps"]

_WRITTEN = ".written"
"""File of a folder that lists what commands wrote there after it was made; what neither it nor the mark lists and
none of these names begins is what somebody put there."""
_OURS = ("manifest.json", "question.json", "fit.nc", "futures.", "tables/", "inputs/")
"""What a folder holds of ours whose mark has no list of files."""
_STALE = 24 * 3600.0
"""Seconds after which a scratch folder is nobody's where the system has no locks."""
_PATIENCE = 5.0
"""Seconds after which a lock file is that of a process that died."""


def beside(path: Path, word: str) -> Path:
    """Return a hidden name beside a path that nobody has."""
    return path.parent / f".{path.name}.{word}.{secrets.token_hex(4)}"


# --- taking a place --------------------------------------------------------------------------------


def exchange(scratch: Path, target: Path) -> None:
    """Put a folder in the place of another, or where there is none; the other then has the first one's name.

    Raises
    ------
    OSError
        If that cannot be done; the other is then in its place.
    """
    swap = _swap()
    while True:
        try:
            if swap is not None and target.exists():
                swap(scratch, target)
            elif swap is not None:
                scratch.rename(target)  # of a folder: it fails where there is one that is not empty
            else:
                _in_two_steps(scratch, target)
            return
        except FileNotFoundError:
            if not scratch.exists():
                raise
        except OSError as error:
            if error.errno in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP) and swap is not None:
                swap = None  # the file system has no such thing
            elif error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or swap is None:
                raise


def swaps() -> bool:
    """Return whether the system can exchange two names in one step."""
    return _swap() is not None


def _swap() -> Callable[[Path, Path], None] | None:
    """The system's function that exchanges two names, or None."""
    if os.name != "posix":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    here = -100  # AT_FDCWD
    if hasattr(library, "renameat2"):
        return lambda a, b: _checked(library.renameat2(here, os.fsencode(a), here, os.fsencode(b), 2), a, b)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return lambda a, b: _checked(library.renamex_np(os.fsencode(a), os.fsencode(b), 2), a, b)
    return None


def _checked(code: int, a: Path, b: Path) -> None:
    if code:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(a), None, str(b))


def _in_two_steps(scratch: Path, target: Path) -> None:
    """Two renames, by one process at a time."""
    old = beside(target, "old")
    with _alone(target):
        there = target.exists()
        if there:
            target.replace(old)
        try:
            scratch.replace(target)
        except OSError:
            if there:
                old.replace(target)
            raise
        if there:
            with suppress(OSError):  # the next process removes it
                old.replace(scratch)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Wait for a file that only one process can make, and remove it afterwards."""
    lock = target.parent / f".{target.name}.lock"
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except (FileExistsError, PermissionError) as error:
            if isinstance(error, PermissionError) and os.name != "nt":
                raise
            with suppress(OSError):
                if time.time() - lock.stat().st_mtime > _PATIENCE:
                    lock.unlink()
            time.sleep(0.01)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()


def steady(target: Path) -> AbstractContextManager[None]:
    """Keep others from replacing a folder while it is looked at, where they do so in two steps."""
    return nullcontext() if swaps() else _alone(target)


def recovered(target: Path) -> bool:
    """Put back what a process left that died between its two renames; whether the folder is there now."""
    if not target.exists() and target.parent.is_dir():
        pattern = f".{escape(target.name)}.old.*"
        if any(target.parent.glob(pattern)):
            with _alone(target), suppress(OSError):
                if not target.exists():
                    max(target.parent.glob(pattern), key=lambda path: path.stat().st_mtime).rename(target)
    return target.exists()


# --- scratch folders of processes that live, and of those that died --------------------------------


@contextmanager
def held(target: Path) -> Iterator[Path]:
    """Give a scratch folder beside another, marked as a living process's: the mark goes with it, however it ends."""
    scratch, handle = beside(target, "new"), -1
    try:
        handle = _marked(scratch)
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if handle >= 0:
            os.close(handle)


def _marked(scratch: Path) -> int:
    """Make a scratch folder and return the handle of its mark, or -1 where the system has no locks."""
    while True:
        scratch.mkdir()
        if fcntl is None:
            return -1
        with suppress(FileNotFoundError):  # another took it for one that was left, before it was marked
            handle = os.open(scratch, os.O_RDONLY | os.O_CLOEXEC)
            with suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            if scratch.exists():
                return handle
            os.close(handle)


def clean(target: Path) -> None:
    """Remove the scratch folders and files beside a folder that processes left which were killed."""
    for word in ("new", "old") if target.exists() else ("new",):
        for path in target.parent.glob(f".{escape(target.name)}.{word}.*"):
            with suppress(OSError), _unmarked(path) as left:
                if left and path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                elif left:
                    path.unlink()


@contextmanager
def _unmarked(path: Path) -> Iterator[bool]:
    """Whether no living process has a scratch folder; none gets it meanwhile."""
    old = time.time() - path.stat().st_mtime > _STALE
    if fcntl is None or not path.is_dir():
        yield old
        return
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            old = False
        except OSError:  # a file system without locks
            pass
        else:
            old = True
        yield old
    finally:
        os.close(handle)


# --- what somebody put into a folder ---------------------------------------------------------------


def note(path: Path, marks: Sequence[str] = ("manifest.json", "question.json")) -> None:
    """Note in the folder of ours that a file stands in, if it stands in one, once, that it was written by us."""
    for folder in path.parents[:3]:
        if ".new." in folder.name or path.name in marks:  # what is being made has its own list
            return
        if any((folder / mark).is_file() for mark in marks):
            name = path.relative_to(folder).as_posix()
            with suppress(OSError), (folder / _WRITTEN).open("a+", encoding="utf-8", newline="") as stream:
                stream.seek(0)
                if name not in stream.read().splitlines():
                    stream.write(f"{name}\n")
            return


def carry(old: Path, new: Path, mark: str) -> None:
    """Give a new folder what somebody put into the old one. A name that both have is ours, and the new one's stays."""
    for name in _foreign(old, mark):
        place = new / name
        if not os.path.lexists(place):
            with suppress(FileNotFoundError):  # it was just removed
                place.parent.mkdir(parents=True, exist_ok=True)
                _copied(old / name, place)


def _foreign(folder: Path, mark: str) -> set[str]:
    """Names in a folder of what somebody put there; read again where the folder was replaced meanwhile."""
    while True:
        before = _content(folder / mark)
        found = _entries(folder) - _ours(folder, mark)
        if _content(folder / mark) == before:
            return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _ours(folder: Path, mark: str) -> set[str]:
    """Names in a folder of what was written by us."""
    noted: set[str] = set()
    with suppress(OSError, UnicodeDecodeError):
        noted |= {mark, *(folder / _WRITTEN).read_text(encoding="utf-8").splitlines()}
    try:
        return noted | {mark, *map(str, json.loads((folder / mark).read_bytes())["files"])}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return noted | {name for name in _entries(folder) if name.startswith(_OURS)}


def _copied(old: Path, new: Path) -> None:
    """Link a file under a second name, or copy it; a folder that counts as one thing is copied."""
    if old.is_dir() and not old.is_symlink():
        shutil.copytree(old, new, symlinks=True)
        return
    try:
        os.link(old, new, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(old, new, follow_symlinks=False)


def _entries(folder: Path) -> set[str]:
    """Names of the files below a folder; a Zarr store counts as one thing."""
    found: set[str] = set()
    for place, folders, files in os.walk(folder):
        here = Path(place)
        whole = [name for name in folders if name.endswith(".zarr") or (here / name).is_symlink()]
        folders[:] = [name for name in folders if name not in whole]
        found |= {(here / name).relative_to(folder).as_posix() for name in (*files, *whole)}
    return found - {_WRITTEN}
