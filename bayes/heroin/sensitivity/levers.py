"""The levers of the shipped model that a tipping point is asked of.

An input of the projection is set to one known value for every draw and projected again. A prior or a piece of
evidence is changed, and the draws are reweighted:

- **432**: the median of the declared prior of offences, its width kept;
- **design bias**: a shift of every randomised contrast towards a larger effect (unblinded self-report, selective
  reporting);
- **an unpublished null trial** of n people an arm: log ratio 0 with standard error :math:`0.6\\sqrt{37/n}`, the error
  the study states for the null trial it has (some 37 people an arm).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from bayes.families import scipy_frozen
from bayes.heroin.evidence import TrialRow
from bayes.heroin.sensitivity.answer import Answer
from bayes.priors import Prior
from bayes.sensitivity.crossing import Lever
from bayes.sensitivity.weights import Floats
from bayes.study import Study

__all__ = ["case_levers"]

NULL_SE, NULL_N = 0.6, 37.0
"""Standard error of a null trial and its people an arm (row ``belgium_null``)."""

_KNOWN = (
    ("rate_ratio", "the rate ratio in a new programme", "", 0.01, 1.2),
    ("offences_per_user_year", "offences of an eligible person", "offences/person-year", 1.0, 1000.0),
    ("coverage_new", "coverage (demand)", "of opioid clients", 0.001, 0.3),
    ("countable_share", "the countable share", "of offences", 0.001, 1.0),
    ("drift", "the change that comparators show too", "times", 0.01, 1.5),
    ("targeting_strength", "the strength of targeting", "", 0.0, 1.0),
)


def case_levers(answer: Answer) -> list[Lever]:
    """Return every lever of the case that its model has."""
    known = [_known(answer, *words) for words in _KNOWN if words[0] in answer.posterior]
    return [*known, _prior_median(answer), _design_bias(answer), _null_trial(answer)]


def _known(answer: Answer, variable: str, name: str, unit: str, low: float, high: float) -> Lever:
    now = float(np.median(answer.draws[variable]))
    return Lever(name, unit, low, high, lambda value: (answer.with_known({variable: value}), None), now)


def _prior_median(answer: Answer) -> Lever:
    prior = answer.study.priors["offences_per_user_year"]
    now = scipy_frozen(prior.family, prior.parameters)
    x, centre = answer.draws[prior.name], float(now.median())

    def at(value: float) -> tuple[None, Floats]:
        moved = now.logpdf(x * centre / value) - math.log(value / centre)
        return None, answer.shaped(moved - now.logpdf(x))

    def refit(value: float) -> Any:
        study = replace(answer.study, priors={**answer.study.priors, prior.name: _scaled(prior, value / centre)})
        return answer.refit(study, answer.structure, [prior.name])[answer.quantity]

    unit = "offences/person-year"
    return Lever("the prior median of offences (432)", unit, centre / 10, centre * 2, at, centre, refit)


def _scaled(prior: Prior, factor: float) -> Prior:
    """The prior with every quantile multiplied, for families on the positive line."""
    points = {p: float(scipy_frozen(prior.family, prior.parameters).ppf(p)) * factor for p in (0.05, 0.5, 0.95)}
    return replace(prior, quantiles=points, declared={})


def _design_bias(answer: Answer) -> Lever:
    reduction = answer.reduction
    randomised = {row.row for row in answer.study.rows("trials") if row.design == "randomised"}
    rows = reduction.frame.rows
    marks = np.array([float(row in randomised) for row in rows])
    base = reduction.log_density(rows)

    def at(value: float) -> tuple[None, Floats]:
        return None, answer.shaped(reduction.log_density(rows, shift=value * marks) - base)

    def changed(row: Any, value: float) -> Any:
        return replace(row, y=row.y - value) if row.row in randomised else row

    def refit(value: float) -> Any:
        trials = tuple(changed(row, value) for row in answer.study.evidence["trials"])
        return _again(answer, replace(answer.study, evidence={**answer.study.evidence, "trials": trials}))

    return Lever("the bias of randomised contrasts", "(log ratio)", -2.0, 0.5, at, 0.0, refit)


def _null_trial(answer: Answer) -> Lever:
    mu, tau = answer.draws["mu_theta"], answer.draws.get("tau_theta", np.zeros_like(answer.draws["mu_theta"]))

    def at(log_n: float) -> tuple[None, Floats]:
        variance = tau**2 + NULL_SE**2 * NULL_N / math.exp(log_n)
        return None, answer.shaped(-0.5 * mu**2 / variance - 0.5 * np.log(variance))

    def refit(log_n: float) -> Any:
        return _again(answer, _with_null(answer.study, NULL_SE * math.sqrt(NULL_N / math.exp(log_n))))

    name = "an unpublished null trial, people an arm"
    return Lever(name, "", math.exp(math.log(5)), math.exp(math.log(5000)), lambda n: at(math.log(n)), math.nan,
                 lambda n: refit(math.log(n)))  # fmt: skip


def _with_null(study: Study, se: float) -> Study:
    row = TrialRow(row="null_trial", data_set="unpublished null trial", use="likelihood", why="what if",
                   source="toolkit", locator="", status="judgement", note="", study="Unpublished trial",
                   outcome="count", design="randomised", y=0.0, se=se, se_kind="stated", shared_arm="",
                   shared_se=None)  # fmt: skip
    return replace(study, evidence={**study.evidence, "trials": (*study.evidence["trials"], row)})


def _again(answer: Answer, study: Study) -> Any:
    return answer.refit(study, answer.structure, ["mu_theta"])[answer.quantity]
