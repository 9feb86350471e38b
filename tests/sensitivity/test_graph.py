"""Analyses of a question of one's own, read off its graph: against closed forms of a normal model."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from scipy import stats

import bayes
from bayes.figures.gallery import gallery_of
from bayes.report.chapters.common import written
from bayes.report.chapters.sensitivity import CHAPTER
from bayes.report.material import material_of_run
from bayes.scenarios import AS_TODAY

Y = {"a": 0.4, "b": -0.2, "c": 3.0}
Z = {"a": 1.0, "b": 0.0, "c": -3.0}
"""Observations with error 1 of a mean with prior N(0, 2): rows of one name, in two variables."""
NEW, SHARES = 0.5, np.array([1.0, 2.0])
SIGMAS = 5.0


def build(study=None, structure=None):
    with pm.Model(coords={"scenario": ["few", "many"], "row": list(Y), "part": ["x", "y"]}) as model:
        mu = pm.Normal("mu", 0, structure or 2.0)
        pm.Normal("y", mu, 1, observed=np.array(list(Y.values())), dims="row")
        pm.Normal("z", mu, 1, observed=np.array(list(Z.values())), dims="row")
        gain = pm.Normal("new", mu, NEW) + pm.Normal("shares", 0, SHARES, dims="part").sum()
        pm.Deterministic("gain", gain * pm.Data("people", [1.0, 10.0], dims="scenario"), dims="scenario")
        pm.Deterministic("worth", gain * np.array([1.0, 10.0]), dims="scenario")
    return model


QUESTION = bayes.Question(
    model=build, target="gain", name="normal", headline="few", net_benefit="worth", cost="worth",
    units={"gain": "lives/year", "worth": "USD/year"}, structures={"narrow": bayes.Variant(structure=0.2)},
    levers=(bayes.Lever(name="mu", low=-20, high=20), bayes.Lever(name="people", low=-1, high=3)),
    steps={"trials": ["new"], "shares": ["shares"]},
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("graph") / "run"
    assert bayes.main(QUESTION, ["run", "--out", str(place), "--quiet"]) == 0
    tables = place / "tables" / "sensitivity"
    tables.mkdir()
    (tables / "alternatives.csv").write_text("change\nof an earlier study\n")
    (tables / "mine.csv").write_text("kept\n1\n")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert bayes.main(QUESTION, ["sensitivity", str(place), "--quiet", "--threshold", "0"]) == 0
    (place / "said").write_text(out.getvalue())
    return place


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "tables" / "sensitivity" / f"{name}.csv")


def posterior(observed: list[float]) -> tuple[float, float]:
    """Mean and variance of mu given observations."""
    precision = 0.25 + len(observed)
    return sum(observed) / precision, 1 / precision


EVERY = [*Y.values(), *Z.values()]
REST = NEW**2 + (SHARES**2).sum()


def test_a_lever_moves_what_is_drawn_given_it(folder):
    """With mu at v the gain is N(v, REST): it exceeds 0 with probability 0.95 at v = 1.645 sd, and with 0.5 at 0."""
    rows = table(folder, "tipping").set_index(["lever", "probability"])
    rows = rows[rows["question"].str.startswith("probability of ")]
    for level in (0.95, 0.5):
        row = rows.loc[("mu", level)]
        assert row["method"] == "projected"
        assert abs(row["value"] - stats.norm.ppf(level) * REST**0.5) < SIGMAS * row["mcse"]
    halved = table(folder, "tipping").query("lever == 'people' and question.str.startswith('median')")["value"]
    assert halved.iloc[0] == pytest.approx(0.5, abs=5e-3)  # Brent stops at 2e-4 of a range of 4; draws are spaced


def test_a_vector_is_one_input(folder):
    rows = table(folder, "variance").query("measure == 'shapley' and scale == 'target'").set_index("input")
    assert set(rows.index) == {"new", "shares"}
    exact = (SHARES**2).sum() / (REST + posterior(EVERY)[1])
    assert rows.loc["shares", "lower"] - 0.02 < exact < rows.loc["shares", "upper"] + 0.02


@pytest.mark.parametrize(("row", "left"), [("y[c]", [*list(Y.values())[:2], *Z.values()]),
                                           ("z[c]", [*Y.values(), *list(Z.values())[:2]])])  # fmt: skip
def test_rows_of_one_name_leave_one_at_a_time(folder, row, left):
    found = table(folder, "leave_one_out").set_index("change").loc[row]
    assert abs(found["median"] - posterior(left)[0]) < SIGMAS * found["mcse_median"]


def test_a_row_is_checked_against_all_the_others(folder):
    row = table(folder, "conflict").set_index("source").loc["y[c]"]
    mean, variance = posterior([*list(Y.values())[:2], *Z.values()])
    exact = stats.norm.cdf(Y["c"], mean, np.sqrt(1 + variance))
    assert abs(row["p_at_most"] - exact) < SIGMAS * row["mcse_p_at_most"]


def test_another_structure_is_stamped_with_the_quality_of_its_chains(folder):
    row = table(folder, "structure").set_index("change").loc["narrow"]
    assert row["method"] == "refitted"
    assert 0.99 < row["rhat"] < 1.05
    assert row["divergences"] == 0
    assert row["ess"] > 100
    assert abs(row["median"] - sum(EVERY) / (1 / 0.2**2 + 6)) < SIGMAS * row["mcse_median"]


def test_the_budget_frees_one_source_at_a_time(folder):
    rows = table(folder, "budget").set_index("adds")
    sd = np.sqrt([NEW**2 + posterior(EVERY)[1], REST + posterior(EVERY)[1]])
    for name, exact in zip(("trials", "shares"), 2 * 1.96 * sd, strict=True):
        assert abs(rows.loc[name, "width"] - exact) < SIGMAS * rows.loc[name, "mcse_width"]


def test_the_value_of_information_of_a_choice(folder):
    """The better option is ten times a normal gain, or nothing: E[max(0, 10 g)] - 10 max(0, E g)."""
    row = table(folder, "value").set_index("quantity").loc["EVPI"]
    mean, sd = posterior(EVERY)[0], np.sqrt(REST + posterior(EVERY)[1])
    exact = 10 * (mean * stats.norm.cdf(mean / sd) + sd * stats.norm.pdf(mean / sd) - max(mean, 0))
    assert abs(row["estimate"] - exact) < SIGMAS * row["mcse"]
    assert row["unit"] == "USD/year"  # of outcomes without times nothing is added up
    assert set(table(folder, "acceptability")["option"]) == {"few", "many", "nothing"}


def test_the_figure_of_the_choice_has_prices_and_units_of_its_table(folder):
    drawn, kept = gallery_of(folder, QUESTION).draw("acceptability"), table(folder, "acceptability")
    curve = drawn.table.dropna(subset="willingness_to_pay").replace({"option": {AS_TODAY: "nothing"}})
    both = curve.merge(kept, on=["willingness_to_pay", "option"], suffixes=("", "_kept"))
    assert len(both) == len(kept) == len(curve)
    np.testing.assert_allclose(both["probability"], both["probability_kept"], rtol=1e-12)
    curves, values = drawn.axes
    assert "(USD/year each)" in " ".join(curves.get_xlabel().split())
    assert values.get_xlabel() == "Expected value of information (USD/year)"


def test_the_report_has_the_unit_of_the_table(folder):
    content = written(CHAPTER, material_of_run(folder, QUESTION))
    assert [one.text for one in content.claims if one.name == "voi.unit"] == ["USD/year"]


def test_what_is_absent_is_named_and_leaves_no_table_of_earlier(folder):
    assert "left out: alternatives: it needs alternatives of a prior" in (folder / "said").read_text()
    written = {path.stem for path in (folder / "tables" / "sensitivity").iterdir()}
    assert "alternatives" not in written
    assert "mine" in written


def projected(fit, study=None):
    """The same gain by a plain function of draws, which may use what the model computes from them."""
    gain = fit["posterior"]["total"].expand_dims(scenario=["few", "many"]) * np.array([[[1.0]], [[10.0]]])
    return gain.to_dataset(name="gain")


def build_total(study=None):
    with pm.Model(coords={"row": list(Y)}) as model:
        mu = pm.Normal("mu", 0, 2.0)
        pm.Normal("y", mu, 1, observed=np.array(list(Y.values())), dims="row")
        pm.Deterministic("total", 1.0 * pm.Normal("new", mu, NEW))
    return model


def test_a_function_in_place_of_outcomes_has_its_analyses_too(tmp_path):
    question = bayes.Question(model=build_total, target="gain", name="function", project=projected,
                              levers=(bayes.Lever(name="mu", low=-20, high=20),))  # fmt: skip
    assert bayes.main(question, ["run", "--out", str(tmp_path / "run"), "--quiet", "--draws", "500"]) == 0
    line = ["sensitivity", str(tmp_path / "run"), "--quiet", "--threshold", "0", "--only", "tipping,leave_one_out"]
    assert bayes.main(question, line) == 0
    row = table(tmp_path / "run", "tipping").set_index("probability").loc[0.95]
    assert abs(row["value"] - stats.norm.ppf(0.95) * NEW) < SIGMAS * row["mcse"]
    row = table(tmp_path / "run", "leave_one_out").set_index("change").loc["y[c]"]
    assert abs(row["median"] - posterior(list(Y.values())[:2])[0]) < SIGMAS * row["mcse_median"]


def apart(study=None, structure=None):
    """Rows ``y`` bear on the target through ``mu`` and what is drawn given it; ``z`` and ``w`` on ``nu`` alone."""
    with pm.Model(coords={"scenario": ["few", "many"], "row": list(Y), "other": ["d", "e"]}) as model:
        mu, nu = pm.Normal("mu", 0, 2.0), pm.Normal("nu", 0, 2.0)
        pm.Normal("y", mu, 1, observed=np.array(list(Y.values())), dims="row")
        pm.Normal("z", nu, 1, observed=np.array([1.0, 30.0]), dims="other")
        pm.Poisson("w", pm.math.exp(nu / 10), observed=np.array([2, 0]), dims="other")
        pm.Deterministic("gain", pm.Normal("new", mu, NEW) * np.array([1.0, 10.0]), dims="scenario")
    return model


def test_a_row_that_no_outcome_depends_on_changes_nothing_exactly(tmp_path):
    """Its part of the model is independent of theirs, given the data; with the other rows it is compared as any is."""
    place, question = tmp_path / "run", bayes.Question(model=apart, target="gain", name="apart")
    assert bayes.main(question, ["run", "--out", str(place), "--quiet"]) == 0
    assert bayes.main(question, ["sensitivity", str(place), "--quiet", "--only", "leave_one_out,conflict"]) == 0
    rows = table(place, "leave_one_out").set_index("change")
    free = rows.index.str.startswith(("z[", "w["))
    assert free.sum() == 4
    assert set(rows.loc[free, "method"]) == {"unaffected"}
    moved = ["d_lower", "d_median", "d_upper", "mcse_d_lower", "mcse_d_median", "mcse_d_upper"]
    assert (rows.loc[free, moved] == 0).all(axis=None)
    bound = rows[rows.index.str.startswith("y[")]
    assert set(bound["method"]) <= {"reweighted", "refitted"}
    assert (bound["mcse_d_median"] > 0).all()
    assert table(place, "conflict")["source"].str.startswith(("z[", "w[")).sum() == 4


def tied(study=None, structure=None):
    """A likelihood of which a part is a potential: draws above zero alone were seen."""
    with pm.Model(coords={"row": list(Y)}) as model:
        mu = pm.Normal("mu", 0, 2.0)
        pm.Normal("y", mu, 1, observed=np.abs(list(Y.values())), dims="row")
        pm.Potential("above_zero", -3 * pm.logcdf(pm.Normal.dist(), mu))
        pm.Deterministic("gain", mu)
    return model


def test_tables_say_what_potentials_keep_of_a_likelihood(tmp_path, capsys):
    place, question = tmp_path / "run", bayes.Question(model=tied, target="gain", name="tied")
    assert bayes.main(question, ["run", "--out", str(place), "--quiet"]) == 0
    only = "powerscale,leave_one_out,conflict"
    assert bayes.main(question, ["sensitivity", str(place), "--quiet", "--only", only]) == 0
    assert "With care: what potentials add (above_zero)" in " ".join(capsys.readouterr().out.split())
    for name in only.split(","):
        notes = table(place, name).iloc[1:]["note"]
        assert notes.str.contains("what potentials add (above_zero) belongs to no row", regex=False).all(), name
    assert bayes.main(question, ["report", str(place), "--quiet", "--format", "md"]) == 0
    assert "what potentials add (above" in (place / "report.md").read_text().replace("\\", "")
