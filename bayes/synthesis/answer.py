"""A synthesis: the posterior by Markov chains and, where it exists, by quadrature; and without each row in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from xarray import Dataset, DataTree

from bayes.arguments import check_fields, checked
from bayes.diagnostics import Check, Verdict, check, limit_of
from bayes.errors import EvidenceError, UsageError, check_word
from bayes.priortext import prior_text
from bayes.provenance import plain
from bayes.sampling import DEFAULT_SEED, sample
from bayes.sampling.fit import TARGET
from bayes.sheets import trouble
from bayes.summaries import summarise
from bayes.synthesis.classical import Classical, classical
from bayes.synthesis.exact import PRECISION, Exact, Regression, exact_posterior
from bayes.synthesis.grid import grid_posterior
from bayes.synthesis.priors import MeanLaw, SpreadLaw, mean_law, spread_law
from bayes.synthesis.rows import BASELINE_OF, Counts, LogRatios, Rates

__all__ = ["DEFAULT_TAU", "EFFECTS", "QUANTITIES", "Options", "Plan", "Synthesis", "posterior_of", "synthesise"]

EFFECTS = ("random", "common", "t")
QUANTITIES = ("mu", "tau", "theta_new", "theta")
BESIDE = ("omega", "slope", "at", "at_new")
"""Quantities that some syntheses have."""

SINGLE = ("mu", "tau", "theta_new", "omega")
"""Quantities that are one number."""

DEFAULT_TAU = "HalfNormal(0.5)"
SURE = 1e-4
"""A quadrature that doubling the nodes moves by less, in posterior standard deviations, is good enough to quote."""

ENOUGH = 0.01
"""The same of a sum over a grid: a number shown has a last digit of a fifth of a posterior standard deviation."""

SHORTER = 0.999
"""Target acceptance of the second attempt, where steps of the first were too long for some of its draws."""

Numbers = Mapping[str, np.ndarray]
Rows = LogRatios | Counts | Rates


@dataclass(frozen=True, slots=True)
class Options:
    """What may be said of a synthesis beside its rows and the priors of its mean and spread.

    Parameters
    ----------
    leave_one_out
        Whether to repeat the analysis without each row.
    omega
        Prior of the sd between rows of one study.
    slope
        Prior of each moderator's coefficient: Normal or flat.
    at
        Places at which to predict: values of moderators by name, the others at their centre (or first level).
    prob, kind
        Of the intervals that are shown: their probability, and ``eti`` or ``hdi``.
    """

    leave_one_out: bool = True
    omega: str = DEFAULT_TAU
    slope: str = "Normal(0, 2)"
    at: tuple[Mapping[str, str], ...] = ()
    prob: float = 0.95
    kind: str = "eti"

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The priors of a synthesis, read, and its model of effects."""

    mu: MeanLaw
    tau: SpreadLaw | None
    effects: str
    omega: SpreadLaw | None = None
    regression: Regression | None = None


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
        ``theta``; empty where none were asked for beside a quadrature.
    verdict
        On what is shown: of a quadrature its own convergence, and that draws which pass their diagnostics agree with
        it; otherwise the diagnostics of the draws.
    cross_check
        Diagnostics of draws that stand beside a quadrature, and their agreement; None where there is none.
    left_out
        For each row, numbers of ``mu``, ``tau`` and ``theta_new`` without it; empty with fewer than three rows.
    fit
        The draws, or None.
    classical
        What a meta-analysis without priors would print; None for counts, and where there are too few rows.
    omega, regression
        Prior of the sd within studies, and of the moderators' coefficients.
    """

    rows: Rows
    effects: str
    mu: MeanLaw
    tau: SpreadLaw | None
    exact: Exact | None
    chains: Mapping[str, Numbers]
    verdict: Verdict
    cross_check: Verdict | None
    left_out: Mapping[str, Mapping[str, Numbers]]
    fit: DataTree | None
    classical: Classical | None = None
    omega: SpreadLaw | None = None
    regression: Regression | None = None
    options: Options = field(default_factory=Options)

    def __repr__(self) -> str:
        return (f"<synthesis of {len(self.rows.labels)} rows: {self.rows.scale}s, {self.effects} effects, "
                f"{self.method}, verdict {self.verdict.word}>")  # fmt: skip

    def _repr_html_(self) -> str:
        """Each effect and each number between them, in a notebook."""
        from bayes.synthesis.tables import effects_table

        table = effects_table(self).to_html(index=False, float_format="{:.3g}".format)
        return f"<p>{escape(repr(self)[1:-1])}</p>{table}"

    @property
    def method(self) -> str:
        """``quadrature`` or ``mcmc``: where the numbers shown come from."""
        return "mcmc" if self.exact is None else "quadrature"

    @property
    def ranges(self) -> tuple[float, str]:
        """Probability and kind of the intervals that are shown."""
        return self.options.prob, self.options.kind

    @property
    def plan(self) -> Plan:
        """The priors, and the model of effects."""
        return Plan(self.mu, self.tau, self.effects, self.omega, self.regression)

    @property
    def numbers(self) -> Mapping[str, Numbers]:
        """The numbers to quote: by quadrature where it exists, otherwise from the draws."""
        return self.chains if self.exact is None else self.exact.numbers

    def one(self, name: str, place: int = 0) -> dict[str, float]:
        """Return the numbers of a quantity, or of one of several, by their names."""
        return {key: float(np.ravel(values)[place]) for key, values in self.numbers[name].items()}

    @property
    def priors(self) -> dict[str, str | None]:
        """Each prior on one line: ``mu``, ``tau``, of moderators ``slope``, of several rows of a study ``omega``.

        Of counts, ``baseline`` and whose log odds it is.
        """
        found = {"mu": self.mu.text, "tau": None if self.tau is None else self.tau.text}
        if self.omega is not None:
            found["omega"] = self.omega.text
        if self.regression is not None:
            found["slope"] = self.regression.slope.text
        if isinstance(self.rows, Counts) and self.rows.arms == 2:
            found["baseline"] = prior_text(self.rows.baseline_prior)
            found["baseline_of"] = f"log odds of {BASELINE_OF[self.rows.baseline_of]}"
        return found

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON: arrays are lists in the order of ``label``; numbers that are not finite are None."""
        exact = self.exact
        return {
            **plain(dict(self.numbers)),
            "label": list(self.rows.labels),
            "moderators": list(self.rows.moderators),
            "places": [] if self.regression is None else list(self.regression.at),
            "scale": self.rows.scale,
            "effects": self.effects,
            "priors": self.priors,
            "read_from": self.rows.source,
            "method": self.method,
            "mcmc": plain(self.chains),
            "quadrature": None if exact is None else {
                **plain(exact.numbers), "log_evidence": plain(exact.log_evidence), "change_on_doubling": exact.change,
                "exact": exact.converged},
            "interval": {"prob": 0.95, "kind": "eti"},
            "classical": None if self.classical is None else plain(
                {name: getattr(self.classical, name) for name in Classical.__dataclass_fields__}),
            "leave_one_out": [{"left_out": label, **plain(found)} for label, found in self.left_out.items()],
            "verdict": self.verdict.word,
            "checks": [plain(one.as_data()) for one in self.verdict.checks],
            "cross_check": None if self.cross_check is None else {
                "verdict": self.cross_check.word, "checks": [plain(one.as_data()) for one in self.cross_check.checks]},
        }  # fmt: skip


@checked
def synthesise(
    rows: LogRatios | Counts | Rates, *, mu: str = "Normal(0, 2)", tau: str | None = None, effects: str = "random",
    draws: int | None = None, rng: int | np.random.Generator = DEFAULT_SEED, options: Options = Options(),
) -> Synthesis:  # fmt: skip
    r"""Pool trials: :math:`y_i \sim N(\theta_i, s_i^2)`, :math:`\theta_i \sim N(\mu, \tau^2)`.

    Parameters
    ----------
    rows
        :class:`LogRatios`, or :class:`Counts` and :class:`Rates` with their exact likelihood; with moderators, studies
        and shared comparators if they have any (of counts these need draws).
    mu, tau
        Priors on one line, for example ``"Normal(0, 2)"`` and ``"HalfCauchy(0.5)"``
        (:mod:`bayes.synthesis.priors`); ``tau`` is HalfNormal(0.5) where nothing is said.
    effects
        ``random``, ``common`` (:math:`\tau = 0`) or ``t`` (Student t with 4 degrees of freedom between trials).
    draws, rng
        Draws kept in each of four chains, and their seed. Where there is a quadrature, chains are made beside it only
        if draws are asked for; otherwise 1000 are the default.
    options
        :class:`Options`; each of them is an argument by its own name too.

    Raises
    ------
    PriorError, UsageError, EvidenceError
        Before any draw.

    Examples
    --------
    >>> rows = LogRatios(("a", "b", "c"), np.array([-0.5, -0.2, -0.9]), np.array([0.2, 0.3, 0.4]))
    >>> found = synthesise(rows)
    >>> found.method, round(float(found.numbers["mu"]["q50"]), 2)
    ('quadrature', -0.48)
    """
    check_word(effects, EFFECTS, "there is no such model of effects", key="effects")
    plan = _plan(rows, mu, tau, effects, options)
    sampled = _only_sampled(rows, plan)
    if (draws is not None or sampled) and isinstance(rows, Counts) and rows.arms == 2 and rows.measure != "OR":
        raise UsageError("risk ratios and differences of counts are computed without draws, and without moderators, "
                         "studies, shared comparators and heavy tails", key="--measure", found=rows.measure,
                         allowed="OR; or --approximate, which gives them normal errors",
                         fix="add --approximate, or leave out what needs draws")  # fmt: skip
    exact, without = None, None
    if not sampled and not isinstance(rows, LogRatios):
        exact, without = grid_posterior(rows, plan.mu, plan.tau, without=options.leave_one_out)
    elif not sampled:
        exact = posterior_of(rows, plan)
    numbers: Mapping[str, Numbers] = {}
    cross_check, fit = None, None
    if exact is None or draws is not None:
        numbers, verdict, fit = _sampled(rows, plan, draws or DRAWS, rng)
    if exact is not None:
        cross_check = None if fit is None else Verdict((*verdict.checks, _agreement(numbers, exact)))
        agreed = () if cross_check is None or not verdict.passed else cross_check.checks[-1:]
        verdict = Verdict((_convergence(exact), *agreed))
    left_out = _left_out(rows, plan, draws or DRAWS, rng, without) if options.leave_one_out else {}
    beside = classical(rows) if isinstance(rows, LogRatios) else None
    return Synthesis(rows, effects, plan.mu, plan.tau, exact, numbers, verdict, cross_check, left_out, fit, beside,
                     plan.omega, plan.regression, options)  # fmt: skip


DRAWS = 1000
"""Draws kept in each chain where nothing is said."""


def _plan(rows: Rows, mu: str, tau: str | None, effects: str, options: Options) -> Plan:
    """The priors, read and checked against the rows."""
    if len(rows.labels) == 1 and tau is None and effects != "common":
        raise EvidenceError("a synthesis needs two rows or more, or a prior of tau that somebody stands for", key="tau",
                            found=list(rows.labels), fix="add rows, or give --tau: one row tells nothing")  # fmt: skip
    mean = mean_law(mu)
    spread = None if effects == "common" else spread_law(DEFAULT_TAU if tau is None else tau)
    check_word(options.kind, ("eti", "hdi"), "there is no such kind of interval", key="kind")
    if not 0 < options.prob < 1:
        raise UsageError("the probability of an interval is a share", key="prob", found=options.prob,
                         allowed="between 0 and 1", fix="write 0.9 for 90 %")  # fmt: skip
    if spread is not None and spread.flat and len(rows.labels) < 3 + len(rows.moderators):
        raise EvidenceError("a flat prior of tau has no posterior with so few rows", key="tau", found=len(rows.labels),
                            allowed=f"{3 + len(rows.moderators)} rows or more", fix="give a proper prior")  # fmt: skip
    several = spread is not None and len(set(rows.study)) < len(rows.study)
    if effects == "t" and (rows.moderators or several):
        raise UsageError("moderators and studies of several rows take normal effects", key="effects", found=effects,
                         allowed=("random", "common"), fix="leave --effects out")  # fmt: skip
    return Plan(mean, spread, effects, spread_law(options.omega) if several else None, _regression(rows, options))


def _regression(rows: Rows, options: Options) -> Regression | None:
    """Prior, centres and places of the moderators."""
    if not rows.moderators:
        if options.at:
            raise UsageError("there is no moderator to predict at", key="--at", fix="add --moderator COL")
        return None
    slope = mean_law(options.slope)
    if len(slope.mean) > 1:
        raise UsageError("a slope has a normal or a flat prior", key="slope", found=slope.text,
                         allowed="Normal(mean, sd) or flat", fix="give one of the two")  # fmt: skip
    design = np.column_stack([np.ones(len(rows.labels)), *rows.moderators.values()])
    if slope.text == "flat" and np.linalg.matrix_rank(design) < design.shape[1]:
        raise UsageError("flat slopes have no posterior: these moderators tell one another, or there are too few rows",
                         key="--moderator", found=list(rows.moderators),
                         fix="leave one out, or give --slope 'Normal(0, 2)'")  # fmt: skip
    groups = {f"{group} = {level}": group for group, levels in rows.levels.items() for level in levels}
    centre = np.array([0.0 if name in groups else float(values.mean()) for name, values in rows.moderators.items()])
    asked: list[Mapping[str, str]] = [{group: level} for group, levels in rows.levels.items() for level in levels]
    places = {", ".join(f"{name} = {value}" for name, value in at.items()): _place(rows, centre, at)
              for at in [*asked, *options.at]}  # fmt: skip
    return Regression(slope, centre, places)


def _place(rows: Rows, centre: np.ndarray, at: Mapping[str, str]) -> np.ndarray:
    """Values of the moderators at a place; what is not named stands at its centre or first level."""
    known = [*rows.levels, *(name for name in rows.moderators if " = " not in name)]
    for name, value in at.items():
        check_word(name, known, "there is no such moderator", key="--at")
        if name in rows.levels:
            check_word(value, rows.levels[name], "this moderator has no such level", key=f"--at {name}")
    found = dict(zip(rows.moderators, centre.tolist(), strict=True))
    for name in found:
        group, _, level = name.partition(" = ")
        if group in rows.levels:
            found[name] = float(at.get(group, rows.levels[group][0]) == level)
        elif name in at:
            if (wrong := trouble(at[name])) is not None:
                raise UsageError(wrong[0], key=f"--at {name}", found=at[name],
                                 fix=f"write for example --at {name}=1.5")  # fmt: skip
            found[name] = float(at[name])
    return np.array([*found.values()])


def _only_sampled(rows: Rows, plan: Plan) -> bool:
    """Whether there is no quadrature of these rows: heavy tails, and counts that something binds together."""
    together = rows.moderators or plan.omega is not None or (not isinstance(rows, LogRatios) and rows.shared)
    return plan.effects == "t" or (not isinstance(rows, LogRatios) and bool(together))


def posterior_of(rows: Rows, plan: Plan, trials: bool = True) -> Exact | None:
    """Return the posterior by quadrature, without what each row is by itself if ``trials`` are not wanted.

    None where only draws give it.
    """
    if _only_sampled(rows, plan):
        return None
    if isinstance(rows, LogRatios):
        return exact_posterior(rows, plan.mu, plan.tau, trials, omega=plan.omega, regression=plan.regression)
    return grid_posterior(rows, plan.mu, plan.tau, trials=trials, without=False)[0]


def _left_out(
    rows: Rows, plan: Plan, draws: int, rng: int | np.random.Generator,
    known: Sequence[Mapping[str, Numbers]] | None = None,
) -> dict[str, Mapping[str, Numbers]]:  # fmt: skip
    """Numbers of all but the effects without each row; none of two rows or fewer."""
    found: dict[str, Mapping[str, Numbers]] = {}
    if len(rows.labels) <= 2 or known is not None:
        return {} if known is None or len(rows.labels) <= 2 else dict(zip(rows.labels, known, strict=True))
    for i, label in enumerate(rows.labels):
        less = posterior_of(rows.without(i), plan, trials=False)
        numbers = _sampled(rows.without(i), plan, draws, rng)[0] if less is None else less.numbers
        found[label] = {name: numbers[name] for name in QUANTITIES if name != "theta"}
    return found


def _sampled(
    rows: Rows, plan: Plan, draws: int, rng: int | np.random.Generator
) -> tuple[dict[str, Numbers], Verdict, DataTree]:
    from bayes.synthesis.chains import TARGET_OF_COUNTS, synthesis_model

    model = synthesis_model(rows, plan)
    close = TARGET if isinstance(rows, LogRatios) else TARGET_OF_COUNTS
    fit = sample(model, draws=draws, rng=rng, target_accept=close)
    if int(fit["sample_stats"]["diverging"].sum()):
        fit = sample(model, draws=draws, rng=rng, target_accept=SHORTER)
    posterior = fit["posterior"].to_dataset()
    numbers = {name: _from_draws(posterior, name) for name in (*QUANTITIES, *BESIDE)
               if name in posterior or name == "tau"}  # fmt: skip
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
    return {key: values[0] for key, values in found.items()} if name in SINGLE else found


def _convergence(exact: Exact) -> Check:
    """What doubling the nodes of the quadrature changes."""
    limit = ENOUGH if exact.mixture is None else SURE
    moved = (f"doubling the nodes moves no number by {max(exact.change, PRECISION):.0e} posterior standard deviations"
             if exact.change < limit else
             f"doubling the nodes still moves a number by {exact.change:.1g} posterior standard deviations, "
             f"required < {limit:g}")  # fmt: skip
    return Check("quadrature", exact.change < limit, exact.change, limit, moved)


def _agreement(numbers: Mapping[str, Numbers], exact: Exact) -> Check:
    """Medians of the draws against the quadrature, in their Monte Carlo standard errors.

    Medians, because they are what is shown, and because their errors are known under heavy tails too.
    """
    worst, where, count = 0.0, "none", 0
    for name in (key for key in numbers if key in exact.numbers and key != "omega"):
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
