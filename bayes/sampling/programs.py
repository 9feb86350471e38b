"""Compiled programs kept from one process to the next, under the content hash of what they compute.

A program is stored twice: as JAX's portable export, and as the machine code that XLA made of it, whose key must name
versions and processor. Both are preceded by their own SHA-256. Files are written whole or not at all, so that
concurrent runs are safe, and a damaged file is thrown away and made again. Like any cache of compiled code the folder
is trusted: it must be writable by its owner only.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from bayes.sampling.places import cache_folder

__all__ = ["KEPT", "double_precision", "export_program", "is_exported", "is_writable", "load_program", "read_kept",
           "same_flags", "untouched", "write_kept"]  # fmt: skip

KEPT = 400
"""How many files a folder of the cache holds; the least recently used go first. A structure needs some ten."""


_COMPILER = Lock()
"""One program is compiled at a time: each takes some 200 MB."""


@contextmanager
def double_precision() -> Iterator[None]:
    """Compute in double precision for the duration of the block, and leave JAX's own cache alone.

    Machine code that XLA read from its cache cannot be written again, so programs are compiled afresh and kept here.
    Where PyTensor's code for JAX was imported meanwhile, double precision stays on, as that import leaves it: PyMC's
    own JAX samplers rely on it and turn it on only once.
    """
    import jax

    wanted = {"jax_enable_x64": True, "jax_enable_compilation_cache": False}
    before, known = {name: getattr(jax.config, name) for name in wanted}, _BY_PYTENSOR in sys.modules
    for name, value in wanted.items():
        jax.config.update(name, value)
    try:
        yield
    finally:
        before["jax_enable_x64"] |= _BY_PYTENSOR in sys.modules and not known
        for name, value in before.items():
            jax.config.update(name, value)


_BY_PYTENSOR = "pytensor.link.jax.dispatch.basic"
"""The module whose import turns double precision on for the whole process."""


@contextmanager
def untouched() -> Iterator[None]:
    """Leave NumPy's global random state, the environment and the warning filters as they were: importing JAX moves all
    three."""
    import numpy as np

    state, variables = np.random.get_state(), dict(os.environ)
    try:
        with warnings.catch_warnings():
            yield
    finally:
        np.random.set_state(state)
        for name in set(os.environ) - set(variables):
            del os.environ[name]
        os.environ.update(variables)


@contextmanager
def same_flags() -> Iterator[None]:
    """Put ``$XLA_FLAGS`` back after the block: importing PyMC's JAX samplers asks XLA for more devices."""
    before = os.environ.get("XLA_FLAGS")
    try:
        yield
    finally:
        os.environ.pop("XLA_FLAGS", None)
        if before is not None:
            os.environ["XLA_FLAGS"] = before


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
    from jax.experimental import serialize_executable

    if key is None:
        plain: Callable[..., Any] = jax.jit(build()).lower(*arguments).compile()
        return plain
    exported = export_program(key, build, arguments)
    flags = hashlib.sha256(os.environ.get("XLA_FLAGS", "").encode()).hexdigest()[:8]
    path = cache_folder() / "programs" / f"{key}-{flags}.exe"
    found = _loaded(path, exported)
    if found is None:
        with _COMPILER:
            compiled = jax.jit(exported.call).lower(*arguments).compile()
        write_kept(path, serialize_executable.serialize(compiled)[0])
        found = compiled
    program: Callable[..., Any] = found
    return program


def export_program(key: str, build: Callable[[], Callable[..., Any]], arguments: Sequence[Any]) -> Any:
    """Return the program as JAX's portable export, kept on disk, before it is compiled.

    It is read back from its bytes the first time too, so that both are the same.
    """
    import jax

    path = _export_path(key)
    stored = read_kept(path)
    if stored is None:
        stored = bytes(jax.export.export(jax.jit(build()))(*arguments).serialize())
        write_kept(path, stored)
    return jax.export.deserialize(bytearray(stored))


def is_exported(key: str) -> bool:
    """Return whether there is an export on disk, or no way to keep one."""
    path = _export_path(key)
    return path.is_file() or not is_writable(path.parent)


def _export_path(key: str) -> Path:
    return cache_folder() / "programs" / f"{key}.bin"


def _loaded(path: Path, exported: Any) -> Any:
    """The machine code kept in a file, or None if there is none that this machine can run."""
    import jax
    import numpy as np
    from jax.experimental import serialize_executable
    from jaxlib import lapack

    stored = read_kept(path)
    if stored is None:
        return None
    prepare: Callable[..., Any] = lapack.prepare_lapack_call
    prepare("potrf_", np.dtype(float))  # tracing does this otherwise; without, the code crashes
    try:
        return serialize_executable.deserialize_and_load(
            stored, exported.in_tree, exported.out_tree, execution_devices=jax.devices()[:1]
        )
    except (RuntimeError, ValueError, pickle.UnpicklingError):
        path.unlink(missing_ok=True)
        return None


def is_writable(folder: Path) -> bool:
    """Return whether the folder can hold a cache; without one everything works, only slower."""
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
        with suppress(OSError):
            os.utime(path)
        return payload
    path.unlink(missing_ok=True)
    return None


def write_kept(path: Path, payload: bytes) -> None:
    """Keep bytes in a file, whole or not at all; a folder that cannot be written only costs time later."""
    if not is_writable(path.parent):
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(hashlib.sha256(payload).digest() + payload)
    Path(temporary).replace(path)
    for old in sorted(path.parent.iterdir(), key=_last_used)[:-KEPT]:
        old.unlink(missing_ok=True)


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process has just removed it
        return 0.0
