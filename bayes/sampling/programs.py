"""Compiled programs kept from one process to the next, under the content hash of what they compute.

A program is stored twice: as JAX's portable export, and as the machine code that XLA made of it, whose key must name
versions and processor. JAX serialises machine code with pickle: it is read only after the seal of the store
(:mod:`bayes.cache`) was found to be this user's own. Where JAX cannot read or write it, programs are compiled afresh.
"""

from __future__ import annotations

import os
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from bayes import cache
from bayes.provenance import digest

__all__ = [
    "Build",
    "Program",
    "compile_program",
    "double_precision",
    "export_program",
    "is_exported",
    "load_program",
    "same_flags",
    "untouched",
]

_PROGRAMS = "programs"
_MOVED = (AttributeError, ImportError, TypeError, RuntimeError, ValueError, pickle.UnpicklingError)
"""What JAX raises on machine code it cannot run, and where what is used here has moved in it."""

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


Build = Callable[[], tuple[Callable[..., Any], tuple[Any, ...]]]
"""Makes a function to compile, and arguments of the shapes and types that it takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A compiled function, and arguments of zeros in the shapes that it was compiled for."""

    run: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        return self.run(*arguments)


def load_program(key: str | None, build: Build) -> Program:
    """Return a compiled program: from disk if it is there, built and kept otherwise.

    Parameters
    ----------
    key
        Content hash of the program and the shapes of its arguments, or None if it must not be kept.
    build
        Makes it; called only when there is no stored program.
    """
    import jax

    if key is None:
        function, arguments = build()
        return Program(jax.jit(function).lower(*arguments).compile(), arguments)
    return compile_program(key, export_program(key, build))


def compile_program(key: str, exported: Any) -> Program:
    """Return a program that was exported, compiled: from disk if it is there, compiled and kept otherwise."""
    import jax

    arguments = _zeros(exported)
    name = f"{key}-{digest(os.environ.get('XLA_FLAGS', ''))[:8]}.exe"
    found = _loaded(name, exported)
    if found is None:
        with _COMPILER:
            found = jax.jit(exported.call).lower(*arguments).compile()
        _keep(name, found)
    return Program(found, arguments)


def export_program(key: str, build: Build) -> Any:
    """Return the program as JAX's portable export, kept on disk, before it is compiled.

    It is read back from its bytes the first time too, so that both are the same.
    """
    import jax

    stored = cache.kept(_PROGRAMS, f"{key}.bin")
    if stored is None:
        function, arguments = build()
        stored = bytes(jax.export.export(jax.jit(function))(*arguments).serialize())
        cache.keep(_PROGRAMS, f"{key}.bin", stored)
    return jax.export.deserialize(bytearray(stored))


def _zeros(exported: Any) -> tuple[Any, ...]:
    """Arguments of an exported program."""
    import jax
    import numpy as np

    flat = [np.zeros(one.shape, one.dtype) for one in exported.in_avals]
    found: tuple[Any, ...] = jax.tree.unflatten(exported.in_tree, flat)[0]
    return found


def is_exported(key: str) -> bool:
    """Return whether there is an export on disk, or no way to keep one."""
    return cache.holds(_PROGRAMS, f"{key}.bin")


def _loaded(name: str, exported: Any) -> Any:
    """The machine code that is kept, or None if there is none that this machine can run."""
    import jax
    import numpy as np

    stored = cache.kept(_PROGRAMS, name)
    if stored is None:
        return None
    try:
        from jax.experimental import serialize_executable
        from jaxlib import lapack

        prepare: Callable[..., Any] = lapack.prepare_lapack_call
        prepare("potrf_", np.dtype(float))  # tracing does this otherwise; without, the code crashes
        return serialize_executable.deserialize_and_load(
            stored, exported.in_tree, exported.out_tree, execution_devices=jax.devices()[:1]
        )
    except _MOVED:
        return None


def _keep(name: str, compiled: Any) -> None:
    """Keep machine code, unless JAX cannot serialise it."""
    try:
        from jax.experimental import serialize_executable

        content: bytes = serialize_executable.serialize(compiled)[0]
    except _MOVED:
        return
    cache.keep(_PROGRAMS, name, content)
