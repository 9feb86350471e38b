"""The what-if of questions other than the shipped one: both examples, and a question that is all in its script."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pymc as pm
import pytest
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
from bayes.report.whatif import live_of, panel, reason_against, standalone
from bayes.sensitivity.weights import smoothed_weights
from bayes.study import read_study
from tests.browser.actions import slide, text
from tests.browser.test_numbers import ANSWER, the_same

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


def test_the_page_names_what_has_no_slider():
    """Priors of other families, of vectors and of bounded numbers, and data of two dims: named, each once."""

    def build():
        coords = {"scenario": ["few", "many"], "age": ["young", "old"]}
        with pm.Model(coords=coords) as model:
            shares = pm.Dirichlet("shares", np.ones(2), dims="age")
            rate = pm.Triangular("rate", 0, 2, 1) * pm.Truncated("bounded", pm.Normal.dist(0, 1), lower=0)
            effect = pm.Normal("effect", pm.Normal("mean_effect", 0, 1), 1)
            reached = pm.Data("reached", np.array([[10.0, 20], [100, 200]]), dims=("scenario", "age"))
            cost = pm.Data("cost", 3.0)
            pm.Deterministic("cases", rate * cost * pm.math.exp(effect) * (reached @ shares), dims="scenario")
        return model

    case = Asked(bayes.Question(model=build, target="cases"))
    numbers = np.random.default_rng(1).uniform(0.1, 0.9, (2, 100, 2))
    drawn = {v.name: (("chain", "draw", "age")[: 2 + v.ndim], numbers if v.ndim else numbers[..., 0])
             for v in case.model.free_RVs}  # fmt: skip
    coords = {"chain": range(2), "draw": range(100)}
    fit = DataTree.from_dict({"posterior": Dataset(drawn, coords)})
    live = live_of(case, fit)
    html = panel(live, fit, whole(projection_of(fit, live.outcomes, case.words)), check(fit)).html
    named = re.search("Without a slider: ([^.]*)[.] A slider needs", html)[1]
    assert named == "shares; rate; bounded; reached"
