r"""How many people a programme reaches and keeps.

Coverage of country :math:`c`: :math:`\mathrm{logit}\, v_c \sim N(\mu_v, \tau_v)`, patients
:math:`\sim \mathrm{Binomial}(clients_c, v_c)`; a new country draws its own :math:`v`. The parameterisation is centred:
four well-measured shares mix far better so. Time in treatment is Weibull, :math:`S(t) = \exp(-(t/\lambda)^\kappa)`,
and the follow-up counts are binomial; the mean stay is :math:`\lambda\, \Gamma(1 + 1/\kappa)` years.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pymc as pm
import pytensor.tensor as pt

from bayes.declared import Declared, Part
from bayes.heroin.evidence import CoverageRow, RetentionRow
from bayes.heroin.model.parts import coverage_part, retention_part
from bayes.heroin.quantities import FORWARD

__all__ = ["add_coverage", "add_programme", "add_retention"]


def _data(part: Part, dim: str) -> dict[str, Any]:
    """The labels and the numbers of a part, added to the model; the numbers by the last word of their name."""
    for name, labels in part.coords.items():
        pm.modelcontext(None).add_coord(name, labels)
    return {name.rsplit("__", 1)[1]: pm.Data(name, value, dims=dim) for name, value in part.data.items()}


def add_coverage(rows: Sequence[CoverageRow], declared: Declared) -> None:
    """Add achieved coverage by country (``coverage``, dim ``country``) and the predictive ``coverage_new``."""
    data = _data(coverage_part(rows), "coverage_patients_row")
    clients = data["clients"]
    mu, tau = declared["mu_coverage"], declared["tau_coverage"]
    logit = pm.Normal("logit_coverage", mu, tau, dims="country")
    coverage = pm.Deterministic("coverage", pm.math.sigmoid(logit), dims="country")
    pm.Deterministic("coverage_patients_fitted", clients * coverage, dims="coverage_patients_row")
    pm.Binomial("coverage_patients", n=clients, logit_p=logit, observed=data["observed"], dims="coverage_patients_row")
    new = pm.Normal("logit_coverage_new", mu, tau)
    pm.Deterministic("coverage_new", pm.math.sigmoid(new))


def add_retention(rows: Sequence[RetentionRow], declared: Declared) -> None:
    """Add Weibull time in treatment with binomial follow-up, and ``mean_stay`` in years."""
    scale, shape = declared["retention_scale"], declared["retention_shape"]
    data = _data(retention_part(rows), "retention_row")
    entered, survival = data["entered"], pt.exp(-((data["years"] / scale) ** shape))
    pm.Deterministic("retention_fitted", entered * survival, dims="retention_row")
    pm.Binomial("retention", n=entered, p=survival, observed=data["observed"], dims="retention_row")
    pm.Deterministic("mean_stay", scale * pt.gamma(1 + 1 / shape))


def add_programme(declared: Declared, targeting: bool) -> None:
    """Add what no evidence row informs: it is drawn forward from its declared prior."""
    for name in FORWARD:
        _ = declared[name]
    if targeting:
        _ = declared["targeting_strength"]
