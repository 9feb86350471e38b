r"""How many people a programme reaches and keeps.

Coverage of country :math:`c`: :math:`\mathrm{logit}\, v_c \sim N(\mu_v, \tau_v)`, patients
:math:`\sim \mathrm{Binomial}(clients_c, v_c)`; a new country draws its own :math:`v`. The parameterisation is centred:
four well-measured shares mix far better so. Time in treatment is Weibull, :math:`S(t) = \exp(-(t/\lambda)^\kappa)`,
and the follow-up counts are binomial; the mean stay is :math:`\lambda\, \Gamma(1 + 1/\kappa)` years.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes.evidence import CoverageRow, RetentionRow
from bayes.model.declared import Declared

__all__ = ["add_coverage", "add_programme", "add_retention"]

FORWARD = ("opioid_clients", "occupancy", "current_patients", "eligible_share", "opiate_users",
           "programme_cost", "cost_per_offence")  # fmt: skip


def _observed(rows: Sequence[Any], name: str, columns: tuple[str, str], coord: list[str]) -> tuple[Any, Any]:
    pm.modelcontext(None).add_coord(f"{name}_row", coord)
    part, whole = (np.array([getattr(row, c) for row in rows], dtype=int) for c in columns)
    return (pm.Data(f"{name}__observed", part, dims=f"{name}_row"),
            pm.Data(f"{name}__{columns[1]}", whole, dims=f"{name}_row"))  # fmt: skip


def add_coverage(rows: Sequence[CoverageRow], declared: Declared) -> None:
    """Add achieved coverage by country (``coverage``, dim ``country``) and the predictive ``coverage_new``."""
    pm.modelcontext(None).add_coord("country", [row.country for row in rows])
    mu, tau = declared["mu_coverage"], declared["tau_coverage"]
    logit = pm.Normal("logit_coverage", mu, tau, dims="country")
    coverage = pm.Deterministic("coverage", pm.math.sigmoid(logit), dims="country")
    patients, clients = _observed(rows, "coverage_patients", ("patients", "clients"), [row.row for row in rows])
    pm.Deterministic("coverage_patients_fitted", clients * coverage, dims="coverage_patients_row")
    pm.Binomial("coverage_patients", n=clients, logit_p=logit, observed=patients, dims="coverage_patients_row")
    new = pm.Normal("logit_coverage_new", mu, tau)
    pm.Deterministic("coverage_new", pm.math.sigmoid(new))


def add_retention(rows: Sequence[RetentionRow], declared: Declared) -> None:
    """Add Weibull time in treatment with binomial follow-up, and ``mean_stay`` in years."""
    scale, shape = declared["retention_scale"], declared["retention_shape"]
    retained, entered = _observed(rows, "retention", ("retained", "entered"), [row.row for row in rows])
    years = pm.Data("retention__years", np.array([row.years for row in rows], dtype=float), dims="retention_row")
    survival = pt.exp(-((years / scale) ** shape))
    pm.Deterministic("retention_fitted", entered * survival, dims="retention_row")
    pm.Binomial("retention", n=entered, p=survival, observed=retained, dims="retention_row")
    pm.Deterministic("mean_stay", scale * pt.gamma(1 + 1 / shape))


def add_programme(declared: Declared, targeting: bool) -> None:
    """Add what no evidence row informs: it is drawn forward from its declared prior."""
    for name in FORWARD:
        _ = declared[name]
    if targeting:
        _ = declared["targeting_strength"]
