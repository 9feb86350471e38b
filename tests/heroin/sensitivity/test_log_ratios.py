"""Densities and predictives of log ratios by clusters against SciPy's dense normal distribution, row by row."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import bayes
from bayes.heroin.model import Structure
from bayes.heroin.sensitivity.rows import Reduction
from bayes.sensitivity.refits import flat_draws

STRUCTURES = {
    "as shipped": Structure(),
    "one effect": Structure(effects="common"),
    "no biases": Structure(biases=()),
    "no drift": Structure(drift=False),
}


@pytest.fixture(scope="module", params=STRUCTURES)
def found(request, shipped_fit):
    draws = {name: values[::97] for name, values in flat_draws(shipped_fit["posterior"].to_dataset()).items()}
    structure = STRUCTURES[request.param]
    part = Reduction.of(draws, bayes.load_study(), structure)
    frame = part.frame
    tau = np.zeros(len(part.expected)) if structure.effects == "common" else draws["tau_theta"]
    variance = np.where(frame.is_theta, tau[:, None], draws["tau_gamma"][:, None] if structure.drift else 0.0) ** 2
    dense = np.einsum("re,ne,se->nrs", frame.z, variance, frame.z) + frame.s + part.loads @ part.loads.T
    return part, dense


@pytest.mark.parametrize("every", [1, 2, 3])
def test_the_density_of_the_rows_kept(found, every):
    part, dense = found
    kept = [i for i in range(len(part.frame.rows)) if every == 1 or i % every]
    logs = part.log_density([part.frame.rows[i] for i in kept])
    for n in range(len(dense)):
        law = multivariate_normal(part.expected[n][kept], dense[n][np.ix_(kept, kept)])
        assert logs[n] == pytest.approx(law.logpdf(part.frame.y[kept]), abs=1e-9)


def test_the_prediction_of_a_row_from_all_others(found):
    part, dense = found
    for i, row in enumerate(part.frame.rows):
        others = [j for j in range(len(part.frame.rows)) if j != i]
        p = part.predictive(row)
        for n in range(len(dense)):
            slope = np.linalg.solve(dense[n][np.ix_(others, others)], dense[n][others, i])
            mean = part.expected[n][i] + slope @ (part.frame.y[others] - part.expected[n][others])
            sd = np.sqrt(dense[n][i, i] - slope @ dense[n][others, i])
            np.testing.assert_allclose(p[n], norm.cdf(part.frame.y[i], mean, sd), atol=1e-9)


def test_rows_of_nothing_have_no_density(found):
    assert (found[0].log_density([]) == 0).all()
