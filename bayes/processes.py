"""One call in a process of its own, which gets ready before the call is known.

Python's own pools start a process by running the main script again; this runs nothing but the call.
"""

from __future__ import annotations

import gc
import math
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from threading import Timer
from types import MappingProxyType
from typing import Any

from bayes.errors import BayesError

__all__ = ["Process", "call_within", "import_all", "process", "serve"]

PATIENCE = 10
"""How much longer than its processor time a call may take where others want the processor or a disk is slow."""


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """A process that takes one call."""

    running: subprocess.Popen[bytes]

    def ask(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Send a function of a module and its arguments. It returns when the process has read them."""
        assert self.running.stdin is not None
        with suppress(BrokenPipeError):  # it has ended: there will be no answer
            pickle.dump((function, arguments), self.running.stdin)
            self.running.stdin.flush()

    def answer(self) -> Any:
        """Wait for what the function returned, or raise what it raised. Then the process ends.

        Raises
        ------
        BayesError
            If it ends without an answer.
        """
        assert self.running.stdout is not None
        try:
            found = pickle.load(self.running.stdout)
        except (EOFError, pickle.UnpicklingError):
            with suppress(subprocess.TimeoutExpired):
                self.running.wait(5)
            self.end()
            raise BayesError(
                f"a process that was started for this has ended without an answer (exit code {self.running.returncode})"
                ". Memory may have run out: close other programs and run again"
            ) from None
        self.end()
        if isinstance(found, BaseException):
            raise found
        return found

    def call[T](self, function: Callable[..., T], *arguments: Any) -> T:
        """Ask and wait."""
        self.ask(function, *arguments)
        found: T = self.answer()
        return found

    def end(self) -> None:
        """End the process, whatever it does."""
        self.running.kill()
        self.running.wait()
        with suppress(OSError, ValueError):  # what it has not read, it never will
            if self.running.stdin is not None:
                self.running.stdin.close()


@contextmanager
def process(*modules: str, variables: Mapping[str, str] = MappingProxyType({})) -> Iterator[Process]:
    """Start a process, and end it, whether or not it was used.

    Parameters
    ----------
    modules
        What it imports at once.
    variables
        Environment variables it gets besides those of this process.
    """
    path = [place for place in sys.path if isinstance(place, str)]
    program = f"import sys; sys.path[:] = {path!r}; from bayes.processes import serve; serve({modules!r})"
    command, environment = [sys.executable, "-c", program], {**os.environ, **variables}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as running:
        started = Process(running)
        try:
            yield started
        finally:
            started.end()


def call_within[T](seconds: float, function: Callable[..., T], *arguments: Any) -> T:
    """Call a function of a module in a process of its own that is ended when it has computed for so long.

    Raises
    ------
    TimeoutError
        If it was ended.
    BayesError
        If it ended by itself without an answer.
    """
    with process() as one:
        timer = Timer(PATIENCE * seconds, one.running.kill)
        timer.start()
        try:
            found: T = one.call(_limited, seconds, function, arguments)
            return found
        except BayesError:
            if one.running.returncode in (-signal.SIGKILL, -getattr(signal, "SIGXCPU", signal.SIGKILL)):
                raise TimeoutError(f"a call had not ended after {seconds:.0f} seconds of computing") from None
            raise
        finally:
            timer.cancel()


def _limited[T](seconds: float, function: Callable[..., T], arguments: Sequence[Any]) -> T:
    """Call a function that may compute for so long; where the system sets no such limits, the caller's clock does."""
    with suppress(ImportError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        end = math.ceil(time.process_time() + seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (end, end + 1))
    return function(*arguments)


def serve(modules: Sequence[str]) -> None:
    """Import modules, read a call from standard input, and write what it returns or raises to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    try:
        import_all(modules)
        try:
            function, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:  # nothing to do
            return
        found = pickle.dumps(function(*arguments))
    except BaseException as error:  # it is raised where the call was made
        found = _as_bytes(error)
    with answers:
        answers.write(found)


def _as_bytes(error: BaseException) -> bytes:
    """An error as it is, or what it says where it cannot travel."""
    try:
        found = pickle.dumps(error)
        pickle.loads(found)
    except Exception:
        return pickle.dumps(BayesError(f"{type(error).__name__}: {error}"))
    return found


def import_all(modules: Sequence[str]) -> None:
    """Import modules without looking for garbage among what stays."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        for name in modules:
            import_module(name)
        gc.freeze()
    finally:
        if collecting:
            gc.enable()
