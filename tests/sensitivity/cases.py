"""Reference cases, and draws without MCMC: posteriors that are known exactly, sampled on a grid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

CASES: dict[str, Any] = {
    case["id"]: case
    for case in json.loads((Path(__file__).parents[1] / "reference/sensitivity_cases.json").read_text("utf-8"))["cases"]
}

SIGMAS = 4
"""Monte Carlo errors allowed: a normal error exceeds four once in 16,000 comparisons."""


def tree(**groups: dict[str, np.ndarray]) -> xr.DataTree:
    """A fit made of arrays (chain, draw, …)."""
    found = xr.DataTree()
    for group, values in groups.items():
        data = {name: (("chain", "draw", *(f"{name}_{i}" for i in range(v.ndim - 2))), v) for name, v in values.items()}
        found[group] = xr.DataTree(xr.Dataset(data))
    return found


def on_grid(x: np.ndarray, logs: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Independent draws (size,) from a density on an even grid: cells by inversion, then spread evenly within."""
    p = np.exp(logs - logs.max())
    cells = np.searchsorted(np.cumsum(p) / p.sum(), rng.uniform(size=size))
    return np.asarray(x[cells] + (x[1] - x[0]) * (rng.uniform(size=size) - 0.5))


class UnivariateNormal:
    """y_i ~ N(mu, sigma), mu ~ N(0, 1), sigma ~ HalfNormal(2.5): the case ``psense_univariate_normal``."""

    def __init__(self) -> None:
        self.y = np.array(CASES["psense_univariate_normal"]["inputs"]["y"])
        self.mu, self.sigma = np.linspace(8.0, 10.6, 521), np.linspace(0.4, 2.6, 441)

    def parts(self, mu: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log prior of mu, of sigma, and log likelihood (…, row)."""
        rows = stats.norm(mu[..., None], sigma[..., None]).logpdf(self.y)
        return stats.norm(0, 1).logpdf(mu), stats.halfnorm(scale=2.5).logpdf(sigma), rows

    def joint(self, prior_power: float = 1.0) -> np.ndarray:
        a, b, rows = self.parts(*np.meshgrid(self.mu, self.sigma, indexing="ij"))
        return np.asarray(prior_power * (a + b) + rows.sum(axis=-1))

    def draws(self, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        p = np.exp(self.joint() - self.joint().max()).ravel()
        rng = np.random.default_rng(seed)
        cells = rng.choice(p.size, size=size, p=p / p.sum())
        jitter = rng.uniform(-0.5, 0.5, size=(2, size)) * [[self.mu[1] - self.mu[0]], [self.sigma[1] - self.sigma[0]]]
        i, j = np.unravel_index(cells, (len(self.mu), len(self.sigma)))
        return self.mu[i] + jitter[0], self.sigma[j] + jitter[1]

    def fit(self, size: int = 4000, seed: int = 1) -> xr.DataTree:
        mu, sigma = (v.reshape(4, -1) for v in self.draws(size, seed))
        a, b, rows = self.parts(mu, sigma)
        return tree(posterior={"mu": mu, "sigma": sigma}, log_prior={"mu": a, "sigma": b}, log_likelihood={"y": rows})


class EightSchools:
    """Rubin's (1981) eight schools: mu ~ N(0, 5), tau ~ HalfCauchy(5), as in posteriordb."""

    y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    se = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])

    def fit(self, size: int = 4000, seed: int = 1) -> xr.DataTree:
        """Tau on a grid with all else integrated out, then mu, then non-centred effects: exact and independent."""
        rng, grid = np.random.default_rng(seed), np.linspace(0.01, 60, 6000)
        precision = 1 / (self.se**2 + grid[:, None] ** 2)
        v = 1 / (1 / 25 + precision.sum(axis=1))
        m = v * (precision * self.y).sum(axis=1)
        logs = stats.halfcauchy(scale=5).logpdf(grid) + 0.5 * (np.log(precision).sum(axis=1) + np.log(v) + m**2 / v)
        tau = np.abs(on_grid(grid, logs - 0.5 * (precision * self.y**2).sum(axis=1), size, rng))
        w = 1 / (self.se**2 + tau[:, None] ** 2)
        spread = 1 / (1 / 25 + w.sum(axis=1))
        mu = spread * (w * self.y).sum(axis=1) + np.sqrt(spread) * rng.normal(size=size)
        both = 1 / (1 / self.se**2 + 1 / tau[:, None] ** 2)
        theta = both * (self.y / self.se**2 + mu[:, None] / tau[:, None] ** 2) + np.sqrt(both) * rng.normal(
            size=(size, 8)
        )
        eta = (theta - mu[:, None]) / tau[:, None]
        shaped = {"mu": mu.reshape(4, -1), "tau": tau.reshape(4, -1), "eta": eta.reshape(4, -1, 8)}
        prior = {
            "mu": stats.norm(0, 5).logpdf(shaped["mu"]),
            "tau": stats.halfcauchy(scale=5).logpdf(shaped["tau"]),
            "eta": stats.norm().logpdf(shaped["eta"]),
        }
        rows = stats.norm(theta.reshape(4, -1, 8), self.se).logpdf(self.y)
        return tree(posterior=shaped, log_prior=prior, log_likelihood={"y": rows})
