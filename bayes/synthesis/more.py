"""What else may be asked of a synthesis: each answer as a table and as lines to read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bayes.arguments import checked
from bayes.errors import UsageError
from bayes.numbers import formed, ranged
from bayes.synthesis.answer import DEFAULT_TAU, Synthesis
from bayes.synthesis.mixtures import ESS, MixturePrior, beta_mixture, normal_mixture, robust
from bayes.synthesis.priors import spread_law
from bayes.synthesis.rows import LogRatios
from bayes.synthesis.sets import FACTORS, prior_sets
from bayes.synthesis.small_studies import small_studies
from bayes.synthesis.tables import (
    beyond,
    classical_table,
    cumulative_table,
    e_value,
    effects_table,
    left_out_table,
    sceptical_limit,
    small_studies_table,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Asked", "Found", "answered", "map_prior"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What else is asked.

    Parameters
    ----------
    beyond
        Values, on the scale of ratios where the rows are logarithms, below which probabilities are wanted.
    sets
        Priors of mean and spread by the name of their pair.
    small, cumulative, tipping
        Whether small studies, the rows one by one, and what would tip the answer are wanted.
    """

    beyond: tuple[float, ...] = ()
    sets: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    small: bool = False
    cumulative: bool = False
    tipping: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Tables by name, and lines to read."""

    tables: Mapping[str, pd.DataFrame]
    lines: tuple[str, ...]


@checked
def answered(found: Synthesis, asked: Asked) -> Found:
    """Return every table of a synthesis, with those that were asked for, and lines on the latter.

    Raises
    ------
    UsageError
        If something is asked of rows that have it not.

    Examples
    --------
    >>> from bayes.synthesis import Asked, LogRatios, answered, synthesise
    >>> rows = LogRatios(("a", "b", "c"), y=(-0.4, -0.2, -0.3), se=(0.2, 0.1, 0.2))
    >>> sorted(answered(synthesise(rows), Asked(cumulative=True)).tables)
    ['classical', 'cumulative', 'effects', 'left_out']
    """
    tables = {"effects": effects_table(found), "classical": classical_table(found)}
    if found.left_out:
        tables["left_out"] = left_out_table(found)
    lines: list[str] = [_beyond(found, value) for value in asked.beyond]
    if asked.sets:
        if found.regression is not None:
            raise UsageError("prior sets are of rows without moderators", key="--mu-set", fix="leave it out")
        tables["prior_sets"] = prior_sets(found.rows, asked.sets, found.omega)
        lines += [*_set_lines(tables["prior_sets"]), FACTORS]
    if asked.small:
        rows = _estimates(found, "--small-studies")
        one = small_studies(rows, found.mu, spread_law(DEFAULT_TAU) if found.tau is None else found.tau)
        if one is None:
            lines.append("Small studies: fewer than three rows, or equal errors, tell nothing.")
        else:
            tables["small_studies"] = small_studies_table(one)
            lines += _small_lines(found, tables["small_studies"], one.few)
    if asked.cumulative:
        tables["cumulative"] = cumulative_table(found)
        lines += _cumulative_lines(tables["cumulative"])
    return Found(tables, (*lines, *(_tipping(found) if asked.tipping else ())))


def _estimates(found: Synthesis, key: str) -> LogRatios:
    if not isinstance(found.rows, LogRatios) or found.regression is not None:
        raise UsageError("this is made of estimates with standard errors, without moderators", key=key,
                         fix="add --approximate to counts, or leave it out")  # fmt: skip
    return found.rows


def _logs(found: Synthesis) -> bool:
    return found.rows.scale.startswith("log")


def _beyond(found: Synthesis, value: float) -> str:
    if _logs(found) and not value > 0:
        raise UsageError("a ratio is greater than zero", key="--beyond", found=value, fix="give a ratio, as 0.8")
    below = beyond(found, math.log(value) if _logs(found) else value)
    what = "ratio" if _logs(found) else "difference"
    return (f"The probability of a {what} below {formed(value, 'g')} is {below['mu']:.3f} for the mean and "
            f"{below['theta_new']:.3f} for a new setting; of one above it, {1 - below['mu']:.3f} and "
            f"{1 - below['theta_new']:.3f}.")  # fmt: skip


def _set_lines(table: pd.DataFrame) -> list[str]:
    lines = [
        "Priors side by side (95% equal-tailed credible intervals of mu; log evidence; Bayes factor against mu = 0):"
    ]
    for row in table[table["quantity"] == "mu"].itertuples():
        shown = " to ".join(ranged(end, row.upper - row.lower) for end in (row.lower, row.upper))
        factor = "none, a prior is flat" if math.isnan(row.bayes_factor) else f"{row.bayes_factor:.3g}"
        evidence = "" if math.isnan(row.log_evidence) else f"; {formed(row.log_evidence, '.2f')}"
        lines.append(f"  {row.set}: mu ~ {row.mu_prior}, tau ~ {row.tau_prior}: "
                     f"{ranged(row.estimate, row.upper - row.lower)} ({shown}){evidence}; {factor}")  # fmt: skip
    return lines


def _small_lines(found: Synthesis, table: pd.DataFrame, few: bool) -> list[str]:
    lines = ["Small studies (the mean here: "
             f"{formed(float(found.numbers['mu']['q50']), '.3f')}):"]  # fmt: skip
    for row in table.itertuples():
        value, low, high = (formed(one, ".3f") for one in (row.value, row.lower, row.upper))
        ends = "" if math.isnan(row.lower) else f" ({low} to {high}, 95% {row.kind})"
        lines.append(f"  {row.name}: {value}{ends}; {row.detail}")
    told = "With fewer than ten studies none of this can tell. " if few else ""
    return [*lines, f"{told}That small studies lean to a side may come from publication, design or chance."]


def _cumulative_lines(table: pd.DataFrame) -> list[str]:
    lines = ["Added one by one (mu, 95% equal-tailed credible interval):"]
    for row in table[table["quantity"] == "mu"].itertuples():
        width = row.upper - row.lower
        lines.append(f"  {row.rows}. {row.added}: {ranged(row.estimate, width)} "
                     f"({ranged(row.lower, width)} to {ranged(row.upper, width)})")  # fmt: skip
    return lines


def _tipping(found: Synthesis) -> list[str]:
    """The sceptic who is just not convinced, and the confounder that would explain a ratio away."""
    low, middle, high = (float(found.numbers["mu"][key]) for key in ("q2.5", "q50", "q97.5"))
    limit = sceptical_limit(low, high)
    if limit is None:
        lines = ["Tipping: the interval of the mean holds zero already."]
    else:
        shown = (
            f"ratios between {math.exp(-limit):.3g} and {math.exp(limit):.3g}"
            if _logs(found)
            else f"within {limit:.3g}"
        )
        near = min(abs(low), abs(high))
        bias = [
            f"by a factor of {math.exp(one):.3g}" if _logs(found) else f"of {one:.3g}" for one in (near, abs(middle))
        ]
        lines = [
            f"Tipping: a sceptic whose 95% prior interval is {shown} would have an interval that touches zero.",
            f"A bias away from no effect {bias[0]} would do the same; one {bias[1]} would be all of the mean.",
        ]
    if _logs(found):
        near = math.exp(low if abs(low) < abs(high) else high)
        one, other = e_value(math.exp(middle), 1.0 if low * high <= 0 else near)
        lines.append(f"E-value, for a risk ratio: {one:.2f}; for the end of the interval nearer to 1: {other:.2f}.")
    return lines


@checked
def map_prior(
    found: Synthesis, share: float | None, sigma: float | None, probability: bool = True
) -> tuple[MixturePrior, list[str]]:
    """Return the effect in a new setting as a mixture, with a robust part if a share is given, and lines on it.

    Of single arms of counts the prior is of a probability, a mixture of beta laws, and its robust part is even; unless
    it is wanted of the log odds, which a declaration can hold. Others have normal laws: the robust part is centred at
    no effect and is as wide as what one person tells, or as the predictive law three times over where that is not
    given.

    Examples
    --------
    >>> from bayes.synthesis import LogRatios, map_prior, synthesise
    >>> rows = LogRatios(("a", "b", "c"), y=(-0.4, -0.2, -0.3), se=(0.2, 0.1, 0.2))
    >>> prior, lines = map_prior(synthesise(rows), share=0.2, sigma=2.0)
    >>> prior.kind, lines[0].startswith("Prior for a new setting: ")
    ('Normal', True)
    """
    from scipy.special import expit

    points = _new_setting(found)
    if found.rows.scale == "log odds" and probability:
        prior = beta_mixture(expit(points))
        vague = (1.0, 1.0)
    else:
        prior = normal_mixture(points)
        vague = (0.0, sigma or 3 * float(np.std(points)))
    prior = prior if share is None else robust(prior, share, vague)
    lines = [f"Prior for a new setting: {prior.text()}"]
    if sigma is not None or prior.kind == "Beta":
        sizes = [f"{method} {prior.effective_size(method, sigma):.1f}" for method in ESS]
        told = "" if prior.kind == "Beta" else f", of people who tell {sigma:g} each"
        lines.append(f"Effective sample size{told}: {', '.join(sizes)}.")
    return prior, lines


_POINTS = [(i + 0.5) / 999 for i in range(999)]


def _new_setting(found: Synthesis) -> np.ndarray:
    """Points that stand for the law of the effect in a new setting."""
    if found.exact is not None:
        return np.asarray(found.exact.quantiles("theta_new", _POINTS)[0])
    assert found.fit is not None
    return np.asarray(np.quantile(np.ravel(found.fit["posterior"].to_dataset()["theta_new"].to_numpy()), _POINTS))
