r"""Leaving evidence out: what each row, each study and each kind of source does to the answer.

Without rows :math:`S` the posterior is :math:`p(\phi \mid y_{-S}) \propto p(\phi \mid y) / p(y_S \mid y_{-S}, \phi)`,
so that the weights are the inverse of the density of what is left out. For rows that are independent given the
parameters that is the sum of their elements of ``log_likelihood``. Where a row alone pins a parameter of its own (a
study's effect) such weights fail; a caller that can integrate that parameter out passes its own changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayes.arguments import checked
from bayes.draws import Fit, fit_from
from bayes.errors import UsageError
from bayes.sensitivity.case import Analysis, Case, Request
from bayes.sensitivity.changes import Change, Targets, compare
from bayes.sensitivity.doors import targets_from, with_densities
from bayes.summaries import PROB, element_names

if TYPE_CHECKING:
    import pymc as pm
    from xarray import DataTree

__all__ = ["leave_one_out", "row_changes"]


@checked
def leave_one_out(
    fit: Fit,
    targets: Targets,
    *,
    changes: Sequence[Change] | None = None,
    prob: float = PROB,
    refit: bool = True,
    model: pm.Model | None = None,
) -> pd.DataFrame:
    """Leave pieces of evidence out one at a time and tabulate the change of each target.

    Parameters
    ----------
    fit
        A fit with the group ``log_likelihood``, or with ``model``.
    targets
        Draws (chain, draw) by name, or names of scalar variables of the posterior.
    changes
        What to leave out; by default every element of every observed variable (:func:`row_changes`).
    prob
        Probability of the interval.
    refit
        Whether changes whose weights fail are refitted.
    model
        The model of a fit made elsewhere without ``log_likelihood``, which is computed from it then.

    Returns
    -------
    DataFrame
        As :func:`bayes.sensitivity.compare`; ``change`` names what is left out, ``group`` what kind of thing it is.

    Raises
    ------
    UsageError
        If the fit has no pointwise log likelihood.

    Examples
    --------
    With ``fit`` that of the shipped study:

    >>> table = leave_one_out(fit, {"retention_shape": fit["posterior"]["retention_shape"]})
    >>> {"change", "d_median", "khat"} <= set(table.columns)
    True
    """
    fit = fit_from(fit)
    if changes is None:
        changes = row_changes(with_densities(fit, model, ("log_likelihood",)))
    return compare(targets_from(targets, fit), changes, prob=prob, refit=refit)


def row_changes(fit: DataTree) -> list[Change]:
    """List one change for each element of ``log_likelihood``, named ``variable[label, …]``."""
    if "log_likelihood" not in fit.children:
        raise UsageError(
            "the fit lacks a group", key="log_likelihood", found=list(fit.children), fix="fit with bayes.sample"
        )
    found = []
    for name, array in fit["log_likelihood"].data_vars.items():
        ordered = array.transpose("chain", "draw", ...)
        values = np.asarray(ordered.values, dtype=float)
        for index, text in zip(np.ndindex(values.shape[2:]), element_names(ordered), strict=True):
            found.append(Change(text, "row", log_ratio={str(name): -values[(slice(None), slice(None), *index)]}))
    return found


def _run(case: Case, request: Request) -> dict[str, pd.DataFrame]:
    changes = case.rows() if case.rows else ()
    return {"leave_one_out": compare(case.targets, changes, refit=request.refit)} if changes else {}


ANALYSIS = Analysis(_run, "leaving rows out", "an observed variable with a row dim", weight=9)
