"""The errors stated beside reweighted numbers are true: simulation over conjugate normal models.

A fit has the posterior N(0, 1) of a parameter, and the changed model N(shift, scale): what another normal prior, or a
row of evidence more or less, does to a normal mean. The target is the parameter, the parameter plus noise of its own,
or its exponential. An interval of 1.96 stated errors should hold the exact quantile in 95 % of simulations; where
weights are relied on, at least 90 % is asked for, per quantile and cell, less what the number of simulations allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes.sensitivity import Change, compare
from bayes.sensitivity.weights import equal_weights, khat_limit, levels, quantiles, smoothed_weights, tail_size

LEVELS = np.array(levels(0.95))
TARGETS = ("parameter", "with noise", "exponential")
LEAST = 0.90
FAST = [(draws, shift, scale, "parameter") for draws, shift, scale in product(
    (400, 1000, 4000), (0.0, 0.75, 1.25, 2.0), (0.7, 1.0, 1.25))]  # fmt: skip
EVERY = list(product((400, 1000, 4000), np.arange(0, 3.01, 0.5), (0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5),
                     TARGETS))  # fmt: skip

type Cell = tuple[int, float, float, str]


def _exact(shift: float, scale: float, target: str) -> np.ndarray:
    z = stats.norm.ppf(LEVELS)
    if target == "with noise":
        return np.asarray(shift + np.hypot(scale, 1) * z)
    return np.asarray(np.exp(shift + scale * z) if target == "exponential" else shift + scale * z)


def _simulated(cell: Cell, times: int) -> Iterator[dict[str, object]]:
    """One row for each quantile that is relied on: whether level and difference are within 1.96 stated errors."""
    draws, shift, scale, target = cell
    rng = np.random.default_rng([draws, int(100 * shift), int(100 * scale), TARGETS.index(target)])
    of: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "parameter": lambda x: x, "with noise": lambda x: x + rng.normal(size=x.shape), "exponential": np.exp
    }  # fmt: skip
    exact, before = _exact(shift, scale, target), _exact(0, 1, target)
    for _ in range(times):
        x = rng.normal(size=(4, draws // 4))
        weights = smoothed_weights(0.5 * x**2 - 0.5 * ((x - shift) / scale) ** 2)
        y = of[target](x)
        base, new = (quantiles(y, w, LEVELS) for w in (equal_weights(x.shape), weights))
        moved, error = new.change_from(base, coupled=True)
        near = np.abs(new.values - exact) <= 1.96 * new.mcse
        same = np.abs(moved - exact + before) <= 1.96 * error + 1e-12
        for i, level in enumerate(LEVELS):
            row = {"cell": cell, "level": level, "khat": weights.khat, "covers": near[i], "difference": same[i]}
            yield row | {"relied": bool(weights.reliable() and new.resolved[i])}


def _coverage(cells: list[Cell], times: int) -> pd.DataFrame:
    found = pd.DataFrame([row for cell in cells for row in _simulated(cell, times)])
    by = found[found["relied"]].groupby(["cell", "level"])[["covers", "difference"]].agg(["mean", "size"])
    return by


def test_errors_cover_where_weights_are_relied_on() -> None:
    """Pooled over cells, some 40 simulations in each: a cell's share of 0.95 errs by 0.034."""
    by = _coverage(FAST, 40)
    for name in ("covers", "difference"):
        share, size = by[name, "mean"], by[name, "size"]
        assert np.average(share, weights=size) > 0.94
        for level in LEVELS:
            at = by.index.get_level_values("level") == level
            assert np.average(share[at], weights=size[at]) > LEAST, (name, level)
        low = stats.binom.ppf(1e-4, size, LEAST) / size  # a cell covers 90 %, but for one chance in 10,000
        assert (share >= low).all(), by[share < low]


def test_the_rule_is_no_counsel_of_despair() -> None:
    """A shift of one posterior standard deviation, or a prior that takes a third of the variance, needs no refit."""
    for shift, scale in ((0.5, 1.0), (0.75, 0.8), (0.0, 0.6)):
        found = pd.DataFrame(_simulated((4000, shift, scale, "parameter"), 10))
        assert found["relied"].mean() > 0.9, (shift, scale)


@pytest.mark.zoo
def test_errors_cover_over_a_fine_grid() -> None:
    """567 cells of 100 simulations each, four minutes on one core: every cell covers 90 %."""
    by = _coverage(EVERY, 100)
    by = by[by["covers", "size"] >= 20]
    for name in ("covers", "difference"):
        share, size = by[name, "mean"], by[name, "size"]
        assert np.average(share, weights=size) > 0.945
        low = stats.binom.ppf(1e-5, size, LEAST) / size
        assert (share >= low).all(), by[share < low].to_string()


def test_limit_of_the_shape() -> None:
    """Two standard errors (1 + k) / sqrt(M) of the shape lie between the limit and 1/2."""
    for draws in (400, 4000, 100_000):
        k, tail = khat_limit(draws), tail_size(draws)
        assert k + 2 * (1 + k) / np.sqrt(tail) == pytest.approx(0.5, rel=1e-12)


def _change(x: np.ndarray, shift: float, scale: float, **others: object) -> Change:
    ratio = {"x": 0.5 * x**2 - 0.5 * ((x - shift) / scale) ** 2}
    return Change("changed", log_ratio=ratio, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(("shift", "scale"), [(1.42, 1.0), (1.5, 0.9), (-2.0, 0.8), (3.0, 0.5), (0.0, 1.5), (5.0, 1.0)])
def test_strong_alternatives_are_refitted_or_flagged(shift: float, scale: float) -> None:
    """What weights of 4,000 draws cannot show is refitted; without a model the row says which number is in doubt."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(4, 1000))
    refit = lambda _: {"x": rng.normal(shift, scale, size=x.shape)}  # noqa: E731
    row = compare({"x": x}, [_change(x, shift, scale, refit=refit)]).iloc[1]
    assert row["method"] == "refitted"
    for name, exact in zip(("lower", "median", "upper"), _exact(shift, scale, "parameter"), strict=True):
        assert abs(row[name] - exact) < 4 * row[f"mcse_{name}"]
    alone = compare({"x": x}, [_change(x, shift, scale)]).iloc[1]
    assert alone["method"] == "unreliable" or "a refit is needed to know" in alone["note"]


def test_the_end_that_weights_cannot_show_is_named() -> None:
    x = np.random.default_rng(5).normal(size=(4, 1000))
    row = compare({"x": x}, [_change(x, 1.3, 0.9)]).iloc[1]
    assert row["method"] == "reweighted"
    assert row["note"] == "too few effective draws for the upper end of x: a refit is needed to know"


def test_draws_too_few_for_their_own_interval_are_not_blamed_on_the_weights() -> None:
    x = np.random.default_rng(6).normal(size=(4, 75))
    row = compare({"x": x}, [_change(x, 0.05, 1.0)]).iloc[1]
    assert (row["method"], row["note"]) == ("reweighted", "")
