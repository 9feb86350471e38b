"""Sampling in a process of its own.

It gets ready while the study is read, and this process imports what comes next while it samples. Its memory, most of
it compiled code, is free again once the draws are there, and if compiled code crashes it ends that process alone.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bayes.workers import Advance, Threads, cores, import_all, memory, process, silent

if TYPE_CHECKING:
    from bayes.sampling.fit import Drawn, Plan, Worker
    from bayes.sampling.nuts import Length

__all__ = ["worker"]

READY = ("jax", "bayes.sampling.fit")
ONE_HEAP = {"MALLOC_ARENA_MAX": "1"}
"""With glibc, what compiling one program frees serves the next: 120 MB less, and compiling takes a tenth longer."""

ROOM = 4 * 10**9
"""Bytes of memory from which a model is proved in one process while it is compiled in another: both take 1.2 GB."""


@contextmanager
def worker(meanwhile: Sequence[str] = ()) -> Iterator[Worker]:
    """Start a process that samples one model, and end it, whether or not it was used.

    Gives a stand-in for :func:`bayes.sampling.fit.draws_of`, to be called once. What that raises is raised here.

    Parameters
    ----------
    meanwhile
        Names of modules that this process will need once the draws are there, imported while it waits for them.
    """
    with process(*READY, variables=ONE_HEAP) as one:

        def drawn(plan: Plan, length: Length, seed: int, sampler: str, advance: Advance = silent) -> Drawn:
            # pickled apart, as it is needed only where nothing is on disk
            plan = replace(plan, model=partial(_unpickled, pickle.dumps(plan.model)))
            one.ask(_drawn, plan, length, seed, sampler, telling=True)
            _get_ready(meanwhile)
            found: Drawn = one.answer(advance)
            return found

        yield drawn


def _drawn(plan: Plan, length: Length, seed: int, sampler: str, advance: Advance) -> Drawn:
    """Sample; where the model has to be built first and the machine has room, another process proves how it is computed
    while this one compiles.
    """
    from bayes.sampling.fit import compile_ahead, draws_of, is_prepared, prove

    held: dict[Any, Any] = {}
    if cores() > 1 and (memory() or ROOM) >= ROOM and not is_prepared(plan, length):
        with process(*READY) as other, Threads(1) as pool:
            other.ask(prove, plan)
            pool.submit(compile_ahead, plan, length, held, pool.go_on)  # what it cannot, that process says better
            other.answer()
    return draws_of(plan, length, seed, sampler, held, advance)


def _get_ready(modules: Sequence[str]) -> None:
    """Import what comes next, and make a small tree, since xarray loads parts of itself only then."""
    import numpy as np

    from bayes.sampling.tree import tree_of

    import_all(modules)
    tree_of({"posterior": {"x": np.zeros((1, 1))}}, {}, {})


def _unpickled(model: bytes) -> Any:
    return pickle.loads(model)()
