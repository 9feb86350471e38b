"""The numbers of every figure, as tidy tables: one row for each thing that is drawn.

A table function takes draws (a fit, a projection) and returns a ``DataFrame``; the figure of the same name in
:mod:`bayes.figures` draws exactly those rows, and they are what stands in ``NAME.csv`` beside it. Columns common to all
tables:

``layer``
    what a row is: a point of a density, an interval, a median, a reference, an observation;
``unit``
    of the plotted value; ``prob`` and ``kind`` of an interval (``eti``, equal tails);
``draws``, ``chains``, ``verdict``
    how many draws it rests on, and what the diagnostics said of them.

Intervals come from :func:`bayes.summaries.interval`, densities from ArviZ's kernel estimator.
"""

from __future__ import annotations

from bayes.figuredata.agreement import funnel, loo_pit
from bayes.figuredata.chains import chains
from bayes.figuredata.changes import budget, specification, tornado
from bayes.figuredata.decisions import acceptability
from bayes.figuredata.frequencies import dots
from bayes.figuredata.graph import graph
from bayes.figuredata.outcomes import exceedance, fan, posterior, ridge
from bayes.figuredata.parameters import predictive, prior_posterior
from bayes.figuredata.trials import forest, heterogeneity
from bayes.heroin.programme import concentration, places, retention

__all__ = [
    "acceptability",
    "budget",
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
    "ridge",
    "specification",
    "tornado",
]
