r"""Is the posterior computed right, and what does it say where the model is wrong? Of any PyMC model.

*Simulation-based calibration* (:func:`sbc`). Parameters are drawn from the prior and data from the model given them,
the model is fitted to each such data set, and the rank of the true value among thinned posterior draws is kept. Where
prior, likelihood and sampler agree, ranks are uniform on :math:`0, \dots, L` (Cook, Gelman and Rubin 2006; Talts,
Betancourt, Simpson, Vehtari and Gelman 2018, arXiv:1804.06788). Ranks of the log likelihood itself are kept too:
without such a quantity a posterior that ignores the data altogether would pass (Modrák, Moon, Kim, Bürkner, Huurre,
Faltejsková, Gelman and Vehtari 2023). It checks the computation, on the model's own terms; it cannot show that the
model or its priors are true of the world.

*Stress* (:func:`stress`). Truths are drawn from the fitted posterior, the world is made to differ from the model, and
intervals and medians of the refitted model are compared with the truth.
"""

from bayes.calibration.ranks import LOG_LIKELIHOOD, sbc, uniformity
from bayes.calibration.replicates import Effort
from bayes.calibration.simulated import simulate
from bayes.calibration.worlds import stress

__all__ = ["LOG_LIKELIHOOD", "Effort", "sbc", "simulate", "stress", "uniformity"]
