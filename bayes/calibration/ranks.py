"""Simulation-based calibration: ranks of true values among posterior draws, and whether they are uniform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import check_columns, checked, seed_number
from bayes.calibration.replicates import Effort, Replicates, replicated
from bayes.calibration.simulated import (
    conditioned,
    doubled,
    drawn_given,
    key_of_model,
    posterior_truths,
    simulate,
)
from bayes.draws import Fit, fit_from
from bayes.errors import CheckFailed, UsageError, check_word
from bayes.provenance import canonical, digest
from bayes.sampling import DEFAULT_SEED
from bayes.summaries import element_names

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm

__all__ = ["LOG_LIKELIHOOD", "sbc", "uniformity"]

LOG_LIKELIHOOD = "log likelihood"
RANKS = 99
"""Thinned posterior draws a truth is ranked among: ranks run from 0 to this."""

LEVEL = 0.01
"""Chance of a false alarm over all quantities of a right model."""


@checked
def sbc(
    model: pm.Model, simulations: int = 100, *, quantities: Sequence[str] | None = None, posterior: Fit | None = None,
    rng: int | np.random.Generator = DEFAULT_SEED, effort: Effort = Effort(),  # noqa: B008
) -> pd.DataFrame:  # fmt: skip
    r"""Rank true parameters among posterior draws, for data simulated from the model itself.

    By default truths come from the prior, and the model is fitted to simulated data alone. With ``posterior`` they come
    from the posterior of its own data :math:`y`, and the model is fitted to these and the simulated ones together: a
    draw of :math:`p(\theta \mid y)` is then one of :math:`p(\theta \mid y, y')` too, so that ranks are uniform, and
    the computation is checked where it is used (Säilynoja, Schmitt, Bürkner and Vehtari 2025, arXiv:2502.03279).

    Parameters
    ----------
    model
        Any PyMC model with observed variables and without potentials.
    simulations
        Data sets to simulate and fit.
    quantities
        Variables to rank, free or deterministic; all free variables by default. The log likelihood is always added.
    posterior
        A fit of this model, for truths from its posterior.
    rng
        Seed or generator. ``simulate(model, simulations, rng=seed)`` gives the same truths and data.
    effort
        Each of its parts is an argument too: ``draws`` and ``tune`` of each of two chains (draws are thinned to 99),
        ``jobs``, ``scheduler`` and ``advance``.

    Returns
    -------
    DataFrame
        One row for each simulation and scalar quantity: ``simulation``, ``quantity``, ``truth``, ``rank`` (number of
        draws below the truth, ties broken at random), ``draws`` (99: how many it is ranked among), ``divergences``,
        ``rhat``. Simulations whose chains found no start or did not move have no ranks; ``attrs["failed"]`` holds
        their numbers and why.

    Raises
    ------
    CheckFailed
        If no simulated data set could be fitted.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     mu = pm.Normal("mu", 0, 1)
    ...     _ = pm.Normal("y", mu, 1, observed=[0.3, 0.9])
    >>> ranks = sbc(model, 3, draws=100, tune=200, rng=1)
    >>> sorted(ranks["quantity"].unique())
    ['log likelihood', 'mu']
    """
    import pandas as pd

    if 2 * effort.draws < RANKS:
        raise UsageError("too few draws to rank a truth among", key="draws", found=effort.draws,
                         allowed=f"{RANKS // 2 + 1} or more of each chain")  # fmt: skip
    seed = seed_number(rng)
    if posterior is None:
        truths, data = simulate(model, simulations, rng=seed)
        again, slots = conditioned(model)
    else:
        truths = posterior_truths(model, fit_from(posterior), simulations, seed)
        data, (again, slots) = drawn_given(model, truths, seed), doubled(model)
    names = _chosen(model, truths, quantities)
    seeds, known = np.random.default_rng([seed, 1]).integers(2**63, size=simulations), key_of_model(again, slots)
    key = known and digest(canonical(["ranks", known, names]))
    found = replicated(Replicates(again, slots, data, truths, seeds, partial(_ranked, names), key), effort)
    rows = [{"simulation": i, **row, "divergences": one["divergences"]}
            for i, one in enumerate(found) for row in one.get("rows", ())]  # fmt: skip
    failed = {i: one["failed"] for i, one in enumerate(found) if "failed" in one}
    if not rows:
        raise CheckFailed(f"no simulated data set could be fitted: {next(iter(failed.values()))}")
    table = pd.DataFrame(rows)[["simulation", "quantity", "truth", "rank", "draws", "divergences", "rhat"]]
    table.attrs["failed"] = failed
    return table


@checked
def uniformity(ranks: pd.DataFrame) -> pd.DataFrame:
    r"""Compare ranks with the uniform distribution, quantity by quantity.

    With :math:`u = (r + v)/(L + 1)`, :math:`v` uniform, a right posterior has :math:`u` uniform and normal scores
    :math:`z = \Phi^{-1}(u)` standard normal, so that :math:`\sqrt n\,\bar z` is standard normal and :math:`\sum z^2` is
    chi-squared with :math:`n` degrees of freedom; its probability is turned into a normal score too.

    Returns
    -------
    DataFrame
        ``quantity``, ``simulations``, ``p_value`` (Kolmogorov and Smirnov), ``z_location`` (above 0: posteriors lie too
        low), ``z_spread`` (above 0: posteriors are too narrow), ``uniform`` and ``says``: whether, and what speaks
        against it, at a level of 1 % over all three statistics of all quantities together (Bonferroni).

    Examples
    --------
    >>> import pandas as pd
    >>> ranks = pd.DataFrame({"quantity": "mu", "rank": [0, 99] * 20, "draws": 99})
    >>> uniformity(ranks)["says"].iloc[0]
    'posteriors are too narrow'
    """
    import pandas as pd
    from scipy import stats

    check_columns(ranks, ("quantity", "rank", "draws"))
    level = LEVEL / (3 * ranks["quantity"].nunique())
    limit = float(stats.norm.isf(level / 2))
    rows = []
    for name, one in ranks.groupby("quantity", sort=False):
        n = len(one)
        jitter = np.random.default_rng(n).uniform(size=n)
        u = (one["rank"].to_numpy() + jitter) / (one["draws"].to_numpy() + 1)
        z = stats.norm.ppf(u)
        p = float(stats.kstest(u, "uniform").pvalue)
        location, spread = float(np.sqrt(n) * z.mean()), _score(stats.chi2(n), float(np.sum(z**2)))
        says = _words(p < level, location, spread, limit)
        rows.append({"quantity": name, "simulations": n, "p_value": p, "z_location": location, "z_spread": spread,
                     "uniform": not says,
                     "says": says or "ranks are uniform as far as these simulations tell"})  # fmt: skip
    return pd.DataFrame(rows)


# --- pieces ----------------------------------------------------------------------------------


def _score(law: Any, value: float) -> float:
    """The normal score of a value's probability under a law, from the nearer tail."""
    from scipy import stats

    below, above = float(law.cdf(value)), float(law.sf(value))
    return float(stats.norm.ppf(below) if below < above else stats.norm.isf(above))


def _words(uneven: bool, location: float, spread: float, limit: float) -> str:
    found = []
    if abs(location) > limit:
        found.append(f"posteriors lie too {'low' if location > 0 else 'high'}")
    if abs(spread) > limit:
        found.append(f"posteriors are too {'narrow' if spread > 0 else 'wide'}")
    return "; ".join(found or (["ranks are not uniform"] if uneven else []))


def _chosen(model: pm.Model, truths: dict[str, np.ndarray], quantities: Sequence[str] | None) -> list[str]:
    free = {v.name for v in model.free_RVs}
    for name in quantities or ():
        check_word(name, truths, "this variable has no prior to draw a truth from", key="quantities")
    return list(quantities) if quantities is not None else [name for name in truths if name in free]


def _ranked(
    names: Sequence[str], model: pm.Model, fit: Any, truth: Mapping[str, np.ndarray], rng: np.random.Generator,
    kept: dict[Any, Any],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The rank of each quantity of a truth among the draws of a fit, and of the log likelihood there."""
    from bayes.arraystats import array_stats

    posterior, free = fit["posterior"], [v.name for v in model.free_RVs if v.name in truth]
    at = {name: np.asarray(truth[name])[None] for name in free}
    density = _likelihood(model, at, kept)
    likelihood = sum(np.sum(fit["log_likelihood"][v].values, axis=tuple(range(2, fit["log_likelihood"][v].ndim)))
                     for v in density)  # fmt: skip
    pairs = [(name, posterior[name], np.asarray(truth[name])) for name in names]
    series = [(label, array.values[(slice(None), slice(None), *i)], float(true[i]))
              for _, array, true in pairs
              for label, i in zip(element_names(array), np.ndindex(true.shape), strict=True)]  # fmt: skip
    for label, values, true in [*series, (LOG_LIKELIHOOD, likelihood, float(sum(v.sum() for v in density.values())))]:
        flat = np.ravel(values)
        thin = flat[np.linspace(0, flat.size - 1, RANKS).round().astype(int)]
        rank = int((thin < true).sum() + rng.integers(np.sum(thin == true) + 1))
        rhat = float(array_stats.rhat(values, method="rank", chain_axis=0, draw_axis=1))
        yield {"quantity": label, "truth": true, "rank": rank, "draws": RANKS, "rhat": rhat}


def _likelihood(model: pm.Model, at: dict[str, np.ndarray], kept: dict[Any, Any]) -> dict[str, np.ndarray]:
    """Elementwise log likelihood of the model's present data at one point, by a calculation that is proved once."""
    from bayes.sampling.forward import data_of, densities
    from bayes.sampling.proof import proved

    if "likelihood" not in kept:
        kept["likelihood"] = proved(densities(model, model.observed_RVs, list(at)), at).piece
    found: dict[str, np.ndarray] = kept["likelihood"]({**at, **data_of(model)}, None)
    return found
