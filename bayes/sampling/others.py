"""The other samplers: PyMC's own, and nutpie."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pymc as pm

from bayes.errors import UsageError
from bayes.sampling.nuts import Chains, Length
from bayes.sampling.prepare import core_of

__all__ = ["run_other"]

_NAMES = {"lp": "lp", "logp": "lp", "energy": "energy", "diverging": "diverging", "n_steps": "n_steps",
          "step_size": "step_size", "tree_depth": "tree_depth", "depth": "tree_depth"}  # fmt: skip


def run_other(model: pm.Model, length: Length, seed: int, sampler: str) -> Chains:
    """Return draws (chain, draw, …) of the free variables that observations bear on, on their own scale."""
    core = core_of(model)
    tree = (_nutpie if sampler == "nutpie" else _pymc)(core, length, seed)
    posterior, found = tree["posterior"], tree["sample_stats"]
    stats = {new: np.asarray(found[old]) for old, new in _NAMES.items() if old in found.data_vars}
    values = {v.name: np.asarray(posterior[v.name].transpose("chain", "draw", ...)) for v in core.free_RVs}
    return Chains(values, stats)


def _pymc(core: pm.Model, length: Length, seed: int) -> Any:
    return pm.sample(
        length.draws, tune=length.tune, chains=length.chains, random_seed=seed, target_accept=length.target, model=core,
        nuts_sampler="pymc", progressbar=False, compute_convergence_checks=False, cores=1,
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
