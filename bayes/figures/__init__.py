"""Figures that a journal prints as they are: each draws a finished table, and computes nothing."""

from __future__ import annotations

from bayes.figures.benefits import places
from bayes.figures.canvas import STYLES, WIDTHS, PaperFigure
from bayes.figures.concentrations import concentration
from bayes.figures.drifts import heterogeneity
from bayes.figures.exceedances import exceedance
from bayes.figures.fans import fan
from bayes.figures.forests import forest
from bayes.figures.posteriors import posterior
from bayes.figures.predictives import predictive
from bayes.figures.priors import prior_posterior
from bayes.figures.retentions import retention
from bayes.figures.ridges import ridge
from bayes.figures.traces import chains

__all__ = [
    "STYLES",
    "WIDTHS",
    "PaperFigure",
    "chains",
    "concentration",
    "exceedance",
    "fan",
    "forest",
    "heterogeneity",
    "places",
    "posterior",
    "predictive",
    "prior_posterior",
    "retention",
    "ridge",
]
