"""Variables of whole numbers are drawn as bars at whole numbers, never as densities between them."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayes import figures
from bayes.errors import UsageError
from bayes.figures.tabulation import BARS, SHAPES, density, log_density, outline, whole

DRAWS = (2, 2000)
KINDS = {
    "poisson": stats.poisson(3.0),
    "indicator": stats.bernoulli(0.3),
    "binomial": stats.binom(40, 0.6, 2),  # from 2 upwards: an axis that does not begin at 0
    "many": stats.poisson(2500.0),  # more whole numbers than bars
    "negative": stats.poisson(5.0, -4),
    "heavy": stats.nbinom(1, 0.02, 1),
}


def drawn(kind: str, dims: tuple[str, ...] = ()) -> xr.DataArray:
    shape = DRAWS + (1,) * len(dims)
    return xr.DataArray(KINDS[kind].rvs(shape, random_state=5), dims=("chain", "draw", *dims))


def posterior(kind: str) -> tuple:
    data = xr.Dataset({"x": drawn(kind)})
    return figures.posterior.table(data, quantities=("x",)), figures.posterior


def dots(kind: str) -> tuple:
    return figures.dots.table(xr.Dataset({"x": drawn(kind)}), quantities=("x",)), figures.dots


def priors(kind: str) -> tuple:
    groups = {"posterior": xr.Dataset({"x": drawn(kind)}), "prior": xr.Dataset({"x": drawn(kind) + 1})}
    return figures.priors.table(xr.DataTree.from_dict(groups)), figures.priors


def ridge(kind: str) -> tuple:
    data = xr.Dataset(
        {"x": drawn(kind, ("scenario", "year"))}, coords={"scenario": ["a"], "year": [1], "label": ("scenario", ["A"])}
    )
    return figures.ridge.table(data, quantity="x"), figures.ridge


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("made", [posterior, dots, priors, ridge])
def test_whole_numbers_are_drawn_as_bars(made, kind):
    table, draw = made(kind)
    bars = table[table["layer"] == "bar"]
    assert 0 < len(bars) <= 2 * BARS
    assert not (table["layer"] == "density").any()
    single = bars[bars["width"] == 1]
    assert (single["x"] == np.rint(single["x"])).all()
    edges = np.concatenate([bars["x"] - bars["width"] / 2, bars["x"] + bars["width"] / 2])
    assert (np.mod(edges, 1) == 0.5).all()  # no whole number on an edge
    figure = draw(table)
    patches = [p for axes in figure.axes for p in axes.patches if p.get_gid() == "bar"]
    shown = bars[bars["group"] == "posterior"] if "group" in bars else bars
    np.testing.assert_allclose([p.get_x() + p.get_width() / 2 for p in patches], shown["x"])
    assert "Whole numbers are drawn as bars" in figure.caption
    figure.savefig(io.BytesIO(), format="svg")


@pytest.mark.parametrize("curve", [density, log_density])
@pytest.mark.parametrize("kind", KINDS)
def test_areas_of_bars_are_probabilities(kind, curve):
    """Within four binomial standard errors of the mass function, on a linear and on a logarithmic axis."""
    values = drawn(kind).values.ravel().astype(float)
    low, high = (max(1.0, values.min()) if curve is log_density else values.min()), values.max()
    for row in outline(values, low, high, curve, True):
        a, b = row["x"] - row["width"] / 2, row["x"] + row["width"] / 2
        p = KINDS[kind].cdf(b) - KINDS[kind].cdf(a)
        found = row["y"] * (np.log10(b / a) if curve is log_density else b - a)
        assert found == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / values.size) + 4 / values.size)


def test_dots_of_whole_numbers_stand_at_whole_numbers():
    table, _ = dots("poisson")
    part = table[table["layer"] == "dot"]
    assert (part["x"] == part["at"]).all()
    counted = part.groupby("at").size()
    np.testing.assert_allclose(counted / 100, KINDS["poisson"].pmf(counted.index), atol=0.03)  # 1/100 a dot, and draws


def test_one_place_decides(tables):
    """What is not of whole numbers keeps its density; doubles beyond 2^51 are whole by rounding alone."""
    assert not whole(np.array([1.0, 2.5]))
    assert not whole(np.array([1.0, np.nan]))
    assert not whole(np.random.default_rng(1).normal(size=10) * 1e20)
    for name in ("posterior", "ridge", "priors", "dots"):
        assert set(tables[name]["layer"]) & set(SHAPES) == {"density"}


@pytest.mark.parametrize("years", [1, None], ids=["one year", "all years"])
@pytest.mark.parametrize("name", ["fan", "ridge", "exceedance", "dots"])
def test_where_nothing_is_avoided_a_picture_has_finite_axes_or_is_refused(futures, name, years):
    """No places: legal numbers, and every draw is 0."""
    none = futures.map(lambda one: 0.0 * one if one.dtype.kind == "f" else one, keep_attrs=True).isel(year=slice(years))
    none.attrs = futures.attrs
    one = getattr(figures, name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if name == "exceedance":  # a logarithmic axis has no zero
            with pytest.raises(UsageError, match="above zero"):
                one.table(none)
            return
        for axes in one(one.table(none)).axes:
            assert all(np.isfinite(limit) for limit in (*axes.get_xlim(), *axes.get_ylim()))
