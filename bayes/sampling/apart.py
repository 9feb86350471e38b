"""Sampling in a process of its own.

It gets ready while the study is read, and this process imports what comes next while it samples. Its memory, most of
it compiled code, is free again once the draws are there, and if compiled code crashes it ends that process alone.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bayes.errors import BayesError

if TYPE_CHECKING:
    from bayes.sampling.fit import Drawn, Plan, Worker
    from bayes.sampling.nuts import Length

__all__ = ["serve", "worker"]


@contextmanager
def worker(meanwhile: Sequence[str] = ()) -> Iterator[Worker]:
    """Start a process that samples one model, and end it, whether or not it was used.

    Gives a stand-in for :func:`bayes.sampling.fit.draws_of`, to be called once. What that raises is raised here.

    Parameters
    ----------
    meanwhile
        Names of modules that this process will need once the draws are there, imported while it waits for them.

    Raises
    ------
    BayesError
        If the process ends without an answer.
    """
    program = f"import sys; sys.path[:] = {sys.path!r}; from bayes.sampling.apart import serve; serve()"
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process, process.stdin as questions, process.stdout as answers:

        def drawn(plan: Plan, length: Length, seed: int, sampler: str) -> Drawn:
            model = partial(_unpickled, pickle.dumps(plan.model))  # which is needed only if nothing is on disk
            try:
                pickle.dump((replace(plan, model=model), length, seed, sampler), questions)
                questions.flush()
                _prepare(meanwhile)
                answer = pickle.load(answers)
            except (EOFError, BrokenPipeError, pickle.UnpicklingError):
                process.kill()
                raise BayesError(
                    f"the process that samples has ended without an answer (exit code {process.wait()}). Memory may "
                    "have run out: close other programs, or ask for fewer --chains, and run again"
                ) from None
            process.kill()  # it has nothing left to do
            if isinstance(answer, BaseException):
                raise answer
            found: Drawn = answer
            return found

        try:
            yield drawn
        finally:
            process.kill()


def serve() -> None:
    """Get ready, read what is to be sampled, and write the draws, or what was raised, to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    gc.disable()  # it does not live long
    import jax  # noqa: F401

    from bayes.sampling.fit import draws_of

    try:
        answer: Any = draws_of(*pickle.load(sys.stdin.buffer))
    except EOFError:  # nothing to sample
        return
    except BaseException as error:  # it is raised where the question was asked
        answer = error
    with answers:
        pickle.dump(answer, answers)


def _prepare(modules: Sequence[str]) -> None:
    """Import what comes next, without looking for garbage among what stays; xarray's rest comes with a first tree."""
    import numpy as np

    from bayes.sampling.tree import tree_of

    gc.disable()
    for name in modules:
        import_module(name)
    tree_of({"posterior": {"x": np.zeros((1, 1))}}, {}, {})
    gc.freeze()
    gc.enable()


def _unpickled(model: bytes) -> Any:
    return pickle.loads(model)()
