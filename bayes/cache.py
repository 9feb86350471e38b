"""One store for what costs time to make: recipes, exports and machine code of programs, components of refits, fits.

An entry lies under the content hash of everything that decides it (:func:`key_of`). It is a file, the content followed
by its seal: an HMAC (RFC 2104, with SHA-256) of kind, name and content under a secret that lies in the user's own
configuration folder and never in the cache. An entry that another user, another machine or another program has written
or changed is therefore not believed, and nothing is unpickled before its seal was found to be right.

Whatever is wrong here only costs time: what cannot be read is made again, what cannot be written is not kept.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import platform
import secrets
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from bayes.provenance import canonical, code_hash, digest, versions

__all__ = ["CacheWarning", "can_keep", "holds", "keep", "kept", "key_of", "processor", "state"]

KEPT = {"fits": 12, "replicates": 4000}
"""How many entries of a kind are kept, the least recently used going first; of others :data:`MANY`."""
MANY = 400
"""A structure needs some ten entries of a kind."""
_SEAL = 32
_LEFT_OVER = 3600.0
"""Seconds after which a file that was never finished belongs to a process that was killed."""


class CacheWarning(UserWarning):
    """Nothing is kept between runs, which only costs time."""


# --- what entries are called ---------------------------------------------------------------------


def key_of(*parts: object, compiled: bool = False) -> str:
    """Return the content hash of plain data, of the versions and of the code of the toolkit that decides numbers.

    Parameters
    ----------
    compiled
        Whether the entry is, or leads to, machine code: then the processor counts too.

    Examples
    --------
    >>> key_of("a", 1) == key_of("a", 1), key_of("a") == key_of("b"), key_of("a") == key_of("a", compiled=True)
    (True, False, False)
    """
    machine = [processor()] if compiled else []
    return digest(canonical([*parts, code_hash(), dict(versions()), *machine]))


_TELLING = ("model name", "flags", "features", "cpu implementer", "cpu architecture", "cpu variant", "cpu part",
            "cpu revision", "isa", "uarch", "cpu", "vendor_id", "cpu family", "model", "stepping")  # fmt: skip
"""Lines of ``/proc/cpuinfo`` that say what a processor can do; of x86, ARM, RISC-V and POWER."""
_OF_MACOS = ("machdep.cpu.brand_string", "machdep.cpu.features", "machdep.cpu.leaf7_features")


@cache
def processor() -> str:
    """Return the hash of what machine code depends on: kind of machine, and model and abilities of the processor.

    Where the system does not say which processor it has, the machine's own name stands for it.
    """
    told = _told_by_linux() or _told_by_macos() or [platform.processor()]
    if not any(told):
        told = [platform.node()]
    return digest("\n".join([platform.system(), platform.machine(), *told]))


def _told_by_linux(path: Path = Path("/proc/cpuinfo")) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return sorted({line for line in lines if line.partition(":")[0].strip().lower() in _TELLING})


def _told_by_macos() -> list[str]:
    if sys.platform != "darwin":
        return []
    command = ["/usr/sbin/sysctl", "-n", *_OF_MACOS]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        return []


# --- where they lie ------------------------------------------------------------------------------


def state() -> tuple[Path | None, str]:
    """Return the folder of the cache, and why nothing is kept in it; an empty text where all is well."""
    place = _place("BAYES_CACHE", "XDG_CACHE_HOME", ".cache")
    if place is None:
        return None, "there is no home folder; set BAYES_CACHE and XDG_CONFIG_HOME to folders of your own"
    _, problem = _opened(place)
    if problem:
        return place, problem
    own = _place("", "XDG_CONFIG_HOME", ".config")
    if own is None:
        return (
            place,
            "there is no home folder for the secret that seals it; set XDG_CONFIG_HOME to a folder of your own",
        )
    return place, _secret(own)[1]


def _place(itself: str, base: str, beside: str) -> Path | None:
    """A folder of this user: as a variable names it, or ``bayes`` in the user's folder of such things."""
    if named := os.environ.get(itself):
        return Path(named)
    if named := os.environ.get(base):
        return Path(named) / "bayes"
    try:
        return Path.home() / beside / "bayes"
    except RuntimeError:  # a user id that nobody knows
        return None


@lru_cache(maxsize=8)
def _opened(place: Path) -> tuple[bool, str]:
    """Make a folder that is this user's alone; whether it is there, and what is wrong with it."""
    try:
        for folder in reversed((place, *place.parents)):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        found = place.stat()
    except OSError as error:
        return False, f"{place} cannot be made ({error.strerror or error})"
    if not S_ISDIR(found.st_mode):
        return False, f"{place} is no folder"
    problem = _shared(place, found, 0o022)
    return not problem, problem


def _shared(path: Path, found: os.stat_result, others: int) -> str:
    """Why a file or folder is not this user's alone; an empty text where it is, and where the system has no owners."""
    if not hasattr(os, "geteuid"):
        return ""
    if found.st_uid != os.geteuid():
        return f"{path} belongs to another user (user id {found.st_uid}); set BAYES_CACHE to a folder of your own"
    if found.st_mode & others:
        word = f"{0o700 if S_ISDIR(found.st_mode) else 0o600:o}"
        return f"others may use {path} (mode {found.st_mode & 0o777:03o}); empty it, then: chmod {word} {path}"
    return ""


@lru_cache(maxsize=8)
def _secret(folder: Path) -> tuple[bytes, str]:
    """The secret that seals entries, made where there is none, and why there is none."""
    path = folder / "cache.key"
    try:
        if not path.exists():
            _make_secret(path)
        found = path.lstat()
        secret = path.read_bytes()
    except OSError as error:
        return b"", f"the secret that seals it, {path}, cannot be kept ({error.strerror or error})"
    if not S_ISREG(found.st_mode) or len(secret) != _SEAL:
        return b"", f"{path} is not the secret that seals it; remove it"
    problem = _shared(path, found, 0o077)
    return (b"", problem) if problem else (secret, "")


def _make_secret(path: Path) -> None:
    """Write a secret whole or not at all; of several processes at once one does."""
    _opened(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(_SEAL))
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        except (OSError, AttributeError):  # a file system without links
            temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _folder(kind: str) -> tuple[Path, bytes] | None:
    """The folder of a kind of entries, and the secret; None where nothing is kept, which is told once."""
    place, problem = state()
    if place is not None and not problem:
        made, problem = _opened(place / kind)
        if made:
            own = _place("", "XDG_CONFIG_HOME", ".config")
            return (place / kind, _secret(own)[0]) if own else None
    _tell(problem)
    return None


@lru_cache(maxsize=8)
def _tell(problem: str) -> None:
    warnings.warn(f"nothing is kept between runs, which only costs time: {problem}", CacheWarning, stacklevel=4)


# --- entries ---------------------------------------------------------------------------------------


def kept(kind: str, name: str) -> bytes | None:
    """Return the content of an entry, or None if there is none or it is not what this user has written.

    What is not, is removed where that can be done.
    """
    if (found := _folder(kind)) is None:
        return None
    path = found[0] / name
    try:
        data = path.read_bytes()
    except OSError:
        return None
    whole = memoryview(data)
    if not hmac.compare_digest(_seal(found[1], kind, name, whole[:-_SEAL]), bytes(whole[-_SEAL:])):
        with suppress(OSError):
            path.unlink()
        return None
    with suppress(OSError):
        os.utime(path)
    return data[:-_SEAL]


def keep(kind: str, name: str, content: bytes | Callable[[Path], object]) -> None:
    """Keep an entry, or what a function writes to a file, whole or not at all; where that fails it costs time later."""
    if not can_keep(kind) or (found := _folder(kind)) is None:
        return
    folder, secret = found
    temporary = folder / f".{name}.{secrets.token_hex(4)}"
    try:
        if isinstance(content, bytes):
            temporary.write_bytes(content)
        else:
            content(temporary)
            content = temporary.read_bytes()
        with temporary.open("ab") as stream:
            stream.write(_seal(secret, kind, name, content))
        temporary.replace(folder / name)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
    _evict(folder, KEPT.get(kind, MANY))


def can_keep(kind: str) -> bool:
    """Return whether entries of a kind can be written."""
    found = _folder(kind)
    return found is not None and os.access(found[0], os.W_OK)


def holds(kind: str, name: str) -> bool:
    """Return whether there is an entry, or no way to keep one."""
    found = _folder(kind)
    return found is None or (found[0] / name).is_file() or not can_keep(kind)


def _seal(secret: bytes, kind: str, name: str, content: bytes | memoryview) -> bytes:
    return hmac.digest(secret, f"{kind}/{name}\n".encode() + hashlib.sha256(content).digest(), "sha256")


def _evict(folder: Path, most: int) -> None:
    """Remove the least recently used entries, and what killed processes left; others may do the same meanwhile."""
    used: dict[Path, float] = {}
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                used[path] = path.stat().st_mtime
    whole = sorted((path for path in used if not path.name.startswith(".")), key=used.__getitem__)
    old = time.time() - _LEFT_OVER
    left = [path for path, when in used.items() if path.name.startswith(".") and when < old]
    for path in (*whole[: max(0, len(whole) - most)], *left):
        with suppress(OSError):
            path.unlink()
