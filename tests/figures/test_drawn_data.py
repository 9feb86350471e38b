"""What is drawn is what the table says: marks are found by their ``gid`` and compared with the rows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes import figures
from bayes.figures.canvas import NARROWEST
from bayes.heroin import figures as own
from bayes.numbers import chance, number
from tests.figures.conftest import draw, sensitivity_tables

Tables = dict[str, pd.DataFrame]


def lines(figure: figures.PaperFigure, gid: str) -> list[np.ndarray]:
    """Data (2, n) of every line with this gid, in order of drawing."""
    return [
        np.array(line.get_data(), dtype=float) for axes in figure.axes for line in axes.lines if line.get_gid() == gid
    ]


def bands(figure: figures.PaperFigure, gid: str) -> list[np.ndarray]:
    """Vertices of every filled band with this gid."""
    return [c.get_paths()[0].vertices for axes in figure.axes for c in axes.collections if c.get_gid() == gid]


def covers(vertices: np.ndarray, x: pd.Series, y: pd.Series) -> bool:
    """Whether every point (x, y) is a vertex."""
    points = {(round(float(a), 9), round(float(b), 6)) for a, b in vertices}
    return all((round(float(a), 9), round(float(b), 6)) in points for a, b in zip(x, y, strict=True))


def test_the_figure_carries_its_table(tables: Tables) -> None:
    for name in ("fan", "forest", "ridge"):
        assert getattr(figures, name)(tables[name]).table.equals(tables[name])


def test_posterior_draws_density_intervals_and_median(tables: Tables) -> None:
    figure, table = figures.posterior(tables["posterior"]), tables["posterior"]
    for axes, (_, part) in zip(figure.axes, table.groupby("quantity", sort=False), strict=True):
        density = part[part["layer"] == "density"]
        drawn = next(line for line in axes.lines if len(line.get_xdata()) == len(density))
        np.testing.assert_allclose(drawn.get_xydata(), density[["x", "y"]])
        spans = sorted(tuple(line.get_xdata()) for line in axes.lines if line.get_gid() == "interval")
        assert spans == sorted(
            part.loc[part["layer"] == "interval", ["lower", "upper"]].itertuples(index=False, name=None)
        )
        (median,) = (line.get_xdata()[0] for line in axes.lines if line.get_gid() == "median")
        assert median == part.loc[part["layer"] == "median", "x"].iloc[0]


def test_posterior_states_threshold_and_interval_in_words(tables: Tables) -> None:
    table = tables["posterior"]
    words = " ".join(text.get_text() for axes in figures.posterior(table).axes for text in axes.texts)
    threshold = table[table["layer"] == "threshold"].iloc[0]
    assert f"probability above 100k: {threshold['y']:.2f}" in words
    assert "95% interval" in words
    assert "press sum" in words


def test_ridge_draws_medians_intervals_and_the_probability_it_cannot_show(tables: Tables) -> None:
    figure, table = figures.ridge(tables["ridge"]), tables["ridge"]
    assert [a[0, 0] for a in lines(figure, "median")] == table.loc[table["layer"] == "median", "x"].tolist()
    assert [a[0, 0] for a in lines(figure, "reference")] == table.loc[table["layer"] == "reference", "x"].tolist()
    wide = table[(table["layer"] == "interval") & (table["prob"] != 0.8)].sort_values(["scenario", "prob"])
    edge = figure.axes[0].get_xlim()[0]
    drawn = sorted((a[0, 0], a[0, 1]) for a in lines(figure, "interval"))
    assert drawn == sorted((max(low, edge), high) for low, high in zip(wide["lower"], wide["upper"], strict=True))
    above = [chance(1 - y) for y in table.loc[table["layer"] == "nonpositive", "y"]]
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert all(word in shown for word in above)


def test_the_caption_of_a_fan_has_the_digits_of_the_tables(tables: Tables) -> None:
    last = tables["fan"].query("layer == 'median' and year == year.max()")
    assert (last["mcse"] > 0).all()
    caption = draw("fan", tables["fan"]).caption
    for row in (last.loc[last["x"].idxmin()], last.loc[last["x"].idxmax()]):
        assert f"{number(row['x'], row['mcse'])} ({row['label']})" in caption


def test_fan_and_retention_bands_are_the_intervals(tables: Tables) -> None:
    for name, x in (("fan", "year"), ("retention", "year"), ("concentration", "share")):
        table = tables[name]
        figure = draw(name, table)
        split = "scenario" if name == "fan" else "panel" if name == "concentration" else "kind"
        parts = [part for _, part in table[table["layer"] == "interval"].groupby(split, sort=False)]
        for prob in (0.5, 0.8, 0.95):
            drawn = bands(figure, f"band {prob:g}")
            assert len(drawn) == len(parts)
            for vertices, part in zip(drawn, parts, strict=True):
                rows = part[part["prob"] == prob]
                assert covers(vertices, rows[x], rows["lower"])
                assert covers(vertices, rows[x], rows["upper"])
        assert len(lines(figure, "median")) == len(parts)


def test_exceedance_draws_every_curve(tables: Tables) -> None:
    figure, table = figures.exceedance(tables["exceedance"]), tables["exceedance"]
    for name, part in table[table["layer"] == "curve"].groupby("scenario"):
        np.testing.assert_array_equal(lines(figure, str(name))[0].T, part[["x", "y"]])


@pytest.mark.parametrize("layer", ["raw", "adjusted", "shrunken"])
def test_forest_draws_every_estimate_and_interval(tables: Tables, layer: str) -> None:
    figure, table = figures.forest(tables["forest"]), tables["forest"]
    part = table[table["layer"] == layer]
    assert [a[0, 0] for a in lines(figure, f"estimate {layer}")] == part["estimate"].tolist()
    low, high = figure.axes[0].get_xlim()
    drawn = [tuple(a[0]) for a in lines(figure, f"interval {layer}")]
    assert drawn == [(max(a, low), min(b, high)) for a, b in zip(part["lower"], part["upper"], strict=True)]
    shown = [text.get_text() for text in figure.axes[0].texts]
    for row in part.itertuples():
        assert f"{row.estimate:.2f} ({row.lower:.2f}–{row.upper:.2f})" in shown
        assert f"{100 * row.weight:.0f}%" in shown


def test_forest_weights_are_shares(tables: Tables) -> None:
    weights = tables["forest"].groupby("row")["weight"].first().dropna()
    assert len(weights) == 3
    assert weights.sum() == pytest.approx(1)


def test_prior_and_posterior_curves(tables: Tables) -> None:
    figure, table = figures.priors(tables["priors"]), tables["priors"]
    density = table[table["layer"] == "density"]
    for group in ("prior", "posterior"):
        drawn = lines(figure, group)
        parts = [part for _, part in density[density["group"] == group].groupby("variable", sort=False)]
        for line, part in zip(drawn, parts, strict=True):
            np.testing.assert_array_equal(line.T, part[["x", "y"]])


def test_heterogeneity_draws_every_setting(tables: Tables) -> None:
    figure, table = own.heterogeneity(tables["heterogeneity"]), tables["heterogeneity"]
    for layer in ("setting", "mean", "new"):
        part = table[table["layer"] == layer]
        assert sorted(tuple(a[0]) for a in lines(figure, f"interval {layer}")) == sorted(
            zip(part["lower"], part["upper"], strict=True)
        )


def test_places_draws_the_median_the_press_sum_and_the_demand(tables: Tables) -> None:
    figure, table = own.places(tables["places"]), tables["places"]
    floor = figure.axes[0].get_ylim()[0]
    for layer in ("median", "unlimited", "reference"):
        part = table[(table["layer"] == layer) & (table["x"] > floor)]
        np.testing.assert_array_equal(lines(figure, layer)[0].T, part[["places", "x"]])
    low, high = figure.axes[0].get_xlim()
    demand = table[(table["layer"] == "demand") & table["prob"].notna()]
    expected = sorted((max(a, low), min(b, high)) for a, b in zip(demand["lower"], demand["upper"], strict=True))
    assert sorted(tuple(a[0]) for a in lines(figure, "demand")) == expected


def test_predictive_retention_and_chains(tables: Tables) -> None:
    table = tables["predictive"]
    assert [a[0, 0] for a in lines(figures.predictive(table), "observed")] == table.loc[
        table["layer"] == "observed", "x"
    ].tolist()
    table = tables["retention"]
    assert [a[1, 0] for a in lines(own.retention(table), "observed")] == table.loc[
        table["layer"] == "observed", "x"
    ].tolist()
    table = tables["chains"]
    first = table[(table["layer"] == "trace") & (table["chain"] == 0)]
    drawn = np.concatenate([a[1] for a in lines(figures.chains(table), "chain 0")])
    np.testing.assert_array_equal(drawn, first["y"])


def test_bars_of_tornado_shapley_and_budget(tables: Tables) -> None:
    def bars(figure: figures.PaperFigure, gid: str) -> list[tuple[float, float]]:
        return [
            (p.get_x(), p.get_x() + p.get_width()) for axes in figure.axes for p in axes.patches if p.get_gid() == gid
        ]

    table = tables["tornado"]
    figure = figures.tornado(table)
    assert [b for _, b in bars(figure, "lower")] == pytest.approx(table["lower_change"].tolist())
    assert [b for _, b in bars(figure, "upper")] == pytest.approx(table["upper_change"].tolist())
    table = tables["shapley"]
    figure = figures.shapley(table)
    assert [b for _, b in bars(figure, "bar")] == pytest.approx(table["estimate"].tolist())
    assert [tuple(a[0]) for a in lines(figure, "interval")] == list(zip(table["lower"], table["upper"], strict=True))
    table = tables["budget"]
    np.testing.assert_allclose(bars(figures.budget(table), "interval"), table[["lower", "upper"]])


def test_the_budget_is_drawn_and_said_as_it_is(tables: Tables) -> None:
    """Rows may narrow: over each bar lies the whole interval of the row above, and the caption names the order."""
    table = tables["budget"].assign(lower=[3e5, 1e5, 2e5, 2.5e5], upper=[8e5, 2e6, 9e5, 8e5])
    figure = figures.budget(table)
    before = [tuple(a[0]) for a in lines(figure, "before")]
    assert before == list(zip(table["lower"][:-1], table["upper"][:-1], strict=True))
    assert "in this order: sampling error only, between settings, drift, demand" in figure.caption
    assert not {"pale", "dark", "light"} & set(figure.caption.lower().split())  # nothing that a dark page inverts
    assert "interval of the row above" in figure.caption
    colours = {p.get_facecolor() for axes in figure.axes for p in axes.patches if p.get_gid() == "interval"}
    assert len(colours) == 1  # no meaning in lightness


def test_specification_marks_each_choice_once(tables: Tables) -> None:
    figure, table = figures.specification(tables["specification"]), tables["specification"]
    ordered = table.sort_values("estimate")
    assert [a[1, 0] for a in lines(figure, "estimate")] == ordered["estimate"].tolist()
    for column in ("effects", "drift"):
        for value in set(table[column]):
            at = [int(a[0, 0]) for a in lines(figure, f"{column}={value}")]
            assert at == [i for i, found in enumerate(ordered[column]) if found == value]


def test_acceptability_curves_and_values(tables: Tables) -> None:
    table, voi = tables["acceptability"], sensitivity_tables()["voi"]
    figure = figures.acceptability(table)
    for name, part in table.groupby("option"):
        np.testing.assert_array_equal(lines(figure, str(name))[0].T, part[["willingness_to_pay", "probability"]])
    widths = [p.get_width() for axes in figure.axes for p in axes.patches if p.get_gid() == "value"]
    assert widths == voi.sort_values("estimate", ascending=False)["estimate"].tolist()
    assert set(figure.table["layer"]) == {"curve", "value"}


def test_on_a_narrow_page_panels_take_no_room_for_the_names_of_each_other(tables: Tables) -> None:
    """Names of options stand right of the curves, names of what is worth knowing left of the bars."""
    figure = figures.acceptability(tables["acceptability"], width=NARROWEST)
    figure.draw_without_rendering()
    upper, lower = (axes.get_tightbbox() for axes in figure.axes)
    assert min(upper.width, lower.width) > 0.9 * figure.bbox.width


def test_ticks_of_a_narrow_predictive_figure_are_apart(tables: Tables) -> None:
    table = tables["predictive"].assign(label="a row whose name takes twenty")
    table[["lower", "x", "upper"]] = [-3.4, 0.0, 3.4]
    figure = figures.predictive(table, width=NARROWEST)
    figure.draw_without_rendering()
    low, high = figure.axes[0].get_xlim()
    shown = [t for t in figure.axes[0].get_xticklabels() if low <= t.get_position()[0] <= high]
    boxes = [tick.get_window_extent() for tick in shown]
    assert len(boxes) >= 2
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_an_option_that_is_best_at_one_price_alone_is_marked() -> None:
    """A line through one point would show nothing."""
    curve = pd.DataFrame({"willingness_to_pay": [0.0, 1.0, 2.0] * 2, "option": ["a"] * 3 + ["b"] * 3,
                          "probability": [0.9, 0.4, 0.6, 0.1, 0.6, 0.4],
                          "optimal": [True, False, True, False, True, False]})  # fmt: skip
    axes = figures.acceptability(figures.acceptability.table(curve)).axes[0]
    marked = {str(line.get_gid()): line.get_markevery() for line in axes.lines}
    assert (marked["optimal a"], marked["optimal b"]) == ([0, 2], [1])


def test_graph_has_a_box_for_each_node_an_arrow_for_each_edge_and_marks_what_was_observed(tables: Tables) -> None:
    figure = figures.model(tables["model"])
    gids = [p.get_gid() for p in figure.axes[0].patches]
    assert gids.count("edge") == 5
    assert gids.count("box observed") == 2  # the node and the key
    filled = {p.get_gid(): p.get_facecolor() for p in figure.axes[0].patches if str(p.get_gid()).startswith("box")}
    assert filled["box observed"] != filled["box free"]


def test_a_setting_called_like_a_summary_of_settings_keeps_its_line(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["heterogeneity"]
    first = table.loc[table["layer"] == "setting", "label"].iloc[0]
    alike = table.assign(label=table["label"].where(table["label"] != first, "New setting"))
    heights = [own.heterogeneity(one).axes[0].get_yticks().tolist() for one in (table, alike)]
    assert heights[0] == heights[1]
    assert len(set(heights[0])) == len(heights[0])


def test_predictions_are_written_with_the_digits_that_their_errors_support(tables: Tables) -> None:
    table = tables["predictive"]
    seen = table[table["layer"] == "observed"].iloc[0]
    assert (seen[["mcse", "mcse_lower", "mcse_upper"]].astype(float) > 0).all()
    told = f"{number(seen['middle'], seen['mcse'])} ({number(seen['low'], seen['mcse_lower'])} to "
    assert any(text.get_text().startswith(told) for text in figures.predictive(table).axes[0].texts)


def test_the_most_influential_row_is_told_with_the_digits_its_error_supports(tables: Tables) -> None:
    table = tables["left_out"]
    for error, text in ((0.0, "0.347"), (0.1, "0.3")):
        one = table.assign(moved=0.347 * (table.index == table.index[table["left_out"] != ""][0]), mcse_moved=error)
        assert f"by {text} posterior sd" in figures.left_out(one).caption


def test_underscores_of_ids_alone_are_split(fit: xr.DataTree) -> None:
    same = {"posterior_predictive": fit["posterior_predictive"].to_dataset().drop_vars("effect_row"),
            "observed_data": fit["observed_data"].to_dataset().drop_vars("effect_row")}  # fmt: skip
    rows = figures.predictive.table(
        xr.DataTree.from_dict({"posterior": fit["posterior"].to_dataset(), **same}),
        variables=["log_ratio"],
        labels={"log_ratio[1]": "site a_b"},
    )
    assert list(dict.fromkeys(rows["label"])) == ["log ratio[0]", "site a_b", "log ratio[2]"]


def test_what_the_evidence_narrows_most_is_told(fit: xr.DataTree) -> None:
    narrow = {"before": ["prior", 2.0, 2.0], "after": ["posterior", 2.0, 0.2]}
    draws = np.random.default_rng(1).normal(size=(2, 2, 300))
    groups = {name: xr.Dataset({v: (("chain", "draw"), s * draws[k]) for v, s in zip("ab", sizes, strict=True)})
              for k, (name, *sizes) in enumerate(narrow.values())}  # fmt: skip
    rows = figures.priors.table(xr.DataTree.from_dict(groups), labels={"b": "demand"})
    assert figures.priors(rows).caption.startswith("The evidence narrows demand most.")
    rows = figures.priors.table(xr.DataTree.from_dict(groups), variables=["a"])
    assert figures.priors(rows).caption.startswith("The evidence narrows none of these by much.")


def test_the_press_sum_is_named_where_there_is_room_for_it(tables: Tables) -> None:
    names = [text.get_text() for axes in figures.fan(tables["fan"]).axes for text in axes.texts]
    assert names.count(str(tables["fan"]["naive"].dropna().iloc[0])) == 1


def test_inputs_that_are_not_drawn_are_counted_once(tables: Tables) -> None:
    row = tables["shapley"].iloc[[0]]
    many = pd.concat([row.assign(input=f"x{i}", estimate=0.4 if i < 2 else 0.001) for i in range(20)])
    figure = figures.shapley(many.reset_index(drop=True))
    assert "18 others, each below 0.5%" in [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert "not shown" not in figure.caption
