r"""The live what-if of the report: sliders, and the projection they drive, as one fragment of a page.

The page carries the posterior draws and the records of the study; plain JavaScript (``page/*.js``) does with them what
:mod:`bayes.heroin.projection` and :mod:`bayes.sensitivity.weights` do here, and tests in a browser hold both to the
same numbers. A changed prior :math:`p'` gives draw :math:`x_i` the weight

.. math:: w_i \propto \prod_j \frac{p'_j(x_{ij})}{p_j(x_{ij})}

over the changed priors :math:`j` that evidence bears on, Pareto-smoothed (Vehtari, Simpson, Gelman, Yao and Gabry
2024). Where the rule of :mod:`bayes.sensitivity.weights`, which the page carries as data, does not rely on the weights,
no answer is given: Python would fit again. Priors no evidence bears on are drawn again exactly,
:math:`x' = F'^{-1}(F(x))`, as :func:`bayes.sensitivity.alternatives` does.
"""

from __future__ import annotations

from bayes.report.whatif.panel import Panel, panel, standalone

__all__ = ["Panel", "panel", "standalone"]
