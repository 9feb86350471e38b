r"""What the model predicts for published figures that it is not fitted to (``facts.csv``, :mod:`bayes.facts`).

A figure is that of a *new* study or setting: means vary between studies by ``sigma_study``, effects and drift are
``theta_new`` and ``gamma_new``. Where a row gives its ``persons`` their sampling error is added: binomial of shares,
and of a ratio of two totals of :math:`n` people that of two gammas with shape :math:`n k`, :math:`k` the spread between
people.

What police record or courts convict has no law of its own here: the model holds self-reported offences, and a change in
convictions is compared with the change in offences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bayes.facts import Prediction
from bayes.heroin.evidence.offending import DAYS, MONTH, POPULATIONS, share_with_none
from bayes.records import POSITIVE, number, word

if TYPE_CHECKING:
    import numpy as np

    from bayes.heroin.laws import Floats

__all__ = ["FACTS"]

type _Draws = Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class People:
    """Whom a figure is about, how many of them, and in how many days."""

    population: str = word(*POPULATIONS)
    days: float = number(POSITIVE, default=DAYS)
    persons: float | None = number(1, default=None)


@dataclass(frozen=True, slots=True)
class Top:
    """The most active share of people, and in how many days."""

    top: float = number(POSITIVE, 1, share="share")
    days: float = number(POSITIVE, default=DAYS)


@dataclass(frozen=True, slots=True)
class Change:
    """After over before in one arm: of a count of offences, or of a share of people; in windows of ``days``."""

    arm: str = word("comparator", "heroin")
    outcome: str = word("count", "prevalence", default="count")
    days: float = number(POSITIVE, default=DAYS)
    persons: float | None = number(1, default=None)


@dataclass(frozen=True, slots=True)
class Stay:
    """After how many years, and of how many who entered."""

    years: float = number(POSITIVE)
    persons: float | None = number(1, default=None)


@dataclass(frozen=True, slots=True)
class Some:
    """Of how many people."""

    persons: float | None = number(1, default=None)


def _shape(draws: _Draws, days: float) -> Floats:
    """Spread between people in a window: of a month, or of a year."""
    return draws["shape_month" if days < MONTH else "shape_year"]


def _mean(draws: _Draws, given: People, rng: np.random.Generator) -> Floats:
    """Mean offences of a person in the window, in a new study of a population."""
    import numpy as np

    offset = draws["offset"][:, POPULATIONS.index(given.population)]
    between = draws["sigma_study"] * rng.standard_normal(len(offset))
    found: Floats = draws["offences_per_user_year"] * np.exp(offset + between) * (given.days / DAYS)
    return found


def _counted(share: Floats, persons: float | None, rng: np.random.Generator) -> Floats:
    """A share as so many people would show it."""
    import numpy as np

    return share if persons is None else np.asarray(rng.binomial(int(persons), share) / persons)


def _any(draws: _Draws, given: People, rng: np.random.Generator) -> Floats:
    share = 1 - share_with_none(_mean(draws, given, rng), _shape(draws, given.days))
    return _counted(share, given.persons, rng)


def _total(draws: _Draws, given: People, rng: np.random.Generator) -> Floats:
    mean, shape = _mean(draws, given, rng), _shape(draws, given.days)
    if given.persons is None:
        return mean
    people = given.persons * shape
    return rng.poisson(given.persons * mean * rng.standard_gamma(people) / people) / given.persons


def _top(draws: _Draws, given: Top, rng: np.random.Generator) -> Floats:
    from bayes.heroin.outcomes import top_share

    found: Floats = top_share(given.top, _shape(draws, given.days))
    return found


def _change(draws: _Draws, given: Change, rng: np.random.Generator) -> Floats:
    import numpy as np

    log = draws["gamma_new"] + (draws["theta_new"] if given.arm == "heroin" else 0.0)
    log = log + (draws["bias_change_prevalence"] if given.outcome == "prevalence" else 0.0)
    found: Floats = np.exp(log)
    if given.persons is not None and given.outcome == "count":
        people = given.persons * _shape(draws, given.days)
        found = found * rng.standard_gamma(people) / rng.standard_gamma(people)
    return found


def _retained(draws: _Draws, given: Stay, rng: np.random.Generator) -> Floats:
    import numpy as np

    scale = np.exp(draws.get("log_retention_scale_new", np.log(draws["retention_scale"])))
    return _counted(np.exp(-((given.years / scale) ** draws["retention_shape"])), given.persons, rng)


def _coverage(draws: _Draws, given: Some, rng: np.random.Generator) -> Floats:
    from scipy.special import expit

    return _counted(expit(draws["logit_coverage_new"]), given.persons, rng)


def _oral(draws: _Draws, given: Any, rng: np.random.Generator) -> Floats:
    import numpy as np

    return np.exp(draws["bias_untreated"])


FACTS: Mapping[str, Prediction] = MappingProxyType({
    "any_offence": Prediction(meaning="share of people with any offence in the window", draw=_any, columns=People,
                              unit="share", lower=0, upper=1),
    "mean_offences": Prediction(meaning="mean self-reported offences of a person in the window", draw=_total,
                                columns=People, unit="offences", lower=0),
    "top_share": Prediction(meaning="share of all offences by the most active people", draw=_top, columns=Top,
                            unit="share", lower=0, upper=1),
    "change": Prediction(meaning="offending after over before in a new setting", draw=_change, columns=Change,
                         unit="ratio", lower=0),
    "oral_treatment": Prediction(meaning="offending on oral treatment over without treatment", draw=_oral,
                                 unit="ratio", lower=0),
    "retained": Prediction(meaning="share still in treatment", draw=_retained, columns=Stay, unit="share", lower=0,
                           upper=1),
    "coverage": Prediction(meaning="share of opioid clients on prescribed heroin, new country", columns=Some,
                           draw=_coverage, unit="share", lower=0, upper=1),
    "eligible": Prediction(meaning="share of opioid clients for whom oral treatment has failed", unit="share",
                           draw=lambda draws, given, rng: draws["eligible_share"], lower=0, upper=1),
    "eligible_of_users": Prediction(meaning="share of opiate users for whom oral treatment has failed", unit="share",
                                    draw=lambda draws, given, rng: draws["eligible_share"] * draws["opioid_clients"]
                                    / draws["opiate_users"], lower=0, upper=1),
})  # fmt: skip
"""By the word in ``quantity``: what predicts such figures, and the columns of their rows."""
