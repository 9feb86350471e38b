r"""The same rows under several priors, side by side, with the evidence for each.

Each prior of the mean is crossed with each of the spread. Beside each pair stands the Bayes factor of its mean effect
against none, :math:`p(y \mid \mu \sim \pi) / p(y \mid \mu = 0)` under the same prior of :math:`\tau`: it falls without
end as the prior of the mean is made wider, whatever the rows say, and a prior without density has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bayes.errors import UsageError
from bayes.files import read_toml
from bayes.synthesis.answer import Plan, Rows, posterior_of
from bayes.synthesis.priors import Law, MeanLaw, SpreadLaw, mean_law, spread_law
from bayes.synthesis.rows import LogRatios
from bayes.synthesis.tables import ends_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FACTORS", "named", "prior_sets", "read_sets"]

FACTORS = ("A Bayes factor compares the prior of mu with mu = 0 under the same prior of tau. It depends on that prior: "
           "the wider it is, the more it favours none. It is no probability that there is an effect.")  # fmt: skip
"""What a reader of Bayes factors must know."""


def _none(precision: float) -> MeanLaw:
    """A mean effect of zero, as a normal law of a large precision."""
    return MeanLaw("0", np.ones(1), np.zeros(1), np.full(1, precision), ((1.0, Law("0", "none", {})),))


def named(texts: Sequence[str], key: str) -> dict[str, str]:
    """Read ``NAME=PRIOR`` words; a prior without a name is its own.

    >>> named(["sceptical=Normal(0, 0.2)", "HalfNormal(sigma=1)"], "--mu-set")
    {'sceptical': 'Normal(0, 0.2)', 'HalfNormal(sigma=1)': 'HalfNormal(sigma=1)'}
    """
    found: dict[str, str] = {}
    for text in texts:
        head, equals, tail = text.partition("=")
        name, prior = (head.strip(), tail.strip()) if equals and "(" not in head else (text.strip(), text.strip())
        if name in found:
            raise UsageError("this set stands twice", key=key, found=name, fix="rename one")
        found[name] = prior
    return found


def read_sets(path: Path) -> dict[str, Mapping[str, str]]:
    """Read named pairs of priors: ``[sceptical]`` with ``mu = "…"`` and ``tau = "…"``, one of them or both.

    Raises
    ------
    UsageError, StudyError
        If the file is missing or holds something else.
    """
    found = read_toml(path, UsageError)
    for name, pair in found.items():
        if not isinstance(pair, dict) or not pair or set(pair) - {"mu", "tau"}:
            raise UsageError("a set of priors has mu, tau or both", file=path, key=name, found=pair,
                             allowed='[sceptical] mu = "Normal(0, 0.2)"', fix="correct it")  # fmt: skip
    return found


def prior_sets(rows: Rows, pairs: Mapping[str, tuple[str, str]], omega: SpreadLaw | None = None) -> pd.DataFrame:
    """Return a line for each pair of priors of mean and spread; rows have a quadrature.

    Parameters
    ----------
    rows, pairs
        What is pooled, and priors of mean and spread by name.
    omega
        Prior of the sd between rows of one study, where studies have several.

    Returns
    -------
    DataFrame
        ``set``, ``mu_prior``, ``tau_prior``, ``quantity`` (``mu``, ``theta_new``, ``tau``), ``lower``, ``estimate``,
        ``upper``, ``prob``, ``kind``, ``p_lt_0``, ``log_evidence``, ``bayes_factor`` (of an effect against none).

    Examples
    --------
    >>> rows = LogRatios(("a", "b"), np.array([-0.5, -0.3]), np.array([0.2, 0.2]))
    >>> found = prior_sets(rows, {"sceptical": ("Normal(0, 0.1)", "HalfNormal(0.1)")})
    >>> round(float(found["estimate"].iloc[0]), 2)
    -0.11
    """
    import pandas as pd

    lines = []
    for name, (mu, tau) in pairs.items():
        spread = spread_law(tau)
        zero = _none(1e24 if isinstance(rows, LogRatios) else 1e7)
        found, none = (posterior_of(rows, Plan(one, spread, "random", omega), trials=False)
                       for one in (mean_law(mu), zero))  # fmt: skip
        if found is None or none is None:
            raise UsageError("prior sets need a quadrature", key="--mu-set", fix="add --approximate")
        factor = np.exp(found.log_evidence - none.log_evidence) if not spread.flat else np.nan
        for quantity in ("mu", "theta_new", "tau"):
            one = found.numbers[quantity]
            lines.append({
                "set": name, "mu_prior": mean_law(mu).text, "tau_prior": spread.text, "quantity": quantity,
                **ends_of(one), "p_lt_0": float(one["p_lt_0"]), "log_evidence": found.log_evidence,
                "bayes_factor": float(factor),
            })  # fmt: skip
    return pd.DataFrame(lines)
