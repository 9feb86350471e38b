"""The verdict on a fit: one record for each check, and a word that travels with every number.

Checks are made of every free variable *and* of every reported quantity. A check that cannot be computed has failed. One
whose record is not there (draws made elsewhere may come without sampler statistics) is not available: it has neither
passed nor failed, and the verdict rests on the others and names it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import checked
from bayes.draws import Fit, Futures, fit_from, futures_from
from bayes.errors import CheckFailed, UsageError
from bayes.provenance import fit_id
from bayes.summaries import LEAST_DEFINED, holds_draws, quantile_error, unrolled
from bayes.tails import nearly_constant

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataArray, Dataset, DataTree

__all__ = ["LARGE", "LIMIT", "LIMITS", "Check", "Facts", "Verdict", "check", "convergence", "limit_of", "ranked",
           "reported_checks", "series_facts", "series_of", "with_verdict"]  # fmt: skip

LIMITS: Mapping[str, float] = {"rhat": 1.01, "ess": 400.0, "divergences": 0.0, "bfmi": 0.3, "mcse": 0.1}
"""R-hat below, ESS above, divergences at most, E-BFMI above, MCSE of the median at most this part of the sd."""

NOT_AVAILABLE = "not available"

LARGE = 1000
"""Elements of a derived array beyond which only so many of them are judged, and none is listed by itself."""


LIMIT = 4.0
"""Monte Carlo standard errors between draws and exact beyond which the check fails: by chance, one number in 16,000."""

MANY = 100
"""Numbers compared up to which :data:`LIMIT` holds; of more, the whole set fails by chance as often as so many do."""


def limit_of(count: int) -> float:
    """Return the limit for the worst of so many numbers, in Monte Carlo standard errors.

    >>> limit_of(80), round(limit_of(1250), 2)
    (4.0, 4.56)
    """
    normal = NormalDist()
    return LIMIT if count <= MANY else -normal.inv_cdf(normal.cdf(-LIMIT) * MANY / count)


@dataclass(frozen=True, slots=True)
class Check:
    """One diagnostic: its worst value, what is required, and a sentence; ``passed`` is None where it is not available.

    Examples
    --------
    >>> Check("E-BFMI", None, math.nan, 0.3, "the draws came without energies").result
    'not available'
    """

    name: str
    passed: bool | None
    value: float
    threshold: float
    text: str

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def result(self) -> str:
        """``passed``, ``FAILED`` or ``not available``."""
        return NOT_AVAILABLE if self.passed is None else "passed" if self.passed else "FAILED"

    @property
    def advice(self) -> str:
        """What to do where it failed; empty where that depends on the model.

        >>> Check("divergences", False, 3, 0, "3 of 4,000 draws, required 0").advice[:43]
        'sample again with a longer warm-up (twice t'
        """
        return next((text for start, text in _ADVICE.items() if self.name.startswith(start)), "")


_LONGER = "sample again with a longer warm-up (twice the tune, --tune)"
_MORE = "sample more draws (twice as many, --draws)"
_ADVICE: Mapping[str, str] = {
    "divergences": f"{_LONGER}; if divergences stay, narrow the priors of scales that go to zero, or write the model "
    "with standardised effects",
    "E-BFMI": f"{_LONGER}; if it stays low, look for a prior with very long tails",
    "R-hat": f"{_LONGER}; if chains still differ, look at the prior or the row that they disagree about",
    "movement of chains": f"{_LONGER}, or with another seed (--seed)",
    "distinct chains": "give each chain its own seed",
    "bulk ESS": _MORE,
    "tail ESS": _MORE,
    "MCSE": _MORE,
    "effects against quadrature": _MORE,
    "defined values of reported quantities": "write such an outcome so that it has a value in every draw, or say in "
    'words where it has none: undefined={outcome: "where …"} of the question',
}
"""What to do where a check failed, by the start of its name."""


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
        """Whether every check that is available passed, and at least one is."""
        return not self.failures and any(c.passed for c in self.checks)

    @property
    def word(self) -> str:
        """``passed`` or ``failed``."""
        return "passed" if self.passed else "failed"

    @property
    def failures(self) -> tuple[Check, ...]:
        """Checks that failed."""
        return tuple(c for c in self.checks if c.passed is False)

    @property
    def unavailable(self) -> tuple[Check, ...]:
        """Checks that could not be made of these draws."""
        return tuple(c for c in self.checks if c.passed is None)

    def require(self) -> Verdict:
        """Return the verdict, or raise if a check failed.

        Raises
        ------
        CheckFailed
            Naming each failed check.
        """
        if not self.passed:
            lines = [f"  {c.name}: {c.text}" for c in self.failures or self.checks]
            raise CheckFailed("the diagnostics of this fit failed:\n" + "\n".join(lines))
        return self

    def table(self) -> pd.DataFrame:
        """One row for each check."""
        import pandas as pd

        columns = ["check", "passed", "value", "threshold", "text"]
        return pd.DataFrame([(c.name, c.passed, c.value, c.threshold, c.text) for c in self.checks], columns=columns)

    def __repr__(self) -> str:
        failed = "".join(f"; {c.name}: {c.text}" for c in self.failures)
        return f"<verdict {self.word}: {len(self.checks)} checks{failed}>"

    def _repr_html_(self) -> str:
        """The checks as a table, in a notebook."""
        return f"<p>Verdict: <strong>{self.word}</strong></p>{self.table().to_html(index=False, na_rep='')}"

    def __str__(self) -> str:
        marks = {True: "ok", False: "FAILED", None: NOT_AVAILABLE}
        return "\n".join([f"verdict: {self.word}", *(f"  {marks[c.passed]:6} {c.name}: {c.text}" for c in self.checks)])


Facts = Mapping[str, Mapping[str, np.ndarray]]
"""Statistics of the series of every variable, by name of the statistic."""


@checked
def check(
    fit: Fit, futures: Futures | None = None, *, facts: Mapping[str, Mapping[str, np.ndarray]] | None = None
) -> Verdict:
    """Check a fit, and a projection of it, against :data:`LIMITS`.

    R-hat is the rank-normalised split statistic, ESS bulk and tail, both after Vehtari, Gelman, Simpson, Carpenter and
    Bürkner (2021); E-BFMI after Betancourt (2016). The MCSE of each median is compared with the standard deviation
    implied by its quartiles. A draw that is no number fails the fit, except in a derived quantity whose attribute
    ``undefined`` says where it has no value. Of a derived array of more than :data:`LARGE` elements as many, evenly
    spaced, are judged, and the verdict says so.

    Parameters
    ----------
    fit
        Any fit with a posterior, in any form that :func:`bayes.load_fit` reads.
    futures
        What :func:`bayes.project` returned, to check every reported quantity too.
    facts
        What :func:`convergence` says of the posterior, where it is known already.

    Examples
    --------
    >>> import pymc as pm, bayes
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 1)
    ...     _ = pm.Normal("y", mu, 1, observed=[0.3, 0.9])
    >>> check(bayes.sample(model, rng=1)).word
    'passed'
    """
    fit = fit_from(fit)
    posterior = fit["posterior"].to_dataset()
    sampled, forward = (json.loads(fit.attrs.get(key, "null")) for key in ("mcmc_variables", "forward_variables"))
    free = [str(name) for name in posterior.data_vars] if sampled is None else [*sampled, *(forward or ())]
    judged, thinned = _thinned(posterior, sampled or ())
    checks = [*_sampler_checks(fit), *_left_out(fit), *_text_check(posterior), *thinned,
              _defined_check("parameters", posterior, set(free)),
              *([_movement_check(posterior, [name for name in sampled if name in posterior])] if sampled else []),
              _copies_check(judged, [name for name in free if name in judged and holds_draws(judged[name])]),
              *_worst_checks("parameters", convergence(judged) if facts is None else facts)]  # fmt: skip
    if futures is not None:
        projected = futures_from(futures)
        if projected.attrs.get("fit") and fit_id(fit.attrs) not in ("", projected.attrs["fit"]):
            raise UsageError("this projection was made from another fit", key="futures",
                             found=projected.attrs["fit"], allowed=fit_id(fit.attrs),
                             fix="project this fit")  # fmt: skip
        checks += reported_checks([series_facts(projected)])
    return Verdict(tuple(checks))


def _left_out(fit: DataTree) -> list[Check]:
    """Groups that could not be made, and why: the attribute ``left_out`` of :func:`bayes.sample`."""
    found: dict[str, str] = json.loads(fit.attrs.get("left_out", "{}"))
    return [Check(f"group {group}", None, math.nan, math.nan, f"left out: {why}") for group, why in found.items()]


def series_facts(data: Dataset) -> Facts:
    """Return what is checked of every series of a dataset: as :func:`convergence`, with ``undefined``.

    ``undefined`` counts draws that are no number, of a variable that does not say where it has none.
    """
    found: dict[str, Mapping[str, np.ndarray]] = {}
    for name, facts in convergence(data).items():
        undefined = np.isnan(series_of(data[name])).sum(axis=(0, 1)) * ("undefined" not in data[name].attrs)
        found[name] = {**facts, "undefined": undefined}
    return found


def reported_checks(parts: Sequence[Facts]) -> list[Check]:
    """Check reported quantities by the facts of their parts, in order."""
    what = "reported quantities"
    found = {name: {key: np.concatenate([part[name][key].ravel() for part in parts]) for key in parts[0][name]}
             for name in parts[0]}  # fmt: skip
    undefined = {name: int(facts["undefined"].sum()) for name, facts in found.items()}
    return [_defined(what, {name: count for name, count in undefined.items() if count}), *_worst_checks(what, found)]


def with_verdict(fit: DataTree, verdict: Verdict) -> DataTree:
    """Return the fit with the verdict and its failures stamped on."""
    stamped = fit.copy(deep=False)
    stamped.attrs.update(verdict=verdict.word, failures=json.dumps([f"{c.name}: {c.text}" for c in verdict.failures]))
    return stamped


def convergence(data: Dataset) -> dict[str, dict[str, np.ndarray]]:
    """Return R-hat, ESS bulk and tail, and relative MCSE of every variable, arrays over its other dims.

    A constant has no such statistic: NaN. A series that varies always gets a number, and one whose statistic cannot be
    computed gets the worst there is (infinite R-hat, no effective draw). These statistics depend on ranks, so infinite
    draws take part as the largest; undefined ones take part as the smallest, but for the error, which is that of the
    median as it is reported: of the others, and of none where it may as well be infinite. For a series of zeros and
    ones, bulk and tail ESS are those of its mean, and its error is that of its mean. Angles (attribute ``circular``)
    are ordered around their mean direction.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, array in data.data_vars.items():
        if holds_draws(array):
            values = np.asarray(array.transpose("chain", "draw", ...).values, dtype=float)
            if array.attrs.get("circular", False) and np.isfinite(values).all():
                values = unrolled(values, (0, 1))
            facts = _converged(values.reshape(*values.shape[:2], -1))
            found[str(name)] = {key: column.reshape(values.shape[2:]) for key, column in facts.items()}
    return found


def _converged(series: np.ndarray) -> dict[str, np.ndarray]:
    """The statistics of series (chain, draw, series)."""
    flat, place = _distinct(ranked(series))
    varies = ~nearly_constant(flat, (0, 1))
    binary = varies & np.isin(flat, (0.0, 1.0)).all(axis=(0, 1))
    columns = {key: np.full(varies.shape, math.nan) for key in _WORST}
    for chosen, statistics in ((varies & ~binary, _statistics), (binary, _event_statistics)):
        for key, function in statistics().items() if chosen.any() else ():
            with np.errstate(divide="ignore", invalid="ignore"):
                numbers = np.atleast_1d(function(flat[:, :, chosen]))
            columns[key][chosen] = np.where(np.isnan(numbers), _WORST[key], numbers)
    found = {key: column[place] for key, column in columns.items()}
    for i in np.flatnonzero(~np.isfinite(series).all(axis=(0, 1))):
        found["mcse"][i] = _error_as_reported(series[:, :, i], float(found["mcse"][i]))
    return found


def _error_as_reported(values: np.ndarray, error: float) -> float:
    """Relative error of the median of the draws that are defined; NaN where :func:`bayes.summarise` reports none.

    It reports no median of too few draws, and none that may as well be infinite: its error is infinite then.
    """
    if np.isnan(values).any():  # no chain structure is left
        values = values[~np.isnan(values)][None, :]
        known = values.size >= LEAST_DEFINED and bool(np.ptp(ranked(values[:, :, None])) > 0)
        error = float(_statistics()["mcse"](ranked(values[:, :, None]))[0]) if known else math.nan
    if not math.isnan(error) and np.isinf(values).any():
        error = math.nan if quantile_error(values, 0.5) == math.inf else error
    return error


def _distinct(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Series (chain, draw, series) that differ, and the place of each among them: full scale repeats for years."""
    seen: dict[bytes, int] = {}
    place = np.array([seen.setdefault(flat[:, :, i].tobytes(), len(seen)) for i in range(flat.shape[2])], dtype=int)
    return flat[:, :, np.unique(place, return_index=True)[1]], place


_AXES = {"chain_axis": 0, "draw_axis": 1}
_WORST: Mapping[str, float] = {"rhat": math.inf, "ess_bulk": 0.0, "ess_tail": 0.0, "mcse": math.inf}


def ranked(values: np.ndarray) -> np.ndarray:
    """Replace infinite and undefined draws (chain, draw, series) by finite ones of the same rank, far from others."""
    if np.isfinite(values).all():
        return values
    finite = np.where(np.isfinite(values), values, 0.0)
    far = 3.0 * np.max(np.abs(finite), axis=(0, 1)) + 1.0
    return np.nan_to_num(np.where(np.isnan(values), -2 * far, np.clip(values, -far, far)))


def _statistics() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    from bayes.arraystats import array_stats

    def relative_error(values: np.ndarray) -> np.ndarray:
        """Error of the median over the standard deviation that the quartiles imply."""
        low, high = np.quantile(values, [0.25, 0.75], axis=(0, 1))
        spread = np.where(high > low, (high - low) / 1.349, values.std(axis=(0, 1)))
        return np.asarray(array_stats.mcse(values, method="quantile", prob=0.5, **_AXES) / spread)

    return {"rhat": lambda v: array_stats.rhat(v, method="rank", **_AXES),
            "ess_bulk": lambda v: array_stats.ess(v, method="bulk", **_AXES),
            "ess_tail": lambda v: array_stats.ess(v, method="tail", prob=(0.05, 0.95), **_AXES),
            "mcse": relative_error}  # fmt: skip


def _event_statistics() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    from bayes.arraystats import array_stats

    def ess(values: np.ndarray) -> np.ndarray:
        return np.asarray(array_stats.ess(values, method="mean", **_AXES))

    return {"rhat": lambda v: array_stats.rhat(v, method="split", **_AXES), "ess_bulk": ess, "ess_tail": ess,
            "mcse": lambda v: 1 / np.sqrt(ess(v))}  # fmt: skip


def _worst_checks(what: str, found: Facts) -> list[Check]:
    return [
        _worst(f"R-hat of {what}", found, "rhat", LIMITS["rhat"], high_is_bad=True),
        _worst(f"bulk ESS of {what}", found, "ess_bulk", LIMITS["ess"], high_is_bad=False),
        _worst(f"tail ESS of {what}", found, "ess_tail", LIMITS["ess"], high_is_bad=False),
        _worst(f"MCSE of {what}", found, "mcse", LIMITS["mcse"], high_is_bad=True),
    ]


def _worst(
    name: str, found: Mapping[str, Mapping[str, np.ndarray]], key: str, limit: float, high_is_bad: bool
) -> Check:
    pick, sign = (np.nanmax, "<") if high_is_bad else (np.nanmin, ">")
    values = {k: float(pick(v[key])) for k, v in found.items() if v[key].size and not np.isnan(v[key]).all()}
    if not values:
        return Check(name, False, math.nan, limit, "could not be computed: no series of draws varies")
    worst = (max if high_is_bad else min)(values, key=lambda k: values[k])
    value = values[worst]
    passed = value < limit if high_is_bad else value > limit
    digits = ".4f" if key == "rhat" else ".3f" if key == "mcse" else ",.0f"
    return Check(name, passed, value, limit, f"worst {value:{digits}} ({worst}), required {sign} {limit:g}")


def series_of(array: DataArray) -> np.ndarray:
    """Return the series of draws (chain, draw, series) of a variable."""
    values = np.asarray(array.transpose("chain", "draw", ...).values, dtype=float)
    return values.reshape(*values.shape[:2], -1)


def elements(array: DataArray) -> int:
    """Return how many series of draws a variable has."""
    return math.prod(n for dim, n in array.sizes.items() if dim not in ("chain", "draw"))


def _thinned(data: Dataset, sampled: Collection[str]) -> tuple[Dataset, list[Check]]:
    """Draws with fewer elements of large derived arrays, and a line that says so."""
    large = {
        str(n): a for n, a in data.data_vars.items() if holds_draws(a) and elements(a) > LARGE and n not in sampled
    }
    if not large:
        return data, []
    kept = data.drop_vars(list(large))
    for name, array in large.items():
        at = np.linspace(0, elements(array) - 1, LARGE).round().astype(int)
        kept[name] = (("chain", "draw", f"{name}_judged"), series_of(array)[..., at])
    text = ", ".join(f"{name} ({elements(array):,})" for name, array in large.items())
    says = f"{LARGE:,} evenly spaced elements are judged of each large derived array: {text}"
    return kept, [Check("elements of large arrays", None, math.nan, math.nan, says)]


def _text_check(data: Dataset) -> list[Check]:
    """Name the variables that hold words or dates, at which no other check looks."""
    other = [str(name) for name, array in data.data_vars.items() if not holds_draws(array)]
    text = f"not judged, because they hold no numbers by chain and draw: {', '.join(other)}"
    return [Check("other variables", None, math.nan, math.nan, text)] if other else []


def _defined_check(what: str, data: Dataset, free: Collection[str]) -> Check:
    """Check that free variables are finite in every draw, and all others defined wherever they do not say otherwise."""
    bad = {}
    for name, array in data.data_vars.items():
        if not holds_draws(array):
            continue
        values = np.asarray(array.values, dtype=float)
        wrong = ~np.isfinite(values) if name in free else np.isnan(values)
        if wrong.any() and (name in free or "undefined" not in array.attrs):
            bad[str(name)] = int(wrong.sum())
    return _defined(what, bad)


def _defined(what: str, bad: Mapping[str, int]) -> Check:
    text = ", ".join(f"{name} ({count:,} draws)" for name, count in bad.items())
    return Check(f"defined values of {what}", not bad, float(sum(bad.values())), 0.0,
                 f"infinite or undefined: {text}" if bad else "every draw is a number")  # fmt: skip


def _movement_check(data: Dataset, sampled: Collection[str]) -> Check:
    """Check that every variable sampled by a Markov chain has moved, in every chain."""
    stuck = []
    for name in sampled:
        moved = (np.ptp(series_of(data[name]), axis=1) > 0).any(axis=1)
        if not moved.all():
            stuck.append(f"{name} ({int((~moved).sum())} of {len(moved)} chains)")
    text = f"did not move: {', '.join(stuck)}" if stuck else "every sampled variable moved in every chain"
    return Check("movement of chains", not stuck, float(len(stuck)), 0.0, text)


def _copies_check(data: Dataset, free: Collection[str]) -> Check:
    """Check that no two chains are the same: copies would agree, and their draws count twice."""
    moving = [values for values in (series_of(data[name]) for name in free) if (np.ptp(values, axis=1) > 0).any()]
    contents = [b"".join(values[i].tobytes() for values in moving) for i in range(data.sizes["chain"])]
    copies = {i: contents.index(content) for i, content in enumerate(contents) if contents.index(content) < i}
    if not moving:
        copies = {}
    text = "; ".join(f"chain {i} is a copy of chain {first}" for i, first in copies.items())
    return Check("distinct chains", not copies, float(len(copies)), 0.0, text or "no chain is a copy of another")


def _sampler_checks(fit: DataTree) -> list[Check]:
    """Divergences and E-BFMI as far as they were recorded, unless nothing was sampled by a Markov chain."""
    if json.loads(fit.attrs.get("mcmc_variables", "null")) == []:
        return []
    from xarray import Dataset as Data

    stats = fit["sample_stats"].to_dataset() if "sample_stats" in fit.children else Data()
    return [_divergences(stats), _bfmi(stats)]


def _divergences(stats: Dataset) -> Check:
    limit = LIMITS["divergences"]
    if "diverging" not in stats:
        return Check("divergences", None, math.nan, limit, "the draws came without a record of divergences")
    count, size = int(stats["diverging"].sum()), stats["diverging"].size
    return Check("divergences", count <= limit, count, limit, f"{count} of {size:,} draws, required 0")


def _bfmi(stats: Dataset) -> Check:
    from bayes.arraystats import array_stats

    limit = LIMITS["bfmi"]
    if not {"energy", "block_energy"} & {str(name) for name in stats}:
        return Check("E-BFMI", None, math.nan, limit, "the draws came without a record of energies")
    blocks = stats["block_energy" if "block_energy" in stats else "energy"].transpose(..., "chain", "draw").values
    low = float(np.min([array_stats.bfmi(energy) for energy in blocks.reshape(-1, *blocks.shape[-2:])]))
    return Check("E-BFMI", low > limit, low, limit, f"lowest chain {low:.2f}, required > {limit:g}")
