"""Scale-up scenarios of the shipped question, and the settings of a projection."""

from __future__ import annotations

from dataclasses import dataclass

from bayes.records import number, text, word

__all__ = ["TODAY", "Scenario", "Settings"]

TODAY = "today"
"""Patients of today: what a scenario is compared with, or what it keeps in place of a country's coverage."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every scenario of a study.

    Parameters
    ----------
    horizon_years
        Years projected, 1 to 50.
    discount_rate
        Real rate a year for money, 0 to 0.2.
    press_offences, press_reduction
        The two headline numbers of the press arithmetic, places x offences x reduction.
    press_source, press_reduction_source, discount_source
        Keys of the references they come from; each must stand in ``references.bib``.
    country, period
        The country and the time that the numbers are of: what the report says of whom it speaks.
    headline
        The scenario that is asked about where none is named; :func:`bayes.scenarios.middle_scenario` by default.
    """

    horizon_years: int = number(1, 50, default=10)
    discount_rate: float = number(0, 0.2, default=0.035, share="rate")
    press_offences: float = number(0, 1e5, default=432.0)
    press_reduction: float = number(0, 1, default=0.60, share="reduction")
    press_source: str = text(default="", reference=True)
    press_reduction_source: str = text(default="", reference=True)
    discount_source: str = text(default="", reference=True)
    country: str = text(default="")
    period: str = text(default="")
    headline: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to scale up.

    Parameters
    ----------
    name, label
        Key in the file; what tables and figures print.
    places
        Treatment places when complete; leave out when ``coverage_of`` is given.
    coverage_of
        A country of the coverage evidence: places are that country's share of the opioid clients; or ``today``: places
        are today's patients, ``current_patients``, the quantity that other scenarios subtract.
    start_year
        Year, counted from the start of the horizon, in which the build-up begins (0 = at once).
    years_to_full
        Years from the start of the build-up to completion (0 = complete at once).
    ramp
        ``linear`` or ``logistic``.
    demand_cap
        Whether places above demand stay empty.
    against
        ``today`` (present patients are subtracted) or ``none`` (compared with no programme at all).
    stress
        A stress case is labelled as such wherever it is shown.
    """

    name: str
    label: str
    places: float | None = number(0, 1e7, default=None, instead_of="coverage_of")
    coverage_of: str = text(default="", instead_of="places")
    start_year: float = number(0, 50, default=0.0)
    years_to_full: float = number(0, 50, default=0.0)
    ramp: str = word("linear", "logistic", default="linear")
    demand_cap: bool = True
    against: str = word(TODAY, "none", default=TODAY)
    stress: bool = False
