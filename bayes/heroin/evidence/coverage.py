r"""``coverage.csv``: what share of opioid-maintenance clients is on prescribed heroin, by country.

Coverage of country :math:`c`: :math:`\mathrm{logit}\, v_c \sim N(\mu_v, \tau_v)`, patients
:math:`\sim \mathrm{Binomial}(clients_c, v_c)`; a new country draws its own :math:`v`. The parameterisation is centred:
four well-measured shares mix far better so.

What a country achieved is what places and demand allowed together: in a share ``supply_limited`` of countries places
were the limit, and there the log odds of demand are higher by ``unmet_demand``. No row tells the two apart, so both
are judgements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayes.evidence import Row
from bayes.heroin.evidence.table import Evidence, added, counts
from bayes.records import count

if TYPE_CHECKING:
    from bayes.declared import Declared, Part
    from bayes.heroin.laws import Floats, Law
    from bayes.heroin.model.structure import Structure
    from bayes.study import Study

__all__ = ["COVERAGE", "CoverageRow", "coverage_law"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow(Row):
    """How many of a country's opioid-maintenance clients are on prescribed heroin."""

    country: str
    patients: float | None = count(needed=True, part_of="clients")
    clients: float | None = count(needed=True)


def _once(row: CoverageRow) -> Mapping[str, str]:
    return {"coverage of a country": row.country}


def _part(study: Study, structure: Structure) -> Part:
    """Patients and clients by country."""
    from bayes.declared import Part

    rows = study.rows("coverage")
    labels = {"country": [row.country for row in rows], "coverage_patients_row": [row.row for row in rows]}
    return Part(counts(rows, "coverage_patients", ("patients", "clients")), labels, {"rows": len(rows)})


def _add(study: Study, structure: Structure, declared: Declared) -> None:
    """Add achieved coverage by country (``coverage``, dim ``country``) and demand in a new one, ``coverage_new``."""
    import pymc as pm

    data = added(_part(study, structure), "coverage_patients_row")
    clients = data["clients"]
    mu, tau = declared["mu_coverage"], declared["tau_coverage"]
    logit = pm.Normal("logit_coverage", mu, tau, dims="country")
    coverage = pm.Deterministic("coverage", pm.math.sigmoid(logit), dims="country")
    pm.Deterministic("coverage_patients_fitted", clients * coverage, dims="coverage_patients_row")
    pm.Binomial("coverage_patients", n=clients, logit_p=logit, observed=data["observed"], dims="coverage_patients_row")
    new = pm.Normal("logit_coverage_new", mu, tau)
    if structure.unmet_demand:
        new = new + pm.Bernoulli("supply_limits", declared["supply_limited"]) * declared["unmet_demand"]
    pm.Deterministic("coverage_new", pm.math.sigmoid(new))


def coverage_law(row: Any, logit: Floats) -> Law:
    """Return the law of a row given the log odds of its country's coverage."""
    from bayes.heroin.laws import binomial

    return binomial(row.patients, row.clients, logit)


COVERAGE = Evidence(row=CoverageRow, least=2, once=_once, informs="mu_coverage", part=_part, add=_add, place=2)
