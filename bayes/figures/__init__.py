"""Figures that a journal prints as they are.

Each function draws a finished table of :mod:`bayes.figuredata` (or makes it first from the draws it is given) and
returns a matplotlib
``Figure`` that carries its ``table`` and ``caption``; no statistic is computed here. Sizes are physical: ``width`` is
``"single"``
(89 mm), ``"double"`` (183 mm) or a number of millimetres, and type is 6 to 8 points at that size::

    import bayes
    bayes.figures.fan(futures).savefig("fan.pdf")
    bayes.figures.save(bayes.figures.ridge(futures, width="single"), Path("figures"), "ridge", ["pdf", "svg"])

The pictures are our own small marks on matplotlib's objects rather than ArviZ-plots: those compute while they draw and
go through
``pyplot``, so that the drawn numbers could not be handed over beside the picture, nor the reader's settings be left
alone.
"""

from __future__ import annotations

from bayes.figures.agreement import funnel, loo_pit
from bayes.figures.benefits import places, returns
from bayes.figures.canvas import STYLES, WIDTHS, PaperFigure
from bayes.figures.concentrations import concentration
from bayes.figures.decisions import acceptability
from bayes.figures.drifts import heterogeneity
from bayes.figures.exceedances import exceedance
from bayes.figures.fans import fan
from bayes.figures.forests import forest
from bayes.figures.frequencies import dots
from bayes.figures.graphs import graph
from bayes.figures.posteriors import posterior
from bayes.figures.predictives import predictive
from bayes.figures.priors import prior_posterior
from bayes.figures.retentions import retention
from bayes.figures.ridges import ridge
from bayes.figures.saving import save
from bayes.figures.specifications import specification
from bayes.figures.tornadoes import shapley, tornado, waterfall
from bayes.figures.traces import chains

__all__ = [
    "STYLES",
    "WIDTHS",
    "PaperFigure",
    "acceptability",
    "chains",
    "concentration",
    "dots",
    "exceedance",
    "fan",
    "forest",
    "funnel",
    "graph",
    "heterogeneity",
    "loo_pit",
    "places",
    "posterior",
    "predictive",
    "prior_posterior",
    "retention",
    "returns",
    "ridge",
    "save",
    "shapley",
    "specification",
    "tornado",
    "waterfall",
]
