"""What arguments are: seeds, names, models. Each has one reading, and one error where it is something else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pymc as pm
    from typing_extensions import TypeIs

__all__ = ["SEEDS", "check_model", "check_seed", "described", "names_of", "seed_number", "seeded"]

SEEDS = "a whole number from 0 to 2**63 - 1"
"""What a seed is: files of results have room for 64 bits with a sign."""


def check_seed(value: object, key: str = "rng") -> None:
    """Raise unless a value is a seed, or a NumPy generator to draw one from.

    Raises
    ------
    UsageError
        With what was found and what is allowed.

    Examples
    --------
    >>> check_seed(20070222)
    >>> check_seed(-1)
    Traceback (most recent call last):
        ...
    bayes.errors.UsageError: key 'rng': this is not a seed.
      found:   -1
      allowed: a whole number from 0 to 2**63 - 1, or a numpy.random.Generator
      do:      give a whole number, so that the same numbers can be had again.
    """
    number = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None
    if not (_is_generator(value) if number is None else 0 <= number < 2**63):
        raise UsageError("this is not a seed", key=key, found=described(value) if number is None else number,
                         allowed=SEEDS if key.startswith("--") else f"{SEEDS}, or a numpy.random.Generator",
                         fix="give a whole number, so that the same numbers can be had again")  # fmt: skip


def seed_number(rng: int | np.random.Generator) -> int:
    """Return a seed as a whole number: the seed itself, or one drawn from a generator.

    >>> seed_number(7)
    7
    """
    check_seed(rng)
    return int(rng.integers(2**31)) if _is_generator(rng) else int(rng)


_SEED_NAMES = ("rng", "random_seed", "seed")


def seeded[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Check the seed ``rng`` of a function before it is called; ``random_seed=`` and ``seed=`` mean the same.

    Examples
    --------
    >>> @seeded
    ... def throw(*, rng: int = 1) -> int:
    ...     return rng
    >>> throw(random_seed=3), throw(rng=3), throw()
    (3, 3, 1)
    """
    known = inspect.signature(function)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        given = {name: kwargs.pop(name) for name in _SEED_NAMES if name in kwargs}
        if len(given) > 1:
            raise UsageError("the seed is given twice", found=", ".join(given), allowed="one of these names",
                             fix="leave the others out")  # fmt: skip
        for name, value in given.items():
            check_seed(value, name)
            kwargs["rng"] = value
        return function(*args, **kwargs)

    also = known.parameters["rng"].replace(name="random_seed")
    vars(checked)["__signature__"] = known.replace(parameters=[*known.parameters.values(), also])
    return checked


def names_of(names: str | Iterable[str] | None, key: str) -> list[str] | None:
    """Return names as a list: a text is one name, and None stays None.

    Raises
    ------
    UsageError
        If they are no names.

    Examples
    --------
    >>> names_of("mu", "variables"), names_of(("mu", "tau"), "variables"), names_of(None, "variables")
    (['mu'], ['mu', 'tau'], None)
    """
    if names is None or isinstance(names, str):
        return None if names is None else [names]
    found = list(names) if isinstance(names, Iterable) else None
    if found is None or not all(isinstance(name, str) for name in found):
        raise UsageError(f"{key} takes names", key=key, found=described(names), allowed="a name, or a list of names")
    return found


def check_model(model: pm.Model, key: str = "model") -> None:
    """Raise unless a model is a ``pm.Model``.

    Raises
    ------
    UsageError
        With what was found instead, and how to come to a model from it.
    """
    import pymc as pm

    if isinstance(model, pm.Model):
        return
    found: Any = model
    from_study = isinstance(found, str | Path) or type(found).__name__ == "Study"
    raise UsageError("this is not a model", key=key, found=described(found), allowed="a pymc.Model",
                     fix="build the model of a study with bayes.build_model(bayes.load_study(FOLDER))" if from_study
                     else "give the model itself, as 'with pm.Model() as model:' makes it")  # fmt: skip


def described(value: object) -> str:
    """Say what an object is, for an error.

    >>> described(3.5), described("runs/a"), described({"a": 1}), described([1, 2])
    ('the number 3.5', "the text 'runs/a'", 'a dict of 1', 'a list of 2')
    """
    if value is None:
        return "nothing (None)"
    if isinstance(value, bool | int | float | complex):
        return f"the number {value}"
    if isinstance(value, str | Path):
        return f"the {'text' if isinstance(value, str) else 'path'} {str(value)[:80]!r}"
    kind = type(value).__name__
    name = f"{'an' if kind[0] in 'AEIOaeio' else 'a'} {kind}"
    return f"{name} of {len(value)}" if isinstance(value, dict | list | tuple | set | frozenset) else name


def _is_generator(value: object) -> TypeIs[np.random.Generator]:
    import numpy as np

    return isinstance(value, np.random.Generator)
