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

__all__ = ["OWN", "TRUNCATED", "Declared", "Part", "add_priors", "priors_in", "priors_part"]

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
    """Return the priors that a model states itself: free variables of a known family with constant parameters, by name.

    A parameter is one number where all elements of a vector share it, else a tuple of one for each. What
    ``pm.Truncated`` cuts off is of the family it cuts, with the ends that are finite.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     rate = pm.Exponential("rate", 2)
    ...     level = pm.Normal("level", rate, 1)
    ...     effect = pm.StudentT("effect", nu=4, mu=0, sigma=1)
    ...     slopes = pm.Normal("slopes", [0, 1], 1)
    ...     ratio = pm.Truncated("ratio", pm.Gamma.dist(2, 1), lower=0.5)
    >>> for name, prior in priors_in(model).items():
    ...     print(name, prior.family, prior.parameters)
    rate Exponential {'lam': 2.0}
    effect pymc.StudentT {'nu': 4.0, 'mu': 0.0, 'sigma': 1.0}
    slopes Normal {'mu': (0.0, 1.0), 'sigma': 1.0}
    ratio Truncated Gamma {'alpha': 2.0, 'beta': 1.0, 'lower': 0.5}
    """
    from pymc.pytensorf import constant_fold

    found = {}
    for variable in model.free_RVs:
        family, keys, inputs = _family_of(variable.owner)
        values = constant_fold(inputs, raise_not_constant=False)
        keys = keys[-len(values) :]  # a half distribution is one of PyTensor, with a place, or one that PyMC builds
        known = all(isinstance(value, np.ndarray | np.generic | float | int) and np.size(value) for value in values)
        if not family or not known:
            continue
        rate = {"Exponential": "lam", "Gamma": "beta"}.get(family.removeprefix(TRUNCATED))
        stated = {key: np.asarray(value, dtype=float) for key, value in zip(keys, values, strict=True) if key}
        numbers = {key: 1 / value if key == rate else value for key, value in stated.items()}
        parameters: Any = {key: _shared(value) for key, value in numbers.items()
                           if key not in _ENDS or np.isfinite(value).all()}  # fmt: skip
        if variable.ndim == 1 or not any(isinstance(value, tuple) for value in parameters.values()):
            found[str(variable.name)] = Prior(str(variable.name), "", "", family, NOT_GIVEN, "", declared=parameters)
    return found


def _family_of(node: Any) -> tuple[str, tuple[str, ...], Sequence[Any]]:
    """Family, names of parameters and their values of a random variable; no family where it is none of those known."""
    truncated = type(node.op).__name__ == "TruncatedRV"
    op = node.op.base_rv_op if truncated else node.op
    family, keys = _STATED.get(type(op).__name__.removesuffix("RV"), ("", ()))
    if not family or not type(op).__module__.startswith(("pytensor.", "pymc.")):
        return "", (), ()
    if not truncated:
        return family, keys, op.dist_params(node)
    return ("", (), ()) if {*_ENDS} & {*keys} else (f"{TRUNCATED}{family}", (*keys, *_ENDS), node.inputs[2:])


def _shared(value: np.ndarray) -> float | tuple[float, ...]:
    """The number that all elements share, else one for each."""
    return float(value.flat[0]) if (value == value.flat[0]).all() else tuple(value.ravel().tolist())


TRUNCATED = "Truncated "
"""How the family of a prior begins that ``pm.Truncated`` cuts off."""

_ENDS = ("lower", "upper")

OWN: Mapping[str, tuple[str, ...]] = {
    "StudentT": ("nu", "mu", "sigma"), "HalfStudentT": ("nu", "sigma"), "Cauchy": ("alpha", "beta"),
    "Laplace": ("mu", "b"), "Logistic": ("mu", "s"), "InverseGamma": ("alpha", "beta"), "Weibull": ("alpha", "beta"),
    "Triangular": ("lower", "c", "upper"), "TruncatedNormal": ("mu", "sigma", "lower", "upper"),
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
