"""The other samplers: PyMC's own, and nutpie."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import count
from threading import current_thread, main_thread
from typing import Any

import numpy as np
import pymc as pm
from pymc.sampling.mcmc import assign_step_methods

from bayes.errors import UsageError
from bayes.sampling.nuts import DRAWS, Chains, Length
from bayes.sampling.partition import pruned
from bayes.workers import Advance

__all__ = ["run_other"]

_NAMES = {"lp": "lp", "logp": "lp", "energy": "energy", "diverging": "diverging", "n_steps": "n_steps",
          "step_size": "step_size", "tree_depth": "tree_depth", "depth": "tree_depth"}  # fmt: skip


def run_other(
    model: pm.Model, names: Collection[str], length: Length, seed: int, sampler: str, advance: Advance
) -> Chains:
    """Return draws (chain, draw, …) of the named free variables, on their own scale."""
    core = pruned(model, names).model
    with _all_or_nothing():
        tree = _nutpie(core, length, seed) if sampler == "nutpie" else _pymc(core, length, seed, advance)
    posterior, found = tree["posterior"], tree["sample_stats"]
    stats = {new: np.asarray(found[old]) for old, new in _NAMES.items() if old in found.data_vars}
    values = {name: np.asarray(posterior[name].transpose("chain", "draw", ...)) for name in names}
    return Chains(values, {name: value for name, value in stats.items() if value.ndim == 2})


class _Stopped(BaseException):
    """An interrupt that neither PyMC nor nutpie knows."""


@contextmanager
def _all_or_nothing() -> Iterator[None]:
    """Let an interrupt end the sampling: PyMC and nutpie keep the draws made so far as if they were all."""

    def stop(number: int, frame: object) -> None:
        raise _Stopped

    ours = current_thread() is main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, stop)
    try:
        yield
    except _Stopped:
        raise KeyboardInterrupt from None
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _pymc(core: pm.Model, length: Length, seed: int, advance: Advance) -> Any:
    whole, made = length.chains * (length.tune + length.draws), count(1)
    by_gradient = any(issubclass(step, pm.NUTS) for step in assign_step_methods(core)[1])
    return pm.sample(
        length.draws, tune=length.tune, chains=length.chains, random_seed=seed, model=core,
        progressbar=False, quiet=True, compute_convergence_checks=False, cores=1,
        callback=lambda **_: advance(next(made), whole, DRAWS),
        **({"nuts_sampler": "pymc", "target_accept": length.target} if by_gradient else {}),
    )  # fmt: skip


def _nutpie(core: pm.Model, length: Length, seed: int) -> Any:
    try:
        import nutpie
    except ModuleNotFoundError:
        raise UsageError(
            "nutpie is not installed", key="sampler", found="nutpie",
            fix="install the extra 'nutpie', or use another sampler",
        ) from None  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = nutpie.compile_pymc_model(core)
        return nutpie.sample(
            compiled, draws=length.draws, tune=length.tune, chains=length.chains, cores=min(length.chains, 2),
            seed=seed,
            target_accept=length.target, progress_bar=False,
        )  # fmt: skip
