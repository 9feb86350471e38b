r"""The classical numbers that readers of a meta-analysis look for, beside the Bayesian: with these, no prior enters.

With weights :math:`w_i = 1/s_i^2`, :math:`Q = \sum w_i (y_i - x_i\hat\beta)^2` on :math:`k - p` degrees of freedom.
:math:`\tau^2` by restricted maximum likelihood (REML), by the moments of DerSimonian and Laird (1986, Control. Clin.
Trials 7:177) and of Paule and Mandel (1982, J. Res. NBS 87:377), which solve :math:`Q(\tau^2) = k - p`.
With the typical
sampling variance :math:`\tilde s^2 = (k - p) / \mathrm{tr} P`, :math:`I^2 = \tau^2 / (\tau^2 + \tilde s^2)` and
:math:`H^2 = 1 + \tau^2 / \tilde s^2` (Higgins and Thompson 2002, Stat. Med. 21:1539). The interval of Knapp and Hartung
(2003, Stat. Med. 22:2693) scales the variance of the mean by the weighted residuals and takes a t; the prediction
interval is :math:`\hat\mu \pm z \sqrt{\tau^2 + \mathrm{se}^2}`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes.synthesis.rows import LogRatios

__all__ = ["Classical", "Fitted", "classical", "fitted", "tau2_by"]

ESTIMATORS = ("REML", "DL", "PM")


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Coefficients by generalised least squares given a variance between rows.

    Parameters
    ----------
    tau2
        The variance.
    beta, covariance
        Coefficients, the mean first, and their covariance.
    residual
        Weighted sum of squared residuals.
    log_restricted
        Restricted log likelihood, without its constant.
    trace
        Trace of the projection that takes the coefficients out of the weights.
    """

    tau2: float
    beta: np.ndarray
    covariance: np.ndarray
    residual: float
    log_restricted: float
    trace: float


@dataclass(frozen=True, slots=True, eq=False)
class Classical:
    """Heterogeneity and intervals without priors.

    Parameters
    ----------
    q, df, p
        Cochran's Q, its degrees of freedom and p-value.
    tau2
        By ``REML``, ``DL`` and ``PM``.
    i2, h2
        At the REML estimate; ``i2`` is a share.
    mean, se
        Of the mean of random effects, at the REML estimate.
    common, common_interval
        The effect that all rows would share (tau 0), and its confidence interval by normal quantiles.
    interval, knapp_hartung, prediction
        Confidence intervals of the mean, by normal quantiles and by Knapp and Hartung; and the prediction interval.
    prob
        Their level.
    """

    q: float
    df: int
    p: float
    tau2: dict[str, float]
    i2: float
    h2: float
    mean: float
    se: float
    common: float
    common_interval: tuple[float, float]
    interval: tuple[float, float]
    knapp_hartung: tuple[float, float]
    prediction: tuple[float, float]
    prob: float


_FINEST = 1e-12
"""Share of all weight that the rows beside the heaviest have at the least: below it their sum is lost in rounding."""


def fitted(y: np.ndarray, s: np.ndarray, x: np.ndarray, tau2: float) -> Fitted:
    """Fit coefficients given a variance between rows.

    Parameters
    ----------
    y, x
        Estimates (row), design (row, coefficient).
    s
        Sampling covariance (row, row), or variances (row).
    """
    if s.ndim == 1:
        weight = 1 / (s + tau2)
        wx, total, log = weight[:, None] * x, weight.sum(), np.log(weight).sum()
    else:
        weight = np.linalg.inv(s + tau2 * np.eye(len(y)))
        wx, total, log = weight @ x, np.trace(weight), np.linalg.slogdet(weight)[1]
    covariance = np.linalg.inv(x.T @ wx)
    beta = covariance @ (wx.T @ y)
    r = y - x @ beta
    residual = float(r @ (weight * r if s.ndim == 1 else weight @ r))
    log += np.linalg.slogdet(covariance)[1] - residual
    return Fitted(tau2, beta, covariance, residual, float(log / 2), float(total - np.trace(wx.T @ wx @ covariance)))


def tau2_by(method: str, y: np.ndarray, s: np.ndarray, x: np.ndarray) -> float:
    """Estimate the variance between rows; zero where the estimating equation has no positive root.

    Parameters
    ----------
    method
        ``REML``, ``DL`` or ``PM``.
    """
    df = len(y) - x.shape[1]
    none = fitted(y, s, x, 0.0)
    if method == "DL":
        return float(max(0.0, (none.residual - df) / none.trace))
    from scipy.optimize import brentq, minimize_scalar

    top = 10 * float(np.var(y) + s.mean()) + 1e-12
    if method == "PM":
        if none.residual <= df:
            return 0.0
        while fitted(y, s, x, top).residual > df:
            top *= 4
        return float(brentq(lambda t: fitted(y, s, x, t).residual - df, 0.0, top, xtol=1e-14 * top))
    spread = np.linspace(0, 1, 60) ** 3 * top
    best = int(np.argmax([fitted(y, s, x, t).log_restricted for t in spread]))
    ends = float(spread[max(best - 1, 0)]), float(spread[min(best + 1, 59)])
    found = minimize_scalar(lambda t: -fitted(y, s, x, t).log_restricted, bounds=ends, method="bounded",
                            options={"xatol": 1e-10 * top})  # fmt: skip
    return float(found.x) if -found.fun > none.log_restricted else 0.0


def classical(rows: LogRatios, prob: float = 0.95) -> Classical | None:
    """Return the classical numbers of rows with standard errors; None where there are no more rows than coefficients,
    or where one outweighs all others beyond the digits of a double.

    With moderators the mean is the effect where each has its average.

    Examples
    --------
    >>> rows = LogRatios(("a", "b", "c"), np.array([-0.5, -0.2, -0.9]), np.array([0.2, 0.3, 0.4]))
    >>> round(classical(rows).q, 3)
    1.984
    """
    from scipy import stats

    x = np.column_stack([np.ones(len(rows.y)), *(values - values.mean() for values in rows.moderators.values())])
    y, df = rows.y, len(rows.y) - x.shape[1]
    if df < 1 or np.linalg.matrix_rank(x) < x.shape[1]:
        return None
    s = rows.se**2 if rows.covariance is None else rows.covariance
    none = fitted(y, s, x, 0.0)
    if none.trace <= _FINEST * float((rows.se**-2).sum()):
        return None
    tau2 = {method: tau2_by(method, y, s, x) for method in ESTIMATORS}
    at = fitted(y, s, x, tau2["REML"])
    typical = df / none.trace
    se = float(at.covariance[0, 0] ** 0.5)
    z, t = float(stats.norm.isf((1 - prob) / 2)), float(stats.t(df).isf((1 - prob) / 2))
    mean, scaled = float(at.beta[0]), se * (at.residual / df) ** 0.5
    common, narrow = float(none.beta[0]), z * float(none.covariance[0, 0] ** 0.5)
    wide = z * (tau2["REML"] + se**2) ** 0.5
    return Classical(
        none.residual, df, float(stats.chi2(df).sf(none.residual)), tau2, tau2["REML"] / (tau2["REML"] + typical),
        1 + tau2["REML"] / typical, mean, se, common,
        (common - narrow, common + narrow), (mean - z * se, mean + z * se), (mean - t * scaled, mean + t * scaled),
        (mean - wide, mean + wide), prob,
    )  # fmt: skip
