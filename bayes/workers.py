"""One way to run tasks elsewhere: a process that takes one call, and a pool of processes that take many.

Every such process leaves interrupts and hang-ups to the one that started it, and ends with it within a second, however
that ends. A :class:`Process` gets ready before its call is known, and runs nothing but the call; a :class:`Pool` is
Python's own, which runs the main script again where it cannot copy this process as it is.
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
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Event, Thread, Timer, active_count
from types import MappingProxyType, TracebackType
from typing import Any, BinaryIO

from bayes.errors import BayesError, MachineError

__all__ = ["Advance", "Pool", "Process", "Threads", "call_within", "can_split", "collect_seldom", "cores", "import_all",
           "memory", "process", "serve", "silent"]  # fmt: skip

Advance = Callable[[int, int, str], object]
"""Called with how much of something is done, of how much, and of what: blocks, draws."""


def silent(done: int, total: int, what: str) -> None:
    """Tell nobody."""


PATIENCE = 10
"""How much longer than its processor time a call may take where others want the processor or a disk is slow."""
LOOKS = 0.25
"""Seconds between two looks at whether the process that started this one is still there."""


def cores() -> int:
    """Return how many processors this process may use."""
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()) or 1


def memory() -> int | None:
    """Return how many bytes of memory there are, where the system says."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def can_split() -> bool:
    """Whether this process can be copied as it is (``fork``), with all it has read.

    It can on Linux, without threads and without an event loop, whose connections a copy would share.
    """
    loops = sys.modules.get("asyncio.events")
    alone = active_count() == 1 and (loops is None or loops._get_running_loop() is None)
    return sys.platform == "linux" and alone and "jax" not in sys.modules


# --- how a process begins and ends ----------------------------------------------------------------


@contextmanager
def _shielded() -> Iterator[None]:
    """Hold interrupts and hang-ups back while processes are started: those never get any, this one gets them after."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def collect_seldom() -> None:
    """Look for garbage less often than Python does: graphs are many small objects, nearly all of which stay."""
    gc.set_threshold(200_000, 20, 20)


def begin(parent: int = 0) -> None:
    """Leave interrupts to the process that started this one, whose end is its own."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if not parent and (known := parent_process()) is not None:
        parent = known.pid or 0
    collect_seldom()
    Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    """End this process as soon as the one that started it has ended."""
    if sys.platform == "win32":  # which never gives a child another parent
        import _winapi

        _winapi.WaitForSingleObject(_winapi.OpenProcess(0x100000, False, parent), _winapi.INFINITE)
    else:
        while os.getppid() == parent:
            time.sleep(LOOKS)
    os._exit(1)


class Pool(ProcessPoolExecutor):
    """Processes that take many calls, and end where the block ends that holds them, whatever they do then.

    Parameters
    ----------
    number
        How many.
    copies
        Whether they are copies of this process as it is, with all it has read; see :func:`can_split`.
    """

    def __init__(self, number: int, *, copies: bool = False) -> None:
        with _shielded():
            super().__init__(number, get_context("fork" if copies else "spawn"), begin)
        self._started: set[BaseProcess] = set()

    def submit[T](self, function: Callable[..., T], /, *args: Any) -> Future[T]:  # type: ignore[override]
        """Hand over a call of a function of a module."""
        with _shielded():
            others = set(active_children())
            found = super().submit(function, *args)
            self._started |= set(active_children()) - others
        return found

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all of them: what is still done is not wanted any more."""
        for child in self._started:
            child.terminate()
        manager = getattr(self, "_executor_manager_thread", None)
        self.shutdown(wait=False, cancel_futures=True)
        if manager is not None:  # at the end of the program Python would wake it by a pipe that is closed meanwhile
            manager.join(1.0)


class Threads(ThreadPoolExecutor):
    """Threads of this process that stop early where the block ends by an error or an interrupt.

    Calls that wait are not begun then, and those that run end when they next ask whether to :meth:`go_on`.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._stopped = Event()

    def go_on(self) -> None:
        """Return if what runs is still wanted.

        Raises
        ------
        CancelledError
            If it is not.
        """
        if self._stopped.is_set():
            raise CancelledError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the calls, or for no more than what runs."""
        if kind is not None:
            self._stopped.set()
        self.shutdown(cancel_futures=kind is not None)


# --- one call -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """How far a call is."""

    done: int
    total: int
    what: str


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """A process that takes one call."""

    running: subprocess.Popen[bytes]

    def ask(self, function: Callable[..., Any], *arguments: Any, telling: bool = False) -> None:
        """Send a function of a module and its arguments. It returns when the process has read them.

        One that is ``telling`` gets, as its last argument, what it calls with how far it is.
        """
        assert self.running.stdin is not None
        with suppress(BrokenPipeError):  # it has ended: there will be no answer
            pickle.dump((function, arguments, telling), self.running.stdin)
            self.running.stdin.flush()

    def answer(self, advance: Advance = silent) -> Any:
        """Wait for what the function returned, or raise what it raised. Then the process ends.

        Parameters
        ----------
        advance
            Called with how far the function is, each time it says so.

        Raises
        ------
        MachineError
            If it ends without an answer.
        """
        assert self.running.stdout is not None
        try:
            while isinstance(found := pickle.load(self.running.stdout), _Told):
                advance(found.done, found.total, found.what)
        except (EOFError, pickle.UnpicklingError):
            with suppress(subprocess.TimeoutExpired):
                self.running.wait(5)
            self.end()
            raise MachineError(
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
        with suppress(OSError, ValueError):  # nobody reads any more what is still to be written to its pipe
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
    program = f"import sys; sys.path[:] = {path!r}; from bayes.workers import serve; "
    program += f"serve({modules!r}, {os.getpid()})"
    command, environment = [sys.executable, "-c", program], {**os.environ, **variables}
    with _shielded():
        running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    with running:
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
    MachineError
        If it ended by itself without an answer.
    """
    with process() as one:
        timer = Timer(PATIENCE * seconds, one.running.kill)
        timer.start()
        try:
            found: T = one.call(_limited, seconds, function, arguments)
            return found
        except MachineError:
            ended = {-getattr(signal, name) for name in ("SIGKILL", "SIGXCPU") if hasattr(signal, name)}
            if one.running.returncode in ended or timer.finished.is_set():
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


def serve(modules: Sequence[str], parent: int) -> None:
    """Import modules, read a call from standard input, and write what it returns or raises to standard output."""
    begin(parent)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    try:
        import_all(modules)
        try:
            function, arguments, telling = pickle.load(sys.stdin.buffer)
        except EOFError:  # nothing to do
            return
        found = pickle.dumps(function(*arguments, *([partial(_tell, answers)] if telling else [])))
    except BaseException as error:  # whatever it is, it is raised where the call was made
        found = _as_bytes(error)
    with suppress(BrokenPipeError), answers:  # nobody reads it any more: whoever asked has ended
        answers.write(found)


def _tell(answers: BinaryIO, done: int, total: int, what: str) -> None:
    """Tell the process that waits for an answer how far it is."""
    answers.write(pickle.dumps(_Told(done, total, what)))
    answers.flush()


def _as_bytes(error: BaseException) -> bytes:
    """An error as it is, or what it says where it cannot travel."""
    try:
        found = pickle.dumps(error)
        pickle.loads(found)
    except Exception:  # a class of anybody's library may fail in any way to be packed and unpacked
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
