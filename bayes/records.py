"""One strict reader of records: from the metadata of a dataclass's fields to frozen records, errors and JSON Schema.

A field says what it takes where it is declared::

    places: float | None = number(0, 1e7, default=None, instead_of="coverage_of")
    ramp: str = word("linear", "logistic", default="linear")

The same metadata check a TOML table (:func:`record_of`), the cells of a CSV file (:func:`rows_of`), a change typed on a
command line (:func:`changed_record`), and write the JSON Schema that editors use (:func:`record_schema`). A record with
a field ``free`` also takes keys of any other name; they are its attributes.
"""

from __future__ import annotations

import copyreg
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bayes.errors import CONTROL, EvidenceError, InputError, UsageError, check_word, closest, number_fix
from bayes.sheets import MARKS, Sheet, share_fix, trouble

__all__ = ["NAME", "POSITIVE", "Open", "Place", "changed_record", "count", "frozen", "number", "record_of",
           "record_schema", "rows_of", "subtable", "text", "values_of", "word"]  # fmt: skip

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
"""What quantities, scenarios and settings are called."""

POSITIVE = 1e-12
"""The lower end of numbers that are greater than 0."""


# --- what a field takes ----------------------------------------------------------------------


def _field(default: Any, **metadata: Any) -> Any:
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def number(
    lower: float = -math.inf, upper: float = math.inf, *, default: Any = MISSING, needed: bool = False,
    share: str = "", instead_of: str = "",
) -> Any:  # fmt: skip
    """Declare a number from ``lower`` to ``upper``.

    Parameters
    ----------
    needed
        Whether a row of evidence that enters the likelihood must have it; otherwise its cell may be empty.
    share
        What to call it where a share was given in per cent.
    instead_of
        The field that it takes the place of: a record has one of the two.
    """
    return _field(default, lower=lower, upper=upper, needed=needed, share=share, instead_of=instead_of)


def count(*, needed: bool = False, part_of: str = "") -> Any:
    """Declare a whole number of things; ``part_of`` is the field that holds all of them."""
    return _field(MISSING, lower=0, upper=math.inf, whole=True, needed=needed, part_of=part_of)


def word(*allowed: str, default: Any = MISSING) -> Any:
    """Declare one of some words."""
    return _field(default, allowed=allowed)


def text(*, default: Any = MISSING, filled: bool = False, reference: bool = False, instead_of: str = "") -> Any:
    """Declare a text; ``filled`` must say something, and a ``reference`` names an entry of ``references.bib``."""
    return _field(default, filled=filled, reference=reference, instead_of=instead_of)


def subtable(record: type | None = None, *, default: Any = MISSING, instead_of: str = "") -> Any:
    """Declare a table below the table: another record, or keys that are checked elsewhere."""
    return _field(default, record=record, instead_of=instead_of)


copyreg.pickle(MappingProxyType, lambda view: (frozen, (dict(view),)))  # studies go to other processes


def frozen(values: Mapping[Any, Any]) -> MappingProxyType[Any, Any]:
    """Return a copy of a mapping that cannot be changed."""
    return MappingProxyType(dict(values))


class Open:
    """A record with further values of any name in ``free``, which are its attributes too."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "free":
            raise AttributeError(name)
        found: Mapping[str, Any] = self.free
        if name not in found:
            known = values_of(self)
            table = str(known.get("row") or known.get("name", "settings"))
            raise _NoValueError("there is no such value here", table=table, key=name, found=name, allowed=known,
                                fix=closest(name, known) or "add it to the file, or choose one")  # fmt: skip
        return found[name]


class _NoValueError(UsageError, AttributeError):
    """A record that is open has no value of this name."""


def values_of(record: Any) -> dict[str, Any]:
    """Return the fields of a record by name, those of any name among them."""
    found = {f.name: getattr(record, f.name) for f in fields(record)}
    free = found.pop("free", {})
    return {**found, **free}


# --- where something stands ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands, so that every message says it.

    Parameters
    ----------
    kind
        The class of its errors.
    file, table
        File, or file and line, and table; empty where there is none.
    under
        What stands before each key, as ``source.``.
    """

    kind: type[InputError]
    file: str | Path | tuple[Path, int]
    table: str = ""
    under: str = ""

    def error(
        self, problem: str, *, key: str | None = None, found: object = None,
        allowed: str | Iterable[str] | None = None, fix: str | None = None,
    ) -> InputError:  # fmt: skip
        """Return the error that says where, what was found, what is allowed and what to do."""
        return self.kind(problem, file=self.file or None, table=self.table or None, found=found, allowed=allowed,
                         key=None if key is None else self.under + key, fix=fix)  # fmt: skip

    def keys(self, table: Mapping[str, object], needed: Iterable[str], optional: Iterable[str] = ()) -> None:
        """Refuse a table with a key that is not known or without one that is needed."""
        needed = tuple(needed)
        known = (*needed, *optional)
        for key in table:
            if key not in known:
                raise self.error("this key is not known", key=key, found=table[key], allowed=known,
                                 fix=closest(key, known) or "remove it")  # fmt: skip
        for key in needed:
            if key not in table:
                raise self.error("this key is missing", key=key, allowed=known, fix=f"add {key} = …")

    def mapping(self, value: object) -> Mapping[str, Any]:
        """Return a value that is a table."""
        if not isinstance(value, Mapping):
            raise self.error(
                "this must be a table", found=value, allowed="keys and values", fix=f"write [{self.table}]"
            )
        return value

    def named(self, name: str, what: str, example: str) -> None:
        """Refuse a name that is no name."""
        if not NAME.match(name):
            raise self.error(f"{what} is lower case with underscores", found=name, allowed=f"for example {example}",
                             fix="rename it")  # fmt: skip


# --- TOML tables -----------------------------------------------------------------------------


def record_of[Record](kind: type[Record], table: object, at: Place, given: Mapping[str, Any] | None = None) -> Record:
    """Read a TOML table as a record.

    Parameters
    ----------
    given
        Fields that do not stand in the table.

    Raises
    ------
    InputError
        Of the place's class: a key that is not known or missing, or a value of another kind or out of range.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Clinic:
    ...     places: float = number(0, 100)
    ...     ramp: str = word("linear", "logistic", default="linear")
    >>> record_of(Clinic, {"places": 20}, Place(UsageError, "clinics.toml", "north"))
    Clinic(places=20, ramp='linear')
    >>> record_of(Clinic, {"places": 200}, Place(UsageError, "clinics.toml", "north"))
    Traceback (most recent call last):
        ...
    bayes.errors.UsageError: clinics.toml, table [north], key 'places': this number is out of range.
      found:   200
      allowed: 0 to 100
      do:      correct it.
    """
    values, given = dict(at.mapping(table)), given or {}
    known = {f.name: f for f in fields(kind) if f.name not in given and f.name != "free"}  # type: ignore[arg-type]
    more: dict[str, Any] = {}
    if issubclass(kind, Open):
        more = {"free": frozen({key: values.pop(key) for key in [*values] if key not in known})}
        _check_free(more["free"], [key for key in known if key not in values], at)
    for key, value in values.items():
        if key in known:
            values[key] = _checked(known[key], value, at)
    needed = [key for key, f in known.items() if f.default is MISSING]
    at.keys(values, needed, [key for key in known if key not in needed])
    _check_instead(kind, known.values(), values, at)
    return kind(**given, **values, **more)


def _check_free(free: Mapping[str, Any], lacking: Iterable[str], at: Place) -> None:
    """Refuse what has no name or is no number, text or truth value, and a name that is nearly one which is missing."""
    for key, value in free.items():
        if not NAME.match(key):
            raise at.error("a key is lower case with underscores", key=key, found=key, allowed="for example coverage",
                           fix="rename it")  # fmt: skip
        near = closest(key, lacking, 0.8)
        if near:
            raise at.error("this key is not known", key=key, found=value, allowed=list(lacking), fix=near)
        if isinstance(value, float) and not math.isfinite(value):
            raise at.error("this must be a finite number", key=key, found=value, fix="correct it, or remove the key")
        if not isinstance(value, str | bool | int | float):
            raise at.error("this value is of another kind", key=key, found=value,
                           allowed="a number, a text, true or false", fix="correct it")  # fmt: skip
        if isinstance(value, str) and CONTROL.search(value):
            raise at.error("this text has a control character", key=key, found=value,
                           allowed="text that can be printed", fix="remove it")  # fmt: skip
        if not isinstance(value, str) and abs(value) > sys.maxsize and not isinstance(value, float):
            raise at.error("this whole number is too large", key=key, found=value, allowed=f"up to {sys.maxsize}",
                           fix="write it with a decimal point, as 1e20")  # fmt: skip


def _check_instead(kind: type, known: Iterable[Field[Any]], values: Mapping[str, Any], at: Place) -> None:
    """Check that one of two fields is given, where one takes the place of the other."""
    for f in known:
        other = f.metadata.get("instead_of")
        if other and f.name < other:  # each pair once
            pair = [name for name in (*values, "") if name in (f.name, other) and values[name] not in ("", None)]
            if len(pair) != 1:
                first, second = (g.name for g in known if g.name in (f.name, other))
                noun = kind.__name__.lower()
                raise at.error(f"{'an' if noun[0] in 'aeiou' else 'a'} {noun} has {first} or {second}, one of the two",
                               key=first, found={name: values[name] for name in pair}, allowed=(first, second),
                               fix="give one of the two keys")  # fmt: skip


def _checked(f: Field[Any], value: object, at: Place) -> Any:
    """A value of the right kind, words and range; a table below as its record."""
    kind, error = str(f.type), partial(at.error, key=f.name, found=value)
    if "record" in f.metadata:
        below = f.metadata["record"]
        if below is None:
            return value
        if not isinstance(value, Mapping):
            blanks = ", ".join(f'{g.name} = "…"' for g in fields(below) if g.default is MISSING)
            raise error(f"a {f.name} is a table", fix=f"write {f.name} = {{ {blanks} }}")
        return record_of(below, value, replace(at, under=f"{at.under}{f.name}."))
    if kind == "bool":
        if not isinstance(value, bool):
            raise error("this is yes or no", allowed="true or false", fix="write true or false, without quotes")
    elif kind == "str":
        if not isinstance(value, str) or not value.strip():
            raise error("this must be a text that says something", allowed="text in quotes",
                        fix="say it, or remove the key")  # fmt: skip
        if CONTROL.search(value):
            raise error("this text has a control character", allowed="text that can be printed", fix="remove it")
        check_word(value, f.metadata.get("allowed", (value,)), "this word is not allowed here", key=f.name,
                   raises=at.error)  # fmt: skip
    else:
        low, high = f.metadata.get("lower", -math.inf), f.metadata.get("upper", math.inf)
        whole, taken = kind == "int", int if kind == "int" else int | float
        allowed = f"{'a whole number, ' if whole else ''}{low:g} to {high:g}"
        if isinstance(value, bool) or not isinstance(value, taken):
            problem = "this must be a whole number" if whole else "this must be a number"
            raise error(problem, allowed=allowed, fix=number_fix(value) or "correct it")
        if not low <= value <= high:
            raise error("this number is out of range", allowed=allowed, fix=_as_share(f, value) or "correct it")
    return value


def _as_share(f: Field[Any], value: float) -> str | None:
    """What to write for a share that was given in per cent."""
    what, inside = f.metadata.get("share"), f.metadata["lower"] <= value / 100 <= f.metadata["upper"]
    return f"a {what} is a share: write {value / 100:g}" if what and inside else None


def changed_record[Record](
    record: Record, texts: Mapping[str, str], at: Place, given: Sequence[str] = ("name",)
) -> Record:  # fmt: skip
    """Return a record with some values replaced by text, held to the rules of its file.

    Parameters
    ----------
    texts
        Field to value as text: ``true``, ``20000``, ``logistic``. A field that another takes the place of is left out.
    given
        Fields that do not stand in the file.

    Raises
    ------
    InputError
        Of the place's class, if a value is of the wrong kind or out of range.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Clinic:
    ...     places: float = number(0, 100)
    >>> changed_record(Clinic(10.0), {"places": "20"}, Place(UsageError, "--set places"))
    Clinic(places=20)
    """
    known: dict[str, Field[Any]] = {f.name: f for f in fields(record)}  # type: ignore[arg-type]
    values = values_of(record)
    gone = {f.metadata["instead_of"] for name, f in known.items() if name in texts and f.metadata.get("instead_of")}
    kept = {name: value for name, value in values.items() if name not in {*gone, *given}
            and (name not in known or value != known[name].default)}  # fmt: skip
    kinds = {name: str(known[name].type) if name in known else type(values[name]).__name__ for name in texts}
    table = {**kept, **{name: _typed(kinds[name], text) for name, text in texts.items()}}
    for name in texts.keys() - known.keys():
        if type(table[name]) is not type(values[name]) and not {type(table[name]), type(values[name])} <= {int, float}:
            raise at.error("this value is of another kind", key=name, found=texts[name],
                           allowed=f"a value like {values[name]!r}", fix="correct it")  # fmt: skip
    return record_of(type(record), table, at, {name: values[name] for name in given if name in values})


def _typed(kind: str, text: str) -> object:
    """Convert a text to a field's kind if it has that form; otherwise return the text, which the check will refuse."""
    if kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind == "str":
        return text
    for number in (int,) if kind == "int" and "|" not in kind else (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


# --- CSV rows --------------------------------------------------------------------------------


def rows_of[Record](kind: type[Record], sheet: Sheet) -> tuple[Record, ...]:
    """Read a table as records, one a row.

    A record that is open takes further columns: of numbers where their cells are numbers, and of texts otherwise.

    Raises
    ------
    EvidenceError
        With file, row and column.
    """
    known: dict[str, Field[Any]] = {f.name: f for f in fields(kind) if f.name != "free"}  # type: ignore[arg-type]
    _check_header([*sheet.columns], known, sheet.path, issubclass(kind, Open))
    free = _free_columns(sheet, [column for column in sheet.columns if column not in known])
    return tuple(_row(kind, known, sheet, i, values) for i, values in enumerate(free))


def _place(sheet: Sheet, i: int) -> Place:
    """A row by its line and name."""
    return Place(EvidenceError, (sheet.path, sheet.lines[i]), sheet.columns["row"][i] or "(unnamed)")


def _check_header(header: Sequence[str], known: Mapping[str, Field[Any]], path: Path, free: bool) -> None:
    at = Place(EvidenceError, path)
    for column in header:
        new = column not in known
        lacking = [name for name in known if new and name not in header]
        near = closest(column, lacking, 0.81) if free else closest(column, known) if new else None
        if new and (not free or near or column in ("", "free")):
            problem, fix = ("is not known", "remove it") if column else ("has no name", "name it")
            raise at.error(f"this column {problem}", key=column or None, found=column, allowed=list(known),
                           fix=near or fix)  # fmt: skip
    for column, f in known.items():
        if column not in header and f.default is MISSING:
            fix = "add the column; its cells may be empty where a row has no such number"
            raise at.error("this column is missing", key=column, found=list(header), allowed=list(known),
                           fix=fix if len(header) > 1 else "separate cells by commas, semicolons or tabs")  # fmt: skip


def _row(kind: Any, known: Mapping[str, Field[Any]], sheet: Sheet, i: int, free: Any) -> Any:
    at, table = _place(sheet, i), {key: cells[i] for key, cells in sheet.columns.items()}
    for key, f in known.items():
        if f.metadata.get("filled") and not table.get(key, f.default):
            raise at.error("this cell is empty", key=key, found="", fix="say it in a few words")
    cells = {key: _cell(f, table, at, key in sheet.asked) for key, f in known.items()
             if key in table and (table[key] or f.default is MISSING)}  # fmt: skip
    return kind(**cells, **({"free": frozen(free)} if issubclass(kind, Open) else {}))


def _cell(column: Field[Any], table: Mapping[str, str], at: Place, asked: bool) -> Any:
    meta, text = column.metadata, table[column.name]
    error = partial(at.error, key=column.name, found=text)
    check_word(text, meta.get("allowed", (text,)), "this word is not allowed here", key=column.name, raises=at.error)
    if "lower" not in meta:
        return text
    if not text:
        return None
    whole, of = meta.get("whole", False), meta.get("part_of", "")
    if (wrong := trouble(text, asked or whole, whole)) is not None:
        fix = share_fix(text, of, table.get(of, "")) if whole and text.endswith("%") else wrong[1]
        problem = f"{column.name} is a count" if wrong[0] == "this is a count" else wrong[0]
        raise error(problem, allowed="a whole number" if whole else "digits with a decimal point", fix=fix)
    value = float(text)
    if whole and value != math.floor(value):
        raise error(
            "a count is a whole number",
            allowed="0, 1, 2, …",
            fix=share_fix(text, of, table.get(of, "")) if of and 0 < value < 1 else "correct the count",
        )
    if not meta["lower"] <= value <= meta["upper"]:
        low, high = meta["lower"], meta["upper"]
        allowed = "greater than 0" if low == POSITIVE else f"{low:g} to {high:g}".replace(" to inf", " or more")
        raise error("this number is out of range", allowed=allowed, fix="correct it")
    return value


def _free_columns(sheet: Sheet, columns: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Return the values of further columns row by row: as numbers where most filled cells are numbers or nearly so."""
    found: dict[str, Sequence[Any]] = {}
    for column in columns:
        cells, asked = sheet.columns[column], column in sheet.asked
        filled = [cell for cell in cells if cell]
        wrong = [trouble(cell, asked) for cell in filled]
        numbers = 2 * sum(one is None or one[0] == MARKS or number_fix(cell) is not None
                          for one, cell in zip(wrong, filled, strict=True)) > len(filled)  # fmt: skip
        found[column] = [_free(sheet, column, i) for i in range(len(cells))] if numbers else cells
    return ({column: found[column][i] for column in found} for i in range(len(sheet.lines)))


def _free(sheet: Sheet, column: str, i: int) -> float | None:
    """Read a number, whole where it is written so; None for an empty cell."""
    cell = sheet.columns[column][i]
    if not cell:
        return None
    if (wrong := trouble(cell, column in sheet.asked)) is not None:
        raise _place(sheet, i).error(wrong[0], key=column, found=cell, allowed="digits with a decimal point",
                                     fix=wrong[1])  # fmt: skip
    value = float(cell)
    return int(cell) if cell.lstrip("+-").isdecimal() and abs(value) < sys.maxsize else value


# --- JSON Schema -----------------------------------------------------------------------------


def record_schema(kind: type, given: Sequence[str] = ()) -> dict[str, Any]:
    """Return the JSON Schema of a table that :func:`record_of` reads as a record.

    >>> @dataclass(frozen=True)
    ... class Clinic:
    ...     places: float = number(0, 100)
    >>> record_schema(Clinic)["properties"]
    {'places': {'type': 'number', 'minimum': 0, 'maximum': 100}}
    """
    known = [f for f in fields(kind) if f.name not in given and f.name != "free"]
    found: dict[str, Any] = {
        "type": "object", "required": [f.name for f in known if f.default is MISSING],
        "properties": {f.name: _value_schema(f) for f in known}, "additionalProperties": False,
    }  # fmt: skip
    if issubclass(kind, Open):
        found |= {"additionalProperties": {"type": ["number", "string", "boolean"]},
                  "propertyNames": {"pattern": NAME.pattern.replace(r"\Z", "$")}}  # fmt: skip
    pairs = {frozenset((f.name, f.metadata["instead_of"])) for f in known if f.metadata.get("instead_of")}
    if pairs:
        found["allOf"] = [{"oneOf": [{"required": [name]} for name in sorted(pair)]} for pair in pairs]
    return found


def _value_schema(f: Field[Any]) -> dict[str, Any]:
    kind = str(f.type)
    if "record" in f.metadata:
        return record_schema(f.metadata["record"]) if f.metadata["record"] else {"type": "object"}
    if kind == "bool":
        return {"type": "boolean"}
    if kind == "str":
        return (
            {"enum": list(f.metadata["allowed"])} if "allowed" in f.metadata else {"type": "string", "pattern": r"\S"}
        )
    ends = {"minimum": f.metadata.get("lower"), "maximum": f.metadata.get("upper")}
    finite = {key: end for key, end in ends.items() if end is not None and math.isfinite(end)}
    return {"type": "integer" if kind == "int" or f.metadata.get("whole") else "number", **finite}
