r"""Whether small studies say something else than large ones, and what a synthesis would be if some were not published.

``regression``
    The slope of :math:`y` on :math:`s` with weights :math:`1/s^2` (Egger et al. 1997, BMJ 315:629), a t with
    :math:`k - 2` degrees of freedom.
``trim and fill``
    Duval and Tweedie 2000, Biometrics 56:455, with their estimator L0: the outermost studies of the fuller side are set
    aside until the rest is even, and then given mirror images.
``selection``
    A weight function (Vevea and Hedges 1995, Psychometrika 60:419): a study that is not significant in the direction of
    the mean is published with a probability :math:`\eta` relative to one that is, :math:`p(y_i) \propto w(y_i)\,
    N(y_i; \mu, s_i^2 + \tau^2)`, with a Uniform(0, 1) prior of :math:`\eta`, by a sum over a grid.

None of the three can tell publication from other reasons, and with fewer than ten studies none tells anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes.synthesis.classical import fitted, tau2_by
from bayes.synthesis.exact import weighted
from bayes.synthesis.priors import MeanLaw, SpreadLaw
from bayes.synthesis.rows import LogRatios

__all__ = ["FEW", "Selection", "SmallStudies", "mirrored", "regression_on_error", "selection", "small_studies",
           "trim_and_fill"]  # fmt: skip

FEW = 10
"""Fewer studies cannot tell (Sterne et al. 2011, BMJ 343:d4002)."""

_GRID = (121, 60, 40)
"""Points of mu, tau and the publication probability."""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Posterior under a weight function: numbers of ``mu``, ``tau`` and ``eta``, and its evidence against none.

    Parameters
    ----------
    numbers
        ``mean``, ``q2.5``, ``q50``, ``q97.5`` of each.
    bayes_factor
        Of selection, with its prior of ``eta``, against none.
    """

    numbers: dict[str, dict[str, float]]
    bayes_factor: float


@dataclass(frozen=True, slots=True, eq=False)
class SmallStudies:
    """What small studies say beside large ones.

    Parameters
    ----------
    slope, se, t, p
        Of the regression on the standard error.
    filled, side, mean, interval
        Studies that trim and fill adds, on which side of the mean, and the mean (REML) with them.
    selection
        The alternative fit.
    few
        Whether there are too few studies to tell.
    """

    slope: float
    se: float
    t: float
    p: float
    filled: int
    side: str
    mean: float
    interval: tuple[float, float]
    selection: Selection
    few: bool


def small_studies(rows: LogRatios, mu: MeanLaw, tau: SpreadLaw) -> SmallStudies | None:
    """Return the three analyses of rows; None where there are fewer than three, or all errors are equal."""
    if len(rows.y) < 3 or np.ptp(rows.se) == 0:
        return None
    slope, se, t, p = regression_on_error(rows.y, rows.se)
    filled, side, mean, interval = trim_and_fill(rows.y, rows.se)
    found = selection(rows, mu, tau)
    return SmallStudies(slope, se, t, p, filled, side, mean, interval, found, len(rows.y) < FEW)


def regression_on_error(y: np.ndarray, se: np.ndarray) -> tuple[float, float, float, float]:
    """Return slope, its standard error, t and p of the weighted regression on the standard error."""
    from scipy import stats

    x = np.column_stack([np.ones(len(y)), se])
    at = fitted(y, se**2, x, 0.0)
    error = float((at.covariance[1, 1] * at.residual / (len(y) - 2)) ** 0.5)
    t = float(at.beta[1]) / error
    return float(at.beta[1]), error, t, float(2 * stats.t(len(y) - 2).sf(abs(t)))


def trim_and_fill(y: np.ndarray, se: np.ndarray) -> tuple[int, str, float, tuple[float, float]]:
    """Return how many studies are filled in, on which side, and the mean by REML with them and its 95 % interval."""
    from scipy.stats import norm

    added = mirrored(y, se)
    whole, error = _mean(np.r_[y, added[:, 0]], np.r_[se, added[:, 1]])
    half = float(norm.ppf(0.975)) * error
    side = "left" if regression_on_error(y, se)[0] > 0 else "right"
    return len(added), side, whole, (whole - half, whole + half)


def mirrored(y: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Return estimates and standard errors (study, 2) that trim and fill adds."""
    from scipy.stats import rankdata

    sign, k = 1.0 if regression_on_error(y, se)[0] > 0 else -1.0, len(y)
    order = np.argsort(sign * y, kind="stable")
    z, s = (sign * y)[order], se[order]
    mean, missing = _mean(z, s)[0], 0
    for _ in range(100):
        mean = _mean(z[: k - missing], s[: k - missing])[0]
        gaps = z - mean
        t = rankdata(np.abs(gaps))[gaps > 0].sum()
        new = max(0, min(round((4 * t - k * (k + 1)) / (2 * k - 1)), k - 2))
        if new == missing:
            break
        missing = new
    return np.column_stack([sign * (2 * mean - z[k - missing :]), s[k - missing :]])


def _mean(y: np.ndarray, se: np.ndarray) -> tuple[float, float]:
    x = np.ones((len(y), 1))
    at = fitted(y, se**2, x, tau2_by("REML", y, se**2, x))
    return float(at.beta[0]), float(at.covariance[0, 0] ** 0.5)


def selection(rows: LogRatios, mu: MeanLaw, tau: SpreadLaw, alpha: float = 0.025) -> Selection:
    """Fit the weight function with one step at a one-sided p of ``alpha`` in the direction of the mean."""
    from scipy.stats import norm

    middle, reach = float(np.average(rows.y, weights=rows.se**-2)), float(np.std(rows.y) + rows.se.min())
    sign = -1.0 if middle < 0 else 1.0
    m = np.linspace(middle - 5 * reach, middle + 5 * reach, _GRID[0])
    t = (np.arange(_GRID[1]) + 0.5) * 4 * reach / _GRID[1]
    eta = (np.arange(_GRID[2]) + 0.5) / _GRID[2]
    cut = float(norm.isf(alpha)) * rows.se
    sd = np.sqrt(rows.se**2 + t[:, None] ** 2)
    shifted = sign * (rows.y - m[:, None, None])
    logs = (norm.logpdf(shifted / sd) - np.log(sd)).sum(axis=-1)
    significant = norm.sf((cut - sign * m[:, None, None]) / sd)
    few = int((sign * rows.y < cut).sum())
    prior = mu.logpdf(m)[:, None] + tau.logpdf(t)
    whole = np.stack([logs + few * np.log(one) - np.log(significant + one * (1 - significant)).sum(axis=-1)
                      for one in eta], axis=-1) + prior[..., None]  # fmt: skip
    mass = np.exp(whole - whole.max())
    evidence = np.log(mass.mean(axis=-1).sum()) + whole.max() - np.logaddexp.reduce(logs + prior, axis=None)
    mass /= mass.sum()
    axes = {"mu": (m, (1, 2)), "tau": (t, (0, 2)), "eta": (eta, (0, 1))}
    numbers = {name: {key: float(value) for key, value in weighted(x, mass.sum(axis=over)).items()}
               for name, (x, over) in axes.items()}  # fmt: skip
    return Selection(numbers, float(np.exp(evidence)))
