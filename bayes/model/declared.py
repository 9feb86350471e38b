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
from bayes.model.parts import priors_part
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
        if name not in self._made:
            prior = self._priors[name]
            parameters = {key: self._data[self._at[f"{name}.{key}"]] for key in prior.parameters}
            self._made[name] = add_to_model(name, prior.family, parameters)
        return self._made[name]
