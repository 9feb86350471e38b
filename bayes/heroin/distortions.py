"""Worlds that the shipped model does not contain, for ``bayes stress``: errors of press, evidence and demand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bayes.evidence import likelihood
from bayes.question import Distortion, together

if TYPE_CHECKING:
    from xarray import DataArray

    from bayes.study import Study

__all__ = ["distortions"]

TOO_HIGH, EXAGGERATED, HALF = 3.0, 1.3, 0.5
"""Factors of the errors: judgements of what a sceptic would try, not estimates."""
SMALL = 0.5
"""Standard error of a log ratio from which on a trial is small: some 40 people an arm who offend at half the rate."""
ATTEMPTS = 3
"""Small trials that are made for each that is published."""


def distortions(study: Study) -> list[Distortion]:
    """Return the worlds, for the rows of a study.

    The first errors make the programme look better than it is; reports that are halved, and demand that is double, make
    it look worse. All together takes every error once, with demand at half.
    """
    trials = likelihood(study.rows("trials"))
    refractory = [row.row for row in likelihood(study.rows("offending")) if row.population == "refractory"]
    small = [row.row for row in trials if row.se >= SMALL]
    lower = partial(_plus, -np.log(TOO_HIGH))
    errors = [
        Distortion(name="press_too_high", label="432 is three times too high, and studies are right",
                   truths={"offences_per_user_year": 1 / TOO_HIGH, "log_study_mean": lower}),
        Distortion(name="count_too_high", label="the count of refractory patients is three times too high",
                   data={"offending_total": partial(_times, "offending_total_row", refractory, TOO_HIGH)}),
        Distortion(name="trials_exaggerate", label="trials exaggerate by 30 %",
                   data={"log_ratio": partial(_times, "effect_row", [row.row for row in trials], EXAGGERATED)}),
        Distortion(name="reports_halved", label="people report half of what they do",
                   truths={"log_study_mean": partial(_plus, np.log(HALF))}),
        Distortion(name="small_trials_selected", attempts=ATTEMPTS,
                   label="of three small trials the most favourable is published",
                   data={"log_ratio": partial(_published, small)}),
        Distortion(name="demand_half", label="demand is half",
                   truths={"logit_coverage_new": partial(_demand, HALF)}),
    ]  # fmt: skip
    double = Distortion(name="demand_double", label="demand is double",
                        truths={"logit_coverage_new": partial(_demand, 1 / HALF)})  # fmt: skip
    return [*errors, double, together("all_together", "all together, with demand at half", errors)]


def _plus(amount: float, values: DataArray) -> DataArray:
    return values + amount


def _times(dim: str, rows: list[str], factor: float, values: DataArray) -> DataArray:
    """Multiply some rows."""
    return values.where(~values[dim].isin(rows), factor * values)


def _published(rows: list[str], values: DataArray) -> DataArray:
    """Of some rows the lowest attempt, of all others the first."""
    return values.isel(attempt=0).where(~values["effect_row"].isin(rows), values.min("attempt"))


def _demand(factor: float, logit: DataArray) -> DataArray:
    """Multiply a share on the logit scale; nearly everybody at the most."""
    share = (factor / (1 + np.exp(-logit))).clip(max=0.99)
    found: DataArray = np.log(share / (1 - share))
    return found
