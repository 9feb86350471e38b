"""CSV files of draws, a column a scalar and a line a draw: CmdStan's, and those that other programs write.

``theta.1``, ``theta.2`` (CmdStan) and ``theta[1]``, ``theta[2]`` (most others, counted from one or from zero) are
elements of an array. CmdStan writes one file a chain, with settings in lines that begin with ``#`` and columns of its
sampler that end in ``__``; warm-up draws it was told to save are left out. Other files may hold several chains, told
apart by a column ``chain``, and say the order of their draws in a column ``iteration`` or ``draw``. Tables are read as
all tables of people are (:mod:`bayes.sheets`), sheets of Excel too. What could be meant in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import EvidenceError, StudyError, UsageError
from bayes.files import read_bytes
from bayes.provenance import digest
from bayes.sheets import EXCEL, MARKS, NOT_KNOWN, Sheet, read_plain, read_sheet, trouble

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["element_of", "is_cmdstan", "read_draw_files"]

_STATISTICS = {"lp__": "lp", "accept_stat__": "acceptance_rate", "stepsize__": "step_size", "treedepth__": "tree_depth",
               "n_leapfrog__": "n_steps", "divergent__": "diverging", "energy__": "energy"}  # fmt: skip
"""Columns of CmdStan's sampler and ArviZ's names for them, which are understood beside a column ``diverging``."""
_CHAIN = ("chain", ".chain", "chain__")
_COUNTERS = ("iteration", ".iteration", "iteration__", "iter", "iter__", "draw", ".draw", "draw__", "")
"""Columns that number the draws of a chain, or of all; without a name, the numbers of rows that pandas and R write."""
_WEIGHTS = ("weight", "weights", ".weight", "weight__", "log_weight", "log_weights", ".log_weight", "log_weight__")
_SUMMARY = {"rhat", "r_hat", "n_eff", "ess_bulk"}
_NOT_DRAWS = {"optimize": "a point", "diagnose": "gradients"}
_ELEMENT = re.compile(r"(.+?)(?:\.(\d{1,9}(?:\.\d{1,9})*)|\[(\d{1,9}(?:,\s*\d{1,9})*)\])\Z")
_WORDS = {"true": 1.0, "false": 0.0, "": np.nan, "na": np.nan, "nan": np.nan}
"""Words that programs write in columns of numbers."""

Columns = Mapping[str, np.ndarray]


def read_draw_files(paths: Sequence[Path]) -> DataTree:
    """Read CSV files of draws, one chain or more in each, as a ``DataTree``.

    Returns
    -------
    DataTree
        A group ``posterior``, and ``sample_stats`` where the files have columns of a sampler.

    Raises
    ------
    StudyError
        If a file is missing, is no such file, could be read in two ways, or holds no draws or weighted ones.
    UsageError
        If chains differ in length or columns.
    """
    from xarray import DataTree

    sheets = [_sheet(path) for path in paths]
    chains = [columns for sheet, plain in sheets for columns in _chains(sheet, plain)]
    names, length = list(chains[0]), len(next(iter(chains[0].values())))
    for columns in chains:
        found = len(next(iter(columns.values())))
        if list(columns) != names or found != length:
            raise UsageError("chains differ", key="source", found=f"{found} draws of {len(columns)} columns",
                             allowed=f"{length} draws of {len(names)} columns, as in the first",
                             fix="cut the longer ones, or leave an unfinished chain out")  # fmt: skip
    data = {name: np.stack([columns[name] for columns in chains]) for name in names}
    own = dict(zip(_STATISTICS.values(), _STATISTICS.values(), strict=True)) if "diverging" in data else {}
    known = _STATISTICS | own
    free = {name: values for name, values in data.items() if name not in known and not name.endswith("__")}
    groups = {"posterior": _dataset(_arrays(free, paths[0]), paths[0])}
    if statistics := {known[name]: values for name, values in data.items() if name in known}:
        statistics |= {"diverging": statistics["diverging"] > 0} if "diverging" in statistics else {}
        groups["sample_stats"] = _dataset({name: (values, ()) for name, values in statistics.items()}, paths[0])
    tree = DataTree.from_dict(groups)
    hashes = [digest(path.read_bytes()) for path in paths]
    tree.attrs.update(sampler="elsewhere", inputs_hash=digest("".join(hashes)), verdict="not checked")
    if notes := [note for sheet, _ in sheets for note in sheet.notes]:
        tree.attrs["read"] = "; ".join(notes)
    return tree


def is_cmdstan(path: Path) -> bool:
    """Whether a file begins as CmdStan's do."""
    return re.match(rb"#\s*stan_version|#\s*model\s*=", read_bytes(path, 100)) is not None


# --- from text to a table ----------------------------------------------------------------------


def _sheet(path: Path) -> tuple[Sheet, Columns]:
    """A file as a sheet of numbers, but for a column that names chains; and its columns, if they are plain numbers."""
    try:
        sheet, plain = read_plain(path, _CHAIN) or (read_sheet(path, remarks=True), {})
    except EvidenceError as error:  # of a table of draws there is one kind
        if error.problem == "this file is empty":
            raise _no_draws(path, "nothing but settings" if path.stat().st_size else "an empty file") from None
        raise error.retold(StudyError) from None
    _check_names([*sheet.columns], path)
    if not sheet.lines:
        raise _no_draws(path, "a header alone")
    if {",", "."} <= sheet.marks:
        raise StudyError(f"in some columns of this file commas are decimal marks, in others points: {MARKS}",
                         file=path, allowed="one decimal mark", fix="write it with decimal points")  # fmt: skip
    return sheet, plain


def _no_draws(path: Path, found: str) -> StudyError:
    return StudyError("this file holds no draws", file=path, found=found, allowed="a header, then one draw a line",
                      fix="write it again")  # fmt: skip


def _numbers(sheet: Sheet, name: str) -> np.ndarray:
    """A column as numbers; NaN where a program wrote NA or nothing."""
    cells, asked = sheet.columns[name], name in sheet.asked and "," in sheet.marks  # programs write points
    try:
        if asked or "_" in "".join(cells):
            raise ValueError
        return np.array([*map(float, cells)])
    except ValueError:
        for line, cell in zip(sheet.lines, cells, strict=True):
            wrong = trouble(cell, asked)
            if wrong and cell.lower() not in _WORDS and not re.fullmatch("[+-]?(inf|infinity|nan)", cell.lower()):
                problem = "draws are numbers" if wrong[0] == "this is not a number" else wrong[0]
                fix = "correct or remove this line" if cell.lower() in NOT_KNOWN else wrong[1]
                raise StudyError(problem, file=(sheet.path, line), key=name, found=cell, fix=fix) from None
        return np.array([_WORDS.get(cell.lower(), np.nan) if cell.lower() in _WORDS else float(cell)
                         for cell in cells])  # fmt: skip


def _check_names(names: Sequence[str], path: Path) -> None:
    """Names that can be told apart, of what can be read as draws."""
    small = {name.lower() for name in names}
    problem = ""
    if all(trouble(name) is None for name in names):
        problem, fix, bad = "the first line holds numbers, not names", "give each column a name", [*names[:3]]
    elif bad := [name for name in names if "/" in name]:
        problem, fix = "a slash cannot stand in the name of a variable", "rename these columns"
    elif bad := [name for name in names if name.lower() in _WEIGHTS]:
        problem = "these draws are weighted, and equal weights are needed"
        fix = "draw from them anew by their weights and leave the column out; rename it if it is a variable"
    elif {"mean"} & small and _SUMMARY & small:
        problem, fix, bad = "this is a table of summaries, not of draws", "name the file of draws", ["mean"]
    if problem:
        raise StudyError(problem, file=path, key=", ".join(dict.fromkeys(bad)), fix=fix)


# --- from a table to chains --------------------------------------------------------------------


def _chains(sheet: Sheet, plain: Columns) -> Iterator[Columns]:
    """Columns of each chain of one file, in the order of its draws; ``plain`` are those that were read as numbers."""
    path, names = sheet.path, [*sheet.columns]
    settings = {} if path.suffix.lower() in EXCEL else _settings(path)
    rest = slice(_skipped(settings, path), None)
    labels = [name for name in names if name.lower() in _CHAIN]
    counters = sorted((n for n in names if n.lower() in _COUNTERS), key=lambda n: _COUNTERS.index(n.lower()))
    all_ = plain or {name: np.array(sheet.columns[name]) if name in labels else _numbers(sheet, name) for name in names}
    table = {name: values[rest] for name, values in all_.items() if name not in labels}
    chain = (np.strings.strip(np.asarray(all_[labels[0]], dtype=str)) if labels
             else np.full(len(next(iter(all_.values()))), "1"))[rest]  # fmt: skip
    if (chain == "").any():
        raise StudyError("a draw belongs to no chain", file=path, key=labels[0], fix="fill the empty cells")
    found = [name for name in table if name not in counters]
    if not found or not chain.size:
        raise StudyError("this file has no column of draws" if chain.size else "this file ends before the first draw",
                         file=path, allowed="one column a scalar, one line a draw", fix="write it again")  # fmt: skip
    for one in sorted(set(chain.tolist()), key=lambda name: (len(name), name)):
        part = {name: values[chain == one] for name, values in table.items()}
        order = _order(part, counters, path)
        yield {name: part[name][order] for name in found}


def _settings(path: Path) -> dict[str, str]:
    """What CmdStan says of itself in lines that begin with a sign of number."""
    text = path.read_text("utf-8", errors="replace")
    return dict(re.findall(r"^#\s*(\w+)\s*=\s*(\S+)", text, re.MULTILINE)) if "#" in text else {}


def _order(part: Columns, counters: Sequence[str], path: Path) -> np.ndarray:
    """Places of the draws of a chain in the order in which they are numbered, each once and none left out."""
    for name in counters:
        numbers = np.sort(part[name])
        steps = np.diff(numbers)
        twice, gap = np.flatnonzero(steps == 0), np.flatnonzero(steps != np.min(steps, initial=np.inf))
        if not np.isfinite(numbers).all():
            found = "a draw without a number"
        elif twice.size:
            found = f"{numbers[twice[0]]:g} stands twice in a chain"
        elif gap.size:
            found = f"{numbers[gap[0]]:g}, then {numbers[gap[0] + 1]:g}"
        else:
            continue
        fix = "tell chains apart by a column 'chain', and put back the draws that are missing"
        raise StudyError("the draws of a chain are not numbered one by one", file=path, key=name or "the first column",
                         found=found, allowed="every number once, at equal steps", fix=fix)  # fmt: skip
    return np.argsort(part[counters[0]], kind="stable") if counters else np.arange(len(next(iter(part.values()))))


def _skipped(settings: Mapping[str, str], path: Path) -> int:
    """Lines of a CmdStan file that are no draws of the posterior: saved warm-up, or the mean of an approximation."""
    method = settings.get("method", "sample")
    if method in _NOT_DRAWS:
        raise StudyError(f"this file of CmdStan holds {_NOT_DRAWS[method]}, not draws", file=path, key="method",
                         found=method, allowed="sample, variational, pathfinder, laplace or generate_quantities",
                         fix="sample the model")  # fmt: skip
    if settings.get("save_warmup", "0") not in ("1", "true"):
        return 1 if method == "variational" else 0
    warmup, thin = (_setting(settings, name, least, path) for name, least in (("num_warmup", 0), ("thin", 1)))
    return -(-warmup // thin)


def _setting(settings: Mapping[str, str], name: str, least: int, path: Path) -> int:
    text = settings.get(name, str(least))
    if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or int(text) < least:
        raise StudyError("this setting of CmdStan is not understood", file=path, key=name, found=text,
                         allowed=f"a whole number, {least} or more",
                         fix="correct the line that begins with #")  # fmt: skip
    return int(text)


# --- from columns to arrays --------------------------------------------------------------------


def element_of(name: str) -> tuple[str, tuple[int, ...]] | None:
    """Return the array and the place in it that the name of a column means, or None for a scalar.

    >>> element_of("theta.1.2"), element_of("theta[1,2]"), element_of("mu")
    (('theta', (1, 2)), ('theta', (1, 2)), None)
    """
    match = _ELEMENT.match(name)
    if match is None:
        return None
    return match[1], tuple(int(i) for i in re.split(r"[.,]\s*", match[2] or match[3]))


def _dataset(arrays: Mapping[str, tuple[np.ndarray, Sequence[int]]], path: Path) -> Dataset:
    """Arrays (chain, draw, …) with dims named as ArviZ names them, and counted as in the file."""
    from xarray import Dataset as Data

    dims = {n: tuple(f"{n}_dim_{i}" for i in range(len(start))) for n, (_, start) in arrays.items()}
    if taken := sorted(({"chain", "draw"} | {dim for one in dims.values() for dim in one}) & set(arrays)):
        raise StudyError("a variable has the name of a dimension", file=path, key=", ".join(taken),
                         fix="rename these columns")  # fmt: skip
    chains, draws = next(iter(arrays.values()))[0].shape[:2]
    coords = {"chain": np.arange(chains), "draw": np.arange(draws)}
    for name, (array, start) in arrays.items():
        coords |= {dim: np.arange(first, first + size)
                   for dim, first, size in zip(dims[name], start, array.shape[2:], strict=True)}  # fmt: skip
    return Data({name: (("chain", "draw", *dims[name]), array) for name, (array, _) in arrays.items()}, coords=coords)


def _arrays(columns: Columns, path: Path) -> dict[str, tuple[np.ndarray, Sequence[int]]]:
    """Scalars as they are; numbered elements gathered into arrays (chain, draw, …), with where each dim starts."""
    if not columns:
        raise StudyError("this file has no column of draws", file=path, allowed="one column a scalar", fix="add one")
    found: dict[str, tuple[np.ndarray, Sequence[int]]] = {}
    elements: dict[str, dict[tuple[int, ...], np.ndarray]] = {}
    for column, values in columns.items():
        place = element_of(column)
        if place is None:
            found[column] = values, ()
            continue
        name, index = place
        if name in columns or index in elements.setdefault(name, {}):
            raise StudyError("this column stands twice", file=path, key=column, fix="leave one out, or rename it")
        elements[name][index] = values
    return found | {name: _array(name, parts, path) for name, parts in elements.items()}


def _array(name: str, parts: Mapping[tuple[int, ...], np.ndarray], path: Path) -> tuple[np.ndarray, Sequence[int]]:
    """Elements, counted from one or from zero, as one array."""
    first, values = next(iter(parts.items()))
    alike = all(len(index) == len(first) for index in parts)
    start = [min(index[i] for index in parts) for i in range(len(first))] if alike else []
    shape = [max(index[i] for index in parts) - start[i] + 1 for i in range(len(first))] if alike else []
    if not alike or set(start) not in ({0}, {1}) or len(parts) != np.prod(shape, dtype=float):
        raise StudyError("elements of this array are missing", file=path, key=name, found=f"{len(parts)} columns",
                         allowed=" × ".join(map(str, shape)) + " of them, counted from one or from zero",
                         fix="write all of them")  # fmt: skip
    array = np.empty((*values.shape, *shape))
    for index, one in parts.items():
        at: tuple[Any, ...] = (..., *(i - s for i, s in zip(index, start, strict=True)))
        array[at] = one
    return array, start
