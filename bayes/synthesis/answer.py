"""A synthesis: the posterior by Markov chains and, where it exists, by quadrature; and without each row in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from xarray import Dataset, DataTree

from bayes.arguments import checked
from bayes.diagnostics import Check, Verdict, check, limit_of
from bayes.errors import check_word
from bayes.priors import Prior
from bayes.priortext import prior_from_text, prior_text
from bayes.provenance import plain
from bayes.sampling import DEFAULT_SEED, sample
from bayes.sampling.fit import TARGET
from bayes.summaries import summarise
from bayes.synthesis.exact import PRECISION, Exact, exact_posterior
from bayes.synthesis.rows import BASELINE_OF, LEAST, Counts, LogRatios

__all__ = ["EFFECTS", "QUANTITIES", "Synthesis", "synthesise"]

EFFECTS = ("random", "common", "t")
QUANTITIES = ("mu", "tau", "theta_new", "theta")
SURE = 1e-4
"""A quadrature that doubling the nodes moves by less, in posterior standard deviations, is good enough to quote."""

SHORTER = 0.999
"""Target acceptance of the second attempt, where steps of the first were too long for some of its draws."""

Numbers = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Synthesis:
    """What :func:`synthesise` found.

    Parameters
    ----------
    rows, effects, mu, tau
        What was asked; ``tau`` is None for common effects.
    exact
        Numbers by quadrature, or None where there is none (heavy tails, counts).
    chains
        Numbers from the draws, with ``mcse_mean`` and ``mcse_q50`` too: for each of ``mu``, ``tau``, ``theta_new``,
        ``theta``.
    verdict
        On what is shown: of a quadrature its own convergence, and that draws which pass their diagnostics agree with
        it; otherwise the diagnostics of the draws.
    cross_check
        Diagnostics of draws that stand beside a quadrature, and their agreement; None where there is none.
    left_out
        For each row, numbers of ``mu``, ``tau`` and ``theta_new`` without it; empty with fewer than three rows.
    fit
        The draws.
    """

    rows: LogRatios | Counts
    effects: str
    mu: Prior
    tau: Prior | None
    exact: Exact | None
    chains: Mapping[str, Numbers]
    verdict: Verdict
    cross_check: Verdict | None
    left_out: Mapping[str, Mapping[str, Numbers]]
    fit: DataTree

    @property
    def method(self) -> str:
        """``quadrature`` or ``mcmc``: where the numbers shown come from."""
        return "mcmc" if self.exact is None else "quadrature"

    @property
    def numbers(self) -> Mapping[str, Numbers]:
        """The numbers to quote: by quadrature where it exists, otherwise from the draws."""
        return self.chains if self.exact is None else self.exact.numbers

    @property
    def priors(self) -> dict[str, str | None]:
        """Each prior on one line: ``mu``, ``tau``, and of counts ``baseline``, and whose log odds it is."""
        found = {"mu": prior_text(self.mu), "tau": None if self.tau is None else prior_text(self.tau)}
        if isinstance(self.rows, Counts):
            found["baseline"] = prior_text(self.rows.baseline_prior)
            found["baseline_of"] = f"log odds of {BASELINE_OF[self.rows.baseline_of]}"
        return found

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON: arrays are lists in the order of ``label``; numbers that are not finite are None."""
        exact = self.exact
        return {
            **plain({name: self.numbers[name] for name in QUANTITIES}),
            "label": list(self.rows.labels),
            "scale": self.rows.scale,
            "effects": self.effects,
            "priors": self.priors,
            "read_from": self.rows.source,
            "method": self.method,
            "mcmc": plain(self.chains),
            "quadrature": None if exact is None else {
                **plain(exact.numbers), "log_evidence": exact.log_evidence, "change_on_doubling": exact.change,
                "exact": exact.converged},
            "interval": {"prob": 0.95, "kind": "eti"},
            "leave_one_out": [{"left_out": label, **plain(found)} for label, found in self.left_out.items()],
            "verdict": self.verdict.word,
            "checks": _checks_as_data(self.verdict),
            "cross_check": None if self.cross_check is None else {
                "verdict": self.cross_check.word, "checks": _checks_as_data(self.cross_check)},
        }  # fmt: skip


def _checks_as_data(verdict: Verdict) -> list[Any]:
    return [plain({"name": c.name, "passed": c.passed, "value": c.value, "threshold": c.threshold, "text": c.text})
            for c in verdict.checks]  # fmt: skip


@checked
def synthesise(
    rows: LogRatios | Counts, *, mu: str = "Normal(0, 2)", tau: str = "HalfNormal(0.5)", effects: str = "random",
    draws: int = 1000, rng: int | np.random.Generator = DEFAULT_SEED, leave_one_out: bool = True,
) -> Synthesis:  # fmt: skip
    r"""Pool trials: :math:`y_i \sim N(\theta_i, s_i^2)`, :math:`\theta_i \sim N(\mu, \tau^2)`.

    Parameters
    ----------
    rows
        :class:`LogRatios` or :class:`Counts` (then :math:`\theta` is a log odds ratio, with the exact binomial
        likelihood).
    mu, tau
        Priors on one line, for example ``"Normal(0, 2)"`` and ``"HalfCauchy(0.5)"``.
    effects
        ``random``, ``common`` (:math:`\tau = 0`) or ``t`` (Student t with 4 degrees of freedom between trials).
    draws, rng
        Draws kept in each of four chains, and their seed.
    leave_one_out
        Whether to repeat the analysis without each row: exact where there is a quadrature, refitted otherwise.

    Raises
    ------
    PriorError, UsageError, EvidenceError
        Before any draw.

    Examples
    --------
    >>> rows = LogRatios(("a", "b", "c"), np.array([-0.5, -0.2, -0.9]), np.array([0.2, 0.3, 0.4]))
    >>> found = synthesise(rows, draws=500)
    >>> found.method, round(float(found.numbers["mu"]["q50"]), 2)
    ('quadrature', -0.48)
    """
    _check_effects(effects)
    means = prior_from_text("mu", mu, "log ratio")
    spread = None if effects == "common" else prior_from_text("tau", tau, "log sd")
    exact = _exact(rows, means, spread, effects)
    numbers, verdict, fit = _sampled(rows, means, spread, effects, draws, rng)
    cross_check = None if exact is None else Verdict((*verdict.checks, _agreement(numbers, exact)))
    if exact is not None and cross_check is not None:
        verdict = Verdict((_convergence(exact), *(cross_check.checks[-1:] if verdict.passed else ())))
    left_out = {}
    if leave_one_out and len(rows.labels) > LEAST:
        for i, label in enumerate(rows.labels):
            less = _exact(rows.without(i), means, spread, effects, trials=False)
            found = _sampled(rows.without(i), means, spread, effects, draws, rng)[0] if less is None else less.numbers
            left_out[label] = {name: found[name] for name in QUANTITIES if name != "theta"}
    return Synthesis(rows, effects, means, spread, exact, numbers, verdict, cross_check, left_out, fit)


def _check_effects(effects: str) -> None:
    check_word(effects, EFFECTS, "there is no such model of effects", key="effects")


def _exact(
    rows: LogRatios | Counts, mu: Prior, tau: Prior | None, effects: str, trials: bool = True
) -> Exact | None:  # fmt: skip
    return exact_posterior(rows, mu, tau, trials) if isinstance(rows, LogRatios) and effects != "t" else None


def _sampled(
    rows: LogRatios | Counts, mu: Prior, tau: Prior | None, effects: str, draws: int, rng: int | np.random.Generator
) -> tuple[dict[str, Numbers], Verdict, DataTree]:  # fmt: skip
    from bayes.synthesis.chains import TARGET_OF_COUNTS, synthesis_model

    model = synthesis_model(rows, mu, tau, effects)
    fit = sample(model, draws=draws, rng=rng, target_accept=TARGET_OF_COUNTS if isinstance(rows, Counts) else TARGET)
    if int(fit["sample_stats"]["diverging"].sum()):
        fit = sample(model, draws=draws, rng=rng, target_accept=SHORTER)
    posterior = fit["posterior"].to_dataset()
    numbers = {name: _from_draws(posterior, name) for name in QUANTITIES}
    return numbers, check(fit), fit


_COLUMNS = {"mean": "mean", "sd": "sd", "q2.5": "lower", "q50": "estimate", "q97.5": "upper",
            "mcse_mean": "mcse_mean", "mcse_q50": "mcse"}  # fmt: skip


def _from_draws(posterior: Dataset, name: str) -> Numbers:
    """Numbers of one quantity; a mean is withheld (NaN) where the draws cannot vouch for it."""
    if name not in posterior:  # tau of common effects
        return dict.fromkeys((*_COLUMNS, "p_lt_0"), np.array(0.0))
    table = summarise(posterior, prob=0.95, variables=[name])
    found = {key: table[column].to_numpy() for key, column in _COLUMNS.items()}
    found["p_lt_0"] = np.atleast_1d((posterior[name] < 0).mean(dim=("chain", "draw")).values)
    return found if name == "theta" else {key: values[0] for key, values in found.items()}


def _convergence(exact: Exact) -> Check:
    """What doubling the nodes of the quadrature changes."""
    text = (f"doubling the nodes moves no number by {max(exact.change, PRECISION):.0e} posterior standard deviations"
            if exact.change < SURE else
            f"doubling the nodes still moves a number by {exact.change:.1g} posterior standard deviations, "
            f"required < {SURE:g}")  # fmt: skip
    return Check("quadrature", exact.change < SURE, exact.change, SURE, text)


def _agreement(numbers: Mapping[str, Numbers], exact: Exact) -> Check:
    """Medians of the draws against the quadrature, in their Monte Carlo standard errors.

    Medians, because they are what is shown, and because their errors are known under heavy tails too.
    """
    worst, where, count = 0.0, "none", 0
    for name in QUANTITIES:
        error = np.atleast_1d(numbers[name]["mcse_q50"])
        gap = np.atleast_1d(numbers[name]["q50"]) - np.atleast_1d(exact.numbers[name]["q50"])
        known = error > 0
        z = float(np.max(np.abs(gap[known] / error[known]), initial=0.0))
        worst, where = (z, name) if z > worst else (worst, where)
        count += int(known.sum())
    limit = limit_of(count)
    text = (f"worst median lies {worst:.1f} Monte Carlo standard errors from the exact one ({where}), "
            f"required < {limit:.2g}")  # fmt: skip
    return Check("MCMC against quadrature", worst < limit, worst, limit, text)
