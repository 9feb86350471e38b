"""Changes to a question of one's own: its study's priors and scenarios, and the data of its model."""

import json
import runpy

import numpy as np
import pandas as pd
import pymc as pm
import pytest

import bayes
from bayes.plans import Asked
from bayes.runfiles import read_futures
from bayes.study import read_study
from bayes.words import headline

FILES = {
    "scenarios.toml": "[scenarios.few]\npeople = 10.0\n[scenarios.many]\npeople = 100.0\n",
    "rate.toml": "[rate]\nmeaning = 'cases a person'\nunit = 'cases/person'\nfamily = 'Gamma'\nwhy = 'wide'\n"
    "parameters = { alpha = 4, beta = 20 }\n",
}


@pytest.fixture
def question(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)

    def build(study):
        with pm.Model(coords={"scenario": list(study.scenarios)}) as model:
            rate = bayes.add_priors(model, study.priors)["rate"]
            pm.Poisson("count", 10 * rate, observed=[2], dims=None)
            people = pm.Data("people", study.planned("people"), dims="scenario")
            pm.Deterministic("cases", rate * people * pm.Data("years", 2.0), dims="scenario")
        return model

    return bayes.Question(model=build, target="cases", study=read_study(tmp_path), name="counted")


def run(question, folder, *changes):
    few = ["--draws", "400", "--tune", "300", "--chains", "2", "--quiet"]
    bayes.main(question, ["run", "--out", str(folder), *few, *changes])
    return bayes.load_fit(folder), json.loads((folder / "inputs" / "question.json").read_text())


def test_data_and_scenarios_are_changed_and_the_run_remembers(question, tmp_path, capsys):
    (tmp_path / "what-if.toml").write_text("[data]\nyears = 6\n[data.people]\nfew = 30\n")
    changed = ["--changes", str(tmp_path / "what-if.toml"), "--set", "many.people=50"]
    fit, made = run(question, tmp_path / "run", *changed)
    assert made["changes"] == {"priors": {}, "settings": {"many.people": "50"},
                               "data": {"years": "6", "people.few": "30"}}  # fmt: skip
    futures, rate = read_futures(tmp_path / "run"), fit["posterior"]["rate"].values
    for scenario, people in {"few": 30, "many": 50}.items():
        found = futures["cases"].sel(scenario=scenario).isel(year=-1).values
        np.testing.assert_allclose(found, rate * people * 6, rtol=1e-12)
    assert "[people=50]" in "".join(capsys.readouterr().out.split())
    assert bayes.main(question, ["sensitivity", str(tmp_path / "run"), "--quiet", "--jobs", "1"]) == 0
    asked = pd.read_csv(tmp_path / "run" / "tables" / "sensitivity" / "powerscale.csv")["scenario"]
    assert set(asked) == {headline(futures)} == {"many"}  # the one that page one and the terminal speak of


def test_a_run_carries_its_changes_and_gives_the_same_numbers_again(start, tmp_path):
    few = ["--draws", "300", "--tune", "300", "--chains", "2", "--quiet", "--set", "half.share=0.25"]
    runs = [tmp_path / "one", tmp_path / "two"]
    scripts = [start / "question.py", runs[0] / "inputs" / "question.py"]
    for script, folder, options in zip(scripts, runs, (few, few[:-2]), strict=True):
        bayes.main(runpy.run_path(str(script))["question"], ["run", "--out", str(folder), *options])
    one, two = (read_futures(folder) for folder in runs)
    assert one.equals(two)
    assert "[share=0.25]" in str(two["label"].values[0])


def test_another_prior_is_sampled(question, tmp_path):
    fit, _ = run(question, tmp_path / "run", "--prior", "rate=Gamma(40, 40)")
    rate = fit["posterior"]["rate"].values
    assert rate.mean() == pytest.approx(
        42 / 50, abs=5 * np.sqrt(42) / 50 / np.sqrt(200)
    )  # a gamma of 42 and 50, exactly


@pytest.mark.parametrize(
    ("change", "says"),
    [("data.peple=3", "did you mean 'people'"), ("data.people.fw=3", "did you mean 'few'"),
     ("data.years=many", "must be a number"), ("fw.people=3", "did you mean 'few'"),
     ("peple=3", "did you mean 'people'")],
)  # fmt: skip
def test_what_cannot_be_changed_is_refused(question, tmp_path, capsys, change, says):
    assert bayes.main(question, ["run", "--out", str(tmp_path / "run"), "--quiet", "--set", change]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_two_runs_are_compared_record_by_record(question, tmp_path, capsys):
    """Three times the people move each draw to three times itself; with the prior the change is told whole."""
    one, two = tmp_path / "one", tmp_path / "two"
    fit, _ = run(question, one)
    run(question, two, "--set", "many.people=300", "--prior", "rate=Gamma(40, 40)")
    capsys.readouterr()
    assert bayes.main(question, ["diff", str(one), str(two), "--json"]) == 0
    rows = {row["kind"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["scenario"]["input"], rows["scenario"]["detail"]) == ("many", "people 100 to 300")
    assert rows["scenario"]["d_median"] == pytest.approx(400 * np.median(fit["posterior"]["rate"]), rel=1e-9)
    assert rows["prior"]["input"] == "rate"
    assert rows["prior"]["detail"].startswith("alpha 4 to 40; beta 20 to 40")
    told = rows["scenario"]["d_median"] + rows["prior"]["d_median"] + rows["rest"]["d_median"]
    assert told == pytest.approx(rows["headline"]["d_median"], rel=1e-9)
    assert abs(rows["rest"]["d_median"]) < 5 * rows["headline"]["mcse_d_median"]


def test_changes_of_one_component_are_told_one_at_a_time(tmp_path, capsys):
    """Normal priors of mean 0 and a sum seen as 1, each with sd 1: the mean of the first is m + (1 - m - n) / 3."""
    for name in ("first", "second"):
        (tmp_path / f"{name}.toml").write_text(
            f"[{name}]\nmeaning = 'a part'\nunit = 'cases'\nfamily = 'Normal'\nwhy = 'wide'\n"
            "parameters = { mu = 0, sigma = 1 }\n"
        )

    def build(study):
        with pm.Model() as model:
            part = bayes.add_priors(model, study.priors)
            pm.Normal("seen", part["first"] + part["second"], 1, observed=[1.0], dims=None)
            pm.Deterministic("cases", part["first"] * pm.Data("years", 2.0))
        return model

    question = bayes.Question(model=build, target="cases", study=read_study(tmp_path), name="sum")
    one, two = tmp_path / "one", tmp_path / "two"
    run(question, one)
    run(question, two, "--prior", "first=Normal(1, 1)", "--prior", "second=Normal(2, 1)", "--set", "data.years=6")
    capsys.readouterr()
    assert bayes.main(question, ["diff", str(one), str(two), "--json"]) == 0
    rows = {row["input"]: row for row in json.loads(capsys.readouterr().out)}
    for name, exact in {"years": 4 / 3, "first": 6 * 2 / 3, "second": -6 * 2 / 3}.items():
        assert rows[name]["kind"] == ("data" if name == "years" else "prior")
        assert rows[name]["d_median"] == pytest.approx(exact, abs=5 * rows[name]["mcse_d_median"])
        assert rows[name]["mcse_d_median"] < 0.5
    assert rows["years"]["detail"] == "2 to 6"


def test_missing_data_are_told_once_in_words_and_not_at_every_building(recwarn):
    def build():
        with pm.Model(coords={"row": ["a", "b", "c"]}) as model:
            mu = pm.Normal("mu", 0, 1)
            pm.Normal("y", mu, 1, observed=np.array([0.1, np.nan, 0.7]), dims="row")
            pm.Normal("z", mu, 1, observed=np.ones(3), dims="row")
            pm.Deterministic("answer", 2 * mu)
        return model

    asked = Asked(bayes.Question(model=build, target="answer"))
    assert asked.notes() == ["1 of 3 values of y are missing: they are sampled, as y_unobserved"]
    assert not [one for one in recwarn if "missing" in str(one.message)]


TABLE = np.array([[1.0, np.nan], [2.0, 3.0], [np.nan, 1.0]])


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("likelihood", "told"),
    [(lambda mu: pm.Normal("y", mu, 1, observed=pd.Series(TABLE[0])), "1 of 2"),
     (lambda mu: pm.Poisson("y", pm.math.exp(mu), observed=np.ma.masked_invalid(TABLE)), "2 of 6"),
     (lambda mu: pm.Bernoulli("y", logit_p=mu, observed=np.ma.array([1, 0, 1], mask=[0, 1, 1])), "2 of 3"),
     (lambda mu: pm.MvNormal("y", [mu, mu], np.eye(2), observed=TABLE), "2 of 6")],
    ids=["a series", "a table", "events", "vectors"],
)  # fmt: skip
def test_missing_data_of_any_shape_are_counted(likelihood, told):
    def build():
        with pm.Model() as model:
            mu = pm.Normal("mu", 0, 1)
            likelihood(mu)
            pm.Deterministic("answer", 2 * mu)
        return model

    asked = Asked(bayes.Question(model=build, target="answer"))
    assert asked.notes() == [f"{told} values of y are missing: they are sampled, as y_unobserved"]


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("potentials", [[], ["above"], ["above", "soft"]])
def test_potentials_beside_rows_are_told(seen, potentials):
    """No row and no prior holds them, so that leaving rows out or scaling the evidence does not reach them."""

    def build():
        with pm.Model() as model:
            mu = pm.Normal("mu", 0, 1)
            if seen:
                pm.Normal("y", mu, 1, observed=[0.3, 0.4])
            for name in potentials:
                pm.Potential(name, -(mu**2))
            pm.Deterministic("answer", 2 * mu)
        return model

    said = Asked(bayes.Question(model=build, target="answer")).notes()
    assert len(said) == (1 if seen and potentials else 0)
    assert all(f"({', '.join(potentials)})" in one and "pm.Truncated" in one for one in said)
