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
        parameters: dict[str, Mapping[str, Any]] = {name: prior.parameters for name, prior in self._priors.items()}
        labels: list[str] = []
        numbers: list[float] = []
        self._at: dict[str, int | slice] = {}
        for label, value in ((f"{n}.{key}", v) for n, values in parameters.items() for key, v in values.items()):
            many = [label] if np.ndim(value) == 0 else [f"{label}[{i}]" for i in range(len(value))]
            self._at[label] = len(labels) if np.ndim(value) == 0 else slice(len(labels), len(labels) + len(many))
            labels += many
            numbers += np.atleast_1d(value).tolist()
        model = pm.modelcontext(None)
        model.add_coord(DIM, labels)
        self._data = pm.Data("prior_parameters", np.array(numbers, dtype=float), dims=DIM)
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            prior = self._priors[name]
            parameters = {key: self._data[self._at[f"{name}.{key}"]] for key in prior.parameters}
            self._made[name] = add_to_model(name, prior.family, parameters)
        return self._made[name]
