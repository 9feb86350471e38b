"""The shipped study: densities against independent integrals, weights against fits, tables, the command line.

One fit serves all tests; two short refits are compared with the weights that stand for them.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import bayes
from bayes.cli import main
from bayes.families import scipy_frozen
from bayes.figures import acceptability, shapley
from bayes.heroin.model import Structure
from bayes.heroin.oracle import exact_effects
from bayes.heroin.question import QUESTION
from bayes.heroin.sensitivity import answer_of
from bayes.heroin.sensitivity.answer import Answer
from bayes.heroin.sensitivity.case import _case
from bayes.heroin.sensitivity.drops import drop_changes, source_groups
from bayes.heroin.sensitivity.exact import exact_effects_part
from bayes.heroin.sensitivity.levers import case_levers
from bayes.heroin.sensitivity.rows import Reduction
from bayes.heroin.sensitivity.structures import case_structures, case_variants
from bayes.heroin.sensitivity.worlds import case_world
from bayes.heroin.sensitivity.worth import _totals
from bayes.inputs import posed
from bayes.plans import Asked
from bayes.question import World
from bayes.runs import Options, drivers_of, execute, load_fit, load_futures
from bayes.sensitivity import acceptability_curve, compare, structure
from bayes.sensitivity._variance import quoted
from bayes.sensitivity.case import Analysis, Request
from bayes.sensitivity.refits import components, refit
from bayes.sensitivity.suite import analyse as made
from bayes.sensitivity.suite import analyses
from bayes.sensitivity.weights import mcse_of_mean
from tests.sensitivity.cases import SIGMAS


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sensitivity") / "run"
    execute(posed(QUESTION), folder, Options())
    return folder


@pytest.fixture(scope="module")
def case(run: Path) -> Answer:
    return answer_of(posed(QUESTION), load_fit(run), Request(folder=run, scenario="hardcore"))


def analyse(case: Answer, name: str, request: Request) -> pd.DataFrame:
    """One table of the analysis that writes it."""
    owner = next(one for one, found in analyses().items() if name in (found.tables or (one,)))
    return made(_case(posed(QUESTION), case), owner, request)[name]


def test_target_is_that_of_the_projection(run: Path, case: Answer) -> None:
    futures = load_futures(run)
    for quantity, year in (("offences_avoided", 10), ("net_benefit", 10), ("victim_crimes_avoided", 3)):
        exact = futures[quantity].sel(scenario="hardcore", year=year).values
        found = replace(case, quantity=quantity, year=year).targets[quantity].values
        np.testing.assert_allclose(
            found, exact, rtol=1e-9, atol=1e-6
        )  # one year computed instead of ten: rounding only


def test_factors_multiply_to_the_projected_target(case: Answer) -> None:
    for values in ({"rate_ratio": 0.8}, {"drift": 0.5, "offences_per_user_year": 100.0}):
        slow = case.target_of(case.with_values(values)).values
        np.testing.assert_allclose(
            case.with_known(values).values, slow, rtol=1e-9, atol=1e-6
        )  # the order of multiplication


def test_log_ratios_with_biases_integrated_out(case: Answer) -> None:
    """Against the definition: average the model's own density over draws of one bias from its prior."""
    rows, prior = ["naomi"], case.study.priors["bias_composite"]
    found = np.exp(Reduction.of(case.draws, case.study, case.structure).log_density(rows)[:5])
    row = next(r for r in case.study.rows("trials") if r.row == "naomi")
    bias = stats.norm(prior.parameters["mu"], prior.parameters["sigma"])
    for i in range(5):
        sd = np.hypot(row.se, case.draws["tau_theta"][i])
        exact, _ = integrate.quad(
            lambda b, i=i, sd=sd: bias.pdf(b) * stats.norm.pdf(row.y, case.draws["mu_theta"][i] + b, sd), -5, 5
        )
        assert found[i] == pytest.approx(exact, rel=1e-6)  # quadrature's own tolerance


def test_offending_with_study_effects_integrated_out(case: Answer) -> None:
    cluster = next(c for c in case.clusters if c.rows == ("riott_baseline",))
    found, below = cluster.log_density(cluster.rows)[:8], cluster.predictive("riott_baseline")[:8]
    row = next(r for r in case.study.rows("offending") if r.row == "riott_baseline")
    for i in range(8):
        centre, sd = np.log(case.draws["offences_per_user_year"][i]), case.draws["sigma_study"][i]
        shape = row.persons * case.draws["shape_month"][i]
        x = np.linspace(centre - 8 * sd, centre + 8 * sd, 20_001)
        mean = row.persons * np.exp(x) * row.days / 365.25
        law, weight = stats.nbinom(shape, shape / (shape + mean)), stats.norm.pdf(x, centre, sd)
        # the trapezium rule on nodes a fifth of a standard deviation apart, against hundreds of times as many
        assert np.exp(found[i]) == pytest.approx(np.trapezoid(law.pmf(row.value) * weight, x), rel=1e-4)
        assert below[i, 1] == pytest.approx(
            np.trapezoid(law.cdf(row.value) * weight, x), abs=5e-4
        )  # nodes of weight below 1e-6 are left out


def test_components_are_those_of_the_model(case: Answer) -> None:
    found = components(bayes.build_model(case.study))
    assert len(found) == 4
    assert case.component["countable_share"] == case.component["offences_per_user_year"] != case.component["mu_theta"]
    assert not any("fidelity" in group for group in found)


@pytest.mark.parametrize(
    ("rows", "anchor"), [(["geneva"], "mu_theta"), (["arrestees_any_year"], "offences_per_user_year")]
)
def test_weights_agree_with_a_refit(case: Answer, rows: list[str], anchor: str) -> None:
    change = next(c for c in drop_changes(case) if c.name == rows[0])
    targets = {case.quantity: case.targets[case.quantity]}
    row = compare(targets, [replace(change, quantities=())], refit=False).iloc[1]  # the weights, not the fit
    assert row["method"] == "reweighted"
    again = case.refit(case.study, case.structure, [anchor], without=rows)
    fitted = compare({case.quantity: again[case.quantity]}, []).iloc[0]["median"]
    base = compare(
        {case.quantity: case.targets[case.quantity]},
        [replace(change, refit=lambda _: again, quantities=())],
        khat_limit=-9,
    ).iloc[1]
    assert abs(row["median"] - fitted) < SIGMAS * np.hypot(row["mcse_d_median"], base["mcse_d_median"])


def test_a_refit_keeps_what_the_change_cannot_reach(case: Answer) -> None:
    found = refit(bayes.build_model(case.study), case.fit, ["fidelity"])
    np.testing.assert_array_equal(found["mu_theta"].values, case.posterior["mu_theta"].values)
    assert not np.array_equal(found["fidelity"].values, case.posterior["fidelity"].values)


def test_a_component_is_sampled_once_for_each_change_of_it(case: Answer) -> None:
    """Leaving out a row of one component gives it the same draws whatever else is left out."""
    alone = case.refitted(case.study, case.structure, ["mu_coverage"], without=["germany_cov"])
    made = len(case._parts)
    both = case.refitted(case.study, case.structure, ["mu_coverage", "mu_theta"], without=["germany_cov", "germany"])
    assert len(case._parts) == made + 1
    np.testing.assert_array_equal(both["coverage_new"].values, alone["coverage_new"].values)
    assert not np.array_equal(both["theta_new"].values, alone["theta_new"].values)
    assert 100 < both.attrs["ess"] <= alone.attrs["ess"]


@pytest.mark.parametrize(
    ("structure", "priors"),
    [
        (Structure(), {}),
        (Structure(), {"tau_theta": "sceptical", "mu_theta": "optimistic"}),
        (Structure(drift=False), {}),
        (Structure(effects="common"), {}),
        (Structure(small_studies=True), {}),
        (Structure(effects="common", drift=False, biases=()), {}),
    ],
)
def test_effects_of_a_changed_study_are_drawn_exactly(structure: Structure, priors: dict[str, str]) -> None:
    """Against quadrature: means and mean squares, in Monte Carlo errors."""
    study = bayes.load_study().with_priors(priors)
    part, exact = exact_effects_part(study, structure, (4, 1000)), exact_effects(study, structure)
    assert part is not None
    assert exact is not None
    for name, values in part.draws.items():
        at = exact.names.index(name)
        z = ((values - exact.mean[at]) / exact.sd[at]).reshape(4, -1)
        assert abs(z.mean()) < SIGMAS * mcse_of_mean(z), name
        assert abs((z**2).mean() - 1) < SIGMAS * mcse_of_mean(z**2), name
    assert np.isnan(part.rhat) or part.rhat < 1.01


def test_effects_that_are_not_conjugate_are_sampled(case: Answer) -> None:
    assert exact_effects_part(case.study, Structure(effects="t"), case.shape) is None
    prior = case.study.priors["tau_theta"]
    odd = replace(case.study, priors={**case.study.priors, "mu_theta": replace(prior, name="mu_theta")})
    assert exact_effects_part(odd, Structure(), case.shape) is None


def test_worlds_of_the_projection_alone_fit_nothing_and_share_all_draws(
    case: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("bayes.heroin.sensitivity.answer.resampled")
    monkeypatch.delattr("bayes.heroin.sensitivity.answer.completed")
    fitted = case_world(case, World())()
    found = case_world(case, World(structure={"decline": False, "targeting": False}))()
    exact = case.targets_with({"yearly_decline": 0.0, "targeting_strength": 0.0})[case.quantity]
    np.testing.assert_allclose(found.target.values, exact.values, rtol=1e-12)  # the same calculation
    assert found.rows == fitted.rows
    assert found.decision is not None
    assert "yearly_decline" not in found.decision().inputs.draws


def test_a_part_that_worlds_share_is_drawn_once(case: Answer) -> None:
    """Other switches than those that bear on a component are not part of what is drawn."""
    small, sceptical = Structure(small_studies=True), case.study.with_priors({"mu_theta": "sceptical"})
    one = case._part(frozenset({"mu_theta"}), sceptical, small, ())
    other = case._part(frozenset({"mu_theta"}), sceptical, replace(small, ceiling=False, unmet_demand=False), ())
    assert one is other
    assert "slope_small_studies" in one.draws


def test_single_structures_are_those_of_the_table_of_structures(case: Answer) -> None:
    known = {change.name for change in case_variants(case)}
    assert {*case_structures(case)} <= known
    assert "no drift" not in case_structures(case)  # it changes what is avoided


def test_groups_of_sources(case: Answer) -> None:
    groups = source_groups(case.study)
    assert groups["unverified"] == []  # such rows never enter
    assert {"riott_baseline", "switzerland_cov"} <= set(groups["press figures"])  # two newspapers
    assert "geneva" not in groups["press figures"]  # a journal
    assert "belgium_null" in groups["judgements"]


def test_structures(case: Answer) -> None:
    variants = case_variants(case)
    assert len(variants) <= 24
    table = structure(case.targets, variants, refit=False)
    marked = table[table["estimand_changed"]]["change"].unique()
    assert set(marked) == {"no drift", "no drift, evidence as fitted", "victim-counted crimes"}
    common = table[(table["change"] == "one effect for all") & (table["quantity"] == "theta_new")].iloc[0]
    fitted = table[(table["method"] == "as fitted") & (table["quantity"] == "theta_new")].iloc[0]
    assert common["upper"] - common["lower"] < fitted["upper"] - fitted["lower"]  # no spread between settings is left
    names = [one.name for one in case_variants(replace(case, structure=replace(Structure(), targeting=False)))]
    assert "no targeting" not in names


@pytest.mark.parametrize(("name", "above"), [
    ("demand is what is achieved abroad", False), ("no decline without the programme", True),
    ("nobody enters from no treatment", False)])  # fmt: skip
def test_switches_move_the_answer_the_way_they_should(case: Answer, name: str, above: bool) -> None:
    change = next(one for one in case_variants(case) if one.name == name)
    moved = np.median(change.targets[case.quantity].values) / np.median(case.targets[case.quantity].values)
    assert (moved > 1.05) if above else (moved < 0.95)


def test_a_variant_says_what_leaves_with_it(case: Answer) -> None:
    """Without drift the before-after rows have no use: form and evidence are two changes, and stand side by side."""
    table = structure(case.targets, case_variants(case), refit=False)
    mine = table[table["quantity"] == case.quantity].set_index("change")
    rows = {name: len(case.study.rows(name)) for name in ("prepost", "ceiling")}
    assert mine.loc["no drift", "leaves"] == f"prepost: {rows['prepost']}"
    assert mine.loc["no ceiling", "leaves"] == f"ceiling: {rows['ceiling']}"
    assert f"the {rows['prepost']} rows of prepost leave with it" in mine.loc["no drift", "note"]
    assert not mine.drop(["no drift", "no ceiling"])["leaves"].any()
    fixed = mine.loc["no drift, evidence as fitted"]
    exact = np.median(case.with_known({"drift": 1.0}).values)
    assert fixed["median"] == pytest.approx(exact, rel=1e-12)
    assert fixed["median"] / mine.loc["as fitted", "median"] == pytest.approx(1.56, abs=0.06)  # and not 0.98


def test_levers_move_the_answer_the_way_they_must(case: Answer) -> None:
    x = case.targets[case.quantity].values
    for lever in case_levers(case):
        draws, ratio = lever.at(lever.high)
        assert (draws is None) != (ratio is None)
    known = {lever.name: lever for lever in case_levers(case)}
    worse, _ = known["the rate ratio in a new programme"].at(1.0)
    share, ratio = case.draws["untreated_share"] * np.expm1(-case.draws["bias_untreated"]), case.draws["rate_ratio"]
    left = share / (1 + share - ratio)  # what entrants from no treatment would gain of maintenance alone
    np.testing.assert_allclose(worse.values.ravel(), x.ravel() * left, atol=1e-6 * np.abs(x).max())
    none = case.with_known({"rate_ratio": 1.0, "untreated_share": 0.0})
    np.testing.assert_allclose(none.values, 0.0, atol=1e-6)  # no effect, nothing avoided
    _, ratio = known["an unpublished null trial, people an arm"].at(1000.0)
    weight = np.exp(ratio - ratio.max())
    assert (weight * x).sum() / weight.sum() < x.mean()


@pytest.mark.parametrize(
    "name", ["powerscale", "alternatives", "leave_one_out", "tipping", "budget", "conflict", "value", "variance"]
)
def test_every_table_is_tidy(run: Path, case: Answer, name: str) -> None:
    table = analyse(case, name, Request(folder=run, scenario="hardcore", threshold=0.0, refit=False))
    assert len(table) > 3
    assert {"scenario", "year", "verdict"} <= set(table.columns)
    assert "unit" in table
    assert table.columns.is_unique
    if name == "budget":
        assert table["adds"].tolist() == [
            "sampling error",
            "heterogeneity",
            "design bias",
            "transport",
            "delivery",
            "demand",
            "ceiling",
        ]
        assert table["median"].iloc[-1] == pytest.approx(float(case.targets[case.quantity].median()), rel=1e-12)
    if name == "variance":
        natural = table[table["scale"] == "target"]
        assert natural["estimate"].notna().all()  # tau ~ HalfNormal(0.4) leaves offences avoided a variance
        assert natural["note"].str.contains("the fourth moment is not finite").all()
    if name == "conflict":
        assert table["p"].between(0, 1).all()
        assert len(table) == len({row for cluster in case.clusters for row in cluster.rows})


def test_variance_of_a_target_that_has_one(run: Path, case: Answer) -> None:
    table = analyse(replace(case, quantity="patient_years"), "variance", Request(folder=run))
    joint = table[(table["measure"] == "joint")].set_index("scale")["estimate"]
    assert set(joint.index) == {"target", "normal scores of the target"}
    assert joint["target"] > 0.8  # demand and occupancy explain people in treatment but for corners of the minimum


def test_tipping_points_are_confirmed_by_fits(run: Path, case: Answer) -> None:
    table = analyse(case, "tipping", Request(folder=run)).set_index("lever")
    bias = table.loc["the bias of randomised contrasts"]
    assert bias["method"] in ("reweighted", "refitted")
    assert bias["confirmed"] == "yes"
    assert (table.loc[table["method"] == "projected", "confirmed"] == "exact").all()
    assert (table.loc[table["method"] == "no root", "confirmed"] == "").all()


def test_command_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(
        [
            "sensitivity",
            str(run),
            "--scenario",
            "hardcore",
            "--only",
            "powerscale,tipping",
            "--threshold",
            "0",
            "--quiet",
        ]
    )
    printed = capsys.readouterr().out
    assert code == 0
    assert "What moves offences avoided" in printed
    written = sorted(path.name for path in (run / "tables" / "sensitivity").glob("*.csv"))
    assert written == ["powerscale.csv", "tipping.csv"]
    assert pd.read_csv(run / "tables" / "sensitivity" / "powerscale.csv")["verdict"].notna().all()


def test_processes_give_the_same_tables_with_progress(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as in a terminal
    folder = run / "tables" / "sensitivity"
    command = ["sensitivity", str(run), "--only", "budget,powerscale,structure_by_choice", "--no-refit", "--recompute"]
    texts = []
    for jobs in ("1", "2"):
        assert main([*command, "--jobs", jobs]) == 0
        assert "3/3" in capsys.readouterr().err  # a bar that has come to its end
        texts.append([(folder / f"{name}.csv").read_text() for name in ("budget", "powerscale", "structure_by_choice")])
    assert texts[0] == texts[1]


def test_an_interruption_leaves_finished_tables_whole(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(case: object, request: Request) -> dict[str, pd.DataFrame]:
        raise KeyboardInterrupt

    monkeypatch.setitem(analyses(), "tipping", Analysis(interrupted, "", ""))
    copy = tmp_path / "run"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("sensitivity"))
    assert (
        main(["sensitivity", str(copy), "--only", "powerscale,tipping,budget", "--jobs", "1", "--quiet", "--recompute"])
        == 130
    )
    assert "finished tables are in" in capsys.readouterr().err
    written = sorted(path.name for path in (copy / "tables" / "sensitivity").glob("*.csv"))
    assert written == ["budget.csv", "powerscale.csv"]  # what is quick comes first
    assert len(pd.read_csv(copy / "tables" / "sensitivity" / "powerscale.csv")) > 30


def test_no_table_calls_anything_significant() -> None:
    folder = Path(bayes.__file__).parent / "sensitivity"
    assert not [path for path in folder.rglob("*.py") if "significan" in path.read_text("utf-8")]


def test_the_spread_is_that_of_the_variants(run: Path, case: Answer) -> None:
    question = Request(folder=run, refit=False)
    table, spread = analyse(case, "structure", question), analyse(case, "structure_by_choice", question)
    mine = table[(table["quantity"] == case.quantity) & table["choice"].isin(["", "effects"])]
    mine = mine[~mine["method"].str.endswith("unreliable")]
    row = spread[(spread["quantity"] == case.quantity) & (spread["choice"] == "effects")].iloc[0]
    assert row["variants"] == len(mine) - 1 > 0
    assert row["spread"] == pytest.approx(np.ptp(mine["median"]), rel=1e-12)  # the same numbers, subtracted
    assert not {"drift", "unit of outcome"} & set(spread["choice"])  # they change the estimand


def test_break_even_is_cost_over_effect(run: Path, case: Answer) -> None:
    table = analyse(case, "break_even", Request(folder=run)).set_index("option")
    plane = {name: draws.mean() for name, draws in _totals(case)["cost"].items()}
    effect = _totals(case)["effect"]["hardcore"]
    exact = plane["hardcore"] / effect.mean()
    assert table.loc["hardcore", "estimate"] == pytest.approx(exact, rel=1e-9)  # Brent's tolerance on a straight line
    assert table.loc["hardcore", "unit"] == "GBP/offence"


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ([1.0] * 200, "constant"),
        ([1.0, np.nan] * 100, "missing or infinite"),
        (["a", "b"] * 100, "draws are numbers"),
        (list(range(50)), "too few draws"),
    ],
)
def test_a_column_that_cannot_serve_is_named(
    tmp_path: Path, column: list[float], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(1)
    pd.DataFrame({"bad": column, "y": rng.normal(size=len(column))}).to_csv(tmp_path / "draws.csv", index=False)
    assert main(["sensitivity", "--draws", str(tmp_path / "draws.csv"), "--target", "y"]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "bad" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "powerscales"], "no such analysis"),
        (["--scenario", "moon"], "no such scenario"),
        (["--target", "crime"], "no such target"),
        (["--year", "99"], "no such year"),
        (["--jobs", "0"], "too small"),
    ],
)
def test_bad_usage_says_what_is_allowed(
    run: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sensitivity", str(run), "--quiet", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_anybodys_draws(tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 4000))
    file = tmp_path / "draws.csv"
    pd.DataFrame({"a": a, "b": b, "y": 2 * a + b, "new": a + 1}).to_csv(file, index=False)
    code = main(
        ["sensitivity", "--draws", str(file), "--target", "y", "--inputs", "a,b", "--net-benefit", "new", "--json"]
    )
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    shares = {(r["measure"], r["input"]): r for r in found["variance"]}
    assert abs(shares["first", "a"]["estimate"] - 0.8) < SIGMAS * shares["first", "a"]["se"]
    exact = stats.norm.pdf(1) - stats.norm.sf(1)  # E[max(0, z + 1)] - 1
    assert abs(found["evpi"]["estimate"] - exact) < SIGMAS * found["evpi"]["mcse"]
    assert {r["input"] for r in found["evppi"]} == {"a", "b"}
    assert main(["sensitivity", "--draws", str(file), "--target", "z", "--json"]) == 2
    assert "z" in capsys.readouterr().err
    names = "mu_theta,tau_theta"
    assert main(["sensitivity", "--draws", str(run / "fit.nc"), "--target", "theta_new", "--inputs", names]) == 0
    assert "mu_theta" in capsys.readouterr().out


def test_diff_of_a_run_with_itself_and_with_another(
    run: Path, case: Answer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", str(run), str(run), "--scenario", "hardcore", "--json"]) == 0
    same = pd.DataFrame(json.loads(capsys.readouterr().out))
    assert (same["d_median"] == 0).all()
    assert same["kind"].tolist() == ["headline", "rest"]
    chosen = case.study.with_priors({"fidelity": "sceptical"})
    execute(Asked(QUESTION, chosen), tmp_path / "b", Options())
    assert main(["diff", str(run), str(tmp_path / "b"), "--scenario", "hardcore", "--json"]) == 0
    found = pd.DataFrame(json.loads(capsys.readouterr().out)).set_index("kind")
    assert found.loc["prior", "input"] == "fidelity"
    moved, error = found.loc["prior", "d_median"], found.loc["prior", "mcse_d_median"]
    assert moved < -SIGMAS * error  # a programme that keeps less of the effect avoids less
    assert abs(found.loc["rest", "d_median"]) < SIGMAS * found.loc["headline", "mcse_d_median"]


def test_the_plane_and_the_curve_are_those_of_the_projection(run: Path, case: Answer) -> None:
    """Net benefit at a price is price x effect - cost, all discounted from year 1; equal draws, so rounding only."""
    futures = load_futures(run)
    factor = 1.035 ** -np.arange(10.0)
    effect = (futures["offences_avoided"].sel(scenario="hardcore").values * factor).sum(axis=-1)
    cost = (futures["programme_cost"].sel(scenario="hardcore").values * factor).sum(axis=-1)
    totals = _totals(case)
    curve = acceptability_curve(totals["cost"], totals["effect"], willingness_to_pay=(0.0, 100.0))
    curve = curve.set_index(["willingness_to_pay", "option"])
    for price in (0.0, 100.0):
        assert curve.loc[(price, "hardcore"), "net_benefit"] == pytest.approx((price * effect - cost).mean(), rel=1e-9)
        assert curve.loc[price, "probability"].sum() == pytest.approx(1.0)
        assert curve.loc[price, "optimal"].sum() == 1
    assert curve.loc[(0.0, "as today"), "optimal"]  # what avoids nothing costs nothing
    assert "today" not in curve.loc[0.0].index  # it is compared with nobody on heroin, the others with today
    plane = analyse(case, "plane", Request(folder=run)).set_index(["quantity", "option"])
    assert plane.loc[("effect", "hardcore"), "estimate"] == pytest.approx(np.median(effect), rel=1e-9)
    assert plane.loc[("cost", "hardcore"), "lower"] == pytest.approx(np.quantile(cost, 0.025), rel=1e-9)


def test_what_the_ceiling_alone_informs_returns_to_its_prior_without_it(case: Answer) -> None:
    """A fit without the ceiling draws the countable share from its prior, Beta(1, 4), not from the fit with it."""
    found = case.refitted(case.study, replace(case.structure, ceiling=False), ["offences_per_user_year"])
    prior = case.study.priors["countable_share"]
    law = scipy_frozen(prior.family, prior.parameters)
    draws = found["countable_share"].values.ravel()
    assert stats.kstest(draws, law.cdf).pvalue > 1e-4
    assert abs(np.median(case.draws["countable_share"]) - law.median()) > 0.01  # the ceiling did inform it


def test_sentence_report_and_figure_read_one_table_of_shares(run: Path) -> None:
    """The line of a run, the figure and the summary quote one scale of ``variance.csv``, cell by cell."""
    case = answer_of(posed(QUESTION), load_fit(run), Request(folder=run))
    table = analyse(case, "variance", Request(folder=run))
    shown = quoted(table)
    told = drivers_of(case.fit["posterior"].to_dataset(), load_futures(run))
    assert [row["share"] for row in told["inputs"]] == pytest.approx(shown["estimate"].tolist(), rel=1e-12)  # rounding
    assert {row["scale"] for row in told["inputs"]} == set(shown["scale"])
    assert shapley(table).table["estimate"].tolist() == shown["estimate"].head(15).tolist()
    prices = analyse(case, "acceptability", Request(folder=run))["willingness_to_pay"].unique().tolist()
    curve = acceptability.table(load_futures(run), scenarios=["hardcore"], willingness_to_pay=prices)
    assert curve["willingness_to_pay"].unique().tolist() == prices
