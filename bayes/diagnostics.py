"""The verdict on a fit: one record for each check, and a word that travels with every number.

Checks are made of every free variable *and* of every reported quantity. A check that cannot run has failed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayes.errors import CheckFailed

if TYPE_CHECKING:
    import pandas as pd
    from xarray import Dataset, DataTree

__all__ = ["LIMITS", "Check", "Verdict", "check", "convergence", "with_verdict"]

LIMITS: Mapping[str, float] = {"rhat": 1.01, "ess": 400.0, "divergences": 0.0, "bfmi": 0.3, "mcse": 0.1}
"""R-hat below, bulk and tail ESS above, divergences at most, E-BFMI above, MCSE of the median at most this part of the sd."""


@dataclass(frozen=True, slots=True)
class Check:
    """One diagnostic: its worst value, what is required, and a sentence."""

    name: str
    passed: bool
    value: float
    threshold: float
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks of a fit.

    Examples
    --------
    >>> Verdict((Check("R-hat", True, 1.002, 1.01, "worst: mu"),)).word
    'passed'
    """

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(c.passed for c in self.checks)

    @property
    def word(self) -> str:
        """``passed`` or ``failed``."""
        return "passed" if self.passed else "failed"

    @property
    def failures(self) -> tuple[Check, ...]:
        """Checks that did not pass."""
        return tuple(c for c in self.checks if not c.passed)

    def require(self) -> Verdict:
        """Return the verdict, or raise if a check failed.

        Raises
        ------
        CheckFailed
            Naming each failed check.
        """
        if not self.passed:
            lines = [f"  {c.name}: {c.text}" for c in self.failures]
            raise CheckFailed("the diagnostics of this fit failed:\n" + "\n".join(lines))
        return self

    def table(self) -> pd.DataFrame:
        """One row for each check."""
        import pandas as pd

        return pd.DataFrame([{"check": c.name, "passed": c.passed, "value": c.value, "threshold": c.threshold,
                              "text": c.text} for c in self.checks])

    def __str__(self) -> str:
        return "\n".join([f"verdict: {self.word}", *(f"  {'ok' if c.passed else 'FAILED':6} {c.name}: {c.text}" for c in self.checks)])


def check(fit: DataTree, futures: Dataset | None = None) -> Verdict:
    """Check a fit, and a projection of it, against :data:`LIMITS`.

    R-hat is the rank-normalised split statistic, ESS bulk and tail, both after Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021);
    E-BFMI after Betancourt (2016). The MCSE of each median is compared with the standard deviation implied by its quartiles.

    Parameters
    ----------
    fit
        Any fitted ``DataTree`` with a posterior.
    futures
        What :func:`bayes.project` returned, to check every reported quantity too.

    Examples
    --------
    >>> import pymc as pm, bayes
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 1)
    ...     _ = pm.Normal("y", mu, 1, observed=[0.3, 0.9])
    >>> check(bayes.sample(model, rng=1)).word
    'passed'
    """
    checks = _sampler_checks(fit) + _series_checks("parameters", fit["posterior"].to_dataset())
    if futures is not None:
        checks += _series_checks("reported quantities", futures)
    return Verdict(tuple(checks))


def with_verdict(fit: DataTree, verdict: Verdict) -> DataTree:
    """Return the fit with the verdict and its failures stamped on."""
    stamped = fit.copy(deep=False)
    stamped.attrs.update(verdict=verdict.word, failures=json.dumps([f"{c.name}: {c.text}" for c in verdict.failures]))
    return stamped


def convergence(data: Dataset) -> dict[str, dict[str, np.ndarray]]:
    """Return R-hat, ESS bulk and tail, and relative MCSE of every variable, arrays over its other dims.

    Constants and quantities that are infinite or undefined in some draws are NaN: they have no such statistic.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, array in data.data_vars.items():
        if not {"chain", "draw"} <= set(array.dims):
            continue
        values = np.asarray(array.transpose("chain", "draw", ...).values, dtype=float)
        usable = np.isfinite(values).all(axis=(0, 1))
        usable &= np.ptp(np.where(np.isfinite(values), values, 0.0), axis=(0, 1)) > 0
        binary = (np.isin(values, (0.0, 1.0))).all(axis=(0, 1))
        usable &= ~binary
        found[str(name)] = {key: _masked(function, values, usable) for key, function in _statistics().items()}
    return found


def _statistics() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    from arviz_stats.base import array_stats

    at = {"chain_axis": 0, "draw_axis": 1}

    def relative(values: np.ndarray) -> np.ndarray:
        low, high = np.quantile(values, [0.25, 0.75], axis=(0, 1))
        spread = np.where(high > low, (high - low) / 1.349, values.std(axis=(0, 1)))
        return np.asarray(array_stats.mcse(values, method="quantile", prob=0.5, **at) / spread)

    return {
        "rhat": lambda v: np.asarray(array_stats.rhat(v, method="rank", **at)),
        "ess_bulk": lambda v: np.asarray(array_stats.ess(v, method="bulk", **at)),
        "ess_tail": lambda v: np.asarray(array_stats.ess(v, method="tail", prob=0.9, **at)),
        "mcse": relative,
    }


def _masked(function: Callable[[np.ndarray], np.ndarray], values: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Apply a statistic of (chain, draw, …) where it is defined, NaN elsewhere."""
    out = np.full(values.shape[2:], math.nan)
    if not usable.any():
        return out
    flat = values.reshape(*values.shape[:2], -1)[:, :, usable.ravel()]
    out.reshape(-1)[usable.ravel()] = np.asarray(function(flat)).ravel()
    return out


def _series_checks(what: str, data: Dataset) -> list[Check]:
    """Worst R-hat, ESS and MCSE over all series of a dataset."""
    found = convergence(data)
    return [
        _worst(f"R-hat of {what}", found, "rhat", LIMITS["rhat"], high_is_bad=True),
        _worst(f"bulk ESS of {what}", found, "ess_bulk", LIMITS["ess"], high_is_bad=False),
        _worst(f"tail ESS of {what}", found, "ess_tail", LIMITS["ess"], high_is_bad=False),
        _worst(f"MCSE of {what}", found, "mcse", LIMITS["mcse"], high_is_bad=True),
    ]


def _worst(name: str, found: Mapping[str, Mapping[str, np.ndarray]], key: str, limit: float, high_is_bad: bool) -> Check:
    pick, sign = (np.nanmax, "<") if high_is_bad else (np.nanmin, ">")
    values = {k: float(pick(v[key])) for k, v in found.items() if v[key].size and not np.isnan(v[key]).all()}
    if not values:
        return Check(name, False, math.nan, limit, "could not be computed: no series of draws varies")
    worst = (max if high_is_bad else min)(values, key=lambda k: values[k])
    value = values[worst]
    passed = value < limit if high_is_bad else value > limit
    digits = ".4f" if key == "rhat" else ".3f" if key == "mcse" else ",.0f"
    return Check(name, passed, value, limit, f"worst {value:{digits}} ({worst}), required {sign} {limit:g}")


def _sampler_checks(fit: DataTree) -> list[Check]:
    """Divergences and E-BFMI, unless nothing was sampled by a Markov chain."""
    from arviz_stats.base import array_stats

    if json.loads(fit.attrs.get("mcmc_variables", "null")) == []:
        return []
    stats = fit["sample_stats"].to_dataset() if "sample_stats" in fit.children else None
    if stats is None or "diverging" not in stats:
        missing = "could not be computed: the fit has no sampler statistics"
        return [Check("divergences", False, math.nan, LIMITS["divergences"], missing)]
    count = int(stats["diverging"].sum())
    out = [Check("divergences", count <= LIMITS["divergences"], count, LIMITS["divergences"],
                 f"{count} of {stats['diverging'].size:,} draws, required 0")]
    if "energy" not in stats:
        return [*out, Check("E-BFMI", False, math.nan, LIMITS["bfmi"], "could not be computed: no energies were kept")]
    low = float(np.min(array_stats.bfmi(np.asarray(stats["energy"].transpose("chain", "draw")))))
    return [*out, Check("E-BFMI", low > LIMITS["bfmi"], low, LIMITS["bfmi"],
                        f"lowest chain {low:.2f}, required > {LIMITS['bfmi']:g}")]
