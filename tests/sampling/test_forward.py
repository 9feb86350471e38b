"""Forward draws are exact and independent over draws, for every kind of variable."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import stats

from bayes.sampling.forward import coords_of, drawing
from bayes.sampling.proof import ONE_BY_ONE, proved
from bayes.sampling.tree import SIZE
from tests.forward import draw

N = 4000


def model() -> pm.Model:
    """Two parents, and children in which they stand at every place a parameter can have."""
    with pm.Model(coords={"g": list("abc"), "k": list("xy")}) as found:
        mu, s = pm.Normal("mu", 0, 1), pm.Uniform("s", 0.5, 2)
        pm.Normal("scalar, second parameter", 0, s)
        pm.Normal("vector", mu, s, dims="g")
        pm.StudentT("student", nu=4, mu=mu, sigma=s)
        pm.Normal("mixed shapes", pt.stack([mu, 0 * mu, 1.0]), pt.stack([s, s]).reshape((2, 1)), shape=(2, 3))
        pm.MvNormal("covariance", np.zeros(2), cov=pt.eye(2) * s**2, dims="k")
        pm.MvNormal("rows of vectors", np.zeros((3, 2)), cov=pt.eye(2) * s**2, shape=(3, 2))
        weights = pm.Dirichlet("dirichlet", np.ones(3) * 2, dims="g")
        pm.Multinomial("multinomial", 10, weights, dims="g")
        pm.Beta("beta, second parameter", 2, s)
        pm.NormalMixture("mixture", w=weights, mu=np.array([-5.0, 0, 5]), sigma=s)
        pm.Truncated("truncated", pm.Normal.dist(mu, s), lower=0)
        pm.ZeroSumNormal("zero sum", s, dims="g")
        pm.Censored("censored", pm.Normal.dist(mu, s), lower=-1, upper=1)
    return found


SINGLE = [v.name for v in model().free_RVs if v.name not in ("mu", "s")]


@pytest.fixture(scope="module")
def found() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    given = {"mu": rng.normal(size=N), "s": rng.uniform(0.5, 2, size=N)}
    built = model()
    simple = [built[name] for name in SINGLE if name not in ("mixture", "truncated", "zero sum", "censored")]
    out = draw(built, simple, given, N, np.random.default_rng(2))
    built_of = [built[name] for name in ("mixture", "truncated", "zero sum", "censored")]
    return given | out | draw(built, built_of, given | {"dirichlet": out["dirichlet"]}, N, np.random.default_rng(3))


@pytest.mark.parametrize("name", SINGLE)
def test_draws_do_not_repeat_or_follow_each_other(found, name: str) -> None:
    """Rank correlation of each draw with the next is that of noise, and continuous draws are all different."""
    values = found[name].reshape(N, -1)
    if name not in ("multinomial", "censored"):
        assert len(np.unique(values[:, 0])) == N
    for column in values.T:
        assert abs(stats.spearmanr(column[1:], column[:-1]).statistic) < 4 / np.sqrt(N)  # 4 standard errors


def test_each_draw_has_its_own_parents(found) -> None:
    """Standardised by their own parents, draws have their textbook distribution (Kolmogorov-Smirnov, one in 10,000)."""
    mu, s = found["mu"], found["s"]
    standard = {
        "second": found["scalar, second parameter"] / s,
        "vector": ((found["vector"] - mu[:, None]) / s[:, None])[:, 2],
        "mixed": ((found["mixed shapes"][:, 1, 0] - mu) / s),
        "constant": ((found["mixed shapes"][:, 0, 2] - 1) / s),
        "covariance": found["covariance"][:, 1] / s,
        "rows": found["rows of vectors"][:, 2, 0] / s,
        "zero sum": found["zero sum"][:, 0] / s / np.sqrt(2 / 3),
    }
    for name, values in standard.items():
        assert stats.kstest(values, stats.norm.cdf).pvalue > 1e-4, name
    uniform = {
        "student": stats.t(4).cdf((found["student"] - mu) / s),
        "beta": stats.beta(2, s).cdf(found["beta, second parameter"]),
        "truncated": 1 - stats.norm.sf(found["truncated"], mu, s) / stats.norm.sf(0, mu, s),
    }  # fmt: skip
    for name, values in uniform.items():
        assert stats.kstest(values, "uniform").pvalue > 1e-4, name


def test_elements_of_a_vector_are_independent_given_their_parents(found) -> None:
    white = np.concatenate([
        (found["vector"] - found["mu"][:, None]) / found["s"][:, None],
        found["rows of vectors"].reshape(N, 6) / found["s"][:, None],
        found["covariance"] / found["s"][:, None], (found["scalar, second parameter"] / found["s"])[:, None],
    ], axis=1)  # fmt: skip
    off = np.corrcoef(white.T)[np.triu_indices(white.shape[1], 1)]
    assert np.abs(off).max() < stats.norm.isf(1e-4 / off.size) / np.sqrt(N)  # Bonferroni over the pairs


def test_constraints_hold_in_every_draw(found) -> None:
    np.testing.assert_allclose(found["dirichlet"].sum(axis=1), 1)
    np.testing.assert_array_equal(found["multinomial"].sum(axis=1), 10)
    np.testing.assert_allclose(found["zero sum"].sum(axis=1), 0, atol=1e-12)
    assert (np.abs(found["censored"]) <= 1).all()


def test_a_deterministic_uses_the_same_draws_as_its_parents() -> None:
    with pm.Model() as built:
        a = pm.Normal("a", 0, 1)
        b = pm.Normal("b", a, 1)
        pm.Deterministic("sum", a + b)
    out = draw(built, [built["a"], built["b"], built["sum"]], {}, 100, np.random.default_rng(1))
    np.testing.assert_allclose(out["sum"], out["a"] + out["b"])


def test_the_same_stream_gives_the_same_draws() -> None:
    built = model()
    outputs = [built["vector"], built["dirichlet"]]
    first, again, other = (draw(built, outputs, {}, 20, np.random.default_rng(seed)) for seed in (1, 1, 2))
    for name in ("vector", "dirichlet"):
        np.testing.assert_array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])


@pytest.mark.filterwarnings("ignore:Data in")
def test_parts_of_what_is_seen_in_part_are_called_as_the_whole() -> None:
    """A row that is left out is named by its year, not by its place among those seen."""
    with pm.Model(coords={"year": [2014, 2015, 2016], "way": ["on", "off"]}) as model:
        pm.Normal("y", 0, 1, observed=np.ma.masked_invalid([1.0, np.nan, 2.0]), dims="year")
        pm.Normal("z", 0, 1, observed=np.ma.masked_invalid([[1, np.nan], [1, 1], [np.nan, 1]]), dims=("year", "way"))
    found = coords_of(model)
    assert (found["y_unobserved_dim_0"], found["y_observed_dim_0"]) == ([2015], [2014, 2016])
    assert found["z_unobserved_dim_0"] == ["2014, off", "2016, on"]
    assert found["z_observed_dim_0"] == ["2014, on", "2015, on", "2015, off", "2016, off"]


BUILT = {
    "Dirichlet multinomial": lambda s: pm.DirichletMultinomial("x", n=[9, 6], a=s * np.ones(3), shape=(2, 3)),
    "zero-inflated": lambda s: pm.ZeroInflatedPoisson("x", 0.7, mu=3 * s, shape=4),
    "mixture": lambda s: pm.NormalMixture("x", w=[0.3, 0.7], mu=[-1.0, 2.0], sigma=s, shape=3),
    "half Cauchy": lambda s: pm.HalfCauchy("x", s, shape=2),
    "Weibull": lambda s: pm.Weibull("x", 2, s, shape=2),
}


@pytest.mark.parametrize("name", BUILT)
def test_a_distribution_built_from_others_is_drawn_for_all_draws_at_once(name: str) -> None:
    """With 300 rows one draw at a time took minutes. What is drawn is compared with PyMC's own draws in ``proved``."""
    with pm.Model() as built:
        BUILT[name](pm.Uniform("s", 0.5, 2))
    given = {"s": np.random.default_rng(4).uniform(0.5, 2, size=N)}
    found = proved(drawing(built, [built["x"]], ["s"]), given)
    assert found.how != ONE_BY_ONE
    x = found.piece({**given, SIZE: np.asarray(N)}, 1)["x"].reshape(N, -1)
    assert abs(stats.spearmanr(x[1:, 0], x[:-1, 0]).statistic) < 4 / np.sqrt(N)  # 4 standard errors


def test_draws_of_a_dirichlet_multinomial_have_its_moments() -> None:
    """Mean n/3 and variance n (1/3)(2/3)(n + A)/(1 + A) for three equal weights with the sum A."""
    with pm.Model() as built:
        BUILT["Dirichlet multinomial"](pm.Uniform("s", 0.5, 2))
    found = draw(built, [built["x"]], {"s": np.full(N, 1.0)}, N, np.random.default_rng(5))["x"]
    n = np.array([9, 6])
    variance = n * 2 / 9 * (n + 3) / 4
    error = np.sqrt(variance / N)[:, None]
    assert np.all(np.abs(found.mean(axis=0) - n[:, None] / 3) < 4.5 * error)
    assert found.var(axis=0) == pytest.approx(np.repeat(variance[:, None], 3, axis=1), rel=0.1)  # 4.5 errors of 2 %
    assert np.all(found.sum(axis=-1) == n)


def test_what_is_built_from_others_keeps_the_parents_that_are_drawn_beside_it() -> None:
    """Of 9 counts with weights s, 1 and 1 the first has the mean 9 s/(s + 2) at each draw's own s."""
    with pm.Model() as built:
        s = pm.Uniform("s", 0.1, 20)
        pm.DirichletMultinomial("x", n=9, a=pt.stack([s, 1.0, 1.0]))
    found = draw(built, [built["s"], built["x"]], {}, N, np.random.default_rng(6))
    assert stats.spearmanr(found["s"], found["x"][:, 0]).statistic > 0.5
