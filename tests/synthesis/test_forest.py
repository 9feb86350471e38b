"""The forest of a synthesis: its table against closed forms, and the picture against its table."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes.cli import main
from bayes.synthesis import Counts, LogRatios, synthesise
from bayes.synthesis.plotted import forest_table, funnel_table, influence_table
from tests.synthesis.bcg import bcg

Y, SE = np.array([-0.5, -0.2, -0.9]), np.array([0.2, 0.3, 0.4])


def test_common_effects_are_inverse_variance_weighting():
    """Common effects, a wide prior: the pooled ratio is the textbook's, weights 1/s², shrunken rows equal."""
    found = synthesise(LogRatios(("a", "b", "c"), Y, SE), mu="Normal(0, 100)", effects="common", leave_one_out=False)
    table = forest_table(found).set_index(["layer", "row"])
    weight = SE**-2 / np.sum(SE**-2)
    mean, se = np.sum(weight * Y), np.sum(SE**-2) ** -0.5
    pooled = table.loc[("pooled", "mu")]
    # the prior's precision of 1e-4 moves the mean by 1e-4 se²: below 1e-5
    assert [pooled["estimate"], pooled["lower"], pooled["upper"]] == pytest.approx(
        np.exp([mean, mean - 1.959964 * se, mean + 1.959964 * se]).tolist(), rel=1e-4)  # fmt: skip
    assert table.loc["raw", "weight"].tolist() == pytest.approx(weight.tolist(), rel=1e-12)
    assert table.loc["shrunken", "estimate"].tolist() == pytest.approx([pooled["estimate"]] * 3, rel=1e-6)
    assert table.loc[("raw", "b"), "upper"] == pytest.approx(np.exp(-0.2 + 1.959964 * 0.3), rel=1e-6)


def test_counts_have_no_raw_row_and_say_odds_ratio():
    counts = Counts(("a", "b"), np.array([[0, 5], [3, 8]]), np.array([[20, 20], [30, 30]]))
    table = forest_table(synthesise(counts, leave_one_out=False, draws=500))
    assert set(table["layer"]) == {"shrunken", "pooled", "predictive"}
    assert set(table["unit"]) == {"odds ratio"}
    assert table["weight"].isna().all()


def test_the_command_draws_it_with_its_table(tmp_path, capsys):
    file = tmp_path / "trials.csv"
    pd.DataFrame({"study": ["a", "b", "c"], "y": Y, "se": SE}).to_csv(file, index=False)
    command = ["synthesise", str(file), "--y", "y", "--se", "se", "--quiet", "--no-leave-one-out", "--forest"]
    assert main([*command, str(tmp_path / "forest.svg")]) == 0
    assert (tmp_path / "forest.svg").read_text().startswith("<?xml")
    drawn = pd.read_csv(tmp_path / "forest.csv")
    assert drawn.loc[drawn["layer"] == "raw", "estimate"].tolist() == pytest.approx(np.exp(Y).tolist())
    caption = (tmp_path / "forest.txt").read_text()
    assert caption.startswith("Mean over settings 0.")
    assert "Forest of ratios. Squares: raw" in caption
    assert "programme" not in caption
    capsys.readouterr()
    assert main([*command, str(tmp_path / "forest.gif")]) == 2
    assert "no such format" in capsys.readouterr().err


def test_contours_of_a_funnel_are_where_p_is_what_they_say():
    """At each standard error an estimate on a contour has that two-sided p against no effect."""
    table = funnel_table(synthesise(bcg(), leave_one_out=False))
    for level in (0.1, 0.05, 0.01):
        line = table[(table["layer"] == "contour") & (table["level"] == level) & (table["se"] > 0)]
        for end in ("lower", "upper"):
            p = 2 * stats.norm.sf(np.abs(np.log(line[end])) / line["se"])
            assert p == pytest.approx(level, rel=1e-9)
    assert (table["layer"] == "filled").sum() == 1  # as trim and fill has it


def test_influence_is_told_of_mean_and_spread():
    found = synthesise(bcg())
    table = influence_table(found).set_index(["left_out", "quantity"])
    assert table.loc[("", "tau"), "estimate"] == pytest.approx(float(found.numbers["tau"]["q50"]))
    label = found.rows.labels[7]
    alone = synthesise(bcg().without(7), leave_one_out=False)
    assert table.loc[(label, "mu"), "estimate"] == pytest.approx(np.exp(float(alone.numbers["mu"]["q50"])), rel=1e-9)
    assert table.loc[(label, "tau"), "moved"] < 0
