"""What parameters and inputs are called in print (see :mod:`bayes.heroin.words`)."""

from bayes.heroin.quantities import INPUTS, NAMES, TITLES
from bayes.heroin.words import named

__all__ = ["ANSWERS", "COST", "INPUTS", "NAMES", "TITLES", "named"]

ANSWERS = ("offences_avoided", "victim_crimes_avoided")
"""The quantities a projection is about, in order: in both units."""
COST = "programme_cost"
