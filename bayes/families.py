"""Families of distributions: from parameters or quantiles, to SciPy and to PyMC.

One table, :data:`FAMILIES`, says for every family its parameters, its support and how to
build it; everything else reads that table. Quantile fits are closed-form where the family
has one and two-dimensional root finding otherwise, and every fit reports how far it misses
the quantiles it was given, so that an impossible elicitation is an error and not a surprise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from bayes.errors import PriorError, closest

if TYPE_CHECKING:
    from pytensor.tensor import TensorVariable

__all__ = ["FAMILIES", "Family", "add_to_model", "family", "fit_quantiles", "misfit", "quantile", "scipy_frozen"]

Parameters = Mapping[str, float]
_z = NormalDist().inv_cdf


@dataclass(frozen=True, slots=True)
class Family:
    """What a family of distributions is called, takes and covers.

    Parameters
    ----------
    name
        The PyMC name, for example ``"LogNormal"``.
    parameters
        Names in PyMC's parameterisation, in order.
    lower, upper
        Ends of the support for every parameter value.
    positive
        Those parameters that must be greater than zero.
    scipy
        ``parameters -> frozen SciPy distribution``.
    fit
        ``{probability: quantile} -> parameters``.
    """

    name: str
    parameters: tuple[str, ...]
    lower: float
    upper: float
    positive: frozenset[str]
    scipy: Callable[[Parameters], Any]
    fit: Callable[[Mapping[float, float]], dict[str, float]]


def family(name: str) -> Family:
    """Look a family up by its PyMC name.

    Raises
    ------
    PriorError
        If there is no such family; the nearest known name is suggested.
    """
    if name not in FAMILIES:
        raise PriorError(
            "this family is not known",
            key="family",
            found=name,
            allowed=FAMILIES,
            fix=closest(name, FAMILIES) or "choose one of the allowed families",
        )
    return FAMILIES[name]


def scipy_frozen(name: str, parameters: Parameters) -> Any:
    """Return the frozen SciPy distribution of a family.

    Examples
    --------
    >>> d = scipy_frozen("LogNormal", {"mu": math.log(432), "sigma": 0.84})
    >>> round(float(d.median()))
    432
    """
    return family(name).scipy(parameters)


def quantile(name: str, parameters: Parameters, probability: float) -> float:
    """Return the quantile function of a family at one probability."""
    return float(scipy_frozen(name, parameters).ppf(probability))


def fit_quantiles(name: str, quantiles: Mapping[float, float]) -> dict[str, float]:
    """Find the member of a family with the given quantiles.

    With as many quantiles as the family has parameters the fit is exact; with more it is
    least squares on the family's natural scale, and :func:`misfit` tells how good.

    Examples
    --------
    >>> p = fit_quantiles("LogNormal", {0.05: 108, 0.5: 432, 0.95: 1728})
    >>> round(p["sigma"], 4)
    0.8428
    """
    found = family(name)
    if len(quantiles) < (1 if len(found.parameters) == 1 else 2):
        raise PriorError(
            f"{name} needs at least {len(found.parameters)} quantiles",
            key="quantiles",
            found=dict(quantiles),
            fix="give more quantiles, or give 'parameters' instead",
        )
    return found.fit(quantiles)


def misfit(name: str, parameters: Parameters, quantiles: Mapping[float, float]) -> float:
    """Return the largest error of fitted quantiles, relative to each and to their spread.

    ``max_p |Q(p) - q_p| / max(|q_p|, (q_max - q_min) / 2)``, dimensionless, so that a quantile near
    zero of a Normal does not divide by nothing.
    """
    dist = scipy_frozen(name, parameters)
    half = (max(quantiles.values()) - min(quantiles.values())) / 2
    return max(
        abs(float(dist.ppf(p)) - q) / max(abs(q), half, 1e-300) for p, q in quantiles.items()
    )


def add_to_model(name: str, family_name: str, parameters: Mapping[str, Any]) -> TensorVariable:
    """Add one random variable to the PyMC model on top of the context stack.

    Parameters may be numbers or PyTensor scalars. A ``ShiftedLogNormal`` becomes the free
    variable ``<name>_excess`` and the deterministic ``name = shift + excess``, which keeps
    the sampler's log transform.
    """
    import pymc as pm

    if family_name == "ShiftedLogNormal":
        excess = pm.LogNormal(f"{name}_excess", mu=parameters["mu"], sigma=parameters["sigma"])
        return pm.Deterministic(name, parameters["shift"] + excess)
    distribution: Any = getattr(pm, family(family_name).name)
    return distribution(name, **dict(parameters))


# --- quantile fits ---------------------------------------------------------------------------


def _line(points: Mapping[float, float]) -> tuple[float, float]:
    """Least-squares line through (z_p, q_p): intercept and slope."""
    pairs = [(_z(p), q) for p, q in points.items()]
    n = len(pairs)
    mean_z, mean_q = sum(z for z, _ in pairs) / n, sum(q for _, q in pairs) / n
    slope = sum((z - mean_z) * (q - mean_q) for z, q in pairs) / sum((z - mean_z) ** 2 for z, _ in pairs)
    return mean_q - slope * mean_z, slope


def _fit_normal(points: Mapping[float, float]) -> dict[str, float]:
    mu, sigma = _line(points)
    return {"mu": mu, "sigma": sigma}


def _fit_lognormal(points: Mapping[float, float]) -> dict[str, float]:
    if min(points.values()) <= 0:
        raise PriorError("a LogNormal has no quantile at or below zero", key="quantiles", found=dict(points))
    return _fit_normal({p: math.log(q) for p, q in points.items()})


def _fit_shifted(points: Mapping[float, float]) -> dict[str, float]:
    """Three quantiles at p, 1/2, 1-p: shift from ``(b - s)^2 = (a - s)(c - s)``."""
    ordered = sorted(points.items())
    if len(ordered) != 3 or abs(ordered[0][0] + ordered[2][0] - 1) > 1e-9 or ordered[1][0] != 0.5:
        raise PriorError("a ShiftedLogNormal needs three quantiles, symmetric about q50",
                         key="quantiles", found=dict(points), fix="give for example q025, q50 and q975")
    (_, a), (_, b), (_, c) = ordered
    if c - b <= b - a:
        raise PriorError("a ShiftedLogNormal needs a longer upper than lower tail", key="quantiles",
                         found=dict(points), fix="use Normal, or check the quantiles")
    shift = (a * c - b * b) / (a + c - 2 * b)
    fitted = _fit_normal({p: math.log(q - shift) for p, q in points.items()})
    return {**fitted, "shift": shift}


def _fit_scale(parameter: str, standard: str) -> Callable[[Mapping[float, float]], dict[str, float]]:
    """Fit a one-parameter scale family: ``q_p = scale * Q_1(p)``, scales averaged on the log scale."""

    def fit(points: Mapping[float, float]) -> dict[str, float]:
        unit = scipy_frozen(standard, {parameter: 1.0})
        logs = [math.log(q / float(unit.ppf(p))) for p, q in points.items()]
        scale = math.exp(sum(logs) / len(logs))
        return {parameter: 1 / scale if parameter == "lam" else scale}

    return fit


def _fit_two(name: str, first: str, second: str) -> Callable[[Mapping[float, float]], dict[str, float]]:
    """Fit a two-parameter positive family by least squares on its CDF, in log parameters."""

    def fit(points: Mapping[float, float]) -> dict[str, float]:
        import numpy as np
        from scipy.optimize import least_squares

        p = np.array(list(points))
        q = np.array(list(points.values()))

        def residual(logs: Any) -> Any:
            cdf = scipy_frozen(name, {first: math.exp(logs[0]), second: math.exp(logs[1])}).cdf(q)
            return (cdf - p) / (p * (1 - p))

        starts = [(a, b) for a in (0.0, 2.0, 4.0) for b in (-6.0, -3.0, 0.0, 3.0)]
        best = min(
            (least_squares(residual, start, xtol=1e-15, ftol=1e-15, gtol=1e-15) for start in starts),
            key=lambda found: float(found.cost),
        )
        return {first: math.exp(best.x[0]), second: math.exp(best.x[1])}

    return fit


def _fit_uniform(points: Mapping[float, float]) -> dict[str, float]:
    (p0, q0), (p1, q1) = min(points.items()), max(points.items())
    width = (q1 - q0) / (p1 - p0)
    return {"lower": q0 - p0 * width, "upper": q0 + (1 - p0) * width}


def _stats() -> Any:
    from scipy import stats

    return stats


def _table() -> dict[str, Family]:
    inf = math.inf
    rows: list[tuple[str, tuple[str, ...], float, float, str, Any, Any]] = [
        ("Normal", ("mu", "sigma"), -inf, inf, "sigma",
         lambda p: _stats().norm(p["mu"], p["sigma"]), _fit_normal),
        ("LogNormal", ("mu", "sigma"), 0, inf, "sigma",
         lambda p: _stats().lognorm(p["sigma"], scale=math.exp(p["mu"])), _fit_lognormal),
        ("ShiftedLogNormal", ("mu", "sigma", "shift"), -inf, inf, "sigma",
         lambda p: _stats().lognorm(p["sigma"], loc=p["shift"], scale=math.exp(p["mu"])), _fit_shifted),
        ("HalfNormal", ("sigma",), 0, inf, "sigma",
         lambda p: _stats().halfnorm(scale=p["sigma"]), _fit_scale("sigma", "HalfNormal")),
        ("HalfCauchy", ("beta",), 0, inf, "beta",
         lambda p: _stats().halfcauchy(scale=p["beta"]), _fit_scale("beta", "HalfCauchy")),
        ("Exponential", ("lam",), 0, inf, "lam",
         lambda p: _stats().expon(scale=1 / p["lam"]), _fit_scale("lam", "Exponential")),
        ("Beta", ("alpha", "beta"), 0, 1, "alpha beta",
         lambda p: _stats().beta(p["alpha"], p["beta"]), _fit_two("Beta", "alpha", "beta")),
        ("Gamma", ("alpha", "beta"), 0, inf, "alpha beta",
         lambda p: _stats().gamma(p["alpha"], scale=1 / p["beta"]), _fit_two("Gamma", "alpha", "beta")),
        ("Uniform", ("lower", "upper"), -inf, inf, "",
         lambda p: _stats().uniform(p["lower"], p["upper"] - p["lower"]), _fit_uniform),
    ]  # fmt: skip
    return {
        name: Family(name, parameters, lower, upper, frozenset(positive.split()), scipy, fit)
        for name, parameters, lower, upper, positive, scipy, fit in rows
    }


FAMILIES: dict[str, Family] = _table()
