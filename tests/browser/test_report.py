"""The panel in its place: the report of the shipped study, as ``bayes run --report`` writes it."""

from __future__ import annotations

import csv
import re
from itertools import pairwise

import pytest

from bayes.numbers import natural
from bayes.overrides import read_overrides
from tests.browser.actions import AAA, CONTRAST, PANEL, ask_too_much, shown_as, slide, state, text, until, violations

YEAR = '[data-row="0"]'


@pytest.fixture(scope="module")
def report(finished_run):
    """Where the report stands."""
    return finished_run / "report.html"


@pytest.fixture(scope="module")
def address(report):
    return report.as_uri()


def test_it_opens_from_a_file_and_stays_small(page, report):
    """Nothing on the console, no request (the fixture asserts both), one panel, under 5 MB."""
    assert page.locator("#what-if").count() == 1
    assert "offences avoided in year 10 is above" in text(page, "#t-exceed")
    assert report.stat().st_size < 5e6
    policy = page.locator('meta[http-equiv="Content-Security-Policy"]').get_attribute("content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_identifiers_are_unique_in_the_page_but_for_its_pictures(page):
    ids = page.locator("[id]:not(svg *)").evaluate_all("nodes => nodes.map(n => n.id)")
    assert len(ids) == len(set(ids))


def test_a_slider_works_under_the_reports_policy(page):
    before = text(page, f"{YEAR} .wi-shown .wi-number")
    slide(page, "#wi-location-offences_per_user_year", -60)
    assert text(page, f"{YEAR} .wi-shown .wi-number") != before
    assert text(page, f"{YEAR} .wi-base .wi-number") == before
    assert float(text(page, ".wi-khat").replace("−", "-")) < 0.7


def test_greying_and_link_in_the_report(page, open_page):
    ask_too_much(page)
    assert page.locator(".wi-answer").get_attribute("data-reliable") == "no"
    assert page.locator(".wi-reason").is_visible()
    until(page, "location.hash.includes('mu_theta=2,0')")  # with the width, which is set last
    other = open_page(page.url)
    assert state(other) == state(page)
    assert other.locator("#what-if").evaluate("n => n.getBoundingClientRect().top < innerHeight")


def test_contents_lead_to_sections_and_leave_the_state_alone(page):
    slide(page, "#wi-places", 60)
    places = state(page)["data"]["places"]
    page.evaluate('document.querySelector(\'nav a[href^="#"], a[href^="#"]\').click()')
    assert state(page)["data"]["places"] == places
    assert page.locator(".wi-notice[role=alert]").is_hidden()


def test_the_file_is_downloaded_from_the_report(page, tmp_path):
    slide(page, "#wi-location-mu_theta", 13)
    with page.expect_download() as found:
        page.click(".wi-download")
    found.value.save_as(tmp_path / "what-if.toml")
    assert re.fullmatch(
        r"Normal\(mu=[-.\d]+, sigma=[.\d]+\)", read_overrides(tmp_path / "what-if.toml").priors["mu_theta"]
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_contrast_and_width_in_the_colours_of_the_report(page, scheme, width):
    shown_as(page, width=width, color_scheme=scheme)
    page.locator("#what-if details").evaluate("d => { d.open = true; }")
    found = page.evaluate(CONTRAST, PANEL)
    ask_too_much(page)
    found += page.evaluate(CONTRAST, PANEL)
    assert len(found) > 200
    assert min(found)[0] >= AAA, min(found)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_tables_sort_and_download_and_figures_are_saved(page, tmp_path):
    """As the page prints them: numbers by their value, in brackets what stands below, pictures in their own colours."""
    table = page.locator("table:has(#t-scenarios)")
    offences = [row["offences_avoided"] for row in _rows(page, tmp_path)]
    table.get_by_role("button", name="Offences avoided a year").click()
    assert table.locator("th[aria-sort=ascending]").count() == 1
    values = table.locator("tbody tr td:nth-child(3)").evaluate_all("cells => cells.map(c => Number(c.dataset.value))")
    assert values == sorted(values)
    assert all(re.fullmatch(r"[\d.]+[kM]? \(.+ to .+\)", text) for text in offences)
    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as found:
            page.locator("#f-dots").get_by_role("button", name=kind).click()
        found.value.save_as(tmp_path / found.value.suggested_filename)
        data = (tmp_path / found.value.suggested_filename).read_bytes()
        assert data.startswith(start)
        assert b"var(--" not in data


def _rows(page, folder):
    """The table of scenarios as the page downloads it."""
    with page.expect_download() as found:
        page.get_by_role("button", name="CSV: Table 1", exact=True).click()
    found.value.save_as(folder / "scenarios.csv")
    with (folder / "scenarios.csv").open(encoding="utf-8-sig", newline="") as file:
        return [dict(zip(("scenario", "patient_years", "offences_avoided"), row, strict=False))
                for row in list(csv.reader(file))[1:]]  # fmt: skip


def test_words_are_explained_by_keyboard_and_the_section_in_view_is_marked(page):
    for place, told in ((".term", "draws represent the posterior"), ('[data-claim="answer.median"]', "headline.csv")):
        page.locator(place).first.focus()
        shown = page.locator(place).first.evaluate("n => getComputedStyle(n, '::after').content")
        assert told in shown
    page.locator("#s-checks").evaluate("n => n.scrollIntoView()")
    until(page, "document.querySelector('[aria-current]').hash === '#s-checks'")
    levels = page.locator("h1, h2, h3, h4").evaluate_all("nodes => nodes.map(n => Number(n.tagName[1]))")
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_sliders_say_factors_and_per_cent_beside_logarithms(page, shipped_study):
    for name in ("mu_theta", "mu_coverage"):
        prior = shipped_study.priors[name]
        low, high = (natural(prior.quantiles[p], prior.unit) for p in (0.05, 0.95))
        assert f"which is {low} to {high}" in page.locator(f"#wi-range-{name}").text_content()


def test_the_report_prints_the_state(page):
    page.fill("#wi-places-n", "20000")
    page.emulate_media(media="print")
    assert page.locator(".wi-controls").is_hidden()
    assert "places 20,000 (not 10,000)" in text(page, ".wi-sentence")


def test_axe_finds_nothing_against_the_page(page):
    shown_as(page, width=390)
    assert violations(page) == []
