"""What the shipped questions must find, computed without PyMC: quadrature over their posteriors, and regressions."""

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from scipy.stats import norm


def reml(y, variance, x):
    """Restricted maximum likelihood of y = a + b x + N(0, variance + tau^2): a, b, their standard errors, tau^2."""
    design = np.column_stack([np.ones_like(x), x])

    def solved(tau2):
        weight = 1 / (variance + tau2)
        information = (design.T * weight) @ design
        found = np.linalg.solve(information, (design.T * weight) @ y)
        rest = y - design @ found
        minus = np.log(variance + tau2).sum() + np.linalg.slogdet(information)[1] + weight @ rest**2
        return minus, found, np.sqrt(np.diag(np.linalg.inv(information)))

    tau2 = minimize(lambda t: solved(t[0])[0], [0.1], bounds=[(0, 10)], method="L-BFGS-B", options={"ftol": 1e-15}).x[0]
    _, found, errors = solved(tau2)
    return found, errors, tau2


def poisson_regression(deaths, exposure, design):
    """Maximum likelihood of deaths ~ Poisson(exposure exp(design b)): b and its standard errors, by Newton's method."""
    b = np.linalg.lstsq(design, np.log((deaths + 0.5) / exposure), rcond=None)[0]
    for _ in range(50):
        mean = exposure * np.exp(design @ b)
        information = (design.T * mean) @ design
        b = b + np.linalg.solve(information, design.T @ (deaths - mean))
    return b, np.sqrt(np.diag(np.linalg.inv(information)))


def bcg_posterior(treated, cases, exposed, latitude, tau_prior):
    """Posterior of (log ratio at 33, slope, tau) on a grid, each trial's own effect integrated out.

    Its step is below the narrowest likelihood's standard deviation, 0.06, wherever tau has mass. Returns the three axes
    and the normalised weights on their grid.
    """
    a, b = np.linspace(-1.5, 0.1, 41), np.linspace(-0.07, 0.015, 43)
    log_tau = np.linspace(np.log(0.01), np.log(1.6), 41)
    z, tau = np.linspace(-7, 7, 281), np.exp(log_tau)
    mass = norm.pdf(z) / norm.pdf(z).sum()
    line_prior = np.add.outer(norm.logpdf(a), norm.logpdf(b, 0, 0.05))
    log_posterior = np.add.outer(line_prior, norm.logpdf(log_tau, *tau_prior))
    for y, n, r, x in zip(treated, cases, exposed, latitude, strict=True):
        mean = np.add.outer(a, b * (x - 33)).ravel()
        line = np.linspace(mean.min(), mean.max(), 150)  # the row depends on the mean alone: a line, then interpolated
        logit = line[:, None, None] + tau[:, None] * z + r
        term = y * logit - n * np.logaddexp(0, logit)
        top = term.max(axis=2, keepdims=True)
        row = CubicSpline(line, np.log(np.exp(term - top) @ mass) + top[..., 0])
        log_posterior += row(mean).reshape(len(a), len(b), len(tau))
    weight = np.exp(log_posterior - log_posterior.max())
    return (a, b, tau), weight / weight.sum()


def expected(points, weight, function):
    """Mean of a function of the grid's axes."""
    return float((function(*np.meshgrid(*points, indexing="ij")) * weight).sum())


def glm_posterior(y, design, prior, *, exposure=None, trials=None, nodes=9):
    """Posterior of a regression with normal priors (mean, sd), by adaptive Gauss-Hermite quadrature.

    Counts are Poisson with log mean design b + log exposure, or Binomial(trials) with logit design b. Returns the
    points (point, coefficient) and their weights.
    """
    mean, sd = np.array(prior, float).T

    def log_density(b):
        eta = b @ design.T
        if trials is None:
            fit = y * (eta + np.log(exposure)) - exposure * np.exp(eta)
        else:
            fit = y * log_expit(eta) + (trials - y) * log_expit(-eta)
        return fit.sum(axis=-1) + norm.logpdf(b, mean, sd).sum(axis=-1)

    mode = minimize(lambda b: -log_density(b), mean, method="BFGS", options={"gtol": 1e-6}).x
    p = expit(design @ mode)
    weight = exposure * np.exp(design @ mode) if trials is None else trials * p * (1 - p)
    root = np.linalg.cholesky(np.linalg.inv((design.T * weight) @ design + np.diag(1 / sd**2)))
    at, mass = np.polynomial.hermite_e.hermegauss(nodes)
    size = len(mean)
    grid = np.stack(np.meshgrid(*[at] * size, indexing="ij"), axis=-1).reshape(-1, size)
    base = np.stack(np.meshgrid(*[np.log(mass)] * size, indexing="ij"), axis=-1).reshape(-1, size).sum(axis=1)
    points = mode + grid @ root.T
    log_weight = base + log_density(points) + (grid**2).sum(axis=1) / 2
    weight = np.exp(log_weight - log_weight.max())
    return points, weight / weight.sum()
