"""Run folders: the whole chain from a study to its files, and reading them back.

A run folder is written whole or not at all: work happens in a scratch folder beside it, which takes its place only
when everything is done. ``manifest.json`` says what was computed from what, and with which verdict.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes import __version__
from bayes.errors import StudyError, UsageError
from bayes.files import read_text, replace_folder, write_text
from bayes.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset, DataTree

    from bayes.diagnostics import Verdict
    from bayes.model import Structure

__all__ = ["Options", "Run", "execute", "load_fit", "load_futures", "project_run", "read_manifest", "write_fit"]

Stage = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is computed.

    Parameters
    ----------
    draws, tune, chains, seed, sampler
        As in :func:`bayes.sample`.
    require
        Withhold every number when the diagnostics fail.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    seed: int = 20070222
    sampler: str = "numpyro"
    require: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a run produced."""

    folder: Path
    fit: DataTree
    futures: Dataset
    verdict: Verdict
    headline: pd.DataFrame
    timings: Mapping[str, float]


@dataclass(slots=True)
class _Clock:
    """Seconds by stage, in order."""

    stage: Stage
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        with self.stage(name):
            yield
        self.seconds[name] = round(time.perf_counter() - start, 3)


def execute(
    study: Study,
    folder: Path,
    options: Options | None = None,
    structure: Structure | None = None,
    stage: Stage = lambda name: nullcontext(),
) -> Run:
    """Run the whole chain and write its folder.

    Parameters
    ----------
    study, structure
        What to fit.
    folder
        Where to write; an older run there is replaced, anything else is refused.
    options
        Draws, seed, sampler.
    stage
        Called with the name of each stage; returns a context manager (for progress).

    Raises
    ------
    UsageError
        If the folder cannot be written or holds something that is not a run.
    """
    chosen = options or Options()
    clock = _Clock(stage)
    check_target(folder)
    with replace_folder(folder) as scratch:
        with clock("loading libraries"):
            from bayes.diagnostics import check, with_verdict
            from bayes.model import build_model
            from bayes.projection import project
            from bayes.sampling import sample
            from bayes.tables import headline
        with clock("building the model"):
            model = build_model(study, structure)
        with clock("sampling"):
            fit = sample(
                model,
                draws=chosen.draws,
                tune=chosen.tune,
                chains=chosen.chains,
                rng=chosen.seed,
                sampler=chosen.sampler,
            )
        with clock("projecting"):
            futures = project(fit, study)
        with clock("checking"):
            verdict = check(fit, futures)
            fit = with_verdict(fit, verdict)
            futures.attrs["verdict"] = verdict.word
        with clock("summarising"):
            table = headline(futures, verdict.word)
        with clock("writing"):
            write_netcdf(fit, scratch / "fit.nc")
            if verdict.passed or not chosen.require:
                write_netcdf(futures, scratch / "futures.nc")
            _write_tables(scratch, fit, study, verdict, None if chosen.require and not verdict.passed else table)
        _write_manifest(scratch, fit, study, chosen, clock.seconds)
    return Run(folder, fit, futures, verdict, table, clock.seconds)


def write_fit(
    study: Study, folder: Path, options: Options, structure: Structure | None, stage: Stage
) -> tuple[DataTree, Verdict]:
    """Fit and check a study, and write ``fit.nc``, the table of checks and the manifest."""
    clock = _Clock(stage)
    check_target(folder)
    with replace_folder(folder) as scratch:
        with clock("loading libraries"):
            from bayes.diagnostics import check, with_verdict
            from bayes.model import build_model
            from bayes.sampling import sample
        with clock("building the model"):
            model = build_model(study, structure)
        with clock("sampling"):
            fit = sample(
                model,
                draws=options.draws,
                tune=options.tune,
                chains=options.chains,
                rng=options.seed,
                sampler=options.sampler,
            )
        with clock("checking"):
            verdict = check(fit)
            fit = with_verdict(fit, verdict)
        with clock("writing"):
            write_netcdf(fit, scratch / "fit.nc")
            _write_tables(scratch, fit, study, verdict, None)
        _write_manifest(scratch, fit, study, options, clock.seconds)
    return fit, verdict


def project_run(study: Study, folder: Path, stage: Stage) -> Run:
    """Project the fit of a run over a study's scenarios and write the projection into the run folder.

    Raises
    ------
    StudyError
        If the fit was made from other priors or evidence than the study holds.
    """
    clock = _Clock(stage)
    manifest = read_manifest(folder)
    with clock("loading libraries"):
        from bayes.diagnostics import check, with_verdict
        from bayes.model import fit_hash
        from bayes.projection import project
        from bayes.tables import headline
    if manifest.get("fit_hash") != fit_hash(study):
        raise StudyError(
            "this fit was made from other priors or other evidence",
            file=folder / "fit.nc",
            found=manifest.get("fit_hash"),
            allowed=fit_hash(study),
            fix="name the study it was made from, or fit again",
        )
    fit = load_fit(folder)
    with clock("projecting"):
        futures = project(fit, study)
    with clock("checking"):
        verdict = check(fit, futures)
        fit = with_verdict(fit, verdict)
        futures.attrs["verdict"] = verdict.word
    table = headline(futures, verdict.word)
    with clock("writing"), replace_folder(folder) as scratch:
        write_netcdf(fit, scratch / "fit.nc")
        write_netcdf(futures, scratch / "futures.nc")
        _write_tables(scratch, fit, study, verdict, table)
        _write_manifest(scratch, fit, study, Options(**manifest["options"]), {**manifest["timings"], **clock.seconds})
    return Run(folder, fit, futures, verdict, table, clock.seconds)


def check_target(folder: Path) -> None:
    """Refuse to replace a folder that is not a run.

    Raises
    ------
    UsageError
        If the folder has files but no manifest, or is a file.
    """
    if folder.is_file():
        raise UsageError("this is a file, not a folder", file=folder, fix="choose another place with --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "manifest.json").is_file():
        raise UsageError(
            "this folder holds something that is not a run, and would be replaced",
            file=folder,
            fix="choose an empty or new folder with --out",
        )


def write_netcdf(data: Any, path: Path) -> None:
    """Write a dataset or tree as NetCDF, through h5netcdf, losslessly compressed."""
    from xarray import Dataset

    def packed(tree: Dataset) -> dict[str, dict[str, object]]:
        return {
            str(n): {"zlib": True, "complevel": 1, "shuffle": True}
            for n, v in tree.data_vars.items()
            if v.dtype.kind in "fib" and v.ndim
        }

    if isinstance(data, Dataset):
        data.to_netcdf(path, engine="h5netcdf", encoding=packed(data))
        return
    encoding = {f"/{name}": packed(node.to_dataset()) for name, node in data.children.items()}
    data.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def load_fit(path: str | Path) -> DataTree:
    """Read the fit of a run folder, or any NetCDF file of a fitted ``DataTree``.

    Raises
    ------
    StudyError
        If there is none.
    """
    import xarray as xr

    file = Path(path) / "fit.nc" if Path(path).is_dir() else Path(path)
    _must_exist(file, "bayes fit or bayes run")
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        return tree.load()


def load_futures(folder: str | Path) -> Dataset:
    """Read the projection of a run folder."""
    import xarray as xr

    file = Path(folder) / "futures.nc"
    _must_exist(file, "bayes project")
    with xr.open_dataset(file, engine="h5netcdf") as data:
        return data.load()


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Read the manifest of a run folder."""
    path = Path(folder) / "manifest.json"
    _must_exist(path, "bayes run")
    try:
        found = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise StudyError("this manifest is not valid JSON", file=path, found=str(error), fix="run again") from None
    if not isinstance(found, dict):
        raise StudyError("this manifest is not a JSON object", file=path, fix="run again")
    return found


def _must_exist(path: Path, command: str) -> None:
    if not path.is_file():
        raise StudyError("this run has no such file", file=path, fix=f"make it with '{command}'")


def _write_tables(folder: Path, fit: DataTree, study: Study, verdict: Verdict, table: pd.DataFrame | None) -> None:
    from bayes.tables import evidence_table, parameter_table

    (folder / "tables").mkdir()
    named = {"checks": verdict.table()}
    if table is not None:
        named["headline"] = table
    if table is not None or verdict.passed:
        named |= {
            "parameters": parameter_table(fit, verdict.word),
            "evidence": evidence_table(fit, study, verdict.word),
        }
    for name, frame in named.items():
        write_text(folder / "tables" / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))


def _write_manifest(folder: Path, fit: DataTree, study: Study, options: Options, timings: Mapping[str, float]) -> None:
    inputs = json.loads(fit.attrs["inputs"])
    manifest = {
        "bayes": __version__,
        "verdict": fit.attrs["verdict"],
        "failures": json.loads(fit.attrs["failures"]),
        "seed": options.seed,
        "options": asdict(options),
        "structure": inputs.get("structure", {}),
        "inputs": dict(study.hashes),
        "fit_hash": inputs.get("study", ""),
        "study_hash": study.content_hash,
        "versions": json.loads(fit.attrs["versions"]),
        "reproducible": fit.attrs["reproducible"],
        "timings": dict(timings),
        "files": sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()),
    }
    write_text(folder / "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
