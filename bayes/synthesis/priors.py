r"""Priors of the mean effect and of the standard deviation between studies, as laws that a quadrature can use.

A mean has a mixture of normal laws: one for ``Normal``, some forty for a Student t (a normal law whose variance is
inverse-gamma), several for a sum such as ``0.8*Normal(-0.5, 0.2) + 0.2*Normal(0, 2)``; ``flat`` is a normal law
without precision. A standard deviation :math:`\tau` has any law of positive numbers, on itself, on its square
(``tau2 ~ InverseGamma(0.01, 0.01)``) or on the logarithm of that (``log tau2 ~ StudentT(5, -3.44, 2.59)``); the last
kind is published for outcomes of many sorts (:mod:`bayes.synthesis.published`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from bayes.errors import PriorError, UsageError, closest
from bayes.families import FAMILIES, scipy_frozen
from bayes.priors import Prior
from bayes.priortext import prior_from_text, prior_text
from bayes.synthesis.published import published
from bayes.synthesis.rows import LARGEST

__all__ = ["EXTRA", "FLAT", "Law", "MeanLaw", "SpreadLaw", "mean_law", "spread_law"]

FLAT = "flat"
"""The word for a law without density: every value as plausible as any other."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TERM = re.compile(rf"\s*(?:({_NUMBER})\s*\*\s*)?([A-Za-z]\w*\s*\([^()]*\))\s*\Z")
_SCALE = re.compile(r"\s*(log\s+tau2|log\s+tau\^2|tau2|tau\^2|tau²|tau)\s*~\s*(.*)\Z", re.IGNORECASE | re.DOTALL)
_STEP = 0.45
"""Step of the sum over the logarithm of a t's precision: its error is below exp(-2 pi (pi / 2) / 0.45) = 3e-10."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A family that priors of a synthesis may have beside those of declared priors: parameters, signs, SciPy's law."""

    parameters: tuple[str, ...]
    positive: frozenset[str]
    scipy: Callable[[Any, Mapping[str, float]], Any]


EXTRA: Mapping[str, Extra] = {
    "StudentT": Extra(("nu", "mu", "sigma"), frozenset({"nu", "sigma"}),
                      lambda s, p: s.t(p["nu"], p["mu"], p["sigma"])),
    "Cauchy": Extra(("alpha", "beta"), frozenset({"beta"}), lambda s, p: s.cauchy(p["alpha"], p["beta"])),
    "HalfStudentT": Extra(("nu", "sigma"), frozenset({"nu", "sigma"}),
                          lambda s, p: _Half(s.t(p["nu"], scale=p["sigma"]))),
    "InverseGamma": Extra(("alpha", "beta"), frozenset({"alpha", "beta"}),
                          lambda s, p: s.invgamma(p["alpha"], scale=p["beta"])),
}  # fmt: skip
"""Families by PyMC's names and parameters."""


@dataclass(frozen=True, slots=True)
class Law:
    """A family with its numbers.

    Parameters
    ----------
    text
        As it is written on one line; what reads it back gives the same law.
    family, parameters
        PyMC's name and numbers; ``flat`` has none.
    note
        What a reader should know: the nearest law that was taken, or the publication it is from.
    """

    text: str
    family: str
    parameters: Mapping[str, float]
    note: str = ""

    def __post_init__(self) -> None:
        for name, value in self.parameters.items():
            if np.ndim(value) == 0 and value != 0 and not 1 / LARGEST <= abs(value) <= LARGEST:
                raise UsageError("this number is beyond what can be computed with", key=name, found=value,
                                 allowed=f"{1 / LARGEST:g} to {LARGEST:g}",
                                 fix="write 'flat' for no limit, or take another unit")  # fmt: skip

    @property
    def frozen(self) -> Any:
        """SciPy's distribution."""
        return _frozen(self.family, tuple(self.parameters.items()))

    def add(self, name: str) -> Any:
        """Add a variable of this law to the PyMC model on the context stack."""
        import pymc as pm

        if self.family == FLAT:
            return pm.Flat(name)
        return getattr(pm, self.family)(name, **dict(self.parameters))


@lru_cache(maxsize=256)
def _frozen(family: str, parameters: tuple[tuple[str, Any], ...]) -> Any:
    """SciPy's distribution, which takes a millisecond to make."""
    from scipy import stats

    if family in EXTRA:
        return EXTRA[family].scipy(stats, dict(parameters))
    return _Flat() if family == FLAT else scipy_frozen(family, dict(parameters))


class _Half:
    """The absolute value of a symmetric law about zero."""

    def __init__(self, whole: Any) -> None:
        self.whole = whole

    def logpdf(self, x: Any) -> Any:
        return np.where(np.asarray(x) >= 0, self.whole.logpdf(x) + np.log(2.0), -np.inf)

    def cdf(self, x: Any) -> Any:
        return np.maximum(2 * self.whole.cdf(x) - 1, 0.0)

    def ppf(self, p: Any) -> Any:
        return self.whole.ppf((1 + np.asarray(p)) / 2)

    def support(self) -> tuple[float, float]:
        return 0.0, np.inf


class _Flat:
    """No density: 1 everywhere on positive numbers, and quantiles only to look from."""

    def logpdf(self, x: Any) -> Any:
        return np.zeros_like(np.asarray(x, dtype=float))

    def cdf(self, x: Any) -> Any:
        return np.asarray(x, dtype=float)

    def ppf(self, p: Any) -> Any:
        return np.asarray(p, dtype=float)

    def support(self) -> tuple[float, float]:
        return 0.0, np.inf


@dataclass(frozen=True, slots=True, eq=False)
class MeanLaw:
    """A prior of the mean effect as a mixture of normal laws.

    Parameters
    ----------
    text, note
        As of :class:`Law`.
    weight, mean, precision
        Of each component; a flat law has one of precision zero.
    terms
        The laws that were added up, with their weights.
    """

    text: str
    weight: np.ndarray
    mean: np.ndarray
    precision: np.ndarray
    terms: tuple[tuple[float, Law], ...]
    note: str = ""

    @property
    def flat(self) -> bool:
        """Whether it has no density, so that no evidence follows from it."""
        return bool((self.precision == 0).any())

    def logpdf(self, x: np.ndarray) -> np.ndarray:
        """Log density, 0 everywhere of a flat law."""
        precision = np.where(self.precision > 0, self.precision, 2 * np.pi)
        each = (
            np.log(self.weight * (precision / (2 * np.pi)) ** 0.5) - self.precision * (x[:, None] - self.mean) ** 2 / 2
        )
        return np.asarray(np.logaddexp.reduce(each, axis=1))

    @property
    def reach(self) -> tuple[float, float]:
        """A place in its middle, and the largest scale of a component."""
        inside = self.precision > 0
        return float(self.weight @ self.mean), float((self.precision[inside] ** -0.5).max(initial=0.0))

    def add(self, name: str) -> Any:
        """Add a variable of this law to the PyMC model on the context stack."""
        import pymc as pm

        if len(self.terms) == 1:
            return self.terms[0][1].add(name)
        parts = [getattr(pm, law.family).dist(**dict(law.parameters)) for _, law in self.terms]
        return pm.Mixture(name, w=np.array([weight for weight, _ in self.terms]), comp_dists=parts)


@dataclass(frozen=True, slots=True)
class SpreadLaw:
    r"""A prior of a standard deviation :math:`\tau`, by the law of it, of its square or of the logarithm of that.

    Parameters
    ----------
    law
        The law.
    of
        ``tau``, ``tau2`` or ``log tau2``.
    """

    law: Law
    of: str = "tau"

    @property
    def text(self) -> str:
        """As it is written on one line."""
        return self.law.text if self.of == "tau" else f"{self.of} ~ {self.law.text}"

    @property
    def note(self) -> str:
        """What a reader should know of it."""
        return self.law.note

    @property
    def flat(self) -> bool:
        """Whether it has no density."""
        return self.law.family == FLAT

    def logpdf(self, tau: np.ndarray) -> np.ndarray:
        r"""Log density of :math:`\tau`."""
        with np.errstate(divide="ignore"):
            log = np.log(tau)
        slope = {"tau": 0.0, "tau2": np.log(2.0) + log, "log tau2": np.log(2.0) - log}[self.of]
        return np.asarray(self.law.frozen.logpdf(self._there(tau)) + slope)

    def cdf(self, tau: float) -> float:
        """Probability of a smaller one."""
        return float(self.law.frozen.cdf(self._there(tau)))

    def ppf(self, p: Any) -> Any:
        """Quantiles."""
        found = np.asarray(self.law.frozen.ppf(p))
        return {"tau": found, "tau2": np.sqrt(np.maximum(found, 0.0)), "log tau2": np.exp(np.minimum(found / 2, 700))}[
            self.of
        ]

    def median(self) -> float:
        """Its median."""
        return float(self.ppf(0.5))

    def support(self) -> tuple[float, float]:
        """Smallest and largest value."""
        low, high = (float(end) for end in self.law.frozen.support())
        if self.of == "tau":
            return low, high
        return (0.0, np.inf) if self.of == "log tau2" else (max(low, 0.0) ** 0.5, high**0.5)

    def _there(self, tau: Any) -> Any:
        with np.errstate(divide="ignore"):
            return {"tau": lambda: tau, "tau2": lambda: np.square(tau), "log tau2": lambda: 2 * np.log(tau)}[self.of]()

    def add(self, name: str) -> Any:
        """Add a variable ``name`` of this law to the PyMC model on the context stack."""
        import pymc as pm

        if self.of == "tau":
            return pm.HalfFlat(name) if self.flat else self.law.add(name)
        inner = self.law.add(f"_{name}")
        return pm.Deterministic(name, inner**0.5 if self.of == "tau2" else pm.math.exp(inner / 2))


def mean_law(prior: str | Prior | MeanLaw) -> MeanLaw:
    """Read a prior of a mean effect.

    Raises
    ------
    PriorError, UsageError
        If it is none, or of a family that is no mixture of normal laws.

    Examples
    --------
    >>> mean_law("Normal(0, 2)").precision
    array([0.25])
    >>> mean_law("0.8*Normal(-0.5, 0.2) + 0.2*Normal(0, 2)").weight
    array([0.8, 0.2])
    """
    if isinstance(prior, MeanLaw):
        return prior
    if isinstance(prior, str) and prior.strip().casefold() == FLAT:
        return MeanLaw(FLAT, np.ones(1), np.zeros(1), np.zeros(1), ((1.0, Law(FLAT, FLAT, {})),))
    terms = ((1.0, _declared(prior)),) if isinstance(prior, Prior) else _terms(prior)
    parts = [_components(law) for _, law in terms]
    weight = np.concatenate([w * part[0] for (w, _), part in zip(terms, parts, strict=True)])
    mean, precision = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    text = " + ".join(law.text if len(terms) == 1 else f"{w!r}*{law.text}" for w, law in terms)
    return MeanLaw(text, weight, mean, precision, terms, "; ".join(law.note for _, law in terms if law.note))


def spread_law(prior: str | Prior | SpreadLaw) -> SpreadLaw:
    """Read a prior of a standard deviation between studies.

    Raises
    ------
    PriorError, UsageError
        If it is none, or can be negative.

    Examples
    --------
    >>> round(spread_law("tau2 ~ InverseGamma(1, 1)").median(), 4)  # 1 / sqrt(log 2)
    1.2011
    """
    if isinstance(prior, SpreadLaw):
        return prior
    if isinstance(prior, Prior):
        found = SpreadLaw(_declared(prior))
    elif prior.strip().casefold() == FLAT:
        return SpreadLaw(Law(FLAT, FLAT, {}))
    elif (known := published(prior)) is not None:
        of, text, note = known
        return SpreadLaw(replace(_law(of, text), note=note), of)
    else:
        match = _SCALE.match(prior)
        of = " ".join(match[1].casefold().replace("^2", "2").replace("²", "2").split()) if match else "tau"
        found = SpreadLaw(_law(of, match[2] if match else prior), of)
    if found.of != "log tau2" and float(found.law.frozen.ppf(1e-12)) < 0:
        raise UsageError("a standard deviation is not negative", key="tau", found=found.law.family,
                         allowed="HalfNormal, HalfCauchy, HalfStudentT, Exponential, LogNormal, Gamma, Uniform from 0, "
                                 "flat; of its square: tau2 ~ InverseGamma(a, b)",
                         fix="choose a family of positive numbers")  # fmt: skip
    return found


def _declared(prior: Prior) -> Law:
    return Law(prior_text(prior), prior.family, prior.parameters, prior.note)


def _terms(text: str) -> tuple[tuple[float, Law], ...]:
    """Laws with their weights, of sum 1."""
    parts = re.split(r"\+(?![^()]*\))(?=\s*[\d.]+\s*\*|\s*[A-Za-z])", text)
    found = []
    for part in parts:
        match = _TERM.match(part)
        if match is None or (len(parts) > 1 and match[1] is None) or (len(parts) == 1 and match[1] is not None):
            return ((1.0, _law("mu", text)),)  # which says what is wrong
        found.append((float(match[1] or 1.0), _law("mu", match[2])))
    if not all(weight > 0 for weight, _ in found) or abs(sum(weight for weight, _ in found) - 1) > 1e-6:
        raise PriorError("the weights of a mixture are positive and add up to 1", key="mu",
                         found=[weight for weight, _ in found], fix="write for example 0.8*Normal(0, 1) + "
                         "0.2*Normal(0, 5)")  # fmt: skip
    return tuple(found)


def _law(name: str, text: str) -> Law:
    called = re.match(r"\s*([A-Za-z]\w*)\s*\(([^()]*)\)\s*\Z", text)
    if called is None or called[1] not in EXTRA:
        if called is not None and called[1] not in FAMILIES:
            raise PriorError("this family is not known", key=name, found=called[1], allowed=[*FAMILIES, *EXTRA, FLAT],
                             fix=closest(called[1], [*FAMILIES, *EXTRA]) or "choose one of these families")  # fmt: skip
        unit = "log ratio" if name in ("mu", "log tau2") else "log sd"
        return _declared(prior_from_text(name.replace(" ", "_"), text, unit))
    extra, numbers = EXTRA[called[1]], {}
    for position, part in enumerate(called[2].split(",")):
        key, _, value = part.rpartition("=")
        key = key.strip() or (extra.parameters[position] if position < len(extra.parameters) else "")
        if key not in extra.parameters or key in numbers or not re.fullmatch(_NUMBER, value.strip()):
            raise PriorError(f"{called[1]} has other numbers", key=name, found=part.strip(), allowed=extra.parameters,
                             fix=f"write {called[1]}({', '.join(extra.parameters)}) with numbers")  # fmt: skip
        numbers[key] = float(value)
    wrong = [key for key in extra.parameters if key not in numbers or (key in extra.positive and not numbers[key] > 0)]
    if wrong:
        raise PriorError(f"{wrong[0]} of {called[1]} is a number greater than zero", key=name,
                         found=numbers.get(wrong[0]), fix="give each of its numbers")  # fmt: skip
    shown = ", ".join(f"{key}={numbers[key]!r}" for key in extra.parameters)
    return Law(f"{called[1]}({shown})", called[1], {key: numbers[key] for key in extra.parameters})


def _components(law: Law) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and precisions of normal laws that make up a law."""
    p = law.parameters
    if law.family == "Normal":
        return np.ones(1), np.array([p["mu"]]), np.array([p["sigma"] ** -2])
    if law.family not in ("StudentT", "Cauchy"):
        raise UsageError("the mean effect is integrated out under a mixture of normal laws", key="mu", found=law.family,
                         allowed="Normal(mean, sd), StudentT(nu, mean, scale), Cauchy(place, scale), flat, or "
                                 "0.8*Normal(…) + 0.2*Normal(…)", fix="give a Normal prior, or another")  # fmt: skip
    nu, place, scale = (p["nu"], p["mu"], p["sigma"]) if law.family == "StudentT" else (1.0, p["alpha"], p["beta"])
    weight, precision = _precisions(nu)
    return weight, np.full(len(weight), place), precision / scale**2


def _precisions(nu: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and values of the gamma-distributed precision that makes a normal law a t, by a sum over its log."""
    from scipy import stats

    law = stats.gamma(nu / 2, scale=2 / nu)
    low, high = np.log(law.ppf(1e-13)), np.log(law.isf(1e-16))
    x = np.arange(low, high + _STEP, _STEP)
    weight = np.exp(law.logpdf(np.exp(x)) + x)
    return weight / weight.sum(), np.exp(x)
