"""What a public function takes: its annotations, enforced where it is called.

:func:`checked` reads the annotation of each parameter and refuses what is something else, by name, before anything is
computed. On the way it gives what people hold the form the function works on: a text where names are wanted is one
name, one change where changes are wanted is a list of one, a text where a path is wanted is a path, and
``random_seed=`` or ``seed=`` mean ``rng=``. Aliases (``Fit``, ``Targets``) are read by the function itself.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial, wraps
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from typing_extensions import TypeIs

__all__ = ["SEEDS", "check_fields", "check_seed", "check_shape", "checked", "described", "seed_number"]

SEEDS = "a whole number from 0 to 2**63 - 1"
"""What a seed is: files of results have room for 64 bits with a sign."""
_SEED_NAMES = ("rng", "random_seed", "seed")


def checked[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Enforce the annotations of a function, and read its seed ``rng`` by any of its names.

    Examples
    --------
    >>> @checked
    ... def throw(names: Sequence[str], *, rng: int = 1) -> object:
    ...     return names, rng
    >>> throw("mu", random_seed=3)
    (['mu'], 3)
    >>> throw(["mu", 5])
    Traceback (most recent call last):
        ...
    bayes.errors.UsageError: key 'names': throw takes something else here.
      found:   'a list of 2'
      allowed: texts
      do:      see help(throw).
    """
    known, again = inspect.signature(function), _loose(function)
    seeded = "rng" in known.parameters
    parts = {
        part.name: name for name, p in known.parameters.items() if is_dataclass(p.default) for part in fields(p.default)
    }

    @cache
    def readers() -> dict[str, _Kind]:
        names = getattr(function, "__globals__", {})
        return {name: _kind(p.annotation, names) for name, p in known.parameters.items() if name != "rng"}

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = known.bind(*args, **_gathered(_one_seed(kwargs) if seeded else kwargs, parts, known))
        for name, value in bound.arguments.items():
            if name in readers():
                bound.arguments[name] = _read(readers()[name], value, name, function.__name__)
        return again(*bound.args, **bound.kwargs)

    more = [known.parameters["rng"].replace(name="random_seed")] if seeded else []
    more += [known.parameters[owner].replace(name=part, default=getattr(known.parameters[owner].default, part))
             for part, owner in parts.items()]  # fmt: skip
    vars(call)["__signature__"] = known.replace(parameters=[*known.parameters.values(), *more])
    return call


def _gathered(kwargs: Mapping[str, Any], parts: Mapping[str, str], known: inspect.Signature) -> dict[str, Any]:
    """Gather keyword arguments that are fields of a record into that record."""
    found = {name: value for name, value in kwargs.items() if name not in parts}
    for part in kwargs.keys() & parts.keys():
        owner = parts[part]
        given, usual = found.get(owner, known.parameters[owner].default), known.parameters[owner].default
        if isinstance(given, type(usual)):  # anything else is refused as it is read
            found[owner] = replace(given, **{part: kwargs[part]})
    return found


def check_fields(record: object) -> None:
    """Enforce the annotations of a frozen record, from its ``__post_init__``."""
    name_of = type(record).__name__
    for kind in reversed(type(record).__mro__):
        for name, annotation in vars(kind).get("__annotations__", {}).items():
            found = _kind(annotation, vars(sys.modules[kind.__module__]))
            object.__setattr__(record, name, _read(found, getattr(record, name), name, name_of))


def _loose[R](function: Callable[..., R]) -> Callable[..., R]:
    return function


# --- seeds -----------------------------------------------------------------------------------


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


def _one_seed(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments with the seed called ``rng``, whichever of its names was used."""
    given = {name: kwargs[name] for name in _SEED_NAMES if name in kwargs}
    if len(given) > 1:
        raise UsageError("the seed is given twice", found=", ".join(given), allowed="one of these names",
                         fix="leave the others out")  # fmt: skip
    for name, value in given.items():
        check_seed(value, name)
    rest = {name: value for name, value in kwargs.items() if name not in given}
    return {**rest, **dict(zip(("rng",), given.values(), strict=False))}


def _is_generator(value: object) -> TypeIs[np.random.Generator]:
    import numpy as np

    return isinstance(value, np.random.Generator)


# --- kinds -----------------------------------------------------------------------------------


def check_shape(values: object, dims: Sequence[str], key: str) -> None:
    """Raise unless an array has these dims, of any length but zero; a dim that is a number has that length.

    Raises
    ------
    UsageError
        With the shape that was found.

    Examples
    --------
    >>> check_shape([[1.0, 2.0]], ("chain", "draw"), "values")
    """
    import numpy as np

    shape = np.asarray(values).shape
    lengths = [int(dim) if dim.isdigit() else None for dim in dims]
    fits = len(shape) == len(dims) and all(n in (None, found) for n, found in zip(lengths, shape, strict=True))
    if not fits or 0 in shape:
        raise UsageError("this array has another shape", key=key, found=shape, allowed=f"({', '.join(dims)})")


def check_columns(table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise unless a table has these columns and at least one row.

    Raises
    ------
    UsageError
        "column 'x' not found", with what exists.
    """
    for column in columns:
        if column not in table:
            raise UsageError(f"column {column!r} not found; available: {', '.join(map(str, table.columns))}",
                             key=column, fix="give a table with this column")  # fmt: skip
    if table.empty:
        raise UsageError("this table has no rows", key="table", fix="give a table with rows")


def described(value: object) -> str:
    """Say what an object is, for an error.

    >>> described(3.5), described("runs/a"), described({"a": 1}), described([1, 2])
    ('the number 3.5', "the text 'runs/a'", 'a dict of 1', 'a list of 2')
    """
    if value is None:
        return "nothing (None)"
    if isinstance(value, bool | Real):
        return f"the number {value}"
    if isinstance(value, str | Path):
        return f"the {'text' if isinstance(value, str) else 'path'} {str(value)[:80]!r}"
    kind = type(value).__name__
    name = f"{'an' if kind[0] in 'AEIOaeio' else 'a'} {kind}"
    return f"{name} of {len(value)}" if isinstance(value, dict | list | tuple | set | frozenset) else name


class _OtherError(Exception):
    """Raised inside this module where a value is not of the kind an annotation names."""


type _Reader = Callable[[Any], Any]
"""Returns a value in the form a function works on, or raises :class:`_OtherError`."""
type _Kind = tuple[_Reader, str]
"""A reader, and what it takes in words."""


def _read(reader: _Kind, value: Any, key: str, function: str) -> Any:
    try:
        return reader[0](value)
    except _OtherError:
        hint = _HINTS.get((type(value).__name__, reader[1]), f"see help({function})")
        raise UsageError(f"{function} takes something else here", key=key, found=described(value), allowed=reader[1],
                         fix=hint) from None  # fmt: skip


_BUILD = "build the model of a study with bayes.build_model(bayes.load_study(FOLDER))"
_READ = "read it with bayes.load_study(FOLDER)"
_HINTS = {**{(kind, "a pymc Model"): _BUILD for kind in ("Study", "str", "PosixPath", "WindowsPath")},
          **{(kind, "a Study"): _READ for kind in ("str", "PosixPath", "WindowsPath")},
          ("DataTree", "a pymc Model"): "give the model itself, not its fit",
          ("Model", "draws"): "sample it with bayes.sample(model)"}  # fmt: skip
"""What to do, where that is known from what was found and what is taken."""


def _kind(annotation: Any, names: Mapping[str, Any]) -> _Kind:
    """Return the kind of value that an annotation takes."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "Any")
    return _of(ast.parse(text, mode="eval").body, names)


def _of(node: ast.expr, names: Mapping[str, Any]) -> _Kind:
    if isinstance(node, ast.BinOp):
        (one, first), (other, second) = _of(node.left, names), _of(node.right, names)
        return partial(_either, one, other), " or ".join(filter(None, (first, second)))
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return _generic(ast.unparse(node.value), inner, names)
    name = ast.unparse(node)
    if name in _PLAIN:
        return _PLAIN[name]
    found = names.get(name, name)
    if isinstance(found, str):  # imported for types only: told by its name
        last = name.rpartition(".")[2]
        library = "pymc" if name.startswith("pm.") else "pandas" if name.startswith("pd.") else ""
        return partial(_named, last), " ".join(filter(None, ("a", library, last)))
    if isinstance(found, type):
        return partial(_instance, found), f"a {found.__name__}"
    return _PLAIN["Any"]  # an alias, which the function reads itself


def _generic(name: str, inner: list[ast.expr], names: Mapping[str, Any]) -> _Kind:
    if name == "Callable":
        return partial(_that, callable), "a function"
    readers = [_of(one, names) for one in inner if not isinstance(one, ast.Constant) or one.value is not ...]
    if name in ("Sequence", "Iterable", "Collection", "tuple", "list"):
        one, words = readers[0]
        whole = tuple if name == "tuple" else list
        return partial(_several, one, whole), f"{words.removeprefix('a ')}s"
    if name == "Mapping":
        return partial(_mapping, readers[0][0], readers[1][0]), f"a mapping to {readers[1][1] or 'values'}"
    return _PLAIN["Any"]


def _either(one: _Reader, other: _Reader, value: Any) -> Any:
    try:
        return one(value)
    except _OtherError:
        return other(value)


def _that(test: Callable[[Any], bool], value: Any) -> Any:
    if not test(value):
        raise _OtherError
    return value


def _named(name: str, value: Any) -> Any:
    return _that(lambda v: name in [kind.__name__ for kind in type(v).__mro__], value)


def _instance(kind: type, value: Any) -> Any:
    return _that(lambda v: isinstance(v, kind), value)


def _several(one: _Reader, whole: Callable[[Iterable[Any]], Any], value: Any) -> Any:
    """Return a reader of several values of a kind, which takes a single one as a list of one."""
    try:
        return whole([one(value)])
    except _OtherError:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable) or _is_table(value):
            raise
    return whole([one(item) for item in value])


def _mapping(key: _Reader, item: _Reader, value: Any) -> Any:
    if not isinstance(value, Mapping) or {"Dataset", "DataTree"} & {kind.__name__ for kind in type(value).__mro__}:
        raise _OtherError
    return {key(name): item(found) for name, found in value.items()}


def _is_table(value: object) -> bool:
    return hasattr(value, "columns")


def _path(value: Any) -> Path:
    return Path(_that(lambda v: isinstance(v, str | PathLike), value))


def _numbers(value: Any) -> Any:
    """Anything NumPy reads as an array of numbers, handed on as it is."""
    import numpy as np

    if isinstance(value, str | bytes | Mapping) or value is None or _is_table(value):
        raise _OtherError
    try:
        np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise _OtherError from None
    return value


def _array(value: Any) -> Any:
    import numpy as np

    return np.asarray(_numbers(value))


def _is_flag(value: object) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")


_PLAIN: Mapping[str, _Kind] = {
    "None": (partial(_that, lambda v: v is None), ""),
    "bool": (partial(_that, _is_flag), "True or False"),
    "int": (partial(_that, lambda v: isinstance(v, Integral) and not _is_flag(v)), "a whole number"),
    "float": (partial(_that, lambda v: isinstance(v, Real) and not _is_flag(v)), "a number"),
    "str": (partial(_that, lambda v: isinstance(v, str)), "a text"),
    "Path": (_path, "a path"),
    "Any": (lambda value: value, ""), "object": (lambda value: value, ""),
    "ArrayLike": (_numbers, "an array of numbers"), "np.ndarray": (_array, "an array of numbers"),
}  # fmt: skip
