"""Families of distributions: from parameters or quantiles, to SciPy and to PyMC.

One table, :data:`FAMILIES`, says for every family its parameters, its support, its distribution
function, its quantile function and how to fit it; everything else reads that table. Importing this
module imports no SciPy: only ``Beta`` and ``Gamma`` need it, and only once they are evaluated.

Quantile fits are closed-form where the family has one. ``Beta`` and ``Gamma`` minimise the plain sum
of squared errors of the distribution function, :math:`\\sum_p (F(q_p) - p)^2`, which is the criterion of
SHELF (Oakley and O'Hagan's elicitation framework). Every fit can be asked how far it misses
(:func:`misfit`), so that an impossible elicitation is an error and not a surprise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from itertools import pairwise, product
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from bayes.errors import PriorError, closest

if TYPE_CHECKING:
    from pytensor.tensor import TensorVariable

__all__ = ["FAMILIES", "PYMC", "Family", "Foreign", "add_to_model", "family", "fit_edges", "fit_quantiles",
           "mass_outside", "misfit", "quantile", "scipy_frozen"]  # fmt: skip

Parameters = Mapping[str, float]
Points = Mapping[float, float]
Fit = Callable[[Points], dict[str, float]]
PYMC = "pymc."
"""How the name of a distribution begins that only PyMC knows."""

_STANDARD = NormalDist()
_z = _STANDARD.inv_cdf


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
        Ends of the support over all parameter values.
    positive
        Those parameters that must be greater than zero.
    scipy
        ``parameters -> frozen SciPy distribution``.
    cdf, ppf
        ``(value, parameters) -> probability`` and its inverse, for single numbers.
    fit
        ``{probability: quantile} -> parameters``.
    """

    name: str
    parameters: tuple[str, ...]
    lower: float
    upper: float
    positive: frozenset[str]
    scipy: Callable[[Parameters], Any]
    cdf: Callable[[float, Parameters], float]
    ppf: Callable[[float, Parameters], float]
    fit: Fit


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
            allowed=(*FAMILIES, "pymc.NAME for another distribution of PyMC, with parameters"),
            fix=closest(name, FAMILIES) or f"choose one of these, or write pymc.{name.removeprefix(PYMC)}",
        )
    return FAMILIES[name]


def scipy_frozen(name: str, parameters: Parameters) -> Any:
    """Return the frozen SciPy distribution of a family.

    Examples
    --------
    >>> d = scipy_frozen("LogNormal", {"mu": math.log(40), "sigma": 0.84})
    >>> round(float(d.median()))
    40
    """
    return Foreign(name, parameters) if name.startswith(PYMC) else family(name).scipy(parameters)


def quantile(name: str, parameters: Parameters, probability: float) -> float:
    """Return the quantile function of a family at one probability.

    >>> round(quantile("LogNormal", {"mu": math.log(40), "sigma": 0.84}, 0.5))
    40
    """
    return family(name).ppf(probability, parameters)


def mass_outside(name: str, parameters: Parameters, lower: float, upper: float) -> float:
    r"""Return the probability outside an interval, :math:`F(l) + 1 - F(u)`.

    Of PyMC's other distributions it is the share of 10,000 draws.

    >>> round(mass_outside("Normal", {"mu": 0.5, "sigma": 0.25}, 0, 1), 4)
    0.0455
    """
    if name.startswith(PYMC):
        draws = Foreign(name, parameters).rvs(10_000)
        return float(((draws < lower) | (draws > upper)).mean())
    cdf = family(name).cdf
    below = 0.0 if lower == -math.inf else cdf(lower, parameters)
    above = 0.0 if upper == math.inf else 1 - cdf(upper, parameters)
    return below + above


@contextmanager
def _computable(name: str, quantiles: Points) -> Iterator[None]:
    """Refuse quantiles with which a function of a family cannot compute."""
    try:
        yield
    except (ArithmeticError, ValueError):  # overflow, a division by zero, the logarithm of one
        raise PriorError(f"the numbers of this {name} are beyond what can be computed", key="quantiles",
                         found=quantiles, allowed="numbers whose ratios are less than 1e100",
                         fix="write them in a larger or smaller unit") from None  # fmt: skip


def fit_quantiles(name: str, quantiles: Points) -> dict[str, float]:
    """Find the member of a family with the given quantiles.

    With as many quantiles as the family has parameters the fit is exact. With more it is least squares:
    on the quantiles (of the logarithm for a LogNormal) in closed form where the family is a line in
    its standard quantiles, on the distribution function for Beta and Gamma. :func:`misfit` tells how good it is.

    Raises
    ------
    PriorError
        If there are too few quantiles, if they do not rise, or if one is outside the family's support.

    Examples
    --------
    >>> p = fit_quantiles("LogNormal", {0.05: 10, 0.5: 40, 0.95: 160})
    >>> round(p["sigma"], 4)
    0.8428
    """
    found = family(name)
    points = dict(sorted(quantiles.items()))
    values = list(points.values())
    if len(points) < len(found.parameters):
        raise _bad(f"{name} needs {len(found.parameters)} quantiles or more", points,
                   fix="give more quantiles, or give 'parameters' instead")  # fmt: skip
    if not all(0 < p < 1 for p in points):
        raise _bad("a quantile belongs to a probability between 0 and 1", points, fix="correct the probability")
    if not all(a < b for a, b in pairwise(values)):
        raise _bad("quantiles must rise with their probability", points, fix="put them in order")
    if not all(found.lower < q < found.upper for q in values):
        raise _bad(f"a quantile is outside the support of {name}", points,
                   allowed=f"greater than {found.lower:g} and less than {found.upper:g}",
                   fix="correct the number or the family")  # fmt: skip
    with _computable(name, quantiles):
        return found.fit(points)


def fit_edges(name: str, edges: Sequence[tuple[float, float]]) -> dict[str, float]:
    r"""Find the member of a family nearest to a histogram, by least squares on the distribution function.

    Minimises :math:`\sum_i (F(x_i) - p_i)^2` over every edge :math:`x_i`, where the share :math:`p_i` of a histogram
    lies below it: the criterion of SHELF, with the ends of the range (shares 0 and 1) among the edges. Steps are
    relative to the spread of the edges, so the fit does not depend on the unit. A Uniform has the range that holds the
    histogram: one that ended within a bin would deny values of it.

    Parameters
    ----------
    edges
        Shares and edges, rising, from share 0 to share 1; several edges of one share bound empty bins.

    Raises
    ------
    PriorError
        If the family has more parameters than the histogram has inner edges, or more than two: chips do not tell the
        shift of a ShiftedLogNormal from its skew.

    Examples
    --------
    >>> fit_edges("Uniform", [(0.0, 0.0), (0.5, 100.0), (1.0, 200.0)])
    {'lower': 0.0, 'upper': 200.0}
    """
    from scipy.optimize import least_squares

    if name == "Uniform":
        return {"lower": max(x for p, x in edges if p == 0), "upper": min(x for p, x in edges if p == 1)}
    found, spread = family(name), edges[-1][1] - edges[0][1]
    inner = [x for p, x in edges if 0 < p < 1]
    if not len(found.parameters) <= min(len(inner), 2):
        raise _bad(f"these bins do not determine a {name}", dict(edges), allowed="one or two parameters, and as many "
                   "inner edges", fix="say more bins, or choose another family")  # fmt: skip

    def moved(start: Parameters, steps: Sequence[float]) -> dict[str, float]:
        return {key: value * math.exp(min(max(step, -200.0), 200.0)) if key in found.positive
                else float(value + step * (1.0 if key == "mu" and found.lower == 0 else spread))
                for (key, value), step in zip(start.items(), steps, strict=True)}  # fmt: skip

    tried: list[tuple[float, dict[str, float]]] = []
    for start in _starts_edges(name, edges):

        def residual(steps: Any, start: Parameters = start) -> list[float]:
            at = moved(start, steps)
            return [found.cdf(x, at) - p for p, x in edges]

        best = least_squares(residual, [0.0] * len(start), xtol=1e-12, ftol=1e-12, gtol=1e-12)
        tried.append((best.cost, moved(start, best.x)))
    return min(tried, key=lambda one: one[0])[1]


def _starts_edges(name: str, edges: Sequence[tuple[float, float]]) -> list[dict[str, float]]:
    """Return members of the family that have three quantiles of the histogram, for several choices of the three."""
    found, refused = [], []
    for tail in (0.1, 0.3):
        try:
            found.append(fit_quantiles(name, {p: _between(edges, p) for p in (tail, 0.5, 1 - tail)}))
        except PriorError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    return found


def _between(edges: Sequence[tuple[float, float]], p: float) -> float:
    """Quantile of a histogram whose bins are uniform."""
    (below, low), (above, high) = next((a, b) for a, b in pairwise(edges) if a[0] < p <= b[0])
    return low + (p - below) / (above - below) * (high - low)


def misfit(name: str, parameters: Parameters, quantiles: Points) -> float:
    """Return the largest relative error of fitted quantiles, ``max_p |Q(p) - q_p| / scale_p``.

    For a family of positive numbers the scale is the quantile itself. For a family on the whole line, where a quantile
    may be zero and only differences mean anything, it is half the distance between the outer quantiles.
    """
    found = family(name)
    half = (max(quantiles.values()) - min(quantiles.values())) / 2
    with _computable(name, quantiles):
        return max(abs(found.ppf(p, parameters) - q) / (q if found.lower == 0 else half) for p, q in quantiles.items())


def add_to_model(name: str, family_name: str, parameters: Mapping[str, Any]) -> TensorVariable:
    """Add one random variable to the PyMC model on top of the context stack.

    Parameters may be numbers or PyTensor scalars. A ``ShiftedLogNormal`` becomes the free
    variable ``<name>_excess`` and the deterministic ``name = shift + excess``, which keeps
    the sampler's log transform.
    """
    import pymc as pm

    if family_name.startswith(PYMC):
        return Foreign(family_name, parameters).make(name)
    if family_name == "ShiftedLogNormal":
        excess = pm.LogNormal(f"{name}_excess", mu=parameters["mu"], sigma=parameters["sigma"])
        return pm.Deterministic(name, parameters["shift"] + excess)
    distribution: Any = getattr(pm, family(family_name).name)
    return distribution(name, **dict(parameters))


# --- other distributions of PyMC --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Foreign:
    """A distribution of PyMC that has no row in :data:`FAMILIES`, with the methods of a frozen SciPy distribution.

    Parameters
    ----------
    name
        ``pymc.`` and the name PyMC gives it, as ``pymc.SkewNormal``.
    parameters
        Numbers, or sequences of numbers, by PyMC's names.

    Examples
    --------
    >>> round(float(Foreign("pymc.Gumbel", {"mu": 0, "beta": 1}).cdf(0.0)), 4)
    0.3679
    """

    name: str
    parameters: Mapping[str, Any]

    def make(self, variable: str) -> Any:
        """Add the random variable to the PyMC model on top of the context stack."""
        return self._distribution()(variable, **self._arguments())

    def logpdf(self, x: Any) -> Any:
        """Log density or log mass at ``x``."""
        import pymc as pm

        return self._evaluated(pm.logp, x)

    def cdf(self, x: Any) -> Any:
        """Distribution function at ``x``."""
        import numpy as np
        import pymc as pm

        return np.exp(self._evaluated(pm.logcdf, x))

    def ppf(self, p: Any) -> Any:
        """Quantile function at ``p``.

        Raises
        ------
        PriorError
            If PyMC has none for this distribution.
        """
        import pymc as pm

        try:
            return self._evaluated(pm.icdf, p)
        except NotImplementedError:
            raise PriorError(f"PyMC has no quantile function of {self.name}", key="family", found=self.name,
                             allowed=FAMILIES, fix="take one of these families here") from None  # fmt: skip

    def rvs(self, size: int, random_state: int = 0) -> Any:
        """Independent draws."""
        import pymc as pm

        return pm.draw(self._dist(), size, random_seed=random_state, mode=_numpy_mode())

    def _evaluated(self, function: Callable[..., Any], x: Any) -> Any:
        import numpy as np

        return np.asarray(function(self._dist(), np.asarray(x, dtype=float)).eval(mode=_numpy_mode()))

    def _distribution(self) -> Any:
        import pymc as pm

        short = self.name.removeprefix(PYMC)
        known = [name for name in pm.distributions.__all__ if callable(getattr(getattr(pm, name, None), "dist", None))]
        if short not in known:
            raise PriorError("this is not a distribution of PyMC", key="family", found=self.name,
                             fix=closest(short, known) or "look its name up in PyMC's documentation")  # fmt: skip
        return getattr(pm, short)

    def _arguments(self) -> dict[str, Any]:
        return {key: list(v) if isinstance(v, tuple) else v for key, v in self.parameters.items()}

    def _dist(self) -> Any:
        """The distribution outside a model; its parameters are checked by drawing from it once."""
        import pymc as pm

        distribution = self._distribution()
        named = [
            p.name
            for p in signature(distribution.dist).parameters.values()
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        for key in self.parameters:
            if key not in named:
                raise PriorError(f"{self.name} has no such parameter", key=f"parameters.{key}",
                                 found=self.parameters[key], allowed=named, fix="rename or remove it")  # fmt: skip
        try:
            found = distribution.dist(**self._arguments())
            pm.draw(found, random_seed=0, mode=_numpy_mode())
        except (TypeError, ValueError, NotImplementedError) as error:
            raise PriorError("PyMC refuses these parameters", key="parameters", found=dict(self.parameters),
                             allowed=str(error).splitlines()[0], fix="correct them") from None  # fmt: skip
        return found


def _numpy_mode() -> Any:
    """Run operations one by one in NumPy: nothing is compiled for one number."""
    from pytensor.compile.mode import Mode

    return Mode(linker="py", optimizer=None)


# --- quantile fits ---------------------------------------------------------------------------


def _bad(problem: str, points: Points, *, fix: str, allowed: str | None = None) -> PriorError:
    found = {f"{p:g}": q for p, q in points.items()}
    return PriorError(problem, key="quantiles", found=found, allowed=allowed, fix=fix)


def _line(points: Points, standard: Callable[[float], float] = _z) -> tuple[float, float]:
    """Least-squares line through (standard quantile, q_p): intercept and slope."""
    pairs = [(standard(p), q) for p, q in points.items()]
    n = len(pairs)
    mean_z, mean_q = sum(z for z, _ in pairs) / n, sum(q for _, q in pairs) / n
    slope = sum((z - mean_z) * (q - mean_q) for z, q in pairs) / sum((z - mean_z) ** 2 for z, _ in pairs)
    return mean_q - slope * mean_z, slope


def _fit_normal(points: Points) -> dict[str, float]:
    mu, sigma = _line(points)
    return {"mu": mu, "sigma": sigma}


def _fit_uniform(points: Points) -> dict[str, float]:
    lower, width = _line(points, lambda p: p)
    return {"lower": lower, "upper": lower + width}


def _fit_shifted(points: Points) -> dict[str, float]:
    """Three quantiles a, b, c at p, 1/2, 1-p: ``(b - s)^2 = (a - s)(c - s)`` gives ``b - s = uv / (v - u)``.

    Here ``u = b - a`` and ``v = c - b``: in differences, so that a spread small beside the median loses no digits.
    """
    ordered = sorted(points.items())
    if len(ordered) != 3 or abs(ordered[0][0] + ordered[2][0] - 1) > 1e-9 or ordered[1][0] != 0.5:
        raise _bad("a ShiftedLogNormal needs three quantiles, symmetric about q50", points,
                   allowed="for example q025, q50 and q975", fix="give these three")  # fmt: skip
    (low, a), (middle, b), (high, c) = ordered
    u, v = b - a, c - b
    if v <= u * (1 + 1e-9):
        raise _bad(
            "a ShiftedLogNormal needs a longer upper than lower tail", points, fix="use Normal, or check the quantiles"
        )
    above = u * v / (v - u)
    logs = {low: math.log(above - u), middle: math.log(above), high: math.log(above + v)}
    return {**_fit_normal(logs), "shift": b - above}


def _fit_scale(parameter: str, standard: str) -> Fit:
    """Fit a one-parameter scale family: ``q_p = scale * Q_1(p)``, scales averaged on the log scale."""

    def fit(points: Points) -> dict[str, float]:
        ppf = family(standard).ppf
        logs = [math.log(q / ppf(p, {parameter: 1.0})) for p, q in points.items()]
        scale = math.exp(sum(logs) / len(logs))
        return {parameter: 1 / scale if parameter == "lam" else scale}

    return fit


_EXACT = 1e-9
"""A fit this close is taken at once, without trying further starts."""


def _fit_shapes(name: str, starts: Callable[[Points], Iterator[tuple[float, float]]]) -> Fit:
    """Fit ``alpha`` and ``beta`` by least squares on the distribution function, in log parameters.

    Levenberg-Marquardt (MINPACK) from each start in turn; the first exact fit, or else the best, is returned.
    """

    def fit(points: Points) -> dict[str, float]:
        from scipy.optimize import least_squares

        cdf = family(name).cdf

        def shapes(logs: Any) -> dict[str, float]:
            return {"alpha": math.exp(min(logs[0], 200)), "beta": math.exp(min(logs[1], 200))}

        def residual(logs: Any) -> list[float]:
            return [cdf(q, shapes(logs)) - p for p, q in points.items()]

        tried: list[tuple[float, dict[str, float]]] = []
        for alpha, beta in starts(points):
            start = (math.log(alpha), math.log(beta))
            found = least_squares(residual, start, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14)
            tried.append((math.hypot(*residual(found.x)), shapes(found.x)))
            if tried[-1][0] < _EXACT:
                break
        return min(tried, key=lambda one: one[0])[1]

    return fit


def _starts_beta(points: Points) -> Iterator[tuple[float, float]]:
    """Give starting values: from moments as if the quantiles were a Normal's, then a coarse grid."""
    mean, sd = _line(points)
    low, high = min(points.values()), max(points.values())
    mean = min(max(mean, low / 2), (1 + high) / 2)
    total = max(mean * (1 - mean) / sd**2 - 1, 0.5)
    yield mean * total, (1 - mean) * total
    yield from product((0.3, 2.0, 20.0), repeat=2)


def _starts_gamma(points: Points) -> Iterator[tuple[float, float]]:
    """Give starting values: a shape from the spread of the logarithms, then others; a rate from the middle quantile."""
    _, sd = _line({p: math.log(q) for p, q in points.items()})
    p, q = sorted(points.items())[len(points) // 2]
    for shape in (1 / sd**2, 0.1, 0.3, 1.0, 10.0, 100.0):
        yield shape, max(family("Gamma").ppf(p, {"alpha": shape, "beta": 1.0}), 1e-300) / q


# --- the table -------------------------------------------------------------------------------


def _stats() -> Any:
    from scipy import stats

    return stats


def _special(name: str, *numbers: float) -> float:
    """A special function of SciPy at some numbers."""
    from scipy import special

    return float(getattr(special, name)(*numbers))


def _lognormal_cdf(x: float, p: Parameters) -> float:
    above = x - p.get("shift", 0.0)
    return 0.0 if above <= 0 else _STANDARD.cdf((math.log(above) - p["mu"]) / p["sigma"])


def _lognormal_ppf(u: float, p: Parameters) -> float:
    return p.get("shift", 0.0) + math.exp(p["mu"] + p["sigma"] * _z(u))


_INF = math.inf
FAMILIES: dict[str, Family] = {found.name: found for found in (
    Family("Normal", ("mu", "sigma"), -_INF, _INF, frozenset({"sigma"}),
           lambda p: _stats().norm(p["mu"], p["sigma"]),
           lambda x, p: _STANDARD.cdf((x - p["mu"]) / p["sigma"]),
           lambda u, p: p["mu"] + p["sigma"] * _z(u), _fit_normal),
    Family("LogNormal", ("mu", "sigma"), 0, _INF, frozenset({"sigma"}),
           lambda p: _stats().lognorm(p["sigma"], scale=math.exp(p["mu"])), _lognormal_cdf, _lognormal_ppf,
           lambda points: _fit_normal({p: math.log(q) for p, q in points.items()})),
    Family("ShiftedLogNormal", ("mu", "sigma", "shift"), -_INF, _INF, frozenset({"sigma"}),
           lambda p: _stats().lognorm(p["sigma"], loc=p["shift"], scale=math.exp(p["mu"])),
           _lognormal_cdf, _lognormal_ppf, _fit_shifted),
    Family("HalfNormal", ("sigma",), 0, _INF, frozenset({"sigma"}),
           lambda p: _stats().halfnorm(scale=p["sigma"]),
           lambda x, p: math.erf(max(x, 0.0) / (p["sigma"] * math.sqrt(2))),
           lambda u, p: p["sigma"] * _z((1 + u) / 2), _fit_scale("sigma", "HalfNormal")),
    Family("HalfCauchy", ("beta",), 0, _INF, frozenset({"beta"}),
           lambda p: _stats().halfcauchy(scale=p["beta"]),
           lambda x, p: 2 / math.pi * math.atan(max(x, 0.0) / p["beta"]),
           lambda u, p: p["beta"] * math.tan(math.pi * u / 2), _fit_scale("beta", "HalfCauchy")),
    Family("Exponential", ("lam",), 0, _INF, frozenset({"lam"}),
           lambda p: _stats().expon(scale=1 / p["lam"]),
           lambda x, p: -math.expm1(-p["lam"] * max(x, 0.0)),
           lambda u, p: -math.log1p(-u) / p["lam"], _fit_scale("lam", "Exponential")),
    Family("Beta", ("alpha", "beta"), 0, 1, frozenset({"alpha", "beta"}),
           lambda p: _stats().beta(p["alpha"], p["beta"]),
           lambda x, p: _special("betainc", p["alpha"], p["beta"], min(max(x, 0.0), 1.0)),
           lambda u, p: _special("betaincinv", p["alpha"], p["beta"], u), _fit_shapes("Beta", _starts_beta)),
    Family("Gamma", ("alpha", "beta"), 0, _INF, frozenset({"alpha", "beta"}),
           lambda p: _stats().gamma(p["alpha"], scale=1 / p["beta"]),
           lambda x, p: _special("gammainc", p["alpha"], p["beta"] * max(x, 0.0)),
           lambda u, p: _special("gammaincinv", p["alpha"], u) / p["beta"], _fit_shapes("Gamma", _starts_gamma)),
    Family("Uniform", ("lower", "upper"), -_INF, _INF, frozenset(),
           lambda p: _stats().uniform(p["lower"], p["upper"] - p["lower"]),
           lambda x, p: min(max((x - p["lower"]) / (p["upper"] - p["lower"]), 0.0), 1.0),
           lambda u, p: p["lower"] + u * (p["upper"] - p["lower"]), _fit_uniform),
)}  # fmt: skip
