"""Declared priors inside a PyMC model.

The numbers of all priors stand in one data vector, ``prior_parameters``, so that a changed prior
changes data and not the structure of the model: nothing needs compiling again. Building needs PyMC, numbers do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes.arguments import checked
from bayes.families import PYMC
from bayes.priors import NOT_GIVEN, Prior

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["OWN", "Declared", "Part", "add_priors", "priors_in", "priors_part"]

DIM = "prior_parameter"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one part of the model is made from.

    Parameters
    ----------
    data
        Arrays by name: the numbers.
    coords
        Labels by name of the dim.
    layout
        Plain data by name: everything else that is in the graph.
    """

    data: Mapping[str, np.ndarray]
    coords: Mapping[str, Sequence[str]]
    layout: Mapping[str, Any]


def priors_part(priors: Mapping[str, Prior], names: Iterable[str]) -> Part:
    """All parameters of the priors in one vector, ``prior_parameters``, vectors number by number.

    The layout is the family of each with its parameters, and how many numbers a vector has.
    """
    labels: list[str] = []
    numbers: list[float] = []
    families: dict[str, list[Any]] = {}
    for name, prior in ((name, priors[name]) for name in names):
        families[name] = [prior.family]
        for key, value in prior.parameters.items():
            many = np.ndim(value) > 0
            numbers += np.atleast_1d(value).tolist()
            labels += [f"{name}.{key}[{i}]" for i in range(np.size(value))] if many else [f"{name}.{key}"]
            families[name].append([key, np.size(value)] if many else key)
    return Part({"prior_parameters": np.array(numbers, dtype=float)}, {"prior_parameter": labels}, families)


class Declared:
    """Random variables for declared priors, made on first use.

    Parameters
    ----------
    priors
        Declarations by name.
    names
        Those that will be used, in order: they decide the layout of ``prior_parameters``.

    Notes
    -----
    Must be created inside a model context. ``declared["tau_theta"]`` is then the random variable
    ``tau_theta``; asking twice gives the same variable.
    """

    def __init__(self, priors: Mapping[str, Prior], names: Iterable[str]) -> None:
        import pymc as pm

        self._priors = {name: priors[name] for name in names}
        part = priors_part(self._priors, self._priors)
        labels = part.coords[DIM]
        pm.modelcontext(None).add_coord(DIM, labels)
        self._data = pm.Data("prior_parameters", part.data["prior_parameters"], dims=DIM)
        self._at: dict[str, int | slice] = {}
        place = 0
        for name, prior in self._priors.items():
            for key, value in prior.parameters.items():
                self._at[f"{name}.{key}"] = slice(place, place + np.size(value)) if np.ndim(value) else place
                place += np.size(value)
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        from bayes.families import add_to_model

        if name not in self._made:
            prior = self._priors[name]
            parameters = {key: self._data[self._at[f"{name}.{key}"]] for key in prior.parameters}
            self._made[name] = add_to_model(name, prior.family, parameters)
        return self._made[name]


@checked
def add_priors(model: pm.Model, priors: Mapping[str, Prior]) -> dict[str, object]:
    """Add declared priors to a PyMC model of one's own and return the random variables by name."""
    with model:
        declared = Declared(priors, priors)
        return {name: declared[name] for name in priors}


def priors_in(model: pm.Model) -> dict[str, Prior]:
    """Return the priors that a model states itself: free numbers of a known family with constant parameters, by name.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     rate = pm.Exponential("rate", 2)
    ...     level = pm.Normal("level", rate, 1)
    ...     effect = pm.StudentT("effect", nu=4, mu=0, sigma=1)
    >>> {name: (prior.family, prior.parameters) for name, prior in priors_in(model).items()}
    {'rate': ('Exponential', {'lam': 2.0}), 'effect': ('pymc.StudentT', {'nu': 4.0, 'mu': 0.0, 'sigma': 1.0})}
    """
    from pymc.pytensorf import constant_fold

    found = {}
    for variable in model.free_RVs:
        op = variable.owner.op
        called = type(op).__name__.removesuffix("RV")
        name, keys = _STATED.get(called, ("", ()))
        if variable.ndim or not name or not type(op).__module__.startswith(("pytensor.", "pymc.")):
            continue
        values = constant_fold(op.dist_params(variable.owner), raise_not_constant=False)
        if all(isinstance(value, np.ndarray | np.generic | float | int) for value in values):
            rate = {"Exponential": "lam", "Gamma": "beta"}.get(name)
            numbers = {key: float(value) for key, value in zip(keys, values, strict=True) if key}
            parameters = {key: 1 / value if key == rate else value for key, value in numbers.items()}
            found[str(variable.name)] = Prior(str(variable.name), "", "", name, NOT_GIVEN, "", declared=parameters)
    return found


OWN: Mapping[str, tuple[str, ...]] = {
    "StudentT": ("nu", "mu", "sigma"), "HalfStudentT": ("nu", "sigma"), "Cauchy": ("alpha", "beta"),
    "Laplace": ("mu", "b"), "Logistic": ("mu", "s"), "InverseGamma": ("alpha", "beta"), "Weibull": ("alpha", "beta"),
}  # fmt: skip
"""Distributions of PyMC's own that are known when a script states one, and their parameters."""

_STATED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **{name: (name, parameters) for name, parameters in {
        "Normal": ("mu", "sigma"), "LogNormal": ("mu", "sigma"), "Beta": ("alpha", "beta"), "Gamma": ("alpha", "beta"),
        "Exponential": ("lam",), "HalfNormal": ("", "sigma"), "HalfCauchy": ("", "beta"), "Uniform": ("lower", "upper"),
    }.items()},
    **{{"InverseGamma": "InvGamma", "Weibull": "WeibullBeta"}.get(name, name): (f"{PYMC}{name}", parameters)
       for name, parameters in OWN.items()},
}  # fmt: skip
"""Family and parameters of PyTensor's and of PyMC's own distributions, in their order. PyTensor has the scale where
PyMC has the rate of an exponential or a gamma distribution, and a location, of no name here, where PyMC has none."""
