"""The linear model of the effect rows: their log ratios and its matrices, without PyMC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.clusters import clusters_of, padded
from bayes.declared import Part
from bayes.errors import EvidenceError
from bayes.heroin.evidence import ChangeRow, TrialRow

if TYPE_CHECKING:
    from bayes.heroin.model.structure import Structure
    from bayes.study import Study

__all__ = ["NU", "SLOPE", "Design", "Places", "design", "design_of", "effects_part", "places"]

SLOPE = "slope_small_studies"
"""The bias of a contrast in units of its standard error."""

NU = 4.0
"""Degrees of freedom of the heavy-tailed option."""


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
    clusters
        Rows, by their numbers, that covary: they share an effect or an arm.
    """

    rows: tuple[str, ...]
    effects: tuple[str, ...]
    terms: tuple[str, ...]
    y: np.ndarray
    z: np.ndarray
    b: np.ndarray
    s: np.ndarray
    is_theta: np.ndarray
    clusters: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the rows and effects of a design stand in its clusters: places by number, -1 for none.

    Parameters
    ----------
    members
        Row at each place (cluster, place).
    effects
        Effects of each row (row, …).
    common
        Effects that two rows share (cluster, place, place, …).
    rows
        Rows of each effect (effect, …), counted place by place, ``place * clusters + cluster``.
    """

    members: np.ndarray
    effects: np.ndarray
    common: np.ndarray
    rows: np.ndarray


def design(
    trials: Sequence[TrialRow], changes: Sequence[ChangeRow], biases: Sequence[str], small_studies: bool = False
) -> Design:
    """Build the matrices of the linear model from the rows and the bias terms switched on.

    The term of small studies (:data:`SLOPE`) is last: its column holds the standard errors of the contrasts.

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
    number = {name: i for i, name in enumerate(effects)}
    z = np.zeros((len(rows), len(effects)))
    for row, names in enumerate(parts):
        z[row, [number[name] for name in names]] = 1.0
    keys = [[*names, *([f"arm: {row.shared_arm}"] if row.shared_arm else [])]
            for row, names in zip(rows, parts, strict=True)]  # fmt: skip
    b = np.array([[float(term in found) for term in terms] for found in applies]).reshape(len(rows), len(terms))
    if small_studies:
        terms.append(SLOPE)
        b = np.column_stack([b, [float(row.se or 0) if isinstance(row, TrialRow) else 0.0 for row in rows]])
    return Design(
        tuple(row.row for row in rows), tuple(effects), tuple(terms), np.array([row.y for row in rows], dtype=float),
        z, b, _covariance(rows), np.array([name.startswith("theta") for name in effects]),
        tuple(map(tuple, clusters_of(keys))),
    )  # fmt: skip


def design_of(study: Study, structure: Structure) -> Design:
    """Build the linear model of a study, without changes where there is no drift."""
    return design(study.rows("trials"), study.rows("prepost") if structure.drift else [], structure.biases,
                  structure.small_studies)  # fmt: skip


def _terms(row: TrialRow | ChangeRow, biases: Sequence[str]) -> list[str]:
    """Names of the bias terms that apply to one row."""
    words = [row.outcome, row.design] if isinstance(row, TrialRow) else [f"change_{row.outcome}"]
    return [f"bias_{word}" for word in words if word in biases]


def _covariance(rows: Sequence[Any]) -> np.ndarray:
    """Error covariance: squared standard errors, and +-shared variance for rows from one arm."""
    s = np.diag([float(row.se) ** 2 for row in rows])
    sign = [-1.0 if isinstance(row, TrialRow) else 1.0 for row in rows]
    for found in clusters_of([[row.shared_arm] if row.shared_arm else [] for row in rows]):
        for i, j in permutations(found, 2):
            s[i, j] = sign[i] * sign[j] * float(rows[i].shared_se) * float(rows[j].shared_se)
        _check_covariance([rows[i] for i in found], s[np.ix_(found, found)])
    return s


_LEAST_EIGENVALUE = 1e-9


def _check_covariance(rows: Sequence[Any], s: np.ndarray) -> None:
    """Refuse a matrix that no errors of rows of one arm can have."""
    sd = np.sqrt(np.diag(s))
    valid = np.isfinite(sd).all() and (sd > 0).all()
    if valid and (len(rows) == 1 or np.linalg.eigvalsh(s / np.outer(sd, sd)).min() > _LEAST_EIGENVALUE):
        return
    raise EvidenceError(
        "the errors of these rows are no covariance", table=", ".join(row.row for row in rows), key="shared_se",
        found=[row.shared_se if row.shared_arm else row.se for row in rows], fix="correct se or shared_se",
        allowed="shared_se squared less than the product of the standard errors of the two rows",
    )  # fmt: skip


def places(frame: Design) -> Places:
    """Return where rows and effects stand in the clusters of a design."""
    members = padded(frame.clusters)
    effects = [np.flatnonzero(row).tolist() for row in frame.z]
    pairs = [[sorted(set(effects[i]) & set(effects[j])) if min(i, j) >= 0 else [] for i in row for j in row]
             for row in members.tolist()]  # fmt: skip
    common = padded([shared for row in pairs for shared in row])
    at = {int(row): number for number, row in enumerate(members.T.ravel()) if row >= 0}
    of: dict[int, list[int]] = {}
    for row, found in enumerate(effects):
        for effect in found:
            of.setdefault(effect, []).append(at[row])
    clusters, width = members.shape
    return Places(members, padded(effects), common.reshape(clusters, width, width, -1),
                  padded([of[effect] for effect in range(len(frame.effects))]))  # fmt: skip


def effects_part(frame: Design) -> Part:
    """Log ratios, their standard errors and the covariances of rows from one arm; the layout is the design."""
    coords = {"effect_row": frame.rows, "group_effect": frame.effects, "bias_term": frame.terms}
    layout = {"effects": [np.flatnonzero(row).tolist() for row in frame.z], "clusters": frame.clusters,
              "b": [np.flatnonzero(row).tolist() for row in frame.b], "is_theta": frame.is_theta.tolist(),
              "terms": frame.terms}  # fmt: skip
    members = padded(frame.clusters)
    both = (members[:, :, None] >= 0) & (members[:, None, :] >= 0) & ~np.eye(members.shape[1], dtype=bool)
    shared = np.where(both, frame.s[members[:, :, None], members[:, None, :]], 0.0)
    data = {"log_ratio__observed": frame.y, "log_ratio__se": np.sqrt(np.diag(frame.s)), "log_ratio__shared": shared}
    return Part(data, coords, layout)
