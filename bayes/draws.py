"""Fits made elsewhere, in any of the forms in which people hold draws, become the ``DataTree`` used here.

Nothing is checked but form: what the diagnostics need and the draws do not hold, they say.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.drawfiles import is_cmdstan, read_draw_files
from bayes.errors import CONTROL, StudyError, UsageError
from bayes.files import read_bytes
from bayes.runfiles import existing, read_futures, read_tree
from bayes.sheets import EXCEL, OTHERS

if TYPE_CHECKING:
    from xarray import Dataset, DataTree

__all__ = ["Fit", "Futures", "draws_from", "fit_from", "futures_from", "is_run"]

type Fit = DataTree | Dataset | str | PathLike[str] | Sequence[str | PathLike[str]]
"""Draws in the forms in which people hold them; an ``InferenceData`` of ArviZ 0.x too, whose class is not there."""
type Futures = Dataset | str | PathLike[str]
"""A projection, or the run folder that holds one."""


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
        return _with_texts(_from_path(Path(source)))
    if isinstance(source, list | tuple) and source and all(isinstance(one, str | PathLike) for one in source):
        return _with_texts(_from_paths([Path(one) for one in source]))
    if isinstance(source, xr.Dataset):
        source = xr.DataTree.from_dict({"posterior": source})
    elif _is_inference_data(source):
        source = _tree_of(source)
    if isinstance(source, xr.DataTree) and (tree := _with_posterior(source)) is not None:
        return _with_texts(tree)
    raise UsageError("this holds no draws of a posterior", key="fit", found=_described(source), allowed=_FORMS,
                     fix="hand over the fit itself, or save its draws to a file and name that")  # fmt: skip


def _with_texts(tree: DataTree) -> DataTree:
    """The tree, if its names and labels can be printed."""
    for node in tree.subtree:
        texts = (one.values.flat for one in node.coords.values() if one.dtype.kind in "OTU")
        for text in itertools.chain.from_iterable([node.variables, node.dims, *texts]):
            if CONTROL.search(str(text)):
                raise UsageError("this name or label has a control character", file=node.path, found=str(text),
                                 allowed="text that can be printed", fix="rename it")  # fmt: skip
    return tree


def draws_from(source: Fit) -> Dataset:
    """Return draws of anything as a ``Dataset``: a projection or another ``Dataset`` itself, of a fit its posterior.

    Raises
    ------
    UsageError, StudyError
        As :func:`fit_from`.
    """
    import xarray as xr

    if isinstance(source, xr.DataArray):
        source = source.to_dataset(name=source.name or "draws")
    return source if isinstance(source, xr.Dataset) else fit_from(source)["posterior"].to_dataset()


def futures_from(source: Futures) -> Dataset:
    """Return a projection: a ``Dataset`` with dims chain and draw itself, or that of a run folder.

    Raises
    ------
    UsageError
        If it is neither.
    StudyError
        If the folder holds no projection.
    """
    import xarray as xr

    if isinstance(source, str | PathLike):
        return read_futures(Path(source))
    if isinstance(source, xr.Dataset) and {"chain", "draw"} <= set(source.dims):
        return source
    raise UsageError("this is no projection", key="futures", found=_described(source),
                     allowed="a Dataset with dims chain and draw, as bayes.project returns it, or a run folder",
                     fix="project the fit first")  # fmt: skip


_FORMS = (
    "a DataTree with a group 'posterior', a Dataset with dims chain and draw, an InferenceData of ArviZ 0.x, "
    "a run folder, a NetCDF, Zarr, CSV or Excel file, CSV files one a chain, a folder of CmdStan's CSV files"
)


def _described(source: object) -> str:
    """What was handed over, in a few words."""
    kind = type(source).__name__
    inside = list(getattr(source, "children", ())) or list(getattr(source, "sizes", ()))
    return f"{kind} with {', '.join(map(str, inside))}" if inside else f"{kind}: {' '.join(repr(source).split())[:60]}"


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


_TEXTS = (".csv", ".tsv", ".txt")
_STORE = ("zarr.json", ".zgroup", ".zattrs", ".zmetadata")
_DAMAGES = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""What Zarr raises on damaged stores."""


def _from_path(path: Path) -> DataTree:
    """A run folder, a Zarr store, a folder of CmdStan's CSV files, or one file."""
    if _is_store(path):
        return _from_file(path)
    if chains := _chain_files(path):
        return read_draw_files(_of_one_run(chains, path))
    if path.is_dir() or not path.suffix:
        file = path if path.is_file() else path / "fit.nc"
        return _from_file(existing(file, "bayes fit or bayes run"))
    return _from_paths([path])


def is_run(path: Path) -> bool:
    """Whether a path names a run folder, or a place where one is missed, rather than draws made elsewhere."""
    if not path.is_dir():
        return not path.exists() and not path.suffix
    return not _is_store(path) and not _chain_files(path)


def _is_store(path: Path) -> bool:
    return path.is_dir() and (path.suffix.lower() == ".zarr" or any((path / name).exists() for name in _STORE))


def _chain_files(path: Path) -> list[Path]:
    """CmdStan's CSV files of a folder that is no run."""
    if not path.is_dir() or (path / "fit.nc").exists() or (path / "manifest.json").exists():
        return []
    return [file for file in sorted(path.glob("*.csv")) if file.is_file() and is_cmdstan(file)]


def _of_one_run(chains: Sequence[Path], folder: Path) -> list[Path]:
    """Files of a folder, as CmdStan names the chains of one run: their names differ in one number."""
    parts = [re.split(r"[-_.]", chain.stem) for chain in chains]
    varying = [len(set(column)) > 1 for column in zip(*parts, strict=False)]
    if len({len(one) for one in parts}) > 1 or sum(varying) > 1:
        raise StudyError("this folder holds files of several runs of CmdStan", file=folder,
                         found=[chain.name for chain in chains][:6], allowed="the chains of one run",
                         fix="name the files of one run one by one")  # fmt: skip
    return sorted(chains, key=lambda chain: (len(chain.name), chain.name))


def _from_paths(paths: Sequence[Path]) -> DataTree:
    """Files that are named one by one."""
    for path in paths:
        if not path.exists():
            raise StudyError("this file is missing", file=path, fix="name a file of draws: .nc, .zarr, .csv or .xlsx")
    if all(path.suffix.lower() in (*_TEXTS, *EXCEL, *OTHERS) for path in paths):
        return read_draw_files(paths)
    if len(paths) > 1:
        raise UsageError("only CSV files come one a chain", key="source", found=[str(p) for p in paths],
                         allowed="CSV files, or one file", fix="name one NetCDF file or Zarr store")  # fmt: skip
    return _from_file(paths[0])


def _from_file(path: Path) -> DataTree:
    """A NetCDF file or a Zarr store."""
    opened = _stored(path) if path.is_dir() else _filed(path)
    if (tree := _with_posterior(opened)) is None:
        raise StudyError("this holds no posterior draws", file=path, found=sorted(opened.children),
                         allowed="a group 'posterior' with dims chain and draw",
                         fix="save it with ArviZ, or as CSV")  # fmt: skip
    return tree


def _filed(path: Path) -> DataTree:
    """A file that is NetCDF by its first bytes: HDF5, or the older format."""
    first = read_bytes(path, 8)
    if first != b"\x89HDF\r\n\x1a\n" and first[:3] != b"CDF":
        raise StudyError("this is no file of draws", file=path, found=f"it begins with {first!r}",
                         allowed="NetCDF (.nc), Zarr (a folder) or CSV (.csv)", fix="write it again")  # fmt: skip
    return read_tree(path)


def _stored(path: Path) -> DataTree:
    """A Zarr store."""
    import xarray as xr

    try:
        with xr.open_datatree(path, engine="zarr", consolidated=False) as tree:
            return tree.load()
    except _DAMAGES as error:
        if "unrecognized engine" in str(error):
            raise UsageError("Zarr stores need another library", file=path, found="zarr is not installed",
                             fix="install zarr, or write the draws as NetCDF")  from None  # fmt: skip
        raise StudyError("this is no Zarr store of draws", file=path, found=f"{type(error).__name__}: {error}"[:200],
                         allowed="NetCDF (.nc), Zarr (a folder) or CSV (.csv)",
                         fix="write it again") from None  # fmt: skip


def _with_posterior(tree: DataTree) -> DataTree | None:
    """The tree, if it has a posterior; a tree around the draws where they stand at its root; otherwise nothing."""
    from xarray import DataTree

    if "posterior" not in tree.children and {"chain", "draw"} <= set(tree.dims):
        tree = DataTree.from_dict({"posterior": tree.to_dataset()})
    if "posterior" not in tree.children or not {"chain", "draw"} <= set(tree["posterior"].dims):
        return None
    return tree
