"""The BCG vaccine trials, as in metafor's dat.bcg (Colditz et al. 1994, JAMA 271:698)."""

import numpy as np

from bayes.synthesis import LogRatios
from tests.montecarlo import case

LATITUDE = np.array([44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33], float)


def bcg(**more: object) -> LogRatios:
    """Log risk ratios and standard errors of the 13 trials."""
    inputs = case("random_effects_bcg_logRR_HN05")["inputs"]
    return LogRatios(tuple(inputs["label"]), np.array(inputs["y"], float), np.array(inputs["se"], float), **more)
