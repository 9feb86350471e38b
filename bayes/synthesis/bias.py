r"""Estimates with the biases that somebody judges them to have taken away, study by study.

After Turner, Spiegelhalter, Smith and Thompson 2009, J. R. Stat. Soc. A 172:21: an internal bias (of a study's own
question) and an external one (of its question against ours) shift an estimate by :math:`\mu_b` and add a variance
:math:`\sigma_b^2`, and a proportional one multiplies it,

.. math::
    y' = (y - \mu_I - \mu_E) / \rho, \qquad s'^2 = (s^2 + \sigma_I^2 + \sigma_E^2) / \rho^2 .
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bayes.errors import EvidenceError, UsageError, check_word
from bayes.files import read_toml
from bayes.importing import pairs_of, words_of
from bayes.sheets import read_sheet
from bayes.synthesis.rows import LogRatios, Reading

__all__ = ["BIASES", "adjusted", "read_biases"]

BIASES = ("internal", "internal_sd", "external", "external_sd", "proportional")
"""What may be judged of a study: means and standard deviations on the scale of the estimate, and a factor."""


def adjusted(rows: LogRatios, biases: Mapping[str, np.ndarray]) -> LogRatios:
    """Return rows without their biases.

    Parameters
    ----------
    biases
        Numbers (row) by their names in :data:`BIASES`; what is not given is none.

    Raises
    ------
    EvidenceError, UsageError
        If a name is unknown, a standard deviation negative or a factor not positive.

    Examples
    --------
    >>> rows = LogRatios(("a",), np.array([-0.5]), np.array([0.3]))
    >>> less = adjusted(rows, {"internal": np.array([-0.1]), "internal_sd": np.array([0.4])})
    >>> less.y.round(6).tolist(), less.se.round(6).tolist()
    ([-0.4], [0.5])
    """
    for name in biases:
        if name not in BIASES:
            raise UsageError("there is no such bias", key=name, allowed=BIASES, fix="name one of these")
    none = np.zeros(len(rows.y))
    one = {name: np.asarray(biases.get(name, none + (name == "proportional")), dtype=float) for name in BIASES}
    wrong = [label for label, a, b, c in zip(rows.labels, one["internal_sd"], one["external_sd"], one["proportional"],
                                             strict=True) if not (a >= 0 and b >= 0 and c > 0)]  # fmt: skip
    if wrong:
        raise EvidenceError("a standard deviation of a bias is not negative, and a factor greater than zero",
                            key="bias", found=wrong, fix="correct these rows")  # fmt: skip
    factor, more = one["proportional"], one["internal_sd"] ** 2 + one["external_sd"] ** 2
    covariance = rows.covariance
    if covariance is not None:
        covariance = (covariance + np.diag(more)) / np.outer(factor, factor)
    return replace(rows, y=(rows.y - one["internal"] - one["external"]) / factor,
                   se=np.sqrt(rows.se**2 + more) / factor, covariance=covariance)  # fmt: skip


def read_biases(
    path: Path, given: Sequence[str], labels: Sequence[str], sheet: str | None = None
) -> dict[str, np.ndarray]:
    """Return biases (row) by name, from columns of the table of rows or from TOML files.

    Parameters
    ----------
    path, sheet
        The table of rows.
    given
        ``NAME=COLUMN``, or a file ``FILE.toml`` with a table for each row that has any: ``["Smith 2001"]`` with
        ``internal = -0.1``, ``internal_sd = 0.2`` and the like.
    labels
        Of the rows.

    Raises
    ------
    EvidenceError, StudyError, UsageError
        If a file, a row, a name or a number is none.
    """
    found: dict[str, np.ndarray] = {}
    columns = [text for text in given if not text.endswith(".toml")]
    words = [word for text in columns for word in words_of(text)]
    for name, column in pairs_of(words, "--bias").items():
        found[name] = np.array(Reading(read_sheet(path, sheet)).sheet.numbers(column))
    for text in given:
        if text.endswith(".toml"):
            found |= _from_toml(Path(text), labels)
    return found


def _from_toml(path: Path, labels: Sequence[str]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for label, biases in read_toml(path, UsageError).items():
        check_word(label, labels, "there is no such row", key=f"--bias {path.name}")
        for name, value in biases.items() if isinstance(biases, dict) else ():
            check_word(name, BIASES, "there is no such bias", key=label)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise UsageError("a bias is a number", file=path, key=f"{label}.{name}", found=value, fix="correct it")
            nothing = np.full(len(labels), 1.0 if name == "proportional" else 0.0)
            found.setdefault(name, nothing)[list(labels).index(label)] = value
    return found
