"""Which country a study is about: the numbers that say so, in one list, and a look at whether they are of one country.

Four priors count people of a country, and a row of ``ceiling.csv`` its crimes; each says of which country it is, and
``[settings]`` of ``scenarios.toml`` names the country of the study. The sixth number is that of the places.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes.errors import StudyError
from bayes.heroin.quantities import NAMES
from bayes.numbers import compact, per_cent

if TYPE_CHECKING:
    from bayes.study import Study

__all__ = ["PEOPLE", "Number", "check_country", "country_notes", "numbers_of_country"]

PEOPLE = ("population", "opiate_users", "opioid_clients", "current_patients")
"""Priors that count people of a country, each group a part of the one before."""

FEW_TREATED = 1 / 8
"""Share of opiate users in treatment below which the two are perhaps not of one country; our judgement."""

MANY_PLACES = 5
"""Places for each opioid client above which the two are perhaps not of one country; our judgement."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a country: what it is, how much, of which country, and where it stands."""

    words: str
    value: str
    country: str
    place: str


def numbers_of_country(study: Study) -> list[Number]:
    """Return the numbers that are a country's own: medians of the priors, ranges of the totals of crime.

    Examples
    --------
    >>> import bayes
    >>> [(one.words, one.value, one.country) for one in numbers_of_country(bayes.load_study())][2]
    ('opioid clients', '134k', 'England')
    """
    priors = [study.priors[name] for name in PEOPLE]
    totals: list[Any] = study.rows("ceiling")
    return [
        *(Number(NAMES[one.name], compact(_point(study, one.name)), one.country, f"{Path(one.file).name}, [{one.name}]")
          for one in priors),
        *(Number("drug-related crimes a year", f"{compact(row.lower)} to {compact(row.upper)}", row.country,
                 f"evidence/ceiling.csv, row {row.row}") for row in totals),
    ]  # fmt: skip


def check_country(study: Study) -> None:
    """Refuse numbers of several countries in one study.

    Raises
    ------
    StudyError
        Naming every number that is not of the study's country.
    """
    told = [(one.name, one.country, Path(one.file).name) for one in map(study.priors.__getitem__, PEOPLE)]
    told += [(row.row, row.country, "evidence/ceiling.csv") for row in study.rows("ceiling")]
    named = study.settings.country
    country = named or next((other for _, other, _ in told if other), "")
    wrong = [f"{name} ({file}): {other or 'no country'}" for name, other, file in told
             if other != country and (other or named)]  # fmt: skip
    if wrong:
        raise StudyError(
            "these numbers are not of the country of the study", file=study.folder / "scenarios.toml",
            table="settings", key="country", found="; ".join(wrong), allowed=f'country = "{country}" for each',
            fix="replace each number and its source, and then the country beside it",
        )  # fmt: skip


def country_notes(study: Study) -> list[str]:
    """Say where numbers of people and places hardly fit one country: a part above its whole, or far below it.

    Medians are compared; of the places of each scenario, whether they exceed the most users that are credible (the
    97.5 % point), or :data:`MANY_PLACES` for each client.
    """
    people = {name: _point(study, name) for name in PEOPLE}
    notes = [f"{_told(part, people)} are more than {_told(whole, people)}" for whole, part in pairwise(PEOPLE)
             if people[part] > people[whole]]  # fmt: skip
    users, clients = people["opiate_users"], people["opioid_clients"]
    if clients < FEW_TREATED * users:
        notes.append(f"{_told('opioid_clients', people)} are only {per_cent(clients / users, blank='')} of "
                     f"{_told('opiate_users', people)}")  # fmt: skip
    most, name = min((_point(study, "population", 0.975), "opiate or crack users"),
                     (MANY_PLACES * clients, f"times {MANY_PLACES} the opioid clients"))  # fmt: skip
    for key, one in study.scenarios.items():
        if one.places is not None and one.places > most:
            notes.append(f"the scenario {key} has {one.places:,.0f} places, above the {compact(most)} {name}")
    return [f"{note}: are both of one country?" for note in notes]


def _told(name: str, people: dict[str, float]) -> str:
    return f"{compact(people[name])} {NAMES[name]}"


def _point(study: Study, name: str, probability: float = 0.5) -> float:
    from bayes.families import quantile

    prior = study.priors[name]
    return prior.quantiles.get(probability) or quantile(prior.family, prior.parameters, probability)
