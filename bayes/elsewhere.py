"""Fits made elsewhere: NetCDF, Zarr and CSV files of draws, CmdStan's among them, become the ``DataTree`` used here.

A CSV file has one column a scalar. ``theta.1``, ``theta.2`` (CmdStan) and ``theta[1]``, ``theta[2]`` (most others)
are elements of an array. CmdStan writes one file a chain, with settings in lines that begin with ``#`` and sampler
columns that end in ``__``; warm-up draws it was told to save are left out. Other CSV files may hold several chains,
told apart by a column ``chain``. Nothing is checked but form: what the diagnostics need and a file does not hold,
they say.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.errors import StudyError, UsageError
from bayes.files import read_text
from bayes.provenance import digest
from bayes.runfiles import existing, read_tree

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset, DataTree

__all__ = ["fit_from"]

_STATISTICS = {"lp__": "lp", "accept_stat__": "acceptance_rate", "stepsize__": "step_size", "treedepth__": "tree_depth",
               "n_leapfrog__": "n_steps", "divergent__": "diverging", "energy__": "energy"}  # fmt: skip
_CHAIN, _COUNTERS = ("chain", ".chain", "chain__"), ("draw", ".draw", "iteration", ".iteration", "draw__", "iter__")
_ELEMENT = re.compile(r"(.+?)(?:\.(\d+(?:\.\d+)*)|\[(\d+(?:,\s*\d+)*)\])\Z")

Columns = Mapping[str, np.ndarray]


def fit_from(source: object) -> DataTree:
    """Return draws in any of the forms in which people hold them as a ``DataTree`` with a group ``posterior``.

    Parameters
    ----------
    source
        A ``DataTree``; a ``Dataset`` of draws with dims ``chain`` and ``draw``; an ``InferenceData`` of ArviZ 0.x; a
        run folder; a NetCDF file, Zarr store or CSV file of draws; several CSV files, one a chain; or a folder of
        CmdStan's CSV files. A ``DataTree`` with a posterior is returned itself, not as a copy.

    Raises
    ------
    UsageError
        If it is none of these, or its chains differ in length or columns, or a library is missing.
    StudyError
        If a file is missing, is no such file, or holds no draws.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> for chain in (1, 2):
    ...     draws = np.random.default_rng(chain).normal(size=500)
    ...     pd.DataFrame({"mu": draws}).to_csv(f"chain_{chain}.csv", index=False)
    >>> fit_from(["chain_1.csv", "chain_2.csv"])["posterior"]["mu"].shape
    (2, 500)
    """
    import xarray as xr

    if isinstance(source, str | PathLike):
        return _from_path(Path(source))
    if isinstance(source, list | tuple) and source and all(isinstance(one, str | PathLike) for one in source):
        return _from_paths([Path(one) for one in source])
    if isinstance(source, xr.Dataset):
        source = xr.DataTree.from_dict({"posterior": source})
    elif _is_inference_data(source):
        source = _tree_of(source)
    if isinstance(source, xr.DataTree) and (tree := _with_posterior(source)) is not None:
        return tree
    raise UsageError("this holds no draws of a posterior", key="fit", found=_described(source), allowed=_FORMS,
                     fix="hand over the fit itself, or save its draws to a file and name that")  # fmt: skip


_FORMS = (
    "a DataTree with a group 'posterior', a Dataset with dims chain and draw, an InferenceData of ArviZ 0.x, "
    "a run folder, a NetCDF, Zarr or CSV file, CSV files one a chain, a folder of CmdStan's CSV files"
)


def _described(source: object) -> str:
    """What was handed over, in a few words."""
    kind = type(source).__name__
    inside = list(getattr(source, "children", ())) or list(getattr(source, "sizes", ()))
    return f"{kind} with {', '.join(map(str, inside))}" if inside else f"{kind}: {repr(source)[:60]}"


def _is_inference_data(source: object) -> bool:
    """Whether this looks like an ``InferenceData`` of ArviZ 0.x, whose class is not there to ask."""
    from xarray import Dataset

    return isinstance(getattr(source, "posterior", None), Dataset) and hasattr(source, "groups")


def _tree_of(source: Any) -> DataTree:
    """The groups of an ``InferenceData`` as a tree."""
    from xarray import DataTree

    names = [str(name) for name in (source.groups() if callable(source.groups) else source.groups)]
    tree = DataTree.from_dict({name: getattr(source, name) for name in names})
    tree.attrs.update(getattr(source, "attrs", {}))
    return tree


def _from_path(path: Path) -> DataTree:
    """A run folder, a Zarr store, a folder of CmdStan's CSV files, or one file."""
    if path.suffix.lower() in (".csv", ".zarr"):
        return _from_paths([path])
    if path.is_dir() and not (path / "fit.nc").exists():
        if any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zattrs", ".zmetadata")):
            return _from_file(path)
        if chains := sorted(path.glob("*.csv")):
            return _from_csv(chains)
    file = path / "fit.nc" if path.is_dir() else path
    return _from_file(existing(file, "bayes fit or bayes run"))


def _from_paths(paths: Sequence[Path]) -> DataTree:
    """Files that are named one by one."""
    for path in paths:
        if not path.exists():
            raise StudyError("this file is missing", file=path, fix="name a file of draws: .nc, .zarr or .csv")
    if paths[0].suffix.lower() == ".csv":
        return _from_csv(paths)
    if len(paths) > 1:
        raise UsageError("only CSV files come one a chain", key="source", found=[str(p) for p in paths],
                         allowed="one file", fix="name one NetCDF file or Zarr store")  # fmt: skip
    return _from_file(paths[0])


def _from_file(path: Path) -> DataTree:
    """A NetCDF file or a Zarr store."""
    opened = _opened(path)
    if (tree := _with_posterior(opened)) is None:
        raise StudyError("this holds no posterior draws", file=path, found=sorted(opened.children),
                         allowed="a group 'posterior' with dims chain and draw",
                         fix="save it with ArviZ, or as CSV")  # fmt: skip
    return tree


def _opened(path: Path) -> DataTree:
    import xarray as xr

    if not path.is_dir():
        return read_tree(path)
    try:
        with xr.open_datatree(path, engine="zarr", consolidated=False) as tree:
            return tree.load()
    except (OSError, ValueError) as error:
        if "unrecognized engine" in str(error):
            raise UsageError("Zarr stores need another library", file=path, found="zarr is not installed",
                             fix="install zarr, or write the draws as NetCDF")  from None  # fmt: skip
        raise StudyError("this is no file of draws", file=path, found=str(error).splitlines()[0],
                         allowed="NetCDF (.nc), Zarr (a folder) or CSV (.csv)",
                         fix="write it again") from None  # fmt: skip


def _with_posterior(tree: DataTree) -> DataTree | None:
    """The tree, if it has a posterior; a tree around the draws where they stand at its root; otherwise nothing."""
    from xarray import DataTree

    if "posterior" not in tree.children and {"chain", "draw"} <= set(tree.dims):
        tree = DataTree.from_dict({"posterior": tree.to_dataset()})
    return tree if "posterior" in tree.children and {"chain", "draw"} <= set(tree["posterior"].dims) else None


def _from_csv(paths: Sequence[Path]) -> DataTree:
    from xarray import DataTree

    chains = [columns for path in paths for columns in _chains(path)]
    names, length = list(chains[0]), len(next(iter(chains[0].values())))
    for columns in chains:
        found = len(next(iter(columns.values())))
        if list(columns) != names or found != length:
            raise UsageError("chains differ", key="source", found=f"{found} draws of {len(columns)} columns",
                             allowed=f"{length} draws of {len(names)} columns, as in the first",
                             fix="cut the longer ones, or leave an unfinished chain out")  # fmt: skip
    data = {name: np.stack([columns[name] for columns in chains]) for name in names}
    groups = {"posterior": _dataset(_arrays({n: v for n, v in data.items() if not n.endswith("__")}, paths[0]))}
    statistics = {new: data[old] for old, new in _STATISTICS.items() if old in data}
    if statistics:
        statistics |= {"diverging": statistics["diverging"] > 0} if "diverging" in statistics else {}
        groups["sample_stats"] = _dataset(statistics)
    tree = DataTree.from_dict(groups)
    hashes = [digest(path.read_bytes()) for path in paths]
    tree.attrs.update(sampler="elsewhere", inputs_hash=digest("".join(hashes)), verdict="not checked")
    return tree


def _dataset(arrays: Columns) -> Dataset:
    """Arrays (chain, draw, …) with dims named as ArviZ names them."""
    from xarray import Dataset as Data

    dims = {n: ("chain", "draw", *(f"{n}_dim_{i}" for i in range(a.ndim - 2))) for n, a in arrays.items()}
    sizes = next(iter(arrays.values())).shape
    coords = {"chain": np.arange(sizes[0]), "draw": np.arange(sizes[1])}
    return Data({name: (dims[name], array) for name, array in arrays.items()}, coords=coords)


def _chains(path: Path) -> list[Columns]:
    """Columns of each chain of one file."""
    import pandas as pd

    text = read_text(path)
    notes = [line for line in text.splitlines() if line.startswith("#")]
    body = "\n".join(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    try:
        table = pd.read_csv(io.StringIO(body))
    except (ValueError, pd.errors.ParserError) as error:
        raise StudyError("this is not a CSV file of draws", file=path, found=str(error),
                         fix="give a header and one draw a line") from None  # fmt: skip
    words = [str(name) for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    if table.empty or words:
        fix = "correct or remove these columns" if words else "the file ends before the first draw"
        raise StudyError("draws are numbers", file=path, key=", ".join(words) or None, found=f"{len(table)} lines",
                         fix=fix)  # fmt: skip
    table = table.iloc[_saved_warmup(notes) :]
    chain = next((name for name in _CHAIN if name in table.columns), None)
    parts = [table] if chain is None else [part for _, part in table.groupby(chain, sort=True)]
    dropped = [name for name in (*_CHAIN, *_COUNTERS) if name in table.columns]
    return [_columns(part.drop(columns=dropped)) for part in parts]


def _columns(part: pd.DataFrame) -> Columns:
    return {str(name): part[name].to_numpy(dtype=float) for name in part.columns}


def _saved_warmup(notes: Sequence[str]) -> int:
    """Warm-up draws at the start of a CmdStan file, which are there only if it was told to save them."""
    settings = dict(re.findall(r"^#\s*(\w+)\s*=\s*(\w+)", "\n".join(notes), re.MULTILINE))
    if settings.get("save_warmup", "0") not in ("1", "true"):
        return 0
    return -(-int(settings.get("num_warmup", 0)) // max(int(settings.get("thin", 1)), 1))


def _arrays(columns: Columns, path: Path) -> dict[str, np.ndarray]:
    """Scalars as they are; numbered elements gathered into arrays (chain, draw, …), counted from one."""
    if not columns:
        raise StudyError("this file has no column of draws", file=path, allowed="one column a scalar", fix="add one")
    found: dict[str, np.ndarray] = {}
    elements: dict[str, dict[tuple[int, ...], np.ndarray]] = {}
    for name, values in columns.items():
        match = _ELEMENT.match(name)
        if match is None:
            found[name] = values
            continue
        index = tuple(int(i) - 1 for i in re.split(r"[.,]\s*", match[2] or match[3]))
        elements.setdefault(match[1], {})[index] = values
    for name, parts in elements.items():
        shape = tuple(int(n) + 1 for n in np.max(list(parts), axis=0))
        if len(parts) != np.prod(shape) or min(min(index) for index in parts) < 0:
            raise StudyError("elements of this array are missing", file=path, key=name, found=f"{len(parts)} columns",
                             allowed=f"{int(np.prod(shape))}, counted from one", fix="write all of them")  # fmt: skip
        first = next(iter(parts.values()))
        found[name] = np.empty((*first.shape, *shape))
        for index, values in parts.items():
            at: tuple[Any, ...] = (..., *index)
            found[name][at] = values
    return found
