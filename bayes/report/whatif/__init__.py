r"""The live what-if of the report: sliders, and the projection they drive, as one fragment of a page.

The page carries the posterior draws and the question's tape (:mod:`bayes.outcomes`), which plain JavaScript plays
(``page/tape.js``) as NumPy does here; no formula of a question is written in JavaScript. It weighs draws as
:mod:`bayes.sensitivity.weights`, and tests in a browser hold both to the same numbers. A changed prior :math:`p'` gives
draw :math:`x_i` the weight

.. math:: w_i \propto \prod_j \frac{p'_j(x_{ij})}{p_j(x_{ij})}

over the changed priors :math:`j` that evidence bears on, Pareto-smoothed (Vehtari, Simpson, Gelman, Yao and Gabry
2024). Where the rule of :mod:`bayes.sensitivity.weights`, which the page carries as data, does not rely on the weights,
no answer is given: Python would fit again. Priors no evidence bears on are drawn again exactly,
:math:`x' = F'^{-1}(F(x))`, as :func:`bayes.sensitivity.alternatives` does.
"""

from __future__ import annotations

from bayes.report.whatif.carried import Live, live_of, reason_against
from bayes.report.whatif.panel import Panel, panel

__all__ = ["Live", "Panel", "live_of", "panel", "reason_against"]
