"""Every error the toolkit raises on purpose, as one tree.

::

    BayesError
    ├── InputError          a file or an argument is wrong; nothing was written   (exit code 2)
    │   ├── PriorError          a declared prior
    │   ├── EvidenceError       a row of evidence
    │   ├── ScenarioError       a scale-up scenario
    │   ├── StudyError          pieces that do not fit together, a missing or unreadable file
    │   └── UsageError          an argument of a function or of the command line
    │       └── NoStart             a model whose chains cannot start
    ├── MachineError        the disk, memory or a process failed; older results are as they were   (exit code 3)
    └── CheckFailed         the computation ran, but its diagnostics did not pass (exit code 1)

An :class:`InputError` always says where (file, table, key), what was found, what is
allowed and what to do about it.
"""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from functools import partial
from numbers import Integral

__all__ = ["CONTROL", "MACHINE", "BayesError", "CheckFailed", "EvidenceError", "InputError", "MachineError", "NoStart",
           "PriorError", "ScenarioError", "StudyError", "UsageError", "check_whole", "check_word", "closest",
           "number_fix", "printable", "syntax_fix"]  # fmt: skip


CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Characters that terminals, typesetters and workbooks take for commands."""
_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return a text with what would steer a terminal, or turn the reading direction, written as an escape of JSON.

    >>> print(printable("\x1b[31mred"))
    \u001b[31mred
    """
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class BayesError(Exception):
    """Root of the tree: catch this to catch everything the toolkit raises on purpose."""

    exit_code = 2


class InputError(BayesError):
    """Something the user supplied cannot be used.

    Parameters
    ----------
    problem
        What is wrong, as one sentence without a full stop.
    file, table, key
        Where it stands; leave out what does not apply. A pair is a file and its line.
    found
        The offending text or number, shown with ``repr``.
    allowed
        What would have been accepted: a phrase, or the permitted words.
    fix
        What the user should do, as an imperative.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: object = None,
        table: str | None = None,
        key: str | None = None,
        found: object = None,
        allowed: str | Iterable[str] | None = None,
        fix: str | None = None,
    ) -> None:
        self.problem, self.table, self.key = problem, table, key
        file, self.line = file if isinstance(file, tuple) else (file, None)
        self.file = None if file is None else str(file)
        self.found = _of_python(found)
        self.allowed = allowed if isinstance(allowed, str) or allowed is None else ", ".join(allowed)
        self.fix = fix
        super().__init__(self._message())

    def retold(self, kind: type[InputError] | None = None, key: str | None = None) -> InputError:
        """Return this error as one of another kind, or of another key."""
        named = {name: vars(self)[name] for name in ("table", "found", "allowed", "fix")}
        return (kind or type(self))(self.problem, file=(self.file, self.line), key=key or self.key, **named)

    def __reduce__(self) -> tuple[Callable[..., InputError], tuple[str]]:
        """Travel between processes as it is."""
        named = {name: vars(self)[name] for name in ("table", "key", "found", "allowed", "fix")}
        return partial(type(self), **named, file=(self.file, self.line)), (self.problem,)

    def _message(self) -> str:
        where = [self.file, f"line {self.line}" if self.line else None, f"table [{self.table}]" if self.table else None,
                 f"key '{self.key}'" if self.key else None]  # fmt: skip
        place = ", ".join(part for part in where if part)
        lines = [f"{place}: {self.problem}." if place else f"{self.problem}."]
        if self.found is not None:
            lines.append(f"  found:   {self.found!r}")
        if self.allowed is not None:
            lines.append(f"  allowed: {self.allowed}")
        if self.fix is not None:
            lines.append(f"  do:      {self.fix}{'' if self.fix.endswith('?') else '.'}")
        return printable("\n".join(lines))


def _of_python(found: object) -> object:
    """What was found, with NumPy's numbers as Python's: a reader did not write ``np.float64(0.0)``."""
    if isinstance(found, list):
        return [_of_python(one) for one in found]
    return found.item() if hasattr(found, "dtype") and getattr(found, "ndim", 1) == 0 else found  # type: ignore[attr-defined]


class PriorError(InputError):
    """A declared prior is malformed or does not mean what it says."""


class EvidenceError(InputError):
    """A row of evidence is malformed, impossible or counted twice."""


class ScenarioError(InputError):
    """A scale-up scenario is malformed or names something unknown."""


class StudyError(InputError):
    """The parts of a study do not fit together, or a file is missing or unreadable."""


class UsageError(InputError):
    """An argument of a function or of the command line is outside what is allowed."""


class NoStart(UsageError):
    """No starting point of finite density was found for the chains of a model."""


class MachineError(BayesError):
    """The machine failed: no room on the disk, no memory, no more files or processes."""

    exit_code = 3


MACHINE = frozenset(
    getattr(errno, name)
    for name in ("EAGAIN", "EDQUOT", "EFBIG", "EIO", "EMFILE", "ENFILE", "ENOMEM", "ENOSPC")
    if hasattr(errno, name)
)
"""Numbers of system errors that no other input would have avoided."""


class CheckFailed(BayesError):
    """The fit exists, but its diagnostics failed, so its numbers must not be relied on."""

    exit_code = 1


def closest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Suggest the known word nearest to a misspelt one, if it is so alike (0 to 1).

    >>> closest("LogNormale", ["Beta", "LogNormal"])
    "did you mean 'LogNormal'?"
    """
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=likeness)
    return f"did you mean '{near[0]}'?" if near else None


def check_word(
    word: str, allowed: Collection[str], problem: str, *, key: str | None, otherwise: str = "choose one",
    raises: Callable[..., InputError] = UsageError,
) -> None:  # fmt: skip
    """Raise unless a word is allowed, suggesting the nearest that is.

    Raises
    ------
    UsageError
        Or what ``raises`` makes: with the problem, the word and what is allowed; ``otherwise`` is what to do where no
        word is near.

    Examples
    --------
    >>> check_word("etti", ("eti", "hdi"), "there is no such kind of interval", key="kind")
    Traceback (most recent call last):
        ...
    bayes.errors.UsageError: key 'kind': there is no such kind of interval.
      found:   'etti'
      allowed: eti, hdi
      do:      did you mean 'eti'?
    """
    if not isinstance(word, str) or word not in allowed:
        raise raises(problem, key=key, found=word, allowed=allowed, fix=closest(str(word), allowed) or otherwise)


def check_whole(value: object, least: int, key: str) -> None:
    """Raise unless a value is a whole number, at least so large.

    Raises
    ------
    UsageError
        With what was found and what is allowed.

    Examples
    --------
    >>> check_whole(4, 1, "chains")
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise UsageError(f"{key} must be a whole number", key=key, found=value, allowed=f"{least} or more")


_NEARLY = re.compile(r"\s*+([+-]?\d++)(?:([.,])(\d++))?\s*+(%?)\s*+\Z", re.ASCII)
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*\Z", re.ASCII)
_PERCENT = re.compile(r"(?<!\d)[+-]?\d++(?:[.,]\d++)?[ \t]?%")
_LINE = re.compile(r"at line (\d+)")


def number_fix(text: object) -> str | None:
    """Say how to write a number that has a % sign or a decimal comma; None for any other text.

    >>> number_fix("40%")
    'write 0.40, without the % sign'
    >>> number_fix("0,40")
    'write 0.40, with a decimal point'
    """
    match = _NEARLY.match(text) if isinstance(text, str) else None
    if match is None:
        return None
    whole, mark, decimals, percent = match.groups()
    plain = Decimal(f"{whole}.{decimals or ''}")
    if percent:
        return f"write {plain.scaleb(-2):f}, without the % sign"
    if _THOUSANDS.match(match.string):
        return f"write {whole}{decimals} without a thousands separator, or {plain:f} with a decimal point"
    return f"write {plain:f}, with a decimal point" if mark == "," else None


def syntax_fix(text: str, error: Exception) -> str:
    """Say what to do about a syntax error of TOML: a number in the line it names may have a % sign.

    >>> syntax_fix("share = 60%", ValueError("Expected newline (at line 1, column 11)"))
    'numbers take no % sign: write 0.60, without the % sign'
    """
    at = _LINE.search(str(error))
    lines = text.splitlines()
    line = lines[int(at[1]) - 1] if at and int(at[1]) <= len(lines) else ""
    percent = _PERCENT.search(re.sub(r'"[^"]*+"|\'[^\']*+\'|#.*', "", line[:1000]))
    return f"numbers take no % sign: {number_fix(percent[0])}" if percent else "correct the syntax"
