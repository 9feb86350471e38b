"""Declared priors inside a PyMC model.

The numbers of all priors stand in one data vector, ``prior_parameters``, so that a changed prior
changes data and not the structure of the model: nothing needs compiling again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pymc as pm

from bayes.families import add_to_model
from bayes.priors import Prior

__all__ = ["Declared"]

DIM = "prior_parameter"


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
        self._priors = {name: priors[name] for name in names}
        parameters = {name: prior.parameters for name, prior in self._priors.items()}
        labels = [f"{name}.{key}" for name, values in parameters.items() for key in values]
        model = pm.modelcontext(None)
        model.add_coord(DIM, labels)
        numbers = [value for values in parameters.values() for value in values.values()]
        self._data = pm.Data("prior_parameters", np.array(numbers, dtype=float), dims=DIM)
        self._at = {label: i for i, label in enumerate(labels)}
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            prior = self._priors[name]
            parameters = {key: self._data[self._at[f"{name}.{key}"]] for key in prior.parameters}
            self._made[name] = add_to_model(name, prior.family, parameters)
        return self._made[name]
