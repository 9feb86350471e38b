"""Simulated data sets, each fitted and judged by itself: the one loop behind calibration and stress.

Replicates are work for several processes or for a Dask cluster, a few at a time. What is finished is kept on disk under
the content hash of what decides it, so that work that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import batched
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes import cache
from bayes.arguments import check_fields
from bayes.blocks import crew
from bayes.errors import MachineError, NoStart, check_whole
from bayes.provenance import canonical, digest
from bayes.workers import can_split

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

    from bayes.sampling.nuts import Length

__all__ = ["Effort", "Replicates", "replicated"]

type Result = dict[str, Any]
"""``rows`` of a replicate, or why it ``failed``."""

AT_ONCE = 10
"""Replicates that are one task: as many as an interruption loses at most, for each process."""
_ENTRIES = "replicates"


@dataclass(frozen=True, slots=True)
class Effort:
    """How simulated data sets are fitted.

    Parameters
    ----------
    draws, tune
        Draws kept and warm-up draws of each of two chains.
    jobs
        Processes, each of which uses one processor; without a number this process, with as many as there are. The
        numbers are the same.
    scheduler
        Address of a Dask scheduler whose workers fit, in place of processes.
    advance
        Called with how many data sets are done, and of how many.
    """

    draws: int = 500
    tune: int = 500
    jobs: int | None = None
    scheduler: str = ""
    advance: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        for name, least in (("draws", 4), ("tune", 1), ("jobs", 1)):
            if getattr(self, name) is not None:
                check_whole(getattr(self, name), least, name)

    @property
    def length(self) -> Length:
        """How long the chains are."""
        from bayes.sampling.fit import TARGET
        from bayes.sampling.nuts import Length

        return Length(self.tune, self.draws, 2, TARGET, 1 if self.jobs or self.scheduler else None)


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Data sets to be fitted by one model.

    Parameters
    ----------
    model, slots
        The model, and by observed variable its data, which are set.
    data, truths
        Arrays (replicate, …) by name: what is observed, and what a judge compares a fit with.
    seeds
        Of the chains (replicate,).
    judge
        ``(model, fit, truth, rng, kept) -> rows`` as plain data; ``kept`` is its memory from one replicate to the next.
    key
        Content hash of model and judge; None keeps nothing on disk.
    kept
        What was compiled.
    """

    model: pm.Model
    slots: Mapping[str, Any]
    data: Mapping[str, np.ndarray]
    truths: Mapping[str, np.ndarray]
    seeds: np.ndarray
    judge: Callable[..., Iterable[Result]]
    key: str | None = None
    kept: dict[Any, Any] = field(default_factory=dict)

    def name(self, numbers: Sequence[int]) -> str:
        """Return the content hash of what decides some replicates."""
        at = list(numbers)
        arrays = {"seeds": self.seeds, **{f"data {k}": v for k, v in self.data.items()}, **self.truths}
        return digest(canonical({k: digest(np.ascontiguousarray(v[at]).tobytes()) for k, v in arrays.items()}))


def replicated(work: Replicates, effort: Effort) -> list[Result]:
    """Fit and judge every data set; results in order. What is the same is done once.

    Raises
    ------
    MachineError
        If a process has ended.
    UsageError
        If no scheduler answers.
    """
    length = effort.length
    own = [work.key, length.tune, length.draws, length.chains, length.target]
    parts = {numbers: work.name(numbers) for numbers in batched(range(len(work.seeds)), AT_ONCE)}
    entries = {name: cache.key_of(_ENTRIES, *own, name, compiled=True) for name in parts.values()}
    found = {name: json.loads(kept) for name, entry in entries.items()
             if work.key and (kept := cache.kept(_ENTRIES, entry)) is not None}  # fmt: skip
    lacking: dict[str, tuple[int, ...]] = {}
    for numbers, name in parts.items():
        if name not in found:
            lacking.setdefault(name, numbers)

    def tell() -> None:
        if effort.advance is not None:
            effort.advance(sum(len(numbers) for numbers, name in parts.items() if name in found), len(work.seeds))

    with _worked(work, lacking, effort) as finished:
        tell()
        for name, results in finished:
            found[name] = results
            if work.key:
                cache.keep(_ENTRIES, entries[name], json.dumps(results).encode())
            tell()
    return [result for name in parts.values() for result in found[name]]


type Finished = Iterator[tuple[str, list[Result]]]


@contextmanager
def _worked(work: Replicates, parts: Mapping[str, Sequence[int]], effort: Effort) -> Iterator[Finished]:
    """Give the results of parts as they are finished, by their names."""
    if not parts or not (effort.jobs or effort.scheduler) or (effort.jobs == 1 and not effort.scheduler):
        yield ((name, _fitted(work, numbers, effort.length)) for name, numbers in parts.items())
        return
    copies, token = can_split() and not effort.scheduler, digest(canonical(list(parts)))
    try:
        with crew(effort.scheduler, jobs=min(effort.jobs or 1, len(parts)), copies=copies) as workers:
            shared = _hold(token, work) if copies else workers.share(_packed(work))
            jobs = {workers.executor.submit(_part, token, shared, numbers, effort.length): name
                    for name, numbers in parts.items()}  # fmt: skip
            yield ((jobs[job], job.result()) for job in as_completed(jobs))
    except BrokenProcessPool:
        raise MachineError(
            "a process that was started to fit simulated data has ended. Memory may have run out: close other "
            "programs, or use fewer processes (--jobs 1). What is finished is kept: run again to go on"
        ) from None
    finally:
        _HELD.clear()


_HELD: dict[str, Replicates] = {}
"""What a process works on: there already where it is a copy of the first, unpacked once in any other."""
_ONE = Lock()
"""Data are set in one model: a worker with several threads fits one data set at a time."""


def _hold(token: str, work: Replicates) -> bytes:
    _HELD[token] = work
    return b""


def _packed(work: Replicates) -> bytes:
    import cloudpickle  # type: ignore[import-untyped]

    packed: bytes = cloudpickle.dumps(work)
    return packed


def _part(token: str, shared: bytes, numbers: Sequence[int], length: Length) -> list[Result]:
    """Fit and judge some replicates in a process that was started for it."""
    with _ONE:
        if token not in _HELD:
            import cloudpickle

            _HELD.clear()
            _HELD[token] = cloudpickle.loads(shared)
        return _fitted(_HELD[token], numbers, length)


def _fitted(work: Replicates, numbers: Sequence[int], length: Length) -> list[Result]:
    return [_one(work, number, length) for number in numbers]


def _one(work: Replicates, number: int, length: Length) -> Result:
    """Set the data of a replicate, sample, and judge."""
    for name, slot in work.slots.items():
        slot.set_value(work.data[name][number].astype(slot.dtype))
    stream = np.random.default_rng(int(work.seeds[number]))
    fit = _sampled(work.model, length, int(stream.integers(2**31)), work.kept)
    if isinstance(fit, str):
        return {"failed": fit}
    truth = {name: values[number] for name, values in work.truths.items()}
    rows = work.judge(work.model, fit, truth, stream, work.kept)
    return {"rows": list(rows), "divergences": int(fit["sample_stats"]["diverging"].sum())}


def _sampled(model: pm.Model, length: Length, seed: int, kept: dict[Any, Any]) -> DataTree | str:
    """Return a fit, or a sentence that says why the chains are of no use."""
    from bayes.sampling.fit import plan_of_model, sample_plan

    try:
        fit = sample_plan(plan_of_model(model), length, seed, kept=kept)
    except NoStart as error:
        return error.problem
    for name in json.loads(fit.attrs["mcmc_variables"]):
        values = np.asarray(fit["posterior"][name])
        if values.size and (np.ptp(values, axis=1) == 0).all(axis=tuple(range(1, values.ndim - 1))).any():
            return f"a chain did not move: {name}"
    return fit
