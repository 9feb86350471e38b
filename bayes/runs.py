"""Run folders: the whole chain from a study to its files, and reading them back.

A run folder is written whole or not at all: work happens in a scratch folder beside it, which takes its place only
when everything is done. ``manifest.json`` says what was computed from what, and with which verdict.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes import __version__
from bayes.filed import filed
from bayes.files import replace_folder, write_text
from bayes.inputs import INPUTS, asked_of, inputs_hash, posed, write_inputs
from bayes.netcdf import write_netcdf
from bayes.overrides import Overrides
from bayes.plans import Asked, asked, plain
from bayes.provenance import file_digest
from bayes.question import Question, applied
from bayes.runfiles import MADE, note_made, read_futures, read_manifest, write_tables
from bayes.streaming import LIMIT, checks_of, headline_of, project_into, require_scale, stamp
from bayes.summaries import PROB
from bayes.workers import Advance, Process, process, silent

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset, DataTree

    from bayes.diagnostics import Check, Facts, Verdict
    from bayes.sampling.fit import Plan, Worker

__all__ = ["Options", "Run", "execute", "load_fit", "load_futures", "project_run", "read_manifest", "verdict_on",
           "write_fit"]  # fmt: skip

Stage = Callable[[str], AbstractContextManager[Advance | None]]


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is computed.

    Parameters
    ----------
    draws, tune, chains, seed, sampler
        As in :func:`bayes.sample`.
    require
        Withhold every number when the diagnostics fail.
    refit
        Sample again even if the same fit is on disk.
    scheduler
        Address of a Dask scheduler whose workers project, check and summarise; the projection is then streamed to disk.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    seed: int = 20070222
    sampler: str = "numpyro"
    require: bool = False
    refit: bool = False
    scheduler: str = ""

    def carried(self) -> dict[str, Any]:
        """What a run says of how it was computed, and what computes it again."""
        return {key: getattr(self, key) for key in ("draws", "tune", "chains", "seed", "sampler")}


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a run produced."""

    folder: Path
    fit: DataTree
    futures: Dataset
    verdict: Verdict
    headline: pd.DataFrame
    parameters: pd.DataFrame
    timings: Mapping[str, float]
    drivers: Mapping[str, Any] | None = None
    """What moves the answer most (:func:`drivers_of`), where it was computed beside the checks."""


@dataclass(slots=True)
class _Clock:
    """Seconds by stage, in order."""

    stage: Stage
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[Advance | None]:
        start = time.perf_counter()
        with self.stage(name) as advance:
            yield advance
        self.seconds[name] = round(time.perf_counter() - start, 3)


def execute(
    case: Asked,
    folder: Path,
    options: Options | None = None,
    stage: Stage = lambda name: nullcontext(),
    elsewhere: Worker | None = None,
) -> Run:
    """Run the whole chain and write its folder.

    Parameters
    ----------
    case
        The question, put to its study.
    folder
        Where to write; an older run there is replaced, anything else is refused.
    options
        Draws, seed, sampler.
    stage
        Called with the name of each stage; returns a context manager (for progress).
    elsewhere
        Samples in another process (see :mod:`bayes.sampling.process`); this one without.

    Raises
    ------
    UsageError
        If the folder cannot be written or holds something that is not a run.
    """
    chosen = options or Options()
    clock = _Clock(stage)
    ready = _another(case, chosen, chosen.scheduler)
    with replace_folder(folder) as scratch, ThreadPoolExecutor(2) as pool, ready as another:
        used = write_inputs(case, scratch / INPUTS, chosen.carried())
        made = _fitted(used, chosen, clock, elsewhere, pool)
        run = _projected(made.fit, used, scratch, clock, chosen.scheduler, pool, another)
        withheld = chosen.require and not run.verdict.passed
        with clock("writing"):
            made.write(run.fit, scratch / "fit.nc")
            _write_files(scratch, run, used, withheld)
            shown = _write_filed(scratch, used, withheld)
        _write_manifest(scratch, run.fit, used, chosen, clock.seconds, shown)
    return _settled(run, folder)


def _another(case: Asked, options: Options, scheduler: str) -> AbstractContextManager[Process | None]:
    """A process that gets ready to summarise while this one looks for the fit; none for what is kept on disk.

    Checks and tables hold Python's lock nearly all the time, so that threads would wait for each other. A few draws are
    summarised before a process is ready.
    """
    draws = options.draws * options.chains
    size = 8 * draws * case.cells()
    require_scale(size, scheduler)
    here = scheduler or size > LIMIT or draws < _FEW
    return nullcontext() if here else process("bayes.tables", "bayes.arraystats")


_FEW = 1000
"""Draws below which a process takes longer to get ready than to summarise."""


def _projected(
    fit: DataTree, case: Asked, scratch: Path, clock: _Clock, scheduler: str, pool: ThreadPoolExecutor,
    another: Process | None,
) -> Run:  # fmt: skip
    """Project a fit, check it, and summarise both, in another process where there is one."""
    with clock("projecting") as advance:
        futures = project_into(scratch, case.projection(fit), scheduler, advance)
    posterior, units = fit["posterior"].to_dataset(), case.words.units
    summary = None
    if another and not futures.chunks and fit.nbytes < LIMIT:
        summary = pool.submit(another.call, _summary, fit.filter(_summarised), futures, units)
    with clock("checking") as advance:
        reported = [*checks_of(futures, scheduler, advance), *_exact_checks(fit, case)]
        drivers = drivers_of(_inputs(posterior, case), futures) if summary else None
    with clock("summarising") as advance:
        from bayes.diagnostics import Verdict, check, with_verdict

        facts, headline, parameters = summary.result() if summary else _summary(fit, futures, units, scheduler, advance)
        verdict = Verdict((*check(fit, facts=facts).checks, *reported))
        stamp(futures, verdict.word)
    headline, parameters = (table.assign(verdict=verdict.word) for table in (headline, parameters))
    return Run(scratch, with_verdict(fit, verdict), futures, verdict, headline, parameters, clock.seconds, drivers)


def _summarised(group: DataTree) -> bool:
    return group.name in ("posterior", "prior")


def _summary(
    fit: DataTree, futures: Dataset, units: Mapping[str, str], scheduler: str = "", advance: Advance | None = None
) -> tuple[Facts, pd.DataFrame, pd.DataFrame]:
    """What is checked of parameters, the headline of a projection, and the table of parameters."""
    from bayes.diagnostics import convergence
    from bayes.tables import parameter_table

    facts = convergence(fit["posterior"].to_dataset())
    return facts, headline_of(futures, "", scheduler, advance), parameter_table(fit, "", facts, units)


def _inputs(posterior: Dataset, case: Asked) -> Dataset:
    """The variables of a posterior that the answer starts from."""
    return posterior[[name for name in case.words.inputs or case.inputs() if name in posterior.data_vars]]


ENOUGH = 400
"""Draws needed before anything is said about what moves the answer."""


def drivers_of(posterior: Dataset, futures: Dataset) -> dict[str, Any]:
    """Return what moves the answer most, for the headline scenario at the last year of the horizon.

    The numbers are those that ``bayes sensitivity`` writes into ``variance.csv`` and the report quotes.
    """
    import numpy as np
    import pandas as pd

    from bayes.sensitivity._variance import quoted, variance_indices
    from bayes.words import headline, words_of

    words, name = words_of(futures), headline(futures)
    names = [name for name in words.inputs or map(str, posterior.data_vars) if name in posterior.data_vars]
    scalars = [name for name in names if set(posterior[name].dims) == {"chain", "draw"}]
    inputs = {name: values for name in scalars if np.ptp(values := np.ravel(posterior[name]))}
    target = futures[words.target].sel(scenario=name).isel(year=-1)
    vectors = [words.label(name) for name in names if name not in scalars]
    if target.size < ENOUGH or not (inputs or vectors) or float(target.max()) == float(target.min()):
        return {}
    labels = dict(zip(futures["scenario"].values.tolist(), futures["label"].values.tolist(), strict=True))
    said = {"scenario": name, "label": labels[name], "year": int(futures["year"][-1]), "inputs": [], "vectors": vectors}
    if not inputs:
        return said
    table = quoted(variance_indices(pd.DataFrame(inputs), np.ravel(target), scale="auto", prob=PROB))
    columns = ["input", "share", "lower", "upper", "prob", "kind", "scale", "flag"]
    told = {key: words.inputs.get(key) or words.label(key) for key in inputs}
    found = table.rename(columns={"estimate": "share"})[columns].replace({"input": told})
    measure = f"Shapley share of the variance of the {table['scale'].iloc[0]}"
    return {**said, "measure": measure, "inputs": found.to_dict(orient="records")}


def _settled(run: Run, folder: Path) -> Run:
    """The run in the place its files were moved to; a streamed projection is read from there."""
    kept = (folder / "futures.zarr").is_dir()
    return replace(run, folder=folder, futures=read_futures(folder) if kept else run.futures)


def verdict_on(
    fit: DataTree, case: Asked, futures: Dataset | None = None, scheduler: str = "", advance: Advance | None = None
) -> Verdict:
    """Check a fit and its projection, and where the question has an exact answer compare it with that too."""
    from bayes.diagnostics import Verdict, check

    reported = [] if futures is None else checks_of(futures, scheduler, advance)
    return Verdict((*check(fit).checks, *reported, *_exact_checks(fit, case)))


def _exact_checks(fit: DataTree, case: Asked) -> Sequence[Check]:
    """What a question that has an exact answer says of a fit."""
    oracle = case.question.oracle
    return applied(oracle, "oracle", fit, case.study) if oracle is not None else ()


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A fit, its content hash, and the task that keeps it, if it was not on disk."""

    fit: DataTree
    key: str
    kept: Future[None] | None = None

    def write(self, checked: DataTree, path: Path) -> None:
        """Write the fit with its verdict: as a copy of the file that is kept, where it could be kept."""
        from bayes.fitcache import copy_fit

        if self.kept is not None:
            self.kept.result()
        if not copy_fit(checked, self.key, path):
            write_netcdf(checked, path)


def _fitted(case: Asked, options: Options, clock: _Clock, elsewhere: Worker | None, pool: ThreadPoolExecutor) -> _Made:
    """The fit of a question, found under its content hash or sampled and kept there."""
    from bayes.fitcache import fit_key, keep_fit, stored_fit

    plan = case.plan()
    key = fit_key(plan, asdict(options))
    if not options.refit:
        with clock("looking for an earlier fit"):
            found = stored_fit(key)
        if found is not None:
            return _Made(found, key)
    with clock("sampling") as advance:
        fit = _sampled(case, plan, options, elsewhere, advance or silent)
    return _Made(fit, key, pool.submit(keep_fit, fit, key))


def _sampled(case: Asked, plan: Plan, options: Options, elsewhere: Worker | None, advance: Advance) -> DataTree:
    """Sample a question; a model that is built already is sampled in this process."""
    from bayes.sampling import fit as sampling
    from bayes.sampling.nuts import Length

    length, built = Length(options.tune, options.draws, options.chains, sampling.TARGET), case.question.plan is None
    if built:
        sampling.check_model(case.sampled)
    elsewhere = None if built else elsewhere
    fit = sampling.sample_plan(plan, length, options.seed, options.sampler, elsewhere, advance=advance)
    return sampling.with_angles(fit, case.sampled) if built else fit


def write_fit(
    case: Asked, folder: Path, options: Options, stage: Stage, elsewhere: Worker | None = None
) -> tuple[DataTree, Verdict]:
    """Fit and check a question, and write its inputs, ``fit.nc``, the table of checks and the manifest."""
    clock = _Clock(stage)
    with replace_folder(folder) as scratch, ThreadPoolExecutor(1) as pool:
        used = write_inputs(case, scratch / INPUTS, options.carried())
        made = _fitted(used, options, clock, elsewhere, pool)
        with clock("checking"):
            from bayes.diagnostics import with_verdict

            verdict = verdict_on(made.fit, used)
            fit = with_verdict(made.fit, verdict)
        with clock("writing"):
            made.write(fit, scratch / "fit.nc")
            write_tables(scratch, {"checks": verdict.table()})
        _write_manifest(scratch, fit, used, options, clock.seconds)
    return fit, verdict


_OLDER = ("futures.*", "report*", "sensitivity", "stress.csv", "figures", INPUTS)
"""What a run folder holds that a new projection makes out of date."""


def project_run(
    question: Question, folder: Path, stage: Stage, study: Path | None = None, changes: Overrides | None = None,
    scheduler: str = "",
) -> Run:  # fmt: skip
    """Project the fit of a run again and write the projection into the run folder.

    Sensitivity tables, figures and reports of the older projection are removed: they would stand beside other numbers.

    Parameters
    ----------
    question
        The question of the run.
    study
        A study with other scenarios; that of the run without one.
    changes
        Of scenarios, settings or data.
    scheduler
        As in :class:`Options`.

    Raises
    ------
    StudyError
        If the fit was made from other priors or evidence than the study holds.
    """
    clock, manifest, before = _Clock(stage), read_manifest(folder), asked_of(folder, question)
    if study is not None:
        before = replace(posed(question, study), structure=before.structure)
    changes = changes or Overrides()
    case = asked(question, before.study, before.structure, replace(changes, priors={}))
    case = replace(case, changes=before.changes.and_then(changes))
    fit = load_fit(folder)
    case.refuse(fit)
    options = Options(**manifest["options"])
    ready = _another(case, options, scheduler)
    with replace_folder(folder) as scratch, ThreadPoolExecutor(1) as pool, ready as another:
        shutil.copytree(folder, scratch, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_OLDER))
        case = write_inputs(case, scratch / INPUTS, options.carried())
        run = _projected(fit, case, scratch, clock, scheduler, pool, another)
        with clock("writing"):
            write_netcdf(run.fit, scratch / "fit.nc")
            _write_files(scratch, run, case, withheld=False)
            shown = _write_filed(scratch, case, withheld=False)
        _write_manifest(scratch, run.fit, case, options, {**manifest["timings"], **clock.seconds}, shown)
    return _settled(run, folder)


def load_fit(path: str | Path | Sequence[str | Path]) -> DataTree:
    """Read the fit of a run folder, or draws made elsewhere, as :func:`bayes.draws.fit_from` does.

    Parameters
    ----------
    path
        A run folder; a NetCDF file, Zarr store or CSV file of draws; several CSV files, one a chain; or a folder of
        CmdStan's CSV files.

    Raises
    ------
    StudyError
        If there is none.
    """
    from bayes.draws import fit_from

    return fit_from(path)


load_futures = read_futures


def _write_files(folder: Path, run: Run, case: Asked, withheld: bool) -> None:
    """The files of a run; when its numbers are withheld, only the fit and the table of checks."""
    from bayes.facts import facts_of, facts_table
    from bayes.tables import evidence_table, scale_up

    tables = {"checks": run.verdict.table()}
    streamed = folder / "futures.zarr"
    if withheld and streamed.is_dir():
        shutil.rmtree(streamed)
    if not withheld:
        word = run.verdict.word
        if not streamed.is_dir():
            write_netcdf(run.futures, folder / "futures.nc")
            tables["scale_up"] = scale_up(run.futures, word)
        tables |= {"headline": run.headline, "parameters": run.parameters}
        if case.study is not None and case.study.evidence:
            tables["evidence"] = evidence_table(run.fit, case.study, word)
        if case.study is not None and facts_of(case.study):
            tables["facts"] = facts_table(run.fit, case.study, case.question.facts, word)
    write_tables(folder, tables)


def _write_filed(folder: Path, case: Asked, withheld: bool) -> list[Path]:
    """Write what is on file of this very model, where the run has no such table of its own, and return the files."""
    found = {} if withheld else filed(case)
    return write_tables(
        folder, {name: table for name, table in found.items() if not (folder / "tables" / f"{name}.csv").exists()}
    )


def _write_manifest(
    folder: Path, fit: DataTree, case: Asked, options: Options, timings: Mapping[str, float],
    shown: Sequence[Path] = (),
) -> None:  # fmt: skip
    """Write the manifest, and the note beside tables on file that this run shows."""
    inputs = json.loads(fit.attrs["inputs"])
    manifest = {
        "bayes": __version__,
        "question": case.question.called,
        "target": case.question.target,
        "verdict": fit.attrs["verdict"],
        "failures": json.loads(fit.attrs["failures"]),
        "seed": options.seed,
        "options": {**options.carried(), "require": options.require, "refit": options.refit},
        "overrides": case.changes.as_data(),
        "structure": plain(case.structure) or inputs.get("structure", {}),
        "inputs": {} if case.study is None else dict(case.study.hashes),
        "inputs_hash": inputs_hash(folder / INPUTS),
        "fit_hash": fit.attrs["inputs_hash"],
        "versions": json.loads(fit.attrs["versions"]),
        "reproducible": fit.attrs["reproducible"],
        "timings": dict(timings),
        "files": sorted({*_files(folder), *([f"tables/{MADE}"] if shown else [])}),
        "contents": {path.name: file_digest(path) for path in sorted(folder.glob("*.nc"))},
    }
    write_text(folder / "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    note_made(folder, shown)


def _files(folder: Path) -> list[str]:
    """Files of a run, a Zarr store counted as one."""
    stores = [p for p in folder.glob("*.zarr") if p.is_dir()]
    files = [p for p in folder.rglob("*") if p.is_file() and not any(store in p.parents for store in stores)]
    return sorted(p.relative_to(folder).as_posix() for p in (*files, *stores))
