"""The linear model of the effect rows: their log ratios and its matrices, without PyMC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayes.errors import EvidenceError
from bayes.evidence import ChangeRow, TrialRow
from bayes.model.parts import Part

__all__ = ["NU", "Design", "design", "effects_part"]

NU = 4.0
"""Degrees of freedom of the heavy-tailed option."""

CONTRAST_BIAS = {"prevalence": "bias_prevalence", "composite": "bias_composite",
                 "completers": "bias_completers", "untreated": "bias_untreated"}  # fmt: skip
CHANGE_BIAS = {"prevalence": "bias_change_prevalence", "odds": "bias_change_odds"}


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """The linear model of the rows: names, log ratios and matrices.

    Parameters
    ----------
    rows, effects, terms
        Labels of rows, of group effects (``"theta: RIOTT"``), and of bias terms.
    y, z, b, s
        Log ratios (row), design (row x effect), bias design (row x term), error covariance (row x row).
    is_theta
        Which effects are thetas.
    """

    rows: tuple[str, ...]
    effects: tuple[str, ...]
    terms: tuple[str, ...]
    y: np.ndarray
    z: np.ndarray
    b: np.ndarray
    s: np.ndarray
    is_theta: np.ndarray


def design(trials: Sequence[TrialRow], changes: Sequence[ChangeRow], biases: Sequence[str]) -> Design:
    """Build the matrices of the linear model from the rows and the bias terms switched on.

    Raises
    ------
    EvidenceError
        If the standard errors and shared arms of the rows are no covariance: before any sampling.
    """
    rows: list[Any] = [*trials, *changes]
    parts: list[list[str]] = [[f"theta: {row.study}"] for row in trials]
    parts += [[f"gamma: {row.study}"] + ([f"theta: {row.study}"] if row.arm == "heroin" else []) for row in changes]
    effects = sorted({name for names in parts for name in names}, key=lambda name: (name.startswith("gamma"), name))
    applies = [_terms(row, biases) for row in rows]
    terms = list(dict.fromkeys(term for found in applies for term in found))
    z = np.array([[float(name in names) for name in effects] for names in parts])
    b = np.array([[float(term in found) for term in terms] for found in applies]).reshape(len(rows), len(terms))
    return Design(
        tuple(row.row for row in rows), tuple(effects), tuple(terms), np.array([row.y for row in rows], dtype=float),
        z, b, _covariance(rows), np.array([name.startswith("theta") for name in effects]),
    )  # fmt: skip


def _terms(row: TrialRow | ChangeRow, biases: Sequence[str]) -> list[str]:
    """Names of the bias terms that apply to one row."""
    if isinstance(row, TrialRow):
        return [CONTRAST_BIAS[word] for word in (row.outcome, row.design) if word in biases and word in CONTRAST_BIAS]
    return [CHANGE_BIAS[row.outcome]] if f"change_{row.outcome}" in biases else []


def _covariance(rows: Sequence[Any]) -> np.ndarray:
    """Error covariance: squared standard errors, and +-shared variance for rows from one arm."""
    s = np.diag([float(row.se) ** 2 for row in rows])
    sign = [-1.0 if isinstance(row, TrialRow) else 1.0 for row in rows]
    for i, first in enumerate(rows):
        for j, second in enumerate(rows):
            if i != j and first.shared_arm and first.shared_arm == second.shared_arm:
                s[i, j] = sign[i] * sign[j] * float(first.shared_se) * float(second.shared_se)
    _check_covariance(rows, s)
    return s


_LEAST_EIGENVALUE = 1e-9


def _check_covariance(rows: Sequence[Any], s: np.ndarray) -> None:
    """Refuse a matrix that no errors can have: correlations without a positive definite matrix."""
    sd = np.sqrt(np.diag(s))
    valid = np.isfinite(sd).all() and (sd > 0).all()
    if valid and np.linalg.eigvalsh(s / np.outer(sd, sd)).min() > _LEAST_EIGENVALUE:
        return
    shared = [row.row for row in rows if row.shared_arm]
    found = [row.shared_se if row.shared_arm else row.se for row in rows if row.shared_arm or not shared]
    raise EvidenceError(
        "the errors of these rows are no covariance", table=", ".join(shared or [row.row for row in rows]),
        key="shared_se", found=found, fix="correct se or shared_se",
        allowed="shared_se squared less than the product of the standard errors of the two rows",
    )  # fmt: skip


def effects_part(frame: Design) -> Part:
    """Log ratios and their error covariance; the layout is the design."""
    coords = {"effect_row": frame.rows, "group_effect": frame.effects, "bias_term": frame.terms}
    layout = {"z": frame.z.tolist(), "b": frame.b.tolist(), "is_theta": frame.is_theta.tolist(), "terms": frame.terms}
    return Part({"log_ratio__observed": frame.y, "log_ratio__covariance": frame.s}, coords, layout)
