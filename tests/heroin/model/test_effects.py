"""Between-setting effects: collapsed is exact, recovery is exact, published cases come out."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from scipy import special, stats

import bayes
from bayes.heroin.model import Structure
from bayes.heroin.model.reduction import design
from bayes.heroin.model.structure import BIASES
from bayes.sampling.forward import log_densities
from tests.forward import draw
from tests.montecarlo import LIMIT, case, mean_z, quantile_z, sd_z


@pytest.fixture(scope="module")
def frame(shipped_study):
    return design(shipped_study.rows("trials"), shipped_study.rows("prepost"), BIASES)


def moments(frame, at: dict[str, float], weight: np.ndarray | float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and variance of the group effects, and what the bias terms add to the rows."""
    mean = np.where(frame.is_theta, at["mu_theta"], at["mu_gamma"])
    variance = np.where(frame.is_theta, at.get("tau_theta", 0.0) ** 2 * weight, at["tau_gamma"] ** 2)
    return mean, variance, frame.b @ np.array([at[term] for term in frame.terms])


def test_recovered_effects_are_draws_of_the_analytic_conditional(shipped_model, frame) -> None:
    """Matheron's rule against ``E = m + D Z' V^-1 (y - Zm - Bb)``, ``C = D - D Z' V^-1 Z D``."""
    n = 20_000
    prior = draw(shipped_model, shipped_model.free_RVs, {}, 1, np.random.default_rng(3))
    at = {name: float(np.ravel(prior[name])[0]) for name in ("mu_theta", "mu_gamma", *frame.terms)}
    at |= {"tau_theta": 0.35, "tau_gamma": 0.2}
    given = {name: np.full(n, value) for name, value in at.items()}
    found = draw(shipped_model, [shipped_model["effect"]], given, n, np.random.default_rng(4))["effect"]
    mean, variance, shift = moments(frame, at)
    gain = variance[:, None] * frame.z.T @ np.linalg.inv((frame.z * variance) @ frame.z.T + frame.s)
    exact = mean + gain @ (frame.y - frame.z @ mean - shift)
    cov = np.diag(variance) - gain @ (frame.z * variance)
    white = np.linalg.solve(np.linalg.cholesky(cov), (found - exact).T)
    p = len(exact)
    assert n * np.sum(white.mean(axis=1) ** 2) < stats.chi2(p).ppf(1 - 1e-4)  # one false alarm in 10,000 seeds
    second = white @ white.T / n  # its entries have standard errors 1/sqrt(n), on the diagonal sqrt(2/n)
    errors = np.sqrt((1 + np.eye(p)) / n)
    assert np.abs((second - np.eye(p)) / errors).max() < stats.norm.isf(1e-4 / p**2)  # Bonferroni over p^2 entries


@pytest.mark.parametrize("effects", ["random", "common", "t"])
def test_the_collapsed_density_is_the_uncollapsed_one_integrated(shipped_study, frame, effects: str) -> None:
    """Besag's identity at eight prior draws: ``log p(y) = log p(y | e) + log p(e) - log p(e | y)``, whatever ``e``."""
    models = [bayes.build_model(shipped_study, Structure(effects=effects, collapse=on)) for on in (True, False)]
    points = draw(models[0], models[0].free_RVs, {}, 8, np.random.default_rng(5))
    rng = np.random.default_rng(6)
    random = np.arange(len(frame.effects)) if effects != "common" else np.flatnonzero(~frame.is_theta)
    e = np.empty((8, len(frame.effects)))
    conditional = np.empty(8)
    for i in range(8):
        at = {name: float(points[name][i]) for name in ("mu_theta", "mu_gamma", "tau_gamma", *frame.terms)}
        at["tau_theta"] = float(points["tau_theta"][i]) if "tau_theta" in points else 0.0
        mean, variance, shift = moments(frame, at, points["effect_weight"][i] if effects == "t" else 1.0)
        precision = np.diag(1 / variance[random]) + frame.z[:, random].T @ np.linalg.solve(frame.s, frame.z[:, random])
        gap = frame.y - frame.z @ mean - shift
        centre = mean[random] + np.linalg.solve(precision, frame.z[:, random].T @ np.linalg.solve(frame.s, gap))
        e[i] = mean
        e[i, random] = centre + rng.normal(size=len(random)) * 0.1
        conditional[i] = stats.multivariate_normal(centre, np.linalg.inv(precision)).logpdf(e[i, random])
    collapsed = log_densities(models[0], [models[0]["log_ratio"]], points)["log_ratio"]
    name = "effect_gamma" if effects == "common" else "effect"
    free = {**points, name: e[:, random]}
    parts = log_densities(models[1], [models[1]["log_ratio"], models[1][name]], free)
    np.testing.assert_allclose(parts["log_ratio"] + parts[name].sum(axis=1) - conditional, collapsed, rtol=1e-8)


# --- published random-effects cases ----------------------------------------------------------

CASES = ("random_effects_eight_schools_posteriordb", "random_effects_eight_schools_halfnormal5",
         "random_effects_bcg_logRR_HN05")  # fmt: skip


def tau_prior(words: str) -> tuple[str, float]:
    family, scale = words.rstrip(")").split("(")
    return family, float(scale)


def quadrature(inputs: dict) -> dict[str, np.ndarray]:
    """Exact posterior moments by one integral over tau: given tau all else is Gaussian."""
    y, se, (m0, s0) = np.array(inputs["y"]), np.array(inputs["se"]), inputs["mu_prior"]
    family, scale = tau_prior(inputs["tau_prior"])
    prior = stats.halfcauchy(scale=scale) if family == "HalfCauchy" else stats.halfnorm(scale=scale)
    nodes, weights = special.roots_legendre(2000)
    u = (nodes + 1) / 2  # tau = prior quantile of u: the prior becomes uniform
    tau = prior.ppf(u)[:, None]
    v = se**2 + tau**2
    precision = 1 / s0**2 + (1 / v).sum(axis=1)
    mu = (m0 / s0**2 + (y / v).sum(axis=1)) / precision
    log = (stats.norm(0, np.sqrt(v)).logpdf(y - mu[:, None]).sum(axis=1) + stats.norm(m0, s0).logpdf(mu)
           - stats.norm(0, 1 / np.sqrt(precision)).logpdf(0))  # fmt: skip
    w = weights * np.exp(log - log.max())
    w /= w.sum()
    shrink = tau**2 / v
    theta = shrink * y + (1 - shrink) * mu[:, None]
    spread = shrink * se**2 + (1 - shrink) ** 2 / precision[:, None]
    return {
        "mu": (w @ mu, np.sqrt(w @ (1 / precision + mu**2) - (w @ mu) ** 2)),
        "tau": (w @ tau[:, 0], np.sqrt(w @ tau[:, 0] ** 2 - (w @ tau[:, 0]) ** 2)),
        "theta": (w @ theta, np.sqrt(w @ (spread + theta**2) - (w @ theta) ** 2)),
        "P(mu < 0)": (w @ stats.norm.sf(mu * np.sqrt(precision)), np.nan),
    }  # fmt: skip


def collapsed(inputs: dict) -> pm.Model:
    """The same collapsed form as in the joint model, for any published set of rows."""
    y, se, (m0, s0) = np.array(inputs["y"]), np.array(inputs["se"]), inputs["mu_prior"]
    family, scale = tau_prior(inputs["tau_prior"])
    with pm.Model(coords={"row": inputs["label"]}) as model:
        observed, s = pm.Data("observed", y, dims="row"), pm.Data("s", np.diag(se**2))
        mu = pm.Normal("mu", m0, s0)
        tau = pm.HalfCauchy("tau", scale) if family == "HalfCauchy" else pm.HalfNormal("tau", scale)
        total = tau**2 * pt.eye(len(y)) + s
        pm.MvNormal("y", mu + pt.zeros(len(y)), cov=total, observed=observed, dims="row")
        first, second = (pm.Normal(name, 0, 1, dims="row") for name in ("_first", "_second"))
        drawn = mu + tau * first
        gap = observed - drawn - pt.linalg.cholesky(s) @ second
        pm.Deterministic("theta", drawn + tau**2 * pt.linalg.solve(total, gap), dims="row")
        pm.Normal("theta_new", mu, tau)
    return model


@pytest.mark.parametrize("name", CASES)
def test_quadrature_reproduces_the_published_values(name: str) -> None:
    """To 1e-4 relative: the accuracy to which the two codes behind the reference agree is 2e-5."""
    reference, exact = case(name), quadrature(case(name)["inputs"])
    for key in ("mu", "tau", "theta"):
        for moment, ours in zip(("mean", "sd"), exact[key], strict=True):
            np.testing.assert_allclose(ours, reference["exact"][key][moment], rtol=1e-4, err_msg=f"{key} {moment}")
    assert exact["P(mu < 0)"][0] == pytest.approx(reference["exact"]["mu"]["P_lt_0"], rel=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_the_sampler_reproduces_the_published_cases(name: str) -> None:
    reference = case(name)
    fit = bayes.sample(collapsed(reference["inputs"]), rng=11)
    posterior, exact, zs = fit["posterior"], reference["exact"], {}
    for key in ("mu", "tau", "theta_new"):
        zs[f"mean {key}"] = mean_z(posterior[key].values, exact[key]["mean"])
        zs[f"sd {key}"] = sd_z(posterior[key].values, exact[key]["sd"])
        for p in (2.5, 50, 97.5):
            zs[f"q{p:g} {key}"] = quantile_z(posterior[key].values, p / 100, exact[key][f"q{p:g}"])
    for i, (mean, sd) in enumerate(zip(exact["theta"]["mean"], exact["theta"]["sd"], strict=True)):
        zs[f"mean theta {i}"] = mean_z(posterior["theta"].values[:, :, i], mean)
        zs[f"sd theta {i}"] = sd_z(posterior["theta"].values[:, :, i], sd)
    assert {key: round(z, 1) for key, z in zs.items() if abs(z) > LIMIT} == {}
