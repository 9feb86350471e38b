"""Quantile dots, the funnel, returns to places and LOO-PIT: their tables against closed forms, and the marks drawn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_stats.ecdf_utils import ecdf_pit
from matplotlib.text import Text
from scipy.stats import bernoulli, binom, halfnorm, poisson

from bayes import figures
from bayes.errors import UsageError
from bayes.heroin import figures as own
from tests.figures.conftest import EVIDENCE


def one_series(values: np.ndarray) -> xr.Dataset:
    return xr.Dataset({"x": (("chain", "draw"), values.reshape(2, -1), {"unit": "offences"})})


def test_dots_stand_at_quantiles():
    """Of the draws 1.5 to 1000.5 the dots of 50 are 11.49, 31.47, …: linear interpolation at (i - 1/2) / 50."""
    table = figures.dots.table(one_series(np.arange(1.5, 1001.5)), quantities=("x",), count=50)
    found = table[table["layer"] == "dot"]["x"].to_numpy()
    outside = table[table["layer"].isin(["beneath", "beyond"])]["y"].sum()
    assert len(found) + outside == 50
    exact = 1.5 + 999 * (np.arange(50) + 0.5) / 50
    np.testing.assert_allclose(found, exact[int(table[table["layer"] == "beneath"]["y"].iloc[0]) :][: len(found)])


def test_dots_are_stacked_without_gaps(futures):
    table = figures.dots.table(futures)
    for _, part in table[table["layer"] == "dot"].groupby(["quantity", "at"]):
        np.testing.assert_allclose(sorted(part["y"]), np.arange(len(part)) + 0.5)
    assert (np.abs(table["x"] - table["at"])[table["layer"] == "dot"] <= table["step"][table["layer"] == "dot"]).all()


def test_the_density_has_the_height_of_the_dots(futures):
    """Its area, in columns, is the number of dots on the axis, but for smoothing."""
    table = figures.dots.table(futures, quantities=("offences_avoided",))
    curve = table[table["layer"] == "density"]
    area = np.trapezoid(curve["y"], curve["x"]) / table["step"].iloc[0]
    assert area == pytest.approx((table["layer"] == "dot").sum(), rel=0.1)


def test_every_dot_is_drawn(tables: dict[str, pd.DataFrame]):
    figure = figures.dots(tables["dots"])
    drawn = sum(len(c.get_offsets()) for axes in figure.axes for c in axes.collections if c.get_gid() == "dot")
    assert drawn == (tables["dots"]["layer"] == "dot").sum()
    assert "equally likely dots" in figure.caption


def test_dots_refuse_what_cannot_be_read(futures):
    with pytest.raises(UsageError, match="20 to 200"):
        figures.dots.table(futures, count=5)


def test_funnel_limits(fit):
    table = own.funnel.table(fit, EVIDENCE)
    mu = float(np.median(fit["posterior"]["mu_theta"]))
    tau = float(np.median(fit["posterior"]["tau_theta"]))
    for layer, more in (("limit", 0.0), ("limit_tau", tau)):
        row = table[table["layer"] == layer].iloc[-1]
        half = 1.959963984540054 * np.hypot(row["se"], more)
        np.testing.assert_allclose(np.log([row["lower"], row["upper"]]), [mu - half, mu + half])
    rows = table[table["layer"] == "row"].set_index("row")
    np.testing.assert_allclose(rows.loc["alpha", ["x", "se"]].astype(float), [np.exp(-1.7), np.sqrt(0.3)])


def test_names_of_the_funnel_cover_nothing(fit):
    """Each stands to the right of the axes, a line of type from the next, whatever lies close together."""
    table = own.funnel.table(fit, EVIDENCE)
    row = table[table["layer"] == "row"].iloc[0]
    close = [row.to_dict() | {"label": f"study {i}", "se": 0.3 + 0.001 * i} for i in range(9)]
    figure = figures.figure("funnel")(pd.concat([table, pd.DataFrame(close)]))
    figure.draw_without_rendering()
    frame = figure.axes[0].get_window_extent()
    boxes = sorted((Text.get_window_extent(text) for text in figure.axes[0].texts), key=lambda box: box.y0)
    beside, over = [b for b in boxes if b.x0 > frame.x1], [b for b in boxes if b.y0 > frame.y1]
    assert len(beside) == (table["layer"] == "row").sum() + 9 + 2  # and what each of the limits is
    assert all(low.y0 + 0.8 * low.height <= high.y0 for low, high in pairwise(beside))
    assert len(over) == len(boxes) - len(beside) == 2  # the mean and no difference
    assert over[0].x1 < over[1].x0 or over[1].x1 < over[0].x0


def test_a_funnel_fills_the_dots_outside_its_limits_and_counts_them(fit):
    """Limits 0.1 to 10 by sampling error, 0.05 to 20 with the spread, at every standard error."""
    table = own.funnel.table(fit, EVIDENCE)
    table.loc[table["layer"] == "limit", ["lower", "upper"]] = [0.1, 10.0]
    table.loc[table["layer"] == "limit_tau", ["lower", "upper"]] = [0.05, 20.0]
    row = table[table["layer"] == "row"].iloc[0].to_dict()
    rows = pd.DataFrame([row | {"x": x} for x in (0.04, 0.07, 0.5, 1.0, 9.0)])
    figure = own.funnel(pd.concat([rows, table[table["layer"] != "row"]]))
    filled, open_ = (line for line in figure.axes[0].lines if line.get_gid() == "row")
    assert (filled.get_xdata().tolist(), open_.get_xdata().tolist()) == ([0.04, 0.07], [0.5, 1.0, 9.0])
    assert open_.get_markerfacecolor() == "white"
    assert figure.caption.startswith("2 of 5 estimates lie outside")
    assert ", and 1 outside those that allow for the spread" in figure.caption


def test_known_priors_of_spreads_are_exact(fit):
    """The half-normal density 2 phi(x / s) / s, not smoothed draws."""
    law, n = halfnorm(scale=0.5), fit["prior"].sizes["chain"] * fit["prior"].sizes["draw"]
    draws = law.ppf((np.arange(n) + 0.5) / n).reshape(fit["prior"]["tau_theta"].shape)
    known = fit.copy()
    known["prior"] = fit["prior"].to_dataset().assign(tau_theta=(("chain", "draw"), draws))
    table = own.heterogeneity.table(known, exact={"tau_theta": law})
    curve = table[(table["label"] == "tau_theta") & (table["group"] == "prior")]
    np.testing.assert_allclose(curve["y"], 2 * np.exp(-((curve["x"] / 0.5) ** 2) / 2) / np.sqrt(2 * np.pi) / 0.5)


def test_returns_are_the_table_of_places_divided_by_places(tables: dict[str, pd.DataFrame]):
    figure, table = own.returns(tables["returns"]), tables["places"]
    (drawn,) = (line.get_xydata() for line in figure.axes[0].lines if line.get_gid() == "median")
    middle = table[table["layer"] == "median"]
    np.testing.assert_allclose(drawn[:, 1], middle["x"] / middle["places"])


def test_loo_pit_is_the_distribution_less_the_uniform():
    """Four probabilities, the second with a tie, spread over 0.2 to 0.3: at 1/4 one and a half of four lie below it."""
    conflict = pd.DataFrame(
        {"source": list("abcd"), "p_below": [0.9, 0.2, 0.5, 0.1], "p_at_most": [0.9, 0.3, 0.5, 0.1]}
    )
    table = figures.loo_pit.table(conflict)
    rows, curve = (table[table["layer"] == layer] for layer in ("row", "curve"))
    np.testing.assert_allclose(rows["x"], [0.1, 0.25, 0.5, 0.9])
    assert rows["row"].tolist() == ["d", "b", "c", "a"]
    np.testing.assert_allclose(curve["x"], [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(curve["y"], [0, 0.125, 0.25, 0, 0], atol=1e-15)


@pytest.mark.parametrize("kind", ["yes or no", "five grades", "counts", "times cut off", "measured"])
def test_loo_pit_of_a_true_model_stays_inside_the_band_whatever_its_rows_are(kind: str):
    """Rows drawn from the very law that predicts them: the curve leaves the band in one data set of twenty at most."""
    rng, left = np.random.default_rng(7), 0
    for _ in range(20):
        draws = {
            "yes or no": lambda: _ties(bernoulli(rng.uniform(0.1, 0.9, 200)), rng),
            "five grades": lambda: _ties(binom(4, rng.uniform(0.2, 0.8, 200)), rng),
            "counts": lambda: _ties(poisson(rng.gamma(2, 2, 200)), rng),
            "times cut off": lambda: _cut(rng.uniform(size=200), rng.uniform(0.2, 1.5, 200)),
            "measured": lambda: (u := rng.uniform(size=200), u),
        }[kind]()
        table = figures.loo_pit.table(pd.DataFrame({"source": range(200), "p_below": draws[0], "p_at_most": draws[1]}))
        left += "leaves" in figures.loo_pit.says(table)
    assert left <= 3


def _ties(law, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    seen = law.rvs(random_state=rng)
    return law.cdf(seen - 1), law.cdf(seen)


def _cut(u: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times in quantiles, seen until their end: what lasts longer is only known to."""
    return np.minimum(u, end), np.where(u < end, u, 1.0)


def test_loo_pit_curve_and_band_are_arvizs():
    """What ``arviz_stats`` gives ``plot_ecdf_pit`` to draw, less the uniform."""
    u = np.random.default_rng(3).beta(2, 2, size=25)
    table = figures.loo_pit.table(pd.DataFrame({"source": range(25), "p_below": u, "p_at_most": u}))
    x, curve, lower, upper = ecdf_pit(u, 0.95, 1000)
    np.testing.assert_allclose(table.loc[table["layer"] == "curve", ["x", "y"]], np.stack([x, curve - x], axis=1))
    band = table.loc[table["layer"] == "band", ["lower", "upper"]]
    np.testing.assert_allclose(band, np.stack([lower - x, upper - x], axis=1))


def test_loo_pit_band_holds_whole_curves_of_uniform_numbers():
    """95 % of them to 3 errors: that of the band's own 1,000 simulations is 0.7 points, that of 4,000 here 0.35."""
    even = np.random.default_rng(5).uniform(size=(4000, 25))
    conflict = pd.DataFrame({"source": range(25), "p_below": even[0], "p_at_most": even[0]})
    table = figures.loo_pit.table(conflict)
    band = table[table["layer"] == "band"]
    x = band["x"].to_numpy()
    gap = (even[:, :, None] <= x).mean(axis=1) - x
    inside = (gap >= band["lower"].to_numpy() - 1e-9) & (gap <= band["upper"].to_numpy() + 1e-9)
    assert inside.all(axis=1).mean() == pytest.approx(0.95, abs=0.024)
