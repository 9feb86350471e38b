"""The panel as a reader uses it: sliders, greying, links, files, in a real browser."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from xarray import DataTree

import bayes
from bayes.cli import main
from bayes.diagnostics import Check, Verdict
from bayes.overrides import changed_study, read_overrides
from bayes.runs import load_fit, read_manifest
from tests.browser.actions import ask_too_much, slide, state, text, until
from tests.conftest import SHORT

YEAR = '[data-row="0"]'
DEFAULT_STATE = "JSON.stringify(whatIf.unchanged('hardcore'))"


def median(page, side="shown"):
    return page.evaluate("side => whatIf.panel[side].rows.offences_avoided.median.value", side)


# --- what is shown ---------------------------------------------------------------------------


def test_it_opens_with_the_answer_of_the_run(page, shipped_futures):
    from bayes.numbers import compact

    table = bayes.summarise(shipped_futures, prob=0.95, variables=["offences_avoided"])
    row = table.query("scenario == 'hardcore' and year == 10").iloc[0]
    for side in ("shown", "base"):
        assert text(page, f"{YEAR} .wi-{side} .wi-number") == compact(row.estimate, row.mcse)
        ends = f"{compact(row.lower, row.mcse_lower)} to {compact(row.upper, row.mcse_upper)}"
        assert text(page, f"{YEAR} .wi-{side} .wi-range") == ends.replace("-", "−")
    assert state(page)["priors"] == {}
    assert "#" not in page.url
    assert text(page, ".wi-khat") == "none needed"


@pytest.mark.parametrize(
    ("selector", "position", "rises"),
    [
        ("#wi-places", 100, True),
        ("#wi-location-mu_theta", 30, False),
        ("#wi-location-offences_per_user_year", 30, True),
        ("#wi-location-fidelity", -60, False),
        ("#wi-location-targeting_strength", 60, True),
        ("#wi-location-mu_coverage", 40, True),
        ("#wi-location-mu_gamma", -40, False),
        ("#wi-year", -100, False),
    ],
)
def test_a_slider_changes_the_answer_and_leaves_the_other_alone(page, selector, position, rises):
    before, base = median(page), median(page, "base")
    slide(page, selector, position)
    assert (median(page) > before) == rises
    assert median(page) != before
    if selector != "#wi-year":  # which year is read is a question, asked of both
        assert median(page, "base") == base


def test_every_slider_and_field_is_wired(page):
    """Each of them changes the state, shows its own value and can be read aloud."""
    page.locator("details").evaluate("d => { d.open = true; }")
    sliders = page.locator(".what-if input[type=range]").evaluate_all("found => found.map(s => s.id)")
    assert len(sliders) > 40
    default = page.evaluate(DEFAULT_STATE)
    for name in sliders:
        found = page.evaluate(
            "id => { whatIf.panel.state = whatIf.unchanged('hardcore'); const slider = document.getElementById(id); "
            "slider.value = -20; slider.dispatchEvent(new Event('input', { bubbles: true })); "
            "return [JSON.stringify(whatIf.panel.state), slider.getAttribute('aria-valuetext'), "
            "document.getElementById(id + '-n').value, slider.closest('.wi-control').dataset.changed]; }",
            name,
        )
        assert found[0] != default, name
        assert found[1], name
        assert found[2], name
        assert found[3] == "yes", name


def test_the_middle_of_a_priors_slider_is_the_studys_own(page):
    slide(page, "#wi-location-fidelity", 40)
    assert "fidelity" in state(page)["priors"]
    slide(page, "#wi-location-fidelity", 0)
    assert state(page)["priors"] == {}


def test_year_discount_and_threshold(page):
    money = "whatIf.panel.shown.rows['net_benefit.total'].median.value"
    base = page.evaluate(money)
    page.fill("#wi-discount_rate-n", "0.1")
    page.fill("#wi-threshold-n", "1000000")
    found = state(page)
    assert (found["data"], found["threshold"]) == ({"discount_rate": 0.1}, 1e6)
    assert page.evaluate(money) != base
    assert page.evaluate(money.replace("shown", "base")) == pytest.approx(base, rel=1e-3)
    exceeds = page.evaluate("whatIf.panel.shown.exceeds.value")
    page.fill("#wi-threshold-n", "10")
    assert page.evaluate("whatIf.panel.shown.exceeds.value") > exceeds
    page.fill("#wi-year-n", "3")
    assert state(page)["year"] == 3
    assert "year 3" in text(page, f"{YEAR} th")
    assert "years 1 to 3" in text(page, '[data-row="4"] th')
    assert "year 3" in text(page, '[data-row="exceeds"] th')


def test_another_scenario_brings_its_own_programme(page):
    slide(page, "#wi-places", 40)
    page.select_option("#wi-scenario", "swiss")
    assert state(page)["data"] == {}
    assert page.input_value("#wi-years_to_full-n") == "6"
    assert not page.locator("#wi-demand_cap").is_checked()
    page.check("#wi-demand_cap")
    assert state(page)["data"] == {"demand_cap": 1}
    page.uncheck("#wi-demand_cap")
    assert state(page)["data"] == {}


def test_demand_cap_and_build_up(page):
    page.fill("#wi-places-n", "60000")
    capped = median(page)
    page.uncheck("#wi-demand_cap")
    assert median(page) > capped
    whole = median(page)
    page.fill("#wi-years_to_full-n", "20")
    assert median(page) < whole


def test_the_scheme_of_a_scenario_is_drawn(page):
    """Places on average over each year: yours as a line, the study's dashed; where they rest on draws their medians."""
    built = "whatIf.panel.{}.scheme"
    page.fill("#wi-places-n", "60000")
    page.fill("#wi-years_to_full-n", "0")
    assert page.evaluate(built.format("shown")) == [60_000] * 10
    ramp = page.evaluate(built.format("base"))
    assert ramp == sorted(ramp)
    assert ramp[1] - ramp[0] < ramp[2] - ramp[1]  # a logistic build-up
    assert ramp[-1] == pytest.approx(10_000, rel=1e-6)
    points = page.locator(".wi-scheme polyline")
    drawn = [[float(xy.split(",")[1]) for xy in line.split()]
             for line in points.evaluate_all("lines => lines.map(l => l.getAttribute('points'))")]  # fmt: skip
    assert [len(line) for line in drawn] == [10, 10]
    assert len(set(drawn[1])) == 1  # the study's line comes first, below
    assert drawn[0] == sorted(drawn[0], reverse=True)
    assert "Unmodified: " in page.locator(".wi-scheme desc").text_content()
    page.select_option("#wi-scenario", "swiss")
    assert 1_000 < page.evaluate(built.format("base"))[-1] < 20_000


def test_a_number_out_of_range_is_refused_in_words(page):
    before = state(page)
    page.fill("#wi-location-fidelity-n", "1.5")
    assert page.locator("#wi-location-fidelity-n").get_attribute("aria-invalid") == "true"
    assert "between 0 and 1" in text(page, ".wi-notice")
    assert text(page, "#wi-location-fidelity-fault") == "The mean lies between 0 and 1."
    assert page.locator("#wi-location-mu_theta-fault").is_hidden()
    page.fill("#wi-discount_rate-n", "-3")
    assert page.locator("#wi-discount_rate-n").get_attribute("aria-invalid") == "true"
    assert state(page) == before


INVALID = {
    "wi-places": ["-1", "1e9"], "wi-years_to_full": ["-2", "51"], "wi-year": ["0", "11", "2.5"],
    "wi-discount_rate": ["-1", "21"], "wi-threshold": ["1e16"], "wi-location-fidelity": ["1.5"],
    "wi-width-mu_theta": ["0", "99"],
}  # fmt: skip


@pytest.mark.parametrize("control", INVALID)
def test_an_entry_that_cannot_be_used_leaves_no_answer(page, control):
    """The old answer is struck out, in words, until the entry is corrected, emptied or moved by its slider."""
    answer = page.locator(".wi-answer")
    for entry in INVALID[control]:
        page.fill(f"#{control}-n", entry)
        assert page.locator(f"#{control}-n").get_attribute("aria-invalid") == "true", entry
        assert answer.get_attribute("data-reliable") == "no", entry
        assert "Correct the entry" in text(page, ".wi-reason")
        assert "no reliable answer" in page.locator(".wi-sentence").text_content()
        other = "#wi-threshold-n" if control != "wi-threshold" else "#wi-years_to_full-n"
        page.fill(other, "5")  # a good entry elsewhere does not hide the bad one
        assert answer.get_attribute("data-reliable") == "no", entry
        assert page.input_value(f"#{control}-n") == entry
        page.fill(f"#{control}-n", "")
        assert answer.get_attribute("data-reliable") == "yes", entry
        assert page.locator(".wi-notice[role=alert]").is_hidden()
    page.fill(f"#{control}-n", INVALID[control][0])
    page.click(".wi-reset")
    assert answer.get_attribute("data-reliable") == "yes"
    assert page.locator(f"#{control}-n").get_attribute("aria-invalid") == "false"


def test_unmodified_answers_the_question_its_label_asks(page, shipped_futures):
    """Up to year 4: totals of the study's own priors and programme over four years."""
    page.fill("#wi-year-n", "4")
    assert "years 1 to 4" in text(page, '[data-row="2"] th')
    scenario = page.evaluate("whatIf.panel.state.scenario")
    found = shipped_futures.sel(scenario=scenario, year=slice(1, 4)).sum("year")
    for name in ("offences_avoided", "net_benefit"):
        base = page.evaluate(f"whatIf.panel.base.rows['{name}.total'].median.value")
        assert base == pytest.approx(float(found[name].median()), rel=1e-6)
        assert base == pytest.approx(page.evaluate(f"whatIf.panel.shown.rows['{name}.total'].median.value"), rel=1e-9)


# --- when weights fail -----------------------------------------------------------------------


def test_the_answer_greys_out_above_the_limit_and_says_why(page):
    live = page.locator(f"{YEAR} .wi-shown .wi-number")
    colour = live.evaluate("n => getComputedStyle(n).color")
    slide(page, "#wi-location-mu_theta", 20)
    assert page.evaluate("whatIf.panel.shown.weights.khat") < 0.7
    assert page.locator(".wi-reason").is_hidden()
    ask_too_much(page)
    slide(page, "#wi-location-offences_per_user_year", 10)
    khat = page.evaluate("whatIf.panel.shown.weights.khat")
    assert khat > 0.7
    assert text(page, ".wi-khat") == f"{khat:.2f}"
    assert page.locator(".wi-answer").get_attribute("data-reliable") == "no"
    live.evaluate("n => Promise.all(n.closest('td').getAnimations({ subtree: true }).map(a => a.finished))")
    assert live.evaluate("n => getComputedStyle(n).color") != colour
    assert "line-through" in live.evaluate("n => getComputedStyle(n).textDecorationLine")
    reason = text(page, ".wi-reason")
    assert "“Mean effect of prescribed heroin” above all" in reason
    assert "download the changes" in reason
    assert "no reliable answer" in page.locator(".wi-sentence").text_content()
    page.click(".wi-reset")
    assert page.locator(".wi-answer").get_attribute("data-reliable") == "yes"
    assert page.locator(".wi-reason").is_hidden()


def test_effective_draws_fall_as_a_prior_moves_away(page):
    found = []
    for position in (0, 10, 20, 30):
        slide(page, "#wi-location-mu_theta", position)
        found.append(page.evaluate("whatIf.panel.shown.weights.ess"))
    assert found == sorted(found, reverse=True)
    assert found[0] == 4000
    assert text(page, ".wi-ess") == f"{round(found[-1]):,} of 4,000"


def test_what_no_evidence_bears_on_needs_no_weights(page):
    slide(page, "#wi-location-programme_cost", 80)
    slide(page, "#wi-location-fidelity", -50)
    assert text(page, ".wi-khat") == "none needed"
    assert text(page, ".wi-ess") == "4,000 of 4,000"


# --- links -----------------------------------------------------------------------------------


def test_a_link_opens_what_it_was_made_from(page, open_page):
    page.select_option("#wi-scenario", "p40000")
    page.fill("#wi-places-n", "12345")
    page.fill("#wi-discount_rate-n", "0.017")
    page.uncheck("#wi-demand_cap")
    slide(page, "#wi-location-mu_theta", 13)
    slide(page, "#wi-width-mu_gamma", 20)
    slide(page, "#wi-width-fidelity", 33)
    until(page, "location.hash.includes('fidelity')")
    other = open_page(page.url)
    assert state(other) == state(page)
    for selector in ("table", ".wi-ess", ".wi-khat"):
        assert text(other, selector) == text(page, selector)
    other.click(".wi-reset")
    until(other, "location.hash === ''")


STATES = [
    {},
    {"scenario": "swiss", "data": {"years_to_full": 1 / 3, "demand_cap": 1}},
    {"data": {"places": 100 + 0.1 + 0.2, "discount_rate": 0.0123456789012345}, "year": 9, "threshold": -1e14},
    {"priors": {"mu_theta": {"location": -1 / 3, "width": None}, "fidelity": {"location": None, "width": 1.7}}},
    {"threshold": 1.5e-7, "priors": {"cost_per_offence": {"location": 1e-7, "width": 20}}},
]


@pytest.mark.parametrize("changes", STATES)
def test_any_state_survives_its_own_address_exactly(page, changes):
    full = {**json.loads(page.evaluate(DEFAULT_STATE)), **changes}
    script = "s => JSON.stringify(whatIf.parseFragment(whatIf.model, whatIf.formatFragment(whatIf.model, s)))"
    if not changes:
        assert page.evaluate("s => whatIf.formatFragment(whatIf.model, s)", full) == ""
        return
    assert json.loads(page.evaluate(script, full)) == full


MALFORMED = (
    "d.places=abc", "d.places=1e9", "d.places=", "d.places=1&d.places=2", "d.demand_cap=maybe", "d.demand_cap=2",
    "d.demand_cap=0.5", "d.years_to_full", "", "year=11", "year=1.5", "d.horizon=0", "places=20000", "p.nobody=1,1",
    "p.mu_theta=1", "p.mu_theta=a,b", "p.fidelity=2,1", "p.tau_theta=0.3,2", "p.mu_theta=0,1000", "p.__proto__=1,1",
    "d.__proto__=1", "scenario=constructor", "constructor=1", "__proto__=1", "threshold=%E0%A4%A",
    "d.discount_rate=alert(1)", "scenario=<img src=x onerror=alert(1)>", "javascript:alert(1)", "d.places=Infinity",
    "d.places=0x10", "%70.mu_theta",
)  # fmt: skip


def test_a_malformed_address_changes_nothing_and_says_so(open_page, address):
    """The first on opening the page, the others typed over it."""
    page = open_page(f"{address}#what-if?{MALFORMED[0]}")
    for fragment in MALFORMED:
        page.evaluate("document.querySelector('.wi-notice[role=alert]').hidden = true")
        if fragment != MALFORMED[0]:
            page.evaluate("text => { location.hash = `#what-if?${text}`; }", fragment)
            until(page, "!document.querySelector('.wi-notice[role=alert]').hidden")
        assert "none was made" in page.locator(".wi-notice[role=alert]").text_content(), fragment
        assert page.evaluate("JSON.stringify(whatIf.panel.state)") == page.evaluate(DEFAULT_STATE), fragment
        assert page.locator(".what-if img, .what-if script").count() == 0


def test_other_fragments_are_none_of_its_business(open_page, address):
    page = open_page(f"{address}#somewhere-else")
    assert page.locator(".wi-notice[role=alert]").is_hidden()
    slide(page, "#wi-places", 50)
    until(page, "location.hash.startsWith('#what-if?d.places=')")
    page.evaluate("location.hash = '#what-if?d.discount_rate=0.01'")
    until(page, "whatIf.panel.state.data.discount_rate === 0.01")
    assert list(state(page)["data"]) == ["discount_rate"]


def test_copy_link(open_page, address):
    page = open_page(address)
    slide(page, "#wi-places", 30)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click(".wi-link")
    until(page, "document.querySelector('.wi-voice').textContent.includes('copied')")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert "#what-if?d.places=" in page.url


def test_copy_link_where_copying_is_not_allowed(open_page, address):
    page = open_page(address)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    slide(page, "#wi-places", 30)
    page.click(".wi-link")
    field = page.locator(".wi-address")
    assert field.is_visible()
    assert field.input_value() == page.url


# --- the file --------------------------------------------------------------------------------


def downloaded(page, folder):
    with page.expect_download() as found:
        page.click(".wi-download")
    assert found.value.suggested_filename == "what-if.toml"
    path = folder / "what-if.toml"
    found.value.save_as(path)
    return path


def test_the_file_puts_the_same_changes_in_force(page, tmp_path, shipped_study):
    page.fill("#wi-places-n", "12345")
    page.fill("#wi-discount_rate-n", "0.05")
    page.uncheck("#wi-demand_cap")
    slide(page, "#wi-location-mu_theta", 13)
    slide(page, "#wi-width-fidelity", 33)
    slide(page, "#wi-location-tau_theta", -40)
    study = changed_study(shipped_study, read_overrides(downloaded(page, tmp_path)))
    found = page.evaluate("whatIf.resolved(whatIf.model, whatIf.panel.state)")
    assert {n: study.priors[n].parameters for n in found["parameters"]} == found["parameters"]
    assert set(found["parameters"]) == {"mu_theta", "fidelity", "tau_theta"}
    assert study.scenarios["hardcore"].places == 12345
    assert study.scenarios["hardcore"].demand_cap is False
    assert study.settings.discount_rate == 0.05
    untouched = set(shipped_study.priors) - set(found["parameters"])
    assert all(study.priors[n] == shipped_study.priors[n] for n in untouched)


def test_every_prior_can_go_through_the_file(page, tmp_path, shipped_study):
    names = page.evaluate("Object.keys(whatIf.model.priors)")
    page.locator("details").evaluate("d => { d.open = true; }")
    for name in names:
        slide(page, f"#wi-location-{name}", 11)
    study = changed_study(shipped_study, read_overrides(downloaded(page, tmp_path)))
    for name in names:
        assert study.priors[name].family == shipped_study.priors[name].family
        assert study.priors[name].parameters != shipped_study.priors[name].parameters


def test_bayes_run_accepts_the_file_and_fits_with_it(page, tmp_path):
    slide(page, "#wi-location-mu_theta", 25)
    slide(page, "#wi-width-countable_share", -20)
    page.fill("#wi-places-n", "15000")
    parameters = page.evaluate("whatIf.resolved(whatIf.model, whatIf.panel.state).parameters")
    run = tmp_path / "run"
    assert main(["run", "--changes", str(downloaded(page, tmp_path)), *SHORT, "--out", str(run)]) == 1
    in_force = load_fit(run)["constant_data"]["prior_parameters"]
    for name, values in parameters.items():
        for key, value in values.items():
            assert float(in_force.sel(prior_parameter=f"{name}.{key}")) == value
    assert read_manifest(run)["overrides"]["settings"] == {"hardcore.places": "15000"}


def test_an_unchanged_file_changes_nothing(page, tmp_path):
    assert not read_overrides(downloaded(page, tmp_path))


# --- texts of others -------------------------------------------------------------------------


def test_markup_in_texts_shows_as_text(open_page, hostile, tmp_path):
    from tests.standalone import standalone

    path = tmp_path / "hostile.html"
    path.write_text(standalone(hostile), encoding="utf-8")
    page = open_page(path.as_uri())
    slide(page, "#wi-places", 40)
    assert page.evaluate("window.hacked === undefined")
    assert page.locator("main img, main script").count() == 0
    assert "</script><script>window.hacked=1" in text(page, "#wi-scenario option:checked")
    assert "<img src=x" in page.locator(".wi-sentence").text_content()
    assert "<img src=x" in page.locator(".wi-prior .wi-hint").first.inner_text()


def test_the_parts_are_safe_to_embed(hostile):
    assert "<" not in hostile.data_json
    assert json.loads(hostile.data_json)["chains"] == 4
    assert not re.search(r"\son\w+=|style=|javascript:|https?:", hostile.html.replace("onerror=alert(1)", ""))
    assert not re.search(r"\beval\b|new Function|innerHTML|insertAdjacentHTML|document\.write|fetch\(", hostile.js)
    assert "</script" not in hostile.js


def test_a_failed_verdict_stands_above_every_number(open_page, live, shipped_fit, shipped_futures, tmp_path):
    from bayes.report.whatif import panel
    from tests.standalone import standalone

    failed = Verdict((Check("R-hat of parameters", False, 1.2, 1.01, "worst 1.2 (<b>mu</b>), required < 1.01"),))
    path = tmp_path / "failed.html"
    path.write_text(standalone(panel(live, shipped_fit, shipped_futures, failed)), encoding="utf-8")
    page = open_page(path.as_uri())
    assert "worst 1.2 (<b>mu</b>)" in text(page, ".wi-failed")


def test_it_holds_what_it_needs_in_two_and_a_half_megabytes(what_if):
    assert sum(map(len, (what_if.html, what_if.css, what_if.js, what_if.data_json))) < 2.5e6


def test_other_structures_and_fewer_draws(open_page, shipped_study, tmp_path):
    """Without drift, targeting, biases, ceiling and spread between settings, and with draws of an odd number."""
    from bayes.heroin.live import live_of
    from bayes.heroin.model import Structure
    from bayes.report.whatif import panel
    from tests.standalone import standalone

    structure = Structure(effects="common", drift=False, biases=(), targeting=False, ceiling=False)
    fit = bayes.sample(bayes.build_model(shipped_study, structure), draws=61, tune=200, chains=2, rng=1)
    futures = bayes.project(fit, shipped_study)
    path = tmp_path / "plain.html"
    live = live_of(fit, shipped_study)
    path.write_text(standalone(panel(live, fit, futures, bayes.check(fit))), encoding="utf-8")
    page = open_page(path.as_uri())
    assert not {"tau_theta", "mu_gamma", "targeting_strength"} & set(page.evaluate("Object.keys(whatIf.model.priors)"))
    script = "Array.from(whatIf.weightedDraws(whatIf.model, whatIf.panel.state).values['net_benefit.total'])"
    wanted = futures["net_benefit"].sel(scenario="hardcore").sum("year").transpose("chain", "draw").values.ravel()
    np.testing.assert_allclose(page.evaluate(script), wanted, rtol=1e-6)
    slide(page, "#wi-location-mu_theta", 10)
    assert page.evaluate("Number.isFinite(whatIf.panel.shown.weights.khat)")
    assert text(page, ".wi-ess").endswith(" of 122")


def test_draws_are_carried_to_the_last_bit(numbers, shipped_fit):
    found = numbers.evaluate("Array.from(whatIf.model.inputs.theta_new.data)")
    wanted = shipped_fit["posterior"]["theta_new"].transpose("chain", "draw").values.ravel()
    assert np.array_equal(np.array(found), wanted)


def test_a_fit_without_what_the_page_needs_is_refused(live, shipped_fit, shipped_futures, verdict):
    from bayes.errors import UsageError
    from bayes.report.whatif import panel

    short = DataTree.from_dict({"posterior": shipped_fit["posterior"].to_dataset().drop_vars("theta_new")})
    with pytest.raises(UsageError, match="theta_new"):
        panel(live, short, shipped_futures, verdict)
