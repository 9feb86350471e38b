"""Compiled programs kept from one process to the next, under the content hash of what they compute.

A program is stored as JAX's portable export, preceded by its own SHA-256; the machine code that XLA makes of it
stands in JAX's compilation cache beside it. Files are written whole or not at all, so that concurrent runs are safe,
and a damaged file is thrown away and made again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bayes.sampling.places import cache_folder

__all__ = ["compilation_cache", "load_program", "read_kept", "write_kept"]


@contextmanager
def compilation_cache() -> Iterator[None]:
    """Point JAX's cache on disk at our folder, in double precision, for the duration of the block."""
    import jax

    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs", "jax_enable_x64")
    before = {name: getattr(jax.config, name) for name in names}
    folder = cache_folder() / "jax"
    jax.config.update("jax_enable_x64", True)
    if _writable(folder):
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    try:
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)


def load_program(
    key: str | None, build: Callable[[], Callable[..., Any]], arguments: Sequence[Any]
) -> Callable[..., Any]:
    """Return a compiled program for arguments of these shapes: from disk if it is there, built and kept otherwise.

    Parameters
    ----------
    key
        Content hash of the program, or None if it must not be kept.
    build
        Makes the function to compile; called only when there is no stored program.
    arguments
        Example arguments; only their shapes and types matter.
    """
    import jax

    path = cache_folder() / "programs" / f"{key}.bin"
    stored = read_kept(path) if key else None
    if stored is None:
        function = jax.jit(build())
        if key is None:
            plain: Callable[..., Any] = function.lower(*arguments).compile()
            return plain
        stored = bytes(jax.export.export(function)(*arguments).serialize())
        write_kept(path, stored)
    exported = jax.export.deserialize(bytearray(stored))  # also the first time: the same text, the same machine code
    compiled: Callable[..., Any] = jax.jit(exported.call).lower(*arguments).compile()
    return compiled


def _writable(folder: Path) -> bool:
    """Whether the folder can hold a cache; without one everything works, only slower."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def read_kept(path: Path) -> bytes | None:
    """Return the bytes kept in a file, or None if there are none or they are damaged (and then they are removed)."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, payload = data[:32], data[32:]
    if hashlib.sha256(payload).digest() == digest:
        return payload
    path.unlink(missing_ok=True)
    return None


def write_kept(path: Path, payload: bytes) -> None:
    """Keep bytes in a file, whole or not at all; a folder that cannot be written only costs time later."""
    if not _writable(path.parent):
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(hashlib.sha256(payload).digest() + payload)
    Path(temporary).replace(path)
