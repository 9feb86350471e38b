"""Variance shares known exactly: functions of random inputs with v(u) = Var(E[Y | X_u]) / Var(Y) in closed form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import factorial

import numpy as np

type Value = Callable[[frozenset[int]], float]
type Example = tuple[np.ndarray, np.ndarray, dict[str, list[float]]]

MEASURES = ("first", "total", "shapley")


def closed_form(value: Value, d: int) -> dict[str, list[float]]:
    """First, total and Shapley shares from v(u), the share of variance explained by the inputs in u."""
    every = frozenset(range(d))
    known = {frozenset(u): value(frozenset(u)) for k in range(d + 1) for u in combinations(every, k)}
    shapley = [
        sum(
            factorial(k) * factorial(d - k - 1) / factorial(d) * (known[frozenset(u) | {i}] - known[frozenset(u)])
            for k in range(d)
            for u in combinations(every - {i}, k)
        )
        for i in range(d)
    ]
    first = [known[frozenset({i})] for i in range(d)]
    return {"first": first, "total": [known[every] - known[every - {i}] for i in range(d)], "shapley": shapley}


def product_of(squared: np.ndarray) -> Value:
    """Y a product of independent factors with squared coefficients of variation q: prod (1 + q_i) - 1 over u."""
    whole = np.prod(1 + squared) - 1
    return lambda u: float((np.prod([1 + squared[i] for i in u]) - 1) / whole)


def lognormals(n: int, sd: Sequence[float], rng: np.random.Generator) -> Example:
    """A chain of lognormal factors: q = exp(sd²) - 1."""
    s = np.array(sd)
    x = np.exp(s * rng.normal(size=(n, s.size)))
    return x, x.prod(axis=1), closed_form(product_of(np.expm1(s**2)), s.size)


def correlated_lognormals(n: int, sd: Sequence[float], rho: float, rng: np.random.Generator) -> Example:
    """A chain of lognormals with logs correlated rho^|i-j|: v(u) from the variance of E[log Y | X_u], normal."""
    s = np.array(sd)
    sigma = rho ** np.abs(np.subtract.outer(np.arange(s.size), np.arange(s.size))) * np.outer(s, s)
    logs = rng.multivariate_normal(np.zeros(s.size), sigma, n)

    def value(u: frozenset[int]) -> float:
        i = sorted(u)
        cross = sigma[i].sum(axis=1)
        told = float(cross @ np.linalg.solve(sigma[np.ix_(i, i)], cross)) if i else 0.0
        return float(np.expm1(told) / np.expm1(sigma.sum()))

    return np.exp(logs), np.exp(logs.sum(axis=1)), closed_form(value, s.size)


def sobol_g(n: int, a: Sequence[float], rng: np.random.Generator) -> Example:
    """Y = prod (|4 x_i - 2| + a_i) / (1 + a_i), x uniform: q = 1 / (3 (1 + a)²) (Saltelli & Sobol' 1995)."""
    weight = np.array(a, dtype=float)
    x = rng.uniform(size=(n, weight.size))
    y = np.prod((np.abs(4 * x - 2) + weight) / (1 + weight), axis=1)
    return x, y, closed_form(product_of(1 / 3 / (1 + weight) ** 2), weight.size)


def ishigami(n: int, rng: np.random.Generator, a: float = 7.0, b: float = 0.1) -> Example:
    """Y = sin x1 + a sin² x2 + b x3⁴ sin x1, x uniform on (-pi, pi) (Ishigami & Homma 1990)."""
    x = rng.uniform(-np.pi, np.pi, (n, 3))
    y = np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])
    one = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    parts = {frozenset({0}): one, frozenset({1}): a**2 / 8, frozenset({0, 2}): b**2 * np.pi**8 * (1 / 18 - 1 / 50)}
    whole = sum(parts.values())
    return x, y, closed_form(lambda u: sum(v for part, v in parts.items() if part <= u) / whole, 3)


def linear(n: int, beta: Sequence[float], rho: float, rng: np.random.Generator, noise: float = 0.0) -> Example:
    """Y = beta' x + noise, x normal with correlations rho^|i-j|."""
    b = np.array(beta, dtype=float)
    sigma = rho ** np.abs(np.subtract.outer(np.arange(b.size), np.arange(b.size))).astype(float)
    x = rng.multivariate_normal(np.zeros(b.size), sigma, n)
    whole = float(b @ sigma @ b) + noise**2

    def value(u: frozenset[int]) -> float:
        i = sorted(u)
        cross = sigma[i] @ b
        return float(cross @ np.linalg.solve(sigma[np.ix_(i, i)], cross)) / whole if i else 0.0

    return x, x @ b + noise * rng.normal(size=n), closed_form(value, b.size)


def chain(n: int, columns: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    """Independent autoregressive chains, stationary, with variance one: (n, columns)."""
    x = np.empty((n, columns))
    x[0] = rng.normal(size=columns)
    for i in range(1, n):
        x[i] = rho * x[i - 1] + np.sqrt(1 - rho**2) * rng.normal(size=columns)
    return x
