"""What parameters and inputs are called in print: one name each, in text, tables and figures."""

from __future__ import annotations

from collections.abc import Mapping

from bayes.projection import INPUTS
from bayes.report.whatif.carried import TITLES

__all__ = ["NAMES", "named"]

NAMES: Mapping[str, str] = {
    **{name: f"{title[0].lower()}{title[1:]}" for name, title in TITLES.items()},
    **INPUTS,
    "mu_theta": "mean effect of prescribed heroin",
    "mu_gamma": "mean change that comparators show",
    "mu_coverage": "mean coverage of other countries",
    "tau_gamma": "spread of comparators' change between settings",
    "sigma_study": "spread between studies of offending",
    "shape_month": "spread between people in one month",
    "offset_entrants": "offending of people who enter",
    "offset_arrestees": "offending of arrestees",
    "bias_untreated": "bias of untreated comparators",
}
"""Names by variable: those of the projection, those of the what-if, and means told from what is drawn around them."""


def named(name: str) -> str:
    """Write the name of a variable in words; of ``"variable: alternative"`` the variable's part is.

    >>> named("mu_theta"), named("mu_theta: sceptical"), named("all_sceptical")
    ('mean effect of prescribed heroin', 'mean effect of prescribed heroin: sceptical', 'all sceptical')
    """
    first, colon, rest = name.partition(": ")
    return NAMES.get(first, first.replace("_", " ")) + colon + rest.replace("_", " ")
