r"""The tail of what is avoided, from the priors: whether it has a mean and a variance.

Avoided offences are products of an outcome of bounded or lognormal-like inputs with :math:`d = e^{\gamma_{new}}`, and,
where a programme harms, with :math:`r = e^{\phi\theta_{new}}` too. Products of independent variables have the heavier
of their tails, so the shape is the largest of those that the priors of ``tau_theta`` and ``tau_gamma`` give
(:func:`bayes.tails.exponential_shape`; :math:`\phi \le 1`), or infinite under Student-t effects. It is stated only
where every other input is known to have all moments; otherwise draws are left to judge.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping

from bayes.priors import Prior
from bayes.tails import all_moments, exponential_shape

__all__ = ["LIGHT", "TAILED", "shape_by_model"]

TAILED = frozenset({"offences_avoided", "victim_crimes_avoided", "offences_avoided_per_patient_year", "net_benefit"})
"""Quantities with this tail."""
LIGHT = frozenset({"patient_years", "entrants", "programme_cost"})
"""Quantities with all moments; others are ratios that are infinite in some draws."""

_FACTORS = ("offences_per_user_year", "opioid_clients", "eligible_share", "occupancy", "current_patients",
            "opiate_users", "countable_share", "untreated_share", "programme_cost", "cost_per_offence")  # fmt: skip
_EXPONENTS = ("offset_all_users", "mu_theta", "mu_gamma", "yearly_decline", "bias_untreated")
_NEEDED = {"fidelity": "Beta", "retention_scale": "LogNormal"}
"""Families of the share of the effect that is kept, at most 1, and of time in treatment, which divides."""
_SPREADS = ("tau_theta", "tau_gamma")


def shape_by_model(variables: Container[object], priors: Mapping[str, Prior]) -> float | None:
    """Return the shape of :data:`TAILED` for a fit with these variables, or ``None`` where the priors do not tell it.

    >>> import bayes
    >>> priors = bayes.load_study().priors
    >>> shape_by_model(priors, priors), shape_by_model([*priors, "effect_weight"], priors)
    (0.4, inf)
    """

    def used(names: Iterable[str]) -> list[Prior]:
        return [priors[name] for name in names if name in variables and name in priors]

    others = [all_moments(prior.family) for prior in used(_FACTORS)]
    exponents = [exponential_shape(prior.family, prior.parameters, spread=False) for prior in used(_EXPONENTS)]
    kept = [prior.family == _NEEDED[prior.name] for prior in used(_NEEDED)]
    spreads = [exponential_shape(prior.family, prior.parameters) for prior in used(_SPREADS)]
    shape = max([0.0, *exponents, *spreads, *([math.inf] if "effect_weight" in variables else [])])
    told = all([*others, *kept]) and not any(math.isnan(one) for one in (*exponents, *spreads))
    return shape if told else None
