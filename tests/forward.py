"""Draws of parts of a model given others, by the calculations that fits are made of."""

import numpy as np

from bayes.sampling.forward import data_of, drawing
from bayes.sampling.identity import model_hash
from bayes.sampling.prepare import recipe_of
from bayes.sampling.proof import proved
from bayes.sampling.recipe import Recipe, stored_recipe
from bayes.sampling.tree import SIZE, full


def draw(model, outputs, given, size, rng):
    """Arrays (draw, …) by name of some variables given draws of others; all that is not given is drawn."""
    values = {**given, **data_of(model), SIZE: np.asarray(size)}
    piece = proved(drawing(model, outputs, list(given)), given).piece
    return full(piece(values, int(rng.integers(2**31))), size)


def recipe_in_use(model) -> Recipe:
    """The recipe of a model that fits of this code use: the kept one, or one made now where none is kept.

    One with a piece that is no tape is never kept.
    """
    key = model_hash(model)
    return (stored_recipe(key) if key else None) or recipe_of(model)
