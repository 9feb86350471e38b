"""The what-if of questions other than the shipped one: both examples, and a question that is all in its script."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pymc as pm
import pytest
from scipy import stats
from xarray import Dataset, DataTree

import bayes
from bayes.diagnostics import check
from bayes.errors import UsageError
from bayes.families import scipy_frozen
from bayes.outcomes import given_values, outcomes_of, played, projection_of, without
from bayes.overrides import change_data, changed_study, read_overrides
from bayes.plans import Asked
from bayes.projection import whole
from bayes.question import built
from bayes.report.whatif import live_of, panel, reason_against
from bayes.sensitivity.weights import smoothed_weights
from bayes.study import read_study
from tests.browser.actions import slide, text
from tests.browser.test_numbers import ANSWER, the_same
from tests.standalone import standalone

EXAMPLES = Path(__file__).parents[2] / "notebooks" / "examples"


def question_of(name):
    """The question and the study of an example."""
    folder = EXAMPLES / name
    spec = importlib.util.spec_from_file_location(f"question_{name}", folder / "question.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.question, read_study(folder / "study")


class OnPage:
    """A question with a fit of its model, and its what-if on a page."""

    def __init__(self, question, study, folder):
        self.question, self.study = question, study
        case = Asked(question, study)
        self.words = case.words
        self.fit = bayes.sample(case.sampled, draws=500, tune=500, chains=2, rng=3)
        self.live = live_of(case, self.fit)
        self.futures = whole(projection_of(self.fit, self.live.outcomes, self.words))
        self.panel = panel(self.live, self.fit, self.futures, check(self.fit, self.futures))
        self.path = folder / "what-if.html"
        self.path.write_text(standalone(self.panel), encoding="utf-8")

    def in_python(self, toml, folder):
        """The outcomes and weights of a downloaded file: redrawn, reweighted and played as the library does it."""
        file = folder / "what-if.toml"
        file.write_text(toml, encoding="utf-8")
        changes = read_overrides(file)
        study = self.study and changed_study(self.study, changes)
        model = built(self.question, study)
        change_data(model, changes)
        values = dict(given_values(self.fit, self.live.outcomes.given))
        shape = tuple(self.fit["posterior"].sizes[dim] for dim in ("chain", "draw"))
        ratio = np.zeros(shape)
        for name in changes.priors:
            old, new = (scipy_frozen(s.priors[name].family, s.priors[name].parameters) for s in (self.study, study))
            x = self.fit["posterior"][name].transpose("chain", "draw").values
            if name in self.live.outcomes.alone and name in self.fit.attrs["forward_variables"]:
                values[name] = np.where(x <= old.median(), new.ppf(old.cdf(x)), new.isf(old.sf(x))).ravel()
            else:
                ratio += new.logpdf(x) - old.logpdf(x)
        found = played(outcomes_of(model, self.words, self.fit), values, ratio.size)
        return {name: array.reshape(*shape, *array.shape[1:]) for name, array in found.items()}, smoothed_weights(ratio)


@pytest.fixture(scope="session")
def bcg(tmp_path_factory):
    return OnPage(*question_of("bcg"), tmp_path_factory.mktemp("bcg"))


@pytest.fixture(scope="session")
def doctors(tmp_path_factory):
    return OnPage(*question_of("doctors"), tmp_path_factory.mktemp("doctors"))


STATES = {
    "bcg": ("", "year=4", "p.log_ratio=-0.6,0.8", "d.coverage=0.6", "d.coverage=0.95&d.degrees=30&p.duration=12,1.2",
            "year=7&p.tau=0.25,&p.slope=-0.02,1.1&p.incidence=150,0.8&p.cost=3,1&threshold=50000"),
    "doctors": ("", "year=3", "p.log_ratio=0.4,0.8", "d.stopping=0.2", "year=5&d.stopping=0.4&p.half_life=4,0.7",
                "scenario=everyone&p.rate=5,0.9&p.staying=0.5,1.2&p.decline=-0.2,1.1&threshold=100"),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_whole_answers(open_page, tmp_path, request, name):
    """The file a reader downloads, put in force by the library, gives the numbers the page shows."""
    asked = request.getfixturevalue(name)
    page = open_page(asked.path.as_uri())
    rows = {row["key"]: row for row in page.evaluate("whatIf.model.data.rows")}
    for state in STATES[name]:
        found = page.evaluate(ANSWER, state or f"scenario={page.evaluate('whatIf.model.data.default_scenario')}")
        outcomes, weights = asked.in_python(found["toml"], tmp_path)
        at = asked.live.outcomes.scenarios.index(found["scenario"])
        year = asked.live.outcomes.years.index(found["year"])
        quantities = {}
        for key, row in rows.items():
            values = np.broadcast_to(outcomes[row["outcome"]], (*outcomes[asked.question.target].shape,))[:, :, at]
            quantities[key] = values[..., : year + 1].sum(-1) if row["total"] else values[..., year]
        the_same(found, quantities, weights)


def test_the_panel_speaks_the_question_s_words(open_page, bcg):
    page = open_page(bcg.path.as_uri())
    body = text(page, "#what-if")
    for word in ("Cases averted, year 10", "cases/year", "Coverage", "Net benefit, years 1 to 10"):
        assert word in body
    assert not [word for word in ("crime", "offence", "heroin", "patient", "£") if word in body.lower()]
    slide(page, "#wi-coverage", -100)
    assert page.evaluate("whatIf.panel.state.data.coverage") == pytest.approx(0.45, rel=0.02)  # half of 0.9
    assert "coverage 0.45" in page.locator(".wi-sentence").text_content()


def build():
    with pm.Model(coords={"scenario": ["few", "all"], "year": [2030, 2040]}) as model:
        effect, uptake = pm.Normal("effect", -1, 0.5), pm.Beta("uptake", 4, 4)
        hazard, told = pm.Exponential("hazard", 2.0), pm.Data("told", [10.0, 90.0], dims="scenario")
        reached = pm.Data("reached", np.array([True, False]), dims="scenario")
        pm.Normal("seen", effect, 0.3, observed=[-0.4, -0.9])
        late = pm.math.switch(reached, 1.0, 0.5)[:, None] * np.array([0.5, 1.0])
        scale = pm.Data("scale", 3.0)
        answer = told[:, None] * uptake * (1 - pm.math.exp(effect)) * hazard * late * scale
        pm.Deterministic("avoided", answer, dims=("scenario", "year"))
    return model


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    question = bayes.Question(model=build, target="avoided", units={"avoided": "deaths/year"},
                              ranges={"told": (0.0, 100.0)})  # fmt: skip
    return OnPage(question, None, tmp_path_factory.mktemp("script"))


def test_a_question_of_a_script_alone(open_page, script, tmp_path):
    """Priors that the model states have their sliders; data are moved by name; scalars and truths too."""
    page = open_page(script.path.as_uri())
    assert page.evaluate("Object.keys(whatIf.model.priors)") == ["effect", "uptake", "hazard"]
    assert page.evaluate("whatIf.model.data.years") == [2030, 2040]
    page.fill("#wi-told-n", "55")
    page.check("#wi-reached")
    slide(page, "#wi-scale", 100)
    slide(page, "#wi-location-hazard", 40)
    slide(page, "#wi-year", -100)
    toml = page.evaluate("whatIf.formatToml(whatIf.model, whatIf.panel.state)")
    (tmp_path / "what-if.toml").write_text(toml, encoding="utf-8")
    assert read_overrides(tmp_path / "what-if.toml").data == {"told.all": "55", "reached.all": "1", "scale": "6"}
    assert '#     hazard = "Exponential(lam=' in toml
    values = page.evaluate("Array.from(whatIf.weightedDraws(whatIf.model, whatIf.panel.state).values.avoided)")
    rate = page.evaluate("whatIf.resolved(whatIf.model, whatIf.panel.state).parameters.hazard.lam")
    draws = script.fit["posterior"]
    effect, uptake, hazard = (np.ravel(draws[n].transpose("chain", "draw")) for n in ("effect", "uptake", "hazard"))
    wanted = 55 * uptake * (1 - np.exp(effect)) * hazard * (2.0 / rate) * 0.5 * 6
    np.testing.assert_allclose(values, wanted, rtol=1e-9)


def test_a_model_that_a_page_cannot_compute_says_why():
    import pytensor.tensor as pt

    with pm.Model() as model:
        rate = pm.Gamma("rate", 2, 1)
        pm.Deterministic("cases", pt.j0(rate))
    question = bayes.Question(model=lambda: model, target="cases")
    fit = bayes.sample(without(model, ["cases"]), draws=50, tune=50, chains=2, rng=1)
    live = live_of(Asked(question), fit)
    assert reason_against(live, fit) == "the outcomes of this model use what a page cannot compute: scipy.special.j0"
    with pytest.raises(UsageError, match="j0"):
        panel(live, fit, whole(projection_of(fit, live.outcomes, question.words)), check(fit))


def test_a_file_names_what_the_study_states(bcg):
    """A field of a scenario where the study has it, so that the run that the file is for takes it."""
    controls = {one["name"]: one["table"] for one in json.loads(bcg.panel.data_json)["controls"]}
    assert controls == {"coverage": "scenarios", "degrees": "scenarios"}


def cut_off_and_in_parts():
    coords = {"scenario": ["few", "many"], "age": ["young", "old"]}
    with pm.Model(coords=coords) as model:
        shares = pm.Dirichlet("shares", np.ones(2), dims="age")
        rate = pm.Triangular("rate", 0, 2, 1) * pm.Truncated("bounded", pm.Normal.dist(1, 0.5), lower=0.1)
        ratio = pm.Truncated("ratio", pm.Gamma.dist(4, 5), lower=0.2, upper=3)
        slopes, common = pm.Normal("slopes", [0.2, 0.5], 0.5, dims="age"), pm.Normal("common", 0, 0.5, dims="age")
        effect = pm.Normal("effect", pm.Normal("mean_effect", 0, 1), 1)
        reached = pm.Data("reached", np.array([[10.0, 20], [100, 200]]), dims=("scenario", "age"))
        cost, weight = pm.Data("cost", 3.0), pm.Data("weight", [1.0, 2.0], dims="age")
        each = shares * pm.math.exp(slopes + common) * weight
        pm.Deterministic("cases", rate * ratio * cost * pm.math.exp(effect) * (reached @ each), dims="scenario")
    return model


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Its page with draws near the middle of each prior, and those draws."""
    case = Asked(bayes.Question(model=cut_off_and_in_parts, target="cases"))
    rng = np.random.default_rng(1)
    drawn = {v.name: (("chain", "draw", "age")[: 2 + v.ndim], rng.uniform(0.3, 0.9, (2, 500, 2)[: 2 + v.ndim]))
             for v in case.model.free_RVs}  # fmt: skip
    coords = {"chain": range(2), "draw": range(500), "age": ["young", "old"]}
    fit = DataTree.from_dict({"posterior": Dataset(drawn, coords)})
    fit.attrs["forward_variables"] = json.dumps(["rate", "slopes"])
    live = live_of(case, fit)
    found = panel(live, fit, whole(projection_of(fit, live.outcomes, case.words)), check(fit))
    path = tmp_path_factory.mktemp("parts") / "what-if.html"
    path.write_text(standalone(found), encoding="utf-8")
    return found, path, {name: values.reshape(1000, -1) for name, (_, values) in drawn.items()}


def test_the_page_names_what_has_no_slider(parts):
    """Priors of other families: named, each once; what hangs on another prior has none of its own."""
    named = re.search("Without a slider: ([^.]*)[.] A slider needs", parts[0].html)[1]
    assert named == "shares"
    assert "without any of their own: effect (by mean effect).</p>" in parts[0].html
    data = json.loads(parts[0].data_json)
    assert [one["name"] for one in data["priors"]] == [
        "rate", "bounded", "ratio", "slopes[young]", "slopes[old]", "common", "mean_effect"
    ]  # fmt: skip
    assert [one["title"] for one in data["controls"]] == ["Reached: young", "Reached: old", "Cost", "Weight: young",
                                                         "Weight: old"]  # fmt: skip


def test_ends_that_stay_elements_of_vectors_and_data_of_two_dims(open_page, parts, tmp_path):
    """Reweighted, drawn again and played as Python does it; and the file says it in words that a run understands."""
    _, path, x = parts
    page = open_page(path.as_uri())
    state = ("scenario=many&p.bounded=0.9,0.9&p.ratio=0.7,1.1&p.common=0.1,1.2&p.rate=1.1,0.8&p.slopes[old]=0.6,0.7"
             "&p.slopes[young]=0.3,&d.reached[old]=250&d.weight[young]=1.5&d.cost=2")  # fmt: skip
    played = """text => { const m = whatIf.model, s = whatIf.parseFragment(m, "#what-if?" + text);
      const { values, weights, now } = whatIf.weightedDraws(m, s);
      return [Array.from(values.cases), Array.from(weights.values), now.parameters, whatIf.formatToml(m, s)]; }"""
    found = page.evaluate(played, state)
    rate = 1.1 + (x["rate"] - 1) * 0.8
    slopes = np.stack([x["slopes"][:, 0] + 0.1, 0.6 + (x["slopes"][:, 1] - 0.5) * 0.7], axis=1)
    each = x["shares"] * np.exp(slopes + x["common"]) * [1.5, 2.0] * [100.0, 250.0]
    wanted = rate * x["bounded"] * x["ratio"] * 2 * np.exp(x["effect"]) * each.sum(1, keepdims=True)
    np.testing.assert_allclose(found[0], wanted[:, 0], rtol=1e-9)
    now = found[2]["ratio"]
    assert now == pytest.approx({"alpha": 4 / 1.21, "beta": 4 / 1.21 / 0.7, "lower": 0.2, "upper": 3})
    moved = {"bounded": (stats.norm(1, 0.5), stats.norm(0.9, 0.45)),
             "common": (stats.norm(0, 0.5), stats.norm(0.1, 0.6)),
             "ratio": (stats.gamma(4, scale=1 / 5), stats.gamma(now["alpha"], scale=1 / now["beta"]))}  # fmt: skip
    ratio = sum((new.logpdf(x[name]) - old.logpdf(x[name])).sum(1) for name, (old, new) in moved.items())
    np.testing.assert_allclose(found[1], smoothed_weights(ratio.reshape(2, 500)).values.ravel(), rtol=1e-6)
    (tmp_path / "what-if.toml").write_text(found[3], encoding="utf-8")
    changes, model = read_overrides(tmp_path / "what-if.toml"), cut_off_and_in_parts()
    change_data(model, changes)
    assert model["reached"].get_value().tolist() == [[10, 20], [100, 250]]
    assert (model["weight"].get_value().tolist(), float(model["cost"].get_value())) == ([1.5, 2], 2)
    assert '#     ratio = "Truncated Gamma(alpha=' in found[3]
    assert text(page, "#wi-range-bounded") == "Cut off below 0.1"
    assert text(page, "#wi-range-ratio") == "Cut off below 0.2 and above 3"
