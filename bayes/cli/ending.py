"""How every command ends: with its exit code and at most one message, whatever happens while it works."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from bayes.errors import MACHINE, BayesError, MachineError, printable

__all__ = ["Escaping", "ended"]

INTERRUPTED = "interrupted; nothing was written"


def ended(name: str, work: Callable[[], int], *, debug: bool = False) -> int:
    """Return the exit code of a command: 0 done, 1 a check failed, 2 bad input or usage, 3 the machine failed.

    An interrupt is 130, a hang-up 129, a request to terminate 143. An error that nobody has foreseen is a defect: its
    traceback is printed, and its code is 3, never that of a failed check.

    Parameters
    ----------
    name
        How the program is called: what messages begin with, and what they name as the way to its other commands.
    work
        Does the work and returns a code.
    debug
        Whether to show a traceback for mistakes of the user's too.
    """
    _end_in_order()
    with redirect_stdout(_escaping(sys.stdout)), redirect_stderr(_escaping(sys.stderr)):
        return _ended(name, work, debug)


def _ended(name: str, work: Callable[[], int], debug: bool) -> int:
    try:
        code = work()
        _flush()
        return code
    except BrokenPipeError:  # the reader of our output has gone, as in 'bayes … | head'
        _silence()
        return 0
    except KeyboardInterrupt:
        return _told(name, INTERRUPTED, 130)
    except BayesError as error:
        if debug:
            traceback.print_exc()
        return _told(name, str(error), error.exit_code)
    except Exception as error:  # the outermost boundary: what nobody has foreseen is told as the defect it is
        machine = _machine(error)
        if debug or not machine:
            traceback.print_exc()
        defect = f"this is a defect of the toolkit ({type(error).__name__}). Older results are as they were"
        return _told(name, machine or defect, MachineError.exit_code)


def _told(name: str, text: str, code: int) -> int:
    """Print a message where that can be done, and return a code."""
    try:
        print(f"{name}: {text.replace("'bayes ", f"'{name} ")}", file=sys.stderr, flush=True)
        _flush()
    except OSError:
        _silence()
    return code


def _machine(error: Exception) -> str:
    """What the machine lacked, in a sentence; an empty text where it was not the machine."""
    if isinstance(error, MemoryError):
        return "memory has run out; close other programs, or ask for fewer draws. Older results are as they were"
    if isinstance(error, OSError) and error.errno in MACHINE:
        named = error.filename2 or error.filename
        place = f" at {named}" if named else "; a file could not be written whole, or the answer not printed"
        return f"the machine failed: {error.strerror or error}{place}. Older results are as they were"
    told = re.search(r"\[Errno (\d+)\]|\AIO_(E[A-Z]+)\Z", str(error))  # of one of several files; of lxml's
    if told and (isinstance(error, shutil.Error) or told[2]):
        number = int(told[1]) if told[1] else getattr(errno, told[2], 0)
        return _machine(OSError(number, os.strerror(number)))
    if isinstance(error, FileNotFoundError) and "No usable temporary directory" in str(error):
        return "the machine failed: no folder for temporary files can be written to. Older results are as they were"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return "the machine failed: there are too many processes. Older results are as they were"
    return ""


def _flush() -> None:
    """Write what was printed; a process without standard output has printed nothing."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _silence() -> None:
    """Let nothing more be said at the end where it cannot be said."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())


class Escaping:
    """A stream in which what would steer a terminal is written as an escape; ``inner`` takes texts as they are."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def write(self, text: str) -> int:
        """Write a text."""
        self.inner.write("\t".join(map(printable, text.split("\t"))))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def _escaping(stream: Any) -> Any:
    """An escaping stream, which prints a sign that the terminal's encoding lacks as a question mark."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    return stream and Escaping(stream)


def _end_in_order() -> None:
    """Let a request to terminate and a hang-up end what was started and remove what is half written, as interrupts do.

    A command that was told to ignore hang-ups (``nohup``) goes on.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda number, _: sys.exit(128 + number))
